"""What a lesson's texts, tasks and tests must be: each mistake of an author is one line with its file and line."""

import pytest

from autograde import layout
from autograde.authoring import new, source, suites, tasks, texts, went_wrong
from autograde.authoring.build import stale
from autograde.authoring.mutation import Bench
from autograde.checking.errors import UserError

NAME = "09_retrieval"
HEADING = "# ### Exercise 1 · `running_mean`"
IDEA = "# The idea in words,"
FIGURE = 'alt="Five values as dots, and their running mean as a line that moves less and less"'
DOCSTRING = '    """The mean of the values up to each position, itself included."""\n'
ROW = "# | 1 | `running_mean` | ●○○ | 5 | 1 |\n"

TEXTS = {
    "a formula that is not closed": (IDEA, "# The mean $x_t of the values,", "a $ without a second one"),
    "a display that is not closed": (IDEA, "# $$\n# x_t = 1\n#\n# The idea,", "a $ without a second one"),
    "a brace that is not closed": ("# Keep the sum", r"# Keep $\frac{1}{t$, the sum", "another number of {"),
    "a bracket that is not closed": ("# Keep the sum", r"# Keep $\left( t$, the sum", r"another number of \left"),
    "a picture with empty words": (IDEA, '# <img src="https://x.org/x.png" alt="">', "a picture without words"),
    "a picture without words": (IDEA, "# ![ ](https://x.org/x.png)", "a picture without words"),
    "a picture that is not there": (IDEA, "# ![Values](x.png)", "there is no picture 'x.png'"),
    "a number that was not measured": (
        IDEA,
        "# It is {measured:nothing.x}",
        "no experiment 'nothing' is measured in docs/measured/09.json",
    ),
    "a misspelt placeholder": (IDEA, "# It is {mesured:dates.x:.2f}", "'{mesured:dates.x:.2f}' is no placeholder"),
    "a placeholder without end": (IDEA, "# It is {measured:dates.x", "{measured: without its end"),
    "a link to no section": (IDEA, "# See [above](#no-such-section),", "a link to '#no-such-section'"),
    "a link to no file": (IDEA, "# See [lesson 3](03_selfattention.ipynb),", "a link to '03_selfattention.ipynb'"),
    "a link to nothing": (IDEA, "# See [lesson 3](),", "a link to nothing"),
    "code that is not closed": (IDEA, "# ```python\n# x = $1", "never closed by ```"),
    "a backtick that is not closed": (IDEA, "# The `idea,", "a ` without a second one"),
    "an element that is not closed": (IDEA, "# <div>The idea,", "<div> is never closed"),
    "an end of nothing": (IDEA, "# The idea</b>,", "</b> closes nothing"),
    "what browsers take for an element": (IDEA, "# The token <unk>,", "<unk> is taken for HTML"),
    "a level left out": ("# ## 1 · The first", "# #### 1 · The first", "a heading of level 4 under one of level 1"),
    "a heading without its blank": ("# ## 1 · The first", "# ##1 · The first", "is no heading without a blank"),
}
TASKS = {
    "no heading": (HEADING + " (●○○, 5 minutes, 1 point)\n", "", '# %% exercise="running_mean"', "has no heading above it"),
    "a heading of another": (HEADING, "# ### Exercise 1 · `runing_mean`", "", "this heading names runing_mean"),
    "another number": (HEADING, "# ### Exercise 4 · `running_mean`", "", "exercise 4 comes after exercise 0"),
    "no row": (ROW, "", '# %% exercise="running_mean"', "no row of this exercise"),
    "other minutes": (HEADING + " (●○○, 5", HEADING + " (●○○, 15", "", "15 minutes for running_mean; the table of exercises says 5"),
    "no docstring": (DOCSTRING, "", "def running_mean", "running_mean has no docstring"),
    "a call beside an answer": ("    return means\n    ### END SOLUTION\n", "    return means\n    ### END SOLUTION\n\nprint(1)\n", "print(1)", "every grading runs"),
    "a rubric of other points": ("**Rubric** — 3 points:", "**Rubric** — 2 points:", "", "the rubric is of 3 points; its items give 2"),
    "a rubric without items": ("**Rubric** — 3 points: the", "**Rubric** — the", "", "it has no items"),
    "a question of other points": ("## Question (3 points)", "## Question (2 points)", "", "the text says 2 points for the question"),
    "another number than the file's": ("# # 09 · Retrieval", "# # 08 · Retrieval", "", "does not begin with the number of the file's name"),
}  # fmt: skip
SUITES = {
    "a name that nobody defines": ("checks", "student.running_mean([3", "student.runing_mean([3", "is running_mean meant?"),
    "a name in a probe": ("checks", "student.running_mean([2", "student.running_meen([2", "is running_mean meant?"),
    "a test of nothing": ("hidden", '@pytest.mark.exercise("running_mean", weight=2)\n', "", "is of no exercise"),
    "a test without a student": ("checks", "(student)", "()", "takes nothing"),
    "a test with a fixture": ("checks", "(student)", "(student, tmp_path)", "takes student, tmp_path"),
    "a test that counts for nothing": ("checks", "weight=2", "weight=0", "a weight is a number above 0"),
    "an answer to no exercise": ("misconceptions", '@variant("running_mean")', '@variant("runing_mean")', "'runing_mean', which is no exercise"),
    "an answer without a sentence": ("misconceptions", '"This is the sum of the values so far; divide it by how many they are."', '""', "has no sentence"),
    "an edit of nothing": ("misconceptions", '("start=1"', '("start=7"', "replaces 'start=7'"),
}  # fmt: skip


@pytest.fixture
def lesson(course):
    """The source of a new lesson, in which nothing is wrong."""
    new.new_lesson(NAME, "Retrieval")
    path = layout.source_path(NAME)
    read = source.read(path)
    assert not texts.complaints(read) + tasks.complaints(read) + suites.complaints(read)
    return path


def complaint(lesson, rules, old, new, place=""):
    """What is told of a change, which has to be told in one line, of the line that was changed or that `place` names."""
    before = lesson.read_text(encoding="utf-8")
    after = before.replace(old, new, 1)
    assert before.count(old) >= 1
    lesson.write_text(after, encoding="utf-8")
    found = rules.complaints(source.read(lesson))
    at = after.index(place or new)
    lines = range(after.count("\n", 0, at) + 1, after.count("\n", 0, at + len(new)) + 2)
    assert len(found) == 1 and found[0].split(":")[0] == lesson.name and int(found[0].split(":")[1]) in lines, found
    return found[0]


@pytest.mark.parametrize("old, new, told", TEXTS.values(), ids=TEXTS)
def test_a_text_that_is_shown_otherwise_than_it_is_meant(lesson, old, new, told):
    assert told in complaint(lesson, texts, old, new)


@pytest.mark.parametrize("old, new, place, told", TASKS.values(), ids=TASKS)
def test_a_task_that_disagrees_with_its_texts(lesson, old, new, place, told):
    assert told in complaint(lesson, tasks, old, new, place)


@pytest.mark.parametrize(
    "text",
    [
        "`$x` and `{mesured:a.b}` and `<unk>` and `![](x.png)`",
        "It costs \\$5, and $42 in all.",
        "```\n# $x ` <unk> [a](b)\n#x\n# ```",
        "$a < b$, $\\{1, 2\\}$ and $x \\leftarrow y$; 3 < 4",
        "See [below](#question-3-points), [below](#Question-(3-points)), [03](03_self_attention.ipynb#1) and [x](https://x.org)",
        "$$\n# x\n# $$\n#\n# <b>bold</b> <br> $y$",
    ],
)
def test_a_text_that_is_shown_as_it_is_meant(lesson, text):
    lesson.write_text(lesson.read_text(encoding="utf-8").replace(IDEA, f"# {text}\n#\n{IDEA}"), encoding="utf-8")
    assert texts.complaints(source.read(lesson)) == []


@pytest.mark.parametrize("kind, old, new, told", SUITES.values(), ids=SUITES)
def test_tests_and_wrong_answers_that_cannot_be_meant(lesson, kind, old, new, told):
    path = getattr(layout, f"{kind}_path")(NAME)
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new, 1), encoding="utf-8")
    found = [line for line in suites.complaints(source.read(lesson)) if "no public test" not in line]
    place, line = found[0].split(":")[:2]
    assert len(found) == 1 and told in found[0] and layout.ROOT / place == path
    assert abs(int(line) - 1 - before[: before.index(old)].count("\n")) <= 1


def test_a_number_twice(lesson):
    layout.source_path("09_another").write_text(lesson.read_text(encoding="utf-8"), encoding="utf-8")
    assert tasks.complaints(source.read(lesson)) == [f"{NAME}.py:1: lesson 09 is there twice: also as solutions/09_another.py"]


def test_a_check_of_what_is_built_tells_the_same(lesson):
    lesson.write_text(lesson.read_text(encoding="utf-8").replace(IDEA, "# It is {measured:nothing.x}"), encoding="utf-8")
    assert [line.split(": ")[0] for line in stale(NAME)] == [f"{NAME}.py:22"]


def test_tests_that_the_lessons_own_answer_fails(lesson):
    """A slip in a hidden test took points from a whole class; the build had said nothing."""
    path = layout.hidden_path(NAME)
    path.write_text(path.read_text(encoding="utf-8").replace("/ (t + 1)", "/ (t + 2)"), encoding="utf-8")
    (told,) = went_wrong.of_own_answers(Bench(NAME))
    assert told.startswith(
        f"autograde/lessons/hidden/test_{NAME}.py:8: test_running_mean_of_many_values fails with the lesson's own answer"
    )


@pytest.mark.parametrize("tests, told", [("import pytest\nimport nowhere\n", ":2: these tests cannot be imported: ModuleNotFoundError")])
def test_tests_that_cannot_be_imported_are_one_line(lesson, tests, told):
    path = layout.checks_path(NAME)
    path.write_text(path.read_text(encoding="utf-8").replace("import pytest\n", tests, 1), encoding="utf-8")
    with pytest.raises(UserError) as raised:
        Bench(NAME)
    assert "\n" not in str(raised.value) and told.replace(":2:", ":4:") in str(raised.value)


def test_an_answer_that_is_a_stub(lesson):
    lesson.write_text(lesson.read_text(encoding="utf-8").replace("    return means\n", "    raise NotImplementedError\n"), encoding="utf-8")
    with pytest.raises(UserError, match=rf"^{NAME}\.py:\d+: the answer of running_mean raises NotImplementedError$"):
        Bench(NAME).broken_probes()
