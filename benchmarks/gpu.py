"""What a GPU makes of the course: parity with the CPU, precisions, compiling, generation, lesson 07's plan, the speed run, lesson 08's model.

    python benchmarks/gpu.py             # everything, in less than 10 minutes, and docs/measured/gpu.json
    python benchmarks/gpu.py --short     # fewer steps, in less than 4
    python benchmarks/gpu.py --pretend --out FILE   # the same program on the pretend GPU: whether it runs, no numbers to keep

There is nothing to configure. Each part is written when it is done (beside the result, `gpu.parts.json`), so that a run that was cut off goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import json
import platform
import sys
from collections.abc import Callable
from pathlib import Path

import torch

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograde.authoring.measuring import benchmark_tables  # noqa: E402
from autograde.checking import pretend_gpu  # noqa: E402
from autograde.files import write  # noqa: E402
from benchmarks.parts import generation, parity, training, world  # noqa: E402
from benchmarks.parts.bench import Bench, Rows  # noqa: E402
from utils.device import card_name, pick_device  # noqa: E402

COLUMNS = ("what", "result")
PARTS: dict[str, Callable[[Bench], Rows]] = {
    "parity": parity.measure,
    "precisions": training.precisions,
    "generation": generation.measure,
    "lesson 07's plan": training.lesson_plan,
    "speed run": training.speed_run,
    "lesson 08's model": world.measure,
}


def measured(bench: Bench, progress: Path) -> Rows:
    """The rows of all parts; what an earlier run of this kind on this card has measured is not measured again."""
    kind = {"card": card_name(bench.device), "short": bench.short}
    known = json.loads(progress.read_text(encoding="utf-8")) if progress.exists() else {}
    done = known["parts"] if known.get("kind") == kind else {}
    for number, (name, measure) in enumerate(PARTS.items(), 1):
        if name not in done:
            print(f"{number} of {len(PARTS)}: {name} …", flush=True)
            done[name] = measure(bench)
            write(progress, (json.dumps({"kind": kind, "parts": done}, ensure_ascii=False, indent=1) + "\n").encode())
            print("\n".join(f"  {what:<70} {result}" for what, result in done[name]), flush=True)
    return [(what, result) for name in PARTS for what, result in done[name]]


def software() -> str:
    cuda = f", CUDA {torch.version.cuda}" if torch.version.cuda else ""
    return f"PyTorch {torch.__version__.partition('+')[0]}{cuda}, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="fewer steps, in less than 4 minutes")
    parser.add_argument("--pretend", action="store_true", help="on the pretend GPU, with a tiny model; needs --out")
    parser.add_argument("--out", type=Path, help="where the result goes, instead of docs/measured/gpu.json")
    chosen = parser.parse_args()
    kept = benchmark_tables.FOLDER / "gpu.json"
    out = chosen.out or kept
    if chosen.pretend and out.resolve() == kept.resolve() or chosen.pretend and chosen.out is None:
        parser.error("what the pretend GPU measures is no measurement: name another file with --out")
    with pretend_gpu.machine(pretend_gpu.T4) if chosen.pretend else contextlib.nullcontext():
        device = pick_device()
        if device.type == "cpu":
            parser.error("PyTorch finds no GPU here; `python -m autograde doctor` says more")
        rows = [("card", ("the pretend GPU as " if chosen.pretend else "") + card_name(device)), ("software", software())]
        progress = out.with_suffix(".parts.json")
        rows += measured(Bench(device, chosen.short, tiny=chosen.pretend), progress)
    command = "python benchmarks/gpu.py" + " --short" * chosen.short + " --pretend" * chosen.pretend
    table = benchmark_tables.Measured("On a GPU", command, list(COLUMNS), [list(row) for row in rows])
    write(out, (json.dumps(dataclasses.asdict(table), ensure_ascii=False, indent=1) + "\n").encode())
    progress.unlink()
    print(f"kept in {out}")


if __name__ == "__main__":
    main()
