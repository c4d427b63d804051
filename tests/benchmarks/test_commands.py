"""Each benchmark is a command as its own text says, from any folder and before anything is built."""

import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).resolve().parents[2] / "benchmarks"
SCRIPTS = sorted(path.name for path in BENCHMARKS.glob("*.py") if path.name != "__init__.py")


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_it_runs_by_its_path_and_says_how(script, tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    shown = subprocess.run([sys.executable, BENCHMARKS / script, "--help"], cwd=tmp_path, capture_output=True, text=True)
    assert shown.returncode == 0, shown.stderr
    assert f"python benchmarks/{script}" in shown.stdout
