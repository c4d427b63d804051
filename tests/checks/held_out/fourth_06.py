"""A fourth set of held-out answers to lesson 06: habits of public tokenizers, wrong and right."""

import re
from collections import Counter, defaultdict
from functools import reduce
from itertools import count, groupby, pairwise

import regex

from autograde.authoring.strength.mutation import misconception, variant

GPT2_PATTERN = regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


@misconception("word_tokenize", "apostrophes and hyphens belong to their words")
def apostrophes_inside(text):
    return re.findall(r"\w+(?:['-]\w+)*|[^\w\s]", text)


@misconception("word_tokenize", "decimal numbers are one token")
def decimals_stay(text):
    return re.findall(r"\d+\.\d+|\w+|[^\w\s]", text)


@misconception("word_tokenize", "The underscore is treated as punctuation: \\w contains it.")
def underscores_apart(text):
    return re.findall(r"[^\W_]+|[^\s\w]|_", text)


@misconception("word_tokenize", "Only a to z and digits count as letters here, so é and ß cut words in two: \\w knows all letters.")
def ascii_words(text):
    return re.findall(r"\w+|[^\w\s]", text, re.ASCII)


@misconception("build_vocabulary", "tokens that occur once stay out")
def without_rare(tokens, max_size, specials=("<unk>",)):
    if max_size < len(specials):
        raise ValueError(f"max_size {max_size}")
    counts = Counter(tokens)
    ordered = sorted((t for t in counts if counts[t] > 1 and t not in specials), key=lambda t: (-counts[t], t))
    return {t: i for i, t in enumerate([*specials, *ordered][:max_size])}


@misconception("build_vocabulary", "a special token in the text leaves a gap in the ids")
def leaves_a_gap(tokens, max_size, specials=("<unk>",)):
    if max_size < len(specials):
        raise ValueError(f"max_size {max_size}")
    counts = Counter(tokens)
    ordered = sorted(counts, key=lambda t: (-counts[t], t))
    vocabulary = {t: i for i, t in enumerate(specials)}
    for i, t in enumerate(ordered[: max_size - len(specials)], len(specials)):
        vocabulary.setdefault(t, i)
    return vocabulary


@misconception("wordpiece_encode", "words of more than a hundred letters are unknown (BERT's limit)")
def long_words_are_unknown(word, vocabulary, unknown="[UNK]"):
    return [unknown] if len(word) > 100 else pieces_of(word, vocabulary, unknown)


@misconception("wordpiece_encode", "The word is put into lower case: pieces keep their capitals.")
def uncased(word, vocabulary, unknown="[UNK]"):
    return pieces_of(word.lower(), vocabulary, unknown)


@misconception("wordpiece_encode", "a later piece may come without its mark where none with it fits")
def without_marks_too(word, vocabulary, unknown="[UNK]"):
    pieces, start = [], 0
    while start < len(word):
        for end, mark in ((e, m) for e in range(len(word), start, -1) for m in (("##", "") if start else ("",))):
            if mark + word[start:end] in vocabulary:
                pieces.append(mark + word[start:end])
                start = end
                break
        else:
            return [unknown]
    return pieces


@misconception("train_bpe", "Pairs that occur once are not merged: merging goes on until the vocabulary is full or no pair is left.")
def stops_at_one(text, vocab_size, special_tokens=()):
    return trained(text, vocab_size, special_tokens, least=2)


@misconception("train_bpe", "no token may have more than sixteen bytes")
def sixteen_bytes(text, vocab_size, special_tokens=()):
    return trained(text, vocab_size, special_tokens, longest=16)


@misconception("train_bpe", "two merges that spell the same bytes share an id, and the ids go on without a gap")
def shared_ids(text, vocab_size, special_tokens=()):
    vocab, merges = trained(text, vocab_size, special_tokens)
    tokens = list(dict.fromkeys(vocab.values()))
    return dict(enumerate(tokens)), merges


@misconception("pair_counts", "overlapping pairs of one letter count once, as in runs")
def runs_count_once(words):
    counts = defaultdict(int)
    for word, times in words.items():
        for pair, run in groupby(pairwise(word)):
            counts[pair] += times * (sum(1 for _ in run) + 1) // 2 if pair[0] == pair[1] else times
    return dict(counts)


@misconception("merge_pair", "Two symbols that spell the same as the pair are merged: they have to be the pair's own two symbols.")
def by_spelling(word, pair):
    joined, merged = pair[0] + pair[1], []
    for symbol in word:
        merged.append(symbol)
        while len(merged) > 1 and merged[-2] + merged[-1] == joined:
            merged[-2:] = [joined]
    return tuple(merged)


@misconception("bytes_per_token", "the bytes of the text's canonical form")
def of_the_canonical_form(text, encode):
    import unicodedata

    ids = encode(text)
    if not len(ids):
        raise ValueError(f"text {text!r} has no token")
    return len(unicodedata.normalize("NFC", text).encode()) / len(ids)


@misconception("compare_by_segments", "segments are compared by their length first, so leading zeros count")
def by_length_first(a, b):
    left, right = a.split("."), b.split(".")
    key = [(len(s), s) for s in left], [(len(s), s) for s in right]
    return "equal" if key[0] == key[1] else "a" if key[0] > key[1] else "b"


@misconception("split_digits", "groups from the right only in runs of more than four digits")
def short_runs_stay(text):
    return [p for run in re.findall(r"\d+|\D+", text) for p in (grouped(run) if run[0].isdecimal() and len(run) > 4 else [run])]


def pieces_of(word, vocabulary, unknown):
    pieces, start = [], 0
    while start < len(word):
        mark = "##" if start else ""
        end = next((e for e in range(len(word), start, -1) if mark + word[start:e] in vocabulary), None)
        if end is None:
            return [unknown]
        pieces.append(mark + word[start:end])
        start = end
    return pieces


def grouped(run):
    first = len(run) % 3
    return ([run[:first]] if first else []) + [run[i : i + 3] for i in range(first, len(run), 3)]


def joined(word, pair):
    merged, i = [], 0
    while i < len(word):
        step = 2 if word[i : i + 2] == pair else 1
        merged.append(b"".join(word[i : i + step]))
        i += step
    return tuple(merged)


def trained(text, vocab_size, special_tokens, least=1, longest=10**9):
    special_tokens = [token for token in special_tokens or ()]
    room = vocab_size - 256 - len(special_tokens)
    if room < 0:
        raise ValueError(f"vocab_size {vocab_size} is too small")
    marks = sorted(filter(None, special_tokens), key=len, reverse=True)
    parts = regex.split("|".join(map(regex.escape, marks)), text) if marks else [text]
    words = Counter(tuple(bytes([b]) for b in piece.encode()) for part in parts for piece in GPT2_PATTERN.findall(part))
    merges = []
    while len(merges) < room:
        counts = Counter()
        for word, times in words.items():
            for pair in pairwise(word):
                counts[pair] += times
        counts = {pair: n for pair, n in counts.items() if n >= least and len(pair[0] + pair[1]) <= longest}
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(best)
        after = Counter()
        for word, times in words.items():
            after[joined(word, best)] += times
        words = after
    tokens = [bytes([b]) for b in range(256)] + [a + b for a, b in merges] + [t.encode() for t in special_tokens]
    return dict(enumerate(tokens)), merges


@variant("word_tokenize")
def by_what_is_no_space(text):
    return [match[0] for match in re.finditer(r"\w+|\S", text)]


@variant("word_tokenize")
def by_groups(text):
    found, kinds = [], lambda c: 0 if re.match(r"\w", c) else 1 if c.isspace() else 2
    for kind, run in ((kind, "".join(run)) for kind, run in groupby(text, kinds)):
        found += [[run], [], list(run)][kind]
    return found


@variant("build_vocabulary")
def by_two_stable_sorts(tokens, max_size, specials=("<unk>",)):
    if (room := max_size - len(specials)) < 0:
        raise ValueError(f"max_size {max_size} has no room for {len(specials)} special tokens")
    counts = Counter(token for token in tokens if token not in specials)
    ordered = sorted(sorted(counts), key=counts.__getitem__, reverse=True)
    return dict(zip((*specials, *ordered[:room]), count()))


@variant("wordpiece_encode")
def by_recursion(word, vocabulary, unknown="[UNK]"):
    def rest(start):
        if start == len(word):
            return []
        for end in range(len(word), start, -1):
            if (piece := "##" * bool(start) + word[start:end]) in vocabulary:
                return None if (after := rest(end)) is None else [piece, *after]
        return None

    return [unknown] if (found := rest(0)) is None else found


@variant("pair_counts")
def by_one_counter(words):
    return dict(reduce(lambda total, item: total.update({}) or count_into(total, *item), words.items(), Counter()))


def count_into(total, word, times):
    for pair in pairwise(word):
        total[pair] += times
    return total


@variant("merge_pair")
def by_an_iterator(word, pair):
    def pieces():
        symbols = iter(word)
        held = next(symbols, None)
        while held is not None:
            following = next(symbols, None)
            if (held, following) == tuple(pair):
                yield held + following
                held = next(symbols, None)
            else:
                yield held
                held = following

    return (*pieces(),)


@variant("train_bpe")
def counting_anew(text, vocab_size, special_tokens=()):
    return trained(text, vocab_size, special_tokens)


@variant("split_digits")
def by_a_look_ahead(text):
    return re.findall(r"\d{1,3}(?=(?:\d{3})*(?!\d))|\D+", text)


@variant("compare_by_segments")
def with_match(a, b):
    left, right = (tuple(map(int, numeral.split("."))) for numeral in (a, b))
    match (left > right) - (left < right):
        case 0:
            return "equal"
        case 1:
            return "a"
        case _:
            return "b"
