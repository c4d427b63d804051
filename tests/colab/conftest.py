"""What students get, published in a git repository of its own, with its address in the one setting."""

import os
import re
import shutil
import subprocess
import sys

import pytest

from autograde import layout

LESSON = "03_self_attention"
PARTS = ("autograde", "utils", "solutions", "notebooks", "data", "docs")
FILES = ("pyproject.toml", "requirements.lock", "environment.yml", "LICENSE")
AUTHOR = ("-c", "user.name=Ann", "-c", "user.email=ann@example.org")


@pytest.fixture(scope="session")
def git():
    """git(folder, …): run git there."""
    if not shutil.which("git"):
        pytest.skip("git is not installed")

    def git(folder, *arguments):
        subprocess.run(["git", *AUTHOR, "-C", str(folder), *arguments], check=True, capture_output=True)

    return git


@pytest.fixture(scope="session")
def publish(git):
    """publish(folder): commit it to a new repository; gives the address."""

    def publish(folder):
        git(folder, "init", "--quiet", "--initial-branch", "main")
        git(folder, "add", "--all")
        git(folder, "commit", "--quiet", "--message", "The course")
        return folder.as_uri()

    return publish


@pytest.fixture(scope="session")
def published(tmp_path_factory, publish):
    """As an instructor does it: the address into pyproject.toml, release, push the released folder; gives that folder."""
    folder = tmp_path_factory.mktemp("published")
    course, released = folder / "course", folder / "released"
    for part in PARTS:
        shutil.copytree(layout.ROOT / part, course / part, ignore=shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints"))
    for file in FILES:
        shutil.copy(layout.ROOT / file, course)
    settings = course / "pyproject.toml"
    text, number = re.subn(r'(?m)^repository = ".*"', f'repository = "{released.as_uri()}"', settings.read_text(encoding="utf-8"))
    assert number == 1
    settings.write_text(text, encoding="utf-8")
    env = {**os.environ, "PYTHONPATH": str(course), "PYTHONWARNINGS": "ignore"}
    command = [sys.executable, "-m", "autograde", "release", str(released), LESSON]
    done = subprocess.run(command, cwd=course, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    publish(released)
    return released
