"""Commands for everybody who works in the course."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich import box
from rich.markup import escape
from rich.table import Table

from autograde import layout
from autograde.commands.shared import STUDENTS, command, console
from autograde.wording import counted


class Reader(str, Enum):
    """Whose needs `doctor` looks at."""

    students = "students"
    graders = "graders"


COLOURS = {"passed": "green", "not begun": "dim"}


@command(
    STUDENTS,
    "autograde progress",
    "autograde progress --html progress.html",
    "autograde progress notebooks/03_self_attention.ipynb ~/Downloads",
)
def progress(
    paths: Annotated[
        Optional[list[Path]], typer.Argument(metavar="PATH", help="Notebooks, or folders of them [default: the course's notebooks/].")
    ] = None,
    html: Annotated[Optional[Path], typer.Option(metavar="FILE", help="Write it as a page, too, to open in a browser.")] = None,
) -> None:
    """Show how far you are: each exercise of the lessons you have begun, its points, the minutes left, and what to do next.

    It reads what the check cells said last, as it is saved in your notebooks, and runs nothing: save a notebook first, and run a
    check again when you have changed its answer.
    """
    from autograde.progress import HEADS, next_step, other_copy, read_all, steps, total

    lessons = read_all(paths or [layout.NOTEBOOKS])
    table = Table("Lesson", title="Your progress, by the public checks", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    table.add_column(HEADS[0], no_wrap=True)  # a name is whole in 80 columns; states take another line
    table.add_column(HEADS[1])
    for name in HEADS[2:]:
        table.add_column(name, justify="right")
    for lesson in lessons:
        if not lesson.older:
            _add(table, lesson)
    console.print(table)
    for lesson in lessons:
        if lesson.begun and not lesson.older:
            console.print(f"{lesson.name[:2]}   {steps(lesson)}", soft_wrap=True)
    console.print(total(lessons), highlight=False)
    for lesson in lessons:
        if lesson.older:
            console.print(f"[dim]{escape(other_copy(lesson))}[/]", soft_wrap=True)
        if lesson.trouble:
            console.print(f"[red]✗[/red] {escape(f'{lesson.path}: {lesson.trouble}')}", soft_wrap=True)
    console.print(f"[bold]Next:[/bold] {escape(next_step(lessons))}", soft_wrap=True)
    if html:
        _write_page(lessons, html)


def _write_page(lessons, path: Path) -> None:
    from autograde.progress_page import page

    path.write_text(page(lessons), encoding="utf-8")
    console.print(f"[green]✓[/green] {escape(str(path))}", soft_wrap=True)


def _add(table: Table, lesson) -> None:
    if lesson.begun:
        for standing in lesson.standings:
            name, state, points, left = map(escape, standing.cells)
            colour = COLOURS.get(standing.state, "yellow")
            table.add_row(lesson.name[:2], name, f"[{colour}]{state}[/]", points, left)
    words = "together" if lesson.begun else "cannot be read" if lesson.trouble else "· not begun"
    sums = (counted(len(lesson.standings), "exercise"), words, f"{lesson.score:g} / {lesson.points:g}", str(lesson.minutes_left or ""))
    table.add_row(lesson.name[:2], *sums, style="bold" if lesson.begun else "dim", end_section=lesson.begun)


@command(STUDENTS, "autograde doctor", "autograde doctor --only students")
def doctor(
    only: Annotated[Optional[Reader], typer.Option(help="Look only at what these need [default: what both need].")] = None,
) -> None:
    """Look for what commonly goes wrong in a set-up, and say how to fix it.

    For students: Python's version, the environment, packages, PyTorch and the GPU, the kernel, which copy of the course is used, the notebooks,
    the encoding of text, disk and home. For graders: the search path, nbgrader's page in JupyterLab, open files, the sandbox,
    and, run in a class's folder, its configuration.

    The exit status is 0 when all is well, and 1 when something is not.
    """
    from autograde.doctor import GROUPS, examine

    well = True
    for group, words in GROUPS.items():
        findings = list(examine(group)) if only is None or only.value == group else []
        if findings:
            console.print(f"[bold]{words}[/bold]")
        for finding in findings:
            well &= finding.well
            sign = "[green]✓[/green]" if finding.well else "[red]✗[/red]"
            console.print(f"{sign} {escape(f'{finding.subject}: {finding.words}')}", soft_wrap=True)
            if not finding.well and finding.remedy:
                console.print(f"    → {finding.remedy}", soft_wrap=True, markup=False)
    if not well:
        raise typer.Exit(1)
