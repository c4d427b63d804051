"""What the public checks of lesson 07 expect: GPT-2 from PyTorch's own layers on weights given by name, closed forms, plain gradient descent."""

import math

import torch
from torch.nn import functional as F


def feed_forward(w, x, prefix=""):
    hidden = F.linear(x, w[f"{prefix}c_fc.weight"], w.get(f"{prefix}c_fc.bias"))
    return F.linear(F.gelu(hidden, approximate="tanh"), w[f"{prefix}c_proj.weight"], w.get(f"{prefix}c_proj.bias"))


def attention(w, x, n_head, prefix=""):
    """PyTorch's multi-head attention with the packed weights of `c_attn`."""
    d, n = x.shape[-1], x.shape[-2]
    zeros = torch.zeros(3 * d, dtype=x.dtype)
    flat = x.reshape(-1, n, d).transpose(0, 1)
    future = torch.ones(n, n).triu(1).bool()
    output, _ = F.multi_head_attention_forward(
        flat, flat, flat, d, n_head, w[f"{prefix}c_attn.weight"], w.get(f"{prefix}c_attn.bias", zeros), None, None, False, 0.0,
        w[f"{prefix}c_proj.weight"], w.get(f"{prefix}c_proj.bias", zeros[:d]), attn_mask=future, need_weights=False,
    )  # fmt: skip
    return output.transpose(0, 1).reshape(x.shape)


def norm(w, x, prefix):
    return F.layer_norm(x, x.shape[-1:], w[f"{prefix}.weight"], w.get(f"{prefix}.bias"), 1e-5)


def block(w, x, n_head, prefix=""):
    x = x + attention(w, norm(w, x, f"{prefix}ln_1"), n_head, f"{prefix}attn.")
    return x + feed_forward(w, norm(w, x, f"{prefix}ln_2"), f"{prefix}mlp.")


def gpt(w, ids, config):
    x = w["wte.weight"][ids] + w["wpe.weight"][: ids.shape[-1]]
    for i in range(config["n_layer"]):
        x = block(w, x, config["n_head"], f"h.{i}.")
    return F.linear(norm(w, x, "ln_f"), w["wte.weight"])


def gpt_gradients(w, ids, config, cotangent):
    """By name, the tied matrix under the embedding's."""
    leaves = {name: value.clone().requires_grad_() for name, value in w.items() if name != "lm_head.weight"}
    return dict(zip(leaves, torch.autograd.grad(gpt(leaves, ids, config), list(leaves.values()), cotangent)))


def greedy_text(w, ids, steps, config):
    for _ in range(steps):
        ids = torch.cat([ids, gpt(w, ids[:, -config["block_size"] :], config)[:, -1].argmax(-1)[:, None]], dim=1)
    return ids


def greedy_bigrams(table, bias, ids, steps):
    for _ in range(steps):
        ids = torch.cat([ids, (table + bias)[ids[:, -1:]].argmax(-1)], dim=1)
    return ids


def chances(logits, temperature, top_k, top_p):
    """Of each token of one row, after all three knobs."""
    best = (logits / temperature).double().softmax(-1).topk(top_k)
    kept = best.values / best.values.sum()
    kept = torch.where(kept.cumsum(0) - kept < top_p, kept, 0.0)
    return torch.zeros(len(logits)).double().scatter(0, best.indices, kept / kept.sum())


def cross_entropy(logits, targets, ignore_index=-100):
    return F.cross_entropy(logits.flatten(0, -2) if logits.ndim > 1 else logits[None], targets.flatten(), ignore_index=ignore_index)


def cosine(step, warmup, total, high, low):
    if step < warmup:
        return high * step / warmup
    if step >= total:
        return low
    return low + (high - low) * math.cos(math.pi / 2 * (step - warmup) / (total - warmup)) ** 2


def one_step(table, bias, batches, clip=None, lr=1.0):
    """(new table, new bias, mean loss) of plain gradient descent on the bigram model."""
    leaves = [table.clone().requires_grad_(), bias.clone().requires_grad_()]
    loss = sum(F.cross_entropy((leaves[0][x] + leaves[1]).flatten(0, 1), y.flatten()) for x, y in batches) / len(batches)
    grads = torch.autograd.grad(loss, leaves)
    norm = torch.cat([g.flatten() for g in grads]).norm()
    scale = 1.0 if clip is None or norm <= clip else clip / norm
    return *(leaf.detach() - lr * scale * g for leaf, g in zip(leaves, grads)), loss.item()


def fast_attention(w, x, n_head):
    """Rotation as a product of complex numbers, scores and softmax by hand."""
    q, k, v = (part.unflatten(-1, (n_head, -1)).transpose(-3, -2) for part in F.linear(x, w["c_attn.weight"]).chunk(3, -1))
    n, d = q.shape[-2:]
    rates = torch.tensor([10000.0 ** (-2 * i / d) for i in range(d // 2)], dtype=torch.float64)
    turn = torch.polar(torch.ones(n, d // 2, dtype=torch.float64), torch.arange(n).double()[:, None] * rates)

    def turned(u):
        u = u.double()
        u = u / u.pow(2).mean(-1, keepdim=True).sqrt()
        return torch.view_as_real(torch.view_as_complex(u.unflatten(-1, (-1, 2)).contiguous()) * turn).flatten(-2)

    scores = (turned(q) @ turned(k).mT / math.sqrt(d)).masked_fill(torch.ones(n, n).triu(1).bool(), -math.inf)
    heads = scores.softmax(-1) @ v.double()
    return F.linear(heads.transpose(-3, -2).flatten(-2).to(x.dtype), w["c_proj.weight"])
