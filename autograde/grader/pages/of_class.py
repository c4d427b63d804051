"""All pages about a class: its answers by exercise, what is unusually equal, and the class at a glance.

They are made in a reader (`sandbox.bounded`), each student's part first. A part that ends the reader costs that student's words their place
on these pages; the points stay.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from autograde.checking.errors import UserError
from autograde.files import write
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.standing import Standing
from autograde.grader.pages import answers_page, class_page, likeness, likeness_page
from autograde.grader.pages.answers_page import Answer
from autograde.grader.pages.likeness import Kind, Trace
from autograde.grader.pages.same_code import normal_form
from autograde.grader.results.bare import bare_result
from autograde.grader.results.model import Graded
from autograde.grader.sandbox.bounded import TooMuch, bounded

SECONDS = 600  # of processor time for all pages of a class; a thousand submissions take a hundredth of it
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Part:
    """What one submission brings to the pages about its class."""

    answers: list[Answer]
    traces: list[Trace] = field(default_factory=list)

    def bare(self) -> Part:
        """The same without its student's words."""
        return Part([replace(answer, result=bare_result(answer.result), code="", form="") for answer in self.answers])


def part(graded: Graded) -> Part:
    """A submission's part; without words where looking through them takes too much."""
    try:
        texts, forms, found = _looked_through(graded)
    except TooMuch as error:
        log.warning("%s, lesson %s: the pages about the class show nothing of theirs: %s", graded.student, graded.lesson, error)
        return Part(answers_page.of(graded, {})).bare()
    traces = [Trace(graded.student, graded.lesson, where, Kind[kind], key, shown) for where, kind, key, shown in found]
    return Part(answers_page.of(graded, texts, forms), traces)


def save(parts: Sequence[Part], folder: Path, standings: Sequence[Standing]) -> None:
    """Write all pages into a results folder, whose tables are there: with the words of all students, of those who can be shown, or of none."""
    for kept in (lambda: parts, lambda: [_or_bare(part, folder) for part in parts], lambda: [part.bare() for part in parts]):
        try:
            pages = _pages(kept(), folder, standings)
            break
        except TooMuch as error:
            log.warning("the pages about the class are made without the words of those who end it: %s", error)
    else:
        log.error("there are no pages about the class: they take too much even without words; the tables are complete")
        pages = {}
    for name, html in pages.items():
        write(folder / name, html.encode())


@bounded(SECONDS, (UserError,))
def like(parts: Sequence[Part], exercise: str, student: str, same_code: bool) -> list[str]:
    """`answers_page.like` of the answers to one exercise in these submissions of a lesson."""
    return answers_page.like([a for part in parts for a in part.answers if a.result.exercise == exercise], student, same_code)


def _or_bare(part: Part, folder: Path) -> Part:
    """The part as it is, if pages of it alone can be made in a submission's time."""
    try:
        _can_be_shown(part, folder)
    except TooMuch as error:
        for answer in part.answers[:1]:
            log.warning("%s, lesson %s: the pages about the class show nothing of theirs: %s", answer.student, answer.lesson, error)
        return part.bare()
    return part


@bounded()
def _looked_through(graded: Graded) -> tuple[dict[str, str], dict[str, str], list[tuple[str, str, str, str]]]:
    """The texts of its answers, the normal forms of those that are wrong, and its traces."""
    texts, exercises = graded.answers(), {result.exercise for result in graded.results}
    forms = {result.exercise: normal_form(texts.get(result.exercise, "")) for result in graded.results if answers_page.wrong(result)}
    traces = [(t.where, t.kind.name, t.key, t.shown) for t in likeness.traces(graded, texts)]
    return {name: text for name, text in texts.items() if name in exercises}, forms, traces


@bounded()
def _can_be_shown(part: Part, folder: Path) -> None:
    _made([part], folder, ())


@bounded(SECONDS)
def _pages(parts: Sequence[Part], folder: Path, standings: Sequence[Standing]) -> dict[str, str]:
    return _made(parts, folder, standings)


def _made(parts: Sequence[Part], folder: Path, standings: Sequence[Standing]) -> dict[str, str]:
    sheets = answers_page.sheets(answer for part in parts for answer in part.answers)
    alike = likeness.likenesses([*(trace for part in parts for trace in part.traces), *likeness.wrong(sheets)])
    people = roster.read(folder)
    labels = {person.student: person.name for person in roster.told_apart(people)}
    pages = {answers_page.path_of(sheet.lesson, sheet.exercise): answers_page.page(sheet, labels) for sheet in sheets}
    pages[likeness_page.FILE] = likeness_page.page(alike, {person.student: person.name for person in people})
    pages[class_page.FILE] = class_page.of_folder(folder, standings, sheets, len(alike))
    return pages
