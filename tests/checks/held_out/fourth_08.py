"""A fourth set of held-out answers to lesson 08: unusual right ones."""

import itertools
import math
import re
from functools import cache
from operator import itemgetter

import torch

from autograde.authoring.strength.mutation import variant


@variant("prefix_values")
def by_a_cached_recursion(vocabulary, horizon, reward, policy):
    @cache
    def value(prefix):
        if len(prefix) == horizon:
            return reward(prefix)
        return math.fsum(p * value((*prefix, token)) for p, token in zip(policy(prefix), vocabulary))

    return {prefix: value(prefix) for n in range(horizon + 1) for prefix in itertools.product(vocabulary, repeat=n)}


@variant("format_transition")
def by_joining(obs, action, reward, next_obs, terminated):
    outcome = " | ".join([format(reward, "+.1f"), next_obs, ("go", "end")[bool(terminated)]])
    return " ".join(("<obs>", obs, "<act>", action, "<out>", outcome))


@variant("parse_outcome")
def by_one_pattern(text):
    found = re.fullmatch(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\|\s*([^|]*?[^|\s])\s*\|\s*(end|go)\s*", text)
    if found and math.isfinite(reward := float(found[1])):
        return reward, found[2], found[3] == "end"
    return None


@variant("outcome_labels")
def row_by_row(ids, outcome_id, ignore_index=-100):
    labels = torch.full_like(ids, ignore_index)
    for row, out in zip(ids.reshape(-1, ids.shape[-1]), labels.view(-1, ids.shape[-1])):
        if (marks := (row == outcome_id).nonzero()).numel():
            out[marks[0, 0] : -1] = row[marks[0, 0] + 1 :]
    return labels


@variant("transition_error_rate")
def by_the_right_ones(pairs):
    return 1 - sum(one == other for one, other in pairs if one is not None) / len(pairs)


@variant("rollout_return")
def by_recursion(sample, policy, obs, action, depth, gamma):
    if depth < 1 or (outcome := sample(obs, action)) is None:
        return 0.0
    reward, after, ended = outcome
    if ended or depth == 1:
        return reward
    return reward + gamma * by_recursion(sample, policy, after, policy(after), depth - 1, gamma)


@variant("plan_action")
def by_items(sample, policy, obs, actions, n_rollouts, depth, gamma):
    values = {a: math.fsum(by_recursion(sample, policy, obs, a, depth, gamma) for _ in range(n_rollouts)) / n_rollouts for a in actions}
    return max(values.items(), key=itemgetter(1))[0], values


@variant("action_log_probability")
def token_by_token(model, prompt_ids, action_ids):
    total, ids = 0.0, prompt_ids
    for token in action_ids:
        total = total + model(ids[None])[0][0, -1].log_softmax(-1)[token]
        ids = torch.cat([ids, token[None]])
    return total


@variant("return_conditioned")
def from_the_end(episodes, gamma=1.0):
    def lines(episode):
        ahead, found = 0.0, []
        for obs, action, reward in reversed(episode):
            found.insert(0, f"<rtg> {(ahead := reward + gamma * ahead):+.1f} <obs> {obs} <act> {action}")
        return " ".join(found)

    return [*map(lines, episodes)]


@variant("puct_choice")
def as_a_list(priors, visits, totals, c):
    seen = visits.tolist()
    root = math.sqrt(1 + sum(seen))
    scores = [(w / n if n else 0.0) + c * p * root / (1 + n) for p, n, w in zip(priors.tolist(), seen, totals.tolist())]
    return scores.index(max(scores))
