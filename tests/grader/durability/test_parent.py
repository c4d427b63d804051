"""The process that holds the gradebook imports neither PyTorch nor the checks: what it starts with is what it needs to find and to write."""

import subprocess
import sys

import pytest

from autograde import layout
from autograde.authoring.sample_class import LESSON

GRADES = """
import sys
from pathlib import Path
from rich.console import Console
from autograde.grader import commands
from autograde.grader.batch.class_run import grade_class
[graded] = grade_class([Path(sys.argv[1])], sys.argv[2], Path(sys.argv[3]), 1, None, "auto", Console(quiet=True))
print(graded.status, sorted({"torch", "numpy", "pytest", "autograde.checking.runner"} & set(sys.modules)))
"""


@pytest.mark.slow
def test_the_parent_of_a_whole_run_has_no_pytorch(tmp_path):
    (tmp_path / "class" / "ada").mkdir(parents=True)
    (tmp_path / "class" / "ada" / f"{LESSON}.ipynb").write_text("not a notebook")
    command = [sys.executable, "-c", GRADES, str(tmp_path / "class"), LESSON, str(tmp_path / "out")]
    done = subprocess.run(command, cwd=layout.ROOT, capture_output=True, text=True, timeout=300)
    assert done.stdout.split(maxsplit=1) == ["unreadable", "[]\n"], done.stderr[-2000:]
