"""One head finds one friend and guesses the other; several find both; heads of one number are too narrow."""

scores = result[1]
for seed in SEEDS:
    first, second, both = scores[1, seed]
    assert both < 0.35 and max(first, second) > 0.85 and min(first, second) < 0.35
    assert min(scores[n, seed][2] for n in (2, 4, 8)) > 0.95
    assert scores[16, seed][2] < 0.9
