"""Hidden checks of lesson 01: other sizes, edges, statistics of whole runs."""

import numpy as np
import pytest
import torch
from scipy import signal, stats

from autograde.checking import expect
from autograde.checking.calls import each, repeated
from autograde.grader.run.symmetries import Backwards, Scaled
from utils.mdp import Experience, TabularMDP, TabularModel

# Asked through these, an answer is the same: by `grader.run.other_inputs`.
SYMMETRIES = {
    **dict.fromkeys(("q_learning_update", "sarsa_update"), [Scaled((0, 3))]),
    **dict.fromkeys(("discounted_returns", "policy_value"), [Scaled((0,))]),
    "fit_model": [Scaled((0,)), Backwards()],
    "sample_posterior_model": [Backwards()],
    **dict.fromkeys(("q_planning", "sarsa_planning", "monte_carlo_planning"), [Scaled((0,))]),
    "epsilon_greedy": [Scaled((0,), alike=True)],
    "sample_model": [Scaled((0,), results=(1,))],
    "dyna_q": [Scaled((0,), results=(0,))],
}


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def optimal_q(model, gamma, sweeps=400):
    q = torch.zeros_like(model.reward)
    for _ in range(sweeps):
        value = q.max(-1).values.masked_fill(model.terminal, 0)
        q = (model.reward + gamma * model.transition @ value) * (model.counts > 0)
    return q


def start_at(model, *states):
    start = torch.zeros(len(model.terminal), dtype=model.reward.dtype)
    for state in states:
        start[state] += 1 / len(states)
    return model.as_mdp(start)


def after(q, state, action, target, alpha):
    wanted = q.clone()
    wanted[state, action] = (1 - alpha) * q[state, action] + alpha * target
    return wanted


def binomial(successes, n, p, message, slack=0):
    """`successes` of n tries are compatible with probability p (two-sided, below 1e-7), give or take `slack` early tries."""
    low, high = stats.binom.ppf(5e-8, n, p) - slack, stats.binom.ppf(1 - 5e-8, n, p) + slack
    expect.true(low <= successes <= high, message)


# ---------------------------------------------------------------------------------------------------- updates
def one_by_one(first, other):
    """The first arguments, and then with each of them alone as in `other`."""
    return [first, *((*first[:i], other[i], *first[i + 1 :]) for i in range(len(first)))]


@pytest.mark.exercise("q_learning_update")
def test_q_learning_where_the_step_stays(student):
    """A step back into its own state, and rows that are all negative."""
    q = -expect.rand(7, 2, seed=1, dtype=torch.float64) * 50 - 1
    got = student.q_learning_update(q.clone(), 6, 0, 3.0, 6, False, 0.9, 0.6)
    expect.close(got, after(q, 6, 0, 3.0 + 0.6 * q[6].max(), 0.9), where="a step that stays in its state")
    got = student.q_learning_update(q.clone(), 0, 1, -3.0, 5, False, 1.0, 0.95)
    expect.close(got, after(q, 0, 1, -3.0 + 0.95 * q[5].max(), 1.0), where="a table of negative values")
    for step in one_by_one((0, 1, -3.0, 5, False, 1.0, 0.95), (2, 0, 4.0, 3, True, 0.5, 0.25)):
        s, a, reward, s2, ended, alpha, gamma = step
        got = student.q_learning_update(q.clone(), *step)
        expect.close(got, after(q, s, a, reward + (0.0 if ended else gamma * q[s2].max()), alpha), where="steps that differ in one number")


@pytest.mark.exercise("q_learning_update", weight=0.5)
def test_q_learning_keeps_dtype_and_device(student):
    """The table's dtype and device are kept."""
    q = expect.randn(4, 3, seed=2)
    expect.close(student.q_learning_update(q, 1, 1, 0.5, 2, True, 0.5, 0.9), after(q, 1, 1, 0.5, 0.5), where="a float32 table")
    expect.keeps_dtype(student.q_learning_update, q, 1, 2, 0.1, 3, False, 0.5, 0.9)
    update, step = student.q_learning_update, (1, 2, 0.1, 3, False, 0.5, 0.9)
    expect.precise(lambda q: update(q, *step), lambda q: after(q, 1, 2, 0.1 + 0.9 * q[3].max(), 0.5), q, where="one step")
    expect.follows_device(student.q_learning_update, q, 1, 2, 0.1, 3, False, 0.5, 0.9)


@pytest.mark.exercise("sarsa_update")
def test_sarsa_where_the_step_stays(student):
    """A step back into its own pair, and into another state's row."""
    q = expect.randn(6, 4, seed=3, dtype=torch.float64, scale=20.0)
    got = student.sarsa_update(q.clone(), 5, 3, 3.0, 5, 3, False, 0.6, 0.75)
    expect.close(got, after(q, 5, 3, 3.0 + 0.75 * q[5, 3], 0.6), where="a step into its own pair")
    for action in range(4):
        got = student.sarsa_update(q.clone(), 2, 1, -7.0, 4, action, False, 1.0, 0.5)
        expect.close(got, after(q, 2, 1, -7.0 + 0.5 * q[4, action], 1.0), where="every next action in turn")
    for step in one_by_one((2, 1, -7.0, 4, 3, False, 1.0, 0.5), (5, 0, 2.0, 1, 0, True, 0.25, 0.75)):
        s, a, reward, s2, a2, ended, alpha, gamma = step
        got = student.sarsa_update(q.clone(), *step)
        expect.close(got, after(q, s, a, reward + (0.0 if ended else gamma * q[s2, a2]), alpha), where="steps that differ in one number")


@pytest.mark.exercise("sarsa_update", weight=0.5)
def test_sarsa_keeps_dtype_and_device(student):
    """dtype and device are kept, and gradients reach the old table."""
    q = expect.randn(4, 3, seed=2)
    expect.keeps_dtype(student.sarsa_update, q, 1, 2, 0.1, 3, 0, False, 0.5, 0.9)
    expect.follows_device(student.sarsa_update, q, 1, 2, 0.1, 3, 0, False, 0.5, 0.9)
    mask = torch.zeros(4, 3, dtype=torch.float64)
    mask[1, 2] = 0.5
    inputs = (q.double(), 1, 2, 0.1, 3, 0, False, 0.5, 0.9)
    expect.gradients(student, student.sarsa_update, inputs, lambda q, *_: q + mask * (0.1 + 0.9 * q[3, 0] - q[1, 2]), where="q (4, 3)")


# ---------------------------------------------------------------------------------------------------- returns
@pytest.mark.exercise("discounted_returns", weight=2)
@pytest.mark.parametrize("gamma", [0.97, 0.3, 1.0, pytest.param(0.0, marks=pytest.mark.trivial)])
def test_returns_against_a_filter(student, gamma):
    """Returns of a long episode, for several discounts and the limits 0 and 1."""
    rewards = expect.randn(211, seed=7, dtype=torch.float64, scale=5.0)
    want = signal.lfilter([1.0], [1.0, -gamma], rewards.numpy()[::-1])[::-1].copy()
    expect.close(student.discounted_returns(rewards, gamma), torch.from_numpy(want), where="a long episode")


@pytest.mark.exercise("discounted_returns", weight=0.5)
def test_returns_in_float32_and_on_meta(student):
    """Late returns of a long float32 episode are as good as early ones; device and inputs are respected."""
    rewards = expect.randn(300, seed=8)
    want = signal.lfilter([1.0], [1.0, -0.5], rewards.double().numpy()[::-1])[::-1].copy()
    expect.close(student.discounted_returns(rewards, 0.5), torch.from_numpy(want).float(), where="300 float32 rewards")
    expect.follows_device(student.discounted_returns, rewards[:6], 0.5)
    expect.inputs_unchanged(student, student.discounted_returns, rewards[:6], 0.5)


@pytest.mark.exercise("discounted_returns", weight=0.25)
@pytest.mark.trivial
def test_returns_of_no_step(student):
    """An empty episode has no returns."""
    empty = torch.zeros(0, dtype=torch.float64)
    expect.close(student.discounted_returns(empty, 0.9), empty, where="an empty episode")


# ---------------------------------------------------------------------------------------------------- ε-greedy
def draws(student, row, epsilon, n, seed):
    generator = seeded(seed)
    return repeated(student.epsilon_greedy, n, row, epsilon, generator)


@pytest.mark.exercise("epsilon_greedy", weight=1.5)
def test_exploring_and_ties_together(student):
    """Exploration and ties at once."""
    row = torch.tensor([-2.0, -1.0, -7.0, -1.0, -3.0, -1.0], dtype=torch.float64)
    low, high = 0.6 / 6, 0.4 / 3 + 0.6 / 6
    expect.frequencies(draws(student, row, 0.6, 280, seed=3), [low, high, low, high, low, high], where="six values, three best, ε 0.6")


@pytest.mark.exercise("epsilon_greedy", weight=0.5)
@pytest.mark.trivial
def test_actions_repeat_with_the_seed(student):
    """Every draw uses the generator: the same seed gives the same actions."""
    row = torch.tensor([1.0, 3.0, 2.0, 3.0, 0.0], dtype=torch.float64)
    one, same = (draws(student, row, 0.5, 120, seed=6) for _ in range(2))
    expect.true(one == same, "Two generators of the same seed gave different actions: a draw does not use `generator`")


@pytest.mark.exercise("epsilon_greedy")
@pytest.mark.trivial
def test_the_limits_of_exploration(student):
    """ε = 1 is uniform however good one action is; a single action is always taken."""
    expect.frequencies(draws(student, torch.tensor([1e6, -1e6, 0.0]), 1.0, 150, seed=4), [1 / 3] * 3, where="three values far apart, ε 1")
    expect.true({int(a) for a in draws(student, torch.tensor([-1.0]), 0.5, 5, seed=5)} == {0}, "With one action there is nothing to choose")


@pytest.mark.trivial
@pytest.mark.exercise("epsilon_greedy", weight=0.5)
def test_a_small_epsilon_is_not_zero(student):
    """ε = 0.04 explores now and then."""
    drawn = {int(action) for action in draws(student, torch.tensor([0.0] * 19 + [1.0]), 0.04, 450, seed=9)}
    expect.true(len(drawn) > 1, "Of 450 actions with ε = 0.04 not one explored")


@pytest.mark.exercise("epsilon_greedy", weight=0.5)
def test_values_that_hardly_differ(student):
    """The best action is the best one, by however little; the row is left alone."""
    generator = seeded(6)
    for best in (1, 2):
        row = torch.ones(3, dtype=torch.float64)
        row[best] += 1e-12
        got = {int(a) for a in each(student.epsilon_greedy, [(row.clone(), 0.0, generator) for _ in range(20)])}
        expect.true(got == {best}, "Of values that differ in the twelfth digit the action must still be the best one")
    expect.inputs_unchanged(student, student.epsilon_greedy, row, 0.5, seeded(7))


@pytest.mark.exercise("epsilon_greedy", weight=0.5)
@pytest.mark.trivial
def test_where_all_are_equal_none_is_preferred(student):
    """A row of equal values, as every new table has it: all actions are drawn."""
    generator = seeded(8)
    drawn = repeated(student.epsilon_greedy, 160, torch.zeros(4), 0.0, generator)
    expect.frequencies(drawn, [0.25] * 4, where="four equal values and ε 0 (160 draws)")


# ---------------------------------------------------------------------------------------------------- the model
def random_steps(n, n_states, n_actions, seed, ends=()):
    """Steps of no particular world; a step into `ends` is terminated three times in four."""
    rng = np.random.default_rng(seed)
    steps = []
    for _ in range(n):
        s2 = int(rng.integers(n_states))
        steps.append(
            (int(rng.integers(n_states - 1)), int(rng.integers(n_actions)), float(rng.normal(2, 3)), s2, s2 in ends and rng.random() < 0.75)
        )
    return steps


@pytest.mark.exercise("fit_model", weight=3)
def test_a_large_experience(student):
    """Frequencies, mean rewards, counts and ends of a large experience."""
    steps = random_steps(2500, 7, 3, seed=1, ends=(2, 6))
    seen, total, ends = np.zeros((7, 3, 7)), np.zeros((7, 3)), np.zeros(7, dtype=bool)
    for s, a, r, s2, done in steps:
        seen[s, a, s2] += 1
        total[s, a] += r
        ends[s2] |= done
    tries = seen.sum(-1)
    model = student.fit_model(Experience.from_steps(steps), 7, 3)
    expect.close(model.transition, torch.from_numpy(seen / np.maximum(tries, 1)[..., None]), where="a large experience, `transition`")
    expect.close(model.reward, torch.from_numpy(total / np.maximum(tries, 1)), where="a large experience, `reward`")
    expect.close(torch.as_tensor(model.counts).double(), torch.from_numpy(tries), where="a large experience, `counts`")
    expect.equal(model.terminal, torch.from_numpy(ends), where="a large experience, `terminal`")


@pytest.mark.exercise("fit_model")
def test_an_end_stays_an_end(student):
    """A state that a terminated step led to is terminal, whatever a later step into it says."""
    steps = [(0, 1, 1.0, 2, True), (1, 0, 0.5, 2, False), (1, 1, 2.0, 0, False)]
    model = student.fit_model(Experience.from_steps(steps), 3, 2)
    expect.equal(model.terminal, torch.tensor([False, False, True]), where="two steps into one state, of which the first is terminated")


@pytest.mark.exercise("fit_model")
@pytest.mark.trivial
def test_an_empty_experience(student):
    """No experience gives a model of zeros, of the right shapes."""
    model = student.fit_model(Experience.from_steps([]), 4, 3)
    expect.close(model.transition, torch.zeros(4, 3, 4, dtype=torch.float64), where="no experience, `transition`")
    expect.close(model.reward, torch.zeros(4, 3, dtype=torch.float64), where="no experience, `reward`")
    expect.equal(model.terminal, torch.zeros(4, dtype=torch.bool), where="no experience, `terminal`")


@pytest.mark.exercise("fit_model")
@pytest.mark.trivial
def test_model_dtype_and_inputs(student):
    """The tables have the dtype of the rewards, and the experience is not changed."""
    for dtype in (torch.float32, torch.float64):
        lived = Experience.from_steps(random_steps(40, 5, 2, seed=2, ends=(4,)), dtype)
        before = [x.clone() for x in (lived.state, lived.action, lived.reward, lived.next_state, lived.terminated)]
        model = student.fit_model(lived, 5, 2)
        expect.true(
            model.transition.dtype == dtype and model.reward.dtype == dtype, "`transition` and `reward` must have the dtype of the rewards"
        )
        now = (lived.state, lived.action, lived.reward, lived.next_state, lived.terminated)
        expect.true(all(torch.equal(x, y) for x, y in zip(before, now)), "The experience must not be changed")


@pytest.mark.exercise("fit_model", weight=0.5)
def test_every_experience_has_its_own_model(student):
    """Two experiences of the same length, one after the other."""
    for state, reward in ((0, 2.0), (1, -5.0)):
        got = student.fit_model(Experience.from_steps([(state, 1, reward, 2, True), (state, 1, reward + 1, 1, False)]), 3, 2)
        want = torch.zeros(3, 2, dtype=torch.float64)
        want[state, 1] = reward + 0.5
        expect.close(got.reward, want, where="two steps among 3 states, `reward`")
        expect.close(got.transition[state, 1], torch.tensor([0.0, 0.5, 0.5], dtype=torch.float64), where="two steps, `transition`")
    for n_states, n_actions in ((4, 2), (4, 3)):
        got = student.fit_model(Experience.from_steps([(0, 1, 2.0, 2, True), (0, 1, 3.0, 1, False)]), n_states, n_actions)
        shapes = tuple(got.transition.shape), tuple(got.reward.shape)
        where = f"{n_states} states and {n_actions} actions"
        expect.equal(shapes, ((n_states, n_actions, n_states), (n_states, n_actions)), where=where)


@pytest.mark.exercise("sample_model", weight=1.5)
def test_samples_of_one_stream(student):
    """Draws of several pairs from one generator, ends included."""
    model = TabularModel.from_rows({(0, 2): (-2.5, {1: 0.12, 3: 0.88}), (1, 0): (0.5, {0: 0.85, 2: 0.15})}, 4, 3, terminal=[3])
    generator, seen = seeded(7), {0: [], 1: []}
    pairs = [(0, 2), (1, 0)] * 120
    steps = each(student.sample_model, [(model, *pair, generator) for pair in pairs])
    for (state, _), (next_state, reward, terminated) in zip(pairs, steps):
        expect.true(bool(terminated) == (int(next_state) == 3), "A sampled step is terminated exactly when its next state is terminal")
        expect.close(float(reward), -2.5 if state == 0 else 0.5, where="the reward of a sampled step")
        seen[state].append(next_state)
    expect.frequencies(seen[0], [0, 0.12, 0, 0.88], where="the next states of the first pair")
    expect.frequencies(seen[1], [0.85, 0, 0.15, 0], where="the next states of the second pair")


@pytest.mark.exercise("sample_model", weight=0.5)
@pytest.mark.trivial
def test_samples_repeat_with_the_seed(student):
    """The same seed gives the same samples; untried pairs of a tried state are errors too."""
    model = TabularModel.from_rows({(5, 1): (1.0, {s: 1 / 8 for s in range(8)})}, 8, 2)
    one, same = seeded(3), seeded(3)
    first, second = ([int(step[0]) for step in repeated(student.sample_model, 20, model, 5, 1, g)] for g in (one, same))
    expect.true(first == second, "Two generators of the same seed gave different samples")
    expect.raises(ValueError, student.sample_model, model, 5, 0, seeded(0), where="an action never tried in a state that was")


@pytest.mark.exercise("sample_model", weight=0.5)
def test_unlikely_states_and_worthless_pairs(student):
    """A next state of probability 0.04 comes now and then; a pair that pays nothing was tried all the same."""
    model = TabularModel.from_rows({(1, 1): (0.0, {1: 0.96, 2: 0.04})}, 3, 2)
    generator = seeded(9)
    drawn = repeated(student.sample_model, 1200, model, 1, 1, generator)
    expect.frequencies([int(step[0]) for step in drawn], [0.0, 0.96, 0.04], where="a row 0, 0.96, 0.04 (1,200 draws)")
    expect.close([step[1] for step in drawn], [0.0] * 1200, where="a pair that pays nothing: the rewards")
    expect.inputs_unchanged(student, student.sample_model, model, 1, 1, seeded(0))


# ---------------------------------------------------------------------------------------------------- planners
CYCLE = TabularModel.from_rows(
    {
        (0, 0): (2.0, {1: 1.0}), (0, 1): (0.5, {3: 1.0}), (0, 2): (1.0, {0: 1.0}),
        (1, 0): (-3.0, {2: 1.0}), (1, 1): (0.0, {0: 1.0}), (1, 2): (4.0, {5: 1.0}),
        (2, 0): (6.0, {3: 1.0}), (2, 1): (1.0, {2: 1.0}), (2, 2): (0.0, {5: 1.0}),
        (3, 0): (-1.0, {4: 1.0}), (3, 1): (2.5, {0: 1.0}), (3, 2): (9.0, {5: 1.0}),
        (4, 0): (0.0, {2: 1.0}), (4, 1): (3.0, {4: 1.0}), (4, 2): (-5.0, {5: 1.0}),
    }, 6, 3, terminal=[5],
)  # fmt: skip


@pytest.mark.exercise("q_planning", weight=1.5)
def test_q_planning_with_another_step_size(student):
    """At convergence the table is q*, for another model and α < 1."""
    got = student.q_planning(CYCLE, 3500, 0.7, 0.7, seeded(3))
    expect.close(got, optimal_q(CYCLE, 0.7), where="6 states, 3 actions", atol=1e-4)


@pytest.mark.exercise("q_planning", weight=1.5)
def test_q_planning_in_a_stochastic_model(student):
    """In a stochastic model the values settle around q*."""
    rows = {
        (0, 0): (1.0, {1: 0.6, 2: 0.4}),
        (0, 1): (0.5, {2: 1.0}),
        (1, 0): (4.0, {3: 1.0}),
        (2, 1): (-4.0, {3: 1.0}),
        (2, 0): (-6.0, {3: 1.0}),
    }
    model = TabularModel.from_rows(rows | {(1, 1): (2.0, {3: 1.0})}, 4, 2, terminal=[3])
    got = student.q_planning(model, 5000, 0.01, 0.9, seeded(5))
    # the first entry's noise has a standard deviation of 0.9 · 8 · 0.49 · √(0.01 / 1.99) = 0.25
    expect.close(got[0, 0].item(), 1 + 0.9 * (0.6 * 4 - 0.4 * 4), where="a stochastic pair", atol=1.7)
    expect.close(got[2, 1].item(), -4.0, where="a certain pair of the same model", atol=0.05)


@pytest.mark.exercise("q_planning")
@pytest.mark.trivial
def test_q_planning_at_the_edges(student):
    """A terminal state whose pairs were tried, float32, and the same seed twice."""
    narrow = TabularModel.from_rows({(0, 0): (1.0, {1: 1.0}), (1, 0): (8.0, {2: 1.0})}, 3, 1, terminal=[1], dtype=torch.float32)
    coin = TabularModel.from_rows({(0, 0): (1.0, {0: 0.5, 1: 0.5}), (1, 0): (3.0, {0: 0.5, 2: 0.5})}, 3, 1, terminal=[2])
    one, same = (student.q_planning(coin, 40, 0.5, 0.8, seeded(2)) for _ in range(2))
    expect.true(torch.equal(one, same), "Two generators of the same seed gave different tables")
    first = student.q_planning(narrow, 40, 1.0, 0.5, seeded(2))
    expect.true(first.dtype == torch.float32, "The table must have the dtype of the model")
    expect.close(float(first[0, 0]), 1.0, where="a step into a terminal state: its value is 0")


def counted(value, goal, alpha):
    """How many updates with step size α take 0 to `value` on the way to `goal`."""
    return round(float(np.log1p(-float(value) / goal) / np.log1p(-alpha)))


@pytest.mark.exercise("q_planning", weight=0.5)
def test_q_planning_does_as_many_updates_as_asked(student):
    """`steps` counts single updates, however many pairs there are."""
    rows = {(0, a): (2.0, {1: 1.0}) for a in range(4)}
    model = TabularModel.from_rows(rows, 2, 4, terminal=[1])
    got = student.q_planning(model, 60, 0.05, 0.9, seeded(8))
    done = sum(counted(got[0, a], 2.0, 0.05) for a in range(4))
    expect.true(done == 60, "`steps` must be the number of updates, over all pairs together")


@pytest.mark.exercise("q_planning", weight=0.5)
@pytest.mark.trivial
def test_q_planning_without_experience(student):
    """A model in which nothing was tried gives the zero table."""
    empty = TabularModel.from_rows({}, 3, 2, terminal=[2])
    expect.close(
        student.q_planning(empty, 20, 0.5, 0.9, seeded(1)), torch.zeros(3, 2, dtype=torch.float64), where="a model of no experience"
    )


@pytest.mark.exercise("q_planning", weight=0.5)
def test_q_planning_begins_anew_with_every_call(student):
    """A second model of the same sizes is planned with for itself, and a generator is drawn from for good."""
    for reward in (2.0, -3.0):
        model = TabularModel.from_rows({(1, 0): (reward, {0: 1.0})}, 2, 1, terminal=[0])
        want = torch.tensor([[0.0], [reward]], dtype=torch.float64)
        expect.close(student.q_planning(model, 3, 1.0, 0.9, seeded(0)), want, where="one pair that ends the episode")
    coin, generator = TabularModel.from_rows({(0, 0): (1.0, {0: 0.5, 1: 0.5})}, 2, 1, terminal=[1]), seeded(1)
    first, second = (student.q_planning(coin, 40, 0.1, 0.9, generator) for _ in range(2))
    message = "Two calls with one generator gave the same table: draw from `generator` itself, not from a copy"
    expect.true(not torch.equal(first, second), message)


@pytest.mark.exercise("q_planning", weight=0.5)
@pytest.mark.trivial
def test_planning_leaves_the_model_alone(student):
    """The model's tables are as they were."""
    model = TabularModel.from_rows({(0, 0): (1.0, {1: 1.0}), (1, 1): (-2.0, {0: 0.5, 2: 0.5})}, 3, 2, terminal=[2])
    expect.inputs_unchanged(student, student.q_planning, model, 5, 0.5, 0.9, seeded(0))


BANDIT = TabularModel.from_rows({(1, 0): (-1.0, {2: 1.0}), (1, 1): (3.0, {2: 1.0}), (1, 2): (-2.0, {2: 1.0})}, 3, 3, terminal=[2])


@pytest.mark.exercise("sarsa_planning", weight=1.5)
def test_sarsa_planning_explores_as_told(student):
    """Actions are ε-greedy: each update counts one visit."""
    got = student.sarsa_planning(BANDIT, torch.tensor([1]), 400, 0.002, 0.9, 0.6, 10, seeded(1))
    visits = [counted(got[1, a], goal, 0.002) for a, goal in enumerate((-1.0, 3.0, -2.0))]
    expect.true(sum(visits) == 400, "Every one-step episode must be one update")
    for a in (0, 2):
        binomial(visits[a], 400, 0.2, "A worse action must be tried with probability ε / |A|", slack=4)


@pytest.mark.exercise("sarsa_planning")
def test_sarsa_planning_starts_uniformly(student):
    """Start states are drawn uniformly."""
    model = TabularModel.from_rows({(s, 0): (2.0, {0: 1.0}) for s in (1, 2, 4, 5)}, 6, 1, terminal=[0])
    got = student.sarsa_planning(model, torch.tensor([1, 4, 5]), 400, 0.002, 0.9, 0.3, 10, seeded(2))
    expect.close(float(got[2, 0]), 0.0, where="a state that is no start state and is never reached")
    for s in (1, 4, 5):
        binomial(counted(got[s, 0], 2.0, 0.002), 400, 1 / 3, "Each start state must be drawn equally often")


@pytest.mark.exercise("sarsa_planning", weight=1.5)
def test_sarsa_planning_settles_between_greedy_and_random(student):
    """With ε between 0 and 1 values are those of the ε-greedy policy."""
    rows = {(0, a): (0.5, {1: 1.0}) for a in range(2)} | {(1, 0): (10.0, {2: 1.0}), (1, 1): (-10.0, {2: 1.0})}
    model = TabularModel.from_rows(rows, 3, 2, terminal=[2])
    got = student.sarsa_planning(model, torch.tensor([0]), 1000, 0.01, 0.9, 0.5, 10, seeded(3))
    # the first value's mean is 0.5 + 0.9 · (0.75 · 10 − 0.25 · 10) = 5, its noise 0.9 · 20 · 0.433 · √(0.01 / 1.99) = 0.55
    visited = got[0].max().item()
    expect.true(1.3 < visited < 8.4, "With ε = 0.5 the first value must lie between the random policy's 0.5 and the best one's 9.5, near 5")
    expect.close(float(got[1, 0]), 10.0, where="the better last action", atol=0.1)


# the experience knows a step out of state 1, but every episode that reaches it is over
BEYOND = TabularModel.from_rows({(0, 0): (1.0, {1: 1.0}), (1, 0): (8.0, {2: 1.0})}, 3, 1, terminal=[1])


@pytest.mark.exercise("sarsa_planning", weight=0.5)
def test_sarsa_planning_stops_at_the_end(student):
    """A terminated episode is over, also where the model knows steps beyond."""
    got = student.sarsa_planning(BEYOND, torch.tensor([0]), 5, 1.0, 0.5, 0.2, 10, seeded(0))
    expect.close(got, torch.tensor([[1.0], [0.0], [0.0]], dtype=torch.float64), where="a model with steps beyond a terminal state")


@pytest.mark.exercise("sarsa_planning", weight=0.5)
@pytest.mark.trivial
def test_sarsa_planning_repeats_with_the_seed(student):
    """The same seed gives the same table, of the model's dtype; no episodes give zeros."""
    narrow = TabularModel.from_rows({(0, 0): (1.0, {0: 0.5, 1: 0.5}), (0, 1): (2.0, {0: 1.0})}, 2, 2, terminal=[1], dtype=torch.float32)
    first, second = (student.sarsa_planning(narrow, torch.tensor([0]), 40, 0.5, 0.9, 0.5, 6, seeded(4)) for _ in range(2))
    expect.true(torch.equal(first, second), "Two generators of the same seed gave different tables")
    expect.true(first.dtype == torch.float32, "The table must have the dtype of the model")
    expect.close(student.sarsa_planning(narrow, torch.tensor([0]), 0, 0.5, 0.9, 0.5, 6, seeded(4)), torch.zeros(2, 2), where="no episodes")


HUNDRED = TabularModel.from_rows(
    {(s, 0): (1.0 + s, {100: 1.0}) for s in range(100)}, 101, 1, terminal=[100]
)  # of few starts two draws can be alike
FROM_A_COPY = "Two calls with one generator gave the same table: draw from `generator` itself, not from a copy"
MANY_STARTS = TabularModel.from_rows({(s, 0): (1.0 + s, {6: 1.0}) for s in range(6)}, 7, 1, terminal=[6])


@pytest.mark.exercise("sarsa_planning", weight=0.5)
@pytest.mark.trivial
def test_sarsa_planning_draws_starts_from_the_generator(student):
    """The same seed gives the same episodes, their start states included; a generator is drawn from for good."""
    first, second = (student.sarsa_planning(MANY_STARTS, torch.arange(6), 25, 0.1, 0.9, 0.3, 5, seeded(7)) for _ in range(2))
    expect.true(torch.equal(first, second), "Two generators of the same seed gave different start states: a draw does not use `generator`")
    generator = seeded(7)
    first, second = (student.sarsa_planning(HUNDRED, torch.arange(100), 20, 0.1, 0.9, 0.3, 5, generator) for _ in range(2))
    expect.true(not torch.equal(first, second), FROM_A_COPY)


@pytest.mark.exercise("sarsa_planning", weight=0.5)
def test_sarsa_planning_begins_anew_with_every_call(student):
    """A second model of the same sizes is planned with for itself."""
    for reward in (2.0, -3.0):
        model = TabularModel.from_rows({(1, 0): (reward, {0: 1.0})}, 2, 1, terminal=[0])
        got = student.sarsa_planning(model, torch.tensor([1]), 2, 1.0, 0.9, 0.1, 5, seeded(0))
        expect.close(got, torch.tensor([[0.0], [reward]], dtype=torch.float64), where="one pair that ends the episode")


@pytest.mark.exercise("sarsa_planning", weight=0.5)
def test_sarsa_planning_of_long_episodes(student):
    """Episodes of 150 steps, and a model that is left alone."""
    loop = TabularModel.from_rows({(0, 0): (2.0, {0: 1.0})}, 1, 1)
    want = torch.tensor([[20.0 * (1 - (1 - 0.001) ** 300)]], dtype=torch.float64)
    got = student.sarsa_planning(loop, torch.tensor([0]), 2, 0.01, 0.9, 0.5, 150, seeded(0))
    expect.close(got, want, where="one pair that loops to itself, 2 episodes of max_steps=150")
    expect.inputs_unchanged(student, student.sarsa_planning, loop, torch.tensor([0]), 1, 0.5, 0.9, 0.2, 3, seeded(0))


@pytest.mark.exercise("monte_carlo_planning", weight=0.5)
@pytest.mark.trivial
def test_monte_carlo_planning_draws_starts_from_the_generator(student):
    """The same seed gives the same episodes, their start states included; a generator is drawn from for good."""
    first, second = (student.monte_carlo_planning(HUNDRED, torch.arange(100), 20, 0.9, 0.3, 5, seeded(7)) for _ in range(2))
    expect.true(torch.equal(first, second), "Two generators of the same seed gave different start states: a draw does not use `generator`")
    generator = seeded(7)
    first, second = (student.monte_carlo_planning(HUNDRED, torch.arange(100), 20, 0.9, 0.3, 5, generator) for _ in range(2))
    expect.true(not torch.equal(first, second), FROM_A_COPY)


@pytest.mark.exercise("monte_carlo_planning", weight=1.5)
def test_monte_carlo_planning_explores_as_told(student):
    """Actions are ε-greedy: an earlier value is the mean of what the policy did later."""
    rows = {(0, a): (0.0, {1: 1.0}) for a in range(2)} | {(1, 0): (0.0, {2: 1.0}), (1, 1): (1.0, {2: 1.0})}
    model = TabularModel.from_rows(rows, 3, 2, terminal=[2])
    got = student.monte_carlo_planning(model, torch.tensor([1]), 30, 0.9, 0.6, 10, seeded(0))
    expect.close(got[1], torch.tensor([0.0, 1.0], dtype=torch.float64), where="the last step's two actions")
    other = TabularModel.from_rows(rows | {(1, 1): (-2.0, {2: 1.0})}, 3, 2, terminal=[2])
    got = student.monte_carlo_planning(other, torch.tensor([1]), 30, 0.9, 0.6, 10, seeded(0))
    expect.close(
        got[1], torch.tensor([0.0, -2.0], dtype=torch.float64), where="the last step's two actions in a second model of the same sizes"
    )
    got = student.monte_carlo_planning(model, torch.tensor([0]), 1000, 0.5, 0.6, 10, seeded(1))[0]
    # each entry is 0.5 · the share of the better action (probability 0.7) after it; at least 500 visits to one of them, so 0.01 of noise
    expect.true(
        0.29 < got.max() < 0.47,
        "With ε = 0.6 and two actions the better one is taken with probability 0.7, and the earlier values must say so",
    )


@pytest.mark.exercise("monte_carlo_planning", weight=1.5)
def test_monte_carlo_planning_of_cut_episodes(student):
    """An episode cut at `max_steps` uses the rewards it has, every visit counted."""
    loop = TabularModel.from_rows({(0, 0): (3.0, {0: 1.0})}, 1, 1)
    want = 3.0 * ((1 + 0.9 + 0.81) + (1 + 0.9) + 1) / 3
    got = student.monte_carlo_planning(loop, torch.tensor([0]), 4, 0.9, 0.2, 3, seeded(0))
    expect.close(got, torch.tensor([[want]], dtype=torch.float64), where="a pair that loops to itself, episodes of max_steps=3")


@pytest.mark.exercise("monte_carlo_planning", weight=0.5)
def test_monte_carlo_planning_stops_at_the_end(student):
    """A terminated episode is over, also where the model knows steps beyond."""
    got = student.monte_carlo_planning(BEYOND, torch.tensor([0]), 5, 0.5, 0.2, 10, seeded(0))
    expect.close(got, torch.tensor([[1.0], [0.0], [0.0]], dtype=torch.float64), where="a model with steps beyond a terminal state")


@pytest.mark.exercise("monte_carlo_planning")
def test_monte_carlo_planning_starts_anywhere(student):
    """Every start state is used, and no other."""
    model = TabularModel.from_rows({(s, 0): (float(s), {0: 1.0}) for s in range(1, 7)}, 7, 1, terminal=[0])
    got = student.monte_carlo_planning(model, torch.tensor([2, 3, 6]), 80, 0.9, 0.3, 10, seeded(2))
    expect.close(got[:, 0], torch.tensor([0.0, 0, 2, 3, 0, 0, 6], dtype=torch.float64), where="three start states of seven")


@pytest.mark.exercise("monte_carlo_planning")
def test_monte_carlo_planning_finds_the_better_way(student):
    """Control: the greedy action of the table is the best one."""
    rows = {(0, 0): (1.0, {2: 1.0}), (0, 1): (-1.0, {1: 1.0}), (1, 0): (9.0, {2: 1.0}), (1, 1): (-9.0, {2: 1.0})}
    model = TabularModel.from_rows(rows, 3, 2, terminal=[2])
    got = student.monte_carlo_planning(model, torch.tensor([0]), 1000, 0.9, 0.2, 10, seeded(3))
    expect.true(got[0, 1] > 1.2 and abs(got[0, 0] - 1) < 1e-6, "Paying 1 for a later 9 must come out as the better action")
    coin = TabularModel.from_rows({(0, 0): (1.0, {0: 0.5, 1: 0.5})}, 2, 1, terminal=[1])
    first, second = (student.monte_carlo_planning(coin, torch.tensor([0]), 40, 0.9, 0.5, 30, seeded(4)) for _ in range(2))
    expect.true(torch.equal(first, second), "Two generators of the same seed gave different tables")


@pytest.mark.exercise("monte_carlo_planning", weight=0.5)
def test_monte_carlo_planning_in_double_precision(student):
    """A float64 model's returns are float64 all the way."""
    chain = TabularModel.from_rows({(0, 0): (1 / 3, {1: 1.0}), (1, 0): (-0.7, {2: 1.0})}, 3, 1, terminal=[2])
    got = student.monte_carlo_planning(chain, torch.tensor([0]), 3, 0.9, 0.3, 10, seeded(0))
    want = torch.tensor([[1 / 3 - 0.9 * 0.7], [-0.7], [0.0]], dtype=torch.float64)
    expect.close(got, want, where="rewards of 1/3 and −0.7", rtol=1e-11)


@pytest.mark.exercise("monte_carlo_planning", weight=0.5)
def test_monte_carlo_planning_of_long_episodes(student):
    """Episodes of 150 steps, and a model that is left alone."""
    loop = TabularModel.from_rows({(0, 0): (2.0, {0: 1.0})}, 1, 1)
    want = sum(20.0 * (1 - 0.9**k) for k in range(1, 151)) / 150
    got = student.monte_carlo_planning(loop, torch.tensor([0]), 2, 0.9, 0.5, 150, seeded(0))
    expect.close(got, torch.tensor([[want]], dtype=torch.float64), where="one pair that loops to itself, 2 episodes of max_steps=150")
    expect.inputs_unchanged(student, student.monte_carlo_planning, loop, torch.tensor([0]), 1, 0.9, 0.2, 3, seeded(0))


# ---------------------------------------------------------------------------------------------------- Dyna
@pytest.mark.exercise("dyna_q", weight=1.5)
def test_dyna_truncates_without_terminating(student):
    """An episode cut at `max_steps` still bootstraps, and begins anew at a start state."""
    rows = {(s, 0): (1.0 + s, {s + 1: 1.0}) for s in range(5)}
    world = start_at(TabularModel.from_rows(rows, 6, 1, terminal=[5]), 0)
    values = [0.0] * 6
    for _ in range(4):
        for s in range(3):
            values[s] += 0.5 * (1.0 + s + 0.8 * values[s + 1] - values[s])
    got, steps = student.dyna_q(world, 4, 0, 0.5, 0.8, 0.3, 3, seeded(0))
    expect.close(got[:, 0], torch.tensor(values, dtype=torch.float64), where="a chain of 5 steps cut after 3")
    expect.equal([int(n) for n in steps], [3, 3, 3, 3], where="the real steps of cut episodes")


@pytest.mark.exercise("dyna_q", weight=1.5)
def test_dyna_explores_as_told(student):
    """Real actions are ε-greedy in the table, for the ε that is given."""
    # 900 episodes tell 0.6 from 1 and from the 0.2 and 0.3 of public checks
    got, _ = student.dyna_q(start_at(BANDIT, 1), 900, 0, 0.002, 0.9, 0.6, 10, seeded(1))
    visits = [counted(got[1, a], goal, 0.002) for a, goal in enumerate((-1.0, 3.0, -2.0))]
    expect.true(sum(visits) == 900, "Without planning every real step is one update")
    for a in (0, 2):
        binomial(visits[a], 900, 0.2, "A worse action must be tried with probability ε / |A|", slack=4)


@pytest.mark.exercise("dyna_q")
def test_dyna_starts_where_the_world_starts(student):
    """Episodes begin in states drawn from `mdp.start`."""
    world = start_at(TabularModel.from_rows({(s, 0): (2.0, {0: 1.0}) for s in (1, 2, 3, 4)}, 5, 1, terminal=[0]), 2, 4, 4, 4)
    got, steps = student.dyna_q(world, 300, 0, 0.002, 0.9, 0.3, 10, seeded(2))
    expect.close(got[[1, 3], 0], torch.zeros(2, dtype=torch.float64), where="states where no episode starts")
    binomial(counted(got[2, 0], 2.0, 0.002), 300, 0.25, "A start state of probability 0.25 must begin a quarter of the episodes")
    expect.equal([int(n) for n in steps], [1] * 300, where="the real steps of one-step episodes")


@pytest.mark.exercise("dyna_q", weight=1.5)
def test_dyna_in_another_world(student):
    """A random walker's table becomes q* in a larger world."""
    got, _ = student.dyna_q(start_at(CYCLE, 0, 1, 4), 200, 6, 0.9, 0.7, 1.0, 25, seeded(3))
    expect.close(got, optimal_q(CYCLE, 0.7), where="6 states, 3 actions", atol=1e-3)


@pytest.mark.exercise("dyna_q")
def test_dyna_plans_with_earlier_episodes(student):
    """What was tried in an earlier episode is planned with too."""
    rows = {(s, 0): (1.0 + s, {s + 1: 1.0}) for s in range(4)}
    world = start_at(TabularModel.from_rows(rows, 5, 1, terminal=[4]), 0, 2)
    both = 0
    for seed in range(20):  # two episodes of two steps: from 0 and from 2, in either order, or twice from the same
        got, _ = student.dyna_q(world, 2, 90, 1.0, 0.5, 0.3, 2, seeded(seed))
        if got[0, 0] != 0 and got[2, 0] != 0:
            both += 1
            want = torch.tensor([3.25, 4.5, 5.0, 4.0, 0.0], dtype=torch.float64)
            expect.close(got[:, 0], want, where="a chain of 4 steps lived in two halves, 90 planning steps after each real one")
    expect.true(both > 0, "Episodes must begin in states drawn from `mdp.start`")


@pytest.mark.exercise("dyna_q", weight=0.5)
@pytest.mark.trivial
def test_dyna_keeps_learning_its_model(student):
    """A pair's later outcomes reach the planning model too."""
    rows = {(0, 0): (1.0, {1: 0.5, 2: 0.5}), (1, 0): (4.0, {4: 1.0}), (2, 0): (-1.0, {3: 1.0}), (3, 0): (-3.0, {4: 1.0})}
    world = start_at(TabularModel.from_rows(rows, 5, 1, terminal=[4]), 0)
    worth = {2: 1 + 0.5 * 4, 3: 1 + 0.5 * (-1 - 0.5 * 3)}  # of the first pair, by the length of the episode its outcome leads to
    stuck = []
    for seed in range(32):
        got, steps = student.dyna_q(world, 3, 60, 0.5, 0.5, 0.3, 10, seeded(seed))
        first, second, third = (int(n) for n in steps)
        if second == third != first:
            stuck.append(abs(float(got[0, 0]) - worth.get(first, 0.0)) < 0.02)
    message = "Where two later outcomes of a pair differ from its first one, planning must not go on imagining the first alone"
    expect.true(not stuck or not all(stuck), message)


@pytest.mark.exercise("dyna_q", weight=1)
def test_dyna_imagines_every_outcome_seen(student):
    """Planning draws from all outcomes seen for a pair, not from the newest alone."""
    rows = {(0, 0): (0.0, {1: 0.5, 2: 0.5}), (1, 0): (1.0, {2: 1.0})}
    world = start_at(TabularModel.from_rows(rows, 3, 1, terminal=[2]), 0)
    got, _ = student.dyna_q(world, 40, 300, 0.04, 0.9, 0.3, 5, seeded(9))
    # sampling noise of the model and of the updates: a standard deviation of about 0.1 around 0.45; the newest outcome alone gives 0 or 0.9
    expect.close(float(got[0, 0]), 0.45, where="a pair with two outcomes that are equally likely", atol=0.4)


@pytest.mark.exercise("dyna_q", weight=0.5)
@pytest.mark.trivial
def test_dyna_draws_starts_from_the_generator(student):
    """The same seed gives the same episodes, their start states included; a generator is drawn from for good."""
    world = start_at(MANY_STARTS, *range(6))
    (first, _), (second, _) = (student.dyna_q(world, 25, 0, 0.1, 0.9, 0.3, 5, seeded(7)) for _ in range(2))
    expect.true(torch.equal(first, second), "Two generators of the same seed gave different start states: a draw does not use `generator`")
    world, generator = start_at(HUNDRED, *range(100)), seeded(7)
    (first, _), (second, _) = (student.dyna_q(world, 20, 0, 0.1, 0.9, 0.3, 5, generator) for _ in range(2))
    expect.true(not torch.equal(first, second), FROM_A_COPY)


@pytest.mark.exercise("dyna_q", weight=0.5)
@pytest.mark.trivial
def test_dyna_repeats_with_the_seed(student):
    """The same seed gives the same table and steps, of the world's dtype."""
    model = TabularModel.from_rows(
        {(0, 0): (1.0, {0: 0.5, 1: 0.5}), (0, 1): (2.0, {0: 0.9, 1: 0.1})}, 2, 2, terminal=[1], dtype=torch.float32
    )
    (first, one), (second, two) = (student.dyna_q(start_at(model, 0), 5, 3, 0.5, 0.9, 0.5, 9, seeded(4)) for _ in range(2))
    expect.true(torch.equal(first, second) and list(one) == list(two), "Two generators of the same seed gave different runs")
    expect.true(first.dtype == torch.float32, "The table must have the dtype of the world")
    expect.true(
        isinstance(one, list) and all(isinstance(n, int) and 1 <= n <= 9 for n in one),
        "`steps` must be a list of ints between 1 and `max_steps`",
    )


# ---------------------------------------------------------------------------------------------------- exact values
def random_mdp(n_states, n_actions, terminal, seed, dtype=torch.float64):
    transition = expect.rand(n_states, n_actions, n_states, seed=seed, dtype=dtype) ** 3
    reward = expect.randn(n_states, n_actions, seed=seed + 1, dtype=dtype, scale=3.0) - 2.0
    ends = torch.zeros(n_states, dtype=torch.bool)
    ends[list(terminal)] = True
    return TabularMDP(transition / transition.sum(-1, keepdim=True), reward, ends, torch.full((n_states,), 1 / n_states, dtype=dtype))


def evaluated(mdp, policy, gamma, sweeps=2500):
    value = torch.zeros_like(mdp.reward[:, 0])
    for _ in range(sweeps):
        value = (policy * (mdp.reward + gamma * mdp.transition @ value)).sum(-1).masked_fill(mdp.terminal, 0)
    return value


@pytest.mark.exercise("policy_value", weight=2)
@pytest.mark.parametrize("ends", [(0,), (1, 3, 10), ()])
def test_value_against_iteration(student, ends):
    """Values of a random policy in a larger world, with and without ends."""
    mdp, policy = random_mdp(11, 4, ends, seed=20), expect.randn(11, 4, seed=22, dtype=torch.float64, scale=2).softmax(-1)
    expect.close(student.policy_value(mdp, policy, 0.98), evaluated(mdp, policy, 0.98), where="11 states, 4 actions", rtol=1e-6)


@pytest.mark.exercise("policy_value")
def test_value_of_certain_policies(student):
    """Deterministic policies, γ = 0, float32."""
    mdp = random_mdp(5, 3, (4,), seed=30)
    policy = torch.nn.functional.one_hot(torch.tensor([2, 0, 1, 1, 2]), 3).double()
    expect.close(student.policy_value(mdp, policy, 0.7), evaluated(mdp, policy, 0.7), where="a deterministic policy", rtol=1e-6)
    expect.close(student.policy_value(mdp, policy, 0.0), (policy * mdp.reward).sum(-1).masked_fill(mdp.terminal, 0), where="γ = 0")
    expect.precise(lambda p: student.policy_value(mdp, p, 0.9), lambda p: evaluated(mdp, p, 0.9), policy, where="5 states, 3 actions")
    narrow = random_mdp(5, 3, (4,), seed=30, dtype=torch.float32)
    expect.close(
        student.policy_value(narrow, policy.float(), 0.7), evaluated(narrow, policy.float(), 0.7), where="float32", rtol=1e-3, atol=1e-3
    )


@pytest.mark.exercise("policy_value")
def test_value_in_a_model_with_gaps(student):
    """In a learned model, pairs never tried are worth 0; gradients reach the policy."""
    model = TabularModel.from_rows({(0, 0): (2.0, {1: 1.0}), (1, 1): (5.0, {2: 0.5, 3: 0.5})}, 4, 2, terminal=[3])
    world, policy = start_at(model, 0), torch.full((4, 2), 0.5, dtype=torch.float64)
    expect.close(
        student.policy_value(world, policy, 0.8),
        torch.tensor([2.0, 2.5, 0, 0], dtype=torch.float64),
        where="a model with two tried pairs of eight",
    )
    inputs = (random_mdp(4, 3, (2,), seed=40), expect.rand(4, 3, seed=42, dtype=torch.float64), 0.1)

    def oracle(mdp, policy, gamma):
        return evaluated(mdp, policy, gamma, sweeps=40)

    expect.gradients(student, student.policy_value, inputs, oracle, where="4 states, 3 actions", rtol=1e-5)


# ---------------------------------------------------------------------------------------------------- posterior
@pytest.mark.exercise("sample_posterior_model", weight=1.5)
def test_posterior_of_several_rows(student):
    """Each row follows its own counts: means and variances of many draws."""
    counts = torch.tensor([[[9.0, 0.0], [2.0, 2.0], [0.0, 0.0]], [[1.0, 0.0], [0.0, 30.0], [5.0, 7.0]]], dtype=torch.float64)
    generator = seeded(3)
    drawn = torch.stack(repeated(student.sample_posterior_model, 500, counts, 2.0, generator))
    a = counts + 2.0
    for s, action in ((s, action) for s in range(2) for action in range(3)):
        one, two = (float(x) for x in a[s, action])
        p = stats.kstest(drawn[:, s, action, 0].numpy(), stats.beta(one, two).cdf).pvalue
        expect.true(p > 1e-8, "Each row must be drawn from Dirichlet(counts + prior) of its own counts")
    expect.true(drawn.dtype == torch.float64, "float64 counts must give a float64 model")


@pytest.mark.exercise("sample_posterior_model")
@pytest.mark.trivial
def test_posterior_rows_are_independent(student):
    """Rows with equal counts are drawn independently of each other."""
    got = student.sample_posterior_model(torch.ones(2, 400, 2, dtype=torch.float64), 1.0, seeded(6))
    expect.true(got[:, :, 0].std() > 0.2, "Rows with equal counts must differ: each is a draw of its own")
    correlation = float(torch.corrcoef(got[:, :, 0])[0, 1])
    expect.true(abs(correlation) < 0.28, "Rows of different states must be independent")


@pytest.mark.exercise("sample_posterior_model", weight=0.25)
@pytest.mark.trivial
def test_posterior_rows_sum_to_one_in_double_precision(student):
    """float64 counts are computed with in float64 all the way."""
    counts = (expect.rand(3, 2, 5, seed=10, dtype=torch.float64) * 6).floor()
    got = student.sample_posterior_model(counts, 0.5, seeded(11))
    expect.close(got.sum(-1), torch.ones(3, 2, dtype=torch.float64), where="the sum of each row, float64", rtol=1e-12, atol=1e-12)


# ---------------------------------------------------------------------------------------------------- stretch
@pytest.mark.exercise("prioritized_sweeping")
def test_sweeping_in_a_stochastic_model(student):
    """A stochastic model with pairs never tried."""
    rows = {(0, 0): (1.0, {1: 0.7, 2: 0.3}), (1, 1): (4.0, {0: 0.5, 3: 0.5}), (2, 0): (2.0, {2: 0.2, 1: 0.8}), (0, 1): (0.5, {3: 1.0})}
    model = TabularModel.from_rows(rows, 4, 2, terminal=[3])
    got, updates = student.prioritized_sweeping(model, 0.9, 1e-10)
    expect.close(got, optimal_q(model, 0.9), where="a stochastic model", atol=1e-6)
    expect.close(student.prioritized_sweeping(model, 0.5, 1e-10)[0], optimal_q(model, 0.5), where="the same model, γ 0.5", atol=1e-6)
    nothing, none = student.prioritized_sweeping(model, 0.9, 100.0)
    expect.true(int(none) == 0 and bool((nothing == 0).all()), "No error is above θ = 100 here, so nothing is updated")
    _, cut = student.prioritized_sweeping(model, 0.9, 1e-10, 7)
    expect.true(int(cut) <= 7 < int(updates), "`max_updates` must stop it")


@pytest.mark.exercise("prioritized_sweeping")
def test_sweeping_ends_at_a_terminal_state(student):
    """A terminal state whose pairs were tried: what it is worth to come there is 0."""
    model = TabularModel.from_rows({(0, 0): (1.0, {1: 0.5, 2: 0.5}), (1, 0): (8.0, {2: 1.0}), (2, 0): (3.0, {0: 1.0})}, 3, 1, terminal=[1])
    got, _ = student.prioritized_sweeping(model, 0.5, 1e-9)
    expect.close(got, optimal_q(model, 0.5), where="3 states, of which the second is terminal", atol=1e-6)


@pytest.mark.exercise("prioritized_sweeping")
def test_sweeping_takes_the_largest_error_first(student):
    """Where every step pays a little and the last one much, the last one comes first, and each pair needs one update; θ may be 0."""
    for sign in (1, -1):
        rows = {(s, 0): (sign * (10.0 if s == 19 else 0.5), {s + 1: 1.0}) for s in range(20)}
        model = TabularModel.from_rows(rows, 21, 1, terminal=[20])
        model = TabularModel(model.transition, model.reward, (model.counts > 0).double(), model.terminal)  # each pair tried once
        got, updates = student.prioritized_sweeping(model, 0.5, 0.0, 5000)
        expect.close(got, optimal_q(model, 0.5), where="a chain of 20 steps with a reward in each", atol=1e-9)
        expect.true(int(updates) == 20, "Largest error first, a chain of 20 pairs needs 20 updates: the last pair, then backwards")


def one_step_world(*rewards, dtype=torch.float64):
    """State 0 starts; action a pays `rewards[a]` and leads to the end."""
    rows = {(0, a): (reward, {1: 1.0}) for a, reward in enumerate(rewards)}
    return start_at(TabularModel.from_rows(rows, 2, len(rewards), terminal=[1], dtype=dtype), 0)


@pytest.mark.exercise("dyna_q_plus", weight=1.5)
def test_plus_counts_from_the_last_real_try(student):
    """The bonus counts from the last real try over episodes and worlds, and imagined steps do not count as tries."""
    rows = {(s, 0): (1.0 + s, {s + 1: 1.0}) for s in range(4)}
    world = start_at(TabularModel.from_rows(rows, 5, 1, terminal=[4]), 0)
    other = TabularMDP(world.transition, world.reward, world.terminal, torch.tensor([0, 0, 1.0, 0, 0], dtype=torch.float64))
    got, rewards = student.dyna_q_plus([(world, 4), (other, 4)], 120, 1.0, 0.5, 0.4, 0.3, seeded(11))
    expect.close(rewards, torch.tensor([1.0, 2, 3, 4, 3, 4, 3, 4], dtype=torch.float64), where="a new start after the change: the rewards")
    q2, q3 = 3 + 0.3 + 0.5 * 4, 4.0
    q1 = 2 + 0.3 * 6**0.5 + 0.5 * q2
    want = torch.tensor([1 + 0.3 * 7**0.5 + 0.5 * q1, q1, q2, q3, 0.0], dtype=torch.float64)
    expect.close(got[:, 0], want, where="a chain whose later half alone is lived after the change")


@pytest.mark.exercise("dyna_q_plus")
def test_plus_plans_for_states_where_it_has_acted(student):
    """Planning picks states in which the agent has acted, no others, and every one of their actions."""
    rows = {(0, 0): (1.0, {1: 1.0}), (0, 1): (1.0, {1: 1.0}), (0, 2): (1.0, {1: 1.0})}
    world = start_at(TabularModel.from_rows(rows, 3, 3, terminal=[2]), 0)
    got, _ = student.dyna_q_plus([(world, 1)], 150, 1.0, 0.5, 0.4, 0.7, seeded(12))
    expect.close(got[1:], torch.zeros(2, 3, dtype=torch.float64), where="states where the agent has not acted yet")
    expect.close(got[0].sort().values, torch.tensor([1.0, 1.4, 1.4], dtype=torch.float64), where="one tried action and two others, γ 0.5")


@pytest.mark.exercise("dyna_q_plus")
def test_plus_explores_as_told(student):
    """Real actions are ε-greedy in the table."""
    _, rewards = student.dyna_q_plus([(one_step_world(1.0, 0.0, 0.0), 600)], 2, 0.5, 0.9, 0.6, 0.0, seeded(13))
    binomial(int((rewards == 0).sum()), 600, 0.4, "A worse action must be tried with probability ε / |A|", slack=6)


@pytest.mark.exercise("dyna_q_plus")
def test_plus_starts_where_the_world_starts(student):
    """Episodes begin in states drawn from the start of the world at that time."""
    rows = {(s, 0): (float(s), {0: 1.0}) for s in (1, 2, 3)}
    model = TabularModel.from_rows(rows, 4, 1, terminal=[0])
    _, rewards = student.dyna_q_plus([(start_at(model, 1, 2, 2, 2), 300), (start_at(model, 3), 2)], 0, 0.1, 0.9, 0.3, 0.1, seeded(14))
    binomial(int((rewards[:300] == 1).sum()), 300, 0.25, "A start state of probability 0.25 must begin a quarter of the episodes")
    expect.equal(rewards[300:].tolist(), [3.0, 3.0], where="the starts after the world has changed")


@pytest.mark.exercise("dyna_q_plus", weight=0.5)
@pytest.mark.trivial
def test_plus_repeats_with_the_seed(student):
    """The same seed gives the same table and rewards, of the world's dtype; the worlds stay as they are."""
    rows = {(0, 0): (1.0, {0: 0.5, 1: 0.5}), (0, 1): (2.0, {0: 0.9, 1: 0.1})}
    world = start_at(TabularModel.from_rows(rows, 2, 2, terminal=[1], dtype=torch.float32), 0)
    (first, one), (second, two) = (student.dyna_q_plus([(world, 20), (world, 5)], 3, 0.5, 0.9, 0.5, 0.1, seeded(4)) for _ in range(2))
    expect.true(torch.equal(first, second) and torch.equal(one, two), "Two generators of the same seed gave different runs")
    expect.true(first.dtype == one.dtype == torch.float32, "The table and the rewards must have the dtype of the worlds")
    expect.inputs_unchanged(student, student.dyna_q_plus, [(world, 4), (world, 2)], 3, 0.5, 0.9, 0.5, 0.1, seeded(5))
    many = start_at(MANY_STARTS, *range(6))
    (_, one), (_, two) = (student.dyna_q_plus([(many, 25)], 0, 0.1, 0.9, 0.3, 0.2, seeded(7)) for _ in range(2))
    expect.true(torch.equal(one, two), "Two generators of the same seed gave different start states: a draw does not use `generator`")
    generator = seeded(8)
    (_, one), (_, two) = (student.dyna_q_plus([(many, 25)], 0, 0.1, 0.9, 0.3, 0.2, generator) for _ in range(2))
    expect.true(not torch.equal(one, two), "A second run with the same generator must go on where the first one left it")


@pytest.mark.exercise("dyna_q_plus")
def test_plus_in_two_worlds_of_one_size(student):
    """Two worlds of one size give each its own table and rewards."""
    for pay in (1.5, -2.5):
        got, rewards = student.dyna_q_plus([(one_step_world(pay), 6)], 2, 0.5, 0.9, 0.3, 0.2, seeded(9))
        expect.close(rewards, torch.full((6,), pay, dtype=torch.float64), where="a world of one action: the rewards")
        want = torch.tensor([[pay * (1 - 0.5**18)], [0.0]], dtype=torch.float64)
        expect.close(got, want, where="a world of one action, 6 real and 12 imagined updates")


@pytest.mark.exercise("expected_update", weight=2)
def test_expected_update_in_a_larger_model(student):
    """Every pair of a dense model with two ends, in float64 with all its digits and in float32."""
    for dtype, rtol in ((torch.float64, 1e-12), (torch.float32, 1e-5)):
        transition = expect.rand(7, 3, 7, seed=51, dtype=dtype) ** 3
        transition = transition / transition.sum(-1, keepdim=True)
        ends = torch.zeros(7, dtype=torch.bool)
        ends[[1, 4]] = True
        model = TabularModel(transition, expect.randn(7, 3, seed=52, dtype=dtype), torch.full((7, 3), 9.0, dtype=dtype), ends)
        q = expect.randn(7, 3, seed=53, dtype=dtype, scale=3.0) - 2.0
        value = q.max(-1).values.masked_fill(ends, 0)
        for state in (0, 2, 6):
            for action in range(3):
                want = after(q, state, action, model.reward[state, action] + 0.7 * (transition[state, action] * value).sum(), 1.0)
                got = student.expected_update(q, model, state, action, 0.7)
                expect.close(got, want, where="a dense model of 7 states and 3 actions", rtol=rtol)


@pytest.mark.exercise("expected_update", weight=0.5)
def test_expected_update_leaves_all_else(student):
    """Only the pair's own entry changes, also where it is a next state of itself; two models of one size give two tables."""
    for pay in (1.0, -3.0):
        model = TabularModel.from_rows({(1, 0): (pay, {1: 0.5, 0: 0.5})}, 3, 2)
        q = torch.tensor([[2.0, 4.0], [6.0, 5.0], [9.0, 9.0]], dtype=torch.float64)
        want = after(q, 1, 0, pay + 0.5 * (0.5 * 6 + 0.5 * 4), 1.0)
        expect.close(student.expected_update(q, model, 1, 0, 0.5), want, where="a pair that may lead back to its own state, γ 0.5")
    expect.inputs_unchanged(student, student.expected_update, q, model, 1, 0, 0.5)


@pytest.mark.exercise("expected_update", weight=0.5)
def test_expected_update_is_differentiable(student):
    """An expected update passes gradients on to the old table."""
    model = TabularModel.from_rows({(2, 0): (-2.0, {1: 0.6, 3: 0.3, 2: 0.1})}, 4, 2, terminal=[3])
    own = torch.zeros(4, 2, dtype=torch.float64)
    own[2, 0] = 1

    def written_out(q, *_):
        return q * (1 - own) + own * (-2.0 + 0.7 * (0.6 * q[1].max() + 0.1 * q[2].max()))

    q = expect.randn(4, 2, seed=54, dtype=torch.float64)
    expect.gradients(student, student.expected_update, (q, model, 2, 0, 0.7), written_out, where="a pair with three next states")
