"""`benchmarks/gpu.py` runs whole on the pretend GPU, goes on where it was cut off, and keeps nothing that was not measured on a card."""

import json
import subprocess
import sys

import pytest
import torch

from autograde import layout
from autograde.authoring.measuring import benchmark_tables
from autograde.authoring.measuring.numbers import Numbers
from benchmarks import gpu
from benchmarks.parts.bench import Bench

SCRIPT = layout.ROOT / "benchmarks" / "gpu.py"
RESULTS = {
    "card": "Tesla T4",
    "lesson 07's run: held-back loss": "1.520",
    "lesson 07's run: steps": "2,500 of 2,500",
    "lesson 07's run: text": "tinyshakespeare",
    "lesson 07's run: minutes": "6.1",
}


@pytest.mark.soak
def test_it_runs_whole_on_the_pretend_gpu(tmp_path):
    """The full program (all precisions, compiling tried in each) with a tiny model, and the CPU's numbers where they can be compared."""
    out = tmp_path / "gpu.json"
    done = subprocess.run([sys.executable, SCRIPT, "--pretend", "--out", out], capture_output=True, text=True, timeout=1800)
    assert done.returncode == 0, done.stderr[-2000:]
    table = benchmark_tables.load(out)
    rows = dict(table.rows)
    assert rows["card"] == "the pretend GPU as Tesla T4" and len(rows) == len(table.rows), "every row has a name of its own"
    assert all(float(rows[what]) < 1e-4 for what in rows if "largest difference" in what)
    equal, *rest = rows["parity: answers of the lessons with the CPU's results"].split(", ")
    assert int(equal) > 70 and "others" not in " ".join(rest)
    assert sum(what.startswith("training in ") for what in rows) == 6
    assert rows["generating: characters that are the same"] == "100%" and rows["lesson 07's run: precision"] == "float16"
    assert not out.with_suffix(".parts.json").exists()


@pytest.mark.slow
def test_the_pretend_gpu_measures_nothing_that_is_kept(tmp_path):
    for options in ([], ["--out", benchmark_tables.FOLDER / "gpu.json"]):
        done = subprocess.run([sys.executable, SCRIPT, "--pretend", *options], capture_output=True, text=True)
        assert done.returncode == 2 and "no measurement" in done.stderr
    kept = benchmark_tables.FOLDER / "gpu.json"
    assert not kept.exists() or "pretend" not in kept.read_text(encoding="utf-8")


def test_it_goes_on_where_it_was_cut_off(tmp_path, monkeypatch):
    """Parts that are done are not measured again, unless on another card or for another kind of run."""
    calls, cuts = [], ["two"]

    def part(name):
        def measure(bench):
            calls.append(name)
            if name in cuts:
                cuts.remove(name)
                raise KeyboardInterrupt
            return [(name, f"{len(calls)}")]

        return measure

    monkeypatch.setattr(gpu, "PARTS", {"one": part("one"), "two": part("two")})
    monkeypatch.setattr(gpu, "card_name", lambda device: device.type)
    here, progress = Bench(torch.device("cpu")), tmp_path / "gpu.parts.json"
    with pytest.raises(KeyboardInterrupt):
        gpu.measured(here, progress)
    assert gpu.measured(here, progress) == [("one", "1"), ("two", "3")] and calls == ["one", "two", "two"]
    for other in (Bench(torch.device("meta")), Bench(torch.device("meta"), short=True)):
        calls.clear()
        gpu.measured(other, progress)
        assert calls == ["one", "two"]


@pytest.mark.parametrize("measured", [False, True])
def test_readme_lessons_and_site_say_what_was_measured(measured, tmp_path, monkeypatch):
    from autograde.authoring import readme
    from autograde.site import build

    monkeypatch.setattr(benchmark_tables, "FOLDER", tmp_path)
    if measured:
        table = benchmark_tables.Measured(
            "On a GPU", "python benchmarks/gpu.py", ["what", "result"], [list(row) for row in RESULTS.items()]
        )
        (tmp_path / "gpu.json").write_text(json.dumps(vars(table)), encoding="utf-8")
    words = ("measured on Tesla T4", "1.520", "tinyshakespeare", "2,500", "6.1") if measured else ("not measured on a GPU yet",)
    for text in (readme.filled("<!-- gpu -->old<!-- /gpu -->"), Numbers("07_gpt").fill("This run was **{measured:gpu}**.")):
        assert all(word.lower() in text.lower() for word in words), text
    site = build._benchmarks()
    assert all(word in site for word in (words[1:] if measured else ("`python benchmarks/gpu.py`",))), site
