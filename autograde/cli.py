"""The command line: `python -m autograde COMMAND`."""

from __future__ import annotations

import time
from concurrent.futures import BrokenExecutor
from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.console import Console
from rich.table import Table

from autograde import layout

app = typer.Typer(
    help="Build the course's lessons, check answers, and grade a class.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
console = Console(highlight=False)
Lessons = Annotated[Optional[list[str]], typer.Argument(metavar="[LESSON]...", help="Lessons such as `03` (all, when none is named).")]


class Sandbox(str, Enum):
    """How strictly submissions are shut in."""

    required = "required"
    auto = "auto"
    off = "off"


def fail(message: str, code: int = 2) -> typer.Exit:
    """Say what is wrong on standard error; raise what this returns."""
    Console(stderr=True, highlight=False).print(f"[red]autograde:[/red] {message}", markup=True, soft_wrap=True)
    return typer.Exit(code)


def chosen(lessons: list[str] | None) -> list[str]:
    """Full lesson names, or a usage error that lists them."""
    try:
        return [layout.resolve(lesson) for lesson in lessons] if lessons else layout.lesson_names()
    except ValueError as error:
        raise fail(str(error)) from None


@app.command()
def build(
    lessons: Lessons = None,
    execute: Annotated[bool, typer.Option(help="Run the instructor's notebook and keep its outputs.")] = True,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when something is out of date.")] = False,
) -> None:
    """Make the notebooks and the manifest of each lesson from its source in `solutions/`."""
    from autograde.build.lesson import build as build_lesson
    from autograde.build.lesson import stale
    from autograde.build.source import SourceError

    outdated = []
    for name in chosen(lessons):
        began = time.perf_counter()
        try:
            if check:
                outdated += stale(name)
                continue
            built = build_lesson(name, execute)
        except (SourceError, ValueError) as error:
            raise fail(str(error), code=1) from None
        console.print(f"[green]✓[/green] {name}: {len(built.paths)} files in {time.perf_counter() - began:.1f} s")
    for line in outdated:
        console.print(f"[red]✗[/red] {line}")
    if outdated:
        raise typer.Exit(1)


@app.command()
def strength(lessons: Lessons = None, verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every specimen.")] = False) -> None:
    """Try the checks on every known wrong answer and every unusual right one; fail on a survivor or a rejection."""
    from autograde.strength import Bench

    table = Table("Lesson", "Exercise", "Wrong: caught", "recognised", "Right: accepted", title="Strength of the checks")
    complaints: list[str] = []
    for name in chosen(lessons):
        try:
            _strength_of(Bench(name), table, complaints, verbose)
        except ValueError as error:
            raise fail(str(error), code=1) from None
    console.print(table)
    for line in complaints:
        console.print(f"[red]✗[/red] {line}")
    if complaints:
        raise typer.Exit(1)
    console.print("[green]✓[/green] Every wrong answer is caught and every right one accepted.")


def _strength_of(bench, table: Table, complaints: list[str], verbose: bool) -> None:
    for result in bench.try_reference():
        if result.status != "passed":
            complaints.append(f"{bench.source.name}: the reference answer fails {result.exercise}: {result.message}")
    findings = [bench.try_specimen(specimen) for specimen in bench.specimens]
    for exercise in bench.lesson.exercises:
        of_it = [f for f in findings if f.specimen.exercise == exercise]
        wrong, right = [f for f in of_it if f.specimen.wrong], [f for f in of_it if not f.specimen.wrong]
        caught, known, accepted = (sum(flags) for flags in ([f.as_it_should for f in wrong], [f.recognised for f in wrong], [f.as_it_should for f in right]))
        table.add_row(bench.source.name, exercise, f"{caught} of {len(wrong)}", str(known), f"{accepted} of {len(right)}")
    for finding in findings:
        if verbose:
            console.print(f"  {finding.specimen.exercise}/{finding.specimen.name}: {finding.result.status} {finding.result.score:g}/{finding.result.points:g} — {finding.result.message}")
        if not finding.as_it_should:
            verdict = "survived" if finding.specimen.wrong else f"was rejected ({finding.result.message})"
            complaints.append(f"{bench.source.name}: {finding.specimen.exercise}/{finding.specimen.name} {verdict}")


@app.command()
def grade(
    paths: Annotated[list[Path], typer.Argument(help="A course directory, a folder `<student>/<lesson>.ipynb`, or single notebooks.")],
    lesson: Annotated[Optional[str], typer.Option(help="Grade this lesson only, such as `03`.")] = None,
    out: Annotated[Optional[Path], typer.Option(help="Where results go [default: the course directory, else `graded/`].")] = None,
    workers: Annotated[Optional[int], typer.Option(min=1, help="Submissions graded at once [default: one a core].")] = None,
    scheduler: Annotated[Optional[str], typer.Option(metavar="ADDRESS", help="Grade on the workers of this Dask scheduler.")] = None,
    sandbox: Annotated[Sandbox, typer.Option(help="`required` refuses to run where submissions cannot be shut in.")] = Sandbox.required,
) -> None:
    """Grade submissions: `grades.csv`, `exercises.csv`, a feedback page each, and nbgrader's gradebook."""
    from autograde.errors import SandboxUnavailable
    from autograde.grader.classroom import grade_class

    try:
        wanted = layout.resolve(lesson) if lesson else None
        graded = grade_class(paths, wanted, out, workers, scheduler, sandbox.value, console)
    except (ValueError, SandboxUnavailable) as error:
        raise fail(str(error)) from None
    except KeyboardInterrupt:
        raise fail("interrupted; what is graded is kept: the same command goes on from here", code=130) from None
    except BrokenExecutor:
        raise fail("a grading process was killed (is the memory full?); what is graded is kept: try again with fewer --workers", code=1) from None
    except OSError as error:
        raise fail(f"{error}; what is graded so far is kept: mend it and run the same command", code=1) from None
    if not graded:
        raise fail("no submissions were found")


@app.command()
def course(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The course directory to make or complete.")], lessons: Lessons = None
) -> None:
    """Make an nbgrader course directory: `cd DIR && nbgrader formgrader` (in JupyterLab) works on it."""
    from autograde.grader.course import create

    names = chosen(lessons)
    create(folder, names)
    console.print(f"[green]✓[/green] {folder} holds {len(names)} assignments; put submissions in {folder}/submitted/<student>/<lesson>/<lesson>.ipynb")


@app.command()
def release(folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new folder.")]) -> None:
    """Write what students get: no answers, no hidden tests, no misconceptions."""
    from autograde.release import release as write_release

    try:
        files = write_release(folder)
    except ValueError as error:
        raise fail(str(error)) from None
    console.print(f"[green]✓[/green] {len(files)} files in {folder}: hand out the folder, or push it to where the notebooks' first cell fetches it from")


@app.command()
def doctor() -> None:
    """Look for what commonly goes wrong in a set-up, and say how to mend it."""
    from autograde.doctor import examine

    findings = list(examine())
    for finding in findings:
        sign = "[green]✓[/green]" if finding.well else "[red]✗[/red]"
        console.print(f"{sign} {finding.subject}: {finding.words}", soft_wrap=True)
        if not finding.well and finding.remedy:
            console.print(f"    → {finding.remedy}", soft_wrap=True, markup=False)
    if not all(finding.well for finding in findings):
        raise typer.Exit(1)


@app.command()
def demo(out: Annotated[Path, typer.Option(help="Where the sample class and its results go.")] = Path("demo")) -> None:
    """Build a sample class for lesson 03 from files in the repository and grade it."""
    from autograde.demo import LESSON, sample_class
    from autograde.errors import SandboxUnavailable
    from autograde.grader.classroom import grade_class

    samples = sample_class(out / "class")
    console.print(f"{len(samples)} students handed in lesson {LESSON[:2]}: " + ", ".join(f"{s.student} ({s.about})" for s in samples) + ".")
    try:
        grade_class([out / "class"], LESSON, out / "graded", None, None, "auto", console)
    except (ValueError, SandboxUnavailable) as error:
        raise fail(str(error)) from None
