"""A seventh set of held-out answers to lesson 08: searches, value tables and readers of text as public code has them, wrong and right."""

import math
import re

import torch

from autograde.authoring.strength.mutation import misconception, variant


@variant("puct_choice")
def child_by_child(priors, visits, totals, c):
    parent, best, best_u = 1 + int(visits.sum()), None, -math.inf
    for i in range(len(priors)):
        q = float(totals[i] / visits[i]) if int(visits[i]) else 0.0
        u = q + c * float(priors[i]) * math.sqrt(parent) / (1 + int(visits[i]))
        if u > best_u:
            best, best_u = i, u
    return best


@misconception("puct_choice", "the root is taken of the child's visits")
def root_in_the_wrong_place(priors, visits, totals, c):
    q = totals / visits.clamp(min=1)
    return int((q + c * priors * (1 + visits.sum()) / (1 + visits) ** 0.5).argmax())


@misconception(
    "puct_choice",
    "An action without visits is taken at once here (its mean is NaN, or it is tried before the rule is asked); its mean counts as 0.",
)
def untried_first(priors, visits, totals, c):
    if (visits == 0).any():
        return int((visits == 0).nonzero()[0])
    return int((totals / visits + c * priors * (1 + visits.sum()).sqrt() / (1 + visits)).argmax())


@misconception("puct_choice", "UCB with a logarithm")
def ucb(priors, visits, totals, c):
    n = visits.clamp(min=1)
    return int((totals / n + c * priors * ((1 + visits.sum()).double().log() / n).sqrt()).argmax())


@misconception("puct_choice", "The root is of the visits without the 1, so at a fresh place the prior says nothing.")
def without_the_one(priors, visits, totals, c):
    return int((totals / visits.clamp(min=1) + c * priors * visits.sum().double().sqrt() / (1 + visits)).argmax())


@variant("return_conditioned")
def returns_first(episodes, gamma=1.0):
    texts = []
    for episode in episodes:
        episode, to_go = list(episode), [0.0]
        for *_, reward in episode[::-1]:
            to_go.append(reward + gamma * to_go[-1])
        to_go = to_go[:0:-1]
        texts.append(" ".join(f"<rtg> {g:+.1f} <obs> {obs} <act> {act}" for g, (obs, act, _) in zip(to_go, episode)))
    return texts


@misconception("return_conditioned", "The step's own reward is missing from its return to go.")
def own_reward_left_out(episodes, gamma=1.0):
    texts = []
    for episode in episodes:
        rewards = [r for *_, r in episode]
        steps = []
        for t, (obs, act, _) in enumerate(episode):
            g = sum(gamma**k * r for k, r in enumerate(rewards[t + 1 :]))
            steps.append(f"<rtg> {g:+.1f} <obs> {obs} <act> {act}")
        texts.append(" ".join(steps))
    return texts


@misconception("return_conditioned", "The whole episode's return stands before every step; count from the step on.")
def whole_return_everywhere(episodes, gamma=1.0):
    texts = []
    for episode in episodes:
        g = sum(gamma**k * r for k, (*_, r) in enumerate(episode))
        texts.append(" ".join(f"<rtg> {g:+.1f} <obs> {obs} <act> {act}" for obs, act, _ in episode))
    return texts


@variant("parse_outcome")
def by_a_pattern(text):
    found = re.fullmatch(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\|\s*([^|]*[^|\s])\s*\|\s*(end|go)\s*", text)
    if not found or math.isinf(float(found[1])):
        return None
    return float(found[1]), found[2].strip(), found[3] == "end"


@misconception("parse_outcome", "everything but end goes on")
def anything_goes_on(text):
    parts = [p.strip() for p in text.split("|")]
    if len(parts) != 3 or not parts[1]:
        return None
    try:
        reward = float(parts[0])
    except ValueError:
        return None
    return (reward, parts[1], parts[2] == "end") if math.isfinite(reward) else None


@misconception("parse_outcome", "a fourth part is passed over")
def more_parts_allowed(text):
    parts = [p.strip() for p in text.split("|")]
    if len(parts) < 3 or not parts[1] or parts[2] not in ("end", "go"):
        return None
    try:
        reward = float(parts[0])
    except ValueError:
        return None
    return (reward, parts[1], parts[2] == "end") if math.isfinite(reward) else None


@variant("prefix_values")
def recursive(vocabulary, horizon, reward, policy):
    values = {}

    def value(prefix):
        if len(prefix) == horizon:
            values[prefix] = float(reward(prefix))
        else:
            after = [value((*prefix, token)) for token in vocabulary]
            values[prefix] = float(sum(float(p) * v for p, v in zip(policy(prefix), after)))
        return values[prefix]

    value(())
    return values


@misconception("prefix_values", "The best next token is taken; V^π is the mean under the policy.")
def optimal_values(vocabulary, horizon, reward, policy):
    values = {}

    def value(prefix):
        if len(prefix) == horizon:
            values[prefix] = float(reward(prefix))
        else:
            values[prefix] = max(value((*prefix, token)) for token in vocabulary)
        return values[prefix]

    value(())
    return values


@misconception("prefix_values", "The state is the last token only: a text's state is everything written so far.")
def markov_policy(vocabulary, horizon, reward, policy):
    return recursive(vocabulary, horizon, reward, lambda prefix: policy(prefix[-1:]))


@variant("rollout_return")
def recursively(sample, policy, obs, action, depth, gamma):
    if depth <= 0:
        return 0.0
    outcome = sample(obs, action)
    if outcome is None:
        return 0.0
    reward, obs, done = outcome
    if done or depth == 1:
        return reward
    return reward + gamma * recursively(sample, policy, obs, policy(obs), depth - 1, gamma)


@misconception("rollout_return", "an unreadable answer is asked for again")
def asks_again(sample, policy, obs, action, depth, gamma):
    total, discount = 0.0, 1.0
    for _ in range(depth):
        outcome = sample(obs, action)
        if outcome is None:
            continue
        reward, obs, done = outcome
        total, discount = total + discount * reward, discount * gamma
        if done:
            break
        action = policy(obs)
    return total


@misconception("rollout_return", "The first reward is discounted already: γ to the power 0 is 1.")
def first_reward_discounted(sample, policy, obs, action, depth, gamma):
    return gamma * recursively(sample, policy, obs, action, depth, gamma)


@variant("outcome_labels")
def row_by_row(ids, outcome_id, ignore_index=-100):
    labels = torch.full_like(ids, ignore_index)
    for row, label in zip(ids.reshape(-1, ids.shape[-1]), labels.view(-1, ids.shape[-1])):
        at = (row == outcome_id).nonzero()
        if len(at):
            first = int(at[0])
            label[first:-1] = row[first + 1 :]
    return labels


@misconception("outcome_labels", "The last of several marks is taken: the outcome begins at the first.")
def from_the_last_mark(ids, outcome_id, ignore_index=-100):
    labels = torch.full_like(ids, ignore_index)
    for row, label in zip(ids.reshape(-1, ids.shape[-1]), labels.view(-1, ids.shape[-1])):
        at = (row == outcome_id).nonzero()
        if len(at):
            last = int(at[-1])
            label[last:-1] = row[last + 1 :]
    return labels


@misconception("outcome_labels", "The labels are not shifted: the label of a position is the token that comes after it.")
def unshifted(ids, outcome_id, ignore_index=-100):
    begun = (ids == outcome_id).cumsum(-1) > 0
    return torch.where(begun, ids, ignore_index)


@misconception("action_log_probability", "The prompt's tokens are counted too: the prompt is given, only the action is judged.")
def prompt_scored_too(model, prompt_ids, action_ids):
    ids = torch.cat([prompt_ids, action_ids])
    logits, _ = model(ids[None])
    return logits[0, :-1].log_softmax(-1).gather(-1, ids[1:, None]).sum()


@misconception(
    "action_log_probability", "This is off by one: the logits at a position predict the next token, not the one that stands there."
)
def rows_too_late(model, prompt_ids, action_ids):
    logits, _ = model(torch.cat([prompt_ids, action_ids])[None])
    return logits[0, len(prompt_ids) :].log_softmax(-1).gather(-1, action_ids[:, None]).sum()


@variant("action_log_probability")
def by_cross_entropy(model, prompt_ids, action_ids):
    ids = torch.cat((prompt_ids, action_ids)).unsqueeze(0)
    logits = model(ids)[0][:, len(prompt_ids) - 1 : -1]
    return -torch.nn.functional.cross_entropy(logits.flatten(0, 1), action_ids, reduction="sum")
