"""What grading a submission costs, against the checks alone, and where the time goes.

    python benchmarks/floor.py [--lesson 03] [--students 20] [--large 0] [--save]

- *the floor*: all public and hidden checks of a lesson, called on the reference answers in one process, without a sandbox;
- *one submission*: the same checks on the same answers in the sandbox, step by step, and writing its result;
- *a class*: the command that an instructor uses, on one core and on all, its start included; and the time to the first result. `--large` also grades so many submissions and tells the memory.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
from rich.console import Console
from rich.table import Table

from autograde import layout
from autograde.authoring import source
from autograde.authoring.measuring import benchmark_tables
from autograde.authoring.sample_class import solved_notebook
from autograde.checking.lesson import load_lesson
from autograde.checking.scoring import run_checks
from autograde.checking.student import LocalStudent
from autograde.grader.batch.class_folder import ClassFolder
from autograde.grader.batch.stream import Job
from autograde.grader.ingest.discovery import Found
from autograde.grader.results.model import Graded
from autograde.grader.rpc.connection import Connection
from autograde.grader.run import session, submission, task
from autograde.grader.sandbox.modes import Mode
from autograde.wording import counted

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks import grading  # noqa: E402

COLUMNS = ("lesson", "what", "ms", "× floor")
ROUNDS = 5
Row = tuple[str, str, str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lesson", action="append", help="such as 03, which is taken where none is named; again for another")
    parser.add_argument("--students", type=int, default=20)
    parser.add_argument("--large", type=int, default=0, help="also grade so many submissions and watch the memory")
    parser.add_argument("--save", action="store_true", help="keep the table in docs/measured, for the site")
    options = parser.parse_args()
    rows: list[Row] = []
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        for name in options.lesson or ["03"]:
            found, note = _lesson(Path(folder) / name, layout.resolve(name), options.students, options.large)
            rows, notes = rows + found, [*notes, note]
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.print(table, *notes)
    if options.save:
        console.print(f"kept in {benchmark_tables.save('floor', 'What a submission costs', COLUMNS, rows, ' '.join(notes))}")


def _lesson(folder: Path, lesson: str, students: int, large: int) -> tuple[list[Row], str]:
    notebook = solved_notebook(source.read(layout.source_path(lesson)))
    path = folder / "one" / f"{lesson}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(nbformat.writes(notebook), encoding="utf-8")
    checks, floor = _floor(lesson)
    graded, steps = _steps(Found("one", lesson, path), students)
    rows = [("the floor: its checks in one process", floor), *steps, *_writing(folder / "out", graded, students)]
    told = [f"Lesson {lesson[:2]} has {checks} checks. "]
    for cores in (sorted(os.sched_getaffinity(0))[:1], sorted(os.sched_getaffinity(0))):
        wall, first = _class(grading.hand_in(folder / f"on{len(cores)}", notebook, lesson, students), lesson, cores)
        used = counted(len(cores), "core")
        where = f"{students} submissions on {used}"
        rows += [(f"{where}: time of each", wall / students), (f"{where}: of each after the first", (wall - first) / (students - 1))]
        told.append(f"On {used} the first result was there after {first:.1f} s. ")
    if large:
        told.append(_memory(grading.hand_in(folder / "large", notebook, lesson, large), lesson, large))
    return [(lesson[:2], what, f"{1000 * seconds:.0f}", f"{seconds / floor:.1f}") for what, seconds in rows], "".join(told)


def _floor(lesson: str) -> tuple[int, float]:
    """How many checks there are, and the processor time that they take on the reference answers in this process."""
    known, names, seconds = load_lesson(lesson, hidden=True), dict[str, Any](), []
    read = source.read(layout.source_path(lesson))
    for cell in nbformat.reads(nbformat.writes(solved_notebook(read)), 4).cells:
        if cell.cell_type == "code" and not grading.NOT_RUN & set(cell.metadata.get("tags", [])) and not _is_check(cell):
            exec(compile(cell.source, "<cell>", "exec"), names)
    for _ in range(ROUNDS + 1):  # the first one makes what the others find ready
        began, count = time.process_time(), 0
        for exercise in known.exercises.values():
            count += len(run_checks(known.checks[exercise.name], LocalStudent(names, Path("no files")))[0])
        seconds.append(time.process_time() - began)
    return count, statistics.median(seconds[1:])


def _is_check(cell: nbformat.NotebookNode) -> bool:
    return str(cell.metadata.get("nbgrader", {}).get("grade_id", "")).startswith("check-")


def _steps(found: Found, times: int) -> tuple[Graded, list[tuple[str, float]]]:
    """A graded submission, and the mean seconds of the steps to it, in this process with its workers."""
    graded, seconds = task.grade_here(found, Mode.AUTO), Counter[str]()
    requests = Counter[str]()
    with _timed(seconds, requests):
        began, used = time.perf_counter(), time.process_time()
        for _ in range(times):
            task.grade_here(found, Mode.AUTO)
        whole, own = time.perf_counter() - began, time.process_time() - used
    inner = seconds["spawn"] + seconds["define"]
    steps = {
        "one submission in the sandbox": whole,
        "— of it reading and matching the notebook": seconds["match"],
        "— starting workers": seconds["spawn"],
        "— defining its cells in each": seconds["define"],
        f"— {requests['asked'] / times:.0f} requests of checks, answered by workers": seconds["asked"] - inner,
        "— the grader's own processor time": own,
        "— pretend GPU, a part of the requests": seconds["device"],
    }
    return graded, [(what, value / times) for what, value in steps.items()]


@contextmanager
def _timed(seconds: Counter[str], counts: Counter[str]) -> Iterator[None]:
    """While it is open, what these functions take is added up."""
    depth: Counter[str] = Counter()
    replaced: list[tuple[Any, str, Callable]] = []

    def watch(owner: Any, name: str, label: str) -> None:
        real = getattr(owner, name)

        def run(*args: Any, **kwargs: Any) -> Any:
            depth[label] += 1
            began = time.perf_counter()
            try:
                return real(*args, **kwargs)
            finally:
                depth[label] -= 1
                if not depth[label]:  # a request within a request counts once
                    seconds[label] += time.perf_counter() - began
                    counts[label] += 1

        setattr(owner, name, run)
        replaced.append((owner, name, real))

    watch(submission, "read", "match")
    watch(submission, "match", "match")
    watch(submission, "on_another_device", "device")
    watch(Connection, "_hello", "spawn")
    watch(session.Session, "_define_cell", "define")
    watch(session.Session, "_define", "asked")
    watch(Connection, "request", "asked")
    try:
        yield
    finally:
        for owner, name, real in reversed(replaced):
            setattr(owner, name, real)


def _writing(out: Path, graded: Graded, students: int) -> list[tuple[str, float]]:
    """The seconds for a submission's store, gradebook and page, and for its share of tables and pages at the end."""
    out.mkdir()
    with ClassFolder(out, [graded.lesson]) as folder:
        took = []
        for number in range(students + 1):
            found = Found(f"student{number:03d}", graded.lesson, out / "none.ipynb")
            began = time.perf_counter()
            folder.keep(Job(found, f"key{number}"), replace(graded, student=found.student))
            took.append(time.perf_counter() - began)
        began = time.perf_counter()
        folder.finish()
        end = time.perf_counter() - began
    return [
        ("writing its result, gradebook and page", statistics.mean(took[1:])),
        ("its share of the tables and pages of the class", end / students),
    ]


def _class(home: Path, lesson: str, cores: Sequence[int]) -> tuple[float, float]:
    """(seconds, seconds to the first result) of the whole command."""
    first: list[float] = []
    done = threading.Event()

    def watch(began: float) -> None:
        while not done.wait(0.02):
            if any((home / ".results").glob("*.json")):
                first.append(time.perf_counter() - began)
                return

    began = time.perf_counter()
    watcher = threading.Thread(target=watch, args=(began,))
    watcher.start()
    seconds = grading.ours(home, lesson, cores)
    done.set()
    watcher.join()
    return seconds, first[0] if first else seconds


def _memory(home: Path, lesson: str, students: int) -> str:
    memory = grading.Memory(home / ".results")
    seconds = grading.ours(home, lesson, sorted(os.sched_getaffinity(0)), memory)
    places = [students // 10, students // 2, students]
    told = ", ".join(f"{memory.at(done):.0f} MB at {done}" for done in places)
    return f"{students} took {seconds:.0f} s on all cores, and all processes together held {told}. "


if __name__ == "__main__":
    main()
