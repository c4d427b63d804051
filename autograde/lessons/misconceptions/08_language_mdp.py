"""Wrong answers to lesson 08, each with the sentence its author should read, and unusual right ones."""

import itertools
import math
import re

import torch

from autograde.authoring.strength.mutation import misconception, variant

# 1 · format_transition


@misconception("format_transition", "The reward lacks its sign: a gain is written with a plus, as +0.9.")
def unsigned(obs, action, reward, next_obs, terminated):
    return f"<obs> {obs} <act> {action} <out> {reward:.1f} | {next_obs} | {'end' if terminated else 'go'}"


@misconception("format_transition", "`end` and `go` are swapped: the last step of an episode says end.")
def swapped_flags(obs, action, reward, next_obs, terminated):
    return f"<obs> {obs} <act> {action} <out> {reward:+.1f} | {next_obs} | {'go' if terminated else 'end'}"


@misconception("format_transition", "The outcome comes in the order reward, next observation, end or go.")
def observation_first(obs, action, reward, next_obs, terminated):
    return f"<obs> {obs} <act> {action} <out> {next_obs} | {reward:+.1f} | {'end' if terminated else 'go'}"


@misconception("format_transition", "The second observation is the one before the action: the outcome must hold next_obs.")
def same_observation(obs, action, reward, next_obs, terminated):
    return f"<obs> {obs} <act> {action} <out> {reward:+.1f} | {obs} | {'end' if terminated else 'go'}"


@misconception("format_transition", "The flag is written as True or False; the form asks for the words end and go.")
def python_flag(obs, action, reward, next_obs, terminated):
    return f"<obs> {obs} <act> {action} <out> {reward:+.1f} | {next_obs} | {terminated}"


@misconception("format_transition", "The line ends with a line break, which belongs to the file and not to the line.")
def with_newline(obs, action, reward, next_obs, terminated):
    return f"<obs> {obs} <act> {action} <out> {reward:+.1f} | {next_obs} | {'end' if terminated else 'go'}\n"


@variant("format_transition")
def by_pieces(obs, action, reward, next_obs, terminated):
    flag = ["go", "end"][bool(terminated)]
    return "<obs> " + obs + " <act> " + action + " <out> " + " | ".join([format(reward, "+.1f"), next_obs, flag])


# 2 · parse_outcome


def parts_of(text):
    return [part.strip() for part in text.split("|")]


@misconception(
    "parse_outcome", "A malformed text raises an exception here; a model writes such texts all the time, and they must give None."
)
def crashes(text):
    reward, obs, flag = parts_of(text)
    return float(reward), obs, {"end": True, "go": False}[flag]


@misconception("parse_outcome", "Any last word but end is taken for go: what is neither of the two is malformed and gives None.")
def anything_goes_on(text):
    try:
        reward, obs, flag = parts_of(text)
        return float(reward), obs, flag == "end"
    except ValueError:
        return None


@misconception("parse_outcome", "The flag only has to begin with end or go here: 'go away' is malformed.")
def prefix_flag(text):
    found = re.match(r"\s*([+-]\d+\.\d) \| (.+) \| (end|go)", text)
    return (float(found[1]), found[2], found[3] == "end") if found else None


@misconception("parse_outcome", "`float` also reads nan and inf; a reward that is no number must give None.")
def not_a_number(text):
    try:
        reward, obs, flag = parts_of(text)
        return (float(reward), obs, flag == "end") if flag in ("end", "go") else None
    except ValueError:
        return None


@misconception("parse_outcome", "The result is terminated=True for go; it should be True for end.")
def goes_means_ended(text):
    good = right_outcome(text)
    return good and (good[0], good[1], not good[2])


@misconception("parse_outcome", "The reward is still text: make a number of it.")
def textual_reward(text):
    good = right_outcome(text)
    return good and (f"{good[0]:+.1f}", *good[1:])


@misconception("parse_outcome", "The reward lost its sign.")
def without_sign(text):
    good = right_outcome(text)
    return good and (abs(good[0]), *good[1:])


@misconception("parse_outcome", "The spaces around the bars are still part of the observation.")
def unstripped(text):
    good = right_outcome(text)
    return good and (good[0], f" {good[1]} ", good[2])


@misconception("parse_outcome", "A malformed text gives a made-up outcome; the caller can only know by None that nothing could be read.")
def made_up(text):
    return right_outcome(text) or (0.0, "", True)


@misconception("parse_outcome", "The observation is looked through for the word end; only the last part says whether the episode ended.")
def end_anywhere(text):
    good = right_outcome(text)
    return good and (good[0], good[1], "end" in text.split())


def right_outcome(text):
    found = re.fullmatch(r"\s*([+-]\d+\.\d) \| ([^|\s][^|]*) \| (end|go)\s*", text)
    return (float(found[1]), found[2], found[3] == "end") if found else None


variant("parse_outcome")(right_outcome)


@variant("parse_outcome")
def by_hand(text):
    pieces = [piece.strip() for piece in text.split("|")]
    if len(pieces) != 3 or pieces[1] == "" or pieces[2] not in ("go", "end") or not pieces[0].lstrip("+-").replace(".", "", 1).isdigit():
        return None
    try:
        return float(pieces[0]), pieces[1], pieces[2] == "end"
    except ValueError:
        return None


# 3 · outcome_labels


def labelled(ids, keep, ignore_index):
    labels = torch.full_like(ids, ignore_index)
    labels[..., :-1] = torch.where(keep[..., :-1], ids[..., 1:], labels[..., :-1])
    return labels


@misconception("outcome_labels", "The labels are not shifted: the label of a position is the token that comes after it.")
def unshifted(ids, outcome_id, ignore_index=-100):
    started = (ids == outcome_id).cumsum(-1) > 0
    return torch.where(started, ids, ignore_index)


@misconception("outcome_labels", "This begins after the mark: the mark's own position predicts the outcome's first token, the reward.")
def begins_late(ids, outcome_id, ignore_index=-100):
    mark = ids == outcome_id
    return labelled(ids, (mark.cumsum(-1) > 0) & ~mark, ignore_index)


@misconception("outcome_labels", "This begins before the mark, so the model also learns to predict the mark itself.")
def begins_early(ids, outcome_id, ignore_index=-100):
    started = (ids == outcome_id).cumsum(-1) > 0
    return labelled(ids, torch.cat([started[..., 1:], started[..., -1:]], -1), ignore_index)


@misconception("outcome_labels", "This learns the whole line: positions before the mark must be ignored.")
def everything(ids, outcome_id, ignore_index=-100):
    return labelled(ids, torch.ones_like(ids, dtype=torch.bool), ignore_index)


@misconception("outcome_labels", "Where there is no mark everything is ignored; here such texts are learned whole.")
def no_mark_learns_all(ids, outcome_id, ignore_index=-100):
    mark = ids == outcome_id
    return labelled(ids, (mark.cumsum(-1) > 0) | ~mark.any(-1, keepdim=True), ignore_index)


@misconception("outcome_labels", "The last of several marks is taken: the outcome begins at the first.")
def last_mark(ids, outcome_id, ignore_index=-100):
    mark = ids == outcome_id
    seen = mark.cumsum(-1)
    return labelled(ids, (seen == seen[..., -1:]) & (seen > 0), ignore_index)


@misconception("outcome_labels", "All texts begin at the same place here: every text of a batch has its own first mark.")
def one_place_for_all(ids, outcome_id, ignore_index=-100):
    started = (ids == outcome_id).reshape(-1, ids.shape[-1]).any(0).cumsum(0) > 0
    return labelled(ids, started.expand_as(ids), ignore_index)


@misconception("outcome_labels", "The last position's label wraps around to the first token; nothing follows it, so it is ignored.")
def rolled(ids, outcome_id, ignore_index=-100):
    started = (ids == outcome_id).cumsum(-1) > 0
    return torch.where(started, ids.roll(-1, -1), ignore_index)


@misconception("outcome_labels", "−100 is written into the code: use the given ignore_index.")
def fixed_index(ids, outcome_id, ignore_index=-100):
    return labelled(ids, (ids == outcome_id).cumsum(-1) > 0, -100)


@misconception("outcome_labels", "The given ids are changed in place; build a new tensor.")
def in_place(ids, outcome_id, ignore_index=-100):
    started = (ids == outcome_id).cumsum(-1) > 0
    ids[..., :-1] = ids[..., 1:].clone()
    ids[..., -1] = ignore_index
    ids[~started] = ignore_index
    return ids


@variant("outcome_labels")
def by_loops(ids, outcome_id, ignore_index=-100):
    flat = []
    for row in ids.reshape(-1, ids.shape[-1]).tolist():
        start = row.index(outcome_id) if outcome_id in row else len(row)
        flat.append([row[t + 1] if start <= t < len(row) - 1 else ignore_index for t in range(len(row))])
    return torch.tensor(flat, device=ids.device).reshape(ids.shape)


@variant("outcome_labels")
def by_positions(ids, outcome_id, ignore_index=-100):
    n = ids.shape[-1]
    positions = torch.arange(n, device=ids.device)
    first = torch.where(ids == outcome_id, positions, n).amin(-1, keepdim=True)
    following = torch.nn.functional.pad(ids[..., 1:], (0, 1), value=ignore_index)
    return following.masked_fill(positions < first, ignore_index)


# 4 · action_log_probability


def token_log_probabilities(model, prompt, action, shift=-1):
    ids = torch.cat([prompt, action])
    logs = model(ids[None])[0][0].log_softmax(-1)
    at = torch.arange(len(prompt), len(ids), device=ids.device)
    return logs[at + shift, action]


@misconception(
    "action_log_probability", "This is off by one: the logits at a position predict the next token, not the one that stands there."
)
def off_by_one(model, prompt_ids, action_ids):
    return token_log_probabilities(model, prompt_ids, action_ids, shift=0).sum()


@misconception("action_log_probability", "This is the mean per token; asked for is the sum, the log-probability of the whole action.")
def mean_instead_of_sum(model, prompt_ids, action_ids):
    return token_log_probabilities(model, prompt_ids, action_ids).mean()


@misconception("action_log_probability", "The prompt's tokens are counted too: the prompt is given, only the action is judged.")
def prompt_counted(model, prompt_ids, action_ids):
    return token_log_probabilities(model, prompt_ids[:1], torch.cat([prompt_ids[1:], action_ids])).sum()


@misconception("action_log_probability", "Logits are summed: they are no log-probabilities until log_softmax has normalised them.")
def raw_logits(model, prompt_ids, action_ids):
    ids = torch.cat([prompt_ids, action_ids])
    return model(ids[None])[0][0, len(prompt_ids) - 1 : -1].gather(-1, action_ids[:, None]).sum()


@misconception(
    "action_log_probability", "Every token is judged from the prompt alone: later tokens also depend on the action's earlier ones."
)
def prompt_only(model, prompt_ids, action_ids):
    return model(prompt_ids[None])[0][0, -1].log_softmax(-1)[action_ids].sum()


@misconception("action_log_probability", "Only the action's first token is judged.")
def first_token(model, prompt_ids, action_ids):
    return token_log_probabilities(model, prompt_ids, action_ids)[0]


@misconception("action_log_probability", "Probabilities are summed; the log of a product is the sum of the logs.")
def summed_probabilities(model, prompt_ids, action_ids):
    return token_log_probabilities(model, prompt_ids, action_ids).exp().sum()


@misconception("action_log_probability", "The action is judged without its prompt.")
def without_prompt(model, prompt_ids, action_ids):
    return token_log_probabilities(model, prompt_ids[-1:], action_ids).sum()


@misconception("action_log_probability", "The sign is wrong: this is the loss, minus the log-probability.")
def negative(model, prompt_ids, action_ids):
    return -token_log_probabilities(model, prompt_ids, action_ids).sum()


@misconception("action_log_probability", "The softmax runs over positions instead of over the vocabulary.")
def over_positions(model, prompt_ids, action_ids):
    ids = torch.cat([prompt_ids, action_ids])
    logs = model(ids[None])[0][0].log_softmax(0)
    return logs[len(prompt_ids) - 1 : -1].gather(-1, action_ids[:, None]).sum()


@misconception("action_log_probability", "A tiny probability becomes 0 and its logarithm −∞: use log_softmax, not the log of a softmax.")
def log_of_softmax(model, prompt_ids, action_ids):
    ids = torch.cat([prompt_ids, action_ids])
    chances = model(ids[None])[0][0].softmax(-1)
    return chances[len(prompt_ids) - 1 : -1].gather(-1, action_ids[:, None]).log().sum()


@misconception(
    "action_log_probability",
    "The probabilities are multiplied before the logarithm is taken: of a long action the product is 0. Sum logarithms.",
)
def log_of_product(model, prompt_ids, action_ids):
    return token_log_probabilities(model, prompt_ids, action_ids).exp().prod().log()


@misconception("action_log_probability", "The logits are rounded to float32; the result must have the precision of the model's logits.")
def in_single_precision(model, prompt_ids, action_ids):
    ids = torch.cat([prompt_ids, action_ids])
    logits = model(ids[None])[0]
    logs = logits[0, len(prompt_ids) - 1 : -1].float().log_softmax(-1)
    return logs.gather(-1, action_ids[:, None]).sum().to(logits.dtype)


@variant("action_log_probability")
def token_by_token(model, prompt_ids, action_ids):
    ids, total = prompt_ids, 0.0
    for token in action_ids:
        logits, _ = model(ids[None])
        total = total + logits[0, -1].log_softmax(-1)[token]
        ids = torch.cat([ids, token[None]])
    return total


@variant("action_log_probability")
def by_cross_entropy(model, prompt_ids, action_ids):
    logits, _ = model(torch.cat([prompt_ids, action_ids])[None, :-1])
    return -torch.nn.functional.cross_entropy(logits[0, len(prompt_ids) - 1 :], action_ids, reduction="sum")


# 5 · choose_action


def totals(model, prompt, candidates):
    return torch.stack([token_log_probabilities(model, prompt, c).sum() for c in candidates])


def lengths(candidates):
    return torch.tensor([len(c) for c in candidates])


def draw(scores, generator, temperature):
    if temperature == 0:
        return int(scores.argmax())
    return int(torch.multinomial((scores / temperature).softmax(-1), 1, generator=generator))


@misconception("choose_action", "Whole log-probabilities are compared, so short actions win: divide by the number of the action's tokens.")
def length_bias(model, prompt_ids, candidates, generator, temperature=0.0):
    return draw(totals(model, prompt_ids, candidates), generator, temperature)


@misconception("choose_action", "The prompt's tokens are counted in the length: divide by the action's tokens alone.")
def prompt_length(model, prompt_ids, candidates, generator, temperature=0.0):
    return draw(totals(model, prompt_ids, candidates) / (lengths(candidates) + len(prompt_ids)), generator, temperature)


@misconception("choose_action", "The least likely action is chosen.")
def least_likely(model, prompt_ids, candidates, generator, temperature=0.0):
    return draw(-totals(model, prompt_ids, candidates) / lengths(candidates), generator, temperature)


@misconception("choose_action", "The temperature is ignored: above 0 the action is drawn, not the best one taken.")
def always_greedy(model, prompt_ids, candidates, generator, temperature=0.0):
    return draw(totals(model, prompt_ids, candidates) / lengths(candidates), generator, 0.0)


@misconception("choose_action", "Temperature 0 should always give the likeliest action; here it is drawn.")
def always_drawn(model, prompt_ids, candidates, generator, temperature=0.0):
    return draw(totals(model, prompt_ids, candidates) / lengths(candidates), generator, temperature or 1.0)


@misconception("choose_action", "The scores are multiplied by the temperature: a high temperature should flatten, so divide.")
def multiplied(model, prompt_ids, candidates, generator, temperature=0.0):
    return draw(totals(model, prompt_ids, candidates) / lengths(candidates), generator, 1 / temperature if temperature else 0.0)


@misconception("choose_action", "The softmax is taken of probabilities, which are nearly equal; it belongs to the log-probabilities.")
def softmax_of_probabilities(model, prompt_ids, candidates, generator, temperature=0.0):
    return draw((totals(model, prompt_ids, candidates) / lengths(candidates)).exp(), generator, temperature)


@misconception("choose_action", "The action itself comes back; asked for is its index among the candidates.")
def action_itself(model, prompt_ids, candidates, generator, temperature=0.0):
    return candidates[draw(totals(model, prompt_ids, candidates) / lengths(candidates), generator, temperature)]


@misconception("choose_action", "The draw does not use `generator`, so it cannot be repeated.")
def own_randomness(model, prompt_ids, candidates, generator, temperature=0.0):
    return draw(totals(model, prompt_ids, candidates) / lengths(candidates), None, temperature)


misconception(
    "choose_action",
    "Every draw is made with a generator in its first state, so it is always the same: draw from `generator` itself.",
    replace=("generator=generator))", "generator=torch.Generator(generator.device).manual_seed(generator.initial_seed())))"),
)


@misconception(
    "choose_action",
    "The probabilities of whole actions are computed first; they become 0 for long or unlikely actions, so stay with logarithms.",
)
def by_products(model, prompt_ids, candidates, generator, temperature=0.0):
    chances = totals(model, prompt_ids, candidates).float().exp()
    return draw((chances ** (1 / lengths(candidates))).log(), generator, temperature)


@misconception(
    "choose_action", "exp(score / temperature) becomes 0 for every action at a low temperature; softmax takes the maximum out first."
)
def naive_softmax(model, prompt_ids, candidates, generator, temperature=0.0):
    scores = totals(model, prompt_ids, candidates) / lengths(candidates)
    if temperature == 0:
        return int(scores.argmax())
    weights = (scores / temperature).exp()
    return int(torch.multinomial(weights / weights.sum(), 1, generator=generator))


@misconception("choose_action", "The candidates are put in order of length first, so the index is one in another list.")
def sorts_the_candidates(model, prompt_ids, candidates, generator, temperature=0.0):
    candidates.sort(key=len)
    return draw(totals(model, prompt_ids, candidates) / lengths(candidates), generator, temperature)


@variant("choose_action")
def by_inverse_cdf(model, prompt_ids, candidates, generator, temperature=0.0):
    scores = totals(model, prompt_ids, candidates) / lengths(candidates).to(prompt_ids.device)
    if not temperature:
        return max(range(len(candidates)), key=scores.tolist().__getitem__)
    weights = ((scores - scores.max()) / temperature).exp()
    u = torch.rand((), generator=generator, dtype=weights.dtype, device=weights.device) * weights.sum()
    return min(int((weights.cumsum(0) <= u).sum()), len(candidates) - 1)


@variant("choose_action")
def by_gumbel(model, prompt_ids, candidates, generator, temperature=0.0):
    scores = totals(model, prompt_ids, candidates) / lengths(candidates).to(prompt_ids.device)
    noise = -torch.log(-torch.log(torch.rand(len(candidates), generator=generator, dtype=torch.float64, device=scores.device)))
    return int((scores + temperature * noise).argmax())


# 6 · sample_outcome


def tried(generate, prompt, attempts):
    for _ in range(attempts):
        outcome = right_outcome(generate(prompt))
        if outcome is not None:
            return outcome
    return None


@misconception("sample_outcome", "The prompt lacks `<out>`: the model is asked for the outcome, which begins after this mark.")
def prompt_without_mark(generate, obs, action, attempts=3):
    return tried(generate, f"<obs> {obs} <act> {action}", attempts)


@misconception("sample_outcome", "The prompt lacks the action, so the model imagines what happens whatever you do.")
def prompt_without_action(generate, obs, action, attempts=3):
    return tried(generate, f"<obs> {obs} <out>", attempts)


@misconception("sample_outcome", "It gives up after the first malformed outcome.")
def one_attempt(generate, obs, action, attempts=3):
    return tried(generate, f"<obs> {obs} <act> {action} <out>", 1)


@misconception("sample_outcome", "This tries once more than `attempts` allows.")
def one_too_many(generate, obs, action, attempts=3):
    return tried(generate, f"<obs> {obs} <act> {action} <out>", attempts + 1)


@misconception("sample_outcome", "`attempts` is ignored: three is only its default.")
def always_three(generate, obs, action, attempts=3):
    return tried(generate, f"<obs> {obs} <act> {action} <out>", 3)


@misconception("sample_outcome", "After failing, an outcome is made up; the planner must be told by None that the model had no answer.")
def stays_put(generate, obs, action, attempts=3):
    return tried(generate, f"<obs> {obs} <act> {action} <out>", attempts) or (0.0, obs, False)


@misconception("sample_outcome", "All attempts are made even after a good one, and the last good one is taken.")
def last_good(generate, obs, action, attempts=3):
    outcomes = [right_outcome(generate(f"<obs> {obs} <act> {action} <out>")) for _ in range(attempts)]
    return next((o for o in reversed(outcomes) if o), None)


@misconception("sample_outcome", "The malformed text is appended to the prompt of the next attempt; each attempt starts anew.")
def growing_prompt(generate, obs, action, attempts=3):
    prompt = f"<obs> {obs} <act> {action} <out>"
    for _ in range(attempts):
        text = generate(prompt)
        if right_outcome(text):
            return right_outcome(text)
        prompt += text
    return None


@misconception("sample_outcome", "This asks at least once, also where no attempt is allowed.")
def asks_at_least_once(generate, obs, action, attempts=3):
    return tried(generate, f"<obs> {obs} <act> {action} <out>", max(1, attempts))


@misconception("sample_outcome", "This asks until an outcome can be read; after `attempts` malformed ones it must give up with None.")
def never_gives_up(generate, obs, action, attempts=3):
    while True:
        if (outcome := right_outcome(generate(f"<obs> {obs} <act> {action} <out>"))) is not None:
            return outcome


@variant("sample_outcome")
def with_trailing_space(generate, obs, action, attempts=3):
    return tried(generate, f"<obs> {obs} <act> {action} <out> ", attempts)


@variant("sample_outcome")
def lazily(generate, obs, action, attempts=3):
    texts = (generate("<obs> " + obs + " <act> " + action + " <out>") for _ in range(attempts))
    return next((o for o in map(right_outcome, texts) if o is not None), None)


# 7 · rollout_return


def right_return(sample, policy, obs, action, depth, gamma, value=0.0, discount=1.0):
    for _ in range(depth):
        outcome = sample(obs, action)
        if outcome is None:
            break
        reward, obs, terminated = outcome
        value, discount = value + discount * reward, discount * gamma
        if terminated:
            break
        action = policy(obs)
    return value


@misconception("rollout_return", "The rollout goes on after the episode has ended; nothing is collected after a terminated step.",
               replace=("        if terminated:\n            break\n", ""))  # fmt: skip
@misconception("rollout_return", "The rewards are not discounted.", replace=("discount *= gamma", "discount *= 1.0"))
@misconception(
    "rollout_return",
    "The first reward is discounted already: γ to the power 0 is 1.",
    replace=("discount = 0.0, 1.0", "discount = 0.0, gamma"),
)
@misconception(
    "rollout_return",
    "The first action comes from the policy; `action` is taken first.",
    replace=("for _ in range(depth):", "action = policy(obs)\n    for _ in range(depth):"),
)
@misconception(
    "rollout_return",
    "The same action is taken at every step; after the first the policy decides.",
    replace=("action = policy(obs)", "pass"),
)
@misconception("rollout_return", "This looks one step further than `depth`.", replace=("range(depth)", "range(depth + 1)"))
@misconception(
    "rollout_return",
    "This makes one step too few: the first action counts among the `depth` steps.",
    replace=("range(depth)", "range(depth - 1)"),
)
@misconception("rollout_return", "The reward of the step that ends the episode is lost.",
               replace=("        value += discount * reward\n        discount *= gamma\n        if terminated:\n            break\n",
                        "        if terminated:\n            break\n        value += discount * reward\n        discount *= gamma\n"))  # fmt: skip
@misconception(
    "rollout_return",
    "A None outcome crashes the rollout; it should end it.",
    replace=("        if outcome is None:\n            break\n", ""),
)
@misconception(
    "rollout_return",
    "A None outcome throws away what was collected before it.",
    replace=("if outcome is None:\n            break", "if outcome is None:\n            return 0.0"),
)
@misconception(
    "rollout_return",
    "A None outcome is skipped and the rollout goes on; it should end it.",
    replace=("if outcome is None:\n            break", "if outcome is None:\n            action = policy(obs)\n            continue"),
)
@misconception(
    "rollout_return",
    "The observation never changes: the policy must see the imagined one.",
    replace=("reward, obs, terminated", "reward, _, terminated"),
)
def _registered():
    """Twelve edits of the reference answer."""


@variant("rollout_return")
def recursively(sample, policy, obs, action, depth, gamma):
    outcome = sample(obs, action) if depth > 0 else None
    if outcome is None:
        return 0.0
    reward, after, terminated = outcome
    return reward if terminated else reward + gamma * recursively(sample, policy, after, policy(after), depth - 1, gamma)


@variant("rollout_return")
def backwards(sample, policy, obs, action, depth, gamma):
    rewards = []
    while len(rewards) < depth and (outcome := sample(obs, action)) is not None:
        reward, obs, done = outcome
        rewards.append(reward)
        if done:
            break
        if len(rewards) < depth:
            action = policy(obs)
    total = 0.0
    for reward in reversed(rewards):
        total = reward + gamma * total
    return total


# 8 · plan_action


def planned(sample, policy, obs, actions, n_rollouts, depth, gamma, mean=None, pick=max):
    values = {}
    for a in actions:
        returns = [right_return(sample, policy, obs, a, depth, gamma) for _ in range(n_rollouts)]
        values[a] = sum(returns) / len(returns) if mean is None else mean(returns)
    return pick(values, key=values.get), values


@misconception("plan_action", "The returns are summed; the value is their mean.")
def summed(sample, policy, obs, actions, n_rollouts, depth, gamma):
    return planned(sample, policy, obs, actions, n_rollouts, depth, gamma, mean=sum)


@misconception("plan_action", "The best rollout counts; luck is no value, take the mean.")
def luckiest(sample, policy, obs, actions, n_rollouts, depth, gamma):
    return planned(sample, policy, obs, actions, n_rollouts, depth, gamma, mean=max)


@misconception("plan_action", "The worst action is chosen.")
def worst(sample, policy, obs, actions, n_rollouts, depth, gamma):
    return planned(sample, policy, obs, actions, n_rollouts, depth, gamma, pick=min)


@misconception("plan_action", "Ties go to the last action; the first should win.")
def last_of_ties(sample, policy, obs, actions, n_rollouts, depth, gamma):
    _, values = planned(sample, policy, obs, actions, n_rollouts, depth, gamma)
    return max(reversed(actions), key=values.get), values


@misconception("plan_action", "Each action gets one rollout only.")
def single(sample, policy, obs, actions, n_rollouts, depth, gamma):
    return planned(sample, policy, obs, actions, 1, depth, gamma)


@misconception("plan_action", "The rollouts are shared out among the actions; every action gets `n_rollouts` of them.")
def shared_out(sample, policy, obs, actions, n_rollouts, depth, gamma):
    return planned(sample, policy, obs, actions, max(1, n_rollouts // len(actions)), depth, gamma)


@misconception("plan_action", "The best value comes back first; asked for is the best action.")
def value_first(sample, policy, obs, actions, n_rollouts, depth, gamma):
    _, values = planned(sample, policy, obs, actions, n_rollouts, depth, gamma)
    return max(values.values()), values


@misconception("plan_action", "Only actions with a positive value can win here; the best may still be a loss.")
def positive_only(sample, policy, obs, actions, n_rollouts, depth, gamma):
    _, values = planned(sample, policy, obs, actions, n_rollouts, depth, gamma)
    best, top = actions[0], 0.0
    for a in actions:
        if values[a] > top:
            best, top = a, values[a]
    return best, values


@misconception("plan_action", "The immediate reward alone is compared; use whole rollouts.")
def greedy_reward(sample, policy, obs, actions, n_rollouts, depth, gamma):
    return planned(sample, policy, obs, actions, n_rollouts, 1, gamma)


@misconception("plan_action", "The given list of actions is emptied; the caller still needs it.")
def empties_the_list(sample, policy, obs, actions, n_rollouts, depth, gamma):
    values, order = {}, list(actions)
    while actions:
        action = actions.pop(0)
        values[action] = sum(right_return(sample, policy, obs, action, depth, gamma) for _ in range(n_rollouts)) / n_rollouts
    return max(order, key=values.get), values


@misconception("plan_action", "Each action gets one rollout only.")
def one_rollout_repeated(sample, policy, obs, actions, n_rollouts, depth, gamma):
    values = {a: n_rollouts * right_return(sample, policy, obs, a, depth, gamma) / n_rollouts for a in actions}
    return max(values, key=values.get), values


@variant("plan_action")
def round_robin(sample, policy, obs, actions, n_rollouts, depth, gamma):
    values = dict.fromkeys(actions, 0.0)
    for _, a in itertools.product(range(n_rollouts), actions):
        values[a] += right_return(sample, policy, obs, a, depth, gamma) / n_rollouts
    best = actions[0]
    for a in actions[1:]:
        best = a if values[a] > values[best] + 1e-12 else best
    return best, values


@variant("plan_action")
def with_tensors(sample, policy, obs, actions, n_rollouts, depth, gamma):
    returns = torch.tensor(
        [[right_return(sample, policy, obs, a, depth, gamma) for _ in range(n_rollouts)] for a in actions], dtype=torch.float64
    )
    values = dict(zip(actions, returns.mean(1).tolist()))
    return max(actions, key=lambda a: values[a]), values


# 9 · transition_error_rate


@misconception("transition_error_rate", "This is the share of right outcomes; asked for is the share of errors.")
def accuracy(pairs):
    return sum(p == t for p, t in pairs) / len(pairs)


@misconception("transition_error_rate", "Unreadable outcomes are left out; a None is an error too.")
def without_none(pairs):
    readable = [(p, t) for p, t in pairs if p is not None]
    return sum(p != t for p, t in readable) / max(1, len(readable))


@misconception("transition_error_rate", "A None counts as no error.")
def none_is_fine(pairs):
    return sum(p is not None and p != t for p, t in pairs) / len(pairs)


@misconception("transition_error_rate", "Only the observations are compared; reward and end belong to the outcome too.")
def observations_only(pairs):
    return sum(p is None or p[1] != t[1] for p, t in pairs) / len(pairs)


@misconception("transition_error_rate", "Whether the episode ended is not compared.")
def without_the_end(pairs):
    return sum(p is None or p[:2] != t[:2] for p, t in pairs) / len(pairs)


@misconception("transition_error_rate", "The rewards are not compared.")
def without_the_reward(pairs):
    return sum(p is None or p[1:] != t[1:] for p, t in pairs) / len(pairs)


@misconception("transition_error_rate", "Behind an end the observation is not compared; it belongs to the outcome there, too.")
def without_the_last_observation(pairs):
    return sum(p is None or (p[0], p[2]) != (t[0], t[2]) or (p[1] != t[1] and not t[2]) for p, t in pairs) / len(pairs)


@misconception("transition_error_rate", "This is a number of errors; asked for is their share.")
def error_count(pairs):
    return float(sum(p != t for p, t in pairs))


@variant("transition_error_rate")
def by_mean(pairs):
    return torch.tensor([float(p is None or tuple(p) != tuple(t)) for p, t in pairs], dtype=torch.float64).mean().item()


# 10 · prefix_values


def enumerated(vocabulary, horizon, reward, policy, combine=None, state=lambda prefix: prefix, early=None):
    values = {text: float(reward(text)) for text in itertools.product(vocabulary, repeat=horizon)}
    for n in reversed(range(horizon)):
        for prefix in itertools.product(vocabulary, repeat=n):
            after = [values[(*prefix, w)] for w in vocabulary]
            chances = [float(p) for p in policy(state(prefix))]
            values[prefix] = sum(p * v for p, v in zip(chances, after)) if combine is None else combine(after)
            if early:
                values[prefix] += early(prefix)
    return values


@misconception("prefix_values", "The state is the last token only: a text's state is everything written so far.")
def last_token_state(vocabulary, horizon, reward, policy):
    return enumerated(vocabulary, horizon, reward, policy, state=lambda prefix: prefix[-1:])


@misconception("prefix_values", "The best next token is taken; V^π is the mean under the policy.")
def optimal(vocabulary, horizon, reward, policy):
    return enumerated(vocabulary, horizon, reward, policy, combine=max)


@misconception("prefix_values", "All next tokens count the same; weigh them with the policy's probabilities.")
def uniform(vocabulary, horizon, reward, policy):
    return enumerated(vocabulary, horizon, reward, policy, combine=lambda after: sum(after) / len(after))


@misconception("prefix_values", "The values are summed without weights.")
def unweighted(vocabulary, horizon, reward, policy):
    return enumerated(vocabulary, horizon, reward, policy, combine=sum)


@misconception("prefix_values", "Unfinished texts are rewarded too: the reward comes once, at the horizon.")
def reward_on_the_way(vocabulary, horizon, reward, policy):
    return enumerated(vocabulary, horizon, reward, policy, early=lambda prefix: reward(prefix) if prefix else 0.0)


@misconception("prefix_values", "The empty text () has no value here; it is the state in which every text begins.")
def without_the_root(vocabulary, horizon, reward, policy):
    values = enumerated(vocabulary, horizon, reward, policy)
    return {k: v for k, v in values.items() if k}


@misconception("prefix_values", "The policy is only asked at the start; its probabilities depend on what is written so far.")
def fixed_policy(vocabulary, horizon, reward, policy):
    return enumerated(vocabulary, horizon, reward, policy, state=lambda prefix: ())


@misconception("prefix_values", "A prefix is credited with the chance of being written at all: its value is what follows once it is there.")
def reached(vocabulary, horizon, reward, policy):
    values = enumerated(vocabulary, horizon, reward, policy)

    def chance(prefix):
        total = 1.0
        for i, w in enumerate(prefix):
            total *= float(policy(prefix[:i])[list(vocabulary).index(w)])
        return total

    return {k: v * chance(k) for k, v in values.items()}


@misconception("prefix_values", "The keys are strings; a prefix is a tuple of tokens.")
def string_keys(vocabulary, horizon, reward, policy):
    return {" ".join(k): v for k, v in enumerated(vocabulary, horizon, reward, policy).items()}


@misconception("prefix_values", "The words are put in front of the text instead of at its end.")
def reversed_texts(vocabulary, horizon, reward, policy):
    return enumerated(vocabulary, horizon, lambda text: reward(text[::-1]), policy)


@variant("prefix_values")
def depth_first(vocabulary, horizon, reward, policy):
    values = {}

    def visit(prefix):
        if len(prefix) == horizon:
            values[prefix] = float(reward(prefix))
        else:
            values[prefix] = sum(float(p) * visit((*prefix, w)) for w, p in zip(vocabulary, policy(prefix)))
        return values[prefix]

    visit(())
    return values


@misconception("prefix_values", "The full texts have no value here; the value of a full text is its reward.")
def without_full_texts(vocabulary, horizon, reward, policy):
    return {k: v for k, v in enumerated(vocabulary, horizon, reward, policy).items() if len(k) < horizon}


# 11 · return_conditioned


def written(episodes, returns, join=" ", form="+.1f"):
    texts = []
    for episode in episodes:
        listed = returns([r for _, _, r in episode])
        texts.append(join.join(f"<rtg> {g:{form}} <obs> {obs} <act> {action}" for g, (obs, action, _) in zip(listed, episode)))
    return texts


def to_go(rewards, gamma=1.0):
    totals, ahead = [], 0.0
    for r in reversed(rewards):
        ahead = r + gamma * ahead
        totals.append(ahead)
    return totals[::-1]


@misconception("return_conditioned", "The step's own reward stands here; asked for is the return to go, the sum from this step to the end.")
def own_reward(episodes, gamma=1.0):
    return written(episodes, lambda rewards: rewards)


@misconception("return_conditioned", "This is what was collected so far; the return to go looks forward.")
def collected_so_far(episodes, gamma=1.0):
    return written(episodes, lambda rewards: to_go(rewards[::-1], gamma)[::-1])


@misconception("return_conditioned", "The step's own reward is missing from its return to go.")
def own_reward_missing(episodes, gamma=1.0):
    return written(episodes, lambda rewards: [*to_go(rewards, gamma)[1:], 0.0])


@misconception("return_conditioned", "The rewards to come are not discounted by γ.")
def undiscounted(episodes, gamma=1.0):
    return written(episodes, to_go)


@misconception("return_conditioned", "Discounting starts at the episode's first step; a return to go counts from its own step.")
def absolute_discount(episodes, gamma=1.0):
    return written(episodes, lambda rewards: to_go([r * gamma**t for t, r in enumerate(rewards)]))


@misconception("return_conditioned", "The whole episode's return stands before every step; count from the step on.")
def same_return(episodes, gamma=1.0):
    return written(episodes, lambda rewards: [to_go(rewards, gamma)[0]] * len(rewards) if rewards else [])


@misconception("return_conditioned", "The steps are joined by line breaks; use a space.")
def line_by_line(episodes, gamma=1.0):
    return written(episodes, lambda rewards: to_go(rewards, gamma), join="\n")


@misconception("return_conditioned", "The return lacks its sign: a gain is written with a plus.")
def unsigned_return(episodes, gamma=1.0):
    return written(episodes, lambda rewards: to_go(rewards, gamma), form=".1f")


@misconception("return_conditioned", "Every step is a text of its own; each episode is one text.")
def step_texts(episodes, gamma=1.0):
    return [text for e in episodes for text in written([e], lambda rewards: to_go(rewards, gamma))[0].split(" <rtg>")]


@misconception("return_conditioned", "The given episodes are turned round in place; the caller finds them backwards.")
def turned_round(episodes, gamma=1.0):
    texts = []
    for episode in episodes:
        episode.reverse()
        listed = to_go([r for _, _, r in reversed(episode)], gamma)
        texts.append(" ".join(f"<rtg> {g:+.1f} <obs> {o} <act> {a}" for g, (o, a, _) in zip(listed, reversed(episode))))
    return texts


@misconception("return_conditioned", "`gamma` is applied once too often: the step's own reward counts in full.")
def own_reward_discounted(episodes, gamma=1.0):
    return written(episodes, lambda rewards: [gamma * g for g in to_go(rewards, gamma)])


@variant("return_conditioned")
def by_definition(episodes, gamma=1.0):
    def definition(rewards):
        return [sum(gamma**k * r for k, r in enumerate(rewards[t:])) for t in range(len(rewards))]

    return written(episodes, definition)


# stretch · language_dyna


@misconception("language_dyna", "The target bootstraps after a terminated step; nothing comes after the end.",
               replace=("0.0 if terminated else ", ""))  # fmt: skip
@misconception("language_dyna", "Imagined steps come from the remembered outcome; they should come from the model, `sample`.",
               replace=("outcome = sample(*tried[pick])", "outcome = (reward, next_obs, terminated)"))  # fmt: skip
@misconception("language_dyna", "γ is missing from the target.", replace=("gamma * best", "best"))
@misconception("language_dyna", "The old value is not subtracted: α moves the entry part of the way to the target.",
               replace=("reward + gamma * best - old", "reward + gamma * best"))  # fmt: skip
@misconception(
    "language_dyna",
    "The entry becomes the target: α moves it part of the way.",
    replace=("old + alpha * (reward + gamma * best - old)", "reward + gamma * best"),
)
@misconception("language_dyna", "The value of the next observation is that of the same action: it is that of the best.",
               replace=("max(q.get((next_obs, a), 0.0) for a in actions(next_obs))", "q.get((next_obs, action), 0.0)"))  # fmt: skip
@misconception("language_dyna", "The best action is looked for among those of the old observation: it is the next one's.",
               replace=("max(q.get((next_obs, a), 0.0) for a in actions(next_obs))", "max(q.get((obs, a), 0.0) for a in actions(obs))"))  # fmt: skip
@misconception("language_dyna", "Only actions that were tried are looked at: values not in the dict are 0.",
               replace=("max(q.get((next_obs, a), 0.0) for a in actions(next_obs))",
                        "max((q[next_obs, a] for a in actions(next_obs) if (next_obs, a) in q), default=0.0)"))  # fmt: skip
@misconception("language_dyna", "Nothing is imagined.", replace=("range(planning_steps)", "range(0)"))
@misconception(
    "language_dyna", "One step more is imagined than `planning_steps`.", replace=("range(planning_steps)", "range(planning_steps + 1)")
)
@misconception("language_dyna", "The real step is not learned from: only imagined ones are.",
               replace=("        update(obs, action, reward, next_obs, terminated)\n        if", "        if"))  # fmt: skip
@misconception("language_dyna", "An outcome that cannot be read is taken for one without reward: it teaches nothing, but counts.",
               replace=("outcome = sample(*tried[pick])", "outcome = sample(*tried[pick]) or (0.0, tried[pick][0], False)"))  # fmt: skip
@misconception("language_dyna", "Pairs are drawn without `generator`, so the result cannot be repeated.",
               replace=("(), generator=generator)", "())"))  # fmt: skip
@misconception("language_dyna", "A pair that was tried often is imagined more often: draw from the different pairs.",
               replace=("        if (obs, action) not in tried:\n            tried.append((obs, action))\n", "        tried.append((obs, action))\n"))  # fmt: skip
@misconception("language_dyna", "Only the pair that was tried last is imagined; draw from all that were tried.",
               replace=("pick = int(torch.randint(len(tried), (), generator=generator))", "pick = len(tried) - 1"))  # fmt: skip
def _registered_too():
    """Six edits of the reference answer."""


# From public code and its issue trackers


misconception(
    "choose_action",
    "The log-probabilities are divided by the root of the length; divide by the length.",
    replace=("/ len(ids)", "/ len(ids) ** 0.5"),
)
misconception(
    "choose_action",
    "Minus the scores are the weights of the draw, so the least likely action is drawn most often: take softmax(score / temperature).",
    replace=("(scores / temperature).softmax(dim=-1)", "-scores / temperature"),
)
misconception(
    "choose_action",
    "The temperature divides probabilities, which changes nothing once they are normalised: divide the scores, before the softmax.",
    replace=("(scores / temperature).softmax(dim=-1)", "scores.softmax(dim=-1) / temperature"),
)
misconception(
    "rollout_return",
    "The discount stays γ after the first step; each step multiplies it by γ.",
    replace=("discount *= gamma", "discount = gamma"),
)
misconception(
    "rollout_return",
    "Early rewards are discounted most; the first counts in full and later ones less.",
    replace=("value += discount * reward\n        discount *= gamma", "value = gamma * value + reward"),
)
misconception(
    "rollout_return",
    "The rollout stops at the first reward; it ends when the episode does.",
    replace=("if terminated:", "if terminated or reward:"),
)
misconception(
    "outcome_labels",
    "Only the token right behind each mark is learned; learn everything from the first mark on.",
    replace=(".cumsum(dim=-1) > 0", ""),
)
misconception(
    "parse_outcome",
    "Parts after the third are overlooked: an outcome has three parts, no more.",
    replace=("len(parts) != 3", "len(parts) < 3"),
)
misconception("parse_outcome", "An empty observation is taken for one: it is malformed.", replace=("or not parts[1] ", ""))
misconception(
    "transition_error_rate",
    "The rewards are rounded before they are compared; 0.52 is not 0.5.",
    replace=("predicted != true", "(round(predicted[0], 1), *predicted[1:]) != (round(true[0], 1), *true[1:])"),
)
misconception(
    "transition_error_rate",
    "Each of the three parts counts a third; an outcome with any error is one error.",
    replace=("predicted is None or predicted != true", "1 if predicted is None else sum(a != b for a, b in zip(predicted, true)) / 3"),
)
misconception(
    "return_conditioned",
    "The return of one episode is carried over into the next; every episode begins at 0.",
    replace=(("texts = []", "texts, to_go = [], 0.0"), ("steps, to_go = [], 0.0", "steps = []")),
)


# stretch · puct_choice
URGE = "urge = c * priors * (1 + visits.sum()).to(priors.dtype).sqrt() / (1 + visits)"
MEAN = "values = totals / visits.clamp(min=1)"

misconception("puct_choice", "The sum of the returns stands in the place of Q; divide it by the visits.", replace=(MEAN, "values = totals"))
misconception(
    "puct_choice", "The sum is divided by 1 + N; Q is the mean over the N visits.", replace=(MEAN, "values = totals / (1 + visits)")
)
misconception(
    "puct_choice",
    "An action without visits is taken at once here (its mean is NaN, or it is tried before the rule is asked); its mean counts as 0.",
    replace=("visits.clamp(min=1)", "visits"),
)
misconception(
    "puct_choice",
    "An action without visits is taken at once here (its mean is NaN, or it is tried before the rule is asked); its mean counts as 0.",
    replace=("return int((values + urge).argmax())", "return int((values + urge).masked_fill(visits == 0, torch.inf).argmax())"),
)
misconception(
    "puct_choice",
    "This is UCT: the logarithm of all visits over an action's own, without the prior.",
    replace=(
        (URGE, "urge = c * ((1 + visits.sum()).to(priors.dtype).log() / visits).sqrt()"),
        ("(values + urge)", "(values + urge).nan_to_num(torch.inf)"),
    ),
)
misconception("puct_choice", "The prior is missing from the second term.", replace=("c * priors * (1", "c * (1"))
misconception(
    "puct_choice",
    "c does not weigh the second term alone: it is missing there, or stands before Q, too.",
    replace=("c * priors * (1", "priors * (1"),
)
misconception(
    "puct_choice",
    "c does not weigh the second term alone: it is missing there, or stands before Q, too.",
    replace=(MEAN, "values = c * totals / visits.clamp(min=1)"),
)
misconception(
    "puct_choice",
    "The root is of the visits without the 1, so at a fresh place the prior says nothing.",
    replace=("(1 + visits.sum())", "visits.sum()"),
)
misconception(
    "puct_choice",
    "At a fresh place the prior counts, later the 1 under the root is missing: it is √(1 + ΣN) at every place.",
    replace=("(1 + visits.sum())", "visits.sum().clamp(min=1)"),
)
misconception(
    "puct_choice",
    "The root is missing: the visits of all actions stand under a square root.",
    replace=(".sqrt() / (1 + visits)", " / (1 + visits)"),
)
misconception(
    "puct_choice",
    "The root covers the whole fraction; only the visits of all actions stand under it.",
    replace=(URGE, "urge = c * priors * ((1 + visits.sum()) / (1 + visits)).to(priors.dtype).sqrt()"),
)
misconception(
    "puct_choice",
    "Under the root stand the action's own visits; it is the sum over all actions.",
    replace=("(1 + visits.sum())", "(1 + visits)"),
)
misconception(
    "puct_choice",
    "The second term is divided by N instead of 1 + N: an action without visits gets an infinite score.",
    replace=(".sqrt() / (1 + visits)", ".sqrt() / visits"),
)
misconception(
    "puct_choice",
    "The second term is taken off; it is added, so that what was seldom tried is tried.",
    replace=("values + urge", "values - urge"),
)
misconception("puct_choice", "The values are left out: only the second term decides.", replace=("(values + urge)", "urge"))
misconception(
    "puct_choice",
    "The second term is left out: this is the best mean so far, and nothing new is tried.",
    replace=("(values + urge)", "values"),
)
misconception(
    "puct_choice",
    "The action with the most visits is taken; that is what the player does when the search is over.",
    replace=("(values + urge)", "visits"),
)
misconception("puct_choice", "The smallest score is taken; it should be the largest.", replace=(".argmax()", ".argmin()"))
misconception(
    "puct_choice",
    "Among equal scores the last is taken; it should be the first.",
    replace=("(values + urge).argmax()", "len(priors) - 1 - (values + urge).flip(0).argmax()"),
)
misconception(
    "puct_choice",
    "A tensor is returned, the largest score or its place; what is wanted is the number of the action as a plain int.",
    replace=("int((values + urge).argmax())", "float((values + urge).max())"),
)
misconception(
    "puct_choice",
    "A tensor is returned, the largest score or its place; what is wanted is the number of the action as a plain int.",
    replace=("int((values + urge).argmax())", "(values + urge).argmax()"),
)
misconception(
    "puct_choice",
    "The choice is drawn at random in proportion to the scores; take the largest.",
    replace=("(values + urge).argmax()", "torch.multinomial((values + urge).softmax(-1), 1)"),
)
misconception(
    "puct_choice", "The logarithm of the prior stands in the place of the prior.", replace=("c * priors * (1", "c * priors.log() * (1")
)
misconception(
    "puct_choice",
    "The node's totals are changed in place; leave them as they are.",
    replace=(MEAN, "values = totals.div_(visits.clamp(min=1))"),
)


@variant("puct_choice")
def puct_in_a_loop(priors, visits, totals, c):
    best, score = 0, -math.inf
    root = math.sqrt(int(visits.sum()) + 1)
    for a in range(len(priors)):
        n = int(visits[a])
        q = float(totals[a]) / n if n > 0 else 0.0
        if q + c * float(priors[a]) * root / (n + 1) > score:
            best, score = a, q + c * float(priors[a]) * root / (n + 1)
    return best


@variant("puct_choice")
def puct_with_where(priors, visits, totals, c):
    mean = torch.where(visits > 0, totals / visits, torch.zeros_like(totals))
    scores = mean + c * priors * torch.sqrt(1.0 + visits.sum(dtype=priors.dtype)) / (visits + 1)
    return scores.tolist().index(scores.max().item())
