"""The command line teaches: examples that parse, errors that say what to do, completion, and students' commands alone in a release."""

import errno
import os
import re
import runpy
import shlex
import subprocess
import sys
from types import SimpleNamespace

import pytest
import typer
from typer.testing import CliRunner

from autograde import files, layout
from autograde.authoring import release
from autograde.cli import app
from autograde.commands.shared import _as_it_is_typed
from autograde.files import PART
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
    assert not re.search(r"<(bool|str|int|path|float|list)\b", shown.output)  # what is typed, not what Python calls it
    assert command.rich_help_panel in ("For students", "For instructors", "For authors")
    listed = re.findall(r"- `autograde (.+)`", command.epilog or "")
    assert listed
    for example in listed:
        first, *rest = shlex.split(example)
        assert first == name and command.make_context(name, rest)
        assert example in shown.output


@pytest.mark.parametrize("name", COMMANDS)
def test_what_can_be_chosen_is_read_in_one_piece_at_80_columns(name):
    """`export --help` cut the names of three systems in two."""
    shown = RUN.invoke(app, [name, "--help"], env={"COLUMNS": "80"}).output
    choices = [str(getattr(c, "value", c)) for p in COMMANDS[name].params if p.type_descriptor.is_choice for c in p.type_descriptor.choices]
    assert [choice for choice in choices if not re.search(rf"\b{choice}\b", shown)] == []


def test_options_of_an_older_typer_are_left_as_they_are():
    option = SimpleNamespace(param_type_name="option", metavar=None, is_flag=False, name="out")
    assert _as_it_is_typed([option]) == [option] and option.metavar is None


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_that_takes_a_part_says_what_is_taken_without_it(name):
    parts = [option for option in COMMANDS[name].params if {"--lesson", "--only", "--exercise", "--late", "--from"} & set(option.opts)]
    assert [option.opts for option in parts if "[default: " not in option.help] == []


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
    "arguments",
    [
        pytest.param(["release", "a/x", "--repository", shared.REPOSITORY], marks=pytest.mark.slow), ["course", "a/x", "03"], ["gradescope", "03", "a/x.zip"], ["demo", "--out", "a/x"],
        ["roster", "who.csv", "a/x"], ["progress", "--html", "a/x.html"], ["export", ".", "--format", "csv", "--out", "a/x.csv"],
    ],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_a_place_that_cannot_be_written_to_is_one_line(arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_text("a file, not a folder")
    (tmp_path / "who.csv").write_text("student_id,name\nann,Ann Lee\n")
    (tmp_path / "grades.csv").write_text("student_id,assignment,score,max_score,status\nann,03_self_attention,1,24,graded\n")
    (tmp_path / "exercises.csv").write_text("student_id,assignment,exercise,score,max_score,status,message\n")
    result = RUN.invoke(app, arguments)
    [line] = result.stderr.splitlines()
    assert result.exit_code == 2 and "cannot be written" in line and isinstance(result.exception, SystemExit)
    assert PART not in line and "another place" in line


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "No space left on device: make room"),
        (PermissionError(errno.EACCES, "Permission denied", "a/grades.csv"), "a/grades.csv cannot be written or read (Permission denied): make it"),
        (OSError(errno.EROFS, "Read-only file system", f"a/{PART}x1.part"), "a cannot be written or read (Read-only file system): make it"),
        (OSError(errno.EADDRINUSE, "Address already in use"), "Address already in use: another program has this port"),
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/a", None, "b/c"), "b/c cannot be written or read (No space left on device): make room"),
        (OSError("The disk is full: make room"), "The disk is full: make room"),
        (UnicodeEncodeError("ascii", "a/Jörg", 3, 4, "ordinal not in range"), "has no 'ö'"),
    ],
)  # fmt: skip
def test_what_the_system_refuses_is_one_line_with_what_to_do(error, words, monkeypatch):
    def refused(*_):
        raise error

    monkeypatch.setattr("autograde.progress.read_all", refused)
    result = RUN.invoke(app, ["progress"])
    assert result.exit_code == 2 and words in said(result) and len(result.stderr.splitlines()) == 1


def test_the_course_itself_is_no_class(tmp_path):
    """`autograde grade .` in the course's folder once graded its folders `tests` and `docs` as students."""
    result = RUN.invoke(app, ["grade", str(layout.ROOT), "--lesson", "03", "--out", str(tmp_path)])
    assert result.exit_code == 2 and "is the course itself" in result.stderr


def test_a_full_disk_is_told_with_the_file_that_did_not_fit(tmp_path, monkeypatch):
    """The system names none where a file is open already."""

    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError) as raised:
        files.write(tmp_path / "grades.csv", b"1")
    assert raised.value.filename == str(tmp_path / "grades.csv") and not list(tmp_path.iterdir())


def test_who_closes_the_pipe_hears_nothing(monkeypatch):
    """`autograde progress | head` is no mistake."""

    def closed(*_):
        raise BrokenPipeError(errno.EPIPE, "Broken pipe")

    monkeypatch.setattr("autograde.progress.read_all", closed)
    assert RUN.invoke(app, ["progress"]).stderr == ""


@pytest.mark.parametrize("version", [(3, 8, 1), (3, 10, 9)])
def test_an_old_python_is_told_in_a_line(version, monkeypatch):
    monkeypatch.setattr(sys, "version_info", version)
    with pytest.raises(SystemExit, match=rf"Python 3\.{version[1]}, and the course needs 3\.11") as stopped:
        runpy.run_path(str(layout.PACKAGE / "__main__.py"), run_name="__main__")
    assert "activate" in str(stopped.value)


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
