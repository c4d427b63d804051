"""Public checks of lesson 01: hand-made worlds with one action pin down exact numbers, fixed points come from value iteration."""

import pytest
import torch
from scipy import stats

from autograde.checking import expect
from autograde.checking.calls import repeated
from autograde.checking.expected import oracles
from utils.mdp import Experience, TabularMDP, TabularModel

optimal_q, evaluated, chain_after = oracles(__file__, "optimal_q", "evaluated", "chain_after")
after, q_learning, returns, expected = oracles(__file__, "after", "q_learning", "returns", "expected")


def seeded(seed):
    return torch.Generator().manual_seed(seed)


def start_at(model, *states):
    """The model as a world with a uniform start in `states`."""
    start = torch.zeros(len(model.terminal), dtype=model.reward.dtype)
    start[list(states)] = 1 / len(states)
    return model.as_mdp(start)


# one action: 0 → 1 → 2 → 3 (the end), so whatever is random elsewhere is certain here
CHAIN = TabularModel.from_rows({(0, 0): (-1.0, {1: 1.0}), (1, 0): (2.0, {2: 1.0}), (2, 0): (5.0, {3: 1.0})}, 4, 1, terminal=[3])
LOOP = TabularModel.from_rows({(1, 0): (2.0, {1: 1.0})}, 2, 1)
# state 1 is terminal, and its pair was tried all the same
BEYOND = TabularModel.from_rows({(0, 0): (1.0, {1: 1.0}), (1, 0): (8.0, {2: 1.0})}, 3, 1, terminal=[1])
# two actions, deterministic, rewards of both signs, all pairs tried
MAZE = TabularModel.from_rows(
    {
        (0, 0): (1.0, {1: 1.0}), (0, 1): (-1.0, {2: 1.0}), (1, 0): (0.5, {0: 1.0}), (1, 1): (-2.0, {3: 1.0}),
        (2, 0): (-1.0, {0: 1.0}), (2, 1): (1.5, {3: 1.0}), (3, 0): (7.0, {4: 1.0}), (3, 1): (1.0, {2: 1.0}),
    }, 5, 2, terminal=[4],
)  # fmt: skip


# ---------------------------------------------------------------------------------------------------- the two updates
def table(seed=3, dtype=torch.float64):
    return expect.randn(5, 3, seed=seed, dtype=dtype, scale=3.0) - 2.0


def two_updates(update, *middle):
    q = table(5)
    return [update(q.clone(), 3, 1, -1.5, 2, *middle, False, 0.3, 0.7), update(q.clone(), 1, 2, 2.5, 4, *middle, True, 0.3, 0.7)]


@pytest.mark.exercise("q_learning_update", weight=2)
def test_q_learning_worked_number(student):
    """The lesson's worked number: −3 becomes −2.9."""
    q = torch.tensor([[0.5, -3.0, 0.25, 1.0], [-4.0, -2.0, -6.0, -5.0]], dtype=torch.float64)
    got = student.q_learning_update(q, 0, 1, -1.0, 1, False, 0.5, 0.9)
    expect.close(got, after(q, 0, 1, -2.8, 0.5), where="the worked number")


@pytest.mark.exercise("q_learning_update", weight=2)
def test_q_learning_target_takes_the_best_next_action(student):
    """The target is the reward plus γ times the best entry of the next state's row."""
    q = table()
    got = student.q_learning_update(q.clone(), 3, 1, 2.5, 0, False, 0.3, 0.7)
    expect.close(got, after(q, 3, 1, 2.5 + 0.7 * q[0].max(), 0.3), where="q (5, 3), state 3, action 1, α 0.3, γ 0.7")
    got = student.q_learning_update(q.clone(), 3, 1, 2.5, 3, False, 1.0, 0.7)
    expect.close(got, after(q, 3, 1, 2.5 + 0.7 * q[3].max(), 1.0), where="the same, with a step that leads back to state 3, α 1")


@pytest.mark.exercise("q_learning_update", weight=2)
def test_q_learning_after_a_terminated_step(student):
    """After a terminated step the target is the reward alone."""
    q = table()
    got = student.q_learning_update(q.clone(), 2, 0, -4.0, 4, True, 0.25, 0.9)
    expect.close(got, after(q, 2, 0, -4.0, 0.25), where="a terminated step into a state whose row is not zero")


@pytest.mark.exercise("q_learning_update")
@pytest.mark.trivial
def test_q_learning_leaves_the_old_table(student):
    """The old table is not changed."""
    expect.inputs_unchanged(student, student.q_learning_update, table(), 1, 2, 0.5, 3, False, 0.5, 0.9)


@pytest.mark.exercise("q_learning_update")
def test_q_learning_is_differentiable(student):
    """The new table is differentiable in the old one."""
    expect.gradients(student, student.q_learning_update, (table(), 3, 1, 1.5, 2, False, 0.4, 0.9), q_learning, where="q (5, 3)")


@pytest.mark.exercise("sarsa_update", weight=2)
def test_sarsa_worked_number(student):
    """The lesson's worked number: −3 becomes −4.7."""
    q = torch.tensor([[0.5, -3.0, 0.25, 1.0], [-4.0, -2.0, -6.0, -5.0]], dtype=torch.float64)
    expect.close(student.sarsa_update(q, 0, 1, -1.0, 1, 2, False, 0.5, 0.9), after(q, 0, 1, -6.4, 0.5), where="the worked number")


@pytest.mark.exercise("sarsa_update", weight=2)
def test_sarsa_target_takes_the_next_action(student):
    """The target uses the entry of the action that is taken next."""
    q = table()
    got = student.sarsa_update(q.clone(), 3, 1, 2.5, 0, int(q[0].argmin()), False, 0.3, 0.7)
    expect.close(got, after(q, 3, 1, 2.5 + 0.7 * q[0].min(), 0.3), where="q (5, 3), the worst action next")


@pytest.mark.exercise("sarsa_update")
def test_sarsa_after_a_terminated_step(student):
    """After a terminated step the target is the reward alone."""
    q = table()
    expect.close(student.sarsa_update(q.clone(), 2, 0, -4.0, 4, 1, True, 0.25, 0.9), after(q, 2, 0, -4.0, 0.25), where="a terminated step")


@pytest.mark.exercise("sarsa_update", weight=0.5)
@pytest.mark.trivial
def test_sarsa_leaves_the_old_table(student):
    """The old table is not changed."""
    expect.inputs_unchanged(student, student.sarsa_update, table(), 1, 2, 0.5, 3, 0, False, 0.5, 0.9)


# ---------------------------------------------------------------------------------------------------- returns
@pytest.mark.exercise("discounted_returns", weight=2)
def test_returns_of_the_worked_example(student):
    """Rewards −1, −1, 10 with γ = 0.5 give returns 1, 4, 10."""
    got = student.discounted_returns(torch.tensor([-1.0, -1.0, 10.0]), 0.5)
    expect.close(got, torch.tensor([1.0, 4.0, 10.0]), where="rewards −1, −1, 10 and γ 0.5")


@pytest.mark.exercise("discounted_returns", weight=2)
def test_returns_of_constant_rewards(student):
    """A constant reward r gives r (1 − γ^(T − t)) / (1 − γ)."""
    left = torch.arange(9, 0, -1, dtype=torch.float64)
    want = 3.0 * (1 - 0.8**left) / (1 - 0.8)
    expect.close(student.discounted_returns(torch.full((9,), 3.0, dtype=torch.float64), 0.8), want, where="nine rewards of 3, γ 0.8")
    left = torch.arange(120, 0, -1, dtype=torch.float64)
    for gamma in (0.97, 0.0):
        want = 3.0 * (1 - gamma**left) / (1 - gamma)
        got = student.discounted_returns(torch.full((120,), 3.0, dtype=torch.float64), gamma)
        expect.close(got, want, where=f"a hundred and twenty rewards of 3, γ {gamma:g}")


@pytest.mark.exercise("discounted_returns")
@pytest.mark.trivial
def test_returns_of_one_step(student):
    """One reward is its own return."""
    expect.close(student.discounted_returns(torch.tensor([-2.5]), 0.9), torch.tensor([-2.5]), where="one reward")


@pytest.mark.exercise("discounted_returns", weight=0.5)
def test_returns_are_differentiable(student):
    """Returns are differentiable in the rewards."""
    rewards = expect.randn(7, seed=4, dtype=torch.float64)
    expect.gradients(student, student.discounted_returns, (rewards, 0.6), returns, where="seven rewards, γ 0.6")


# ---------------------------------------------------------------------------------------------------- ε-greedy
def draws(student, row, epsilon, n, seed=0):
    generator = seeded(seed)
    return repeated(student.epsilon_greedy, n, row, epsilon, generator)


@pytest.mark.exercise("epsilon_greedy", weight=1.5)
def test_greedy_takes_the_best(student):
    """With ε = 0 the best action is taken, also among negative values."""
    for row, best in (([0.2, 3.0, 1.0], 1), ([-5.0, -2.0, -9.0, -2.5], 1), ([4.0, 1.0], 0), ([-1.0, -3.0, 0.0], 2)):
        got = {int(action) for action in draws(student, torch.tensor(row), 0.0, 8)}
        expect.true(got == {best}, f"With ε = 0 and values {row} the action must always be {best}", f"got {sorted(got)}")


@pytest.mark.exercise("epsilon_greedy", weight=1.5)
def test_exploring_draws_from_all_actions(student):
    """Exploration draws from all actions, the best one included."""
    row = torch.tensor([0.5, -1.0, 2.0, 1.0])
    expect.frequencies(draws(student, row, 0.8, 400), [0.2, 0.2, 0.4, 0.2], where="values 0.5, −1, 2, 1 and ε 0.8 (400 draws)")


@pytest.mark.exercise("epsilon_greedy", weight=1.5)
def test_ties_are_broken_at_random(student):
    """Equal best actions are drawn uniformly."""
    row = torch.tensor([1.0, 3.0, 3.0, 0.0, 3.0])
    expect.frequencies(draws(student, row, 0.0, 120, seed=1), [0, 1 / 3, 1 / 3, 0, 1 / 3], where="values 1, 3, 3, 0, 3 and ε 0 (120 draws)")
    low, high = 0.5 / 5, 0.5 / 3 + 0.5 / 5
    expect.frequencies(draws(student, row, 0.5, 900, seed=2), [low, high, high, low, high], where="the same values and ε 0.5 (900 draws)")


@pytest.mark.exercise("epsilon_greedy", weight=0.5)
@pytest.mark.trivial
def test_an_action_is_a_plain_int(student):
    """An action is a plain int."""
    got = draws(student, torch.tensor([0.0, 1.0]), 0.5, 6)
    expect.true(all(type(action) is int for action in got), "An action must be a plain int", f"got a {type(got[0]).__name__}")


@pytest.mark.exercise("epsilon_greedy", weight=0.5)
@pytest.mark.trivial
def test_draws_come_from_the_generator(student):
    """The same seed gives the same actions."""
    row = torch.zeros(7)
    first, second = (list(map(int, draws(student, row, 0.5, 20, seed=5))) for _ in range(2))
    expect.true(first == second, "Two generators of the same seed gave different actions; draw from `generator` and nothing else")


# ---------------------------------------------------------------------------------------------------- the model
LIVED = [  # state, action, reward, next state, terminated; state 3 and the pairs (0, 1), (2, 0) are never tried
    (0, 0, 0.0, 2, False), (0, 0, 0.0, 2, False), (2, 1, -3.0, 0, False), (0, 0, 1.0, 4, True), (0, 0, 0.0, 2, False),
    (1, 0, 2.0, 1, False), (1, 1, 5.0, 4, True), (1, 0, 4.0, 0, False), (1, 0, -1.0, 1, False),
]  # fmt: skip


def fitted(student, experience, n_states, n_actions):
    model = student.fit_model(experience, n_states, n_actions)
    expect.true(isinstance(model, TabularModel), "fit_model must return a TabularModel", f"got a {type(model).__name__}")
    return model


@pytest.mark.exercise("fit_model", weight=2)
def test_transitions_are_relative_frequencies(student):
    """T_η are relative frequencies of the next states."""
    got = fitted(student, Experience.from_steps(LIVED), 5, 2).transition
    want = torch.zeros(5, 2, 5, dtype=torch.float64)
    want[0, 0, 2], want[0, 0, 4], want[2, 1, 0] = 0.75, 0.25, 1.0
    want[1, 0, 1], want[1, 0, 0], want[1, 1, 4] = 2 / 3, 1 / 3, 1.0
    expect.close(got, want, where="nine steps among 5 states and 2 actions, `transition`")


@pytest.mark.exercise("fit_model", weight=2)
def test_rewards_are_means_of_their_pair(student):
    """R_η is the mean reward of each pair."""
    got = fitted(student, Experience.from_steps(LIVED), 5, 2).reward
    want = torch.tensor([[0.25, 0.0], [5 / 3, 5.0], [0.0, -3.0], [0.0, 0.0], [0.0, 0.0]], dtype=torch.float64)
    expect.close(got, want, where="nine steps among 5 states and 2 actions, `reward`")


@pytest.mark.exercise("fit_model")
def test_counts_of_pairs(student):
    """`counts` says how often each pair was tried."""
    got = fitted(student, Experience.from_steps(LIVED), 5, 2).counts
    want = torch.tensor([[4.0, 0.0], [3.0, 1.0], [0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    expect.close(torch.as_tensor(got).float(), want, where="nine steps among 5 states and 2 actions, `counts`")


@pytest.mark.exercise("fit_model")
@pytest.mark.trivial
def test_pairs_never_tried_are_all_zero(student):
    """Rows of pairs never tried are all zero, never NaN."""
    model = fitted(student, Experience.from_steps(LIVED), 5, 2)
    for name, rows in (("transition", model.transition[3]), ("reward", model.reward[3])):
        expect.true((rows == 0).all(), f"`{name}` must be 0 for pairs that were never tried", f"got {rows.flatten().tolist()}")


@pytest.mark.exercise("fit_model")
def test_terminal_states(student):
    """A state is terminal when a terminated step led into it."""
    got = fitted(student, Experience.from_steps(LIVED), 5, 2).terminal
    expect.equal(got, torch.tensor([False, False, False, False, True]), where="nine steps, two of them terminated in state 4, `terminal`")


@pytest.mark.exercise("sample_model", weight=1.5)
def test_next_states_follow_the_row(student):
    """The next state is drawn from the pair's row of T_η."""
    row = {0: 0.1, 2: 0.75, 5: 0.15}
    model = TabularModel.from_rows({(4, 1): (1.5, row), (1, 0): (0.0, {1: 1.0})}, 6, 2)
    generator = seeded(0)
    drawn = [step[0] for step in repeated(student.sample_model, 150, model, 4, 1, generator)]
    expect.frequencies(drawn, [row.get(s, 0) for s in range(6)], where="a row 0.1, 0, 0.75, 0, 0, 0.15 (150 draws)")


@pytest.mark.exercise("sample_model", weight=1.5)
def test_reward_and_end_of_a_sample(student):
    """The reward is the pair's, and the step is terminated when the next state is terminal."""
    for state, want in ((0, (1, -1.0, False)), (1, (2, 2.0, False)), (2, (3, 5.0, True))):
        got = student.sample_model(CHAIN, state, 0, seeded(0))
        kinds = tuple(type(part).__name__ for part in got)
        expect.true(kinds == ("int", "float", "bool"), "The three results are an int, a float and a bool", f"got {', '.join(kinds)}")
        expect.equal(got, want, where=f"the chain 0 → 1 → 2 → end, state {state}: (next_state, reward, terminated)")


@pytest.mark.exercise("sample_model")
@pytest.mark.trivial
def test_a_pair_never_tried_is_an_error(student):
    """A pair never tried raises a ValueError that names it."""
    model = TabularModel.from_rows({(0, 0): (1.0, {1: 1.0})}, 9, 2)
    expect.raises(ValueError, student.sample_model, model, 7, 1, seeded(0), naming="7", where="state 7, action 1, a pair never tried")


# ---------------------------------------------------------------------------------------------------- the planners
@pytest.mark.exercise("q_planning", weight=2)
def test_q_planning_finds_the_optimal_values(student):
    """At convergence the table is the q* of the model."""
    got = student.q_planning(MAZE, 2500, 1.0, 0.8, seeded(0))
    expect.close(got, optimal_q(MAZE, 0.8), where="a deterministic model of 5 states and 2 actions, α 1, γ 0.8, 2,500 steps", atol=1e-5)


@pytest.mark.exercise("q_planning", weight=1.5)
def test_q_planning_does_steps_updates(student):
    """It does exactly `steps` updates, with step size α."""
    for steps in (0, 1, 5):
        want = torch.zeros(2, 1, dtype=torch.float64)
        want[1, 0] = 2.0 / (1 - 0.9) * (1 - (1 - 0.2 * (1 - 0.9)) ** steps)
        got = student.q_planning(LOOP, steps, 0.2, 0.9, seeded(0))
        expect.close(got, want, where=f"one pair that loops to itself, α 0.2, γ 0.9, steps={steps}")


# one step: on to a state whose step pays 1 with probability 0.6, else to one of six ends that pay nothing
FORK = TabularModel.from_rows(
    {(0, 0): (0.0, {1: 0.6, **{end: 0.4 / 6 for end in range(2, 8)}}), (1, 0): (1.0, {8: 1.0})}, 9, 1, terminal=range(2, 9)
)


@pytest.mark.exercise("q_planning")
def test_q_planning_samples_its_outcomes(student):
    """Outcomes are drawn from the model: with small steps a value is their mean."""
    got = student.q_planning(FORK, 3000, 0.01, 1.0, seeded(0))
    # a standard deviation of 0.035
    expect.close(
        float(got[0, 0]), 0.6, where="a step that leads on to a reward of 1 with probability 0.6, else to an end: its value", atol=0.17
    )


@pytest.mark.exercise("q_planning")
def test_q_planning_leaves_pairs_never_tried(student):
    """Pairs never tried stay 0."""
    model = TabularModel.from_rows({(0, 1): (1.0, {2: 1.0}), (2, 0): (3.0, {4: 1.0}), (3, 0): (2.0, {0: 1.0})}, 5, 3, terminal=[4])
    got = student.q_planning(model, 300, 1.0, 0.5, seeded(1))
    expect.close(got, optimal_q(model, 0.5), where="three tried pairs of 15, α 1, γ 0.5")


@pytest.mark.exercise("sarsa_planning", weight=1.5)
def test_sarsa_planning_on_a_chain(student):
    """On a chain with one action the values are those of Sarsa's updates in order."""
    got = student.sarsa_planning(CHAIN, torch.tensor([0]), 3, 0.5, 0.9, 0.3, 20, seeded(0))
    expect.close(got, chain_after([0.0] * 4, 3, 0.5, 0.9), where="the chain 0 → 1 → 2 → end, 3 episodes, α 0.5, γ 0.9")


def of_a_random_player(student):
    """The table of a player that explores only, where the second step pays 4 or −2."""
    rows = {(0, a): (1.0, {1: 1.0}) for a in range(2)} | {(1, 0): (4.0, {2: 1.0}), (1, 1): (-2.0, {2: 1.0})}
    model = TabularModel.from_rows(rows, 3, 2, terminal=[2])
    return student.sarsa_planning(model, torch.tensor([0]), 900, 0.015, 0.9, 1.0, 10, seeded(0))


@pytest.mark.exercise("sarsa_planning", weight=1.5)
def test_sarsa_planning_values_the_policy_that_acts(student):
    """With ε = 1 the values are those of the random policy, not of the best one."""
    got = of_a_random_player(student)
    expect.close(got[0].mean().item(), 1.9, where="a model whose second step pays 4 or −2, ε 1: the first state's value", atol=1.1)
    expect.true(got[1, 0] > 3.5 and got[1, 1] < -1.7, "With ε = 1 both actions must be tried about equally often")


@pytest.mark.exercise("sarsa_planning", weight=0.5)
def test_sarsa_planning_without_exploration(student):
    """With ε = 0 every action is a best one, the first of an episode too."""
    model = TabularModel.from_rows({(0, 0): (2.0, {1: 1.0}), (0, 1): (3.0, {1: 1.0})}, 2, 2, terminal=[1])
    for seed in range(3):
        got = student.sarsa_planning(model, torch.tensor([0]), 12, 1.0, 0.9, 0.0, 5, seeded(seed))[0].tolist()
        expect.true(
            got in ([2.0, 0.0], [0.0, 3.0]),
            "Two actions, both pay: with ε = 0 the one that was tried first stays the best, and the other keeps its value 0",
            f"got the values {got}",
        )


@pytest.mark.exercise("sarsa_planning")
def test_sarsa_planning_cuts_episodes(student):
    """An imagined episode has at most `max_steps` steps."""
    want = torch.zeros(2, 1, dtype=torch.float64)
    want[1, 0] = 2.0 / (1 - 0.9) * (1 - (1 - 0.2 * (1 - 0.9)) ** 12)
    got = student.sarsa_planning(LOOP, torch.tensor([1]), 3, 0.2, 0.9, 0.5, 4, seeded(0))
    expect.close(got, want, where="one pair that loops to itself, 3 episodes of max_steps=4")


def one_action_twice(student):
    """In how many of 24 greedy episodes of two steps one of two equal actions was taken twice."""
    model = TabularModel.from_rows({(0, a): (-1.0, {0: 1.0}) for a in range(2)}, 1, 2)
    tables = (student.sarsa_planning(model, torch.tensor([0]), 1, 0.5, 0.0, 0.0, 2, seeded(seed)) for seed in range(24))
    return sum(sorted(table[0].tolist()) == [-0.75, 0.0] for table in tables)


@pytest.mark.exercise("sarsa_planning", weight=0.5)
def test_sarsa_planning_takes_the_action_of_its_target(student):
    """The action that the target uses is the one that is taken next."""
    expect.true(
        one_action_twice(student) > 0,
        "Both actions pay −1, and ε is 0. The second action of an episode is drawn before the first update, while both entries are equal, "
        "so in about half of all episodes it is the first action again",
        "in 24 episodes of two steps no action was taken twice (α 0.5, γ 0)",
    )


@pytest.mark.exercise("sarsa_planning")
def test_sarsa_planning_ends_where_the_model_ends(student):
    """A pair never tried ends the episode, unbootstrapped; also as its first pair."""
    model = TabularModel.from_rows({(0, 0): (-2.0, {1: 1.0}), (1, 0): (3.0, {2: 1.0})}, 4, 1)
    got = student.sarsa_planning(model, torch.tensor([3, 0]), 60, 1.0, 0.5, 0.2, 20, seeded(0))
    want = torch.tensor([[-0.5], [3.0], [0.0], [0.0]], dtype=torch.float64)
    expect.close(got, want, where="0 → 1 → 2 where state 2 was never tried, starts 3 and 0 (3 was never tried either), α 1, γ 0.5")


@pytest.mark.exercise("monte_carlo_planning", weight=1.5)
def test_monte_carlo_planning_on_a_chain(student):
    """On a chain with one action the values are the returns."""
    got = student.monte_carlo_planning(CHAIN, torch.tensor([0]), 2, 0.9, 0.3, 20, seeded(0))
    want = torch.tensor([[-1 + 0.9 * (2 + 0.9 * 5)], [2 + 0.9 * 5], [5.0], [0.0]], dtype=torch.float64)
    expect.close(got, want, where="the chain 0 → 1 → 2 → end, 2 episodes, γ 0.9")


@pytest.mark.exercise("monte_carlo_planning", weight=1.5)
def test_monte_carlo_planning_averages_returns(student):
    """A value is the plain mean of the returns so far."""
    rows = {(0, 0): (1.0, {1: 0.5, 2: 0.5}), (1, 0): (4.0, {3: 1.0}), (2, 0): (-4.0, {3: 1.0})}
    model = TabularModel.from_rows(rows, 4, 1, terminal=[3])
    won = []
    for seed in range(4):
        value = float(student.monte_carlo_planning(model, torch.tensor([0]), 7, 0.5, 0.1, 10, seeded(seed))[0, 0])
        wins = (value - 1.0 + 2.0) * 7 / 4  # the mean of 7 returns, each 1 + 0.5 · (±4)
        message = "After 7 episodes that each return 3 or −1, the value must be a mean of seven such numbers"
        expect.true(abs(wins - round(wins)) < 1e-4 and -1e-4 < wins < 7.0001, message, f"got {value:.4f}")
        won.append(round(wins))
    several = any(0 < n < 7 for n in won)
    expect.true(
        several, "Each value is that of a single return, 3 or −1, in four runs of 7 episodes: it must be the mean over all episodes"
    )


@pytest.mark.exercise("monte_carlo_planning", weight=1.5)
@pytest.mark.trivial
def test_monte_carlo_planning_counts_every_visit(student):
    """Every visit of a pair in an episode counts."""
    model = TabularModel.from_rows({(0, 0): (1.0, {0: 0.9, 1: 0.1})}, 2, 1, terminal=[1])
    tails = [sum((1 - 0.5**k) / 0.5 for k in range(1, length + 1)) / length for length in range(1, 400)]
    for seed in range(8):
        value = float(student.monte_carlo_planning(model, torch.tensor([0]), 1, 0.5, 0.1, 399, seeded(seed))[0, 0])
        message = "One episode that visits the same pair L times must give the mean of its L returns"
        expect.true(min(abs(value - tail) for tail in tails) < 1e-4, message, f"got {value:.5f}, which is no such mean")
    got = student.monte_carlo_planning(LOOP, torch.tensor([1]), 2, 0.5, 0.1, 4, seeded(0))
    want = torch.tensor([[0.0], [(3.75 + 3.5 + 3 + 2) / 4]], dtype=torch.float64)
    expect.close(got, want, where="one pair that loops to itself and pays 2, 2 episodes of max_steps=4, γ 0.5: returns 3.75, 3.5, 3 and 2")


@pytest.mark.exercise("monte_carlo_planning")
def test_monte_carlo_planning_ends_where_the_model_ends(student):
    """A pair never tried ends the episode; also as its first pair."""
    model = TabularModel.from_rows({(0, 0): (-2.0, {1: 1.0}), (1, 0): (3.0, {2: 1.0})}, 4, 1)
    got = student.monte_carlo_planning(model, torch.tensor([3, 0]), 60, 0.5, 0.2, 20, seeded(0))
    want = torch.tensor([[-0.5], [3.0], [0.0], [0.0]], dtype=torch.float64)
    expect.close(got, want, where="0 → 1 → 2 where state 2 was never tried, starts 3 and 0 (3 was never tried either), γ 0.5")


@pytest.mark.exercise("monte_carlo_planning")
def test_monte_carlo_planning_explores(student):
    """With ε = 1 every action is tried, the worse one too."""
    model = TabularModel.from_rows({(0, 0): (2.0, {1: 1.0}), (0, 1): (1.0, {1: 1.0})}, 2, 2, terminal=[1])
    got = student.monte_carlo_planning(model, torch.tensor([0]), 40, 0.5, 1.0, 10, seeded(0))
    expect.close(got[0], torch.tensor([2.0, 1.0], dtype=torch.float64), where="two actions that pay 2 and 1, 40 episodes with ε 1")


@pytest.mark.exercise("monte_carlo_planning", weight=0.5)
def test_monte_carlo_planning_without_exploration(student):
    """With ε = 0 every action is a best one, the first of an episode too."""
    model = TabularModel.from_rows({(0, 0): (2.0, {1: 1.0}), (0, 1): (3.0, {1: 1.0})}, 2, 2, terminal=[1])
    for seed in range(3):
        got = student.monte_carlo_planning(model, torch.tensor([0]), 12, 0.9, 0.0, 5, seeded(seed))[0].tolist()
        expect.true(
            got in ([2.0, 0.0], [0.0, 3.0]),
            "Two actions, both pay: with ε = 0 the one that was tried first stays the best, and the other keeps its value 0",
            f"got the values {got}",
        )


@pytest.mark.exercise("monte_carlo_planning")
def test_monte_carlo_planning_improves_the_policy(student):
    """The better action ends with the better value."""
    got = student.monte_carlo_planning(MAZE, torch.tensor([0, 1, 2, 3]), 250, 0.8, 0.3, 30, seeded(0))
    best = optimal_q(MAZE, 0.8)[:4].argmax(-1)
    expect.true((got[:4].argmax(-1) == best)[2:].all(), "After 250 imagined episodes the best actions near the goal should be known")


# ---------------------------------------------------------------------------------------------------- Dyna
@pytest.mark.exercise("dyna_q", weight=1.5)
def test_dyna_without_planning_is_q_learning(student):
    """With 0 planning steps the table is that of Q-learning on the real steps."""
    got, steps = student.dyna_q(start_at(CHAIN, 0), 3, 0, 0.5, 0.9, 0.3, 20, seeded(0))
    expect.close(got, chain_after([0.0] * 4, 3, 0.5, 0.9), where="the chain 0 → 1 → 2 → end, 3 episodes, no planning")
    expect.equal([int(n) for n in steps], [3, 3, 3], where="the real steps of each episode")


@pytest.mark.exercise("dyna_q", weight=1.5)
def test_dyna_plans_after_every_real_step(student):
    """Each real step is followed by exactly `planning_steps` imagined updates."""
    world = start_at(LOOP, 1)
    want = torch.zeros(2, 1, dtype=torch.float64)
    want[1, 0] = 2.0 / (1 - 0.9) * (1 - (1 - 0.05 * (1 - 0.9)) ** (2 * 4 * (1 + 3)))
    got, steps = student.dyna_q(world, 2, 3, 0.05, 0.9, 0.2, 4, seeded(0))
    expect.close(got, want, where="one pair that loops to itself: 2 episodes of max_steps=4, 3 planning steps (32 updates in all)")
    expect.equal([int(n) for n in steps], [4, 4], where="the real steps of each episode")


@pytest.mark.exercise("dyna_q")
def test_dyna_plans_with_all_pairs_tried(student):
    """Planning carries the end's reward back to the start within one episode."""
    got, _ = student.dyna_q(start_at(CHAIN, 0), 1, 80, 1.0, 0.9, 0.3, 20, seeded(0))
    want = torch.tensor([[-1 + 0.9 * (2 + 0.9 * 5)], [2 + 0.9 * 5], [5.0], [0.0]], dtype=torch.float64)
    expect.close(got, want, where="the chain 0 → 1 → 2 → end, 1 episode, 80 planning steps, α 1")


@pytest.mark.exercise("dyna_q", weight=0.5)
def test_dyna_begins_where_the_world_says(student):
    """Each episode begins in a state drawn from `mdp.start`."""
    world = start_at(TabularModel.from_rows({(s, 0): (2.0, {0: 1.0}) for s in (1, 2, 3)}, 4, 1, terminal=[0]), 1, 3)
    got, _ = student.dyna_q(world, 30, 0, 1.0, 0.9, 0.3, 5, seeded(0))
    want = torch.tensor([[0.0], [2.0], [0.0], [2.0]], dtype=torch.float64)
    expect.close(got, want, where="30 episodes of one step, half of which begin in state 1, half in state 3")


@pytest.mark.exercise("dyna_q", weight=1)
def test_dyna_imagines_with_what_it_has_seen(student):
    """An imagined step repeats an outcome that was seen; the world itself is not asked again."""
    world = start_at(TabularModel.from_rows({(0, 0): (1.0, {0: 0.5, 1: 0.5})}, 2, 1, terminal=[1]), 0)
    values = set()
    for seed in range(24):  # after one real step the model knows one outcome: always the end, worth 1, or always back, worth 1 / (1 − 0.5)
        got, _ = student.dyna_q(world, 1, 60, 1.0, 0.5, 0.3, 1, seeded(seed))
        values.add(round(float(got[0, 0]), 9))
    expect.true(
        values == {1.0, 2.0},
        "After a single real step planning can imagine its outcome only, so the value is 1 (the end) or 2 (back to the same state, γ 0.5)",
        f"24 runs with reward 1, α 1 and 60 planning steps gave {', '.join(f'{value:.4g}' for value in sorted(values)[:6])}",
    )


def at_the_fork(student, seed):
    """(the value of the fork, which of 12 real episodes went on), after so much planning that the value is the mean of what is imagined."""
    got, steps = student.dyna_q(start_at(FORK, 0), 12, 600, 0.01, 1.0, 0.3, 5, seeded(seed))
    return float(got[0, 0]), [int(n) == 2 for n in steps]


@pytest.mark.exercise("dyna_q", weight=1.5)
def test_dyna_imagines_outcomes_as_often_as_they_were_seen(student):
    """A pair's outcomes are imagined as often as they were seen: every outcome counts."""
    value, went_on = at_the_fork(student, 6)
    expect.true(len(went_on) == 12 and any(went_on), "`steps` must have the real steps of each of 12 episodes, 1 or 2 here")
    where = f"a step that led on to a reward of 1 in {sum(went_on)} of 12 episodes, and else to an end: its value"
    # updates with α 0.01 leave a standard deviation of 0.035
    expect.close(value, sum(went_on) / 12, where=where, atol=0.17)


@pytest.mark.exercise("dyna_q", weight=0.5)
@pytest.mark.trivial
def test_dyna_plans_with_worse_actions_too(student):
    """Planning draws from all pairs tried, not from the best action of each state alone."""
    rows = {(0, 0): (1.0, {2: 1.0}), (0, 1): (0.0, {1: 1.0}), (1, 0): (0.5, {2: 1.0}), (1, 1): (0.5, {2: 1.0})}
    world = start_at(TabularModel.from_rows(rows, 3, 2, terminal=[2]), 0)
    for seed in range(16):
        got, steps = student.dyna_q(world, 2, 60, 1.0, 1.0, 1.0, 5, seeded(seed))
        if [int(n) for n in steps] == [1, 2]:  # the way that pays 1 first, then the one that pays 0 and 0.5
            expect.close(float(got[0, 1]), 0.5, where="the worse of two ways, tried once, after 60 planning steps: its value")


@pytest.mark.exercise("dyna_q", weight=1.5)
def test_dyna_learns_the_optimal_values(student):
    """A random walker's table becomes q*: both updates are Q-learning's."""
    got, steps = student.dyna_q(start_at(MAZE, 0, 2), 50, 10, 1.0, 0.8, 1.0, 40, seeded(0))
    expect.close(got, optimal_q(MAZE, 0.8), where="a deterministic world of 5 states and 2 actions, ε 1, α 1, γ 0.8", atol=1e-4)
    expect.true(len(steps) == 50, "There must be one number of steps for each episode", f"got {len(steps)} for 50 episodes")


# ---------------------------------------------------------------------------------------------------- exact values
def random_mdp(n_states, n_actions, terminal, seed, dtype=torch.float64):
    """A dense MDP; a terminal state's rows are as arbitrary as all others, so that its value of 0 has to be made."""
    transition = expect.rand(n_states, n_actions, n_states, seed=seed, dtype=dtype) ** 3
    reward = expect.randn(n_states, n_actions, seed=seed + 1, dtype=dtype, scale=2.0) + 1.0
    ends = torch.zeros(n_states, dtype=torch.bool)
    ends[list(terminal)] = True
    return TabularMDP(transition / transition.sum(-1, keepdim=True), reward, ends, torch.full((n_states,), 1 / n_states, dtype=dtype))


def random_policy(n_states, n_actions, seed, dtype=torch.float64):
    return expect.randn(n_states, n_actions, seed=seed, dtype=dtype, scale=2.0).softmax(-1)


@pytest.mark.exercise("policy_value", weight=1)
def test_value_of_the_worked_example(student):
    """The lesson's worked number: 1.667."""
    world = TabularModel.from_rows({(0, 0): (1.0, {0: 0.5, 1: 0.5}), (1, 0): (0.0, {1: 1.0})}, 2, 1, terminal=[1]).as_mdp(
        torch.tensor([1.0, 0.0]).double()
    )
    got = student.policy_value(world, torch.ones(2, 1, dtype=torch.float64), 0.8)
    expect.close(got, torch.tensor([1 / 0.6, 0.0], dtype=torch.float64), where="a state that loops with probability 0.5, reward 1, γ 0.8")


@pytest.mark.exercise("policy_value", weight=2)
def test_value_solves_the_bellman_equation(student):
    """V = r_π + γ P_π V."""
    mdp, policy = random_mdp(6, 3, [], seed=1), random_policy(6, 3, seed=3)
    for gamma in (0.9, 0.99):
        got = student.policy_value(mdp, policy, gamma)
        expect.close(got, evaluated(mdp, policy, gamma), where=f"6 states, 3 actions, γ {gamma}", rtol=1e-6)
    expect.precise(
        lambda p: student.policy_value(mdp, p, 0.9), lambda p: evaluated(mdp, p, 0.9), policy, where="6 states, 3 actions, γ 0.9"
    )


@pytest.mark.exercise("policy_value", weight=1.5)
def test_value_of_terminal_states_is_zero(student):
    """A terminal state's value is 0, whatever its row of the tables says."""
    mdp, policy = random_mdp(7, 2, [2, 5], seed=4), random_policy(7, 2, seed=6)
    expect.close(
        student.policy_value(mdp, policy, 0.85),
        evaluated(mdp, policy, 0.85),
        where="7 states of which 2 and 5 are terminal, γ 0.85",
        rtol=1e-6,
    )


# ---------------------------------------------------------------------------------------------------- posterior
@pytest.mark.exercise("sample_posterior_model", weight=1)
@pytest.mark.trivial
def test_posterior_rows_are_distributions(student):
    """A draw is one distribution for each pair."""
    counts = (expect.rand(4, 3, 4, seed=8, dtype=torch.float64) * 6).floor()
    counts[1, 2] = 0  # a pair that was never tried: the prior alone
    got = student.sample_posterior_model(counts, 0.5, seeded(0))
    expect.close(got.sum(-1), torch.ones(4, 3, dtype=torch.float64), where="counts (4, 3, 4): the sum of each row")
    expect.true(got.shape == (4, 3, 4) and (got >= 0).all(), "A draw must have the shape of the counts and no negative entry")


@pytest.mark.exercise("sample_posterior_model", weight=2)
def test_posterior_entries_follow_the_dirichlet(student):
    """Each entry of Dirichlet(counts + prior) is Beta distributed."""
    row = torch.tensor([3.0, 1.0, 0.0], dtype=torch.float64)
    got = student.sample_posterior_model(row.expand(3, 700, 3).clone(), 0.5, seeded(1)).reshape(-1, 3)
    for entry, a in enumerate((3.5, 1.5, 0.5)):
        p = stats.kstest(got[:, entry].numpy(), stats.beta(a, 5.5 - a).cdf).pvalue
        message = "2,100 rows with counts 3, 1, 0 and prior 0.5 must be independent draws from Dirichlet(3.5, 1.5, 0.5)"
        expect.true(p > 1e-8, message, f"entry {entry} does not follow Beta({a}, {5.5 - a}); its mean is {got[:, entry].mean():.3f}")


@pytest.mark.exercise("sample_posterior_model", weight=0.5)
@pytest.mark.trivial
def test_posterior_draws_come_from_the_generator(student):
    """The same seed gives the same model, another seed another."""
    counts = torch.ones(2, 3, 2, dtype=torch.float64)
    one, same, other = (student.sample_posterior_model(counts, 0.5, seeded(seed)) for seed in (4, 4, 5))
    expect.true(torch.equal(one, same), "Two generators of the same seed gave different models; draw from `generator` and nothing else")
    expect.true(not torch.equal(one, other), "Two seeds gave the same model: a posterior draw is random")


WILD = random_mdp(5, 3, [4], seed=12)


def same_seed_same_result(call):
    """`call(generator)` gives the same with two generators of one seed."""
    one, same = call(seeded(4)), call(seeded(4))
    alike = torch.equal(torch.as_tensor(one), torch.as_tensor(same))
    expect.true(alike, "Two generators of the same seed gave different results; draw from `generator` and nothing else")


@pytest.mark.exercise("sample_model", weight=0.5)
@pytest.mark.trivial
def test_a_sample_can_be_repeated(student):
    """The same seed gives the same samples."""
    model = TabularModel.from_rows({(0, 0): (1.0, {0: 0.25, 1: 0.25, 2: 0.25, 3: 0.25})}, 4, 1)
    same_seed_same_result(lambda generator: [step[0] for step in repeated(student.sample_model, 40, model, 0, 0, generator)])


@pytest.mark.exercise("q_planning", weight=0.5)
@pytest.mark.trivial
def test_q_planning_can_be_repeated(student):
    """The same seed gives the same table."""
    same_seed_same_result(lambda generator: student.q_planning(ICE, 40, 0.5, 0.8, generator))


@pytest.mark.exercise("sarsa_planning", weight=0.5)
@pytest.mark.trivial
def test_sarsa_planning_can_be_repeated(student):
    """The same seed gives the same table."""
    same_seed_same_result(lambda generator: student.sarsa_planning(ICE, torch.tensor([0, 2]), 5, 0.5, 0.8, 0.5, 9, generator))


@pytest.mark.exercise("monte_carlo_planning", weight=0.5)
@pytest.mark.trivial
def test_monte_carlo_planning_can_be_repeated(student):
    """The same seed gives the same table."""
    same_seed_same_result(lambda generator: student.monte_carlo_planning(ICE, torch.tensor([0, 2]), 5, 0.8, 0.5, 9, generator))


@pytest.mark.exercise("dyna_q", weight=0.5)
@pytest.mark.trivial
def test_dyna_q_can_be_repeated(student):
    """The same seed gives the same table."""
    same_seed_same_result(lambda generator: student.dyna_q(WILD, 4, 3, 0.5, 0.8, 0.5, 9, generator)[0])


@pytest.mark.exercise("dyna_q_plus", weight=0.5)
@pytest.mark.trivial
def test_dyna_q_plus_can_be_repeated(student):
    """The same seed gives the same table."""
    same_seed_same_result(lambda generator: student.dyna_q_plus([(WILD, 25)], 3, 0.5, 0.8, 0.5, 0.1, generator)[0])


# ---------------------------------------------------------------------------------------------------- stretch
@pytest.mark.exercise("prioritized_sweeping", weight=2)
def test_sweeping_finds_the_optimal_values(student):
    """At its end the table is the q* of the model."""
    got, _ = student.prioritized_sweeping(MAZE, 0.8, 1e-9)
    expect.close(got, optimal_q(MAZE, 0.8), where="a deterministic model of 5 states and 2 actions, γ 0.8", atol=1e-6)
    got, _ = student.prioritized_sweeping(BEYOND, 0.5, 1e-9)
    expect.close(got, optimal_q(BEYOND, 0.5), where="a model whose state 1 is terminal, with a pair tried there", atol=1e-6)


@pytest.mark.exercise("prioritized_sweeping")
def test_sweeping_works_backwards_from_the_goal(student):
    """On a chain of 30 states, one update for each pair is enough."""
    rows = {(s, 0): (1.0 if s == 28 else 0.0, {s + 1: 1.0}) for s in range(29)}
    model = TabularModel.from_rows(rows, 30, 1, terminal=[29])
    got, updates = student.prioritized_sweeping(model, 0.9)
    expect.close(got, optimal_q(model, 0.9), where="a chain of 30 states", atol=1e-5)
    expect.true(
        updates <= 40, "On a chain whose only reward is at the end, largest error first needs one update a state", f"used {updates}"
    )


def ends(*rows):
    """A world with one step an episode: state 0 starts, action a pays `rows[a]` and leads to the end, state 1."""
    return start_at(TabularModel.from_rows({(0, a): (reward, {1: 1.0}) for a, reward in enumerate(rows)}, 2, len(rows), terminal=[1]), 0)


# a chain whose first step leads to the end in the new world
LONG = start_at(TabularModel.from_rows({(0, 0): (1.0, {1: 1.0}), (1, 0): (3.0, {2: 1.0})}, 3, 1, terminal=[2]), 0)
CUT = start_at(TabularModel.from_rows({(0, 0): (-1.0, {2: 1.0}), (1, 0): (7.0, {2: 1.0})}, 3, 1, terminal=[2]), 0)


@pytest.mark.exercise("dyna_q_plus", weight=1.5)
def test_plus_learns_from_real_steps_without_a_bonus(student):
    """Without planning the table is that of Q-learning, and the rewards are the world's, whatever κ is."""
    q, rewards = student.dyna_q_plus([(start_at(CHAIN, 0), 9)], 0, 0.5, 0.9, 0.3, 4.0, seeded(0))
    expect.close(q, chain_after([0.0] * 4, 3, 0.5, 0.9), where="the chain 0 → 1 → 2 → end, 9 real steps, no planning, κ 4: q")
    expect.close(rewards, torch.tensor([-1.0, 2.0, 5.0] * 3, dtype=torch.float64), where="the same: the rewards")


@pytest.mark.exercise("dyna_q_plus", weight=1.5)
def test_plus_adds_the_bonus_to_imagined_rewards(student):
    """The lesson's worked number: pairs last tried 2, 1 and 0 steps ago."""
    q, _ = student.dyna_q_plus([(start_at(CHAIN, 0), 3)], 90, 1.0, 0.9, 0.3, 0.5, seeded(0))
    last = 2 + 0.5 + 0.9 * 5
    want = torch.tensor([[-1 + 0.5 * 2**0.5 + 0.9 * last], [last], [5.0], [0.0]], dtype=torch.float64)
    expect.close(q, want, where="the chain 0 → 1 → 2 → end, 3 real steps, 90 planning steps after each, α 1, γ 0.9, κ 0.5: q")


@pytest.mark.exercise("dyna_q_plus", weight=1.5)
def test_plus_imagines_actions_never_tried(student):
    """An action never tried is imagined to do nothing, and its bonus counts all real steps so far."""
    q, rewards = student.dyna_q_plus([(ends(1.0, 2.0), 1)], 80, 1.0, 0.5, 0.3, 0.2, seeded(0))
    tried = float(rewards[0])
    expect.true(tried in (1.0, 2.0), "The reward of a real step is what the world pays", f"two actions that pay 1 and 2, got {tried:g}")
    want = sorted([tried, 0.2 + 0.5 * tried])
    where = "two actions, one of them tried in the single real step; 80 planning steps, α 1, γ 0.5, κ 0.2: the values, sorted"
    expect.close(q[0].sort().values, torch.tensor(want, dtype=torch.float64), where=where)


@pytest.mark.exercise("dyna_q_plus", weight=1.5)
def test_plus_models_the_newest_outcome(student):
    """After a change the model of a pair is what happened when it was last tried."""
    for seed in range(5):
        q, rewards = student.dyna_q_plus([(LONG, 2), (CUT, 1)], 80, 1.0, 0.5, 0.3, 0.0, seeded(seed))
        expect.close(rewards, torch.tensor([1.0, 3.0, -1.0], dtype=torch.float64), where="2 steps in one world, 1 in another: the rewards")
        want = torch.tensor([[-1.0], [3.0], [0.0]], dtype=torch.float64)
        expect.close(q, want, where="2 steps in one world, 1 in another, where the first pair pays −1 and ends; 80 planning steps, κ 0: q")


@pytest.mark.exercise("dyna_q_plus")
def test_plus_stays_where_it_is_when_the_world_changes(student):
    """When the world changes the agent goes on from where it stands."""
    _, rewards = student.dyna_q_plus([(LONG, 1), (CUT, 2)], 2, 0.5, 0.9, 0.3, 0.1, seeded(0))
    want = torch.tensor([1.0, 7.0, -1.0], dtype=torch.float64)
    expect.close(rewards, want, where="1 step in one world, which leads to state 1, then 2 steps in another: the rewards")


@pytest.mark.exercise("dyna_q_plus")
def test_plus_does_planning_steps_updates(student):
    """Each real step is followed by exactly `planning_steps` imagined updates."""
    want = torch.zeros(2, 1, dtype=torch.float64)
    want[1, 0] = 2.0 / (1 - 0.9) * (1 - (1 - 0.05 * (1 - 0.9)) ** (6 * (1 + 3)))
    q, _ = student.dyna_q_plus([(start_at(LOOP, 1), 4), (start_at(LOOP, 1), 2)], 3, 0.05, 0.9, 0.2, 0.5, seeded(0))
    expect.close(q, want, where="one pair that loops to itself, always just tried: 6 real steps, 3 planning steps (24 updates in all): q")


@pytest.mark.exercise("dyna_q_plus", weight=1.5)
def test_plus_finds_what_has_become_better(student):
    """A way that becomes better is found without chance (ε = 0), through its bonus."""
    before, after = ends(1.0, 0.0, 0.0), ends(1.0, 0.0, 5.0)
    _, rewards = student.dyna_q_plus([(before, 60), (after, 200)], 10, 0.5, 0.9, 0.0, 0.5, seeded(0))
    share = float((rewards[-100:] == 5).double().mean())
    message = "Of three actions the last begins to pay 5 instead of 0 after 60 steps; with κ 0.5 it must be the usual one 100 steps later"
    expect.true(share > 0.5, message, f"it was taken in {share:.0%} of the last 100 steps")


FAN = TabularModel.from_rows({(0, 0): (-1.0, {1: 0.5, 2: 0.25, 3: 0.25})}, 4, 2, terminal=[3])
ICE = TabularModel.from_rows(
    {(0, 1): (0.5, {0: 0.2, 2: 0.5, 4: 0.3}), (2, 0): (-2.0, {1: 0.6, 3: 0.4}), (3, 2): (1.5, {3: 0.7, 4: 0.1, 0: 0.2})}, 5, 3, terminal=[4]
)


@pytest.mark.exercise("expected_update", weight=2)
def test_expected_worked_number(student):
    """The lesson's worked number: 1.25."""
    q = torch.tensor([[7.0, 1.0], [4.0, -3.0], [0.5, 2.0], [8.0, 6.0]], dtype=torch.float64)
    got = student.expected_update(q.clone(), FAN, 0, 0, 0.9)
    expect.close(got, after(q, 0, 0, 1.25, 1.0), where="the worked number: three next states, the last of them terminal")


@pytest.mark.exercise("expected_update", weight=2)
def test_expected_update_takes_the_mean_of_the_best(student):
    """The target is R_η plus γ times the expected value of the best next action."""
    q = table(11)
    for state, action in ((0, 1), (2, 0), (3, 2)):
        got = student.expected_update(q.clone(), ICE, state, action, 0.8)
        expect.close(got, expected(q, ICE, state, action, 0.8), where=f"q (5, 3), state {state}, action {action}, γ 0.8, state 4 terminal")


@pytest.mark.exercise("expected_update")
@pytest.mark.trivial
def test_expected_update_leaves_table_and_model(student):
    """The old table and the model are not changed."""
    expect.inputs_unchanged(student, student.expected_update, table(11), ICE, 2, 0, 0.8)


@pytest.mark.exercise("expected_update")
def test_expected_updates_find_the_optimal_values(student):
    """Sweeps of expected updates over all tried pairs give the q* of the model."""
    q = torch.zeros(5, 3, dtype=torch.float64)
    for _ in range(30):
        for pair in ((0, 1), (2, 0), (3, 2)):
            q = student.expected_update(q, ICE, *pair, 0.5)
    expect.close(q, optimal_q(ICE, 0.5), where="30 sweeps over three pairs of a stochastic model, γ 0.5", atol=1e-6)


# ---------------------------------------------------------------------------------------------------- probes
def epsilon_summary(student):
    """What does not depend on the order of draws: how many actions share a tie, who explores, and who is greedy."""
    ties = {int(a) for a in draws(student, torch.tensor([1.0, 3.0, 3.0, 3.0]), 0.0, 60)}
    explored = [int(a) for a in draws(student, torch.tensor([2.0, 1.0]), 1.0, 60)]
    wide = {int(a) for a in draws(student, torch.tensor([2.0, 1.0, 0.0, -1.0]), 1.0, 120)}  # an action that is never explored shows, too
    return [
        len(ties),
        min(ties),
        max(ties),
        min(explored),
        max(explored),
        len(wide),
        *draws(student, torch.tensor([-4.0, -1.0, -2.0]), 0.0, 3),
    ]


UNEVEN = TabularModel.from_rows({(0, 0): (1.0, {0: 0.5, 1: 0.5}), (1, 0): (2.0, {0: 1e-12, 2: 1 - 1e-12})}, 4, 1, terminal=[2])


def sample_summary(student):
    """Certain outcomes, whether likely and unlikely ones are told apart, and whether an untried pair is refused."""
    generator = seeded(0)
    even, uneven = ([int(step[0]) for step in repeated(student.sample_model, 60, UNEVEN, s, 0, generator)] for s in (0, 1))
    try:
        refused = bool(student.sample_model(UNEVEN, 3, 0, generator)) and 0
    except ValueError:
        refused = 1
    except RuntimeError:
        refused = 2
    certain = [tuple(map(float, student.sample_model(CHAIN, s, 0, seeded(0)))) for s in range(3)]
    return [min(even), max(even), min(uneven), max(uneven), refused, *certain]


def fields(model):
    return [torch.as_tensor(x).double() for x in (model.transition, model.reward, model.counts, model.terminal)]


STARTS = TabularModel.from_rows({(1, 0): (1.0, {0: 1.0}), (2, 0): (2.0, {0: 1.0})}, 3, 1, terminal=[0])
BOTH = start_at(TabularModel.from_rows({(0, 0): (1.0, {0: 0.5, 1: 0.5}), (0, 1): (2.0, {0: 0.5, 1: 0.5})}, 2, 2, terminal=[1]), 0)


def plus_summary(student):
    """What does not depend on the order of draws: certain worlds, all outcomes of a changed one, exploration, and whether a seed repeats."""
    live = student.dyna_q_plus
    _, explored = live([(ends(1.0, 0.0, 0.0), 60)], 0, 0.5, 0.9, 1.0, 0.0, seeded(0))
    once, again = (live([(BOTH, 30)], 2, 0.5, 0.9, 1.0, 0.1, seeded(3)) for _ in range(2))
    return [
        live([(start_at(CHAIN, 0), 6)], 0, 0.5, 0.9, 0.3, 4.0, seeded(0)),
        live([(start_at(CHAIN, 0), 3)], 60, 1.0, 0.9, 0.3, 0.5, seeded(0)),
        live([(start_at(LOOP, 1), 4), (start_at(LOOP, 1), 2)], 3, 0.05, 0.9, 0.2, 0.5, seeded(0)),
        live([(ends(1.0, 1.0), 1)], 60, 1.0, 0.5, 0.3, 0.2, seeded(0))[0][0].sort().values,
        max(float(live([(LONG, 2), (CUT, 1)], 40, 1.0, 0.5, 0.3, 0.0, seeded(seed))[0][0, 0]) for seed in range(8)),
        live([(LONG, 1), (CUT, 2)], 0, 0.5, 0.9, 0.3, 0.1, seeded(0)),
        live([(start_at(STARTS, 1), 2), (start_at(STARTS, 2), 2)], 0, 0.5, 0.9, 0.3, 0.1, seeded(0))[1],
        float(explored[-30:].min()),
        float(torch.equal(once[0], again[0]) and torch.equal(once[1], again[1])),
        float(torch.equal(*(live([(start_at(STARTS, 1, 2), 30)], 0, 0.5, 0.9, 0.3, 0.1, seeded(6))[1] for _ in range(2)))),
    ]


SHORT = TabularModel.from_rows({(0, 0): (-2.0, {1: 1.0}), (1, 0): (3.0, {2: 1.0})}, 4, 1)


def sarsa_summary(student):
    """Two certain models, whether the target takes the best action, and whether a new action is drawn after the update."""
    certain = (CHAIN, torch.tensor([0]), 3, 0.5, 0.9, 0.3, 20), (LOOP, torch.tensor([1]), 3, 0.2, 0.9, 0.5, 4)
    tables = [student.sarsa_planning(*arguments, seeded(0)) for arguments in certain]
    return [*tables, int(of_a_random_player(student)[0].mean() > 3.2), int(one_action_twice(student) > 0)]


def dyna_tables(student):
    return [
        student.dyna_q(start_at(CHAIN, 0), 3, 0, 0.5, 0.9, 0.3, 20, seeded(0)),
        student.dyna_q(start_at(LOOP, 1), 2, 3, 0.05, 0.9, 0.2, 4, seeded(0)),
    ]


def outcomes_imagined(student):
    """0 where the fork's value is the mean of what was seen, 1 where it is the newest outcome's, 2 the first one's, else 3, or 4 near nothing."""
    value, went_on = at_the_fork(student, 6)
    newest, first = (abs(value - went_on[i]) < 0.05 for i in (-1, 0))
    if newest != first:
        return 1 if newest else 2
    return 0 if abs(value - sum(went_on) / 12) < 0.17 else 3 if value > 0.12 else 4


def earlier_episodes_count(student):
    """Whether a chain of 4 steps that was lived in two halves, in either order, is planned as one."""
    world = start_at(TabularModel.from_rows({(s, 0): (1.0 + s, {s + 1: 1.0}) for s in range(4)}, 5, 1, terminal=[4]), 0, 2)
    tables = [student.dyna_q(world, 2, 90, 1.0, 0.5, 0.3, 2, seeded(seed))[0] for seed in range(12)]
    return int(all(table[0, 0] == 3.25 for table in tables if table[0, 0] != 0 and table[2, 0] != 0))


PROBES = {
    "q_learning_update": lambda student: two_updates(student.q_learning_update),
    "sarsa_update": lambda student: two_updates(student.sarsa_update, 0),
    "discounted_returns": lambda student: student.discounted_returns(torch.tensor([2.0, -1.0, 4.0, 3.0, -5.0], dtype=torch.float64), 0.7),
    "epsilon_greedy": epsilon_summary,
    "fit_model": lambda student: fields(student.fit_model(Experience.from_steps(LIVED), 5, 2)),
    "sample_model": sample_summary,
    "q_planning": lambda student: [student.q_planning(LOOP, 5, 0.2, 0.9, seeded(0)), student.q_planning(MAZE, 1500, 1.0, 0.8, seeded(0))],
    "sarsa_planning": sarsa_summary,
    "monte_carlo_planning": lambda student: [
        student.monte_carlo_planning(CHAIN, torch.tensor([0]), 2, 0.9, 0.3, 20, seeded(0)),
        student.monte_carlo_planning(LOOP, torch.tensor([1]), 3, 0.9, 0.5, 4, seeded(0)),
    ],
    "dyna_q": lambda student: [*dyna_tables(student), outcomes_imagined(student), earlier_episodes_count(student)],
    "policy_value": lambda student: student.policy_value(random_mdp(7, 2, [2, 5], seed=4), random_policy(7, 2, seed=6), 0.85),
    "prioritized_sweeping": lambda student: [
        student.prioritized_sweeping(MAZE, 0.8, 1e-9)[0],
        student.prioritized_sweeping(MAZE, 0.8, 1e-9, 3)[1],
        student.prioritized_sweeping(ICE, 0.8, 1e-9)[0],
        student.prioritized_sweeping(BEYOND, 0.5, 1e-9)[0],
    ],
    "dyna_q_plus": plus_summary,
    "expected_update": lambda student: [
        *(student.expected_update(table(11), ICE, *pair, 0.8) for pair in ((0, 1), (2, 0), (3, 2))),
        student.arguments_after(student.expected_update, table(11), ICE, 2, 0, 0.8)[0],
    ],
    # counts so large that every draw is the posterior's mean
    "sample_posterior_model": lambda student: student.sample_posterior_model(
        (expect.rand(3, 2, 3, seed=9, dtype=torch.float64) * 5).ceil() * 1e11, 3e11, seeded(0)
    ),
}
DEVICE_PROBES = {
    "dyna_q": dyna_tables,
    "sarsa_planning": lambda student: student.sarsa_planning(LOOP, torch.tensor([1]), 3, 0.2, 0.9, 0.5, 4, seeded(0)),
    "q_planning": lambda student: student.q_planning(LOOP, 5, 0.2, 0.9, seeded(0)),
    "prioritized_sweeping": lambda student: student.prioritized_sweeping(LOOP, 0.8, 1e-3),
    "dyna_q_plus": lambda student: student.dyna_q_plus([(start_at(LOOP, 1), 2)], 2, 0.2, 0.9, 0.2, 0.5, seeded(0)),
}
