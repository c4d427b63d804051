"""The simplest language model there is: what a trained GPT has to beat, and a stand-in for it in tests."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class BigramLM(nn.Module):
    """The next token from the last one alone: row `ids[t]` of a table, plus one number for each token however often it comes.

    Called like lesson 07's GPT. `last_call` says how it was called last: in training mode, with gradients, under autocast, on how many tokens.
    """

    def __init__(self, vocab_size: int, block_size: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.config = SimpleNamespace(vocab_size=vocab_size, block_size=block_size)
        self.table = nn.Embedding(vocab_size, vocab_size)
        self.bias = nn.Parameter(torch.zeros(vocab_size))
        self.dropout = nn.Dropout(dropout)
        self.last_call: dict = {}

    def forward(self, ids: Tensor, targets: Tensor | None = None) -> tuple[Tensor, Tensor | None]:
        if ids.shape[-1] > self.config.block_size:
            raise ValueError(f"ids holds {ids.shape[-1]} tokens, more than block_size {self.config.block_size}")
        autocast = torch.is_autocast_enabled(ids.device.type)
        self.last_call = {"training": self.training, "gradients": torch.is_grad_enabled(), "autocast": autocast, "length": ids.shape[-1]}
        logits = self.dropout(self.table(ids)) + self.bias
        return logits, None if targets is None else F.cross_entropy(logits.flatten(0, -2), targets.flatten())

    def fit(self, ids: Tensor, smoothing: float = 0.1) -> BigramLM:
        """Count every pair in `ids (n,)`: the exact maximum-likelihood table, with `smoothing` added to each count."""
        size = self.config.vocab_size
        counts = torch.bincount(ids[:-1] * size + ids[1:], minlength=size * size).view(size, size) + smoothing
        with torch.no_grad():
            self.table.weight.copy_(counts.div(counts.sum(1, keepdim=True)).log())
            self.bias.zero_()
        return self
