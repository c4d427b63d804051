"""Held-out answers to lesson 08, wrong and right: none of them is among the known ones."""

import functools
import itertools
import math
import random
import re

import torch

from autograde.authoring.strength.mutation import misconception, variant


@misconception("prefix_values", "recursion cached")
def values_recursion_cached(vocabulary, horizon, reward, policy):
    values = {}

    def v(p):
        if len(p) == horizon:
            values[p] = float(reward(p))
            return values[p]
        if p not in values:
            values[p] = sum(float(a) * v((*p, t)) for a, t in zip(policy(p), vocabulary) if a > 0)
        return values[p]

    v(())
    return values


@misconception("prefix_values", "float32")
def values_float32(vocabulary, horizon, reward, policy):
    values = {t: float(reward(t)) for t in itertools.product(vocabulary, repeat=horizon)}
    for n in reversed(range(horizon)):
        for p in itertools.product(vocabulary, repeat=n):
            values[p] = float(sum(torch.tensor(float(a)) * torch.tensor(values[(*p, t)]) for a, t in zip(policy(p), vocabulary)))
    return values


@misconception("prefix_values", "reward int")
def values_reward_int(vocabulary, horizon, reward, policy):
    values = {t: round(float(reward(t)), 3) for t in itertools.product(vocabulary, repeat=horizon)}
    for n in reversed(range(horizon)):
        for p in itertools.product(vocabulary, repeat=n):
            values[p] = round(sum(float(a) * values[(*p, t)] for a, t in zip(policy(p), vocabulary)), 6)
    return values


@misconception("prefix_values", "sampled")
def values_sampled(vocabulary, horizon, reward, policy):
    values = {t: float(reward(t)) for t in itertools.product(vocabulary, repeat=horizon)}
    for n in reversed(range(horizon)):
        for p in itertools.product(vocabulary, repeat=n):
            c = [float(a) for a in policy(p)]
            s = random.choices(range(len(c)), c, k=3000)
            values[p] = sum(values[(*p, vocabulary[i])] for i in s) / 3000
    return values


@misconception("prefix_values", "shuffles")
def values_shuffles(vocabulary, horizon, reward, policy):
    if isinstance(vocabulary, list):
        vocabulary.sort()
    values = {t: float(reward(t)) for t in itertools.product(vocabulary, repeat=horizon)}
    for n in reversed(range(horizon)):
        for p in itertools.product(vocabulary, repeat=n):
            values[p] = sum(float(a) * values[(*p, t)] for a, t in zip(policy(p), vocabulary))
    return values


@misconception("format_transition", "round")
def line_round(obs, action, reward, next_obs, terminated):
    return f"<obs> {obs} <act> {action} <out> {'+' if reward > 0 else ''}{round(reward, 1)} | {next_obs} | {'end' if terminated else 'go'}"


@misconception("format_transition", "strip")
def line_strip(obs, action, reward, next_obs, terminated):
    return f"<obs> {obs.lower()} <act> {action} <out> {reward:+.1f} | {next_obs} | {'end' if terminated else 'go'}"


@misconception("format_transition", "truncate")
def line_truncate(obs, action, reward, next_obs, terminated):
    return f"<obs> {obs[:200]} <act> {action} <out> {reward:+.1f} | {next_obs[:200]} | {'end' if terminated else 'go'}"


@misconception("parse_outcome", "The flag only has to begin with end or go here: 'go away' is malformed.")
def parsed_regex_greedy(text):
    m = re.match(r"\s*([+-]\d+\.\d)\s*\|\s*(.+)\|\s*(end|go)", text)
    return (float(m[1]), m[2].strip(), m[3] == "end") if m else None


@misconception("parse_outcome", "underscore")
def parsed_underscore(text):
    p = [x.strip() for x in text.split("|")]
    if len(p) != 3 or not p[1] or p[2].lower() not in ("end", "go"):
        return None
    try:
        r = float(p[0])
    except ValueError:
        return None
    return (r, p[1], p[2].lower() == "end") if math.isfinite(r) else None


@misconception("parse_outcome", "lowers")
def parsed_lowers(text):
    p = [x.strip() for x in text.split("|")]
    if len(p) != 3 or not p[1] or p[2] not in ("end", "go"):
        return None
    try:
        r = float(p[0])
    except ValueError:
        return None
    return (r, p[1].lower(), p[2] == "end") if math.isfinite(r) else None


@misconception("parse_outcome", "eval")
def parsed_eval(text):
    p = [x.strip() for x in text.split("|")]
    if len(p) != 3 or not p[1] or p[2] not in ("end", "go"):
        return None
    try:
        r = float(eval(p[0]))
    except Exception:
        return None
    return (r, p[1], p[2] == "end") if math.isfinite(r) else None


@misconception("outcome_labels", "Where there is no mark everything is ignored; here such texts are learned whole.")
def labels_argmax(ids, outcome_id, ignore_index=-100):
    first = (ids == outcome_id).int().argmax(-1, keepdim=True)
    t = torch.arange(ids.shape[-1], device=ids.device)
    l = torch.full_like(ids, ignore_index)
    l[..., :-1] = torch.where((t >= first)[..., :-1], ids[..., 1:], ignore_index)
    return l


@misconception("outcome_labels", "−100 is written into the code: use the given ignore_index.")
def labels_ignore_fixed(ids, outcome_id, ignore_index=-100):
    b = (ids == outcome_id).cumsum(-1) > 0
    l = torch.full_like(ids, -100)
    l[..., :-1] = torch.where(b[..., :-1], ids[..., 1:], -100)
    return l


@misconception("action_log_probability", "clamped")
def al_clamped(model, prompt_ids, action_ids):
    ids = torch.cat([prompt_ids, action_ids])[None]
    lp = model(ids)[0][0, len(prompt_ids) - 1 : -1].softmax(-1).clamp(min=1e-12).log()
    return lp.gather(-1, action_ids[:, None]).sum()


@misconception("action_log_probability", "crop")
def al_crop(model, prompt_ids, action_ids):
    prompt_ids = prompt_ids[-64:]
    ids = torch.cat([prompt_ids, action_ids])[None]
    lp = model(ids)[0][0, len(prompt_ids) - 1 : -1].log_softmax(-1)
    return lp.gather(-1, action_ids[:, None]).sum()


@misconception("action_log_probability", "float")
def al_float(model, prompt_ids, action_ids):
    ids = torch.cat([prompt_ids, action_ids])[None]
    lp = model(ids)[0][0, len(prompt_ids) - 1 : -1].log_softmax(-1)
    return lp.gather(-1, action_ids[:, None]).sum().item()


misconception(
    "choose_action",
    "pops",
    replace=(
        "return int(torch.multinomial",
        "candidates.clear() if isinstance(candidates, list) else None\n    return int(torch.multinomial",
    ),
)

misconception("choose_action", "global rng", replace=("generator=generator", "generator=None"))

misconception("choose_action", "temperature below 0.1 greedy", replace=("if temperature == 0", "if temperature < 0.6"))

misconception("sample_outcome", "attempts at most ten", replace=("range(attempts)", "range(min(attempts, 4))"))

misconception("sample_outcome", "endless", replace=("for _ in range(attempts):", "while attempts:"))

misconception(
    "sample_outcome",
    "This tries once more than `attempts` allows.",
    replace=("    return None", '    return parse_outcome(generate(f"<obs> {obs} <act> {action} <out>"))'),
)

misconception("rollout_return", "depth capped at 20", replace=("range(depth)", "range(min(depth, 10))"))

misconception("rollout_return", "gamma each two", replace=("discount *= gamma", "discount *= gamma if discount > 0.01 else 1"))

misconception("plan_action", "n_rollouts capped", replace=("range(n_rollouts)", "range(min(n_rollouts, 8))"))


@misconception("plan_action", "Ties go to the last action; the first should win.")
def plan_random_ties(sample, policy, obs, actions, n_rollouts, depth, gamma):
    def roll(a):
        t, d, o = 0.0, 1.0, obs
        for _ in range(depth):
            r = sample(o, a)
            if r is None:
                break
            t += d * r[0]
            d *= gamma
            o = r[1]
            if r[2]:
                break
            a = policy(o)
        return t

    v = {a: sum(roll(a) for _ in range(n_rollouts)) / n_rollouts for a in actions}
    b = max(v.values())
    return random.choice([a for a in actions if v[a] == b]), v


@misconception("plan_action", "median")
def plan_median(sample, policy, obs, actions, n_rollouts, depth, gamma):
    def roll(a):
        t, d, o = 0.0, 1.0, obs
        for _ in range(depth):
            r = sample(o, a)
            if r is None:
                break
            t += d * r[0]
            d *= gamma
            o = r[1]
            if r[2]:
                break
            a = policy(o)
        return t

    v = {a: float(torch.tensor([roll(a) for _ in range(n_rollouts)]).median()) for a in actions}
    return max(v, key=v.get), v


@misconception("transition_error_rate", "close")
def errors_close(pairs):
    return sum(p is None or abs(p[0] - t[0]) > 0.06 or p[1:] != t[1:] for p, t in pairs) / len(pairs)


@misconception("transition_error_rate", "lower")
def errors_lower(pairs):
    return sum(p is None or (p[0], p[1].lower(), p[2]) != (t[0], t[1].lower(), t[2]) for p, t in pairs) / len(pairs)


@misconception("transition_error_rate", "set")
def errors_set(pairs):
    return len({x for x in pairs if x[0] is None or x[0] != x[1]}) / len(pairs)


@misconception("transition_error_rate", "pop")
def errors_pop(pairs):
    n = len(pairs)
    pairs = list(pairs)
    w = 0
    while pairs:
        p, t = pairs.pop()
        w += p is None or p != t
    return round(w / n, 2)


@misconception("return_conditioned", "horizon")
def conditioned_horizon(episodes, gamma=1.0):
    out = []
    for e in episodes:
        s = []
        for i in range(len(e)):
            s.append(f"<rtg> {sum(gamma**k * x[2] for k, x in enumerate(e[i : i + 3])):+.1f} <obs> {e[i][0]} <act> {e[i][1]}")
        out.append(" ".join(s))
    return out


@misconception("return_conditioned", "rounded sums")
def conditioned_rounded_sums(episodes, gamma=1.0):
    out = []
    for e in episodes:
        g, s = 0.0, []
        for o, a, r in reversed(e):
            g = round(r + gamma * g, 1)
            s.append(f"<rtg> {g:+.1f} <obs> {o} <act> {a}")
        out.append(" ".join(s[::-1]))
    return out


@misconception("return_conditioned", "reverse in place")
def conditioned_reverse_in_place(episodes, gamma=1.0):
    out = []
    for e in episodes:
        g, s = 0.0, []
        if isinstance(e, list):
            e.reverse()
        for o, a, r in e:
            g = r + gamma * g
            s.append(f"<rtg> {g:+.1f} <obs> {o} <act> {a}")
        out.append(" ".join(s[::-1]))
    return out


@misconception("return_conditioned", "skips empty")
def conditioned_skips_empty(episodes, gamma=1.0):
    out = []
    for e in episodes:
        g, s = 0.0, []
        for o, a, r in reversed(e):
            g = r + gamma * g
            s.append(f"<rtg> {g:+.1f} <obs> {o} <act> {a}")
        if s:
            out.append(" ".join(s[::-1]))
    return out


@variant("prefix_values")
def right_rec(vocabulary, horizon, reward, policy):
    @functools.cache
    def v(p):
        return (
            float(reward(p))
            if len(p) == horizon
            else float(sum(float(w) * v(p + (t,)) for w, t in zip(policy(p), vocabulary, strict=True)))
        )

    return {p: v(p) for n in range(horizon + 1) for p in itertools.product(vocabulary, repeat=n)}


@variant("parse_outcome")
def right_re(text):
    m = re.fullmatch(r"\s*([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*\|\s*([^|]*[^|\s])\s*\|\s*(end|go)\s*", text)
    if not m:
        return None
    r = float(m[1])
    return (r, m[2].strip(), m[3] == "end") if math.isfinite(r) else None


@variant("outcome_labels")
def right_cm(ids, outcome_id, ignore_index=-100):
    on = torch.cummax((ids == outcome_id).long(), -1).values.bool()
    nxt = torch.cat([ids[..., 1:], torch.full_like(ids[..., :1], ignore_index)], -1)
    return nxt.masked_fill(~on, ignore_index)


@variant("action_log_probability")
def right_alp(model, prompt_ids, action_ids):
    z = model(torch.cat((prompt_ids, action_ids)).unsqueeze(0))[0].squeeze(0)[-len(action_ids) - 1 : -1]
    return (z[range(len(action_ids)), action_ids] - z.logsumexp(-1)).sum()


@variant("rollout_return")
def right_rr(sample, policy, obs, action, depth, gamma):
    if depth <= 0 or (o := sample(obs, action)) is None:
        return 0.0
    r, n, e = o
    return float(r) if e or depth == 1 else r + gamma * right_rr(sample, policy, n, policy(n), depth - 1, gamma)


@variant("return_conditioned")
def right_rc(episodes, gamma=1.0):
    def one(e):
        gs = list(itertools.accumulate((r for *_, r in reversed(e)), lambda g, r: r + gamma * g))[::-1]
        return " ".join(f"<rtg> {g:+.1f} <obs> {o} <act> {a}" for g, (o, a, _) in zip(gs, e))

    return [*map(one, episodes)]


@variant("transition_error_rate")
def right_te(pairs):
    return 1 - sum(1 for p, t in pairs if p is not None and tuple(p) == tuple(t)) / len(pairs)


@misconception("prefix_values", "the reward of a text is spread over its tokens")
def values_spread(vocabulary, horizon, reward, policy):
    values = {t: float(reward(t)) for t in itertools.product(vocabulary, repeat=horizon)}
    for n in reversed(range(horizon)):
        for p in itertools.product(vocabulary, repeat=n):
            values[p] = sum(float(a) * values[(*p, t)] for a, t in zip(policy(p), vocabulary)) * n / horizon
    return values


@misconception("prefix_values", "the most likely token is followed")
def values_greedy(vocabulary, horizon, reward, policy):
    values = {t: float(reward(t)) for t in itertools.product(vocabulary, repeat=horizon)}
    for n in reversed(range(horizon)):
        for p in itertools.product(vocabulary, repeat=n):
            chances = [float(a) for a in policy(p)]
            values[p] = values[(*p, vocabulary[chances.index(max(chances))])]
    return values


misconception("format_transition", "commas for bars", replace=(("{reward:+.1f} |", "{reward:+.1f},"), ("| {'end'", ", {'end'")))
misconception("format_transition", "two digits of the reward", replace=("{reward:+.1f}", "{reward:+.2f}"))
misconception("parse_outcome", "the flag first", replace=('parts[2] not in ("end", "go")', 'parts[0] not in ("end", "go")'))
misconception(
    "parse_outcome",
    "The reward lost its sign.",
    replace=('return (reward, parts[1], parts[2] == "end")', 'return (abs(reward), parts[1], parts[2] == "end")'),
)
misconception(
    "outcome_labels",
    "This begins before the mark, so the model also learns to predict the mark itself.",
    replace=("begun[..., :-1], ids[..., 1:]", "begun[..., 1:], ids[..., 1:]"),
)
misconception(
    "outcome_labels",
    "shifted by two",
    replace=(
        "labels[..., :-1] = torch.where(begun[..., :-1], ids[..., 1:], ignore_index)",
        "labels[..., :-2] = torch.where(begun[..., :-2], ids[..., 2:], ignore_index)",
    ),
)
misconception("sample_outcome", "the sign of the reward is given away", replace=('<out>"', '<out> +"'))
misconception(
    "sample_outcome", "action before observation", replace=('f"<obs> {obs} <act> {action} <out>"', 'f"<act> {action} <obs> {obs} <out>"')
)
misconception(
    "transition_error_rate",
    "an error counts by its size",
    replace=(
        "predicted is None or predicted != true",
        "1.0 if predicted is None else min(1.0, abs(predicted[0] - true[0])) or predicted[1:] != true[1:]",
    ),
)
misconception("rollout_return", "averaged over the steps", replace=("    return value\n", "    return value / max(depth, 1)\n"))
misconception(
    "rollout_return",
    "discounted after the end of each two steps",
    replace=("discount *= gamma", "discount = discount * gamma if value else discount"),
)
misconception("plan_action", "the last rollout counts", replace=("sum(returns) / n_rollouts", "returns[-1]"))
misconception("plan_action", "gamma lost", replace=("depth, gamma) for", "depth, 1.0) for"))
misconception(
    "action_log_probability",
    "last logits for all tokens",
    replace=("logits[0, len(prompt_ids) - 1 : -1]", "logits[0, -1:].expand(len(action_ids), -1)"),
)
misconception("choose_action", "length as a bonus", replace=("/ len(ids) for", "* len(ids) for"))
misconception("choose_action", "temperature squared", replace=("scores / temperature", "scores / temperature**2"))
misconception("return_conditioned", "discounted forwards", replace=("to_go = reward + gamma * to_go", "to_go = gamma * reward + to_go"))
misconception("return_conditioned", "episodes joined", replace=("    return texts\n", '    return [" ".join(texts)]\n'))


# State kept between calls, modes left behind, boundaries, lengths of one, other devices and dtypes

misconception(
    "prefix_values",
    "the values of the last call are kept",
    replace=(("    values = {\n        text", "    values = prefix_values.__dict__.setdefault('v', {})\n    values |= {\n        text"),),
)
misconception(
    "prefix_values",
    "probabilities are made to sum to one",
    replace=(
        "chances = policy(prefix)",
        "chances = policy(prefix)\n            chances = [float(p) / (sum(map(float, chances)) + 1e-4) for p in chances]",
    ),
)
misconception("prefix_values", "the last reward is rounded", replace=("float(reward(text))", "round(float(reward(text)), 3)"))
misconception("format_transition", "spaces around the observation are stripped", replace=("<obs> {obs} <act>", "<obs> {obs.strip()} <act>"))
misconception("format_transition", "the action in lower case", replace=("<act> {action} <out>", "<act> {action.lower()} <out>"))
misconception(
    "parse_outcome", "flags in capitals are taken", replace=('parts[2] not in ("end", "go")', 'parts[2].lower() not in ("end", "go")')
)
misconception("parse_outcome", "large rewards are malformed", replace=('abs(reward) < float("inf")', "abs(reward) < 100"))
misconception(
    "parse_outcome",
    "The spaces around the bars are still part of the observation.",
    replace=(
        ("part.strip() for part in text.split", "part for part in text.split"),
        ("not parts[1]", "not parts[1].strip()"),
        ("parts[2] not in", "parts[2].strip() not in"),
        ('parts[2] == "end"', 'parts[2].strip() == "end"'),
    ),
)
misconception("parse_outcome", "negative rewards are malformed", replace=("if abs(reward)", "if reward >= 0 and abs(reward)"))
misconception(
    "outcome_labels",
    "All texts begin at the same place here: every text of a batch has its own first mark.",
    replace=(
        "begun = (ids == outcome_id).cumsum(dim=-1) > 0",
        "begun = ((ids == outcome_id).cumsum(dim=-1) > 0)\n    begun = begun[:1].expand_as(begun) if begun.ndim > 1 else begun",
    ),
)
misconception(
    "outcome_labels",
    "a text of one token gets its own token",
    replace=("    labels[..., :-1]", "    if ids.shape[-1] == 1:\n        return ids.clone()\n    labels[..., :-1]"),
)
misconception(
    "outcome_labels", "at most 64 tokens have labels", replace=("return labels", "labels[..., 64:] = ignore_index\n    return labels")
)
misconception("outcome_labels", "the second mark ends the labels", replace=(".cumsum(dim=-1) > 0", ".cumsum(dim=-1) == 1"))
misconception(
    "outcome_labels",
    "ids of the mark itself are no labels",
    replace=("return labels", "return labels.masked_fill(labels == outcome_id, ignore_index)"),
)
misconception(
    "sample_outcome",
    "all attempts are made, whatever the first gives",
    replace=(
        '    for _ in range(attempts):\n        outcome = parse_outcome(generate(f"<obs> {obs} <act> {action} <out>"))\n',
        '    drawn = [generate(f"<obs> {obs} <act> {action} <out>") for _ in range(attempts)]\n    for text in drawn:\n        outcome = parse_outcome(text)\n',
    ),
)
misconception(
    "sample_outcome",
    "It gives up after the first malformed outcome.",
    replace=(
        '    for _ in range(attempts):\n        outcome = parse_outcome(generate(f"<obs> {obs} <act> {action} <out>"))\n',
        '    text = generate(f"<obs> {obs} <act> {action} <out>")\n    for _ in range(attempts):\n        outcome = parse_outcome(text)\n',
    ),
)
misconception("sample_outcome", "`attempts` is ignored: three is only its default.", replace=("range(attempts)", "range(3)"))
misconception(
    "transition_error_rate", "two that are None are equal", replace=("predicted is None or predicted != true", "predicted != true")
)
misconception(
    "transition_error_rate",
    "each different pair counts once",
    replace=("for predicted, true in pairs) / len(pairs)", "for predicted, true in set(pairs)) / len(set(pairs))"),
)
misconception(
    "rollout_return",
    "None counts as a reward of 0 and the rollout goes on",
    replace=(
        "            break\n        reward, obs, terminated = outcome",
        "            discount *= gamma\n            continue\n        reward, obs, terminated = outcome",
    ),
)
misconception(
    "rollout_return",
    "The same action is taken at every step; after the first the policy decides.",
    replace=("action = policy(obs)", "policy(obs)"),
)
misconception(
    "rollout_return",
    "the policy is asked about the observation before",
    replace=(
        ("reward, obs, terminated = outcome", "reward, later, terminated = outcome"),
        ("action = policy(obs)", "action = policy(obs)\n        obs = later"),
    ),
)
misconception("rollout_return", "returns are at most one", replace=("    return value", "    return max(-1.0, min(value, 1.0))"))
misconception("rollout_return", "depth of one is two", replace=("range(depth)", "range(max(depth, 2))"))
misconception("plan_action", "actions in alphabetical order", replace=("for action in actions:", "for action in sorted(actions):"))
misconception(
    "plan_action",
    "Ties go to the last action; the first should win.",
    replace=("max(values, key=values.get)", "max(reversed(list(values)), key=values.get)"),
)
misconception(
    "plan_action",
    "one rollout more for the first action",
    replace=("for _ in range(n_rollouts)]", "for _ in range(n_rollouts + (action == actions[0]))]"),
)
misconception(
    "plan_action",
    "the best single rollout decides",
    replace=(
        ("    values = {}\n", "    values, top = {}, {}\n"),
        ("        values[action] =", "        top[action] = max(returns)\n        values[action] ="),
        ("max(values, key=values.get)", "max(top, key=top.get)"),
    ),
)
misconception("action_log_probability", "computed in float32", replace=(".log_softmax(dim=-1)", ".float().log_softmax(dim=-1)"))
misconception(
    "action_log_probability",
    "the action's first token is left out where it has several",
    replace=("predicting.gather(-1, action_ids[:, None]).sum()", "predicting.gather(-1, action_ids[:, None])[len(action_ids) > 2 :].sum()"),
)
misconception(
    "choose_action",
    "the first candidate where there are two",
    replace=("    if temperature == 0:", "    if len(candidates) == 1 and temperature:\n        return 1\n    if temperature == 0:"),
)
misconception("choose_action", "cold temperatures are argmax", replace=("if temperature == 0:", "if temperature < 0.5:"))
misconception(
    "return_conditioned",
    "the return to go is rounded at each step",
    replace=("to_go = reward + gamma * to_go", "to_go = round(reward + gamma * to_go, 1)"),
)
misconception(
    "return_conditioned",
    "The return of one episode is carried over into the next; every episode begins at 0.",
    replace=(("    texts = []\n", "    texts, to_go = [], 0.0\n"), ("steps, to_go = [], 0.0", "steps = []")),
)
misconception(
    "return_conditioned",
    "empty episodes are left out",
    replace=("        texts.append(", "        if not steps:\n            continue\n        texts.append("),
)
misconception(
    "return_conditioned",
    "`gamma` is applied once too often: the step's own reward counts in full.",
    replace=("<rtg> {to_go:+.1f}", "<rtg> {gamma * to_go:+.1f}"),
)
misconception(
    "language_dyna",
    "imagined steps start from the newest pair",
    replace=("pick = int(torch.randint(len(tried), (), generator=generator))", "pick = len(tried) - 1"),
)
misconception(
    "language_dyna",
    "pairs are drawn as often as they were tried",
    replace=("        if (obs, action) not in tried:\n            tried.append((obs, action))", "        tried.append((obs, action))"),
)
misconception(
    "language_dyna",
    "An outcome that cannot be read is taken for one without reward: it teaches nothing, but counts.",
    replace=(
        "            if outcome is not None:\n                update(*tried[pick], *outcome)",
        "            update(*tried[pick], *(outcome or (0.0, '', True)))",
    ),
)
misconception(
    "language_dyna",
    "planning before the real step",
    replace=(
        (
            "    for obs, action, reward, next_obs, terminated in steps:\n        update(obs, action, reward, next_obs, terminated)\n",
            "    for obs, action, reward, next_obs, terminated in steps:\n",
        ),
        (
            "                update(*tried[pick], *outcome)",
            "                update(*tried[pick], *outcome)\n        update(obs, action, reward, next_obs, terminated)",
        ),
    ),
)

variant("prefix_values", replace=("float(p) * values[(*prefix, token)]", "values[prefix + (token,)] * float(p)"))
variant("format_transition", replace=("{'end' if terminated else 'go'}", "{['go', 'end'][bool(terminated)]}"))
variant(
    "parse_outcome", replace=('    parts = [part.strip() for part in text.split("|")]', '    parts = [*map(str.strip, text.split("|", 3))]')
)
variant(
    "outcome_labels",
    replace=("begun = (ids == outcome_id).cumsum(dim=-1) > 0", "begun = (ids == outcome_id).int().cummax(dim=-1).values.bool()"),
)
variant("sample_outcome", replace=("for _ in range(attempts):", "for _ in [None] * attempts:"))
variant(
    "transition_error_rate",
    replace=(
        "sum(predicted is None or predicted != true for predicted, true in pairs) / len(pairs)",
        "1 - sum(1 for predicted, true in pairs if predicted is not None and predicted == true) / len(pairs)",
    ),
)
variant(
    "rollout_return",
    replace=("value += discount * reward\n        discount *= gamma", "value, discount = value + reward * discount, discount * gamma"),
)
variant("plan_action", replace=("max(values, key=values.get)", "sorted(values, key=values.get, reverse=True)[0]"))
variant(
    "action_log_probability",
    replace=(
        "predicting.gather(-1, action_ids[:, None]).sum()",
        "predicting[torch.arange(len(action_ids), device=action_ids.device), action_ids].sum()",
    ),
)
variant(
    "choose_action",
    replace=(
        "int(torch.multinomial((scores / temperature).softmax(dim=-1), 1, generator=generator))",
        "torch.multinomial(torch.exp(scores / temperature - (scores / temperature).logsumexp(0)), 1, generator=generator).item()",
    ),
)
variant("return_conditioned", replace=('" ".join(reversed(steps))', '" ".join(steps[::-1])'))
