"""What the gradebook says of a submission: points of checks and people, comments, lateness. Every page and export tells these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from nbgrader.api import Gradebook, Student, SubmittedAssignment

CHECK = "check-"  # how the cell begins that holds an exercise's points


@dataclass(frozen=True)
class Entry:
    """One exercise or written question. `manual` is a person's points, which take the place of `auto`, the checks'; `extra` is added."""

    name: str
    score: float
    max_score: float
    auto: float | None
    manual: float | None
    extra: float
    comment: str
    written: bool

    @property
    def waiting(self) -> bool:
        """Whether a person still has to give points. nbgrader's own flag also asks for a second look after each regrade."""
        return self.written and self.manual is None and self.auto is None

    @property
    def changed(self) -> bool:
        """Whether a person changed what the checks gave."""
        return not self.written and (bool(self.extra) or (self.manual is not None and self.manual != self.auto))


@dataclass(frozen=True)
class Standing:
    """A submission in the gradebook; `late` is seconds after the due date or the extension, `penalty` the points it cost, `handed_in` a time
    in UTC where one is known."""

    student: str
    name: str
    lesson: str
    entries: tuple[Entry, ...]
    total: float
    max_score: float
    penalty: float
    late: float
    extension: float
    handed_in: datetime | None = None

    @property
    def waiting(self) -> bool:
        return any(entry.waiting for entry in self.entries)

    def entry(self, name: str) -> Entry | None:
        return next((entry for entry in self.entries if entry.name == name), None)

    @property
    def written(self) -> list[Entry]:
        return [entry for entry in self.entries if entry.written]


def under_one_id(found: Iterable[Standing], first: Mapping[str, str]) -> list[Standing]:
    """The same with the ids that tables have for those who came by several."""
    return [replace(standing, student=first.get(standing.student, standing.student)) for standing in found]


def standings(gradebook: Gradebook) -> Iterator[Standing]:
    """All submissions of a class."""
    for assignment in gradebook.assignments:
        yield from (of_submission(submission) for submission in assignment.submissions)


def of_submission(submission: SubmittedAssignment) -> Standing:
    """Points as nbgrader itself exports them: late penalties are taken off, and nobody gets less than nothing."""
    penalty = float(submission.late_submission_penalty or 0.0)
    entries = tuple(entry for notebook in submission.notebooks for entry in _entries(notebook))
    student, extension = submission.student, submission.extension
    return Standing(
        student=student.id,
        name=name_of(student),
        lesson=submission.name,
        entries=entries,
        total=round(max(0.0, submission.score - penalty), 2),
        max_score=float(submission.max_score),
        penalty=round(penalty, 2),
        late=seconds_late(submission),
        extension=extension.total_seconds() if extension else 0.0,
        handed_in=submission.timestamp,
    )


def seconds_late(submission: SubmittedAssignment) -> float:
    """0 where there is no due date: nbgrader would add an extension to it."""
    return float(submission.total_seconds_late) if submission.assignment.duedate else 0.0


def _entries(notebook) -> Iterator[Entry]:
    comments = {comment.name: comment for comment in notebook.comments}
    for grade in notebook.grades:
        name = grade.name.removeprefix(CHECK)
        comment = comments.get(name)
        yield Entry(
            name=name,
            score=float(grade.score),
            max_score=float(grade.max_score),
            auto=grade.auto_score,
            manual=grade.manual_score,
            extra=float(grade.extra_credit or 0.0),
            comment=(comment.manual_comment or "") if comment else "",
            written=name == grade.name,
        )


def name_of(student: Student) -> str:
    """The name that somebody gave; "" where the id stands in its place, as formgrader has it of whom nobody has named."""
    name = " ".join(part for part in (student.first_name, student.last_name) if part)
    return "" if name == student.id else name
