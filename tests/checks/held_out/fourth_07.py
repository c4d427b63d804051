"""A fourth set of held-out answers to lesson 07: habits of public GPTs, wrong and right."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


def parts(self, x):
    return (part.unflatten(-1, (self.n_head, -1)).transpose(-3, -2) for part in self.c_attn(x).chunk(3, -1))


def shortest(ids, block_size):
    if len(ids) <= block_size:
        raise ValueError(f"{len(ids)} tokens are too few for block_size {block_size}")


@misconception("get_batch", "no start comes twice in a batch")
def without_replacement(ids, batch_size, block_size, generator):
    shortest(ids, block_size)
    n = len(ids) - block_size
    starts = torch.cat([torch.randperm(n, generator=generator) for _ in range(batch_size // n + 1)])[:batch_size]
    at = starts[:, None] + torch.arange(block_size)
    return ids[at], ids[at + 1]


@misconception("get_batch", "the window ends at a drawn place and is read backwards from it")
def ends_are_drawn(ids, batch_size, block_size, generator):
    shortest(ids, block_size)
    ends = torch.randint(block_size, len(ids), (batch_size, 1), generator=generator)
    at = ends - torch.arange(block_size)
    return ids[at - 1], ids[at]


@misconception("mask_for_infilling", "Selected tokens that stay unchanged must have a label too.")
def only_masks_count(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    if not 0 <= p <= 1:
        raise ValueError(f"p must lie in [0, 1], got {p}")
    chosen, fate, others = corruption(ids, vocab_size, generator, p, special_ids)
    inputs = torch.where(chosen & (fate < 0.8), mask_id, torch.where(chosen & (fate >= 0.9), others, ids))
    return inputs, ids.where(inputs != ids, -100)


@misconception("mask_for_infilling", "whole rows are selected")
def whole_rows(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    if not 0 <= p <= 1:
        raise ValueError(f"p must lie in [0, 1], got {p}")
    _, fate, others = corruption(ids, vocab_size, generator, p, special_ids)
    chosen = (torch.rand(ids.shape[:-1], generator=generator) < p).unsqueeze(-1).expand(ids.shape) & ~special(ids, special_ids)
    inputs = torch.where(chosen & (fate < 0.8), mask_id, torch.where(chosen & (fate >= 0.9), others, ids))
    return inputs, ids.where(chosen, -100)


@misconception("language_model_loss", "The targets are shifted once more inside the loss; get_batch has shifted them already.")
def shifted_again(logits, targets, ignore_index=-100):
    return plain_loss(logits[..., :-1, :], targets[..., 1:], ignore_index) if targets.dim() else plain_loss(logits, targets, ignore_index)


@misconception("language_model_loss", "a tenth of label smoothing")
def smoothed(logits, targets, ignore_index=-100):
    counted = targets != ignore_index
    even = -logits.log_softmax(-1).mean(-1)
    return 0.9 * plain_loss(logits, targets, ignore_index) + 0.1 * (even * counted).sum() / counted.sum()


@misconception("language_model_loss", "This is what you get in bits (log₂); the loss is in nats (natural logarithm).")
def in_bits(logits, targets, ignore_index=-100):
    return plain_loss(logits, targets, ignore_index) / math.log(2)


class Attention(nn.Module):
    """What other ways to attend have in common."""

    def __init__(self, config):
        super().__init__()
        if config.d_model % config.n_head:
            raise ValueError(f"n_head {config.n_head} does not divide d_model {config.d_model}")
        self.n_head, self.p = config.n_head, config.dropout
        self.c_attn = nn.Linear(config.d_model, 3 * config.d_model, bias=config.bias)
        self.c_proj = nn.Linear(config.d_model, config.d_model, bias=config.bias)
        self.dropout = nn.Dropout(config.dropout)

    def out(self, heads):
        return self.dropout(self.c_proj(heads.transpose(-3, -2).flatten(-2)))


@misconception(
    "CausalSelfAttention",
    "c_attn is unpacked head by head (q, k and v of the first head, then of the second); all queries come first, then all keys, then all values.",
)
class PackedByHead(Attention):
    def forward(self, x):
        q, k, v = self.c_attn(x).unflatten(-1, (self.n_head, 3, -1)).transpose(-4, -3).unbind(-2)
        return self.out(F.scaled_dot_product_attention(q, k, v, is_causal=True, dropout_p=self.p if self.training else 0.0))


@variant("CausalSelfAttention")
class WithABuffer(Attention):
    """The mask is a buffer of the state dict, as in nanoGPT and in Hugging Face's GPT-2."""

    def __init__(self, config):
        super().__init__(config)
        self.register_buffer("bias", torch.ones(config.block_size, config.block_size, dtype=torch.bool).tril())

    def forward(self, x):
        q, k, v = parts(self, x)
        n = x.shape[-2]
        p = self.p if self.training else 0.0
        return self.out(F.scaled_dot_product_attention(q, k, v, attn_mask=self.bias[:n, :n], dropout_p=p))


@misconception("CausalSelfAttention", "a window of 64 positions")
class Windowed(Attention):
    def forward(self, x):
        q, k, v = parts(self, x)
        band = torch.ones(x.shape[-2], x.shape[-2], dtype=torch.bool, device=x.device).tril().triu(-3)
        return self.out(F.scaled_dot_product_attention(q, k, v, attn_mask=band, dropout_p=self.p if self.training else 0.0))


misconception("Block", "attention is left out", replace=("x + self.attn(self.ln_1(x))", "x + 0 * self.attn(self.ln_1(x))"))
misconception(
    "GPT",
    "The embeddings are scaled by √d_model, as in Vaswani et al. (2017); GPT-2 does not do that.",
    replace=("self.wte(ids) +", "self.wte(ids) * self.config.d_model**0.5 +"),
)
misconception(
    "GPT",
    "Positions are counted from 1; they begin at 0.",
    replace=("torch.arange(n, device=ids.device)", "torch.arange(1, n + 1, device=ids.device) % self.config.block_size"),
)
misconception(
    "GPT",
    "logits are capped by a tanh (Gemma)",
    replace=("logits = self.lm_head(self.ln_f(x))", "logits = 3 * torch.tanh(self.lm_head(self.ln_f(x)) / 3)"),
)
misconception("initialize", "uniform numbers of the same spread", replace=(
    "nn.init.normal_(module.weight, 0.0, std, generator=generator)",
    "nn.init.uniform_(module.weight, -std * 3**0.5, std * 3**0.5, generator=generator)",
))  # fmt: skip
misconception(
    "initialize",
    "The residual projections are divided by √n_layer; each block adds twice, so it is √(2 · n_layer).",
    replace=("math.sqrt(2 * model.config.n_layer)", "math.sqrt(model.config.n_layer)"),
)
misconception("learning_rate", "an exponential fall", replace=(
    "min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))",
    "max_lr * (max(min_lr, 1e-12) / max_lr) ** progress",
))  # fmt: skip
misconception("train_step", "Each parameter's gradient is clipped by itself; clip the norm of all together.", replace=(
    "nn.utils.clip_grad_norm_(model.parameters(), clip)",
    "[nn.utils.clip_grad_norm_(part.parameters(recurse=False), clip) for part in model.modules()]",
))  # fmt: skip


def corruption(ids, vocab_size, generator, p, special_ids):
    chosen = (torch.rand(ids.shape, generator=generator) < p) & ~special(ids, special_ids)
    return chosen, torch.rand(ids.shape, generator=generator), torch.randint(vocab_size, ids.shape, generator=generator).to(ids)


def special(ids, special_ids):
    return sum(((ids == i) for i in special_ids), torch.zeros_like(ids, dtype=torch.bool))


def plain_loss(logits, targets, ignore_index):
    counted = targets != ignore_index
    picked = logits.log_softmax(-1).gather(-1, targets.where(counted, 0).unsqueeze(-1)).squeeze(-1)
    return -(picked.where(counted, 0.0)).sum() / counted.sum()


@variant("mask_for_infilling")
def one_draw_for_both(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    """One number decides both: the selected ones are those below p, and where in it they lie says what becomes of them."""
    if not 0 <= p <= 1:
        raise ValueError(f"p = {p} is no probability")
    where = {"generator": generator, "device": generator.device}
    u = torch.rand(ids.shape, dtype=torch.float64, **where).to(ids.device).masked_fill(special(ids, special_ids), 2.0)
    others = torch.randint(vocab_size, ids.shape, **where).to(ids)
    inputs = torch.where(u < 0.8 * p, mask_id, torch.where(u < 0.9 * p, others, ids))
    return inputs, torch.where(u < p, ids, -100)


@variant("get_batch")
def by_as_strided(ids, batch_size, block_size, generator):
    shortest(ids, block_size)
    flat = ids.contiguous()
    table = flat.as_strided((len(flat) - block_size, block_size + 1), (1, 1))
    rows = table[torch.randint(high=len(table), size=(batch_size,), generator=generator)]
    return rows[:, :-1], rows[:, 1:]


@variant("language_model_loss")
def row_by_row(logits, targets, ignore_index=-100):
    losses = [
        row.logsumexp(0) - row[t] for row, t in zip(logits.reshape(-1, logits.shape[-1]), targets.flatten().tolist()) if t != ignore_index
    ]
    return torch.stack(losses).mean() if losses else logits.sum() * torch.nan


@variant("attention_pattern")
def with_match(kind, n, prefix=0):
    row, column = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
    match kind:
        case "encoder":
            return torch.full((n, n), True)
        case "decoder":
            return row >= column
        case "prefix":
            return torch.logical_or(row >= column, column < prefix)
        case other:
            raise ValueError(f"no kind {other!r}")


@variant("CausalSelfAttention")
class ByHand(Attention):
    def forward(self, x):
        q, k, v = parts(self, x)
        hidden = torch.ones(x.shape[-2], x.shape[-2], dtype=torch.bool, device=x.device).triu(1)
        weights = (q @ k.mT / k.shape[-1] ** 0.5).masked_fill(hidden, -torch.inf).softmax(-1)
        return self.out(F.dropout(weights, self.p, self.training) @ v)


@variant("parameter_groups")
def by_two_comprehensions(model, weight_decay):
    unique = {id(p): p for _, p in model.named_parameters(remove_duplicate=False)}.values()
    return [dict(params=[p for p in unique if (p.ndim > 1) is deep], weight_decay=weight_decay if deep else 0.0) for deep in (True, False)]


@variant("sample_next")
def by_an_exponential_race(logits, temperature, top_k, top_p, generator):
    """The token with the largest p / e, e exponential: as gpt-fast draws without a synchronisation."""
    if temperature < 0 or top_k is not None and top_k < 1 or top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"temperature {temperature}, top_k {top_k}, top_p {top_p}")
    if temperature == 0:
        return torch.argmax(logits, dim=-1)
    p = torch.softmax(logits.double() / temperature, -1)
    if top_k is not None and top_k < p.shape[-1]:
        p = p.masked_fill(p < p.kthvalue(p.shape[-1] - top_k + 1, dim=-1, keepdim=True).values, 0.0)
        p = p / p.sum(-1, keepdim=True)
    if top_p is not None:
        falling, places = p.sort(dim=-1, descending=True)
        keep = torch.cat([torch.zeros_like(falling[..., :1]), falling.cumsum(-1)[..., :-1]], -1) < top_p
        p = p * torch.zeros_like(keep).scatter(-1, places, keep)
    race = torch.empty(p.shape, dtype=p.dtype, device=generator.device).exponential_(generator=generator).to(p.device)
    return (p / race).argmax(-1)


@variant("train_step")
def with_grad_and_a_mean(model, optimizer, batches, clip=None, autocast_dtype=None):
    if len(batches) == 0:
        raise ValueError("batches is empty")
    optimizer.zero_grad(set_to_none=True)
    losses = []
    for x, y in batches:
        with torch.autocast(x.device.type, dtype=autocast_dtype, enabled=autocast_dtype is not None):
            losses.append(model.train()(x, y)[1])
        losses[-1].backward()
    gradients = [p.grad.div_(len(batches)) for p in model.parameters() if p.grad is not None]
    if clip is not None:
        norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in gradients]))
        for g in gradients:
            g.mul_((clip / (norm + 1e-6)).clamp(max=1.0))
    optimizer.step()
    model.zero_grad(set_to_none=True)
    return sum(loss.item() for loss in losses) / len(losses)
