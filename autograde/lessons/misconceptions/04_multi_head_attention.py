"""Wrong answers to lesson 04 that students write, each with the sentence they should read, and unusual right answers."""

import math

import torch
from torch import nn
from torch.nn import functional as F

from autograde.authoring.strength.mutation import misconception, variant


def refuse(n_heads, d_model):
    if n_heads < 1 or d_model % n_heads:
        raise ValueError(f"n_heads = {n_heads} does not divide d_model = {d_model}")


# 1 · split_heads


@misconception(
    "split_heads",
    "This is what you get when x is given the new shape in one step: the shape is right, but a head then holds pieces of different words. "
    "Cut the last dimension first, then swap two dimensions.",
)
def split_by_reshape(x, n_heads):
    refuse(n_heads, x.shape[-1])
    return x.reshape(*x.shape[:-2], n_heads, x.shape[-2], x.shape[-1] // n_heads)


@misconception("split_heads", "This is what you get when each head takes every n_heads-th number; a head's numbers are neighbours.")
def split_interleaved(x, n_heads):
    refuse(n_heads, x.shape[-1])
    return x.unflatten(-1, (x.shape[-1] // n_heads, n_heads)).movedim(-1, -3)


@misconception("split_heads", "n_heads and d_head are taken for each other: here there are d_head heads of n_heads numbers.")
def sizes_taken_for_each_other(x, n_heads):
    refuse(n_heads, x.shape[-1])
    return x.unflatten(-1, (-1, n_heads)).transpose(-3, -2)


@misconception("split_heads", "The heads still stand behind the time dimension; they belong before it: (..., n_heads, T, d_head).")
def split_without_transpose(x, n_heads):
    refuse(n_heads, x.shape[-1])
    return x.unflatten(-1, (n_heads, -1))


@misconception("split_heads", "This is what you get when time and width of a head are swapped: (..., n_heads, d_head, T).")
def split_transposed_too_far(x, n_heads):
    refuse(n_heads, x.shape[-1])
    return x.unflatten(-1, (n_heads, -1)).movedim(-3, -1)


@misconception(
    "split_heads",
    "Dimensions 1 and 2 counted from the left are the heads and the time only with exactly one batch dimension; count from the right.",
)
def split_counting_from_the_left(x, n_heads):
    refuse(n_heads, x.shape[-1])
    return x.unflatten(-1, (n_heads, -1)).transpose(1, 2)


@misconception("split_heads", "Heads that do not divide the width must be a ValueError; here the last columns are dropped.")
def split_dropping_columns(x, n_heads):
    size = x.shape[-1] // n_heads
    return x[..., : size * n_heads].unflatten(-1, (n_heads, size)).transpose(-3, -2)


@misconception("split_heads", "The error must be a ValueError whose message names n_heads.")
def split_with_an_assert(x, n_heads):
    assert x.shape[-1] % n_heads == 0
    return x.unflatten(-1, (n_heads, -1)).transpose(-3, -2)


@variant("split_heads")
def split_by_chunks(x, n_heads):
    refuse(n_heads, x.shape[-1])
    return torch.stack(x.chunk(n_heads, dim=-1), dim=-3)


@variant("split_heads")
def split_by_loop(x, n_heads):
    if x.size(-1) / n_heads != x.size(-1) // n_heads:
        raise ValueError(f"bad n_heads {n_heads}")
    size = x.size(-1) // n_heads
    out = x.new_empty(*x.shape[:-2], n_heads, x.shape[-2], size)
    for h in range(n_heads):
        out[..., h, :, :] = x[..., h * size : (h + 1) * size]
    return out


@variant("split_heads")
def split_by_view(x, n_heads):
    *batch, t, d = x.shape
    refuse(n_heads, d)
    return x.reshape(*batch, t, n_heads, d // n_heads).swapaxes(-2, -3).contiguous()


# 2 · merge_heads


@misconception(
    "merge_heads",
    "This is what you get when the heads are merged without swapping heads and time back: "
    "a word's vector then holds pieces of different words.",
)
def merge_by_reshape(x):
    return x.reshape(*x.shape[:-3], x.shape[-2], x.shape[-3] * x.shape[-1])


@misconception("merge_heads", "This is what you get when the heads' numbers are interleaved; head after head is wanted.")
def merge_interleaved(x):
    return x.movedim(-3, -1).flatten(-2)


@misconception("merge_heads", "The heads are summed here; they should be laid side by side, and W^O does the mixing.")
def merge_by_sum(x):
    return x.sum(-3)


@misconception("merge_heads", "The heads are averaged here; they should be laid side by side, and W^O does the mixing.")
def merge_by_mean(x):
    return x.mean(-3)


@misconception(
    "merge_heads",
    "Dimensions 1 and 2 counted from the left are the heads and the time only with exactly one batch dimension; count from the right.",
)
def merge_counting_from_the_left(x):
    return x.transpose(1, 2).flatten(-2)


@variant("merge_heads")
def merge_by_cat(x):
    return torch.cat(x.unbind(-3), dim=-1)


@variant("merge_heads")
def merge_by_permutation(x):
    n = x.ndim
    order = [*range(n - 3), n - 2, n - 3, n - 1]
    return (
        x.permute(order).contiguous().view(*x.shape[:-3], x.shape[-2], -1)
        if x.numel()
        else x.new_empty(*x.shape[:-3], x.shape[-2], x.shape[-3] * x.shape[-1])
    )


# 3 · MultiHeadAttention

misconception(
    "MultiHeadAttention",
    "This is what you get when the scores are divided by √d_model. "
    "The dot product runs over one head's d_head numbers, so √d_head is the scale.",
    replace=("math.sqrt(q.shape[-1])", "math.sqrt(x.shape[-1])"),
)
misconception(
    "MultiHeadAttention", "This is what you get when the scores are not divided by √d_head.", replace=(" / math.sqrt(q.shape[-1])", "")
)
misconception(
    "MultiHeadAttention",
    "This is what you get when the scores are divided by d_head instead of its root.",
    replace=("math.sqrt(q.shape[-1])", "q.shape[-1]"),
)
misconception(
    "MultiHeadAttention",
    "x is added to the output: the residual connection belongs to the block around this layer, not to the layer.",
    replace=("return self.out_proj(merge_heads(weights @ v)), weights", "return x + self.out_proj(merge_heads(weights @ v)), weights"),
)
misconception(
    "MultiHeadAttention",
    "The output is normalised (a layer norm): that belongs to the block around this layer, not to the layer.",
    replace=(
        "return self.out_proj(merge_heads(weights @ v)), weights",
        "return F.layer_norm(self.out_proj(merge_heads(weights @ v)), x.shape[-1:]), weights",
    ),
)
misconception(
    "MultiHeadAttention",
    "This is what you get when the scores are divided by √T.",
    replace=("math.sqrt(q.shape[-1])", "math.sqrt(q.shape[-2])"),
)
misconception(
    "MultiHeadAttention",
    "This is what you get when the scores are divided by √n_heads.",
    replace=("math.sqrt(q.shape[-1])", "math.sqrt(self.n_heads)"),
)
misconception(
    "MultiHeadAttention",
    "This is what you get when the mask is read the wrong way round: True means that a word may be seen.",
    replace=("hidden = ~mask.unsqueeze(-3)", "hidden = mask.unsqueeze(-3)"),
)
misconception(
    "MultiHeadAttention",
    "The mask (batch, T_q, T_k) is lined up with the heads here: its batch dimension meets theirs. "
    "Give the mask a dimension for the heads.",
    replace=("~mask.unsqueeze(-3)", "~mask"),
)
misconception(
    "MultiHeadAttention",
    "The mask gets its head dimension at place 1 from the left, which is right with one batch dimension only; count from the right.",
    replace=("mask.unsqueeze(-3)", "mask.unsqueeze(1)"),
)
misconception(
    "MultiHeadAttention",
    "The mask (batch, T_q, T_k) is lined up with the heads here: its batch dimension meets theirs. "
    "Give the mask a dimension for the heads.",
    replace=("mask.unsqueeze(-3)", "mask.unsqueeze(0)"),
)
misconception(
    "MultiHeadAttention",
    "A row that may see nothing comes out as NaN here: it is a softmax over minus infinity alone. Its weights should be zero.",
    replace=("weights = weights.masked_fill(hidden, 0.0)", "pass"),
)
misconception(
    "MultiHeadAttention",
    "A row that may see nothing gets equal weights here, because all its scores are the same large negative number. "
    "Its weights should be zero.",
    replace=(("masked_fill(hidden, -torch.inf)", "masked_fill(hidden, -1e9)"), ("weights = weights.masked_fill(hidden, 0.0)", "pass")),
)
misconception(
    "MultiHeadAttention",
    "The masked scores are set to a number that large scores undercut; use minus infinity.",
    replace=(
        ("masked_fill(hidden, -torch.inf)", "masked_fill(hidden, -50.0)"),
        ("weights = weights.masked_fill(hidden, 0.0)", "weights = weights * (~hidden).any(-1, keepdim=True)"),
    ),
)
misconception(
    "MultiHeadAttention",
    "The mask is applied after the softmax here, so the remaining weights no longer sum to one. Mask the scores instead.",
    replace=("scores.masked_fill(hidden, -torch.inf).softmax(dim=-1)", "scores.softmax(dim=-1)"),
)
misconception(
    "MultiHeadAttention",
    "The masked scores are set to 0 before the softmax, but e⁰ = 1 is still a share. Use minus infinity.",
    replace=(("masked_fill(hidden, -torch.inf)", "masked_fill(hidden, 0.0)"), ("weights = weights.masked_fill(hidden, 0.0)", "pass")),
)
misconception(
    "MultiHeadAttention",
    "The softmax runs over the words that look (T_q); each row over the words that are seen must sum to one.",
    replace=("softmax(dim=-1)", "softmax(dim=-2)"),
)
misconception(
    "MultiHeadAttention",
    "The softmax runs over the heads here; each head has a softmax of its own, over the words.",
    replace=("softmax(dim=-1)", "softmax(dim=-3)"),
)
misconception(
    "MultiHeadAttention",
    "This is what you get without the last matrix: the concatenated heads must still go through out_proj (W^O).",
    replace=("self.out_proj(merge_heads(weights @ v))", "merge_heads(weights @ v)"),
)
misconception(
    "MultiHeadAttention",
    "The heads are put together without swapping heads and time back, so words are mixed up. Use merge_heads.",
    replace=("merge_heads(weights @ v)", "(weights @ v).reshape(*x.shape)"),
)
misconception(
    "MultiHeadAttention",
    "The projections are cut into heads by a reshape alone, so a head holds pieces of different words. Use split_heads.",
    replace=(
        ("split_heads(self.q_proj(x), self.n_heads)", "self.q_proj(x).reshape(*x.shape[:-2], self.n_heads, x.shape[-2], -1)"),
        (
            "split_heads(self.k_proj(context), self.n_heads)",
            "self.k_proj(context).reshape(*x.shape[:-2], self.n_heads, context.shape[-2], -1)",
        ),
        (
            "split_heads(self.v_proj(context), self.n_heads)",
            "self.v_proj(context).reshape(*x.shape[:-2], self.n_heads, context.shape[-2], -1)",
        ),
        ("merge_heads(weights @ v)", "(weights @ v).reshape(*x.shape)"),
    ),
)
misconception(
    "MultiHeadAttention",
    "The context is ignored here: keys and values must come from it where it is given.",
    replace=("context = x if context is None else context", "context = x"),
)
misconception(
    "MultiHeadAttention",
    "The values come from x here; with a context, keys and values both come from the context.",
    replace=("self.v_proj(context)", "self.v_proj(x)"),
)
misconception(
    "MultiHeadAttention",
    "The keys come from x here; with a context, keys and values both come from the context.",
    replace=("self.k_proj(context)", "self.k_proj(x)"),
)
misconception(
    "MultiHeadAttention",
    "Queries and context have changed places: x asks, the context answers.",
    replace=(
        ("self.q_proj(x)", "self.q_proj(context)"),
        ("self.k_proj(context)", "self.k_proj(x)"),
        ("self.v_proj(context)", "self.v_proj(x)"),
    ),
)
misconception(
    "MultiHeadAttention",
    "Queries and keys have changed places: rows are the words that look, columns the words that are seen.",
    replace=("q @ k.mT", "k @ q.mT"),
)
misconception(
    "MultiHeadAttention",
    "The keys' matrix makes the values here; values have a matrix of their own, v_proj.",
    replace=("self.v_proj(context)", "self.k_proj(context)"),
)
misconception(
    "MultiHeadAttention",
    "The weights are averaged over the heads here; every head's own weights are wanted.",
    replace=("weights @ v)), weights", "weights @ v)), weights.mean(-3)"),
)
misconception(
    "MultiHeadAttention",
    "The scores are returned here in place of the weights.",
    replace=("weights @ v)), weights", "weights @ v)), scores"),
)
misconception(
    "MultiHeadAttention",
    "out_proj should have no bias with bias=False, like the other three.",
    replace=("self.out_proj = nn.Linear(d_model, d_model, bias=bias)", "self.out_proj = nn.Linear(d_model, d_model)"),
)
misconception("MultiHeadAttention", "`bias` is ignored here: no projection has a bias.", replace=("bias=bias)", "bias=False)"))
misconception(
    "MultiHeadAttention",
    "All heads share one narrow projection here; each head has its own part of a d_model × d_model matrix.",
    replace=(
        ("self.k_proj = nn.Linear(d_model, d_model, bias=bias)", "self.k_proj = nn.Linear(d_model, d_model // n_heads, bias=bias)"),
        ("split_heads(self.k_proj(context), self.n_heads)", "self.k_proj(context).unsqueeze(-3)"),
    ),
)
misconception(
    "MultiHeadAttention",
    "Only the output is returned; the weights of every head are wanted too.",
    replace=("return self.out_proj(merge_heads(weights @ v)), weights", "return self.out_proj(merge_heads(weights @ v))"),
)
misconception(
    "MultiHeadAttention",
    "The weights are cut off from the gradient here, so queries and keys learn nothing.",
    replace=("merge_heads(weights @ v)", "merge_heads(weights.detach() @ v)"),
)
misconception(
    "MultiHeadAttention",
    "The mask is changed in place; inputs stay as they are.",
    replace=(
        "context = x if context is None else context",
        "context = x if context is None else context\n"
        "        if mask is not None: mask &= mask.any(-1, keepdim=True) & (torch.arange(mask.shape[-1], device=mask.device) >= 1)",
    ),
)
misconception(
    "MultiHeadAttention",
    "A tensor is created in float32 whatever the inputs are.",
    replace=("scores.masked_fill(hidden, -torch.inf).softmax(dim=-1)", "scores.float().masked_fill(hidden, -torch.inf).softmax(dim=-1)"),
)
misconception(
    "MultiHeadAttention",
    "Part of the weights are dropped at random here; this layer has no dropout.",
    # seeded, so that the fingerprint is the same in every build
    replace=("merge_heads(weights @ v)", "merge_heads((torch.manual_seed(0), torch.dropout(weights, 0.1, True))[1] @ v)"),
)


misconception(
    "MultiHeadAttention",
    "PyTorch's attention is called here; this exercise is about writing it.",
    replace=(
        "merge_heads(weights @ v)",
        "merge_heads(F.scaled_dot_product_attention(q, k, v, None if mask is None else mask.unsqueeze(-3)))",
    ),
)
misconception(
    "MultiHeadAttention",
    "PyTorch's whole layer is called here; this exercise is about writing it.",
    replace=(
        "return self.out_proj(merge_heads(weights @ v)), weights",
        "torch.nn.MultiheadAttention(x.shape[-1], self.n_heads, device=x.device, dtype=x.dtype)(x, context, context)\n"
        "        return self.out_proj(merge_heads(weights @ v)), weights",
    ),
)


@variant("MultiHeadAttention")
class WithEinsum(nn.Module):
    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        refuse(n_heads, d_model)
        self.heads, self.size = n_heads, d_model // n_heads
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            self.add_module(name, nn.Linear(d_model, d_model, bias=bias))

    def forward(self, x, context=None, mask=None):
        source = context if context is not None else x
        q = self.q_proj(x).unflatten(-1, (self.heads, self.size))
        k = self.k_proj(source).unflatten(-1, (self.heads, self.size))
        v = self.v_proj(source).unflatten(-1, (self.heads, self.size))
        scores = torch.einsum("...ihd,...jhd->...hij", q * self.size**-0.5, k)
        if mask is not None:
            scores = torch.where(mask[..., None, :, :], scores, float("-inf"))
        weights = torch.nan_to_num(F.softmax(scores, dim=-1))
        return self.out_proj(torch.einsum("...hij,...jhd->...ihd", weights, v).flatten(-2)), weights


@variant("MultiHeadAttention")
class HeadByHead(nn.Module):
    def __init__(self, d_model, n_heads, bias=True):
        super().__init__()
        if d_model % n_heads:
            raise ValueError(f"d_model ({d_model}) is not a multiple of n_heads ({n_heads})")
        self.q_proj, self.k_proj, self.v_proj, self.out_proj = (nn.Linear(d_model, d_model, bias) for _ in range(4))
        self.n_heads = n_heads

    def one(self, q, k, v, mask):
        scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
        if mask is None:
            weights = scores.exp() / scores.exp().sum(-1, keepdim=True)
        else:
            top = scores.masked_fill(~mask, torch.finfo(scores.dtype).min).amax(-1, keepdim=True)
            shares = torch.exp((scores - top).masked_fill(~mask, -1e30)) * mask
            weights = shares / shares.sum(-1, keepdim=True).clamp(min=torch.finfo(scores.dtype).tiny)
        return weights @ v, weights

    def forward(self, x, context=None, mask=None):
        context = x if context is None else context
        parts = [p.chunk(self.n_heads, dim=-1) for p in (self.q_proj(x), self.k_proj(context), self.v_proj(context))]
        found = [self.one(q, k, v, mask) for q, k, v in zip(*parts)]
        return self.out_proj(torch.cat([f[0] for f in found], -1)), torch.stack([f[1] for f in found], dim=-3)


variant(
    "MultiHeadAttention",
    replace=(
        "weights = weights.masked_fill(hidden, 0.0)",
        "weights = torch.where(hidden.all(-1, keepdim=True), torch.zeros_like(weights), weights)",
    ),
)
variant(
    "MultiHeadAttention",
    replace=("scores = q @ k.mT / math.sqrt(q.shape[-1])", "scores = (q / q.shape[-1] ** 0.25) @ (k / q.shape[-1] ** 0.25).mT"),
)
variant(  # a row that sees nothing gives zero after the last matrix too
    "MultiHeadAttention",
    replace=(
        "return self.out_proj(merge_heads(weights @ v)), weights",
        "out = self.out_proj(merge_heads(weights @ v))\n"
        "        return (out if mask is None else out * mask.any(-1, keepdim=True)), weights",
    ),
)


# 4 · load_torch_weights

misconception(
    "load_torch_weights",
    "Queries and keys are taken in the wrong order: the packed weight holds queries, keys, values.",
    replace=("(module.q_proj, module.k_proj, module.v_proj)", "(module.k_proj, module.q_proj, module.v_proj)"),
)
misconception(
    "load_torch_weights",
    "Keys and values are taken in the wrong order: the packed weight holds queries, keys, values.",
    replace=("(module.q_proj, module.k_proj, module.v_proj)", "(module.q_proj, module.v_proj, module.k_proj)"),
)
misconception(
    "load_torch_weights",
    "The matrices are transposed here; nn.Linear and the packed weight both store (out, in).",
    replace=("layer.weight.copy_(weight)", "layer.weight.copy_(weight.mT)"),
)
misconception(
    "load_torch_weights",
    "The biases were left as they were; copy them too.",
    replace=("if reference.in_proj_bias is not None:", "if False:"),
)
misconception(
    "load_torch_weights",
    "out_proj was left as it was; copy its weight and bias too.",
    replace=(
        ("zip((*inputs, module.out_proj), (*weights, reference.out_proj.weight))", "zip(inputs, weights)"),
        ("zip((*inputs, module.out_proj), (*biases, reference.out_proj.bias))", "zip(inputs, biases)"),
    ),
)
misconception(
    "load_torch_weights",
    "The bias of out_proj was left as it was.",
    replace=("zip((*inputs, module.out_proj), (*biases, reference.out_proj.bias))", "zip(inputs, biases)"),
)
misconception(
    "load_torch_weights",
    "The packed rows are dealt out in turn here; they lie in three blocks, one after the other.",
    replace=("reference.in_proj_weight.split(d_model)", "reference.in_proj_weight.unflatten(0, (d_model, 3)).unbind(1)"),
)
misconception(
    "load_torch_weights",
    "PyTorch's own memory is used here instead of a copy: training one layer would change the other.",
    replace=("layer.weight.copy_(weight)", "layer.weight.data = weight.data"),
)
misconception(
    "load_torch_weights",
    "After loading, the weights can no longer be trained.",
    replace=("layer.weight.copy_(weight)", "layer.weight.copy_(weight).requires_grad_(False)"),
)
misconception(
    "load_torch_weights",
    "A reference without bias has None for its biases; that case must be handled.",
    replace=("if reference.in_proj_bias is not None:", "if True:"),
)


@variant("load_torch_weights")
def load_by_state_dict(module, reference):
    known = reference.state_dict()
    d = known["out_proj.weight"].shape[0]
    renamed = {}
    for kind in ("weight", "bias"):
        if f"in_proj_{kind}" in known:
            for i, name in enumerate(("q_proj", "k_proj", "v_proj")):
                renamed[f"{name}.{kind}"] = known[f"in_proj_{kind}"][i * d : (i + 1) * d]
            renamed[f"out_proj.{kind}"] = known[f"out_proj.{kind}"]
    module.load_state_dict(renamed)


@variant("load_torch_weights")
def load_new_parameters(module, reference):
    for layer, weight in zip((module.q_proj, module.k_proj, module.v_proj), reference.in_proj_weight.chunk(3)):
        layer.weight = nn.Parameter(weight.detach().clone())
    module.out_proj.weight = nn.Parameter(reference.out_proj.weight.detach().clone())
    if reference.in_proj_bias is not None:
        for layer, bias in zip((module.q_proj, module.k_proj, module.v_proj), reference.in_proj_bias.chunk(3)):
            layer.bias = nn.Parameter(bias.detach().clone())
        module.out_proj.bias = nn.Parameter(reference.out_proj.bias.detach().clone())


# 5 · head_entropy


@misconception("head_entropy", "This is NaN where a weight is exactly 0: in floating point 0 · log 0 is 0 · −∞. It should add nothing.")
def entropy_with_nan(weights):
    return -(weights * weights.log()).sum(-1).mean(-1)


@misconception("head_entropy", "This is the entropy in bits (log₂); nats use the natural logarithm.")
def entropy_in_bits(weights):
    return torch.special.entr(weights).sum(-1).mean(-1) / math.log(2)


@misconception("head_entropy", "The sign is wrong: an entropy is never negative.")
def entropy_negative(weights):
    return -torch.special.entr(weights).sum(-1).mean(-1)


@misconception("head_entropy", "The rows' entropies are summed here; their mean is wanted.")
def entropy_summed(weights):
    return torch.special.entr(weights).sum(-1).sum(-1)


@misconception("head_entropy", "The mean over the words of a row is taken here; an entropy is the sum over a row.")
def entropy_averaged_twice(weights):
    return torch.special.entr(weights).mean((-2, -1))


@misconception("head_entropy", "This is the entropy of the mean row; the mean of the rows' entropies is wanted.")
def entropy_of_the_mean(weights):
    return torch.special.entr(weights.mean(-2)).sum(-1)


@misconception("head_entropy", "The mean is taken over the heads here; each head has an entropy of its own.")
def entropy_over_heads(weights):
    return torch.special.entr(weights).sum(-1).mean(-2)


@misconception("head_entropy", "The sentences of a batch are averaged here; each keeps its own entropies: (..., n_heads).")
def entropy_over_batch(weights):
    found = torch.special.entr(weights).sum(-1).mean(-1)
    return found.mean(tuple(range(found.ndim - 1))) if found.ndim > 1 else found


@misconception("head_entropy", "The rows' entropies are not averaged here: (..., n_heads) is wanted.")
def entropy_of_each_row(weights):
    return torch.special.entr(weights).sum(-1)


@misconception("head_entropy", "The entropy is taken down the columns; the rows are what sums to one.")
def entropy_of_columns(weights):
    return torch.special.entr(weights).sum(-2).mean(-1)


@misconception("head_entropy", "A softmax is applied to what is a softmax already.")
def entropy_after_softmax(weights):
    return torch.special.entr(weights.softmax(-1)).sum(-1).mean(-1)


@misconception("head_entropy", "The small number added inside the logarithm is so large that it changes the result.")
def entropy_with_large_epsilon(weights):
    return -(weights * (weights + 1e-2).log()).sum(-1).mean(-1)


@misconception("head_entropy", "The result is cut off from the gradient.")
def entropy_detached(weights):
    return torch.special.entr(weights.detach()).sum(-1).mean(-1)


@misconception("head_entropy", "The value is right, but its gradient is NaN where a weight is 0.")
def entropy_with_xlogy(weights):
    return -torch.xlogy(weights, weights).sum(dim=-1).mean(dim=-1)


@variant("head_entropy")
def entropy_with_clamp(weights):
    return -(weights * weights.clamp(min=1e-12).log()).sum(-1).mean(-1)


@misconception("head_entropy", "The value is right, but its gradient is NaN where a weight is 0.")
def entropy_with_nan_to_num(weights):
    return -(weights * weights.log()).nan_to_num(0.0).sum(-1).mean(-1)


# 6 · mask_heads


@misconception("mask_heads", "keep is lined up with the words here (the last dimension); the heads stand third from the right.")
def silence_words(weights, keep):
    return weights * (keep if weights.shape[-1] == len(keep) else keep[:, None, None])


@misconception("mask_heads", "keep is lined up with the rows here (the second dimension from the right); the heads stand third.")
def silence_rows(weights, keep):
    return weights * (keep[:, None] if weights.shape[-2] == len(keep) else keep[:, None, None])


@misconception("mask_heads", "The wrong heads fall silent: keep is True where a head stays.")
def silence_the_kept(weights, keep):
    return weights * ~keep[:, None, None]


@misconception("mask_heads", "The heads are taken out here; they should stay in place, with zeros.")
def remove_heads(weights, keep):
    return weights[..., keep, :, :]


@misconception("mask_heads", "The weights are changed in place; make a new tensor.")
def silence_in_place(weights, keep):
    weights[..., ~keep, :, :] = 0.0
    return weights


@misconception("mask_heads", "The kept heads are made larger here to make up for the silent ones; they stay as they are.")
def silence_and_rescale(weights, keep):
    return weights * keep[:, None, None] * len(keep) / keep.sum().clamp(min=1)


@misconception("mask_heads", "A silent head's weights are spread evenly here; they should be zero.")
def silence_evenly(weights, keep):
    return weights.where(keep[:, None, None], torch.full_like(weights, 1 / weights.shape[-1]))


@misconception(
    "mask_heads", "The heads are taken to be dimension 1 from the left, which is right with one batch dimension only; count from the right."
)
def silence_dimension_one(weights, keep):
    shape = [1] * weights.ndim
    shape[1] = len(keep)
    return weights * keep.reshape(shape) if weights.shape[1] == len(keep) else weights * keep[:, None, None]


@variant("mask_heads")
def silence_with_where(weights, keep):
    return torch.where(keep.reshape(-1, 1, 1), weights, torch.zeros_like(weights))


@variant("mask_heads")
def silence_a_copy(weights, keep):
    silenced = weights.clone()
    silenced[..., ~keep, :, :] = 0
    return silenced


@variant("mask_heads")
def silence_with_einsum(weights, keep):
    return torch.einsum("...hij,h->...hij", weights, keep.to(weights.dtype))


# 7 · KeyValueCache

misconception(
    "KeyValueCache",
    "append gives back only what was appended last; everything so far is wanted.",
    replace=("return self.k, self.v", "return k, v"),
)
misconception(
    "KeyValueCache",
    "The new positions are put in front of the old ones; oldest first is wanted.",
    replace=(
        ("torch.cat([self.k, k], dim=-2)", "torch.cat([k, self.k], dim=-2)"),
        ("torch.cat([self.v, v], dim=-2)", "torch.cat([v, self.v], dim=-2)"),
    ),
)
misconception(
    "KeyValueCache", "The cache grows along the heads (dim=-3); it should grow along the time, dim=-2.", replace=("dim=-2", "dim=-3")
)
misconception(
    "KeyValueCache", "The cache grows along a head's width (dim=-1); it should grow along the time, dim=-2.", replace=("dim=-2", "dim=-1")
)
misconception(
    "KeyValueCache", "The cache grows along the first dimension; it should grow along the time, dim=-2.", replace=("dim=-2", "dim=0")
)
misconception(
    "KeyValueCache",
    "The cache grows along dim=2, which is the time with one batch dimension only; count from the right.",
    replace=("dim=-2", "dim=2"),
)
misconception(
    "KeyValueCache",
    "Keys and values have changed places in what append returns.",
    replace=("return self.k, self.v", "return self.v, self.k"),
)
misconception(
    "KeyValueCache",
    "The old values are lost: only the keys are kept.",
    replace=("self.v = v if self.v is None else torch.cat([self.v, v], dim=-2)", "self.v = v"),
)
misconception(
    "KeyValueCache",
    "The keys are kept twice, in place of the values.",
    replace=("torch.cat([self.v, v], dim=-2)", "torch.cat([self.v, k], dim=-2)"),
)
misconception(
    "KeyValueCache",
    "The gradient is cut off from what is kept.",
    replace=("return self.k, self.v", "return self.k.detach(), self.v.detach()"),
)
misconception(
    "KeyValueCache", "length is the size of another dimension, not of the time.", replace=("self.k.shape[-2]", "self.k.shape[-3]")
)
misconception("KeyValueCache", "length is wanted as a property: cache.length, without parentheses.", replace=("    @property\n", ""))
misconception(
    "KeyValueCache",
    "An empty cache has no length here; it is 0.",
    replace=("0 if self.k is None else self.k.shape[-2]", "self.k.shape[-2]"),
)


@misconception("KeyValueCache", "length counts the calls of append; it should count the positions.")
class CountsCalls:
    def __init__(self):
        self.parts, self.length = [], 0

    def append(self, k, v):
        self.parts.append((k, v))
        self.length += 1
        return torch.cat([p[0] for p in self.parts], dim=-2), torch.cat([p[1] for p in self.parts], dim=-2)


@misconception("KeyValueCache", "All caches share one memory here: what belongs to one cache must be set in __init__ on self.")
class SharesMemory:
    parts = []

    def append(self, k, v):
        self.parts.append((k, v))
        return torch.cat([p[0] for p in self.parts], dim=-2), torch.cat([p[1] for p in self.parts], dim=-2)

    @property
    def length(self):
        return sum(p[0].shape[-2] for p in self.parts)


@variant("KeyValueCache")
class ListOfParts:
    def __init__(self):
        self.keys, self.values = [], []

    def append(self, k, v):
        self.keys.append(k)
        self.values.append(v)
        return torch.cat(self.keys, dim=-2), torch.cat(self.values, dim=-2)

    @property
    def length(self):
        return sum(k.size(-2) for k in self.keys)


@variant("KeyValueCache")
class GrowingBuffer:
    """Room for twice as much whenever it runs out."""

    def __init__(self):
        self.used, self.room = 0, None

    def append(self, k, v):
        start, self.used = self.used, self.used + k.shape[-2]
        if self.room is None or self.used > self.room[0].shape[-2]:
            old = None if self.room is None else [r[..., :start, :] for r in self.room]
            self.room = [x.new_zeros(*x.shape[:-2], 2 * self.used, x.shape[-1]) for x in (k, v)]
            if old is not None:
                for room, part in zip(self.room, old):
                    room[..., :start, :] = part
        for room, part in zip(self.room, (k, v)):
            room[..., start : self.used, :] = part
        return tuple(room[..., : self.used, :] for room in self.room)

    @property
    def length(self):
        return self.used


# 8 · attention_cost


def cost(parameters, multiply_adds, score_entries):
    return {"parameters": parameters, "multiply_adds": multiply_adds, "score_entries": score_entries}


@misconception("attention_cost", "A multiply-add is one operation here; these counts are twice as large.")
def cost_in_flops(n, d, h):
    return cost(4 * d * d, 8 * n * d * d + 4 * n * n * d, h * n * n)


@misconception("attention_cost", "The output projection is missing: there are four projections.")
def cost_of_three_projections(n, d, h):
    return cost(3 * d * d, 3 * n * d * d + 2 * n * n * d, h * n * n)


@misconception("attention_cost", "The weighted sum of the values is missing: it costs as much as the scores.")
def cost_without_the_sum(n, d, h):
    return cost(4 * d * d, 4 * n * d * d + n * n * d, h * n * n)


@misconception("attention_cost", "The projections are missing from the multiply-adds.")
def cost_without_projections(n, d, h):
    return cost(4 * d * d, 2 * n * n * d, h * n * n)


@misconception("attention_cost", "Each head is counted with the full width; a head's vectors have d_model // n_heads numbers.")
def cost_of_wide_heads(n, d, h):
    return cost(4 * d * d, 4 * n * d * d + 2 * n * n * d * h, h * n * n)


@misconception("attention_cost", "Only one head's products are counted.")
def cost_of_one_head(n, d, h):
    return cost(4 * d * d, 4 * n * d * d + 2 * n * n * (d // h), h * n * n)


@misconception("attention_cost", "The score entries of one head are given; those of all heads are wanted.")
def cost_scores_of_one_head(n, d, h):
    return cost(4 * d * d, 4 * n * d * d + 2 * n * n * d, n * n)


@misconception("attention_cost", "Biases are counted here; the projections are to be counted without.")
def cost_with_bias(n, d, h):
    return cost(4 * d * (d + 1), 4 * n * d * d + 2 * n * n * d, h * n * n)


@misconception("attention_cost", "The projections are counted for one word only; every word goes through them.")
def cost_of_one_word(n, d, h):
    return cost(4 * d * d, 4 * d * d + 2 * n * n * d, h * n * n)


@misconception("attention_cost", "The softmax is counted too; only projections, scores and weighted sums are.")
def cost_with_softmax(n, d, h):
    return cost(4 * d * d, 4 * n * d * d + 2 * n * n * d + h * n * n, h * n * n)


@variant("attention_cost")
def cost_product_by_product(n, d, h):
    products = [(n, d, d)] * 4 + [(n, d // h, n), (n, n, d // h)] * h
    return dict(score_entries=n**2 * h, multiply_adds=sum(math.prod(p) for p in products), parameters=sum(d * d for _ in "qkvo"))


@variant("attention_cost")
def cost_in_floats(n, d, h):
    return cost(4.0 * d**2, 4.0 * n * d**2 + 2.0 * n**2 * h * (d / h), float(h * n**2))


# Stretch · grouped_query_attention

misconception(
    "grouped_query_attention",
    "The query heads take turns here; neighbouring heads share keys and values.",
    replace=("x.repeat_interleave(n_heads // n_kv_heads, dim=-3)", "torch.cat([x] * (n_heads // n_kv_heads), dim=-3)"),
)
misconception(
    "grouped_query_attention", "The mask (batch, T_q, T_k) is lined up with the heads here.", replace=("~mask.unsqueeze(-3)", "~mask")
)
misconception(
    "grouped_query_attention", "This is what you get when the scores are not divided by √d_head.", replace=(" / math.sqrt(q.shape[-1])", "")
)
misconception(
    "grouped_query_attention",
    "Heads that do not divide must be a ValueError that names n_kv_heads.",
    replace=("if n_heads % n_kv_heads:", "if False:"),
)
misconception(
    "grouped_query_attention",
    "The keys are shared by neighbouring heads here, but the values in turns.",
    replace=(
        "k, v = (x.repeat_interleave(n_heads // n_kv_heads, dim=-3) for x in (k, v))",
        "k, v = k.repeat_interleave(n_heads // n_kv_heads, dim=-3), torch.cat([v] * (n_heads // n_kv_heads), dim=-3)",
    ),
)
misconception(
    "grouped_query_attention",
    "Only the first head of keys and values is used: that is attention with one of them for all.",
    replace=("x.repeat_interleave(n_heads // n_kv_heads, dim=-3)", "x[..., :1, :, :].expand(*x.shape[:-3], n_heads, *x.shape[-2:])"),
)
misconception("grouped_query_attention", "The mask is not used.", replace=("if mask is None:", "if True:"))
misconception(
    "grouped_query_attention",
    "The mask is turned round: True means that a query may see a key.",
    replace=("hidden = ~mask.unsqueeze(-3)", "hidden = mask.unsqueeze(-3)"),
)
misconception(
    "grouped_query_attention",
    "The scores are divided by the width of a head: by its root.",
    replace=("/ math.sqrt(q.shape[-1])", "/ q.shape[-1]"),
)
misconception(
    "grouped_query_attention", "The softmax runs over the queries: it runs over the keys.", replace=("softmax(dim=-1)", "softmax(dim=-2)")
)
misconception(
    "grouped_query_attention",
    "The query heads of a group are averaged: every query head has an output of its own.",
    replace=(
        "return weights @ v, weights",
        "mean = (weights @ v).unflatten(-3, (n_kv_heads, -1)).mean(-3)\n    return mean, weights",
    ),
)


@variant("grouped_query_attention")
def with_groups_as_a_dimension(q, k, v, mask=None):
    if q.shape[-3] % k.shape[-3]:
        raise ValueError(f"n_kv_heads {k.shape[-3]}")
    grouped = q.unflatten(-3, (k.shape[-3], -1))
    scores = grouped @ k.unsqueeze(-3).mT / q.shape[-1] ** 0.5
    if mask is not None:
        scores = scores.masked_fill(~mask[..., None, None, :, :], -torch.inf)
    weights = scores.softmax(-1).nan_to_num(0.0)
    return (weights @ v.unsqueeze(-3)).flatten(-4, -3), weights.flatten(-4, -3)


# Precision, gradients, promised errors, memory

F32 = "float64 in, float64 out, but computed in float32 on the way: digits are lost."
LOGS = "logs = weights.where(weights > 0, 1.0).log()\n    return -(weights * logs)"
misconception("head_entropy", F32, replace=("-(weights * logs)", "-(weights.float() * logs.float()).to(weights.dtype)"))
misconception("mask_heads", F32, replace=("weights * keep[:, None, None]", "(weights.float() * keep[:, None, None]).to(weights.dtype)"))
PATCHED = "0 · log 0 is replaced after it has become NaN: the value is right, the gradient stays NaN."
misconception("head_entropy", PATCHED, replace=(LOGS, "return -(weights * weights.log()).nan_to_num(0.0)"))
misconception(
    "head_entropy", PATCHED, replace=(LOGS, "return -torch.where(weights > 0, weights * weights.log(), torch.zeros_like(weights))")
)
misconception(
    "MultiHeadAttention",
    "Heads that do not divide the width must be a ValueError when the layer is made, not when words go through it.",
    replace=("if n_heads < 1 or d_model % n_heads:", "if n_heads < 1:"),
)
misconception(
    "KeyValueCache",
    "Only the newest 64 positions are kept: the cache holds all of them.",
    replace=(
        ("torch.cat([self.k, k], dim=-2)", "torch.cat([self.k, k], dim=-2)[..., -64:, :]"),
        ("torch.cat([self.v, v], dim=-2)", "torch.cat([self.v, v], dim=-2)[..., -64:, :]"),
    ),
)


# From public code and its issue trackers


misconception(
    "MultiHeadAttention",
    "The layer is causal where no mask is given; without a mask every word sees all words.",
    replace=(
        "weights = scores.softmax(dim=-1)\n        else",
        "weights = (scores + torch.full_like(scores, -torch.inf).triu(1)).softmax(dim=-1)\n        else",
    ),
)
misconception(
    "MultiHeadAttention",
    "The weights that are returned do not know the mask: they are taken from the unmasked scores.",
    replace=("merge_heads(weights @ v)), weights", "merge_heads(weights @ v)), scores.softmax(dim=-1)"),
)
