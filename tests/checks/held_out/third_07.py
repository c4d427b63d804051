"""A third set of held-out answers to lesson 07: habits of other courses' code, wrong and right."""

import math

import torch

from autograde.authoring.strength.mutation import misconception, variant


def checked(temperature, top_k, top_p):
    if temperature < 0:
        raise ValueError("temperature must not be negative")
    if top_k is not None and top_k < 1:
        raise ValueError("top_k must be at least 1")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError("top_p must lie in (0, 1]")


def drawn(chances, generator):
    rows = chances.reshape(-1, chances.shape[-1]).to(generator.device)
    return torch.multinomial(rows, 1, generator=generator).reshape(chances.shape[:-1]).to(chances.device)


def filtered(logits, top_k, top_p):
    if top_k is not None:
        least = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    if top_p is not None:
        ordered, order = logits.sort(-1, descending=True)
        p = ordered.softmax(-1)
        ordered = ordered.masked_fill(p.cumsum(-1) - p >= top_p, -torch.inf)
        logits = torch.full_like(logits, -torch.inf).scatter(-1, order, ordered)
    return logits


@misconception("sample_next", "A temperature below 0.1 is taken for 0.")
def low_is_zero(logits, temperature, top_k, top_p, generator):
    checked(temperature, top_k, top_p)
    if temperature < 0.1:
        return logits.argmax(-1)
    return drawn(filtered(logits / temperature, top_k, top_p).softmax(-1), generator)


@misconception("sample_next", "A temperature above 1 is taken for 1.")
def high_is_one(logits, temperature, top_k, top_p, generator):
    checked(temperature, top_k, top_p)
    if temperature == 0:
        return logits.argmax(-1)
    return drawn(filtered(logits / min(temperature, 1.0), top_k, top_p).softmax(-1), generator)


@variant("get_batch")
def by_unfolding(ids, batch_size, block_size, generator):
    if len(ids) <= block_size:
        raise ValueError("the text is shorter than block_size + 1")
    windows = ids.unfold(0, block_size + 1, 1)
    chosen = windows[torch.randint(len(windows), (batch_size,), generator=generator)]
    return chosen[:, :-1].contiguous(), chosen[:, 1:].contiguous()


@variant("language_model_loss")
def by_logsumexp(logits, targets, ignore_index=-100):
    rows, wanted = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)
    counted = (wanted != ignore_index).nonzero()[:, 0]
    rows, wanted = rows.index_select(0, counted), wanted.index_select(0, counted)
    return (rows.logsumexp(-1) - rows.take_along_dim(wanted[:, None], 1)[:, 0]).mean()


@variant("learning_rate")
def by_one_expression(step, warmup_steps, total_steps, max_lr, min_lr):
    if step < warmup_steps:
        return step * max_lr / warmup_steps
    share = min(1.0, (step - warmup_steps) / max(1, total_steps - warmup_steps)) if step < total_steps else 1.0
    return min_lr + (max_lr - min_lr) * math.cos(math.pi * share / 2) ** 2


@variant("sample_next")
def by_the_inverse_distribution(logits, temperature, top_k, top_p, generator):
    checked(temperature, top_k, top_p)
    if temperature == 0:
        return logits.max(dim=-1).indices
    chances = filtered(logits.double() / temperature, top_k, top_p).softmax(-1)
    u = torch.rand((*logits.shape[:-1], 1), generator=generator, dtype=torch.float64, device=generator.device).to(logits.device)
    places = torch.arange(logits.shape[-1], device=logits.device)
    last = torch.where(chances > 0, places, -1).amax(-1)
    return torch.minimum((chances.cumsum(-1) <= u).sum(-1), last)


@variant("generate")
def with_a_decorator(model, ids, n_new, temperature, top_k, top_p, generator):
    modes = [(part, part.training) for part in model.modules()]
    model.eval()
    try:
        with torch.inference_mode():
            for _ in range(n_new):
                logits = model(ids[:, max(0, ids.shape[1] - model.config.block_size) :])[0]
                new = by_the_inverse_distribution(logits[:, -1, :], temperature, top_k, top_p, generator)
                ids = torch.hstack((ids, new.unsqueeze(1)))
    finally:
        for part, mode in modes:
            part.training = mode
    return ids.clone()
