"""The command line teaches: examples that parse, errors that say what to do, completion, and students' commands alone in a release."""

import os
import re
import shlex
import subprocess
import sys

import pytest
import typer
from typer.testing import CliRunner

from autograde import layout
from autograde.authoring import release
from autograde.cli import app
from tests import shared

COMMANDS = typer.main.get_command(app).commands
RUN = CliRunner()


def said(result):
    return " ".join((result.output + result.stderr).split())


@pytest.mark.parametrize("name", COMMANDS)
def test_help_explains_and_its_examples_parse(name):
    command = COMMANDS[name]
    shown = RUN.invoke(app, [name, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0 and len(command.help.split()) > 8
    assert "<bool>" not in shown.output  # nothing is typed after a flag
    assert command.rich_help_panel in ("For students", "For instructors", "For authors")
    listed = re.findall(r"- `autograde (.+)`", command.epilog or "")
    assert listed
    for example in listed:
        first, *rest = shlex.split(example)
        assert first == name and command.make_context(name, rest)
        assert example in shown.output


def test_the_first_help_names_every_reader_and_command():
    shown = RUN.invoke(app, ["--help"]).output
    assert all(word in shown for word in [*COMMANDS, "For students", "For instructors", "For authors", "--install-completion"])


def test_version():
    result = RUN.invoke(app, ["--version"])
    assert result.exit_code == 0 and re.search(r"attention-course \d+\.\d+", result.output)


@pytest.mark.parametrize(
    "arguments", [["build", "99"], ["grade", "."], ["grade", ".", "--lesson", "99"], ["nonsense"], ["grade"], ["release"]]
)
def test_bad_usage_is_status_2(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 2 and said(result)
    if "99" in arguments:
        assert all(lesson in said(result) for lesson in layout.lesson_names())


@pytest.mark.parametrize(
    "arguments", [["release", "a/x", "--repository", shared.REPOSITORY], ["course", "a/x", "03"], ["gradescope", "03", "a/x.zip"]]
)
def test_a_place_that_cannot_be_written_to_is_one_line(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_text("a file, not a folder")
    result = RUN.invoke(app, arguments)
    assert result.exit_code == 2 and "cannot be written" in said(result) and isinstance(result.exception, SystemExit)


@pytest.mark.parametrize(
    "typed, offered",
    [("autograde build 0", "03_self_attention"), ("autograde grade x --lesson 0", "03_self_attention"), ("autograde pro", "progress")],
)
def test_the_tab_key_completes_commands_and_lessons(typed, offered):
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1), "_AUTOGRADE_COMPLETE": "complete_bash"}
    code = "from autograde.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **words}, capture_output=True, text=True, cwd=layout.ROOT)
    assert offered in done.stdout.split()


def test_the_tab_key_does_not_wait_for_torch():
    """A shell starts the command anew for each press of the key, and --help and --version do too."""
    code = "import sys, autograde.cli; print(sorted({'torch', 'numpy', 'nbformat', 'nbgrader'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=layout.ROOT).stdout == "[]\n"


@pytest.mark.slow
def test_a_release_has_the_students_commands_alone(tmp_path):
    release.release(tmp_path / "course", repository=shared.REPOSITORY)

    def run(*arguments):
        command = [sys.executable, "-m", "autograde", *arguments]
        return subprocess.run(command, cwd=tmp_path / "course", capture_output=True, text=True)

    shown = run("--help").stdout
    assert "progress" in shown and "doctor" in shown
    assert not any(re.search(rf"│ {name} ", shown) for name in ("grade", "build", "strength", "release", "export"))
    assert "0 of " in run("progress").stdout
    looked = run("doctor").stdout
    assert "To work on the lessons" in looked and "To grade" not in looked and str(tmp_path / "course") in looked
