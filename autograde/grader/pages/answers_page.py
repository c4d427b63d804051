"""A page for each exercise: the class's answers, grouped by what went wrong and then by how it is written, with one of each to read.

Answers are in one group when they are the same known mistake, raised the same kind of error, or gave the same wrong values: a check that
fails names the values that came, so equal messages of all checks are equal outputs on equal inputs. In a group those are together whose code
has the same normal form (`same_code`): what is said of one of them is true of all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from shlex import quote as quote_for_shell
from urllib.parse import quote

from jinja2 import Template

from autograde.checking.errors import UserError
from autograde.checking.manifest import read_manifest
from autograde.checking.result import Outcome, Result, tell
from autograde.checking.status import UNWRITTEN, CheckStatus, ExerciseStatus, SubmissionStatus
from autograde.files import write
from autograde.grader.pages.template import template
from autograde.grader.results.model import Graded

FOLDER = "answers"  # in a results folder
MOST = 10_000  # characters of an answer that are shown: the pages of a class hold those of all
ERROR_NAME = re.compile(r"\b([A-Z]\w*(?:Error|Exception|Interrupt|Iteration|Warning)):")
KINDS = {
    "mistake": "a mistake that the course knows",
    CheckStatus.ERROR: "stopped with an error",
    CheckStatus.TIMEOUT: "did not finish in time",
    CheckStatus.DIED: "ended its process",
    CheckStatus.FAILED: "wrong values, all the same",
}


@dataclass(frozen=True)
class Answer:
    """One student's answer to one exercise."""

    student: str
    lesson: str
    result: Result
    code: str
    form: str = ""  # the normal form of the code, where it is known


@dataclass(frozen=True)
class Subgroup:
    """Answers of one group; whether their code is the same but for names, comments and layout."""

    answers: list[Answer]
    same: bool

    @property
    def representative(self) -> Answer:
        """The shortest one, which has least beside the mistake."""
        return min(self.answers, key=lambda a: (not a.code, len(a.code), a.student))


@dataclass(frozen=True)
class Group:
    """Answers that went wrong in the same way: `kind` is one of KINDS, `words` says what it was."""

    kind: str
    words: str
    answers: list[Answer]

    @property
    def subgroups(self) -> list[Subgroup]:
        """Its answers by the normal form of their code, the largest first; last all those that are alone in theirs."""
        forms: dict[str, list[Answer]] = {}
        for answer in self.answers:
            forms.setdefault(answer.form, []).append(answer)
        same = [Subgroup(found, True) for form, found in forms.items() if form and len(found) > 1]
        rest = [a for a in self.answers if not a.form or len(forms[a.form]) == 1]
        same.sort(key=lambda part: (-len(part.answers), part.answers[0].student))
        return [*same, Subgroup(rest, False)] if rest else same

    @property
    def representative(self) -> Answer:
        """That of most of them."""
        return self.subgroups[0].representative


@dataclass(frozen=True)
class Sheet:
    """All answers to one exercise."""

    lesson: str
    exercise: str
    groups: list[Group]
    passed: list[Answer]
    unwritten: list[Answer]


def of(graded: Graded, code: Mapping[str, str], forms: Mapping[str, str] | None = None) -> list[Answer]:
    """A submission's answers, with the `code` of each exercise and its normal form; none where it could not be graded."""
    if graded.status != SubmissionStatus.GRADED:
        return []
    return [
        Answer(graded.student, graded.lesson, result, _beginning(code.get(result.exercise, "")), (forms or {}).get(result.exercise, ""))
        for result in graded.results
    ]


def _beginning(code: str) -> str:
    """The code, or of a very long one the beginning."""
    return code if len(code) <= MOST else f"{code[:MOST]}\n… and {len(code) - MOST:,} characters more, on the student's page"


def wrong(result: Result) -> bool:
    """Whether there is an answer, and it did not pass."""
    return result.status not in (ExerciseStatus.PASSED, *UNWRITTEN)


def sheets(answers: Iterable[Answer]) -> list[Sheet]:
    """A class's answers by lesson and exercise."""
    found: dict[tuple[str, str], list[Answer]] = {}
    for answer in answers:
        found.setdefault((answer.lesson, answer.result.exercise), []).append(answer)
    return [_sheet(*key, sorted(own, key=lambda a: a.student)) for key, own in found.items()]


def _sheet(lesson: str, exercise: str, answers: Sequence[Answer]) -> Sheet:
    passed = [a for a in answers if a.result.status == ExerciseStatus.PASSED]
    unwritten = [a for a in answers if a.result.status in UNWRITTEN]
    return Sheet(lesson, exercise, _groups(a for a in answers if wrong(a.result)), passed, unwritten)


def _groups(answers: Iterable[Answer]) -> list[Group]:
    """The largest group first."""
    found: dict[tuple[str, object], Group] = {}
    for answer in answers:
        kind, key, words = _why(answer.result)
        found.setdefault((kind, key), Group(kind, words, [])).answers.append(answer)
    return sorted(found.values(), key=lambda group: (-len(group.answers), group.words))


def _why(result: Result) -> tuple[str, object, str]:
    """(kind, what two answers of one group share, words)."""
    if result.mistake:
        return "mistake", result.mistake, result.diagnosis
    failures = [o for o in result.outcomes if not o.passed]
    if not failures:
        return _without_checks(result)
    first = next((o for o in failures if not o.hidden), failures[0])
    lost = next((o.status for o in failures if o.status in (CheckStatus.TIMEOUT, CheckStatus.DIED)), None)
    if lost:
        return lost, "", tell(first)
    if first.status == CheckStatus.ERROR:
        return CheckStatus.ERROR, first.message.split(":")[0], tell(first)
    return CheckStatus.FAILED, tuple(map(_said, failures)), tell(first)


def _without_checks(result: Result) -> tuple[str, object, str]:
    """Of an answer that no check has seen: its cell stopped with an error, say."""
    said = result.diagnosis or result.message
    if result.status == ExerciseStatus.TIMEOUT:
        return CheckStatus.TIMEOUT, "", said
    error = ERROR_NAME.search(said)
    return CheckStatus.ERROR, error[1] if error else said, said


def _said(outcome: Outcome) -> tuple[str, str, str, str]:
    return outcome.check, outcome.status, outcome.message, outcome.detail


def like(answers: Iterable[Answer], student: str, same_code: bool) -> list[str]:
    """The students whose answers to an exercise went wrong in the same way as this one's; with `same_code`, who also wrote the same code.

    Raises:
        UserError: when this student has no wrong answer.
    """
    groups = [group for sheet in sheets(answers) for group in sheet.groups]
    for group in groups:
        parts = [part.answers for part in group.subgroups if part.same] if same_code else [group.answers]
        for part in parts:
            if any(answer.student == student for answer in part):
                return [answer.student for answer in part]
        if any(answer.student == student for answer in group.answers):
            return [student]  # whose code is like nobody's
    raise UserError(f"{student} has no wrong answer to this exercise; those who have: {', '.join(_students(groups)) or 'nobody'}")


def _students(groups: Iterable[Group]) -> list[str]:
    return sorted(answer.student for group in groups for answer in group.answers)


def path_of(lesson: str, exercise: str) -> str:
    """Where an exercise's page lies in a results folder."""
    return f"{FOLDER}/{lesson}/{exercise}.html"


def save(sheet: Sheet, folder: Path, names: Mapping[str, str]) -> None:
    """Write the page under a results folder; `names` are those of the roster, by student."""
    write(folder / path_of(sheet.lesson, sheet.exercise), page(sheet, names).encode())


def page(sheet: Sheet, names: Mapping[str, str]) -> str:
    """The page, one file."""
    return _template().render(
        sheet=sheet, title=read_manifest(sheet.lesson)["title"], kinds=KINDS, link=_link, names=names, quoted=quote_for_shell
    )


def _link(answer: Answer) -> str:
    return f"../../feedback/{quote(answer.student)}/{answer.lesson}.html#{answer.result.exercise}"


@lru_cache
def _template() -> Template:
    return template("answers_page.html.j2")
