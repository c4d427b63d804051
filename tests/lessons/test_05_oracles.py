"""The reference answers of lesson 05 against other people's code: transformers' T5 buckets, GPT-J rotary embedding and BLOOM ALiBi."""

import math

import pytest
import torch

from autograde import layout
from autograde.authoring import source


@pytest.fixture(scope="module")
def lesson():
    return source.namespace(source.read(layout.source_path("05_positional_encoding")))


@pytest.mark.parametrize("n_buckets, max_distance", [(32, 128), (64, 256), (16, 40), (8, 20), (40, 1000)])
def test_buckets_equal_t5s(lesson, n_buckets, max_distance):
    modeling = pytest.importorskip("transformers.models.t5.modeling_t5")
    offsets = torch.arange(-1500, 1501)
    want = modeling.T5Attention._relative_position_bucket(offsets, bidirectional=True, num_buckets=n_buckets, max_distance=max_distance)
    got = lesson["relative_position_bucket"](offsets, n_buckets, max_distance)
    assert torch.equal(got, want)
    assert got.dtype == want.dtype


def test_rotation_equals_gpt_js(lesson):
    modeling = pytest.importorskip("transformers.models.gptj.modeling_gptj")
    x = torch.randn(2, 7, 3, 16, generator=torch.Generator().manual_seed(1))  # GPT-J's order: batch, time, heads, columns
    sin, cos = modeling.create_sinusoidal_positions(50, 16)[10:17].chunk(2, dim=-1)
    want = modeling.apply_rotary_pos_emb(x, sin[None], cos[None])
    got = lesson["rotary_embedding"](x.transpose(1, 2), torch.arange(10, 17)).transpose(1, 2)
    assert torch.allclose(got, want, atol=1e-5)


def test_rotation_is_complex_multiplication(lesson):
    generator = torch.Generator().manual_seed(2)
    x = torch.randn(3, 5, 9, 8, generator=generator, dtype=torch.float64)
    positions = torch.randn(9, generator=generator, dtype=torch.float64) * 100
    angles = torch.outer(positions, 10000.0 ** (-torch.arange(0, 8, 2, dtype=torch.float64) / 8))
    want = torch.view_as_real(torch.view_as_complex(x.unflatten(-1, (4, 2))) * torch.exp(1j * angles)).flatten(-2)
    assert torch.allclose(lesson["rotary_embedding"](x, positions), want, rtol=1e-10, atol=1e-10)


def test_bias_gives_blooms_weights(lesson):
    """BLOOM adds slope · j: the same weights after the softmax, since a row's constant does not count."""
    modeling = pytest.importorskip("transformers.models.bloom.modeling_bloom")
    theirs = modeling.build_alibi_tensor(torch.ones(1, 12), num_heads=8, dtype=torch.float32).view(8, 1, 12)
    causal = torch.zeros(12, 12).masked_fill(torch.ones(12, 12).triu(1).bool(), -math.inf)
    scores = torch.randn(8, 12, 12, generator=torch.Generator().manual_seed(3))
    want = (scores + theirs + causal).softmax(dim=-1)
    assert torch.allclose((scores + lesson["alibi_bias"](8, 12)).softmax(dim=-1), want, atol=1e-6)


@pytest.mark.parametrize("offset", [-7, 0, 1, 30])
def test_the_shift_is_the_least_squares_map(lesson, offset):
    """For few and well separated speeds the matrix is determined by the table itself."""
    table = lesson["sinusoidal_encoding"](100, 6, 20.0).double()
    rows = torch.arange(10, 60)
    want = torch.linalg.lstsq(table[rows], table[rows + offset]).solution.mT
    assert torch.allclose(lesson["shift_matrix"](offset, 6, 20.0).double(), want, atol=1e-4)


def test_half_precision_keeps_far_positions_apart(lesson):
    """Angles in bfloat16 would round position 257 to 256."""
    x = torch.randn(4, 8, generator=torch.Generator().manual_seed(4))
    positions = torch.tensor([256, 257, 1001, 4003])
    want = lesson["rotary_embedding"](x, positions)
    got = lesson["rotary_embedding"](x.bfloat16(), positions)
    assert got.dtype == torch.bfloat16
    assert torch.allclose(got.float(), want, atol=0.05)


@pytest.mark.parametrize(
    "name, arguments, named",
    [("shift_matrix", (2, 5), "d_model"), ("sinusoidal_encoding", (2, 5), "d_model"), ("alibi_bias", (0, 4), "n_heads")],
)
def test_bad_arguments_are_named(lesson, name, arguments, named):
    with pytest.raises(ValueError, match=named):
        lesson[name](*arguments)
    with pytest.raises(ValueError, match="x must"):
        lesson["rotary_embedding"](torch.zeros(2, 3), torch.arange(2))
