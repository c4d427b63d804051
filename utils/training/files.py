"""A trained model as files, and a text that is larger than memory as one."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Int
from safetensors.torch import save_file
from torch import Tensor, nn

from utils.training.plan import plain


def save_model(model: nn.Module, stem: str | Path, **facts: Any) -> None:
    """Write `stem.safetensors` (numbers only, nothing that could run) and `stem_config.json` with the model's config and `facts`.

    Of several processes only the first writes.
    """
    if torch.distributed.is_available() and torch.distributed.is_initialized() and torch.distributed.get_rank() > 0:
        return
    seen: dict[int, str] = {}
    tensors = {}
    for name, value in model.state_dict().items():
        if seen.setdefault(value.data_ptr(), name) == name:  # a tied weight is stored once, under its first name
            tensors[name] = value.detach().to("cpu").contiguous().clone()
    save_file(tensors, f"{stem}.safetensors")
    described = {"config": plain(model.config), **facts}
    Path(f"{stem}_config.json").write_text(json.dumps(described, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def write_tokens(path: str | Path, pieces: Iterable[Iterable[int]]) -> int:
    """Write token ids, piece by piece, as 32-bit integers; gives how many. A text of any size takes the memory of one piece."""
    count = 0
    with Path(path).open("wb") as file:
        for piece in pieces:
            ids = np.asarray(list(piece), dtype=np.int32)
            file.write(ids.tobytes())
            count += len(ids)
    return count


def memory_mapped(path: str | Path) -> Int[Tensor, "N"]:
    """The token ids that `write_tokens` wrote, as a tensor whose numbers are read from disk when they are looked at. Do not write to it."""
    # `torch.from_file` maps a file for writing, too: of one larger than memory the system refuses that
    ids = np.memmap(path, dtype=np.int32, mode="r")
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
        return torch.from_numpy(ids)
