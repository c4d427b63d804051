"""What Gradescope runs for each submission: `/autograder/submission` in, `/autograder/results/results.json` out.

The tests run here, as root; the submission runs in a worker that is isolated as far as the container allows. Nothing in the submission's
folder is ever imported, and `results.json` is written at once, when no process of the submission is left.
"""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from autograde import layout
from autograde.checking.errors import SandboxUnavailable
from autograde.checking.lesson import load_lesson
from autograde.checking.result import Result
from autograde.checking.status import ExerciseStatus, SubmissionStatus
from autograde.exports.results import cases, document, save
from autograde.exports.visibility import Visibility
from autograde.grader.ingest.discovery import in_folder
from autograde.grader.results.model import Graded
from autograde.grader.run import submission
from autograde.grader.run.timeouts import KEPT
from autograde.grader.sandbox import isolate, probe
from autograde.grader.sandbox.limits import Limits
from autograde.grader.sandbox.modes import Mode
from autograde.grader.worker import fork_server

SETTINGS = "gradescope.json"  # in the course's folder
OPEN_TO_ALL = ("utils", "data")  # what lessons import and read
UNFINISHED = "The autograder did not finish. This is not your score: please tell your instructor."
REFUSED = "Nothing was run: this container cannot isolate a submission. This is not your score: please tell your instructor."
NOTHING = "No notebook was found. Hand in {lesson}.ipynb itself."
SEEN = "What came instead: {files}."
WRITTEN = "The written answer is read by a person; its points are not in this score."
AGAIN = 2.0  # seconds after which an alarm that was lost is raised again


@dataclass(frozen=True)
class Settings:
    """What the package was built for; `seconds` is what one submission may take."""

    lesson: str
    visibility: Visibility
    seconds: float


class _OutOfTime(BaseException):
    """Not an Exception, so that whoever expects errors of a submission does not take it for one."""


def main(root: str) -> None:
    """Grade what lies in Gradescope's folder."""
    settings, place = _settings(), Path(root)
    results = place / "results" / "results.json"
    lock_up(place)
    save(document([], UNFINISHED, settings.visibility), results)
    content = run(place / "submission", settings)
    save(content, results)
    print(f"{settings.lesson}: {content['score']:g} points in {content['execution_time']} s; isolated by {probe.support().level}")


def ready() -> None:
    """Told when the package is built: that all is there, and how submissions are isolated."""
    lesson = load_lesson(_settings().lesson, hidden=True)
    print(
        f"{lesson.name}: {len(lesson.exercises)} exercises, {lesson.points:g} points; here submissions are isolated by {probe.support().level}"
    )


def run(folder: Path, settings: Settings) -> dict[str, Any]:
    """The content of `results.json` for the submission in `folder`."""
    began = time.monotonic()
    try:
        graded = _grade(folder, settings)
    except SandboxUnavailable as error:
        print(f"autograder: {error}")
        return document([], REFUSED, settings.visibility, time.monotonic() - began)
    finally:
        fork_server.shared().close()  # and every worker with it
    return document(cases(graded.results), _told(graded), settings.visibility, time.monotonic() - began)


def lock_up(root: Path) -> None:
    """Leave other accounts only what a submission needs: where all else fails, these rules are what keeps its worker out."""
    os.umask(0o077)
    course = root / "source" / "course"
    for folder in (root / "source", course):
        os.chmod(folder, 0o711)
    for path in (*(root / "source").iterdir(), *course.iterdir()):
        if path != course and path.name not in OPEN_TO_ALL:
            os.chmod(path, 0o700)
    for path in (p for name in OPEN_TO_ALL for p in (course / name, *(course / name).rglob("*"))):
        os.chmod(path, 0o755 if path.is_dir() else 0o644)
    (root / "results").mkdir(exist_ok=True)
    for name in ("results", "submission", "submission_metadata.json"):
        if (root / name).exists():
            os.chmod(root / name, 0o700)


def _settings() -> Settings:
    known = json.loads((layout.ROOT / SETTINGS).read_text(encoding="utf-8"))
    return Settings(known["lesson"], Visibility(known["visibility"]), known["seconds"])


def _grade(folder: Path, settings: Settings) -> Graded:
    """Results of the exercises that there was time for; the others are told so."""
    found = in_folder(folder, settings.lesson)
    done: dict[str, Result] = {}
    submission.prepare(settings.lesson)  # the time is the student's; and pytest, which reads the checks, takes its end for a broken check
    try:
        with _time_limit(settings.seconds):
            return submission.grade(found, _mode(), lambda result: done.update({result.exercise: result}), _limits(settings.seconds))
    except _OutOfTime:
        exercises = load_lesson(settings.lesson).exercises.values()
        left = [e for e in exercises if e.name not in done]
        late = [Result(e.name, 0.0, e.points, ExerciseStatus.TIMEOUT, diagnosis="The exercises before it used up the time") for e in left]
        return Graded(
            found.student,
            found.lesson,
            SubmissionStatus.GRADED,
            [*done.values(), *late],
            "The time was up before all exercises were checked.",
        )


def _limits(seconds: float) -> Limits:
    """All checks together end within the time, the share that is kept for hidden ones too, though the code should do nothing but wait."""
    most = submission.LIMITS
    return replace(most, total_seconds=min(most.total_seconds, seconds / (1 + KEPT) / most.wall_factor))


def _mode() -> Mode:
    """Nothing of the container can be read, or else nothing that `lock_up` closes; less than that refuses."""
    return Mode.ACCOUNT if probe.support().level in isolate.OPEN else Mode.REQUIRED


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise _OutOfTime

    signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _told(graded: Graded) -> str:
    """What concerns the submission as a whole."""
    if graded.status == SubmissionStatus.MISSING:
        seen = [SEEN.format(files="; ".join(graded.repairs))] if graded.repairs else []
        return "\n".join([NOTHING.format(lesson=graded.lesson), *seen, WRITTEN])
    repairs = [f"Repaired: {repair}" for repair in graded.repairs]
    return "\n".join([*([graded.reason] if graded.reason else []), *repairs, WRITTEN])
