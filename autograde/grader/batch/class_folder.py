"""A class's results folder: where each result goes as it comes."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from autograde.checking.status import SubmissionStatus
from autograde.files import sweep
from autograde.grader.batch.stream import Job
from autograde.grader.gradebook import course_dir
from autograde.grader.gradebook.record import Records, explained
from autograde.grader.results import answers_page, class_page, csv_tables, feedback_page
from autograde.grader.results.model import Graded
from autograde.grader.results.store import RESULTS, ResultStore

log = logging.getLogger(__name__)


class ClassFolder:
    """The store, the feedback pages, the gradebook and the tables in `out`; whoever makes one holds the folder's lock."""

    def __init__(self, out: Path, lessons: Iterable[str]) -> None:
        self.out = out
        for folder in (RESULTS, "feedback", "autograded"):
            sweep(out / folder)
        with explained(out):
            course_dir.create(out, sorted(lessons))
        self.store, self.records = ResultStore(out / RESULTS), Records(out)
        self.finished: list[Graded] = []

    def __enter__(self) -> ClassFolder:
        return self

    def __exit__(self, *_: object) -> None:
        self.records.close()

    def reuse(self, job: Job) -> bool:
        """Whether an earlier run has this result; what it leaves on disk is then brought up to date."""
        known = self.store.load(job.key)
        if known:
            self._write(job, known)
        return known is not None

    def keep(self, job: Job, graded: Graded) -> None:
        """Make a new result safe on disk. The grader's own error is no result: it is logged, and the next run tries again."""
        if graded.status == SubmissionStatus.ERROR:
            log.error("%s, lesson %s: %s\n%s", graded.student, graded.lesson, graded.reason, graded.traceback)
        else:
            self.store.save(job.key, graded)
            log.info("%s, lesson %s: %s, %g points in %.2f s", graded.student, graded.lesson, graded.status, graded.score, graded.seconds)
        self._write(job, graded)

    def finish(self) -> list[Graded]:
        """Write the tables and the class page; every result, sorted by student and lesson, without the notebooks."""
        graded = sorted(self.finished, key=lambda g: (g.student, g.lesson))
        csv_tables.save(graded, self.out)
        self._save_class_pages()
        return graded

    def refresh(self) -> int:
        """Make all pages again from the gradebook, after points, comments, due dates or names have changed there; how many."""
        pages = 0
        for student, lesson, key in self.records.recorded():
            if graded := self.store.load(key):
                self.records.update_penalty(student, lesson)
                feedback_page.save(graded, self.out, self.records.standing(student, lesson))
                pages += 1
        self._save_class_pages()
        return pages

    def _save_class_pages(self) -> None:
        """The class page and a page for each exercise, of all that was ever graded here."""
        answers: list[answers_page.Answer] = []
        for _, _, key in self.records.recorded():
            if graded := self.store.load(key):
                answers += answers_page.of(graded)
        sheets = answers_page.sheets(answers)
        for sheet in sheets:
            answers_page.save(sheet, self.out)
        class_page.save(self.out, self.records.standings(), sheets)

    def _write(self, job: Job, graded: Graded) -> None:
        """The views of one result; in memory stays what the tables need."""
        self.records.record(graded, job.key)
        feedback_page.save(graded, self.out, self.records.standing(graded.student, graded.lesson))
        self.finished.append(replace(graded, notebook=""))
