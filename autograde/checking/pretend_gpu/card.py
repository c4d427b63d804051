"""Which card the pretend GPU pretends to be, and what `torch.gpu` answers: the names are those of `torch.cuda`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils import backend_registration

from autograde.checking.pretend_gpu.memory import NAME, USE


@dataclass(frozen=True)
class Card:
    """What CUDA tells of a card: its name, its compute capability, its memory in bytes, and its number of multiprocessors."""

    name: str
    capability: tuple[int, int]
    memory: int
    multi_processor_count: int

    @property
    def total_memory(self) -> int:
        return self.memory

    @property
    def major(self) -> int:
        return self.capability[0]

    @property
    def minor(self) -> int:
        return self.capability[1]


T4 = Card("Tesla T4", (7, 5), 15_637_086_208, 40)
A100 = Card("NVIDIA A100-SXM4-40GB", (8, 0), 42_297_786_368, 108)


class Backend(backend_registration._DummyBackendModule):
    """`torch.gpu`, as `torch.cuda` is to a program: there only while `card` is set."""

    def __init__(self) -> None:
        self.card: Card | None = None
        self.generator = torch.Generator()  # what draws without a generator of their own use
        self.waits: list[str] = []  # operations for which the host waited
        self._mode = 0
        self._late: list[tuple[torch.Tensor, torch.Tensor]] = []
        self._pinned: dict[int, StorageWeakRef] = {}  # by address, which another tensor may get once this one is gone

    # What PyTorch asks of a backend

    def is_available(self) -> bool:
        return self.card is not None

    def device_count(self) -> int:
        return int(self.is_available())

    def get_amp_supported_dtype(self) -> list[torch.dtype]:
        return [torch.bfloat16, torch.float16]

    def manual_seed_all(self, seed: int) -> None:
        self.generator.manual_seed(seed)

    manual_seed = manual_seed_all

    def get_rng_state(self, device: Any = NAME) -> torch.Tensor:
        return self.generator.get_state()

    def set_rng_state(self, state: torch.Tensor, device: Any = NAME) -> None:
        self.generator.set_state(state)

    # What `torch.cuda` tells of the card

    def get_device_name(self, device: Any = None) -> str:
        return self._there().name

    def get_device_capability(self, device: Any = None) -> tuple[int, int]:
        return self._there().capability

    def get_device_properties(self, device: Any = None) -> Card:
        return self._there()

    def is_bf16_supported(self, including_emulation: bool = True) -> bool:
        """As CUDA: every card can emulate bfloat16, those of capability 8.0 and up compute with it."""
        return including_emulation or self._there().capability >= (8, 0)

    def mem_get_info(self, device: Any = None) -> tuple[int, int]:
        return self._there().memory - USE.now, self._there().memory

    def memory_allocated(self, device: Any = None) -> int:
        return USE.now

    def max_memory_allocated(self, device: Any = None) -> int:
        return USE.peak

    def reset_peak_memory_stats(self, device: Any = None) -> None:
        USE.peak = USE.now

    def empty_cache(self) -> None:
        """Nothing is kept back."""

    def set_device(self, device: Any) -> None:
        """There is one."""

    def _there(self) -> Card:
        if self.card is None:
            raise RuntimeError("No pretend GPU is available: use `with pretend_gpu.machine():`")
        return self.card

    # Waiting, and copies that arrive late

    def synchronize(self, device: Any = None) -> None:
        """Wait for the device: everything that was on its way arrives."""
        late, self._late = self._late, []
        for target, source in late:
            target.copy_(source)

    def set_sync_debug_mode(self, mode: int | str) -> None:
        """As CUDA's: with "error" an operation for which the host waits raises."""
        self._mode = {"default": 0, "warn": 1, "error": 2}[mode] if isinstance(mode, str) else mode

    def host_waits(self, operation: str) -> None:
        if self._mode == 2:
            raise RuntimeError(f"called a synchronizing CUDA operation ({operation})")
        self.waits.append(operation)
        self.synchronize()

    def arrives_later(self, target: torch.Tensor, source: torch.Tensor) -> None:
        self._late.append((target, source))

    # Pinned memory

    def is_pinned(self, x: torch.Tensor) -> bool:
        pinned = self._pinned.get(x.untyped_storage().data_ptr())
        return pinned is not None and not pinned.expired()

    def pinned(self, x: torch.Tensor) -> torch.Tensor:
        if not self.is_available():
            raise RuntimeError("Cannot access accelerator device when none is available.")
        copy = x.clone()
        self._pinned[copy.untyped_storage().data_ptr()] = StorageWeakRef(copy.untyped_storage())
        return copy


BACKEND = Backend()
