"""Held-out answers to lesson 07, wrong and right: none of them is among the known ones."""

import math

import torch

from autograde.authoring.strength.mutation import misconception, variant

misconception(
    "get_batch",
    "no repeats",
    replace=(
        "torch.randint(n_starts, (batch_size, 1), generator=generator)",
        "torch.randperm(n_starts, generator=generator).repeat(batch_size // n_starts + 1)[:batch_size, None]",
    ),
)

misconception(
    "get_batch", "fixed buffer", replace=("n_starts = len(ids) - block_size", "ids = ids[:65536]\n    n_starts = len(ids) - block_size")
)

misconception("get_batch", "starts sorted", replace=("positions = starts +", "positions = starts.sort(0).values +"))

misconception(
    "get_batch", "int32", replace=("return ids[positions], ids[positions + 1]", "return ids[positions].int(), ids[positions + 1]")
)

misconception(
    "mask_for_infilling",
    "masks at least one",
    replace=(
        "selected = (uniform() < p) & ~special",
        "selected = (uniform() < p) & ~special\n    if not selected.any() and ids.numel():\n        selected.view(-1)[0] = True",
    ),
)

misconception(
    "mask_for_infilling",
    "exact share",
    replace=(
        "selected = (uniform() < p) & ~special",
        "u = uniform()\n    k = int(p * u.shape[-1])\n    selected = (u <= u.sort(-1).values[..., k - 1 : k]) & ~special if k else torch.zeros_like(special)",
    ),
)

misconception(
    "mask_for_infilling",
    "random never mask",
    replace=("torch.randint(vocab_size, ids.shape", "torch.randint(mask_id if 0 < mask_id < vocab_size else vocab_size, ids.shape"),
)

misconception(
    "mask_for_infilling",
    "random differs from token",
    replace=(
        "inputs = torch.where(selected & (fate >= 0.9), strangers, inputs)",
        "strangers = torch.where(strangers == ids, (strangers + 1) % vocab_size, strangers)\n    inputs = torch.where(selected & (fate >= 0.9), strangers, inputs)",
    ),
)

misconception(
    "mask_for_infilling",
    "mask_id is special",
    replace=("special = torch.isin(ids, torch.tensor(list(special_ids)", "special = torch.isin(ids, torch.tensor([*special_ids, mask_id]"),
)

misconception(
    "mask_for_infilling",
    "pops specials",
    replace=(
        "special = torch.isin(",
        "special_ids = [special_ids.pop() for _ in range(len(special_ids))] if isinstance(special_ids, list) else special_ids\n    special = torch.isin(",
    ),
)

misconception("mask_for_infilling", "p = 1 error", replace=("if not 0 <= p <= 1", "if not 0 <= p < 1"))

misconception("mask_for_infilling", "error only below", replace=("if not 0 <= p <= 1", "if not 0 <= p"))


@misconception("language_model_loss", "clamp")
def loss_clamp(logits, targets, ignore_index=-100):
    c = targets != ignore_index
    l = -(logits.softmax(-1).clamp(min=1e-10).log()).gather(-1, targets.where(c, 0).unsqueeze(-1)).squeeze(-1)
    return l.where(c, 0).sum() / c.sum()


@misconception("language_model_loss", "modifies targets")
def loss_modifies_targets(logits, targets, ignore_index=-100):
    c = targets != ignore_index
    targets[~c] = 0
    l = -logits.log_softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)
    return l.where(c, 0).sum() / c.sum()


@misconception("language_model_loss", "row means")
def loss_row_means(logits, targets, ignore_index=-100):
    c = targets != ignore_index
    l = -logits.log_softmax(-1).gather(-1, targets.where(c, 0).unsqueeze(-1)).squeeze(-1)
    if l.ndim < 2:
        return l.where(c, 0).sum() / c.sum()
    return (l.where(c, 0).sum(-1) / c.sum(-1).clamp(min=1)).mean()


@misconception("attention_pattern", "table")
def pattern_table(kind, n, prefix=0):
    t = torch.ones(256, 256, dtype=torch.bool)[:n, :n]
    if kind == "encoder":
        return t
    if kind == "decoder":
        return t.tril()
    if kind == "prefix":
        return t.tril() | (torch.arange(n) < prefix)
    raise ValueError(kind)


@misconception("attention_pattern", "default")
def pattern_default(kind, n, prefix=0):
    t = torch.ones(n, n, dtype=torch.bool)
    if kind == "encoder":
        return t
    if kind == "decoder":
        return t.tril()
    if kind.startswith("pre"):
        return t.tril() | (torch.arange(n) < prefix)
    raise ValueError(kind)


@misconception("attention_pattern", "prefix rows")
def pattern_prefix_rows(kind, n, prefix=0):
    t = torch.ones(n, n, dtype=torch.bool)
    if kind == "encoder":
        return t
    if kind == "decoder":
        return t.tril()
    if kind == "prefix":
        m = t.tril()
        m[:prefix, :prefix] = True
        return m
    raise ValueError(kind)


misconception(
    "FeedForward",
    "This is what you get with the exact GELU; GPT-2 uses the tanh approximation.",
    replace=('approximate="tanh"', 'approximate="none"'),
)

misconception(
    "FeedForward",
    "dropout inside",
    replace=(
        'self.dropout(self.c_proj(F.gelu(self.c_fc(x), approximate="tanh")))',
        'self.c_proj(self.dropout(F.gelu(self.c_fc(x), approximate="tanh")))',
    ),
)

misconception(
    "FeedForward",
    "input in place",
    replace=("return self.dropout(", "x = x.mul_(1.0 + 1e-7) if not x.requires_grad else x\n        return self.dropout("),
)

misconception(
    "CausalSelfAttention",
    "mask buffer too short",
    replace=("heads = F.scaled_dot_product_attention(", "assert x.shape[-2] < 9\n        heads = F.scaled_dot_product_attention("),
)

misconception("CausalSelfAttention", "dropout also in eval", replace=("p = self.p if self.training else 0.0", "p = self.p"))

misconception("CausalSelfAttention", "only output dropout off", replace=("return self.dropout(self.c_proj(", "return (self.c_proj("))

misconception(
    "CausalSelfAttention",
    "caches mask by first length",
    replace=(
        "heads = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)",
        "self.m = getattr(self, 'm', torch.ones(q.shape[-2], q.shape[-2], dtype=torch.bool, device=x.device).tril())\n        m = self.m if self.m.shape[-1] == q.shape[-2] else torch.ones(q.shape[-2], q.shape[-2], dtype=torch.bool, device=x.device)\n        heads = F.scaled_dot_product_attention(q, k, v, attn_mask=m, dropout_p=p)",
    ),
)

misconception("CausalSelfAttention", "no error for uneven heads", replace=("if config.d_model % config.n_head:", "if False:"))

misconception(
    "Block",
    "in place add",
    replace=(
        "x = x + self.attn(self.ln_1(x))",
        "y = self.attn(self.ln_1(x))\n        x = x.add_(y) if not x.requires_grad and x.is_leaf else x + y",
    ),
)

misconception(
    "GPT",
    "positions wrap",
    replace=(
        (
            'if n > self.config.block_size:\n            raise ValueError(f"ids holds {n} tokens, more than block_size {self.config.block_size}")',
            "pass",
        ),
        ("torch.arange(n, device=ids.device)", "torch.arange(n, device=ids.device) % self.config.block_size"),
    ),
)

misconception(
    "GPT",
    "loss without dropout flag",
    replace=("return logits, None if targets is None", "return logits, None if targets is None or not self.training"),
)

misconception("GPT", "config copy", replace=("self.config = config", "self.config = dict(vars(config))"))

misconception(
    "GPT",
    "no embedding dropout",
    replace=(
        "x = self.dropout(self.wte(ids) + self.wpe(torch.arange(n, device=ids.device)))",
        "x = self.wte(ids) + self.wpe(torch.arange(n, device=ids.device))",
    ),
)

misconception("initialize", "Biases are not set to 0.", replace=("nn.init.zeros_(module.bias)", "pass"))

misconception(
    "initialize",
    "The residual projections are divided by √n_layer; each block adds twice, so it is √(2 · n_layer).",
    replace=("2 * model.config.n_layer", "model.config.n_layer"),
)

misconception(
    "initialize",
    "trunc normal",
    replace=(
        "nn.init.normal_(module.weight, 0.0, std, generator=generator)",
        "nn.init.trunc_normal_(module.weight, 0.0, std, -std, std, generator=generator)",
    ),
)

misconception(
    "initialize",
    "uniform",
    replace=(
        "nn.init.normal_(module.weight, 0.0, std, generator=generator)",
        "nn.init.uniform_(module.weight, -std * 3**0.5, std * 3**0.5, generator=generator)",
    ),
)

misconception(
    "initialize",
    "clones the generator for each layer",
    replace=("generator=generator)", "generator=torch.Generator().manual_seed(generator.initial_seed()))"),
)

misconception(
    "parameter_groups",
    "embedding no decay",
    replace=(
        "if p.dim() >= 2]",
        "if p.dim() >= 2 and p.shape[0] < 10**9 and not any(p is m.weight for m in model.modules() if isinstance(m, nn.Embedding))]",
    ),
)

misconception(
    "parameter_groups", "named tuples", replace=("model.parameters()", "dict(model.named_parameters(remove_duplicate=False)).values()")
)


@misconception("learning_rate", "The cosine begins at step 0; it should begin where the warm-up ends.")
def rate_zero_div(step, w, t, hi, lo):
    x = hi * step / w if w else hi
    if step < w:
        return x
    return lo if step >= t else lo + 0.5 * (hi - lo) * (1 + math.cos(math.pi * step / t))


@misconception("learning_rate", "tensor")
def rate_tensor(step, w, t, hi, lo):
    if step < w:
        return torch.tensor(hi * step / w)
    if step >= t:
        return lo
    return lo + 0.5 * (hi - lo) * (1 + math.cos(math.pi * (step - w) / (t - w)))


misconception(
    "sample_next",
    "topk by threshold ge on prob clipped",
    replace=(
        "logits = logits.masked_fill(logits < weakest_kept, -math.inf)",
        "logits = logits.masked_fill(logits < weakest_kept - 0.05, -math.inf)",
    ),
)

misconception("sample_next", "HF top-p", replace=("mass_before >= top_p", "mass_before > top_p"))

misconception(
    "sample_next",
    "temperature zero tiny",
    replace=("if temperature == 0:\n        return logits.argmax(-1)", "temperature = max(temperature, 1e-2)"),
)

misconception(
    "sample_next", "fp16 softmax", replace=("probabilities = logits.softmax(-1)", "probabilities = logits.half().softmax(-1).float()")
)

misconception("sample_next", "top_k in place", replace=("logits = logits / temperature", "logits = logits.div_(temperature)"))

misconception(
    "sample_next",
    "top-p looks at the distribution before top-k; it should look at what top-k left, renormalised.",
    replace=("if top_p is not None:", "if top_p is not None and top_k is None:"),
)

misconception(
    "sample_next",
    "nan with -inf all in top k",
    replace=(
        "weakest_kept = logits.topk(min(top_k, logits.shape[-1])).values[..., -1:]",
        "weakest_kept = logits.topk(min(top_k, 50, logits.shape[-1])).values[..., -1:]",
    ),
)

misconception(
    "sample_next",
    "same draw for all rows",
    replace=(
        "drawn = torch.multinomial(rows, 1, generator=generator)",
        "u = torch.rand(1, generator=generator)\n    drawn = (rows.cumsum(-1) / rows.sum(-1, keepdim=True) < u).sum(-1, keepdim=True).clamp(max=rows.shape[-1] - 1)",
    ),
)

misconception(
    "generate",
    "keeps growing context",
    replace=(
        "ids[:, -model.config.block_size :]",
        "ids[:, -model.config.block_size + 1 :] if ids.shape[1] > model.config.block_size + 3 else ids[:, -model.config.block_size :]",
    ),
)

misconception(
    "generate",
    "The first block_size tokens are kept; the model should see the last ones.",
    replace=("ids[:, -model.config.block_size :]", "ids[:, : model.config.block_size]"),
)

misconception(
    "generate", "Gradients are recorded while writing: use torch.no_grad().", replace=("with torch.no_grad():", "with torch.enable_grad():")
)

misconception("train_step", "sum of losses", replace=("(loss / len(batches)).backward()", "loss.backward()"))

misconception(
    "train_step",
    "The last pair's loss is returned; return the mean over all.",
    replace=("return (total / len(batches)).item()", "return loss.item()"),
)

misconception(
    "train_step",
    "pops batches",
    replace=(
        ("for x, y in batches:", "n = len(batches)\n    while batches:\n        x, y = batches.pop(0)"),
        ("(loss / len(batches))", "(loss / n)"),
        ("(total / len(batches))", "(total / n)"),
    ),
)

misconception(
    "train_step",
    "Single numbers of the gradient are clipped; clip the norm of all together.",
    replace=("nn.utils.clip_grad_norm_(model.parameters(), clip)", "nn.utils.clip_grad_value_(model.parameters(), clip)"),
)

misconception(
    "train_step",
    "Each parameter's gradient is clipped by itself; clip the norm of all together.",
    replace=(
        "nn.utils.clip_grad_norm_(model.parameters(), clip)",
        "[nn.utils.clip_grad_norm_([p], clip) for p in model.parameters() if p.grad is not None]",
    ),
)

misconception("train_step", "eval after", replace=("    return (total", "    model.eval()\n    return (total"))

misconception(
    "train_step",
    "scales to clip always",
    replace=(
        "nn.utils.clip_grad_norm_(model.parameters(), clip)",
        "norm = torch.stack([p.grad.norm() for p in model.parameters() if p.grad is not None]).norm()\n        for p in model.parameters():\n            if p.grad is not None:\n                p.grad.mul_(clip / norm)",
    ),
)

misconception("train_step", "retains", replace=("optimizer.step()\n    optimizer.zero_grad()", "optimizer.step()"))


@variant("get_batch")
def right_list(ids, batch_size, block_size, generator):
    if len(ids) <= block_size:
        raise ValueError(f"ids too short: {len(ids)} for block_size {block_size}")
    s = [int(torch.randint(0, len(ids) - block_size, (1,), generator=generator)) for _ in range(batch_size)]
    return torch.stack([ids[i : i + block_size] for i in s]), torch.stack([ids[i + 1 : i + 1 + block_size] for i in s])


@variant("language_model_loss")
def right_lse(logits, targets, ignore_index=-100):
    keep = targets.ne(ignore_index)
    z = logits[keep]
    t = targets[keep]
    return (z.logsumexp(-1) - z[torch.arange(len(t), device=z.device), t]).mean()


@variant("attention_pattern")
def right_ap(kind, n, prefix=0):
    i, j = torch.meshgrid(torch.arange(n), torch.arange(n), indexing="ij")
    rules = {"encoder": lambda: j >= 0, "decoder": lambda: j <= i, "prefix": lambda: (j <= i) | (j < prefix)}
    if kind not in rules:
        raise ValueError(f"unknown kind {kind}")
    return rules[kind]()


@variant("learning_rate")
def right_lr(step, warmup_steps, total_steps, max_lr, min_lr):
    if step < warmup_steps:
        return max_lr * (step / warmup_steps)
    x = 1.0 if step >= total_steps else (step - warmup_steps) / (total_steps - warmup_steps)
    return min_lr + (max_lr - min_lr) * math.cos(math.pi * x / 2) ** 2


@variant("sample_next")
def right_sn(logits, temperature, top_k, top_p, generator):
    if temperature < 0:
        raise ValueError("temperature < 0")
    if top_k is not None and top_k <= 0:
        raise ValueError("top_k <= 0")
    if top_p is not None and not (0 < top_p <= 1):
        raise ValueError("top_p out of range")
    if temperature == 0:
        return logits.max(-1).indices
    z = (logits.double() / temperature).reshape(-1, logits.shape[-1])
    s, i = z.sort(-1, descending=True)
    if top_k is not None:
        s[:, top_k:] = -math.inf
    p = s.softmax(-1)
    if top_p is not None:
        c = p.cumsum(-1)
        drop = torch.zeros_like(p, dtype=torch.bool)
        drop[:, 1:] = c[:, :-1] >= top_p - 1e-12
        p = p.masked_fill(drop, 0)
        p = p / p.sum(-1, keepdim=True)
    u = torch.rand(len(p), 1, generator=generator, dtype=torch.float64).to(p.device)
    pick = (p.cumsum(-1) <= u * p.sum(-1, keepdim=True)).sum(-1, keepdim=True).clamp(max=p.shape[-1] - 1)
    return i.gather(-1, pick).reshape(logits.shape[:-1])


@variant("parameter_groups")
def right_pg(model, weight_decay):
    seen, d, n = set(), [], []
    for m in model.modules():
        for p in m.parameters(recurse=False):
            if id(p) in seen or not p.requires_grad:
                continue
            seen.add(id(p))
            (d if p.ndim > 1 else n).append(p)
    return [dict(params=d, weight_decay=weight_decay), dict(params=n, weight_decay=0.0)]


# What people did in public code: targets shifted twice or by nothing, tied weights lost, cut-offs at the wrong place
misconception(
    "get_batch",
    "the start is the same number for each row's x and another for y",
    replace=("return ids[positions], ids[positions + 1]", "return ids[positions], ids[positions.flip(0) + 1]"),
)
misconception("get_batch", "two tokens ahead", replace=("n_starts = len(ids) - block_size", "n_starts = len(ids) - block_size - 1"))
misconception(
    "mask_for_infilling",
    "random tokens come from half of the vocabulary",
    replace=("torch.randint(vocab_size, ids.shape", "torch.randint(vocab_size // 2, ids.shape"),
)
misconception(
    "mask_for_infilling",
    "one draw for the whole batch's random token",
    replace=(
        "strangers = torch.randint(vocab_size, ids.shape, generator=generator, device=generator.device).to(ids)",
        "strangers = torch.randint(vocab_size, (1,), generator=generator, device=generator.device).to(ids).expand(ids.shape)",
    ),
)
misconception(
    "language_model_loss",
    "The targets are shifted once more inside the loss; get_batch has shifted them already.",
    replace=(
        "counted = targets != ignore_index",
        "logits, targets = (logits[..., :-1, :], targets[..., 1:]) if logits.ndim > 2 else (logits, targets)\n    counted = targets != ignore_index",
    ),
)
misconception(
    "language_model_loss",
    "smoothed labels",
    replace=("return losses", "losses = 0.9 * losses - 0.1 * logits.log_softmax(-1).mean(-1)\n    return losses"),
)
misconception("attention_pattern", "the encoder is causal", replace=("        return everyone\n", "        return everyone.tril()\n"))
misconception(
    "attention_pattern",
    "the prefix sees all",
    replace=("everyone.tril() | (torch.arange(n) < prefix)", "everyone.tril() | (torch.arange(n)[:, None] < prefix)"),
)
misconception("FeedForward", "silu", replace=('F.gelu(self.c_fc(x), approximate="tanh")', "F.silu(self.c_fc(x))"))
misconception("FeedForward", "a norm inside", replace=("self.c_fc(x)", "self.c_fc(F.layer_norm(x, x.shape[-1:]))"))
misconception(
    "CausalSelfAttention",
    "heads interleaved",
    replace=(".unflatten(-1, (self.n_head, -1)).transpose(-3, -2) for", ".unflatten(-1, (-1, self.n_head)).movedim(-1, -3) for"),
)
misconception(
    "CausalSelfAttention",
    "anti-causal",
    replace=("is_causal=True", "attn_mask=torch.ones(x.shape[-2], x.shape[-2], dtype=torch.bool, device=x.device).triu()"),
)
misconception(
    "Block", "half of each part is added", replace=("return x + self.mlp(self.ln_2(x))", "return x + 0.5 * self.mlp(self.ln_2(x))")
)
misconception("Block", "norms after each part", replace=("x = x + self.attn(self.ln_1(x))", "x = x + self.ln_1(self.attn(x))"))
misconception("GPT", "positions multiplied", replace=("self.wte(ids) + self.wpe(", "self.wte(ids) * self.wpe("))
misconception(
    "GPT",
    "positions from the end",
    replace=("self.wpe(torch.arange(n, device=ids.device))", "self.wpe(torch.arange(n, device=ids.device).flip(0))"),
)
misconception(
    "initialize",
    "xavier",
    replace=("nn.init.normal_(module.weight, 0.0, std, generator=generator)", "nn.init.xavier_normal_(module.weight, generator=generator)"),
)
misconception("initialize", "head smaller", replace=('name.endswith("c_proj")', 'name.endswith(("c_proj", "lm_head"))'))
misconception(
    "parameter_groups",
    "one group",
    replace=(
        '        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": 0.0},\n',
        '        {"params": [p for p in parameters if p.dim() < 2], "weight_decay": weight_decay / 10},\n',
    ),
)
misconception("parameter_groups", "only three dimensions decay", replace=("p.dim() >= 2]", "p.dim() >= 3]"))
misconception(
    "learning_rate",
    "The warm-up begins at min_lr; it begins at 0.",
    replace=("return max_lr * step / warmup_steps", "return min_lr + (max_lr - min_lr) * step / warmup_steps"),
)
misconception(
    "learning_rate",
    "exponential decay",
    replace=("min_lr + 0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))", "max_lr * (min_lr / max_lr) ** progress"),
)
misconception(
    "sample_next",
    "probabilities to the power of the temperature",
    replace=("probabilities = logits.softmax(-1)", "probabilities = logits.softmax(-1) ** temperature"),
)
misconception("sample_next", "min-p", replace=("mass_before >= top_p", "ordered < ordered[..., :1] * (1 - top_p)"))
misconception(
    "generate",
    "the block is cut in front of each new token only once",
    replace=("ids[:, -model.config.block_size :]", "ids[:, -min(model.config.block_size, 3) :]"),
)
misconception("generate", "the same token for all rows", replace=("new[:, None]", "new[:1, None].expand(len(ids), 1)"))
misconception(
    "train_step",
    "gradients divided by the square of the number of pairs",
    replace=("(loss / len(batches)).backward()", "(loss / len(batches) ** 2).backward()"),
)
misconception(
    "train_step",
    "The step is taken with gradients whose norm was not cut down to `clip`: do that, and before the step.",
    replace=("clip_grad_norm_(model.parameters(), clip)", "clip_grad_norm_(model.parameters(), 1.0)"),
)


# State kept between calls, modes left behind, boundaries, lengths of one, other devices and dtypes

misconception("get_batch", "the shortest text that fits is refused", replace=("if n_starts < 1:", "if n_starts < 2:"))
misconception(
    "mask_for_infilling",
    "one random token for the whole call",
    replace=("vocab_size, ids.shape, generator", "vocab_size, (1,) * ids.ndim, generator"),
)
misconception(
    "mask_for_infilling",
    "the fate is drawn for each row, not for each token",
    replace=("    fate = uniform()\n", "    fate = uniform()[..., :1].expand(ids.shape)\n"),
)
misconception(
    "mask_for_infilling", "the labels are int32", replace=("torch.where(selected, ids, -100)", "torch.where(selected, ids, -100).int()")
)
misconception(
    "mask_for_infilling",
    "the last position is never selected",
    replace=("    fate = uniform()\n", "    selected[..., -1:] = False\n    fate = uniform()\n"),
)
misconception(
    "language_model_loss",
    "the loss has a dimension",
    replace=("losses.where(counted, 0).sum() / counted.sum()", "losses.where(counted, 0).sum()[None] / counted.sum()"),
)
misconception("language_model_loss", "one more than counted divides", replace=("/ counted.sum()", "/ (counted.sum() + 1e-3)"))
misconception(
    "attention_pattern",
    "the mask is one dimension short for one position",
    replace=("everyone = torch.ones(n, n, dtype=torch.bool)", "everyone = torch.ones(n, n, dtype=torch.bool).squeeze()"),
)
misconception(
    "FeedForward",
    "whole positions are dropped",
    replace=("self.dropout = nn.Dropout(config.dropout)", "self.dropout = nn.Dropout1d(config.dropout)"),
)
misconception(
    "FeedForward",
    "dropout without the division by 1 - p",
    replace=(
        'return self.dropout(self.c_proj(F.gelu(self.c_fc(x), approximate="tanh")))',
        'y = self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))\n        return self.dropout(y) * (1 - self.dropout.p) if self.training else y',
    ),
)
misconception(
    "CausalSelfAttention",
    "output dropout without the division by 1 - p",
    replace=(
        "return self.dropout(self.c_proj(heads.transpose(-3, -2).flatten(-2)))",
        "y = self.c_proj(heads.transpose(-3, -2).flatten(-2))\n        return self.dropout(y) * (1 - self.p) if self.training else y",
    ),
)
misconception(
    "CausalSelfAttention",
    "the mask of the first call is used again",
    replace=(
        "heads = F.scaled_dot_product_attention(q, k, v, dropout_p=p, is_causal=True)",
        "n = q.shape[-2]\n        if not hasattr(self, 'mask'):\n            self.mask = torch.ones(n, n, dtype=torch.bool, device=x.device).tril()\n        heads = F.scaled_dot_product_attention(q, k, v, dropout_p=p, attn_mask=self.mask[:n, :n])",
    ),
)
misconception(
    "CausalSelfAttention",
    "keys of the last call are kept",
    replace=(
        "heads = F.scaled_dot_product_attention(q, k, v,",
        "self.last = k.detach() if not hasattr(self, 'last') or self.last.shape != k.shape else self.last\n        heads = F.scaled_dot_product_attention(q, self.last.to(k), v,",
    ),
)
misconception(
    "GPT",
    "positions go on where the last call ended",
    replace=(
        "x = self.dropout(self.wte(ids) + self.wpe(torch.arange(n, device=ids.device)))",
        "self.at = getattr(self, 'at', 0) % self.config.block_size\n        x = self.dropout(self.wte(ids) + self.wpe((torch.arange(n, device=ids.device) + self.at) % self.config.block_size))\n        self.at += n",
    ),
)
misconception(
    "GPT", "the loss in training alone", replace=("None if targets is None else", "None if targets is None or not self.training else")
)
misconception(
    "GPT",
    "the head shares numbers, not the parameter",
    replace=("self.lm_head.weight = self.wte.weight", "self.lm_head.weight.data = self.wte.weight.data"),
)
misconception(
    "initialize",
    "norms' biases are kept",
    replace=('if getattr(module, "bias", None) is not None:', "if isinstance(module, nn.Linear) and module.bias is not None:"),
)
misconception(
    "initialize",
    "the generator is seeded anew for each matrix",
    replace=("nn.init.normal_(module.weight", "generator.manual_seed(0)\n            nn.init.normal_(module.weight"),
)
misconception(
    "parameter_groups", "the parameters are frozen by the way", replace=("    return [", "    model.requires_grad_(False)\n    return [")
)
misconception(
    "parameter_groups",
    "matrices are changed while they are sorted",
    replace=("    return [", "    with torch.no_grad():\n        [p.mul_(1 - 1e-3) for p in parameters]\n    return ["),
)
misconception("learning_rate", "rounded to five digits", replace=("return min_lr + 0.5", "return round(min_lr, 5) + 0.5"))
misconception(
    "learning_rate",
    "the first step after the warm-up is skipped",
    replace=("progress = (step - warmup_steps)", "progress = (step - warmup_steps + 1)"),
)
misconception("sample_next", "one row of a batch decides top-k for all", replace=(".values[..., -1:]", ".values[..., -1:].amin()"))
misconception(
    "sample_next", "the logits are changed in place", replace=("logits = logits / temperature", "logits = logits.div_(temperature)")
)
misconception(
    "sample_next",
    "the generator is seeded",
    replace=("    drawn = torch", "    generator.manual_seed(generator.initial_seed())\n    drawn = torch"),
)
misconception(
    "generate",
    "the temperature falls from token to token",
    replace=(("for _ in range(n_new)", "for step in range(n_new)"), ("temperature, top_k", "temperature * 0.9**step, top_k")),
)
misconception(
    "generate",
    "a token is not drawn twice in a row",
    replace=("logits[:, -1], temperature", "logits[:, -1].scatter(-1, ids[:, -1:], -1e9), temperature"),
)
misconception("generate", "top_k grows", replace=("temperature, top_k, top_p", "temperature, top_k and top_k + ids.shape[1] // 8, top_p"))
misconception(
    "generate",
    "the prompt is cut to the block in what is returned",
    replace=("    was_training", "    ids = ids[:, -model.config.block_size :]\n    was_training"),
)
misconception(
    "generate",
    "the generator is used for the first token alone",
    replace=("top_p, generator)\n", "top_p, generator if ids.shape[1] < 3 else torch.Generator())\n"),
)
misconception(
    "generate", "the model is left without gradients", replace=("    finally:", "    finally:\n        model.requires_grad_(False)")
)
misconception(
    "train_step",
    "the learning rate falls with each step",
    replace=("    optimizer.step()", "    for group in optimizer.param_groups:\n        group['lr'] *= 0.99\n    optimizer.step()"),
)
misconception("train_step", "a pair is skipped from the fourth on", replace=("for x, y in batches:", "for x, y in batches[:4]:"))
misconception(
    "train_step",
    "Each parameter's gradient is clipped by itself; clip the norm of all together.",
    replace=(
        "nn.utils.clip_grad_norm_(model.parameters(), clip)",
        "[nn.utils.clip_grad_norm_([p for p in model.parameters() if (p.ndim > 1) is m], clip) for m in (True, False)]",
    ),
)
misconception(
    "train_step", "clipped to the smaller of clip and 1", replace=("(model.parameters(), clip)", "(model.parameters(), min(clip, 1.0))")
)
misconception(
    "train_step",
    "the gradients are emptied by hand, of the parameters that have a name",
    replace=(
        "    optimizer.step()\n    optimizer.zero_grad()",
        "    optimizer.step()\n    [setattr(p, 'grad', None) for n, p in model.named_parameters() if 'bias' not in n]",
    ),
)
misconception(
    "train_step",
    "weights are averaged with the old ones",
    replace=(
        "    optimizer.step()\n",
        "    before = [p.detach().clone() for p in model.parameters()]\n    optimizer.step()\n    with torch.no_grad():\n        [p.lerp_(q, 1e-3) for p, q in zip(model.parameters(), before)]\n",
    ),
)
misconception(
    "train_step",
    "bfloat16 gradients",
    replace=(
        "    if clip is not None:",
        "    for p in model.parameters():\n        p.grad = p.grad.bfloat16().float()\n    if clip is not None:",
    ),
)
misconception(
    "train_step",
    "model left with a hook: requires_grad of the inputs",
    replace=(
        "    if not batches:",
        "    batches = list(reversed(batches)) if len(batches) > 3 else batches\n    if len(batches) > 4:\n        batches = batches[1:]\n    if not batches:",
    ),
)
misconception("generate_cached", "the cache is as long as the prompt", replace=("> block_size:", "> max(ids.shape[1] // 2, 6):"))
misconception("generate_cached", "positions are read twice when the block is nearly full", replace=("> block_size:", "> block_size - 1:"))
misconception("generate_cached", "float32 inside", replace=("dtype=like.dtype", "dtype=torch.float32"))
misconception(
    "generate_cached",
    "the temperature grows",
    replace=("past.read(unread), temperature", "past.read(unread), temperature * (1 + ids.shape[1] / 30)"),
)
misconception(
    "generate_cached",
    "a seeded generator",
    replace=(
        "    was_training, block_size",
        "    generator = torch.Generator(generator.device).manual_seed(0)\n    was_training, block_size",
    ),
)
misconception(
    "generate_cached",
    "only without an error is the mode restored",
    replace=("    finally:\n        model.train(was_training)", "    except KeyError:\n        pass\n    model.train(was_training)"),
)
misconception(
    "FastAttention",
    "the tables of the first call are used again",
    replace=("        angles = torch.arange(n,", "        self.n = getattr(self, 'n', n)\n        angles = torch.arange(self.n,"),
)

variant(
    "get_batch",
    replace=(
        "    starts = torch.randint(n_starts, (batch_size, 1), generator=generator)",
        "    starts = (torch.rand(batch_size, 1, generator=generator, dtype=torch.float64) * n_starts).long()",
    ),
)
variant(
    "get_batch",
    replace=(
        "return ids[positions], ids[positions + 1]",
        "both = ids[starts + torch.arange(block_size + 1)]\n    return both[:, :-1], both[:, 1:]",
    ),
)
variant(
    "mask_for_infilling",
    replace=("torch.where(selected & (fate < 0.8), mask_id, ids)", "ids.masked_fill(selected & (fate < 0.8), mask_id)"),
)
variant("language_model_loss", replace=("return losses.where(counted, 0).sum() / counted.sum()", "return losses[counted].mean()"))
variant(
    "attention_pattern",
    replace=("everyone.tril() | (torch.arange(n) < prefix)", "(torch.arange(n) <= torch.arange(n)[:, None].clamp(min=prefix - 1))"),
)
variant(
    "FeedForward",
    replace=(
        'self.dropout(self.c_proj(F.gelu(self.c_fc(x), approximate="tanh")))',
        'F.dropout(self.c_proj(F.gelu(self.c_fc(x), approximate="tanh")), self.dropout.p, self.training)',
    ),
)
variant(
    "GPT",
    replace=(
        "self.wpe(torch.arange(n, device=ids.device))",
        "F.embedding(torch.arange(n, device=ids.device).expand(ids.shape), self.wpe.weight)",
    ),
)
variant(
    "initialize",
    replace=(
        "nn.init.normal_(module.weight, 0.0, std, generator=generator)",
        "module.weight.data.copy_(std * torch.randn(module.weight.shape, generator=generator))",
    ),
)
variant(
    "parameter_groups",
    replace=(
        ("[p for p in parameters if p.dim() >= 2]", "tuple(p for p in parameters if p.dim() >= 2)"),
        ("[p for p in parameters if p.dim() < 2]", "tuple(p for p in parameters if p.dim() < 2)"),
    ),
)
variant(
    "parameter_groups",
    replace=(
        "parameters = [p for p in model.parameters() if p.requires_grad]",
        "parameters = list({id(p): p for p in model.parameters()}.values())",
    ),
)
variant(
    "learning_rate",
    replace=("0.5 * (max_lr - min_lr) * (1 + math.cos(math.pi * progress))", "(max_lr - min_lr) * math.cos(math.pi * progress / 2) ** 2"),
)
variant(
    "sample_next",
    replace=(
        "drawn = torch.multinomial(rows, 1, generator=generator)",
        "drawn = (rows / torch.empty_like(rows).exponential_(generator=generator)).argmax(-1)",
    ),
)
variant(
    "generate",
    replace=(
        ("        with torch.no_grad():", "        with torch.set_grad_enabled(False):"),
        ("new = sample_next(logits[:, -1], temperature", "new = sample_next(logits.select(1, -1), temperature"),
    ),
)
variant("train_step", replace=("(loss / len(batches)).backward()", "loss.backward(gradient=torch.full_like(loss, 1 / len(batches)))"))
variant("train_step", replace=("    model.train()\n    optimizer.zero_grad()", "    model.train(True)\n    model.zero_grad()"))
variant(
    "generate_cached",
    replace=(
        "*kept[:, :, :, :end], is_causal=begin == 0)",
        "*kept[:, :, :, :end], attn_mask=torch.ones(end - begin, end, dtype=torch.bool, device=x.device).tril(begin))",
    ),
)
variant("FastAttention", replace=("for part in self.c_attn(x).chunk(3, dim=-1)", "for part in self.c_attn(x).split(x.shape[-1], -1)"))
