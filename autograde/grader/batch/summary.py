"""The class on a terminal: a line or two a student, what needs a look first, and the sum at the end."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.markup import escape

from autograde import layout
from autograde.checking.status import UNWRITTEN, ExerciseStatus, SubmissionStatus
from autograde.grader.results.model import Graded
from autograde.wording import counted

ALL = "all passed"
MOST = 40  # students listed; the rest is in the tables


def show(graded: Sequence[Graded], console: Console) -> None:
    """Print the class, those that could not be graded first, then by points; nothing is wider than the terminal.

    Who handed in another lesson, but not this one, is told in one line with all of them.
    """
    elsewhere = _only_elsewhere(graded)
    listed = [g for g in graded if g.student not in elsewhere.get(g.lesson, ())]
    ordered = sorted(listed, key=lambda g: (g.status == SubmissionStatus.GRADED, g.score / (g.max_score or 1), g.student, g.lesson))
    width = max((len(g.student) for g in ordered[:MOST]), default=0)
    for one in ordered[:MOST]:
        for line in lines(one, min(width, 24)):
            _print(line, console)
    if len(ordered) > MOST:
        console.print(f"… and {len(ordered) - MOST} with more points: grades.csv has them all.")
    for lesson, students in sorted(elsewhere.items()):
        _print(f"{lesson[:2]} not handed in by {len(students)}: {', '.join(sorted(students))}", console)
    console.print(_counts(graded))


def _only_elsewhere(graded: Sequence[Graded]) -> dict[str, set[str]]:
    """By lesson, those who handed in another one and not this."""
    there = {g.student for g in graded if g.status != SubmissionStatus.MISSING}
    found: dict[str, set[str]] = {}
    for one in graded:
        if one.status == SubmissionStatus.MISSING and (one.student in there or _of_another(one)):
            found.setdefault(one.lesson, set()).add(one.student)
    return found


def _of_another(graded: Graded) -> bool:
    """Whether all that was seen of this student is in folders of other lessons, as where one lesson of several is graded."""
    _, only, seen = graded.reason.partition(", only ")
    others = [name for name in layout.lesson_names() if name != graded.lesson]
    return bool(only) and all(any(f"/{name}/" in path for name in others) for path in seen.split("; "))


def _print(line: str, console: Console) -> None:
    console.print(escape(line), soft_wrap=False, overflow="ellipsis", no_wrap=True)


def lines(graded: Graded, width: int) -> Iterator[str]:
    """The student's line with the first exercise that went wrong, and a second one with the reason, which thus has the width for itself."""
    tried = [r for r in graded.results if r.status not in (ExerciseStatus.PASSED, *UNWRITTEN)]
    trouble, stretch = [r for r in tried if r.points], [r.exercise for r in tried if not r.points]
    unwritten = sum(r.status in UNWRITTEN and r.points > 0 for r in graded.results)
    state = graded.status if graded.status != SubmissionStatus.GRADED else _state(trouble, unwritten)
    state += f", but the stretch: {stretch[0]}" if stretch and state == ALL else ""
    yield f"{graded.student:{width}}  {graded.lesson[:2]}  {graded.score:5g} / {graded.max_score:g}  {state}"
    note = graded.reason or (trouble[0].message if trouble else "")
    if note:
        yield f"    {note}"


def _state(trouble: Sequence, unwritten: int) -> str:
    words = [f"{n} {status.replace('_', ' ')}" for status, n in sorted(Counter(r.status for r in trouble).items())]
    if words:
        words[-1] += f": {'' if len(trouble) == 1 else 'first '}{trouble[0].exercise}"
    words += [f"{unwritten} not written"] if unwritten else []
    return ", ".join(words) or ALL


def _counts(graded: Sequence[Graded]) -> str:
    found = Counter(str(g.status) for g in graded)
    return f"{counted(len(graded), 'submission')}: " + ", ".join(f"{n} {status}" for status, n in sorted(found.items()))
