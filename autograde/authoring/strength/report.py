"""The strength of a lesson's checks as a table, and everything in it that is not as it should be."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from autograde.authoring.strength.mutation import Bench, Finding
from autograde.checking.manifest import Exercise
from autograde.checking.result import Result
from autograde.checking.status import ExerciseStatus

COLUMNS = ("Lesson", "Exercise", "Wrong: caught", "recognised", "Right: accepted")


@dataclass
class Strength:
    """A row for each exercise, in `COLUMNS`; what is not as it should be, a line each; and a line for every answer that was tried."""

    rows: list[tuple[str, ...]] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)


def measure(bench: Bench, exercises: Collection[str] = ()) -> Strength:
    """Try the reference answers, every known wrong or unusual answer and answers that do nothing, of all exercises or of these."""
    found = Strength()
    for result in bench.try_reference():
        if result.status != ExerciseStatus.PASSED and (not exercises or result.exercise in exercises):
            found.complaints.append(f"{bench.source.name}: the reference answer fails {result.exercise}: {result.message}")
    for name, exercise in bench.lesson.exercises.items():
        if not exercises or name in exercises:
            _add(found, bench, exercise)
    return found


def _add(found: Strength, bench: Bench, exercise: Exercise) -> None:
    findings = [bench.try_specimen(specimen) for specimen in bench.specimens if specimen.exercise == exercise.name]
    wrong, right = [f for f in findings if f.specimen.wrong], [f for f in findings if not f.specimen.wrong]
    caught, accepted = (sum(f.as_it_should for f in listed) for listed in (wrong, right))
    known = sum(f.recognised for f in wrong)
    found.rows.append((bench.source.name[:2], exercise.name, f"{caught} of {len(wrong)}", str(known), f"{accepted} of {len(right)}"))
    found.tried += [_line(f.specimen.name, f.result) for f in findings]
    complain: Callable[[str], None] = lambda what: found.complaints.append(f"{bench.source.name}: {exercise.name}{what}")  # noqa: E731
    for finding in findings:
        if not finding.as_it_should:
            complain(f"/{finding.specimen.name} {_verdict(finding)}")
    if exercise.outcome is None:
        _idle_and_never_failed(found, bench, exercise, [f.result for f in wrong], complain)


def _idle_and_never_failed(found: Strength, bench: Bench, exercise: Exercise, wrong: list[Result], complain: Callable[[str], None]) -> None:
    idle = bench.try_idle(exercise.name)
    found.tried += [_line(f"an answer that {kind}", result) for kind, result in idle.items()]
    for kind, result in idle.items():
        passed = [outcome.check for outcome in result.outcomes if outcome.passed and not outcome.trivial]
        if result.status == ExerciseStatus.PASSED or passed:
            complain(f": an answer that {kind} passes {', '.join(passed) or 'every test'}: mark it `trivial`, or test more in it")
    if not wrong:
        complain(" has no wrong answer among the misconceptions, so nothing shows that its checks tell right from wrong")
    for test in bench.never_failed(exercise.name, [*idle.values(), *wrong]):
        complain(f": no wrong answer fails {test}; add one that does, or take the test out")


def _verdict(finding: Finding) -> str:
    return "survived" if finding.specimen.wrong else f"was rejected ({finding.result.message})"


def _line(name: str, result: Result) -> str:
    return f"{result.exercise}/{name}: {result.status} {result.score:g}/{result.points:g} — {result.message}"
