"""The files of a new lesson, or the parts of a new exercise: an example that is built, passes its checks and is to be replaced."""

from __future__ import annotations

import ast
import keyword
import re
from pathlib import Path

from autograde import layout
from autograde.authoring import source
from autograde.authoring.rules import every_lesson
from autograde.authoring.source import Cell, Source
from autograde.checking.errors import UserError

LESSON = re.compile(r"\d\d_[a-z][a-z0-9_]*")
EXAMPLE = "running_mean"
POINTS = 1

SOURCE = """\
# %% [markdown]
# # @NUMBER@ · @TITLE@
# *Needs: nothing · about 20 minutes · CPU is enough · 1 point by checks, 3 for the written question*
#
# The question that this lesson answers, in a few sentences, and why one wants to know.
#
# | No. | Exercise | Difficulty | Minutes | Points |
# | --- | --- | --- | --- | --- |
# | 1 | `@NAME@` | ●○○ | 5 | 1 |
# | | written question | | 10 | 3 |

# %% tags=["setup"]
from autograde.notebook import open_lesson
from utils import plots

lesson = open_lesson("@LESSON@", globals())
check = lesson.check

# %% [markdown]
# ## 1 · The first idea
#
# The idea in words, then a worked number: the values 3, 1, 2 have the running means 3, 2, 2.

@EXERCISE@
# %% tags=["figure"]
def draw(figure):
    ax = figure.subplots()
    values = [3.0, 1.0, 2.0, 6.0, 0.0]
    ax.plot(values, "o", color=plots.GREY, label="values")
    ax.plot(@NAME@(values), color=plots.BLUE, label="running mean")
    ax.legend()


plots.show(draw, alt="Five values as dots, and their running mean as a line that moves less and less", width=5.0, height=2.5)

# %% [markdown]
# ## Question (3 points)
#
# Why does a running mean move less and less?

# %% [markdown] question="why_it_settles" points=3
# ### BEGIN SOLUTION
# The t-th value has the weight 1/t in the mean after it.
#
# **Rubric** — 3 points: the weight of a new value, and that it falls with their number.
# ### END SOLUTION

# %% tags=["figure"]
lesson.scoreboard()
"""
EXERCISE = '''\
# %% [markdown]
# ### Exercise @NUMBER@ · `@NAME@` (●○○, 5 minutes, 1 point)
# The mean of the values so far, at each position. (An example: put your own task, answer and tests in its place.)
#
# <details><summary>Hint 1</summary>
#
# Keep the sum of what you have seen.
#
# </details>


# %% exercise="@NAME@"
def @NAME@(values: list[float]) -> list[float]:
    """The mean of the values up to each position, itself included."""
    ### BEGIN SOLUTION
    total, means = 0.0, []
    for count, value in enumerate(values, start=1):
        total += value
        means.append(total / count)
    return means
    ### END SOLUTION


# %% check="@NAME@" points=1
check(@NAME@)

'''
PROBE = """\
    "@NAME@": lambda student: student.@NAME@([2.0, 7.0, 1.0, 8.0]),
"""
CHECKS = '''\
"""Public tests of lesson @NUMBER@: values worked out by hand."""

import pytest

from autograde.checking import expect

PROBES = {
@PROBE@}
'''
PUBLIC = '''

@pytest.mark.exercise("@NAME@", weight=2)
def test_@NAME@_worked_out(student):
    """The means of 3, of 3 and 1, of 3 and 1 and 2."""
    expect.close(student.@NAME@([3.0, 1.0, 2.0]), [3.0, 2.0, 2.0], where="the values 3, 1, 2")
'''
HIDDEN = '''\
"""Hidden tests of lesson @NUMBER@: other inputs than students see."""

import pytest

from autograde.checking import expect
'''
UNSEEN = '''

@pytest.mark.exercise("@NAME@", weight=2)
def test_@NAME@_of_many_values(student):
    """Positive and negative values."""
    values = [0.5, -4.0, 10.0, 0.25, -7.5, 3.0]
    want = [sum(values[: t + 1]) / (t + 1) for t in range(len(values))]
    expect.close(student.@NAME@(values), want, where="6 values")


@pytest.mark.exercise("@NAME@")
@pytest.mark.trivial
def test_@NAME@_of_nothing(student):
    """No values have no means."""
    expect.equal(student.@NAME@([]), [], where="no values")
'''
MISCONCEPTIONS = '''\
"""Wrong answers to lesson @NUMBER@, each with the sentence that who gives it reads, and unusual right ones."""

from autograde.authoring.strength.mutation import misconception, variant
'''
WRONG = """

@misconception("@NAME@", "This is the mean of all values at every position: those that come later should not count yet.")
def @NAME@_of_all(values):
    return [sum(values) / len(values) for _ in values]


@misconception("@NAME@", "This is the sum of the values so far; divide it by how many they are.")
def @NAME@_as_sums(values):
    return [sum(values[: t + 1]) for t in range(len(values))]


misconception("@NAME@", "The first value counts as two: start counting at 1.", replace=("start=1", "start=2"))


@variant("@NAME@")
def @NAME@_from_the_last(values):
    return [sum(seen) / len(seen) for seen in (values[: t + 1] for t in range(len(values)))]
"""


def new_lesson(name: str, title: str) -> list[Path]:
    """Write the files of a lesson `NN_name` with one exercise; gives their paths.

    Raises:
        UserError: when the name or the title is none, or something of that number or name is there.
    """
    if not LESSON.fullmatch(name):
        raise UserError(f"{name!r} is no name of a lesson: two digits and small letters, such as 09_retrieval")
    if not title.strip() or "\n" in title:
        raise UserError("a lesson needs a title of one line")
    if taken := [other for other in layout.lesson_names() if other[:2] == name[:2]]:
        raise UserError(f"lesson {name[:2]} is there already: {taken[0]}. Take another number")
    exercise = _filled(EXERCISE, NAME=EXAMPLE, NUMBER="1")
    words = {
        "NUMBER": name[:2],
        "TITLE": title.strip(),
        "LESSON": name,
        "NAME": EXAMPLE,
        "EXERCISE": exercise,
        "PROBE": PROBE.replace("@NAME@", EXAMPLE),
    }
    texts = {
        layout.source_path(name): SOURCE,
        layout.checks_path(name): CHECKS + PUBLIC,
        layout.hidden_path(name): HIDDEN + UNSEEN,
        layout.misconceptions_path(name): MISCONCEPTIONS + WRONG,
    }
    if there := [path for path in texts if path.exists()]:
        raise UserError(f"{there[0]} exists already")
    return _written({path: _filled(text, **words) for path, text in texts.items()})


def new_exercise(lesson: str, name: str) -> list[Path]:
    """Add an exercise to a lesson's files, with its row and its point in the lesson's own text; gives the paths of what was changed.

    Raises:
        UserError: when the name is none or is taken, or a file is not as `new_lesson` makes it.
    """
    if not name.isidentifier() or keyword.iskeyword(name):
        raise UserError(f"{name!r} is no name of an exercise: a name in Python, such as looking_distance")
    known = source.read(layout.source_path(lesson))
    if name == known.title.split(" · ")[-1]:
        raise UserError(f"lesson {lesson} is there already. To add an exercise to it, name the exercise, such as looking_distance")
    if lacking := every_lesson.missing(lesson):
        raise UserError("\n".join(lacking))
    if there := [
        cell for cell in known.cells if cell.kind == "code" and re.search(rf"(?m)^(?:def|class) {name}\b|^{name}\b.*=", cell.source)
    ]:
        raise UserError(f"{known.path.name}:{there[0].line}: {name} is defined here already; take another name")
    checks = layout.checks_path(lesson)
    texts = {
        known.path: _with_exercise(known, name),
        checks: _with_probe(checks, name) + PUBLIC,
        layout.hidden_path(lesson): layout.hidden_path(lesson).read_text(encoding="utf-8") + UNSEEN,
        layout.misconceptions_path(lesson): layout.misconceptions_path(lesson).read_text(encoding="utf-8") + WRONG,
    }
    return _written({path: text.replace("@NAME@", name) for path, text in texts.items()})


def _with_exercise(known: Source, name: str) -> str:
    """The source with the exercise before its written question, and with one point more in its text."""
    lines = known.path.read_text(encoding="utf-8").splitlines(keepends=True)
    number = sum(1 for exercise in known.exercises.values() if not exercise.stretch) + 1
    lines.insert(_place(known).line - 1, _filled(EXERCISE, NAME=name, NUMBER=str(number)))
    rows = [i for i, line in enumerate(lines) if (row := every_lesson.ROW.search(line.rstrip())) and row[1] in known.exercises]
    if rows:
        lines.insert(rows[-1] + 1, f"# | {number} | `{name}` | ●○○ | 5 | {POINTS} |\n")
    total = sum(exercise.points for exercise in known.exercises.values())
    head, rest = "".join(lines[:6]), "".join(lines[6:])
    return re.sub(rf"\b{re.escape(f'{total:g}')} points?\b", f"{total + POINTS:g} points", head, count=1) + rest


def _place(known: Source) -> Cell:
    """The cell before which a new exercise belongs: the one that asks the written question, else the last."""
    asked = next((i for i, cell in enumerate(known.cells) if cell.question), len(known.cells))
    return known.cells[max(asked - 1, 0)]


def _with_probe(path: Path, name: str) -> str:
    """The public tests with a probe for the exercise at the end of PROBES."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines(keepends=True)
    for node in ast.parse(text).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if any(isinstance(target, ast.Name) and target.id == "PROBES" for target in targets) and node.end_lineno:
            if lines[node.end_lineno - 1].strip() == "}":
                lines.insert(node.end_lineno - 1, PROBE)
                return "".join(lines)
    raise UserError(f"{path.name} has no PROBES = {{ … }} whose closing brace is a line of its own")


def _filled(text: str, **words: str) -> str:
    for word in ("EXERCISE", "PROBE", *words):  # those that hold others come first
        text = text.replace(f"@{word}@", words.get(word, f"@{word}@"))
    return text


def _written(texts: dict[Path, str]) -> list[Path]:
    for path, text in texts.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(texts)
