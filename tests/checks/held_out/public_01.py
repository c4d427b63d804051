"""Answers to lesson 01 after public code, forums and issue trackers, wrong and right: what people really write."""

import torch

from autograde.authoring.strength.mutation import misconception, variant
from utils.mdp import TabularModel


# expected Sarsa of a greedy policy mixed
@misconception("sarsa_update", "the next action's row at the old state's action")
def sarsa_next_updated(q, state, action, reward, next_state, next_action, terminated, alpha, gamma):
    new = q.clone()
    nxt = 0.0 if terminated else gamma * q[next_state, next_action]
    new[next_state, next_action] = q[next_state, next_action] + alpha * (reward + nxt - q[next_state, next_action])
    return new


@misconception("discounted_returns", "mean of what follows")
def returns_mean(rewards, gamma):
    n = len(rewards)
    i = torch.arange(n)
    w = (gamma ** (i - i[:, None]).clamp(min=0).to(rewards.dtype)).triu()
    return (w @ rewards) / w.sum(-1).clamp(min=1e-9) if n else rewards.clone()


@misconception("discounted_returns", "discount to the end")
def returns_from_end(rewards, gamma):
    n = len(rewards)
    w = gamma ** torch.arange(n - 1, -1, -1).to(rewards.dtype)
    return (rewards * w).flip(0).cumsum(0).flip(0)


# softmax policy
@misconception("epsilon_greedy", "softmax exploration")
def eps_softmax(q_row, epsilon, generator):
    if torch.rand((), generator=generator) < epsilon:
        return int(torch.multinomial(q_row.softmax(-1), 1, generator=generator))
    best = (q_row == q_row.max()).nonzero().flatten()
    return int(best[torch.randint(len(best), (), generator=generator)])


# dennybritz make_epsilon_greedy_policy with ties: each best action gets 1 - eps
@misconception("epsilon_greedy", "each best gets 1 - eps")
def eps_each(q_row, epsilon, generator):
    p = torch.full((len(q_row),), epsilon / len(q_row))
    p[q_row == q_row.max()] += 1 - epsilon
    return int(torch.multinomial(p, 1, generator=generator))


@misconception("epsilon_greedy", "Exploration must be able to pick the best action too; it draws from all actions.")
def eps_n1(q_row, epsilon, generator):
    n = len(q_row)
    best = (q_row == q_row.max()).nonzero().flatten()
    b = int(best[torch.randint(len(best), (), generator=generator)])
    p = torch.full((n,), epsilon / max(n - 1, 1))
    p[b] = 1 - epsilon
    return int(torch.multinomial(p, 1, generator=generator))


# incremental mean with the wrong count
@misconception("fit_model", "running mean one count late")
def fit_running(e, n_states, n_actions):
    t = e.reward.new_zeros(n_states, n_actions, n_states)
    r = e.reward.new_zeros(n_states, n_actions)
    c = e.reward.new_zeros(n_states, n_actions)
    end = torch.zeros(n_states, dtype=torch.bool)
    for s, a, x, s2, d in zip(*(v.tolist() for v in (e.state, e.action, e.reward, e.next_state, e.terminated))):
        t[s, a, s2] += 1
        r[s, a] += (x - r[s, a]) / (c[s, a] + 2)
        c[s, a] += 1
        end[s2] |= d
    return TabularModel(t / c.clamp(min=1)[..., None], r, c, end)


@misconception("fit_model", "terminal rows loop")
def fit_absorbing(e, n_states, n_actions):
    t = e.reward.new_zeros(n_states, n_actions, n_states)
    r = e.reward.new_zeros(n_states, n_actions)
    t.index_put_((e.state, e.action, e.next_state), torch.ones_like(e.reward), accumulate=True)
    r.index_put_((e.state, e.action), e.reward, accumulate=True)
    c = t.sum(-1)
    n = c.clamp(min=1)
    end = torch.zeros(n_states, dtype=torch.bool)
    end[e.next_state[e.terminated]] = True
    p = t / n[..., None]
    for s in end.nonzero().flatten().tolist():
        p[s] = 0
        p[s, :, s] = 1
    return TabularModel(p, r / n, c, end)


@misconception("fit_model", "rewards of steps that terminate are left out")
def fit_no_terminal_reward(e, n_states, n_actions):
    t = e.reward.new_zeros(n_states, n_actions, n_states)
    r = e.reward.new_zeros(n_states, n_actions)
    t.index_put_((e.state, e.action, e.next_state), torch.ones_like(e.reward), accumulate=True)
    r.index_put_((e.state, e.action), e.reward * ~e.terminated, accumulate=True)
    c = t.sum(-1)
    n = c.clamp(min=1)
    end = torch.zeros(n_states, dtype=torch.bool)
    end[e.next_state[e.terminated]] = True
    return TabularModel(t / n[..., None], r / n, c, end)


@misconception("sample_model", "next state as a tensor")
def sample_tensor(model, state, action, generator):
    if model.counts[state, action] == 0:
        raise ValueError(f"state {state} action {action} never tried")
    s2 = torch.multinomial(model.transition[state, action], 1, generator=generator)
    return s2, float(model.reward[state, action]), bool(model.terminal[s2])


@misconception("sample_model", "inverse cdf off by one")
def sample_cdf(model, state, action, generator):
    if model.counts[state, action] == 0:
        raise ValueError(f"state {state} action {action} never tried")
    u = torch.rand((), generator=generator)
    s2 = int((model.transition[state, action].cumsum(0) <= u).sum()) + 1
    s2 = min(s2, len(model.terminal) - 1)
    return s2, float(model.reward[state, action]), bool(model.terminal[s2])


# planning follows a trajectory
misconception(
    "q_planning",
    "bootstraps from the pair's own state",
    replace=("reward, next_state, terminated, alpha", "reward, state, terminated, alpha"),
)

# GLIE decay
misconception(
    "sarsa_planning",
    "epsilon decays with the episodes",
    replace=(("for _ in range(episodes)", "for i in range(episodes)"), ("epsilon, generator)", "epsilon / (i + 1), generator)")),
)

misconception(
    "sarsa_planning",
    "first action at random",
    replace=(
        "        action = epsilon_greedy(q[state], epsilon, generator)\n        for",
        "        action = epsilon_greedy(q[state], 1.0, generator)\n        for",
    ),
)

misconception(
    "sarsa_planning",
    "This is Q-learning's target: Sarsa plans with the action that is really taken next.",
    replace=(
        "next_action = epsilon_greedy(q[next_state], epsilon, generator)",
        "next_action = epsilon_greedy(q[next_state], 0.0, generator)",
    ),
)

# rlcode/reinforcement-learning-kr#41: last visit
misconception(
    "monte_carlo_planning",
    "Returns are lost: an entry is the mean of all returns, of every visit, not the newest one.",
    replace=(
        "        for pair, value in zip(pairs, discounted_returns(torch.tensor(rewards, dtype=q.dtype), gamma)):",
        "        for pair, value in dict(zip(pairs, discounted_returns(torch.tensor(rewards, dtype=q.dtype), gamma))).items():",
    ),
)

# BY571/Medium_Code_Examples#1: visits counted by state, not by pair
misconception("monte_carlo_planning", "visits counted for states", replace=(("visits[pair] += 1", "visits[pair[0]] += 1")))

misconception(
    "monte_carlo_planning",
    "exploring starts: first action at random",
    replace=(
        "action = epsilon_greedy(q[state], epsilon, generator)",
        "action = epsilon_greedy(q[state], epsilon if pairs else 1.0, generator)",
    ),
)

misconception(
    "monte_carlo_planning",
    "A constant step size forgets old returns; the value is the mean of all of them.",
    replace=("q[pair] += (value - q[pair]) / visits[pair]", "q[pair] = (q[pair] + value) / 2"),
)

# planning in the real environment
misconception(
    "dyna_q",
    "imagined steps are real ones",
    replace=(
        "imagined = outcomes[pair][draw(len(outcomes[pair]))]",
        "n2, r2, t2 = mdp.step(*pair, generator)\n                imagined = (r2, n2, t2)",
    ),
)

# MJeremy2017: bonus of Dyna-Q+
misconception(
    "dyna_q",
    "Planning leaves out pairs that were tried before, or steps to plan after: after every real step it draws from all pairs tried so far.",
    replace=("pair = tried[draw(len(tried))]", "here = [p for p in tried if p[0] == state]\n                pair = here[draw(len(here))]"),
)

misconception(
    "dyna_q",
    "planning on the greedy action of a drawn state",
    replace=(
        "pair = tried[draw(len(tried))]",
        "pair = tried[draw(len(tried))]\n                pair = max((p for p in tried if p[0] == pair[0]), key=lambda p: float(q[p]))",
    ),
)

misconception(
    "dyna_q",
    "planning with half the step size",
    replace=("*imagined, alpha, gamma)", "*imagined, alpha / 2, gamma)"),
)

misconception("policy_value", "gamma twice", replace=("identity - gamma * transition", "identity - gamma * gamma * transition"))

misconception(
    "policy_value",
    "reward of the next state",
    replace=("reward = (policy * mdp.reward).sum(-1) * goes_on", "reward = transition @ (policy * mdp.reward).sum(-1)"),
)

misconception(
    "sample_posterior_model", "softmax of the draws", replace=("return draws / draws.sum(-1, keepdim=True)", "return draws.softmax(-1)")
)

misconception(
    "sample_posterior_model",
    "one Dirichlet over all actions of a state",
    replace=("return draws / draws.sum(-1, keepdim=True)", "return draws / draws.sum((-1, -2), keepdim=True) * draws.shape[-2]"),
)


# right
@variant("q_learning_update")
def r_numpy_arith(q, state, action, reward, next_state, terminated, alpha, gamma):
    mask = torch.zeros_like(q)
    mask[state, action] = 1
    target = reward + gamma * (1 - int(terminated)) * torch.where(
        torch.tensor(terminated), torch.zeros((), dtype=q.dtype), q[next_state].max()
    )
    return q * (1 - alpha * mask) + alpha * mask * target


@variant("discounted_returns")
def r_insert(rewards, gamma):
    g, out = 0, []
    for i in range(len(rewards) - 1, -1, -1):
        g = rewards[i] + gamma * g
        out.insert(0, g)
    return torch.stack(out) if out else torch.zeros_like(rewards)


@variant("epsilon_greedy")
def r_perm(q_row, epsilon, generator):
    if torch.bernoulli(torch.tensor(float(epsilon)), generator=generator) == 1:
        return int(torch.randperm(len(q_row), generator=generator)[0])
    order = torch.randperm(len(q_row), generator=generator)
    return int(order[q_row[order].argmax()])


@variant("fit_model")
def r_bincount(e, n_states, n_actions):
    pair = e.state * n_actions + e.action
    c = torch.bincount(pair, minlength=n_states * n_actions)
    flat = torch.bincount(pair * n_states + e.next_state, minlength=n_states * n_actions * n_states)
    r = torch.bincount(pair, weights=e.reward, minlength=n_states * n_actions).to(e.reward.dtype)
    n = c.clamp(min=1).to(e.reward.dtype)
    t = flat.to(e.reward.dtype).view(n_states, n_actions, n_states) / n.view(n_states, n_actions, 1)
    end = torch.bincount(e.next_state[e.terminated], minlength=n_states) > 0
    return TabularModel(t, (r / n).view(n_states, n_actions), c.to(e.reward.dtype).view(n_states, n_actions), end)


# Sutton and Barto's Dyna-Q: a state first, then an action tried in it
variant(
    "dyna_q",
    replace=(
        "pair = tried[draw(len(tried))]",
        "seen = sorted({s for s, _ in tried})\n                s0 = seen[draw(len(seen))]\n                acts = [p for p in tried if p[0] == s0]\n                pair = acts[draw(len(acts))]",
    ),
)

variant(
    "q_planning",
    replace=(
        "state, action = tried[torch.randint(len(tried), (), generator=generator)]",
        "state, action = tried[int(torch.multinomial(torch.tensor([float(model.counts[s, a]) for s, a in tried]), 1, generator=generator))]",
    ),
)

variant(
    "q_planning",
    replace=(
        "state, action = tried[torch.randint(len(tried), (), generator=generator)]",
        "seen = sorted({s for s, _ in tried})\n        state = seen[torch.randint(len(seen), (), generator=generator)]\n        acts = [a for s, a in tried if s == state]\n        action = acts[torch.randint(len(acts), (), generator=generator)]",
    ),
)

variant(
    "monte_carlo_planning",
    replace=(
        (
            "q, visits = torch.zeros_like(model.reward), torch.zeros_like(model.reward)",
            "q, visits, sums = (torch.zeros_like(model.reward) for _ in range(3))",
        ),
        ("q[pair] += (value - q[pair]) / visits[pair]", "sums[pair] += value\n            q[pair] = sums[pair] / visits[pair]"),
    ),
)

variant(
    "policy_value",
    replace=("torch.linalg.solve(identity - gamma * transition, reward)", "torch.linalg.inv(identity - gamma * transition) @ reward"),
)

# afflint/rlcoding#1: the table is updated while the return is still being summed
misconception(
    "monte_carlo_planning",
    "These are the rewards, not the returns: what follows a step counts too.",
    replace=("discounted_returns(torch.tensor(rewards, dtype=q.dtype), gamma)", "torch.tensor(rewards, dtype=q.dtype)"),
)

misconception(
    "monte_carlo_planning",
    "divided by the number of the episode",
    replace=(("for _ in range(episodes):", "for e in range(episodes):"), ("/ visits[pair]", "/ (e + 1)")),
)

misconception(
    "monte_carlo_planning",
    "discounted from the start of the episode, too",
    replace=(
        ("for pair, value in zip(", "for t, (pair, value) in enumerate(zip("),
        ("dtype=q.dtype), gamma)\n        ):", "dtype=q.dtype), gamma)\n        )):\n            value = value * gamma**t"),
    ),
)

# dennybritz/reinforcement-learning, and many courses: exploration that fades away, unasked
misconception(
    "monte_carlo_planning",
    "epsilon decays",
    replace=(
        ("for _ in range(episodes):", "for e in range(episodes):"),
        ("epsilon_greedy(q[state], epsilon,", "epsilon_greedy(q[state], epsilon / (e + 1),"),
    ),
)

misconception(
    "sarsa_planning",
    "epsilon decays",
    replace=(("for _ in range(episodes):", "for e in range(episodes):"), ("], epsilon,", "], epsilon / (e + 1),")),
)

misconception("dyna_q", "epsilon decays", replace=("epsilon_greedy(q[state], epsilon,", "epsilon_greedy(q[state], epsilon / len(steps),"))

misconception("dyna_q", "the step size decays", replace=("terminated, alpha, gamma)", "terminated, alpha / len(steps), gamma)"))

misconception("dyna_q", "steps counted from 0", replace=("return q, steps", "return q, [n - 1 for n in steps]"))

misconception(
    "dyna_q",
    "steps that are never counted",
    replace=(
        "steps[-1] += 1",
        "pass",
    ),
)

misconception(
    "dyna_q",
    "Planning happens once an episode; it belongs after every real step.",
    replace=(
        (
            "            for _ in range(planning_steps):\n                pair = tried[draw(len(tried))]\n                imagined = outcomes[pair][draw(len(outcomes[pair]))]\n                q = q_learning_update(q, *pair, *imagined, alpha, gamma)\n            if terminated:\n                break\n            state = next_state\n",
            "            if terminated:\n                break\n            state = next_state\n        for _ in range(planning_steps):\n            pair = tried[draw(len(tried))]\n            imagined = outcomes[pair][draw(len(outcomes[pair]))]\n            q = q_learning_update(q, *pair, *imagined, alpha, gamma)\n",
        ),
    ),
)

# ShangtongZhang/reinforcement-learning-an-introduction: the counts are read before they are raised
variant(
    "monte_carlo_planning",
    replace=(
        "visits[pair] += 1\n            q[pair] += (value - q[pair]) / visits[pair]",
        "q[pair] += (value - q[pair]) / (visits[pair] + 1)\n            visits[pair] += 1",
    ),
)

misconception(
    "monte_carlo_planning", "returns over the length of the episode", replace=("(value - q[pair])", "(value / len(rewards) - q[pair])")
)

# rlcode/reinforcement-learning-kr#22: the reward is discounted, too
misconception("monte_carlo_planning", "gamma times reward and return", replace=("(value - q[pair])", "(gamma * value - q[pair])"))

# aimacode/aima-python#1337: the last reward is kept for a state, not for what was done
misconception(
    "fit_model",
    "rewards of all actions of a state",
    replace=(
        "return TabularModel(triples / tries[..., None], total_reward / tries, counts, terminal)",
        "mean = total_reward.sum(-1, keepdim=True) / counts.sum(-1, keepdim=True).clamp(min=1)\n    return TabularModel(triples / tries[..., None], mean.expand_as(tries) * (counts > 0), counts, terminal)",
    ),
)

misconception(
    "fit_model",
    "The rewards are summed; R_η is their mean for each pair.",
    replace=("total_reward / tries", "total_reward.clamp(max=reward.max().item() if len(reward) else 0.0)"),
)

misconception(
    "fit_model",
    "counts of next states",
    replace=("total_reward / tries, counts,", "total_reward / tries, (triples > 0).to(reward).sum(-1),"),
)


misconception(
    "dyna_q",
    "Planning leaves out pairs that were tried before, or steps to plan after: after every real step it draws from all pairs tried so far.",
    replace=("for _ in range(planning_steps):", "for _ in range(0 if terminated else planning_steps):"),
)


@variant("epsilon_greedy")
def greedy_after_a_shuffle(q_row, epsilon, generator):
    n = len(q_row)
    if torch.rand(1, generator=generator).item() < epsilon:
        return torch.randint(0, n, (1,), generator=generator).item()
    order = torch.randperm(n, generator=generator)
    return order[q_row[order].argmax()].item()
