"""The worked example of the guide for contributors is followed in a copy of the project: what the guide prints is what comes."""

import re
import shutil
import subprocess
import sys

import pytest

from autograde import layout

NAME = "03_self_attention"
GUIDE = (layout.ROOT / "docs" / "authoring.md").read_text(encoding="utf-8").split("## The commands")[0]
CODE = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
SESSIONS = re.findall(r"```\n(\$ .*?)```", GUIDE, re.DOTALL)

AT_LINE = re.compile(r"(?<=\.py):\d+:")  # which line of a lesson is told changes with every sentence above it


@pytest.fixture
def copy(tmp_path):
    folder = tmp_path / "course"
    for part in ("autograde", "utils", "solutions", "notebooks", "data", "docs/measured"):
        shutil.copytree(layout.ROOT / part, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("pyproject.toml", "requirements.lock"):
        shutil.copy(layout.ROOT / file, folder)
    return folder


def follow(session, folder):
    """Type a session's commands; each line that the guide shows must be printed."""
    typed = [line.removeprefix("$ ") for line in session.splitlines() if line.startswith("$ ")]
    shown = [line for line in session.splitlines() if not line.startswith("$ ")]
    said = ""
    for command in typed:
        # no colours, and the width of a terminal
        done = subprocess.run(
            ["bash", "-c", command.replace("python ", f"{sys.executable} ", 1) if command.startswith("python ") else command],
            cwd=folder, capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "COLUMNS": "80", "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip
        said += done.stdout + done.stderr
    for line in shown:
        expected = AT_LINE.sub(":", re.sub(r"[\d.]+ s$", "", line).strip())
        assert expected in AT_LINE.sub(":", said), f"{typed[-1]} printed\n{said}\nand not\n{expected}"


def append(path, code):
    path.write_text(path.read_text(encoding="utf-8") + "\n\n" + code, encoding="utf-8")


@pytest.mark.soak
def test_the_worked_example_is_true(copy):
    lesson, checks = copy / "solutions" / f"{NAME}.py", copy / "autograde" / "lessons" / "checks" / f"test_{NAME}.py"
    exercise, check, probe, mistakes, hidden = CODE
    [before] = re.findall(r"before the cell that begins `(.*?)`", GUIDE)
    text = lesson.read_text(encoding="utf-8")
    assert text.count(f"# %% [markdown]\n# {before}") == 1
    lesson.write_text(text.replace(f"# %% [markdown]\n# {before}", f"{exercise}\n# %% [markdown]\n# {before}"), encoding="utf-8")
    follow(SESSIONS[0], copy)
    [sum_of_points] = re.findall(r"Write `(.*?)` there", GUIDE)
    text = lesson.read_text(encoding="utf-8")
    [row] = re.findall(r"the row ``(.*?)``", GUIDE)
    text = re.sub(r"(# \| 8 \|.*\n)", lambda above: f"{above[1]}# {row}\n", text, count=1)
    lesson.write_text(re.sub(r"[\d.]+ points by checks", sum_of_points, text, count=1), encoding="utf-8")
    append(checks, check)
    checks.write_text(checks.read_text(encoding="utf-8").replace("PROBES = {\n", f"PROBES = {{\n{probe}"), encoding="utf-8")
    append(copy / "autograde" / "lessons" / "misconceptions" / f"{NAME}.py", mistakes)
    follow(SESSIONS[1], copy)
    append(copy / "autograde" / "lessons" / "hidden" / f"test_{NAME}.py", hidden)
    for session in SESSIONS[2:5]:
        follow(session, copy)
