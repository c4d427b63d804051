"""The experiments behind lesson 08's numbers: data against training, imagined against real returns, the players, and Dyna in words."""

import torch

from autograde.authoring.measuring.experiments import experiment

STEPS = 300


@experiment("longer", steps=2 * STEPS)
def longer(lesson, seed):
    """Is it the data or the training? The most play, and twice the steps."""
    return lesson.train_and_test(lesson.SIZES[-1], seed, 2 * STEPS)[1]


@experiment("players", episodes=60)
def players(lesson, seed):
    """Random play, the clone with the wish of the lesson and with the best return for a wish, and the planner in the true world."""
    episodes = lesson.random_play(lesson.House(), lesson.SIZES[-1], torch.Generator().manual_seed(100 + seed))
    returns = [sum(step[2] for step in episode) for episode in episodes]
    world, policy = lesson.true_world(seed), lesson.random_policy(seed)
    model, wishes = lesson.train_clone(episodes, seed)
    return {
        "good episodes": sum(value > 0.59 for value in returns) / len(returns),
        "random": lesson.mean_return(world, lambda obs, collected: policy(obs), 90),
        "clone": lesson.mean_return(world, lesson.clone(model, wishes, seed), 60),
        "asked for the best": lesson.mean_return(world, asked(lesson, model, seed), 60),
        "true world": lesson.mean_return(world, lesson.planner(lesson.true_world(seed + 1), seed), 9),
        "true world, 100 rollouts": many_rollouts(lesson, seed),
    }


def asked(lesson, model, seed, wish=0.6):
    """The clone that is asked for `wish`, less what it has collected."""
    source = torch.Generator().manual_seed(seed)

    def decide(obs, collected):
        possible = lesson.house.actions(obs)
        prompt = lesson.words.encode(f"<rtg> {wish - collected:+.1f} <obs> {obs} <act>")
        with torch.no_grad():
            return possible[lesson.choose_action(model, prompt, [lesson.words.encode(a) for a in possible], source, 0.5)]

    return decide


def many_rollouts(lesson, seed, rollouts=100):
    """The planner in the true world, with less noise in its estimates."""
    sample, policy = lesson.true_world(seed + 1), lesson.random_policy(seed)

    def decide(obs, collected):
        return lesson.plan_action(sample, policy, obs, lesson.house.actions(obs), rollouts, lesson.DEPTH, lesson.GAMMA)[0]

    return lesson.mean_return(lesson.true_world(seed), decide, 9)


@experiment("lives", steps=STEPS)
def lives(lesson, seed):
    """Dyna in the world that a model learned from the very same steps, against replaying them."""
    return lesson.one_life(seed)


@experiment("exact", seeds=(0,))
def exact(lesson, seed):
    """Policy improvement from random play, computed."""
    policy, found = lesson.random_play_policy(), {}
    for times in range(4):
        found[times] = dict(zip(("hall", "kitchen", "garden"), lesson.returns_from_each_start(policy)))
        policy = lesson.improved(policy)
    return found


@experiment("worlds", steps=STEPS, episodes=3)
def worlds(lesson, seed):
    """What each amount of play teaches a model, and what planning in it brings."""
    found = {}
    for n in lesson.SIZES:
        model, errors = lesson.train_and_test(n, seed, STEPS)
        imagined, real = lesson.plan_twice(model, seed, episodes=3)
        found[n] = errors | {"imagined": imagined, "real": real}
    return found
