"""Lesson 01: wrong answers with the sentence a student should read, and unusual right ones."""

import random

import numpy as np
import torch

from autograde.authoring.strength.mutation import misconception, variant
from utils.mdp import TabularModel


# The lesson's parts, as plainly as the specimens need them.
def moved(q, state, action, target, alpha):
    new = q.clone()
    new[state, action] = q[state, action] + alpha * (target - q[state, action])
    return new


def watkins(q, state, action, reward, next_state, terminated, alpha, gamma):
    return moved(q, state, action, reward + (0 if terminated else gamma * q[next_state].max()), alpha)


def integer(n, generator):
    return int(torch.randint(n, (), generator=generator))


def act(row, epsilon, generator):
    if torch.rand((), generator=generator) < epsilon:
        return integer(len(row), generator)
    best = (row == row.max()).nonzero().flatten().tolist()
    return best[integer(len(best), generator)]


def imagine(model, state, action, generator):
    next_state = int(torch.multinomial(model.transition[state, action], 1, generator=generator))
    return next_state, float(model.reward[state, action]), bool(model.terminal[next_state])


# ---------------------------------------------------------------------------------------------------- q_learning_update
@misconception(
    "q_learning_update", "The target also needs γ times the value of the next state when the step did not terminate; γ is missing here."
)
def q_without_gamma(q, state, action, reward, next_state, terminated, alpha, gamma):
    return watkins(q, state, action, reward, next_state, terminated, alpha, 1.0)


@misconception(
    "q_learning_update", "This bootstraps after a terminated step: a terminal state's value is 0, whatever the table holds in its row."
)
def q_bootstraps_at_the_end(q, state, action, reward, next_state, terminated, alpha, gamma):
    return watkins(q, state, action, reward, next_state, False, alpha, gamma)


@misconception("q_learning_update", "After a terminated step the reward still counts: the target is the reward, not 0.")
def q_forgets_the_last_reward(q, state, action, reward, next_state, terminated, alpha, gamma):
    return moved(q, state, action, 0.0 if terminated else reward + gamma * q[next_state].max(), alpha)


@misconception("q_learning_update", "Q-learning takes the best next action; this takes the mean over the next actions.")
def q_of_the_average_action(q, state, action, reward, next_state, terminated, alpha, gamma):
    return moved(q, state, action, reward + (0 if terminated else gamma * q[next_state].mean()), alpha)


@misconception("q_learning_update", "The best action is looked up in the row of the state that was left, not of the next state.")
def q_of_the_old_state(q, state, action, reward, next_state, terminated, alpha, gamma):
    return watkins(q, state, action, reward, state, terminated, alpha, gamma)


@misconception("q_learning_update", "The maximum runs over the whole table; it belongs to the next state's row.")
def q_of_the_whole_table(q, state, action, reward, next_state, terminated, alpha, gamma):
    return moved(q, state, action, reward + (0 if terminated else gamma * q.max()), alpha)


@misconception("q_learning_update", "The entry moves by α times the target instead of α times the difference between target and old entry.")
def q_adds_the_target(q, state, action, reward, next_state, terminated, alpha, gamma):
    return watkins(q, state, action, reward, next_state, terminated, alpha, gamma) + alpha * one_hot(q, state, action) * q[state, action]


def one_hot(q, state, action):
    mask = torch.zeros_like(q)
    mask[state, action] = 1
    return mask


@misconception("q_learning_update", "The step size α is missing: the entry jumps all the way to the target.")
def q_without_alpha(q, state, action, reward, next_state, terminated, alpha, gamma):
    return watkins(q, state, action, reward, next_state, terminated, 1.0, gamma)


@misconception("q_learning_update", "α weighs the old entry and 1 − α the target; it should be the other way round.")
def q_with_alpha_swapped(q, state, action, reward, next_state, terminated, alpha, gamma):
    return watkins(q, state, action, reward, next_state, terminated, 1 - alpha, gamma)


@misconception("q_learning_update", "The old table is changed in place; return a new one.")
def q_in_place(q, state, action, reward, next_state, terminated, alpha, gamma):
    q[state, action] += alpha * (reward + (0 if terminated else gamma * q[next_state].max()) - q[state, action])
    return q


@misconception("q_learning_update", "`.item()` cuts the result off from the table: it is no longer differentiable through the target.")
def q_with_item(q, state, action, reward, next_state, terminated, alpha, gamma):
    return moved(q, state, action, reward + (0 if terminated else gamma * q[next_state].max().item()), alpha)


@misconception("q_learning_update", "The target ignores negative values: max starts from 0.")
def q_never_negative(q, state, action, reward, next_state, terminated, alpha, gamma):
    return moved(q, state, action, reward + (0 if terminated else gamma * q[next_state].max().clamp(min=0)), alpha)


@variant("q_learning_update")
def q_with_where(q, state, action, reward, next_state, terminated, alpha, gamma):
    target = reward + gamma * (1 - int(terminated)) * torch.amax(q[next_state, :], dim=0)
    return torch.where(one_hot(q, state, action).bool(), (1 - alpha) * q + alpha * target, q)


@variant("q_learning_update")
def q_with_an_increment(q, state, action, reward, next_state, terminated, alpha, gamma):
    error = reward - q[state, action]
    if not terminated:
        error = error + gamma * q[next_state].sort().values[-1]
    return q + one_hot(q, state, action) * (alpha * error)


# ---------------------------------------------------------------------------------------------------- sarsa_update
def rummery(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    return moved(q, state, action, reward + (0 if terminated else gamma * q[next_state, next_action]), alpha)


@misconception(
    "sarsa_update", "This is Q-learning's update: Sarsa uses the entry of the action that is really taken next, not the best one."
)
def sarsa_with_max(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    return watkins(q, state, action, reward, next_state, terminated, alpha, gamma)


@misconception("sarsa_update", "The next state's entry is read at the old action instead of the next one.")
def sarsa_with_the_old_action(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    return rummery(q, state, action, reward, next_state, action, terminated, alpha, gamma)


@misconception("sarsa_update", "The next action's entry is read in the row of the old state instead of the next one.")
def sarsa_with_the_old_state(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    return rummery(q, state, action, reward, state, next_action, terminated, alpha, gamma)


@misconception("sarsa_update", "This bootstraps after a terminated step: nothing follows it.")
def sarsa_bootstraps_at_the_end(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    return rummery(q, state, action, reward, next_state, next_action, False, alpha, gamma)


@misconception("sarsa_update", "γ is missing in front of the next entry.")
def sarsa_without_gamma(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    return rummery(q, state, action, reward, next_state, next_action, terminated, alpha, 1.0)


@misconception("sarsa_update", "The old table is changed in place; return a new one.")
def sarsa_in_place(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    q[state, action] += alpha * (reward + (0 if terminated else gamma * q[next_state, next_action]) - q[state, action])
    return q


@variant("sarsa_update")
def sarsa_with_a_factor(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    target = reward + gamma * q[next_state][next_action] * (0.0 if terminated else 1.0)
    return q.index_put(
        (torch.tensor(state, device=q.device), torch.tensor(action, device=q.device)), (1 - alpha) * q[state, action] + alpha * target
    )


@variant("sarsa_update")
def sarsa_with_a_mask(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    error = reward + (not terminated) * gamma * q[next_state, next_action] - q[state, action]
    return q + alpha * error * one_hot(q, state, action)


# ---------------------------------------------------------------------------------------------------- discounted_returns
def weights(n, gamma, like):
    steps = torch.arange(n, device=like.device)
    gap = steps[None, :] - steps[:, None]
    return torch.where(
        gap >= 0, torch.pow(torch.tensor(float(gamma), dtype=like.dtype, device=like.device), gap.clamp(min=0).to(like.dtype)), 0.0
    ).to(like.dtype)


@misconception("discounted_returns", "These are sums of the rewards so far; a return sums the rewards still to come.")
def returns_forwards(rewards, gamma):
    return discounted(rewards.flip(0), gamma).flip(0)


def discounted(rewards, gamma):
    return weights(len(rewards), gamma, rewards) @ rewards


@misconception("discounted_returns", "The discount γ is missing.")
def returns_undiscounted(rewards, gamma):
    return discounted(rewards, 1.0)


@misconception(
    "discounted_returns",
    "Each return discounts from the start of the episode; it should discount from its own step, so that its first reward counts in full.",
)
def returns_from_the_start(rewards, gamma):
    return (rewards * gamma ** torch.arange(len(rewards), device=rewards.device, dtype=rewards.dtype)).flip(0).cumsum(0).flip(0)


@misconception("discounted_returns", "The first reward of each return is already discounted; G_t begins with the whole reward of step t.")
def returns_discounted_once_more(rewards, gamma):
    return gamma * discounted(rewards, gamma)


@misconception("discounted_returns", "G_t must include the reward of step t itself; this begins one step later.")
def returns_one_step_late(rewards, gamma):
    return torch.cat([discounted(rewards, gamma)[1:], rewards[:1] * 0])


@misconception("discounted_returns", "The returns are in the wrong order: the first one belongs to the first step.")
def returns_reversed(rewards, gamma):
    return discounted(rewards, gamma).flip(0)


@misconception("discounted_returns", "Every step has a return of its own; this gives all of them the return of the first.")
def returns_all_the_first(rewards, gamma):
    return discounted(rewards, gamma)[:1].expand(len(rewards)).clone()


@misconception("discounted_returns", "Dividing by powers of γ loses everything in a long episode (0/0); go backwards instead.")
def returns_by_division(rewards, gamma):
    powers = gamma ** torch.arange(len(rewards), dtype=rewards.dtype, device=rewards.device)
    return (rewards * powers).flip(0).cumsum(0).flip(0) / powers


@variant("discounted_returns")
def returns_as_a_matrix(rewards, gamma):
    return weights(len(rewards), gamma, rewards) @ rewards


@variant("discounted_returns")
def returns_filled_in_backwards(rewards, gamma):
    total, out = 0.0, []
    for t in range(len(rewards) - 1, -1, -1):
        total = rewards[t] + gamma * total
        out.insert(0, total)
    return torch.stack(out) if out else torch.zeros_like(rewards)


# ---------------------------------------------------------------------------------------------------- epsilon_greedy
@misconception("epsilon_greedy", "Ties always go to the first of the best actions; draw among them at random.")
def greedy_takes_the_first(q_row, epsilon, generator):
    return integer(len(q_row), generator) if torch.rand((), generator=generator) < epsilon else int(q_row.argmax())


@misconception("epsilon_greedy", "Exploration must be able to pick the best action too; it draws from all actions.")
def exploring_avoids_the_best(q_row, epsilon, generator):
    best = (q_row == q_row.max()).nonzero().flatten().tolist()
    rest = [a for a in range(len(q_row)) if a not in best] or best
    pool = rest if torch.rand((), generator=generator) < epsilon else best
    return pool[integer(len(pool), generator)]


@misconception("epsilon_greedy", "ε is the probability of exploring, not of taking the best action.")
def epsilon_swapped(q_row, epsilon, generator):
    return act(q_row, 1 - epsilon, generator)


@misconception("epsilon_greedy", "This never explores: with probability ε an action must be drawn from all of them.")
def only_greedy(q_row, epsilon, generator):
    return act(q_row, 0.0, generator)


@misconception("epsilon_greedy", "The greedy action is the one with the largest value, not the smallest.")
def greedy_takes_the_worst(q_row, epsilon, generator):
    return act(-q_row, epsilon, generator)


@misconception("epsilon_greedy", "Random numbers must come from `generator`, so that the same seed gives the same actions.")
def from_the_global_generator(q_row, epsilon, generator):
    if random.random() < epsilon:
        return random.randrange(len(q_row))
    return random.choice([a for a, v in enumerate(q_row.tolist()) if v == float(q_row.max())])


@misconception("epsilon_greedy", "An action is a plain int; this is a tensor.")
def action_as_a_tensor(q_row, epsilon, generator):
    return torch.tensor(act(q_row, epsilon, generator))


@misconception("epsilon_greedy", "The best actions are found by size (`abs`): a large negative value is not a good one.")
def greedy_by_size(q_row, epsilon, generator):
    return act(q_row.abs(), epsilon, generator)


@variant("epsilon_greedy")
def by_probabilities(q_row, epsilon, generator):
    best = (q_row == q_row.max()).double()
    return int(torch.multinomial(epsilon / len(q_row) + (1 - epsilon) * best / best.sum(), 1, generator=generator))


@variant("epsilon_greedy")
def by_random_keys(q_row, epsilon, generator):
    keys = torch.rand(len(q_row), generator=generator, device=q_row.device)
    if float(torch.rand(1, generator=generator, device=q_row.device)) >= epsilon:
        keys = keys.masked_fill(q_row < q_row.max(), -1)
    return keys.argmax().item()


# ---------------------------------------------------------------------------------------------------- fit_model
def tables(experience, n_states, n_actions):
    seen, total = (
        torch.zeros(n_states, n_actions, n_states, dtype=experience.reward.dtype),
        torch.zeros(n_states, n_actions, dtype=experience.reward.dtype),
    )
    terminal = torch.zeros(n_states, dtype=torch.bool)
    for s, a, r, s2, done in experience.steps():
        seen[s, a, s2] += 1
        total[s, a] += r
        terminal[s2] |= done
    return seen, total, terminal


def model_from(seen, total, terminal):
    tries = seen.sum(-1)
    return TabularModel(seen / tries.clamp(min=1)[..., None], total / tries.clamp(min=1), tries, terminal)


@misconception("fit_model", "The rows are counts, not probabilities: divide by how often the pair was tried.")
def model_of_counts(experience, n_states, n_actions):
    seen, total, terminal = tables(experience, n_states, n_actions)
    right = model_from(seen, total, terminal)
    return TabularModel(seen, right.reward, right.counts, terminal)


@misconception("fit_model", "A pair never tried divides 0 by 0: its rows must be zero, not NaN.")
def model_with_nan(experience, n_states, n_actions):
    seen, total, terminal = tables(experience, n_states, n_actions)
    tries = seen.sum(-1)
    return TabularModel(seen / tries[..., None], total / tries, tries, terminal)


@misconception("fit_model", "The frequencies are normalised over the wrong axis: for each pair they must sum to 1 over the next states.")
def model_normalised_over_states(experience, n_states, n_actions):
    seen, total, terminal = tables(experience, n_states, n_actions)
    right = model_from(seen, total, terminal)
    return TabularModel(seen / seen.sum(0, keepdim=True).clamp(min=1), right.reward, right.counts, terminal)


@misconception("fit_model", "The frequencies are normalised over states and actions together; each pair's row must sum to 1.")
def model_normalised_over_a_state(experience, n_states, n_actions):
    seen, total, terminal = tables(experience, n_states, n_actions)
    right = model_from(seen, total, terminal)
    return TabularModel(seen / seen.sum((1, 2), keepdim=True).clamp(min=1), right.reward, right.counts, terminal)


@misconception("fit_model", "The last step overwrites what was seen before; a stochastic world needs all outcomes counted.")
def model_of_the_last_step(experience, n_states, n_actions):
    seen, total, terminal = tables(experience, n_states, n_actions)
    right, last = model_from(seen, total, terminal), torch.zeros_like(seen)
    for s, a, _, s2, _ in experience.steps():
        last[s, a] = 0
        last[s, a, s2] = 1
    return TabularModel(last, right.reward, right.counts, terminal)


@misconception(
    "fit_model",
    "Repeated steps are counted once: `counts[s, a, s2] += 1` with index tensors does not add up; use a loop or index_put(accumulate=True).",
)
def model_without_accumulation(experience, n_states, n_actions):
    seen, total, terminal = tables(experience, n_states, n_actions)
    return model_from((seen > 0).to(seen.dtype), total, terminal)


@misconception("fit_model", "The rewards are summed; R_η is their mean for each pair.")
def model_of_reward_sums(experience, n_states, n_actions):
    seen, total, terminal = tables(experience, n_states, n_actions)
    right = model_from(seen, total, terminal)
    return TabularModel(right.transition, total, right.counts, terminal)


@misconception("fit_model", "The reward of a pair is that of its last try; it should be the mean of all.")
def model_of_the_last_reward(experience, n_states, n_actions):
    seen, total, terminal = tables(experience, n_states, n_actions)
    right, last = model_from(seen, total, terminal), torch.zeros_like(total)
    for s, a, r, _, _ in experience.steps():
        last[s, a] = r
    return TabularModel(right.transition, last, right.counts, terminal)


@misconception("fit_model", "The reward is stored with the state that was reached; it belongs to the pair that was left.")
def model_with_the_reward_at_the_next_state(experience, n_states, n_actions):
    seen, total, terminal = tables(experience, n_states, n_actions)
    right, moved_rewards = model_from(seen, total, terminal), torch.zeros_like(total)
    for _, a, r, s2, _ in experience.steps():
        moved_rewards[s2, a] += r
    return TabularModel(right.transition, moved_rewards / right.counts.clamp(min=1), right.counts, terminal)


@misconception(
    "fit_model", "`terminal` marks the states that terminated steps were taken in; it is the state they led into that is terminal."
)
def model_with_the_wrong_end(experience, n_states, n_actions):
    seen, total, _ = tables(experience, n_states, n_actions)
    terminal = torch.zeros(n_states, dtype=torch.bool)
    terminal[experience.state[experience.terminated]] = True
    return model_from(seen, total, terminal)


@misconception("fit_model", "No state is marked terminal: a state that a terminated step led into must be.")
def model_without_end(experience, n_states, n_actions):
    seen, total, terminal = tables(experience, n_states, n_actions)
    return model_from(seen, total, torch.zeros_like(terminal))


@misconception("fit_model", "A state is not terminal because it was never left: only a terminated step says so.")
def model_where_dead_ends_are_terminal(experience, n_states, n_actions):
    seen, total, _ = tables(experience, n_states, n_actions)
    return model_from(seen, total, seen.sum((1, 2)) == 0)


@misconception("fit_model", "Pairs never tried must stay all zero; this gives them a uniform guess.")
def model_with_a_guess(experience, n_states, n_actions):
    right = model_from(*tables(experience, n_states, n_actions))
    guess = torch.where(right.counts[..., None] > 0, right.transition, torch.full_like(right.transition, 1 / n_states))
    return TabularModel(guess, right.reward, right.counts, right.terminal)


@misconception(
    "fit_model", "One is added to every count (Laplace smoothing); the maximum-likelihood model is the plain relative frequency."
)
def model_with_smoothing(experience, n_states, n_actions):
    seen, total, terminal = tables(experience, n_states, n_actions)
    right = model_from(seen, total, terminal)
    return TabularModel((seen + 1) / (seen + 1).sum(-1, keepdim=True), right.reward, right.counts, terminal)


@variant("fit_model")
def model_by_a_loop(experience, n_states, n_actions):
    return model_from(*(table.to(experience.reward.device) for table in tables(experience, n_states, n_actions)))


@variant("fit_model")
def model_by_bincount(experience, n_states, n_actions):
    pair = experience.state * n_actions + experience.action
    n = n_states * n_actions
    seen = torch.bincount(pair * n_states + experience.next_state, minlength=n * n_states).reshape(n_states, n_actions, n_states)
    total = torch.bincount(pair, weights=experience.reward, minlength=n).reshape(n_states, n_actions).to(experience.reward.dtype)
    counts = seen.sum(-1)
    ends = torch.bincount(experience.next_state, weights=experience.terminated.double(), minlength=n_states) > 0
    transition = (seen / counts[..., None]).nan_to_num(0).to(experience.reward.dtype)
    return TabularModel(transition, (total / counts).nan_to_num(0), counts, ends)


# ---------------------------------------------------------------------------------------------------- sample_model
def refuse(model, state, action):
    if model.counts[state, action] == 0:
        raise ValueError(f"state {state}, action {action} was never tried")


@misconception("sample_model", "This always gives the most likely next state; a sample must be drawn from the row.")
def most_likely(model, state, action, generator):
    refuse(model, state, action)
    s2 = int(model.transition[state, action].argmax())
    return s2, float(model.reward[state, action]), bool(model.terminal[s2])


@misconception("sample_model", "The possible next states are drawn equally often; they must be drawn with their probabilities.")
def any_possible(model, state, action, generator):
    refuse(model, state, action)
    possible = model.transition[state, action].nonzero().flatten()
    s2 = int(possible[integer(len(possible), generator)])
    return s2, float(model.reward[state, action]), bool(model.terminal[s2])


@misconception("sample_model", "`terminated` is not that of the next state: look up whether the state that was reached is terminal.")
def end_of_the_old_state(model, state, action, generator):
    refuse(model, state, action)
    s2, reward, _ = imagine(model, state, action, generator)
    return s2, reward, bool(model.terminal[state])


@misconception("sample_model", "The reward is read at the next state; it belongs to the pair.")
def reward_of_the_next_state(model, state, action, generator):
    refuse(model, state, action)
    s2, _, done = imagine(model, state, action, generator)
    return s2, float(model.reward[s2, action]), done


@misconception("sample_model", "A pair that was never tried must raise a ValueError; this invents an outcome.")
def invents(model, state, action, generator):
    if model.counts[state, action] == 0:
        return state, 0.0, False
    return imagine(model, state, action, generator)


@misconception("sample_model", "A pair that was never tried must raise a ValueError that names the pair.")
def unchecked(model, state, action, generator):
    return imagine(model, state, action, generator)


@misconception("sample_model", "`terminated` is not that of the next state: look up whether the state that was reached is terminal.")
def never_ends(model, state, action, generator):
    refuse(model, state, action)
    return (*imagine(model, state, action, generator)[:2], False)


@variant("sample_model")
def by_cumulative_sum(model, state, action, generator):
    refuse(model, state, action)
    row = model.transition[state, action]
    cut = torch.rand(1, generator=generator, dtype=row.dtype, device=row.device) * row.sum()
    s2 = int((row.cumsum(0) <= cut).sum())
    return s2, model.reward[state, action].item(), model.terminal[s2].item()


@variant("sample_model")
def by_gumbel(model, state, action, generator):
    if not model.transition[state][action].any():
        raise ValueError(f"the model was never shown action={action} in state={state}")
    noise = torch.rand(model.transition.shape[0], generator=generator, dtype=torch.float64, device=model.transition.device)
    s2 = int((model.transition[state, action].double().log() - (-noise.log()).log()).argmax())
    return s2, float(model.reward[state, action]), bool(model.terminal[s2])


# ---------------------------------------------------------------------------------------------------- q_planning
def plan(model, steps, alpha, gamma, generator, update=watkins, start=0.0, pairs=None, sample=imagine):
    q = torch.full_like(model.reward, start)
    tried = model.counts.nonzero().tolist() if pairs is None else pairs
    for _ in range(steps if tried else 0):
        s, a = tried[integer(len(tried), generator)]
        s2, r, done = sample(model, s, a, generator)
        q = update(q, s, a, r, s2, done, alpha, gamma)
    return q


@misconception("q_planning", "γ is missing in the imagined updates.")
def planning_without_gamma(model, steps, alpha, gamma, generator):
    return plan(model, steps, alpha, 1.0, generator)


@misconception("q_planning", "`steps` is the number of updates, over all pairs together; this does more of them.")
def planning_in_sweeps(model, steps, alpha, gamma, generator):
    return plan(model, (steps + 1) * max(1, int((model.counts > 0).sum())), alpha, gamma, generator)


@misconception("q_planning", "`steps` is the number of updates, over all pairs together; this does more of them.")
def planning_once_too_often(model, steps, alpha, gamma, generator):
    return plan(model, steps + 1, alpha, gamma, generator)


@misconception("q_planning", "α is not used: every update jumps all the way to its target.")
def planning_without_alpha(model, steps, alpha, gamma, generator):
    return plan(model, steps, 1.0, gamma, generator)


@misconception("q_planning", "The table starts at 1; it must start at 0, and pairs never tried stay there.")
def planning_from_ones(model, steps, alpha, gamma, generator):
    return plan(model, steps, alpha, gamma, generator, start=1.0)


@misconception("q_planning", "This values a random next action; Q-planning takes the best one.")
def planning_on_policy(model, steps, alpha, gamma, generator):
    def update(q, s, a, r, s2, done, alpha, gamma):
        return moved(q, s, a, r + (0 if done else gamma * q[s2, integer(q.shape[1], generator)]), alpha)

    return plan(model, steps, alpha, gamma, generator, update)


@misconception("q_planning", "Only the first tried pair is visited; planning must keep visiting all of them.")
def planning_one_pair(model, steps, alpha, gamma, generator):
    return plan(model, steps, alpha, gamma, generator, pairs=model.counts.nonzero().tolist()[:1])


@misconception("q_planning", "Planning follows the most likely next state; it must sample outcomes from the model.")
def planning_most_likely(model, steps, alpha, gamma, generator):
    return plan(model, steps, alpha, gamma, generator, sample=most_likely)


@misconception("q_planning", "This samples pairs that were never tried, for which the model knows no outcome.")
def planning_untried_pairs(model, steps, alpha, gamma, generator):
    pairs = [(s, a) for s in range(model.reward.shape[0]) for a in range(model.reward.shape[1])]
    return plan(model, steps, alpha, gamma, generator, pairs=pairs)


@misconception("q_planning", "This bootstraps after imagined steps that terminate.")
def planning_past_the_end(model, steps, alpha, gamma, generator):
    return plan(model, steps, alpha, gamma, generator, lambda q, s, a, r, s2, done, *rest: watkins(q, s, a, r, s2, False, *rest))


@misconception("q_planning", "The table must have the dtype of the model's tables.")
def planning_in_float32(model, steps, alpha, gamma, generator):
    return plan(model, steps, alpha, gamma, generator).float()


@variant("q_planning")
def planning_in_turn(model, steps, alpha, gamma, generator):
    q, tried = torch.zeros_like(model.reward), model.counts.nonzero().tolist()
    for i in range(steps if tried else 0):
        s, a = tried[i % len(tried)]
        s2, r, done = imagine(model, s, a, generator)
        q = watkins(q, s, a, r, s2, done, alpha, gamma)
    return q


@variant("q_planning")
def planning_by_counts(model, steps, alpha, gamma, generator):
    q, chances = np.zeros(model.reward.shape), model.counts.flatten().double()
    for _ in range(steps if chances.sum() > 0 else 0):
        s, a = divmod(int(torch.multinomial(chances, 1, generator=generator)), q.shape[1])
        s2, r, done = imagine(model, s, a, generator)
        q[s, a] += alpha * (r + (not done) * gamma * q[s2].max() - q[s, a])
    return torch.as_tensor(q, dtype=model.reward.dtype, device=model.reward.device)


# ---------------------------------------------------------------------------------------------------- sarsa_planning
misconception(
    "sarsa_planning",
    "This is Q-learning's target: Sarsa plans with the action that is really taken next.",
    replace=(
        "sarsa_update(q, state, action, reward, next_state, next_action, terminated",
        "q_learning_update(q, state, action, reward, next_state, terminated",
    ),
)
misconception(
    "sarsa_planning",
    "A new action is drawn for the next step; Sarsa must take the very action its target used.",
    replace=("state, action = next_state, next_action", "state, action = next_state, int(q[next_state].argmax())"),
)
misconception(
    "sarsa_planning",
    "The episode goes on past its end: stop when the step terminated.",
    replace=("if terminated:\n                break", "if False:\n                break"),
)
misconception(
    "sarsa_planning",
    "The step limit is off: an imagined episode has at most `max_steps` steps.",
    replace=("range(max_steps)", "range(max_steps + 1)"),
)
misconception("sarsa_planning", "γ is missing.", replace=("alpha, gamma)\n            if", "alpha, 1.0)\n            if"))
misconception(
    "sarsa_planning",
    "An episode cut at `max_steps` is truncated, not terminated: its last update still counts the next action.",
    replace=(
        ("for _ in range(max_steps)", "for step in range(max_steps)"),
        ("next_action, terminated, alpha", "next_action, terminated or step == max_steps - 1, alpha"),
    ),
)
misconception(
    "sarsa_planning",
    "Every episode starts in the first start state; draw them uniformly.",
    replace=("start_states[torch.randint(len(start_states), (), generator=generator)]", "start_states[0]"),
)
misconception(
    "sarsa_planning",
    "The actions are greedy: exploration with probability ε is missing.",
    replace=("epsilon, generator)", "0.0, generator)"),
)
misconception(
    "sarsa_planning",
    "A pair that was never tried must end the imagined episode.",
    replace=("if model.counts[state, action] == 0:\n                break", "if False:\n                break"),
)
misconception("sarsa_planning", "One imagined episode fewer or more than asked for.", replace=("range(episodes)", "range(episodes - 1)"))
misconception(
    "sarsa_planning",
    "The table must have the dtype of the model's tables.",
    replace=("torch.zeros_like(model.reward)", "torch.zeros(model.reward.shape, dtype=torch.float32)"),
)
misconception(
    "sarsa_planning",
    "Episodes begin in any state; they must begin in the start states given.",
    replace=("start_states[torch.randint(len(start_states), (), generator=generator)]", "torch.randint(len(q), (), generator=generator)"),
)


@variant("sarsa_planning")
def sarsa_with_an_array(model, start_states, episodes, alpha, gamma, epsilon, max_steps, generator):
    q = np.zeros(tuple(model.reward.shape))
    starts = start_states.tolist()
    for _ in range(episodes):
        s, n = starts[integer(len(starts), generator)], 0
        a = act(torch.from_numpy(q[s]), epsilon, generator)
        while n < max_steps and model.counts[s, a] > 0:
            s2, r, done = imagine(model, s, a, generator)
            a2 = act(torch.from_numpy(q[s2]), epsilon, generator)
            q[s, a] += alpha * (r + (0 if done else gamma * q[s2, a2]) - q[s, a])
            s, a, n = s2, a2, max_steps if done else n + 1
    return torch.as_tensor(q, dtype=model.reward.dtype, device=model.reward.device)


@variant("sarsa_planning")
def expected_sarsa(model, start_states, episodes, alpha, gamma, epsilon, max_steps, generator):
    q = torch.zeros_like(model.reward)
    for _ in range(episodes):
        s = int(start_states[torch.multinomial(torch.ones(len(start_states)), 1, generator=generator)])
        a = act(q[s], epsilon, generator)
        for _ in range(max_steps):
            if model.counts[s, a] == 0:
                break
            s2, r, done = imagine(model, s, a, generator)
            a2 = act(q[s2], epsilon, generator)
            if model.counts[s2, a2] == 0:  # nothing to bootstrap from
                q = moved(q, s, a, r, alpha)
                break
            q = rummery(q, s, a, r, s2, a2, done, alpha, gamma)
            if done:
                break
            s, a = s2, a2
    return q


# ---------------------------------------------------------------------------------------------------- monte_carlo_planning
misconception(
    "monte_carlo_planning",
    "Only the first visit of a pair in an episode counts here; every visit must.",
    replace=(
        (
            "zip(pairs, discounted_returns(torch.tensor(rewards, dtype=q.dtype), gamma))",
            "dict(reversed(list(zip(pairs, discounted_returns(torch.tensor(rewards, dtype=q.dtype), gamma))))).items()",
        ),
    ),
)
misconception(
    "monte_carlo_planning",
    "Returns are lost: an entry is the mean of all returns, of every visit, not the newest one.",
    replace=(
        "zip(pairs, discounted_returns(torch.tensor(rewards, dtype=q.dtype), gamma))",
        "dict(zip(pairs, discounted_returns(torch.tensor(rewards, dtype=q.dtype), gamma))).items()",
    ),
)
misconception(
    "monte_carlo_planning",
    "A constant step size forgets old returns; the value is the mean of all of them.",
    replace=("(value - q[pair]) / visits[pair]", "(value - q[pair]) * 0.5"),
)
misconception(
    "monte_carlo_planning",
    "Returns are lost: an entry is the mean of all returns, of every visit, not the newest one.",
    replace=("(value - q[pair]) / visits[pair]", "value - q[pair]"),
)
misconception("monte_carlo_planning", "γ is missing in the returns.", replace=("dtype=q.dtype), gamma)", "dtype=q.dtype), 1.0)"))
misconception(
    "monte_carlo_planning",
    "The returns belong to the steps in the order they were taken; here they are reversed.",
    replace=("zip(pairs, ", "zip(pairs[::-1], "),
)
misconception(
    "monte_carlo_planning",
    "The visits are counted for each episode anew; the mean runs over all episodes.",
    replace=(
        ("q, visits = torch.zeros_like(model.reward), torch.zeros_like(model.reward)", "q = torch.zeros_like(model.reward)"),
        ("for _ in range(episodes):", "for _ in range(episodes):\n        visits = torch.zeros_like(model.reward)"),
    ),
)
misconception(
    "monte_carlo_planning",
    "These are the rewards, not the returns: what follows a step counts too.",
    replace=("discounted_returns(torch.tensor(rewards, dtype=q.dtype), gamma)", "torch.tensor(rewards, dtype=q.dtype)"),
)
misconception(
    "monte_carlo_planning",
    "The episode goes on past its end: stop when the step terminated.",
    replace=("if terminated:\n                break", "if False:\n                break"),
)
misconception(
    "monte_carlo_planning",
    "The actions are purely random: with probability 1 − ε the best one must be taken.",
    replace=("epsilon, generator)", "1.0, generator)"),
)
misconception(
    "monte_carlo_planning",
    "The actions are greedy: exploration with probability ε is missing.",
    replace=("epsilon, generator)", "0.0, generator)"),
)
misconception(
    "monte_carlo_planning",
    "Every episode starts in the first start state; draw them uniformly.",
    replace=("start_states[torch.randint(len(start_states), (), generator=generator)]", "start_states[0]"),
)
misconception(
    "monte_carlo_planning",
    "A pair that was never tried must end the imagined episode.",
    replace=("if model.counts[state, action] == 0:\n                break", "if False:\n                break"),
)
misconception(
    "monte_carlo_planning",
    "The reward of the last step is missing: append it before you stop.",
    replace=(
        (
            "            rewards.append(reward)\n            if terminated:\n                break",
            "            if terminated:\n                pairs.pop()\n                break\n            rewards.append(reward)",
        ),
    ),
)


@variant("monte_carlo_planning")
def monte_carlo_with_lists(model, start_states, episodes, gamma, epsilon, max_steps, generator):
    q, found = torch.zeros_like(model.reward), {}
    for _ in range(episodes):
        s, episode, done = start_states[integer(len(start_states), generator)].item(), [], False
        while not done and len(episode) < max_steps:
            a = act(q[s], epsilon, generator)
            if model.counts[s, a] == 0:
                break
            s2, r, done = imagine(model, s, a, generator)
            episode.append((s, a, r))
            s = s2
        total = 0.0
        for s, a, r in reversed(episode):
            total = r + gamma * total
            found.setdefault((s, a), []).append(total)
        for s, a in {(s, a) for s, a, _ in episode}:
            q[s, a] = sum(found[s, a]) / len(found[s, a])
    return q


@variant("monte_carlo_planning")
def monte_carlo_with_sums(model, start_states, episodes, gamma, epsilon, max_steps, generator):
    total, n = torch.zeros_like(model.reward), torch.zeros_like(model.reward)
    for _ in range(episodes):
        q, s, lived = total / n.clamp(min=1), int(start_states[integer(len(start_states), generator)]), []
        for _ in range(max_steps):
            a = act(q[s], epsilon, generator)
            if model.counts[s, a] == 0:
                break
            s2, r, done = imagine(model, s, a, generator)
            lived.append((s, a, r))
            s = s2
            if done:
                break
        for t, (s, a, _) in enumerate(lived):
            total[s, a] += sum(gamma**k * r for k, (_, _, r) in enumerate(lived[t:]))
            n[s, a] += 1
    return total / n.clamp(min=1)


# ---------------------------------------------------------------------------------------------------- dyna_q
LAST = "q_learning_update(q, *pair, *imagined, alpha, gamma)"
REAL = "q_learning_update(q, state, action, reward, next_state, terminated, alpha, gamma)"
PLANNING = """            for _ in range(planning_steps):
                pair = tried[draw(len(tried))]
                imagined = outcomes[pair][draw(len(outcomes[pair]))]
                q = q_learning_update(q, *pair, *imagined, alpha, gamma)
"""
REMEMBER = """            if (state, action) not in outcomes:
                tried.append((state, action))
            outcomes.setdefault((state, action), []).append((reward, next_state, terminated))
"""
misconception("dyna_q", "γ is missing in the planning updates.", replace=(LAST, LAST.replace("gamma", "1.0")))
misconception("dyna_q", "γ is missing in the updates with real steps.", replace=(REAL, REAL.replace("gamma", "1.0")))
misconception("dyna_q", "There is no learning from the real step itself, only planning.", replace=("q = " + REAL, "pass"))
misconception(
    "dyna_q",
    "There is no planning: after each real step `planning_steps` imagined updates follow.",
    replace=("range(planning_steps)", "range(0)"),
)
misconception(
    "dyna_q", "There is one planning step too many after each real step.", replace=("range(planning_steps)", "range(planning_steps + 1)")
)
misconception(
    "dyna_q",
    "Planning comes before the newest step is remembered; the order is learn, remember, plan.",
    replace=((PLANNING, ""), (REMEMBER, PLANNING.replace("range(planning_steps)", "range(planning_steps if tried else 0)") + REMEMBER)),
)
misconception(
    "dyna_q",
    "Planning happens once an episode; it belongs after every real step.",
    replace=(
        (PLANNING, ""),
        (
            "            state = next_state\n",
            "            state = next_state\n"
            + PLANNING.replace("            for", "        for", 1).replace("                ", "            "),
        ),
    ),
)
misconception(
    "dyna_q",
    "Planning leaves out pairs that were tried before, or steps to plan after: after every real step it draws from all pairs tried so far.",
    replace=("tried[draw(len(tried))]", "(state, action)"),
)
misconception(
    "dyna_q",
    "A truncated episode is treated as a terminated one: its last update must still bootstrap.",
    replace=(REAL, REAL.replace("terminated", "terminated or steps[-1] == max_steps")),
)
misconception(
    "dyna_q",
    "The terminated steps never reach the planning model: the last step is lost.",
    replace=((REMEMBER + PLANNING, "            if terminated:\n                break\n" + REMEMBER + PLANNING),),
)
misconception(
    "dyna_q",
    "Episodes must begin in a state drawn from `mdp.start`; these begin in state 0.",
    replace=("int(torch.multinomial(mdp.start, 1, generator=generator))", "0"),
)
misconception(
    "dyna_q",
    "Episodes must begin in a state drawn from `mdp.start`; these begin in the most likely one.",
    replace=("int(torch.multinomial(mdp.start, 1, generator=generator))", "int(mdp.start.argmax())"),
)
misconception(
    "dyna_q",
    "The agent never explores: real actions are ε-greedy.",
    replace=("epsilon_greedy(q[state], epsilon, generator)", "epsilon_greedy(q[state], 0.0, generator)"),
)
misconception(
    "dyna_q",
    "The agent only explores: with probability 1 − ε the best action is taken.",
    replace=("epsilon_greedy(q[state], epsilon, generator)", "epsilon_greedy(q[state], 1.0, generator)"),
)
misconception("dyna_q", "The step limit is off by one.", replace=("range(max_steps)", "range(max_steps - 1)"))
misconception(
    "dyna_q",
    "`steps` counts the planning steps too; it should count real steps only.",
    replace=("steps[-1] += 1", "steps[-1] += 1 + planning_steps"),
)
misconception(
    "dyna_q",
    "`steps` is the running total; it should have each episode's own number.",
    replace=("steps.append(0)", "steps.append(sum(steps[-1:]))"),
)
misconception(
    "dyna_q",
    "The table is cleared at each episode; what was learned must be kept.",
    replace=("        state = int(torch.multinomial", "        q = torch.zeros_like(q)\n        state = int(torch.multinomial"),
)
misconception(
    "dyna_q",
    "The model is forgotten at each episode; what was tried must be kept.",
    replace=("        state = int(torch.multinomial", "        outcomes, tried = {}, []\n        state = int(torch.multinomial"),
)
misconception(
    "dyna_q",
    "The table must have the dtype of the world's tables.",
    replace=("torch.zeros_like(mdp.reward)", "torch.zeros(mdp.reward.shape, dtype=torch.float32)"),
)
misconception(
    "dyna_q",
    "The state does not advance: the next step must begin where the last one ended.",
    replace=("            state = next_state\n", ""),
)


misconception(
    "dyna_q",
    "The first outcome of a pair is kept for ever; later ones must reach the model too.",
    replace=(
        "outcomes.setdefault((state, action), []).append(",
        "outcomes.setdefault((state, action), []) or outcomes[state, action].append(",
    ),
)
UNSEEDED = "All random numbers must come from `generator`, so that the same seed gives the same result."
GLOBAL = "sample_model(model, state, action, torch.default_generator)"
for planner in ("q_planning", "sarsa_planning", "monte_carlo_planning"):
    misconception(planner, UNSEEDED, replace=("sample_model(model, state, action, generator)", GLOBAL))
misconception(
    "dyna_q",
    "An outcome that was seen often is imagined as seldom as one that was seen once: keep all of them, repeated ones too.",
    replace=(
        "imagined = outcomes[pair][draw(len(outcomes[pair]))]",
        "kinds = sorted(set(outcomes[pair]))\n                imagined = kinds[draw(len(kinds))]",
    ),
)
misconception("dyna_q", UNSEEDED, replace=("torch.randint(n, (), generator=generator)", "torch.randint(n, ())"))
misconception("dyna_q", UNSEEDED, replace=("mdp.step(state, action, generator)", "mdp.step(state, action, torch.default_generator)"))
STARTS = "The start states are drawn without `generator`: the same seed must give the same episodes."
for planner in ("sarsa_planning", "monte_carlo_planning"):
    misconception(
        planner, STARTS, replace=("torch.randint(len(start_states), (), generator=generator)", "torch.randint(len(start_states), ())")
    )
misconception("dyna_q", STARTS, replace=("torch.multinomial(mdp.start, 1, generator=generator)", "torch.multinomial(mdp.start, 1)"))
misconception("epsilon_greedy", UNSEEDED, replace=("torch.rand((), generator=generator)", "torch.rand(())"))
misconception(
    "q_planning",
    "`steps` is the number of updates, over all pairs together; this does more of them.",
    replace=("range(steps if tried else 0)", "range(steps * len(tried))"),
)
misconception(
    "q_planning",
    "A model in which nothing was tried has no pair to pick: give the zero table.",
    replace=("range(steps if tried else 0)", "range(steps)"),
)
LAST_LINE = "                imagined = outcomes[pair][draw(len(outcomes[pair]))]\n                q = q_learning_update(q, *pair, *imagined, alpha, gamma)"
misconception(
    "dyna_q",
    "Planning overwrites the real step's next state: the walker goes on from an imagined place.",
    replace=(LAST_LINE, LAST_LINE.replace("imagined =", "reward, next_state, done =").replace("*imagined", "reward, next_state, done")),
)
misconception(
    "dyna_q",
    "Planning overwrites the real step's `terminated`: an imagined end ends the real episode.",
    replace=(LAST_LINE, LAST_LINE.replace("imagined =", "gain, then, terminated =").replace("*imagined", "gain, then, terminated")),
)
F32 = "float64 in, float64 out, but computed in float32 on the way: digits are lost."
misconception(
    "policy_value",
    F32,
    replace=(
        "linalg.solve(identity - gamma * transition, reward)",
        "linalg.solve((identity - gamma * transition).float(), reward.float()).to(reward.dtype)",
    ),
)
misconception("q_learning_update", F32, replace=("return updated", "return updated.float().to(q.dtype)"))
misconception("sample_model", UNSEEDED, replace=(", generator=generator)", ")"))
misconception("sample_posterior_model", UNSEEDED, replace=("prior, generator)", "prior, torch.default_generator)"))


@variant("dyna_q")
def dyna_with_a_fitted_model(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator):
    q, steps = torch.zeros_like(mdp.reward), []
    seen, reward_sum, ends = torch.zeros_like(mdp.transition), torch.zeros_like(mdp.reward), torch.zeros_like(mdp.terminal)
    for _ in range(episodes):
        s, n, done = int(torch.multinomial(mdp.start.double(), 1, generator=generator)), 0, False
        while not done and n < max_steps:
            a = act(q[s], epsilon, generator)
            s2, r, done = mdp.step(s, a, generator)
            q, n = watkins(q, s, a, r, s2, done, alpha, gamma), n + 1
            seen[s, a, s2] += 1
            reward_sum[s, a] += r
            ends[s2] = ends[s2] | done
            model = model_from(seen, reward_sum, ends)
            q = continued(q, model, planning_steps, alpha, gamma, generator)
            s = s2
        steps.append(n)
    return q, steps


def continued(q, model, steps, alpha, gamma, generator):
    tried = model.counts.nonzero().tolist()
    for _ in range(steps):
        s, a = tried[integer(len(tried), generator)]
        q = watkins(q, s, a, *reordered(imagine(model, s, a, generator)), alpha, gamma)
    return q


def reordered(outcome):
    next_state, reward, terminated = outcome
    return reward, next_state, terminated


@variant("dyna_q")
def dyna_by_replay(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator):
    """Drawing from past steps visits pairs as often as they were tried."""
    q, steps, lived = torch.zeros_like(mdp.reward), [], []
    for _ in range(episodes):
        s = mdp.reset(generator)
        steps.append(0)
        for _ in range(max_steps):
            a = act(q[s], epsilon, generator)
            s2, r, done = mdp.step(s, a, generator)
            steps[-1] += 1
            lived.append((s, a, r, s2, done))
            q = watkins(q, s, a, r, s2, done, alpha, gamma)
            for _ in range(planning_steps):
                q = watkins(q, *lived[integer(len(lived), generator)], alpha, gamma)
            if done:
                break
            s = s2
    return q, steps


@misconception("dyna_q", "Only the newest outcome of a pair is kept: in a world with chance, planning must draw from all that were seen.")
def dyna_with_the_last_outcome(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator):
    """Sutton's own model for deterministic worlds keeps one outcome of each pair."""
    q, steps, model = torch.zeros_like(mdp.reward), [], {}
    for _ in range(episodes):
        s, n = mdp.reset(generator), 0
        while True:
            a = act(q[s], epsilon, generator)
            s2, r, done = mdp.step(s, a, generator)
            q, n = watkins(q, s, a, r, s2, done, alpha, gamma), n + 1
            model[s, a] = (r, s2, done)
            for pair in [list(model)[integer(len(model), generator)] for _ in range(planning_steps)]:
                q = watkins(q, *pair, *model[pair], alpha, gamma)
            if done or n == max_steps:
                break
            s = s2
        steps.append(n)
    return q, steps


# ---------------------------------------------------------------------------------------------------- policy_value
misconception(
    "policy_value",
    "A terminal state's value is 0, whatever its row of the tables says.",
    replace=("(~mdp.terminal).to(policy.dtype)", "torch.ones_like(mdp.terminal, dtype=policy.dtype)"),
)
misconception(
    "policy_value",
    "A terminal state pays nothing more: its reward must be left out as well as its transitions.",
    replace=("(policy * mdp.reward).sum(-1) * goes_on", "(policy * mdp.reward).sum(-1)"),
)
misconception("policy_value", "γ is missing in I − γ P_π.", replace=("gamma * transition", "0.999999 * transition"))
misconception(
    "policy_value",
    "P_π is transposed: row s must hold where state s leads to.",
    replace=("identity - gamma * transition,", "identity - gamma * transition.mT,"),
)
misconception(
    "policy_value",
    "This is one step of the Bellman equation, not its solution.",
    replace=("torch.linalg.solve(identity - gamma * transition, reward)", "reward + gamma * transition @ reward"),
)
misconception("policy_value", "The sign is wrong: the system is (I − γ P_π) V = r_π.", replace=("identity - gamma", "identity + gamma"))
misconception(
    "policy_value",
    "The actions are averaged uniformly; they must be weighted by the policy.",
    replace=("reward = (policy * mdp.reward).sum(-1)", "reward = mdp.reward.mean(-1)"),
)
misconception(
    "policy_value",
    "This evaluates the policy's most likely action only; weight all actions by their probabilities.",
    replace=("goes_on = ", "policy = torch.nn.functional.one_hot(policy.argmax(-1), policy.shape[-1]).to(policy.dtype)\n    goes_on = "),
)
misconception(
    "policy_value",
    "A few sweeps are an approximation; the linear system has the exact value.",
    replace=(
        "return torch.linalg.solve(identity - gamma * transition, reward)",
        "value = reward\n    for _ in range(20):\n        value = reward + gamma * transition @ value\n    return value",
    ),
)


@misconception("policy_value", "This is the value of the best policy; the policy given must be evaluated.")
def value_of_the_best(mdp, policy, gamma):
    value = torch.zeros_like(mdp.reward[:, 0])
    for _ in range(800):
        value = (mdp.reward + gamma * mdp.transition @ value).amax(-1).masked_fill(mdp.terminal, 0)
    return value


@variant("policy_value")
def value_of_the_living(mdp, policy, gamma):
    alive = (~mdp.terminal).nonzero().flatten()
    moves = (policy[..., None] * mdp.transition).sum(1)[alive][:, alive]
    reward = (policy * mdp.reward).sum(1)[alive]
    value = torch.linalg.solve(torch.eye(len(alive)).to(reward) - gamma * moves, reward[:, None])[:, 0]
    return torch.zeros(len(mdp.terminal), dtype=reward.dtype, device=reward.device).index_put((alive,), value)


@variant("policy_value")
def value_by_inverse(mdp, policy, gamma):
    moves = torch.bmm(policy.unsqueeze(1), mdp.transition).squeeze(1)
    reward = torch.linalg.vecdot(policy, mdp.reward)
    moves = torch.where(mdp.terminal[:, None], torch.zeros_like(moves), moves)
    reward = torch.where(mdp.terminal, torch.zeros_like(reward), reward)
    return torch.inverse(torch.eye(len(reward), dtype=reward.dtype, device=reward.device) - gamma * moves) @ reward


# ---------------------------------------------------------------------------------------------------- sample_posterior_model
def gammas(shape, generator):
    return torch._standard_gamma(shape, generator=generator)


@misconception("sample_posterior_model", "This is the posterior's mean, the same every time; draw a model at random.")
def posterior_mean(counts, prior, generator):
    return (counts + prior) / (counts + prior).sum(-1, keepdim=True)


@misconception("sample_posterior_model", "The prior is not added to the counts.")
def posterior_without_prior(counts, prior, generator):
    draws = gammas(counts + 1e-9, generator)
    return draws / draws.sum(-1, keepdim=True)


@misconception(
    "sample_posterior_model", "The draws are normalised over the states that are left; each pair's row must sum to 1 over the next states."
)
def posterior_over_the_wrong_axis(counts, prior, generator):
    draws = gammas(counts + prior, generator)
    return draws / draws.sum(0, keepdim=True)


@misconception("sample_posterior_model", "The Gamma draws are not normalised: a row must sum to 1.")
def posterior_unnormalised(counts, prior, generator):
    return gammas(counts + prior, generator)


@misconception("sample_posterior_model", "What was seen hardly counts: the counts are left out, or were divided by their sum first.")
def posterior_of_frequencies(counts, prior, generator):
    draws = gammas(counts / counts.sum(-1, keepdim=True).clamp(min=1) + prior, generator)
    return draws / draws.sum(-1, keepdim=True)


@misconception("sample_posterior_model", "The prior is shared out over the next states; it is added to every count.")
def posterior_with_a_shared_prior(counts, prior, generator):
    draws = gammas(counts + prior / counts.shape[-1], generator)
    return draws / draws.sum(-1, keepdim=True)


@misconception("sample_posterior_model", "All rows use the same random numbers; each row is an independent draw.")
def posterior_with_shared_noise(counts, prior, generator):
    seed = int(torch.randint(2**31, (), generator=generator))
    draws = torch.stack([gammas(row + prior, torch.Generator().manual_seed(seed)) for row in counts.flatten(0, 1)]).reshape(counts.shape)
    return draws / draws.sum(-1, keepdim=True)


@misconception("sample_posterior_model", "Noise was added to the frequencies; the posterior of a row is a Dirichlet distribution.")
def posterior_by_softmax(counts, prior, generator):
    return ((counts + prior).log() + torch.randn(counts.shape, generator=generator, dtype=counts.dtype)).softmax(-1)


@variant("sample_posterior_model")
def posterior_by_torch(counts, prior, generator):
    return torch._sample_dirichlet(counts + prior, generator=generator)


@variant("sample_posterior_model")
def posterior_by_numpy(counts, prior, generator):
    rng = np.random.default_rng(int(torch.randint(2**62, (), generator=generator)))
    rows = [rng.dirichlet(row) for row in (counts + prior).double().cpu().flatten(0, 1).numpy()]
    return torch.as_tensor(np.stack(rows)).reshape(counts.shape).to(counts)


# ---------------------------------------------------------------------------------------------------- stretch
misconception(
    "prioritized_sweeping",
    "The pairs that lead to a changed state must be looked at again.",
    replace=("if error(tuple(before)) > theta:", "if False:"),
)
misconception("prioritized_sweeping", "γ is not used in the target.", replace=("+ gamma * model", "+ 0.99 * model"))
misconception(
    "prioritized_sweeping",
    "The value of a terminal state counts: it is 0, whatever its row holds.",
    replace=("q.max(-1).values * goes_on", "q.max(-1).values"),
)
misconception(
    "prioritized_sweeping",
    "The mean over the next actions is taken: it is the best that counts.",
    replace=("q.max(-1).values", "q.mean(-1)"),
)
misconception(
    "prioritized_sweeping",
    "One next state is taken, the likeliest, in place of the mean over all.",
    replace=(
        "model.transition[state, action] @ (\n            q.max(-1).values * goes_on\n        )",
        "(q.max(-1).values * goes_on)[model.transition[state, action].argmax()]",
    ),
)
misconception("prioritized_sweeping", "`max_updates` is not used.", replace=("while queue and updates < max_updates:", "while queue:"))
misconception(
    "prioritized_sweeping",
    "Each pair is updated once: one that is in the queue again is passed over.",
    replace=("if error(pair) <= theta:", "if error(pair) <= theta or q[pair] != 0:"),
)
misconception(
    "prioritized_sweeping",
    "An entry is moved half of the way: without noise it becomes the target.",
    replace=(
        "q[pair] = target(*pair)\n        updates += 1\n        for before",
        "q[pair] += 0.5 * (target(*pair) - q[pair])\n        updates += 1\n        for before",
    ),
)


@variant("prioritized_sweeping")
def sweeping_by_search(model, gamma, theta=1e-6, max_updates=100_000):
    """No queue: the whole table of errors is searched for its largest entry each time."""
    q, tried = torch.zeros_like(model.reward), model.counts > 0
    for updates in range(max_updates):
        value = q.amax(-1).masked_fill(model.terminal, 0)
        target = (model.reward + gamma * model.transition @ value) * tried
        error = (target - q).abs()
        if float(error.max()) <= theta:
            return q, updates
        s, a = divmod(int(error.argmax()), q.shape[1])
        q[s, a] = target[s, a]
    return q, max_updates


# From public code and its issue trackers


@misconception("q_learning_update", "The old entry is taken off twice: where (1 − α) · old stands, α times the target alone is added.")
def q_in_both_forms(q, state, action, reward, next_state, terminated, alpha, gamma):
    updated = q.clone()
    best = 0.0 if terminated else gamma * q[next_state].max()
    updated[state, action] = (1 - alpha) * q[state, action] + alpha * (reward + best - q[state, action])
    return updated


@misconception(
    "q_learning_update", "`argmax` says which action is best, not what it is worth: the target needs the largest entry of the row."
)
def q_of_the_best_actions_number(q, state, action, reward, next_state, terminated, alpha, gamma):
    updated = q.clone()
    best = 0.0 if terminated else gamma * q[next_state].argmax()
    updated[state, action] = q[state, action] + alpha * (reward + best - q[state, action])
    return updated


@misconception(
    "q_learning_update", "After a terminated step the entry jumps to the reward: there, too, it moves by α times the difference."
)
def q_jumps_at_the_end(q, state, action, reward, next_state, terminated, alpha, gamma):
    updated = q.clone()
    step, best = (1.0, 0.0) if terminated else (alpha, gamma * q[next_state].max())
    updated[state, action] = q[state, action] + step * (reward + best - q[state, action])
    return updated


@misconception("q_learning_update", "The terminal state's row is set to 0: leave the row alone and leave it out of the target.")
def q_clears_the_terminal_row(q, state, action, reward, next_state, terminated, alpha, gamma):
    updated = q.clone()
    if terminated:
        updated[next_state] = 0
    updated[state, action] = q[state, action] + alpha * (reward + gamma * updated[next_state].max() - q[state, action])
    return updated


@misconception("q_learning_update", "γ stands in front of the reward, too; it discounts the next state's value only.")
def q_discounts_the_reward(q, state, action, reward, next_state, terminated, alpha, gamma):
    updated = q.clone()
    best = 0.0 if terminated else q[next_state].max()
    updated[state, action] = q[state, action] + alpha * (gamma * (reward + best) - q[state, action])
    return updated


@misconception("q_learning_update", "All actions of the state move; only the entry of the action that was taken does.")
def q_moves_the_whole_row(q, state, action, reward, next_state, terminated, alpha, gamma):
    updated = q.clone()
    best = 0.0 if terminated else gamma * q[next_state].max()
    updated[state] = q[state] + alpha * (reward + best - q[state])
    return updated


@misconception("sarsa_update", "The old entry is taken off twice: where (1 − α) · old stands, α times the target alone is added.")
def sarsa_in_both_forms(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    updated = q.clone()
    future = 0.0 if terminated else gamma * q[next_state, next_action]
    updated[state, action] = (1 - alpha) * q[state, action] + alpha * (reward + future - q[state, action])
    return updated


@misconception(
    "discounted_returns", "The sum begins anew at every reward, as in programs for Pong; a return runs to the end of the episode."
)
def returns_reset_at_rewards(rewards, gamma):
    returns = []
    for reward in reversed(rewards.unbind()):
        returns.append(reward + gamma * returns[-1] if returns and reward == 0 else reward)
    return torch.stack(returns[::-1]) if returns else rewards.clone()


@misconception(
    "discounted_returns", "The returns are standardised (mean 0, deviation 1), as policy gradients do later; here they are the plain sums."
)
def returns_standardised(rewards, gamma):
    places = torch.arange(len(rewards))
    weights = (gamma ** (places - places[:, None]).clamp(min=0).to(rewards.dtype)).triu()
    returns = weights @ rewards
    return (returns - returns.mean()) / (returns.std() + 1e-9) if len(returns) > 1 else returns


@misconception("epsilon_greedy", "One action is never explored: draw from all of them (`randint(n)` gives 0 to n − 1).")
def last_action_never_explored(q_row, epsilon, generator):
    if torch.rand((), generator=generator) < epsilon:
        return int(torch.randint(max(1, len(q_row) - 1), (), generator=generator))
    best = (q_row == q_row.max()).nonzero().flatten()
    return int(best[torch.randint(len(best), (), generator=generator)])


@misconception(
    "fit_model", "The counts are divided by the number of all steps; a row's frequencies are relative to how often its pair was tried."
)
def model_of_shares_of_all_steps(experience, n_states, n_actions):
    state, action, reward = experience.state, experience.action, experience.reward
    triples = reward.new_zeros(n_states, n_actions, n_states)
    triples.index_put_((state, action, experience.next_state), torch.ones_like(reward), accumulate=True)
    total = reward.new_zeros(n_states, n_actions).index_put((state, action), reward, accumulate=True)
    terminal = torch.zeros(n_states, dtype=torch.bool)
    terminal[experience.next_state[experience.terminated]] = True
    return TabularModel(triples / len(reward), total / len(reward), triples.sum(-1), terminal)


misconception(
    "sample_model",
    "The next state is a tensor; a plain int is wanted.",
    replace=(
        "next_state = int(torch.multinomial(model.transition[state, action], 1, generator=generator))",
        "next_state = torch.multinomial(model.transition[state, action], 1, generator=generator)",
    ),
)
misconception(
    "monte_carlo_planning",
    "The first action of an episode is drawn at random; it is ε-greedy like the others.",
    replace=(
        "action = epsilon_greedy(q[state], epsilon, generator)",
        "action = epsilon_greedy(q[state], epsilon if pairs else 1.0, generator)",
    ),
)
misconception(
    "dyna_q",
    "Imagined steps are taken in the world itself; planning knows only the outcomes that were seen.",
    replace=(
        "imagined = outcomes[pair][draw(len(outcomes[pair]))]",
        "landed, gained, ended = mdp.step(*pair, generator)\n                imagined = gained, landed, ended",
    ),
)
misconception(
    "dyna_q",
    "Planning repeats the best action of a state only; it draws from all pairs tried.",
    replace=(
        "pair = tried[draw(len(tried))]",
        "pair = tried[draw(len(tried))]\n                pair = max((p for p in tried if p[0] == pair[0]), key=lambda p: float(q[p]))",
    ),
)
# Sutton and Barto draw a state first and then one of the actions tried in it
variant(
    "dyna_q",
    replace=(
        "pair = tried[draw(len(tried))]",
        "states = sorted({s for s, _ in tried})\n                here = states[draw(len(states))]\n                pairs = [p for p in tried if p[0] == here]\n                pair = pairs[draw(len(pairs))]",
    ),
)


# ---------------------------------------------------------------------------------------------------- dyna_q_plus
PLUS_REAL = "reward, next_state, terminated, alpha, gamma)"
PLUS_BONUS = "bonus = kappa * (len(rewards) - last_tried.get(pair, 0)) ** 0.5"
misconception(
    "dyna_q_plus",
    "The bonus is added to the real reward before learning from it; it belongs to imagined steps only.",
    replace=(
        f"q = q_learning_update(q, state, action, {PLUS_REAL}",
        "extra = kappa * (len(rewards) + 1 - last_tried.get((state, action), 0)) ** 0.5\n"
        f"        q = q_learning_update(q, state, action, reward + extra, {PLUS_REAL.partition(', ')[2]}",
    ),
)
misconception(
    "dyna_q_plus",
    "The rewards that are returned hold a bonus; they are what the world paid.",
    replace=("rewards.append(reward)", "rewards.append(reward + kappa * (len(rewards) + 1 - last_tried.get((state, action), 0)) ** 0.5)"),
)
misconception("dyna_q_plus", "The bonus grows with τ itself; it is κ times the square root of τ.", replace=(") ** 0.5", ") * 1.0"))
misconception(
    "dyna_q_plus",
    "The root covers κ, too: the bonus is κ√τ, not √(κτ).",
    replace=(PLUS_BONUS, PLUS_BONUS.replace("kappa *", "kappa**0.5 *")),
)
misconception(
    "dyna_q_plus",
    "No bonus reaches the imagined steps: κ√τ is added to their reward, and τ counts from the pair's last real try.",
    replace=("imagined + bonus", "imagined"),
)
misconception(
    "dyna_q_plus",
    "No bonus reaches the imagined steps: κ√τ is added to their reward, and τ counts from the pair's last real try.",
    replace=(PLUS_BONUS, PLUS_BONUS + "\n            last_tried[pair] = len(rewards)"),
)
misconception(
    "dyna_q_plus",
    "τ is how often the pair was tried; it is how many real steps ago it was tried last.",
    replace=(
        ("last_tried[state, action] = len(rewards)", "last_tried[state, action] = last_tried.get((state, action), 0) + 1"),
        ("(len(rewards) - last_tried.get(pair, 0))", "last_tried.get(pair, 0)"),
    ),
)
misconception(
    "dyna_q_plus",
    "τ is one too large: a pair that was tried in the newest step has τ = 0.",
    replace=("(len(rewards) - last_tried.get(pair, 0))", "(len(rewards) + 1 - last_tried.get(pair, 0))"),
)
misconception(
    "dyna_q_plus",
    "The clock counts episodes; τ is a number of real steps.",
    replace=(
        ("last_tried[state, action] = len(rewards)", "last_tried[state, action] = episodes"),
        ("(len(rewards) - last_tried.get(pair, 0))", "(episodes - last_tried.get(pair, 0))"),
        ("newest, last_tried, visited = {}, {}, []", "newest, last_tried, visited, episodes = {}, {}, [], 0"),
        ("        if state is None:\n", "        if state is None:\n            episodes += 1\n"),
    ),
)
misconception(
    "dyna_q_plus",
    "Planning picks tried pairs only; actions never tried in a state where the agent has acted are imagined, too.",
    replace=(
        "pair = visited[draw(len(visited))], draw(q.shape[1])",
        "pair = list(newest)[draw(len(newest))]",
    ),
)
misconception(
    "dyna_q_plus",
    "Planning picks states in which the agent has never acted; it picks those where it has.",
    replace=("visited[draw(len(visited))]", "draw(len(q))"),
)
misconception(
    "dyna_q_plus",
    "An action never tried is imagined to end the episode; it is imagined to lead back to the same state, without an end.",
    replace=("(0.0, pair[0], False)", "(0.0, pair[0], True)"),
)
misconception(
    "dyna_q_plus",
    "An action never tried gets no bonus; its τ is the number of all real steps so far.",
    replace=(PLUS_BONUS, PLUS_BONUS.replace("last_tried.get(pair, 0)", "last_tried.get(pair, len(rewards))")),
)
misconception(
    "dyna_q_plus",
    "An imagined step may give an older outcome of the pair, the old world's too; the model is the newest outcome.",
    replace=(
        (
            "newest[state, action] = reward, next_state, terminated",
            "newest.setdefault((state, action), []).append((reward, next_state, terminated))",
        ),
        (
            "imagined, landed, ended = newest.get(pair, (0.0, pair[0], False))",
            "seen = newest.get(pair, [(0.0, pair[0], False)])\n            imagined, landed, ended = seen[draw(len(seen))]",
        ),
    ),
)
misconception(
    "dyna_q_plus",
    "An imagined step may give an older outcome of the pair, the old world's too; the model is the newest outcome.",
    replace=(
        "newest[state, action] = reward, next_state, terminated",
        "newest.setdefault((state, action), (reward, next_state, terminated))",
    ),
)
misconception(
    "dyna_q_plus",
    "The agent is put back to a start when the world changes; it stays where it is.",
    replace=(
        "    for world in (world for world, n_steps in worlds for _ in range(n_steps)):\n",
        "    first_steps = {sum(n for _, n in worlds[:i]) for i in range(len(worlds))}\n"
        "    for world in (world for world, n_steps in worlds for _ in range(n_steps)):\n"
        "        state = None if len(rewards) in first_steps else state\n",
    ),
)
misconception(
    "dyna_q_plus",
    "What was learned is cleared when the world changes; nobody tells the agent, and it keeps all.",
    replace=(
        "        if state is None:\n",
        "        if len(rewards) == worlds[0][1]:\n            q = torch.zeros_like(q)\n            newest, last_tried, visited = {}, {}, []\n"
        "        if state is None:\n",
    ),
)
misconception(
    "dyna_q_plus",
    "No bonus reaches the imagined steps: κ√τ is added to their reward, and τ counts from the pair's last real try.",
    replace=(
        (
            "action = epsilon_greedy(q[state], epsilon, generator)",
            "waits = [len(rewards) - last_tried.get((state, a), 0) for a in range(q.shape[1])]\n"
            "        action = epsilon_greedy(q[state] + kappa * torch.tensor(waits).to(q) ** 0.5, epsilon, generator)",
        ),
        ("imagined + bonus", "imagined"),
    ),
)
misconception(
    "dyna_q_plus",
    "There is no learning from the real step itself, only planning.",
    replace=(f"q = q_learning_update(q, state, action, {PLUS_REAL}", "pass"),
)
misconception(
    "dyna_q_plus", "There is no planning after the real steps.", replace=("for _ in range(planning_steps):", "for _ in range(0):")
)
misconception(
    "dyna_q_plus", "γ is missing in the planning updates.", replace=("landed, ended, alpha, gamma)", "landed, ended, alpha, 1.0)")
)
misconception("dyna_q_plus", "The agent never explores: real actions are ε-greedy.", replace=("q[state], epsilon,", "q[state], 0.0,"))
misconception(
    "dyna_q_plus",
    "An end is drawn from the first world's start; each episode begins with the start of the world at that time.",
    replace=("torch.multinomial(world.start,", "torch.multinomial(worlds[0][0].start,"),
)
misconception(
    "dyna_q_plus",
    "The next start is drawn when the old episode ends, from a world that may be gone by then; draw it when the new episode begins.",
    replace=(
        "state = None if terminated else next_state",
        "state = int(torch.multinomial(world.start, 1, generator=generator)) if terminated else next_state",
    ),
)
misconception(
    "dyna_q_plus", STARTS, replace=("torch.multinomial(world.start, 1, generator=generator)", "torch.multinomial(world.start, 1)")
)
misconception("dyna_q_plus", UNSEEDED, replace=("torch.randint(n, (), generator=generator)", "torch.randint(n, ())"))
misconception(
    "dyna_q_plus", UNSEEDED, replace=("world.step(state, action, generator)", "world.step(state, action, torch.default_generator)")
)


@variant("dyna_q_plus")
def plus_with_tables(worlds, planning_steps, alpha, gamma, epsilon, kappa, generator):
    """The model as tables, the clock counted up at each step, and planning over all visited states in turn."""
    n_states, n_actions = worlds[0][0].reward.shape
    q, rewards = torch.zeros_like(worlds[0][0].reward), []
    landing = torch.arange(n_states, device=q.device)[:, None].repeat(1, n_actions)
    pay, ends, wait = torch.zeros_like(q), torch.zeros_like(q, dtype=torch.bool), torch.zeros_like(q)
    acted, at = torch.zeros_like(worlds[0][0].terminal), -1
    for world, n in worlds:
        for _ in range(n):
            at = world.reset(generator) if at < 0 else at
            a = act(q[at], epsilon, generator)
            s2, r, done = world.step(at, a, generator)
            q = watkins(q, at, a, r, s2, done, alpha, gamma)
            rewards.append(torch.as_tensor(r, dtype=q.dtype, device=q.device))
            wait += 1
            wait[at, a], landing[at, a], pay[at, a], ends[at, a], acted[at] = 0, s2, r, done, True
            for _ in range(planning_steps):
                number = integer(int(acted.sum()) * n_actions, generator)
                s, b = int(acted.nonzero()[number // n_actions]), number % n_actions
                q = watkins(
                    q, s, b, float(pay[s, b]) + kappa * float(wait[s, b]) ** 0.5, int(landing[s, b]), bool(ends[s, b]), alpha, gamma
                )
            at = -1 if done else s2
    return q, torch.stack(rewards)


variant(
    "dyna_q_plus",
    replace=(
        "pair = visited[draw(len(visited))], draw(q.shape[1])",
        "pair = [(s, a) for s in visited for a in range(q.shape[1])][draw(len(visited) * q.shape[1])]",
    ),
)


# ---------------------------------------------------------------------------------------------------- expected_update
WORTH = "worth = q.max(-1).values.masked_fill(model.terminal, 0)"
TARGET = "model.reward[state, action] + gamma * model.transition[state, action] @ worth"
misconception(
    "expected_update",
    "A terminal next state counts with what the table holds for it; it is worth 0.",
    replace=(".masked_fill(model.terminal, 0)", ""),
)
misconception("expected_update", "γ is missing in front of the expected value.", replace=("+ gamma * model", "+ model"))
misconception(
    "expected_update",
    "γ stands in front of the reward, too.",
    replace=(TARGET, "gamma * (model.reward[state, action] + model.transition[state, action] @ worth)"),
)
misconception("expected_update", "The pair's reward is missing from the target.", replace=(TARGET, TARGET.partition(" + ")[2]))
misconception(
    "expected_update",
    "The best of the mean entries is taken; each next state has a best action of its own, so the maximum comes before the mean.",
    replace=(
        TARGET,
        "model.reward[state, action] + gamma * (model.transition[state, action] @ q.masked_fill(model.terminal[:, None], 0)).max()",
    ),
)
misconception(
    "expected_update",
    "The mean over the next actions is taken; the target asks for the best one.",
    replace=("q.max(-1).values", "q.mean(-1)"),
)
misconception(
    "expected_update",
    "All possible next states count alike; each counts with its probability.",
    replace=(
        "model.transition[state, action] @ worth",
        "(model.transition[state, action] > 0).to(q.dtype) @ worth / (model.transition[state, action] > 0).sum()",
    ),
)
misconception(
    "expected_update",
    "Only the most likely next state counts; the mean is over all of them.",
    replace=("model.transition[state, action] @ worth", "worth[model.transition[state, action].argmax()]"),
)
misconception(
    "expected_update",
    "The best next state is taken; the agent cannot choose where it lands, so it is the mean over them.",
    replace=("model.transition[state, action] @ worth", "worth[model.transition[state, action] > 0].max()"),
)
misconception(
    "expected_update",
    "The target is added to the old entry; it takes its place.",
    replace=("updated[state, action] = (", "updated[state, action] += ("),
)
misconception(
    "expected_update",
    "The entry moves half of the way; an expected target has no noise, so the entry is set to it.",
    replace=(TARGET, f"(q[state, action] + {TARGET}) / 2"),
)
misconception(
    "expected_update",
    "Only the tried pair's new entry is returned; return the new table.",
    replace=("return updated", "return updated[state, action]"),
)
misconception(
    "expected_update",
    "`.item()` cuts the result off from the table: it is no longer differentiable.",
    replace=(TARGET, f"({TARGET}).item()"),
)
misconception("expected_update", "The old table is changed in place; return a new one.", replace=("updated = q.clone()", "updated = q"))
misconception(
    "expected_update",
    "All actions of the state are updated; only the entry of this pair changes.",
    replace=("updated[state, action] = (", "updated[state] = ("),
)


@variant("expected_update")
def expected_state_by_state(q, model, state, action, gamma):
    total = model.reward[state, action].clone()
    for landed in range(len(q)):
        if not bool(model.terminal[landed]):
            total = total + gamma * model.transition[state, action, landed] * q[landed].amax()
    return torch.where(one_hot(q, state, action).bool(), total, q)


@variant("expected_update")
def expected_for_all_pairs(q, model, state, action, gamma):
    goes_on = torch.logical_not(model.terminal).to(q.dtype)
    targets = model.reward + gamma * torch.einsum("san,n->sa", model.transition, q.amax(dim=1) * goes_on)
    new = q.clone()
    new[state][action] = targets[state][action]
    return new
