"""A fifth set of held-out answers to lesson 01."""

import torch

from autograde.authoring.strength.mutation import misconception, variant


# as in programs for the book's figures: the state is drawn first, then one of its actions
@variant("q_planning")
def a_state_first_then_an_action(model, steps, alpha, gamma, generator):
    q, actions = torch.zeros_like(model.reward), {}
    for state, action in model.counts.nonzero().tolist():
        actions.setdefault(state, []).append(action)
    for _ in range(steps if actions else 0):
        state = list(actions)[int(torch.randint(len(actions), (), generator=generator))]
        action = actions[state][int(torch.randint(len(actions[state]), (), generator=generator))]
        landed = int(torch.multinomial(model.transition[state, action], 1, generator=generator))
        future = 0.0 if model.terminal[landed] else gamma * q[landed].max()
        q[state, action] += alpha * (model.reward[state, action] + future - q[state, action])
    return q


@misconception("prioritized_sweeping", "The value of a terminal state counts: it is 0, whatever its row holds.")
def whatever_the_row_holds(model, gamma, theta=1e-6, max_updates=100_000):
    q, tried = torch.zeros_like(model.reward), model.counts > 0
    for updates in range(max_updates):
        target = (model.reward + gamma * model.transition @ q.amax(-1)) * tried
        error = (target - q).abs()
        if float(error.max()) <= theta:
            return q, updates
        at = divmod(int(error.argmax()), q.shape[1])
        q[at] = target[at]
    return q, max_updates
