"""Commands for instructors: hand grades to other systems, and grade in one."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated, Optional

import typer
from rich.markup import escape

from autograde import layout
from autograde.checking.errors import UserError
from autograde.commands.shared import INSTRUCTORS, command, console, lessons_beginning
from autograde.exports.visibility import Visibility
from autograde.wording import counted


class Format(str, Enum):
    """Who reads the export."""

    csv = "csv"
    canvas = "canvas"
    moodle = "moodle"
    blackboard = "blackboard"
    brightspace = "brightspace"
    sakai = "sakai"
    ilias = "ilias"
    openolat = "openolat"
    gradescope = "gradescope"


NOBODY = (
    "The file has nobody of this class by an id, an address or a name. Give `autograde roster` a list that has, for each student, the id by which "
    "submissions come and one that is in this file"
)
Shown = Annotated[
    Visibility,
    typer.Option(metavar="WHEN", help="When students see the results on Gradescope: `visible`, `after_due_date` or `after_published`."),
]


@command(
    INSTRUCTORS,
    "autograde export ~/attention-2027 --format csv",
    "autograde export ~/attention-2027 --format csv --lesson 03 --exercises",
    "autograde export ~/attention-2027 --format canvas --roster from-canvas.csv",
    "autograde export ~/attention-2027 --format moodle --lesson 03 --roster Grades-03.csv",
    "autograde export ~/attention-2027 --format openolat --lesson 03",
)
def export(
    results: Annotated[Path, typer.Argument(metavar="RESULTS", help="A results folder of `grade`, or a course directory.")],
    format: Annotated[
        Format,
        typer.Option(
            metavar="SYSTEM",
            help="`csv` for spreadsheets and pandas; `canvas`, `moodle`, `blackboard`, `brightspace`, `sakai`, `ilias`: its gradebook is filled; "
            "`openolat` for its bulk assessment; `gradescope` for results.json.",
        ),
    ],
    roster: Annotated[
        Optional[Path], typer.Option(metavar="FILE", help="The file that the system exported: says who is who, and is filled.")
    ] = None,
    out: Annotated[
        Optional[Path], typer.Option(metavar="PATH", help="The file (gradescope: the folder) to write [default: in RESULTS].")
    ] = None,
    zeros: Annotated[bool, typer.Option("--zeros", help="Nothing handed in is 0 points, not an empty cell.")] = False,
    lesson: Annotated[
        Optional[str], typer.Option(help="This lesson alone, such as `03` [default: all].", autocompletion=lessons_beginning)
    ] = None,
    exercises: Annotated[bool, typer.Option("--exercises", help="With `csv`: a column for each exercise and written answer, too.")] = False,
    visibility: Shown = Visibility.visible,
) -> None:
    """Write grades for other systems: a table, the gradebook of Canvas, Moodle and others, Gradescope's results.

    Points that people gave in formgrader are in them, and late penalties are taken off. For Canvas, Moodle, Blackboard, Brightspace, Sakai and
    ILIAS export the gradebook there first and name that file with `--roster`. The guide `docs/exports.md` goes through each.
    """
    from autograde.exports import marks, not_graded

    filled = format in (Format.moodle, Format.blackboard, Format.brightspace, Format.sakai, Format.ilias)
    if roster and not filled and format is not Format.canvas:
        raise UserError(
            "--roster is the gradebook of a system: use it with --format canvas, moodle, blackboard, brightspace, sakai or ilias"
        )
    if filled and not roster:
        raise UserError(f"--format {format.value} fills the gradebook that the system exported: name that file with --roster")
    found = marks.read(results)
    if lesson:
        found = found.only(layout.resolve(lesson))
    if exercises and not (format is Format.csv and found.written):
        raise UserError("--exercises is for --format csv, and for a folder with a gradebook (gradebook.db)")
    _tell(found, roster)
    for line in not_graded.told(results, found.lessons, zeros):
        console.print(f"[yellow]![/yellow] {escape(line)}", soft_wrap=True)
    if format is Format.csv:
        _write_table(found, out or results / "export.csv", zeros, exercises)
    elif format is Format.canvas:
        _write_canvas(found, roster, results, out, zeros)
    elif format is Format.openolat:
        from autograde.exports import openolat

        _write_sheet(openolat.lines(found, zeros), out or results / "openolat.txt", len(found.lessons))
    elif filled and roster:
        _write_filled(found, roster, format.value, results, out, zeros)
    else:
        _write_gradescope(found, results, out or results / "gradescope", visibility)


@command(INSTRUCTORS, "autograde gradescope 03 autograder.zip")
def gradescope(
    lesson: Annotated[str, typer.Argument(help="A lesson such as `03`.", metavar="LESSON", autocompletion=lessons_beginning)],
    file: Annotated[Path, typer.Argument(metavar="FILE.zip", help="The package to write.")],
    visibility: Shown = Visibility.visible,
    minutes: Annotated[int, typer.Option(min=3, max=40, help="The time limit that the assignment has on Gradescope.")] = 10,
    torch_index: Annotated[
        str, typer.Option(metavar="URL", help="A package index for PyTorch alone, such as that of its CPU builds.")
    ] = "",
) -> None:
    """Build the autograder that Gradescope runs, for one lesson.

    It holds hidden tests and answers: upload it under *Configure Autograder*, and keep it private. The guide `docs/exports.md` says which
    settings the assignment needs.
    """
    from autograde.exports.package import build

    name = layout.resolve(lesson)
    files = build(name, file, visibility, minutes, torch_index)
    console.print(f"[green]✓[/green] {escape(str(file))}: {name}, {len(files)} files, {file.stat().st_size / 1e6:.1f} MB", soft_wrap=True)
    console.print("It holds hidden tests and answers. Upload it under Configure Autograder, and give it to nobody.")


def _tell(found, roster: Path | None) -> None:
    from autograde.grader.results import encodings

    for line in encodings.doubt(roster) if roster else ():
        console.print(f"[yellow]![/yellow] {escape(line)}", soft_wrap=True)
    if not found.written:
        console.print(
            "[yellow]![/yellow] There is no gradebook.db: what people gave or changed since the last `grade` is not in this export."
        )
    if found.waiting:
        console.print(
            f"[yellow]![/yellow] Nobody has graded the written answer of {counted(len(found.waiting), 'submission')}: it counts 0 until then.",
            soft_wrap=True,
        )


def _write_table(found, out: Path, zeros: bool, exercises: bool) -> None:
    from autograde.exports.table import wide
    from autograde.files import write

    write(out, wide(found, zeros, exercises))
    console.print(
        f"[green]✓[/green] {escape(str(out))}: {counted(len({*found.students, *found.roster}), 'student')}, {counted(len(found.lessons), 'lesson')}",
        soft_wrap=True,
    )


def _write_canvas(found, roster: Path | None, results: Path, out: Path | None, zeros: bool) -> None:
    from autograde.exports import canvas

    sheet = canvas.fill(found, roster, zeros, results) if roster else canvas.without_roster(found, zeros)
    if roster is None:
        console.print(
            "[yellow]![/yellow] Without --roster the students' ids stand as SIS Login IDs, and names, IDs and sections are missing. "
            "If Canvas does not find them, export its gradebook and name that file."
        )
    _write_sheet(sheet, out or results / "canvas.csv", len(found.lessons))


def _write_filled(found, roster: Path, system: str, results: Path, out: Path | None, zeros: bool) -> None:
    from autograde.exports import sheets

    sheet = sheets.fill(found, roster, sheets.SYSTEMS[system], results, zeros)
    _write_sheet(sheet, out or results / f"{system}{roster.suffix or '.csv'}", len(found.lessons))


def _write_sheet(sheet, out: Path, lessons: int) -> None:
    from autograde.files import write

    write(out, sheet.content)
    for student in sheet.unmatched:
        console.print(f"[red]✗[/red] {escape(ascii(student)[1:-1])} is not in the roster: not exported", soft_wrap=True)
    if sheet.unmatched and not sheet.filled:
        console.print(f"[yellow]![/yellow] {NOBODY}", soft_wrap=True)
    for note in sheet.notes:
        console.print(f"[yellow]![/yellow] {escape(note)}", soft_wrap=True)
    console.print(f"[green]✓[/green] {escape(str(out))}: {counted(sheet.filled, 'student')}, {counted(lessons, 'lesson')}", soft_wrap=True)


def _write_gradescope(found, results: Path, out: Path, visibility: Visibility) -> None:
    from autograde.exports.results import export as write_results

    written = write_results(found, results, out, visibility)
    console.print(f"[green]✓[/green] {len(written)} files {escape(str(out))}/<lesson>/<student>/results.json", soft_wrap=True)
