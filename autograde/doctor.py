"""Find and explain what commonly goes wrong when the course is set up."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from autograde import layout


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `remedy` says what to do where it is not well."""

    subject: str
    well: bool
    words: str
    remedy: str = ""


def examine() -> Iterator[Finding]:
    """Everything worth a look, the commonest first."""
    yield _python()
    yield _environment()
    yield from _packages()
    yield _torch()
    yield _kernel()
    yield _lessons()
    yield _search_path()
    yield _disk()
    yield from _sandbox()


def _python() -> Finding:
    words = f"Python {sys.version.split()[0]}"
    return Finding("Python", sys.version_info >= (3, 11), words, "install Python 3.11 or newer and run `make clean demo`")


def _environment() -> Finding:
    inside = sys.prefix != sys.base_prefix or "CONDA_PREFIX" in os.environ
    words = f"runs in {sys.prefix}"
    return Finding("Environment", inside, words, "use the course's own: `source .venv/bin/activate` (made by `make demo`)")


def _packages() -> Iterator[Finding]:
    for package in ("nbgrader", "jupyterlab", "jupytext", "matplotlib", "tiktoken", "gymnasium", "jaxtyping", "safetensors"):
        try:
            yield Finding(package, True, version(package))
        except PackageNotFoundError:
            yield Finding(package, False, "is not installed", "pip install -c requirements.lock -e .")


def _torch() -> Finding:
    if importlib.util.find_spec("torch") is None:
        return Finding("torch", False, "is not installed", "pip install -c requirements.lock -e .")
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU, which no lesson needs"
    return Finding("torch", True, f"{torch.__version__} · {device}")


def _kernel() -> Finding:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        runs = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        return Finding("Jupyter kernel", False, "there is no kernel python3", "pip install ipykernel")
    own = shutil.which(runs) is None or os.path.realpath(shutil.which(runs)) == os.path.realpath(sys.executable) or runs in ("python", "python3")
    return Finding("Jupyter kernel", own, f"python3 runs {runs}", "another Python's kernel shadows this one: python -m ipykernel install --sys-prefix")


def _lessons() -> Finding:
    names = layout.lesson_names()
    unbuilt = [n for n in names if not layout.fingerprints_path(n).exists() or not (layout.NOTEBOOKS / f"{n}.ipynb").exists()]
    words = f"{len(names) - len(unbuilt)} of {len(names)} are built"
    return Finding("Lessons", bool(names) and not unbuilt, words, f"python -m autograde build {' '.join(n[:2] for n in unbuilt)}")


def _search_path() -> Finding:
    scripts = str(Path(sys.executable).parent)
    found = scripts in os.environ.get("PATH", "").split(os.pathsep)
    return Finding("PATH", found, f"{'has' if found else 'lacks'} {scripts}", "nbgrader's own commands run `alembic` by name: source .venv/bin/activate")


def _disk() -> Finding:
    free = shutil.disk_usage(os.getcwd()).free / 2**30
    return Finding("Disk", free > 1, f"{free:.1f} GB free here", "results need room: clear some, or choose --out elsewhere")


def _sandbox() -> Iterator[Finding]:
    from autograde.grader.sandbox import support

    offered = support()
    yield Finding("Sandbox", offered.level == "namespaces", f"submissions are shut in by {offered.level}")
    for lack in offered.missing:
        yield Finding(f"Sandbox: {lack.what}", False, lack.reason, lack.remedy)
