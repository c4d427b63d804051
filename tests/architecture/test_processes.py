"""Tests of one file run in one process, also where pytest-xdist shares them out: what the file's fixtures make is made once."""

import os

import pytest


@pytest.mark.parametrize("number", range(8))
def test_a_file_is_of_one_process(tmp_path_factory, number):
    run = tmp_path_factory.getbasetemp()
    seen = (run.parent if run.name.startswith("popen-") else run) / "process_of_a_file"
    with seen.open("a") as stream:
        stream.write(f"{os.getpid()}\n")
    assert len(set(seen.read_text().split())) == 1
