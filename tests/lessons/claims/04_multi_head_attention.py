"""One head finds one friend and guesses the other; several find both; heads of one number are too narrow."""

scores = result[1]
for seed in SEEDS:
    first, second, both = scores[1, seed]
    assert both < 0.35 and max(first, second) > 0.85 and min(first, second) < 0.35
    assert min(scores[n, seed][2] for n in (2, 4, 8)) > 0.95
    assert scores[16, seed][2] < 0.9

# the model that everybody sees: head 1 is not missed alone, and heads 1 and 2 together far more than head 2
_, single, pairs = pruned
assert pairs[0, 0] < 0.02 and pairs[0, 1] > pairs[1, 1] + 0.25
assert single[1][0] > single[1][1] and single[2][1] > single[2][0]  # head 2 is for first friends, head 3 for second ones
