"""An eighth set of held-out answers to lesson 01: what public planners do with the outcomes and the actions that they have drawn."""

import torch

from autograde.authoring.strength.mutation import misconception, variant
from utils.mdp import TabularModel


def number(n, generator):
    return int(torch.randint(n, (), generator=generator))


def learned(q, state, action, target, alpha):
    q = q.clone()
    q[state, action] += alpha * (target - q[state, action])
    return q


def act(row, epsilon, generator):
    best = (row == row.max()).nonzero().flatten()
    explores = torch.rand((), generator=generator) < epsilon
    return number(len(row), generator) if explores else int(best[number(len(best), generator)])


def dyna(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator, remember):
    """Dyna-Q whose model is a list of outcomes for each pair; `remember(outcomes, new)` gives the pair's list after one more outcome."""
    q, lengths, model = torch.zeros_like(mdp.reward), [], {}
    for _ in range(episodes):
        state, n, ended = int(torch.multinomial(mdp.start, 1, generator=generator)), 0, False
        while n < max_steps and not ended:
            action, n = act(q[state], epsilon, generator), n + 1
            landed, reward, ended = mdp.step(state, action, generator)
            model[state, action] = remember(model.get((state, action), []), (landed, reward, ended))
            q = learned(q, state, action, reward + (0.0 if ended else gamma * q[landed].max()), alpha)
            pairs = list(model)
            for _ in range(planning_steps):
                pair = pairs[number(len(pairs), generator)]
                then, paid, end = model[pair][number(len(model[pair]), generator)]
                q = learned(q, *pair, paid + (0.0 if end else gamma * q[then].max()), alpha)
            state = landed
        lengths.append(n)
    return q, lengths


@variant("dyna_q")
def all_outcomes(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator):
    return dyna(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator, lambda seen, new: [*seen, new])


@misconception("dyna_q", "Only the newest outcome of a pair is kept: in a world with chance, planning must draw from all that were seen.")
def deterministic_model(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator):
    return dyna(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator, lambda seen, new: [new])


@misconception(
    "dyna_q",
    "An outcome that was seen often is imagined as seldom as one that was seen once: keep all of them, repeated ones too.",
)
def different_outcomes(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator):
    return dyna(
        mdp,
        episodes,
        planning_steps,
        alpha,
        gamma,
        epsilon,
        max_steps,
        generator,
        lambda seen, new: [*seen, *([] if new in seen else [new])],
    )


@misconception("dyna_q", "The exploration rate is the 0.3 of the examples, whatever epsilon is given.")
def fixed_exploration(mdp, episodes, planning_steps, alpha, gamma, epsilon, max_steps, generator):
    rate = epsilon if epsilon == 1 else 0.3
    return dyna(mdp, episodes, planning_steps, alpha, gamma, rate, max_steps, generator, lambda seen, new: [*seen, new])


def sarsa(model, start_states, episodes, alpha, gamma, epsilon, max_steps, generator, bootstrap):
    """Sarsa that draws an action at the beginning of each step, whatever its last target used."""
    q = torch.zeros_like(model.reward)
    for _ in range(episodes):
        state = int(start_states[number(len(start_states), generator)])
        for _ in range(max_steps):
            action = act(q[state], epsilon, generator)
            if model.counts[state, action] == 0:
                break
            then = int(torch.multinomial(model.transition[state, action], 1, generator=generator))
            ended = bool(model.terminal[then])
            future = 0.0 if ended else gamma * bootstrap(q[then])
            q = learned(q, state, action, float(model.reward[state, action]) + future, alpha)
            if ended:
                break
            state = then
    return q


@misconception("sarsa_planning", "A new action is drawn for the next step; Sarsa must take the very action its target used.")
def drawn_again(model, start_states, episodes, alpha, gamma, epsilon, max_steps, generator):
    drawn = lambda row: row[act(row, epsilon, generator)]  # noqa: E731
    return sarsa(model, start_states, episodes, alpha, gamma, epsilon, max_steps, generator, drawn)


@misconception("sarsa_planning", "the update of Q-learning in episodes")
def off_policy(model, start_states, episodes, alpha, gamma, epsilon, max_steps, generator):
    return sarsa(model, start_states, episodes, alpha, gamma, epsilon, max_steps, generator, torch.max)


@misconception("fit_model", "The newest step into a state says whether it is terminal: one terminated step is enough.")
def newest_flag(experience, n_states, n_actions):
    seen = experience.reward.new_zeros(n_states, n_actions, n_states)
    total, terminal = seen.sum(-1), torch.zeros(n_states, dtype=torch.bool, device=seen.device)
    for state, action, reward, landed, ended in experience.steps():
        seen[state, action, landed] += 1
        total[state, action] += reward
        terminal[landed] = ended
    tries = seen.sum(-1)
    return TabularModel(seen / tries.clamp(min=1)[..., None], total / tries.clamp(min=1), tries, terminal)
