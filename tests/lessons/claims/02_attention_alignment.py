"""Attention reads long dates, one vector does not; nearly even weights are the worst score function."""

long = torch.tensor([len(pair.source) >= 40 for pair in test_pairs])  # from here on a source holds two dates
assert long.sum() >= 50
assert looking_right[long].double().mean() >= 0.95
assert one_vector_right[long].double().mean() <= 0.5
assert min(accuracy, key=accuracy.get) == "content-based"
