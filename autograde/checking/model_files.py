"""Files of weights that students hand in: how large one may be, and their names without what wrappers of a model put before them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

MAX_BYTES = 64 * 2**20  # of a graded file: the lesson, its check and the grader say this one limit
MAX_HEADER = 2**20  # bytes of its list of weights: a GPT of 64 layers has under a tenth of it; a million weights take minutes
# What `torch.compile`, DataParallel, FSDP, activation checkpointing and DeepSpeed put before the names of what they wrap, at any depth
WRAPPERS = {"_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_forward_module"}


def header_bytes(raw: bytes) -> int:
    """How long a safetensors file says that its list of weights is: the first eight bytes, smallest first."""
    return int.from_bytes(raw[:8], "little")


def unwrapped(weights: Mapping[str, Tensor], wanted: Collection[str]) -> dict[str, Tensor]:
    """The weights by the names in `wanted`, as far as they are there: without the names of wrappers, and without the attribute that a model
    was kept in (`model.`, `transformer.`). Other weights keep their names; where a name is there already, it stays what it is.

    Raises:
        ValueError: when the file holds several models, none of which stands at the top.
    """
    plain: dict[str, Tensor] = {}
    for name, value in sorted(weights.items(), key=lambda item: len(item[0])):
        plain.setdefault(".".join(part for part in name.split(".") if part not in WRAPPERS), value)
    prefixes = {
        p for p in {name.removesuffix(end) for end in wanted for name in plain if name.endswith(f".{end}")} if _holds(plain, p, wanted)
    }
    if not prefixes or _holds(plain, "", wanted):
        return plain
    if len(prefixes) > 1:
        raise ValueError(f"it holds several models: {', '.join(sorted(prefixes)[:3])}")
    [prefix] = prefixes
    return {name: value for name, value in plain.items() if not name.startswith(prefix)} | {
        name.removeprefix(prefix): value for name, value in plain.items() if name.startswith(prefix)
    }


def _holds(weights: Mapping[str, Tensor], prefix: str, wanted: Collection[str]) -> bool:
    """Whether a model stands below this prefix: most of it, so that the check can say what is missing."""
    return sum(prefix + name in weights for name in wanted) > len(wanted) / 2
