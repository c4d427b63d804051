"""Commands for authors: build the notebooks, measure their numbers, try the checks."""

from __future__ import annotations

import time
from typing import Annotated

import typer
from rich.table import Table

from autograde.checking.errors import UserError
from autograde.commands.shared import AUTHORS, Lessons, chosen, command, console, fail

STRENGTH = ("Lesson", "Exercise", "Wrong: caught", "recognised", "Right: accepted")  # the columns of the table


@command(AUTHORS, "autograde build 03", "autograde build --check")
def build(
    lessons: Lessons = None,
    execute: Annotated[bool, typer.Option(help="Run the instructor's notebook and keep its outputs.")] = True,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail when something is out of date.")] = False,
    verified: Annotated[bool, typer.Option("--verified", help="Build nothing; note in the notebooks that `make verify` passed.")] = False,
) -> None:
    """Make the notebooks and the manifest of each lesson from its source in `solutions/`.

    Edit `solutions/NN_name.py`, never a notebook: a build writes `notebooks/NN_name.ipynb`, `solutions/NN_name.ipynb` and
    `autograde/lessons/manifests/NN_name.json` anew. `--no-execute` takes seconds; it keeps the outputs of cells that have not changed.
    """
    from autograde.authoring import executed
    from autograde.authoring.build import build as build_lesson
    from autograde.authoring.build import stale
    from autograde.authoring.measuring.numbers import Numbers
    from autograde.authoring.source import SourceError

    outdated = []
    for name in chosen(lessons):
        began = time.perf_counter()
        try:
            if check:
                outdated += stale(name)
                continue
            if verified:
                outdated += [] if executed.note_verified(name) else [str(executed.stale(name))]
                continue
            built = build_lesson(name, execute)
        except (SourceError, UserError) as error:
            raise fail(str(error), code=1) from None
        console.print(f"[green]✓[/green] {name}: {len(built.paths)} files in {time.perf_counter() - began:.1f} s")
        for line in Numbers(name).stale():
            console.print(f"[yellow]![/yellow] {line}", soft_wrap=True)
    for line in outdated:
        console.print(f"[red]✗[/red] {line}")
    if outdated:
        raise typer.Exit(1)


@command(AUTHORS, "autograde measure 02", "autograde measure 02 --only dates", "autograde measure 02 --again")
def measure(
    lessons: Lessons = None,
    only: Annotated[list[str] | None, typer.Option(help="This experiment alone; may be given several times.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what has not changed since it was measured.")] = False,
) -> None:
    """Measure the numbers that a lesson's text tells: run its experiments over their seeds and keep the results in `docs/measured/NN.json`.

    The experiments are in `benchmarks/lessons/NN_name.py`. Only what has changed is run: an experiment, what it uses of the lesson, or what
    these import. Then `autograde build` puts the numbers into the text.
    """
    from autograde.authoring.measuring import experiments
    from autograde.authoring.measuring.numbers import Numbers

    for name in chosen(lessons):
        found, digests = experiments.experiments(name), experiments.digests(name)
        if unknown := sorted(set(only or ()) - set(found)):
            raise fail(f"lesson {name} has no experiment {unknown[0]!r}; it has {', '.join(found) or 'none'}")
        known = Numbers(name).experiments
        for key, experiment in found.items():
            wanted = key in only if only else again or known.get(key, {}).get("digest") != digests[key]
            if wanted:
                known[key] = {"digest": digests[key], **experiments.measure(name, experiment, console.print)}
                experiments.save(name, {k: known[k] for k in found if k in known})  # one by one: an interrupted run loses only one
        if found:
            path = experiments.save(name, {k: known[k] for k in found if k in known})
            console.print(f"[green]✓[/green] {name}: {path}", soft_wrap=True)


@command(AUTHORS, "autograde strength 03 --verbose")
def strength(
    lessons: Lessons = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every specimen.")] = False,
    save: Annotated[bool, typer.Option("--save", help="Keep the table of all lessons in docs/measured, for the site.")] = False,
) -> None:
    """Try the checks on every known wrong answer and every unusual right one; fail on a survivor or a rejection.

    *caught* counts the wrong answers that lose points, *recognised* those that `check(...)` calls by name, *accepted* the right answers that
    get all points.
    """
    from autograde.authoring import benchmark_tables
    from autograde.authoring.mutation import Bench

    if save and lessons:
        raise fail("--save keeps the table of all lessons: name none")
    rows: list[tuple[str, ...]] = []
    complaints: list[str] = []
    for name in chosen(lessons):
        try:
            rows += _strength_of(Bench(name), complaints, verbose)
        except UserError as error:
            raise fail(str(error), code=1) from None
    table = Table(*STRENGTH, title="Strength of the checks")
    for row in rows:
        table.add_row(*row)
    console.print(table)
    for line in complaints:
        console.print(f"[red]✗[/red] {line}")
    if complaints:
        raise typer.Exit(1)
    console.print("[green]✓[/green] Every wrong answer is caught and every right one accepted.")
    if save:
        console.print(
            f"[green]✓[/green] The table is kept in {benchmark_tables.save('strength', 'All lessons', STRENGTH, rows)}", soft_wrap=True
        )


def _strength_of(bench, complaints: list[str], verbose: bool) -> list[tuple[str, ...]]:
    """A row for each exercise of a lesson; what is not as it should be goes to `complaints`."""
    rows: list[tuple[str, ...]] = []
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
        rows.append((bench.source.name[:2], exercise, f"{caught} of {len(wrong)}", str(known), f"{accepted} of {len(right)}"))
    for finding in findings:
        if verbose:
            console.print(
                f"  {finding.specimen.exercise}/{finding.specimen.name}: {finding.result.status} {finding.result.score:g}/{finding.result.points:g} — {finding.result.message}"
            )
        if not finding.as_it_should:
            verdict = "survived" if finding.specimen.wrong else f"was rejected ({finding.result.message})"
            complaints.append(f"{bench.source.name}: {finding.specimen.exercise}/{finding.specimen.name} {verdict}")
    return rows
