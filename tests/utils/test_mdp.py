"""The tables of utils.mdp are the environments' own dynamics, and the small readers do what they say."""

import subprocess
import sys
from dataclasses import FrozenInstanceError, fields

import gymnasium
import pytest
import torch
from matplotlib.figure import Figure

from utils import mdp_plots
from utils.mdp import Experience, TabularMDP, TabularModel, corridor, from_gym, gamma_draws, random_experience

TASKS = [
    ("CliffWalking-v1", {}),
    ("CliffWalking-v1", {"is_slippery": True}),
    ("FrozenLake-v1", {}),
    ("FrozenLake-v1", {"is_slippery": False}),
    ("FrozenLake-v1", {"map_name": "8x8"}),
    ("Taxi-v4", {}),
    ("Taxi-v4", {"is_rainy": True}),
]


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("env_id", "options"), TASKS)
def test_the_table_is_the_environments_own(env_id, options):
    env = gymnasium.make(env_id, **options).unwrapped
    mdp = TabularMDP.from_gym(env_id, **options)
    reachable = mdp.reachable()
    assert mdp.transition.shape == (env.observation_space.n, env.action_space.n, env.observation_space.n)
    for state, actions in env.P.items():
        for action, outcomes in actions.items():
            if mdp.terminal[state]:
                continue
            row = torch.zeros(mdp.n_states, dtype=torch.float64)
            for p, next_state, _, done in outcomes:
                row[next_state] += p
                if reachable[state]:
                    assert bool(mdp.terminal[next_state]) == bool(done)
            torch.testing.assert_close(mdp.transition[state, action], row)
            assert float(mdp.reward[state, action]) == pytest.approx(sum(p * r for p, _, r, _ in outcomes))
    assert torch.equal(mdp.start, torch.as_tensor(env.initial_state_distrib))


@pytest.mark.parametrize(("env_id", "options"), TASKS)
def test_the_table_allows_what_the_environment_does(env_id, options):
    """Real episodes: every step is possible in the table, ends where it says, and deterministic steps pay what it says."""
    env, mdp = gymnasium.make(env_id, **options).unwrapped, TabularMDP.from_gym(env_id, **options)
    env.action_space.seed(0)
    reachable, state = mdp.reachable(), int(env.reset(seed=0)[0])
    for _ in range(1500):
        assert reachable[state]
        action = int(env.action_space.sample())
        next_state, reward, terminated, *_ = env.step(action)
        assert mdp.transition[state, action, next_state] > 0
        assert bool(mdp.terminal[next_state]) == bool(terminated)
        if len(env.P[state][action]) == 1:
            assert float(mdp.reward[state, action]) == pytest.approx(reward)
        state = int(env.reset()[0]) if terminated else int(next_state)


def test_stepping_the_table_is_distributed_like_stepping_the_environment():
    env, mdp, generator = gymnasium.make("FrozenLake-v1").unwrapped, from_gym("FrozenLake-v1"), seeded(0)
    env.reset(seed=0)
    real, table = torch.zeros(16), torch.zeros(16)
    for _ in range(3000):
        env.s = 9
        real[env.step(2)[0]] += 1
        table[mdp.step(9, 2, generator)[0]] += 1
    assert (real > 0).tolist() == (table > 0).tolist()
    assert float((real - table).abs().max()) / 3000 < 0.08  # six standard deviations of the difference


def test_rows_are_distributions_and_ends_are_absorbing():
    for env_id, options in TASKS:
        mdp = TabularMDP.from_gym(env_id, **options)
        torch.testing.assert_close(mdp.transition.sum(-1), torch.ones(mdp.n_states, mdp.n_actions, dtype=torch.float64))
        ends = mdp.terminal.nonzero().flatten()
        assert (mdp.transition[ends, :, ends] == 1).all() and (mdp.reward[ends] == 0).all()
        assert float(mdp.start.sum()) == pytest.approx(1)


def test_known_facts():
    cliff, lake, taxi = (from_gym(i) for i in ("CliffWalking-v1", "FrozenLake-v1", "Taxi-v4"))
    assert cliff.terminal.nonzero().flatten().tolist() == [47]
    assert cliff.step(36, 1, seeded(0)) == (36, -100.0, False)  # off the edge, back at the start
    assert cliff.step(35, 2, seeded(0)) == (47, -1.0, True)
    assert lake.terminal.nonzero().flatten().tolist() == [5, 7, 11, 12, 15]
    assert float(lake.reward[14, 2]) == pytest.approx(1 / 3)
    assert int(taxi.terminal.sum()) == 4 and int((taxi.start > 0).sum()) == 300


def test_from_gym_needs_neither_pygame_nor_gymnasium_before_it_is_called():
    code = "import sys, utils.mdp; assert 'gymnasium' not in sys.modules; sys.modules['pygame'] = None; utils.mdp.from_gym('Taxi-v4')"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_from_gym_refuses_what_has_no_exact_table():
    with pytest.raises(ValueError, match="Blackjack"):
        TabularMDP.from_gym("Blackjack-v1")
    with pytest.raises(ValueError, match="fickle_passenger"):
        TabularMDP.from_gym("Taxi-v4", fickle_passenger=True)


def test_dtype_can_be_chosen():
    mdp = from_gym("FrozenLake-v1", dtype=torch.float32)
    assert mdp.transition.dtype == mdp.reward.dtype == mdp.start.dtype == torch.float32


def test_dataclasses_are_frozen_and_hold_tensors_only():
    model = TabularModel.from_rows({(0, 1): (2.0, {1: 0.25, 0: 0.75})}, 2, 2, terminal=[1])
    for value in (model, model.as_mdp(torch.tensor([1.0, 0.0])), Experience.from_steps([(0, 1, 2.0, 1, True)])):
        assert all(isinstance(getattr(value, f.name), torch.Tensor) for f in fields(value))
        with pytest.raises(FrozenInstanceError):
            value.reward = None


def test_a_model_written_down():
    model = TabularModel.from_rows({(0, 1): (2.0, {1: 0.25, 0: 0.75})}, 2, 2, terminal=[1])
    assert model.transition[0, 1].tolist() == [0.75, 0.25] and float(model.transition.sum()) == 1
    assert (model.counts > 0).tolist() == [[False, True], [False, False]]
    assert model.terminal.tolist() == [False, True]


def test_experience_reads_back():
    steps = [(0, 1, -1.0, 2, False), (2, 0, 3.5, 1, True)]
    lived = Experience.from_steps(steps)
    assert lived.steps() == steps and len(lived) == 2 and lived.first(1).steps() == steps[:1]
    assert lived.reward.dtype == torch.float64 and lived.terminated.dtype == torch.bool
    assert len(Experience.from_steps([])) == 0 and Experience.from_steps([]).state.dtype == torch.int64


def test_random_experience_follows_the_world():
    lake = from_gym("FrozenLake-v1")
    lived = random_experience(lake, 600, seeded(0), max_steps=7)
    assert len(lived) == 600
    assert (lake.transition[lived.state, lived.action, lived.next_state] > 0).all()
    assert torch.equal(lake.terminal[lived.next_state], lived.terminated)
    goes_on = lived.state[1:] == lived.next_state[:-1]
    fresh = lived.state[1:] == 0
    assert (goes_on | fresh).all() and not lake.terminal[lived.state].any()
    assert torch.equal(lived.state, random_experience(lake, 600, seeded(0), max_steps=7).state)


def test_random_experience_can_begin_elsewhere():
    lake = from_gym("FrozenLake-v1")
    elsewhere = torch.zeros(16, dtype=torch.float64)
    elsewhere[[6, 14]] = 0.5
    lived = random_experience(lake, 200, seeded(1), max_steps=1, start=elsewhere)
    assert set(lived.state.tolist()) == {6, 14}


def test_corridor():
    world = corridor(4)
    assert [world.step(s, 1, seeded(0)) for s in range(3)] == [(1, 0.0, False), (2, 0.0, False), (3, 1.0, True)]
    assert world.step(0, 0, seeded(0)) == (0, 0.0, False)
    assert world.reset(seeded(0)) == 0


def test_gamma_draws_have_their_mean_and_their_seed():
    shape = torch.full((4000,), 2.5, dtype=torch.float64)
    drawn = gamma_draws(shape, seeded(0))
    assert abs(float(drawn.mean()) - 2.5) < 0.2 and abs(float(drawn.var()) - 2.5) < 0.6
    assert torch.equal(drawn, gamma_draws(shape, seeded(0)))


def test_grid_pictures_draw():
    figure = Figure()
    ax = figure.subplots()
    mdp_plots.draw_grid(ax, torch.arange(6.0), (2, 3), letters={0: "S", 5: "H"}, hidden=[5], label="value")
    mdp_plots.draw_arrows(ax, torch.eye(6)[:, :4], (2, 3), mdp_plots.CLIFF_ARROWS)
    mdp_plots.draw_path(ax, [0, 1, 4], (2, 3), "red", "a walk")
    figure.canvas.draw()
    with pytest.raises(ValueError, match="shape"):
        mdp_plots.draw_grid(ax, torch.zeros(5), (2, 3))
    mdp_plots.draw_grid(ax, torch.zeros(6), (2, 3))  # all values equal
