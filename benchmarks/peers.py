"""Lesson 07's GPT and lesson 06's tokenizer against their peers: transformers' GPT-2, a GPT as nanoGPT builds it, tiktoken. In one run, on the CPU.

    python benchmarks/peers.py            # prints the table
    python benchmarks/peers.py --save     # keeps it for the site

Each line is the median of five runs in which the peers take turns, in processor time of one thread, so that what else the machine does matters
less. A ratio below 1 means that the course's is faster. Sizes: nanoGPT's CPU recipe for training (Karpathy 2022), GPT-2's shape, six blocks of
384, for generating.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from autograde.authoring.measuring import benchmark_tables  # noqa: E402
from benchmarks.parts.lessons import answers, gpt_lesson  # noqa: E402
from utils.corpora import load_text  # noqa: E402
from utils.vocabularies import gpt2  # noqa: E402

COLUMNS = ("what", "the course's", "the peer's", "ratio", "least to greatest ratio", "peer")
RUNS = 5
TRAINING = {"vocab_size": 65, "block_size": 64, "n_layer": 4, "n_head": 4, "d_model": 128}
WRITING = {"vocab_size": 65, "block_size": 256, "n_layer": 6, "n_head": 6, "d_model": 384}
BATCH, STEPS, NEW_TOKENS, TEXT = 12, 10, 100, 1_000_000


class PlainBlock(nn.Module):
    """A pre-norm block without biases: what nanoGPT's CPU recipe trains, from its paper's (Radford et al. 2019) sizes.

    nanoGPT has the exact GELU, `approximate="none"`; lesson 07 has GPT-2's, "tanh", which takes PyTorch more than twice as long on a CPU.
    """

    def __init__(self, width: int, heads: int, approximate: str) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width, bias=False), nn.LayerNorm(width, bias=False)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width, bias=False)
        self.feed = nn.Sequential(nn.Linear(width, 4 * width, bias=False), nn.GELU(approximate), nn.Linear(4 * width, width, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        batch, length, width = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        heads = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(heads.transpose(1, 2).reshape(batch, length, width))
        return x + self.feed(self.norm2(x))


class PlainGPT(nn.Module):
    """Tied embeddings and learned positions around `PlainBlock`s."""

    def __init__(self, vocab_size: int, block_size: int, n_layer: int, n_head: int, d_model: int, approximate: str = "none") -> None:
        super().__init__()
        self.tokens, self.positions = nn.Embedding(vocab_size, d_model), nn.Embedding(block_size, d_model)
        self.blocks = nn.Sequential(*(PlainBlock(d_model, n_head, approximate) for _ in range(n_layer)))
        self.norm = nn.LayerNorm(d_model, bias=False)

    def forward(self, ids: Tensor, targets: Tensor) -> Tensor:
        x = self.tokens(ids) + self.positions(torch.arange(ids.shape[1]))
        logits = self.norm(self.blocks(x)) @ self.tokens.weight.T
        return F.cross_entropy(logits.flatten(0, 1), targets.flatten())


def transformers_gpt2(vocab_size: int, block_size: int, n_layer: int, n_head: int, d_model: int) -> nn.Module:
    from transformers import GPT2Config, GPT2LMHeadModel

    sizes = {"vocab_size": vocab_size, "n_positions": block_size, "n_layer": n_layer, "n_head": n_head, "n_embd": d_model}
    return GPT2LMHeadModel(GPT2Config(**sizes, resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, bos_token_id=0, eos_token_id=0))


def our_gpt(sizes: dict[str, int], bias: bool = True) -> nn.Module:
    return gpt_lesson()["build_gpt"](gpt_lesson()["GPTConfig"](**sizes, bias=bias))


# Training


def our_steps(bias: bool) -> Callable[[], object]:
    """The lesson's step, clipping included, with the optimizer that `utils.training` makes."""
    model = our_gpt(TRAINING, bias)
    optimizer = torch.optim.AdamW(gpt_lesson()["parameter_groups"](model, 0.1), lr=1e-3, betas=(0.9, 0.99), fused=True)
    batch = _batch()
    return lambda: [gpt_lesson()["train_step"](model, optimizer, [batch], 1.0) for _ in range(STEPS)]


def peer_steps(model: nn.Module, loss_of: Callable[[Tensor, Tensor], Tensor]) -> Callable[[], object]:
    """The same step in plain PyTorch, with AdamW as PyTorch makes it."""
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3, betas=(0.9, 0.99), weight_decay=0.1)
    x, y = _batch()

    def step() -> float:
        optimizer.zero_grad()
        loss = loss_of(x, y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        return loss.item()

    return lambda: [step() for _ in range(STEPS)]


def _batch() -> tuple[Tensor, Tensor]:
    ids = torch.randint(TRAINING["vocab_size"], (BATCH, TRAINING["block_size"] + 1), generator=torch.Generator().manual_seed(0))
    return ids[:, :-1].contiguous(), ids[:, 1:].contiguous()


# Generating


def our_text(generate: Callable) -> Callable[[], object]:
    model, prompt = our_gpt(WRITING).eval(), torch.zeros(1, 1, dtype=torch.long)
    return lambda: generate(model, prompt, NEW_TOKENS, 1.0, None, None, torch.Generator().manual_seed(0))


def transformers_text() -> Callable[[], object]:
    model, prompt = transformers_gpt2(**WRITING).eval(), torch.zeros(1, 1, dtype=torch.long)
    options = {
        "max_new_tokens": NEW_TOKENS,
        "min_new_tokens": NEW_TOKENS,
        "do_sample": True,
        "top_k": 0,
        "pad_token_id": 0,
        "use_cache": True,
    }
    return lambda: model.generate(prompt, attention_mask=torch.ones_like(prompt), **options)


# Tokens


def tokenizers() -> tuple[Callable[[], object], Callable[[], object]]:
    """Encode a megabyte with GPT-2's merges; ours begins each time with no word remembered. What either prepares when it is made is not timed."""
    known, text = gpt2(), load_text(quiet=True).text[:TEXT]
    encoding, ours = known.encoding(), answers("06_tokenization")["BPETokenizer"](known.vocab, known.merges)

    def encode() -> list[int]:
        ours.encode_piece.cache_clear()
        return ours.encode(text)

    assert encode() == encoding.encode_ordinary(text)
    return encode, lambda: encoding.encode_ordinary(text)


def compared() -> list[tuple[str, ...]]:
    """A line for each comparison: medians, the ratio of medians, and how far the ratio of single runs goes."""
    plain, same, theirs = PlainGPT(**TRAINING), PlainGPT(**TRAINING, approximate="tanh"), transformers_gpt2(**TRAINING).train()
    step, generate = f"{STEPS} training steps", f"{NEW_TOKENS} characters"
    pairs = {
        (step, "transformers' GPT-2"): (
            our_steps(True),
            peer_steps(theirs, lambda x, y: F.cross_entropy(theirs(x).logits.flatten(0, 1), y.flatten())),
        ),
        (step, "a GPT as nanoGPT's"): (our_steps(False), peer_steps(plain, plain)),
        (step, "the same with GPT-2's GELU, as ours"): (our_steps(False), peer_steps(same, same)),
        (f"{generate}, both with a cache", "transformers' GPT-2"): (our_text(gpt_lesson()["generate_cached"]), transformers_text()),
        (f"{generate}, ours without one", "transformers' GPT-2"): (our_text(gpt_lesson()["generate"]), transformers_text()),
        (f"encoding {TEXT / 1e6:g} MB", "tiktoken"): tokenizers(),
    }
    return [_row(what, peer, *both) for (what, peer), both in pairs.items()]


def _row(what: str, peer: str, ours: Callable[[], object], theirs: Callable[[], object]) -> tuple[str, ...]:
    print(f"{what}, {peer} …", flush=True)
    ours(), theirs()  # what is done once is not timed
    times = [(_seconds(ours), _seconds(theirs)) for _ in range(RUNS)]
    a, b = (statistics.median(column) for column in zip(*times))
    ratios = sorted(x / y for x, y in times)
    return what, f"{a:.3f} s", f"{b:.3f} s", f"{a / b:.2f}", f"{ratios[0]:.2f} to {ratios[-1]:.2f}", peer


def _seconds(run: Callable[[], object]) -> float:
    began = time.process_time()
    run()
    return time.process_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--save", action="store_true", help="keep the table in docs/measured, for the site")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    rows = compared()
    for row in (COLUMNS, *rows):
        print(f"{row[0]:<36}{row[1]:>14}{row[2]:>14}{row[3]:>8}{row[4]:>26}   {row[5]}")
    if chosen.save:
        note = f"Median processor time of {RUNS} runs, one thread; a ratio below 1 means that the course's is faster."
        print(f"kept in {benchmark_tables.save('peers', 'Against the peers', COLUMNS, rows, note)}")


if __name__ == "__main__":
    main()
