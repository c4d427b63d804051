# %% [markdown]
# # 06 · Tokenization
# *Needs: Python strings and dictionaries, nothing from earlier lessons · about 2½ hours · CPU is enough · 24 points by checks, 3 for the written question*
#
# Most language models do not read letter by letter. Before the first attention layer, a **tokenizer** cuts the text into pieces, and the model gets the pieces' numbers: row 6 of
# the embedding table, then row 1,204, and so on. Everything the model knows about text, it knows about *these pieces*. So it matters how they are cut:
#
# - What happens to a word that was not there when the vocabulary was made?
# - Why does the same list of names cost about eight times as much in Georgian as in English?
# - Is 9.9 greater than 9.11, and what has the tokenizer to do with a model that says no?
#
# The lecture calls tokenization *the bane of my existence*, and says that many problems you think are the model's limitations are actually (partially) tokenizer
# issues. In this lesson you write a tokenizer that gives GPT-2's ids exactly, and the algorithm that learns such a vocabulary from a text. Then you can look at what a model really gets.
#
# | No. | Exercise | Difficulty | Minutes | Points |
# | --- | --- | --- | --- | --- |
# | 1 | `word_tokenize` | ●○○ | 5 | 1.5 |
# | 2 | `build_vocabulary` | ●●○ | 12 | 2 |
# | 3 | `encode_words` | ●○○ | 4 | 1 |
# | 4 | `wordpiece_encode` | ●●○ | 15 | 2.5 |
# | 5 | `pair_counts` | ●○○ | 8 | 2 |
# | 6 | `merge_pair` | ●●○ | 10 | 2 |
# | 7 | `train_bpe` | ●●● | 30 | 4 |
# | 8 | `BPETokenizer` | ●●● | 35 | 5 |
# | 9 | `bytes_per_token` | ●○○ | 4 | 1 |
# | 10 | `compare_by_segments` | ●○○ | 8 | 1.5 |
# | 11 | `split_digits` | ●●○ | 10 | 1.5 |
# | | written question | | 10 | 3 |
# | ★ | `fast_train_bpe` (stretch) | ●●● | 60 | – |

# %% tags=["setup"]
import heapq
import re
import time
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from operator import add

import regex
from babel import Locale

from autograde.notebook import open_lesson
from utils import plots
from utils.corpora import load_text
from utils.lesson import attempt
from utils.token_view import draw_tokens, merge_view, token_spans
from utils.vocabularies import gpt2, published

lesson = open_lesson("06_tokenization", globals())
check = lesson.check

# %% [markdown]
# **Conventions.** Ids are plain ints and count from 0. From exercise 5 on a symbol is a `bytes` object and a word a tuple of them. What a
# function is given stays as it is. A figure that says it is waiting for your function draws itself once you have written it: run its cell
# again.
#
# Here is a line of text as GPT-2 sees it: one colour change per token, `·` for a space, `‹e6›` for a byte that is no whole character.

# %% tags=["figure"]
GLIMPSE = "Is 9.9 greater than 9.11? Deep Learning, deeplearning, 深度学习."
glimpse = [gpt2().vocab[i] for i in gpt2().encoding().encode(GLIMPSE)]


def draw_glimpse(figure):
    draw_tokens(figure.subplots(), glimpse, caption="GPT-2")


plots.show_html(
    token_spans(glimpse, "GPT-2"),
    still=draw_glimpse,
    alt="The line cut into GPT-2's tokens: '9.11' is 9, full stop and 11; 'deeplearning' is deep and learning; four Chinese characters "
    "are nine pieces, some of them single bytes",
    width=7,
    height=1.2,
)

# %% [markdown]
# Numbers fall apart at the point, a word changes its pieces with its capital and its space, and four Chinese characters are more tokens than
# four English words. A fixed pattern makes the first cut (at spaces, and between letters, digits and signs). All other pieces were *learned*, by an algorithm like the one that you are going to write.

# %% [markdown]
# ## 1 · Words
#
# The first idea is the oldest one: a token is a word. The lecture's example:
#
# $$\text{Deep Learning} \;\to\; \text{Deep}\;|\;\text{Learning}$$
#
# To do this one has to say what a word is. We say: a word is a run of letters, digits and underscores (`\w+` in a regular expression), and every other character that is not white space is a token of its own.
# So *It's 9.9!* becomes `It ' s 9 . 9 !`, seven tokens. White space is thrown away; the text cannot be put together again exactly.

# %% [markdown]
# ### Exercise 1 · `word_tokenize` (●○○, 5 minutes, 1.5 points)
#
# <details><summary>Hint 1</summary>
#
# `re.findall` gives all matches of a pattern from left to right. A pattern may offer alternatives, separated by `|`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `[^abc]` is one character that is none of *a*, *b*, *c*. What two kinds of character must the second alternative not be?
#
# </details>

# %% exercise="word_tokenize"
def word_tokenize(text: str) -> list[str]:
    r"""The words (`\w+`) and the single other characters that are not white space, in
    the order of the text.
    """
    ### BEGIN SOLUTION
    return re.findall(r"\w+|[^\w\s]", text)
    ### END SOLUTION


# %% check="word_tokenize" points=1.5
check(word_tokenize)

# %% [markdown]
# ### From words to numbers
#
# The model needs numbers, so every token gets an id: its row in the embedding table. The table has to have a size before training begins, so the vocabulary
# holds the most frequent tokens of a training text and one special token, `<unk>`, for all others. Special tokens come first, in the order given.
#
# *Worked example.* In *to be or not to be , that is the question* the words *to* and *be* occur twice and all others once. With `max_size=4`:
# `{"<unk>": 0, "be": 1, "to": 2, ",": 3}`. The tie between *be* and *to* is decided alphabetically (Python's order of strings),
# and so is the one between the others, where the comma comes before all letters.

# %% [markdown]
# ### Exercise 2 · `build_vocabulary` (●●○, 12 minutes, 2 points)
# A special token that also occurs in the text keeps its place at the front and does not come a second time.
#
# <details><summary>Hint 1</summary>
#
# `collections.Counter` counts. Its `most_common` breaks ties by first appearance, which is not what is asked for.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `sorted` takes a `key`. If the key is a tuple, its second part decides where the first parts are equal. One of the two parts has to fall and the other to rise.
#
# </details>

# %% exercise="build_vocabulary"
def build_vocabulary(
    tokens: Iterable[str], max_size: int, specials: Sequence[str] = ("<unk>",)
) -> dict[str, int]:
    """Ids from 0 for the special tokens, then for the other tokens by falling count,
    ties alphabetically.

    At most `max_size` entries, the special tokens among them.
    """
    ### BEGIN SOLUTION
    if max_size < len(specials):
        raise ValueError(
            f"max_size must have room for the {len(specials)} special tokens, "
            f"got {max_size}"
        )
    counts = Counter(tokens)
    ordered = sorted(
        counts.keys() - set(specials), key=lambda token: (-counts[token], token)
    )
    return {token: i for i, token in enumerate([*specials, *ordered][:max_size])}
    ### END SOLUTION


# %% check="build_vocabulary" points=2
check(build_vocabulary)

# %% [markdown]
# ### Exercise 3 · `encode_words` (●○○, 4 minutes, 1 point)
# The special tokens may be several, so `<unk>` does not always have the id 0.

# %% exercise="encode_words"
def encode_words(tokens: Iterable[str], vocabulary: dict[str, int]) -> list[int]:
    """The id of each token; a token that the vocabulary lacks gets the id of `<unk>`.
    """
    ### BEGIN SOLUTION
    unknown = vocabulary["<unk>"]
    return [vocabulary.get(token, unknown) for token in tokens]
    ### END SOLUTION


# %% check="encode_words" points=1
check(encode_words)

# %% [markdown]
# ### How much is unknown?
#
# How to deal with **out-of-vocabulary** words? asks the lecture. First measure how many there are. We build vocabularies of growing size from the first part of a text,
# and count in a later part, which the vocabulary has not seen, how many tokens become `<unk>`.

# %% tags=["experiment"]
corpus = load_text()
TRAINING, HELD_BACK = corpus.text[:250_000], corpus.text[250_000:330_000]
SIZES = [100, 300, 1_000, 3_000, 10_000, 30_000]


def unknown_shares():
    """For each vocabulary size, the share of unknown tokens in the held-back text, and of unknown *different* tokens."""
    tokens, test = word_tokenize(TRAINING), word_tokenize(HELD_BACK)
    shares = []
    for size in SIZES:
        vocabulary = build_vocabulary(tokens, size)
        unknown = [t for t, i in zip(test, encode_words(test, vocabulary)) if i == vocabulary["<unk>"]]
        shares.append((len(vocabulary), len(unknown) / len(test), len(set(unknown)) / len(set(test))))
    return shares


unknown = attempt(unknown_shares)

# %% tags=["figure"]
def draw_unknown(figure):
    ax = figure.subplots()
    sizes, tokens, types = zip(*unknown)
    ax.semilogx(sizes, [100 * s for s in types], "o-", color=plots.ORANGE, label="of the different words")
    ax.semilogx(sizes, [100 * s for s in tokens], "o-", color=plots.BLUE, label="of the running words")
    ax.set(xlabel="vocabulary size", ylabel="unknown (%)", ylim=(0, 100), title="Held-back text: how much becomes <unk>")
    ax.annotate(f"every word of the training text\nis known, and still {tokens[-1]:.1%}", (sizes[-1], 100 * tokens[-1]), (-150, 26), textcoords="offset points", arrowprops={"arrowstyle": "-", "color": plots.GREY})
    ax.legend()


plots.show(draw_unknown, alt="The share of unknown words falls with the vocabulary size and is still above zero when every word of the training text is known, for running words and even more for different words", width=6.4, height=3)

# %% tags=["experiment"]
def some_unknown_words():
    """Words of the held-back text that the training text does not have at all: the most frequent ones, and some that occur once."""
    known = set(word_tokenize(TRAINING))
    counts = Counter(token for token in word_tokenize(HELD_BACK) if token not in known)
    print("often:", *(f"{word} ({times})" for word, times in counts.most_common(10)))
    print("once: ", *sorted(word for word, times in counts.items() if times == 1)[::60])


attempt(some_unknown_words)

# %% [markdown]
# With every word of the training text in the vocabulary, the next pages still have new ones. The most frequent ones name who speaks on these pages, or what is spoken of. Of those that occur once, many
# ({measured:unknown.forms:.0%} on the plays) are known words but for an ending or a capital, and their meaning can be read off their parts. A model that gets `<unk>` gets neither the word nor its parts.

# %% [markdown]
# ## 2 · Characters
#
# The opposite idea: a token is a character. In Python that is `list(text)`. Nothing is unknown as long as the alphabet is complete, and the vocabulary is tiny. The lecture's example:
#
# $$\text{Deep Learning} \;\to\; \text{D e e p L e a r n i n g}$$
#
# The price is length. Attention compares every token with every other (lesson 03), so a text of five times as many tokens costs twenty-five times as many
# scores. And a model has to learn from scratch that *D e e p* belongs together.

# %% [markdown]
# ## 3 · Pieces of words
#
# Between the two lies what is used today: frequent words are one token, rare words are several. The lecture's example:
#
# $$\text{Deep Learning} \;\to\; \text{De ep Learn }\#\#\text{ing}$$
#
# The two hashes say *this piece continues a word*. This is the notation of BERT (Devlin et al. 2019) for its **WordPiece** tokenizer. (WordPiece itself is older, Schuster and Nakajima 2012; Wu et al. 2016 mark
# where a word *begins* instead.) Strictly by BERT's notation the second piece of *Deep* would be `##ep`: on the slide, `ep` stands for a piece that begins a word. Below we follow the notation.
#
# Given a vocabulary of pieces, BERT's tokenizer encodes a word **greedily, the longest match first**: find the longest piece in the vocabulary that the word begins with, cut it off, and go
# on with the rest, now looking for pieces that begin with `##`. If at some point nothing fits, the *whole word* is unknown: `["[UNK]"]`.
#
# *Worked example.* The vocabulary has `De`, `##ep`, `Learn`, `L`, `##ing`, `##in`, `##g`. *Learning*: `Learning`, `Learnin`, `Learni` are not there, `Learn` is. Rest *ing*: `##ing` is there.
# Result `Learn ##ing`, although `Learn ##in ##g` was possible too. *Deeper*: `De`, then `##ep`, then *er*: neither `##er` nor `##e` is there, so the result is `[UNK]`.
#
# Greedy also means no second thoughts. With `un`, `u`, `##nit` and the word *unit*, the longest first piece is `un`; the rest *it* does not fit, and the word is unknown, though `u ##nit` would have worked.

# %% [markdown]
# ### Exercise 4 · `wordpiece_encode` (●●○, 15 minutes, 2.5 points)
# The empty word has no pieces.
#
# <details><summary>Hint 1</summary>
#
# Keep a position `start` that moves through the word. From each `start`, try ends from the word's end backwards; the first that is in the vocabulary is the longest.
#
# </details>
# <details><summary>Hint 2</summary>
#
# When does a candidate get the two hashes in front? Not for its length, but for where it begins.
#
# </details>

# %% exercise="wordpiece_encode"
def wordpiece_encode(
    word: str, vocabulary: Collection[str], unknown: str = "[UNK]"
) -> list[str]:
    """The pieces of one word, greedily the longest first; pieces after the first begin
    with '##' (Devlin et al. 2019).

    A word that cannot be cut up to its end is `[unknown]` as a whole.
    """
    ### BEGIN SOLUTION
    pieces, start = [], 0
    while start < len(word):
        prefix = "##" if start else ""
        fitting = (
            end
            for end in range(len(word), start, -1)
            if prefix + word[start:end] in vocabulary
        )
        end = next(fitting, None)
        if end is None:
            return [unknown]
        pieces.append(prefix + word[start:end])
        start = end
    return pieces
    ### END SOLUTION


# %% check="wordpiece_encode" points=2.5
check(wordpiece_encode)

# %% tags=["figure"]
LECTURE_PIECES = {"De", "##ep", "Learn", "##ing", "L", "##in", "##g"}


def draw_levels(figure):
    words = word_tokenize("Deep Learning")
    levels = {
        "word level": words,
        "character level": [character for word in words for character in word],
        "subword level": [piece for word in words for piece in wordpiece_encode(word, LECTURE_PIECES)],
    }
    for ax, (name, tokens) in zip(figure.subplots(3, 1), levels.items()):
        draw_tokens(ax, tokens, columns=40, caption=name)


plots.show(draw_levels, alt="Deep Learning as two words, as twelve characters and as the four pieces De, ##ep, Learn, ##ing", width=5, height=2.3)

# %% [markdown]
# ## 4 · Byte pair encoding: where the pieces come from
#
# The last exercise took its pieces as given. They have to be learned from a text. WordPiece also grows its pieces by merging pairs, and takes the pair that raises the likelihood of the training text most (Schuster and Nakajima 2012). **Byte pair encoding** (BPE), which
# the lecture calls the industry standard, only counts. It began as a way to compress files (Gage 1994): replace the most frequent pair of
# neighbouring bytes by a new symbol, write the replacement down, repeat. Sennrich, Haddow and Birch (2016) used the list of replacements to cut words.
# GPT-2 (Radford et al. 2019) went back to bytes: every text is a sequence of UTF-8 bytes, there are only 256 of them, so **nothing can be unknown** in any language.
#
# *Worked example.* Four words with their counts in a text:
#
# | word | count | symbols |
# | --- | --- | --- |
# | deep | 4 | d e e p |
# | deeper | 1 | d e e p e r |
# | keep | 3 | k e e p |
# | sleep | 2 | s l e e p |
#
# The pair (e, e) occurs 4 + 1 + 3 + 2 = 10 times, and so does (e, p). A tie: the course takes the **lexicographically greater** pair, and (e, p) > (e, e) as Python compares tuples.
# So the first merge is (e, p), and deep is now `d e ep`. Next come (e, ep) with 10, then (d, eep) with 5: three merges, and *deep* is one symbol. *sleep* is `s l eep`: a rare word, in pieces of frequent ones.
#
# In code a symbol is a `bytes` object, a word is a tuple of them, and the text is a dictionary from words to their counts: most words of a text are repetitions, so we count
# each different word once and multiply.

# %% [markdown]
# ### Exercise 5 · `pair_counts` (●○○, 8 minutes, 2 points)
# In `(b"a", b"a", b"a")` the pair `(b"a", b"a")` stands at two places, and counts twice.
#
# <details><summary>Hint 1</summary>
#
# `zip(word, word[1:])` gives the neighbours of one word.
#
# </details>
# <details><summary>Hint 2</summary>
#
# Each occurrence of a pair in a word happened as often as the word did.
#
# </details>

# %% exercise="pair_counts"
def pair_counts(words: dict[tuple[bytes, ...], int]) -> dict[tuple[bytes, bytes], int]:
    """How often each pair of neighbouring symbols occurs, in words that occur
    `words[word]` times.
    """
    ### BEGIN SOLUTION
    counts = defaultdict(int)
    for word, times in words.items():
        for pair in zip(word, word[1:]):
            counts[pair] += times
    return dict(counts)
    ### END SOLUTION


# %% check="pair_counts" points=2
check(pair_counts)

# %% [markdown]
# ### Exercise 6 · `merge_pair` (●●○, 10 minutes, 2 points)
# From left to right, and a symbol belongs to one merge only: merging (a, a) in `a a a` gives `aa a`.
# The two symbols have to be exactly those of the pair. Merging (ab, c) does nothing to `a bc`, although both spell *abc*.
#
# <details><summary>Hint 1</summary>
#
# A `for` loop over positions cannot skip the second half of a pair; a `while` loop that moves its position by one or by two can.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `word[i:i + 2]` is a tuple of two symbols, except at the very end. With what can you compare it?
#
# </details>

# %% exercise="merge_pair"
def merge_pair(word: tuple[bytes, ...], pair: tuple[bytes, bytes]) -> tuple[bytes, ...]:
    """The word with every occurrence of the pair joined into one symbol, from left to
    right without overlap.
    """
    ### BEGIN SOLUTION
    merged, i = [], 0
    while i < len(word):
        found = word[i : i + 2] == pair
        merged.append(pair[0] + pair[1] if found else word[i])
        i += 2 if found else 1
    return tuple(merged)
    ### END SOLUTION


# %% check="merge_pair" points=2
check(merge_pair)

# %% [markdown]
# ### Cutting the text before merging
#
# If merges could cross from word to word, the vocabulary would fill up with things like `dog.`, `dog!` and `dog?`. So GPT-2 first cuts the text by a fixed pattern into **pre-tokens**, and
# merges happen only inside them. Its pattern tries these alternatives, in this order (`\p{L}` is any letter, `\p{N}` any numeral, of any script):
#
# | alternative | what it takes | in *We'll pay $42  now.* |
# | --- | --- | --- |
# | `'(?:[sdmt]\|ll\|ve\|re)` | the ends of English contractions | `'ll` |
# | ` ?\p{L}+` | letters, with the one space before them | `We`, ` pay`, ` now` |
# | ` ?\p{N}+` | numerals, with the space before them | `42` |
# | ` ?[^\s\p{L}\p{N}]+` | anything else that is not white space | ` $`, `.` |
# | `\s+(?!\S)` | white space, but not the last one before a word | the first of two spaces |
# | `\s+` | white space that is left | |
#
# The space belongs to the *following* word: ` now` and `now` are different tokens. Nothing is lost: the pieces join to the text.

# %%
GPT2_PATTERN = regex.compile(r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+")

# %% tags=["experiment"]
print(GPT2_PATTERN.findall("We'll pay $42  now."))

# %% [markdown]
# ### Training
#
# 1. Cut the text at every **special token** such as `<|endoftext|>`. Special tokens mark boundaries between documents; they are no part of the text that is counted, and nothing is merged across them.
# 2. Cut the parts into pre-tokens with `GPT2_PATTERN.findall`, and count how often each occurs. A pre-token becomes a word of single bytes: `"é"` is `(b"\xc3", b"\xa9")`.
# 3. Count all pairs, merge the most frequent one everywhere (ties: the greater pair), write it down. Repeat until the vocabulary is full or no pair is left.
#
# The ids: 0 to 255 are the bytes, in order; then one id for each merge, in order; then the special tokens. Together that is `vocab_size`.
# So with 256 bytes and one special token, `vocab_size=300` leaves room for 43 merges.
#
# *Worked example.* `train_bpe("deep deep deep", 258)`: the pre-tokens are `deep` (once) and ` deep` (twice). The pairs (d, e), (e, e) and (e, p) occur three times each; the greatest is (e, p), so the first
# merge is `(b"e", b"p")` with id 256. Then (d, e) and (e, ep) tie at three, and (e, ep) wins: id 257 is `b"eep"`.

# %% [markdown]
# ### Exercise 7 · `train_bpe` (●●●, 30 minutes, 4 points)
# Use what you have: a loop around `pair_counts` and `merge_pair` is enough (about 15 lines). It will take some seconds on the texts of this lesson; making it fast is the stretch at the end.
# When two merges happen to give the same bytes, both are kept and each has an id. A `vocab_size` without room for the bytes and the special tokens is a `ValueError`.
#
# <details><summary>Hint 1</summary>
#
# Begin with the cutting. `regex.split` cuts at a pattern, `regex.escape` makes a pattern of a text with `|` or `*` in it. If one special token begins like another, the longer has to be tried first.
# With no special tokens there is nothing to cut, and an empty pattern would cut everywhere.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `max` over the pairs takes a `key`. As in exercise 2, the key may be a tuple: first the count, then what decides ties.
#
# </details>
# <details><summary>Hint 3</summary>
#
# After a merge, make the dictionary of words anew. `bytes([101])` is the byte 101 as a `bytes` object; `b"deep"[0]` is the *number* 100.
#
# </details>

# %% exercise="train_bpe" forbids="tiktoken tokenizers transformers"
def train_bpe(
    text: str, vocab_size: int, special_tokens: Sequence[str] = ()
) -> tuple[dict[int, bytes], list[tuple[bytes, bytes]]]:
    """Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019): what every id stands
    for, and the merges in the order learned.

    Ids: the 256 bytes, the merges, the special tokens. Ties go to the lexicographically
    greater pair.
    """
    ### BEGIN SOLUTION
    special_tokens = list(special_tokens or ())
    n_merges = vocab_size - 256 - len(special_tokens)
    if n_merges < 0:
        raise ValueError(
            "vocab_size must be at least 256 and the special tokens, "
            f"{256 + len(special_tokens)}, got {vocab_size}"
        )
    parts = [text]
    if longest_first := sorted(filter(None, special_tokens), key=len, reverse=True):
        parts = regex.split("|".join(map(regex.escape, longest_first)), text)
    frequencies = Counter()
    for part in parts:
        frequencies.update(GPT2_PATTERN.findall(part))
    pairs, merges = PairIndex(frequencies), []
    while len(merges) < n_merges and (best := pairs.most_frequent()) is not None:
        merges.append(pairs.merge(best))
    tokens = [bytes([byte]) for byte in range(256)]
    tokens += [left + right for left, right in merges] + [
        token.encode() for token in special_tokens
    ]
    return dict(enumerate(tokens)), merges


class GreaterFirst(tuple):
    """A pair that sorts before the smaller ones.

    A heap, which gives the smallest, then gives the greatest pair.
    """

    __lt__ = tuple.__gt__


class PairIndex:
    """How often each pair occurs and in which words.

    Both are corrected after each merge instead of counted anew.

    Each symbol is written as one character (a byte as chr(0) to chr(255)), so that a
    word is a string, a pair is two characters, and `str.partition` finds the pair from
    left to right, without overlap.
    """

    def __init__(self, frequencies):
        self.words = [piece.encode().decode("latin-1") for piece in frequencies]
        self.times = list(frequencies.values())
        self.counts, self.holders = defaultdict(int), defaultdict(set)
        for i, word in enumerate(self.words):
            for pair in map(add, word, word[1:]):
                self.counts[pair] += self.times[i]
                self.holders[pair].add(i)
        self.spelling = {chr(byte): bytes([byte]) for byte in range(256)}
        self.symbols = {token: symbol for symbol, token in self.spelling.items()}
        self.heap = sorted(map(self.entry, self.counts))

    def entry(self, pair):
        return (
            -self.counts[pair],
            GreaterFirst((self.spelling[pair[0]], self.spelling[pair[1]])),
            pair,
        )

    def most_frequent(self):
        """The pair to merge next; None when no word has two symbols left."""
        while self.heap:
            count, _, pair = heapq.heappop(self.heap)
            if self.counts[pair] == -count > 0:
                return pair
            # an earlier merge took some of its occurrences: back to its new place
            if self.counts[pair]:
                heapq.heappush(self.heap, self.entry(pair))
        return None

    def merge(self, pair):
        """Join the pair in all words that hold it; gives its two symbols as bytes."""
        first, second = pair
        parts = self.spelling[first], self.spelling[second]
        joined = parts[0] + parts[1]
        # two merges that spell the same make the same symbol
        new = self.symbols.setdefault(joined, chr(len(self.symbols)))
        self.spelling[new] = joined
        grown = set()
        # a word whose pair an earlier merge took stays as it is
        for i in self.holders.pop(pair):
            done, found, rest = self.words[i].partition(pair)
            while found:
                if done:
                    grown.add(self.exchange(i, done[-1] + first, done[-1] + new))
                if rest:
                    grown.add(self.exchange(i, second + rest[0], new + rest[0]))
                more, found, rest = rest.partition(pair)
                done += new + more
                self.words[i] = done
        del self.counts[pair]
        # only pairs with the new symbol have become more frequent
        for now in grown:
            heapq.heappush(self.heap, self.entry(now))
        return parts

    def exchange(self, i, old, now):
        """In word i an occurrence of the pair `old` becomes one of `now`."""
        self.counts[old] -= self.times[i]
        self.counts[now] += self.times[i]
        self.holders[now].add(i)
        return now
    ### END SOLUTION


# %% check="train_bpe" points=4
check(train_bpe)

# %% [markdown]
# Watch your merges at work. The slider below applies them one after the other to a sentence that the training text did not have: first it is bytes, then frequent pairs join, then words appear.
# The caption names the merge. (Where no script runs, you see the last step.)

# %% tags=["figure"]
PRACTICE = "deep learning is learning deep: a deeper layer keeps learning what the layer before it has learned. " * 3
WATCHED = "Deep learning keeps the learner learning."


def merged_step_by_step(text, merges):
    """The tokens of a text after 0, 1, 2 … merges, leaving out merges that change nothing, and a sentence for each."""
    words = [tuple(bytes([byte]) for byte in piece.encode()) for piece in GPT2_PATTERN.findall(text)]
    frames, captions = [sum(words, ())], ["no merge yet: one token for each byte"]
    for rank, pair in enumerate(merges, 1):
        words = [merge_pair(word, pair) for word in words]
        tokens = sum(words, ())
        if len(tokens) < len(frames[-1]):
            frames.append(tokens)
            captions.append(f"merge {rank}: {pair[0].decode('utf-8', 'replace')!r} + {pair[1].decode('utf-8', 'replace')!r}; now {len(tokens)} tokens")
    return frames, captions


def watch_merges():
    return merged_step_by_step(WATCHED, train_bpe(PRACTICE, 256 + 60)[1])


watched = attempt(watch_merges)


def draw_watched(figure):
    frames, captions = watched
    steps = [0, len(frames) // 3, 2 * len(frames) // 3, len(frames) - 1]
    for ax, step in zip(figure.subplots(4, 1), steps):
        draw_tokens(ax, frames[step], columns=66)
        ax.set_title(captions[step])


plots.show_html(
    merge_view(*watched) if watched else "<p>The slider appears when train_bpe and merge_pair are written.</p>",
    still=draw_watched,
    alt="A sentence in single bytes, then in longer and longer pieces as merges are applied one after the other",
    width=7,
    height=3.4,
)

# %% [markdown]
# ## 5 · The tokenizer
#
# Training has left two things: `vocab` (id → bytes) and `merges` (in the order learned). The tokenizer uses them to turn any text into ids and back.
#
# **Encode.** Cut out special tokens (each gets its id, and a longer one goes before a shorter one that it begins with). Cut the rest into pre-tokens. In each pre-token, start with single bytes and
# apply merges *in the order in which they were learned*: among the pairs present, take the one with the lowest place in `merges`, merge it, and look again, until none is left. Not the leftmost pair, and not the longest token.
#
# *Worked example.* Merges: 1. (b, c), 2. (a, b). The text *abc* becomes `a bc`: the first merge is applied first and uses up the b. From left to right it would have been `ab c`, ids that the model has never seen for this word.
#
# **Decode.** Join the bytes of all ids, *then* decode them as UTF-8. One at a time will not do: in GPT-2's vocabulary 度 is two tokens, and neither is a character. A model may also produce bytes that are
# no valid UTF-8 at all; they become the replacement character � (U+FFFD), as `bytes.decode` with `errors="replace"` makes it.
# An id that `vocab` does not have is an error, a `KeyError` (as in tiktoken) or a `ValueError`: leaving it out would hide that a model and a tokenizer do not belong together.
#
# **Ids are in `vocab`.** In what you trained, the byte 33 has the id 33. In GPT-2's vocabulary it has the id 0. Look ids up; do not compute them.
#
# **A large file.** `encode_iterable` takes lines (an open file, for example) and gives ids one by one. It is a *generator*: it reads a line when ids are needed, and forgets it.

# %% [markdown]
# ### Exercise 8 · `BPETokenizer` (●●●, 35 minutes, 5 points)
# A special token that `vocab` lacks gets the next free id. The lines given to `encode_iterable` are encoded one after the other. Whether white space at a line's end is tokenized together with the next line's is up to you, and so is a special token that
# runs over the end of a line. (Python's strings can hold half of a surrogate pair, which UTF-8 cannot write. tiktoken puts U+FFFD in its place, and the course's own answer too; no check asks for it.)
#
# <details><summary>Hint 1</summary>
#
# In `__init__`, prepare what `encode` looks up all the time: a dictionary from token to id, and one from pair to its place in `merges`.
#
# </details>
# <details><summary>Hint 2</summary>
#
# `regex.split` with the pattern in parentheses keeps what it splits at: texts and special tokens take turns.
#
# </details>
# <details><summary>Hint 3</summary>
#
# `min` over the neighbouring pairs of a word, with the place in `merges` as the key and infinity for a pair that has none. You already have a function that merges this pair.
# Most words come again and again: `functools.lru_cache` with a limited size makes encoding a large text several times faster.
#
# </details>

# %% exercise="BPETokenizer" forbids="tiktoken tokenizers transformers"
class BPETokenizer:
    """Byte-level BPE with given merges; with GPT-2's it gives GPT-2's ids
    (Radford et al. 2019).
    """

    def __init__(
        self,
        vocab: dict[int, bytes],
        merges: Sequence[tuple[bytes, bytes]],
        special_tokens: Sequence[str] = (),
    ) -> None:
        ### BEGIN SOLUTION
        self.vocab = dict(vocab)
        # the first id, should two spell the same
        self.ids = {token: i for i, token in reversed(self.vocab.items())}
        self.byte_ids = {
            token[0]: i for token, i in self.ids.items() if len(token) == 1
        }
        self.joined = [self.ids[left + right] for left, right in merges]
        self.rank = {
            (self.ids[left], self.ids[right]): rank
            for rank, (left, right) in reversed(list(enumerate(merges)))
        }
        # where merges were learned that is the whole vocabulary; where they were
        # written by hand it need not be
        self.whole = {
            token: [i]
            for token, i in self.ids.items()
            if self.merge_bytes(token) == [i]
        }
        # bounded, so that a large file takes no more memory than a small one
        self.encode_piece = lru_cache(maxsize=8192)(self.merge_piece)
        self.specials = list(filter(None, special_tokens or ()))
        for token in self.specials:
            if token.encode() not in self.ids:
                new = max(self.vocab, default=-1) + 1
                self.vocab[new], self.ids[token.encode()] = token.encode(), new
        longest_first = sorted(self.specials, key=len, reverse=True)
        self.boundary = (
            regex.compile("(" + "|".join(map(regex.escape, longest_first)) + ")")
            if longest_first
            else None
        )
        ### END SOLUTION

    def encode(self, text: str) -> list[int]:
        """The ids of a text. Special tokens are always recognised, the longest first.
        """
        ### BEGIN SOLUTION
        return list(chain.from_iterable(map(self.encode_part, self.split(text))))

    def split(self, text):
        """Texts and special tokens, in turn; a text at both ends, which may be empty.

        Half a surrogate pair becomes U+FFFD, as in tiktoken.
        """
        text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return self.boundary.split(text) if self.boundary else [text]

    def encode_part(self, part):
        if part in self.specials:
            return [self.ids[part.encode()]]
        return chain.from_iterable(map(self.encode_piece, GPT2_PATTERN.findall(part)))

    def merge_piece(self, piece):
        """The ids of one pre-token: one where it is a token that merges build."""
        data = piece.encode()
        return self.whole.get(data) or self.merge_bytes(data)

    def merge_bytes(self, data):
        """The ids of some bytes.

        Of the merges that are possible the earliest learned is made, again and again.
        A heap holds the possible ones, so that a word of a million letters takes
        seconds. Where two symbols are merged the first becomes the new one and the
        second None; `left` and `right` say which symbols are neighbours now.
        """
        rank = self.rank.get
        # None at the end is also the left neighbour of the first, at index -1
        ids = [*(self.byte_ids[byte] for byte in data), None]
        left, right = list(range(-1, len(data))), list(range(1, len(ids)))
        possible = [
            (place, i)
            for i, place in enumerate(map(rank, zip(ids, ids[1:])))
            if place is not None
        ]
        heapq.heapify(possible)
        while possible:
            place, i = heapq.heappop(possible)
            j = right[i]
            if rank((ids[i], ids[j])) != place:
                continue  # another merge has taken one of the two
            ids[i], ids[j] = self.joined[place], None
            h, k = left[i], right[j]
            right[i], left[k] = k, i
            for first, second in ((h, i), (i, k)):
                if (place := rank((ids[first], ids[second]))) is not None:
                    heapq.heappush(possible, (place, first))
        return [i for i in ids if i is not None]
        ### END SOLUTION

    def decode(self, ids: Iterable[int]) -> str:
        """The text of the ids; bytes that are no valid UTF-8 become U+FFFD. Raises
        KeyError or ValueError for an id that `vocab` does not have.
        """
        ### BEGIN SOLUTION
        return b"".join(self.token(i) for i in ids).decode("utf-8", errors="replace")

    def token(self, i):
        if i not in self.vocab:
            raise ValueError(f"ids must be ids of this vocabulary, got {i}")
        return self.vocab[i]
        ### END SOLUTION

    def encode_iterable(self, lines: Iterable[str]) -> Iterator[int]:
        """The ids of the lines, one id at a time, reading a line only when its ids are
        needed.
        """
        ### BEGIN SOLUTION
        held = ""
        for line in lines:
            *done, last = self.split(held + line)
            # '\n\n' is one token, so the white space at the end of a file's line waits
            # for the next line: the ids are those of the whole file
            end = len(last.rstrip()) if line.endswith("\n") else len(last)
            for part in (*done, last[:end]):
                yield from self.encode_part(part)
            held = last[end:]
        yield from self.encode(held)
        ### END SOLUTION


# %% check="BPETokenizer" points=5
check(BPETokenizer)

# %% [markdown]
# ### Yours against tiktoken
#
# Now give your tokenizer GPT-2's 50,000 merges (OpenAI's file `vocab.bpe`, which comes with a Python package, so this needs no network) and compare with tiktoken, OpenAI's own tokenizer, written in Rust.

# %% tags=["experiment"]
SAMPLES = {
    "English": "The FBI is chasing a criminal on the run.",
    "contractions": "I'll say we've DON'T, it's o'clock",
    "German": "Donaudampfschifffahrtsgesellschaft, Größe, übermäßig",
    "Greek": "Όλοι οι άνθρωποι γεννιούνται ελεύθεροι",
    "Chinese": "深度学习 is deep learning",
    "Hindi": "सभी मनुष्यों को जन्म से स्वतंत्रता",
    "emoji": "👩‍👩‍👧‍👦 family, 🇬🇷 flag, 👍🏽",
    "code": "def f(x):\n    return x**2  # comment\n\n\nprint(f(3))",
    "white space": "  two,   three\t\ttabs \n\n\n lines \r\n end  ",
    "numbers": "9.9 9.11 12345678 3.14159 ½ Ⅷ",
}


def against_tiktoken():
    """Encode every sample with both, and print where they agree."""
    known = gpt2()
    mine, theirs = BPETokenizer(known.vocab, known.merges), known.encoding()
    for name, text in SAMPLES.items():
        ids = mine.encode(text)
        same = ids == theirs.encode_ordinary(text)
        print(f"{name:<13} {len(text.encode()):>3} bytes → {len(ids):>3} tokens   {'the same ids as tiktoken' if same else 'NOT the ids of tiktoken'}")
    return mine


my_gpt2 = attempt(against_tiktoken)

# %% tags=["figure"]
SHOWN = "Deep learning keeps the learner learning. DEEP LEARNING! Größe, Όλοι, 深度学习.\n    return x**2  # 9.11"


def shown_tokens():
    return [gpt2().vocab[i] for i in my_gpt2.encode(SHOWN)]


shown = attempt(shown_tokens)


def draw_shown(figure):
    draw_tokens(figure.subplots(), list(shown), columns=72, caption="your tokenizer with GPT-2's merges")


plots.show_html(
    token_spans(shown, "your tokenizer with GPT-2's merges") if shown else "<p>The tokens appear when BPETokenizer is written.</p>",
    still=draw_shown,
    alt="Several languages and a line of code as coloured tokens; English words are one token, capitals and other scripts fall into small"
    " pieces",
    width=7,
    height=1.6,
)

# %% [markdown]
# Lower-case English is close to one token per word. The same words in capitals fall to pieces, and of other scripts the merges know little. Look at the code, too: of an indentation every space but the last is a token of its own here.
#
# Here is the laziness of `encode_iterable`, measured: the largest amount of memory that Python holds while the ids of a growing text are counted.

# %% tags=["experiment"]
def memory_of(count_ids):
    """Peak of what Python allocates during the call, in KiB."""
    tracemalloc.start()
    count_ids()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 1024


def lazy_against_eager():
    lines = HELD_BACK[:40_000].splitlines(keepends=True)
    list(my_gpt2.encode_iterable(lines))  # what is remembered from words seen before should not count
    for times in (1, 4):
        lazy = memory_of(lambda: sum(1 for _ in my_gpt2.encode_iterable(line for _ in range(times) for line in lines)))
        eager = memory_of(lambda: len(my_gpt2.encode("".join(lines) * times)))
        print(f"{times * 40:>4} kB of text: encode_iterable {lazy:6.0f} KiB, encode {eager:6.0f} KiB")


attempt(lazy_against_eager)

# %% [markdown]
# ### What you meet in published tokenizers
# **Bytes in print.** GPT-2's files are text, and some bytes cannot be printed. So each byte has a character of its own: printable ones stand for themselves, and the other 68 get the characters from number 256 on, in order. The space,
# byte 32, is the 33rd of those, `Ġ`; a line's end is `Ċ`. That is why vocabularies are full of pieces such as `Ġlearning`: it is ` learning`.
#
# **Special tokens in other people's text.** Your `encode` always recognises special tokens. So whoever can put the characters `<|endoftext|>` into a text, in a chat window, say, puts the *token* into it, and the model sees a document end where none
# does. tiktoken therefore refuses such a text unless the caller says which special tokens are allowed (`allowed_special`) or that they are plain characters here (`disallowed_special=()`).

# %%
def printable_bytes():
    """{byte: the character that stands for it in GPT-2's files}."""
    shown = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b <= 255]
    others = [b for b in range(256) if b not in shown]
    return {b: chr(b) for b in shown} | {b: chr(256 + n) for n, b in enumerate(others)}

# %% tags=["experiment"]
def look_at_published():
    """A token as GPT-2's files write it, and a special token in a text that somebody else wrote."""
    print("".join(printable_bytes()[byte] for byte in b" learning\n"))
    theirs, text = gpt2().encoding(), "Hello <|endoftext|>"
    print("allowed:    ", theirs.encode(text, allowed_special={"<|endoftext|>"}))
    print("plain text: ", theirs.encode(text, disallowed_special=()))
    try:
        theirs.encode(text)
    except ValueError as error:
        print("neither:     ValueError:", str(error).splitlines()[0])


attempt(look_at_published)

# %% [markdown]
# ## 6 · What a vocabulary is worth
#
# A tokenizer compresses: fewer tokens for the same text mean that more text fits into the same context length, and fewer steps to write an answer. The usual measure is
#
# $$\text{bytes per token} = \frac{\text{length of the text in UTF-8 bytes}}{\text{number of tokens}}$$
#
# Bytes and not characters, so that numbers can be compared whatever the script. *Worked number:* *Größe* has 5 characters and 7 bytes. In 3 tokens that is 7 / 3 = 2.33.

# %% [markdown]
# ### Exercise 9 · `bytes_per_token` (●○○, 4 minutes, 1 point)

# %% exercise="bytes_per_token"
def bytes_per_token(text: str, encode: Callable[[str], Sequence]) -> float:
    """How many UTF-8 bytes of the text one token of `encode(text)` stands for, on
    average.
    """
    ### BEGIN SOLUTION
    n_tokens = len(encode(text))
    if n_tokens == 0:
        raise ValueError(f"text must have at least one token, got {text!r}")
    return len(text.encode()) / n_tokens
    ### END SOLUTION


# %% check="bytes_per_token" points=1
check(bytes_per_token)

# %% [markdown]
# ### Compression against vocabulary size
#
# Merges are learned in order, so the vocabularies of all sizes are beginnings of one list: train once, cut the list off at different lengths. Measured on the held-back text.

# %% tags=["experiment"]
MERGES = [0, 16, 64, 256, 1024]


def compression():
    """(vocabulary size, bytes per token on the training text, on the held-back text) for growing vocabularies, and three values to compare with."""
    began = time.perf_counter()
    vocab, merges = train_bpe(TRAINING, 256 + MERGES[-1])
    print(f"train_bpe: {MERGES[-1]:,} merges from {len(TRAINING):,} characters in {time.perf_counter() - began:.1f} s")
    print("the first:", *(repr((a + b).decode("utf-8", "replace")) for a, b in merges[:12]))
    print("the last: ", *(repr((a + b).decode("utf-8", "replace")) for a, b in merges[-8:]))
    rows = []
    for n in MERGES:
        tokenizer = BPETokenizer({i: vocab[i] for i in range(256 + n)}, merges[:n])
        rows.append((256 + n, *(bytes_per_token(text, tokenizer.encode) for text in (TRAINING[:60_000], HELD_BACK))))
    others = {
        "characters": bytes_per_token(HELD_BACK, list),
        "words (lossy, with <unk>)": bytes_per_token(HELD_BACK, word_tokenize),
        "GPT-2, 50,257 tokens": bytes_per_token(HELD_BACK, my_gpt2.encode),
    }
    return rows, others


compressed = attempt(compression)

# %% tags=["figure"]
def draw_compression(figure):
    rows, others = compressed
    sizes, seen, unseen = zip(*rows)
    ax = figure.subplots()
    ax.plot(MERGES, seen, "o-", color=plots.SKY, label="training text")
    ax.plot(MERGES, unseen, "o-", color=plots.BLUE, label="held-back text")
    for (name, value), color in zip(others.items(), (plots.GREY, plots.ORANGE, plots.GREEN)):
        ax.axhline(value, color=color, linestyle=":")
        ax.text(MERGES[-1], value + 0.1, name, ha="right", color=color)
    ax.set(xlabel="merges (vocabulary size)", ylabel="bytes per token", ylim=(0.8, 1.15 * max(others.values())), title="More merges, fewer tokens")
    ax.set_xticks([n for n in MERGES if n != 16], [f"{n:,}\n({256 + n:,})" for n in MERGES if n != 16], fontsize=8)
    ax.legend(loc="upper left", bbox_to_anchor=(0, 0.6))


plots.show(draw_compression, alt="Bytes per token rise with the vocabulary size, from one to about two and a half at 1,280 tokens; dotted lines for characters, words and GPT-2", width=6.6, height=3.4)

# %% [markdown]
# The first merges save most: on the held-back text the first 64 save {measured:compression.saved_by_first_64:.0%} of the tokens, and the next 192 save {measured:compression.saved_by_next_192:.0%} of what is left. A larger vocabulary is not free, either: each token is a row of the embedding and of the output layer (lesson 07). With `d_model = 128`, GPT-2's 50,257 tokens would be 6.4 million parameters in a model whose four blocks have 0.8 million.
# So small models on small texts use small vocabularies.

# %% [markdown]
# ### A language where English merges fail
#
# *Learned from a representative subset of data*, says the lecture. Representative of what? Here is a list with the same content in several languages: the names of the countries and regions of the world, from the Unicode
# Consortium's locale data. It is encoded in two ways: with GPT-2's 50,000 merges, learned mostly from English web pages, and with only 512 merges that **your** `train_bpe` learns from other names in the language itself (of languages and currencies, no countries).

# %% tags=["experiment"]
LANGUAGES = ["en", "de", "tr", "ru", "el", "ar", "hi", "zh", "ka"]


def names_in(code):
    """(names of countries and regions, names of languages and currencies) in a language, each as one text."""
    locale = Locale.parse(code)
    english = Locale.parse("en")
    places = [locale.territories[key] for key in sorted(english.territories) if key.isalpha() and key in locale.territories]
    others = [*locale.languages.values(), *locale.currencies.values()]
    return "\n".join(places), "\n".join(others)


def cost_by_language():
    """For each language: tokens for the list of places with GPT-2's merges, with 512 English merges, and with 512 of its own."""
    english = BPETokenizer(*train_bpe(names_in("en")[1], 256 + 512))
    rows = {}
    for code in LANGUAGES:
        places, others = names_in(code)
        own = BPETokenizer(*train_bpe(others, 256 + 512))
        rows[Locale.parse(code).english_name] = [len(t.encode(places)) for t in (my_gpt2, english, own)]
        bytes_each = [bytes_per_token(places, t.encode) for t in (my_gpt2, english, own)]
        print(f"{Locale.parse(code).english_name:<9} {len(places):>5} characters, {len(places.encode()):>5} bytes;  bytes per token: GPT-2 {bytes_each[0]:.2f}, 512 English merges {bytes_each[1]:.2f}, 512 own merges {bytes_each[2]:.2f}")
    return rows


by_language = attempt(cost_by_language)

# %% tags=["figure"]
def draw_languages(figure):
    ax = figure.subplots()
    names = list(by_language)
    for offset, column, label, color in ((-0.27, 0, "GPT-2's 50,000 merges", plots.BLUE), (0, 1, "512 English merges", plots.ORANGE), (0.27, 2, "512 merges of the language", plots.GREEN)):
        ax.bar([i + offset for i in range(len(names))], [by_language[name][column] for name in names], width=0.25, label=label, color=color)
    ax.set_xticks(range(len(names)), names)
    ax.set(ylabel="tokens", title="The same list of places, in nine languages")
    ax.legend()


plots.show(draw_languages, alt="Tokens for the same list in nine languages: with GPT-2's merges Georgian needs about eight times as many as English; with merges of its own about as many as English with its own", width=7, height=3.2)

# %% [markdown]
# Languages pay for merges that they did not get. In Georgian almost no byte is merged ({measured:languages.Georgian.bytes_per_gpt2_token:.2f} bytes per token): one letter is three bytes and nearly three tokens, so the same list costs {measured:languages.Georgian.times_english:.1f} times as many tokens as in English, in money, in time and in memory.
# It is not the language's fault: with 512 merges of its own, a hundredth of GPT-2's number, it needs {measured:languages.Georgian.own_times_english:.1f} times as many as English with 512 merges of *its* own. (These merges were learned from names, and tested on names; for other text such few merges would save less.) Petrov et al. (2023) measured such costs for many tokenizers, those of commercial models among them: the same text can have up to 15 times as many tokens in one language as in another.

# %% [markdown]
# ## 7 · Is 9.9 greater than 9.11?
#
# The lecture's last slide on tokenizers shows why a language model may say no. GPT-2's tokens are
#
# $$\boxed{9}\,\boxed{.}\,\boxed{9} \qquad\text{and}\qquad \boxed{9}\,\boxed{.}\,\boxed{11}$$
#
# and then, in the lecture's words: *compare initial 9; compare . ; compare 9 and 11, wait 11 is greater than 9; so 9.9 is not greater than 9.11.* This is a rule one can write down: cut both numerals at the point,
# and compare **segment by segment, each segment as an integer**; the first segments that differ decide. Let us write it down and see what it explains.

# %% [markdown]
# ### Exercise 10 · `compare_by_segments` (●○○, 8 minutes, 1.5 points)
# Write the rule *as the lecture says*, mistake and all: `compare_by_segments("9.9", "9.11")` is `"b"`. It returns which numeral it finds greater, `"a"` or `"b"`, or `"equal"`.
# Where all segments of one numeral are those with which the other begins, the one that goes on is greater: `compare_by_segments("9", "9.1")` is `"b"`.

# %% exercise="compare_by_segments"
def compare_by_segments(a: str, b: str) -> str:
    """'a', 'b' or 'equal': which of two decimal numerals is greater when their segments
    are compared as integers, from the left.
    """
    ### BEGIN SOLUTION
    left, right = (
        [int(segment) for segment in numeral.split(".")] for numeral in (a, b)
    )
    if left == right:
        return "equal"
    return "a" if left > right else "b"
    ### END SOLUTION


# %% check="compare_by_segments" points=1.5
check(compare_by_segments)

# %% [markdown]
# When is the rule wrong? Below, all numerals from 9.1 to 9.9 and from 9.10 to 9.99 are compared with each other, 9,801 pairs.

# %% tags=["experiment"]
NUMERALS = [f"9.{i}" for i in range(1, 10)] + [f"9.{i}" for i in range(10, 100)]


def truth(a, b):
    return "equal" if float(a) == float(b) else "a" if float(a) > float(b) else "b"


def where_the_rule_is_wrong():
    wrong = [[compare_by_segments(a, b) != truth(a, b) for b in NUMERALS] for a in NUMERALS]
    same = [w for row, a in zip(wrong, NUMERALS) for w, b in zip(row, NUMERALS) if len(a) == len(b)]
    mixed = [w for row, a in zip(wrong, NUMERALS) for w, b in zip(row, NUMERALS) if len(a) != len(b)]
    print(f"equally many decimals: {sum(same):>4} of {len(same):,} pairs wrong")
    print(f"one against two:       {sum(mixed):>4} of {len(mixed):,} pairs wrong ({sum(mixed) / len(mixed):.0%})")
    return wrong


wrong_pairs = attempt(where_the_rule_is_wrong)

# %% tags=["figure"]
def draw_wrong(figure):
    ax = figure.subplots()
    ax.imshow([[float(cell) for cell in row] for row in wrong_pairs], cmap=plots.SEQUENTIAL, vmin=0, vmax=1.3)
    ticks = [0, 8, 9, 29, 49, 69, 89, 98]
    ax.set_xticks([t for t in ticks if t != 8], [NUMERALS[t] for t in ticks if t != 8], rotation=45, ha="right")
    ax.set_yticks([t for t in ticks if t != 8], [NUMERALS[t] for t in ticks if t != 8])
    ax.set(xlabel="b", ylabel="a", title="blue: the rule is wrong")


plots.show(draw_wrong, alt="A square of all pairs of numerals. The rule is wrong only in the two bands where one numeral has one decimal and the other two, and there in a staircase", width=4.2, height=4)

# %% [markdown]
# Only numerals with *different numbers of decimals* go wrong, and nearly half of those pairs do. For chapters and software versions the same rule is right: version 9.11 does come after 9.9.

# %% [markdown]
# ### Cutting numbers differently
#
# The cut is a choice. GPT-2's pattern takes a whole run of digits as a pre-token, and how it falls into pieces is left to the merges: 12345 is `123 45`. GPT-4's pattern takes at most three digits *from the left*.
# Llama 2 takes every digit for itself (Touvron et al. 2023). We write whole numbers in groups of three **from the right**, 12,345, because then a group's place from the right says what it is worth: the last are the ones, the one before
# the thousands. Counted from the left, 12345 is `123 45` and 123456 is `123 456`, and the same group *123* is worth hundreds in one and thousands in the other. Singh and Strouse (2024) show that
# GPT-3.5 and GPT-4 add long numbers more reliably when the groups are counted from the right, and that the difference is smaller for the larger model. Behind a decimal point it does not work: of 3.14159, `3 . 14 159`, the first group is worth hundredths, of 3.1415, `3 . 1 415`, tenths.
#
# *Worked example.* `split_digits("12345")` is `["12", "345"]`, and `split_digits("pay 1234.50")` is `["pay ", "1", "234", ".", "50"]`.

# %% [markdown]
# ### Exercise 11 · `split_digits` (●●○, 10 minutes, 1.5 points)
#
# <details><summary>Hint 1</summary>
#
# First cut the text into runs: digits, not digits, digits, … `re.findall` with two alternatives does that, or `re.split` with parentheses.
#
# </details>
# <details><summary>Hint 2</summary>
#
# In a run of 8 digits the first group has 2. In a run of 9 it has 3, not 0.
#
# </details>

# %% exercise="split_digits"
def split_digits(text: str) -> list[str]:
    """Runs of digits in groups of three, counted from their right end; every other run
    whole. The pieces join to the text.
    """
    ### BEGIN SOLUTION
    pieces = []
    for run in re.findall(r"\d+|\D+", text):
        if not run[0].isdecimal():
            pieces.append(run)
            continue
        first = len(run) % 3 or 3
        pieces += [run[:first], *(run[i : i + 3] for i in range(first, len(run), 3))]
    return pieces
    ### END SOLUTION


# %% check="split_digits" points=1.5
check(split_digits)

# %% tags=["experiment"]
def number_tokens():
    """The same numerals under four ways of cutting, and under later vocabularies where they are on this machine."""
    ways = {
        "GPT-2": lambda text: [gpt2().vocab[i].decode() for i in my_gpt2.encode(text)],
        "digit by digit (Llama 2)": lambda text: regex.findall(r"\d|\D+", text),
        "three from the left (GPT-4's pattern)": lambda text: regex.findall(r"\d{1,3}|\D+", text),
        "three from the right (yours)": split_digits,
    }
    for name in ("cl100k_base", "o200k_base"):
        if (encoding := published(name)) is not None:
            ways[name] = lambda text, encoding=encoding: [encoding.decode([i]) for i in encoding.encode(text)]
    return {name: [" | ".join(cut(numeral)) for numeral in ("9.9", "9.11", "1234567", "3.14159")] for name, cut in ways.items()}


cuts = attempt(number_tokens)
if cuts:
    for name, row in cuts.items():
        print(f"{name:<38}", *(f"{cell:<27}" for cell in row))

# %% [markdown]
# ### What this explains, and what it does not
#
# - **The tokens are a fact.** `9 | . | 11` is what GPT-2 gets. It never sees that 11 begins with a 1, or that the numeral has two decimals: token *11* is a row of numbers, like token *the*.
# - **The rule is a hypothesis.** It fits the mistake: 9.9 and 9.11 have different numbers of decimals. But that a model gives the answer of this rule does not show that it follows it, and the tokens do not force it:
#   from `9 | . | 11` one can compute the right answer, and a model that learned that a token of two digits after a point means hundredths will give it.
# - **Another cut suggests another rule, not a result.** Cut digit by digit, `9 | . | 9` and `9 | . | 1 | 1`, comparing from the left gives the right answer. Whether a model trained on such tokens makes fewer mistakes is
#   a question for an experiment, not for a picture of tokens.
# - **There are other suspects.** Researchers at Transluce (2024) looked inside Llama 3.1 8B for what was active while it said that 9.8 is less than 9.11, and report, among others, neurons for Bible verses.
#   Verse 9:11 does come after verse 9:8. Switching such neurons off, they say, made the answers better, with the tokens unchanged.
#
# So the text that a model was trained on, in which *9.11* may be a verse, a date, a version or a chapter, matters too. How much each contributes, nobody has measured here. *Partially* tokenizer issues: the word in the lecture's brackets is well chosen.

# %% [markdown]
# ## Written question (3 points, graded by a person)
#
# A team trains a small model for customer letters in Georgian. To save work, they take GPT-2's tokenizer as it is. The model is slow, forgets the beginning of longer letters, and makes mistakes when it sums up prices such as 12345.50.
#
# 1. Explain the first two complaints with numbers from this lesson. Nothing is unknown to the tokenizer: why does that not help?
# 2. They propose to replace the vocabulary of the *trained* model by one learned from Georgian letters. What happens to the model, and what would you do instead?
# 3. A colleague says the sums will be right once digits are cut in groups of three from the right. What in this lesson speaks for it, and why is it no proof? Name a measurement that would decide.
#
# About 150 words.

# %% [markdown] question="written_question" points=3
# ### BEGIN SOLUTION
# **Model answer.** (1) With GPT-2's merges a Georgian letter is about three tokens, one for each byte (about 1 byte per token), so the same content takes some eight times as many tokens as in English.
# The time per letter grows at least with the number of tokens (attention's part with its square), and a context of 1,024 tokens holds some 340 Georgian characters, so the beginning falls out of it.
# Bytes make every text *representable*, not short: no information is lost, but each token carries little.
# (2) An id is a row of the embedding and output tables. With another vocabulary id 5,000 stands for another piece, so all learned rows are meaningless, and the model's output is noise until it is trained again.
# Instead: learn a vocabulary on representative text (Georgian letters with prices) *before* training, or extend the old one by new tokens, with new rows, and train on.
# (3) For it: of a whole number, a group's place from the right fixes what it is worth; with GPT-2's cut `123 45` it does not; and Singh and Strouse measured better sums. Against it: behind the point of 12345.50 groups from the right do not line up. No proof: tokens are only the input; the 9.11 case
# shows that training text matters too. A decision: train two models that differ only in the cut of digits, several seeds each, and compare the accuracy of sums on held-back prices, by number of digits.
#
# **Rubric**
# - 1 point: about one byte per token or about eight times as many tokens, with its consequence for time **and** context; and that complete coverage is not compression. Half a point without a number.
# - 1 point: ids index rows of learned tables, so a swap breaks the model; a sensible alternative. Half a point if one is missing.
# - 1 point: a reason for (fixed place value, or the published result), a reason for doubt, **and** an experiment that changes only the cut. Half a point if the experiment changes more or is missing.
# ### END SOLUTION

# %% [markdown]
# ## Stretch · As fast as a compiled trainer (ungraded)
#
# A `train_bpe` that counts all pairs anew after each merge does the same work a thousand times: most words do not hold the merged pair, and their counts do not change. Three ideas, each worth a factor:
#
# 1. **Count words once.** Most pre-tokens of a text are repetitions. (You may have this already.)
# 2. **Know where a pair is.** Keep for each pair the set of words that hold it. A merge then visits a few hundred words instead of all, takes the old pairs of each off the counts, and adds the new ones.
# 3. **Find the best pair without looking at all.** After a merge most counts are what they were. A heap (`heapq`) of counts can be wrong about a pair as long as you notice when it comes out on top.
#
# Same arguments and results as `train_bpe`. How near pure Python comes to the trainer of Hugging Face's `tokenizers`, which is compiled from Rust and uses all cores, depends on the machine, and on how that trainer is fed:
# the race below gives it the text by lines, as it is meant to be used, and as one piece, which keeps its threads from sharing the work.
#
# ### `fast_train_bpe` (●●●, 60 minutes, no points)
#
# <details><summary>Hint 1</summary>
#
# Write the check first: random texts over the letters *a* and *b*, compared with your `train_bpe`. Repeated letters are where corrections of counts go wrong.
#
# </details>
# <details><summary>Hint 2</summary>
#
# For a word that changes, take *all* its pairs off the counts, merge, and add all its new pairs. It is simpler than finding the changed neighbours, and words are short.
#
# </details>
# <details><summary>Hint 3</summary>
#
# Counts of pairs without the new symbol only fall, so what the heap says of them is never too low. If the top's count is out of date, push it back with the right one.
#
# </details>

# %% exercise="fast_train_bpe" tags=["stretch"] forbids="tiktoken tokenizers transformers"
def fast_train_bpe(
    text: str, vocab_size: int, special_tokens: Sequence[str] = ()
) -> tuple[dict[int, bytes], list[tuple[bytes, bytes]]]:
    """What `train_bpe` gives, in a small part of the time that counting all pairs anew
    takes.
    """
    ### BEGIN SOLUTION
    # the course's own train_bpe is built on the three ideas
    return train_bpe(text, vocab_size, special_tokens)
    ### END SOLUTION


# %% check="fast_train_bpe" points=0
check(fast_train_bpe)

# %% tags=["experiment"]
def race():
    """Seconds for vocabulary 1,024 on up to 1.1 MB of the text: yours, and Hugging Face's compiled trainer where it is installed."""
    text = corpus.text[:1_115_394]
    began = time.perf_counter()
    fast_train_bpe(text, 1024)
    mine = time.perf_counter() - began
    print(f"yours:                    {mine:5.2f} s for {len(text):,} characters")
    try:
        from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    except ImportError:
        print("The package tokenizers is not installed; `pip install tokenizers` adds a compiled trainer to the race.")
        return
    for name, pieces in (("by lines", text.splitlines(keepends=True)), ("as one piece", [text])):
        trainer = trainers.BpeTrainer(vocab_size=1024, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        began = time.perf_counter()
        tokenizer.train_from_iterator(pieces, trainer)
        theirs = time.perf_counter() - began
        print(f"Hugging Face's, {name + ':':<14} {theirs:4.2f} s; yours takes {mine / theirs:.1f} times as long")


attempt(race)

# %% [markdown]
# ## What you have built
#
# A tokenizer whose ids are GPT-2's, and the algorithm that learns such a vocabulary from any text. Lesson 07 trains a GPT on characters, which takes minutes; GPT-2's published weights, which fit into the same class, want the ids that your tokenizer gives. When a model writes something odd, look first at what it was given.
#
# **Sources.** The lecture: *Attention and Language Modeling*, CSE 291 AI Agents, Prithviraj Ammanabrolu.
#
# - Gage (1994), *A New Algorithm for Data Compression*, The C Users Journal.
# - Schuster and Nakajima (2012), *Japanese and Korean Voice Search*, ICASSP; Wu et al. (2016), *Google's Neural Machine Translation System*.
# - Sennrich, Haddow and Birch (2016), *Neural Machine Translation of Rare Words with Subword Units*, ACL.
# - Radford et al. (2019), *Language Models are Unsupervised Multitask Learners* (GPT-2); Devlin et al. (2019), *BERT*, NAACL.
# - Touvron et al. (2023), *Llama 2: Open Foundation and Fine-Tuned Chat Models*.
# - Petrov, La Malfa, Torr and Bibi (2023), *Language Model Tokenizers Introduce Unfairness Between Languages*, NeurIPS.
# - Singh and Strouse (2024), *Tokenization counts: the impact of tokenization on arithmetic in frontier LLMs*.
# - Transluce (2024), *Monitor: An AI-Driven Observability Interface*.
# - The text is named where it is loaded; its licence and checksum are in `data/cards`. Names of places: Unicode Common Locale Data Repository, through the package Babel.

# %% tags=["figure"]
lesson.scoreboard()
