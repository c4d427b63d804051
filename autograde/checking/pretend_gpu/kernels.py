"""Operations of the pretend GPU: check the rules, compute on the CPU over the same memory, give back what CUDA would.

One fallback serves every operation that PyTorch does not compose of others. The few below it are about memory, not about numbers:
views, copies between devices, resizing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import torch
from torch._C import DispatchKey
from torch._ops import OpOverload

from autograde.checking.pretend_gpu import generators, rules
from autograde.checking.pretend_gpu.card import BACKEND
from autograde.checking.pretend_gpu.memory import NAME, is_on_gpu, on_cpu, on_gpu
from autograde.checking.pretend_gpu.schema import Form, call, form, tensors_in

RESIZING = ("mse_loss", "smooth_l1_loss")  # they put all losses where their mean is to be, which the memory of the device does not allow


def fallback(op: OpOverload, *args: Any, **kwargs: Any) -> Any:
    """Any operation: refuse what CUDA refuses, else compute on the CPU."""
    about = form(op)
    if about.is_view:  # nothing is computed: PyTorch's own code for the CPU keeps the device of the storage
        return op._op_dk(DispatchKey.CPU, *args, **kwargs)
    named = about.named(args, kwargs)
    tensors = tensors_in(named.values())
    rules.refuse(about, tensors, [named[name] for name in about.written if isinstance(named[name], torch.Tensor)])
    if about.name in ("index_put_", "index_put", "_index_put_impl_"):
        rules.values_to_put(named["self"], named["values"])
    if rules.waits(about, tensors):
        BACKEND.host_waits(about.name)
    return _computed(op, about, named)


def _computed(op: OpOverload, about: Form, named: dict[str, Any]) -> Any:
    with ExitStack() as stack:
        inner = {name: _inside(value) for name, value in named.items()}
        if "device" in inner:
            inner |= {"device": torch.device("cpu"), "pin_memory": False}
            inner = {name: value for name, value in inner.items() if name in about.arguments}
        if about.takes_generator:
            given = inner.get("generator")
            rules.generator(given)
            inner["generator"] = BACKEND.generator if given is None else stack.enter_context(generators.as_cpu(given))
        elif about.is_random:
            stack.enter_context(generators.as_default(BACKEND.generator))
        if about.name in RESIZING and "out" in inner:
            inner.pop("out").copy_(call(getattr(torch.ops.aten, about.name).default, inner))
            return named["out"]
        resized = _to_be_resized(about, named, inner)
        out = call(op, inner)
    for name in resized:
        torch.ops.aten.set_.source_Tensor._op_dk(DispatchKey.CPU, named[name], on_gpu(inner[name]))
    return _results(about, named, out)


def _to_be_resized(about: Form, named: dict[str, Any], inner: dict[str, Any]) -> list[str]:
    """Empty tensors that an operation fills (`out=`): it gets one that it may resize, whose memory is then handed over."""
    names = [n for n in about.written if n not in about.positional and is_on_gpu(named.get(n)) and named[n].numel() == 0]
    for name in names:
        inner[name] = torch.empty_like(inner[name])
    return names


def _inside(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return on_cpu(value) if is_on_gpu(value) else value
    return [_inside(v) for v in value] if type(value) in (list, tuple) else value


def _results(about: Form, named: dict[str, Any], out: Any) -> Any:
    if len(about.returned) == 1:
        return named[about.returned[0]] if about.returned[0] else _outside(out)
    if isinstance(out, tuple):
        return tuple(named[name] if name else _outside(o) for name, o in zip(about.returned, out))
    return out


def _outside(value: Any) -> Any:
    if isinstance(value, torch.Tensor):
        return on_gpu(value)
    return type(value)(_outside(v) for v in value) if type(value) in (list, tuple) else value


def copy_from(source: torch.Tensor, target: torch.Tensor, non_blocking: bool = False) -> torch.Tensor:
    """`target.copy_(source)` between any two devices. A copy to the CPU that does not block arrives when the host next waits."""
    inner_source, inner_target = _inside(source), _inside(target)
    if source.device == target.device:
        inner_target.copy_(inner_source)
    elif non_blocking and not is_on_gpu(target):
        BACKEND.arrives_later(inner_target, inner_source.clone())
    else:
        if not non_blocking:
            BACKEND.host_waits("copy_")
        inner_target.copy_(inner_source)
    return target


def to_copy(
    x: torch.Tensor,
    *,
    dtype: torch.dtype | None = None,
    layout: torch.layout | None = None,
    device: torch.device | None = None,
    pin_memory: bool | None = None,
    non_blocking: bool = False,
    memory_format: torch.memory_format | None = None,
) -> torch.Tensor:
    """`x.to(…)` to, from or on the device. What has not arrived yet is zeros."""
    target = torch.zeros_like(_inside(x), dtype=dtype, memory_format=memory_format or torch.preserve_format)
    on_device = (x.device if device is None else device).type == NAME
    return copy_from(x, on_gpu(target) if on_device else target, non_blocking)


def resize(x: torch.Tensor, size: list[int], memory_format: torch.memory_format | None = None) -> torch.Tensor:
    """`x.resize_(size)`: the first elements stay; new memory only where the old is too small."""
    strides = torch.empty(size, device="meta").stride()
    count = torch.Size(size).numel()
    if (count + x.storage_offset()) * x.element_size() <= x.untyped_storage().nbytes():
        place = (x.untyped_storage(), x.storage_offset(), size, strides)
    else:
        fresh = torch.empty(count, dtype=x.dtype)
        kept = on_cpu(x).reshape(-1)[:count]
        fresh[: len(kept)] = kept
        place = (on_gpu(fresh).untyped_storage(), 0, size, strides)
    return torch.ops.aten.set_.source_Storage_storage_offset._op_dk(DispatchKey.CPU, x, *place)


def set_source(op: OpOverload) -> Callable[..., torch.Tensor]:
    return lambda *args, **kwargs: op._op_dk(DispatchKey.CPU, *args, **kwargs)


# PyTorch only makes a note to conjugate, to change a sign, or that all is zero, and does it later. A device written in Python it would
# keep asking to, until the stack is full: so it is done at once.


def conjugate(x: torch.Tensor) -> torch.Tensor:
    return on_gpu(torch.conj_physical(on_cpu(x)))


def negative(x: torch.Tensor) -> torch.Tensor:
    return on_gpu(-on_cpu(x))


def zeros(size: list[int], *, dtype=None, layout=None, device=None, pin_memory=None) -> torch.Tensor:
    return on_gpu(torch.zeros(size, dtype=dtype))


def math_attention(*args: Any, **kwargs: Any) -> int:
    """Which implementation attention uses: the composed one."""
    return 0


def gru_cell(input_gates, hidden_gates, hx, input_bias=None, hidden_bias=None):
    """CUDA's fused step of a GRU: the new state, and what its backward pass needs."""
    if input_bias is not None:
        input_gates, hidden_gates = input_gates + input_bias, hidden_gates + hidden_bias
    (ir, iz, i_n), (hr, hz, hn) = input_gates.chunk(3, -1), hidden_gates.chunk(3, -1)
    r, z = (ir + hr).sigmoid(), (iz + hz).sigmoid()
    n = (i_n + r * hn).tanh()
    return n + z * (hx - n), torch.cat([r, z, n, hx, hn], -1)


def gru_cell_backward(grad, workspace, has_bias):
    r, z, n, hx, hn = workspace.chunk(5, -1)
    d_n = grad * (1 - z) * (1 - n * n)
    d_z, d_r = grad * (hx - n) * z * (1 - z), d_n * hn * r * (1 - r)
    by_input, by_hidden = torch.cat([d_r, d_z, d_n], -1), torch.cat([d_r, d_z, d_n * r], -1)
    return by_input, by_hidden, grad * z, by_input.sum(0) if has_bias else None, by_hidden.sum(0) if has_bias else None


def lstm_cell(input_gates, hidden_gates, cx, input_bias=None, hidden_bias=None):
    """CUDA's fused step of an LSTM: the new state, the new memory, and the gates, which its backward pass needs."""
    if input_bias is not None:
        input_gates, hidden_gates = input_gates + input_bias, hidden_gates + hidden_bias
    i, f, g, o = (input_gates + hidden_gates).chunk(4, -1)
    i, f, g, o = i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid()
    cy = f * cx + i * g
    return o * cy.tanh(), cy, torch.cat([i, f, g, o], -1)


def lstm_cell_backward(grad_hy, grad_cy, cx, cy, workspace, has_bias):
    i, f, g, o = workspace.chunk(4, -1)
    grad_hy = torch.zeros_like(cy) if grad_hy is None else grad_hy
    d_c = grad_hy * o * (1 - cy.tanh() ** 2) + (0 if grad_cy is None else grad_cy)
    d_i, d_f = d_c * g * i * (1 - i), d_c * cx * f * (1 - f)
    d_g, d_o = d_c * i * (1 - g * g), grad_hy * cy.tanh() * o * (1 - o)
    gates = torch.cat([d_i, d_f, d_g, d_o], -1)
    return gates, d_c * f, gates.sum(0) if has_bias else None


def convolution(x, weight, bias, *rest):
    out = torch.convolution(on_cpu(x), on_cpu(weight), None if bias is None else on_cpu(bias), *rest)
    return on_gpu(out)


def convolution_backward(grad, x, weight, stride, padding, dilation, transposed, output_padding, groups, mask):
    rest = (stride, padding, dilation, transposed, output_padding, groups, mask)
    channels = weight.shape[1] * groups if transposed else weight.shape[0]
    found = torch.ops.aten.convolution_backward(on_cpu(grad), on_cpu(x), on_cpu(weight), [channels], *rest)
    return tuple(_outside(g) for g in found)


def is_pinned(x: torch.Tensor, device: torch.device | None = None) -> bool:
    return BACKEND.is_pinned(x)


def pin_memory(x: torch.Tensor, device: torch.device | None = None) -> torch.Tensor:
    return BACKEND.pinned(x)


def register() -> list[torch.library.Library]:
    """Tell PyTorch how the device computes; what is returned has to stay alive."""
    everything = torch.library.Library("_", "IMPL", "PrivateUse1")
    everything.fallback(fallback)
    aten = torch.library.Library("aten", "IMPL")
    key = "PrivateUse1"
    aten.impl("_copy_from", copy_from, key)
    aten.impl("_to_copy", to_copy, key)
    aten.impl("resize_", resize, key)
    aten.impl("_conj", conjugate, key)
    aten.impl("_neg_view", negative, key)
    aten.impl("_efficientzerotensor", zeros, key)
    aten.impl("_fused_sdp_choice", math_attention, key)
    aten.impl("_thnn_fused_gru_cell", gru_cell, key)
    aten.impl("_thnn_fused_gru_cell_backward", gru_cell_backward, key)
    aten.impl("_thnn_fused_lstm_cell", lstm_cell, key)
    aten.impl("_thnn_fused_lstm_cell_backward_impl", lstm_cell_backward, key)
    aten.impl("convolution_overrideable", convolution, key)
    aten.impl("convolution_backward_overrideable", convolution_backward, key)
    for overload in ("source_Tensor", "source_Storage", "source_Storage_storage_offset"):
        aten.impl(f"set_.{overload}", set_source(getattr(torch.ops.aten.set_, overload)), key)
    for name, op in _composed():
        aten.impl(name, partial(fallback, op), key)
    return [everything, aten]


def _composed() -> Iterator[tuple[str, OpOverload]]:
    """Operations that PyTorch would compose of an empty result and the same with `out=`, so that two would come here for each one."""
    for name in torch._C._dispatch_get_all_op_names():
        space, _, name = name.partition("::")
        if space == "aten" and torch._C._dispatch_has_kernel_for_dispatch_key(f"aten::{name}", "CompositeExplicitAutogradNonFunctional"):
            packet, _, overload = name.partition(".")
            op = getattr(getattr(torch.ops.aten, packet), overload or "default")
            if torch.Tag.inplace_view not in op.tags:  # those change a tensor's shape and compute nothing
                yield name, op


def register_on_cpu() -> list[torch.library.Library]:
    """Tell PyTorch what is different on the CPU once there is a device; what is returned has to stay alive."""
    aten = torch.library.Library("aten", "IMPL", "CPU")
    aten.impl("is_pinned", is_pinned)
    aten.impl("_pin_memory", pin_memory)
    return [aten]
