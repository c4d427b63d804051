"""What lesson 02's text claims of its figures and experiments."""

import math

from tests.claims import every_seed


@every_seed("02", "figures")
def test_no_weight_of_a_cosine_is_more_than_e_squared_times_another(run):
    assert run["largest_ratio"] <= math.exp(2)
