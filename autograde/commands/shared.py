"""What every command shares: the application, its console, how an example is shown, and how an error is said."""

from __future__ import annotations

import errno
from collections.abc import Callable
from functools import wraps
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, Optional

import typer
from rich.console import Console
from rich.markup import escape
from typer.core import TyperCommand, TyperGroup

from autograde import layout
from autograde.checking.errors import UserError
from autograde.commands.system_errors import in_words

STUDENTS, INSTRUCTORS, AUTHORS = "For students", "For instructors", "For authors"  # the panels of --help

HELP = "The commands of *Attention and language modelling for agents*. `autograde COMMAND --help` explains a command and gives examples."
MORE = "Something does not work? `autograde doctor` looks for the common causes. Tab completion: `autograde --install-completion`."


def _as_it_is_typed(params: list[Any]) -> list[Any]:
    """An argument shows its name, an option a name for its value, and one that takes none shows none: no `<list[Path]>`, which Python calls it."""
    for param in params:
        described = getattr(param, "type_descriptor", None)  # older versions of Typer have none, and show types in a way of their own
        if param.param_type_name == "argument":
            param.display_type_rich = lambda ctx: None
        elif param.metavar is None and param.is_flag:
            param.metavar = ""
        elif param.metavar is None and described and not described.is_choice:
            param.metavar = param.name.upper()
    return params


class _Command(TyperCommand):
    def get_params(self, ctx: Any) -> list[Any]:
        return _as_it_is_typed(super().get_params(ctx))


class _Group(TyperGroup):
    def get_params(self, ctx: Any) -> list[Any]:
        return _as_it_is_typed(super().get_params(ctx))


app = typer.Typer(
    cls=_Group,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)
console = Console(highlight=False)


def _version(wanted: bool) -> None:
    if not wanted:
        return
    try:
        number = version("attention-course")
    except PackageNotFoundError:
        number = "(not installed)"
    console.print(f"attention-course {number} in {layout.ROOT}", markup=False, soft_wrap=True)
    raise typer.Exit


@app.callback(help=HELP, epilog=MORE)
def _course(
    show_version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is, and where it lies.")
    ] = False,
) -> None:
    pass


def command(readers: str, *examples: str) -> Callable[[Callable], Callable]:
    """Add a command to its readers' panel; its --help ends with the examples, each as it is typed."""
    lines = ["Examples:" if len(examples) > 1 else "Example:", *(f"- `{line}`" for line in examples)]
    added = app.command(cls=_Command, rich_help_panel=readers, epilog="\n\n".join(lines))
    return lambda function: added(_in_a_line(function))


def _in_a_line(function: Callable) -> Callable:
    """The command, which says in a line what it cannot do, or the system does not let it do."""

    @wraps(function)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except UserError as error:
            raise fail(str(error)) from None
        except UnicodeEncodeError as error:  # a name of a file, on a machine that is set to a few letters
            lacking = error.object[error.start : error.end]
            raise fail(f"this terminal's setting has no {lacking!r}, which a file's name has: type `export LC_ALL=C.UTF-8` first") from None
        except OSError as error:
            if error.errno == errno.EPIPE:  # who reads the output has seen enough; Typer ends quietly
                raise
            raise fail(in_words(error)) from None

    return run


def lessons_beginning(incomplete: str) -> list[str]:
    """What the Tab key offers for a lesson."""
    return [name for name in layout.lesson_names() if name.startswith(incomplete)]


Lessons = Annotated[
    Optional[list[str]],
    typer.Argument(metavar="LESSON", help="Lessons such as `03` (all, when none is named).", autocompletion=lessons_beginning),
]


def fail(message: str, code: int = 2) -> typer.Exit:
    """Say what is wrong on standard error; raise what this returns."""
    Console(stderr=True, highlight=False).print(f"[red]autograde:[/red] {escape(message)}", soft_wrap=True)
    return typer.Exit(code)


def chosen(lessons: list[str] | None) -> list[str]:
    """Full lesson names, or a usage error that lists them."""
    try:
        return [layout.resolve(lesson) for lesson in lessons] if lessons else layout.lesson_names()
    except UserError as error:
        raise fail(str(error)) from None
