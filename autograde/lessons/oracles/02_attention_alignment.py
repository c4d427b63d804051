"""What the public checks of lesson 02 expect: PyTorch's own functions, and the papers' sums written out position by position."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def softmax(scores, mask=None):
    """PyTorch's softmax over the source; a row without any allowed position is zero, and so is its gradient."""
    if mask is None:
        return F.softmax(scores, dim=-1)
    mask = mask.expand_as(scores)
    hidden = scores.masked_fill(~mask & mask.any(-1, keepdim=True), -math.inf)
    return F.softmax(hidden, dim=-1) * mask


def mix(weights, h):
    return torch.einsum("...n,...nd->...d", weights, h)


def additive(s, h, w_a, v_a):
    """Bahdanau et al. (2015), one source position after the other."""
    rows = [F.linear(torch.tanh(F.linear(torch.cat([s, h_i], dim=-1), w_a)), v_a[None])[..., 0] for h_i in h.unbind(-2)]
    return torch.stack(rows, dim=-1)


def cosine(s, h):
    return torch.stack([F.cosine_similarity(s, h_i, dim=-1) for h_i in h.unbind(-2)], dim=-1)


def general(s, h, w_a):
    return torch.stack([F.bilinear(s.contiguous(), h_i.contiguous(), w_a[None])[..., 0] for h_i in h.unbind(-2)], dim=-1)


def dot(s, h):
    return torch.stack([torch.linalg.vecdot(s, h_i) for h_i in h.unbind(-2)], dim=-1)


def scaled_dot(s, h):
    return dot(s, h) / math.sqrt(h.shape[-1])


def location(s, w_a):
    return F.linear(s, w_a)


def place(s, w_p, v_p, lengths):
    return lengths * torch.sigmoid(F.linear(torch.tanh(F.linear(s, w_p)), v_p[None])[..., 0])


def local(scores, position, half_width, mask=None):
    """Luong et al. (2015), equations 7 to 10."""
    places = torch.arange(scores.shape[-1], dtype=scores.dtype)
    distance = places - position[..., None]
    window = (distance >= -half_width) & (distance <= half_width)
    if mask is not None:
        window = window & mask
    return softmax(scores, window) * torch.exp(-((distance / half_width) ** 2) * 2)  # σ = D/2, so 2σ² = D²/2


def attend(weights, s, h, mask=None):
    """(context, weights) of additive attention with the parameters `weights`."""
    found = softmax(additive(s, h, weights["w_a"], weights["v_a"]), mask)
    return mix(found, h), found


def decode(weights, embedding, state, h, mask=None):
    """(new state, weights) of the decoder cell, with PyTorch's GRUCell."""
    context, found = attend({name[10:]: w for name, w in weights.items() if name.startswith("attention.")}, state, h, mask)
    gru = nn.GRUCell(embedding.shape[-1] + context.shape[-1], state.shape[-1]).to(state.dtype)
    parameters = {name[4:]: w for name, w in weights.items() if name.startswith("rnn.")}
    return torch.func.functional_call(gru, parameters, (torch.cat([embedding, context], dim=-1), state)), found


def monotonic(scores, half_width):
    """Step t looks around position t (Luong et al. 2015, local-m)."""
    rows = []
    for t, row in enumerate(scores.unbind(-2)):
        near = torch.tensor([abs(i - t) <= half_width for i in range(row.shape[-1])])
        rows.append(softmax(row, near))
    return torch.stack(rows, dim=-2)
