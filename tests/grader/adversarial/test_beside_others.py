"""A class of sixty honest students, graded with ten attackers among them and without: what the sixty get, and what the ten cost."""

from __future__ import annotations

import copy
import csv
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import nbformat
import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON, SAMPLES, solved_notebook
from autograde.grader.sandbox import isolate, probe
from tests.grader.adversarial.submission import Attack
from tests.grader.adversarial.test_class import ATTACKS

pytestmark = [pytest.mark.soak, pytest.mark.skipif(probe.support().level in isolate.OPEN, reason="this machine cannot isolate submissions")]
HONEST = 60
# Of the sample class: right, wrong, unwritten, one that ends its process.
KINDS = ("ada", "ben", "chloe", "dev", "eva", "finn", "gita", "hugo", "jun")
TEN = ("endless_loop", "deaf_loop", "memory", "thread_bomb", "own_load", "many_scalars", "meeting_keys", "forged_messages", "read_the_class",
       "pathological_cells")  # fmt: skip
MOST_EACH = 30  # seconds of processor time that an attacker may cost on average; the sixty take about as long together
# Runs a command and says what all its processes took, those too that outlive who started them: they become this one's.
MEASURED = """
import ctypes, os, resource, subprocess, sys
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
code = subprocess.run(sys.argv[1:]).returncode
try:
    while True: os.wait()
except ChildProcessError: pass
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)
sys.exit(code)
"""
UNTOLD = ("seconds", "graded_at", "submission", "path")  # columns that differ from run to run


@dataclass(frozen=True)
class Graded:
    rows: dict[str, list[dict[str, str]]]  # by student
    seconds: float  # of processor time


def hand_in(folder: Path, attacks: list[Attack]) -> None:
    solved = solved_notebook(source.read(layout.source_path(LESSON)))
    contents = {sample.student: sample.content for sample in SAMPLES}
    for i in range(HONEST):
        notebook = nbformat.reads(contents[KINDS[i % len(KINDS)]](copy.deepcopy(solved)), 4)
        notebook.cells.append(nbformat.v4.new_code_cell(f"notes = {i}"))  # nobody's result is another's
        write(folder / f"honest{i:02d}", nbformat.writes(notebook).encode())
    for i, attack in enumerate(attacks):
        write(folder / f"honest{6 * i:02d}-{attack.name}", attack.content())  # between them


def write(folder: Path, content: bytes) -> None:
    folder.mkdir(parents=True)
    (folder / f"{LESSON}.ipynb").write_bytes(content)


def grade(folder: Path, attacks: list[Attack]) -> Graded:
    hand_in(folder / "class", attacks)
    graded = ["autograde", "grade", "class", "--lesson", "03", "--out", "out", "--workers", "2"]
    command = [sys.executable, "-c", MEASURED, sys.executable, "-m", *graded]
    environment = {**os.environ, "PYTHONPATH": str(layout.ROOT)}
    process = subprocess.run(
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, text=True
    )
    assert process.returncode == 0, process.stdout[-3000:]
    rows: dict[str, list[dict[str, str]]] = {}
    for table in ("exercises.csv", "grades.csv"):
        with (folder / "out" / table).open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                rows.setdefault(row["student_id"], []).append({name: value for name, value in row.items() if name not in UNTOLD})
    return Graded(rows, float(process.stdout.split()[-1]))


def test_ten_attackers_change_nothing_for_sixty_and_cost_no_more_than_they_may(tmp_path):
    attacks = [next(attack for attack in ATTACKS if attack.name == name) for name in TEN]
    alone, together = grade(tmp_path / "alone", []), grade(tmp_path / "together", attacks)
    assert len(alone.rows) == HONEST and len(together.rows) == HONEST + len(TEN)
    assert {student: rows for student, rows in together.rows.items() if student in alone.rows} == alone.rows
    cost = together.seconds - alone.seconds
    assert cost < MOST_EACH * len(TEN), f"{alone.seconds:.0f} seconds without them, {cost:.0f} more with them"
    print(f"{alone.seconds:.0f} seconds without them, {cost:.0f} more with them")
