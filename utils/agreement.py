"""Small English sentences in which a verb must agree with a subject that may stand far from it.

The task is Linzen, Dupoux and Goldberg's (2016): in 'The agents near the criminal are chasing …' the verb's number
is that of *agents*, not of the nearer *criminal*. Sentences are made here, from a grammar of our own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

import torch

SINGULAR = ("FBI", "criminal", "dog", "teacher", "spy", "robot", "driver", "child")
PLURAL = ("agents", "criminals", "dogs", "teachers", "spies", "robots", "drivers", "children")
ADJECTIVES, PREPOSITIONS = ("old", "clever", "tired"), ("near", "behind", "with")
VERBS, PLACES = ("chasing", "watching", "calling"), (("on", "the", "run"), ("in", "the", "park"))
VOCABULARY = (
    "<pad>",
    "The",
    "the",
    "a",
    "is",
    "are",
    ".",
    "on",
    "in",
    "run",
    "park",
    "Near",
    "Behind",
    "With",
    *ADJECTIVES,
    *PREPOSITIONS,
    *VERBS,
    *SINGULAR,
    *PLURAL,
)
NUMBER = {word: i for i, word in enumerate(VOCABULARY)}
MAX_LENGTH = 15
Choice = TypeVar("Choice")


@dataclass(frozen=True)
class Sentences:
    """`ids (n, MAX_LENGTH)`, filled up with 0; `lengths (n,)`; where the verb and its subject stand `(n,)`; `distracted (n,)`: the
    noun just before the verb has the other number."""

    ids: torch.Tensor
    lengths: torch.Tensor
    verb: torch.Tensor
    subject: torch.Tensor
    distracted: torch.Tensor

    def __len__(self) -> int:
        return len(self.ids)


def sentences(n: int, generator: torch.Generator, held_out: bool = False, fronted: float = 0.0) -> Sentences:
    """`n` random sentences. A fifth of all pairs of subject and distractor is never used unless `held_out`, and then only these are.

    In a share `fronted` of those with a second noun its phrase comes first: 'Near the criminal the agents are chasing …'.
    """
    drawn = [_sentence(generator, held_out, fronted) for _ in range(n)]
    columns = ([row[i] for row in drawn] for i in range(1, 4))
    verb, subject, distracted = (torch.tensor(column) for column in columns)
    lengths = torch.tensor([len(words) for words, *_ in drawn])
    return Sentences(torch.stack([encode(words) for words, *_ in drawn]), lengths, verb, subject, distracted)


def encode(words: Sequence[str]) -> torch.Tensor:
    """The numbers of the words, filled up with `<pad>` (0) to `MAX_LENGTH`."""
    return torch.tensor([NUMBER[word] for word in words] + [0] * (MAX_LENGTH - len(words)))


def _sentence(generator: torch.Generator, held_out: bool, fronted: float) -> tuple[list[str], int, int, bool]:
    def pick(choices: Sequence[Choice]) -> Choice:
        return choices[int(torch.randint(len(choices), (), generator=generator))]

    nouns = SINGULAR + PLURAL
    noun, other = pick(nouns), None
    words = ["The", *(pick(ADJECTIVES) for _ in range(pick((0, 1, 2)))), noun]
    subject = len(words) - 1
    if held_out or pick((True, True, False)):
        other = pick([o for o in nouns if ((nouns.index(o) + 3 * nouns.index(noun)) % 5 == 0) == held_out])
        phrase = [pick(PREPOSITIONS), "the", other]
        if fronted and float(torch.rand((), generator=generator)) < fronted:
            words = [phrase[0].capitalize(), *phrase[1:], "the", *words[1:]]
            subject = len(words) - 1
        else:
            words += phrase
    verb = len(words)
    thing = pick((("a", pick(SINGULAR[1:])), ("the", pick(nouns))))
    words += ["is" if noun in SINGULAR else "are", pick(VERBS), *thing, *pick((*PLACES, ())), "."]
    return words, verb, subject, other is not None and (noun in SINGULAR) != (other in SINGULAR)
