"""Answers to lesson 06 after public code, forums and issue trackers, wrong and right: what people really write."""

import heapq
import itertools
import math
import re
from collections import Counter

import regex

from autograde.authoring.strength.mutation import misconception, variant

PAT = regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


@misconception("word_tokenize", "split and strip")
def wt_strip(text):
    return [w.strip(".,!?;:") for w in text.split()]


@misconception("word_tokenize", "letters only (d2l)")
def wt_d2l(text):
    return re.sub("[^A-Za-z]+", " ", text).split()


@misconception("word_tokenize", "word boundaries")
def wt_b(text):
    return [t for t in re.split(r"\b", text) if t.strip()]


@misconception("word_tokenize", "white space kept with re.split (LLMs-from-scratch without strip)")
def wt_split(text):
    return [t for t in re.split(r'([,.:;?_!"()\']|--|\s)', text) if t]


@misconception("word_tokenize", "the same with strip")
def wt_split2(text):
    return [t.strip() for t in re.split(r'([,.:;?_!"()\']|--|\s)', text) if t.strip()]


@misconception(
    "build_vocabulary", "The special tokens are not counted: max_size is the size of the whole vocabulary, special tokens and all."
)
def bv_most(tokens, max_size, specials=("<unk>",)):
    c = Counter(tokens)
    for s in specials:
        c.pop(s, None)
    o = sorted(c, key=lambda t: (-c[t], t))[:max_size]
    return {t: i for i, t in enumerate([*specials, *o])}


@misconception("build_vocabulary", "The tokens are in alphabetical order: the most frequent should come first.")
def bv_sorted(tokens, max_size, specials=("<unk>",)):
    o = sorted(set(tokens) - set(specials))
    return {t: i for i, t in enumerate([*specials, *o][:max_size])}


@misconception("build_vocabulary", "always <unk>")
def bv_unk(tokens, max_size, specials=("<unk>",)):
    specials = ("<unk>", *[s for s in specials if s != "<unk>"])
    c = Counter(tokens)
    o = sorted(c.keys() - set(specials), key=lambda t: (-c[t], t))
    return {t: i for i, t in enumerate([*specials, *o][:max_size])}


@misconception(
    "wordpiece_encode", "A first piece is taken back when the rest does not fit: greedy means that there are no second thoughts."
)
def wp_back(word, vocabulary, unknown="[UNK]"):
    def cut(s):
        if s == len(word):
            return []
        for e in range(len(word), s, -1):
            p = ("##" if s else "") + word[s:e]
            if p in vocabulary and (r := cut(e)) is not None:
                return [p, *r]
        return None

    r = cut(0)
    return [unknown] if r is None else r


@misconception("wordpiece_encode", "The cut with the fewest pieces is taken: greedy means the longest piece first, whatever is left then.")
def wp_fewest(word, vocabulary, unknown="[UNK]"):
    best = {0: []}
    for s in range(len(word)):
        if s in best:
            for e in range(s + 1, len(word) + 1):
                p = ("##" if s else "") + word[s:e]
                if p in vocabulary and (e not in best or len(best[s]) + 1 < len(best[e])):
                    best[e] = [*best[s], p]
    return best.get(len(word), [unknown])


@misconception(
    "wordpiece_encode", "The pieces found before the word turned out unknown are kept: the whole word should be the one unknown piece."
)
def wp_rest(word, vocabulary, unknown="[UNK]"):
    out, s = [], 0
    while s < len(word):
        for e in range(len(word), s, -1):
            p = ("##" if s else "") + word[s:e]
            if p in vocabulary:
                out.append(p)
                s = e
                break
        else:
            return [*out, unknown]
    return out


@misconception("pair_counts", "A pair that stands at several places of a word is counted once: it counts at each place.")
def pc_words(words):
    c = Counter()
    for w, n in words.items():
        for p in set(zip(w, w[1:])):
            c[p] += n
    return dict(c)


@misconception("pair_counts", "a Counter with zeros: all pairs of symbols")
def pc_zero(words):
    sym = {s for w in words for s in w}
    c = {p: 0 for p in itertools.product(sym, sym)}
    for w, n in words.items():
        for p in zip(w, w[1:]):
            c[p] += n
    return c


@misconception("pair_counts", "symbols at any distance")
def pc_comb(words):
    c = Counter()
    for w, n in words.items():
        for p in itertools.combinations(w, 2):
            c[p] += n
    return dict(c)


@misconception("merge_pair", "deletes while it walks and skips the next")
def mp_skip(word, pair):
    w = list(word)
    i = 0
    while i < len(w) - 1:
        if (w[i], w[i + 1]) == pair:
            w[i : i + 2] = [w[i] + w[i + 1]]
            i += 2
        else:
            i += 1
    return tuple(w)


@misconception("merge_pair", "string replace")
def mp_str(word, pair):
    t = b" ".join(word).replace(b" ".join(pair), b"".join(pair))
    return tuple(t.split(b" "))


def train(
    text, vocab_size, special_tokens=(), key=None, count=None, strip_special=True, chars=False, pattern=None, minimum=1, collapse=False
):
    special_tokens = list(special_tokens or ())
    n = vocab_size - 256 - len(special_tokens)
    if n < 0:
        raise ValueError(f"vocab_size {vocab_size}")
    parts = [text]
    if special_tokens:
        parts = regex.split("|".join(map(regex.escape, sorted(special_tokens, key=len, reverse=True))), text)
    f = Counter(p for part in parts for p in (pattern or PAT).findall(part))
    words = Counter()
    for w, k in f.items():
        words[tuple(bytes([b]) for b in w.encode())] += k
    merges = []
    while len(merges) < n:
        c = Counter()
        for w, k in words.items():
            (count or (lambda w, k, c: [c.__setitem__(p, c[p] + k) for p in zip(w, w[1:])]))(w, k, c)
        if not c or max(c.values()) < minimum:
            break
        best = max(c, key=key(c) if key else lambda p: (c[p], p))
        merges.append(best)
        nw = {} if collapse else Counter()
        for w, k in words.items():
            o, i = [], 0
            while i < len(w):
                if w[i : i + 2] == best:
                    o.append(best[0] + best[1])
                    i += 2
                else:
                    o.append(w[i])
                    i += 1
            if collapse:
                nw[tuple(o)] = k
            else:
                nw[tuple(o)] += k
        words = nw
    tok = [bytes([b]) for b in range(256)] + [a + b for a, b in merges] + [s.encode() for s in special_tokens]
    return dict(enumerate(tok)), merges


# sentencepiece#318: overlapping pairs of aaa counted once
@misconception("train_bpe", "overlapping pairs counted once")
def tb_overlap(text, vocab_size, special_tokens=()):
    def count(w, k, c):
        i = 0
        while i < len(w) - 1:
            c[w[i], w[i + 1]] += k
            i += 2 if i + 2 < len(w) and w[i] == w[i + 1] == w[i + 2] else 1

    return train(text, vocab_size, special_tokens, count=count)


@misconception("train_bpe", "likelihood (WordPiece): count over the product of counts")
def tb_wp(text, vocab_size, special_tokens=()):
    def key(c):
        s = Counter()
        for (a, b), k in c.items():
            s[a] += k
            s[b] += k
        return lambda p: (c[p] / (s[p[0]] * s[p[1]]), p)

    return train(text, vocab_size, special_tokens, key=key)


@misconception("train_bpe", "the pattern of GPT-4: digits in groups of three")
def tb_gpt4(text, vocab_size, special_tokens=()):
    return train(
        text,
        vocab_size,
        special_tokens,
        pattern=regex.compile(
            r"""'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+"""
        ),
    )


@misconception("train_bpe", "Pairs that occur once are not merged: merging goes on until the vocabulary is full or no pair is left.")
def tb_twice(text, vocab_size, special_tokens=()):
    return train(text, vocab_size, special_tokens, minimum=2)


@misconception(
    "train_bpe", "The special tokens are taken out before the parts are joined again, so merges go across them: they are boundaries."
)
def tb_capture(text, vocab_size, special_tokens=()):
    if special_tokens:
        p = "|".join(map(regex.escape, sorted(special_tokens, key=len, reverse=True)))
        return (
            train(text, vocab_size, special_tokens, pattern=regex.compile(p + "|" + PAT.pattern))
            if False
            else train("".join(regex.split("(" + p + ")", text)[::2]), vocab_size, special_tokens)
        )
    return train(text, vocab_size, special_tokens)


class Base:
    def __init__(self, vocab, merges, special_tokens=()):
        self.vocab = dict(vocab)
        self.rank = {}
        for i, p in enumerate(merges):
            self.rank.setdefault(tuple(p), i)
        self.ids = {}
        for i, t in self.vocab.items():
            self.ids.setdefault(t, i)
        self.sp = [s for s in (special_tokens or ()) if s]
        for s in self.sp:
            if s.encode() not in self.ids:
                n = max(self.vocab, default=-1) + 1
                self.vocab[n] = s.encode()
                self.ids[s.encode()] = n
        self.b = regex.compile("(" + "|".join(map(regex.escape, sorted(self.sp, key=len, reverse=True))) + ")") if self.sp else None

    def parts(self, text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return self.b.split(text) if self.b else [text]

    def encode(self, text):
        out = []
        for part in self.parts(text):
            if part in self.sp:
                out.append(self.ids[part.encode()])
                continue
            for w in PAT.findall(part):
                out += self.piece(w)
        return out

    def piece(self, w):
        w = [bytes([b]) for b in w.encode()]
        while len(w) > 1:
            r, i = min((self.rank.get((w[i], w[i + 1]), math.inf), i) for i in range(len(w) - 1))
            if r == math.inf:
                break
            w[i : i + 2] = [w[i] + w[i + 1]]
        return [self.ids[t] for t in w]

    def decode(self, ids):
        return b"".join(self.get(i) for i in ids).decode("utf-8", "replace")

    def get(self, i):
        if i not in self.vocab:
            raise ValueError(f"unknown id {i}")
        return self.vocab[i]

    def encode_iterable(self, lines):
        held = ""
        for line in lines:
            *done, last = self.parts(held + line)
            end = len(last.rstrip()) if line.endswith("\n") else len(last)
            for part in (*done, last[:end]):
                yield from self.encode(part)
            held = last[end:]
        yield from self.encode(held)


# merges leftmost one at a time, the same rank: right
@variant("BPETokenizer")
class RBase(Base):
    pass


@variant("BPETokenizer")
class RHeap(Base):
    "a heap of candidate merges over a linked list"

    def piece(self, w):
        t = [bytes([b]) for b in w.encode()]
        nxt = list(range(1, len(t))) + [None]
        prv = [None] + list(range(len(t) - 1))
        alive = [True] * len(t)
        if not t:
            return []
        h = [(self.rank[t[i], t[i + 1]], i, t[i], t[i + 1]) for i in range(len(t) - 1) if (t[i], t[i + 1]) in self.rank]
        heapq.heapify(h)
        while h:
            r, i, a, b = heapq.heappop(h)
            j = nxt[i] if alive[i] else None
            if j is None or t[i] != a or t[j] != b:
                continue
            t[i] = a + b
            alive[j] = False
            nxt[i] = nxt[j]
            if nxt[j] is not None:
                prv[nxt[j]] = i
            for x, y in ((prv[i], i), (i, nxt[i])):
                if x is not None and y is not None and (t[x], t[y]) in self.rank:
                    heapq.heappush(h, (self.rank[t[x], t[y]], x, t[x], t[y]))
        return [self.ids[t[i]] for i in range(len(t)) if alive[i]]


@misconception("BPETokenizer", "special tokens are left out of the decoded text")
class TSkip(Base):
    def decode(self, ids):
        s = {self.ids[x.encode()] for x in self.sp}
        return super().decode([i for i in ids if i not in s])


@misconception("BPETokenizer", "lines are stripped")
class TStrip(Base):
    def encode_iterable(self, lines):
        for l in lines:
            yield from self.encode(l.strip())


@misconception("BPETokenizer", "a space is put in front")
class TPrefix(Base):
    def encode(self, text):
        return super().encode(" " + text if text and not text[0].isspace() else text)


@misconception("BPETokenizer", "special tokens eat the white space around them")
class TEat(Base):
    def parts(self, text):
        return [p if p in self.sp else p.strip(" ") if self.sp else p for p in super().parts(text)]


@misconception("BPETokenizer", "each merge once, for all places, in order of rank but not again")
class TOnce(Base):
    def piece(self, w):
        t = [bytes([b]) for b in w.encode()]
        have = sorted({p for p in zip(t, t[1:]) if p in self.rank}, key=self.rank.get)
        for p in have:
            o, i = [], 0
            while i < len(t):
                if tuple(t[i : i + 2]) == p:
                    o.append(p[0] + p[1])
                    i += 2
                else:
                    o.append(t[i])
                    i += 1
            t = o
        return [self.ids[x] for x in t]


@misconception("BPETokenizer", "Each token is decoded for itself: a character whose bytes lie in two tokens is lost. Join the bytes first.")
class TText(Base):
    def decode(self, ids):
        return "".join(self.get(i).decode("utf-8", "replace") for i in ids)


@misconception("BPETokenizer", "backslash escapes for wrong bytes")
class TEscape(Base):
    def decode(self, ids):
        return b"".join(self.get(i) for i in ids).decode("utf-8", "backslashreplace")


@misconception("BPETokenizer", "unicode normalised")
class TNfkc(Base):
    def encode(self, text):
        import unicodedata

        return super().encode(unicodedata.normalize("NFKC", text))


@misconception("BPETokenizer", "special tokens not in vocab are ignored")
class TNoSpecial(Base):
    def __init__(self, vocab, merges, special_tokens=()):
        super().__init__(vocab, merges, [s for s in (special_tokens or ()) if s.encode() in set(vocab.values())])


@misconception("bytes_per_token", "utf-16")
def bt_16(text, encode):
    return len(text.encode("utf-16")) / len(encode(text))


@misconception("bytes_per_token", "tokens of the words one by one")
def bt_words(text, encode):
    return len(text.encode()) / sum(len(encode(w)) for w in text.split())


@misconception("bytes_per_token", "two decimals")
def bt_round(text, encode):
    return round(len(text.encode()) / len(encode(text)), 2)


@misconception("compare_by_segments", "padded with zeros")
def cs_pad(a, b):
    x, y = [list(map(int, s.split("."))) for s in (a, b)]
    n = max(len(x), len(y))
    x += [0] * (n - len(x))
    y += [0] * (n - len(y))
    return "equal" if x == y else "a" if x > y else "b"


@misconception("compare_by_segments", "The segments are compared as text, where '11' comes before '9': compare them as integers.")
def cs_digit(a, b):
    return "equal" if a == b else "a" if a > b else "b"


@misconception("compare_by_segments", "longer is greater")
def cs_len(a, b):
    return "equal" if a == b else "a" if (len(a), a) > (len(b), b) else "b"


@misconception("split_digits", "commas count as part of the number")
def sd_comma(text):
    out = []
    for r in re.findall(r"[\d,]+|[^\d,]+", text):
        if r[0].isdigit():
            f = len(r) % 3 or 3
            out += [r[:f], *(r[i : i + 3] for i in range(f, len(r), 3))]
        else:
            out.append(r)
    return out


@misconception("split_digits", "The groups are counted from the left: 12345 should be 12 and 345.")
def sd_llama(text):
    return regex.findall(r"\p{N}{1,3}|\P{N}+", text)


@misconception("split_digits", "only numbers of four digits and more are cut, and zeros dropped")
def sd_zeros(text):
    out = []
    for r in re.findall(r"\d+|\D+", text):
        if r[0].isdigit():
            r = r.lstrip("0") or "0"
            f = len(r) % 3 or 3
            out += [r[:f], *(r[i : i + 3] for i in range(f, len(r), 3))]
        else:
            out.append(r)
    return out


@variant("split_digits")
def r_rev(text):
    return [p[::-1] for p in re.findall(r"\D+|\d{1,3}", text[::-1])][::-1]


@variant("wordpiece_encode")
def r_recur(word, vocabulary, unknown="[UNK]"):
    def go(rest, pre):
        if not rest:
            return []
        for e in range(len(rest), 0, -1):
            if pre + rest[:e] in vocabulary:
                r = go(rest[e:], "##")
                return None if r is None else [pre + rest[:e]] + r
        return None

    r = go(word, "")
    return [unknown] if r is None else r


@variant("word_tokenize")
def r_finditer(text):
    return [m.group() for m in re.finditer(r"\w+|\S", text)]


@variant("train_bpe")
def r_naive(text, vocab_size, special_tokens=()):
    return train(text, vocab_size, special_tokens)


@variant("build_vocabulary")
def r_itert(tokens, max_size, specials=("<unk>",)):
    if max_size < len(specials):
        raise ValueError(f"max_size {max_size}")
    v = {s: i for i, s in enumerate(specials)}
    for t, _ in sorted(Counter(tokens).items(), key=lambda kv: (-kv[1], kv[0])):
        if len(v) == max_size:
            break
        v.setdefault(t, len(v))
    return v


@variant("pair_counts")
def r_pc(words):
    out = {}
    for w in words:
        for i in range(len(w) - 1):
            out[w[i], w[i + 1]] = out.get((w[i], w[i + 1]), 0) + words[w]
    return out


@variant("merge_pair")
def r_rec(word, pair):
    if len(word) < 2:
        return tuple(word)
    if word[:2] == pair:
        return (pair[0] + pair[1],) + r_rec(word[2:], pair)
    return word[:1] + r_rec(word[1:], pair)


WORDS = 're.findall(r"\\w+|[^\\w\\s]", text)'
misconception("word_tokenize", "groups in the pattern", replace=(WORDS, r're.findall(r"(\w+)|([^\w\s])", text)'))
misconception("word_tokenize", "contractions are one word", replace=(WORDS, r"""re.findall(r"\w+(?:'\w+)?|[^\w\s]", text)"""))
misconception("word_tokenize", "an iterator", replace=(WORDS, r're.finditer(r"\w+|[^\w\s]", text)'))
misconception(
    "build_vocabulary",
    "a list",
    replace=("return {token: i for i, token in enumerate([*specials, *ordered][:max_size])}", "return [*specials, *ordered][:max_size]"),
)
misconception("build_vocabulary", "counts for ids", replace=("return {token: i for", "return {token: counts[token] for"))
misconception(
    "build_vocabulary", "in order of first appearance", replace=("key=lambda token: (-counts[token], token)", "key=list(counts).index")
)
misconception("encode_words", "the unknown token itself", replace=("vocabulary.get(token, unknown)", 'vocabulary.get(token, "<unk>")'))
misconception("encode_words", "-1 for unknown words", replace=("vocabulary.get(token, unknown)", "vocabulary.get(token, -1)"))
misconception(
    "encode_words",
    "a tensor",
    replace=(
        "return [vocabulary.get(token, unknown) for token in tokens]",
        "return __import__('torch').tensor([vocabulary.get(token, unknown) for token in tokens])",
    ),
)
misconception("encode_words", "the characters", replace=("for token in tokens]", "for word in tokens for token in word]"))
misconception("wordpiece_encode", "continuing pieces are looked up without ##", replace=('"##" if start else ""', '""'))
misconception("wordpiece_encode", "one text", replace=("return pieces", 'return " ".join(pieces)'))
misconception("wordpiece_encode", "the unknown piece alone, not in a list", replace=("return [unknown]", "return unknown"))
misconception(
    "wordpiece_encode", "pieces of one letter are never tried", replace=("range(len(word), start, -1)", "range(len(word), start + 1, -1)")
)


@misconception("wordpiece_encode", "the word or its letters")
def wp_letters(word, vocabulary, unknown="[UNK]"):
    if word in vocabulary:
        return [word]
    pieces = ["##" * (i > 0) + c for i, c in enumerate(word)]
    return pieces if all(p in vocabulary for p in pieces) else [unknown]


@misconception("pair_counts", "pairs across words")
def pc_across(words):
    running = [symbol for word, times in words.items() for symbol in word * times]
    return dict(Counter(zip(running, running[1:])))


misconception("pair_counts", "counts begin at one", replace=("defaultdict(int)", "defaultdict(lambda: 1)"))
misconception(
    "pair_counts",
    "a list, the most frequent first",
    replace=("return dict(counts)", "return sorted(counts.items(), key=lambda item: -item[1])"),
)
misconception("pair_counts", "the last pair is missed", replace=("zip(word, word[1:])", "zip(word, word[1:-1])"))
misconception("pair_counts", "single symbols", replace=("zip(word, word[1:])", "word"))


@misconception("merge_pair", "the second symbol stays")
def mp_stays(word, pair):
    return tuple(pair[0] + pair[1] if word[i : i + 2] == pair else word[i] for i in range(len(word)))


misconception("merge_pair", "one symbol too far at the end", replace=("word[i : i + 2] == pair", "(word[i], word[i + 1]) == pair"))
misconception(
    "merge_pair", "the second symbol is not looked at", replace=("word[i : i + 2] == pair", "word[i] == pair[0] and i + 1 < len(word)")
)


@misconception("train_bpe", "The vocabulary is the wrong way round: it gives the bytes of each id.")
def tb_inverse(text, vocab_size, special_tokens=()):
    vocab, merges = train(text, vocab_size, special_tokens)
    return dict(zip(vocab.values(), vocab)), merges


# minbpe: merges are {(id, id): id}
@misconception("train_bpe", "merges as in minbpe")
def tb_minbpe(text, vocab_size, special_tokens=()):
    vocab, merges = train(text, vocab_size, special_tokens)
    ids = {token: i for i, token in reversed(vocab.items())}
    return vocab, {(ids[a], ids[b]): 256 + i for i, (a, b) in enumerate(merges)}


@misconception("train_bpe", "the vocabulary alone")
def tb_vocab(text, vocab_size, special_tokens=()):
    return train(text, vocab_size, special_tokens)[0]


@misconception("train_bpe", "an error where no pair is left")
def tb_no_pair(text, vocab_size, special_tokens=()):
    vocab, merges = train(text, vocab_size, special_tokens)
    return vocab if len(vocab) == vocab_size else max([]), merges


@misconception("BPETokenizer", "a list of all ids from encode_iterable")
class TList(Base):
    def encode_iterable(self, lines):
        return [i for line in lines for i in self.encode(line)]


misconception("bytes_per_token", "the tokens of the bytes", replace=("encode(text)", "encode(text.encode().decode('latin-1'))"))
misconception("bytes_per_token", "the sum of the ids", replace=("len(encode(text))", "sum(encode(text))"))
misconception("bytes_per_token", "bytes per character", replace=("len(encode(text))", "len(text)"))
misconception("compare_by_segments", "capital letters", replace=('"a" if left > right else "b"', '"A" if left > right else "B"'))
misconception("compare_by_segments", "whether a is greater", replace=('"a" if left > right else "b"', "left > right"))
misconception("compare_by_segments", "nothing where both are equal", replace=('return "equal"', "return None"))


@misconception("compare_by_segments", "an error where one has fewer segments")
def cs_index(a, b):
    left, right = ([int(s) for s in numeral.split(".")] for numeral in (a, b))
    for i in range(max(len(left), len(right))):
        if left[i] != right[i]:
            return "a" if left[i] > right[i] else "b"
    return "equal"


@misconception("split_digits", "numbers written with commas and cut there, without their leading zeros")
def sd_format(text):
    runs = re.findall(r"\d+|\D+", text)
    return [piece for run in runs for piece in (f"{int(run):,}".split(",") if run.isdecimal() else [run])]
