"""Random play, the clone, the planner in the learned world, the planner in the true one: in this order; errors fall with play."""

random, cloned, learned, true = players.values()
assert random + 1.0 < learned < true + 0.1, (
    "both planners are close to what one step of improvement can bring, 0.6; 0.1 is the noise of nine episodes"
)
assert random < cloned < true
assert true - 0.15 < learned
assert -0.9 < cloned < 0.5, "better than random play by more than 0.5, and short of the best"
assert errors[50]["wrong"] > 0.25 and errors[3200]["wrong"] < 0.15
assert twice[1]["wrong"] < 0.02, "what is left is training"
assert returns[50][0] > returns[50][1] + 0.3, "the planner is pleased with a world that does not exist"
assert min(returns[800][1], returns[3200][1]) > returns[50][1] + 1.0, (
    "once everything was tried plans are mostly good; six episodes in one run say no more, and another processor trains another model"
)
