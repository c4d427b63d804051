"""What lesson 04's text claims of its experiments: one head and several, readouts, and heads that are cut."""

from tests.claims import every_seed, on_average


@every_seed("04", "heads")
def test_one_head_finds_one_friend_and_guesses_the_other(run):
    assert run["1.better"] > 0.85 and run["1.worse"] < 0.3 and run["1.both"] < 0.3


@every_seed("04", "heads")
def test_several_heads_find_both_and_heads_of_one_number_do_not(run):
    assert min(run[f"{n}.both"] for n in (2, 4, 8)) > 0.95
    assert run["16.both"] < 0.9


@every_seed("04", "longer")
def test_more_training_does_not_help_one_head_and_helps_sixteen_only_in_part(run):
    assert run["1.both"] < 0.3 and run["16.both"] < 0.95


@every_seed("04", "widened")
def test_narrow_scores_are_the_larger_part_of_what_sixteen_heads_lack(run):
    assert run["scores"] > 0.97 > run["values"] > 0.6


@on_average("04", "heads")
def test_which_friend_it_learns_depends_on_the_seed(mean):
    assert 0 < mean["one_head_learned_the_first"] < 1


@every_seed("04", "readout")
def test_a_hidden_layer_takes_apart_what_one_head_blends(run):
    assert run["linear"] < 0.3 and run["hidden"] > 0.6


def test_no_linear_map_prefers_the_smaller_of_two_shares():
    """If one did, so would its mean over all orders of the colours, which is a multiple of the shares and a constant."""
    for factor in (-1.0, 0.0, 1.0):
        first, second, absent = (factor * share for share in (0.6, 0.4, 0.0))
        assert not second > max(first, absent)


@on_average("04", "cuts")
def test_heads_that_are_hardly_missed_alone_are_missed_together(mean):
    assert mean["pair.together"] > mean["pair.one"] + mean["pair.other"] + 0.15
    assert mean["least_missed"] < 0.01  # in each model some head seems idle
    assert mean["sharpest_is_missed_most"] < 1  # entropy alone does not tell


@on_average("04", "longer")
def test_longer_training_is_part_of_the_answer_for_sixteen_heads(mean):
    assert mean["16.both"] > 0.65
