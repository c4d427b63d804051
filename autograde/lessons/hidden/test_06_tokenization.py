"""The hidden checks of lesson 06: other texts, random ones against a slow oracle, and GPT-2 whole against tiktoken."""

import random
from collections import Counter
from functools import lru_cache

import pytest
import regex

from autograde.checking import expect
from autograde.checking.calls import each
from autograde.checking.errors import CheckFailed
from autograde.grader.run.symmetries import Respelt, RespeltTokenizer
from utils.vocabularies import GPT2_SPLIT, gpt2

# Asked through these, an answer is the same: by `grader.run.other_inputs`. Letters of what answers know by name, such as `<unk>`, stay.
SYMMETRIES = {
    **dict.fromkeys(("word_tokenize", "split_digits"), [Respelt(digits=True)]),
    **dict.fromkeys(("pair_counts", "merge_pair"), [Respelt(ordered=True)]),  # who sorts pairs keeps what is right of that
    "bytes_per_token": [Respelt()],
    **dict.fromkeys(("encode_words", "wordpiece_encode"), [Respelt("unk")]),
    "build_vocabulary": [Respelt("unk", ordered=True)],
    "train_bpe": [Respelt("m", ordered=True, first=256)],  # of 'm, which the pattern knows
    "BPETokenizer": [RespeltTokenizer("strevmld")],  # of 's, 're, 'll …, which the pattern knows, too
    "compare_by_segments": [Respelt("abequl", ordered=True, digits=True)],
}


@lru_cache(maxsize=2)
def with_tiktoken(n_merges=None):
    """GPT-2's vocabulary, or that of its first merges, and tiktoken with the same: made once for a class."""
    known = gpt2(n_merges)
    return known, known.encoding()


def as_bytes(text):
    return tuple(bytes([byte]) for byte in text.encode())


def bytes_and(*tokens):
    return dict(enumerate([*(bytes([byte]) for byte in range(256)), *tokens]))


def slow_counts(words):
    """Pair by pair, position by position."""
    counts = {}
    for word, times in words.items():
        for i in range(len(word) - 1):
            counts[word[i], word[i + 1]] = counts.get((word[i], word[i + 1]), 0) + times
    return counts


def slow_merge(word, pair):
    """Written by recursion, so that it shares no index with a loop."""
    if len(word) < 2:
        return tuple(word)
    if word[0] == pair[0] and word[1] == pair[1]:
        return (pair[0] + pair[1], *slow_merge(word[2:], pair))
    return (word[0], *slow_merge(word[1:], pair))


def slow_train(text, vocab_size, special_tokens=()):
    """Obviously right: every occurrence of every pre-token, all counts anew each time."""
    parts = [text]
    for token in sorted(special_tokens, key=len, reverse=True):
        parts = [piece for part in parts for piece in part.split(token)]
    words = Counter(as_bytes(piece) for part in parts for piece in regex.findall(GPT2_SPLIT, part))
    merges = []
    while len(merges) < vocab_size - 256 - len(special_tokens):
        counts = slow_counts(words)
        if not counts:
            break
        most = max(counts.values())
        merges.append(max(pair for pair, times in counts.items() if times == most))
        words = {slow_merge(word, merges[-1]): times for word, times in words.items()}
    tokens = [left + right for left, right in merges] + [token.encode() for token in special_tokens]
    return bytes_and(*tokens), merges


def babble(seed, alphabet, length):
    chosen = random.Random(seed)
    return "".join(chosen.choice(alphabet) for _ in range(length))


def by_hand(tokens, max_size, specials):
    others = sorted(sorted(set(tokens) - set(specials)), key=tokens.count, reverse=True)  # sorting is stable
    return {token: i for i, token in enumerate([*specials, *others][:max_size])}


# 1 · word_tokenize


@pytest.mark.exercise("word_tokenize", weight=2)
@pytest.mark.parametrize("seed", [1, 2])
def test_word_tokenize_on_other_texts(student, seed):
    """Other texts, character by character."""
    text = babble(seed, "abZ9_ \n\t.,!'-é()ß", 120)
    want, run = [], ""
    for character in text + " ":
        if character.isalnum() or character == "_":
            run += character
            continue
        want += [run] * bool(run) + [character] * (not character.isspace())
        run = ""
    expect.equal(student.word_tokenize(text), want, where="a text of letters, digits, underscores and punctuation")


@pytest.mark.exercise("word_tokenize", weight=0.5)
def test_texts_are_taken_as_they_are(student):
    """A letter and its accent may be two characters: they are not composed, and an accent alone is no part of a word."""
    expect.equal(
        student.word_tokenize("cafe\u0301 caf\u00e9"), ["cafe", "\u0301", "caf\u00e9"], where="an accent that is a character of its own"
    )


@pytest.mark.exercise("word_tokenize", weight=0.5)
def test_characters_that_are_not_seen(student):
    """A character without a shape of its own is neither part of a word nor white space: it is a token."""
    text = "a\u200db \x07c\u00ad d\u2066"
    want = ["a", "\u200d", "b", "\x07", "c", "\u00ad", "d", "\u2066"]
    expect.equal(student.word_tokenize(text), want, where="a text with joiners and control characters")


@pytest.mark.exercise("word_tokenize", weight=0.5)
def test_a_long_text_is_cut_to_its_end(student):
    """Thousands of words, many of them again and again."""
    text = " ".join(f"word{i % 700}," for i in range(3000))
    expect.equal(student.word_tokenize(text), [piece for i in range(3000) for piece in (f"word{i % 700}", ",")], where="3,000 words")


# 2 · build_vocabulary


@pytest.mark.exercise("build_vocabulary", weight=2)
@pytest.mark.parametrize(
    "seed, max_size, specials",
    [
        (3, 9, ("<unk>",)),
        (4, 6, ("<s>", "<unk>", "a")),
        pytest.param(5, 3, ("<x>", "<y>", "<unk>"), marks=pytest.mark.trivial),
        (6, 100, ()),
    ],
)
def test_vocabularies_of_random_tokens(student, seed, max_size, specials):
    """Random tokens with many ties, several sets of special tokens."""
    tokens = list(babble(seed, "aaabbcdefgh", 60))
    expect.equal(
        student.build_vocabulary(tokens, max_size, specials),
        by_hand(tokens, max_size, specials),
        where=f"{len(specials)} special tokens and max_size {max_size}",
    )


@pytest.mark.exercise("build_vocabulary", weight=0.5)
def test_ties_in_pythons_order(student):
    """Among tokens that occur as often, capitals stand before small letters and digits before both."""
    tokens = "beta Zeta alpha 9 Alpha zeta é".split()
    expect.equal(student.build_vocabulary(tokens, 9, ("<unk>",)), by_hand(tokens, 9, ["<unk>"]), where="seven tokens that occur once")


@pytest.mark.exercise("build_vocabulary", weight=0.5)
@pytest.mark.trivial
def test_no_tokens_at_all(student):
    """Without tokens only the special ones are left."""
    expect.equal(student.build_vocabulary([], 5, ("<unk>", "<pad>")), {"<unk>": 0, "<pad>": 1}, where="no tokens")


@pytest.mark.exercise("build_vocabulary", weight=0.5)
def test_every_text_has_its_own_vocabulary(student):
    """Two texts of as many words, one after the other; the words are left alone."""
    for tokens, special in ((["b", "a", "b"], "<unk>"), (["c", "c", "d"], "<unk>"), (["c", "c", "d"], "<pad>")):
        expect.equal(
            student.build_vocabulary(list(tokens), 9, (special,)),
            by_hand(tokens, 9, [special]),
            where="one of several texts of three words",
        )
    expect.inputs_unchanged(student, student.build_vocabulary, ["b", "a", "b"], 9, ["<unk>", "<s>"])


@pytest.mark.exercise("build_vocabulary", weight=0.5)
def test_tokens_that_can_be_read_once(student):
    """Tokens from an iterator, hundreds of different ones, most of which occur once."""
    tokens = [f"w{i * i % 611}" for i in range(400)] + ["often"] * 5
    got = student.build_vocabulary(iter(tokens), 1000, ("<unk>",))
    expect.equal(got, by_hand(tokens, 1000, ["<unk>"]), where="an iterator of 405 tokens")


# 3 · encode_words


@pytest.mark.exercise("encode_words", weight=1)
def test_unknown_words_anywhere(student):
    """Only unknown words, and <unk> in the text itself."""
    vocabulary = {"b": 4, "a": 9, "<unk>": 7}
    expect.equal(student.encode_words(["x", "<unk>", "a", "X", "b"], vocabulary), [7, 7, 9, 7, 4], where="ids with gaps")


@pytest.mark.exercise("encode_words", weight=0.5)
def test_every_text_has_its_own_ids(student):
    """Two texts of as many words, one after the other."""
    for tokens, want in ((["a", "b"], [1, 2]), (["b", "z"], [2, 0])):
        expect.equal(student.encode_words(tokens, {"<unk>": 0, "a": 1, "b": 2}), want, where="one of two texts of two words")
    expect.equal(student.encode_words(["b", "z"], {"<unk>": 2, "z": 0, "a": 1}), [2, 0], where="another vocabulary of three words")
    expect.inputs_unchanged(student, student.encode_words, ["a", "b"], {"<unk>": 0, "a": 1})


@pytest.mark.exercise("encode_words", weight=0.5)
def test_words_in_capitals_and_the_id_0(student):
    """A word in other letters is another word; the id 0 may be a word's; tokens may come from an iterator."""
    vocabulary = {"the": 0, "cat": 1, "<unk>": 2}
    expect.equal(student.encode_words(iter(["the", "The", "cat"]), vocabulary), [0, 2, 1], where="a vocabulary whose id 0 is a word")


# 4 · wordpiece_encode


def greedy(word, pieces):
    """The definition, by recursion on what is left."""

    def rest(left, prefix):
        if not left:
            return []
        for n in range(len(left), 0, -1):
            if prefix + left[:n] in pieces:
                after = rest(left[n:], "##")
                return None if after is None else [prefix + left[:n], *after]
        return None

    return rest(word, "")


@pytest.mark.exercise("wordpiece_encode", weight=2)
@pytest.mark.parametrize("seed", [11, 12, 13])
def test_wordpiece_with_random_vocabularies(student, seed):
    """Random vocabularies of short pieces, words that fit and words that do not."""
    chosen = random.Random(seed)
    pieces = {chosen.choice(["", "##"]) + babble(chosen.random(), "abc", chosen.randint(1, 3)): i for i in range(16)}
    for n in range(14):
        word = babble(seed * 100 + n, "abc", n % 7)
        want = greedy(word, pieces)
        expect.equal(student.wordpiece_encode(word, pieces, "?"), ["?"] if want is None else want, where="a random word and vocabulary")


@pytest.mark.exercise("wordpiece_encode", weight=0.5)
def test_a_word_of_two_hundred_letters(student):
    """A word is unknown only where it cannot be cut, however long it is."""
    expect.equal(student.wordpiece_encode("ab" * 100, {"ab", "##ab", "##b"}), ["ab"] + ["##ab"] * 99, where="a word of 200 letters")


@pytest.mark.exercise("wordpiece_encode", weight=0.5)
@pytest.mark.trivial
def test_the_vocabulary_is_left_alone(student):
    """The vocabulary is as it was after the call."""
    expect.inputs_unchanged(student, student.wordpiece_encode, "abc", {"a": 0, "##bc": 1}, "[UNK]")


@pytest.mark.exercise("wordpiece_encode", weight=0.5)
def test_long_words_and_long_pieces(student):
    """A word of 64 letters, and pieces of 30."""
    pieces = {"a" * 30: 0, "##" + "b" * 30: 1, "##c": 2}
    word = "a" * 30 + "b" * 30 + "cccc"
    expect.equal(student.wordpiece_encode(word, pieces), ["a" * 30, "##" + "b" * 30, *["##c"] * 4], where="a word of 64 letters")
    others = {"a" * 30: 0, "##" + "b" * 30: 1, "##cc": 2}
    expect.equal(student.wordpiece_encode(word, others), ["a" * 30, "##" + "b" * 30, "##cc", "##cc"], where="another list of three pieces")


# 5 · pair_counts, 6 · merge_pair


@pytest.mark.exercise("pair_counts", weight=2)
@pytest.mark.parametrize("seed", [21, 22])
def test_counts_of_random_words(student, seed):
    """Random words over few symbols, with counts."""
    chosen = random.Random(seed)
    words = {
        tuple(chosen.choice([b"a", b"b", b"ab", b"\xc3"]) for _ in range(chosen.randint(0, 6))): chosen.randint(1, 50) for _ in range(25)
    }
    expect.equal(student.pair_counts(words), slow_counts(words), where="25 random words")


@pytest.mark.exercise("pair_counts", weight=0.5)
@pytest.mark.trivial
def test_no_words_no_pairs(student):
    """No words have no pairs."""
    expect.equal(student.pair_counts({}), {}, where="no words")


@pytest.mark.exercise("merge_pair", weight=2)
@pytest.mark.parametrize("pair", [(b"a", b"a"), (b"a", b"b"), (b"aa", b"a"), (b"b", b"ab")])
def test_merging_in_random_words(student, pair):
    """Random words over few symbols."""
    chosen = random.Random(31)
    for n in range(12):
        word = tuple(chosen.choice([b"a", b"b", b"aa", b"ab"]) for _ in range(n))
        expect.equal(student.merge_pair(word, pair), slow_merge(word, pair), where=f"a random word of {n} symbols")


@pytest.mark.exercise("merge_pair", weight=1)
@pytest.mark.parametrize("gap", [b" ", b"\n", b"\t", b" \n", b"\x1f"])
def test_white_space_is_a_symbol_like_others(student, gap):
    """Symbols of white space are kept, and merged like any other."""
    word = (gap, b"t", b"h", gap, gap, b"t")
    expect.equal(student.merge_pair(word, (b"t", b"h")), (gap, b"th", gap, gap, b"t"), where="a pair between symbols of white space")
    expect.equal(student.merge_pair(word, (gap, b"t")), (gap + b"t", b"h", gap, gap + b"t"), where="a pair that begins with white space")
    expect.equal(student.merge_pair(word, (gap, gap)), (gap, b"t", b"h", gap + gap, b"t"), where="a pair of white space")


# 7 · train_bpe


@pytest.mark.exercise("train_bpe", weight=3)
@pytest.mark.parametrize("seed, alphabet, length", [(41, "ab ", 200), (42, "aab", 150), (43, "abc é深.9", 300), (44, "the cat\n sat", 400)])
def test_training_against_an_oracle(student, seed, alphabet, length):
    """Random texts with many ties and repeated letters: merges and ids of a slow, obviously right program."""
    text = babble(seed, alphabet, length)
    expect.equal(student.train_bpe(text, 290), slow_train(text, 290), where=f"a random text of {length} characters")


@pytest.mark.exercise("train_bpe", weight=2)
@pytest.mark.parametrize("specials", [["<|a|>"], ["|", "|>", "|><"], ["[a-c]", "a*"]])
def test_training_with_other_special_tokens(student, specials):
    """Special tokens that begin alike, or look like regular expressions."""
    chosen = random.Random(51)
    text = "".join(chosen.choice(["a", "b", "c", " ab", *specials]) for _ in range(150))
    expect.equal(student.train_bpe(text, 275, specials), slow_train(text, 275, specials), where=f"{len(specials)} special tokens")


@pytest.mark.exercise("train_bpe", weight=1)
def test_vocabularies_without_merges(student):
    """No room for merges, and an empty text."""
    expect.equal(student.train_bpe("abc abc", 257, ["<s>"]), (bytes_and(b"<s>"), []), where="256 bytes and one special token")
    expect.equal(student.train_bpe("", 400, ["<s>"]), (bytes_and(b"<s>"), []), where="an empty text")


NINE_CHARACTERS = (  # a text, its number of ids, its special tokens
    ("abab abab", 260),
    ("cdcd dcdc", 260),
    ("cdcd dcdc", 259),
    ("cdcd dcdc", 259, "<s>"),
    ("cdcd dcdc", 259, "d d"),
)


@pytest.mark.exercise("train_bpe", weight=0.5)
def test_every_text_has_its_own_merges(student):
    """Texts of as many characters, one after the other; one text with other numbers of ids, and with other special tokens."""
    for text, size, *specials in NINE_CHARACTERS:
        want = slow_train(text, size, specials)
        expect.equal(student.train_bpe(text, size, specials), want, where=f"a text of nine characters, {size} ids")


@pytest.mark.exercise("train_bpe", weight=0.5)
@pytest.mark.trivial
def test_a_vocabulary_needs_room_for_the_bytes(student):
    """No room for the 256 bytes and the special tokens: a ValueError."""
    for vocab_size, specials in ((255, ()), (257, ("<a>", "<b>")), (0, ())):
        where = f"vocab_size {vocab_size} with {len(specials)} special tokens"
        expect.raises(ValueError, student.train_bpe, "abab", vocab_size, specials, where=where)


@pytest.mark.exercise("train_bpe", weight=0.5)
def test_training_on_a_longer_text(student):
    """Thousands of characters, capitals among them: the end of the text counts as much as its beginning."""
    text = babble(45, "aAbB ", 1500) + babble(46, "cCdD ", 2500)
    expect.equal(student.train_bpe(text, 270), slow_train(text, 270), where="a random text of 4,000 characters, with capitals")


# 8 · BPETokenizer

WIDE = [
    "Hello, world! It's 2024; we've 9.11 and 9.9, they'll DON'T o'clock.",
    "  leading, trailing  \n\n\n three newlines \t\ttabs \r\n windows   ",
    "def tokenise(self, text: str) -> list[int]:\n    return [self.ids[t] for t in text]  # café\n",
    "Größe, naïve, façade, smörgåsbord, Ελληνικά, Русский язык, עברית, العربية, हिन्दी, ไทย",
    "深度学习很有趣。日本語のテキスト、한국어 문장",
    "👍🏽👩‍👩‍👧‍👦🇬🇷 ½ Ⅷ ٣٤ e\u0301 \u200b\u00a0\u3000 \ufeff",
    "SCREAMING snake_case camelCase http://example.org/?q=1&r=%20 a/b\\c",
    "x" * 60 + " " + "ab" * 40 + " 12345678901234567890",
]


@pytest.mark.exercise("BPETokenizer", weight=4)
def test_all_of_gpt2(student):
    """With all of GPT-2's merges the ids are tiktoken's, in many languages, emoji, code and white space, and decoding gives the text back."""
    known, oracle = with_tiktoken()
    made = student.BPETokenizer(dict(known.vocab), list(known.merges), ["<|endoftext|>"])
    for i, text in enumerate(WIDE):
        expect.equal(made.encode(text), oracle.encode_ordinary(text), where=f"text {i} of the corpus")
        expect.equal(made.decode(oracle.encode_ordinary(text)), text, where=f"the ids of text {i}")
    text = "<|endoftext|>".join(WIDE)
    expect.equal(made.encode(text), oracle.encode(text, allowed_special="all"), where="all texts with special tokens between them")


@pytest.mark.exercise("BPETokenizer", weight=1.5)
def test_ids_and_merges_are_what_is_given(student):
    """Ids come from the vocabulary and the order from the merges, whatever the ids are."""
    merges = [(b"l", b"o"), (b"o", b"w"), (b"lo", b"w"), (b" ", b"low"), (b"e", b"r")]
    tokens = [bytes([byte]) for byte in range(256)] + [left + right for left, right in merges]
    vocab = {1000 - 3 * i: token for i, token in enumerate(tokens)}
    made, ids = student.BPETokenizer(vocab, merges), {token: i for i, token in vocab.items()}
    want = [ids[token] for token in (b"low", b" low", b"er", b" ", b"lo", b" ", b"ow")]
    expect.equal(made.encode("low lower lo ow"), want, where="ids that fall as the merges go on")
    expect.equal(made.decode(want), "low lower lo ow", where="such ids")
    made = student.BPETokenizer(bytes_and(b"bc", b"ab", b"abc"), [(b"b", b"c"), (b"a", b"b"), (b"ab", b"c")])
    expect.equal(made.encode("abc"), [97, 256], where="'abc', whose b the first merge uses up, though 'abc' is in the vocabulary")


@pytest.mark.exercise("BPETokenizer", weight=1)
def test_decoding_random_bytes(student):
    """Any bytes decode, as Python decodes them with errors='replace'."""
    made = student.BPETokenizer(bytes_and(), [])
    for seed in range(20):
        ids = [random.Random(seed * 7 + i).choice([32, 97, 195, 169, 230, 183, 177, 240, 159, 145, 141, 255]) for i in range(12)]
        expect.equal(made.decode(ids), bytes(ids).decode("utf-8", errors="replace"), where="twelve random bytes")
    expect.equal(made.decode([]), "", where="no ids")


@pytest.mark.exercise("BPETokenizer", weight=0.5)
@pytest.mark.parametrize("unknown", [256, 4000, -1])
def test_ids_that_the_vocabulary_lacks(student, unknown):
    """An id that the vocabulary does not have is an error when it is decoded, and is not left out."""
    made, where = student.BPETokenizer(bytes_and(), []), f"the ids 104, {unknown} and 105 of a vocabulary of the 256 bytes"
    expect.equal(made.decode([104, 105]), "hi", where="the ids 104 and 105")
    try:
        expect.raises(LookupError, made.decode, [104, unknown, 105], where=where)
    except CheckFailed:
        expect.raises(ValueError, made.decode, [104, unknown, 105], where=where)


@pytest.mark.exercise("BPETokenizer", weight=1.5)
def test_special_tokens_in_hard_places(student):
    """Special tokens at both ends, repeated, looking like a regular expression, and given shortest first."""
    made = student.BPETokenizer(bytes_and(b"(x)+", b"(x)", b"(x)+$"), [], ["(x)", "(x)+$", "(x)+"])
    ids = made.encode("(x)+$(x)+(x)a(x)(x)")
    expect.equal(ids, [258, 256, 257, 97, 257, 257], where="three special tokens that begin alike")
    expect.equal(made.decode(ids), "(x)+$(x)+(x)a(x)(x)", where="the ids of special tokens")
    plain = student.BPETokenizer(bytes_and(b"aa"), [(b"a", b"a")])
    expect.equal(plain.encode("aa<|x|>"), [256, *b"<|x|>"], where="what looks like a special token and is none")


@pytest.mark.exercise("BPETokenizer", weight=1)
def test_what_a_tokenizer_is_given(student):
    """Special tokens get free ids also where a vocabulary has gaps; ids may be read once; the caller's lists stay as they are."""
    made = student.BPETokenizer({2 * byte: bytes([byte]) for byte in range(256)}, [], ["<|a|>", "<|long|>"])
    text = "<|a|>\u0080\u0081<|long|>"
    expect.equal(made.decode(made.encode(text)), text, where="a vocabulary of even ids and two special tokens")
    expect.equal(made.decode(iter([2 * 104, 2 * 105])), "hi", where="ids that can be read once")
    expect.inputs_unchanged(student, student.BPETokenizer, bytes_and(b"lo"), [(b"l", b"o")], ["<|a|>", "<|long|>"])


@pytest.mark.exercise("BPETokenizer", weight=1)
def test_streams_are_read_lazily(student):
    """encode_iterable begins to give ids of a long stream before it has read it, and takes any iterator."""
    made = student.BPETokenizer(bytes_and(b"ab"), [(b"a", b"b")])
    read = []  # a stream that ends, so that a program that reads it all fails and does not fill the memory

    def stream():
        for i in range(5000):
            read.append(i)
            yield "ab\n"

    ids = iter(made.encode_iterable(stream()))
    expect.equal([next(ids) for _ in range(5)], [256, 10, 256, 10, 256], where="a long stream of lines")
    expect.true(len(read) <= 20, "encode_iterable reads far ahead")
    expect.equal(list(made.encode_iterable(iter([]))), [], where="no lines")


@pytest.mark.exercise("BPETokenizer", weight=0.5)
def test_words_that_begin_alike(student):
    """Words of one length with the same beginning, and the same word again."""
    known, oracle = with_tiktoken(3000)
    made = student.BPETokenizer(dict(known.vocab), list(known.merges))
    for text in ("there these theme thens there", " station stating statics", "HELLO Hello hello", "0001 0002 00010002"):
        expect.equal(made.encode(text), oracle.encode_ordinary(text), where="words that begin alike")


# 9 to 11


@pytest.mark.exercise("bytes_per_token", weight=1)
def test_bytes_per_token_of_other_scripts(student):
    """UTF-8 bytes over tokens, with another tokenizer."""
    expect.close(student.bytes_per_token("深度学习 👍", list), 17 / 6, where="characters as tokens")
    expect.close(student.bytes_per_token("aaaa", lambda text: [0]), 4.0, where="one token")


@pytest.mark.exercise("bytes_per_token", weight=0.5)
def test_white_space_has_bytes(student):
    """White space at both ends of a text counts."""
    expect.close(
        student.bytes_per_token("  ab\n\n", lambda text: [1, 2, 3]), 2.0, where="six bytes in three tokens, four of them white space"
    )


@pytest.mark.exercise("bytes_per_token", weight=0.5)
def test_every_text_is_counted(student):
    """Two texts of as many characters, one after the other."""
    expect.close(student.bytes_per_token("aaaa", list), 1.0, where="four letters")
    expect.close(student.bytes_per_token("éééé", list), 2.0, where="four letters with accents")
    expect.close(student.bytes_per_token("e\u0301e\u0301", list), 1.5, where="two letters, each followed by an accent of its own")


@pytest.mark.exercise("compare_by_segments", weight=2)
def test_all_pairs_of_segments(student):
    """All pairs of twelve numerals, with leading zeros among them."""
    numerals = [(a, b) for a in (3, 12) for b in ("0", "1", "05", "5", "10", "007")]
    pairs = [(a, b) for a in numerals for b in numerals]
    got = each(student.compare_by_segments, [(f"{a[0]}.{a[1]}", f"{b[0]}.{b[1]}") for a, b in pairs])
    for (a, b), larger in zip(pairs, got):
        one, other = (a[0], int(a[1])), (b[0], int(b[1]))
        want = "equal" if one == other else "a" if one > other else "b"
        expect.equal(larger, want, where="two numerals with two segments")


@pytest.mark.exercise("compare_by_segments", weight=1)
def test_three_segments(student):
    """Versions have three segments and follow the same rule."""
    expect.equal(student.compare_by_segments("1.10.2", "1.9.30"), "a", where="versions that differ in the second segment")
    expect.equal(student.compare_by_segments("2.0.9", "2.0.11"), "b", where="versions that differ in the third segment")
    expect.equal(student.compare_by_segments("2.9.9", "3.1"), "b", where="a version with more segments that is the smaller one")


@pytest.mark.exercise("split_digits", weight=2)
@pytest.mark.parametrize("n", range(1, 11))
def test_runs_of_every_length(student, n):
    """Every length of a run, alone and between other characters."""
    run = "9876543210"[:n]
    groups = f"{int(run):,}".split(",")
    expect.equal(student.split_digits(run), groups, where=f"{n} digits")
    expect.equal(student.split_digits(f"a {run}, {run}\n"), ["a ", *groups, ", ", *groups, "\n"], where=f"{n} digits, twice")


@pytest.mark.exercise("split_digits", weight=0.5)
def test_signs_and_points_are_no_digits(student):
    """What stands before a run of digits changes nothing: groups are counted from the run's right end."""
    expect.equal(student.split_digits("3.14159"), ["3", ".", "14", "159"], where="five digits behind a point")
    expect.equal(student.split_digits("-1234, 7-12345"), ["-", "1", "234", ", ", "7", "-", "12", "345"], where="digits behind a minus")


@pytest.mark.exercise("split_digits", weight=0.5)
def test_leading_zeros_stay(student):
    """Zeros are digits like others."""
    expect.equal(student.split_digits("0001000"), ["0", "001", "000"], where="a run that begins with zeros")


# Stretch · fast_train_bpe


@pytest.mark.exercise("fast_train_bpe", weight=0.5)
def test_every_text_has_its_own_fast_merges(student):
    """Texts of as many characters, one after the other; one text with other numbers of ids, and with other special tokens."""
    for text, size, *specials in NINE_CHARACTERS:
        want = slow_train(text, size, specials)
        expect.equal(student.fast_train_bpe(text, size, specials), want, where=f"a text of nine characters, {size} ids")
    expect.inputs_unchanged(student, student.fast_train_bpe, "abab<s>ab", 259, ["<s>", "<t>"])
