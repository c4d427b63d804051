"""A class's results folder: where each result goes as it comes."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from autograde.checking.status import SubmissionStatus
from autograde.files import sweep
from autograde.grader.batch import changes
from autograde.grader.batch.points import absent, by_one_id, with_points, without_result
from autograde.grader.batch.stream import Job
from autograde.grader.gradebook import comments, course_dir, extensions, roster
from autograde.grader.gradebook.record import Records, explained
from autograde.grader.gradebook.standing import Standing, under_one_id
from autograde.grader.pages import feedback_page, of_class
from autograde.grader.results import csv_tables
from autograde.grader.results.class_list import ClassList, Key
from autograde.grader.results.model import Graded
from autograde.grader.results.store import RESULTS, ResultStore
from autograde.grader.run import cache_key
from autograde.grader.sandbox.bounded import reading
from autograde.wording import counted

OWN_ERROR = "-error"  # at the end of the key of a result that the grader's own error brought about: it is told, and never reused
GONE = "{student} was graded earlier, and has no files there any more: not in the tables, the class page and exports; gradebook.db keeps the points"
WITHDRAWN = "{student}'s {lesson} was graded earlier, and is not there any more: nothing was handed in, say the tables; gradebook.db keeps the points"
ABSENT = "{number} of the class's list handed in nothing in lesson {lesson}: {students}"
STRANGE = "not on the class's list, and so in no export that goes by it: {students}, in lesson {lesson}. Add them to the list, or call their folders as it does"
MOST_TOLD = 10  # students, or lines of one kind
BEFORE = "{them} of lesson {lesson} {were} graded before its checks, the grader or a package changed: grade the whole class again, so that all are checked alike"
log = logging.getLogger(__name__)


class ClassFolder:
    """The store, the feedback pages, the gradebook and the tables in `out`; whoever makes one holds the folder's lock.

    While it is open, what shows or compares students' words runs in a reader (`sandbox.bounded`).
    """

    def __init__(self, out: Path, lessons: Iterable[str]) -> None:
        self.out = out
        for folder in (RESULTS, "feedback", "autograded"):
            sweep(out / folder)
        with explained(out):
            course_dir.create(out, sorted(lessons))
        self.store, self.records = ResultStore(out / RESULTS), Records(out)
        self.list = ClassList.read(out)
        self.finished: list[Graded] = []
        self.nothing: dict[Key, str] = {}  # the results of whom this call found nothing
        self.absent: list[Graded] = []  # whom the roster names, and of whom a lesson has nothing
        self.waiting: set[Key] = set()  # whose written answers nobody has graded yet
        self.notes: list[str] = []  # what the instructor should know
        self.directory = roster.Directory(roster.read(out))
        self.reader = ExitStack()

    def __enter__(self) -> ClassFolder:
        self.reader.enter_context(reading())
        return self

    def __exit__(self, *_: object) -> None:
        self.reader.close()
        self.records.close()

    def reuse(self, job: Job) -> bool:
        """Whether an earlier run has this result; what it leaves on disk is then brought up to date."""
        known = self.store.load(job.key)
        if known:
            self._write(job, job.key, known)
        return known is not None

    def keep(self, job: Job, graded: Graded) -> None:
        """Make a new result safe on disk. The grader's own error is no result: it is logged, and the next run tries again."""
        if graded.status == SubmissionStatus.ERROR:
            log.error("%s, lesson %s: %s\n%s", graded.student, graded.lesson, graded.reason, graded.traceback)
            key = job.key + OWN_ERROR
        else:
            key = job.key
            log.info("%s, lesson %s: %s, %g points in %.2f s", graded.student, graded.lesson, graded.status, graded.score, graded.seconds)
        self.store.save(key, graded)
        self._write(job, key, graded)

    def finish(self, roots: Collection[Path] = ()) -> list[Graded]:
        """Bring all tables and pages up to date; what this call graded, sorted by student and lesson, without the notebooks.

        `roots` are the folders that were looked through whole: whose files lay there and do not any more has left the class.
        """
        left = self.list.leave(roots, {g.student for g in self.finished})
        self.notes += _first([GONE.format(student=student) for student in left])
        self.notes += _first(
            [WITHDRAWN.format(student=student, lesson=lesson) for student, lesson in self.list.withdraw(roots, self.nothing)]
        )
        self.notes += self._checked_otherwise()
        before = changes.points(self.out)
        self._update_penalties()
        self._save_views()
        self.notes += self._absent()
        self.notes += _first(extensions.strangers(self.out, {student for (student, _), _ in self.list.members()}))
        changed = changes.told(before, changes.points(self.out))
        log.info("other points than before: %s", "; ".join(changed) or "nobody")
        self.notes += changes.shortened(changed)
        return sorted(self.finished, key=lambda g: (g.student, g.lesson))

    def _checked_otherwise(self) -> list[str]:
        """A line on each lesson of which this call graded some, and others have their points from checks that were changed since."""
        lessons = sorted({graded.lesson for graded in self.finished})
        others = {lesson: len(self.list.checked_otherwise(lesson, cache_key.checks(lesson))) for lesson in lessons}
        return [
            BEFORE.format(them=counted(n, "submission"), lesson=lesson[:2], were="was" if n == 1 else "were")
            for lesson, n in others.items()
            if n
        ]

    def _absent(self) -> list[str]:
        """A line on each lesson of this call in which somebody of the roster handed in nothing, or somebody handed in who is not on it."""
        told = []
        for lesson in sorted({graded.lesson for graded in self.finished}):
            who = [graded.student for graded in self.absent if graded.lesson == lesson]
            told += [ABSENT.format(number=len(who), lesson=lesson[:2], students=_some(who))] if who else []
            strange = [g.student for g in self.finished if g.lesson == lesson and not self.directory.of(g.student)]
            told += [STRANGE.format(lesson=lesson[:2], students=_some(sorted(strange)))] if strange and self.directory.people else []
        return told

    def refresh(self) -> int:
        """Make all tables and pages again from the gradebook, after points, comments, due dates or names have changed there; how many."""
        self._update_penalties()
        return self._save_views(pages=True)

    def comment(self, lesson: str, exercise: str, student: str, text: str, same_code: bool) -> list[str]:
        """Write a comment for everyone whose answer went wrong in the way of this student's (`of_class.like`); who they are.

        `student` is an id of the submission or of the roster, or a name or an address that one person alone has.
        """
        keys = {who: entry.key for (who, name), entry in self.list.members() if name == lesson}
        student = next((who for who in roster.ids(self.out, student) if who in keys), student)
        parts = [of_class.part(graded) for graded in map(self.store.load, keys.values()) if graded]
        students = of_class.like(parts, exercise, student, same_code)
        comments.add(self.records.gradebook, self.out, lesson, exercise, students, text)
        return students

    def _update_penalties(self) -> None:
        """A due date that was moved changes what being late costs for everyone, whether they are graded now or not."""
        for student, lesson in self.records.update_penalties():
            entry = self.list.entries.get((student, lesson))
            if entry and (graded := self.store.load(entry.key)):
                self._save_feedback(graded, self.records.standing(student, lesson))

    def _save_views(self, pages: bool = False) -> int:
        """The tables, the class page and a page for each exercise, of everyone in the class; with `pages` the feedback too: how many of them."""
        self.list.merge(self.records.recorded())
        self.list.save()
        standings = self._standings()
        self.waiting = {key for key, standing in standings.items() if standing.waiting}
        parts: list[of_class.Part] = []
        written = 0
        rows: dict[Key, Graded] = {key: without_result(standing) for key, standing in standings.items()}
        for key, entry in self.list.members():
            if graded := self.store.load(entry.key):
                parts.append(of_class.part(graded))
                rows[key] = with_points(graded, standings.get(key))
                if pages:
                    self._save_feedback(graded, standings.get(key))
                    written += not entry.missing
        self.absent = absent(roster.read(self.out), rows, self.list.gone)
        first = roster.first_ids(self.out)
        views = under_one_id(standings.values(), first)
        totals = {(s.student, s.lesson): csv_tables.Total(s.total, s.max_score) for s in views}
        csv_tables.save([*by_one_id(rows.values(), first), *self.absent], self.out, totals)
        of_class.save(parts, self.out, views)
        return written

    def _standings(self) -> dict[Key, Standing]:
        """The gradebook's points; it may be another one than was there when results were recorded, and gets what it lacks."""
        known = {(s.student, s.lesson): s for s in self.records.standings()}
        for key, entry in self.list.members():
            if key not in known and not entry.missing and (graded := self.store.load(entry.key)):
                self.records.record(graded, entry.key)
                if standing := self.records.standing(*key):
                    known[key] = standing
        return {key: standing for key, standing in known.items() if self.list.counts(key)}

    def _save_feedback(self, graded: Graded, standing: Standing | None) -> None:
        person = self.directory.of(graded.student)
        feedback_page.save(graded, self.out, standing, person.name if person else "")

    def _write(self, job: Job, key: str, graded: Graded) -> None:
        """The gradebook and the page of one result; in memory stays what the summary needs."""
        missing = graded.status == SubmissionStatus.MISSING
        self.records.record(graded, key, job.found.path.parent if job.found.path else None)
        if self.list.put(graded.student, graded.lesson, key, job.found.path or job.root, missing, cache_key.checks(graded.lesson)):
            self._save_feedback(graded, self.records.standing(graded.student, graded.lesson))
        self.finished.append(replace(graded, notebook=""))
        if missing:
            self.nothing[graded.student, graded.lesson] = key


def _some(students: list[str]) -> str:
    shown = students if len(students) <= MOST_TOLD else [*students[:MOST_TOLD], f"{len(students) - MOST_TOLD} more, in grades.csv"]
    return ", ".join(shown)


def _first(notes: list[str]) -> list[str]:
    """As many as are read on a terminal, as when a class's folder is used for another term; the log has all."""
    if len(notes) <= MOST_TOLD:
        return notes
    log.info("\n".join(notes))
    return [*notes[:MOST_TOLD], f"… and {len(notes) - MOST_TOLD} more such lines, in grader.log"]
