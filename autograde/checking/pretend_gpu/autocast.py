"""Autocast of the pretend GPU: real casts, by the lists of CUDA (`ATen/autocast_mode.h`), so that dtypes are a GPU's.

Matrix products run in the lower precision, what needs range or precision in float32, and where two precisions meet the wider one wins.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch._C import DispatchKey, DispatchKeySet, _ExcludeDispatchKeyGuard
from torch._ops import OpOverload
from torch.utils._pytree import tree_leaves, tree_map

from autograde.checking.pretend_gpu.memory import NAME, is_on_gpu
from autograde.checking.pretend_gpu.schema import call, form

LOWER_PRECISION = (
    "_convolution conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d.input conv_transpose3d.input convolution prelu addmm addmv "
    "addr matmul einsum mm mv linalg_vecdot linear addbmm baddbmm bmm chain_matmul linalg_multi_dot _thnn_fused_lstm_cell "
    "_thnn_fused_gru_cell lstm_cell gru_cell rnn_tanh_cell rnn_relu_cell _scaled_dot_product_flash_attention scaled_dot_product_attention"
).split()
FLOAT32 = (
    "acos asin cosh erfinv exp expm1 log log10 log2 log1p reciprocal rsqrt sinh tan pow.Tensor_Scalar pow.Tensor_Tensor pow.Scalar softplus "
    "layer_norm native_layer_norm rms_norm group_norm frobenius_norm.dim nuclear_norm nuclear_norm.dim cosine_similarity poisson_nll_loss "
    "cosine_embedding_loss nll_loss nll_loss2d hinge_embedding_loss kl_div l1_loss smooth_l1_loss huber_loss mse_loss margin_ranking_loss "
    "multilabel_margin_loss soft_margin_loss triplet_margin_loss multi_margin_loss binary_cross_entropy_with_logits dist pdist cdist renorm "
    "logsumexp"
).split()
FLOAT32_RESULT = (
    "prod prod.dim_int softmax.int log_softmax.int cumprod cumsum linalg_vector_norm linalg_matrix_norm linalg_matrix_norm.str_ord sum "
    "sum.dim_IntList"
).split()
WIDEST = "addcdiv addcmul atan2 bilinear cross dot vdot grid_sampler index_put tensordot scatter_add cat stack".split()


def cast(dtype: torch.dtype) -> Callable[[Any], Any]:
    """Casts tensors of the device to `dtype`; float64 and integers stay."""
    return lambda x: x.to(dtype) if _eligible(x) else x


def _eligible(x: Any) -> bool:
    return is_on_gpu(x) and x.is_floating_point() and x.dtype != torch.float64


def lower_precision(op: Callable, args: tuple, kwargs: dict) -> Any:
    return _with(op, cast(torch.get_autocast_dtype(NAME)), args, kwargs)


def float32(op: Callable, args: tuple, kwargs: dict) -> Any:
    return _with(op, cast(torch.float32), args, kwargs)


def float32_result(op: OpOverload, args: tuple, kwargs: dict) -> Any:
    """Sums and the like: half precision in, float32 out, unless the caller names a dtype."""
    named = form(op).named(args, kwargs)
    first = next((x for x in tree_leaves(args) if isinstance(x, torch.Tensor)), None)
    if named.get("dtype") is None and _eligible(first):
        named["dtype"] = torch.float32
    return call(op, named)


def widest(op: Callable, args: tuple, kwargs: dict) -> Any:
    found = {x.dtype for x in tree_leaves((args, kwargs)) if _eligible(x)}
    dtype = torch.float32 if torch.float32 in found or len(found) > 1 else next(iter(found), torch.float32)
    return _with(op, cast(dtype), args, kwargs)


def _with(op: Callable, change: Callable[[Any], Any], args: tuple, kwargs: dict) -> Any:
    return op(*tree_map(change, args), **tree_map(change, kwargs))


def _kernel(op: Callable, policy: Callable) -> Callable:
    below = DispatchKeySet(DispatchKey.AutocastPrivateUse1)  # type: ignore[attr-defined]  # PyTorch's stubs leave it out

    def run(*args: Any, **kwargs: Any) -> Any:
        with _ExcludeDispatchKeyGuard(below):
            return policy(op, args, kwargs)

    return run


def register() -> list[torch.library.Library]:
    """Tell PyTorch; what is returned has to stay alive."""
    rest = torch.library.Library("_", "IMPL", "AutocastPrivateUse1")
    rest.fallback(torch.library.fallthrough_kernel)
    aten = torch.library.Library("aten", "IMPL", "AutocastPrivateUse1")
    policies = ((LOWER_PRECISION, lower_precision), (FLOAT32, float32), (FLOAT32_RESULT, float32_result), (WIDEST, widest))
    for names, policy in policies:
        for name in names:
            packet, _, overload = name.partition(".")
            op = getattr(getattr(torch.ops.aten, packet), overload or "default")
            aten.impl(name, _kernel(op, policy))
    return [rest, aten]
