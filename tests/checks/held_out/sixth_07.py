"""A sixth set of held-out answers to lesson 07: what public GPTs and students' notebooks do, wrong and right."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant


@misconception("get_batch", "y is the token after the window alone")
def one_label(ids, batch_size, block_size, generator):
    if len(ids) <= block_size:
        raise ValueError(f"{len(ids)} tokens are too few for block_size {block_size}")
    at = torch.randint(len(ids) - block_size, (batch_size, 1), generator=generator)
    x = ids[at + torch.arange(block_size)]
    return x, ids[at + block_size].expand(-1, block_size)


@misconception("get_batch", "Every window of your batch begins at the same place: draw a start for each.")
def one_start(ids, batch_size, block_size, generator):
    if len(ids) <= block_size:
        raise ValueError(f"{len(ids)} tokens are too few for block_size {block_size}")
    at = torch.randint(len(ids) - block_size, (1, 1), generator=generator)
    at = at.expand(batch_size, 1) + torch.arange(block_size)
    return ids[at], ids[at + 1]


def special(ids, special_ids):
    return torch.isin(ids, torch.tensor(list(special_ids), dtype=ids.dtype, device=ids.device))


@misconception("language_model_loss", "softmax, a small number, logarithm")
def with_a_small_number(logits, targets, ignore_index=-100):
    counted = targets != ignore_index
    chosen = logits.softmax(-1).gather(-1, targets.where(counted, 0)[..., None])[..., 0]
    return -(chosen + 1e-9).log()[counted].mean()


def refuse(temperature, top_k, top_p):
    if temperature < 0 or (top_k is not None and top_k < 1) or (top_p is not None and not 0 < top_p <= 1):
        raise ValueError(f"temperature {temperature}, top_k {top_k}, top_p {top_p}: one of them is not allowed")


misconception(
    "generate",
    "the new token goes to the front",
    replace=("torch.cat([ids, new[:, None]], dim=1)", "torch.cat([new[:, None], ids], dim=1)"),
)
misconception(
    "train_step",
    "weight decay by hand before the step",
    replace=(
        "    optimizer.step()\n",
        "    with torch.no_grad():\n        for p in model.parameters():\n            p.mul_(0.9)\n    optimizer.step()\n",
    ),
)


@variant("language_model_loss")
def by_indices(logits, targets, ignore_index=-100):
    rows, labels = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)
    at = (labels != ignore_index).nonzero().squeeze(-1)
    rows, labels = rows[at], labels[at]
    return (rows.logsumexp(-1) - rows[torch.arange(len(at)), labels]).mean()


@variant("attention_pattern")
def by_a_comprehension(kind, n, prefix=0):
    rules = {"encoder": lambda i, j: True, "decoder": lambda i, j: j <= i, "prefix": lambda i, j: j < prefix or j <= i}
    if kind not in rules:
        raise ValueError(f"kind must be one of {sorted(rules)}, got {kind!r}")
    return torch.tensor([[rules[kind](i, j) for j in range(n)] for i in range(n)], dtype=torch.bool).reshape(n, n)


@variant("sample_next")
def by_gumbel_noise(logits, temperature, top_k, top_p, generator):
    refuse(temperature, top_k, top_p)
    if temperature == 0:
        return logits.argmax(-1)
    logits = logits / temperature
    if top_k is not None:
        least = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < least, -math.inf)
    if top_p is not None:
        ordered, order = logits.softmax(-1).sort(-1, descending=True)
        drop = ordered.cumsum(-1) - ordered >= top_p
        logits = logits.masked_fill(torch.zeros_like(drop).scatter(-1, order, drop), -math.inf)
    u = torch.rand(logits.shape, generator=generator, dtype=torch.float64, device=generator.device).to(logits.device).clamp(min=1e-300)
    return (logits - (-u.log()).log()).argmax(-1)


@variant("learning_rate")
def as_a_sine_squared(step, warmup_steps, total_steps, max_lr, min_lr):
    if step < warmup_steps:
        return step / warmup_steps * max_lr
    if step >= total_steps:
        return min_lr
    return max_lr - (max_lr - min_lr) * math.sin(math.pi / 2 * (step - warmup_steps) / (total_steps - warmup_steps)) ** 2


@variant("get_batch")
def window_by_window(ids, batch_size, block_size, generator):
    if len(ids) < block_size + 1:
        raise ValueError(f"{len(ids)} tokens are too few for block_size {block_size}")
    starts = torch.randint(0, len(ids) - block_size, (batch_size,), generator=generator).tolist()
    return tuple(torch.stack([ids[s + shift : s + shift + block_size] for s in starts]) for shift in (0, 1))


@variant("FeedForward")
class GELUByHand(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.c_fc = nn.Linear(config.d_model, 4 * config.d_model, bias=config.bias)
        self.c_proj = nn.Linear(4 * config.d_model, config.d_model, bias=config.bias)
        self.p = config.dropout

    def forward(self, x):
        x = self.c_fc(x)
        x = 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))
        return F.dropout(self.c_proj(x), self.p, self.training)


@variant("parameter_groups")
def by_names(model, weight_decay):
    named = dict(model.named_parameters())
    decays = [p for p in named.values() if p.requires_grad and p.ndim > 1]
    others = [p for p in named.values() if p.requires_grad and p.ndim < 2]
    return [{"params": others, "weight_decay": 0.0}, {"params": decays, "weight_decay": weight_decay}]


@variant("mask_for_infilling")
def by_categories(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    if p < 0 or p > 1:
        raise ValueError(f"p must be a probability, got {p}")
    chances = torch.tensor([1 - p, 0.8 * p, 0.1 * p, 0.1 * p], dtype=torch.float64, device=generator.device)
    fate = (
        torch.multinomial(chances, max(ids.numel(), 1), replacement=True, generator=generator)[: ids.numel()]
        .reshape(ids.shape)
        .to(ids.device)
    )
    fate = fate.masked_fill(special(ids, special_ids), 0)
    inputs = ids.clone()
    inputs[fate == 1] = mask_id
    inputs[fate == 2] = torch.randint(vocab_size, (int((fate == 2).sum()),), generator=generator, device=generator.device).to(ids)
    return inputs, ids.masked_fill(fate == 0, -100)


@misconception(
    "mask_for_infilling",
    "Tokens that were not selected become random, too: the 10 % are a share of the selected ones.",
)
def random_anywhere(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    """A tenth of all tokens that are not masked become random, selected or not."""
    if not 0 <= p <= 1:
        raise ValueError(f"p must lie in [0, 1], got {p}")
    free = ~special(ids, special_ids)
    selected = free & (torch.rand(ids.shape, generator=generator) < p)
    masked = selected & (torch.rand(ids.shape, generator=generator) < 0.8)
    other = free & ~masked & (torch.rand(ids.shape, generator=generator) < 0.1)
    strangers = torch.randint(vocab_size, ids.shape, generator=generator).to(ids)
    return torch.where(other, strangers, ids).masked_fill(masked, mask_id), torch.where(selected, ids, -100)
