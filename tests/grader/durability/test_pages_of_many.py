"""Pages and tables of a class of three hundred take ten times what one of thirty takes, in processor time, memory and size; no more.

`python -m tests.grader.durability.test_pages_of_many` prints what each takes.
"""

from __future__ import annotations

import json
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON, solved_notebook
from autograde.checking.manifest import read_manifest
from autograde.checking.result import Outcome, Result
from autograde.checking.status import CheckStatus, ExerciseStatus
from autograde.exports import marks, openolat, table
from autograde.grader.pages import feedback_page, of_class
from autograde.grader.results import csv_tables
from autograde.grader.results.model import Graded

SMALL, LARGE = 30, 300
MOST = 1.5 * LARGE / SMALL  # a half for what varies from one measurement to the next; what grows with the square takes ten times as much
WORDS = "My answer number {} is that the softmax forgets every single word that it has ever read, since {} rows no longer sum to one."
Taken = dict[str, tuple[float, int, int]]  # by what it is: seconds of a processor, bytes of memory at most, bytes written


def class_of(size: int) -> list[Graded]:
    """Each has code and words of their own, and one answer in three is wrong in one of ten ways."""
    notebook, graded = solved_notebook(source.read(layout.source_path(LESSON))), []
    for number in range(size):
        own = json.loads(json.dumps(notebook))
        for cell in own["cells"]:
            if cell["metadata"].get("nbgrader", {}).get("solution"):
                text = f"\n# thought number {number} of mine\n" if cell["cell_type"] == "code" else WORDS.format(number, number)
                cell["source"] = "".join(cell["source"]) + text
        rows = [result(name, known["points"], number) for name, known in read_manifest(LESSON)["exercises"].items()]
        graded.append(Graded(f"s{number:03}", LESSON, "graded", rows, notebook=json.dumps(own)))
    return graded


def result(exercise: str, points: float, number: int) -> Result:
    right = bool(number % 3)
    status = CheckStatus.PASSED if right else CheckStatus.FAILED
    outcomes = [Outcome(f"check{i}", f"Says {i}", status, 1, i > 3, "" if right else f"wrong in way {number % 10}") for i in range(8)]
    return Result(exercise, points * right, points, ExerciseStatus.PASSED if right else ExerciseStatus.FAILED, outcomes)


def steps(graded: list[Graded], folder: Path) -> Iterator[tuple[str, Callable[[], int]]]:
    """What is made of a class, in the order in which it is; each says how many bytes it has written."""

    def tables() -> int:
        csv_tables.save(graded, folder)
        return sum(path.stat().st_size for path in folder.glob("*.csv"))

    def pages() -> int:
        return sum(len(html) for html in of_class._made([of_class.part(one) for one in graded], folder, ()).values())

    def exports() -> int:
        found = marks.read(folder)
        return len(table.wide(found)) + len(str(openolat.lines(found)))

    yield "tables", tables
    yield "feedback pages", lambda: sum(feedback_page.save(one, folder).stat().st_size for one in graded)
    yield "class page, answers and likenesses", pages
    yield "exports", exports


def measured(size: int, folder: Path) -> Taken:
    taken: Taken = {}
    for name, step in steps(class_of(size), folder):
        step()  # templates and imports are for the first
        seconds = min(_seconds(step) for _ in range(3))
        tracemalloc.start()
        written = step()
        taken[name] = seconds, tracemalloc.get_traced_memory()[1], written
        tracemalloc.stop()
    return taken


def _seconds(step: Callable[[], int]) -> float:
    began = time.process_time()
    step()
    return time.process_time() - began


@pytest.fixture(scope="module")
def both(tmp_path_factory) -> tuple[Taken, Taken]:
    return tuple(measured(size, tmp_path_factory.mktemp(f"class{size}")) for size in (SMALL, LARGE))


@pytest.mark.slow
@pytest.mark.parametrize("what", ["tables", "feedback pages", "class page, answers and likenesses", "exports"])
def test_ten_times_the_students_take_ten_times_as_much(both, what):
    small, large = (taken[what] for taken in both)
    for few, many in zip(small, large):
        assert many <= MOST * few, (small, large)


if __name__ == "__main__":
    for size in (SMALL, LARGE):
        with TemporaryDirectory() as folder:
            for name, (seconds, memory, written) in measured(size, Path(folder)).items():
                print(f"{size:4} {name}: {seconds:.2f} s, {memory / 1e6:.1f} MB at most, {written / 1e3:.0f} kB written")
