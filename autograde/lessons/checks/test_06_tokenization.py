"""The public checks of lesson 06: students have this file too.

Expected values are worked out by hand, or come from tiktoken with the same merges.
"""

import time
from functools import lru_cache
from pydoc_data.topics import topics

import pytest
import regex

from autograde.checking import expect
from utils.vocabularies import GPT2_SPLIT, gpt2

LECTURE = "The FBI is chasing a criminal on the run ."
SPEECH = "It's 9.9!  Deep_Learning (2024)...\n\tis `naïve`, isn't it?"
COUNTS = {"deep": 4, "deeper": 1, "keep": 3, "sleep": 2}
PIECES = dict.fromkeys(["De", "##ep", "Learn", "L", "##ing", "##in", "##g", "un", "u", "##nit", "##able", "able", "a", "##a", "ing"], 7)
CUTS = dict.fromkeys(
    "abc ##de a ##b ##cde vwx ##y ##z vw ##xyz kl ##m ##no k ##lmn ##o".split(), 3
)  # several ways to cut each of three words
SHELLS = "she sells sea shells by the sea shore; the shells she sells are sea shells, I'm sure."
LONG = f"{'la' * 50} banana statistics: ½ Ⅷ\r\nline"  # long words, the same pair at many places, signs that have another form
DOCUMENTS = "one two<|end|>two one<|end|>two two<|pad|>"
MIXED = "Deep learning: déjà vu, 深度学习 9.11 > 9.9? I'll say  no.\n\n"


def as_bytes(text):
    """A word of single bytes."""
    return tuple(bytes([byte]) for byte in text.encode())


def words(counts):
    return {as_bytes(word): times for word, times in counts.items()}


def bytes_and(*tokens):
    """A vocabulary of the 256 bytes, then `tokens`."""
    return dict(enumerate([*(bytes([byte]) for byte in range(256)), *tokens]))


@lru_cache(maxsize=1)
def small_gpt2():
    """GPT-2's first 1,200 merges, and tiktoken with the same."""
    known = gpt2(1200)
    return known, known.encoding()


def tokenizer(student, special_tokens=("<|endoftext|>",)):
    known, _ = small_gpt2()
    return student.BPETokenizer(dict(known.vocab), list(known.merges), list(special_tokens))


def probe_tokenizer(student):
    """Ids with overlapping merges and special tokens, invalid bytes, and a stream of lines."""
    vocab = bytes_and(b"bc", b"ab", b"abbc", b"c ", b"<|a|>", b"<|a|><|b|>")
    merges = [(b"b", b"c"), (b"a", b"b"), (b"ab", b"bc"), (b"c", b" ")]
    made = student.BPETokenizer(vocab, merges, ["<|a|>", "<|a|><|b|>"])
    ids = made.encode("abc abbc<|a|>ab<|a|><|b|>c aab c bbc")
    return [
        ids,
        made.decode([195, 169, 32, 0xE6, 97, 258]),
        list(made.encode_iterable(["abc ab\n", "bc"])),
        tokenizer(student).encode(MIXED),
    ]


PROBES = {
    "word_tokenize": lambda student: student.word_tokenize(SPEECH),
    "build_vocabulary": lambda student: student.build_vocabulary(
        "e c f a c <pad> b d a b z a <pad> <pad> <pad> z z z z".split(), 7, ("<unk>", "<pad>")
    ),
    "encode_words": lambda student: student.encode_words(["b", "?", "a", "<pad>", "!"], {"<pad>": 0, "<unk>": 1, "a": 2, "b": 3}),
    "wordpiece_encode": lambda student: [
        *(student.wordpiece_encode(w, PIECES, "?") for w in ("Deep", "Learning", "unit", "unable", "Deepx", "ing", "aaa")),
        *(student.wordpiece_encode(w, CUTS, "?") for w in ("abcde", "vwxyz", "klmno")),
    ],
    "pair_counts": lambda student: student.pair_counts(words({**COUNTS, "aaa": 5, "b": 7, "cccc": 3})),
    "merge_pair": lambda student: (
        [student.merge_pair(as_bytes(w), (b"a", b"b")) for w in ("abcab", "aab", "ba", "")]
        + [student.merge_pair(as_bytes("aaaaa"), (b"a", b"a")), student.merge_pair((b"a", b"bc", b"ab", b"c"), (b"ab", b"c"))]
        + [student.merge_pair((b"ca", b"b"), (b"a", b"b"))]
    ),
    "train_bpe": lambda student: [
        _learned(student.train_bpe(*a))
        for a in (
            (SHELLS, 268),
            (DOCUMENTS, 261, ["<|end|>", "<|pad|>"]),
            ("naïve  naïve 12 12", 270),
            ("a<b>a<b>wow a<b>wow", 261, ["<b>", "<b>wow"]),
        )
    ],
    "BPETokenizer": probe_tokenizer,
    "bytes_per_token": lambda student: [
        student.bytes_per_token(*told)
        for told in (("Größe, naïve", lambda text: list(text)[:7]), ("Ü und 7 Ä, 深度", lambda text: list(text)[:4]))
    ],
    "compare_by_segments": lambda student: [
        student.compare_by_segments(*p)
        for p in (
            ("9.9", "9.11"),
            ("9.11", "9.9"),
            ("10.2", "9.30"),
            ("3.5", "3.05"),
            ("2.50", "2.5"),
            ("20.1", "3.4"),
            ("8.7", "9.7"),
            ("9.9", "9.8"),
            ("7.4", "7.4"),
        )
    ],
    "split_digits": lambda student: [student.split_digits(t) for t in ("12345", "pay 1234.50 or 123456", "no", "7x89")],
    "fast_train_bpe": lambda student: _learned(student.fast_train_bpe(SHELLS, 268)),
}


def _learned(result):
    vocab, merges = result
    return [merges, {i: token for i, token in vocab.items() if i >= 250}]


# 1 · word_tokenize


@pytest.mark.exercise("word_tokenize", weight=2)
@pytest.mark.parametrize(
    "text, want",
    [
        ("It's 9.9!", ["It", "'", "s", "9", ".", "9", "!"]),
        pytest.param(LECTURE, LECTURE.split(), marks=pytest.mark.trivial),  # cutting at white space is enough here
        ("wait...what?! (snake_case)", ["wait", ".", ".", ".", "what", "?", "!", "(", "snake_case", ")"]),
        ("GPT2, a 3D 1_000?", ["GPT2", ",", "a", "3D", "1_000", "?"]),
    ],
)
def test_words_and_single_other_characters(student, text, want):
    r"""Runs of \w are words; every other character that is not white space is a token of its own."""
    expect.equal(student.word_tokenize(text), want, where=repr(text))


@pytest.mark.exercise("word_tokenize", weight=1)
def test_words_of_other_languages(student):
    r"""\w knows the letters of all languages."""
    expect.equal(student.word_tokenize("Größe, déjà-vu"), ["Größe", ",", "déjà", "-", "vu"], where="'Größe, déjà-vu'")


@pytest.mark.exercise("word_tokenize", weight=0.5)
def test_white_space_is_no_token(student):
    """White space of any kind only separates; an empty text has no tokens."""
    expect.equal(student.word_tokenize(" a\t b\n\nc "), ["a", "b", "c"], where="' a\\t b\\n\\nc '")
    expect.equal(student.word_tokenize(""), [], where="the empty text")


# 2 · build_vocabulary

QUESTION = "to be or not to be , that is the question".split()


@pytest.mark.exercise("build_vocabulary", weight=2)
def test_the_worked_vocabulary(student):
    """'to be or not to be , that is the question' with max_size 4."""
    expect.equal(student.build_vocabulary(QUESTION, 4), {"<unk>": 0, "be": 1, "to": 2, ",": 3}, where="the worked example")


@pytest.mark.exercise("build_vocabulary", weight=1.5)
def test_falling_count_then_alphabet(student):
    """Frequent tokens first, equally frequent ones alphabetically."""
    want = {"<unk>": 0, "b": 1, "d": 2, "a": 3, "c": 4, "e": 5}
    expect.equal(student.build_vocabulary("e c d b a b d b".split(), 9), want, where="'e c d b a b d b'")
    expect.equal(student.build_vocabulary("e c d b a b d b".split(), 3), {"<unk>": 0, "b": 1, "d": 2}, where="the same, max_size 3")


@pytest.mark.exercise("build_vocabulary", weight=1.5)
def test_special_tokens_come_first_and_once(student):
    """Special tokens have the first ids, count for max_size, and are not repeated when they occur in the text."""
    text = "x <unk> y x <unk> <unk> z"
    got = student.build_vocabulary(text.split(), 4, ("<unk>", "<pad>"))
    expect.equal(got, {"<unk>": 0, "<pad>": 1, "x": 2, "y": 3}, where=f"{text!r}, <unk> and <pad> as special tokens, max_size 4")
    got = student.build_vocabulary(text.split(), 2, ("<s>", "<pad>"))
    expect.equal(got, {"<s>": 0, "<pad>": 1}, where="the same, <s> and <pad> as special tokens, max_size 2")


# 3 · encode_words


@pytest.mark.exercise("encode_words", weight=2)
def test_unknown_words_get_the_id_of_unk(student):
    """A token that is not in the vocabulary gets the id of <unk>, wherever that stands."""
    vocabulary = {"<pad>": 0, "the": 1, "<unk>": 2, "run": 3}
    expect.equal(student.encode_words("the long run".split(), dict(vocabulary)), [1, 2, 3], where="'the long run'")
    expect.inputs_unchanged(student, student.encode_words, "the long run".split(), vocabulary)
    expect.equal(student.encode_words([], vocabulary), [], where="no tokens")
    expect.equal(student.encode_words("The run".split(), vocabulary), [2, 3], where="'The run', where only 'the' is known")
    expect.equal(student.encode_words(["run", "far"], {"run": 0, "<unk>": 1}), [0, 1], where="a vocabulary in which 'run' has the id 0")


# 4 · wordpiece_encode


@pytest.mark.exercise("wordpiece_encode", weight=2)
@pytest.mark.parametrize(
    "word, want",
    [
        ("Deep", ["De", "##ep"]),
        ("Learning", ["Learn", "##ing"]),
        *(pytest.param(word, [word], marks=pytest.mark.trivial) for word in ("Learn", "able")),  # looking it up is enough
        ("aaa", ["a", "##a", "##a"]),
        pytest.param("", [], marks=pytest.mark.trivial),
    ],
)
def test_the_longest_piece_first(student, word, want):
    """The longest piece that fits, then the longest of the rest with ## in front."""
    expect.equal(student.wordpiece_encode(word, PIECES), want, where=repr(word))


@pytest.mark.exercise("wordpiece_encode", weight=1.5)
@pytest.mark.trivial
@pytest.mark.parametrize("word", ["Deeper", "unit", "xyz", "ep", "DeLearn"])
def test_a_word_that_does_not_fit_is_unknown(student, word):
    """If some rest fits no piece, the whole word is unknown; nothing is taken back."""
    expect.equal(student.wordpiece_encode(word, PIECES), ["[UNK]"], where=f"{word!r}, which cannot be cut greedily")


@pytest.mark.exercise("wordpiece_encode", weight=0.5)
@pytest.mark.trivial
def test_the_name_of_the_unknown_piece(student):
    """`unknown` is what an unknown word becomes."""
    expect.equal(student.wordpiece_encode("Leo", PIECES, "<unk>"), ["<unk>"], where="unknown='<unk>'")


# 5 · pair_counts


@pytest.mark.exercise("pair_counts", weight=2)
def test_the_worked_counts(student):
    """deep 4, deeper 1, keep 3, sleep 2: (e, e) and (e, p) occur ten times each."""
    want = {"de": 5, "ee": 10, "ep": 10, "pe": 1, "er": 1, "ke": 3, "sl": 2, "le": 2}
    expect.equal(student.pair_counts(words(COUNTS)), {as_bytes(pair): times for pair, times in want.items()}, where="the worked example")


@pytest.mark.exercise("pair_counts", weight=1.5)
def test_every_place_of_a_pair_counts(student):
    """A pair at several places of one word counts at each, times the word's count; single symbols have no pair."""
    want = {(b"a", b"a"): 2 * 3 + 5, (b"a", b"b"): 5}
    given = {as_bytes("aaa"): 3, as_bytes("aab"): 5, (b"c",): 7, (): 2}
    expect.equal(student.pair_counts(dict(given)), want, where="aaa 3 times, aab 5 times, c 7 times")
    expect.inputs_unchanged(student, student.pair_counts, given)


@pytest.mark.exercise("pair_counts", weight=1)
@pytest.mark.trivial
def test_symbols_may_be_long(student):
    """Symbols of several bytes are symbols; (ab, c) and (a, bc) are different pairs."""
    want = {(b"ab", b"c"): 2, (b"a", b"bc"): 3}
    expect.equal(student.pair_counts({(b"ab", b"c"): 2, (b"a", b"bc"): 3}), want, where="(ab, c) twice and (a, bc) three times")


# 6 · merge_pair


@pytest.mark.exercise("merge_pair", weight=2)
@pytest.mark.parametrize(
    "word, want",
    [
        ("abcab", (b"ab", b"c", b"ab")),
        ("aab", (b"a", b"ab")),
        ("cab", (b"c", b"ab")),
        ("bab", (b"b", b"ab")),
        *(pytest.param(word, as_bytes(word), marks=pytest.mark.trivial) for word in ("bca", "a", "")),
    ],
)
def test_every_occurrence_is_merged(student, word, want):
    """All occurrences of the pair are joined, all else stays."""
    expect.equal(student.merge_pair(as_bytes(word), (b"a", b"b")), want, where=f"the pair (a, b) in {' '.join(word) or 'the empty word'}")


@pytest.mark.exercise("merge_pair", weight=1.5)
@pytest.mark.parametrize("n, want", [(3, (b"aa", b"a")), (4, (b"aa", b"aa")), (5, (b"aa", b"aa", b"a"))])
def test_merges_do_not_overlap(student, n, want):
    """a a a becomes aa a: from the left, each symbol in one merge."""
    expect.equal(student.merge_pair((b"a",) * n, (b"a", b"a")), want, where=f"the pair (a, a) in {n} times a")


@pytest.mark.exercise("merge_pair", weight=1)
def test_only_the_very_pair_is_merged(student):
    """(a, bc) is not the pair (ab, c), although both spell abc."""
    word = (b"a", b"bc", b"ab", b"c")
    expect.equal(student.merge_pair(word, (b"ab", b"c")), (b"a", b"bc", b"abc"), where="the pair (ab, c) in a bc ab c")
    expect.equal(student.merge_pair((b"ca", b"b"), (b"a", b"b")), (b"ca", b"b"), where="the pair (a, b) in ca b")
    word = (b" ", b"a", b"b", b"\n", b" ")
    expect.equal(student.merge_pair(word, (b"a", b"b")), (b" ", b"ab", b"\n", b" "), where="the pair (a, b) between symbols of white space")


# 7 · train_bpe


@pytest.mark.exercise("train_bpe", weight=2)
def test_the_worked_training(student):
    """'deep deep deep', two merges: (e, p), then (e, ep)."""
    vocab, merges = student.train_bpe("deep deep deep", 258)
    expect.equal(merges, [(b"e", b"p"), (b"e", b"ep")], where="the merges of the worked example")
    expect.equal(vocab, bytes_and(b"ep", b"eep"), where="the vocabulary of the worked example")


@pytest.mark.exercise("train_bpe", weight=2)
def test_merges_of_a_sentence(student):
    """The most frequent pair is merged each time, ties go to the greater pair, and pre-tokens are never joined."""
    want = [(b" ", b"s"), (b"h", b"e"), (b"l", b"s"), (b"l", b"ls"), (b" s", b"e"), (b" s", b"he"), (b"r", b"e")]
    want += [(b" she", b"lls"), (b" se", b"a"), (b"t", b"he"), (b" se", b"lls"), (b" ", b"the")]
    _, merges = student.train_bpe(SHELLS, 256 + len(want))
    expect.equal(merges, want, where=f"the first {len(want)} merges of {SHELLS[:20]!r}…")


@pytest.mark.exercise("train_bpe", weight=1)
def test_every_place_of_a_pair_counts_in_training(student):
    """In aaa the pair (a, a) occurs twice, as pair_counts says."""
    _, merges = student.train_bpe("aaa aaa bc bc bc", 258)
    expect.equal(merges, [(b"a", b"a"), (b"b", b"c")], where="'aaa aaa bc bc bc', where (a, a) occurs 4 times and (b, c) 3 times")
    _, merges = student.train_bpe("a" * 128, 300)
    expect.equal(merges, [(b"a" * 2**n, b"a" * 2**n) for n in range(7)], where="one word of 128 times a")


@pytest.mark.exercise("train_bpe", weight=1.5)
def test_bytes_not_characters(student):
    """A letter of two or three bytes is merged from its bytes."""
    _, merges = student.train_bpe("naïve café, déjà vu; naïve café 深度学习 深度", 259)
    want = [(b"\xc3", b"\xa9"), (b"\xe6", b"\xb7"), (b"\xe6\xb7", b"\xb1")]
    expect.equal(merges, want, where="a text with é and 深")


@pytest.mark.exercise("train_bpe", weight=1.5)
def test_special_tokens_are_boundaries(student):
    """Special tokens cut the text, teach no merges, and have the last ids; vocab_size counts them."""
    vocab, merges = student.train_bpe(DOCUMENTS, 263, ["<|end|>", "<|pad|>"])
    want = [(b"w", b"o"), (b"t", b"wo"), (b"o", b"n"), (b"on", b"e"), (b" ", b"two")]
    expect.equal(merges, want, where=repr(DOCUMENTS))
    expect.equal(
        {i: t for i, t in vocab.items() if i > 255},
        dict(enumerate([b"wo", b"two", b"on", b"one", b" two", b"<|end|>", b"<|pad|>"], 256)),
        where="ids from 256",
    )


@pytest.mark.exercise("train_bpe", weight=1)
def test_training_stops_when_no_pair_is_left(student):
    """A short text has few merges; the vocabulary is then smaller than asked for."""
    vocab, merges = student.train_bpe("ab ab ab", 300, ["<s>"])
    expect.equal(merges, [(b"a", b"b"), (b" ", b"ab")], where="'ab ab ab'")
    expect.equal(vocab, bytes_and(b"ab", b" ab", b"<s>"), where="the vocabulary of 'ab ab ab'")
    expect.equal(student.train_bpe("ab\nab\nab", 300)[1], [(b"a", b"b")], where="three lines 'ab': a line break is a pre-token")
    want = [(b"4", b"5"), (b"3", b"45"), (b"2", b"345"), (b"1", b"2345")]
    expect.equal(student.train_bpe("12345,12345", 300)[1], want, where="'12345,12345': a run of digits is one pre-token")


@pytest.mark.exercise("train_bpe", weight=1)
def test_special_tokens_are_no_patterns(student):
    """A special token is found as it is written, also with signs that mean something in a pattern, and the longest first."""
    _, merges = student.train_bpe("ab.cd abxcd ab.cd", 300, ["b.c"])
    expect.equal(merges[:3], [(b" ", b"a"), (b"x", b"c"), (b"xc", b"d")], where="'ab.cd abxcd ab.cd' with the special token 'b.c'")
    vocab, merges = student.train_bpe("x<b>no x<b>no", 300, ["<b>", "<b>no"])
    expect.equal(merges, [(b" ", b"x")], where="'x<b>no x<b>no' with the special tokens '<b>' and '<b>no'")
    expect.inputs_unchanged(student, student.train_bpe, "ab ab", 260, ["<b>", "<b>no"])


# 8 · BPETokenizer


@pytest.mark.exercise("BPETokenizer", weight=2)
def test_merges_in_the_order_learned(student):
    """Merges (b, c), (a, b): abc is a bc, since the first learned merge comes first."""
    made = student.BPETokenizer(bytes_and(b"bc", b"ab"), [(b"b", b"c"), (b"a", b"b")])
    expect.equal(made.encode("abc"), [97, 256], where="'abc'")
    expect.equal(made.encode("ab"), [257], where="'ab'")
    expect.equal(made.encode(""), [], where="the empty text")


@pytest.mark.exercise("BPETokenizer", weight=3)
def test_the_same_ids_as_tiktoken(student):
    """With the first 1,200 of GPT-2's merges, the ids are tiktoken's."""
    made, oracle = tokenizer(student), small_gpt2()[1]
    for text in (
        LECTURE,
        MIXED,
        "def f(x):\n    return x  # 👍🏽\n\n",
        "  two   spaces and\ttabs ",
        "Ωmega 12345 it's they'll WE'LL",
        LONG,
    ):
        expect.equal(made.encode(text), oracle.encode_ordinary(text), where=repr(text))


@pytest.mark.exercise("BPETokenizer", weight=1)
def test_merges_stay_inside_pre_tokens(student):
    """The text is cut by GPT2_PATTERN first: a merge of a and a following space never happens."""
    made = student.BPETokenizer(bytes_and(b"a ", b" b"), [(b"a", b" "), (b" ", b"b")])
    expect.equal(made.encode("a b"), [97, 257], where="'a b' with the merges (a, space), (space, b)")


@pytest.mark.exercise("BPETokenizer", weight=1.5)
def test_decoding_gives_the_text_back(student):
    """decode(encode(text)) is the text; bytes of one character may come from several tokens."""
    made = tokenizer(student)
    for text in (MIXED, "👩‍👩‍👧‍👦 深度学习", ""):
        ids = made.encode(text)
        expect.true(all(isinstance(i, int) for i in ids), "encode must give ids, which are ints", f"got {expect.show(ids)}")
        expect.equal(made.decode(ids), text, where=repr(text))


@pytest.mark.exercise("BPETokenizer", weight=1)
def test_invalid_bytes_are_replaced(student):
    """Bytes that are no UTF-8 become U+FFFD."""
    made = student.BPETokenizer(bytes_and(), [])
    expect.equal(made.decode([0xE6, 97, 0xC3, 0xA9, 0xFF]), "\ufffda\u00e9\ufffd", where="the bytes e6 61 c3 a9 ff")


@pytest.mark.exercise("BPETokenizer", weight=1.5)
def test_special_tokens_are_whole(student):
    """A special token in the text is one id, and a longer one goes before a shorter one that it begins with."""
    made = student.BPETokenizer(bytes_and(b"ab", b"<|a|>", b"<|a|><|b|>"), [(b"a", b"b")], ["<|a|>", "<|a|><|b|>"])
    expect.equal(made.encode("ab<|a|>ab<|a|><|b|><|a|>"), [256, 257, 256, 258, 257], where="'ab<|a|>ab<|a|><|b|><|a|>'")
    expect.equal(made.decode([256, 258, 97]), "ab<|a|><|b|>a", where="[256, 258, 97]")


@pytest.mark.exercise("BPETokenizer", weight=0.5)
def test_a_new_special_token_has_the_next_free_id(student):
    """A special token that `vocab` lacks gets the next id, in the tokenizer; the given dictionary and list stay as they are."""
    given = (bytes_and(b"ab"), [(b"a", b"b")], ["<|new|>"])
    made = student.BPETokenizer(dict(given[0]), *given[1:])
    expect.equal(made.encode("ab<|new|>b"), [256, 257, 98], where="'ab<|new|>b', where <|new|> is not in vocab")
    expect.equal(made.decode([257, 256]), "<|new|>ab", where="[257, 256]")
    expect.inputs_unchanged(student, student.BPETokenizer, *given)


@pytest.mark.exercise("BPETokenizer", weight=1.5)
def test_lines_are_read_when_needed(student):
    """encode_iterable gives the ids of the lines, and reads a line only when its ids are needed."""
    made, oracle = tokenizer(student), small_gpt2()[1]
    lines = [f"line {i}: {LECTURE}\n" for i in range(5)] + ["the last one"]
    expect.equal(list(made.encode_iterable(lines)), oracle.encode_ordinary("".join(lines)), where="six lines")
    expect.equal(
        list(made.encode_iterable(["one\n", "two\n"])),
        oracle.encode_ordinary("one\ntwo\n"),
        where="two lines that both end in a line break",
    )
    read = []

    def reading():
        for i in range(2000):
            read.append(i)
            yield f"line {i}\n"

    ids = iter(made.encode_iterable(reading()))
    for _ in range(3):
        next(ids)
    expect.true(
        len(read) <= 20,
        "encode_iterable reads far ahead: it should read a line only when its ids are needed",
        f"{len(read)} lines read for three ids",
    )


# 9 · bytes_per_token


@pytest.mark.exercise("bytes_per_token", weight=2)
def test_the_worked_ratio(student):
    """Größe has seven bytes."""
    expect.close(student.bytes_per_token("Größe", lambda text: [1, 2, 3]), 7 / 3, where="'Größe' in three tokens")
    expect.close(
        student.bytes_per_token(LECTURE, lambda text: text.split()), len(LECTURE) / 10, where="the lecture's sentence in ten words"
    )


@pytest.mark.exercise("bytes_per_token", weight=0.5)
def test_the_tokens_are_those_of_the_text(student):
    """The text is given to `encode` as it is, and every token counts, of white space and the same again, too."""
    expect.close(student.bytes_per_token(" 深深 aa\n", list), 11 / 7, where="' 深深 aa\\n' and a tokenizer that gives every character")


# 10 · compare_by_segments


@pytest.mark.exercise("compare_by_segments", weight=2)
@pytest.mark.parametrize(
    "a, b, want",
    [
        ("9.9", "9.11", "b"),
        ("9.11", "9.9", "a"),
        ("9.8", "9.9", "b"),
        ("10.1", "9.7", "a"),
        pytest.param("4.25", "4.25", "equal", marks=pytest.mark.trivial),
        ("12", "7", "a"),
        ("9", "9.1", "b"),
        ("9.1", "9", "a"),
        ("9", "9.0", "b"),
    ],
)
def test_segments_are_compared_as_integers(student, a, b, want):
    """The first segments that differ decide, as integers, as in the lecture; in the other order the other is larger."""
    expect.equal(student.compare_by_segments(a, b), want, where=f"{a!r} and {b!r}")
    expect.equal(student.compare_by_segments(b, a), {"a": "b", "b": "a"}.get(want, want), where=f"{b!r} and {a!r}")


@pytest.mark.exercise("compare_by_segments", weight=2)
def test_zeros_in_front_and_more_segments(student):
    """A segment is a number, also with zeros in front; the first that differs decides, however many there are."""
    for a, b, want in (
        ("9.05", "9.5", "equal"),
        ("9.007", "9.5", "a"),
        ("1.12.1", "1.8.40", "a"),
        ("4.0.7", "4.0.10", "b"),
        ("2.7.9", "3.0", "b"),
    ):
        expect.equal(student.compare_by_segments(a, b), want, where=f"{a!r} and {b!r}")


# 11 · split_digits


@pytest.mark.exercise("split_digits", weight=2)
@pytest.mark.parametrize(
    "text, want",
    [
        ("12345", ["12", "345"]),
        ("pay 1234.50", ["pay ", "1", "234", ".", "50"]),
        ("123456", ["123", "456"]),
        ("1029384756", ["1", "029", "384", "756"]),
        ("room 7", ["room ", "7"]),
        pytest.param("no digits, really", ["no digits, really"], marks=pytest.mark.trivial),
        pytest.param("", [], marks=pytest.mark.trivial),
    ],
)
def test_groups_of_three_from_the_right(student, text, want):
    """Runs of digits in groups of three from their right end; everything else stays whole."""
    expect.equal(student.split_digits(text), want, where=repr(text))


# Stretch · fast_train_bpe


@pytest.mark.exercise("fast_train_bpe", weight=1)
def test_fast_training_gives_the_same_merges(student):
    """The merges are those of train_bpe."""
    _, merges = student.fast_train_bpe(SHELLS, 260)
    expect.equal(merges, [(b" ", b"s"), (b"h", b"e"), (b"l", b"s"), (b"l", b"ls")], where=f"the first merges of {SHELLS[:20]!r}…")
    expect.equal(
        student.fast_train_bpe("aaaa aaaaa aaa", 300)[1][:4],
        [(b"a", b"a"), (b"aa", b"aa"), (b"aaaa", b"a"), (b"aa", b"a")],
        where="'aaaa aaaaa aaa'",
    )


@pytest.mark.exercise("fast_train_bpe", weight=1)
@pytest.mark.trivial
def test_fast_training_is_fast(student):
    """200 merges of Python's help topics take at most 60 times as long as cutting them into pre-tokens."""
    text = "\n".join(topics.values())[:120_000]
    training = cutting = 1.0
    for _ in range(3):  # a busy machine deserves another try
        cutting = min(_seconds(lambda: regex.findall(GPT2_SPLIT, text)) for _ in range(3))
        training = _seconds(lambda: student.fast_train_bpe(text, 456))
        if training < 60 * cutting or training > 180 * cutting:
            break
    expect.true(
        training < 60 * cutting,
        "Training is slower than it needs to be",
        f"{training:.2f} s, which is {training / cutting:.0f} times the {cutting:.3f} s of the cutting",
    )


def _seconds(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
