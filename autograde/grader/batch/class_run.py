"""Grade a class: find its submissions, grade what has no result yet, and write each result as it comes."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import BrokenExecutor, Executor
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from autograde import layout
from autograde.checking.errors import SandboxUnavailable, UserError
from autograde.grader.batch import pool, progress_bar, stream, summary
from autograde.grader.batch.lock import only_one
from autograde.grader.batch.log_file import logged_in
from autograde.grader.batch.stream import Job
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.due_dates import due_dates
from autograde.grader.ingest import helpers
from autograde.grader.ingest.collect import MOST_TOLD, collected, home
from autograde.grader.ingest.whose.by_list import Listed
from autograde.grader.results.store import ResultStore
from autograde.grader.run.cache_key import key
from autograde.grader.sandbox.modes import Mode
from autograde.grader.sandbox.probe import require
from autograde.wording import counted

if TYPE_CHECKING:
    from autograde.grader.batch.class_folder import ClassFolder
    from autograde.grader.results.model import Graded

KILLED = "A process of the grader was killed (is the memory full?); another takes its place."
SCHEDULER = "Whoever reaches the Dask scheduler can run code as the accounts of its workers: let nobody but you reach it (a firewall, TLS)."
WRITTEN = {  # what a run leaves, a line each: a long one is cut at the edge of a terminal in the middle of a path
    "The class at a glance": ["class.html"],
    "Feedback pages": ["feedback/<student>/<lesson>.html"],
    "Tables": ["grades.csv", "exercises.csv"],
    "Gradebook": ["gradebook.db"],
}
CHANCES = 3  # for graders that are killed by others: the kernel, say, when the memory is full
log = logging.getLogger(__name__)


class Stopped(KeyboardInterrupt):
    """SIGTERM: an end as orderly as that by Ctrl-C."""


def refresh(out: Path) -> int:
    """Make the pages of a results folder again from its gradebook; how many students' pages that were.

    Raises:
        UserError: when nothing was graded there, or a grader is at work in it.
    """
    must_hold_grades(out)
    from autograde.grader.batch.class_folder import ClassFolder

    with only_one(out), ClassFolder(out, ()) as folder:
        return folder.refresh()


def refresh_changed(folder: Path) -> int:
    """The same after a change of the gradebook, which is kept whatever happens here; 0 where only nbgrader has graded.

    Raises:
        UserError: when a grader is at work there: the change is kept, and how to show it.
    """
    if not (folder / "grades.csv").is_file():
        return 0
    try:
        return refresh(folder)
    except UserError as error:
        raise UserError(
            f"the change is kept, but no table or page shows it yet; `autograde feedback {folder}` makes them: {error}"
        ) from None


def comment(out: Path, lesson: str, exercise: str, student: str, text: str, same_code: bool = False) -> list[str]:
    """Write a comment for everyone whose answer went wrong as this student's did, and make the pages again; who they are.

    Raises:
        UserError: when nothing was graded there, a grader is at work in it, or the student has no wrong answer to the exercise.
    """
    must_hold_grades(out)
    from autograde.grader.batch.class_folder import ClassFolder

    with only_one(out), ClassFolder(out, ()) as folder:
        students = folder.comment(lesson, exercise, student, text, same_code)
        folder.refresh()
    return students


def must_hold_grades(out: Path) -> None:
    """Raises UserError where nothing was graded into a folder."""
    if not (out / "grades.csv").is_file():
        raise UserError(f"{out} holds no grades (grades.csv): name the folder that `autograde grade` wrote to")


@dataclass(frozen=True)
class Graders:
    """Who grades: so many processes of this machine, whose workers may read nothing of `hidden`, or the workers of a Dask scheduler."""

    workers: int
    scheduler: str | None
    sandbox: Mode
    hidden: tuple[Path, ...] = ()

    def graded(self, jobs: list[Job], console: Console) -> Generator[tuple[Job, Graded], None, None]:
        """Each job with its result as it comes; where graders are killed by others, new ones go on with what is left."""
        left = {job.key: job for job in jobs}

        def lost() -> None:
            log.warning("a grader was lost")
            console.print("[yellow]![/yellow] " + KILLED, soft_wrap=True)

        for chance in range(1, CHANCES + 1):
            try:
                with _executor(self.workers, self.scheduler, self.hidden) as (executor, size, submit):
                    for job, graded in stream.graded(list(left.values()), executor, self.sandbox, size, submit, lost):
                        del left[job.key]
                        yield job, graded
                return
            except (BrokenExecutor, SandboxUnavailable):  # graders, or the process that makes their workers
                log.exception("graders were lost, chance %d of %d", chance, CHANCES)
                if chance == CHANCES:
                    raise
                console.print("[yellow]![/yellow] " + KILLED, soft_wrap=True)


def grade_class(
    paths: list[Path],
    lesson: str | None,
    out: Path | None,
    workers: int | None,
    scheduler: str | None,
    sandbox: Mode,
    console: Console,
    late: str | None = None,
) -> list[Graded]:
    """Grade everything under `paths` into `out`; unchanged submissions keep their results. `late` is the course's new rule for what is late.

    Raises:
        UserError: for paths that hold nothing to grade, a rule that is none, or another grader at work in `out`.
        OSError: when something cannot be written, a GradebookError among them; what is graded so far is kept.
        SandboxUnavailable: when the sandbox is required and this machine has none.
    """
    _not_where_lessons_read(paths)
    asked, out = out, out or home(paths)
    if not scheduler:
        pool.get_ready_for([out])
    with only_one(out), logged_in(out), _terminated():
        due = due_dates(out)
        submissions, roots = collected(paths, lesson, out, console, due, Listed(roster.names(out), roster.finder(out), roster.lessons(out)))
        if submissions and not asked:
            _say_where(out, console)
        if late and submissions:
            _set_rule(out, late, {found.lesson for found in submissions} - set(due), console)
        jobs = [Job(found, key(found, sandbox), roots[0] if len(roots) == 1 else None) for found in submissions]
        new = sum(not ResultStore.has(out, job.key) for job in jobs)
        log.info("%d submissions in %s, %d without a result, sandbox %s", len(jobs), ", ".join(map(str, paths)), new, sandbox)
        if new and not scheduler:
            pool.get_ready()
        for warning in [SCHEDULER] if scheduler else require(sandbox):
            console.print(f"[yellow]![/yellow] {escape(warning)}", soft_wrap=True)
        from autograde.grader.batch.class_folder import ClassFolder  # takes seconds, in which the pool gets ready

        if not lesson:
            _tell_new_lessons(out, {found.lesson for found in submissions}, console)
        graders = Graders(min(workers or pool.cores(), max(new, 1)), scheduler, sandbox, (*paths, out))
        with ClassFolder(out, {found.lesson for found in submissions}) as folder:
            return _grade(jobs, graders, folder, roots, console)


def _say_where(out: Path, console: Console) -> None:
    """Where nobody named a class's folder: before anything is graded, and whether other results are there."""
    if out == Path("graded"):
        more = ", with the results that are there" if (out / "grades.csv").is_file() else ""
        console.print(f"Results go to {escape(str(out.absolute()))}{more}; --out names another folder.", soft_wrap=True)


def _set_rule(out: Path, rule: str, undated: set[str], console: Console) -> None:
    """Keep the rule in the course's configuration; where a lesson has no due date, say that it does nothing there."""
    from autograde.grader.gradebook.late import set_rule

    set_rule(out, rule)
    for lesson in sorted(undated) if rule != "none" else ():
        note = f"{lesson} has no due date, so nothing is late: `autograde due {out} {lesson[:2]} TIME` sets it."
        console.print(f"[yellow]![/yellow] {escape(note)}", soft_wrap=True)


def _tell_new_lessons(out: Path, lessons: set[str], console: Console) -> None:
    """A lesson that nobody named, and that the class has not had, is in everybody's sums from now on."""
    from autograde.grader.gradebook.course_dir import held

    if known := held(out):
        for lesson in sorted(lessons - set(known)):
            note = f"{lesson} is new in this class and counts for everybody from now on. A mistake? Take the files away and grade again."
            console.print(f"[yellow]![/yellow] {escape(note)}", soft_wrap=True)


def _not_where_lessons_read(paths: list[Path]) -> None:
    """Refuse a class that every submission could read, and the course itself, whose folders are no students."""
    if layout.ROOT in [path.resolve() for path in paths]:
        raise UserError(f"{layout.ROOT} is the course itself: name your class's folder, or the folder of the submissions")
    open_to_all = {(layout.ROOT / name).resolve() for name in ("utils", "data")}
    if wrong := [path for path in paths if path.resolve() in open_to_all]:
        raise UserError(f"{wrong[0]} is a folder that every submission may read: move the class to another one")


def _grade(jobs: list[Job], graders: Graders, folder: ClassFolder, roots: list[Path], console: Console) -> list[Graded]:
    """The one loop that writes results, whoever made them."""
    left = [job for job in jobs if not folder.reuse(job)]
    if reused := len(jobs) - len(left):
        keep = "is unchanged and keeps its result" if reused == 1 else "are unchanged and keep their results"
        console.print(f"{reused} of {counted(len(jobs), 'submission')} {keep} ({reused} reused).")
    if left:
        with progress_bar.told(console, len(left)) as advance, closing(graders.graded(left, console)) as results:
            for job, graded in results:
                folder.keep(job, graded)
                advance(graded.seconds)
    graded_all = folder.finish(roots)
    folder.notes += _of_scripts(jobs)
    for note in [*folder.records.notes, *folder.notes]:
        console.print(f"[yellow]![/yellow] {escape(note)}", soft_wrap=True)
    _tell(graded_all, folder, console)
    return graded_all


def _of_scripts(jobs: list[Job]) -> list[str]:
    """What lies beside notebooks and cannot be imported, by student."""
    found = [(job.found.student, job.found.path) for job in jobs if job.found.path]
    notes = [f"{student}: {note}" for student, path in found for note in helpers.told(path.parent, path.name)]
    return notes if len(notes) <= MOST_TOLD else [*notes[:MOST_TOLD], f"… and {len(notes) - MOST_TOLD} more; the feedback pages name all"]


def _tell(graded: list[Graded], folder: ClassFolder, console: Console) -> None:
    summary.show(graded, console)
    place = escape(str(folder.out))
    if waiting := len(folder.waiting & {(one.student, one.lesson) for one in graded}):
        console.print(f"{counted(waiting, 'written answer')} to be graded by a person: python -m autograde written {place}", soft_wrap=True)
    for what, where in WRITTEN.items():
        console.print(f"{what}: {', '.join(f'{place}/{name}' for name in where)}", soft_wrap=True)


@contextmanager
def _executor(workers: int, scheduler: str | None, hidden: tuple[Path, ...]) -> Iterator[tuple[Executor, int, stream.Submit]]:
    """Who grades, how many at once, and how a submission gets there."""
    if scheduler:
        with stream.dask_executor(scheduler) as (executor, size):
            yield executor, max(size, workers), stream.far  # more may join
    else:
        with pool.graders(workers, hidden) as executor:
            yield executor, workers, stream.here


@contextmanager
def _terminated() -> Iterator[None]:
    """While a class is graded, SIGTERM raises what Ctrl-C does; only a process's main thread can ask for that."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_: object) -> None:
        raise Stopped

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
