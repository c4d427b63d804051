"""Grade a class and leave everything an instructor expects: tables, pages, gradebook, progress while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from autograde.grader import batch, course, feedback, gradebook, tables
from autograde.grader.discovery import Found, find, is_course
from autograde.grader.journal import Journal, key
from autograde.grader.lock import only_one
from autograde.grader.pipeline import Graded
from autograde.grader.sandbox import require


def grade_class(
    paths: list[Path], lesson: str | None, out: Path | None, workers: int | None, scheduler: str | None, sandbox: str, console: Console
) -> list[Graded]:
    """Grade everything under `paths` into `out`; unchanged submissions keep their results.

    Raises:
        ValueError: for paths that hold nothing to grade, or another grader at work in `out`.
        SandboxUnavailable: when the sandbox is required and this machine has none.
    """
    submissions = find(paths, lesson)
    out = out or (paths[0] if len(paths) == 1 and is_course(paths[0]) else Path("graded"))
    for warning in require(sandbox):
        console.print(f"[yellow]![/yellow] {warning}")
    with only_one(out):
        course.create(out, sorted({found.lesson for found in submissions}))
        graded = _run(submissions, out, min(workers or batch.cores(), max(len(submissions), 1)), scheduler, sandbox, console)
        tables.save(graded, out)
    console.print(summary(graded))
    console.print(f"Feedback pages: {out}/feedback/<student>/<lesson>.html · tables: {out}/grades.csv, {out}/exercises.csv · gradebook: {out}/gradebook.db")
    return graded


def _run(submissions: list[Found], out: Path, workers: int, scheduler: str | None, sandbox: str, console: Console) -> list[Graded]:
    reused = 0
    digests = {(found.student, found.lesson): key(found, sandbox) for found in submissions}
    with _progress(console) as progress, _executor(workers, scheduler) as executor:
        task = progress.add_task("Grading", total=len(submissions))

        def done(graded: Graded, known: bool) -> None:
            nonlocal reused
            reused += known
            feedback.save(graded, out)
            gradebook.record(graded, out, digests[graded.student, graded.lesson])
            progress.advance(task)

        graded = batch.run(submissions, executor, Journal(out / ".results"), sandbox, workers, done)
    if reused:
        console.print(f"{reused} of {len(graded)} submissions were unchanged; their results were kept.")
    return graded


def _progress(console: Console) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn())
    return Progress(*columns, console=console)


@contextmanager
def _executor(workers: int, scheduler: str | None) -> Iterator[Executor]:
    with batch.dask_executor(scheduler) if scheduler else batch.local_executor(workers) as executor:
        yield executor


def summary(graded: list[Graded]) -> Table:
    """The class as a table: a line a submission, with what went wrong first."""
    table = Table("Student", "Lesson", "Score", "State", "What to know", title="The class")
    for g in graded:
        states = Counter(r.status for r in g.results)
        state = g.status if g.status != "graded" else ", ".join(f"{n} {s.replace('_', ' ')}" for s, n in sorted(states.items()))
        first = next((f"{r.exercise}: {r.message}" for r in g.results if r.message and r.status not in ("not_attempted", "missing")), "")
        note = g.reason or first or (g.repairs[0] if g.repairs else "")
        table.add_row(g.student, g.lesson[:2], f"{g.score:g} / {g.max_score:g}", state, note if len(note) < 90 else note[:89] + "…")
    return table
