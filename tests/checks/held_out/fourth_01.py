"""A fourth set of held-out answers to lesson 01: unusual right ones."""

import random
from collections import defaultdict
from functools import reduce
from itertools import accumulate
from types import SimpleNamespace

import torch

from autograde.authoring.strength.mutation import variant
from utils.mdp import TabularModel


def moved(q, at, target, alpha):
    return q.index_put(tuple(torch.tensor([i], device=q.device) for i in at), (1 - alpha) * q[at][None] + alpha * target)


@variant("q_learning_update")
def by_a_weighted_mean(q, state, action, reward, next_state, terminated, alpha, gamma):
    return moved(q, (state, action), reward + (not terminated) * gamma * torch.max(q[next_state]), alpha)


@variant("sarsa_update")
def with_a_mask(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    here = torch.zeros_like(q, dtype=torch.bool)
    here[state, action] = True
    error = reward - q[state, action] if terminated else reward + gamma * q[next_state, next_action] - q[state, action]
    return torch.where(here, q + alpha * error, q)


@variant("discounted_returns")
def by_accumulating(rewards, gamma):
    return (
        torch.stack([*accumulate(rewards.flip(0), lambda after, reward: reward + gamma * after)]).flip(0) if len(rewards) else rewards * 1
    )


@variant("discounted_returns")
def by_a_triangular_system(rewards, gamma):
    """(I − γ shift) G = r."""
    n = len(rewards)
    steps = torch.eye(n, dtype=rewards.dtype, device=rewards.device)
    return torch.linalg.solve_triangular(steps - gamma * steps.roll(1, 1).triu(1), rewards[:, None], upper=True)[:, 0]


@variant("epsilon_greedy")
def by_probabilities(q_row, epsilon, generator):
    best = (q_row == q_row.amax()).double()
    chances = epsilon / len(q_row) + (1 - epsilon) * best / best.sum()
    return torch.multinomial(chances, 1, generator=generator).item()


@variant("fit_model")
def by_grouping(experience, n_states, n_actions):
    like = experience.reward
    counts = like.new_zeros(n_states * n_actions * n_states)
    triple = (experience.state * n_actions + experience.action) * n_states + experience.next_state
    counts = counts.scatter_add(0, triple, torch.ones_like(like)).view(n_states, n_actions, n_states)
    total = (
        like.new_zeros(n_states * n_actions)
        .scatter_add(0, experience.state * n_actions + experience.action, like)
        .view(n_states, n_actions)
    )
    tries = counts.sum(-1)
    terminal = torch.zeros(n_states, dtype=torch.bool, device=like.device)
    terminal[experience.next_state[experience.terminated]] = True
    return TabularModel(counts / tries.clamp(min=1)[..., None], total / tries.clamp(min=1), tries, terminal)


@variant("sample_model")
def by_a_threshold(model, state, action, generator):
    row = model.transition[state, action]
    if not row.any():
        raise ValueError(f"the pair of state {state} and action {action} was never tried")
    after = row.cumsum(0)
    u = torch.rand((), generator=generator, dtype=torch.float64).to(after.device) * after[-1].double()
    landed = int(torch.searchsorted(after.double(), u, right=True))
    return landed, float(model.reward[state, action]), bool(model.terminal[landed])


@variant("policy_value")
def on_the_states_that_go_on(mdp, policy, gamma):
    alive = (~mdp.terminal).nonzero()[:, 0]
    step = (policy[:, :, None] * mdp.transition).sum(1)[alive][:, alive]
    reward = torch.linalg.vecdot(policy, mdp.reward)[alive]
    value = torch.zeros_like(mdp.reward[:, 0])
    return value.index_put((alive,), torch.linalg.solve(torch.eye(len(alive), dtype=step.dtype, device=step.device) - gamma * step, reward))


@variant("expected_update")
def state_by_state(q, model, state, action, gamma):
    future = sum(p * (0 if ends else q[s].max()) for s, (p, ends) in enumerate(zip(model.transition[state, action], model.terminal)))
    return moved(q, (state, action), model.reward[state, action] + gamma * future, 1)


@variant("dyna_q")
def with_a_namespace(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator):
    """A memory in a namespace, and Python's own generator seeded from the one that is given."""
    dice = random.Random(int(torch.randint(2**62, (), generator=generator)))
    memory = SimpleNamespace(seen=defaultdict(list), q=mdp.reward.clone().zero_(), lengths=[])

    def learn(s, a, reward, after, ended):
        future = 0.0 if ended else gamma * float(memory.q[after].max())
        memory.q[s, a] += alpha * (reward + future - memory.q[s, a])

    def act(row):
        return dice.randrange(len(row)) if dice.random() < epsilon else dice.choice((row == row.max()).nonzero()[:, 0].tolist())

    for _ in range(episodes):
        s, n, ended = int(torch.multinomial(mdp.start, 1, generator=generator)), 0, False
        while n < max_steps and not ended:
            a = act(memory.q[s])
            after, reward, ended = mdp.step(s, a, generator)
            learn(s, a, reward, after, ended)
            memory.seen[s, a].append((reward, after, ended))
            for pair in dice.choices(list(memory.seen), k=planning_steps):
                learn(*pair, *dice.choice(memory.seen[pair]))
            s, n = after, n + 1
        memory.lengths += [n]
    return memory.q, memory.lengths


@variant("q_planning")
def sweep_by_sweep(model, n_updates, alpha, gamma, generator):
    """All tried pairs in a new order, again and again."""
    pairs, q = model.counts.nonzero().tolist(), torch.zeros_like(model.reward)
    order = []
    for _ in range(n_updates if pairs else 0):
        order = order or torch.randperm(len(pairs), generator=generator).tolist()
        s, a = pairs[order.pop()]
        after = int(torch.multinomial(model.transition[s, a], 1, generator=generator))
        target = model.reward[s, a] + (0 if model.terminal[after] else gamma * q[after].max())
        q[s, a] = reduce(torch.add, (q[s, a] * (1 - alpha), target * alpha))
    return q
