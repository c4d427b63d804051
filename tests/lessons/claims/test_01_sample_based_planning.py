"""What lesson 01's text claims of its experiments: the cliff, Dyna, the two errors, the posterior, Taxi."""

from tests.claims import every_seed, on_average


@every_seed("01", "cliff")
def test_three_thousand_steps_try_every_pair_and_the_model_is_exact(run):
    assert run["tried"] == 1 and run["model_error"] == 0


@every_seed("01", "cliff")
def test_q_planning_walks_along_the_edge_and_sarsa_planning_does_not(run):
    assert run["q.steps"] == 13 and run["q.beside_the_edge"] == 10
    assert 13 < run["sarsa.steps"] < 40 and run["sarsa.beside_the_edge"] == 0


@every_seed("01", "dyna")
def test_more_planning_fewer_real_steps(run):
    assert run["50.first_ten"] < run["5.first_ten"] < run["0.first_ten"]
    assert run["50.first_short"] < run["0.first_short"]
    assert run["0.last_ten_each"] > 20  # without planning it is not near 13 after 40 episodes


@on_average("01", "dyna")
def test_the_first_short_episode_comes_much_sooner_with_planning(mean):
    assert 5 * mean["50.first_short"] < mean["0.first_short"] > 20


@on_average("01", "errors")
def test_experience_shrinks_the_models_error_until_plannings_own_is_larger(mean):
    model = [mean[f"experience.{n}.model"] for n in (200, 600, 2000, 6000, 20_000)]
    assert model == sorted(model, reverse=True) and model[-1] < mean["experience.20000.planning"]


@on_average("01", "errors")
def test_plannings_own_error_falls_and_stops_falling_with_values_too_high(mean):
    planning = [mean[f"samples.{n}.planning"] for n in (200, 600, 2000, 6000, 20_000)]
    assert planning == sorted(planning, reverse=True) and mean["longer"] > 0.7 * planning[-1]
    assert len({mean[f"samples.{n}.model"] for n in (200, 20_000)}) == 1  # planning does not touch the model's error
    assert mean["too_high"] > 0.02


@every_seed("01", "step_size")
def test_smaller_steps_and_more_of_them_help(run):
    assert run["small"] < 0.6 * run["large"]


@on_average("01", "posterior")
def test_the_model_believes_too_much_and_so_does_its_posterior_but_less(mean):
    assert mean["5.believed"] > mean["5.sixteenth"] + 0.1 > mean["5.true"] + 0.15
    assert mean["5.sixteenth"] - mean["5.one"] > 0.01 and mean["5.spread_sixteenth"] > 1.5 * mean["5.spread_one"]  # the prior matters
    assert mean["5.spread_sixteenth"] > 3 * mean["250.spread_sixteenth"]
    for kind in ("believed", "sixteenth", "one"):
        assert abs(mean[f"250.{kind}"] - mean["250.true"]) < 0.02


@on_average("01", "taxi")
def test_using_each_step_again_makes_the_difference_and_a_model_hardly_more(mean):
    for n in (5000, 15_000, 40_000):
        assert mean[f"{n}.replay"] > mean[f"{n}.once"] and mean[f"{n}.planned"] > mean[f"{n}.once"]
    assert abs(mean["5000.replay"] - mean["5000.planned"]) < 3 and abs(mean["15000.replay"] - mean["15000.planned"]) < 5
    assert mean["40000.planned"] - mean["40000.replay"] < 0.3 and abs(mean["40000.planned"] - mean["best"]) < 0.01
