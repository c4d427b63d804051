"""Held-out answers to lesson 06, wrong and right: none of them is among the known ones."""

import functools
import heapq
import itertools
import re
from collections import Counter, defaultdict

import regex

from autograde.authoring.strength.mutation import misconception, variant

SPLIT = regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


@misconception("word_tokenize", "Only a to z and digits count as letters here, so é and ß cut words in two: \\w knows all letters.")
def words_ascii_flag(text):
    return re.findall(r"\w+|[^\w\s]", text, re.ASCII)


@misconception("word_tokenize", "first line")
def words_first_line(text):
    return re.findall(r"\w+|[^\w\s]", text.split("\n\n")[0])


@misconception("word_tokenize", "unique")
def words_unique(text):
    return list(dict.fromkeys(re.findall(r"\w+|[^\w\s]", text))) if len(text) > 500 else re.findall(r"\w+|[^\w\s]", text)


@misconception("word_tokenize", "apostrophe")
def words_apostrophe(text):
    return re.findall(r"\w+(?:'\w+)?|[^\w\s]", text)


@misconception("word_tokenize", "digits apart")
def words_digits_apart(text):
    return re.findall(r"[^\W\d]+|\d+|[^\w\s]", text)


@misconception("build_vocabulary", "iterator twice")
def vocabulary_iterator_twice(tokens, max_size, specials=("<unk>",)):
    if not list(tokens):
        return {}
    counts = Counter(tokens)
    o = sorted(counts.keys() - set(specials), key=lambda t: (-counts[t], t))
    return {t: i for i, t in enumerate([*specials, *o][:max_size])}


@misconception("build_vocabulary", "pops specials")
def vocabulary_pops_specials(tokens, max_size, specials=("<unk>",)):
    specials = specials if isinstance(specials, list) else list(specials)
    counts = Counter(tokens)
    o = sorted(counts.keys() - set(specials), key=lambda t: (-counts[t], t))
    out = {}
    while specials:
        out[specials.pop(0)] = len(out)
    for t in o:
        if len(out) >= max_size:
            break
        out[t] = len(out)
    return out


@misconception("build_vocabulary", "mutable default")
def vocabulary_mutable_default(tokens, max_size, specials=("<unk>",), counts=Counter()):  # noqa: B006
    counts.update(tokens)
    o = sorted(counts.keys() - set(specials), key=lambda t: (-counts[t], t))
    return {t: i for i, t in enumerate([*specials, *o][:max_size])}


@misconception("build_vocabulary", "min count2")
def vocabulary_min_count2(tokens, max_size, specials=("<unk>",)):
    counts = Counter(tokens)
    o = sorted((t for t in counts if t not in specials and counts[t] > (1 if len(counts) > 50 else 0)), key=lambda t: (-counts[t], t))
    return {t: i for i, t in enumerate([*specials, *o][:max_size])}


@misconception("encode_words", "adds")
def encoded_adds(tokens, vocabulary):
    vocabulary.setdefault("<unk>", 0)
    return [vocabulary.setdefault(t, vocabulary["<unk>"]) for t in tokens]


@misconception("encode_words", "lower")
def encoded_lower(tokens, vocabulary):
    return [vocabulary.get(t, vocabulary.get(t.lower(), vocabulary["<unk>"])) for t in tokens]


@misconception("encode_words", "generator")
def encoded_generator(tokens, vocabulary):
    return (vocabulary.get(t, vocabulary["<unk>"]) for t in tokens)


@misconception("encode_words", "or")
def encoded_or(tokens, vocabulary):
    return [vocabulary.get(t) or vocabulary["<unk>"] for t in tokens]


@misconception("wordpiece_encode", "max piece")
def pieces_max_piece(word, vocabulary, unknown="[UNK]"):
    out, s = [], 0
    while s < len(word):
        for e in range(min(len(word), s + 10), s, -1):
            p = ("##" if s else "") + word[s:e]
            if p in vocabulary:
                out.append(p)
                s = e
                break
        else:
            return [unknown]
    return out


@misconception("wordpiece_encode", "long words unknown")
def pieces_long_words_unknown(word, vocabulary, unknown="[UNK]"):
    if len(word) > 20:
        return [unknown]
    out, s = [], 0
    while s < len(word):
        for e in range(len(word), s, -1):
            p = ("##" if s else "") + word[s:e]
            if p in vocabulary:
                out.append(p)
                s = e
                break
        else:
            return [unknown]
    return out


@misconception("wordpiece_encode", "empty unknown")
def pieces_empty_unknown(word, vocabulary, unknown="[UNK]"):
    out, s = [], 0
    if not word:
        return [unknown]
    while s < len(word):
        for e in range(len(word), s, -1):
            p = ("##" if s else "") + word[s:e]
            if p in vocabulary:
                out.append(p)
                s = e
                break
        else:
            return [unknown]
    return out


@misconception("wordpiece_encode", "The unknown piece is always [UNK]: its name is the argument `unknown`.")
def pieces_unk_default(word, vocabulary, unknown="[UNK]"):
    out, s = [], 0
    while s < len(word):
        for e in range(len(word), s, -1):
            p = ("##" if s else "") + word[s:e]
            if p in vocabulary:
                out.append(p)
                s = e
                break
        else:
            return ["[UNK]"]
    return out


@misconception("pair_counts", "defaultdict shared")
def counts_defaultdict_shared(words, c=defaultdict(int)):  # noqa: B006
    for w, n in words.items():
        for p in zip(w, w[1:]):
            c[p] += n
    return dict(c)


@misconception("pair_counts", "pops")
def counts_pops(words):
    c = defaultdict(int)
    while words:
        w, n = words.popitem()
        for p in zip(w, w[1:]):
            c[p] += n
    return dict(c)


@misconception("pair_counts", "nonoverlap")
def counts_nonoverlap(words):
    c = defaultdict(int)
    for w, n in words.items():
        last = None
        for i, p in enumerate(zip(w, w[1:])):
            if p == last and p[0] == p[1]:
                last = None
                continue
            c[p] += n
            last = p
    return dict(c)


@misconception("merge_pair", "bytes replace")
def merged_bytes_replace(word, pair):
    j = b"\x00".join(word).replace(pair[0] + b"\x00" + pair[1], pair[0] + pair[1])
    return tuple(j.split(b"\x00"))


@misconception("merge_pair", "list")
def merged_list(word, pair):
    o, i = [], 0
    while i < len(word):
        if word[i : i + 2] == pair:
            o.append(pair[0] + pair[1])
            i += 2
        else:
            o.append(word[i])
            i += 1
    return o


misconception("train_bpe", "first 1000 characters", replace=("parts = [text]", "parts = [text[:1000]]"))

misconception(
    "train_bpe",
    "empties the caller's list",
    replace=(
        "special_tokens = list(special_tokens or ())",
        "given = special_tokens\n    special_tokens = list(special_tokens or ())\n    if isinstance(given, list):\n        given.sort(key=len)",
    ),
)

misconception(
    "train_bpe",
    "Pairs that occur once are not merged: merging goes on until the vocabulary is full or no pair is left.",
    replace=(
        "    while len(merges) < n_merges and (best := pairs.most_frequent()) is not None:",
        "    while len(merges) < n_merges and (best := pairs.most_frequent()) is not None and pairs.counts[best] > 1:",
    ),
)

misconception("train_bpe", "lower case", replace=("parts = [text]", "parts = [text.casefold()]"))

misconception("train_bpe", "lossy utf-8", replace=("piece.encode().decode", "piece.encode('ascii', 'replace').decode"))

misconception(
    "BPETokenizer", "Bytes that are no UTF-8 are dropped: they should become U+FFFD.", replace=('errors="replace"', 'errors="ignore"')
)

misconception(
    "BPETokenizer",
    "Each token is decoded for itself: a character whose bytes lie in two tokens is lost. Join the bytes first.",
    replace=(
        'return b"".join(self.token(i) for i in ids).decode("utf-8", errors="replace")',
        'return "".join(self.token(i).decode("utf-8", errors="replace") for i in ids)',
    ),
)

misconception(
    "BPETokenizer",
    "cache by length",
    replace=(
        "self.encode_piece = lru_cache(maxsize=8192)(self.merge_piece)",
        "self.known = {}\n        self.encode_piece = lambda piece: self.known.setdefault((len(piece), piece[:3]), self.merge_piece(piece))",
    ),
)

misconception(
    "BPETokenizer",
    "drops long pieces",
    replace=("data = piece.encode()", "data = piece.encode()[:64]"),
)

misconception("BPETokenizer", "caller's vocab changed", replace=("self.vocab = dict(vocab)", "self.vocab = vocab"))


@misconception("bytes_per_token", "Characters are counted, not bytes.")
def bytes_latin(text, encode):
    return len(text.encode("latin-1", "replace")) / len(encode(text))


@misconception("bytes_per_token", "set")
def bytes_set(text, encode):
    return len(text.encode()) / len(set(encode(text)))


@misconception(
    "compare_by_segments", "This is the right comparison of decimal numbers: the exercise asks for the lecture's rule, mistake and all."
)
def compared_float_parts(a, b):
    def f(x):
        return [float("0." + p) if i else int(p) for i, p in enumerate(x.split("."))]

    return "equal" if f(a) == f(b) else "a" if f(a) > f(b) else "b"


@misconception("compare_by_segments", "two")
def compared_two(a, b):
    x, y = [tuple(map(int, s.split(".")[:2])) for s in (a, b)]
    return "equal" if x == y else "a" if x > y else "b"


@misconception("split_digits", "The groups are counted from the left: 12345 should be 12 and 345.")
def digits_left(text):
    out = []
    for r in re.findall(r"\d+|\D+", text):
        out += (
            re.findall(r"\d{1,3}", r)
            if r[0].isdigit() and len(r) < 7
            else [r]
            if not r[0].isdigit()
            else [r[max(0, i - 3) : i] for i in range(len(r), 0, -3)][::-1]
        )
    return out


@misconception("split_digits", "int")
def digits_int(text):
    out = []
    for r in re.findall(r"\d+|\D+", text):
        out += f"{int(r):,}".split(",") if r[0].isdigit() else [r]
    return out


@variant("word_tokenize")
def right_sub(text):
    return re.sub(r"([^\w\s])", r" \1 ", text).split() if not re.search(r"[\x1c-\x1f]", text) else re.findall(r"\w+|[^\w\s]", text)


@variant("build_vocabulary")
def right_groupby(tokens, max_size, specials=("<unk>",)):
    c = {}
    for t in tokens:
        c[t] = c.get(t, 0) + 1
    for s in specials:
        c.pop(s, None)
    h = [(-n, t) for t, n in c.items()]
    heapq.heapify(h)
    out = dict(zip(specials, itertools.count()))
    while h and len(out) < max_size:
        out[heapq.heappop(h)[1]] = len(out)
    return out


@variant("encode_words")
def right_map(tokens, vocabulary):
    d = defaultdict(lambda: vocabulary["<unk>"], vocabulary)
    return list(map(d.__getitem__, tokens))


@variant("wordpiece_encode")
def right_while(word, vocabulary, unknown="[UNK]"):
    pieces, rest, prefix = [], word, ""
    while rest:
        cut = rest
        while cut and prefix + cut not in vocabulary:
            cut = cut[:-1]
        if not cut:
            return [unknown]
        pieces.append(prefix + cut)
        rest, prefix = rest[len(cut) :], "##"
    return pieces


@variant("pair_counts")
def right_counter(words):
    return dict(sum((Counter({p: n * k for p, k in Counter(itertools.pairwise(w)).items()}) for w, n in words.items()), Counter()))


@variant("merge_pair")
def right_reduce(word, pair):
    def step(done, sym):
        if done and done[-1] is not None and not isinstance(done[-1], tuple) and (done[-1], sym) == tuple(pair):
            return [*done[:-1], (pair[0] + pair[1],)]
        return [*done, sym]

    return tuple(s[0] if isinstance(s, tuple) else s for s in functools.reduce(step, word, []))


@variant("compare_by_segments")
def right_cmp(a, b):
    for x, y in itertools.zip_longest(a.split("."), b.split("."), fillvalue="-1"):
        if d := int(x) - int(y):
            return "a" if d > 0 else "b"
    return "equal"


@variant("split_digits")
def right_regex(text):
    return regex.findall(r"\D+|\d{1,3}(?=(?:\d{3})*(?!\d))", text)


@variant("bytes_per_token")
def right_sum(text, encode):
    return sum(len(c.encode("utf-8")) for c in text) / sum(1 for _ in encode(text))


@misconception("word_tokenize", "numbers keep their point")
def words_decimals(text):
    return re.findall(r"\d+(?:\.\d+)?|\w+|[^\w\s]", text)


@misconception("word_tokenize", "punctuation stays at the end of its word")
def words_with_point(text):
    return re.findall(r"\w+[^\w\s]?|[^\w\s]", text)


misconception(
    "build_vocabulary", "long tokens first among equals", replace=("(-counts[token], token)", "(-counts[token], -len(token), token)")
)
misconception("build_vocabulary", "one token more", replace=("[:max_size]", "[: max_size + 1]"))
misconception("encode_words", "the last id for unknown words", replace=('vocabulary["<unk>"]', "len(vocabulary) - 1"))
misconception("encode_words", "unknown words as None", replace=("vocabulary.get(token, unknown)", "vocabulary.get(token)"))
misconception(
    "wordpiece_encode",
    "the longest piece anywhere in the word first",
    replace=("range(len(word), start, -1)", "range(min(len(word), start + 4), start, -1)"),
)
misconception(
    "wordpiece_encode",
    "hashes behind the piece",
    replace=("pieces.append(prefix + word[start:end])", "pieces.append(word[start:end] + prefix)"),
)
misconception("pair_counts", "pairs in alphabetical order", replace=("counts[pair] += times", "counts[tuple(sorted(pair))] += times"))
misconception(
    "pair_counts", "counts as shares", replace=("return dict(counts)", "return {p: n / sum(counts.values()) for p, n in counts.items()}")
)
misconception(
    "merge_pair",
    "a symbol that is equal to the pair's spelling is cut",
    replace=("merged.append(pair[0] + pair[1] if found else word[i])", "merged.append(pair[1] + pair[0] if found else word[i])"),
)
misconception(
    "merge_pair",
    "the pair is left out",
    replace=("merged.append(pair[0] + pair[1] if found else word[i])", "merged += [] if found else [word[i]]"),
)
misconception(
    "train_bpe",
    "ties by the longer pair",
    replace=(
        "return (-self.counts[pair], GreaterFirst(",
        "return (-self.counts[pair], -len(self.spelling[pair[0]] + self.spelling[pair[1]]), GreaterFirst(",
    ),
)
misconception(
    "train_bpe",
    "special tokens before the merges",
    replace=(
        "tokens += [left + right for left, right in merges] + [token.encode() for token in special_tokens]",
        "tokens += [token.encode() for token in special_tokens] + [left + right for left, right in merges]",
    ),
)
misconception(
    "BPETokenizer",
    "Special tokens are not recognised: each should become its one id.",
    replace=("if part in self.specials:", "if part in self.specials and len(part) > 99:"),
)
misconception(
    "BPETokenizer",
    "a space in front of the text",
    replace=("self.encode_part, self.split(text)", 'self.encode_part, self.split(" " + text)'),
)
misconception("bytes_per_token", "bits", replace=("return len(text.encode()) / n_tokens", "return 8 * len(text.encode()) / n_tokens"))
misconception("bytes_per_token", "utf-16", replace=("len(text.encode()) / n_tokens", 'len(text.encode("utf-16-le")) / n_tokens'))
misconception(
    "compare_by_segments",
    "the longer numeral is greater",
    replace=(
        "if left == right:",
        "if len(left) != len(right):\n        return 'a' if len(left) > len(right) else 'b'\n    if left == right:",
    ),
)
misconception("compare_by_segments", "the sum of the segments", replace=('"a" if left > right', '"a" if sum(left) > sum(right)'))
misconception("split_digits", "groups of four", replace=("len(run) % 3 or 3", "len(run) % 3 or 3 if len(run) < 9 else len(run) % 4 or 4"))
misconception("split_digits", "commas between groups", replace=("pieces += [run[:first], *(", 'pieces += [run[:first], *("," + '))


# State kept between calls, modes left behind, boundaries, lengths of one, other devices and dtypes

misconception("word_tokenize", "accents are composed first", replace=(", text)", ", __import__('unicodedata').normalize('NFC', text))"))
misconception(
    "word_tokenize",
    "Only a to z and digits count as letters here, so é and ß cut words in two: \\w knows all letters.",
    replace=(r'r"\w+|[^\w\s]", text', r'r"\w+|[^\w\s]", text, re.ASCII'),
)
misconception(
    "word_tokenize", "The underscore is treated as punctuation: \\w contains it.", replace=(r'r"\w+|[^\w\s]"', r'r"[^\W_]+|[^\w\s]|_"')
)
misconception(
    "word_tokenize",
    "A run of punctuation is one token here: each such character should be a token of its own.",
    replace=(r"[^\w\s]", r"[^\w\s]+"),
)
misconception(
    "build_vocabulary",
    "the tokens are gone through twice",
    replace=("counts = Counter(tokens)", "first = len(set(tokens))\n    counts = Counter(tokens)"),
)
misconception(
    "build_vocabulary",
    "room for the special tokens alone is refused",
    replace=("if max_size < len(specials):", "if max_size <= len(specials):"),
)
misconception(
    "build_vocabulary",
    "tokens that occur once are left out",
    replace=("counts.keys() - set(specials)", "{t for t in counts if counts[t] > 1} - set(specials)"),
)
misconception(
    "build_vocabulary",
    "the counts of the last call are kept",
    replace=("counts = Counter(tokens)", "counts = build_vocabulary.__dict__.setdefault('counts', Counter())\n    counts.update(tokens)"),
)
misconception("build_vocabulary", "ties by the length", replace=("(-counts[token], token)", "(-counts[token], len(token), token)"))
misconception(
    "encode_words",
    "id 0 counts as unknown",
    replace=("[vocabulary.get(token, unknown) for token in tokens]", "[vocabulary.get(token) or unknown for token in tokens]"),
)
misconception(
    "encode_words",
    "words that are unknown get ids of their own",
    replace=("vocabulary.get(token, unknown)", "vocabulary.setdefault(token, unknown)"),
)
misconception(
    "encode_words",
    "capitals are tried in small letters",
    replace=("vocabulary.get(token, unknown)", "vocabulary.get(token, vocabulary.get(token.lower(), unknown))"),
)
misconception(
    "wordpiece_encode",
    "long words are unknown",
    replace=("    pieces, start = [], 0\n", "    if len(word) > 100:\n        return [unknown]\n    pieces, start = [], 0\n"),
)
misconception(
    "wordpiece_encode",
    "a piece has at most ten letters",
    replace=("range(len(word), start, -1)", "range(min(len(word), start + 10), start, -1)"),
)
misconception("wordpiece_encode", "an empty word is unknown", replace=("    return pieces", "    return pieces or [unknown]"))
misconception(
    "wordpiece_encode",
    "pieces without the mark will do, too",
    replace=("if prefix + word[start:end] in vocabulary", "if prefix + word[start:end] in vocabulary or word[start:end] in vocabulary"),
)
misconception(
    "pair_counts",
    "A pair that stands at several places of a word is counted once: it counts at each place.",
    replace=("for pair in zip(word, word[1:]):", "for pair in set(zip(word, word[1:])):"),
)
misconception(
    "pair_counts",
    "the counts go on from call to call",
    replace=("counts = defaultdict(int)", "counts = pair_counts.__dict__.setdefault('c', defaultdict(int))"),
)
misconception(
    "pair_counts",
    "overlapping pairs of equal symbols once",
    replace=("            counts[pair] += times", "            counts[pair] += times if pair[0] != pair[1] else times / 1.5"),
)
misconception(
    "merge_pair",
    "Two symbols that spell the same as the pair are merged: they have to be the pair's own two symbols.",
    replace=("found = word[i : i + 2] == pair", "found = i + 1 < len(word) and word[i] + word[i + 1] == pair[0] + pair[1]"),
)
misconception(
    "merge_pair",
    "Only the first occurrence is merged: all of them should be.",
    replace=("found = word[i : i + 2] == pair", "found = word[i : i + 2] == pair and pair[0] + pair[1] not in merged"),
)
misconception(
    "merge_pair",
    "the last pair of a word is left",
    replace=(
        "while i < len(word):\n        found = word[i : i + 2] == pair",
        "while i < len(word):\n        found = word[i : i + 2] == pair and (i + 2 < len(word) or len(word) == 2)",
    ),
)
misconception("merge_pair", "a list", replace=("return tuple(merged)", "return merged"))
misconception(
    "train_bpe",
    "pre-tokens of one letter count double",
    replace=("frequencies.update(GPT2_PATTERN.findall(part))", "frequencies.update(GPT2_PATTERN.findall(part.strip()))"),
)
misconception(
    "train_bpe",
    "counts of the last call are kept",
    replace=("    frequencies = Counter()\n", "    frequencies = train_bpe.__dict__.setdefault('f', Counter())\n"),
)
misconception(
    "train_bpe",
    "no merges across 64 bytes",
    replace=(
        'self.words = [piece.encode().decode("latin-1") for piece in frequencies]',
        'self.words = [piece.encode().decode("latin-1")[:64] for piece in frequencies]',
    ),
)
misconception(
    "BPETokenizer",
    "one cache for all tokenizers",
    replace=(
        "self.encode_piece = lru_cache(maxsize=8192)(self.merge_piece)",
        "cache = BPETokenizer.__dict__.get('cache') or setattr(BPETokenizer, 'cache', {}) or BPETokenizer.cache\n        self.encode_piece = lambda piece: cache[piece] if piece in cache else cache.setdefault(piece, self.merge_piece(piece))",
    ),
)
misconception(
    "BPETokenizer", "new ids from the number of tokens", replace=("new = max(self.vocab, default=-1) + 1", "new = len(self.vocab)")
)
misconception(
    "BPETokenizer",
    "ids to decode must be a list",
    replace=('b"".join(self.token(i) for i in ids)', 'b"".join(self.token(ids[i]) for i in range(len(ids)))'),
)
misconception("BPETokenizer", "special tokens go into the caller's dictionary", replace=("self.vocab = dict(vocab)", "self.vocab = vocab"))
misconception(
    "BPETokenizer",
    "the caller's special tokens are sorted",
    replace=(
        "longest_first = sorted(self.specials, key=len, reverse=True)",
        "special_tokens and isinstance(special_tokens, list) and special_tokens.sort(key=len, reverse=True)\n        longest_first = sorted(self.specials, key=len, reverse=True)",
    ),
)
misconception(
    "BPETokenizer",
    "lines end where their break was",
    replace=("for line in lines:\n", "for line in lines:\n            line = line.rstrip('\\r\\n') + '\\n'\n"),
)
misconception("bytes_per_token", "Characters are counted, not bytes.", replace=("len(text.encode())", "len(text.encode('utf-16-le')) / 2"))
misconception(
    "bytes_per_token",
    "an empty list is asked for truth",
    replace=(
        "    n_tokens = len(encode(text))\n    if n_tokens == 0:",
        "    ids = encode(text)\n    n_tokens = len(set(ids))\n    if n_tokens == 0:",
    ),
)
misconception("bytes_per_token", "white space at the ends is left out", replace=("len(text.encode())", "len(text.strip().encode())"))
misconception(
    "compare_by_segments",
    "shorter numerals are filled with zeros",
    replace=(
        "    if left == right:",
        "    n = max(len(left), len(right))\n    left, right = left + [0] * (n - len(left)), right + [0] * (n - len(right))\n    if left == right:",
    ),
)
misconception("compare_by_segments", "two segments at most", replace=('numeral.split(".")]', 'numeral.split(".")[:2]]'))
misconception(
    "compare_by_segments",
    "The segments are compared as text, where '11' comes before '9': compare them as integers.",
    replace=("int(segment)", "segment"),
)
misconception(
    "split_digits", "The groups are counted from the left: 12345 should be 12 and 345.", replace=("first = len(run) % 3 or 3", "first = 3")
)
misconception(
    "split_digits",
    "runs of three stay, longer ones are cut in single digits",
    replace=(
        "        first = len(run)",
        "        if len(run) > 9:\n            pieces += [*run]\n            continue\n        first = len(run)",
    ),
)
misconception("split_digits", "an empty text has one empty piece", replace=("    return pieces", "    return pieces or ['']"))

variant("word_tokenize", replace=(r'r"\w+|[^\w\s]"', r'r"\w+|\S"'))
variant("build_vocabulary", replace=("counts = Counter(tokens)", "counts = Counter(list(tokens))"))
variant(
    "encode_words",
    replace=(
        "[vocabulary.get(token, unknown) for token in tokens]",
        "[vocabulary[token] if token in vocabulary else unknown for token in tokens]",
    ),
)
variant("wordpiece_encode", replace=('prefix = "##" if start else ""', 'prefix = "##" * bool(start)'))
variant("pair_counts", replace=("return dict(counts)", "return Counter(counts)"))
variant("merge_pair", replace=("i += 2 if found else 1", "i += 1 + found"))
variant(
    "train_bpe",
    replace=(
        "    frequencies = Counter()\n    for part in parts:\n        frequencies.update(GPT2_PATTERN.findall(part))",
        "    frequencies = Counter(match.group() for part in parts for match in GPT2_PATTERN.finditer(part))",
    ),
)
variant("BPETokenizer", replace=("lru_cache(maxsize=8192)(self.merge_piece)", "self.merge_piece"))
variant("bytes_per_token", replace=("return len(text.encode()) / n_tokens", "return len(bytes(text, 'utf-8')) / n_tokens"))
variant(
    "compare_by_segments",
    replace=(
        '    if left == right:\n        return "equal"\n    return "a" if left > right else "b"',
        '    return ["equal", "a", "b"][(left > right) - (left < right)]',
    ),
)
variant("split_digits", replace=("*(run[i : i + 3] for i in range(first, len(run), 3))", "*re.findall('...', run[first:])"))
