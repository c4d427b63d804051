"""Lesson 07's GPT with a key-value cache: the keys and values of what was read are kept, so that a new token costs one position."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.parts.lessons import gpt_lesson


class CachedGPT:
    """Reads `model` (a GPT of lesson 07) a few tokens at a time; memory for `block_size` positions is reserved at the beginning."""

    def __init__(self, model: nn.Module, batch: int = 1) -> None:
        config, like = model.config, model.wte.weight
        shape = (config.n_layer, 2, batch, config.n_head, config.block_size, config.d_model // config.n_head)
        self.model, self.length = model, 0
        self.kept = torch.empty(shape, device=like.device, dtype=like.dtype)

    @torch.no_grad()
    def read(self, ids: Int[Tensor, "B t"]) -> Float[Tensor, "B V"]:
        """The logits after `ids`, which come after all that was read before; several at a time only at the beginning."""
        model, begin, end = self.model, self.length, self.length + ids.shape[1]
        if begin and end > begin + 1:
            raise ValueError("after the prompt read one token at a time")
        x = model.wte(ids) + model.wpe.weight[begin:end]
        for block, kept in zip(model.h, self.kept):
            x = x + self._attend(block.attn, block.ln_1(x), kept, begin, end)
            x = x + block.mlp(block.ln_2(x))
        self.length = end
        return model.lm_head(model.ln_f(x[:, -1]))

    def _attend(self, attention: nn.Module, x: Tensor, kept: Tensor, begin: int, end: int) -> Tensor:
        q, k, v = (part.unflatten(-1, (attention.n_head, -1)).transpose(1, 2) for part in attention.c_attn(x).chunk(3, -1))
        kept[0, :, :, begin:end], kept[1, :, :, begin:end] = k, v
        heads = F.scaled_dot_product_attention(q, kept[0, :, :, :end], kept[1, :, :, :end], is_causal=begin == 0)
        return attention.c_proj(heads.transpose(1, 2).flatten(-2))


def generate(
    model: nn.Module,
    ids: Int[Tensor, "B T"],
    n_new: int,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
    generator: torch.Generator,
) -> Int[Tensor, "B T_plus_n_new"]:
    """As lesson 07's `generate`, with a cache while the text fits into the model.

    Once it doesn't, every token has a new position, so that nothing that was kept holds any longer: then the window is read anew each time.
    """
    sample_next, block_size, was_training = gpt_lesson()["sample_next"], model.config.block_size, model.training
    model.eval()
    cache, unread = CachedGPT(model, len(ids)), ids[:, -block_size:]
    try:
        for _ in range(n_new):
            if cache.length + unread.shape[1] > block_size:
                cache.length, unread = 0, ids[:, -block_size:]
            unread = sample_next(cache.read(unread), temperature, top_k, top_p, generator)[:, None]
            ids = torch.cat([ids, unread], dim=1)
    finally:
        model.train(was_training)
    return ids
