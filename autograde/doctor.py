"""Find and explain what commonly goes wrong when the course is set up. Works in what students get, too."""

from __future__ import annotations

import locale
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

from autograde import layout

GRADER = layout.ROOT / "autograde" / "grader"
INSTALL = "pip install -c requirements.lock -e ."
FORMGRADER = "nbgrader.server_extensions.formgrader"
SAFE_MARKDOWN = 'c.HTMLExporter.filters = {"markdown2html": "autograde.grader.safe_markdown.render"}'
GROUPS = {"students": "To work on the lessons", "graders": "To grade a class"}
PACKAGES = (
    "torch",
    "numpy",
    "jupyterlab",
    "matplotlib",
    "tiktoken",
    "gymnasium",
    "jaxtyping",
    "safetensors",
    "scipy",
    "pytest",
    "typer",
    "rich",
)


@dataclass(frozen=True)
class Finding:
    """One thing looked at: `remedy` says what to do where it is not well."""

    subject: str
    well: bool
    words: str
    remedy: str = ""


def examine(group: str) -> Iterator[Finding]:
    """Everything worth a look for `students` or `graders`, the commonest first; graders' only where the grader is."""
    if group == "graders" and not GRADER.is_dir():
        return
    for look in LOOKS[group]:
        try:
            yield from look()
        except Exception as error:  # a set-up can be broken in any way, and the other looks should still be told
            yield Finding(look.__name__.strip("_"), False, f"could not be looked at ({type(error).__name__}: {error})", INSTALL)


def without_commands(error: ImportError) -> int:
    """What `doctor` says to a Python that lacks what the commands are made of; the exit status."""
    print(f"autograde: no command can run here ({error}). What is wrong:", file=sys.stderr)
    for finding in examine("students"):
        if not finding.well:
            print(f"✗ {finding.subject}: {finding.words}\n    → {finding.remedy}", file=sys.stderr)
    return 1


def python() -> Iterator[Finding]:
    words = f"{sys.version.split()[0]}, the course needs 3.11 or newer"
    yield Finding(
        "Python", sys.version_info >= (3, 11), words, "install Python 3.11 or newer, then: rm -rf .venv && python3.11 -m venv .venv"
    )


def environment() -> Iterator[Finding]:
    inside = _inside()
    words = f"runs in {sys.prefix}" + ("" if inside else ", the system's own Python")
    there = (layout.ROOT / ".venv").is_dir()
    make = "" if there else "python3 -m venv .venv, then "
    remedy = f"in {layout.ROOT}: {make}source .venv/bin/activate (on Windows: .venv\\Scripts\\activate)"
    yield Finding("Environment", inside, words, remedy if there else f"{remedy}, then {INSTALL}")


def _inside() -> bool:
    return sys.prefix != sys.base_prefix or "CONDA_PREFIX" in os.environ or "COLAB_RELEASE_TAG" in os.environ


def packages() -> Iterator[Finding]:
    """Missing, or other than the lock; one line when all are as they should be."""
    found = {package: _version(package) for package in PACKAGES}
    locked, well = _locked(), True
    if lacking := [package for package, number in found.items() if number is None]:
        well = False
        words = f"{', '.join(lacking)} {'is' if len(lacking) == 1 else 'are'} not installed"
        yield Finding(
            "Packages", False, words, INSTALL if _inside() else f"activate the environment first, as above; if they lack there: {INSTALL}"
        )
    for package, number in found.items():
        wanted = locked.get(package)
        if number and wanted and number.split("+")[0] != wanted:
            well = False
            yield Finding(package, False, f"is {number}, the course is tested with {wanted}", INSTALL)
    if well:
        yield Finding("Packages", True, f"{len(PACKAGES)} looked at, all as in requirements.lock")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _locked() -> dict[str, str]:
    path = layout.ROOT / "requirements.lock"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return {name.lower(): number for name, number in re.findall(r"^([\w.-]+)==([^\s;#]+)", text, re.MULTILINE)}


def torch() -> Iterator[Finding]:
    """It imports, there is one of it, NumPy and it understand each other, and it sees the GPU that is there."""
    copies = {str(d.locate_file("")) for d in distributions() if (d.metadata["Name"] or "").lower() == "torch"}
    if len(copies) > 1:
        yield Finding(
            "torch",
            False,
            f"is there {len(copies)} times: {', '.join(sorted(copies))}",
            f"pip uninstall torch, until none is left; {INSTALL}",
        )
    if _version("torch") is None:
        return  # which `packages` says
    try:
        import torch

        torch.ones(2).numpy()
    except (ImportError, OSError, RuntimeError) as error:
        line = " ".join(str(error).split())[:200]
        yield Finding("torch", False, f"does not work with this NumPy or system: {line}", f"pip uninstall -y torch numpy && {INSTALL}")
        return
    from utils import device

    blind, found = device.driver_without_gpu(), device.pick_device()
    name = "no GPU, which no lesson needs" if found.type == "cpu" else device.card_name(found)
    words = f"{torch.__version__} sees no GPU, but this machine has NVIDIA's driver" if blind else f"{torch.__version__} · {name}"
    remedy = "lessons work without it; to use it, install the build for your driver (pytorch.org, Get Started) of the same version"
    yield Finding("torch", not blind, words, remedy)


def kernel() -> Iterator[Finding]:
    if _version("jupyter_client") is None:
        return  # it comes with jupyterlab
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        runs = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        yield Finding("Jupyter kernel", False, "there is no kernel python3", "pip install ipykernel")
        return
    own = runs in ("python", "python3") or _environment_of(runs) == _environment_of(sys.executable)
    remedy = "another Python's kernel shadows this one: python -m ipykernel install --sys-prefix, and in VS Code choose the kernel .venv"
    yield Finding("Jupyter kernel", own, f"python3 runs {runs}" + ("" if own else f", not {sys.executable}"), remedy)


def _environment_of(interpreter: str) -> Path:
    """The folder bin/ of an interpreter: two environments may link to the same Python."""
    return Path(shutil.which(interpreter) or interpreter).absolute().parent


def lessons() -> Iterator[Finding]:
    names = layout.lesson_names()
    unbuilt = [n for n in names if not layout.manifest_path(n).exists() or not (layout.NOTEBOOKS / f"{n}.ipynb").exists()]
    words = f"{len(names) - len(unbuilt)} of {len(names)} notebooks are in {layout.NOTEBOOKS}"
    author = layout.SOLUTIONS.is_dir() and unbuilt
    remedy = (
        f"python -m autograde build {' '.join(n[:2] for n in unbuilt)}"
        if author
        else f"get the course anew; missing: {', '.join(unbuilt) or 'all'}"
    )
    yield Finding("Lessons", bool(names) and not unbuilt, words, remedy)


def course() -> Iterator[Finding]:
    """A shell in another copy of the course than the one that Python imports."""
    here = next((p for p in (Path.cwd(), *Path.cwd().parents) if (p / "autograde" / "layout.py").exists()), None)
    same = here is None or here.resolve() == layout.ROOT
    words = f"Python uses {layout.ROOT}" + ("" if same else f", but you are in {here}")
    yield Finding("Course", same, words, f"in {here}: {INSTALL}")


def text() -> Iterator[Finding]:
    encoding = locale.getpreferredencoding(False)
    well = encoding.lower().replace("-", "") == "utf8" or sys.flags.utf8_mode == 1
    yield Finding("Text", well, f"is read as {encoding}", "set the variable PYTHONUTF8=1 (or LC_ALL=C.UTF-8) before Python starts")


def disk() -> Iterator[Finding]:
    free = shutil.disk_usage(os.getcwd()).free / 2**30
    yield Finding("Disk", free > 1, f"{free:.1f} GB free here", "results and corpora need 1 GB: clear some, or work on another disk")
    for place, folder in (("Home", Path.home()), ("Temporary folder", Path(tempfile.gettempdir()))):
        try:
            with tempfile.NamedTemporaryFile(dir=folder) as file:
                file.write(b"0" * 65536)
        except OSError as error:
            remedy = "Jupyter keeps its files there: clear it, ask for more quota, or set HOME (TMPDIR) to a folder that you may write to"
            yield Finding(place, False, f"{folder} cannot be written to ({error.strerror})", remedy)


def search_path() -> Iterator[Finding]:
    lacking = [name for name in ("nbgrader", "alembic", "jupyter") if shutil.which(name) is None]
    words = f"{', '.join(lacking)} not found by name" if lacking else "nbgrader, alembic and jupyter are found by name"
    yield Finding("PATH", not lacking, words, "nbgrader runs `alembic` by name: source .venv/bin/activate, in this shell")


def extension() -> Iterator[Finding]:
    """nbgrader's page in JupyterLab: installed with it, unless someone has switched it off."""
    done = subprocess.run([sys.executable, "-m", "jupyter", "server", "extension", "list"], capture_output=True, text=True, timeout=60)
    seen = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    on = f"{FORMGRADER} enabled" in seen  # nbgrader has others, which a switched off formgrader leaves on
    words = "nbgrader's is enabled" if on else "nbgrader's is not enabled, so JupyterLab has no formgrader"
    yield Finding("Server extension", on, words, f"python -m jupyter server extension enable --sys-prefix {FORMGRADER}")


def open_files() -> Iterator[Finding]:
    try:
        import resource
    except ImportError:  # Windows has no such limit
        return
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    yield Finding("Open files", limit < 0 or limit >= 1024, f"{limit} at once", "a class needs 1024: ulimit -n 4096, in this shell")


def sandbox() -> Iterator[Finding]:
    from autograde.grader.sandbox.probe import support
    from autograde.grader.sandbox.promises import promises

    offered = support()
    yield Finding(
        "Sandbox", offered.level == "namespaces", f"submissions are isolated by {offered.level}", "what is missing is listed below"
    )
    for promise in promises(offered):
        yield Finding(
            "A submission", promise.kept, f"{promise.what}: {promise.why}", "grade only code you trust, or get what is missing, below"
        )
    for lack in offered.missing:
        yield Finding(f"Sandbox: {lack.what}", False, lack.reason, lack.remedy)


def course_directory() -> Iterator[Finding]:
    """In a class's folder: whether its configuration has what later versions of the course added to it."""
    config = Path("nbgrader_config.py")
    text = config.read_text(encoding="utf-8", errors="replace") if config.is_file() else ""
    if "autograde.grader.plugin" not in text:
        return
    well = "autograde.grader.safe_markdown.render" in text
    words = f"{config.resolve()} keeps scripts in students' Markdown from running" if well else (
        f"{config.resolve()} is of an earlier version: scripts in students' Markdown can run in formgrader"
    )  # fmt: skip
    yield Finding("Course directory", well, words, f"add this line to it: {SAFE_MARKDOWN}")


LOOKS: dict[str, tuple[Callable[[], Iterator[Finding]], ...]] = {
    "students": (python, environment, packages, torch, kernel, course, lessons, text, disk),
    "graders": (search_path, extension, open_files, sandbox, course_directory),
}
