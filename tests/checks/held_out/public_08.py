"""Answers to lesson 08 after public code, forums and issue trackers, wrong and right: what people really write."""

import math
import re

import torch

from autograde.authoring.strength.mutation import misconception, variant


# every token scored from the prompt alone
@misconception(
    "action_log_probability", "Every token is judged from the prompt alone: later tokens also depend on the action's earlier ones."
)
def lp_prompt(model, prompt_ids, action_ids):
    logits, _ = model(prompt_ids[None])
    return logits[0, -1].log_softmax(-1)[action_ids].sum()


@misconception("action_log_probability", "softmax over the batch dimension's rows: dim 0")
def lp_dim0(model, prompt_ids, action_ids):
    logits, _ = model(torch.cat([prompt_ids, action_ids])[None])
    return logits[0, len(prompt_ids) - 1 : -1].log_softmax(0).gather(-1, action_ids[:, None]).sum()


@misconception("action_log_probability", "The sign is wrong: this is the loss, minus the log-probability.")
def lp_ce(model, prompt_ids, action_ids):
    logits, _ = model(torch.cat([prompt_ids, action_ids])[None])
    return torch.nn.functional.cross_entropy(logits[0, len(prompt_ids) - 1 : -1], action_ids, reduction="sum")


@misconception("action_log_probability", "This is the mean per token; asked for is the sum, the log-probability of the whole action.")
def lp_cemean(model, prompt_ids, action_ids):
    logits, _ = model(torch.cat([prompt_ids, action_ids])[None])
    return -torch.nn.functional.cross_entropy(logits[0, len(prompt_ids) - 1 : -1], action_ids)


@misconception(
    "action_log_probability", "This is off by one: the logits at a position predict the next token, not the one that stands there."
)
def lp_shift(model, prompt_ids, action_ids):
    logits, _ = model(torch.cat([prompt_ids, action_ids])[None])
    return logits[0, len(prompt_ids) :].log_softmax(-1).gather(-1, action_ids[:, None]).sum()


@misconception("action_log_probability", "last token left out")
def lp_last(model, prompt_ids, action_ids):
    logits, _ = model(torch.cat([prompt_ids, action_ids])[None])
    lp = logits[0, len(prompt_ids) - 1 : -1].log_softmax(-1).gather(-1, action_ids[:, None])
    return lp[:-1].sum() if len(lp) > 1 else lp.sum()


@misconception("action_log_probability", "base 2")
def lp_bits(model, prompt_ids, action_ids):
    logits, _ = model(torch.cat([prompt_ids, action_ids])[None])
    return logits[0, len(prompt_ids) - 1 : -1].log_softmax(-1).gather(-1, action_ids[:, None]).sum() / math.log(2)


misconception(
    "choose_action",
    "Minus the scores are the weights of the draw, so the least likely action is drawn most often: take softmax(score / temperature).",
    replace=("(scores / temperature).softmax(dim=-1)", "(scores / temperature).log_softmax(dim=-1).abs()"),
)

misconception(
    "choose_action",
    "Whole log-probabilities are compared, so short actions win: divide by the number of the action's tokens.",
    replace=("/ len(ids)", "/ ((5 + len(ids)) / 6) ** 0.6"),
)

misconception(
    "choose_action",
    "The softmax is taken of probabilities, which are nearly equal; it belongs to the log-probabilities.",
    replace=("(scores / temperature).softmax(dim=-1)", "((scores / temperature).exp()).softmax(dim=-1)"),
)

misconception(
    "choose_action",
    "The softmax is taken of probabilities, which are nearly equal; it belongs to the log-probabilities.",
    replace=(
        "(scores / temperature).softmax(dim=-1)",
        "torch.where(torch.arange(len(scores)) == scores.argmax(), 1 - temperature / 2, temperature / 2 / max(1, len(scores) - 1)).clamp(min=1e-6)",
    ),
)

misconception("rollout_return", "mean reward per step", replace=("    return value", "    return value / max(1, depth)"))

misconception(
    "rollout_return",
    "The observation never changes: the policy must see the imagined one.",
    replace=("        reward, obs, terminated = outcome\n", "        reward, new, terminated = outcome\n"),
)

misconception("rollout_return", "the last reward only", replace=("value += discount * reward", "value = discount * reward"))

misconception(
    "plan_action",
    "Ties go to the last action; the first should win.",
    replace=("return max(values, key=values.get), values", "return max(reversed(list(values)), key=values.get), values"),
)

misconception("plan_action", "one deeper", replace=("depth, gamma) for _", "depth + 1, gamma) for _"))

misconception("plan_action", "rounded values", replace=("sum(returns) / n_rollouts", "round(sum(returns) / n_rollouts, 1)"))

misconception(
    "plan_action",
    "the rollouts' policy is asked for the first action",
    replace=("policy, obs, action, depth", "policy, obs, policy(obs), depth"),
)

misconception(
    "plan_action",
    "values of the best only",
    replace=("return max(values, key=values.get), values", "best = max(values, key=values.get)\n    return best, {best: values[best]}"),
)

misconception(
    "plan_action",
    "the values of earlier actions are added",
    replace=("values[action] = sum(returns) / n_rollouts", "values[action] = (sum(returns) + sum(values.values())) / n_rollouts"),
)

misconception(
    "outcome_labels",
    "the labels end at the first mark",
    replace=("(ids == outcome_id).cumsum(dim=-1) > 0", "(ids == outcome_id).cumsum(dim=-1) == 0"),
)

misconception(
    "outcome_labels",
    "shifted by two",
    replace=(
        "labels[..., :-1] = torch.where(begun[..., :-1], ids[..., 1:], ignore_index)",
        "labels[..., :-2] = torch.where(begun[..., :-2], ids[..., 2:], ignore_index)",
    ),
)

misconception("outcome_labels", "odd marks only", replace=(".cumsum(dim=-1) > 0", ".cumsum(dim=-1) % 2 == 1"))

misconception("outcome_labels", "cumulated over the batch", replace=(".cumsum(dim=-1) > 0", ".cumsum(dim=0) > 0"))


@misconception("parse_outcome", "a regular expression with whole numbers only")
def po_int(text):
    m = re.fullmatch(r"\s*([+-]?\d+)\s*\|\s*([^|]+?)\s*\|\s*(end|go)\s*", text)
    return (float(m[1]), m[2], m[3] == "end") if m else None


@misconception("parse_outcome", "The flag only has to begin with end or go here: 'go away' is malformed.")
def po_search(text):
    m = re.search(r"([+-]?\d+(?:\.\d+)?)\s*\|\s*([^|]*[^|\s])\s*\|\s*(end|go)\b", text)
    return (float(m[1]), m[2].strip(), m[3] == "end") if m else None


@misconception("parse_outcome", "more than three parts are cut")
def po_more(text):
    p = [x.strip() for x in text.split("|")]
    if len(p) < 3 or not p[1] or p[2] not in ("end", "go"):
        return None
    try:
        r = float(p[0])
    except ValueError:
        return None
    return (r, p[1], p[2] == "end") if math.isfinite(r) else None


@misconception("parse_outcome", "bars in the observation are joined")
def po_join(text):
    p = [x.strip() for x in text.split("|")]
    if len(p) < 3 or not p[1] or p[-1] not in ("end", "go"):
        return None
    try:
        r = float(p[0])
    except ValueError:
        return None
    return (r, " | ".join(p[1:-1]), p[-1] == "end") if math.isfinite(r) else None


@misconception("parse_outcome", "reward in whole numbers")
def po_round(text):
    p = [x.strip() for x in text.split("|")]
    if len(p) != 3 or not p[1] or p[2] not in ("end", "go"):
        return None
    try:
        r = float(p[0])
    except ValueError:
        return None
    return (float(int(r)), p[1], p[2] == "end") if math.isfinite(r) else None


@misconception("parse_outcome", "empty observation allowed")
def po_empty(text):
    p = [x.strip() for x in text.split("|")]
    if len(p) != 3 or p[2] not in ("end", "go"):
        return None
    try:
        r = float(p[0])
    except ValueError:
        return None
    return (r, p[1], p[2] == "end") if math.isfinite(r) else None


misconception(
    "sample_outcome", "no space in front of the mark", replace=('f"<obs> {obs} <act> {action} <out>"', 'f"<obs> {obs} <act> {action}<out>"')
)

misconception(
    "sample_outcome",
    "most frequent of all attempts",
    replace=(
        '    for _ in range(attempts):\n        outcome = parse_outcome(generate(f"<obs> {obs} <act> {action} <out>"))\n        if outcome is not None:\n            return outcome\n    return None',
        '    found = [o for o in (parse_outcome(generate(f"<obs> {obs} <act> {action} <out>")) for _ in range(attempts)) if o is not None]\n    return max(found, key=found.count) if found else None',
    ),
)

misconception(
    "transition_error_rate",
    "rewards compared after rounding",
    replace=("predicted != true", "(round(predicted[0], 1), *predicted[1:]) != (round(true[0], 1), *true[1:])"),
)

misconception(
    "transition_error_rate",
    "stops at the first error",
    replace=(
        "return sum(predicted is None or predicted != true for predicted, true in pairs) / len(pairs)",
        "return next((1 - i / len(pairs) for i, (p, t) in enumerate(pairs) if p is None or p != t), 0.0)",
    ),
)

misconception(
    "return_conditioned",
    "`gamma` is applied once too often: the step's own reward counts in full.",
    replace=("to_go = reward + gamma * to_go", "to_go = gamma * (reward + to_go)"),
)

misconception(
    "return_conditioned",
    "The step's own reward is missing from its return to go.",
    replace=(
        '            to_go = reward + gamma * to_go\n            steps.append(f"<rtg> {to_go:+.1f} <obs> {obs} <act> {action}")',
        '            steps.append(f"<rtg> {to_go:+.1f} <obs> {obs} <act> {action}")\n            to_go = reward + gamma * to_go',
    ),
)

misconception("return_conditioned", "steps backwards", replace=('" ".join(reversed(steps))', '" ".join(steps)'))

misconception("prefix_values", "discounted by position", replace=("values[prefix] = sum(", "values[prefix] = 0.99 * sum("))

misconception(
    "prefix_values",
    "probabilities that no longer sum to one",
    replace=(
        "            chances = policy(prefix)\n",
        "            chances = policy(prefix)\n            chances = [float(c) + 1e-3 for c in chances]\n",
    ),
)

misconception(
    "prefix_values",
    "shorter texts get half the reward",
    replace=("repeat=horizon)}", "repeat=horizon)}\n    values[tuple(vocabulary[:1]) * horizon] = 0.0"),
)

variant(
    "plan_action",
    replace=(
        "returns = [rollout_return(sample, policy, obs, action, depth, gamma) for _ in range(n_rollouts)]\n        values[action] = sum(returns) / n_rollouts",
        "mean = 0.0\n        for n in range(1, n_rollouts + 1):\n            mean += (rollout_return(sample, policy, obs, action, depth, gamma) - mean) / n\n        values[action] = mean",
    ),
)

variant(
    "action_log_probability",
    replace=(
        "    return predicting.gather(-1, action_ids[:, None]).sum()",
        "    return sum((predicting[i, t] for i, t in enumerate(action_ids.tolist())), predicting.new_zeros(()))",
    ),
)

variant(
    "choose_action",
    replace=(
        "torch.multinomial((scores / temperature).softmax(dim=-1), 1, generator=generator)",
        "torch.multinomial(torch.exp(scores.double() / temperature - (scores.double() / temperature).logsumexp(0)), 1, generator=generator)",
    ),
)


@variant("prefix_values")
def r_dp(vocabulary, horizon, reward, policy):
    out = {}

    def fill(prefix):
        if len(prefix) == horizon:
            out[prefix] = float(reward(prefix))
        else:
            chances = list(map(float, policy(prefix)))
            out[prefix] = math.fsum(c * fill(prefix + (t,)) for c, t in zip(chances, vocabulary))
        return out[prefix]

    fill(())
    return out


@variant("outcome_labels")
def r_loop(ids, outcome_id, ignore_index=-100):
    flat = ids.reshape(-1, ids.shape[-1])
    rows = []
    for row in flat.tolist():
        first = row.index(outcome_id) if outcome_id in row else len(row)
        rows.append([row[t + 1] if first <= t < len(row) - 1 else ignore_index for t in range(len(row))])
    return torch.tensor(rows, dtype=ids.dtype, device=ids.device).reshape(ids.shape)


# princeton-vl/CoqGym#9: what came before is added again at each token
misconception(
    "action_log_probability", "sums of sums", replace=("action_ids[:, None]).sum()", "action_ids[:, None]).squeeze(-1).cumsum(0).sum()")
)

# AI-Hypercomputer/maxtext#2103: a token is scored by the row that has read it
misconception(
    "action_log_probability",
    "This is off by one: the logits at a position predict the next token, not the one that stands there.",
    replace=("len(prompt_ids) - 1 : -1]", "len(prompt_ids) :]"),
)

misconception(
    "action_log_probability",
    "the action without its first token",
    replace=("predicting.gather(-1, action_ids[:, None]).sum()", "predicting[1:].gather(-1, action_ids[1:, None]).sum()"),
)

# sgl-project/sglang#523: normalised by characters or by all tokens
misconception(
    "choose_action",
    "Whole log-probabilities are compared, so short actions win: divide by the number of the action's tokens.",
    replace=("/ len(ids) for", "/ max(map(len, candidates)) for"),
)

misconception(
    "rollout_return",
    "The first action comes from the policy; `action` is taken first.",
    replace=(
        "    for _ in range(depth):\n        outcome",
        "    for _ in range(depth):\n        action = action if value or discount == 1.0 and depth == 1 else policy(obs)\n        outcome",
    ),
)

misconception("rollout_return", "discounted by the depth", replace=("value += discount * reward", "value += gamma**depth * reward"))

misconception(
    "rollout_return",
    "The observation never changes: the policy must see the imagined one.",
    replace=("reward, obs, terminated = outcome", "reward, _, terminated = outcome"),
)

misconception(
    "plan_action",
    "means of means",
    replace=("values[action] = sum(returns) / n_rollouts", "values[action] = (sum(returns) / n_rollouts + returns[-1]) / 2"),
)

misconception(
    "plan_action",
    "rollouts that failed are left out",
    replace=(
        "values[action] = sum(returns) / n_rollouts",
        "some = [r for r in returns if r != 0]\n        values[action] = sum(some) / max(1, len(some))",
    ),
)

misconception(
    "prefix_values",
    "All next tokens count the same; weigh them with the policy's probabilities.",
    replace=("chances = policy(prefix)", "chances = [1 / len(vocabulary)] * len(vocabulary)"),
)

misconception("prefix_values", "the policy of the prefix before", replace=("chances = policy(prefix)", "chances = policy(prefix[:-1])"))

# huggingface/trl's collator for completions: the mark itself is learned
misconception(
    "outcome_labels",
    "This begins before the mark, so the model also learns to predict the mark itself.",
    replace=("begun[..., :-1], ids[..., 1:]", "begun[..., 1:], ids[..., 1:]"),
)

misconception(
    "outcome_labels",
    "The last position's label wraps around to the first token; nothing follows it, so it is ignored.",
    replace=("return labels", "labels[..., -1] = torch.where(begun[..., -1], ids[..., 0], ignore_index)\n    return labels"),
)


# the last token is not fed, since nothing is asked after it
@variant("action_log_probability")
def without_the_last_token(model, prompt_ids, action_ids):
    logits, _ = model(torch.cat([prompt_ids, action_ids])[None, :-1])
    return logits[0, -len(action_ids) :].log_softmax(dim=-1).gather(-1, action_ids[:, None]).sum()
