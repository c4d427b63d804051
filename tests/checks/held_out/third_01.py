"""A third set of held-out answers to lesson 01: habits of other courses' code, wrong and right."""

import collections
import dataclasses
import functools

import numpy as np
import torch

from autograde.authoring.strength.mutation import misconception, variant
from utils.mdp import TabularModel


@misconception("q_learning_update", "the best action by the old state's order")
def best_by_old_order(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    future = 0.0 if terminated else gamma * q[next_state, q[state].argmax()]
    new[state, action] = q[state, action] + alpha * (reward + future - q[state, action])
    return new


@misconception("q_learning_update", "the second best entry, as in double learning")
def second_best(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    future = 0.0 if terminated else gamma * q[next_state].topk(min(2, q.shape[1])).values[-1]
    new[state, action] = q[state, action] + alpha * (reward + future - q[state, action])
    return new


@misconception("q_learning_update", "the reward is clipped to [-1, 1] as for Atari")
def clipped_reward(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    future = 0.0 if terminated else gamma * q[next_state].max()
    new[state, action] = q[state, action] + alpha * (max(-1.0, min(1.0, reward)) + future - q[state, action])
    return new


@misconception("q_learning_update", "the step is clipped to [-1, 1] as for Atari")
def clipped_step(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    future = 0.0 if terminated else gamma * q[next_state].max()
    new[state, action] = q[state, action] + alpha * torch.as_tensor(reward + future - q[state, action]).clamp(-1, 1)
    return new


@misconception("sarsa_update", "expected Sarsa with equal probabilities")
def expected_sarsa(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    new = q.clone()
    future = 0.0 if terminated else gamma * (0.9 * q[next_state, next_action] + 0.1 * q[next_state].mean())
    new[state, action] = q[state, action] + alpha * (reward + future - q[state, action])
    return new


@misconception(
    "discounted_returns", "The returns are standardised (mean 0, deviation 1), as policy gradients do later; here they are the plain sums."
)
def standardised(rewards, gamma):
    returns, total = torch.zeros_like(rewards), rewards.new_zeros(())
    for t in reversed(range(len(rewards))):
        total = rewards[t] + gamma * total
        returns[t] = total
    return (returns - returns.mean()) / (returns.std() + 1e-9)


@misconception(
    "discounted_returns", "The sum begins anew at every reward, as in programs for Pong; a return runs to the end of the episode."
)
def reset_at_points(rewards, gamma):
    returns, total = torch.zeros_like(rewards), rewards.new_zeros(())
    for t in reversed(range(len(rewards))):
        total = rewards[t] if rewards[t] != 0 else rewards[t] + gamma * total
        returns[t] = total
    return returns


@misconception("epsilon_greedy", "a random one of the best two")
def best_two(q_row, epsilon, generator):
    if float(torch.rand((), generator=generator)) < epsilon:
        return int(torch.randint(len(q_row), (), generator=generator))
    top = q_row.topk(min(2, len(q_row))).indices
    return int(top[torch.randint(len(top), (), generator=generator)])


@misconception("epsilon_greedy", "the others share epsilon; the best never explores")
def other_than_best(q_row, epsilon, generator):
    chances = torch.full((len(q_row),), epsilon / max(1, len(q_row) - 1), dtype=torch.float64)
    chances[q_row.argmax()] = 1 - epsilon
    return int(torch.multinomial(chances + 1e-12, 1, generator=generator))


@misconception("epsilon_greedy", "an epsilon below 0.05 is taken for 0")
def small_is_zero(q_row, epsilon, generator):
    if epsilon >= 0.05 and float(torch.rand((), generator=generator)) < epsilon:
        return int(torch.randint(len(q_row), (), generator=generator))
    best = (q_row == q_row.max()).nonzero()[:, 0]
    return int(best[torch.randint(len(best), (), generator=generator)])


@misconception("fit_model", "add-one smoothing of tried pairs")
def laplace(experience, n_states, n_actions):
    counts = torch.zeros(n_states, n_actions, n_states, dtype=experience.reward.dtype)
    total = torch.zeros(n_states, n_actions, dtype=experience.reward.dtype)
    terminal = torch.zeros(n_states, dtype=torch.bool)
    for s, a, r, s2, done in zip(*(getattr(experience, n) for n in ("state", "action", "reward", "next_state", "terminated"))):
        counts[s, a, s2] += 1
        total[s, a] += r
        terminal[s2] |= done
    tries = counts.sum(-1)
    smooth = (counts + 1) / (tries + n_states)[..., None] * (tries > 0)[..., None]
    return TabularModel(smooth, total / tries.clamp(min=1), tries, terminal)


@misconception("fit_model", "a state is terminal if most steps into it terminated")
def terminal_by_majority(experience, n_states, n_actions):
    counts = torch.zeros(n_states, n_actions, n_states, dtype=experience.reward.dtype)
    total = torch.zeros(n_states, n_actions, dtype=experience.reward.dtype)
    for s, a, r, s2 in zip(experience.state, experience.action, experience.reward, experience.next_state):
        counts[s, a, s2] += 1
        total[s, a] += r
    reached = torch.bincount(experience.next_state, minlength=n_states)
    ended = torch.bincount(experience.next_state[experience.terminated], minlength=n_states)
    tries = counts.sum(-1)
    return TabularModel(counts / tries.clamp(min=1)[..., None], total / tries.clamp(min=1), tries, ended * 2 > reached)


@misconception("sample_model", "drawn by a softmax of the row")
def softmax_of_the_row(model, state, action, generator):
    if model.counts[state, action] == 0:
        raise ValueError(f"state {state}, action {action} was never tried")
    s2 = int(torch.multinomial(model.transition[state, action].softmax(-1), 1, generator=generator))
    return s2, float(model.reward[state, action]), bool(model.terminal[s2])


@misconception("sample_model", "never stays where it is")
def never_stays(model, state, action, generator):
    if model.counts[state, action] == 0:
        raise ValueError(f"state {state}, action {action} was never tried")
    row = model.transition[state, action].clone()
    if row.sum() > row[state] > 0:
        row[state] = 0
    s2 = int(torch.multinomial(row, 1, generator=generator))
    return s2, float(model.reward[state, action]), bool(model.terminal[s2])


variant("q_planning", replace=(
    "state, action = tried[torch.randint(len(tried), (), generator=generator)]",
    "places = sorted({s for s, _ in tried})\n        state = places[torch.randint(len(places), (), generator=generator)]\n"
    "        here = [a for s, a in tried if s == state]\n        action = here[torch.randint(len(here), (), generator=generator)]",
))  # fmt: skip

misconception("q_planning", "one draw of an outcome for each pair, kept for ever", replace=(
    ("tried = model.counts.nonzero().tolist()", "tried, known = model.counts.nonzero().tolist(), {}"),
    ("next_state, reward, terminated = sample_model(model, state, action, generator)",
     "next_state, reward, terminated = known.setdefault((state, action), sample_model(model, state, action, generator))"),
))  # fmt: skip

misconception("sarsa_planning", "each episode starts where the last one ended", replace=(
    ("q = torch.zeros_like(model.reward)\n", "q = torch.zeros_like(model.reward)\n    next_state, terminated = None, True\n"),
    ("action = epsilon_greedy(q[state], epsilon, generator)\n        for",
     "state = state if terminated else next_state\n        action = epsilon_greedy(q[state], epsilon, generator)\n        for"),
))  # fmt: skip

misconception("monte_carlo_planning", "the greedy table is renewed only after ten episodes", replace=(
    ("for _ in range(episodes):", "frozen = q.clone()\n    for number in range(episodes):\n        frozen = q.clone() if number % 10 == 0 else frozen"),
    ("epsilon_greedy(q[state]", "epsilon_greedy(frozen[state]"),
))  # fmt: skip

misconception("monte_carlo_planning", "an episode without an end teaches nothing", replace=(
    "        for pair, value in zip(", "        for pair, value in () if not (rewards and terminated) else zip(",
))  # fmt: skip

misconception("dyna_q", "the table is rounded to hundredths", replace=(
    "            next_state, reward, terminated = mdp.step(state, action, generator)",
    "            q = q.round(decimals=2)\n            next_state, reward, terminated = mdp.step(state, action, generator)",
))  # fmt: skip

misconception(
    "dyna_q", "no planning in the first episode", replace=("range(planning_steps)", "range(planning_steps if len(steps) > 1 else 0)")
)

misconception("policy_value", "A terminal state's value is 0, whatever its row of the tables says.", replace=(
    "goes_on = (~mdp.terminal).to(policy.dtype)", "goes_on = (mdp.transition.sum((-1, -2)) > 0).to(policy.dtype)",
))  # fmt: skip

misconception("policy_value", "the reward is that of the likeliest action", replace=(
    "reward = (policy * mdp.reward).sum(-1) * goes_on", "reward = mdp.reward.gather(1, policy.argmax(1, keepdim=True))[:, 0] * goes_on",
))  # fmt: skip

misconception("sample_posterior_model", "the mean of two draws", replace=(
    "draws = gamma_draws(counts + prior, generator)", "draws = gamma_draws(counts + prior, generator) + gamma_draws(counts + prior, generator)",
))  # fmt: skip


# right


@variant("q_learning_update")
def by_one_hot(q, state, action, reward, next_state, terminated, alpha, gamma):
    here = torch.zeros_like(q).index_put((torch.tensor(state, device=q.device), torch.tensor(action, device=q.device)), q.new_ones(()))
    future = torch.where(torch.tensor(bool(terminated), device=q.device), q.new_zeros(()), q[next_state].amax())
    return q + alpha * here * (reward + gamma * future - q[state, action])


@variant("q_learning_update")
def functional_scatter(q, state, action, reward, next_state, terminated, alpha, gamma):
    target = reward + gamma * (not terminated) * q.select(0, next_state).max()
    flat = q.flatten()
    place = torch.tensor([state * q.shape[1] + action], device=q.device)
    return flat.scatter(0, place, torch.lerp(flat[place], target[None], alpha)).view_as(q)


@variant("discounted_returns")
def by_a_matrix(rewards, gamma):
    step = torch.arange(len(rewards), device=rewards.device)
    ahead = step[None, :] - step[:, None]
    return (
        torch.where(ahead >= 0, torch.tensor(gamma, dtype=rewards.dtype, device=rewards.device) ** ahead.clamp(min=0), 0.0).to(
            rewards.dtype
        )
        @ rewards
    )


@variant("discounted_returns")
def by_reduce(rewards, gamma):
    found = functools.reduce(lambda later, r: [r + gamma * later[0] if later else r, *later], reversed(rewards.unbind()), [])
    return torch.stack(found) if found else rewards.clone()


@variant("epsilon_greedy")
def by_bernoulli(q_row, epsilon, generator):
    explore = torch.bernoulli(torch.tensor(float(epsilon)), generator=generator).bool()
    allowed = torch.ones_like(q_row, dtype=torch.bool) if explore else q_row == q_row.max()
    return torch.multinomial(allowed.double(), 1, generator=generator).item()


@variant("fit_model")
def by_dictionaries(experience, n_states, n_actions):
    @dataclasses.dataclass
    class Pair:
        rewards: list = dataclasses.field(default_factory=list)
        following: collections.Counter = dataclasses.field(default_factory=collections.Counter)

    pairs, ends = collections.defaultdict(Pair), set()
    columns = (experience.state, experience.action, experience.reward, experience.next_state, experience.terminated)
    for s, a, r, s2, done in zip(*(column.tolist() for column in columns)):
        pairs[s, a].rewards.append(r)
        pairs[s, a].following[s2] += 1
        ends |= {s2} if done else set()
    transition = experience.reward.new_zeros(n_states, n_actions, n_states)
    reward = experience.reward.new_zeros(n_states, n_actions)
    counts = torch.zeros_like(reward)
    for (s, a), pair in pairs.items():
        counts[s, a], reward[s, a] = len(pair.rewards), sum(pair.rewards) / len(pair.rewards)
        for s2, n in pair.following.items():
            transition[s, a, s2] = n / len(pair.rewards)
    return TabularModel(transition, reward, counts, torch.tensor([s in ends for s in range(n_states)], device=reward.device))


@variant("fit_model")
def through_numpy(experience, n_states, n_actions):
    s, a, s2 = (x.cpu().numpy() for x in (experience.state, experience.action, experience.next_state))
    triples, total = np.zeros((n_states, n_actions, n_states)), np.zeros((n_states, n_actions))
    np.add.at(triples, (s, a, s2), 1.0)
    np.add.at(total, (s, a), experience.reward.double().cpu().numpy())
    tries = triples.sum(-1)
    ends = np.isin(np.arange(n_states), s2[experience.terminated.cpu().numpy()])
    with np.errstate(invalid="ignore"):
        rows = np.nan_to_num(triples / tries[..., None])
    as_given = functools.partial(torch.as_tensor, dtype=experience.reward.dtype, device=experience.reward.device)
    ends = torch.from_numpy(ends).to(experience.reward.device)
    return TabularModel(as_given(rows), as_given(total / np.maximum(tries, 1)), as_given(tries), ends)


@variant("sample_model")
def by_searchsorted(model, state, action, generator):
    if not model.counts[state, action] > 0:
        raise ValueError(f"nothing is known of action {action} in state {state}")
    row = model.transition[state, action].double()
    possible = row.nonzero()[:, 0]
    u = torch.rand((), generator=generator, dtype=torch.float64) * row.sum()
    s2 = possible[torch.searchsorted(row[possible].cumsum(0), u, right=True).clamp(max=len(possible) - 1)].item()
    return s2, model.reward[state, action].item(), model.terminal[s2].item()


@variant("policy_value")
def among_the_rest(mdp, policy, gamma):
    alive = (~mdp.terminal).nonzero()[:, 0]
    value = policy.new_zeros(len(mdp.terminal))
    moves = (policy[..., None] * mdp.transition).sum(1)[alive][:, alive]
    pays = (policy * mdp.reward).sum(1)[alive]
    value[alive] = torch.linalg.inv(torch.eye(len(alive), dtype=policy.dtype, device=policy.device) - gamma * moves) @ pays
    return value
