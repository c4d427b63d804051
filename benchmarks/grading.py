"""Grading a class: this grader against stock `nbgrader autograde` on the same submissions, in one run.

    python benchmarks/grading.py [--students 40] [--stock 4] [--large 300] [--save]

What is compared, on submissions with every answer written:

- *stock* runs the notebook as instructors hand it out, from top to bottom in a kernel, with the public checks as its test cells;
- *stock, the graded part* gets the same notebooks without the cells that this grader leaves out (figures and experiments): the harder peer;
- *this grader* runs the public and the hidden tests, in a sandbox, and also makes feedback pages and tables.

All write nbgrader's gradebook. Stock grades some of the class only, since it takes the same time for each: two class sizes tell its start-up and
its time for one submission, and both count for the whole class. This grader grades the whole class, its start-up included, on one core (which
its workers and this process then share) and on all. `--large` grades a large class of the largest lesson and watches the memory of all processes.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
import psutil
from nbformat import NotebookNode
from rich.console import Console
from rich.table import Table

from autograde.authoring import source
from autograde.authoring.measuring import benchmark_tables
from autograde.authoring.sample_class import LESSON, solved_notebook
from autograde.grader.gradebook import course_dir
from autograde.grader.ingest.cells.matching import NOT_RUN
from autograde.layout import resolve, source_path

COLUMNS = ("grader", "submissions", "seconds", "s each", "× stock", "× graded part")
NOTE = (
    "Every submission has all answers. Stock nbgrader runs the public checks in a kernel for each notebook: the whole notebook, or (the graded part) "
    "only the cells that this grader runs too. This grader runs the public and the hidden tests, in a sandbox, and writes feedback pages too. Start-up is included. "
)
STOCK = "c = get_config()\nc.CourseDirectory.course_id = 'attention'\n"
MEMORY_AT = (50, 150, 300)  # submissions done
REPEATS = 3  # of this grader's runs, in turn: on rented machines a core is not always as fast


@dataclass
class Memory:
    """What all processes of a run hold, by how many submissions are done; a page that two of them share counts twice."""

    results: Path
    samples: list[tuple[int, float]] = field(default_factory=list)

    def watch(self, pid: int) -> None:
        while psutil.pid_exists(pid):
            self.samples.append((len(list(self.results.glob("*.json"))), _resident(pid) / 2**20))
            time.sleep(0.5)

    def at(self, done: int) -> float:
        """The most MB held from the start until so many were done, the last tenth of them."""
        return max((mb for count, mb in self.samples if 0.9 * done <= count <= done), default=float("nan"))


def main() -> None:
    options = _options()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        rows, note = _compare(Path(folder), options.students, options.stock)
        if options.large:
            row, told = _large(Path(folder) / "large", resolve(options.large_lesson), options.large)
            rows, note = [*rows, row], note + told
    table = Table(*COLUMNS, title=f"{options.students} submissions of lesson {LESSON[:2]}, {len(os.sched_getaffinity(0))} cores")
    for row in rows:
        table.add_row(*row)
    console.print(table, note)
    if options.save:
        console.print(f"kept in {benchmark_tables.save('grading', 'Grading a class', COLUMNS, rows, NOTE + note)}")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=40)
    parser.add_argument("--stock", type=int, default=4, help="how many of them stock nbgrader grades")
    parser.add_argument("--large", type=int, default=0, help="also grade this many submissions and watch the memory")
    parser.add_argument("--large-lesson", default="07")
    parser.add_argument("--save", action="store_true", help="keep the table in docs/measured, for the site")
    return parser.parse_args()


def _compare(folder: Path, students: int, few: int) -> tuple[list[tuple[str, ...]], str]:
    whole = solved_notebook(source.read(source_path(LESSON)))
    stock, hard = (_stock(folder / name, notebook, students, few) for name, notebook in (("whole", whole), ("part", _graded_part(whole))))
    everywhere = sorted(os.sched_getaffinity(0))
    on_cores = _by_cores(folder, whole, students, everywhere)
    again = ours(folder / f"ours{len(everywhere)}-0", LESSON, everywhere)
    rows = [_row("stock nbgrader", students, stock, stock, hard), _row("stock, the graded part", students, hard, stock, hard)]
    rows += [_row(f"this grader, {cores} core{'s' * (cores > 1)}", students, seconds, stock, hard) for cores, seconds in on_cores.items()]
    rows.append(_row("this grader, nothing new", students, again, stock, hard))
    told = f"Stock graded one submission, then that one and {few} more, which gives the time for all; of this grader's runs the median of {REPEATS} counts. "
    if len(everywhere) > 1:
        told += f"{len(everywhere)} cores are {on_cores[1] / on_cores[len(everywhere)]:.2f} times as fast as one. "
    return rows, told


def _by_cores(folder: Path, notebook: NotebookNode, students: int, everywhere: Sequence[int]) -> dict[int, float]:
    """The median seconds on one core and on all."""
    seconds: dict[int, list[float]] = {1: [], len(everywhere): []}
    for repeat in range(REPEATS):
        for cores, taken in seconds.items():
            home = hand_in(folder / f"ours{cores}-{repeat}", notebook, LESSON, students)
            taken.append(ours(home, LESSON, everywhere[:cores]))
    return {cores: statistics.median(taken) for cores, taken in seconds.items()}


def _large(folder: Path, lesson: str, students: int) -> tuple[tuple[str, ...], str]:
    hand_in(folder, solved_notebook(source.read(source_path(lesson))), lesson, students)
    memory = Memory(folder / ".results")
    seconds = ours(folder, lesson, sorted(os.sched_getaffinity(0)), memory)
    told = ", ".join(f"{memory.at(done):.0f} MB at {done}" for done in (*(d for d in MEMORY_AT if d < students), students))
    row = (f"this grader, lesson {lesson[:2]}", str(students), f"{seconds:.1f}", f"{seconds / students:.2f}", "", "")
    return row, f"All processes of the large class together held {told} submissions. "


def _row(name: str, submissions: int, seconds: float, stock: float, hard: float) -> tuple[str, ...]:
    return name, str(submissions), f"{seconds:.1f}", f"{seconds / submissions:.2f}", f"{stock / seconds:.1f}", f"{hard / seconds:.1f}"


def _graded_part(notebook: NotebookNode) -> NotebookNode:
    """The notebook without the cells that this grader leaves out."""
    kept = [cell for cell in notebook.cells if not NOT_RUN & set(cell.metadata.get("tags", []))]
    return NotebookNode({**notebook, "cells": kept})


def hand_in(folder: Path, notebook: NotebookNode, lesson: str, students: int) -> Path:
    """A course directory in which so many students handed the notebook in."""
    text = nbformat.writes(notebook)
    for i in range(students):
        home = folder / "submitted" / f"student{i:03d}" / lesson
        home.mkdir(parents=True)
        (home / f"{lesson}.ipynb").write_text(text, encoding="utf-8")
    return folder


def _stock(folder: Path, notebook: NotebookNode, students: int, few: int) -> float:
    """The seconds for the whole class, from those for one submission and those for one and `few` more."""
    seconds = {}
    for count in (1, 1 + few):
        home = hand_in(folder / str(count), notebook, LESSON, count)
        course_dir.create(home, [LESSON])
        (home / "nbgrader_config.py").write_text(STOCK)
        seconds[count] = _timed(["-m", "nbgrader", "autograde", LESSON, "--create"], home)
    return seconds[1] + (students - 1) * (seconds[1 + few] - seconds[1]) / few


def ours(home: Path, lesson: str, cores: Iterable[int], memory: Memory | None = None) -> float:
    """The seconds that this grader takes for a class, on some cores, with its memory watched where that is asked for."""
    return _timed(["-m", "autograde", "grade", str(home), "--lesson", lesson, "--sandbox", "auto"], home, cores, memory)


def _timed(arguments: list[str], folder: Path, cores: Iterable[int] | None = None, memory: Memory | None = None) -> float:
    """The seconds that a command takes, on some cores only and its memory watched where that is asked for."""
    before, began = os.sched_getaffinity(0), time.perf_counter()
    os.sched_setaffinity(0, cores or before)  # which the command inherits
    try:
        process = subprocess.Popen([sys.executable, *arguments], cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    finally:
        os.sched_setaffinity(0, before)
    if memory:
        threading.Thread(target=memory.watch, args=(process.pid,), daemon=True).start()
    _, errors = process.communicate()
    if process.returncode:
        raise SystemExit(errors[-2000:])
    return time.perf_counter() - began


def _resident(pid: int) -> float:
    total = 0.0
    try:
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]:
            total += process.memory_info().rss
    except psutil.NoSuchProcess:
        pass
    return total


if __name__ == "__main__":
    main()
