"""A small house in English: a world whose states, actions and outcomes are text, and whose every number is known exactly.

An observation says all that matters (where you are, what you carry, whether the door is locked), so it is the state: the world is a
Markov decision process in words. `House.outcomes` lists what an action can lead to, `House.to_mdp` gives the whole world as a table.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, NamedTuple

import torch
from jaxtyping import Int
from torch import Tensor

from utils.mdp import TabularMDP

ROOMS = ("hall", "kitchen", "garden", "study")
EXITS = {
    ("hall", "north"): "study",
    ("hall", "east"): "kitchen",
    ("hall", "south"): "garden",
    ("kitchen", "west"): "hall",
    ("garden", "north"): "hall",
    ("study", "south"): "hall",
}
STEP, APPLE, TREASURE = -0.1, 0.5, 1.0


class Possible(NamedTuple):
    """One of the things that an action can lead to."""

    probability: float
    reward: float
    next_obs: str
    terminated: bool


@dataclass(frozen=True)
class Situation:
    """The facts behind an observation."""

    room: str
    key: bool = False  # you carry it
    apple: bool = False  # you carry it
    open: bool = False  # the study door
    treasure: bool = False  # you have it: the end

    def describe(self) -> str:
        """The observation: one line of English that holds every fact."""
        lying = {
            "kitchen": "" if self.key else "a key",
            "garden": "" if self.apple else "an apple",
            "study": "" if self.treasure else "a treasure",
        }
        thing = lying.get(self.room, "")
        carried = [name for name, have in (("the key", self.key), ("the apple", self.apple), ("the treasure", self.treasure)) if have]
        sentences = [
            f"you are in the {self.room} .",
            f"here is {thing} ." if thing else "",
            "the study is open ." if self.open else "the study is locked .",
            f"you carry {' and '.join(carried) or 'nothing'} .",
        ]
        return " ".join(s for s in sentences if s)


PATTERN = re.compile(r"you are in the (\w+) \..*the study is (open|locked) \. you carry (.*) \.")


@lru_cache(4096)  # a planner asks for the same few lines thousands of times
def understand(obs: str) -> Situation:
    """The facts behind an observation. Raises ValueError for a line that describes no situation of this house."""
    found = PATTERN.fullmatch(obs)
    if found:
        room, door, carried = found.groups()
        situation = Situation(room, "the key" in carried, "the apple" in carried, door == "open", "the treasure" in carried)
        if situation.describe() == obs and _possible(situation):
            return situation
    raise ValueError(f"obs {obs!r} describes no situation of this house")


def _possible(s: Situation) -> bool:
    return s.room in ROOMS and (s.key or not s.open) and (s.open or s.room != "study") and (s.room == "study" or not s.treasure)


class House:
    """Find the key, unlock the study, take the treasure; an apple on the way is worth the detour.

    Every step costs 0.1, the apple is worth 0.5, the treasure 1.0 and ends the episode; so every reward is a multiple of 0.1. With
    `stochastic=True` the lock is stiff (it opens with probability 0.7) and the apple hangs high (you reach it with probability 0.8).
    """

    def __init__(self, stochastic: bool = False) -> None:
        self.stochastic = stochastic
        self.obs: str | None = None
        self._generator: torch.Generator | None = None

    def reset(self, generator: torch.Generator) -> str:
        """Begin in the hall, the kitchen or the garden with empty hands. What is random later comes from this generator too."""
        self._generator = generator
        self.obs = Situation(ROOMS[int(torch.randint(3, (), generator=generator))]).describe()
        return self.obs

    def actions(self, obs: str) -> list[str]:
        """What can be tried here, sensible or not. Raises ValueError for a line that describes no situation."""
        s = understand(obs)
        moves = [f"go {direction}" for room, direction in EXITS if room == s.room]
        things = {"kitchen": "" if s.key else "take key", "garden": "" if s.apple else "take apple", "study": "take treasure"}
        if s.room == "hall" and not s.open:
            moves.append("unlock door")
        return moves + ([things[s.room]] if things.get(s.room) else [])

    def outcomes(self, obs: str, action: str) -> list[Possible]:
        """Everything that `action` can lead to, with its probability. Raises ValueError where the action does not exist."""
        if action not in self.actions(obs):
            raise ValueError(f"action {action!r} does not exist here; there are {self.actions(obs)}")
        s = understand(obs)
        after, bonus, chance = self._effect(s, action)
        done = Possible(chance, round(STEP + bonus, 1), after.describe(), after.treasure)
        failed = Possible(1 - chance, STEP, obs, False)
        return [done] if chance == 1 else [done, failed]

    def _effect(self, s: Situation, action: str) -> tuple[Situation, float, float]:
        """The situation if the action succeeds, the reward beside the step's cost, and the probability of success."""
        verb, thing = action.split()
        if verb == "go":
            room = EXITS[s.room, thing]
            return (s if room == "study" and not s.open else replace(s, room=room)), 0.0, 1.0
        if verb == "unlock":
            return replace(s, open=s.key), 0.0, 0.7 if self.stochastic and s.key else 1.0
        bonus = {"apple": APPLE, "treasure": TREASURE}.get(thing, 0.0)
        changed: dict[str, Any] = {thing: True}
        return replace(s, **changed), bonus, 0.8 if self.stochastic and thing == "apple" else 1.0

    def step(self, action: str) -> tuple[str, float, bool]:
        """Act, and see `(obs, reward, terminated)`."""
        if self.obs is None or self._generator is None:
            raise RuntimeError("call reset first, and again after the end of an episode")
        _, reward, obs, terminated = self.draw(self.obs, action, self._generator)
        self.obs = None if terminated else obs
        return obs, reward, terminated

    def draw(self, obs: str, action: str, generator: torch.Generator) -> Possible:
        """One of the outcomes at random: the true world as a sampler that can be asked about any situation."""
        possible = self.outcomes(obs, action)
        if len(possible) == 1:
            return possible[0]
        return possible[int(torch.rand((), generator=generator) >= possible[0].probability)]

    def observations(self) -> list[str]:
        """Every situation that can be reached, in words; those that end an episode come last."""
        seen = [Situation(room).describe() for room in ROOMS[:3]]
        for obs in seen:  # grows while it is read
            if not understand(obs).treasure:
                seen += [o.next_obs for a in self.actions(obs) for o in self.outcomes(obs, a) if o.next_obs not in seen]
        return sorted(seen, key=lambda obs: understand(obs).treasure)

    def all_actions(self) -> list[str]:
        """Every action that exists somewhere, sorted."""
        return sorted({a for obs in self.observations() for a in self.actions(obs)})

    def to_mdp(self) -> TabularMDP:
        """The house as a table: states as in `observations()`, actions as in `all_actions()`.

        Where an action does not exist the table says it does nothing and costs 1000, so that no sensible policy takes it.
        """
        names, verbs = self.observations(), self.all_actions()
        number = {obs: i for i, obs in enumerate(names)}
        transition = torch.zeros(len(names), len(verbs), len(names), dtype=torch.float64)
        reward = torch.zeros(len(names), len(verbs), dtype=torch.float64)
        terminal = torch.tensor([understand(obs).treasure for obs in names])
        for s, obs in enumerate(names):
            for a, action in enumerate(verbs):
                if terminal[s] or action not in self.actions(obs):
                    transition[s, a, s], reward[s, a] = 1.0, 0.0 if terminal[s] else -1000.0
                    continue
                for possible in self.outcomes(obs, action):
                    transition[s, a, number[possible.next_obs]] += possible.probability
                    reward[s, a] += possible.probability * possible.reward
        start = torch.tensor([1 / 3 if obs in {Situation(r).describe() for r in ROOMS[:3]} else 0.0 for obs in names], dtype=torch.float64)
        return TabularMDP(transition, reward, terminal, start)


Step = tuple[str, str, float, str, bool]


def random_play(house: House, n_steps: int, generator: torch.Generator, max_steps: int = 25) -> list[list[Step]]:
    """Episodes of uniformly random play, `n_steps` steps in all; a step is `(obs, action, reward, next_obs, terminated)`."""
    episodes: list[list[Step]] = []
    obs, fresh = "", True
    for _ in range(n_steps):
        if fresh:
            obs = house.reset(generator)
            episodes.append([])
        possible = house.actions(obs)
        action = possible[int(torch.randint(len(possible), (), generator=generator))]
        next_obs, reward, terminated = house.step(action)
        episodes[-1].append((obs, action, reward, next_obs, terminated))
        obs, fresh = next_obs, terminated or len(episodes[-1]) == max_steps
    return episodes


class Words:
    """A word is a token: the vocabulary of lines about a house, with the marks, the bar, and numbers from -9.9 to +9.9."""

    PAD, END_OF_LINE = "<pad>", "<line>"

    def __init__(self, house: House) -> None:
        marks = [self.PAD, self.END_OF_LINE, "<obs>", "<act>", "<out>", "<rtg>", "|", "go", "end"]
        numbers = [f"{sign}{n // 10}.{n % 10}" for n in range(100) for sign in "+-"]
        lines = house.observations() + house.all_actions()
        self.tokens = list(dict.fromkeys(marks + numbers + sorted({w for line in lines for w in line.split()})))
        self.number = {token: i for i, token in enumerate(self.tokens)}

    def __len__(self) -> int:
        return len(self.tokens)

    def encode(self, text: str) -> Int[Tensor, "T"]:
        """One id a word. Raises ValueError for a word that is not in the vocabulary."""
        try:
            return torch.tensor([self.number[word] for word in text.split()], dtype=torch.long)
        except KeyError as error:
            raise ValueError(f"text holds a word that is not in the vocabulary: {error.args[0]!r}") from None

    def decode(self, ids: Iterable[int]) -> str:
        """The words, separated by spaces."""
        return " ".join(self.tokens[int(i)] for i in ids)

    def batch(self, lines: Sequence[str]) -> Int[Tensor, "B T"]:
        """Lines as rows, each closed by `END_OF_LINE` and filled up with `PAD`."""
        rows = [self.encode(f"{line} {self.END_OF_LINE}") for line in lines]
        return torch.nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=self.number[self.PAD])


class Storyteller:
    """Continues a prompt to the end of the line, drawing every word from a language model at temperature 1.

    A planner asks the same questions thousands of times, so each next-word distribution is computed once and kept. What followed the last
    two words when they were last written often follows them again, and a causal model says in one pass what comes after *each* word: so
    these likely words are asked about along the way (the draft of speculative decoding, Leviathan et al. 2023). None of this changes what
    is drawn: the words before a word decide its distribution, and no word is taken from a draft.
    """

    DRAFT = 12  # words; a pass over so few more costs hardly more

    def __init__(self, model: Callable, words: Words, generator: torch.Generator, longest: int = 40) -> None:
        self.model, self.words, self.generator, self.longest = model, words, generator, longest
        self._stop = words.number[words.END_OF_LINE]
        self._prompts: dict[str, _Place] = {}
        self._followed: dict[tuple[int, ...], tuple[int, ...]] = {}

    def __call__(self, prompt: str) -> str:
        if prompt not in self._prompts:
            self._prompts[prompt] = _Place(tuple(self.words.encode(prompt).tolist()))
        place = start = self._prompts[prompt]
        asked = False
        for u in torch.rand(self.longest, generator=self.generator, dtype=torch.float64).tolist():
            if not place.cumulative:
                asked = True
                self._ask(place, len(start.ids) + self.longest)
            new = min(bisect_right(place.cumulative, u), len(self.words) - 1)
            if new == self._stop:
                break
            place = place.then(new)
        if asked:
            self._remember(place.ids)
        return self.words.decode(place.ids[len(start.ids) :])

    def _ask(self, place: _Place, longest: int) -> None:
        """The distribution behind this place, and behind each place of the draft that goes on from it."""
        draft = self._followed.get(place.ids[-2:], ())[: longest - 1 - len(place.ids)]
        with torch.no_grad():
            logits, _ = self.model(torch.tensor([(*place.ids, *draft)]))
        for new, cumulative in zip((*draft, None), logits[0, -1 - len(draft) :].double().softmax(-1).cumsum(-1).tolist()):
            place.cumulative = cumulative
            if new is not None:
                place = place.then(new)

    def _remember(self, ids: tuple[int, ...]) -> None:
        for i in range(2, len(ids)):
            self._followed[ids[i - 2 : i]] = ids[i : i + self.DRAFT]


class _Place:
    """Where a text stands: its words, the cumulative distribution of the next one (empty until it was asked for), and the places after it."""

    __slots__ = ("ids", "cumulative", "after")

    def __init__(self, ids: tuple[int, ...]) -> None:
        self.ids = ids
        self.cumulative: list[float] = []
        self.after: dict[int, _Place] = {}

    def then(self, new: int) -> _Place:
        if new not in self.after:
            self.after[new] = _Place((*self.ids, new))
        return self.after[new]


def draw_house(ax) -> None:
    """A map of the house with what lies in it."""
    from matplotlib.patches import Rectangle

    from utils import plots

    corners = {"study": (0, 2), "hall": (0, 1), "garden": (0, 0), "kitchen": (1, 1)}
    things = {"study": "treasure  +1.0, the end", "hall": "", "garden": "apple  +0.5", "kitchen": "key"}
    for room, (x, y) in corners.items():
        green = room == "garden"
        ax.add_patch(Rectangle((1.6 * x, y), 1.6, 1, facecolor="#E8F5EE" if green else "#F3F6FA", edgecolor="#4B5563", linewidth=1.6))
        ax.text(1.6 * x + 0.1, y + 0.8, room, fontweight="bold", va="center")
        ax.text(1.6 * x + 0.1, y + 0.45, things[room], va="center", color=plots.BLUE, fontsize=8)
    for left, low, across in ((0.8, 2.0, True), (0.8, 1.0, True), (1.6, 1.5, False)):  # doorways
        dx, dy = (0.16, 0.0) if across else (0.0, 0.16)
        locked = low == 2
        ax.plot([left - dx, left + dx], [low - dy, low + dy], color=plots.RED if locked else "white", linewidth=5, solid_capstyle="butt")
    ax.text(1.02, 1.93, "locked", color=plots.RED, fontsize=8, va="top")
    ax.annotate("", (2.9, 2.85), (2.9, 2.35), arrowprops={"arrowstyle": "-|>", "color": plots.GREY})
    ax.text(2.9, 2.25, "north", ha="center", va="top", color=plots.GREY, fontsize=8)
    ax.set(xlim=(-0.05, 3.3), ylim=(-0.05, 3.05), aspect="equal")
    ax.axis("off")
