"""Wrong answers to lesson 06, each with the sentence its author should read, and unusual right ones."""

import heapq
import itertools
import re
from collections import Counter

import regex

from autograde.authoring.strength.mutation import misconception, variant

SPLIT = regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")

# 1 · word_tokenize


@misconception("word_tokenize", "This splits at white space only: punctuation stays glued to the words.")
def split_at_white_space(text):
    return text.split()


@misconception(
    "word_tokenize", "Punctuation is lost: every character that is neither part of a word nor white space is a token of its own."
)
def words_only(text):
    return re.findall(r"\w+", text)


@misconception("word_tokenize", "A run of punctuation is one token here: each such character should be a token of its own.")
def punctuation_in_runs(text):
    return re.findall(r"\w+|[^\w\s]+", text)


@misconception("word_tokenize", r"Only a to z and digits count as letters here, so é and ß cut words in two: \w knows all letters.")
def ascii_words(text):
    return re.findall(r"[A-Za-z0-9_]+|[^A-Za-z0-9_\s]", text)


@misconception("word_tokenize", "The text is put into lower case: tokens keep their capitals.")
def lower_case(text):
    return re.findall(r"\w+|[^\w\s]", text.lower())


@misconception("word_tokenize", "White space became tokens: it only separates.")
def white_space_tokens(text):
    return re.findall(r"\w+|\W", text)


@misconception("word_tokenize", r"The underscore is treated as punctuation: \w contains it.")
def underscore_is_punctuation(text):
    return re.findall(r"[^\W_]+|[^\w\s]|_", text)


@variant("word_tokenize")
def character_by_character(text):
    tokens, run = [], ""
    for character in text:
        if character == "_" or character.isalnum():
            run += character
        else:
            tokens += [t for t in (run, character.strip()) if t]
            run = ""
    return tokens + ([run] if run else [])


@variant("word_tokenize")
def by_finditer(text):
    return [match.group() for match in re.compile(r"(\w+)|(\S)").finditer(text)]


# 2 · build_vocabulary


@misconception("build_vocabulary", "Ties stand in the order of first appearance: equally frequent tokens should be in alphabetical order.")
def ties_by_appearance(tokens, max_size, specials=("<unk>",)):
    common = [t for t, _ in Counter(tokens).most_common() if t not in specials]
    return {t: i for i, t in enumerate([*specials, *common][:max_size])}


@misconception("build_vocabulary", "Ties stand in reverse alphabetical order: reverse=True turned around both parts of the key.")
def ties_reversed(tokens, max_size, specials=("<unk>",)):
    counts = Counter(t for t in tokens if t not in specials)
    ordered = sorted(counts, key=lambda t: (counts[t], t), reverse=True)
    return {t: i for i, t in enumerate([*specials, *ordered][:max_size])}


@misconception(
    "build_vocabulary", "The special tokens are not counted: max_size is the size of the whole vocabulary, special tokens and all."
)
def specials_not_counted(tokens, max_size, specials=("<unk>",)):
    counts = Counter(t for t in tokens if t not in specials)
    ordered = sorted(counts, key=lambda t: (-counts[t], t))[:max_size]
    return {t: i for i, t in enumerate([*specials, *ordered])}


@misconception("build_vocabulary", "The special tokens stand at the end: they have the first ids.")
def specials_last(tokens, max_size, specials=("<unk>",)):
    counts = Counter(t for t in tokens if t not in specials)
    ordered = sorted(counts, key=lambda t: (-counts[t], t))[: max_size - len(specials)]
    return {t: i for i, t in enumerate([*ordered, *specials])}


@misconception(
    "build_vocabulary",
    "A special token that occurs in the text was counted as a token as well: it keeps its place at the front and comes only once.",
)
def specials_twice(tokens, max_size, specials=("<unk>",)):
    counts = Counter(tokens)
    ordered = sorted(counts, key=lambda t: (-counts[t], t))
    return {t: i for i, t in enumerate([*specials, *ordered][:max_size])}


@misconception("build_vocabulary", "The tokens are in alphabetical order: the most frequent should come first.")
def alphabetical(tokens, max_size, specials=("<unk>",)):
    return {t: i for i, t in enumerate([*specials, *sorted(set(tokens) - set(specials))][:max_size])}


@misconception("build_vocabulary", "The rarest tokens come first: counts should fall.")
def rarest_first(tokens, max_size, specials=("<unk>",)):
    counts = Counter(t for t in tokens if t not in specials)
    return {t: i for i, t in enumerate([*specials, *sorted(counts, key=lambda t: (counts[t], t))][:max_size])}


@misconception("build_vocabulary", "The ids begin at 1: the first id is 0.")
def ids_from_one(tokens, max_size, specials=("<unk>",)):
    counts = Counter(t for t in tokens if t not in specials)
    return {t: i for i, t in enumerate([*specials, *sorted(counts, key=lambda t: (-counts[t], t))][:max_size], 1)}


@variant("build_vocabulary")
def by_stable_sorting(tokens, max_size, specials=("<unk>",)):
    counts = {}
    for token in tokens:
        counts[token] = counts.get(token, 0) + 1
    vocabulary = dict(zip(specials, range(len(specials))))
    for token in sorted(sorted(counts), key=counts.__getitem__, reverse=True):
        if token not in vocabulary and len(vocabulary) < max_size:
            vocabulary[token] = len(vocabulary)
    return vocabulary


@variant("build_vocabulary")
def with_a_heap(tokens, max_size, specials=("<unk>",)):
    counts = Counter(tokens)
    kept = heapq.nsmallest(max(0, max_size - len(specials)), ((-n, t) for t, n in counts.items() if t not in specials))
    return {t: i for i, t in enumerate(list(specials) + [t for _, t in kept])}


# 3 · encode_words


@misconception("encode_words", "Unknown words are left out: they should get the id of <unk>.")
def unknown_left_out(tokens, vocabulary):
    return [vocabulary[t] for t in tokens if t in vocabulary]


@misconception("encode_words", "Unknown words always get 0: they should get the id that <unk> has in this vocabulary.")
def unknown_is_zero(tokens, vocabulary):
    return [vocabulary.get(t, 0) for t in tokens]


@misconception(
    "encode_words", "Unknown words get a new id: they should get the id of <unk>, since the embedding table has no row for another one."
)
def unknown_is_new(tokens, vocabulary):
    return [vocabulary.get(t, len(vocabulary)) for t in tokens]


@variant("encode_words")
def with_a_condition(tokens, vocabulary):
    return [vocabulary[t if t in vocabulary else "<unk>"] for t in tokens]


# 4 · wordpiece_encode


@misconception(
    "wordpiece_encode",
    "The shortest piece that fits is taken: it should be the longest.",
    replace=("range(len(word), start, -1)", "range(start + 1, len(word) + 1)"),
)
@misconception(
    "wordpiece_encode",
    "The pieces found before the word turned out unknown are kept: the whole word should be the one unknown piece.",
    replace=("return [unknown]", "return [*pieces, unknown]"),
)
@misconception(
    "wordpiece_encode",
    "The unknown piece is always [UNK]: its name is the argument `unknown`.",
    replace=("return [unknown]", 'return ["[UNK]"]'),
)
@misconception(
    "wordpiece_encode",
    "An unknown word has no pieces here: it should be the one piece `unknown`.",
    replace=("return [unknown]", "return []"),
)
@misconception(
    "wordpiece_encode",
    "The pieces come back without their ##: it belongs to the name of a continuing piece.",
    replace=("pieces.append(prefix + word[start:end])", "pieces.append(word[start:end])"),
)
@misconception(
    "wordpiece_encode",
    "Rests of the word are looked up without ##, as if they began a word.",
    replace=("prefix + word[start:end] in vocabulary", "word[start:end] in vocabulary"),
)
@misconception(
    "wordpiece_encode",
    "The ## was put before the first piece as well: only pieces that continue a word have it.",
    replace=('"##" if start else ""', '"##"'),
)
def edits_of_wordpiece():
    pass


@misconception(
    "wordpiece_encode", "A first piece is taken back when the rest does not fit: greedy means that there are no second thoughts."
)
def backtracking(word, vocabulary, unknown="[UNK]"):
    def cut(left, prefix):
        if not left:
            return []
        for n in range(len(left), 0, -1):
            if prefix + left[:n] in vocabulary:
                after = cut(left[n:], "##")
                if after is not None:
                    return [prefix + left[:n], *after]
        return None

    found = cut(word, "")
    return [unknown] if found is None else found


@misconception("wordpiece_encode", "The word is cut from its end: the longest piece at its beginning comes first.")
def from_the_end(word, vocabulary, unknown="[UNK]"):
    pieces, end = [], len(word)
    while end:
        start = next((s for s in range(end) if ("##" if s else "") + word[s:end] in vocabulary), None)
        if start is None:
            return [unknown]
        pieces.insert(0, ("##" if start else "") + word[start:end])
        end = start
    return pieces


@misconception("wordpiece_encode", "The cut with the fewest pieces is taken: greedy means the longest piece first, whatever is left then.")
def fewest_pieces(word, vocabulary, unknown="[UNK]"):
    best = {0: []}
    for end in range(1, len(word) + 1):
        for start in range(end):
            piece = ("##" if start else "") + word[start:end]
            if start in best and piece in vocabulary and (end not in best or len(best[start]) + 1 < len(best[end])):
                best[end] = [*best[start], piece]
    return best.get(len(word), [unknown])


@misconception("wordpiece_encode", "A part that does not fit is skipped letter by letter as unknown: the whole word should be unknown.")
def unknown_letters(word, vocabulary, unknown="[UNK]"):
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        for end in range(len(word), start, -1):
            if prefix + word[start:end] in vocabulary:
                pieces.append(prefix + word[start:end])
                start = end
                break
        else:
            pieces.append(unknown)
            start += 1
    return pieces


@misconception("wordpiece_encode", "Every word is unknown here.")
def everything_unknown(word, vocabulary, unknown="[UNK]"):
    return [unknown]


@misconception("wordpiece_encode", "Pieces are taken out of the vocabulary that is given: only look them up in it.")
def uses_pieces_up(word, vocabulary, unknown="[UNK]"):
    pieces = by_recursion(word, vocabulary, unknown)
    for piece in pieces:
        if isinstance(vocabulary, dict):
            vocabulary.pop(piece, None)
    return pieces


@variant("wordpiece_encode")
def by_recursion(word, vocabulary, unknown="[UNK]"):
    def cut(left, prefix):
        for n in range(len(left), 0, -1):
            if prefix + left[:n] in vocabulary:
                return [prefix + left[:n]] + cut(left[n:], "##")
        return [None] if left else []

    pieces = cut(word, "")
    return [unknown] if None in pieces else pieces


@variant("wordpiece_encode")
def as_bert_does(word, vocabulary, unknown="[UNK]"):
    output, start, bad = [], 0, False
    while start < len(word):
        end, current = len(word), None
        while start < end:
            candidate = "".join(word[start:end]) if start == 0 else "##" + word[start:end]
            if candidate in vocabulary:
                current = candidate
                break
            end -= 1
        if current is None:
            bad = True
            break
        output.append(current)
        start = end
    return [unknown] if bad else output


# 5 · pair_counts


@misconception(
    "pair_counts",
    "How often a word occurs is left out: a pair counts once for each time its word occurs.",
    replace=("counts[pair] += times", "counts[pair] += 1"),
)
@misconception(
    "pair_counts",
    "A pair that stands at several places of a word is counted once: it counts at each place.",
    replace=("in zip(word, word[1:])", "in set(zip(word, word[1:]))"),
)
@misconception(
    "pair_counts",
    "The count of the last word is kept: counts of different words have to be added up.",
    replace=("counts[pair] += times", "counts[pair] = times"),
)
@misconception(
    "pair_counts",
    "The two symbols are joined: the key is a tuple of two, since (ab, c) and (a, bc) are different pairs.",
    replace=("counts[pair] += times", "counts[pair[0] + pair[1]] += times"),
)
@misconception(
    "pair_counts",
    "The last symbol is paired with the first: a word does not go round in a circle.",
    replace=("zip(word, word[1:])", "zip(word, word[1:] + word[:1])"),
)
@misconception(
    "pair_counts",
    "Every second pair is left out: pairs overlap, each symbol is the second of one and the first of the next.",
    replace=("zip(word, word[1:])", "zip(word[::2], word[1::2])"),
)
def edits_of_pair_counts():
    pass


@misconception("pair_counts", "Words are counted as if they were one long word: pairs lie within a word.")
def across_words(words):
    counts = Counter()
    everything = [(symbol, times) for word, times in words.items() for symbol in word]
    for (one, times), (other, _) in zip(everything, everything[1:]):
        counts[one, other] += times
    return dict(counts)


@variant("pair_counts")
def with_a_counter(words):
    return Counter(
        {
            pair: n
            for pair, n in sum(
                (Counter({p: times * c for p, c in Counter(itertools.pairwise(word)).items()}) for word, times in words.items()), Counter()
            ).items()
        }
    )


@variant("pair_counts")
def by_index(words):
    counts = {}
    for word in words:
        for i in range(1, len(word)):
            counts.setdefault((word[i - 1], word[i]), 0)
            counts[word[i - 1], word[i]] += words[word]
    return counts


# 6 · merge_pair


@misconception("merge_pair", "Merges overlap: in a a a the middle a is used twice. A symbol belongs to one merge only.")
def overlapping(word, pair):
    merged, used = [], set()
    for i, symbol in enumerate(word):
        if word[i : i + 2] == pair:
            merged.append(pair[0] + pair[1])
            used |= {i, i + 1}
        elif i not in used:
            merged.append(symbol)
    return tuple(merged)


@misconception("merge_pair", "Only the first occurrence is merged: all of them should be.")
def first_only(word, pair):
    for i in range(len(word) - 1):
        if word[i : i + 2] == pair:
            return (*word[:i], pair[0] + pair[1], *word[i + 2 :])
    return tuple(word)


@misconception("merge_pair", "The pair is looked for inside symbols, too: (b, c) is not in the word (ab, c), although ab ends in b.")
def looked_for_inside_symbols(word, pair):
    if not word:
        return ()
    return tuple(b"|".join(word).replace(b"|".join(pair), b"".join(pair)).split(b"|"))


@misconception("merge_pair", "Merging goes from right to left: in a a a the first two should be merged.")
def right_to_left(word, pair):
    merged, i = [], len(word) - 1
    while i >= 0:
        found = i > 0 and word[i - 1 : i + 1] == pair
        merged.append(pair[0] + pair[1] if found else word[i])
        i -= 2 if found else 1
    return tuple(reversed(merged))


@misconception(
    "merge_pair",
    "The result is a list: a word is a tuple, so that it can be a dictionary's key.",
    replace=("return tuple(merged)", "return merged"),
)
@misconception(
    "merge_pair",
    "The joined symbol is put in as a pair: it should be one bytes object.",
    replace=("pair[0] + pair[1] if found", "pair if found"),
)
@misconception("merge_pair", "The last symbol is lost.", replace=("while i < len(word)", "while i < len(word) - 1"))
@misconception(
    "merge_pair",
    "Two symbols that spell the same as the pair are merged: they have to be the pair's own two symbols.",
    replace=("word[i : i + 2] == pair", "len(word[i : i + 2]) == 2 and word[i] + word[i + 1] == pair[0] + pair[1]"),
)
@misconception(
    "merge_pair", "The symbol after a merged pair is skipped: move on by two, not by three.", replace=("i += 2 if found", "i += 3 if found")
)
@misconception(
    "merge_pair",
    "The two symbols are merged in either order: (a, b) is not (b, a).",
    replace=("word[i : i + 2] == pair", "word[i : i + 2] in (pair, pair[::-1])"),
)
def edits_of_merge_pair():
    pass


@variant("merge_pair")
def with_a_for_loop(word, pair):
    merged, open_ = [], False
    for symbol in word:
        if open_ and merged[-1] == pair[0] and symbol == pair[1]:
            merged[-1] = pair[0] + pair[1]
            open_ = False
        else:
            merged.append(symbol)
            open_ = True
    return tuple(merged)


@variant("merge_pair")
def by_recursion_on_the_rest(word, pair):
    if len(word) < 2:
        return word
    if word[:2] == pair:
        return (b"".join(pair),) + by_recursion_on_the_rest(word[2:], pair)
    return word[:1] + by_recursion_on_the_rest(word[1:], pair)


# 7 · train_bpe


def _train(
    text,
    vocab_size,
    special_tokens=(),
    *,
    choose=max,
    cut=SPLIT.findall,
    spell=None,
    boundaries=True,
    specials_first=False,
    room=None,
    shortest_first=False,
    strip=False,
):
    """The plain loop, with one thing changed at a time."""
    order = sorted(special_tokens, key=len, reverse=not shortest_first)
    parts = regex.split("|".join(map(regex.escape, order)), text) if order and boundaries else [text]
    spell = spell or (lambda piece: tuple(bytes([b]) for b in piece.encode()))
    words = Counter()
    for part in parts:
        for piece in cut(part):
            words[spell(piece.strip() if strip else piece)] += 1
    merges = []
    room = vocab_size - 256 - len(special_tokens) if room is None else room(vocab_size, len(special_tokens))
    while len(merges) < room:
        counts = Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                counts[pair] += times
        if not counts:
            break
        best = choose(counts, key=lambda p: (counts[p], p))
        merges.append(best)
        new = Counter()
        for word, times in words.items():
            new[with_a_for_loop(word, best)] += times
        words = new
    specials = [t.encode() for t in special_tokens]
    tokens = [bytes([b]) for b in range(256)]
    joined = [a + b for a, b in merges]
    return dict(enumerate(specials + tokens + joined if specials_first else tokens + joined + specials)), merges


misconception(
    "train_bpe",
    "Pairs that occur once are not merged: merging goes on until the vocabulary is full or no pair is left.",
    replace=("(best := pairs.most_frequent()) is not None", "(best := pairs.most_frequent()) is not None and pairs.counts[best] > 1"),
)


@misconception("train_bpe", "Ties go to the smaller pair: they should go to the lexicographically greater one.")
def ties_to_the_smaller(text, vocab_size, special_tokens=()):
    def choose(counts, key):
        most = max(counts.values())
        return min(pair for pair in counts if counts[pair] == most)

    return _train(text, vocab_size, special_tokens, choose=choose)


@misconception("train_bpe", "Ties go to the pair that was seen first: they should go to the lexicographically greater one.")
def ties_to_the_first(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, choose=lambda counts, key: max(counts, key=counts.__getitem__))


@misconception("train_bpe", "The special tokens are not counted in vocab_size, so there are too many merges.")
def specials_not_in_size(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, room=lambda size, specials: size - 256)


@misconception("train_bpe", "One merge too many: vocab_size counts the 256 bytes, the merges and the special tokens together.")
def one_too_many(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, room=lambda size, specials: size - 255 - specials)


@misconception("train_bpe", "vocab_size is taken as the number of merges: the 256 bytes and the special tokens are part of it.")
def size_is_merges(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, room=lambda size, specials: size)


@misconception("train_bpe", "The special tokens are learned from like text: the text should be cut at them first.")
def specials_as_text(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, boundaries=False)


@misconception(
    "train_bpe", "The special tokens are taken out before the parts are joined again, so merges go across them: they are boundaries."
)
def specials_joined(text, vocab_size, special_tokens=()):
    for token in sorted(special_tokens, key=len, reverse=True):
        text = text.replace(token, "")
    vocab, merges = _train(text, vocab_size - len(special_tokens))
    return {**vocab, **{len(vocab) + i: t.encode() for i, t in enumerate(special_tokens)}}, merges


@misconception("train_bpe", "The special tokens have the first ids: the order is bytes, merges, special tokens.")
def specials_first(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, specials_first=True)


@misconception("train_bpe", "The vocabulary is the wrong way round: it gives the bytes of each id.")
def ids_of_bytes(text, vocab_size, special_tokens=()):
    vocab, merges = _train(text, vocab_size, special_tokens)
    return {token: i for i, token in vocab.items()}, merges


@misconception("train_bpe", "The merges are a dictionary: they should be a list of pairs, in the order in which they were learned.")
def merges_with_ids(text, vocab_size, special_tokens=()):
    vocab, merges = _train(text, vocab_size, special_tokens)
    return vocab, {pair: 256 + i for i, pair in enumerate(merges)}


@misconception("train_bpe", "The merges are pairs of ids: they should be pairs of `bytes`.")
def merges_of_ids(text, vocab_size, special_tokens=()):
    vocab, merges = _train(text, vocab_size, special_tokens)
    ids = {token: i for i, token in reversed(vocab.items())}
    return vocab, [(ids[left], ids[right]) for left, right in merges]


@misconception("train_bpe", "The text is not cut into pre-tokens, so merges go across words.")
def no_pre_tokens(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, cut=lambda part: [part])


@misconception(
    "train_bpe", "Words are cut at white space, which loses the spaces: use GPT2_PATTERN, where a space belongs to the following word."
)
def cut_at_white_space(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, cut=str.split)


@misconception("train_bpe", "The space before a word is stripped off: it belongs to the pre-token.")
def stripped(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, strip=True)


@misconception("train_bpe", "Words begin as characters: they should begin as bytes, so é is two symbols.")
def characters(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, spell=lambda piece: tuple(c.encode() for c in piece))


@misconception("train_bpe", "Each different pre-token counts once: pairs should be weighted by how often their pre-token occurs.")
def types_not_tokens(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, cut=lambda part: list(dict.fromkeys(SPLIT.findall(part))))


@misconception("train_bpe", "The shorter special token is cut out first, which leaves the rest of a longer one in the text.")
def shortest_special_first(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens, shortest_first=True)


@misconception(
    "train_bpe",
    "The special tokens were used as a regular expression as they are: characters such as | and * have a meaning there, so escape them.",
)
def unescaped(text, vocab_size, special_tokens=()):
    vocab, merges = _train(
        "".join("\0" if part is None else part + "\0" for part in regex.split("|".join(special_tokens), text)) if special_tokens else text,
        vocab_size - len(special_tokens),
        ("\0",) if special_tokens else (),
    )
    return {
        **{i: t for i, t in vocab.items() if t != b"\0" or i == 0},
        **{256 + len(merges) + i: t.encode() for i, t in enumerate(special_tokens)},
    }, merges


@misconception("train_bpe", "The merges are joined symbols: each merge is a pair, a tuple of two.")
def joined_merges(text, vocab_size, special_tokens=()):
    vocab, merges = _train(text, vocab_size, special_tokens)
    return vocab, [a + b for a, b in merges]


@misconception("train_bpe", "The special tokens are text in the vocabulary: every token there is a bytes object.")
def specials_as_str(text, vocab_size, special_tokens=()):
    vocab, merges = _train(text, vocab_size, special_tokens)
    return {i: t.decode() if t.decode("utf-8", "replace") in special_tokens else t for i, t in vocab.items()}, merges


misconception(
    "train_bpe",
    "The special tokens are used as a pattern, in which . or | or * means something else: escape them.",
    replace=("map(regex.escape, longest_first)", "longest_first"),
)
misconception(
    "train_bpe",
    "The shorter special token is cut out first, which leaves the rest of a longer one in the text.",
    replace=("sorted(filter(None, special_tokens), key=len, reverse=True)", "sorted(filter(None, special_tokens), key=len)"),
)


@variant("train_bpe")
def plain_loop(text, vocab_size, special_tokens=()):
    if vocab_size < 256 + len(special_tokens):
        raise ValueError(f"vocab_size is too small: {vocab_size}")
    return _train(text, vocab_size, special_tokens)


@variant("train_bpe")
def over_every_occurrence(text, vocab_size, special_tokens=()):
    """No dictionary of words at all: the text's pre-tokens in a list."""
    if len(special_tokens) + 256 > vocab_size:
        raise ValueError(f"{vocab_size} ids are fewer than bytes and special tokens")
    parts = [text]
    for token in sorted(special_tokens, key=len, reverse=True):
        parts = [piece for part in parts for piece in part.split(token)]
    words = [[bytes([b]) for b in piece.encode()] for part in parts for piece in SPLIT.findall(part)]
    vocab, merges = {i: bytes([i]) for i in range(256)}, []
    while len(vocab) + len(special_tokens) < vocab_size:
        counts = Counter(pair for word in words for pair in itertools.pairwise(word))
        if not counts:
            break
        best = sorted(counts.items(), key=lambda item: (item[1], item[0]))[-1][0]
        merges.append(best)
        vocab[len(vocab)] = b"".join(best)
        for word in words:
            i = 0
            while i < len(word) - 1:
                if (word[i], word[i + 1]) == best:
                    word[i : i + 2] = [b"".join(best)]
                i += 1
    for token in special_tokens:
        vocab[len(vocab)] = token.encode("utf-8")
    return vocab, merges


# 8 · BPETokenizer

# The answer finds the next merge in a heap. Wrong ways to choose it, and to begin and to end, are easier to say of a plain loop.
HEAP = "    def merge_bytes(self, data):\n"
LOOP = (
    "    def merge_bytes(self, data):\n"
    "        word = [self.byte_ids[byte] for byte in data]\n"
    "        while word[1:]:\n"
    "            pair = min(zip(word, word[1:]), key=lambda pair: self.rank.get(pair, float('inf')))\n"
    "            if pair not in self.rank:\n"
    "                break\n"
    "            i = list(zip(word, word[1:])).index(pair)\n"
    "            word[i : i + 2] = [self.joined[self.rank[pair]]]\n"
    "        return word\n\n"
    "    def unused(self, data):\n"
)


def with_loop(right, wrong):
    """The answer with a plain loop for its heap, and in it `wrong` for `right`."""
    return HEAP, LOOP.replace(right, wrong)


misconception(
    "BPETokenizer",
    "An id that the vocabulary does not have is left out of the text; it is an error.",
    replace=('            raise ValueError(f"ids must be ids of this vocabulary, got {i}")', '            return b""'),
)


@misconception(
    "BPETokenizer",
    "The leftmost possible merge is applied: it should be the one that was learned first.",
    replace=with_loop("self.rank.get(pair, float('inf'))", "pair not in self.rank"),
)
@misconception(
    "BPETokenizer",
    "The merge that was learned last is applied first: it should be the one that was learned first.",
    replace=with_loop("self.rank.get(pair, float('inf'))", "-self.rank.get(pair, -float('inf'))"),
)
@misconception(
    "BPETokenizer",
    "Ids are computed instead of looked up: a byte's id is not always its value. In GPT-2's vocabulary they differ.",
    replace=with_loop("return word", "return [self.vocab[i][0] if len(self.vocab[i]) == 1 else i for i in word]"),
)
@misconception(
    "BPETokenizer",
    "The text is not cut into pre-tokens first, so merges go across words.",
    replace=("GPT2_PATTERN.findall(part)", "[part]"),
)
@misconception(
    "BPETokenizer",
    "Words are cut at white space, which loses the spaces.",
    replace=("GPT2_PATTERN.findall(part)", "part.split()"),
)
@misconception(
    "BPETokenizer",
    "Special tokens are not recognised: each should become its one id.",
    replace=("return self.boundary.split(text) if self.boundary else [text]", "return [text]"),
)
@misconception(
    "BPETokenizer",
    "The shorter special token wins where a longer one stands: try the longest first.",
    replace=("key=len, reverse=True", "key=len"),
)
@misconception(
    "BPETokenizer",
    "The special tokens were used as a regular expression as they are: characters such as | have a meaning there, so escape them.",
    replace=('"|".join(map(regex.escape, longest_first))', '"|".join(longest_first)'),
)
@misconception(
    "BPETokenizer",
    "Special tokens vanish from the text: regex.split keeps what it splits at only when the pattern stands in parentheses.",
    replace=('"(" + "|".join(map(regex.escape, longest_first)) + ")"', '"|".join(map(regex.escape, longest_first))'),
)
@misconception(
    "BPETokenizer",
    "Each token is decoded for itself: a character whose bytes lie in two tokens is lost. Join the bytes first.",
    replace=(
        'return b"".join(self.token(i) for i in ids).decode("utf-8", errors="replace")',
        'return "".join(self.token(i).decode("utf-8", errors="replace") for i in ids)',
    ),
)
@misconception("BPETokenizer", "Bytes that are no UTF-8 raise an error: they should become U+FFFD.", replace=(', errors="replace"', ""))
@misconception(
    "BPETokenizer", "Bytes that are no UTF-8 are dropped: they should become U+FFFD.", replace=('errors="replace"', 'errors="ignore"')
)
@misconception(
    "BPETokenizer",
    "Bytes are decoded as Latin-1, one character for each: text is UTF-8.",
    replace=('decode("utf-8", errors="replace")', 'decode("latin-1")'),
)
@misconception(
    "BPETokenizer",
    "Words are cut into characters: they should begin as bytes, so é is two symbols.",
    replace=with_loop(
        "[self.byte_ids[byte] for byte in data]", "[self.ids.get(character.encode(), 0) for character in data.decode('utf-8', 'replace')]"
    ),
)
@misconception(
    "BPETokenizer",
    "Only one merge is applied to each word: go on until none is possible.",
    replace=with_loop("while word[1:]:", "for _ in word[1:2]:"),
)
@misconception(
    "BPETokenizer",
    "The lines are all read before the first id comes: read a line when its ids are needed.",
    replace=("for line in lines:", "for line in list(lines):"),
)
@misconception(
    "BPETokenizer",
    "encode_iterable gives one list of ids for each line: it should give ids, one by one.",
    replace=(("yield from self.encode_part(part)", "yield list(self.encode_part(part))"),),
)
@misconception("BPETokenizer", "The end of the last line is lost.", replace=("        yield from self.encode(held)\n", ""))
@misconception(
    "BPETokenizer",
    "Merges are taken by the id of what they make: their order in the list is what counts.",
    replace=with_loop("self.rank.get(pair, float('inf'))", "self.joined[self.rank[pair]] if pair in self.rank else float('inf')"),
)
def edits_of_the_tokenizer():
    pass


@misconception(
    "BPETokenizer",
    "The longest token that fits is taken, as in WordPiece: BPE applies its merges in the order they were learned.",
    replace=(
        "return self.whole.get(data) or self.merge_bytes(data)\n",
        "found = []\n        while data:\n            n = next(n for n in range(len(data), 0, -1) if data[:n] in self.ids)\n            found.append(self.ids[data[:n]])\n            data = data[n:]\n        return found\n",
    ),
)
def longest_match():
    pass


misconception(
    "BPETokenizer",
    "New special tokens are written into the caller's own dictionary: work on a copy.",
    replace=("self.vocab = dict(vocab)", "self.vocab = vocab"),
)


@variant("BPETokenizer")
class LineByLine:
    """Without any memory of words, merging one occurrence at a time, each line for itself."""

    def __init__(self, vocab, merges, special_tokens=()):
        new = [token.encode() for token in special_tokens if token.encode() not in vocab.values()]
        self.vocab, self.merges = vocab | dict(enumerate(new, max(vocab) + 1)), {pair: i for i, pair in enumerate(merges)}
        self.inverse = {token: i for i, token in self.vocab.items()}
        self.special = sorted(special_tokens, key=len, reverse=True)

    def encode(self, text):
        for token in self.special:
            if token in text:
                before, after = text.split(token, 1)
                return self.encode(before) + [self.inverse[token.encode()]] + self.encode(after)
        ids = []
        for match in SPLIT.finditer(text):
            symbols = [bytes([b]) for b in match.group().encode("utf-8")]
            while True:
                ranked = [(self.merges[pair], i) for i, pair in enumerate(zip(symbols, symbols[1:])) if pair in self.merges]
                if not ranked:
                    break
                _, i = min(ranked)
                symbols[i : i + 2] = [symbols[i] + symbols[i + 1]]
            ids.extend(self.inverse[s] for s in symbols)
        return ids

    def decode(self, ids):
        data = bytearray()
        for i in ids:
            data += self.vocab[i]
        return str(data, "utf-8", "replace")

    def encode_iterable(self, lines):
        for line in lines:
            yield from self.encode(line)


variant("BPETokenizer", replace=("lru_cache(maxsize=8192)(self.merge_piece)", "self.merge_piece"))
variant("BPETokenizer", replace=with_loop("", ""))
variant("BPETokenizer", replace=("for line in lines:", "for line in iter(lines):"))


# 9 · bytes_per_token


@misconception("bytes_per_token", "Characters are counted, not bytes.", replace=("len(text.encode())", "len(text)"))
@misconception(
    "bytes_per_token",
    "The ratio is upside down: bytes over tokens.",
    replace=("len(text.encode()) / n_tokens", "n_tokens / len(text.encode())"),
)
@misconception(
    "bytes_per_token",
    "The ratio is rounded down to a whole number.",
    replace=("len(text.encode()) / n_tokens", "float(len(text.encode()) // n_tokens)"),
)
@misconception(
    "bytes_per_token", "These are bytes per word: the tokens are those of encode(text).", replace=("len(encode(text))", "len(text.split())")
)
def edits_of_bytes_per_token():
    pass


@variant("bytes_per_token")
def with_a_sum(text, encode):
    return sum(1 for _ in bytes(text, "utf-8")) / sum(1 for _ in encode(text))


# 10 · compare_by_segments


@misconception(
    "compare_by_segments", "This is the right comparison of decimal numbers: the exercise asks for the lecture's rule, mistake and all."
)
def as_numbers(a, b):
    return "equal" if float(a) == float(b) else "a" if float(a) > float(b) else "b"


@misconception("compare_by_segments", "The segments are compared as text, where '11' comes before '9': compare them as integers.")
def as_text(a, b):
    one, other = a.split("."), b.split(".")
    return "equal" if one == other else "a" if one > other else "b"


@misconception("compare_by_segments", "The answer is the wrong way round: it names the greater of the two.")
def the_smaller(a, b):
    one, other = ([int(s) for s in n.split(".")] for n in (a, b))
    return "equal" if one == other else "b" if one > other else "a"


@misconception("compare_by_segments", "Equal numerals give 'b': they should give 'equal'.")
def never_equal(a, b):
    one, other = ([int(s) for s in n.split(".")] for n in (a, b))
    return "a" if one > other else "b"


@misconception("compare_by_segments", "Only the last segments are compared: the first segments that differ decide.")
def last_segments(a, b):
    one, other = (int(n.split(".")[-1]) for n in (a, b))
    return "equal" if one == other else "a" if one > other else "b"


@misconception("compare_by_segments", "Only the first segments are compared: where they are equal, the next decide.")
def first_segments(a, b):
    one, other = (int(n.split(".")[0]) for n in (a, b))
    return "equal" if one == other else "a" if one > other else "b"


@misconception("compare_by_segments", "The number itself is returned: the result is 'a', 'b' or 'equal'.")
def returns_the_number(a, b):
    one, other = ([int(s) for s in n.split(".")] for n in (a, b))
    return "equal" if one == other else a if one > other else b


@misconception("compare_by_segments", "Segments are compared only as far as both numerals go; the one that goes on is greater.")
def zipped_segments(a, b):
    for left, right in zip(a.split("."), b.split(".")):
        if int(left) != int(right):
            return "a" if int(left) > int(right) else "b"
    return "equal"


@variant("compare_by_segments")
def in_a_loop(a, b):
    for one, other in zip(map(int, a.split(".")), map(int, b.split("."))):
        if one != other:
            return "a" if one > other else "b"
    dots = a.count(".") - b.count(".")
    return "equal" if not dots else "a" if dots > 0 else "b"


# 11 · split_digits


@misconception("split_digits", "The groups are counted from the left: 12345 should be 12 and 345.")
def from_the_left(text):
    return re.findall(r"\d{1,3}|\D+", text)


@misconception("split_digits", "Every digit stands for itself: digits come in groups of three.")
def single_digits(text):
    return re.findall(r"\d|\D+", text)


@misconception("split_digits", "What is not a digit is lost: other runs are kept whole.")
def digits_only(text):
    return [p for p in re.findall(r"\d{1,3}(?=(?:\d{3})*(?!\d))", text)]


@misconception("split_digits", "Runs of digits are not cut.")
def runs(text):
    return re.findall(r"\d+|\D+", text)


@misconception("split_digits", "Other characters stand for themselves: a run of them is kept whole.")
def other_characters_cut(text):
    return re.findall(r"\d{1,3}(?=(?:\d{3})*(?!\d))|\D", text)


@misconception("split_digits", "Other runs are cut at white space, which is lost: the pieces have to join to the text.")
def white_space_lost(text):
    return [p for word in text.split() for p in re.findall(r"\d{1,3}(?=(?:\d{3})*(?!\d))|\D+", word)]


@misconception("split_digits", "The groups of a run come in reverse order.")
def reversed_groups(text):
    pieces = []
    for run in re.findall(r"\d+|\D+", text):
        pieces += [run[max(0, i - 3) : i] for i in range(len(run), 0, -3)] if run[0].isdigit() else [run]
    return pieces


@misconception("split_digits", "A run whose length is a multiple of three begins with an empty group.")
def empty_group(text):
    pieces = []
    for run in re.findall(r"\d+|\D+", text):
        first = len(run) % 3
        pieces += [run[:first], *(run[i : i + 3] for i in range(first, len(run), 3))] if run[0].isdigit() else [run]
    return pieces


@variant("split_digits")
def with_a_look_ahead(text):
    return re.findall(r"\D+|\d{1,3}(?=(?:\d{3})*(?!\d))", text)


@variant("split_digits")
def with_format(text):
    pieces = []
    for digits, run in itertools.groupby(text, str.isdigit):
        run = "".join(run)
        pieces += [g[::-1] for g in re.findall(".{1,3}", run[::-1])][::-1] if digits else [run]
    return pieces


# Stretch · fast_train_bpe


@misconception("fast_train_bpe", "The result is right, but all pairs are counted anew after each merge, which takes most of the time.")
def rescanning(text, vocab_size, special_tokens=()):
    return _train(text, vocab_size, special_tokens)


@variant("fast_train_bpe")
def with_local_counts(text, vocab_size, special_tokens=()):
    """Unique words, corrected counts and an index, but the best pair by looking at all counts."""
    texts = re.split("|".join(map(re.escape, special_tokens)), text) if special_tokens else [text]
    pieces = Counter(piece for one in texts for piece in SPLIT.findall(one))
    words = [(list(bytes([b]) for b in piece.encode()), times) for piece, times in pieces.items()]
    counts, where = Counter(), {}
    for i, (word, times) in enumerate(words):
        for pair in zip(word, word[1:]):
            counts[pair] += times
            where.setdefault(pair, set()).add(i)
    merges = []
    while len(merges) < vocab_size - 256 - len(special_tokens) and counts:
        most = max(counts.values())
        best = max(pair for pair, n in counts.items() if n == most)
        merges.append(best)
        for i in where.pop(best):
            word, times = words[i]
            for pair in zip(word, word[1:]):
                counts[pair] -= times
                if counts[pair] == 0:
                    del counts[pair]
            word = list(with_a_for_loop(word, best))
            words[i] = (word, times)
            for pair in zip(word, word[1:]):
                counts[pair] += times
                where.setdefault(pair, set()).add(i)
    tokens = [bytes([b]) for b in range(256)] + [a + b for a, b in merges] + [t.encode() for t in special_tokens]
    return {i: t for i, t in enumerate(tokens)}, merges


# From public code and its issue trackers


misconception(
    "train_bpe",
    "Ties are decided by the joined bytes: compare the pairs, first symbol by first symbol.",
    replace=(
        "GreaterFirst((self.spelling[pair[0]], self.spelling[pair[1]]))",
        "GreaterFirst((self.spelling[pair[0]] + self.spelling[pair[1]],))",
    ),
)
misconception(
    "train_bpe",
    "Ties are decided by the symbols' ids: compare the bytes that they stand for.",
    replace=("GreaterFirst((self.spelling[pair[0]], self.spelling[pair[1]]))", "GreaterFirst((ord(pair[0]), ord(pair[1])))"),
)


@misconception("build_vocabulary", "The dictionary is the wrong way round: from a token to its id.")
def ids_to_tokens(tokens, max_size, specials=("<unk>",)):
    counts = Counter(tokens)
    ordered = sorted(counts.keys() - set(specials), key=lambda token: (-counts[token], token))
    return dict(enumerate([*specials, *ordered][:max_size]))


@misconception("compare_by_segments", "Missing segments are filled up with zeros: of '9' and '9.0' the one that goes on is greater.")
def padded_with_zeros(a, b):
    left, right = ([int(segment) for segment in numeral.split(".")] for numeral in (a, b))
    longest = max(len(left), len(right))
    left, right = (side + [0] * (longest - len(side)) for side in (left, right))
    return "equal" if left == right else "a" if left > right else "b"


misconception(
    "BPETokenizer",
    "Special tokens are left out of the decoded text: decode gives all of it.",
    replace=("self.token(i) for i in ids)", "self.token(i) for i in ids if self.token(i).decode('utf-8', 'replace') not in self.specials)"),
)
misconception(
    "wordpiece_encode",
    "The word is put into lower case: pieces keep their capitals.",
    replace=("pieces, start = [], 0", "pieces, start, word = [], 0, word.lower()"),
)
