"""A terminal of few letters: what passed and what did not are told apart."""

import io
import os
import subprocess
import sys

import pytest

from autograde.commands.signs import PLAIN, SIGNS


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_signs_stay_apart_in_every_encoding(encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding, errors=PLAIN)
    stream.write("✓ ✗ · 漢")
    stream.seek(0)
    passed, failed, open_, letter = stream.read().split(" ")
    assert len({passed, failed, open_}) == 3 and "?" not in passed + failed + open_
    assert letter == ("漢" if encoding == "utf-8" else "?")
    assert all(sign.isascii() for sign in SIGNS.values())


@pytest.mark.slow
def test_doctor_tells_what_is_wrong_with_a_locale_by_its_sign(tmp_path):
    few = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    command = [sys.executable, "-m", "autograde", "doctor", "--only", "students"]
    said = subprocess.run(command, env=os.environ | few, capture_output=True, timeout=120).stdout.decode("ascii")
    assert "+ Python:" in said and "? Python" not in said
    assert [line[0] for line in said.splitlines() if " Text:" in line] in (["x"], ["!"])
