"""Lesson 06's reference answers: merges against a slow oracle on random texts, ids against tiktoken, flat memory, speed."""

import io
import random
import time
import tracemalloc
from collections import Counter

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from autograde import layout
from autograde.authoring import source
from utils.corpora import load_text
from utils.vocabularies import GPT2_SPLIT, gpt2

LESSON = source.namespace(source.read(layout.source_path("06_tokenization")))
ORACLE = layout.load_module(layout.hidden_path("06_tokenization"), "hidden_06_for_its_oracle")
BPETokenizer, train_bpe = LESSON["BPETokenizer"], LESSON["train_bpe"]

# few letters make ties and overlaps, the others pieces of every kind and characters of one to four bytes
TEXTS = st.one_of(
    st.text("ab", max_size=120),
    st.text("aab ", max_size=200),
    st.text("abc é深👍.9'\n ", max_size=120),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=60),
)
SPECIALS = st.lists(st.sampled_from(["<|a|>", "<|a|><|b|>", "|", "b", "é", "\n\n"]), unique=True, max_size=3)


@settings(max_examples=300, deadline=None)
@given(TEXTS, st.integers(259, 330), SPECIALS)
def test_merges_equal_a_slow_oracle(text, vocab_size, specials):
    assert train_bpe(text, vocab_size, specials) == ORACLE.slow_train(text, vocab_size, specials)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["lo", "low", "lower", "new", "newest", "wide", "st", "é", " "]), max_size=150))
def test_merges_of_words_equal_the_oracle(words):
    text = " ".join(words)
    assert train_bpe(text, 256 + 60) == ORACLE.slow_train(text, 256 + 60)


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS, SPECIALS)
def test_a_trained_tokenizer_gives_every_text_back(training, text, specials):
    tokenizer = BPETokenizer(*train_bpe(training, 300, specials), specials)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert list(tokenizer.encode_iterable(io.StringIO(text, newline=""))) == tokenizer.encode(text)


@pytest.fixture(scope="module")
def both():
    known = gpt2()
    return BPETokenizer(known.vocab, known.merges, known.special_tokens), known.encoding()


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(TEXTS, st.text(st.characters(exclude_categories=["Cs"]), max_size=200), st.text(" \t\n\r\u00a0\u3000x", max_size=40)))
def test_ids_are_tiktokens_on_random_texts(both, text):
    tokenizer, encoding = both
    assert tokenizer.encode(text) == encoding.encode(text, allowed_special="all")


CORPUS = [
    *ORACLE.WIDE,
    *LESSON.get("SAMPLES", {}).values(),
    "I'm you're he'll they've I'd don't it's I'M YOU'RE 'tis ''quoted'' rock'n'roll",
    "ﷺ ﬁne ǅ Ⅻ ²³ ١٢٣ ௧௨ 〇一二三 ㊿ ½⅓",
    "मैं भारत से हूँ। আমি বাংলায় গান গাই தமிழ் తెలుగు ಕನ್ನಡ മലയാളം සිංහල ไทย ລາວ བོད་ မြန်မာ ქართული ខ្មែរ አማርኛ",
    "🏳️‍🌈🏴‍☠️👨‍👩‍👧‍👦🧑🏿‍🚀🇺🇳 ☎️ ♥︎ ©®™ €£¥₹ ∑∫√∞≠≤ →↦⇌ ─│┌┐",
    "#include <stdio.h>\nint main(void) {\n\treturn 0; /* ok */\n}\r\n\r\n\r\nSELECT * FROM t WHERE x <> 'y';\n<div class=\"a\">&nbsp;</div>",
    "\n\n\n   \t \n x\n\n y \u2028\u2029\x0b\x0c\x1c\x85 z  ",
    "a" * 1000,
    "antidisestablishmentarianism Donaudampfschifffahrtsgesellschaftskapitän",
    "e\u0301 vs é, Å vs A\u030a, ﬀ, \u202eright to left\u202c, zero\u200bwidth\u200djoiner\ufeff",
]


@pytest.mark.parametrize("text", CORPUS, ids=range(len(CORPUS)))
def test_ids_are_tiktokens_on_a_wide_corpus(both, text):
    tokenizer, encoding = both
    assert tokenizer.encode(text) == encoding.encode_ordinary(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_a_files_lines_give_the_ids_of_the_file(both):
    tokenizer, encoding = both
    text = load_text(quiet=True).text[:200_000] + "\n\n\n<|endoftext|>\n\n  end\n\n"
    ids = encoding.encode(text, allowed_special="all")
    assert tokenizer.encode(text) == ids == list(tokenizer.encode_iterable(io.StringIO(text)))
    assert tokenizer.decode(ids) == text


def test_lines_without_line_breaks_are_encoded_one_by_one(both):
    tokenizer, _ = both
    lines = ["hello world", "foo bar", "", "baz"]
    assert list(tokenizer.encode_iterable(lines)) == [i for line in lines for i in tokenizer.encode(line)]


def peak_of(tokenizer, lines):
    tracemalloc.start()
    for _ in tokenizer.encode_iterable(lines):
        pass
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


@pytest.mark.slow
def test_memory_of_a_stream_is_flat(both):
    """A stream of ever new words, or one four times as long, takes no more memory than the bounded memory of words needs."""
    tokenizer, _ = both
    for seed, n in (("x", 24_000), ("y", 96_000)):
        lines = (f"a{seed}{i:06} b{seed}{i:06} line {seed}{i:06}\n" for i in range(n))
        assert peak_of(tokenizer, lines) < 3 * 2**20


def test_the_bounded_memory_of_words_is_bounded(both):
    tokenizer, _ = both
    for i in range(20_000):
        tokenizer.encode(f"w{i}")
    assert tokenizer.encode_piece.cache_info().currsize <= 8192


def test_arguments_are_not_changed():
    vocab, merges = train_bpe("low lower lowest", 262, ["<s>"])
    kept = dict(vocab), list(merges)
    tokenizer = BPETokenizer(vocab, merges, ["<s>", "<new>"])
    assert (vocab, merges) == kept
    assert tokenizer.encode("<new>") == [262] and tokenizer.decode([262]) == "<new>"


def test_errors_name_the_argument():
    with pytest.raises(ValueError, match="vocab_size.*100"):
        train_bpe("text", 100)
    with pytest.raises(ValueError, match="ids.*9999"):
        BPETokenizer(*train_bpe("text", 260)).decode([9999])
    with pytest.raises(ValueError, match="max_size.*1"):
        LESSON["build_vocabulary"]([], 1, ("<pad>", "<unk>"))
    with pytest.raises(ValueError, match="text"):
        LESSON["bytes_per_token"]("", list)


def test_wordpiece_is_hugging_faces():
    models = pytest.importorskip("tokenizers").models
    pieces = ["[UNK]", "De", "##ep", "Learn", "L", "##ing", "##in", "##g", "un", "u", "##nit", "##able", "able", "a", "##a", "##e", "##r"]
    oracle = models.WordPiece({piece: i for i, piece in enumerate(pieces)}, unk_token="[UNK]")
    for word in ["Deep", "Learning", "Deeper", "unit", "unable", "aaa", "x", "Learninga", "Leanin"]:
        assert LESSON["wordpiece_encode"](word, pieces) == [token.value for token in oracle.tokenize(word)]


@pytest.mark.slow
@pytest.mark.parametrize("letters", ["a", "abcdefghijklmnopqrstuvwxyz"])
def test_a_megabyte_without_a_space_is_encoded(both, letters):
    """Merges whose number grows with the text: to look through all of it for each would take hours."""
    text = "".join(random.Random(0).choices(letters, k=1_000_000))
    tokenizer, encoding = both
    assert tokenizer.encode(text) == encoding.encode_ordinary(text)


def test_a_token_that_its_merges_do_not_build_is_not_taken(both):
    """(b, c) comes first and uses up the b of abc, so 'abc' is two tokens although it is in the vocabulary."""
    merges = [(b"b", b"c"), (b"a", b"b"), (b"ab", b"c")]
    vocab = dict(enumerate([*(bytes([byte]) for byte in range(256)), b"bc", b"ab", b"abc"]))
    assert BPETokenizer(vocab, merges).encode("abc") == [97, 256]


@settings(max_examples=200, deadline=None)
@given(TEXTS, TEXTS)
def test_ids_equal_those_of_one_merge_at_a_time(training, text):
    vocab, merges = train_bpe(training, 300)
    word = tuple(bytes([byte]) for byte in text.encode())
    for pair in merges:
        word = LESSON["merge_pair"](word, pair)
    tokenizer = BPETokenizer(vocab, merges)
    assert tokenizer.merge_bytes(text.encode()) == [tokenizer.ids[token] for token in word]


@pytest.mark.slow
def test_training_is_as_fast_as_the_compiled_trainer_allows():
    """Within twice the processor time of Hugging Face's trainer (both counted over all threads), at vocabulary 1,024 on a megabyte."""
    tokenizers = pytest.importorskip("tokenizers")
    text = load_text(quiet=True).text[:1_115_394]

    def compiled():
        byte_level = tokenizers.pre_tokenizers.ByteLevel
        trainer = tokenizers.trainers.BpeTrainer(vocab_size=1024, initial_alphabet=byte_level.alphabet(), show_progress=False)
        tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
        tokenizer.pre_tokenizer = byte_level(add_prefix_space=False)
        tokenizer.train_from_iterator([text], trainer)

    def best(work):
        times = []
        for _ in range(3):
            began = time.process_time()
            work()
            times.append(time.process_time() - began)
        return min(times)

    assert best(lambda: train_bpe(text, 1024)) < 2 * best(compiled)


def test_word_counts_match_the_pattern():
    text = load_text(quiet=True).text[:50_000]
    assert "".join(LESSON["GPT2_PATTERN"].findall(text)) == text
    assert Counter(LESSON["GPT2_PATTERN"].findall(text)) == Counter(regex.findall(GPT2_SPLIT, text))
