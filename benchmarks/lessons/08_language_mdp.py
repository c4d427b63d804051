"""The experiments behind lesson 08's numbers: data against training, imagined and real returns, the players, Dyna in words, tree search."""

import torch

from autograde.authoring.measuring.experiments import experiment

STEPS = 300


@experiment("longer", steps=2 * STEPS)
def longer(lesson, seed):
    """Is it the data or the training? The most play, and twice the steps."""
    return lesson.train_and_test(lesson.SIZES[-1], seed, 2 * STEPS)[1]


@experiment("shorter", steps=STEPS // 2)
def shorter(lesson, seed):
    """The least and the most play, with half the training steps: does a wrong outcome still tell what the play left out?"""
    return {n: lesson.train_and_test(n, seed, STEPS // 2)[1] for n in (lesson.SIZES[0], lesson.SIZES[-1])}


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


@experiment("replays", seeds=range(30, 42), planning_steps=20)
def replays(lesson, seed):
    """How many real steps does replaying need? The returns after lives of three lengths, and whether the way is the best or nearly so."""
    found = {}
    for n in (75, 150, 300):
        steps = lesson.played(n, seed)
        happened = {step[:2]: step[2:] for step in steps}
        value = lesson.dyna_return(steps, lambda obs, action, happened=happened: happened[obs, action], 20, seed)
        found[n] = {"return": value, "found": float(value > 0.5)}
    return found


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


@experiment("promises", play=3200, episodes=6, half=STEPS // 2, steps=STEPS, twice=2 * STEPS)
def promises(lesson, seed):
    """Where every question was tried: is the imagined return the lower one whatever the training, and is it so because episodes break off?"""
    found = {}
    for name, steps in (("half", STEPS // 2), ("once", STEPS), ("twice", 2 * STEPS)):
        imagine = lesson.Imagination(lesson.train_world(lesson.SIZES[-1], seed, steps), seed)
        found[name] = promised(lesson, imagine, lesson.planner(imagine, seed), seed)
    return found


def promised(lesson, imagine, decide, seed, episodes=6):
    """Mean imagined and real returns, the share of imagined episodes that broke off, and the mean return of those that did not."""
    starts, returns, broken = lesson.house.observations()[:3], [], []

    def world(obs, action):
        broken[-1] |= (outcome := imagine(obs, action)) is None
        return outcome

    for i in range(episodes):
        broken.append(False)
        returns.append(lesson.play(world, decide, starts[i % 3]))
    whole = [value for value, cut in zip(returns, broken) if not cut]
    return {
        "imagined": sum(returns) / episodes,
        "real": lesson.mean_return(lesson.true_world(seed), decide, episodes),
        "broken off": sum(broken) / episodes,
        "whole": sum(whole) / len(whole) if whole else 0.0,
    }


@experiment("other_lives", seeds=range(5, 10), steps=STEPS, play=200, episodes=3)
def other_lives(lesson, seed):
    """The same for 200 steps of play of five more seeds: how much hangs on what those few steps left out?"""
    model, errors = lesson.train_and_test(200, seed, STEPS)
    imagined, real = lesson.plan_twice(model, seed, episodes=3)
    return errors | {"imagined": imagined, "real": real}


@experiment("search", steps=STEPS, episodes=9)
def search(lesson, seed):
    """Rollouts, tree search, and tree search with the clone as prior, at equal numbers of calls: in the house, and in a learned world."""
    episodes = lesson.random_play(lesson.House(), lesson.SIZES[-1], torch.Generator().manual_seed(100 + seed))
    return searched(lesson, lesson.clones_prior(*lesson.train_clone(episodes, seed)), lesson.train_world(lesson.SIZES[-1], seed), seed)


@experiment("search_longer", steps=2 * STEPS, episodes=9)
def search_longer(lesson, seed):
    """The same with a clone and a learned world that were both trained for twice the steps."""
    episodes = lesson.random_play(lesson.House(), lesson.SIZES[-1], torch.Generator().manual_seed(100 + seed))
    _, wishes = lesson.train_clone(episodes, seed)
    texts = lesson.return_conditioned([[step[:3] for step in episode] for episode in episodes])
    lines = ["<rtg>" + piece for text in texts for piece in text.split("<rtg>")[1:]]
    clone = lesson.train_on(lines, "<act>", seed, 2 * STEPS, batch=32)
    return searched(lesson, lesson.clones_prior(clone, wishes), lesson.train_world(lesson.SIZES[-1], seed, 2 * STEPS), seed)


def searched(lesson, prior, model, seed):
    """The searches in the house, with more and more calls, and in the world that `model` has learned."""
    return {
        "least trust": least_trust(lesson, prior),
        "prior alone": lesson.mean_return(lesson.true_world(seed), likeliest(lesson, prior), 9),
        "house": lesson.compare_searches(prior, lesson.true_world, (30, 100, 300, 1000), seed),
        "learned": lesson.compare_searches(prior, lambda s: lesson.Imagination(model, s), (300,), seed),
    }


def likeliest(lesson, prior):
    """The player that takes the action that the prior likes best, without any search."""
    return lambda obs, collected: lesson.house.actions(obs)[int(prior(obs).argmax())]


def least_trust(lesson, prior):
    """Of the places on the best ways: the least probability that the prior leaves to the best actions (of equals, to all together)."""
    table, names, verbs = lesson.house.to_mdp(), lesson.house.observations(), lesson.house.all_actions()
    value, q = torch.zeros(len(names), dtype=torch.float64), torch.zeros_like(table.reward)
    for _ in range(100):
        q = table.reward + lesson.GAMMA * table.transition @ value
        value = q.amax(dim=1).masked_fill(table.terminal, 0.0)
    least, ways = 1.0, names[:3]
    for obs in ways:  # grows while it is read
        s, chances = names.index(obs), dict(zip(lesson.house.actions(obs), prior(obs).tolist()))
        best = [action for action in chances if q[s, verbs.index(action)] > value[s] - 1e-9]
        least = min(least, sum(chances[action] for action in best))
        after = [lesson.house.outcomes(obs, action)[0] for action in best]
        ways += [o.next_obs for o in after if not o.terminated and o.next_obs not in ways]
    return least


@experiment("lengths", steps=STEPS, rollouts=300)
def lengths(lesson, seed):
    """Rollouts of 1 to 16 steps: how many are right from end to end, how far the mean return is off, and what is said of both beforehand."""
    return followed(lesson, seed, STEPS)


@experiment("lengths_longer", steps=2 * STEPS, rollouts=300)
def lengths_longer(lesson, seed):
    """The same with twice the training steps: is it the play or the training that makes long rollouts go wrong?"""
    return followed(lesson, seed, 2 * STEPS)


def followed(lesson, seed, steps):
    """For two amounts of play: the errors of all questions, and what becomes of rollouts by their length."""
    found = {}
    for size in (200, 3200):
        model = lesson.train_world(size, seed, steps)
        wrong = lesson.one_step_errors(model, 10 + seed)
        mean, worst = sum(wrong) / len(wrong), max(wrong)
        found[size] = {"wrong": mean, "worst": worst, "flawless": sum(share == 0 for share in wrong) / len(wrong)}
        for n, run in lesson.by_length(model, 20 + seed).items():
            found[size][n] = {**run, "foretold": (1 - mean) ** n, "bound": lesson.lemma(worst, n)}
    return found


@experiment("chance", seeds=range(10), steps=STEPS, longer=2 * STEPS)
def chance(lesson, seed):
    """Is the model calibrated where the house has chance, after as many training steps and twice; and what does it say to questions left out?"""
    unseen, tried = lesson.leave_out(seed)
    return {
        "short": calibration(lesson.learn_chance(seed, STEPS)),
        "long": calibration(lesson.learn_chance(seed, 2 * STEPS)),
        "unseen": sum(unseen) / len(unseen),
        "all or nothing": sum(share < 0.15 or share > 0.75 for share in unseen) / len(unseen),
        "tried": sum(tried) / len(tried),
    }


@experiment("chance_longest", seeds=range(10), steps=4 * STEPS)
def chance_longest(lesson, seed):
    """Does the model come nearer still with four times the training steps?"""
    return calibration(lesson.learn_chance(seed, 4 * STEPS))


def calibration(rows):
    """Mean distances of what the model says and of what happened in the play from the truth, and the share of third answers."""
    n = len(rows)
    return {
        "model": sum(abs(row["model"] - row["truth"]) for row in rows) / n,
        "play": sum(abs(row["play"] - row["truth"]) for row in rows) / n,
        "third": sum(row["third"] for row in rows) / n,
    }
