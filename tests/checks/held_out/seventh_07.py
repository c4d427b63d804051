"""A seventh set of held-out answers to lesson 07: samplers, masks, schedules and training steps as public code has them."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant


def refuse(temperature, top_k, top_p):
    if temperature < 0:
        raise ValueError(f"temperature {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p {top_p}")


def draw(probabilities, generator):
    rows = probabilities.reshape(-1, probabilities.shape[-1])
    return torch.multinomial(rows, 1, generator=generator).reshape(probabilities.shape[:-1])


def warped(logits, temperature, top_k):
    logits = logits / temperature
    if top_k is not None:
        v, _ = torch.topk(logits, min(top_k, logits.size(-1)))
        logits = logits.masked_fill(logits < v[..., [-1]], -float("inf"))
    return logits


@variant("sample_next")
def shifted_removal_mask(logits, temperature, top_k, top_p, generator):
    refuse(temperature, top_k, top_p)
    if temperature == 0:
        return logits.argmax(-1)
    logits = warped(logits, temperature, top_k)
    if top_p is not None:
        ordered, order = torch.sort(logits, descending=True, dim=-1)
        remove = ordered.softmax(-1).cumsum(-1) >= top_p
        remove[..., 1:] = remove[..., :-1].clone()
        remove[..., 0] = False
        logits = logits.masked_fill(remove.scatter(-1, order, remove), -float("inf"))
    return draw(logits.softmax(-1), generator)


@variant("sample_next")
def ascending_with_its_complement(logits, temperature, top_k, top_p, generator):
    refuse(temperature, top_k, top_p)
    if temperature == 0:
        return logits.argmax(-1)
    logits = warped(logits, temperature, top_k)
    if top_p is not None:
        ordered, order = torch.sort(logits.flip(-1), descending=False, dim=-1, stable=True)
        order = logits.shape[-1] - 1 - order
        p = ordered.double().softmax(-1)
        after = p.flip(-1).cumsum(-1).flip(-1) - p  # the mass of what is more likely
        remove = after >= top_p - 1e-12
        remove[..., -1] = False
        logits = logits.masked_fill(torch.zeros_like(remove).scatter(-1, order, remove), -float("inf"))
    return draw(logits.softmax(-1), generator)


@variant("sample_next")
def drawn_in_the_sorted_order(logits, temperature, top_k, top_p, generator):
    refuse(temperature, top_k, top_p)
    if temperature == 0:
        return logits.argmax(-1)
    p, index = warped(logits, temperature, top_k).softmax(-1).sort(-1, descending=True)
    if top_p is not None:
        p = p.masked_fill(p.cumsum(-1) - p >= top_p, 0.0)
    p = p / p.sum(-1, keepdim=True)
    return index.gather(-1, draw(p, generator)[..., None]).squeeze(-1)


# the token that crosses the limit is left out
@misconception("sample_next", "The token that makes the mass reach top_p is dropped; it belongs to the nucleus.")
def crossing_token_dropped(logits, temperature, top_k, top_p, generator):
    refuse(temperature, top_k, top_p)
    if temperature == 0:
        return logits.argmax(-1)
    logits = warped(logits, temperature, top_k)
    if top_p is not None:
        ordered, order = torch.sort(logits, descending=True, dim=-1)
        keep = ordered.softmax(-1).cumsum(-1) <= top_p
        keep[..., 0] = True
        logits = logits.masked_fill(~torch.zeros_like(keep).scatter(-1, order, keep), -float("inf"))
    return draw(logits.softmax(-1), generator)


# with p = 1 nothing is above it, and the first token alone is found
@misconception("sample_next", "p = 1 leaves the first token alone")
def cutoff_by_argmax(logits, temperature, top_k, top_p, generator):
    refuse(temperature, top_k, top_p)
    if temperature == 0:
        return logits.argmax(-1)
    probabilities = warped(logits, temperature, top_k).softmax(-1)
    if top_p is not None:
        ordered = probabilities.sort(-1, descending=True).values
        cutoff = ordered.gather(-1, (ordered.cumsum(-1) > top_p).int().argmax(-1, keepdim=True))
        probabilities = probabilities.masked_fill(probabilities < cutoff, 0.0)
    return draw(probabilities, generator)


@misconception("sample_next", "top-k keeps k + 1 tokens.")
def one_more_than_k(logits, temperature, top_k, top_p, generator):
    return drawn_in_the_sorted_order(logits, temperature, None if top_k is None else top_k + 1 if top_k > 0 else top_k, top_p, generator)


@misconception("sample_next", "top-p looks at the distribution before top-k; it should look at what top-k left, renormalised.")
def not_renormalised(logits, temperature, top_k, top_p, generator):
    refuse(temperature, top_k, top_p)
    if temperature == 0:
        return logits.argmax(-1)
    p, index = (logits / temperature).softmax(-1).sort(-1, descending=True)
    if top_k is not None:
        p = p.masked_fill(torch.arange(p.shape[-1]) >= top_k, 0.0)
    if top_p is not None:
        p = p.masked_fill(p.cumsum(-1) - p >= top_p, 0.0)
    return index.gather(-1, draw(p, generator)[..., None]).squeeze(-1)


@misconception("sample_next", "The temperature comes after top-p in your answer; it comes first.")
def temperature_last(logits, temperature, top_k, top_p, generator):
    refuse(temperature, top_k, top_p)
    if temperature == 0:
        return logits.argmax(-1)
    ordered, order = warped(logits, 1.0, top_k).sort(-1, descending=True)
    if top_p is not None:
        p = ordered.softmax(-1)
        ordered = ordered.masked_fill(p.cumsum(-1) - p >= top_p, -float("inf"))
    return order.gather(-1, draw((ordered / temperature).softmax(-1), generator)[..., None]).squeeze(-1)


@variant("learning_rate")
def with_an_assert(step, warmup_steps, total_steps, max_lr, min_lr):
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    if step >= total_steps:
        return min_lr
    decay_ratio = (step - warmup_steps) / (total_steps - warmup_steps)
    assert 0 <= decay_ratio <= 1
    coeff = 0.5 * (1.0 + math.cos(math.pi * decay_ratio))
    return min_lr + coeff * (max_lr - min_lr)


@misconception("learning_rate", "the cosine runs from the first step")
def cosine_from_the_first_step(step, warmup_steps, total_steps, max_lr, min_lr):
    if step >= total_steps:
        return min_lr
    factor = 0.5 * (1 + math.cos(math.pi * step / total_steps))
    if step <= warmup_steps:
        factor *= step / max(1, warmup_steps)
    return min_lr + factor * (max_lr - min_lr)


@misconception("learning_rate", "After total_steps the rate must stay at min_lr; the cosine would climb again.")
def never_at_rest(step, warmup_steps, total_steps, max_lr, min_lr):
    if step < warmup_steps:
        return max_lr * step / warmup_steps
    progress = (step - warmup_steps) / max(1, total_steps - warmup_steps)
    return max(min_lr, min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress)))


@misconception("learning_rate", "The warm-up begins at min_lr; it begins at 0.")
def warm_up_from_the_least(step, warmup_steps, total_steps, max_lr, min_lr):
    if step < warmup_steps:
        return min_lr + (max_lr - min_lr) * step / warmup_steps
    return with_an_assert(step, warmup_steps, total_steps, max_lr, min_lr)


@variant("mask_for_infilling")
def three_bernoullis(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    if not 0 <= p <= 1:
        raise ValueError(f"p must lie in [0, 1], got {p}")

    def coin(share):
        return torch.bernoulli(torch.full(ids.shape, share, device=generator.device), generator=generator).bool().to(ids.device)

    special = torch.isin(ids, torch.tensor(list(special_ids), dtype=ids.dtype, device=ids.device))
    chosen = coin(p) & ~special
    labels = ids.masked_fill(~chosen, -100)
    replaced = coin(0.8) & chosen
    random = coin(0.5) & chosen & ~replaced
    words = torch.randint(vocab_size, ids.shape, generator=generator, device=generator.device).to(ids)
    return torch.where(random, words, ids.masked_fill(replaced, mask_id)), labels


@misconception("mask_for_infilling", "special tokens are chosen, too, and only not replaced")
def special_ones_have_labels(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    def coin(share):
        return torch.bernoulli(torch.full(ids.shape, share, device=generator.device), generator=generator).bool().to(ids.device)

    special = torch.isin(ids, torch.tensor(list(special_ids), dtype=ids.dtype, device=ids.device))
    chosen = coin(p)
    labels = ids.masked_fill(~chosen, -100)
    replaced = coin(0.8) & chosen & ~special
    random = coin(0.5) & chosen & ~replaced & ~special
    words = torch.randint(vocab_size, ids.shape, generator=generator, device=generator.device).to(ids)
    return torch.where(random, words, ids.masked_fill(replaced, mask_id)), labels


@misconception(
    "mask_for_infilling",
    "Hardly any selected token becomes a random one in your answer: of the selected ones about 80 % are masked and 20 % stay.",
)
def random_where_not_replaced(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    def coin(share):
        return torch.bernoulli(torch.full(ids.shape, share, device=generator.device), generator=generator).bool().to(ids.device)

    special = torch.isin(ids, torch.tensor(list(special_ids), dtype=ids.dtype, device=ids.device))
    chosen = coin(p) & ~special
    labels = ids.masked_fill(~chosen, -100)
    replaced = coin(0.8) & chosen
    random = coin(0.1) & chosen & ~replaced
    words = torch.randint(vocab_size, ids.shape, generator=generator, device=generator.device).to(ids)
    return torch.where(random, words, ids.masked_fill(replaced, mask_id)), labels


def parts(config, module):
    if config.d_model % config.n_head:
        raise ValueError(f"n_head {config.n_head} does not divide d_model {config.d_model}")
    module.c_attn = nn.Linear(config.d_model, 3 * config.d_model, bias=config.bias)
    module.c_proj = nn.Linear(config.d_model, config.d_model, bias=config.bias)
    module.attn_dropout, module.resid_dropout = nn.Dropout(config.dropout), nn.Dropout(config.dropout)
    module.n_head, module.n_embd = config.n_head, config.d_model


@variant("CausalSelfAttention")
class MaskAsABuffer(nn.Module):
    def __init__(self, config):
        super().__init__()
        parts(config, self)
        size = config.block_size
        self.register_buffer("bias", torch.tril(torch.ones(size, size)).view(1, 1, size, size), persistent=False)

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = (u.view(B, T, self.n_head, C // self.n_head).transpose(1, 2) for u in self.c_attn(x).split(self.n_embd, dim=2))
        att = (q @ k.transpose(-2, -1)) * (1.0 / math.sqrt(k.size(-1)))
        att = F.softmax(att.masked_fill(self.bias[:, :, :T, :T] == 0, float("-inf")), dim=-1)
        y = self.attn_dropout(att) @ v
        return self.resid_dropout(self.c_proj(y.transpose(1, 2).contiguous().view(B, T, C)))


@misconception("CausalSelfAttention", "divided by the root of the number of words")
class ScaledByLength(nn.Module):
    def __init__(self, config):
        super().__init__()
        parts(config, self)

    def forward(self, x):
        T = x.shape[-2]
        q, k, v = (u.unflatten(-1, (self.n_head, -1)).transpose(-3, -2) for u in self.c_attn(x).chunk(3, -1))
        att = q @ k.mT / T**0.5
        att = att.masked_fill(torch.ones(T, T, device=x.device).triu(1).bool(), float("-inf")).softmax(-1)
        return self.resid_dropout(self.c_proj((self.attn_dropout(att) @ v).transpose(-3, -2).flatten(-2)))


@misconception("CausalSelfAttention", "The heads are joined without transposing back first.")
class HeadsNotBack(nn.Module):
    def __init__(self, config):
        super().__init__()
        parts(config, self)

    def forward(self, x):
        T = x.shape[-2]
        q, k, v = (u.unflatten(-1, (self.n_head, -1)).transpose(-3, -2) for u in self.c_attn(x).chunk(3, -1))
        att = q @ k.mT / math.sqrt(k.shape[-1])
        att = att.masked_fill(torch.ones(T, T, device=x.device).triu(1).bool(), float("-inf")).softmax(-1)
        return self.resid_dropout(self.c_proj((self.attn_dropout(att) @ v).reshape(x.shape)))


@misconception("CausalSelfAttention", "masked with 0 in place of −∞")
class MaskedWithZero(nn.Module):
    def __init__(self, config):
        super().__init__()
        parts(config, self)

    def forward(self, x):
        q, k, v = (u.unflatten(-1, (self.n_head, -1)).transpose(-3, -2) for u in self.c_attn(x).chunk(3, -1))
        att = (q @ k.mT / math.sqrt(k.shape[-1])).tril().softmax(-1)
        return self.resid_dropout(self.c_proj((self.attn_dropout(att) @ v).transpose(-3, -2).flatten(-2)))


@variant("generate")
def with_a_crop_and_no_sampler(model, ids, n_new, temperature, top_k, top_p, generator):
    was = model.training
    model.eval()
    try:
        for _ in range(n_new):
            idx_cond = ids if ids.size(1) <= model.config.block_size else ids[:, -model.config.block_size :]
            with torch.no_grad():
                logits, _ = model(idx_cond)
            ids = torch.cat((ids, drawn_in_the_sorted_order(logits[:, -1, :], temperature, top_k, top_p, generator)[:, None]), dim=1)
    finally:
        model.train(was)
    return ids


@misconception("generate", "the window is the first block, not the last")
def first_block(model, ids, n_new, temperature, top_k, top_p, generator):
    was = model.training
    model.eval()
    with torch.no_grad():
        for _ in range(n_new):
            logits, _ = model(ids[:, : model.config.block_size])
            ids = torch.cat((ids, drawn_in_the_sorted_order(logits[:, -1, :], temperature, top_k, top_p, generator)[:, None]), dim=1)
    model.train(was)
    return ids


@variant("language_model_loss")
def picked_from_flat(logits, targets, ignore_index=-100):
    flat, labels = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)
    keep = labels != ignore_index
    log_p = F.log_softmax(flat[keep], dim=-1)
    return -log_p[torch.arange(len(log_p), device=log_p.device), labels[keep]].mean()


@misconception("language_model_loss", "The softmax is applied twice.")
def softmax_twice(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    picked = logits[keep].softmax(-1).log_softmax(-1)
    return -picked.gather(-1, targets[keep][:, None]).mean()


@misconception("language_model_loss", "You divide by the number of all targets; those that are ignored do not count.")
def averaged_over_all(logits, targets, ignore_index=-100):
    keep = targets != ignore_index
    losses = -logits.log_softmax(-1).gather(-1, targets.masked_fill(~keep, 0)[..., None]).squeeze(-1)
    return (losses * keep).mean()


@variant("train_step")
def loss_divided_by_the_steps(model, optimizer, batches, clip=None, autocast_dtype=None):
    if not len(batches):
        raise ValueError("batches is empty")
    model.train()
    optimizer.zero_grad(set_to_none=True)
    lossf = 0.0
    for x, y in batches:
        with torch.autocast(x.device.type, dtype=autocast_dtype, enabled=autocast_dtype is not None):
            _, loss = model(x, y)
            loss = loss / len(batches)
        loss.backward()
        lossf += loss.item()
    if clip is not None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return lossf


@misconception("train_step", "The gradients are clipped after each pair; clip once, when the mean over all pairs is there.")
def clipped_every_time(model, optimizer, batches, clip=None, autocast_dtype=None):
    if not len(batches):
        raise ValueError("batches is empty")
    model.train()
    optimizer.zero_grad(set_to_none=True)
    lossf = 0.0
    for x, y in batches:
        with torch.autocast(x.device.type, dtype=autocast_dtype, enabled=autocast_dtype is not None):
            _, loss = model(x, y)
        (loss / len(batches)).backward()
        if clip is not None:
            torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
        lossf += loss.item() / len(batches)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return lossf


@misconception("train_step", "The last pair's loss is returned; return the mean over all.")
def loss_of_the_last(model, optimizer, batches, clip=None, autocast_dtype=None):
    if not len(batches):
        raise ValueError("batches is empty")
    model.train()
    optimizer.zero_grad(set_to_none=True)
    for x, y in batches:
        with torch.autocast(x.device.type, dtype=autocast_dtype, enabled=autocast_dtype is not None):
            _, loss = model(x, y)
        (loss / len(batches)).backward()
    if clip is not None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return loss.item()


@variant("parameter_groups")
def sorted_by_dimension(model, weight_decay):
    param_dict = {name: p for name, p in model.named_parameters() if p.requires_grad}
    decay = [p for p in param_dict.values() if p.dim() >= 2]
    nodecay = [p for p in param_dict.values() if p.dim() < 2]
    return [{"params": decay, "weight_decay": weight_decay}, {"params": nodecay, "weight_decay": 0.0}]


@misconception("parameter_groups", "Embeddings are matrices too and decay.")
def by_module_kind(model, weight_decay):
    decay, rest, seen = [], [], set()
    for module in model.modules():
        for p in module.parameters(recurse=False):
            if id(p) in seen or not p.requires_grad:
                continue
            seen.add(id(p))
            (decay if isinstance(module, nn.Linear) and p.dim() >= 2 else rest).append(p)
    return [{"params": decay, "weight_decay": weight_decay}, {"params": rest, "weight_decay": 0.0}]


@variant("get_batch")
def stacked_slices(ids, batch_size, block_size, generator):
    if len(ids) <= block_size:
        raise ValueError(f"{len(ids)} ids are too few for block_size {block_size}")
    ix = torch.randint(len(ids) - block_size, (batch_size,), generator=generator)
    return torch.stack([ids[i : i + block_size] for i in ix]), torch.stack([ids[i + 1 : i + 1 + block_size] for i in ix])


@misconception(
    "get_batch", "The last start is missing: with N tokens there are N − block_size starts, and randint leaves its upper end out."
)
def one_start_too_few(ids, batch_size, block_size, generator):
    if len(ids) <= block_size:
        raise ValueError(f"{len(ids)} ids are too few for block_size {block_size}")
    ix = torch.randint(max(1, len(ids) - block_size - 1), (batch_size,), generator=generator)
    return torch.stack([ids[i : i + block_size] for i in ix]), torch.stack([ids[i + 1 : i + 1 + block_size] for i in ix])
