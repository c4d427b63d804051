"""Held-out answers to lesson 01, wrong and right: none of them is among the known ones."""

import itertools
import math
import random

import numpy as np
import torch

from autograde.authoring.strength.mutation import misconception, variant
from utils.mdp import TabularModel


@misconception("q_learning_update", "q through numpy float")
def q_through_numpy_float(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    best = float(np.float32(q[next_state].detach().max()))
    new[state, action] += alpha * (reward + (0 if terminated else gamma * best) - q[state, action])
    return new


@misconception("q_learning_update", "q result rounded")
def q_result_rounded(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    t = reward + (0 if terminated else gamma * q[next_state].max())
    new[state, action] = q[state, action] + alpha * (t - q[state, action])
    return (new * 1e6).round() / 1e6


@misconception("q_learning_update", "q done by zero reward")
def q_done_by_zero_reward(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    t = reward + (0 if terminated or next_state == state else gamma * q[next_state].max())
    new[state, action] = q[state, action] + alpha * (t - q[state, action])
    return new


@misconception("q_learning_update", "q mult mask inf")
def q_mult_mask_inf(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q.clone()
    future = gamma * q[next_state].max() * (1 - int(terminated))
    new[state, action] = (1 - alpha) * q[state, action] + alpha * reward + alpha * future if alpha < 1 else reward + future * 0
    return new


@misconception("sarsa_update", "sarsa detached target")
def sarsa_detached_target(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    new = q.clone()
    with torch.no_grad():
        t = reward + (0 if terminated else gamma * q[next_state, next_action])
    new[state, action] = q[state, action] + alpha * (t - q[state, action])
    return new


@misconception("sarsa_update", "sarsa mean")
def sarsa_mean(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    new = q.clone()
    t = reward + (0 if terminated else gamma * q[next_state].mean())
    new[state, action] = q[state, action] + alpha * (t - q[state, action])
    return new


@misconception("discounted_returns", "returns truncated horizon")
def returns_truncated_horizon(rewards, gamma):
    out = torch.zeros_like(rewards)
    for t in range(len(rewards)):
        for k in range(t, min(len(rewards), t + 50)):
            out[t] = out[t] + gamma ** (k - t) * rewards[k]
    return out


@misconception("discounted_returns", "returns float tensor")
def returns_float_tensor(rewards, gamma):
    out, g = [], 0.0
    for r in reversed(rewards.tolist()):
        g = r + gamma * g
        out.append(g)
    return torch.tensor(out[::-1], dtype=rewards.dtype)


@misconception("discounted_returns", "returns reverse input")
def returns_reverse_input(rewards, gamma):
    rewards.copy_(rewards.flip(0))
    out = []
    for r in rewards.unbind():
        out.append(r + gamma * out[-1] if out else r)
    return torch.stack(out[::-1]) if out else rewards


@misconception("discounted_returns", "returns fail on empty")
def returns_fail_on_empty(rewards, gamma):
    out = [rewards[-1]]
    for r in reversed(rewards[:-1].unbind()):
        out.append(r + gamma * out[-1])
    return torch.stack(out[::-1])


@misconception("discounted_returns", "returns zero gamma nan")
def returns_zero_gamma_nan(rewards, gamma):
    n = len(rewards)
    i = torch.arange(n, dtype=rewards.dtype)
    w = torch.exp((i - i[:, None]) * math.log(gamma) if gamma > 0 else (i - i[:, None]) * -math.inf).triu()
    return w @ rewards


@misconception("epsilon_greedy", "isclose ties")
def isclose_ties(q_row, epsilon, generator):
    if torch.rand((), generator=generator) < epsilon:
        return int(torch.randint(len(q_row), (), generator=generator))
    best = torch.isclose(q_row, q_row.max(), atol=1e-3).nonzero().flatten()
    return int(best[torch.randint(len(best), (), generator=generator)])


@misconception("epsilon_greedy", "noise ties")
def noise_ties(q_row, epsilon, generator):
    if torch.rand((), generator=generator) < epsilon:
        return int(torch.randint(len(q_row), (), generator=generator))
    return int((q_row + 1e-2 * torch.rand(len(q_row), generator=generator)).argmax())


@misconception("epsilon_greedy", "nan never ends")
def nan_never_ends(q_row, epsilon, generator):
    while True:
        a = int(torch.randint(len(q_row), (), generator=generator))
        if torch.rand((), generator=generator) < epsilon or q_row[a] > q_row.mean():
            return a


@misconception("epsilon_greedy", "tie first when all equal")
def tie_first_when_all_equal(q_row, epsilon, generator):
    if torch.rand((), generator=generator) < epsilon:
        return int(torch.randint(len(q_row), (), generator=generator))
    best = (q_row == q_row.max()).nonzero().flatten()
    if len(best) == len(q_row):
        return 0
    return int(best[torch.randint(len(best), (), generator=generator)])


@misconception("epsilon_greedy", "global tie")
def global_tie(q_row, epsilon, generator):
    if torch.rand((), generator=generator) < epsilon:
        return int(torch.randint(len(q_row), (), generator=generator))
    best = (q_row == q_row.max()).nonzero().flatten().tolist()
    return random.choice(best)


@misconception("fit_model", "fit float32")
def fit_float32(experience, n_states, n_actions):
    t = torch.zeros(n_states, n_actions, n_states)
    r = torch.zeros(n_states, n_actions)
    for s, a, x, s2 in zip(
        experience.state.tolist(), experience.action.tolist(), experience.reward.tolist(), experience.next_state.tolist()
    ):
        t[s, a, s2] += 1
        r[s, a] += x
    c = t.sum(-1)
    n = c.clamp(min=1)
    end = torch.zeros(n_states, dtype=torch.bool)
    end[experience.next_state[experience.terminated]] = True
    d = experience.reward.dtype
    return TabularModel((t / n[..., None]).to(d), (r / n).to(d), c.to(d), end)


@misconception("fit_model", "fit eps")
def fit_eps(experience, n_states, n_actions):
    d = experience.reward.dtype
    t = torch.zeros(n_states, n_actions, n_states, dtype=d)
    r = torch.zeros(n_states, n_actions, dtype=d)
    for s, a, x, s2 in zip(
        experience.state.tolist(), experience.action.tolist(), experience.reward.tolist(), experience.next_state.tolist()
    ):
        t[s, a, s2] += 1
        r[s, a] += x
    c = t.sum(-1)
    end = torch.zeros(n_states, dtype=torch.bool)
    end[experience.next_state[experience.terminated]] = True
    return TabularModel(t / (c[..., None] + 1e-4), r / (c + 1e-4), c, end)


@misconception("fit_model", "fit unique rewards")
def fit_unique_rewards(experience, n_states, n_actions):
    d = experience.reward.dtype
    t = torch.zeros(n_states, n_actions, n_states, dtype=d)
    rs = {}
    for s, a, x, s2 in zip(
        experience.state.tolist(), experience.action.tolist(), experience.reward.tolist(), experience.next_state.tolist()
    ):
        t[s, a, s2] += 1
        rs.setdefault((s, a), set()).add(x)
    r = torch.zeros(n_states, n_actions, dtype=d)
    for k, v in rs.items():
        r[k] = sum(v) / len(v)
    c = t.sum(-1)
    n = c.clamp(min=1)
    end = torch.zeros(n_states, dtype=torch.bool)
    end[experience.next_state[experience.terminated]] = True
    return TabularModel(t / n[..., None], r, c, end)


@misconception("fit_model", "fit terminal first")
def fit_terminal_first(experience, n_states, n_actions):
    d = experience.reward.dtype
    t = torch.zeros(n_states, n_actions, n_states, dtype=d)
    r = torch.zeros(n_states, n_actions, dtype=d)
    for s, a, x, s2 in zip(
        experience.state.tolist(), experience.action.tolist(), experience.reward.tolist(), experience.next_state.tolist()
    ):
        t[s, a, s2] += 1
        r[s, a] += x
    c = t.sum(-1)
    n = c.clamp(min=1)
    end = torch.zeros(n_states, dtype=torch.bool)
    i = experience.terminated.nonzero().flatten()
    if len(i):
        end[experience.next_state[i[0]]] = True
    return TabularModel(t / n[..., None], r / n, c, end)


@misconception("sample_model", "sample untried by reward")
def sample_untried_by_reward(model, state, action, generator):
    if model.reward[state, action] == 0:
        raise ValueError(f"never tried {state} {action}")
    s2 = int(torch.multinomial(model.transition[state, action], 1, generator=generator))
    return s2, float(model.reward[state, action]), bool(model.terminal[s2])


@misconception("sample_model", "sample rounded")
def sample_rounded(model, state, action, generator):
    if model.counts[state, action] == 0:
        raise ValueError(f"never tried {state} {action}")
    p = (model.transition[state, action] * 10).round()
    s2 = int(torch.multinomial(p, 1, generator=generator))
    return s2, float(model.reward[state, action]), bool(model.terminal[s2])


@misconception("sample_model", "sample wrong name")
def sample_wrong_name(model, state, action, generator):
    if model.counts[state, action] == 0:
        raise KeyError((state, action))
    s2 = int(torch.multinomial(model.transition[state, action], 1, generator=generator))
    return s2, float(model.reward[state, action]), bool(model.terminal[s2])


@misconception("policy_value", "value by sweeps")
def value_by_sweeps(mdp, policy, gamma):
    v = torch.zeros_like(mdp.reward[:, 0])
    for _ in range(200):
        v = (policy * (mdp.reward + gamma * mdp.transition @ v)).sum(-1).masked_fill(mdp.terminal, 0)
    return v


@misconception("policy_value", "value by pinv eps")
def value_by_pinv_eps(mdp, policy, gamma):
    goes = (~mdp.terminal).to(policy.dtype)
    P = torch.einsum("sa,san->sn", policy, mdp.transition) * goes[:, None]
    r = (policy * mdp.reward).sum(-1) * goes
    return torch.linalg.solve((1 + 1e-4) * torch.eye(len(r), dtype=r.dtype) - gamma * P, r)


@misconception("sample_posterior_model", "posterior gauss")
def posterior_gauss(counts, prior, generator):
    a = counts + prior
    m = a / a.sum(-1, keepdim=True)
    n = m + 0.05 * torch.randn(counts.shape, generator=generator, dtype=counts.dtype)
    n = n.clamp(min=1e-9)
    return n / n.sum(-1, keepdim=True)


@misconception("sample_posterior_model", "posterior zero when unseen")
def posterior_zero_when_unseen(counts, prior, generator):
    from utils.mdp import gamma_draws

    d = gamma_draws(counts + prior, generator) * (counts.sum(-1, keepdim=True) > 0)
    t = d.sum(-1, keepdim=True)
    return d / t.clamp(min=1e-300)


@misconception("sample_posterior_model", "posterior float32")
def posterior_float32(counts, prior, generator):
    from utils.mdp import gamma_draws

    d = gamma_draws((counts + prior).float(), generator)
    return (d / d.sum(-1, keepdim=True)).to(counts.dtype)


misconception(
    "q_planning",
    "cycles the first ten pairs only",
    replace=(
        "tried[torch.randint(len(tried), (), generator=generator)]",
        "tried[torch.randint(min(len(tried), 6), (), generator=generator)]",
    ),
)

misconception(
    "q_planning",
    "stops when converged",
    replace=(
        "        q = q_learning_update(q, state",
        "        if steps > 100 and _ > 100 and q.abs().max() > 5:\n            break\n        q = q_learning_update(q, state",
    ),
)

misconception(
    "q_planning",
    "model's counts lowered",
    replace=("tried = model.counts.nonzero().tolist()", "tried = model.counts.nonzero().tolist()\n    model.counts.clamp_(max=1)"),
)

misconception("sarsa_planning", "max 100 steps", replace=("range(max_steps)", "range(min(max_steps, 15))"))

misconception("monte_carlo_planning", "max 100 steps", replace=("range(max_steps)", "range(min(max_steps, 50))"))

misconception(
    "dyna_q",
    "Planning leaves out pairs that were tried before, or steps to plan after: after every real step it draws from all pairs tried so far.",
    replace=("pair = tried[draw(len(tried))]", "tried = tried[-3:]\n                pair = tried[draw(len(tried))]"),
)

misconception(
    "dyna_q",
    "The first outcome of a pair is kept for ever; later ones must reach the model too.",
    replace=(
        "outcomes.setdefault((state, action), []).append((reward, next_state, terminated))",
        "outcomes.setdefault((state, action), []).append((reward, next_state, terminated))\n            outcomes[state, action] = outcomes[state, action][:2]",
    ),
)

misconception(
    "dyna_q",
    "real update twice",
    replace=(
        "            if (state, action) not in outcomes:",
        "            q = q_learning_update(q, state, action, reward, next_state, terminated, alpha, gamma) if episodes > 100 else q\n            if (state, action) not in outcomes:",
    ),
)

misconception(
    "dyna_q",
    "`steps` is the running total; it should have each episode's own number.",
    replace=("    return q, steps", "    return q, [sum(steps[: i + 1]) for i in range(len(steps))]"),
)

misconception(
    "dyna_q",
    "epsilon decays",
    replace=(
        "action = epsilon_greedy(q[state], epsilon, generator)",
        "action = epsilon_greedy(q[state], epsilon * 0.99 ** len(steps), generator)",
    ),
)


@variant("q_learning_update")
def right_index_put(q, state, action, reward, next_state, terminated, alpha, gamma):
    target = reward + (0.0 if terminated else gamma * q[next_state].amax())
    delta = torch.as_tensor(alpha * (target - q[state, action])).to(q)
    return q.index_put((torch.tensor([state], device=q.device), torch.tensor([action], device=q.device)), delta[None], accumulate=True)


@variant("q_learning_update")
def right_in_place_on_own(q, state, action, reward, next_state, terminated, alpha, gamma):
    new = q * 1.0
    new[state, action] += alpha * (reward + (not terminated) * gamma * max(q[next_state].unbind()) - q[state, action])
    return new


@variant("sarsa_update")
def right_stack(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    rows = [list(row.unbind()) for row in q.unbind()]
    nxt = 0.0 if terminated else rows[next_state][next_action]
    rows[state][action] = (1 - alpha) * rows[state][action] + alpha * (reward + gamma * nxt)
    return torch.stack([torch.stack(r) for r in rows])


@variant("discounted_returns")
def right_accumulate(rewards, gamma):
    out = list(itertools.accumulate(reversed(rewards.unbind()), lambda g, r: r + gamma * g))
    return torch.stack(out[::-1]) if out else torch.empty_like(rewards)


@variant("discounted_returns")
def right_recursion(rewards, gamma):
    if len(rewards) < 2:
        return rewards.clone()
    rest = right_recursion(rewards[1:], gamma)
    return torch.cat([(rewards[0] + gamma * rest[0])[None], rest])


@variant("epsilon_greedy")
def right_walrus(q_row, epsilon, generator):
    explore = torch.rand(1, generator=generator).item() < epsilon
    pool = list(range(len(q_row))) if explore else [a for a, v in enumerate(q_row.tolist()) if v == q_row.max()]
    return pool[torch.randint(0, len(pool), (1,), generator=generator).item()]


@variant("fit_model")
def right_onehot(experience, n_states, n_actions):
    F = torch.nn.functional.one_hot
    d = experience.reward.dtype
    s, a, s2 = F(experience.state, n_states).to(d), F(experience.action, n_actions).to(d), F(experience.next_state, n_states).to(d)
    t = torch.einsum("ns,na,nk->sak", s, a, s2)
    r = torch.einsum("ns,na,n->sa", s, a, experience.reward)
    c = t.sum(-1)
    return TabularModel((t / c[..., None]).nan_to_num(), (r / c).nan_to_num(), c, ((s2 * experience.terminated[:, None]).sum(0) > 0))


@variant("fit_model")
def right_scatter_add(experience, n_states, n_actions):
    d = experience.reward.dtype
    flat = (experience.state * n_actions + experience.action) * n_states + experience.next_state
    t = (
        torch.zeros(n_states * n_actions * n_states, dtype=d, device=flat.device)
        .scatter_add(0, flat, torch.ones_like(experience.reward))
        .view(n_states, n_actions, n_states)
    )
    r = (
        torch.zeros(n_states * n_actions, dtype=d, device=flat.device)
        .scatter_add(0, flat // n_states, experience.reward)
        .view(n_states, n_actions)
    )
    c = t.sum(2)
    n = torch.where(c == 0, torch.ones_like(c), c)
    ends = (
        torch.zeros(n_states, dtype=torch.long, device=flat.device).scatter_add(0, experience.next_state, experience.terminated.long()) > 0
    )
    return TabularModel(t / n.unsqueeze(-1), r / n, c, ends)


@variant("sample_model")
def right_rand_cumsum(model, state, action, generator):
    if not model.counts[state, action] > 0:
        raise ValueError(f"state {state}, action {action}: never tried")
    u, acc, s2 = torch.rand((), generator=generator, dtype=torch.float64).item(), 0.0, None
    for k, p in enumerate(model.transition[state, action].tolist()):
        if p > 0:
            s2 = k
            acc += p
            if u < acc:
                break
    return s2, model.reward[state, action].item(), model.terminal[s2].item()


@variant("policy_value")
def right_least_squares(mdp, policy, gamma):
    alive = (~mdp.terminal).to(policy)
    P = (policy[..., None] * mdp.transition).sum(1) * alive[:, None]
    A = torch.diag(torch.ones_like(alive)) - gamma * P
    return (torch.linalg.inv(A) @ ((policy * mdp.reward).sum(-1) * alive)[:, None])[:, 0]


@variant("sample_posterior_model")
def right_beta_stick(counts, prior, generator):
    from utils.mdp import gamma_draws

    left = torch.ones_like(counts[..., 0])
    a = counts + prior
    out = []
    for k in range(counts.shape[-1] - 1):
        x, y = gamma_draws(a[..., k], generator), gamma_draws(a[..., k + 1 :].sum(-1), generator)
        b = x / (x + y)
        out.append(left * b)
        left = left * (1 - b)
    return torch.stack([*out, left], -1)


misconception(
    "q_learning_update",
    "Q-learning takes the best next action; this takes the mean over the next actions.",
    replace=("q[next_state].max()", "q[next_state].mean()"),
)
misconception(
    "q_learning_update",
    "The maximum runs over the whole table; it belongs to the next state's row.",
    replace=("q[next_state].max()", "q.max()"),
)
misconception(
    "sarsa_update",
    "This is Q-learning's update: Sarsa uses the entry of the action that is really taken next, not the best one.",
    replace=("q[next_state, next_action]", "q[next_state].max()"),
)
misconception("discounted_returns", "gamma for the first reward", replace=("if returns else reward)", "if returns else gamma * reward)"))
misconception("discounted_returns", "summed from the start", replace=("reversed(rewards.unbind())", "rewards.unbind()"))
misconception("epsilon_greedy", "ε is the probability of exploring, not of taking the best action.", replace=(">= epsilon", "< epsilon"))
misconception(
    "epsilon_greedy",
    "Exploration must be able to pick the best action too; it draws from all actions.",
    replace=(
        "candidates = torch.arange(len(q_row))",
        "candidates = (q_row != q_row.max()).nonzero().flatten() if bool((q_row != q_row.max()).any()) else torch.arange(len(q_row))",
    ),
)
misconception(
    "fit_model",
    "One is added to every count (Laplace smoothing); the maximum-likelihood model is the plain relative frequency.",
    replace=("triples / tries[..., None]", "(triples + 1) / (counts[..., None] + n_states)"),
)
misconception("fit_model", "The rewards are summed; R_η is their mean for each pair.", replace=("total_reward / tries", "total_reward"))
misconception(
    "sample_model",
    "This always gives the most likely next state; a sample must be drawn from the row.",
    replace=(
        "int(torch.multinomial(model.transition[state, action], 1, generator=generator))",
        "int(model.transition[state, action].argmax())",
    ),
)
misconception(
    "sample_model",
    "`terminated` is not that of the next state: look up whether the state that was reached is terminal.",
    replace=("model.terminal[next_state]", "model.terminal[state]"),
)
misconception(
    "q_planning",
    "Only the first tried pair is visited; planning must keep visiting all of them.",
    replace=("tried[torch.randint(len(tried), (), generator=generator)]", "tried[0]"),
)
misconception("q_planning", "half the steps", replace=("range(steps if tried else 0)", "range(steps // 2 if tried else 0)"))
misconception(
    "sarsa_planning",
    "The step limit is off: an imagined episode has at most `max_steps` steps.",
    replace=("range(max_steps)", "range(max_steps + 1)"),
)
misconception(
    "sarsa_planning",
    "the table of the last episode",
    replace=(
        "    for _ in range(episodes):\n        state",
        "    for _ in range(episodes):\n        q = torch.zeros_like(q)\n        state",
    ),
)
misconception("monte_carlo_planning", "γ is missing in the returns.", replace=("dtype=q.dtype), gamma)", "dtype=q.dtype), 1.0)"))
misconception(
    "monte_carlo_planning",
    "only the first step of an episode",
    replace=("zip(pairs, discounted_returns(", "zip(pairs[:1], discounted_returns("),
)
misconception(
    "dyna_q",
    "`steps` counts the planning steps too; it should count real steps only.",
    replace=(
        "                q = q_learning_update(q, *pair, *imagined, alpha, gamma)",
        "                q = q_learning_update(q, *pair, *imagined, alpha, gamma)\n                steps[-1] += 1",
    ),
)
misconception(
    "dyna_q",
    "There is no learning from the real step itself, only planning.",
    replace=("            q = q_learning_update(q, state, action, reward, next_state, terminated, alpha, gamma)\n", ""),
)
misconception(
    "policy_value", "a uniform policy", replace=('"sa,san->sn", policy,', '"sa,san->sn", torch.full_like(policy, 1 / policy.shape[-1]),')
)
misconception("policy_value", "the value of the best policy's reward", replace=("(policy * mdp.reward).sum(-1)", "mdp.reward.amax(-1)"))
misconception(
    "sample_posterior_model",
    "What was seen hardly counts: the counts are left out, or were divided by their sum first.",
    replace=("counts + prior", "torch.zeros_like(counts) + prior"),
)
misconception("sample_posterior_model", "The prior is not added to the counts.", replace=("counts + prior", "counts + 1e-6"))
