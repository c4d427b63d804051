"""Commands for authors: build the notebooks, try the checks."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.table import Table

from autograde.commands.shared import Lessons, app, chosen, console, fail


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
def strength(
    lessons: Lessons = None, verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every specimen.")] = False
) -> None:
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
        caught, known, accepted = (
            sum(flags) for flags in ([f.as_it_should for f in wrong], [f.recognised for f in wrong], [f.as_it_should for f in right])
        )
        table.add_row(bench.source.name, exercise, f"{caught} of {len(wrong)}", str(known), f"{accepted} of {len(right)}")
    for finding in findings:
        if verbose:
            console.print(
                f"  {finding.specimen.exercise}/{finding.specimen.name}: {finding.result.status} {finding.result.score:g}/{finding.result.points:g} — {finding.result.message}"
            )
        if not finding.as_it_should:
            verdict = "survived" if finding.specimen.wrong else f"was rejected ({finding.result.message})"
            complaints.append(f"{bench.source.name}: {finding.specimen.exercise}/{finding.specimen.name} {verdict}")
