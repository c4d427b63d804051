"""Commands for authors: build the notebooks, measure their numbers, try the checks."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from autograde import layout
from autograde.checking.errors import UserError
from autograde.commands.shared import AUTHORS, Lessons, chosen, command, console, fail

if TYPE_CHECKING:
    from autograde.authoring.measuring.experiments import Experiment
    from autograde.authoring.strength.mutation import Bench


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
        for line in [*Numbers(name).stale(), *built.notes]:
            console.print(f"[yellow]![/yellow] {escape(line)}", soft_wrap=True)
    for line in outdated:
        console.print(f"[red]✗[/red] {line}")
    if outdated:
        raise typer.Exit(1)


@command(AUTHORS, 'autograde new 09_retrieval "Retrieval"', "autograde new 03 looking_distance")
def new(
    lesson: Annotated[
        str, typer.Argument(metavar="LESSON", help="A new lesson, such as `09_retrieval`, or one that is there, such as `03`.")
    ],
    what: Annotated[str, typer.Argument(metavar="TITLE|EXERCISE", help="The new lesson's title, or the name of an exercise to add.")],
) -> None:
    """Make the files of a new lesson, or add an exercise to a lesson: an example with its answer, tests and wrong answers, to be replaced.

    What is made can be built at once and passes its checks. Nothing that is there is written over.
    """
    from autograde.authoring import new as made

    try:
        name = layout.resolve(lesson)
    except UserError:
        name = ""
    try:
        paths = made.new_exercise(name, what) if name else made.new_lesson(lesson, what)
    except ValueError as error:
        raise fail(str(error)) from None
    for path in paths:
        console.print(f"[green]✓[/green] {path.relative_to(layout.ROOT).as_posix()}", markup=True, soft_wrap=True)
    number = (name or lesson)[:2]
    console.print(
        f"Next: `python -m autograde build {number}`, `python -m autograde strength {number}`; docs/authoring.md explains each part.",
        soft_wrap=True,
    )


@command(
    AUTHORS, "autograde measure 02", "autograde measure 02 --only dates", "autograde measure 02 --again", "autograde measure --confirm"
)
def measure(
    lessons: Lessons = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="EXPERIMENT", help="This experiment alone; may be given several times [default: all].")
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Also what has not changed since it was measured.")] = False,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Run one seed only: where it gives the numbers it gave, the others stand, too.")
    ] = False,
) -> None:
    """Measure the numbers that a lesson's text tells: run its experiments over their seeds and keep the results in `docs/measured/NN.json`.

    The experiments are in `benchmarks/lessons/NN_name.py`. Only what has changed is run: an experiment, what it uses of the lesson, or what
    these import. Then `autograde build` puts the numbers into the text.

    After a change that can change no number (types, a message, another function of the same module) `--confirm` runs the last seed alone and
    compares all its numbers with those kept. It fails where one is another.
    """
    from autograde.authoring.measuring import experiments
    from autograde.authoring.measuring.numbers import Numbers

    for name in chosen(lessons):
        found, digests = experiments.experiments(name), experiments.digests(name)
        if unknown := sorted(set(only or ()) - set(found)):
            raise fail(f"lesson {name} has no experiment {unknown[0]!r}; it has {', '.join(found) or 'none'}")
        known = Numbers(name).experiments
        for key, experiment in found.items():
            if key in only if only else again or known.get(key, {}).get("digest") != digests[key]:
                numbers = _confirmed(name, experiment, known[key]) if confirm and key in known else None
                known[key] = {"digest": digests[key], **(numbers or experiments.measure(name, experiment, console.print))}
                experiments.save(name, {k: known[k] for k in found if k in known})  # one by one: an interrupted run loses only one
        if found:
            path = experiments.save(name, {k: known[k] for k in found if k in known})
            console.print(f"[green]✓[/green] {name}: {path}", soft_wrap=True)


def _confirmed(name: str, experiment: Experiment, kept: Mapping[str, Any]) -> dict[str, Any]:
    """What was kept of an experiment, without its digest; where one seed gives another number now, the command fails."""
    from autograde.authoring.measuring import experiments

    if other := experiments.differences(name, experiment, kept):
        command = f"autograde measure {name[:2]} --only {experiment.name}"
        raise fail(f"{name} {experiment.name}: {other[0]}; measure it again: `{command}`", code=1)
    console.print(f"{name[:2]} {experiment.name}: the same numbers")
    return {key: value for key, value in kept.items() if key != "digest"}


@command(AUTHORS, "autograde record 03")
def record(lessons: Lessons = None) -> None:
    """Write the expected values of the public checks to `autograde/lessons/expected/`, from the oracles; `autograde build` does it, too."""
    from autograde.authoring import expected_values
    from autograde.authoring.strength.mutation import Bench

    for name in chosen(lessons):
        try:
            expected_values.write(Bench(name))
        except UserError as error:
            raise fail(str(error), code=1) from None
        console.print(f"[green]✓[/green] {name}")


@command(AUTHORS, "autograde strength 03 --verbose", "autograde strength 03 --unseen", "autograde strength 03 --exercise causal_mask")
def strength(
    lessons: Lessons = None,
    exercise: Annotated[list[str] | None, typer.Option(help="This exercise alone; may be given several times [default: all].")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="List every answer that is tried.")] = False,
    save: Annotated[bool, typer.Option("--save", help="Keep the table of all lessons in docs/measured, for the site.")] = False,
    mutants: Annotated[
        bool,
        typer.Option(
            "--mutants", help="Try changes of the reference answers instead: every one-node change, every kind of mistake; minutes."
        ),
    ] = False,
    unseen: Annotated[
        bool, typer.Option("--unseen", help="List instead the wrong answers that pass all public checks, and what each then loses.")
    ] = False,
    also: Annotated[
        list[Path] | None, typer.Option(help="With --unseen: a file with more wrong answers; may be given several times.")
    ] = None,
) -> None:
    """Try the checks on every known wrong answer, on every unusual right one, and on answers that do nothing.

    *caught* counts the wrong answers that lose points, *recognised* those that `check(...)` calls by name, *accepted* the right answers that
    get all points. It fails where a wrong answer survives, a right one is rejected, an answer that does nothing passes a test that is not
    marked `trivial`, or no wrong answer fails a test.
    """
    import torch

    from autograde.authoring.measuring import benchmark_tables
    from autograde.authoring.strength.mutation import Bench
    from autograde.authoring.strength.report import COLUMNS, measure

    # beside another program, threads wait for each other far longer than they compute, and right answers took too long
    torch.set_num_threads(1)
    if save and (lessons or exercise):
        raise fail("--save keeps the table of all lessons and exercises: name none")
    rows: list[tuple[str, ...]] = []
    complaints: list[str] = []
    try:
        benches = [Bench(name) for name in chosen(lessons)]
    except ValueError as error:
        raise fail(str(error), code=1) from None
    known = {name for bench in benches for name in bench.lesson.exercises}
    if unknown := sorted(set(exercise or ()) - known):
        raise fail(f"there is no exercise {unknown[0]!r}; the exercises are {', '.join(sorted(known))}")
    if also and not unseen:
        raise fail("--also goes with --unseen")
    if mutants:
        return _try_mutants(benches, exercise or ())
    if unseen:
        return _list_unseen(benches, exercise or (), also or ())
    for bench in benches:
        found = measure(bench, exercise or ())
        rows, complaints = rows + found.rows, complaints + found.complaints
        for line in found.tried if verbose else ():
            console.print(f"  {escape(line)}", soft_wrap=True)
    console.print(_table(COLUMNS, rows))
    for line in complaints:
        console.print(f"[red]✗[/red] {escape(line)}", soft_wrap=True)
    if complaints:
        raise typer.Exit(1)
    console.print("[green]✓[/green] Every wrong answer is caught and every right one accepted.")
    if save:
        kept = benchmark_tables.save("strength", "All lessons", COLUMNS, rows)
        console.print(f"[green]✓[/green] The table is kept in {kept}", soft_wrap=True)


def _try_mutants(benches: Sequence[Bench], exercises: Sequence[str]) -> None:
    from autograde.authoring.strength import kinds
    from autograde.authoring.strength.mutants import complaints, of_lesson

    survived = False
    for bench in benches:
        tried = [mutant for mutant in of_lesson(bench) if not exercises or mutant.exercise in exercises]
        found = complaints(bench, tried) + kinds.complaints(bench, exercises)
        for line in found:
            console.print(f"[red]✗[/red] {escape(line)}", soft_wrap=True)
        console.print(f"{bench.source.name}: {len(tried)} changes of one node, {len(found)} not as they should be")
        survived = survived or bool(found)
    if survived:
        raise typer.Exit(1)


def _list_unseen(benches: Sequence[Bench], exercises: Sequence[str], more: Sequence[Path]) -> None:
    from autograde.authoring.strength.mutation import specimens_in
    from autograde.authoring.strength.unseen import MUCH, unseen

    others = [specimen for path in more for specimen in specimens_in(path)]
    for bench in benches:
        found = unseen(bench, [*bench.specimens, *(one for one in others if one.exercise in bench.lesson.exercises)], exercises)
        for one in found:
            console.print(f"  {escape(str(one))}", soft_wrap=True)
        much = sum(one.lost >= MUCH for one in found)
        told = f"wrong answers that pass all public checks: {len(found)}; that lose {MUCH:.0%} or more: {much}"
        console.print(f"{bench.source.name}: {told}", soft_wrap=True)


def _table(columns: Sequence[str], rows: Sequence[tuple[str, ...]]) -> Table:
    """An exercise's name stays whole, however narrow the terminal."""
    table = Table(title="Strength of the checks")
    for column in columns:
        table.add_column(column, no_wrap=column == "Exercise")
    for row in rows:
        table.add_row(*row)
    return table
