"""The pretend GPU computes what the CPU computes, and refuses what CUDA refuses.

On a machine that has a real GPU the same tests run on it: what they say of CUDA is then seen, not read.
"""

import contextlib
import copy
import io
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from autograde import layout
from autograde.authoring import source
from autograde.checking import pretend_gpu
from autograde.checking.pretend_gpu import autocast

ROOT = Path(__file__).resolve().parents[2]


PRETEND = pretend_gpu.is_possible()  # otherwise there is a real one
CLOSE = {"rtol": 1e-6, "atol": 1e-7} if PRETEND else {"rtol": 1e-4, "atol": 1e-5}  # a real one adds in another order
of_the_pretend_gpu = pytest.mark.skipif(not PRETEND, reason="says nothing of a real GPU")


@pytest.fixture
def gpu():
    with pretend_gpu.machine() if PRETEND else real_gpu() as device:
        yield device


@contextlib.contextmanager
def real_gpu():
    """Without the shortened products that cuDNN makes unasked."""
    kinds = torch.backends.cudnn.rnn, torch.backends.cudnn.conv
    before = [kind.fp32_precision for kind in kinds]
    for kind in kinds:
        kind.fp32_precision = "ieee"
    yield torch.device("cuda", 0)
    for kind, precision in zip(kinds, before):
        kind.fp32_precision = precision


@pytest.fixture
def cuda(gpu):
    """`torch.cuda`, or what pretends to be it."""
    return torch.get_device_module(gpu)


def numbers(*shape, seed=0, dtype=torch.float32):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(dtype)


X, Y, SQUARE, POSITIVE = numbers(3, 4), numbers(3, 4, seed=1), numbers(4, 4, seed=2), numbers(3, 4).abs() + 0.1
IDS = torch.tensor([[1, 0, 3], [2, 2, 1]])
TABLE, HEADS = numbers(5, 4, seed=3), numbers(2, 3, 5, 4, seed=4)

# The numbers are the CPU's

SAME_NUMBERS = {
    "arithmetic": (lambda a, b: (a + b * 2 - a / b.exp()).sqrt().nan_to_num(), X, Y),
    "comparison": (lambda a, b: (a > b) & (a != 0), X, Y),
    "matrix product": (lambda a, b: a @ b.T, X, Y),
    "linear": (lambda a, b: F.linear(a, b, b[:, 0]), X, Y),
    "batched product": (lambda a: a @ a.transpose(-2, -1), HEADS),
    "einsum": (lambda a, b: torch.einsum("ij,kj->ik", a, b), X, Y),
    "sums": (lambda a: (a.sum(), a.mean(0), a.var(1), a.amax(-1), a.cumsum(0), a.prod(1), a.logsumexp(1)), X),
    "softmax": (lambda a: (a.softmax(-1), a.log_softmax(0)), X),
    "norms": (lambda a: (F.layer_norm(a, (4,)), F.rms_norm(a, (4,)), a.norm(), F.normalize(a)), X),
    "attention": (lambda a: F.scaled_dot_product_attention(a, a, a, is_causal=True), HEADS),
    "masked attention": (lambda a: F.scaled_dot_product_attention(a, a, a, torch.ones(5, 5, dtype=bool, device=a.device).tril()), HEADS),
    "embedding": (lambda i, w: F.embedding(i, w), IDS, TABLE),
    "cross entropy": (lambda a: F.cross_entropy(a, torch.tensor([0, 3, -100], device=a.device)), X),
    "losses": (
        lambda a, b: [
            loss(a, b, reduction=how) for loss in (F.mse_loss, F.l1_loss, F.smooth_l1_loss, F.huber_loss) for how in ("mean", "sum", "none")
        ],
        X,
        Y,
    ),
    "whole numbers": (lambda i: (i % 2, i & 3, i | 1, i ^ 1, i << 1, i // 2, 7 % (i + 1), i % 1.5, i.half() % 1.5), IDS),
    "picked": (lambda a: torch.take_along_dim(a, a.argsort(1), 1), X),
    "indexing": (lambda a: (a[0], a[:, 1:3], a[..., -1], a[[2, 0]], a[a > 0], a[torch.tensor([1])]), X),
    "gather and scatter": (lambda a: (a.gather(1, a.argsort(1)), torch.zeros_like(a).scatter(1, a.argsort(1), a)), X),
    "shapes": (lambda a: (a.T, a.reshape(2, 6), a.flatten(), a[None].expand(2, 3, 4), a.unflatten(1, (2, 2)), a.permute(1, 0)), X),
    "pieces": (lambda a: (*a.chunk(2, 1), *a.split(1), *a.unbind(0), torch.cat([a, a]), torch.stack([a, a], 1)), X),
    "windows": (lambda a: (a.unfold(1, 2, 1), a.diagonal(), a.tril(), a.roll(1, 0), a.flip(0)), X),
    "order": (lambda a: (*a.sort(-1), *a.topk(2), a.argmax(-1), a.max(), torch.searchsorted(a.sort(-1).values, a)), X),
    "choice": (lambda a, b: (torch.where(a > 0, a, b), a.masked_fill(a > 0, -1.0), a.clamp(0, 1), torch.maximum(a, b)), X, Y),
    "counts": (lambda i: (i.flatten().bincount(), F.one_hot(i, 5), i.unique(), torch.isin(i, i[0]), i.nonzero()), IDS),
    "factories": (
        lambda a: (
            torch.arange(5, device=a.device),
            torch.zeros_like(a),
            a.new_ones(2),
            torch.eye(3, device=a.device),
            torch.full((2,), 3.0, device=a.device),
        ),
        X,
    ),
    "linear algebra": (lambda a: (torch.linalg.solve(a, a.T), torch.linalg.inv(a), torch.linalg.det(a)), SQUARE),
    "functions": (lambda a: (F.gelu(a, approximate="tanh"), F.silu(a), a.tanh(), a.log(), a.pow(3), torch.special.gammaln(a)), POSITIVE),
    "dtypes": (lambda a: (a.double(), a.half(), a.bfloat16().float(), a.int(), a.bool(), a.view(torch.int32)), X),
    "complex": (lambda a: (torch.view_as_complex(a.reshape(3, 2, 2)), torch.fft.fft(a).abs(), torch.polar(a, a).real), POSITIVE),
    "conjugates": (
        lambda a: [f(torch.polar(a, a)) for f in (lambda c: c.conj() * c, lambda c: c.mH @ c, lambda c: c.conj().imag, torch._neg_view)],
        POSITIVE,
    ),
    "rotation": (lambda a: torch.view_as_real(torch.view_as_complex(a.reshape(3, 2, 2)) * torch.polar(a[:, :2], a[:, 2:])), POSITIVE),
    "convolution": (lambda a: F.conv1d(a[None], a[None, :, :2]), X),
    "empty": (lambda a: (a[:0], a[:0].sum(), torch.cat([a[:0], a])), X),
    "values": (lambda a: (torch.tensor(a.tolist()), torch.tensor(a[0, 0].item()), torch.tensor(float(a.sum()))), X),
}


def flat(result):
    return list(result) if isinstance(result, (tuple, list)) else [result]


@pytest.mark.parametrize("name", SAME_NUMBERS)
def test_the_numbers_are_those_of_the_cpu(gpu, name):
    function, *inputs = SAME_NUMBERS[name]
    want, got = flat(function(*inputs)), flat(function(*(x.to(gpu) for x in inputs)))
    assert len(want) == len(got)
    for a, b in zip(want, got):
        assert b.device == gpu or name == "values"
        assert a.dtype == b.dtype and a.shape == b.shape and torch.allclose(a, b.cpu(), **CLOSE, equal_nan=True)


@pytest.mark.parametrize(
    "name",
    ["arithmetic", "matrix product", "batched product", "softmax", "norms", "attention", "pieces", "convolution", "rotation", "losses"],
)
def test_the_gradients_are_those_of_the_cpu(gpu, name):
    function, *inputs = SAME_NUMBERS[name]

    def gradients(device):
        leaves = [x.clone().to(device).requires_grad_() for x in inputs]
        total = sum((y.float() ** 2).sum() for y in flat(function(*leaves)) if y.requires_grad)
        return torch.autograd.grad(total, leaves)

    for a, b in zip(gradients("cpu"), gradients(gpu)):
        assert b.device == gpu and torch.allclose(a, b.cpu(), rtol=max(1e-5, CLOSE["rtol"]), atol=CLOSE["atol"], equal_nan=True)


MODULES = {
    "transformer": (lambda: nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0, batch_first=True), (2, 3, 4)),
    "attention": (lambda: _First(nn.MultiheadAttention(4, 2, batch_first=True)), (2, 3, 4)),
    "gru": (lambda: _First(nn.GRU(4, 3, batch_first=True), 1), (2, 3, 4)),
    "gru cell": (lambda: nn.GRUCell(4, 3), (2, 4)),
    "lstm": (lambda: _First(nn.LSTM(4, 3, 2, batch_first=True, bidirectional=True), 1), (2, 3, 4)),
    "lstm cell": (lambda: _Sum(nn.LSTMCell(4, 3)), (2, 4)),
    "lstm cell without bias": (lambda: _Sum(nn.LSTMCell(4, 3, bias=False)), (2, 4)),
    "convolution": (lambda: nn.Conv1d(3, 2, 2), (2, 3, 4)),
    "norm": (lambda: nn.LayerNorm(4), (2, 3, 4)),
}


class _First(nn.Module):
    """A module that gives several results, as one that gives the first."""

    def __init__(self, inner, inputs=3):
        super().__init__()
        self.inner, self.inputs = inner, inputs

    def forward(self, x):
        return self.inner(*[x] * self.inputs)[0]


class _Sum(nn.Module):
    """Of a module's results."""

    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return sum(self.inner(x))


@pytest.mark.parametrize("name", MODULES)
@pytest.mark.parametrize("training", [True, False])
def test_modules_and_the_gradients_of_their_weights(gpu, name, training):
    build, shape = MODULES[name]
    torch.manual_seed(0)
    here = build().train(training)
    there = copy.deepcopy(here).to(gpu)
    x = numbers(*shape)
    want, got = here(x), there(x.to(gpu))
    assert got.device == gpu and torch.allclose(want, got.cpu(), rtol=CLOSE["rtol"], atol=max(1e-6, CLOSE["atol"]))
    want.square().sum().backward()
    if name in ("gru", "lstm") and not training:  # the backward pass of cuDNN's recurrent layers
        with pytest.raises(RuntimeError, match="training mode"):
            got.square().sum().backward()
        return
    got.square().sum().backward()
    for a, b in zip(here.parameters(), there.parameters(), strict=True):
        assert b.grad.device == gpu and torch.allclose(a.grad, b.grad.cpu(), atol=1e-5 if PRETEND else 1e-4)


def test_derivatives_of_derivatives_are_those_of_the_cpu(gpu):
    """Forward over backward, whose zeros are only noted down on other devices."""
    hessian = torch.func.hessian(lambda x: (x**3).sum() + x.prod())
    assert torch.allclose(hessian(X[0]), hessian(X[0].to(gpu)).cpu(), **CLOSE)


# What CUDA refuses. Source: PyTorch's notes on CUDA semantics; TensorIterator; the checks of each kernel.

REFUSED = {
    "addition": lambda g, c: g + c,
    "product": lambda g, c: g @ c.T,
    "the other way": lambda g, c: c * g,
    "in place": lambda g, c: g.mul_(c),
    "in place on the cpu": lambda g, c: c.add_(g),
    "a number of the device onto the cpu": lambda g, c: c.add_(g[0, 0]),
    "concatenation": lambda g, c: torch.cat([g, c]),
    "stack": lambda g, c: torch.stack([c, g]),
    "where": lambda g, c: torch.where(c > 0, g, g),
    "mask": lambda g, c: g.masked_fill(c > 0, 0.0),
    "embedding": lambda g, c: F.embedding(torch.tensor([0, 1]), g),
    "index_select": lambda g, c: g.index_select(0, torch.tensor([0])),
    "gather": lambda g, c: g.gather(1, torch.zeros(3, 1, dtype=torch.long)),
    "scatter": lambda g, c: g.scatter(1, torch.zeros(3, 1, dtype=torch.long), 1.0),
    "cpu tensor, device indices": lambda g, c: c[torch.tensor([0], device=g.device)],
    "values put": lambda g, c: g.index_put_((torch.tensor([0]),), c[0]),
    "cross entropy": lambda g, c: F.cross_entropy(g, torch.tensor([0, 1, 2])),
    "linear": lambda g, c: F.linear(g, c),
    "layer norm": lambda g, c: F.layer_norm(g, (4,), c[0]),
    "attention mask": lambda g, c: F.scaled_dot_product_attention(g, g, g, torch.ones(3, 3, dtype=torch.bool)),
    "isin": lambda g, c: torch.isin(g, c),
    "a number in a product": lambda g, c: torch.mv(g, torch.tensor(1.0).expand(4)),
    "a number to concatenate": lambda g, c: torch.stack([g[0, 0], torch.tensor(1.0)]),
    "equality": lambda g, c: torch.equal(g, c),
    "numpy": lambda g, c: g.numpy(),
    "generator of the cpu": lambda g, c: torch.rand(3, device=g.device, generator=torch.Generator()),
    "multinomial, generator of the cpu": lambda g, c: g.softmax(-1).multinomial(1, generator=torch.Generator()),
    "normal_, generator of the cpu": lambda g, c: nn.init.normal_(g, generator=torch.Generator()),
    "generator of the device for the cpu": lambda g, c: torch.rand(3, generator=torch.Generator(g.device)),
    "randint, generator of the device for the cpu": lambda g, c: torch.randint(9, (3,), generator=torch.Generator(g.device)),
    "integer product": lambda g, c: g.long() @ g.long().T,
    "pinning": lambda g, c: g.pin_memory(),
    "a number of the device": lambda g, c: c + g.sum(),
}
ALLOWED = {
    "a number of the cpu": lambda g, c: g + torch.tensor(2.0),
    "a number of the cpu, first": lambda g, c: torch.tensor(2.0) * g,
    "a number of the cpu, in place": lambda g, c: g.clone().mul_(torch.tensor(2.0)),
    "a number to fill": lambda g, c: g.clone().fill_(torch.tensor(2.0)),
    "a number for a mask": lambda g, c: g.masked_fill(g > 0, torch.tensor(0.0)),
    "a number in where": lambda g, c: torch.where(g > 0, g, torch.tensor(0.0)),
    "cpu indices": lambda g, c: g[torch.tensor([0, 2])],
    "cpu mask as index": lambda g, c: g[c > 0],
    "numpy indices": lambda g, c: g[torch.tensor([0, 2]).numpy()],
    "a number put": lambda g, c: g.clone().index_put_((torch.tensor([0]),), torch.tensor(1.0)),
    "copy": lambda g, c: g.clone().copy_(c),
    "copy into a part": lambda g, c: g.clone()[0].copy_(c[0]),
    "python numbers": lambda g, c: (g + 1.5) ** 2,
    "cpu lengths to split by": lambda g, c: g.tensor_split(torch.tensor([1, 3]), dim=1)[0],
    "the device's generator": lambda g, c: torch.rand(3, device=g.device, generator=torch.Generator(g.device)),
    "the default generator": lambda g, c: g.softmax(-1).multinomial(1),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_cuda_refuses_is_refused(gpu, name):
    with pytest.raises((RuntimeError, TypeError), match="device|_cuda|pin"):
        REFUSED[name](X.to(gpu), X.clone())


@pytest.mark.parametrize("name", ALLOWED)
def test_what_cuda_allows_is_allowed(gpu, name):
    assert ALLOWED[name](X.to(gpu), X.clone()).device == gpu


# Memory


def test_views_share_their_memory(gpu):
    x = torch.zeros(3, 4, device=gpu)
    x[1, 2:].add_(5)
    x.T[0].fill_(7)
    assert x.cpu().tolist() == [[7, 0, 0, 0], [7, 0, 5, 5], [7, 0, 0, 0]]
    part = x[1:, 1]
    assert part._base is x and part.untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
    assert part.storage_offset() == 5 and part.data_ptr() == x.data_ptr() + 5 * 4 and x.untyped_storage().device == gpu


def test_a_change_in_place_is_noticed_by_autograd(gpu):
    x = torch.ones(3, device=gpu, requires_grad=True)
    y = x.exp()
    y.add_(1)
    with pytest.raises(RuntimeError, match="inplace"):
        y.sum().backward()


def test_memory_is_resized_and_shared_on_request(gpu):
    x = torch.arange(4.0, device=gpu)
    assert x.resize_(2).tolist() == [0, 1] and x.resize_(6)[:2].tolist() == [0, 1] and x.device == gpu
    y = torch.empty(0, device=gpu).set_(x)
    y[0] = 9
    assert x[0].item() == 9
    out = torch.empty(0, device=gpu)
    assert torch.add(x, 1, out=out) is out and out.shape == x.shape


def test_bytes_in_use_are_counted(gpu, cuda):
    before = cuda.memory_allocated()
    cuda.reset_peak_memory_stats()
    x = torch.empty(1024, device=gpu)  # CUDA gives memory in pieces of 512 bytes
    view = x[10:]
    del x
    assert cuda.memory_allocated() == before + 4096, "a view keeps its memory"
    del view
    assert cuda.memory_allocated() == before and cuda.max_memory_allocated() == before + 4096


@of_the_pretend_gpu  # a real one may be quick enough
def test_a_copy_to_the_host_that_does_not_block_arrives_late(gpu):
    x = torch.full((3,), 5.0, device=gpu)
    target = torch.zeros(3).pin_memory()
    target.copy_(x, non_blocking=True)
    assert target.tolist() == [0, 0, 0], "reading it now reads what was there before"
    torch.gpu.synchronize()
    assert target.tolist() == [5, 5, 5]
    late = x.to("cpu", non_blocking=True)
    x.sum().item()  # waits too
    assert late.tolist() == [5, 5, 5]


def test_pinned_memory(gpu):
    x = torch.ones(3)
    assert not x.is_pinned() and x.pin_memory().is_pinned() and x.pin_memory().to(gpu, non_blocking=True).tolist() == [1, 1, 1]
    for _ in range(50):  # what was pinned is gone, and others get its memory
        x.pin_memory()
        assert not torch.ones(3).is_pinned()


WAITS = {
    "item": lambda x: x.sum().item(),
    "if": lambda x: bool(x.sum() > 0),
    "tolist": lambda x: x.tolist(),
    "print": lambda x: repr(x),
    "to the cpu": lambda x: x.cpu(),
    "from the cpu": lambda x: torch.ones(3).to(x.device),
    "nonzero": lambda x: x.nonzero(),
    "a mask": lambda x: x[x > 0],
}
if PRETEND:  # a real one waits too, but says nothing of it
    WAITS["equality"] = lambda x: torch.equal(x, x)


@pytest.mark.parametrize("name", WAITS)
def test_the_host_waits(gpu, cuda, name):
    x = torch.ones(3, device=gpu)
    cuda.set_sync_debug_mode("error")
    try:
        with pytest.raises(RuntimeError, match="synchronizing"):
            WAITS[name](x)
        x.add_(1).softmax(-1).sum()  # does not wait
        torch.ones(3).pin_memory().to(gpu, non_blocking=True)
    finally:
        cuda.set_sync_debug_mode("default")


# Random numbers


@of_the_pretend_gpu
def test_generators_draw_the_numbers_of_the_cpu_and_keep_their_own_state(gpu):
    there, here = torch.Generator(device=gpu).manual_seed(3), torch.Generator().manual_seed(3)
    assert there.device == gpu and here.device.type == "cpu" and isinstance(there, torch.Generator) and isinstance(here, torch.Generator)
    want = [torch.rand(3, generator=here), torch.randn(2, generator=here), torch.randint(9, (4,), generator=here)]
    got = [
        torch.rand(3, generator=there, device=gpu),
        torch.randn(2, generator=there, device=gpu),
        torch.randint(9, (4,), generator=there, device=gpu),
    ]
    assert all(torch.equal(a, b.cpu()) for a, b in zip(want, got))
    state = there.get_state()
    first = torch.rand(3, generator=there, device=gpu)
    there.set_state(state)
    assert torch.equal(first, torch.rand(3, generator=there, device=gpu)) and there.device == gpu


def test_the_default_generator_is_not_the_cpus(gpu, cuda):
    torch.manual_seed(0)
    state, before = torch.get_rng_state(), cuda.get_rng_state()
    first = F.dropout(torch.ones(50, device=gpu), 0.5)
    assert torch.equal(torch.get_rng_state(), state) and not torch.equal(cuda.get_rng_state(), before)
    cuda.set_rng_state(before)
    assert torch.equal(first, F.dropout(torch.ones(50, device=gpu), 0.5))
    torch.manual_seed(0)
    assert torch.equal(first, F.dropout(torch.ones(50, device=gpu), 0.5)), "torch.manual_seed seeds the device too"


# Autocast


def test_the_lists_of_autocast_are_those_of_cuda():
    """The header of the installed PyTorch, which is what CUDA's autocast is made from."""
    header = (Path(torch.__file__).parent / "include/ATen/autocast_mode.h").read_text()

    def names(macro):
        text = re.search(rf"#define {macro}\(_\)((?:.*\\\n)*.*)", header).group(1)
        found = re.findall(r"_\(\s*(\w+)\s*(?:,\s*(\w+))?\s*\)", text)
        return {f"{name}.{overload}" if overload and overload != "deprecated" else name for name, overload in found}

    assert set(autocast.LOWER_PRECISION) == names("AT_FORALL_LOWER_PRECISION_FP")
    assert set(autocast.FLOAT32) == {n for n in names("AT_FORALL_FP32") if "upsample" not in n}
    assert set(autocast.FLOAT32_RESULT) == names("AT_FORALL_FP32_SET_OPT_DTYPE")
    assert set(autocast.WIDEST) == names("AT_FORALL_PROMOTE") | {"cat", "stack"}


@pytest.mark.parametrize("low", [torch.bfloat16, torch.float16])
def test_autocast_gives_the_dtypes_of_a_gpu(gpu, low):
    """Source: "CUDA Ops that can autocast to float16" and "to float32" in PyTorch's documentation of torch.amp."""
    x, wide = X.to(gpu), X.to(gpu).double()
    with torch.autocast(gpu.type, dtype=low):
        half = x @ x.T
        assert half.dtype == low
        assert F.linear(x, x).dtype == low and F.scaled_dot_product_attention(x[None], x[None], x[None]).dtype == low
        assert half.softmax(-1).dtype == half.sum().dtype == half.exp().dtype == F.layer_norm(half, (3,)).dtype == torch.float32
        assert F.cross_entropy(half, torch.tensor([0, 1, 2], device=gpu)).dtype == torch.float32
        assert F.gelu(half).dtype == low and (half + 1).dtype == low and (half + x[:, :3]).dtype == torch.float32
        assert torch.cat([half, half]).dtype == low and torch.cat([half, x[:, :3]]).dtype == torch.float32
        assert (wide @ wide.T).dtype == torch.float64 and x.long().sum().dtype == torch.int64
        assert half.sum(dtype=low).dtype == low
        with torch.autocast(gpu.type, enabled=False):
            assert (x @ x.T).dtype == torch.float32
    assert (x @ x.T).dtype == torch.float32
    assert (X @ X.T).dtype == torch.float32


def test_autocast_rounds_and_gradients_come_back_in_the_parameters_dtype(gpu):
    layer, x = nn.Linear(4, 4).to(gpu), X.to(gpu)
    with torch.autocast(gpu.type, dtype=torch.bfloat16):
        got = layer(x)
    want = F.linear(X.bfloat16(), layer.weight.cpu().bfloat16(), layer.bias.cpu().bfloat16())
    assert torch.allclose(got.cpu(), want, rtol=0 if PRETEND else 2**-7, atol=0 if PRETEND else 2**-8)
    got.float().sum().backward()
    assert layer.weight.grad.dtype == torch.float32


def test_a_gradient_scaler_skips_what_overflowed(gpu):
    weight = nn.Parameter(torch.ones(2, device=gpu))
    optimizer, scaler = torch.optim.SGD([weight], lr=0.1), torch.amp.GradScaler(gpu.type, init_scale=4.0)
    for factor in (1.0, float("inf")):
        optimizer.zero_grad()
        scaler.scale((weight * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
    assert weight.tolist() == pytest.approx([0.9, 0.9]) and scaler.get_scale() == 2.0


# Files


NAME = pretend_gpu.NAME if PRETEND else "cuda"


@pytest.mark.parametrize("written_on", ["cpu", NAME])
@pytest.mark.parametrize("where, expected", [(None, None), ("cpu", "cpu"), (NAME, NAME), (f"{NAME}:0", NAME), (lambda s, _: s, "cpu")])
def test_a_file_is_loaded_where_map_location_says(gpu, written_on, where, expected):
    x = X.to(written_on)
    file = io.BytesIO()
    torch.save({"x": x, "part": x[1:], "layer": nn.Linear(2, 2).to(written_on).state_dict()}, file)
    file.seek(0)
    loaded = torch.load(file, map_location=where, weights_only=True)
    device = expected or written_on
    assert loaded["x"].device.type == loaded["layer"]["weight"].device.type == device
    assert torch.equal(loaded["x"].cpu(), X)
    loaded["part"][0, 0] = 99
    assert loaded["x"][1, 0].item() == 99, "views in one file still share their memory"


@of_the_pretend_gpu
def test_a_file_of_the_device_needs_map_location_where_there_is_none():
    file = io.BytesIO()
    with pretend_gpu.machine() as device:
        torch.save(X.to(device), file)
    file.seek(0)
    with pytest.raises(RuntimeError, match="map_location"):
        torch.load(file)
    file.seek(0)
    assert torch.equal(torch.load(file, map_location="cpu"), X)


# Modules, optimizers, programs


def test_a_moved_module_stays_itself(gpu):
    """Tied weights stay tied, an optimizer made before keeps its parameters, buffers and gradients move too."""
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5, bias=False), nn.BatchNorm1d(5))
    model[1].weight = model[0].weight
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model[0](torch.tensor([1])).sum().backward()
    weight = model[0].weight
    model.to(gpu)
    assert model[0].weight is weight is model[1].weight and weight.device == gpu and weight.grad.device == gpu
    assert model[2].running_mean.device == gpu
    before = weight.clone()
    optimizer.step()
    assert not torch.equal(before, weight)
    assert copy.deepcopy(model)[1].weight.device == gpu
    assert model.cpu()[0].weight is model[1].weight


def test_hooks_on_parameters_survive_loading(gpu):
    layer, seen = nn.Linear(2, 2).to(gpu), []
    layer.weight.register_hook(lambda g: seen.append(1))
    layer.load_state_dict(nn.Linear(2, 2).state_dict())
    layer(torch.ones(2, device=gpu)).sum().backward()
    assert seen == [1] and layer.weight.device == gpu


def test_a_default_device_is_followed(gpu):
    torch.set_default_device(gpu)
    try:
        assert torch.ones(2).device == torch.arange(3).device == nn.Linear(2, 2).weight.device == torch.tensor([1]).device == gpu
    finally:
        torch.set_default_device(None)


@of_the_pretend_gpu
@pytest.mark.parametrize("card, capability, native", [(pretend_gpu.T4, (7, 5), False), (pretend_gpu.A100, (8, 0), True)])
def test_cards(card, capability, native):
    with pretend_gpu.machine(card):
        assert torch.gpu.get_device_capability() == capability and torch.gpu.get_device_name() == card.name
        assert torch.gpu.is_bf16_supported() and torch.gpu.is_bf16_supported(including_emulation=False) is native
        free, total = torch.gpu.mem_get_info()
        assert 0 < free <= total == torch.gpu.get_device_properties(0).total_memory


@of_the_pretend_gpu
def test_afterwards_all_is_as_before():
    generator, clone = torch.Generator, torch.UntypedStorage.clone
    with pretend_gpu.machine():
        assert torch.accelerator.is_available() and torch.accelerator.current_accelerator().type == "gpu"
    assert torch.Generator is generator and torch.UntypedStorage.clone is clone and not torch.accelerator.is_available()
    with pytest.raises(RuntimeError, match="accelerator"):
        X.pin_memory()
    assert torch.equal(X.clone(), X)


FORK = """
import os, signal, torch
assert not hasattr(torch, "gpu")
from autograde.checking import pretend_gpu
assert not hasattr(torch, "gpu"), "nothing is registered by an import"
torch.ones(2, requires_grad=True).sum().backward()
with pretend_gpu.machine() as device:
    x = torch.ones(2, requires_grad=True, device=device)
    (x * 3).sum().backward()
    child = os.fork()
    if not child:
        signal.alarm(60)  # one that hangs would hold the pipes that pytest reads, for ever
        x.grad = None
        (x * 2).sum().backward()
        os._exit(0 if x.grad.tolist() == [2, 2] else 1)
    assert os.waitpid(child, 0)[1] == 0, "a process that used it may fork"
"""


@of_the_pretend_gpu
def test_a_process_may_fork_and_may_have_trained_before():
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", FORK], env=environment, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr


# The solved GPT


@pytest.fixture(scope="module")
def lesson():
    return source.namespace(source.read(layout.source_path("07_gpt")))


def trained(lesson, device, autocast_dtype=None):
    """Losses of six steps, the norm-clipped weights after them, and a sampled text."""
    config = lesson["GPTConfig"](11, 8, 2, 2, 16)
    model = lesson["build_gpt"](config).to(device)
    optimizer = torch.optim.AdamW(lesson["parameter_groups"](model, 0.1), lr=1e-2, fused=True)
    ids, generator = torch.arange(200) % 11, torch.Generator().manual_seed(0)
    losses = []
    for _ in range(6):
        batch = [tuple(t.to(device) for t in lesson["get_batch"](ids, 4, 8, generator)) for _ in range(2)]
        losses.append(lesson["train_step"](model, optimizer, batch, 1.0, autocast_dtype))
    text = lesson["generate"](
        model, torch.zeros(1, 1, dtype=torch.long, device=device), 12, 0.9, 5, 0.95, torch.Generator(device).manual_seed(1)
    )
    return losses, {name: p.detach().cpu() for name, p in model.named_parameters()}, text.cpu()


def test_the_solved_gpt_trains_to_the_cpus_very_numbers(gpu, lesson):
    want, got = trained(lesson, "cpu"), trained(lesson, gpu)
    assert got[0] == pytest.approx(want[0], abs=1e-6 if PRETEND else 1e-4)
    assert torch.equal(got[2], want[2]) or not PRETEND, "a real one has random numbers of its own"
    for name, value in want[1].items():
        if not name.endswith("c_attn.bias"):  # a third of it has no gradient but rounding, which Adam enlarges
            assert torch.allclose(value, got[1][name], atol=1e-4 if PRETEND else 1e-3), name


def test_the_solved_gpt_trains_under_autocast(gpu, lesson):
    want, got = trained(lesson, "cpu"), trained(lesson, gpu, torch.bfloat16)
    assert got[0] != want[0] and got[0] == pytest.approx(want[0], abs=0.1)


def test_a_position_table_without_a_device_is_found(gpu, lesson):
    class Hard(lesson["GPT"]):
        def forward(self, ids, targets=None):
            return self.wpe(torch.arange(ids.shape[1])), None

    model = Hard(lesson["GPTConfig"](11, 8, 1, 1, 8)).to(gpu)
    with pytest.raises(RuntimeError, match="same device"):
        model(torch.zeros(1, 4, dtype=torch.long, device=gpu))


@of_the_pretend_gpu
def test_where_it_may_draw_anywhere_a_generator_of_the_cpu_serves_both_devices():
    """The same numbers as on the CPU, in the same order; the generator stays the CPU's, and outside it is refused again."""
    one, other = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    with pretend_gpu.machine(drawing=pretend_gpu.ANYWHERE) as gpu:
        drawn = [torch.rand(3, generator=one), torch.rand(size=(3,), generator=one, device=gpu).cpu()]
        drawn += [torch.rand(3, generator=one, device=gpu).cpu(), torch.empty(3, device=gpu).uniform_(generator=one).cpu()]
    assert torch.equal(torch.cat(drawn), torch.cat([torch.rand(3, generator=other) for _ in drawn])) and one.device.type == "cpu"
    with pretend_gpu.machine() as gpu, pytest.raises(RuntimeError, match="generator"):
        torch.rand(3, generator=one, device=gpu)
