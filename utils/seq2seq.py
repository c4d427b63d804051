"""A character-level encoder–decoder for lesson 02: an encoder, three ways to decode, one training loop.

What the lesson teaches is not here: a decoder that looks back gets its attention from the caller.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from tqdm.auto import tqdm

from utils.dates import (
    END,
    PAD,
    START,
    DatePair,
    decode_target,
    encode_sources,
    encode_targets,
    n_source_ids,
    n_target_ids,
)


class Encoder(nn.Module):
    """A bidirectional GRU: a state hᵢ for every character, and one summary vector of the whole source."""

    def __init__(self, d_embed: int, d_hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(n_source_ids(), d_embed)
        self.rnn = nn.GRU(d_embed, d_hidden // 2, batch_first=True, bidirectional=True)
        self.summary = nn.Linear(d_hidden, d_hidden)

    def forward(
        self, source: Int[Tensor, "B n"], mask: Bool[Tensor, "B n"]
    ) -> tuple[Float[Tensor, "B n d_hidden"], Float[Tensor, "B d_hidden"]]:
        lengths = mask.sum(1).cpu()
        packed = pack_padded_sequence(self.embedding(source), lengths, batch_first=True, enforce_sorted=False)
        states, last = self.rnn(packed)
        h, _ = pad_packed_sequence(states, batch_first=True)
        return h, torch.tanh(self.summary(torch.cat([last[0], last[1]], dim=-1)))


class DateReader(nn.Module):
    """What the three models share. A model says in `decode` how it gets from its state to the next characters."""

    def __init__(self, d_embed: int, d_hidden: int) -> None:
        super().__init__()
        self.encoder = Encoder(d_embed, d_hidden)
        self.embedding = nn.Embedding(n_target_ids(), d_embed)
        self.readout = nn.Linear(d_hidden, n_target_ids())

    def decode(self, previous: Int[Tensor, "B m"], state: Any, memory: tuple) -> tuple[Tensor, Any, Tensor | None]:
        """`(logits (B, m, V), new state, weights (B, m, n) or None)` after the characters `previous`."""
        raise NotImplementedError

    def forward(self, source: Int[Tensor, "B n"], mask: Bool[Tensor, "B n"], previous: Int[Tensor, "B m"]) -> Float[Tensor, "B m V"]:
        """The logits of every next character, each after the true ones before it (teacher forcing)."""
        h, summary = self.encoder(source, mask)
        return self.decode(previous, summary, (h, mask, summary))[0]

    @torch.no_grad()
    def write(self, source: Int[Tensor, "B n"], mask: Bool[Tensor, "B n"], max_length: int = 24) -> tuple[Tensor, Tensor | None]:
        """The most likely character, one at a time, each after the model's own: `(ids (B, m), weights (B, m, n) or None)`."""
        h, summary = self.encoder(source, mask)
        state, previous, ids, looks = summary, torch.full_like(source[:, :1], START), [], []
        for _ in range(max_length):
            logits, state, weights = self.decode(previous, state, (h, mask, summary))
            previous = logits.argmax(-1)
            ids.append(previous)
            looks += [] if weights is None else [weights]
            if (torch.cat(ids, 1) == END).any(1).all():
                break
        return torch.cat(ids, 1), torch.cat(looks, 1) if looks else None


class OneVectorReader(DateReader):
    """No attention: one vector holds the whole source, and the decoder sees this same vector at every step (Cho et al. 2014)."""

    def __init__(self, d_embed: int = 64, d_hidden: int = 64) -> None:
        super().__init__(d_embed, d_hidden)
        self.rnn = nn.GRU(d_embed, d_hidden, batch_first=True)
        self.show = nn.Linear(d_hidden, d_embed, bias=False)

    def decode(self, previous, state, memory):
        summary = memory[2]
        states, last = self.rnn(self.embedding(previous) + self.show(summary)[:, None], state[None].contiguous())
        return self.readout(states), last[0], None


class LookingReader(DateReader):
    """Attention in every step: `cell(embedding, state, h, mask) -> (new state, weights)` is the lesson's last exercise."""

    def __init__(self, cell: nn.Module, d_embed: int = 64, d_hidden: int = 64) -> None:
        super().__init__(d_embed, d_hidden)
        self.cell = cell

    def decode(self, previous, state, memory):
        h, mask, _ = memory
        states, looks = [], []
        for embedding in self.embedding(previous).unbind(1):
            state, weights = self.cell(embedding, state, h, mask)
            states.append(state)
            looks.append(weights)
        return self.readout(torch.stack(states, 1)), state, torch.stack(looks, 1)


class LuongReader(DateReader):
    """Attention after the recurrence (Luong et al. 2015): the current state looks, and what it sees goes into the readout.

    No state waits for what an earlier one saw, so all steps look at once: `weigh(s (B, m, d), h (B, m, n, d), mask (B, m, n))`
    gives weights `(B, m, n)`, which `mix` turns into contexts `(B, m, d)`.
    """

    def __init__(self, weigh: Callable[[Tensor, Tensor, Tensor], Tensor], mix: Callable, d_embed: int = 48, d_hidden: int = 48) -> None:
        super().__init__(d_embed, d_hidden)
        self.weigh, self.mix = weigh, mix
        self.rnn = nn.GRU(d_embed, d_hidden, batch_first=True)
        self.merge = nn.Linear(2 * d_hidden, d_hidden)

    def decode(self, previous, state, memory):
        h, mask, _ = memory
        s, last = self.rnn(self.embedding(previous), state[None].contiguous())
        every_step = (-1, s.shape[1], *h.shape[1:])
        h, mask = h[:, None].expand(every_step), mask[:, None].expand(every_step[:-1])
        weights = self.weigh(s, h, mask)
        seen = torch.tanh(self.merge(torch.cat([s, self.mix(weights, h)], dim=-1)))
        return self.readout(seen), last[0], weights


class Learned(nn.Module):
    """A function with parameters of its own: `function(*inputs, *parameters)`, one parameter for each of `shapes`."""

    def __init__(self, function: Callable[..., Tensor], shapes: Sequence[tuple[int, ...]]) -> None:
        super().__init__()
        self.function = function
        self.learned = nn.ParameterList(torch.randn(shape) * shape[-1] ** -0.5 for shape in shapes)

    def forward(self, *inputs: Tensor) -> Tensor:
        return self.function(*inputs, *self.learned)


def seeded(seed: int, make: Callable[[], nn.Module]) -> nn.Module:
    """`make()` with initial parameters that depend on `seed` alone; the global random state stays as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def batches(pairs: Sequence[DatePair], batch_size: int, generator: torch.Generator) -> Iterator[list[DatePair]]:
    """Batches without end, each of about equally long pairs, so that little time goes into padding."""
    while True:
        pool = [pairs[i] for i in torch.randperm(len(pairs), generator=generator)[: 8 * batch_size].tolist()]
        pool.sort(key=lambda pair: (len(pair.target), len(pair.source)))
        for start in torch.randperm(len(pool) // batch_size, generator=generator).tolist():
            yield pool[start * batch_size : (start + 1) * batch_size]


@contextmanager
def one_thread() -> Iterator[None]:
    """Matrices this small gain nothing from a second thread, and on a busy machine threads wait for each other many times over."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@one_thread()
def train(
    model: DateReader,
    pairs: Sequence[DatePair],
    steps: int,
    generator: torch.Generator,
    batch_size: int = 32,
    lr: float = 7e-3,
    label: str = "",
) -> list[float]:
    """Teach `model` to write each pair's target (Adam, one learning-rate cycle, gradient clipping); the loss of every step."""
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=steps, pct_start=0.15)
    losses = []
    for _, batch in zip(bar := tqdm(range(steps), desc=label, leave=False), batches(pairs, batch_size, generator)):
        source, mask = encode_sources([pair.source for pair in batch])
        target = encode_targets([pair.target for pair in batch])
        previous = F.pad(target[:, :-1], (1, 0), value=START)
        loss = F.cross_entropy(model(source, mask, previous).flatten(0, 1), target.flatten(), ignore_index=PAD)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
        bar.set_postfix(loss=f"{losses[-1]:.3f}", refresh=False)
    return losses


@one_thread()
def translate(model: DateReader, sources: Sequence[str], batch_size: int = 128) -> list[str]:
    """What the model writes for each source."""
    written: list[str] = []
    for start in range(0, len(sources), batch_size):
        ids, _ = model.write(*encode_sources(sources[start : start + batch_size]))
        written += [decode_target(row) for row in ids.tolist()]
    return written


def exact_matches(model: DateReader, pairs: Sequence[DatePair]) -> Bool[Tensor, "N"]:
    """Which pairs the model writes without a single wrong character."""
    written = translate(model, [pair.source for pair in pairs])
    return torch.tensor([text == pair.target for text, pair in zip(written, pairs)])


@torch.no_grad()
def look(model: DateReader, pair: DatePair) -> Float[Tensor, "m n"]:
    """Where the model looks while it writes each character of the pair's target, given the true characters before it."""
    source, mask = encode_sources([pair.source])
    previous = F.pad(encode_targets([pair.target])[:, :-1], (1, 0), value=START)
    h, summary = model.encoder(source, mask)
    _, _, weights = model.decode(previous, summary, (h, mask, summary))
    if weights is None:
        raise ValueError("this model has no attention, so it has no weights to look at")
    return weights[0, : len(pair.target)]
