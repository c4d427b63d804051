"""The conda file makes the same environment as `make`: its pip section installs, by the one lock file."""

import shutil
import subprocess
import sys

import pytest
import yaml

from autograde.layout import ROOT


def pip_section():
    listed = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))["dependencies"]
    return next(entry["pip"] for entry in listed if isinstance(entry, dict))


def test_the_lock_file_is_what_both_install_by():
    assert pip_section() == ["-c requirements.lock", "-e ."]
    assert "-c requirements.lock -e ." in (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "torch==2.13.0" in (ROOT / "requirements.lock").read_text(encoding="utf-8").split()


@pytest.mark.slow
def test_the_pip_section_installs(tmp_path):
    for name in ("environment.yml", "pyproject.toml", "requirements.lock", "README.md", "LICENSE", "autograde", "utils"):
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, tmp_path / name)
    # conda hands pip the section as a requirements file beside environment.yml
    (tmp_path / "condaenv.txt").write_text("\n".join(pip_section()))
    run(sys.executable, "-m", "venv", tmp_path / "env", cwd=tmp_path)
    python = tmp_path / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "-r", "condaenv.txt", cwd=tmp_path)
    run(python, "-c", "import torch, nbgrader, jupyterlab, tiktoken, autograde.cli, utils.plots", cwd=tmp_path / "env")


def run(*command, cwd):
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
