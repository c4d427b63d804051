"""Every lesson: what is committed is what its source gives, twice the same; its checks are strong; no answer is left in it."""

import functools

import nbformat
import pytest

from autograde import layout
from autograde.authoring import notebooks, source
from autograde.authoring.build import stale
from autograde.authoring.rules import every_lesson
from autograde.authoring.strength import report
from autograde.authoring.strength.mutation import Bench

LESSONS = layout.lesson_names()


def tiers(slow=(), soak=()):
    """All lessons; those of these numbers take long, or very long."""
    marks = dict.fromkeys(slow, [pytest.mark.slow]) | dict.fromkeys(soak, [pytest.mark.soak])
    return pytest.mark.parametrize("name", [pytest.param(n, marks=marks.get(n[:2], [])) for n in LESSONS])


@pytest.fixture(scope="module")
def bench_of():
    """A lesson's bench, made once for the tests of this file."""
    return functools.cache(Bench)


@tiers(slow=("02", "04", "05", "06", "08"), soak=("01", "07"))
def test_what_is_committed_is_what_the_source_gives(name, bench_of):
    assert stale(name, bench_of(name)) == []


@pytest.mark.parametrize("name", LESSONS)
def test_building_twice_gives_the_same_student_notebook(name):
    once, again = (notebooks.text(notebooks.student_notebook(source.read(layout.source_path(name)))) for _ in range(2))
    assert once == again


@tiers(slow=("02", "04", "05"), soak=("01", "06", "07", "08"))
def test_every_wrong_answer_is_caught_and_every_right_one_accepted(name, bench_of):
    bench = bench_of(name)
    assert report.measure(bench).complaints == []
    assert len([s for s in bench.specimens if s.wrong]) >= 20 and len([s for s in bench.specimens if not s.wrong]) >= 4


@pytest.mark.parametrize("name", LESSONS)
def test_no_line_of_an_answer_is_in_the_student_notebook(name):
    lesson = source.read(layout.source_path(name))
    released = nbformat.read(layout.NOTEBOOKS / f"{name}.ipynb", 4)
    shipped = "\n".join(cell.source for cell in released.cells)
    assert source.BEGIN not in shipped and source.END not in shipped
    # setup and helper cells are given to students, so their lines are no secret
    given = {line.strip() for cell in lesson.cells if not cell.exercise for line in cell.source.splitlines()}
    leaked = [line for line in answer_lines(lesson) if line in shipped and line not in given]
    assert leaked == []


def answer_lines(lesson):
    """The lines between solution marks that are long enough to say something; one that only begins a call (`x = f(`) says too little."""
    for cell in lesson.cells:
        inside = False
        for line in map(str.strip, cell.source.splitlines()):
            inside = line == source.BEGIN or inside and line != source.END
            if inside and len(line) > 24 and line != source.BEGIN and not line.endswith("("):
                yield line


@pytest.mark.parametrize("name", LESSONS)
def test_a_lesson_has_what_every_lesson_has(name):
    assert every_lesson.notes(source.read(layout.source_path(name))) == []


PROSE_BEFORE_WRITING = 600  # words, tables and hints apart, that a student reads before the first exercise


@pytest.mark.parametrize("name", LESSONS)
def test_the_first_exercise_comes_soon(name):
    cells = source.read(layout.source_path(name)).cells
    first = next(i for i, cell in enumerate(cells) if cell.exercise)
    prose = "\n".join(cell.source for cell in cells[:first] if cell.kind == "markdown").split("Exercise 1 ")[0]
    lines = [line for line in prose.splitlines() if not line.startswith("|")]
    assert len([word for line in lines for word in line.split() if any(c.isalnum() for c in word)]) <= PROSE_BEFORE_WRITING
