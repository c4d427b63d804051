"""What every command shares: the application, its console, and how an error is said."""

from __future__ import annotations

from typing import Annotated, Optional

import typer
from rich.console import Console

from autograde import layout

app = typer.Typer(
    help="Build the course's lessons, check answers, and grade a class.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
console = Console(highlight=False)
Lessons = Annotated[Optional[list[str]], typer.Argument(metavar="[LESSON]...", help="Lessons such as `03` (all, when none is named).")]


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
