"""A class being graded: who grades, and where each result goes as it comes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from autograde.checking.errors import SandboxUnavailable
from autograde.files import sweep
from autograde.grader.batch import pool, progress_bar, stream
from autograde.grader.batch.class_run import RESULTS
from autograde.grader.gradebook import course_dir
from autograde.grader.gradebook.record import Records, explained
from autograde.grader.ingest.discovery import Found
from autograde.grader.results import class_page, csv_tables, feedback_page
from autograde.grader.results.model import Graded
from autograde.grader.results.store import ResultStore

KILLED = "A process of the grader was killed (is the memory full?); another takes its place."
CHANCES = 3  # for graders that are killed by others: the kernel, say, when the memory is full


class Classwork:
    """The store, the feedback pages, the gradebook and the tables in `out`; whoever makes one holds the folder's lock."""

    def __init__(self, out: Path, lessons: Iterable[str], console: Console) -> None:
        self.out, self.console = out, console
        for folder in (RESULTS, "feedback", "autograded"):
            sweep(out / folder)
        with explained(out):
            course_dir.create(out, sorted(lessons))
        self.store, self.records = ResultStore(out / RESULTS), Records(out)
        self.finished: list[Graded] = []

    def __enter__(self) -> Classwork:
        return self

    def __exit__(self, *_: object) -> None:
        self.records.close()

    def grade(self, digests: Mapping[Found, str], workers: int, scheduler: str | None, sandbox: str) -> list[Graded]:
        """Grade what has no result yet; every result, sorted by student and lesson, without the notebooks."""
        left = stream.resume(digests, self.store, self.keep)
        if reused := len(digests) - len(left):
            self.console.print(f"{reused} of {len(digests)} submissions are unchanged and keep their results ({reused} reused).")
        if left:
            self._grade({found: digests[found] for found in left}, workers, scheduler, sandbox)
        graded = sorted(self.finished, key=lambda g: (g.student, g.lesson))
        csv_tables.save(graded, self.out)
        class_page.save(self.out)
        self._tell(graded)
        return graded

    def _grade(self, digests: Mapping[Found, str], workers: int, scheduler: str | None, sandbox: str) -> None:
        finished: set[str] = set()
        with progress_bar.told(self.console, len(digests)) as advance:

            def done(graded: Graded, digest: str) -> None:
                self.keep(graded, digest)
                finished.add(digest)
                advance()

            for chance in range(1, CHANCES + 1):
                left = {found: digest for found, digest in digests.items() if digest not in finished}
                try:
                    with _executor(workers, scheduler) as (executor, size, submit):
                        return stream.run(left, executor, self.store, sandbox, size, done, submit)
                except (BrokenExecutor, SandboxUnavailable):  # graders, or the process that makes their workers
                    if chance == CHANCES:
                        raise
                    self.console.print("[yellow]![/yellow] " + KILLED, soft_wrap=True)

    def keep(self, graded: Graded, digest: str) -> None:
        """What a result leaves on disk; in memory stays what the tables need."""
        feedback_page.save(graded, self.out)
        self.records.record(graded, digest)
        self.finished.append(replace(graded, notebook=""))

    def _tell(self, graded: list[Graded]) -> None:
        self.console.print(summary(graded))
        out = escape(str(self.out))
        self.console.print(
            f"The class at a glance: {out}/class.html · feedback pages: {out}/feedback/<student>/<lesson>.html · "
            f"tables: {out}/grades.csv, {out}/exercises.csv · gradebook: {out}/gradebook.db",
            soft_wrap=True,
        )


@contextmanager
def _executor(workers: int, scheduler: str | None) -> Iterator[tuple[Executor, int, stream.Submit]]:
    """Who grades, how many at once, and how a submission gets there."""
    if scheduler:
        with stream.dask_executor(scheduler) as (executor, size):
            yield executor, max(size, workers), stream.far  # more may join
    else:
        with pool.graders(workers) as executor:
            yield executor, workers, stream.here


def summary(graded: list[Graded]) -> Table:
    """The class as a table: a line a submission, with what went wrong first."""
    table = Table("Student", "Lesson", "Score", "State", "What to know", title="The class")
    for g in graded:
        states = Counter(r.status for r in g.results)
        state = g.status if g.status != "graded" else ", ".join(f"{n} {s.replace('_', ' ')}" for s, n in sorted(states.items()))
        first = next((f"{r.exercise}: {r.message}" for r in g.results if r.message and r.status not in ("not_attempted", "missing")), "")
        note = g.reason or first or (g.repairs[0] if g.repairs else "")
        note = note if len(note) < 90 else note[:89] + "…"
        table.add_row(escape(g.student), g.lesson[:2], f"{g.score:g} / {g.max_score:g}", state, escape(note))
    return table
