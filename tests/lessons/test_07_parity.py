"""Lesson 07's GPT is GPT-2: with Hugging Face's weights it gives Hugging Face's logits."""

import pytest
import torch

from autograde import layout
from autograde.authoring import source

transformers = pytest.importorskip("transformers")


@pytest.fixture(scope="module")
def lesson():
    return source.namespace(source.read(layout.source_path("07_gpt")))


def pair(lesson, **sizes):
    """(transformers' GPT-2 with random weights, the lesson's GPT holding them)."""
    torch.manual_seed(0)
    config = transformers.GPT2Config(vocab_size=211, n_positions=40, **sizes, initializer_range=0.3)
    theirs = transformers.GPT2LMHeadModel(config).eval()
    with torch.no_grad():  # gains and biases that are not 1 and 0, so that each of them counts
        for name, parameter in theirs.named_parameters():
            if parameter.ndim == 1:
                parameter.add_(0.2 * torch.randn_like(parameter))
    ours = lesson["GPT"](lesson["GPTConfig"](211, 40, config.n_layer, config.n_head, config.n_embd))
    ours.load_state_dict(lesson["from_hugging_face"](theirs.state_dict()))
    return theirs, ours.eval()


@pytest.mark.parametrize(
    "sizes", [dict(n_layer=3, n_head=4, n_embd=48), dict(n_layer=1, n_head=1, n_embd=20), dict(n_layer=12, n_head=12, n_embd=96)]
)
@pytest.mark.parametrize("n", [1, 17, 40])
@torch.no_grad()
def test_the_logits_are_equal(lesson, sizes, n):
    theirs, ours = pair(lesson, **sizes)
    ids = torch.randint(211, (3, n), generator=torch.Generator().manual_seed(n))
    want = theirs(ids).logits
    assert want.std() > 0.5, "the comparison would mean nothing with tiny logits"
    assert (ours(ids)[0] - want).abs().max() < 1e-4 * max(1.0, want.abs().max().item() / 10)


@torch.no_grad()
def test_the_losses_are_equal(lesson):
    theirs, ours = pair(lesson, n_layer=2, n_head=2, n_embd=32)
    ids = torch.randint(211, (2, 20), generator=torch.Generator().manual_seed(1))
    assert ours(ids[:, :-1], ids[:, 1:])[1].item() == pytest.approx(theirs(ids, labels=ids).loss.item(), abs=1e-4)


@torch.no_grad()
def test_greedy_texts_are_equal(lesson):
    theirs, ours = pair(lesson, n_layer=2, n_head=4, n_embd=32)
    ids = torch.randint(211, (2, 5), generator=torch.Generator().manual_seed(2))
    want = theirs.generate(ids, max_new_tokens=20, do_sample=False, pad_token_id=0, eos_token_id=None)
    assert torch.equal(lesson["generate"](ours, ids, 20, 0.0, None, None, torch.Generator()), want)


def test_the_smallest_gpt2_has_its_124_million_parameters(lesson):
    with torch.device("meta"):
        model = lesson["GPT"](lesson["GPTConfig"](50257, 1024, 12, 12, 768))
    assert sum(p.numel() for p in model.parameters()) == 124_439_808
