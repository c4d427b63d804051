"""Grading a class: this grader against stock `nbgrader autograde` on the same submissions, in one run.

    python benchmarks/grading.py [--students 12] [--large 300]

The peer gets the public checks as its test cells, run by nbgrader's own Execute in a kernel a notebook, which is how nbgrader grades; ours runs the
public and the hidden tests, in a sandbox. Both write a gradebook; neither makes feedback pages here (ours does, and is charged for it).
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

from autograde.build import source
from autograde.demo import LESSON, solved_notebook
from autograde.grader import course
from autograde.layout import source_path

STOCK = "c = get_config()\nc.CourseDirectory.course_id = 'attention'\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, default=12)
    parser.add_argument("--large", type=int, default=0, help="also grade this many submissions and watch the memory")
    options = parser.parse_args()
    import nbformat

    solved = nbformat.writes(solved_notebook(source.read(source_path(LESSON))))
    with tempfile.TemporaryDirectory() as folder:
        stock = _stock(Path(folder) / "stock", solved, options.students)
        ours = {workers: _ours(Path(folder), solved, options.students, workers) for workers in (1, 2)}
        print(f"{options.students} submissions of lesson {LESSON[:2]}, {os.cpu_count()} cores")
        print(f"stock nbgrader autograde  {stock:7.1f} s  {stock / options.students:6.2f} s each")
        for workers, seconds in ours.items():
            print(f"ours, {workers} worker(s)         {seconds:7.1f} s  {seconds / options.students:6.2f} s each  {stock / seconds:5.1f} × stock")
        print(f"second core               {ours[1] / ours[2]:7.2f} ×")
        if options.large:
            seconds = _ours(Path(folder), solved, options.large, 2)
            peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
            print(f"{options.large} submissions          {seconds:7.1f} s  {seconds / options.large:6.2f} s each, largest process {peak:.0f} MB")


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
