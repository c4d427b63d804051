"""The command that opens the page for written answers."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import tempfile
import webbrowser
from collections.abc import Callable, Iterator
from html import escape as escape_html
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from autograde.checking.errors import UserError
from autograde.commands.shared import INSTRUCTORS, command, console
from autograde.wording import counted

if TYPE_CHECKING:
    from autograde.grader.written.server import Server


@command(INSTRUCTORS, "autograde written ~/attention-2027", "autograde written ~/attention-2027 --no-browser --port 8899")
def written(
    folder: Annotated[Path, typer.Argument(metavar="COURSE", help="A course directory, or a results folder of `grade`.")],
    port: Annotated[int, typer.Option(help="The port to listen on; 0 is a free one.")] = 0,
    browser: Annotated[bool, typer.Option(help="Open the page in a browser.")] = True,
) -> None:
    """Grade the written answers in a browser: one question at a time, by the rubric, without names.

    Points and comments are in nbgrader's gradebook as soon as they are given; formgrader shows the same. The page is only served to this
    machine, at an address that holds a secret. Ctrl-C ends it and makes the feedback pages again.
    """
    from autograde.grader.batch.class_run import refresh_changed
    from autograde.grader.written.server import Server

    if not (folder / "gradebook.db").is_file():
        raise UserError(f"{folder} has no gradebook (gradebook.db): name the folder that `autograde grade` wrote to")
    asyncio.run(_serve(lambda: Server(folder, port), browser))
    pages = refresh_changed(folder)
    console.print(f"[green]✓[/green] {counted(pages, 'feedback page')} made again in {escape(str(folder / 'feedback'))}", soft_wrap=True)


async def _serve(make: Callable[[], Server], browser: bool) -> None:
    """Serve until Ctrl-C or SIGTERM."""
    server, end = make(), asyncio.Event()
    for sign in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(sign, end.set)
    console.print(f"The written answers: {server.address}", soft_wrap=True, markup=False)
    console.print("The address is a secret: who has it can grade. Ctrl-C ends this; nothing that was given is lost.", soft_wrap=True)
    try:
        with _opened(server.address) if browser else contextlib.nullcontext():
            await end.wait()
    finally:
        server.close()


@contextlib.contextmanager
def _opened(address: str) -> Iterator[None]:
    """Open the page by way of a file that only this user can read: a browser's command line is everybody's to see."""
    with tempfile.TemporaryDirectory() as folder:
        way = Path(folder) / "written-answers.html"
        way.write_text(f'<meta http-equiv="refresh" content="0; url={escape_html(address)}">', encoding="utf-8")
        webbrowser.open(way.as_uri())
        yield
