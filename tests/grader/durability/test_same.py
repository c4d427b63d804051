"""The same submission gets the same result every time: with any number of workers, in any order, on any kind of executor."""

import random
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON, sample_class, solved_notebook
from autograde.grader.batch import pool, stream
from autograde.grader.ingest.discovery import Found
from autograde.grader.sandbox.modes import Mode

SAMPLING = "01_sample_based_planning"  # its answers draw random numbers, and so do its checks


@contextmanager
def threads(workers):
    with ThreadPoolExecutor(workers) as executor:
        yield executor


def results(found, executor, workers):
    """What was found out about each submission, by its path, without the student's name and the time it took."""
    seen = {}
    jobs = [stream.Job(f, str(i)) for i, f in enumerate(found)]
    for job, graded in stream.graded(jobs, executor, Mode.AUTO, workers):
        seen.setdefault(job.found.path, Counter())[repr(replace(graded, student="", seconds=0.0))] += 1
    return seen


@pytest.mark.soak
def test_a_hundred_times_out_of_a_hundred(tmp_path):
    import nbformat

    sample_class(tmp_path / "class")
    partial, broken = (tmp_path / "class" / student / f"{LESSON}.ipynb" for student in ("finn", "hugo"))
    sampling = tmp_path / f"{SAMPLING}.ipynb"
    sampling.write_text(nbformat.writes(solved_notebook(source.read(layout.source_path(SAMPLING)))))
    found = [Found(f"partial{i}", LESSON, partial) for i in range(100)]
    others = [Found(f"broken{i}", LESSON, broken) for i in range(8)] + [Found(f"sampling{i}", SAMPLING, sampling) for i in range(4)]
    total: dict = {}
    for i, (executor, workers, share) in enumerate(((pool.graders, 1, 10), (pool.graders, 2, 30), (pool.graders, 4, 40), (threads, 3, 20))):
        some = [found.pop() for _ in range(share)] + [others.pop() for _ in range(3)]
        random.Random(i).shuffle(some)
        with executor(workers) as running:
            for path, seen in results(some, running, workers).items():
                total.setdefault(path, Counter()).update(seen)
    assert {path: sum(seen.values()) for path, seen in total.items()} == {partial: 100, broken: 8, sampling: 4}
    assert {path: len(seen) for path, seen in total.items()} == {partial: 1, broken: 1, sampling: 1}, "results differ"
