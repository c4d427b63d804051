"""Commands for instructors: hand out, grade, and see it done on a sample class."""

from __future__ import annotations

from concurrent.futures import BrokenExecutor
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer
from rich.markup import escape

from autograde import layout
from autograde.checking.errors import UserError
from autograde.checking.manifest import read_manifest
from autograde.commands.shared import INSTRUCTORS, Lessons, chosen, command, console, fail, lessons_beginning
from autograde.commands.system_errors import in_words
from autograde.grader.sandbox.modes import Mode
from autograde.wording import counted

if TYPE_CHECKING:
    from autograde.grader.gradebook.standing import Standing


class Sandbox(str, Enum):
    """How strictly submissions are isolated."""

    required = Mode.REQUIRED.value
    auto = Mode.AUTO.value
    off = Mode.OFF.value


@command(INSTRUCTORS, "autograde demo", "autograde demo --out trial")
def demo(out: Annotated[Path, typer.Option(metavar="DIR", help="Where the sample class and its results go.")] = Path("demo")) -> None:
    """See it done: a sample class hands in lesson 03, and is graded.

    The 14 submissions are made from files in the repository: right, wrong, half done, broken, hanging, renamed. Open the class page and a
    feedback page afterwards; the last line says where they are.
    """
    from autograde.grader.batch import pool

    pool.get_ready_for([out / "graded"])
    from autograde.authoring.sample_class import LESSON, sample_class
    from autograde.checking.errors import SandboxUnavailable
    from autograde.grader.batch.class_run import grade_class

    samples = sample_class(out / "class")
    console.print(f"{len(samples)} students handed in lesson {LESSON[:2]}: " + ", ".join(f"{s.student} ({s.about})" for s in samples) + ".")
    try:
        grade_class([out / "class"], LESSON, out / "graded", None, None, Mode.AUTO, console)
    except SandboxUnavailable as error:
        raise fail(str(error)) from None


@command(
    INSTRUCTORS,
    "autograde release ~/attention-release --repository https://github.com/you/your-course.git",
    "autograde release ~/attention-release 01 03 04",
)
def release(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder, or an earlier release to bring up to date.")],
    lessons: Lessons = None,
    repository: Annotated[
        str, typer.Option(metavar="URL", help="Where you will publish it, for the notebooks' first cell; else as in pyproject.toml.")
    ] = "",
) -> None:
    """Write what students get: no answers, no hidden tests, no misconceptions.

    The notebooks are made from `solutions/`, whatever lies in `notebooks/`. A folder that an earlier release wrote is brought up to date, with
    its lessons and its address where you name no others, and what else is in it, such as `.git`, stays. Any other folder must be new or empty.
    """
    from autograde.authoring.release import release as write_release

    files = write_release(folder, chosen(lessons) if lessons else [], repository)
    names = [path.stem[:2] for path in files if path.suffix == ".ipynb"]
    told = f"{len(files)} files, {'lesson' if len(names) == 1 else 'lessons'} {', '.join(names)}, in {folder}"
    console.print(f"[green]✓[/green] {escape(told)}", soft_wrap=True)
    console.print(
        "Hand out the folder, or push it, in a repository of its own, to where the notebooks' first cell fetches it from.", soft_wrap=True
    )


@command(INSTRUCTORS, "autograde course ~/attention-2027", "autograde course ~/attention-2027 01 03 04")
def course(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The course directory to make or complete.")], lessons: Lessons = None
) -> None:
    """Make your class's folder: an nbgrader course directory, in which formgrader and nbgrader's commands work.

    Put submissions into `DIR/submitted/<student>/<lesson>/` and type `autograde grade DIR`. For formgrader type `cd DIR` and `jupyter lab`, and
    open it in the menu *Nbgrader*. A second run brings the folder up to date and adds the lessons that you name, and leaves grades alone.
    """
    from autograde.grader.gradebook import extensions
    from autograde.grader.gradebook.course_dir import create, held
    from autograde.grader.gradebook.record import explained

    with explained(folder):
        granted = extensions.told(folder)
        create(folder, chosen(lessons) if lessons else held(folder) or chosen(None))
    names = [name[:2] for name in held(folder)]
    told = f"{folder} holds {'lesson' if len(names) == 1 else 'lessons'} {', '.join(names)}."
    console.print(f"[green]✓[/green] {escape(told)}", soft_wrap=True)
    if granted:
        console.print(f"[yellow]![/yellow] {escape(granted)}", soft_wrap=True)
    console.print(f"Put submissions in {escape(str(folder))}/submitted/<student>/<lesson>/<lesson>.ipynb", soft_wrap=True)


@command(
    INSTRUCTORS,
    "autograde collect ~/Downloads/submissions.zip --into ~/attention-2027 --dry-run",
    "autograde collect ~/Downloads/*.ipynb --into ~/attention-2027 --lesson 03",
)
def collect(
    sources: Annotated[list[Path], typer.Argument(metavar="SOURCE", help="Zips of a learning system, folders, or single files.")],
    into: Annotated[Path, typer.Option(metavar="COURSE", help="Your class's folder.")],
    lesson: Annotated[
        Optional[str],
        typer.Option(
            help="They are of this lesson, whatever their names say [default: what they hold tells].", autocompletion=lessons_beginning
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Bring what students handed in, from anywhere, into your class's folder.

    Canvas's, Moodle's, Gradescope's, Blackboard's and Brightspace's downloads, folders, zips and single files are read; lesson and student are
    told by content and by name. Nothing is overwritten, and a second call brings what is new. The last lines say what was not taken, and why.
    """
    from autograde.grader.batch.lock import only_one
    from autograde.grader.gradebook import roster
    from autograde.grader.gradebook.due_dates import due_dates
    from autograde.grader.ingest.brought import show
    from autograde.grader.ingest.collect import collect as bring
    from autograde.grader.ingest.whose.by_list import Listed

    listed = Listed(roster.names(into), roster.finder(into), roster.lessons(into))
    wanted, due = layout.resolve(lesson) if lesson else None, due_dates(into)
    if dry_run:
        found = bring(sources, into, wanted, True, due, listed)
    else:
        with only_one(into):
            found = bring(sources, into, wanted, False, due, listed)
    show(found, console)
    if not found.rows:
        raise fail("no notebooks were found; the lines above say what was seen")
    done = "would be" if dry_run else "is" if len(found.rows) == 1 else "are"
    fresh = sum(row.state != "known" for row in found.rows)
    console.print(f"{counted(len(found.rows), 'submission')} {done} in {escape(str(into))}/submitted, {fresh} of them new.", soft_wrap=True)
    if fresh and not dry_run:
        console.print(f"Next: python -m autograde grade {escape(str(into))}", soft_wrap=True)


LATE = typer.Option(
    metavar="RULE", help="What being late costs: `10%/day`, `5%/hour up to 50%`, `2 points/day` or `none` [default: as it was set before]."
)


@command(
    INSTRUCTORS,
    "autograde grade ~/attention-2027 --lesson 03",
    'autograde grade ~/attention-2027 --late "10%/day"',
    "autograde grade submissions/ --lesson 03 --out results --workers 2",
)
def grade(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="PATH",
            help="A course directory or a student's folder in it, a folder `<student>/<lesson>.ipynb`, a learning system's zip, or single notebooks.",
        ),
    ],
    lesson: Annotated[
        Optional[str], typer.Option(help="Grade this lesson only, such as `03` [default: all].", autocompletion=lessons_beginning)
    ] = None,
    out: Annotated[
        Optional[Path], typer.Option(metavar="DIR", help="Where results go [default: the course directory, else `graded/`].")
    ] = None,
    workers: Annotated[Optional[int], typer.Option(metavar="N", min=1, help="Submissions graded at once [default: one a core].")] = None,
    scheduler: Annotated[Optional[str], typer.Option(metavar="ADDRESS", help="Grade on the workers of this Dask scheduler.")] = None,
    sandbox: Annotated[
        Sandbox,
        typer.Option(
            help="`required` refuses to run where submissions cannot be isolated; `auto` says what is missing and goes on; `off` is for your own code."
        ),
    ] = Sandbox.required,
    late: Annotated[Optional[str], LATE] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show the grader's log here, too; it is kept in OUT/grader.log.")
    ] = False,
) -> None:
    """Grade submissions: a class page, a feedback page each, `grades.csv`, `exercises.csv`, and nbgrader's gradebook.

    Submitted code runs in a sandbox, in another process than the tests. What has not changed since the last run is not run again, and after an
    interruption the same command goes on where it stopped. The exit status is 0 when every submission got a result, whatever its score.

    `--late` is kept for later calls, as if `autograde due` had set it; due dates and more time for one student are set there.
    """
    from autograde.grader.batch import pool

    if not scheduler:
        pool.get_ready_for([out] if out else [*paths, Path("graded")])
    from autograde.checking.errors import SandboxUnavailable
    from autograde.grader.batch.class_run import Stopped, grade_class
    from autograde.grader.batch.log_file import shown_on

    if verbose:
        shown_on(console)
    try:
        wanted = layout.resolve(lesson) if lesson else None
        graded = grade_class(paths, wanted, out, workers, scheduler, Mode(sandbox.value), console, late)
    except (UserError, SandboxUnavailable) as error:
        raise fail(str(error)) from None
    except KeyboardInterrupt as stop:
        raise fail(
            "stopped; what is graded is kept: the same command goes on from here", code=143 if isinstance(stop, Stopped) else 130
        ) from None
    except BrokenExecutor as error:
        raise fail(
            f"a grading process was killed (is the memory full?); what is graded is kept: try again with fewer --workers ({error})", code=1
        ) from None
    except OSError as error:
        raise fail(f"{in_words(error)}; what is graded so far is kept: fix it and run the same command again to resume", code=1) from None
    if not graded:
        raise fail(
            "no submissions were found: they are looked for as <student>/<lesson>.ipynb, <student>/<lesson>/<lesson>.ipynb, or in submitted/"
        )


@command(INSTRUCTORS, "autograde feedback ~/attention-2027", "autograde feedback ~/attention-2027 --mail ~/mail --lesson 03")
def feedback(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A course directory, or a results folder of `grade`.")],
    mail: Annotated[
        Optional[Path], typer.Option(metavar="DIR", help="Write a message for each student there: files for a mail program.")
    ] = None,
    lesson: Annotated[
        Optional[str],
        typer.Option(help="Put only this lesson into the messages, such as `03` [default: all].", autocompletion=lessons_beginning),
    ] = None,
    sender: Annotated[
        str, typer.Option("--from", metavar="ADDRESS", help="Who the messages are from [default: whom your mail program names].")
    ] = "",
    compare: Annotated[
        str, typer.Option(metavar="DIR", help="Show another term beside this one on the class page: its folder, or `none` to end that.")
    ] = "",
) -> None:
    """Make all pages again from the gradebook: the students' feedback, the class page, the answers by exercise.

    Do this when points, comments, extensions, due dates or names have changed in the gradebook, and before pages are sent. Nothing is graded.
    With `--mail` there is a message for each student whose address the roster has, with the pages attached. Nothing is sent. `--compare` is kept
    for later calls, of `grade` too: shares and medians of the other term, and nothing about anybody in it.
    """
    from autograde.grader.batch.class_run import refresh

    if compare:
        _keep_other_term(results, compare)
    pages = refresh(results)
    console.print(f"[green]✓[/green] {counted(pages, 'feedback page')} in {escape(str(results / 'feedback'))}", soft_wrap=True)
    if mail:
        _write_mail(results, mail, chosen([lesson] if lesson else None), sender)


def _keep_other_term(results: Path, other: str) -> None:
    from autograde.grader.batch.class_run import must_hold_grades
    from autograde.grader.pages.terms import keep

    must_hold_grades(results)
    keep(results, other, _recorded)


def _recorded(folder: Path) -> list[Standing]:
    """What the gradebook in a folder says of each submission that counts; nothing where there is none."""
    from autograde.grader.gradebook.course_dir import open_gradebook
    from autograde.grader.gradebook.record import explained
    from autograde.grader.gradebook.roster import in_class
    from autograde.grader.gradebook.standing import standings

    if not (folder / "gradebook.db").is_file():
        return []
    counts = in_class(folder)
    with explained(folder), open_gradebook(folder) as gradebook:
        return [standing for standing in standings(gradebook) if counts((standing.student, standing.lesson))]


def _write_mail(results: Path, out: Path, lessons: list[str], sender: str) -> None:
    from autograde.grader.gradebook import roster as rosters
    from autograde.grader.pages.mail import save

    made = save(results, out, _recorded(results), rosters.read(results), lessons, sender)
    if not made.files:
        why = f": the roster has no address of {', '.join(made.without)}" if made.without else ": no submission of these lessons has a page"
        raise UserError(f"no message was written{why}")
    if made.waiting:
        console.print(f"[yellow]![/yellow] Written answers not graded yet: {escape(', '.join(made.waiting))}", soft_wrap=True)
    if made.without:
        console.print(f"[red]✗[/red] No address in the roster: {escape(', '.join(made.without))}", soft_wrap=True)
    console.print(f"[green]✓[/green] {counted(len(made.files), 'message')} in {escape(str(out))}", soft_wrap=True)


@command(
    INSTRUCTORS,
    'autograde comment ~/attention-2027 03 causal_mask "A word may look at *itself*, too." --like dev',
    'autograde comment ~/attention-2027 03 causal_mask "Begin above the diagonal." --like dev --same-code',
)
def comment(
    course: Annotated[Path, typer.Argument(metavar="COURSE", help="The course directory, or a results folder of `grade`.")],
    lesson: Annotated[str, typer.Argument(metavar="LESSON", help="Such as `03`.", autocompletion=lessons_beginning)],
    exercise: Annotated[str, typer.Argument(metavar="EXERCISE", help="Such as `causal_mask`.")],
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The comment; in quotes.")],
    like: Annotated[
        str, typer.Option(metavar="ID", help="A student (id or name) whose answer went wrong in the way that you write about.")
    ],
    same_code: Annotated[
        bool, typer.Option("--same-code", help="Only for those who wrote the same code, but for names, comments and layout.")
    ] = False,
) -> None:
    """Write one comment for all whose answer went wrong in the same way: the groups of the class page's answers by exercise.

    It goes to nbgrader's gradebook, and the feedback pages are made again. A comment that is there already stays above it.
    """
    from autograde.grader.batch.class_run import comment as write_comment

    name = layout.resolve(lesson)
    if exercise not in read_manifest(name)["exercises"]:
        raise UserError(f"lesson {name[:2]} has no exercise {exercise}; it has {', '.join(read_manifest(name)['exercises'])}")
    students = write_comment(course, name, exercise, like, text, same_code)
    console.print(f"[green]✓[/green] {counted(len(students), 'student')}: {escape(', '.join(students))}", soft_wrap=True)


@command(
    INSTRUCTORS,
    'autograde due ~/attention-2027 03 "2027-03-01 23:59 UTC"',
    'autograde due ~/attention-2027 03 "+2 days" --student ann',
    'autograde due ~/attention-2027 --late "10%/day"',
)
def due(
    course: Annotated[Path, typer.Argument(metavar="COURSE", help="The course directory.")],
    lesson: Annotated[Optional[str], typer.Argument(metavar="LESSON", help="Such as `03`.", autocompletion=lessons_beginning)] = None,
    when: Annotated[Optional[str], typer.Argument(metavar="WHEN", help="A time with its zone; with --student how much more.")] = None,
    student: Annotated[Optional[str], typer.Option(metavar="ID", help="Give this student more time.")] = None,
    late: Annotated[Optional[str], LATE] = None,
) -> None:
    """Say when lessons are due, who has more time, and what being late costs. Without more than COURSE: show it.

    All of it stands in nbgrader's gradebook and configuration. A per cent is of the points that the submission earned, for each day or
    hour that has begun. What changes is worked out anew for everything graded so far.
    """
    from autograde.grader.batch.class_run import refresh_changed
    from autograde.grader.gradebook import schedule

    if late:
        schedule.set_rule(course, late)
    if lesson or when or student:
        if not (lesson and when):
            raise UserError('name the lesson and the time, as in `autograde due COURSE 03 "2027-03-01 23:59 UTC"`')
        name = layout.resolve(lesson)
        schedule.extend(course, name, student, when) if student else schedule.set_due(course, name, when)
    if late or when:
        refresh_changed(course)
    for line in schedule.told(course):
        console.print(line, markup=False, soft_wrap=True)


@command(INSTRUCTORS, "autograde roster ~/downloads/students.csv ~/attention-2027")
def roster(
    file: Annotated[Path, typer.Argument(metavar="CSV", help="Canvas's gradebook, Moodle's participants, or any CSV with ids and names.")],
    course: Annotated[Path, typer.Argument(metavar="DIR", help="The course directory.")],
) -> None:
    """Say who is in the class: names for formgrader and all pages, sections, and who has handed in nothing.

    The id is the one by which submissions come, the name of a student's folder; who comes by another one is found by name, e-mail address or
    any other id in the file. Type it again when the list has changed.
    """
    from autograde.grader.batch.class_run import refresh_changed
    from autograde.grader.gradebook import roster as rosters
    from autograde.grader.gradebook.course_dir import open_gradebook
    from autograde.grader.gradebook.record import explained

    people = rosters.parse(file)
    course.mkdir(parents=True, exist_ok=True)
    with explained(course), open_gradebook(course) as gradebook:
        rosters.save(people, course, gradebook)
    pages = refresh_changed(course)
    sections = len({person.section for person in people if person.section})
    again = f"; {counted(pages, 'page')} made again" if pages else ""
    console.print(f"[green]✓[/green] {counted(len(people), 'student')}, {counted(sections, 'section')}{again}.", soft_wrap=True)
    for line in (
        *rosters.spelled_otherwise(file),
        *rosters.without_ids(file),
        *rosters.of_several_ids(course),
        *rosters.doubled(course),
        *rosters.unlisted(course),
    ):
        console.print(f"[yellow]![/yellow] {escape(line)}", soft_wrap=True)
