"""Further answers to lesson 06 that the known mistakes do not name, and unusual right ones."""

import dataclasses
import functools
import heapq
import itertools
import re
from collections import Counter, defaultdict, deque

import regex

from autograde.authoring.strength.mutation import misconception, variant

GPT2 = regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


@misconception("word_tokenize", "a hyphen joins words")
def wt_hyphen(text):
    return re.findall(r"\w+(?:-\w+)*|[^\w\s]", text)


@misconception("word_tokenize", "control characters are dropped")
def wt_printable(text):
    return [t for t in re.findall(r"\w+|[^\w\s]", text) if t.isprintable()]


@misconception("word_tokenize", "only ASCII signs are tokens")
def wt_ascii_signs(text):
    return re.findall(r"\w+|[!-/:-@\[-`{-~]", text)


@misconception("word_tokenize", "capitals begin a new token")
def wt_camel(text):
    return re.findall(r"[A-Z]?[a-z0-9_]+|[A-Z]+|\w|[^\w\s]", text)


@misconception("word_tokenize", "sorted")
def wt_sorted(text):
    return sorted(re.findall(r"\w+|[^\w\s]", text))


@variant("word_tokenize")
def wt_automaton(text):
    found, run = [], ""
    for c in text + " ":
        word = bool(re.match(r"\w", c))
        if word:
            run += c
            continue
        if run:
            found.append(run)
            run = ""
        if not c.isspace() and not re.match(r"\s", c):
            found.append(c)
    return found


@misconception("build_vocabulary", "the rarest are kept")
def bv_tail(tokens, max_size, specials=("<unk>",)):
    counts = Counter(tokens)
    ordered = sorted(counts.keys() - set(specials), key=lambda t: (-counts[t], t))
    n = max_size - len(specials)
    return {t: i for i, t in enumerate([*specials, *ordered[-n:]])}


@misconception("build_vocabulary", "specials are sorted")
def bv_sorted_specials(tokens, max_size, specials=("<unk>",)):
    counts = Counter(tokens)
    ordered = sorted(counts.keys() - set(specials), key=lambda t: (-counts[t], t))
    return {t: i for i, t in enumerate([*sorted(specials), *ordered][:max_size])}


@misconception("build_vocabulary", "ties ignore capitals")
def bv_casefold(tokens, max_size, specials=("<unk>",)):
    counts = Counter(tokens)
    ordered = sorted(counts.keys() - set(specials), key=lambda t: (-counts[t], t.casefold()))
    return {t: i for i, t in enumerate([*specials, *ordered][:max_size])}


@misconception("build_vocabulary", "max_size too small is answered with fewer specials")
def bv_cut_specials(tokens, max_size, specials=("<unk>",)):
    counts = Counter(t for t in tokens if t not in specials)
    room = max(0, max_size - len(specials))
    ordered = sorted(counts, key=lambda t: (-counts[t], t))[: room or None]
    return {t: i for i, t in enumerate([*specials, *ordered])}


@variant("build_vocabulary")
def bv_buckets(tokens, max_size, specials=("<unk>",)):
    if max_size < len(specials):
        raise ValueError(f"max_size {max_size} is too small")
    counts, by_count, found = Counter(tokens), defaultdict(list), {}
    for t, n in counts.items():
        by_count[n].append(t)
    rest = (t for n in sorted(by_count, reverse=True) for t in sorted(by_count[n]) if t not in specials)
    for t in itertools.islice(itertools.chain(specials, rest), max_size):
        found[t] = len(found)
    return found


@misconception("encode_words", "a tuple")
def ew_tuple(tokens, vocabulary):
    return tuple(vocabulary.get(t, vocabulary["<unk>"]) for t in tokens)


@variant("encode_words")
def ew_default(tokens, vocabulary):
    class Known(dict):
        def __missing__(self, key):
            return self["<unk>"]

    return list(map(Known(vocabulary).__getitem__, tokens))


@misconception("wordpiece_encode", "an unknown rest is one unknown piece and the others stay")
def wp_skip(word, vocabulary, unknown="[UNK]"):
    pieces, start = [], 0
    while start < len(word):
        for end in range(len(word), start, -1):
            piece = ("##" if start else "") + word[start:end]
            if piece in vocabulary:
                pieces.append(piece)
                start = end
                break
        else:
            start += 1
    return pieces or ([unknown] if word else [])


@misconception("wordpiece_encode", "a word in the vocabulary is taken even when it has hashes")
def wp_hash_word(word, vocabulary, unknown="[UNK]"):
    if "##" + word in vocabulary:
        return ["##" + word]
    pieces, start = [], 0
    while start < len(word):
        end = next((e for e in range(len(word), start, -1) if ("##" if start else "") + word[start:e] in vocabulary), None)
        if end is None:
            return [unknown]
        pieces.append(("##" if start else "") + word[start:end])
        start = end
    return pieces


@variant("wordpiece_encode")
def wp_generator(word, vocabulary, unknown="[UNK]"):
    def pieces(rest, mark=""):
        while rest:
            n = max((k for k in range(1, len(rest) + 1) if mark + rest[:k] in vocabulary), default=0)
            if not n:
                raise LookupError
            yield mark + rest[:n]
            rest, mark = rest[n:], "##"

    try:
        return list(pieces(word))
    except LookupError:
        return [unknown]


@misconception("pair_counts", "the number of a count's binary digits")
def pc_log(words):
    counts = defaultdict(int)
    for word, times in words.items():
        for pair in zip(word, word[1:]):
            counts[pair] += times.bit_length()
    return dict(counts)


@misconception("pair_counts", "frozen sets: the order of the two does not matter")
def pc_frozen(words):
    counts = defaultdict(int)
    for word, times in words.items():
        for a, b in zip(word, word[1:]):
            counts[min(a, b), max(a, b)] += times
    return dict(counts)


@misconception("pair_counts", "pairs with a count of one are left out")
def pc_often(words):
    counts = Counter()
    for word, times in words.items():
        for pair in zip(word, word[1:]):
            counts[pair] += times
    return {p: n for p, n in counts.items() if n > 1}


@misconception("pair_counts", "pairs of bytes, not of symbols")
def pc_bytes(words):
    counts = Counter()
    for word, times in words.items():
        data = b"".join(word)
        for a, b in zip(data, data[1:]):
            counts[bytes([a]), bytes([b])] += times
    return dict(counts)


@variant("pair_counts")
def pc_pairwise(words):
    total = Counter()
    for word, times in words.items():
        total.update({pair: n * times for pair, n in Counter(itertools.pairwise(word)).items()})
    return dict(total)


@misconception("merge_pair", "a word of one symbol gives nothing")
def mp_single(word, pair):
    if len(word) < 2:
        return ()
    out, i = [], 0
    while i < len(word):
        hit = word[i : i + 2] == pair
        out.append(pair[0] + pair[1] if hit else word[i])
        i += 2 if hit else 1
    return tuple(out)


@variant("merge_pair")
def mp_deque(word, pair):
    rest, out = deque(word), []
    while rest:
        first = rest.popleft()
        if rest and (first, rest[0]) == pair:
            first += rest.popleft()
        out.append(first)
    return tuple(out)


@variant("merge_pair")
def mp_recursive(word, pair):
    match word:
        case ():
            return ()
        case (a, b, *rest) if (a, b) == pair:
            return (a + b, *mp_recursive(tuple(rest), pair))
        case (a, *rest):
            return (a, *mp_recursive(tuple(rest), pair))


def bpe(text, vocab_size, special_tokens=(), *, pieces=None, best=None, check=True, stop=lambda n: n == 0, ids=None):
    special_tokens = list(special_tokens or ())
    n = vocab_size - 256 - len(special_tokens)
    if n < 0 and check:
        raise ValueError(f"vocab_size {vocab_size} is too small")
    parts = [text]
    if longest := sorted(filter(None, special_tokens), key=len, reverse=True):
        parts = regex.split("|".join(map(regex.escape, longest)), text)
    counts = Counter(p for part in parts for p in (GPT2.findall(part) if pieces is None else pieces(part)))
    words = {tuple(bytes([b]) for b in p.encode()): k for p, k in counts.items()}
    merges = []
    while len(merges) < n:
        pairs = Counter()
        for word, k in words.items():
            for pair in zip(word, word[1:]):
                pairs[pair] += k
        if not pairs:
            break
        top = max(pairs, key=lambda p: (pairs[p], p)) if best is None else best(pairs)
        if stop(pairs[top]):
            break
        merges.append(top)
        new = Counter()
        for word, k in words.items():
            new[mp_deque(word, top)] += k
        words = new
    tokens = [bytes([b]) for b in range(256)] + [a + b for a, b in merges] + [t.encode() for t in special_tokens]
    return (dict(enumerate(tokens)) if ids is None else ids(tokens)), merges


@misconception("train_bpe", "the end of a word is a symbol of its own")
def tb_end(text, vocab_size, special_tokens=()):
    return bpe(text, vocab_size, special_tokens, pieces=lambda p: [w + "_" for w in GPT2.findall(p)])


@misconception("train_bpe", "the shorter pair among equals")
def tb_short(text, vocab_size, special_tokens=()):
    return bpe(text, vocab_size, special_tokens, best=lambda pairs: max(pairs, key=lambda p: (pairs[p], -len(p[0] + p[1]), p)))


@misconception("train_bpe", "no error for a size that is too small")
def tb_no_error(text, vocab_size, special_tokens=()):
    return bpe(text, vocab_size, special_tokens, check=False)


@misconception("train_bpe", "the space belongs to the word before it")
def tb_space_after(text, vocab_size, special_tokens=()):
    return bpe(text, vocab_size, special_tokens, pieces=lambda p: re.findall(r"\S+\s?|\s+", p))


@misconception("train_bpe", "accents are taken apart first")
def tb_nfc(text, vocab_size, special_tokens=()):
    import unicodedata

    return bpe(unicodedata.normalize("NFD", text), vocab_size, special_tokens)


@misconception("train_bpe", "line breaks are removed")
def tb_lines(text, vocab_size, special_tokens=()):
    return bpe(text.replace("\n", " "), vocab_size, special_tokens)


@misconception("train_bpe", "duplicate spellings get one id")
def tb_unique(text, vocab_size, special_tokens=()):
    return bpe(text, vocab_size, special_tokens, ids=lambda tokens: dict(enumerate(dict.fromkeys(tokens))))


@misconception("train_bpe", "the vocabulary is filled up with placeholders")
def tb_filled(text, vocab_size, special_tokens=()):
    vocab, merges = bpe(text, vocab_size, special_tokens)
    while len(vocab) < vocab_size:
        vocab[len(vocab)] = b"<unused>"
    return vocab, merges


@variant("train_bpe")
def tb_plain(text, vocab_size, special_tokens=()):
    return bpe(text, vocab_size, special_tokens)


@variant("train_bpe")
def tb_iterative(text, vocab_size, special_tokens=()):
    @dataclasses.dataclass
    class Word:
        symbols: list
        times: int

    specials = [*(special_tokens or ())]
    room = vocab_size - 256 - len(specials)
    if room < 0:
        raise ValueError("vocab_size leaves no room")
    cut = regex.compile("|".join(regex.escape(t) for t in sorted(specials, key=lambda t: -len(t)) if t) or r"(?!)")
    words = [
        Word([bytes([b]) for b in p.encode("utf-8")], n)
        for p, n in Counter(m.group() for part in cut.split(text) for m in GPT2.finditer(part)).items()
    ]
    merges = []
    for _ in range(room):
        pairs = Counter()
        for w in words:
            for pair in itertools.pairwise(w.symbols):
                pairs[pair] += w.times
        if not pairs:
            break
        ((top, _),) = heapq.nlargest(1, pairs.items(), key=lambda item: (item[1], item[0]))
        merges.append(top)
        for w in words:
            w.symbols = list(mp_deque(tuple(w.symbols), top))
    tokens = itertools.chain((bytes((i,)) for i in range(256)), map(b"".join, merges), (t.encode() for t in specials))
    return {i: token for i, token in enumerate(tokens)}, merges


class Tokenizer:
    def __init__(self, vocab, merges, special_tokens=()):
        self.vocab = dict(vocab)
        self.ids = {}
        for i, token in self.vocab.items():
            self.ids.setdefault(token, i)
        self.ranks = {}
        for rank, pair in enumerate(merges):
            self.ranks.setdefault(tuple(pair), rank)
        self.specials = [t for t in special_tokens or () if t]
        for t in self.specials:
            if t.encode() not in self.ids:
                new = max(self.vocab, default=-1) + 1
                self.vocab[new], self.ids[t.encode()] = t.encode(), new
        longest = sorted(self.specials, key=len, reverse=True)
        self.cut = regex.compile("(" + "|".join(map(regex.escape, longest)) + ")") if longest else None

    def piece(self, word):
        symbols = [bytes([b]) for b in word.encode("utf-8", "surrogatepass")]
        while len(symbols) > 1:
            rank, i = min((self.ranks.get(pair, 1 << 60), i) for i, pair in enumerate(zip(symbols, symbols[1:])))
            if rank == 1 << 60:
                break
            top = symbols[i], symbols[i + 1]
            symbols = list(mp_deque(tuple(symbols), top))
        return [self.ids[s] for s in symbols]

    def encode(self, text):
        out = []
        for part in self.cut.split(text) if self.cut else [text]:
            if part in self.specials:
                out.append(self.ids[part.encode()])
            else:
                for word in GPT2.findall(part):
                    out += self.piece(word)
        return out

    def decode(self, ids):
        return b"".join([self.vocab[i] for i in ids]).decode("utf-8", "replace")

    def encode_iterable(self, lines):
        for line in lines:
            yield from self.encode(line)


@variant("BPETokenizer")
class Plain(Tokenizer):
    pass


@misconception("BPETokenizer", "merges in order, one place each")
class OnePlace(Tokenizer):
    def piece(self, word):
        symbols = [bytes([b]) for b in word.encode()]
        for pair in sorted(self.ranks, key=self.ranks.get):
            for i in range(len(symbols) - 1):
                if (symbols[i], symbols[i + 1]) == pair:
                    symbols[i : i + 2] = [pair[0] + pair[1]]
                    break
        return [self.ids[s] for s in symbols]


@misconception("BPETokenizer", "line ends of Windows become plain ones")
class Lower(Tokenizer):
    def encode(self, text):
        return super().encode(text.replace("\r\n", "\n"))


@misconception("BPETokenizer", "unknown ids give the replacement character")
class Replaces(Tokenizer):
    def decode(self, ids):
        return b"".join([self.vocab.get(i, "�".encode()) for i in ids]).decode("utf-8", "replace")


@misconception("BPETokenizer", "strict decoding of wrong bytes")
class Strict(Tokenizer):
    def decode(self, ids):
        return b"".join([self.vocab[i] for i in ids]).decode("utf-8")


@misconception("BPETokenizer", "encode_iterable joins all lines first")
class Joins(Tokenizer):
    def encode_iterable(self, lines):
        yield from self.encode("".join(lines))


@misconception("BPETokenizer", "encode_iterable gives one list for each line")
class PerLine(Tokenizer):
    def encode_iterable(self, lines):
        for line in lines:
            yield self.encode(line)


@misconception("BPETokenizer", "decode wants a list")
class WantsList(Tokenizer):
    def decode(self, ids):
        return b"".join(self.vocab[ids[k]] for k in range(len(ids))).decode("utf-8", "replace")


@misconception("BPETokenizer", "ids are computed from the byte")
class Computed(Tokenizer):
    def piece(self, word):
        data = word.encode()
        return [data[0]] if len(data) == 1 else super().piece(word)


@misconception("BPETokenizer", "encode gives a tuple")
class GivesTuple(Tokenizer):
    def encode(self, text):
        return tuple(super().encode(text))


@misconception("bytes_per_token", "rounded to the nearest whole number")
def bt_nearest(text, encode):
    return float(round(len(text.encode()) / len(encode(text))))


@misconception("bytes_per_token", "white space does not count")
def bt_no_space(text, encode):
    return len("".join(text.split()).encode()) / len(encode(text))


@misconception("bytes_per_token", "different tokens only")
def bt_different(text, encode):
    return len(text.encode()) / len(set(map(str, encode(text))))


@misconception("bytes_per_token", "one more token for the end")
def bt_end(text, encode):
    return len(text.encode()) / (len(encode(text)) + 1)


@misconception("bytes_per_token", "code points of four bytes")
def bt_utf32(text, encode):
    return len(text.encode("utf-32-le")) / len(encode(text))


@variant("bytes_per_token")
def bt_count(text, encode):
    n = 0
    for c in text:
        n += 1 if ord(c) < 0x80 else 2 if ord(c) < 0x800 else 3 if ord(c) < 0x10000 else 4
    return n / len(list(encode(text)))


@misconception("compare_by_segments", "compared from the right")
def cs_right(a, b):
    x, y = ([int(s) for s in n.split(".")][::-1] for n in (a, b))
    return "equal" if x == y else "a" if x > y else "b"


@misconception("compare_by_segments", "the first segment alone decides unless it is equal, then the length")
def cs_first(a, b):
    x, y = a.split("."), b.split(".")
    if int(x[0]) != int(y[0]):
        return "a" if int(x[0]) > int(y[0]) else "b"
    return "equal" if a == b else "a" if len(a) > len(b) else "b"


@misconception("compare_by_segments", "leading zeros make segments different")
def cs_zeros(a, b):
    if a == b:
        return "equal"
    x, y = ([int(s) for s in n.split(".")] for n in (a, b))
    return "a" if x >= y else "b"


@misconception("compare_by_segments", "version numbers: missing segments are 0 and equal")
def cs_missing(a, b):
    x, y = ([int(s) for s in n.split(".")] for n in (a, b))
    for i, j in itertools.zip_longest(x, y, fillvalue=0):
        if i != j:
            return "a" if i > j else "b"
    return "equal"


@variant("compare_by_segments")
def cs_recursive(a, b):
    x, _, rest_a = a.partition(".")
    y, _, rest_b = b.partition(".")
    if int(x) != int(y):
        return "ab"[int(y) > int(x)]
    if not rest_a or not rest_b:
        return "a" if rest_a else "b" if rest_b else "equal"
    return cs_recursive(rest_a, rest_b)


@misconception("split_digits", "a minus belongs to the number")
def sd_minus(text):
    out = []
    for run in re.findall(r"-?\d+|[^\d-]+|-", text):
        if run.lstrip("-").isdigit():
            run = list(run)
            first = len(run) % 3 or 3
            out += ["".join(run[:first]), *("".join(run[i : i + 3]) for i in range(first, len(run), 3))]
        else:
            out.append(run)
    return out


@misconception("split_digits", "behind a point groups are counted from the left")
def sd_decimals(text):
    out = []
    for m in re.finditer(r"\d+|\D+", text):
        run = m.group()
        if not run[0].isdecimal():
            out.append(run)
        elif m.start() and text[m.start() - 1] == ".":
            out += [run[i : i + 3] for i in range(0, len(run), 3)]
        else:
            first = len(run) % 3 or 3
            out += [run[:first], *(run[i : i + 3] for i in range(first, len(run), 3))]
    return out


@misconception("split_digits", "four digits stay together (years)")
def sd_years(text):
    out = []
    for run in re.findall(r"\d+|\D+", text):
        if not run[0].isdecimal() or len(run) == 4:
            out.append(run)
            continue
        first = len(run) % 3 or 3
        out += [run[:first], *(run[i : i + 3] for i in range(first, len(run), 3))]
    return out


@misconception("split_digits", "words are cut at spaces")
def sd_words(text):
    out = []
    for run in re.findall(r"\d+|\s+|[^\d\s]+", text):
        if not run[0].isdecimal():
            out.append(run)
            continue
        first = len(run) % 3 or 3
        out += [run[:first], *(run[i : i + 3] for i in range(first, len(run), 3))]
    return out


@variant("split_digits")
def sd_groupby(text):
    def groups(run):
        return [run[max(0, i - 3) : i] for i in range(len(run), 0, -3)][::-1]

    runs = [(digit, "".join(cs)) for digit, cs in itertools.groupby(text, key=lambda c: bool(re.match(r"\d", c)))]
    return functools.reduce(lambda out, r: out + (groups(r[1]) if r[0] else [r[1]]), runs, [])
