"""The class on a terminal: what needs a look comes first, and no line is wider than the terminal."""

import io

import pytest
from rich.console import Console

from autograde.checking.scoring import Result
from autograde.checking.status import ExerciseStatus, SubmissionStatus
from autograde.grader.batch import summary
from autograde.grader.results.model import Graded

LESSON = "03_self_attention"


def one(student, score, status=SubmissionStatus.GRADED, reason=""):
    state = ExerciseStatus.PASSED if score == 3 else ExerciseStatus.ERROR
    return Graded(student, LESSON, status, [Result("causal_mask", score, 3, state, diagnosis="NameError: " + "x" * 200)], reason)


@pytest.mark.parametrize("width", [60, 80, 200])
def test_failures_first_and_no_line_wraps(width):
    stream = io.StringIO()
    everyone = [one("ada", 3), one("ben", 0), one("lena", 0, SubmissionStatus.UNREADABLE, "the file is empty"), one("[red]m", 1)]
    summary.show(everyone, Console(file=stream, width=width))
    lines = stream.getvalue().splitlines()
    assert max(map(len, lines)) <= width
    assert [line.split()[0] for line in lines if line[0] != " "][:4] == ["lena", "ben", "[red]m", "ada"]
    assert len(lines) == 4 + 3 + 1, "a line each, a second where there is something to say, and the sum"


def test_a_large_class_is_cut_where_it_did_well():
    stream = io.StringIO()
    summary.show([one(f"s{i:03}", i % 4) for i in range(300)], Console(file=stream, width=80))
    assert stream.getvalue().count("\n") <= 2 * summary.MOST + 2 and "300" in stream.getvalue()


def test_the_reason_of_a_known_mistake_is_whole_in_80_columns():
    said = "This is what you get when the scores are not divided by √d_k."
    wrong = [Result(name, 0.5, 3, ExerciseStatus.PARTIAL, diagnosis=said) for name in ("scaled_dot_product_attention", "SelfAttention")]
    unwritten = Result("causal_mask", 0, 3, ExerciseStatus.NOT_ATTEMPTED)
    for results, state in (
        (wrong[:1], "1 partial: scaled_dot_product_attention"),
        ([*wrong, unwritten], "2 partial: first scaled_dot_product_attention, 1 not written"),
    ):
        stream = io.StringIO()
        summary.show([Graded("dev", LESSON, SubmissionStatus.GRADED, results)], Console(file=stream, width=80))
        first, second, last = stream.getvalue().splitlines()
        assert first.endswith(state)
        assert second.strip() == said and last == "1 submission: 1 graded"


def test_what_gives_no_points_is_said_to_be_the_stretch():
    """A line said "24 / 24  1 partial: language_dyna"."""
    stretch = Result("language_dyna", 0, 0, ExerciseStatus.PARTIAL, diagnosis="It goes on after the end.")
    whole, part = Result("causal_mask", 3, 3, ExerciseStatus.PASSED), Result("causal_mask", 1, 3, ExerciseStatus.PARTIAL, diagnosis="So.")
    for results, said in (
        ([whole, stretch], ["all passed, but the stretch: language_dyna"]),
        ([part, stretch], ["1 partial: causal_mask", "    So."]),
    ):
        lines = list(summary.lines(Graded("dev", LESSON, SubmissionStatus.GRADED, results), 3))
        assert [lines[0].split("  ")[-1], *lines[1:]] == said


def test_a_lesson_that_many_did_not_hand_in_is_one_line():
    """Who handed in nothing at all keeps a line of their own, since the reason may be a file that nobody could read."""
    students = [f"s{i:02}" for i in range(30)]
    none = [Graded(s, "08_language_mdp", SubmissionStatus.MISSING, [], "only another lesson's") for s in [*students, "mo"]]
    stream = io.StringIO()
    summary.show([*none, *(one(s, 3) for s in students)], Console(file=stream, width=80))
    lines = stream.getvalue().splitlines()
    assert lines[0].split()[0] == "mo" and lines[1].strip() == "only another lesson's"
    assert lines[-2].startswith("08 not handed in by 30: s00, s01, s02") and len(lines[-2]) <= 80
    assert len(lines) == 2 + 30 + 1 + 1 and lines[-1] == "61 submissions: 30 graded, 31 missing"


def test_one_lesson_of_several_is_no_list_of_who_has_the_others():
    """Eleven lines of two stood above the two who had handed it in."""
    path = "no notebook of this lesson was handed in, only {}/{}/{}.ipynb"
    other = [Graded(s, LESSON, SubmissionStatus.MISSING, [], path.format(s, "08_language_mdp", "08_language_mdp")) for s in ("ben", "cleo")]
    renamed = Graded("dev", LESSON, SubmissionStatus.MISSING, [], path.format("dev", LESSON, "homework"))
    stream = io.StringIO()
    summary.show([*other, renamed, one("ada", 3)], Console(file=stream, width=80))
    lines = stream.getvalue().splitlines()
    assert [line.split()[0] for line in lines if line[0] != " "] == ["dev", "ada", "03", "4"]
    assert "03 not handed in by 2: ben, cleo" in lines
