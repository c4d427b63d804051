"""What lesson 06's text claims of its experiments, and the numbers it works out."""

import pytest

from autograde import layout
from autograde.authoring import source
from tests.claims import every_seed
from utils.vocabularies import gpt2


@pytest.fixture(scope="module")
def lesson():
    return source.namespace(source.read(layout.source_path("06_tokenization")))


def true_order(a, b):
    return "equal" if float(a) == float(b) else "a" if float(a) > float(b) else "b"


@every_seed("06", "compression")
def test_the_first_merges_save_most(run):
    assert run["saved_by_first_64"] > run["saved_by_next_192"]


@every_seed("06", "languages")
def test_georgian_pays_most_and_own_merges_close_the_gap(run):
    assert max((run[key], key) for key in run if key.endswith("times_english") and "own" not in key)[1] == "Georgian.times_english"
    assert 7.5 < run["Georgian.times_english"] < 8.5, "about eight times"
    assert 1.0 <= run["Georgian.bytes_per_gpt2_token"] < 1.05
    assert run["Georgian.own_times_english"] < 1.2
    assert run["Georgian.english_merges_times_own"] > 3, "512 merges of any language are not what helps"


@every_seed("06", "unknown")
def test_the_next_pages_have_new_words(run):
    assert 0.03 < run["running"] < run["different"]
    assert 0.25 < run["forms"] < 0.6, "many, and not most"


def test_only_numerals_with_different_numbers_of_decimals_go_wrong(lesson):
    one, two = [f"9.{i}" for i in range(1, 10)], [f"9.{i}" for i in range(10, 100)]

    def share(left, right):
        wrong = [lesson["compare_by_segments"](a, b) != true_order(a, b) for a in left for b in right]
        return sum(wrong) / len(wrong)

    assert share(one, one) == share(two, two) == 0
    assert 0.4 < share(one, two) < 0.5, "nearly half"


def test_what_the_text_says_of_gpt2s_tokens():
    encoding = gpt2().encoding()

    def pieces(text):
        return [encoding.decode([i]) for i in encoding.encode_ordinary(text)]

    assert pieces("12345") == ["123", "45"]
    assert pieces("9.11") == ["9", ".", "11"] and pieces("9.9") == ["9", ".", "9"]
    assert len(encoding.encode_ordinary("度")) == 2
    assert len(encoding.encode_ordinary("深度学习")) > len(encoding.encode_ordinary("four plain English words"))
    assert pieces("    return")[:3] == [" ", " ", " "]


def test_groups_from_the_right_do_not_line_up_behind_a_point(lesson):
    assert lesson["split_digits"]("3.14159") == ["3", ".", "14", "159"]
    assert lesson["split_digits"]("3.1415") == ["3", ".", "1", "415"]


def test_the_worked_parameters():
    assert 50_257 * 128 == pytest.approx(6.4e6, rel=0.01)
    assert 4 * 12 * 128**2 == pytest.approx(0.8e6, rel=0.02)


def test_half_a_surrogate_pair_is_encoded_as_tiktoken_does(lesson):
    known = gpt2()
    mine = lesson["BPETokenizer"](known.vocab, known.merges)
    for text in ("a\ud83d b", "\udc4d", "\ud83d\udc4d"):
        assert mine.encode(text) == known.encoding().encode_ordinary(text)
        assert list(mine.encode_iterable([text])) == known.encoding().encode_ordinary(text)


def test_the_characters_of_gpt2s_files(lesson):
    table = lesson["printable_bytes"]()
    assert len(set(table.values())) == 256 and sum(ord(c) > 255 for c in table.values()) == 68
    assert "".join(table[byte] for byte in b" learning\n") == "Ġlearning\u010a"
    assert table == dict(enumerate(bytes_as_hugging_face_writes_them()))


def bytes_as_hugging_face_writes_them():
    """Each single byte as the byte-level pre-tokenizer of another library writes it; U+0100 to U+0143 hold the unprintable ones."""
    from tokenizers import pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    unprintable = [b for b in range(256) if chr(b) not in alphabet]
    return [chr(256 + unprintable.index(b)) if b in unprintable else chr(b) for b in range(256)]


def test_a_special_token_in_a_text_is_refused_unless_the_caller_decides(lesson):
    known = gpt2()
    theirs, text = known.encoding(), "Hello <|endoftext|>"
    end = theirs.eot_token
    mine = lesson["BPETokenizer"](known.vocab | {end: b"<|endoftext|>"}, known.merges, ["<|endoftext|>"])
    assert mine.encode(text) == theirs.encode(text, allowed_special={"<|endoftext|>"}) and mine.encode(text)[-1] == end
    assert end not in theirs.encode(text, disallowed_special=())
    with pytest.raises(ValueError, match="endoftext"):
        theirs.encode(text)
