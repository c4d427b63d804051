"""A third set of held-out answers to lesson 08: habits of other courses' code, wrong and right."""

import ast
import functools
import itertools
import math
import re

import torch

from autograde.authoring.strength.mutation import misconception, variant


@misconception("prefix_values", "the policy's probabilities are normalised by the largest")
def values_by_the_largest(vocabulary, horizon, reward, policy):
    values = {text: float(reward(text)) for text in itertools.product(vocabulary, repeat=horizon)}
    for n in reversed(range(horizon)):
        for prefix in itertools.product(vocabulary, repeat=n):
            chances = [float(p) for p in policy(prefix)]
            values[prefix] = sum(p / max(chances) * values[(*prefix, t)] for t, p in zip(vocabulary, chances)) / len(chances)
    return values


@misconception("prefix_values", "a discount of 0.99 for each token")
def values_discounted(vocabulary, horizon, reward, policy):
    values = {text: float(reward(text)) for text in itertools.product(vocabulary, repeat=horizon)}
    for n in reversed(range(horizon)):
        for prefix in itertools.product(vocabulary, repeat=n):
            values[prefix] = 0.99 * sum(float(p) * values[(*prefix, t)] for t, p in zip(vocabulary, policy(prefix)))
    return values


@misconception("format_transition", "done and not done as Gym's words")
def line_done(obs, action, reward, next_obs, terminated):
    return f"<obs> {obs} <act> {action} <out> {reward:+.1f} | {next_obs} | {'done' if terminated else 'go'}"


@misconception("format_transition", "two significant digits in the place of one decimal")
def line_two_decimals(obs, action, reward, next_obs, terminated):
    return f"<obs> {obs} <act> {action} <out> {reward:+.2g} | {next_obs} | {'end' if terminated else 'go'}"


@misconception("parse_outcome", "a literal in the place of the number")
def parsed_literal(text):
    parts = [part.strip() for part in text.split("|")]
    if len(parts) != 3 or not parts[1] or parts[2] not in ("end", "go"):
        return None
    try:
        return float(ast.literal_eval(parts[0])), parts[1], parts[2] == "end"
    except (ValueError, SyntaxError, TypeError):
        return None


@misconception("parse_outcome", "only rewards of the game: at most one in size")
def parsed_small(text):
    match = re.fullmatch(r"\s*([+-]?[01](?:\.\d+)?)\s*\|\s*([^|]*[^|\s])\s*\|\s*(end|go)\s*", text)
    return match and (float(match[1]), match[2], match[3] == "end")


@misconception("outcome_labels", "The last of several marks is taken: the outcome begins at the first.")
def labels_from_the_last(ids, outcome_id, ignore_index=-100):
    left = (ids == outcome_id).flip(-1).cumsum(-1).flip(-1)
    begun = ((left == 0) | ((ids == outcome_id) & (left == 1))) & (ids == outcome_id).any(-1, keepdim=True)
    labels = torch.full_like(ids, ignore_index)
    labels[..., :-1] = torch.where(begun[..., :-1], ids[..., 1:], ignore_index)
    return labels


@misconception("outcome_labels", "a token that comes again after the mark has no label")
def labels_without_repeats(ids, outcome_id, ignore_index=-100):
    begun = (ids == outcome_id).cumsum(-1) > 0
    labels = torch.full_like(ids, ignore_index)
    keep = begun[..., :-1] & (ids[..., 1:] != outcome_id)
    labels[..., :-1] = torch.where(keep, ids[..., 1:], ignore_index)
    return labels


misconception("sample_outcome", "a reward of −1 or less is taken for nonsense", replace=(
    "        if outcome is not None:\n            return outcome\n    return None",
    "        if outcome is not None and outcome[0] > -1:\n            return outcome\n    return None",
))  # fmt: skip


@misconception("transition_error_rate", "Behind an end the observation is not compared; it belongs to the outcome there, too.")
def errors_end_excuses(pairs):
    return sum(p is None or (p[0], p[2]) != (t[0], t[2]) or (p[1] != t[1] and not t[2]) for p, t in pairs) / len(pairs)


@misconception("transition_error_rate", "rewards are compared when rounded to whole numbers")
def errors_by_sign(pairs):
    return sum(p is None or (round(p[0]), p[1:]) != (round(t[0]), t[1:]) for p, t in pairs) / len(pairs)


misconception("rollout_return", "an answer that cannot be used costs a tenth", replace=(
    "        if outcome is None:\n            break", "        if outcome is None:\n            value -= 0.1 * discount\n            break",
))  # fmt: skip

misconception("rollout_return", "asks the model once more when it has no answer", replace=(
    "        outcome = sample(obs, action)\n", "        outcome = sample(obs, action) or sample(obs, action)\n",
))  # fmt: skip

misconception("rollout_return", "a place that comes again ends the rollout", replace=(
    ("value, discount = 0.0, 1.0", "value, discount, seen = 0.0, 1.0, set()"),
    ("        if terminated:\n", "        if terminated or obs in seen:\n"),
    ("        action = policy(obs)", "        seen.add(obs)\n        action = policy(obs)"),
))  # fmt: skip


@misconception("plan_action", "rollouts without a return are left out of the mean")
def plan_without_zeros(sample, policy, obs, actions, n_rollouts, depth, gamma):
    def one(action):
        value, discount, here, act = 0.0, 1.0, obs, action
        for _ in range(depth):
            outcome = sample(here, act)
            if outcome is None:
                break
            reward, here, ended = outcome
            value, discount = value + discount * reward, discount * gamma
            if ended:
                break
            act = policy(here)
        return value

    values = {}
    for action in actions:
        returns = [r for r in (one(action) for _ in range(n_rollouts)) if r != 0]
        values[action] = sum(returns) / max(1, len(returns))
    return max(values, key=values.get), values


@misconception(
    "action_log_probability", "Every token is judged from the prompt alone: later tokens also depend on the action's earlier ones."
)
def one_token_context(model, prompt_ids, action_ids):
    total = 0.0
    for token in action_ids:
        logits, _ = model(prompt_ids[None])
        total = total + logits[0, -1].log_softmax(-1)[token]
    return total


@misconception("action_log_probability", "the prompt is cut to its last four tokens")
def short_prompt(model, prompt_ids, action_ids):
    prompt_ids = prompt_ids[-4:]
    logits, _ = model(torch.cat([prompt_ids, action_ids])[None])
    return logits[0, len(prompt_ids) - 1 : -1].log_softmax(-1).gather(-1, action_ids[:, None]).sum()


misconception(
    "choose_action",
    "The log-probabilities are divided by the root of the length; divide by the length.",
    replace=(") / len(ids)", ") / len(ids) ** 0.5"),
)

misconception("choose_action", "a temperature below 0.1 is taken for 0", replace=("temperature == 0", "temperature < 0.1"))

misconception("return_conditioned", "the return is rounded to halves", replace=("{to_go:+.1f}", "{round(to_go * 2) / 2:+.1f}"))

misconception("return_conditioned", "the return is cut at two", replace=("{to_go:+.1f}", "{min(2.0, to_go):+.1f}"))

misconception("puct_choice", "actions with a prior below 5 % are never tried", replace=(
    "return int((values + urge).argmax())", "return int((values + urge).where(priors >= 0.05, -torch.inf).argmax())",
))  # fmt: skip


# right


@variant("prefix_values")
def lazily_cached(vocabulary, horizon, reward, policy):
    @functools.cache
    def value(prefix):
        if len(prefix) == horizon:
            return float(reward(prefix))
        return math.fsum(float(p) * value(prefix + (w,)) for p, w in zip(policy(prefix), vocabulary))

    return {prefix: value(prefix) for n in range(horizon + 1) for prefix in itertools.product(vocabulary, repeat=n)}


@variant("parse_outcome")
def by_matching(text):
    match text.split("|"):
        case [reward, obs, flag] if obs.strip() and flag.strip() in {"end", "go"}:
            try:
                number = float(reward)
            except ValueError:
                return None
            return (number, obs.strip(), flag.strip() == "end") if math.isfinite(number) else None
    return None


@variant("outcome_labels")
def row_by_row(ids, outcome_id, ignore_index=-100):
    flat = ids.reshape(-1, ids.shape[-1])
    place = torch.arange(ids.shape[-1], device=ids.device)
    first = torch.where(flat == outcome_id, place, ids.shape[-1]).amin(-1, keepdim=True)
    keep = (place >= first) & (place < ids.shape[-1] - 1)
    return flat.roll(-1, -1).masked_fill(~keep, ignore_index).reshape(ids.shape)


@variant("rollout_return")
def by_recursion(sample, policy, obs, action, depth, gamma):
    if depth <= 0 or (outcome := sample(obs, action)) is None:
        return 0.0
    reward, after, ended = outcome
    if ended or depth == 1:
        return reward
    return reward + gamma * by_recursion(sample, policy, after, policy(after), depth - 1, gamma)


@variant("action_log_probability")
def by_cross_entropy_per_token(model, prompt_ids, action_ids):
    row = torch.cat((prompt_ids, action_ids))
    logits = model(row.unsqueeze(0))[0].squeeze(0)
    logs = logits - logits.logsumexp(-1, keepdim=True)
    steps = torch.arange(len(prompt_ids), len(row), device=row.device)
    return logs[steps - 1, row[steps]].sum()


@variant("return_conditioned")
def by_accumulate(episodes, gamma=1.0):
    def text(episode):
        returns = [*itertools.accumulate((r for *_, r in reversed(episode)), lambda later, r: r + gamma * later)][::-1]
        return " ".join(f"<rtg> {g:+.1f} <obs> {obs} <act> {action}" for g, (obs, action, _) in zip(returns, episode))

    return list(map(text, episodes))


@variant("puct_choice")
def one_action_at_a_time(priors, visits, totals, c):
    root = math.sqrt(1 + int(visits.sum()))
    scores = [(w / n if n else 0.0) + c * p * root / (1 + n) for p, n, w in zip(priors.tolist(), visits.tolist(), totals.tolist())]
    return scores.index(max(scores))
