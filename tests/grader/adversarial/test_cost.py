"""What one submission may cost that keeps the trusted side busy: the processor time of the whole command and of all that it starts."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from autograde import layout
from autograde.grader.sandbox import isolate, probe
from tests.grader.adversarial.submission import Attack
from tests.grader.adversarial.test_beside_others import MEASURED
from tests.grader.adversarial.test_class import ATTACKS

pytestmark = [pytest.mark.soak, pytest.mark.skipif(probe.support().level in isolate.OPEN, reason="this machine cannot isolate submissions")]
MOST = 90  # seconds; ten of them or so begin and end the command
DEAREST = ("many_scalars", "meeting_keys", "many_objects", "same_hashes", "set_of_same_hashes")  # to those who decode, compare and show


@pytest.mark.parametrize("attack", [attack for attack in ATTACKS if attack.name in DEAREST], ids=lambda attack: attack.name)
def test_what_it_costs_has_an_end(tmp_path, attack: Attack):
    folder = tmp_path / "class" / "eve"
    folder.mkdir(parents=True)
    (folder / attack.file).write_bytes(attack.content())
    if attack.beside:
        attack.beside(folder)
    graded = ["autograde", "grade", "class", "--lesson", attack.lesson[:2], "--out", "out", "--workers", "1"]
    process = subprocess.run(
        [sys.executable, "-c", MEASURED, sys.executable, "-m", *graded],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(layout.ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        text=True,
        timeout=1200,
    )
    assert process.returncode == 0, process.stdout[-3000:]
    cost = float(process.stdout.split()[-1])
    print(f"{attack.name}: {cost:.0f} seconds")
    assert cost < MOST
