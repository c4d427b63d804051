"""What a grading process does with one submission, on this machine or another."""

from __future__ import annotations

import random
import socket
import tempfile
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np
import torch

from autograde.checking.model_files import MAX_BYTES
from autograde.checking.status import SubmissionStatus
from autograde.grader.ingest import helpers
from autograde.grader.ingest.discovery import Found
from autograde.grader.results.model import Graded, writable
from autograde.grader.run import submission
from autograde.grader.run.cache_key import files, versions
from autograde.grader.sandbox.modes import Mode

_one_at_a_time = threading.Lock()  # checks share the process's random numbers and its output


class OtherVersion(ValueError):
    """A worker would check by other checks, or with other packages, than the machine that asks it to."""


@dataclass(frozen=True)
class Parcel:
    """A submission that travels: the files' bytes by name, and what it must be checked by."""

    found: Found
    files: dict[str, bytes]
    versions: dict[str, str]
    sandbox: Mode


def grade_here(found: Found, sandbox: Mode) -> Graded:
    """Grade a submission that lies on this machine's disk."""
    with _one_at_a_time, _same_conditions():
        return writable(submission.grade(found, sandbox))


def stopped(found: Found, reason: str, status: SubmissionStatus) -> Graded:
    """The result of a submission that ended the grader; nothing of it is read again."""
    return writable(submission.without_results(found, status, reason))


def pack(found: Found, sandbox: Mode) -> Parcel | None:
    """The submission for another machine; None where there is nothing fit to send, which needs no worker to be told so."""
    paths = files(found)
    if not paths or paths[0].stat().st_size > MAX_BYTES:
        return None
    contents = {helpers.named(paths[0].parent, path): submission.beginning(path) for path in paths}
    return Parcel(found, contents, versions(found.lesson), sandbox)


def grade_parcel(parcel: Parcel) -> Graded:
    """Grade a submission that came over the network.

    Raises:
        OtherVersion: when this machine has not what the sender checks by.
    """
    _same_versions(parcel)
    assert parcel.found.path is not None, "only what has a file is packed"
    with tempfile.TemporaryDirectory(prefix="autograde-") as folder:
        for name, content in parcel.files.items():
            target = Path(folder, *(part for part in PurePosixPath(name).parts if part not in ("/", "..")))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        return grade_here(replace(parcel.found, path=Path(folder) / parcel.found.path.name), parcel.sandbox)


def _same_versions(parcel: Parcel) -> None:
    mine = versions(parcel.found.lesson)
    other = [name for name in mine | parcel.versions if mine.get(name) != parcel.versions.get(name)]
    if other:
        told = ", ".join(f"{name} ({mine.get(name)} there, {parcel.versions.get(name)} here)" for name in other)
        raise OtherVersion(
            f"the worker on {socket.gethostname()} has another version of {told}; install the same course and packages there and start it again"
        )


@contextmanager
def _same_conditions() -> Iterator[None]:
    """One thread and the same random numbers for every submission, whatever was graded before it; as they were, afterwards."""
    threads, numbers, legacy = torch.get_num_threads(), random.getstate(), np.random.get_state()
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what a library thinks of a student's numbers is nothing to tell the instructor
        torch.set_num_threads(1)
        torch.manual_seed(0)
        random.seed(0)
        np.random.seed(0)
        try:
            yield
        finally:
            torch.set_num_threads(threads)
            random.setstate(numbers)
            np.random.set_state(legacy)
