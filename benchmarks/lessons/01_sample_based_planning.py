"""Lesson 01's numbers: the cliff, Dyna, the two errors, the posterior, Taxi with replay as planning's rival, changing rooms, two updates."""

import torch

from autograde.authoring.measuring.experiments import experiment


@experiment("cliff", steps=3000, q_updates=10_000, sarsa_episodes=1000)
def cliff(lesson, seed):
    """How much of the cliff random play has tried, how wrong the model is, and where both planners' greedy paths lead."""
    world = lesson.cliff
    anywhere = world.reachable() & ~world.terminal
    model = lesson.fit_model(lesson.random_experience(world, 3000, lesson.seeded(seed), max_steps=20, start=anywhere.double()), 48, 4)
    tables = {
        "q": lesson.q_planning(model, 10_000, 0.5, lesson.GAMMA, lesson.seeded(100 + seed)),
        "sarsa": lesson.sarsa_planning(model, torch.tensor([36]), 1000, 0.2, lesson.GAMMA, 0.1, 500, lesson.seeded(100 + seed)),
    }
    paths = {name: lesson.follow(q, world, 36) for name, q in tables.items()}
    return {
        "tried": float((model.counts[anywhere] > 0).double().mean()),
        "model_error": float((model.transition - world.transition)[anywhere].abs().max()),
        **{name: {"steps": len(path) - 1, "beside_the_edge": sum(25 <= cell <= 34 for cell in path)} for name, path in paths.items()},
    }


@experiment("dyna", episodes=40)
def dyna(lesson, seed):
    """Real steps of the first and the last ten episodes, and the first episode of at most 20 steps, by the number of planning steps."""
    found = {}
    for n in (0, 5, 50):
        _, steps = lesson.dyna_q(lesson.cliff, 40, n, 0.5, lesson.GAMMA, 0.1, 500, lesson.seeded(seed))
        short = next((episode for episode, length in enumerate(steps, 1) if length <= 20), len(steps) + 1)
        found[n] = {"first_ten": sum(steps[:10]), "last_ten_each": sum(steps[-10:]) / 10, "first_short": short}
    return found


@experiment("errors", samples=10_000, steps=20_000)
def errors(lesson, seed):
    """Both errors on FrozenLake against experience and against planning, and by how much the planner's values are too high."""
    lived = lesson.random_experience(lesson.lake, 20_000, lesson.seeded(seed), start=lesson.ANYWHERE)
    names = ("model", "planning", "both")
    experience = {n: dict(zip(names, lesson.errors(lived.first(n), 10_000, seed))) for n in lesson.EXPERIENCE}
    planning = {n: dict(zip(names, lesson.errors(lived, n, seed))) for n in lesson.SAMPLES}
    model = lesson.fit_model(lived, 16, 4)
    believed = lesson.plan_exactly(model.as_mdp(lesson.lake.start), lesson.GAMMA)[0]
    planned = lesson.q_planning(model, 20_000, 0.1, lesson.GAMMA, lesson.seeded(100 + seed)).max(-1).values
    longer = lesson.q_planning(model, 40_000, 0.1, lesson.GAMMA, lesson.seeded(100 + seed)).max(-1).values
    return {
        "experience": experience,
        "samples": planning,
        "too_high": float((planned - believed)[lesson.ice].mean()),
        "longer": float((longer - believed)[lesson.ice].abs().mean()),
    }


@experiment("step_size", samples=80_000)
def step_size(lesson, seed):
    """Planning's own error after as many samples with a large step size and with a small one."""
    lived = lesson.random_experience(lesson.lake, 20_000, lesson.seeded(seed), start=lesson.ANYWHERE)
    model = lesson.fit_model(lived, 16, 4)
    believed = lesson.plan_exactly(model.as_mdp(lesson.lake.start), lesson.GAMMA)[0]

    def error(alpha):
        planned = lesson.q_planning(model, 80_000, alpha, lesson.GAMMA, lesson.seeded(100 + seed)).max(-1).values
        return float((planned - believed)[lesson.ice].abs().mean())

    return {"large": error(0.1), "small": error(0.02)}


@experiment("posterior", seeds=range(20), draws=50)
def posterior(lesson, seed):
    """What a plan is worth: to the model that it was made in, to its posterior under three priors, and in the world."""
    found = {}
    for tries in lesson.TRIES:
        for name, prior in (("sixteenth", 1 / 16), ("quarter", 1 / 4), ("one", 1.0)):
            believed, true, sampled = lesson.what_is_my_plan_worth(tries, seed, 50, prior)
            found.setdefault(tries, {"believed": believed, "true": true})[name] = float(sampled.mean())
            found[tries][f"spread_{name}"] = float(sampled.std())
    return found


@experiment("taxi", seeds=range(10), updates=60_000)
def taxi(lesson, seed):
    """Expected returns of three ways to use the same steps, and the best possible one."""
    amounts, returns, best = lesson.compare_on_taxi(seed=seed)
    names = ("once", "replay", "planned")
    return {"best": best, **{n: dict(zip(names, row)) for n, row in zip(amounts, returns.tolist())}}


AGENTS = {"plain": (0.0, 0.1), "bonus": (0.001, 0.1), "large": (0.01, 0.1), "chance": (0.0, 0.3)}  # κ and ε


@experiment("changing", seeds=range(10), planning_steps=10)
def changing(lesson, seed):
    """Times at the goal before and after a room changes, with a bonus, without, and with more chance as its rival; the shortest ways."""
    found = {}
    for change, names in (("opens", AGENTS), ("moves", ("plain", "bonus")), ("stays", ("plain", "bonus"))):
        found[change] = {name: life(lesson, change, *AGENTS[name], seed) for name in names}
        ways = [
            len(lesson.follow(lesson.plan_exactly(room, lesson.GAMMA)[1], room, lesson.ROOM_START)) - 1 for room in lesson.CHANGES[change]
        ]
        found[change]["way"] = dict(zip(("before", "after"), ways))
    return found


@experiment("smaller_bonus", seeds=range(10), planning_steps=10)
def smaller_bonus(lesson, seed):
    """A bonus that is a third of the lesson's smaller one, where a second gap opens: does any bonus find it?"""
    return life(lesson, "opens", 0.0003, 0.1, seed)


def life(lesson, change, kappa, epsilon, seed):
    """Times at the goal in both halves, in the last 500 steps, and whether the short way is taken then (a goal in 8 steps)."""
    found = halves(lesson, lesson.live(change, kappa, seed, epsilon))
    return found | {"found": float(found["last"] > 500 / 8)}


def halves(lesson, rewards):
    """Times at the goal before the change and after it, and in the last 500 steps."""
    return {
        "before": float(rewards[: lesson.BEFORE].sum()),
        "after": float(rewards[lesson.BEFORE :].sum()),
        "last": float(rewards[-500:].sum()),
    }


@experiment("tried_only", seeds=range(10), planning_steps=10)
def tried_only(lesson, seed):
    """Dyna-Q with the newest outcome where the gap moves, planning with tried pairs alone: the rival of planning with every action."""
    before, after = lesson.CHANGES["moves"]
    rewards = newest_outcome(lesson, [before] * lesson.BEFORE + [after] * lesson.AFTER, seed)
    return {**halves(lesson, rewards), "again": float(rewards[-500:].sum() > 0)}


def newest_outcome(lesson, worlds, seed):
    """The rewards of Dyna-Q that keeps the newest outcome of each tried pair; `worlds` holds the world of each real step."""
    generator = lesson.seeded(seed)
    q, newest, rewards, state = torch.zeros_like(worlds[0].reward), {}, [], None
    for world in worlds:
        state = world.reset(generator) if state is None else state
        action = lesson.epsilon_greedy(q[state], 0.1, generator)
        newest[state, action] = next_state, reward, terminated = world.step(state, action, generator)
        q = lesson.q_learning_update(q, state, action, reward, next_state, terminated, 0.5, lesson.GAMMA)
        rewards.append(reward)
        pairs = list(newest)
        for i in torch.randint(len(pairs), (10,), generator=generator).tolist():
            landed, paid, ended = newest[pairs[i]]
            q = lesson.q_learning_update(q, *pairs[i], paid, landed, ended, 0.5, lesson.GAMMA)
        state = None if terminated else next_state
    return torch.tensor(rewards)


@experiment("updates", repeats=100, lookups=20_000)
def updates(lesson, seed):
    """The error of sample updates when as many maxima are looked up as one expected update needs, and both ways to plan on FrozenLake."""
    fans = {}
    for b in (2, 10, 100):
        errors = lesson.sample_error(b, b, 100, lesson.seeded(1000 + seed))
        fans[b] = {"tenth": float(errors[max(b // 10, 1) - 1]), "whole": float(errors[-1])}
    return {"fans": fans, "lake": planned_on_the_lake(lesson, seed, 20_000)}


def planned_on_the_lake(lesson, seed, lookups):
    """Mean errors of the values planned in one model of FrozenLake by expected updates and by samples, with as many maxima looked up."""
    lived = lesson.random_experience(lesson.lake, 20_000, lesson.seeded(seed), start=lesson.ANYWHERE)
    model, generator = lesson.fit_model(lived, 16, 4), lesson.seeded(100 + seed)
    exact = lesson.plan_exactly(model.as_mdp(lesson.lake.start), lesson.GAMMA)[0]
    pairs, q, spent = model.counts.nonzero().tolist(), torch.zeros_like(model.reward), 0
    while spent < lookups:
        state, action = pairs[torch.randint(len(pairs), (), generator=generator)]
        q = lesson.expected_update(q, model, state, action, lesson.GAMMA)
        spent += int((model.transition[state, action] > 0).sum())
    sampled = lesson.q_planning(model, lookups, 0.1, lesson.GAMMA, lesson.seeded(100 + seed))
    found = {"expected": q, "samples": sampled}
    return {name: float((table.amax(-1) - exact)[lesson.ice].abs().mean()) for name, table in found.items()}
