"""Small Markov decision processes as tables: the worlds, the experience and the learned models of lesson 01.

Everything here is data with a few readers. Learning and planning are the lesson's exercises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

Outcome = tuple[int, float, bool]


def _draw(probabilities: Float[Tensor, "n"], generator: torch.Generator) -> int:
    return int(torch.multinomial(probabilities, num_samples=1, generator=generator))


@dataclass(frozen=True, eq=False)
class TabularMDP:
    """A known MDP ⟨S, A, T, R⟩: `transition[s, a, s']`, the expected `reward[s, a]`, which states end an episode, where one starts.

    The rows of a terminal state say nothing that matters: an episode is over before they are used, and the state's
    value is 0. `from_gym` makes them self-loops without reward.
    """

    transition: Float[Tensor, "S A S"]
    reward: Float[Tensor, "S A"]
    terminal: Bool[Tensor, "S"]
    start: Float[Tensor, "S"]

    @property
    def n_states(self) -> int:
        return self.transition.shape[0]

    @property
    def n_actions(self) -> int:
        return self.transition.shape[1]

    def step(self, state: int, action: int, generator: torch.Generator) -> Outcome:
        """One step of the world: `(next_state, reward, terminated)`; the reward is the expected one of the pair.

        Raises IndexError for a state or an action that the world does not have.
        """
        if not (0 <= state < self.n_states and 0 <= action < self.n_actions):
            raise IndexError(f"state {state}, action {action}: the world has {self.n_states} states and {self.n_actions} actions")
        landed = _draw(self.transition[state][action], generator)
        return landed, float(self.reward[state][action]), bool(self.terminal[landed])

    def reset(self, generator: torch.Generator) -> int:
        """A start state."""
        return _draw(self.start, generator)

    @classmethod
    def from_gym(cls, env_id: str, dtype: torch.dtype = torch.float64, **options: Any) -> TabularMDP:
        """The exact table of a Gymnasium toy-text task, read from its own `P` (no rendering, so no pygame).

        `options` go to the environment, as `is_slippery=True`. Raises ValueError for an environment without a table, or one
        whose end of episode is not decided by the state it reaches.
        """
        import gymnasium  # here, so that who never needs a Gymnasium task never loads it

        env: Any = gymnasium.make(env_id, disable_env_checker=True, **options).unwrapped
        if not hasattr(env, "P"):
            raise ValueError(f"env_id {env_id!r} has no table P of its dynamics")
        if getattr(env, "fickle_passenger", False):
            raise ValueError("fickle_passenger=True makes Taxi change its mind outside its table P")
        outcomes = [(s, a, *o) for s, row in env.P.items() for a, possible in row.items() for o in possible]
        n_states, n_actions = len(env.P), int(env.action_space.n)
        transition, reward = torch.zeros(n_states, n_actions, n_states, dtype=dtype), torch.zeros(n_states, n_actions, dtype=dtype)
        terminal = torch.zeros(n_states, dtype=torch.bool)
        for s, a, p, s_next, r, done in outcomes:
            transition[s, a, s_next] += p  # the same state may be listed twice: a slip against the wall
            reward[s, a] += p * r
            terminal[s_next] |= bool(done)
        start = torch.as_tensor(env.initial_state_distrib, dtype=dtype)
        mdp = cls(_absorbing(transition, terminal), reward.masked_fill(terminal[:, None], 0), terminal, start / start.sum())
        seen = mdp.reachable()
        for s, _, _, s_next, _, done in outcomes:
            if seen[s] and not terminal[s] and bool(done) != bool(terminal[s_next]):
                raise ValueError(f"env_id {env_id!r} ends some, not all, of its steps into state {s_next}")
        return mdp

    def reachable(self) -> Bool[Tensor, "S"]:
        """The states an episode can visit, whatever the policy (Gymnasium's tables have others: the cells of the cliff)."""
        edges = (self.transition > 0).any(1)
        seen, before = self.start > 0, 0
        while int(seen.sum()) > before:
            before = int(seen.sum())
            seen = seen | edges[seen].any(0)
        return seen


from_gym = TabularMDP.from_gym


@dataclass(frozen=True, eq=False)
class Experience:
    """What an agent has lived through: one entry a step in five equally long tensors."""

    state: Int[Tensor, "N"]
    action: Int[Tensor, "N"]
    reward: Float[Tensor, "N"]
    next_state: Int[Tensor, "N"]
    terminated: Bool[Tensor, "N"]

    @classmethod
    def from_steps(cls, steps: Iterable[tuple[int, int, float, int, bool]], dtype: torch.dtype = torch.float64) -> Experience:
        """From `(state, action, reward, next_state, terminated)` tuples."""
        columns = list(zip(*steps)) or [()] * 5
        dtypes = (torch.int64, torch.int64, dtype, torch.int64, torch.bool)
        return cls(*(torch.tensor(column, dtype=kind) for column, kind in zip(columns, dtypes)))

    def __len__(self) -> int:
        return len(self.state)

    def first(self, n: int) -> Experience:
        """The first `n` steps."""
        return Experience(self.state[:n], self.action[:n], self.reward[:n], self.next_state[:n], self.terminated[:n])

    def steps(self) -> list[tuple[int, int, float, int, bool]]:
        """The steps as tuples of plain numbers, in order."""
        columns = (self.state, self.action, self.reward, self.next_state, self.terminated)
        return list(zip(*(column.tolist() for column in columns)))


@dataclass(frozen=True, eq=False)
class TabularModel:
    """A learned model ⟨T_η, R_η⟩: like `TabularMDP`, and how often each pair was tried. Rows never tried are all zero."""

    transition: Float[Tensor, "S A S"]
    reward: Float[Tensor, "S A"]
    counts: Tensor  # (S, A)
    terminal: Bool[Tensor, "S"]

    @classmethod
    def from_rows(
        cls,
        rows: dict[tuple[int, int], tuple[float, dict[int, float]]],
        n_states: int,
        n_actions: int,
        terminal: Iterable[int] = (),
        dtype: torch.dtype = torch.float64,
    ) -> TabularModel:
        """A model written down: `rows[state, action] = (reward, {next_state: probability})`; pairs left out were never tried."""
        transition, reward = torch.zeros(n_states, n_actions, n_states, dtype=dtype), torch.zeros(n_states, n_actions, dtype=dtype)
        counts, ends = torch.zeros(n_states, n_actions, dtype=dtype), torch.zeros(n_states, dtype=torch.bool)
        for (state, action), (mean, chances) in rows.items():
            counts[state, action], reward[state, action] = 20, mean
            for next_state, chance in chances.items():
                transition[state, action, next_state] = chance
        ends[list(terminal)] = True
        return cls(transition, reward, counts, ends)

    def as_mdp(self, start: Float[Tensor, "S"]) -> TabularMDP:
        """The model taken for the world: what an agent believes it plans in."""
        return TabularMDP(self.transition, self.reward, self.terminal, start)


def random_experience(
    mdp: TabularMDP, n_steps: int, generator: torch.Generator, max_steps: int = 100, start: Float[Tensor, "S"] | None = None
) -> Experience:
    """`n_steps` steps of uniformly random play; an episode is given up after `max_steps`. `start` replaces the world's own."""
    steps: list[tuple[int, int, float, int, bool]] = []
    state, length = -1, 0
    start = mdp.start if start is None else start
    while len(steps) < n_steps:
        if state < 0:
            state, length = _draw(start, generator), 0
        action = int(torch.randint(mdp.n_actions, (1,), generator=generator))
        next_state, reward, terminated = mdp.step(state, action, generator)
        steps.append((state, action, reward, next_state, terminated))
        length += 1
        state = -1 if terminated or length == max_steps else next_state
    return Experience.from_steps(steps, mdp.reward.dtype)


def gamma_draws(shape: Float[Tensor, "*shape"], generator: torch.Generator) -> Float[Tensor, "*shape"]:
    """Independent draws from Gamma(shape, 1), one for each entry. (`torch.distributions` takes no generator.)"""
    return torch._standard_gamma(shape, generator=generator)


def corridor(n_cells: int, goal_reward: float = 1.0, step_reward: float = 0.0) -> TabularMDP:
    """Cells in a row, the start at the left end, the goal at the right end; actions are 0 (left) and 1 (right)."""
    cells = torch.arange(n_cells)
    transition = torch.zeros(n_cells, 2, n_cells, dtype=torch.float64)
    transition[cells, 0, (cells - 1).clamp(min=0)] = 1
    transition[cells, 1, (cells + 1).clamp(max=n_cells - 1)] = 1
    reward = torch.full((n_cells, 2), step_reward, dtype=torch.float64)
    reward[n_cells - 2, 1] = goal_reward
    terminal = cells == n_cells - 1
    start = (cells == 0).to(torch.float64)
    return TabularMDP(_absorbing(transition, terminal), reward.masked_fill(terminal[:, None], 0), terminal, start)


def _absorbing(transition: Tensor, terminal: Tensor) -> Tensor:
    """`transition` with every terminal state looping to itself."""
    loop = torch.eye(len(terminal), dtype=transition.dtype)[:, None, :].expand_as(transition)
    return torch.where(terminal[:, None, None], loop, transition)
