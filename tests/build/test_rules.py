"""What a build, a release and `strength` refuse: each mistake of an author is told by its file and line, all of them at once."""

import importlib.util

import pytest

from autograde import layout
from autograde.authoring import bootstrap, source
from autograde.authoring.build import build
from autograde.authoring.release import release
from autograde.authoring.rules import every_lesson
from autograde.authoring.strength.mutation import Bench, specimens_in
from autograde.authoring.strength.report import measure
from autograde.checking.errors import UserError
from tests import shared

LESSON = "03_self_attention"
ANSWER = "scores = q @ k.mT / math.log(q.shape[-1])"  # a line as an answer holds it, in the lesson that a test makes
TINY = f"""\
# %% [markdown]
# # 09 · Tiny
# *Needs: nothing · 2 points by checks, 3 for the written question*
#
# | No. | Exercise | Difficulty | Minutes | Points |
# | --- | --- | --- | --- | --- |
# | 1 | `attend` | ●○○ | 5 | 2 |
# | | written question | | 10 | 3 |

# %% [markdown]
# ## Exercise 1 · `attend` (●○○, 5 minutes, 2 points)

# %% exercise="attend"
def attend(q, k):
    'Weights.'
    ### BEGIN SOLUTION
    {ANSWER}
    return scores.exp() / scores.exp().sum(-1, keepdim=True)
    ### END SOLUTION

# %% check="attend" points=2
check(attend)

# %% [markdown] question="why" points=3
# ### BEGIN SOLUTION
# Since the variance of a sum grows with the number of its terms.
# ### END SOLUTION

# %% tags=["setup"]
lesson = open_lesson("09_tiny", globals())
"""
CHECK = '''\
import pytest

@pytest.mark.exercise("attend")
def test_first(student):
    """One."""
    expect.equal(student.attend(0, 0), 1)
'''


def complaints(course, text=TINY, checks=CHECK, hidden="", name="09_tiny"):
    """What is wrong with a small lesson beside the others."""
    for path, content in (
        (layout.source_path(name), text),
        (layout.checks_path(name), checks),
        (layout.hidden_path(name), hidden),
        (layout.misconceptions_path(name), ""),
    ):
        path.write_text(content, encoding="utf-8")
    return every_lesson.complaints(source.read(layout.source_path(name)))


def line_of(text, part):
    return text[: text.index(part)].count("\n") + 1


def test_nothing_is_wrong_with_a_lesson_that_is_right(course):
    assert complaints(course) == []


@pytest.mark.parametrize(
    "old, new",
    [
        ("def attend(q, k):", "def attend(q, k, {}):".format(", ".join(f"option_{i}=None" for i in range(7)))),
        ("def attend(q, k):", f'def attend(q, k):\n    """{"Word " * 20}"""'),
        ("    ### END SOLUTION", f"    ### END SOLUTION\n    # {'word ' * 20}"),
    ],
)
def test_a_wide_signature_or_docstring_of_an_exercise(course, old, new):
    text = TINY.replace(old, new, 1)
    long = next(number for number, line in enumerate(text.splitlines(), 1) if len(line) > 88)
    (found,) = complaints(course, text)
    assert found.startswith(f"09_tiny.py:{long}: ") and "attend" in found and "88" in found


def test_an_answer_may_be_wide_and_a_line_may_have_88_columns(course):
    wide = TINY.replace("    return scores.exp()", f"    # {'word ' * 20}\n    return scores.exp()")
    fits = wide.replace("def attend(q, k):", f'def attend(q, k):\n    """{"x" * (88 - 4 - 6)}"""')
    assert complaints(course, fits) == []


PLACES = {
    "a hint": "# <details><summary>Hint</summary>\n#\n# Try `{line}`.\n# </details>",
    "a helper": "def helper(q, k):\n    {line}\n    return scores",
    "a comment in code": "x = 1  # as in {line}",
    "an alternative text": 'alt = "what {line} gives"',
    "other blanks, over two lines": "scores = (q @ k.mT\n   / math.log(q.shape[-1]))\n" + ANSWER.replace(" = ", "="),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_line_of_an_answer_in_the_lesson_itself(course, place):
    kind = "# %% [markdown]\n" if place == "a hint" else "# %%\n"
    text = TINY + "\n" + kind + PLACES[place].format(line=ANSWER) + "\n"
    found = complaints(course, text)
    assert found and all(line.startswith("solutions/09_tiny.py:") and "attend" in line for line in found)
    at = int(found[0].split(":")[1])
    assert at > line_of(TINY, "open_lesson") and "mT" in "".join(text.splitlines()[at - 1 : at + 1])


@pytest.mark.parametrize(
    "later",
    [
        "weights = a @ b.mT / math.log(a.shape[-1])",
        "print(queries @ keys.mT / math.log(queries.shape[-1]))",
        "other = x.exp() / x.exp().sum(-1, keepdim=True)",
    ],
)
def test_its_formula_under_other_names(course, later):
    found = complaints(course, TINY + f"{later}\n")
    assert len(found) == 1 and found[0].startswith(f"solutions/09_tiny.py:{TINY.count(chr(10)) + 1}: ") and "attend" in found[0]


@pytest.mark.parametrize(("head", "wrong"), [("| | b |", True), ("| a | |", True), ("| | |", True), ("| a | b |", False)])
def test_a_column_without_a_head(course, head, wrong):
    found = complaints(course, f"{TINY}\n# %% [markdown]\n# {head}\n# | --- | ---: |\n# | | 1 |\n")
    assert found == ([f"09_tiny.py:{TINY.count(chr(10)) + 3}: a column of this table has no head"] if wrong else [])


def test_a_lesson_that_opens_another(course):
    """It was begun as a copy; its checks would be those of the other."""
    text = TINY.replace('open_lesson("09_tiny"', 'open_lesson("03_self_attention"')
    assert complaints(course, text) == [
        f"09_tiny.py:{text.count(chr(10))}: this opens lesson '03_self_attention': write open_lesson(\"09_tiny\", globals())"
    ]


@pytest.mark.parametrize("forbidden, wrong", [("sotfmax", True), ("softmax matmul backward torch.autograd tokenizers", False)])
def test_a_forbidden_call_that_nothing_is_called_by(course, forbidden, wrong):
    found = complaints(course, TINY.replace('exercise="attend"', f'exercise="attend" forbids="{forbidden}"'))
    assert len(found) == wrong and all(line.startswith("09_tiny.py:13: forbids 'sotfmax'") for line in found)


def test_a_package_of_the_lock_file_may_be_forbidden_where_it_is_not_installed(course, monkeypatch):
    """As in the installation of the instructors' guide, which has no `tokenizers`: a release was refused there."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert complaints(course, TINY.replace('exercise="attend"', 'exercise="attend" forbids="tiktoken tokenizers transformers"')) == []


def test_a_test_of_no_exercise(course):
    found = complaints(course, hidden=CHECK.replace('"attend"', '"atend"').replace("test_first", "test_second"))
    assert found == ["autograde/lessons/hidden/test_09_tiny.py:4: test_second is of 'atend', which is no exercise of the lesson"]


def test_a_row_of_no_exercise(course):
    found = complaints(course, TINY.replace("| `attend` |", "| `atend` |"))
    assert found == [
        "09_tiny.py:7: the table of exercises has `atend`, which is no exercise of the lesson",
        "09_tiny.py:13: the lesson's table has no row of this exercise: | N | `attend` | ●○○ | MINUTES | POINTS |",
    ]


def test_a_question_without_a_rubric_is_noted(course):
    complaints(course)
    assert any("no rubric" in note for note in every_lesson.notes(source.read(layout.source_path("09_tiny"))))


def test_tests_in_another_encoding_are_told_by_their_line(course):
    path = layout.checks_path("09_tiny")
    complaints(course)
    path.write_bytes(CHECK.replace("One.", "Eins, zwölf.").encode("latin-1"))
    [found] = every_lesson.complaints(source.read(layout.source_path("09_tiny")))
    assert found.startswith(f"{path.name}:5: ") and "UTF-8" in found


def test_a_line_of_the_model_answer_to_a_question(course):
    found = complaints(course, TINY + "\n# %% [markdown]\n# Since the variance of a sum grows with the number of its terms.\n")
    assert len(found) == 1 and "why" in found[0]


@pytest.mark.parametrize(
    "place", ["utils/plots.py", "solutions/05_positional_encoding.py", "autograde/lessons/checks/test_05_positional_encoding.py"]
)
def test_a_line_of_an_answer_elsewhere(course, place):
    """Building either lesson tells it: the one whose answer it is, and the one that gives it away."""
    path = course / place
    text = path.read_text(encoding="utf-8")
    path.write_text(text + f"\n# {ANSWER}\n" if "solutions" in place else text + f"\nif 0:\n    {ANSWER}\n", encoding="utf-8")
    found = complaints(course)
    assert (
        len(found) == 1
        and found[0].startswith(f"{place}:{text.count(chr(10)) + (2 if 'solutions' in place else 3)}: ")
        and "attend" in found[0]
    )
    if "05" in place:
        other = source.read(layout.source_path("05_positional_encoding"))
        assert [line for line in every_lesson.complaints(other) if line.startswith(f"{place}:") and "attend" in line]


def test_what_only_graders_have_may_hold_an_answer(course):
    assert complaints(course, hidden=f"def oracle(q, k):\n    {ANSWER}\n    return scores\n") == []


@pytest.mark.parametrize("where", ["checks", "hidden"])
def test_two_tests_of_one_name(course, where):
    again = CHECK.replace("One.", "Another.").removeprefix("import pytest\n\n")
    found = complaints(course, checks=CHECK + again) if where == "checks" else complaints(course, hidden=CHECK)
    assert len(found) == 1 and "test_first" in found[0] and f"autograde/lessons/{where}/test_09_tiny.py:" in found[0]
    assert "checks/test_09_tiny.py:4" in found[0]  # where the first one is


ANSWERS = """\
@misconception("attend", "One.")
@misconception("attend", "One answer, told twice.")
def wrong(q, k):
    return q


@variant("attend")
def wrong(q, k):
    return k
"""


@pytest.mark.parametrize(
    ("kind", "content", "line", "named"),
    [
        ("checks", CHECK + "def f(:\n", 7, "not Python: invalid syntax"),
        ("hidden", "x = (\n", 1, "not Python: '(' was never closed"),
        ("misconceptions", "if True:\n\tx = 1\n        y = 2\n", 3, "not Python"),
        ("misconceptions", ANSWERS, 8, "answer to attend is called wrong; the first is at"),
        ("hidden", '@pytest.mark.exercise("attend")\ndef test_more(student):\n    assert student\n', 2, "test_more has no docstring"),
        ("checks", "import pytest\n", 1, "no public test of attend"),
        ("checks", CHECK + "PROBES = {\n    'attnd': None,\n    'attend': None,\n}\n", 8, "'attnd', which is no exercise"),
        ("checks", CHECK + "DEVICE_PROBES: dict = {'attnd': None}\n", 7, "'attnd', which is no exercise"),
        ("checks", CHECK + "(cosine,) = oracles(__file__, 'cosine')\n", 7, "asks for oracles, but there is no autograde/lessons/oracles/09_tiny.py"),
    ],
)  # fmt: skip
def test_files_of_tests_that_cannot_be_right(course, kind, content, line, named):
    path = getattr(layout, f"{kind}_path")("09_tiny")
    complaints(course)
    path.write_text(content, encoding="utf-8")
    (found,) = every_lesson.complaints(source.read(layout.source_path("09_tiny")))
    assert found.startswith(f"{path.relative_to(course).as_posix()}:{line}: ") and named in found


def test_an_exercise_without_a_probe_is_noted(course):
    assert complaints(course) == []
    assert any("no probe" in note and "attend" in note for note in every_lesson.notes(source.read(layout.source_path("09_tiny"))))


@pytest.mark.parametrize("hint", ["<details><summary>Hint</summary>", "<details>Hint</details>", "</details>"])
def test_a_hint_that_would_hide_what_follows(course, hint):
    (found,) = complaints(course, TINY.replace("5 minutes, 2 points)\n", f"5 minutes, 2 points)\n#\n# {hint}\n"))
    assert found.startswith("09_tiny.py:10: each hint is <details>")


def test_a_misspelt_kind_of_cell(course):
    with pytest.raises(source.SourceError, match=r"09_tiny.py:10: '\[markdwon\]': a cell is code or \[markdown\]"):
        complaints(course, TINY.replace("[markdown]\n# ##", "[markdwon]\n# ##"))


@pytest.mark.parametrize(
    "old, new, line",
    [
        ("2 points by checks", "3 points by checks", 3),
        ("3 for the written question", "4 for the written question", 3),
        ("| 5 | 2 |", "| 5 | 1.5 |", 7),
        ("5 minutes, 2 points", "5 minutes, 1 point", 11),
        ('check="attend" points=2', 'check="attend" points=3', 3),
    ],
)
def test_texts_and_points_that_disagree(course, old, new, line):
    assert TINY.count(old) == 1
    found = complaints(course, TINY.replace(old, new))
    assert found and found[0].startswith(f"09_tiny.py:{line}: ") and "points" in found[0]


def test_a_sum_that_is_too_large(course):
    found = complaints(course, TINY.replace("points=2", "points=31").replace("2 points", "31 points").replace("| 5 | 2 |", "| 5 | 31 |"))
    assert len(found) == 1 and "31" in found[0] and "30" in found[0]


def test_all_is_told_at_once(course):
    text = TINY.replace("2 points by checks", "3 points by checks").replace("| 5 | 2 |", "| 5 | 1 |") + ANSWER + "\n"
    assert len(complaints(course, text, checks=CHECK * 2)) >= 4


@pytest.mark.parametrize("kind", ["checks", "hidden", "misconceptions"])
def test_a_missing_file_is_named(course, kind):
    path = getattr(layout, f"{kind}_path")(LESSON)
    path.unlink()
    for attempt in (lambda: build(LESSON, execute=False), lambda: Bench(LESSON)):
        with pytest.raises(UserError) as raised:
            attempt()
        assert path.relative_to(course).as_posix() in str(raised.value)


def test_a_build_and_a_release_stop_at_it(course, tmp_path):
    path = layout.checks_path(LESSON)
    path.write_text(
        path.read_text(encoding="utf-8").replace("def test_", "def test_x():\n    pass\n\n\ndef test_x():\n    pass\n\n\ndef test_", 1)
    )
    for attempt in (lambda: build(LESSON, execute=False), lambda: release(tmp_path / "out", [LESSON], shared.REPOSITORY)):
        with pytest.raises(UserError, match="test_x"):
            attempt()
    assert not (tmp_path / "out").exists() and not (course / "notebooks").exists()


@pytest.mark.parametrize("address", [bootstrap.DEFAULT, "my repository", 'https://x.org/"); import os', "course"])
def test_a_release_wants_an_address_of_ones_own(tmp_path, monkeypatch, address):
    monkeypatch.setattr(bootstrap, "repository", lambda: address)
    for given in ("", address):
        with pytest.raises(UserError) as raised:
            release(tmp_path / "out", [LESSON], given)
        assert address in str(raised.value) and "https://github.com/you/" in str(raised.value) and not (tmp_path / "out").exists()


# --- strength


def test_an_answer_that_does_nothing_and_a_test_that_nothing_fails(course):
    path = layout.checks_path(LESSON)
    more = '\n\n@pytest.mark.exercise("causal_mask")\ndef test_nothing(student):\n    """Nothing."""\n'
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    found = measure(Bench(LESSON), ["causal_mask"])
    assert [row[1] for row in found.rows] == ["causal_mask"]
    assert any("returns None" in line and "test_nothing" in line and "trivial" in line for line in found.complaints)
    assert [line for line in found.complaints if "no wrong answer fails test_nothing" in line]
    assert all("test_nothing" in line for line in found.complaints)


def test_an_exercise_without_wrong_answers(course):
    path = layout.misconceptions_path(LESSON)
    path.write_text("from autograde.authoring.strength.mutation import misconception\n", encoding="utf-8")
    found = measure(Bench(LESSON), ["causal_mask"])
    assert any("causal_mask" in line and "no wrong answer" in line for line in found.complaints)


@pytest.mark.parametrize(("content", "line", "said"), [("x = 1\n1 / 0\n", 2, "ZeroDivisionError"), ("def wrong(q)\n", 1, "SyntaxError")])
def test_wrong_answers_that_cannot_be_imported(tmp_path, content, line, said):
    path = tmp_path / "09_tiny.py"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(UserError, match=f"{tmp_path.name}/09_tiny.py:{line}: .*{said}"):
        specimens_in(path)
