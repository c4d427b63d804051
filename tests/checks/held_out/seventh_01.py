"""A seventh set of held-out answers to lesson 01: tabular agents as public code has them, wrong and right."""

import random

import torch

from autograde.authoring.strength.mutation import misconception, variant
from utils.mdp import TabularModel


@variant("q_learning_update")
def td_target_and_error(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    td_target = reward + gamma * q[next_state].amax() * (1 - int(terminated))
    td_error = td_target - q[state][action]
    new[state][action] += alpha * td_error
    return new


@misconception("q_learning_update", "the next action is the greedy one of the old state")
def best_action_of_the_old_state(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    future = 0.0 if terminated else gamma * q[next_state, q[state].argmax()]
    new[state, action] = q[state, action] + alpha * (reward + future - q[state, action])
    return new


@misconception("q_learning_update", "γ stands in front of the reward, too; it discounts the next state's value only.")
def reward_discounted_too(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    future = 0.0 if terminated else q[next_state].max()
    new[state, action] = q[state, action] + alpha * (gamma * (reward + future) - q[state, action])
    return new


@misconception("q_learning_update", "a terminal step leaves the table alone")
def terminal_step_ignored(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    if not terminated:
        new[state, action] = q[state, action] + alpha * (reward + gamma * q[next_state].max() - q[state, action])
    return new


@variant("discounted_returns")
def filled_from_the_end(rewards, gamma):
    if len(rewards) == 0:
        return rewards.clone()
    running, out = torch.zeros_like(rewards[0]), []
    for t in range(len(rewards) - 1, -1, -1):
        running = running * gamma + rewards[t]
        out.insert(0, running)
    return torch.stack(out)


@variant("discounted_returns")
def by_powers_of_gamma(rewards, gamma):
    t = torch.arange(len(rewards), device=rewards.device)
    ahead = (t[None] - t[:, None]).clamp(min=0)
    weights = torch.where(t[None] >= t[:, None], gamma ** ahead.to(rewards.dtype), rewards.new_zeros(()))
    return weights @ rewards


@misconception("discounted_returns", "the returns are standardised")
def standardised(rewards, gamma):
    if len(rewards) == 0:
        return rewards.clone()
    returns = filled_from_the_end(rewards, gamma)
    return (returns - returns.mean()) / (returns.std(unbiased=False) + 1e-9)


@misconception(
    "discounted_returns",
    "Each return discounts from the start of the episode; it should discount from its own step, so that its first reward counts in full.",
)
def discounted_from_the_start(rewards, gamma):
    discounted = rewards * gamma ** torch.arange(len(rewards), dtype=rewards.dtype)
    return discounted.flip(0).cumsum(0).flip(0)


@variant("epsilon_greedy")
def probabilities_then_one_draw(q_row, epsilon, generator):
    best = (q_row == q_row.max()).double()
    chances = epsilon / len(q_row) + (1 - epsilon) * best / best.sum()
    return int(torch.multinomial(chances, 1, generator=generator))


@misconception("epsilon_greedy", "Exploration must be able to pick the best action too; it draws from all actions.")
def explores_among_the_others(q_row, epsilon, generator):
    best = (q_row == q_row.max()).nonzero().flatten()
    if torch.rand((), generator=generator) < epsilon:
        others = (q_row != q_row.max()).nonzero().flatten()
        best = others if len(others) else best
    return int(best[torch.randint(len(best), (), generator=generator)])


@misconception("epsilon_greedy", "Python's own random numbers")
def pythons_random(q_row, epsilon, generator):
    if random.random() < epsilon:
        return random.randrange(len(q_row))
    return random.choice((q_row == q_row.max()).nonzero().flatten().tolist())


@misconception("epsilon_greedy", "Ties always go to the first of the best actions; draw among them at random.")
def first_of_the_best(q_row, epsilon, generator):
    if torch.rand((), generator=generator) < epsilon:
        return int(torch.randint(len(q_row), (), generator=generator))
    return int(q_row.argmax())


def one_step(q, s, a, r, s2, done, alpha, gamma):
    q = q.clone()
    q[s, a] += alpha * (r + (0.0 if done else gamma * q[s2].max()) - q[s, a])
    return q


def greedy(row, epsilon, generator):
    return probabilities_then_one_draw(row, epsilon, generator)


def dyna(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator, remember, recall, cut_is_end=False):
    q, lengths, model = torch.zeros_like(mdp.reward), [], {}
    for _ in range(episodes):
        s, n = int(torch.multinomial(mdp.start, 1, generator=generator)), 0
        while n < max_steps:
            a = greedy(q[s], epsilon, generator)
            s2, r, done = mdp.step(s, a, generator)
            n += 1
            q = one_step(q, s, a, r, s2, done or (cut_is_end and n == max_steps), alpha, gamma)
            remember(model, (s, a), (r, s2, done))
            for _ in range(planning_steps):
                keys = list(model)
                pair = keys[int(torch.randint(len(keys), (), generator=generator))]
                r_, s2_, done_ = recall(model[pair], generator)
                q = one_step(q, *pair, r_, s2_, done_, alpha, gamma)
            s = s2
            if done:
                break
        lengths.append(n)
    return q, lengths


def append(model, pair, outcome):
    model.setdefault(pair, []).append(outcome)


def any_of(outcomes, generator):
    return outcomes[int(torch.randint(len(outcomes), (), generator=generator))]


@variant("dyna_q")
def keys_listed_anew(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator):
    return dyna(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator, append, any_of)


@misconception("dyna_q", "Only the newest outcome of a pair is kept: in a world with chance, planning must draw from all that were seen.")
def newest_outcome(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator):
    def remember(model, pair, outcome):
        model[pair] = outcome

    return dyna(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator, remember, lambda outcome, _: outcome)


@misconception("dyna_q", "A truncated episode is treated as a terminated one: its last update must still bootstrap.")
def cut_is_the_end(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator):
    return dyna(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator, append, any_of, cut_is_end=True)


@variant("policy_value")
def by_iteration(mdp, policy, gamma):
    value = policy.new_zeros(len(mdp.terminal))
    alive = (~mdp.terminal).to(policy.dtype)
    for _ in range(3 if policy.is_meta else 200_000):
        new = alive * (policy * (mdp.reward + gamma * mdp.transition @ value)).sum(1)
        if not new.is_meta and (new - value).abs().max() < 1e-14:
            break
        value = new
    return new


@misconception("policy_value", "A terminal state pays nothing more: its reward must be left out as well as its transitions.")
def terminal_worth_its_reward(mdp, policy, gamma):
    p = torch.einsum("sa,sat->st", policy, mdp.transition) * (~mdp.terminal).to(policy.dtype)[:, None]
    return torch.linalg.solve(torch.eye(len(p), dtype=policy.dtype, device=policy.device) - gamma * p, (policy * mdp.reward).sum(1))


@misconception("policy_value", "This is the value of the best policy; the policy given must be evaluated.")
def best_action_value(mdp, policy, gamma):
    value = torch.zeros(len(mdp.terminal), dtype=policy.dtype)
    for _ in range(3000):
        value = ((mdp.reward + gamma * mdp.transition @ value).amax(1)).masked_fill(mdp.terminal, 0)
    return value


def counted(experience, n_states, n_actions):
    s, a, r = experience.state, experience.action, experience.reward
    flat = (s * n_actions + a) * n_states + experience.next_state
    triples = r.new_zeros(n_states * n_actions * n_states).scatter_add(0, flat, torch.ones_like(r)).view(n_states, n_actions, n_states)
    paid = r.new_zeros(n_states * n_actions).scatter_add(0, s * n_actions + a, r).view(n_states, n_actions)
    ended = r.new_zeros(n_states).scatter_add(0, experience.next_state, experience.terminated.to(r.dtype))
    tries = triples.sum(-1)
    safe = torch.where(tries > 0, tries, torch.ones_like(tries))
    return TabularModel(triples / safe[..., None], paid / safe, tries, ended > 0)


@variant("fit_model")
def scattered(experience, n_states, n_actions):
    return counted(experience, n_states, n_actions)


@misconception("fit_model", "Pairs never tried must stay all zero; this gives them a uniform guess.")
def uniform_where_untried(experience, n_states, n_actions):
    model = counted(experience, n_states, n_actions)
    rows = torch.where((model.counts == 0)[..., None], torch.full_like(model.transition, 1 / n_states), model.transition)
    return TabularModel(rows, model.reward, model.counts, model.terminal)


@misconception(
    "fit_model", "One is added to every count (Laplace smoothing); the maximum-likelihood model is the plain relative frequency."
)
def laplace_smoothing(experience, n_states, n_actions):
    model = counted(experience, n_states, n_actions)
    triples = model.transition * model.counts[..., None] + 1
    return TabularModel(triples / triples.sum(-1, keepdim=True), model.reward, model.counts, model.terminal)
