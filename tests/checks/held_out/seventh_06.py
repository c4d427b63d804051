"""A seventh set of held-out answers to lesson 06: byte-pair encoders and trainers as public code has them, wrong and right."""

import regex

from autograde.authoring.strength.mutation import misconception, variant

SPLIT = regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")


@variant("merge_pair")
def with_an_index(word, pair):
    new, i = [], 0
    while i < len(word):
        if i < len(word) - 1 and word[i] == pair[0] and word[i + 1] == pair[1]:
            new.append(word[i] + word[i + 1])
            i += 2
        else:
            new.append(word[i])
            i += 1
    return tuple(new)


@misconception("merge_pair", "The last symbol is lost.")
def loses_the_last(word, pair):
    new, i = [], 0
    while i < len(word) - 1:
        if (word[i], word[i + 1]) == tuple(pair):
            new.append(word[i] + word[i + 1])
            i += 2
        else:
            new.append(word[i])
            i += 1
    return tuple(new)


@misconception("merge_pair", "symbols are searched for in the joined text")
def replaced_in_text(word, pair):
    text = b" ".join(word)
    return tuple(text.replace(b" ".join(pair), b"".join(pair)).split(b" "))


@misconception("merge_pair", "after a merge the joined symbol is merged on")
def merges_on(word, pair):
    new = []
    for symbol in word:
        if new and (new[-1].endswith(pair[0]), symbol) == (True, pair[1]):
            new[-1] += symbol
        else:
            new.append(symbol)
    return tuple(new)


@variant("pair_counts")
def zipped(words):
    counts = {}
    for word, n in words.items():
        for pair in zip(word, word[1:]):
            counts[pair] = counts.get(pair, 0) + n
    return counts


@misconception("pair_counts", "overlapping occurrences count once")
def without_overlap(words):
    counts = {}
    for word, n in words.items():
        last = None
        for i, pair in enumerate(zip(word, word[1:])):
            if pair == last and pair[0] == pair[1]:
                last = None
                continue
            counts[pair] = counts.get(pair, 0) + n
            last = pair
    return counts


@misconception("pair_counts", "pairs in any order are one")
def unordered(words):
    counts = {}
    for word, n in words.items():
        for pair in zip(word, word[1:]):
            pair = tuple(sorted(pair))
            counts[pair] = counts.get(pair, 0) + n
    return counts


def words_of(text, special_tokens):
    special = sorted((s for s in special_tokens if s), key=len, reverse=True)
    parts = regex.split("|".join(map(regex.escape, special)), text) if special else [text]
    words = {}
    for part in parts:
        for piece in SPLIT.findall(part):
            key = tuple(bytes([b]) for b in piece.encode())
            words[key] = words.get(key, 0) + 1
    return words


def trained(text, vocab_size, special_tokens, choose, cut=True):
    special_tokens = list(special_tokens)
    n = vocab_size - 256 - len(special_tokens)
    if n < 0:
        raise ValueError(f"vocab_size {vocab_size} is too small")
    words = words_of(text, special_tokens if cut else ())
    vocab, merges = {i: bytes([i]) for i in range(256)}, []
    for _ in range(n):
        counts = zipped(words)
        if not counts:
            break
        best = choose(counts)
        merges.append(best)
        vocab[len(vocab)] = best[0] + best[1]
        merged = {}
        for word, k in words.items():
            new = with_an_index(word, best)
            merged[new] = merged.get(new, 0) + k
        words = merged
    for token in special_tokens:
        vocab[len(vocab)] = token.encode()
    return vocab, merges


@variant("train_bpe")
def count_then_pair(text, vocab_size, special_tokens=()):
    return trained(text, vocab_size, special_tokens, lambda counts: max(counts.items(), key=lambda x: (x[1], x[0]))[0])


@misconception("train_bpe", "Ties go to the pair that was seen first: they should go to the lexicographically greater one.")
def first_of_a_tie(text, vocab_size, special_tokens=()):
    return trained(text, vocab_size, special_tokens, lambda counts: max(counts, key=counts.get))


@misconception("train_bpe", "Pairs that occur once are not merged: merging goes on until the vocabulary is full or no pair is left.")
def stops_at_one(text, vocab_size, special_tokens=()):
    special_tokens = list(special_tokens)
    vocab, merges = count_then_pair(text, vocab_size, special_tokens)
    words, kept = words_of(text, special_tokens), []
    for pair in merges:
        if zipped(words)[pair] < 2:
            break
        kept.append(pair)
        merged = {}
        for word, k in words.items():
            new = with_an_index(word, pair)
            merged[new] = merged.get(new, 0) + k
        words = merged
    symbols = [bytes([i]) for i in range(256)] + [a + b for a, b in kept] + [t.encode() for t in special_tokens]
    return dict(enumerate(symbols)), kept


@misconception("train_bpe", "The special tokens are learned from like text: the text should be cut at them first.")
def special_ones_learned_from(text, vocab_size, special_tokens=()):
    return trained(text, vocab_size, special_tokens, lambda counts: max(counts.items(), key=lambda x: (x[1], x[0]))[0], cut=False)


class Tokenizer:
    """Merges by rank; what differs between answers is how a piece is encoded."""

    def __init__(self, vocab, merges, special_tokens=()):
        self.vocab = dict(vocab)
        self.ids = {}
        special = {s.encode() for s in special_tokens}
        for i, symbol in self.vocab.items():
            if symbol not in special:
                self.ids.setdefault(symbol, i)
        self.ranks = {}
        for i, pair in enumerate(merges):
            self.ranks.setdefault(tuple(pair), i)
        self.special = {s: next(i for i, b in reversed(list(self.vocab.items())) if b == s.encode()) for s in special_tokens}
        found = sorted((s for s in special_tokens if s), key=len, reverse=True)
        self.cut = regex.compile("(" + "|".join(map(regex.escape, found)) + ")") if found else None

    def encode(self, text):
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        ids = []
        for part in self.cut.split(text) if self.cut else [text]:
            if part in self.special:
                ids.append(self.special[part])
                continue
            for piece in SPLIT.findall(part):
                ids += [self.ids[s] for s in self.piece([bytes([b]) for b in piece.encode()])]
        return ids

    def encode_iterable(self, iterable):
        for text in iterable:
            yield from self.encode(text)

    def decode(self, ids):
        return b"".join(self.vocab[int(i)] for i in ids).decode("utf-8", errors="replace")


@misconception("BPETokenizer", "The leftmost possible merge is applied: it should be the one that was learned first.")
class FirstFound(Tokenizer):
    def piece(self, parts):
        changed = True
        while changed:
            changed = False
            for i in range(len(parts) - 1):
                if (parts[i], parts[i + 1]) in self.ranks:
                    parts[i : i + 2] = [parts[i] + parts[i + 1]]
                    changed = True
                    break
        return parts


@misconception(
    "BPETokenizer", "The longest token that fits is taken, as in WordPiece: BPE applies its merges in the order they were learned."
)
class LongestFirst(Tokenizer):
    def piece(self, parts):
        text, out, i = b"".join(parts), [], 0
        while i < len(text):
            j = len(text)
            while text[i:j] not in self.ids:
                j -= 1
            out.append(text[i:j])
            i = j
        return out
