"""Which device to compute on, and in which precision. The only file that names CUDA.

`torch.get_device_module` gives `torch.cuda`, `torch.mps` or another device's module, which all answer the same questions,
so that no other file asks which kind of device it is.
"""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch

TENSOR_CORES = (7, 0)  # compute capability from which float16 products are fast
BFLOAT16 = (8, 0)  # and from which bfloat16 ones are; an older card emulates it, slowly


@dataclass(frozen=True)
class Precision:
    """`dtype` of the matrix products (None: float32), and whether the loss has to be scaled so that gradients are not lost."""

    dtype: torch.dtype | None = None
    scaled: bool = False


def pick_device() -> torch.device:
    """This process's CUDA GPU where there is one, else Apple's, else another accelerator that PyTorch knows, else the CPU."""
    if torch.cuda.is_available():
        return torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.accelerator.current_accelerator(check_available=True) or torch.device("cpu")


def precision(device: torch.device) -> Precision:
    """bfloat16 from compute capability 8.0 on; float16 with a scaled loss on older cards with tensor cores (a T4); else float32."""
    capability = getattr(_module(device), "get_device_capability", None)
    if device.type in ("cpu", "mps") or capability is None:
        return Precision()
    if capability(device) >= BFLOAT16:
        return Precision(torch.bfloat16)
    return Precision(torch.float16, scaled=True) if capability(device) >= TENSOR_CORES else Precision()


def autocast_dtype(device: torch.device) -> torch.dtype | None:
    """The dtype for `torch.autocast` on this device; None where float32 is best, as on a CPU without matrix units."""
    return precision(device).dtype


def make_current(device: torch.device) -> None:
    """What this thread does on "the GPU", it does on this one."""
    if device.type != "cpu" and hasattr(_module(device), "set_device"):
        _module(device).set_device(device)


def bind(device: torch.device) -> None:
    """Make the device this thread's own, and let float32 products use the tensor cores' 19-bit format where there is one."""
    make_current(device)
    torch.set_float32_matmul_precision("highest" if device.type == "cpu" else "high")


@contextmanager
def repeatable(device: torch.device, wanted: bool) -> Iterator[None]:
    """Inside, a run on a GPU repeats itself bit for bit. Else some kernels add in whichever order their threads come, and cuBLAS as memory allows.

    Source: PyTorch's notes on reproducibility. It costs time; `benchmarks/gpu.py` measures how much.
    """
    if not wanted or device.type == "cpu":
        yield
        return
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*determinis")  # of kernels that have no such form: no reason to stop
            yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])


def driver_without_gpu() -> bool:
    """Whether NVIDIA's driver is there, but PyTorch finds no GPU: a build for the CPU, or for another driver."""
    return shutil.which("nvidia-smi") is not None and not torch.cuda.is_available()


def card_name(device: torch.device) -> str:
    """The name of the card, such as 'Tesla T4'; the kind of device where it has none."""
    name = getattr(_module(device), "get_device_name", None)
    return name(device) if name and device.type != "cpu" else device.type


def memory(device: torch.device) -> int | None:
    """Bytes of memory that are free on the device; None for a CPU and where the device does not say."""
    info = getattr(_module(device), "mem_get_info", None)
    return info(device)[0] if info and device.type != "cpu" else None


def peak_memory(device: torch.device) -> int:
    """The most bytes that tensors on the device have held in this process; 0 where it does not say."""
    peak = getattr(_module(device), "max_memory_allocated", None)
    return peak(device) if peak and device.type != "cpu" else 0


def synchronize(device: torch.device) -> None:
    """Wait until the device has done all it was asked for."""
    if device.type != "cpu":
        _module(device).synchronize()


def random_state(device: torch.device) -> dict[str, torch.Tensor]:
    """The states of the default generators that a step on this device draws from."""
    state = {"cpu": torch.get_rng_state()}
    return state if device.type == "cpu" else state | {"device": _module(device).get_rng_state()}


def set_random_state(device: torch.device, state: dict[str, torch.Tensor]) -> None:
    """Draw on from `random_state`."""
    torch.set_rng_state(state["cpu"])
    if device.type != "cpu" and "device" in state:
        _module(device).set_rng_state(state["device"])


def _module(device: torch.device) -> Any:
    return torch.get_device_module(device)
