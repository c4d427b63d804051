"""Training byte-level BPE: a plain rescan, the course's `train_bpe`, tiktoken's educational trainer and Hugging Face's compiled one, in one run.

    python benchmarks/bpe.py [--vocab-size 1024] [--bytes 1115394] [--repeats 3] [--whole] [--save]

The text is tinyshakespeare where COURSE_TINYSHAKESPEARE names it, else the first megabyte of what `load_text` finds. Each trainer has a process of its own; `seconds` is the
best of the repeats by the wall clock, `processor` the processor time of that run over all its threads, `memory` how much the process's peak grew over what it held before.
The two slow ones run once. The compiled trainer is fed by lines, as it is meant to be, which is what others are compared with, and as one piece,
which keeps its threads from sharing the work. The educational trainer looks at every occurrence of every word for every merge, so it makes only its first merges and its time is multiplied
(marked ≈), unless --whole is given. --save keeps the table for the site.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import regex

from autograde.authoring.measuring import benchmark_tables
from utils.corpora import load_text
from utils.vocabularies import GPT2_SPLIT

COLUMNS = ("trainer", "seconds", "× compiled", "processor", "× compiled", "MB")
COMPILED = "Hugging Face tokenizers (compiled)"
FIRST_MERGES = 8  # of the educational trainer


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab-size", type=int, default=1024)
    parser.add_argument("--bytes", type=int, default=1_115_394)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--whole", action="store_true", help="let the educational trainer make all its merges (many minutes)")
    parser.add_argument("--save", action="store_true", help="keep the table in docs/measured, for the site")
    options = parser.parse_args()
    corpus = load_text()
    text = corpus.text.encode()[: options.bytes].decode("utf-8", "ignore")
    merges = options.vocab_size - 256
    few = merges if options.whole else min(FIRST_MERGES, merges)
    task = f"{len(text.encode()):,} bytes of {corpus.name}, vocabulary {options.vocab_size:,} ({merges} merges)"
    print(f"{task}, {os.cpu_count()} cores\n")
    rows = {
        COMPILED: measure(compiled, text, options.vocab_size, options.repeats),
        "the same, fed one piece": measure(partial(compiled, in_one_piece=True), text, options.vocab_size, options.repeats),
        "the course's train_bpe": measure(ours, text, options.vocab_size, options.repeats),
        "a plain rescan of the word counts": measure(rescan, text, options.vocab_size, 1),
        f"tiktoken's educational trainer{'' if options.whole else f' (≈ from {few} merges)'}": measure(
            educational, text, 256 + few, 1, merges / few
        ),
    }
    same = rows["the course's train_bpe"][3] == rows["a plain rescan of the word counts"][3]
    table = compared(rows)
    for name, *numbers in (COLUMNS, *table):
        print(f"{name:<52}" + "".join(f"{number:>12}" for number in numbers))
    verdict = f"The course's merges {'equal' if same else 'DIFFER FROM'} those of the plain rescan."
    print(f"\n{verdict}")
    if options.save:
        print(f"kept in {benchmark_tables.save('bpe', 'Training byte-level BPE', COLUMNS, table, f'{task}. {verdict}')}")


def compared(rows: dict[str, tuple]) -> list[tuple[str, ...]]:
    """Each trainer's numbers, and its times over those of the compiled one, as they are read."""
    fastest = rows[COMPILED]
    return [
        (name, f"{wall:.2f}", f"{wall / fastest[0]:.1f}", f"{processor:.2f}", f"{processor / fastest[1]:.1f}", f"{memory:.0f}")
        for name, (wall, processor, memory, _) in rows.items()
    ]


def measure(trainer: Callable, text: str, vocab_size: int, repeats: int, factor: float = 1.0) -> tuple[float, float, float, list]:
    """(seconds, processor seconds, MB, merges) of a trainer in a fresh process, times scaled by `factor`."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        wall, processor, memory, merges = alone.submit(_measured, trainer, text, vocab_size, repeats).result()
    return wall * factor, processor * factor, memory, merges


def _measured(trainer: Callable, text: str, vocab_size: int, repeats: int) -> tuple[float, float, float, list]:
    train = trainer()  # imports, so that they count neither for time nor for memory
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    runs = []
    for _ in range(repeats):
        began, spent = time.perf_counter(), time.process_time()
        merges = train(text, vocab_size)
        runs.append((time.perf_counter() - began, time.process_time() - spent))
    return *min(runs), (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024, merges


def ours() -> Callable:
    from autograde import layout
    from autograde.authoring import source

    train_bpe = source.namespace(source.read(layout.source_path("06_tokenization")))["train_bpe"]
    return lambda text, vocab_size: train_bpe(text, vocab_size)[1]


def rescan() -> Callable:
    return _rescan


def _rescan(text: str, vocab_size: int) -> list[tuple[bytes, bytes]]:
    """What one writes first: count all pairs of all words, merge the best, begin again."""
    words = Counter(tuple(bytes([byte]) for byte in piece.encode()) for piece in regex.findall(GPT2_SPLIT, text))
    merges = []
    while len(merges) < vocab_size - 256:
        counts: Counter = Counter()
        for word, times in words.items():
            for pair in zip(word, word[1:]):
                counts[pair] += times
        if not counts:
            break
        best = max(counts, key=lambda pair: (counts[pair], pair))
        merges.append(best)
        words = {_merged(word, best): times for word, times in words.items()}
    return merges


def _merged(word: tuple[bytes, ...], pair: tuple[bytes, bytes]) -> tuple[bytes, ...]:
    merged, i = [], 0
    while i < len(word):
        found = word[i : i + 2] == pair
        merged.append(pair[0] + pair[1] if found else word[i])
        i += 2 if found else 1
    return tuple(merged)


def educational() -> Callable:
    from tiktoken._educational import bpe_train

    return partial(_call, lambda text, vocab_size: bpe_train(text, vocab_size, GPT2_SPLIT, visualise=None))


def compiled(in_one_piece: bool = False) -> Callable:
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    def train(text: str, vocab_size: int) -> None:
        trainer = trainers.BpeTrainer(vocab_size=vocab_size, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
        tokenizer = Tokenizer(models.BPE())
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
        tokenizer.train_from_iterator([text] if in_one_piece else text.splitlines(keepends=True), trainer)

    return partial(_call, train)


def _call(train: Callable, text: str, vocab_size: int) -> list:
    """A trainer whose merges are not compared: other ties, other ids."""
    train(text, vocab_size)
    return []


if __name__ == "__main__":
    main()
