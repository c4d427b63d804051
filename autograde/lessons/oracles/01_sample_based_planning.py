"""What the public checks of lesson 01 expect: fixed points from value iteration and policy evaluation, a chain's values step by step."""

import torch


def optimal_q(model, gamma, sweeps=600):
    """Value iteration on a model: the exact q*, 0 for pairs never tried."""
    q = torch.zeros_like(model.reward)
    for _ in range(sweeps):
        value = q.max(-1).values.masked_fill(model.terminal, 0)
        q = (model.reward + gamma * model.transition @ value) * (model.counts > 0)
    return q


def chain_after(values, episodes, alpha, gamma, n=3):
    """TD on the chain, step by step: what both Q-learning and Sarsa give where there is one action."""
    values = list(values)
    for _ in range(episodes):
        for s in range(n):
            future = gamma * values[s + 1] if s < 2 else 0.0
            values[s] += alpha * ([-1.0, 2.0, 5.0][s] + future - values[s])
    return torch.tensor(values, dtype=torch.float64)[:, None]


def after(q, state, action, target, alpha):
    wanted = q.clone()
    wanted[state, action] = (1 - alpha) * q[state, action] + alpha * target
    return wanted


def evaluated(mdp, policy, gamma, sweeps=1500):
    """Iterative policy evaluation, an oracle without a linear solve."""
    value = torch.zeros_like(mdp.reward[:, 0])
    for _ in range(sweeps):
        value = (policy * (mdp.reward + gamma * mdp.transition @ value)).sum(-1).masked_fill(mdp.terminal, 0)
    return value


def q_learning(q, state, action, reward, next_state, terminated, alpha, gamma):
    """The new table as a sum, so that it can be differentiated in the old one."""
    future = 0.0 if terminated else gamma * q[next_state].max()
    change = torch.zeros_like(q)
    change[state, action] = alpha
    return q + change * (reward + future - q[state, action])


def returns(rewards, gamma):
    """As a product with the matrix of discounts."""
    n = len(rewards)
    discounts = [[gamma ** (k - t) if k >= t else 0.0 for k in range(n)] for t in range(n)]
    return torch.tensor(discounts, dtype=rewards.dtype) @ rewards


def expected(q, model, state, action, gamma):
    """The new table, with the target summed up next state by next state."""
    target = float(model.reward[state, action])
    for landed, chance in enumerate(model.transition[state, action].tolist()):
        if not model.terminal[landed]:
            target += gamma * chance * max(q[landed].tolist())
    return after(q, state, action, target, 1.0)
