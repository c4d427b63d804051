"""Grading a class: this grader against stock `nbgrader autograde` on the same submissions, in one run.

    python benchmarks/grading.py [--students 12] [--large 300] [--save]

The peer gets the public checks as its test cells, run by nbgrader's own Execute in a kernel a notebook, which is how nbgrader grades; ours runs the
public and the hidden tests, in a sandbox. Both write a gradebook; neither makes feedback pages here (ours does, and is charged for it). `--save` keeps the table for the site.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from autograde import measured
from autograde.build import source
from autograde.demo import LESSON, solved_notebook
from autograde.grader import course
from autograde.layout import source_path

COLUMNS = ("grader", "submissions", "seconds", "seconds each", "× stock")
NOTE = (
    f"Lesson {LESSON[:2]}, every submission with all answers. Stock nbgrader runs the public checks, this grader the public and the hidden ones, "
    "in a sandbox, and writes feedback pages too. "
)
STOCK = "c = get_config()\nc.CourseDirectory.course_id = 'attention'\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=12)
    parser.add_argument("--large", type=int, default=0, help="also grade this many submissions and watch the memory")
    parser.add_argument("--save", action="store_true", help="keep the table in docs/measured, for the site")
    options = parser.parse_args()
    import nbformat

    solved = nbformat.writes(solved_notebook(source.read(source_path(LESSON))))
    with tempfile.TemporaryDirectory() as folder:
        stock = _stock(Path(folder) / "stock", solved, options.students)
        ours = {workers: _ours(Path(folder), solved, options.students, workers) for workers in (1, 2)}
        print(f"{options.students} submissions of lesson {LESSON[:2]}, {os.cpu_count()} cores")
        rows = [_row("stock nbgrader autograde", options.students, stock, stock)]
        rows += [
            _row(f"this grader, {workers} worker{'s' * (workers > 1)}", options.students, seconds, stock)
            for workers, seconds in ours.items()
        ]
        if options.large:
            seconds = _ours(Path(folder), solved, options.large, 2)
            rows.append(_row("this grader, 2 workers, a large class", options.large, seconds, stock * options.large / options.students))
    for name, submissions, *numbers in rows:
        print(f"{name:<40}{submissions:>5}" + "".join(f"{number:>10}" for number in numbers))
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    note = f"The second core makes it {ours[1] / ours[2]:.2f} times as fast. The largest process of all took {peak:.0f} MB."
    print(note)
    if options.save:
        print(f"kept in {measured.save('grading', 'Grading a class', COLUMNS, rows, NOTE + note)}")


def _row(name: str, submissions: int, seconds: float, stock: float) -> tuple[str, ...]:
    return name, str(submissions), f"{seconds:.1f}", f"{seconds / submissions:.2f}", f"{stock / seconds:.1f}"


def _hand_in(folder: Path, solved: str, students: int) -> None:
    for i in range(students):
        home = folder / "submitted" / f"student{i:03d}" / LESSON
        home.mkdir(parents=True)
        (home / f"{LESSON}.ipynb").write_text(solved, encoding="utf-8")


def _stock(folder: Path, solved: str, students: int) -> float:
    course.create(folder, [LESSON])
    (folder / "nbgrader_config.py").write_text(STOCK)
    _hand_in(folder, solved, students)
    return _timed(["-m", "nbgrader", "autograde", LESSON, "--create"], folder)


def _ours(folder: Path, solved: str, students: int, workers: int) -> float:
    home = folder / f"ours-{students}-{workers}"
    _hand_in(home, solved, students)
    return _timed(["-m", "autograde", "grade", str(home), "--lesson", LESSON, "--workers", str(workers), "--sandbox", "auto"], folder)


def _timed(arguments: list[str], folder: Path) -> float:
    began = time.perf_counter()
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr[-2000:])
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
