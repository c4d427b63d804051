"""What the public checks of lesson 04 expect: PyTorch's layers, its categorical distribution, and the counts of its own operations."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from autograde import layout

packed = layout.load_module(layout.checks_path("04_multi_head_attention"), "checks_of_04_multi_head_attention").packed


def piecewise(x, n_heads):
    """Head h, position t, number c is entry t·d_model + h·d_head + c of x laid out flat: index by index, for any batch."""
    t, d = x.shape[-2:]
    size = d // n_heads
    index = [[[i * d + h * size + c for c in range(size)] for i in range(t)] for h in range(n_heads)]
    return x.flatten(-2)[..., torch.tensor(index, dtype=torch.long, device=x.device)]


def torch_layer(weights, n_heads, x, context=None, mask=None):
    """Output and weights of nn.MultiheadAttention, differentiable in everything, for any batch dimensions."""
    context = x if context is None else context
    d, (t_q, t_k), batch = x.shape[-1], (x.shape[-2], context.shape[-2]), x.shape[:-2]
    names = packed(weights)
    layer = nn.MultiheadAttention(d, n_heads, bias="in_proj_bias" in names, batch_first=True, dtype=x.dtype, device="meta")
    flat_x, flat_context = x.reshape(-1, t_q, d), context.reshape(-1, t_k, d)
    if mask is not None:
        mask = ~mask.expand(*batch, t_q, t_k).reshape(-1, t_q, t_k).repeat_interleave(n_heads, dim=0)
    options = {"attn_mask": mask, "average_attn_weights": False}
    output, found = torch.func.functional_call(layer, names, (flat_x, flat_context, flat_context), options)
    return output.reshape(*batch, t_q, d), found.reshape(*batch, n_heads, t_q, t_k)


def three_heads(weights, x):
    return torch_layer(weights, 3, x)


def entropies(weights):
    """Mean entropy of a head's rows, from PyTorch's categorical distribution."""
    return torch.distributions.Categorical(probs=weights, validate_args=False).entropy().mean(-1)


def entropy_sums(weights):
    """The same from PyTorch's entr, whose gradient is finite."""
    return torch.special.entr(weights).sum(-1).mean(-1)


def silenced(weights, keep):
    """keep as a diagonal matrix over the heads."""
    return torch.einsum("gh,...hij->...gij", torch.diag(keep.to(weights)), weights)


def counted(n_positions, d_model, n_heads):
    """What PyTorch's own layer has and does: its parameters, half of its floating-point operations (one multiply, one add), its weights."""
    with torch.device("meta"):
        layer, x = nn.MultiheadAttention(d_model, n_heads, bias=False, batch_first=True), torch.empty(1, n_positions, d_model)
    with FlopCounterMode(display=False) as flops:
        _, weights = layer(x, x, x, average_attn_weights=False)
    return {
        "parameters": sum(p.numel() for p in layer.parameters()),
        "multiply_adds": flops.get_total_flops() // 2,
        "score_entries": weights.numel(),
    }


def grouped(q, k, v, mask=None):
    """PyTorch's own grouped attention; its weights are its output for values that are the identity."""
    eye = torch.eye(k.shape[-2], dtype=k.dtype).expand(*k.shape[:-2], -1, -1)
    mask = None if mask is None else mask.unsqueeze(-3)
    return tuple(F.scaled_dot_product_attention(q, k, values, attn_mask=mask, enable_gqa=True) for values in (v, eye))
