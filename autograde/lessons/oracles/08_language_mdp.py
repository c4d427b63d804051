"""What the public checks of lesson 08 expect: log-probabilities token by token, values from a table of all texts."""

import itertools

import torch


def log_probability(model, prompt, action):
    """Run the model on everything before a token and look the token's log-probability up."""
    total, ids = 0.0, prompt.tolist()
    for token in action.tolist():
        logits, _ = model(torch.tensor([ids]))
        total += (logits[0, -1, token] - logits[0, -1].logsumexp(-1)).item()
        ids.append(token)
    model.shapes.clear()
    return torch.tensor(total, dtype=model.table.dtype)


def table_of_values(vocabulary, horizon, reward, policy):
    """Every text with its probability; a prefix is worth the mean reward of the texts that begin with it."""
    weight, total = {}, {}
    for text in itertools.product(vocabulary, repeat=horizon):
        for start in range(horizon + 1):
            prefix, chance = text[:start], 1.0
            for i in range(start, horizon):
                chance *= float(policy(text[:i])[list(vocabulary).index(text[i])])
            weight[prefix] = weight.get(prefix, 0.0) + chance
            total[prefix] = total.get(prefix, 0.0) + chance * reward(text)
    return {prefix: total[prefix] / weight[prefix] for prefix in total}


def best_by_scores(priors, visits, totals, c):
    """Action by action, in exact fractions as far as they go."""
    root, scores = (1 + sum(visits.tolist())) ** 0.5, []
    for p, n, w in zip(priors.tolist(), visits.tolist(), totals.tolist()):
        scores.append((w / n if n else 0.0) + c * p * root / (n + 1))
    return scores.index(max(scores))
