"""Further answers to lesson 07 that the known mistakes do not name, and unusual right ones."""

import math
from contextlib import contextmanager

import torch
from torch import nn

from autograde.authoring.strength.mutation import misconception, variant


def starts_of(ids, batch_size, block_size, generator, n=None):
    n_starts = len(ids) - block_size
    if n_starts < 1:
        raise ValueError(f"ids: {len(ids)} tokens are too few for block_size {block_size}")
    return torch.randint(n_starts if n is None else n(n_starts), (batch_size,), generator=generator)


@misconception("get_batch", "Your windows are cut from a grid; they may begin anywhere in the text.")
def gb_multiples(ids, batch_size, block_size, generator):
    s = starts_of(ids, batch_size, block_size, generator) // block_size * block_size
    p = s[:, None] + torch.arange(block_size)
    return ids[p], ids[p + 1]


@misconception("get_batch", "the same start for x and another for y")
def gb_two_draws(ids, batch_size, block_size, generator):
    x = starts_of(ids, batch_size, block_size, generator)[:, None] + torch.arange(block_size)
    y = starts_of(ids, batch_size, block_size, generator)[:, None] + torch.arange(block_size)
    return ids[x], ids[y + 1]


@misconception("get_batch", "starts are counted from the first of the batch")
def gb_view(ids, batch_size, block_size, generator):
    s = starts_of(ids, batch_size, block_size, generator)
    s = s - s.min()
    p = s[:, None] + torch.arange(block_size)
    return ids[p], ids[p + 1]


@misconception("get_batch", "float tokens")
def gb_float(ids, batch_size, block_size, generator):
    p = starts_of(ids, batch_size, block_size, generator)[:, None] + torch.arange(block_size)
    return ids[p].float(), ids[p + 1]


@variant("get_batch")
def gb_as_strided(ids, batch_size, block_size, generator):
    s = starts_of(ids, batch_size, block_size, generator)
    windows = ids.contiguous().as_strided((len(ids) - block_size, block_size + 1), (1, 1))
    chosen = windows.index_select(0, s.to(ids.device))
    return chosen[:, :-1], chosen[:, 1:]


@variant("get_batch")
def gb_lists(ids, batch_size, block_size, generator):
    pairs = [
        (ids.narrow(0, int(s), block_size), ids.narrow(0, int(s) + 1, block_size))
        for s in starts_of(ids, batch_size, block_size, generator)
    ]
    xs, ys = zip(*pairs)
    return torch.vstack(xs), torch.vstack(ys)


def corrupt(ids, mask_id, vocab_size, generator, p=0.15, special_ids=(), *, select=None, shares=(0.8, 0.9), stranger=None):
    if not 0 <= p <= 1:
        raise ValueError(f"p = {p}")

    def draw():
        return torch.rand(ids.shape, generator=generator)

    special = torch.isin(ids, torch.tensor(list(special_ids), dtype=ids.dtype))
    selected = (draw() < p) & ~special if select is None else select(draw, special)
    fate = draw()
    strangers = torch.randint(vocab_size, ids.shape, generator=generator) if stranger is None else stranger(ids)
    inputs = torch.where(selected & (fate < shares[0]), mask_id, ids)
    inputs = torch.where(selected & (fate >= shares[1]), strangers, inputs)
    return inputs, torch.where(selected, ids, -100)


@misconception("mask_for_infilling", "exactly 15 % of each row are selected")
def mi_exact(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    def select(draw, special):
        k = round(p * ids.shape[-1])
        order = draw().masked_fill(special, 2.0).argsort(-1).argsort(-1)
        return (order < k) & ~special

    return corrupt(ids, mask_id, vocab_size, generator, p, special_ids, select=select)


@misconception("mask_for_infilling", "random tokens are the neighbours")
def mi_neighbours(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    return corrupt(ids, mask_id, vocab_size, generator, p, special_ids, stranger=lambda ids: ids.roll(1, -1))


@misconception("mask_for_infilling", "labels of special tokens stay")
def mi_special_labels(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    inputs, labels = corrupt(ids, mask_id, vocab_size, generator, p, special_ids)
    special = torch.isin(ids, torch.tensor(list(special_ids), dtype=ids.dtype))
    return inputs, torch.where(special, ids, labels)


@misconception("mask_for_infilling", "a p of 0 is refused")
def mi_zero(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    if not 0 < p < 1:
        raise ValueError("p")
    return corrupt(ids, mask_id, vocab_size, generator, p, special_ids)


@variant("mask_for_infilling")
def mi_bernoulli(ids, mask_id, vocab_size, generator, p=0.15, special_ids=()):
    if p < 0 or p > 1:
        raise ValueError(f"p must be a probability, got {p}")
    special = torch.zeros_like(ids, dtype=torch.bool)
    for s in special_ids:
        special |= ids == s
    like = {"generator": generator, "device": generator.device}
    selected = (
        torch.bernoulli(torch.full(ids.shape, float(p), device=generator.device), generator=generator).bool().to(ids.device) & ~special
    )
    kind = torch.randint(10, ids.shape, **like).to(ids.device)
    inputs, labels = ids.clone(), torch.full_like(ids, -100)
    labels[selected] = ids[selected]
    inputs[selected & (kind < 8)] = mask_id
    swap = selected & (kind == 8)
    inputs[swap] = torch.randint(vocab_size, (int(swap.sum()),), **like).to(ids)
    return inputs, labels


@misconception("language_model_loss", "the logarithm of a probability that may be 0")
def ll_exp(logits, targets, ignore_index=-100):
    p = logits.softmax(-1)
    counted = targets != ignore_index
    chosen = p.gather(-1, targets.where(counted, 0)[..., None])[..., 0]
    return -(chosen.where(counted, 1)).log().sum() / counted.sum()


@misconception("language_model_loss", "clamped logits")
def ll_clamped(logits, targets, ignore_index=-100):
    counted = targets != ignore_index
    lp = logits.clamp(-50, 50).log_softmax(-1).gather(-1, targets.where(counted, 0)[..., None])[..., 0]
    return -lp.where(counted, 0).sum() / counted.sum()


@misconception("language_model_loss", "negative targets are ignored, whatever ignore_index is")
def ll_negative(logits, targets, ignore_index=-100):
    counted = targets >= 0
    lp = logits.log_softmax(-1).gather(-1, targets.where(counted, 0)[..., None])[..., 0]
    return -lp.where(counted, 0).sum() / counted.sum()


@misconception("language_model_loss", "the median")
def ll_median(logits, targets, ignore_index=-100):
    counted = targets != ignore_index
    lp = logits.log_softmax(-1).gather(-1, targets.where(counted, 0)[..., None])[..., 0]
    return -lp[counted].median()


@misconception("language_model_loss", "z-loss added")
def ll_z(logits, targets, ignore_index=-100):
    counted = targets != ignore_index
    z = logits.logsumexp(-1)
    loss = z - logits.gather(-1, targets.where(counted, 0)[..., None])[..., 0] + 1e-4 * z**2
    return loss.where(counted, 0).sum() / counted.sum()


@variant("language_model_loss")
def ll_advanced(logits, targets, ignore_index=-100):
    flat, wanted = logits.reshape(-1, logits.size(-1)), targets.reshape(-1)
    keep = (wanted != ignore_index).nonzero()[:, 0]
    lp = torch.log_softmax(flat[keep], 1)
    return lp[torch.arange(len(keep), device=keep.device), wanted[keep]].neg().mean()


@misconception("attention_pattern", "the row is seen by the column")
def ap_transposed(kind, n, prefix=0):
    if kind not in ("encoder", "decoder", "prefix"):
        raise ValueError(f"kind {kind}")
    one = torch.ones(n, n, dtype=torch.bool)
    return one if kind == "encoder" else one.triu() if kind == "decoder" else one.triu() | (torch.arange(n)[:, None] < prefix)


@misconception("attention_pattern", "a prefix longer than the text is an error")
def ap_long(kind, n, prefix=0):
    if kind not in ("encoder", "decoder", "prefix") or prefix > n:
        raise ValueError("kind")
    one = torch.ones(n, n, dtype=torch.bool)
    return one if kind == "encoder" else one.tril() | ((torch.arange(n) < prefix) if kind == "prefix" else False)


@misconception("attention_pattern", "the decoder sees a prefix, too")
def ap_prefix_everywhere(kind, n, prefix=0):
    if kind not in ("encoder", "decoder", "prefix"):
        raise ValueError("kind")
    one = torch.ones(n, n, dtype=torch.bool)
    return one if kind == "encoder" else one.tril() | (torch.arange(n) < prefix)


@variant("attention_pattern")
def ap_match(kind, n, prefix=0):
    i, j = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
    match kind:
        case "encoder":
            return i == i
        case "decoder":
            return j <= i
        case "prefix":
            return torch.logical_or(j <= i, j < prefix)
    raise ValueError(f"kind {kind!r}")


@misconception("FeedForward", "no bias whatever the config says", replace=("bias=config.bias", "bias=False"))
@misconception("FeedForward", "squared ReLU", replace=('F.gelu(self.c_fc(x), approximate="tanh")', "F.relu(self.c_fc(x)).square()"))
@misconception(
    "FeedForward",
    "dropout on half of the features",
    replace=("self.dropout = nn.Dropout(config.dropout)", "self.dropout = nn.Dropout(config.dropout / 2)"),
)
@variant(
    "FeedForward",
    replace=(
        'F.gelu(self.c_fc(x), approximate="tanh")',
        "(lambda u: 0.5 * u * (1 + torch.tanh(math.sqrt(2 / math.pi) * (u + 0.044715 * u**3))))(self.c_fc(x))",
    ),
)
@misconception(
    "CausalSelfAttention",
    "q and k are normalised",
    replace=("heads = F.scaled", "q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)\n        heads = F.scaled"),
)
@misconception("CausalSelfAttention", "dropout on x", replace=("for part in self.c_attn(x)", "for part in self.c_attn(self.dropout(x))"))
@misconception("CausalSelfAttention", "weights are dropped with half of p", replace=("p = self.p if", "p = self.p / 2 if"))
@variant(
    "CausalSelfAttention",
    replace=(
        "heads = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)",
        "n = x.shape[-2]\n        mask = torch.full((n, n), float('-inf'), device=x.device, dtype=x.dtype).triu(1)\n        heads = torch.einsum('...qk,...kd->...qd', F.dropout((torch.einsum('...qd,...kd->...qk', q, k) / math.sqrt(q.shape[-1]) + mask).softmax(-1), p, self.training), v)",
    ),
)
@misconception("Block", "norms without the configured bias", replace=("bias=config.bias", "bias=True"))
@misconception(
    "GPT",
    "the last position alone without targets",
    replace=("logits = self.lm_head(self.ln_f(x))", "logits = self.lm_head(self.ln_f(x if targets is not None else x[:, -1:]))"),
)
@misconception(
    "GPT",
    "the mean of all blocks",
    replace=("for block in self.h:\n            x = block(x)", "for block in self.h:\n            x = (x + block(x)) / 2"),
)
@misconception(
    "GPT",
    "the first block is used for all",
    replace=("for block in self.h:\n            x = block(x)", "for _ in self.h:\n            x = self.h[0](x)"),
)
@misconception(
    "GPT", "one position too many is let through", replace=("if n > self.config.block_size:", "if n > self.config.block_size + 1:")
)
@misconception("GPT", "a head of its own", replace=("self.lm_head.weight = self.wte.weight", "pass"))
@variant(
    "GPT",
    replace=("for block in self.h:\n            x = block(x)", "x = __import__('functools').reduce(lambda u, block: block(u), self.h, x)"),
)
@variant(
    "Block",
    replace=(
        "x = x + self.attn(self.ln_1(x))\n        return x + self.mlp(self.ln_2(x))",
        "seen = torch.add(x, self.attn(F.layer_norm(x, x.shape[-1:], self.ln_1.weight, self.ln_1.bias, self.ln_1.eps)))\n        return seen.add(self.mlp(self.ln_2(seen)))",
    ),
)
def edits():
    """Edits of the reference answers."""


@misconception("parameter_groups", "the tied matrix twice")
def pg_state(model, weight_decay):
    ps = list(model.state_dict(keep_vars=True).values())
    return [
        {"params": [p for p in ps if p.dim() >= 2], "weight_decay": weight_decay},
        {"params": [p for p in ps if p.dim() < 2], "weight_decay": 0.0},
    ]


@misconception("parameter_groups", "position embeddings do not decay")
def pg_wpe(model, weight_decay):
    named = list(model.named_parameters())
    yes = [p for n, p in named if p.dim() >= 2 and "wpe" not in n]
    return [
        {"params": yes, "weight_decay": weight_decay},
        {"params": [p for _, p in named if not any(p is q for q in yes)], "weight_decay": 0.0},
    ]


@misconception("parameter_groups", "another key for the decay")
def pg_key(model, weight_decay):
    ps = list(model.parameters())
    return [{"params": [p for p in ps if p.dim() >= 2], "decay": weight_decay}, {"params": [p for p in ps if p.dim() < 2], "decay": 0.0}]


@variant("parameter_groups")
def pg_partition(model, weight_decay):
    groups = {True: [], False: []}
    for p in model.parameters():
        groups[p.ndim > 1].append(p)
    return [dict(params=groups[False], weight_decay=0.0), dict(params=groups[True], weight_decay=weight_decay)]


def rate(step, warmup_steps, total_steps, max_lr, min_lr, down=lambda u: 0.5 * (1 + math.cos(math.pi * u)), up=lambda s, w: s / w):
    if step < warmup_steps:
        return max_lr * up(step, warmup_steps)
    if step >= total_steps:
        return min_lr
    return min_lr + (max_lr - min_lr) * down((step - warmup_steps) / (total_steps - warmup_steps))


@misconception("learning_rate", "a squared warm-up")
def lr_square(*a):
    return rate(*a, up=lambda s, w: (s / w) ** 2)


@misconception("learning_rate", "after the end the rate is 0")
def lr_zero(step, warmup_steps, total_steps, max_lr, min_lr):
    return 0.0 if step > total_steps else rate(step, warmup_steps, total_steps, max_lr, min_lr)


@variant("learning_rate")
def lr_half_angle(*a):
    return rate(*a, down=lambda u: math.cos(math.pi * u / 2) ** 2)


def sample(logits, temperature, top_k, top_p, generator, *, p_mask=None, k_mask=None):
    if temperature < 0:
        raise ValueError(f"temperature {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"top_k {top_k}")
    if top_p is not None and not 0 < top_p <= 1:
        raise ValueError(f"top_p {top_p}")
    if temperature == 0:
        return logits.argmax(-1)
    logits = logits / temperature
    if top_k is not None:
        kth = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]
        logits = logits.masked_fill(logits < kth if k_mask is None else k_mask(logits, kth), -math.inf)
    if top_p is not None:
        p, order = logits.softmax(-1).sort(-1, descending=True)
        drop = (p.cumsum(-1) - p >= top_p) if p_mask is None else p_mask(p, top_p)
        logits = logits.masked_fill(torch.zeros_like(drop).scatter(-1, order, drop), -math.inf)
    rows = logits.softmax(-1).reshape(-1, logits.shape[-1])
    return torch.multinomial(rows, 1, generator=generator).reshape(logits.shape[:-1])


@misconception("sample_next", "the k-th token is dropped")
def sn_strict(logits, temperature, top_k, top_p, generator):
    return sample(logits, temperature, top_k, top_p, generator, k_mask=lambda x, kth: (x <= kth) & (x < x.amax(-1, keepdim=True)))


@misconception("sample_next", "the mask of the sorted order is not brought back")
def sn_unsorted(logits, temperature, top_k, top_p, generator):
    if top_p is None or temperature == 0:
        return sample(logits, temperature, top_k, top_p, generator)
    if not 0 < top_p <= 1 or temperature < 0 or (top_k is not None and top_k < 1):
        raise ValueError("top_p temperature top_k")
    x = logits / temperature
    if top_k is not None:
        x = x.masked_fill(x < x.topk(min(top_k, x.shape[-1])).values[..., -1:], -math.inf)
    p = x.softmax(-1)
    s, _ = p.sort(-1, descending=True)
    p = p.masked_fill((s.cumsum(-1) - s) >= top_p, 0)
    p = torch.where(p.sum(-1, keepdim=True) > 0, p, x.softmax(-1))
    return torch.multinomial(p.reshape(-1, p.shape[-1]), 1, generator=generator).reshape(p.shape[:-1])


@misconception("sample_next", "a negative temperature turns the order around")
def sn_negative(logits, temperature, top_k, top_p, generator):
    return sample(logits if temperature >= 0 else -logits, abs(temperature), top_k, top_p, generator)


@misconception("sample_next", "the index has a dimension of one")
def sn_dimension(logits, temperature, top_k, top_p, generator):
    return sample(logits, temperature, top_k, top_p, generator)[..., None]


@variant("sample_next")
def sn_inverse(logits, temperature, top_k, top_p, generator):
    """The draw by the inverse of the distribution function."""
    for name, wrong in (
        ("temperature", temperature < 0),
        ("top_k", top_k is not None and top_k < 1),
        ("top_p", top_p is not None and not 0 < top_p <= 1),
    ):
        if wrong:
            raise ValueError(f"{name} is out of range")
    if temperature == 0:
        return logits.max(-1).indices
    p, order = torch.sort((logits / temperature).softmax(-1), dim=-1, descending=True, stable=True)
    place = torch.arange(p.shape[-1], device=p.device)
    if top_k is not None:
        p = torch.where(place < top_k, p, 0.0)
    p = p / p.sum(-1, keepdim=True)
    if top_p is not None:
        p = torch.where(p.cumsum(-1) - p < top_p, p, 0.0)
        p = p / p.sum(-1, keepdim=True)
    u = torch.rand(p.shape[:-1], generator=generator, dtype=torch.float64, device=generator.device).to(p.device)[..., None]
    edge = p.double().cumsum(-1)
    pick = (edge / edge[..., -1:] <= u).sum(-1, keepdim=True).clamp(max=p.shape[-1] - 1)
    return order.gather(-1, pick)[..., 0]


@contextmanager
def writing(model):
    was = model.training
    model.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        model.train(was)


@variant("generate")
def ge_buffer(model, ids, n_new, temperature, top_k, top_p, generator):
    b, n = ids.shape
    text = ids.new_empty(b, n + n_new)
    text[:, :n] = ids
    with writing(model):
        for t in range(n, n + n_new):
            logits = model(text[:, max(0, t - model.config.block_size) : t])[0]
            text[:, t] = sample(logits[:, -1], temperature, top_k, top_p, generator)
    return text


@variant("generate")
@torch.no_grad()
def ge_recursive(model, ids, n_new, temperature, top_k, top_p, generator):
    if n_new <= 0:
        return ids
    with writing(model):
        new = sample(model(ids[:, -model.config.block_size :])[0][:, -1, :], temperature, top_k, top_p, generator)
    return ge_recursive(model, torch.hstack([ids, new.unsqueeze(1)]), n_new - 1, temperature, top_k, top_p, generator)


def step(model, optimizer, batches, clip=None, autocast_dtype=None, *, weigh=None, before=lambda m: None, after=lambda m: None, give=None):
    if not batches:
        raise ValueError("batches is empty")
    model.train()
    optimizer.zero_grad()
    losses = []
    for x, y in batches:
        with torch.autocast(x.device.type, dtype=autocast_dtype, enabled=autocast_dtype is not None):
            loss = model(x, y)[1]
        (loss / len(batches) if weigh is None else loss * weigh(y, batches)).backward()
        losses.append(loss.detach())
    before(model)
    if clip is not None:
        nn.utils.clip_grad_norm_(model.parameters(), clip)
    after(model)
    optimizer.step()
    optimizer.zero_grad()
    return (sum(losses) / len(losses)).item() if give is None else give(losses)


@misconception("train_step", "gradients a thousandth too large")
def ts_noise(*a, **k):
    return step(*a, **k, after=lambda m: [p.grad.mul_(1.001) for p in m.parameters() if p.grad is not None])


@misconception("train_step", "clip of 0 means no clipping")
def ts_zero(model, optimizer, batches, clip=None, autocast_dtype=None):
    return step(model, optimizer, batches, clip or None, autocast_dtype)


@misconception("train_step", "weights are clipped, not gradients")
def ts_weights(model, optimizer, batches, clip=None, autocast_dtype=None):
    found = step(model, optimizer, batches, None, autocast_dtype)
    if clip is not None:
        with torch.no_grad():
            nn.utils.clip_grad_norm_([p for p in model.parameters() if p.grad is not None], clip)
            [p.clamp_(-clip, clip) for p in model.parameters()]
    return found


@misconception("train_step", "an empty list gives 0")
def ts_empty(model, optimizer, batches, clip=None, autocast_dtype=None):
    return step(model, optimizer, batches, clip, autocast_dtype) if batches else 0.0


@misconception("train_step", "two optimizer steps")
def ts_two(model, optimizer, batches, clip=None, autocast_dtype=None):
    step(model, optimizer, batches, clip, autocast_dtype)
    return step(model, optimizer, batches, clip, autocast_dtype)


@variant("train_step")
def ts_one_graph(model, optimizer, batches, clip=None, autocast_dtype=None):
    """All losses first, one backward pass of their mean."""
    if len(batches) == 0:
        raise ValueError("batches must not be empty")
    optimizer.zero_grad(set_to_none=True)
    model.train()
    losses = []
    for x, y in batches:
        with torch.autocast(device_type=x.device.type, dtype=autocast_dtype or torch.bfloat16, enabled=bool(autocast_dtype)):
            losses.append(model(x, y)[1])
    mean = torch.stack(losses).mean()
    mean.backward()
    if clip is not None:
        grads = [p.grad for p in model.parameters() if p.grad is not None]
        norm = torch.linalg.vector_norm(torch.stack([g.norm() for g in grads]))
        scale = clip / torch.clamp(norm, min=1e-30)
        [g.mul_(torch.clamp(scale, max=1.0)) for g in grads]
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)
    return float(mean.detach())
