"""A sixth set of held-out answers to lesson 06: what public tokenizers and students' notebooks do, wrong and right."""

import functools
import itertools
import re
from collections import Counter

import regex

from autograde.authoring.strength.mutation import misconception, variant

PATTERN = regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


@misconception("word_tokenize", "words keep their apostrophes and points")
def words_with_apostrophes(text):
    return re.findall(r"[\w']+|[^\w\s]", text)


def trained(text, vocab_size, special_tokens, best):
    special_tokens = list(special_tokens or ())
    left = vocab_size - 256 - len(special_tokens)
    if left < 0:
        raise ValueError(f"vocab_size {vocab_size} is too small")
    cut = sorted(filter(None, special_tokens), key=len, reverse=True)
    parts = regex.split("|".join(map(regex.escape, cut)), text) if cut else [text]
    words = Counter()
    for part in parts:
        words.update(tuple(bytes([b]) for b in piece.encode()) for piece in PATTERN.findall(part))
    merges = []
    while len(merges) < left:
        counts = Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                counts[pair] += times
        if not counts or (pair := best(counts)) is None:
            break
        merges.append(pair)
        words = Counter({joined(word, pair): times for word, times in words.items()})
    tokens = [bytes([b]) for b in range(256)] + [a + b for a, b in merges] + [t.encode() for t in special_tokens]
    return dict(enumerate(tokens)), merges


def joined(word, pair):
    out, i = [], 0
    while i < len(word):
        hit = word[i : i + 2] == pair
        out.append(pair[0] + pair[1] if hit else word[i])
        i += 1 + hit
    return tuple(out)


@variant("train_bpe")
def counted_anew(text, vocab_size, special_tokens=()):
    return trained(text, vocab_size, special_tokens, lambda counts: max(counts.items(), key=lambda item: (item[1], item[0]))[0])


@variant("word_tokenize")
def by_grouping(text):
    kinds = itertools.groupby(text, key=lambda c: "word" if re.match(r"\w", c) else "space" if c.isspace() else "sign")
    pieces = ((kind, "".join(run)) for kind, run in kinds)
    return [token for kind, run in pieces if kind != "space" for token in ([run] if kind == "word" else run)]


@variant("wordpiece_encode")
def by_recursion(word, vocabulary, unknown="[UNK]"):
    def rest(start):
        if start == len(word):
            return []
        for end in range(len(word), start, -1):
            piece = "##" * (start > 0) + word[start:end]
            if piece in vocabulary:
                more = rest(end)
                return None if more is None else [piece, *more]
        return None

    found = rest(0)
    return [unknown] if found is None else found


@variant("merge_pair")
def by_a_fold(word, pair):
    def add(done, symbol):
        if done and done[-1] == (pair[0], False) and symbol == pair[1]:
            return (*done[:-1], (pair[0] + pair[1], True))
        return (*done, (symbol, False))

    return tuple(symbol for symbol, _ in functools.reduce(add, word, ()))


@variant("pair_counts")
def by_a_counter_of_elements(words):
    total = Counter()
    for word, times in words.items():
        total += Counter({pair: n * times for pair, n in Counter(itertools.pairwise(word)).items()})
    return dict(total)


@variant("compare_by_segments")
def segment_by_segment(a, b):
    for x, y in itertools.zip_longest(map(int, a.split(".")), map(int, b.split(".")), fillvalue=-1):
        if x != y:
            return "a" if x > y else "b"
    return "equal"


@variant("split_digits")
def with_a_lookahead(text):
    return re.findall(r"\d{1,3}(?=(?:\d{3})*(?!\d))|\D+", text)


@variant("build_vocabulary")
def by_two_sorts(tokens, max_size, specials=("<unk>",)):
    if max_size < len(specials):
        raise ValueError(f"max_size {max_size} has no room for {len(specials)} special tokens")
    counts = Counter(tokens)
    rest = sorted(sorted(set(counts) - set(specials)), key=counts.__getitem__, reverse=True)
    return dict(zip(itertools.islice(itertools.chain(specials, rest), max_size), itertools.count()))
