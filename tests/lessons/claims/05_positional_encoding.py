"""The tables of what was measured: both questions, squeezed positions, and who bites."""

last, first = ({scheme: runs.mean(0).tolist() for scheme, runs in accuracies[question].items()} for question in ("last", "first"))

# only ALiBi keeps at 256 what it had at 32; all others lose more than 30 percentage points, sinusoidal and learned positions near chance
assert all(runs[0] > 0.9 for scheme, runs in last.items() if scheme != "none")
assert 0.45 < last["none"][0] < 0.65
assert min(last["ALiBi"]) > 0.9
assert all(runs[1] < 0.75 and runs[0] - runs[3] > 0.3 for scheme, runs in last.items() if scheme != "ALiBi")
assert last["learned"][2] < 0.3 and last["sinusoidal"][3] < 0.3

# the ranking turns around: learned positions carry over, ALiBi cannot learn the task, relative schemes fail at 64
assert min(first["learned"]) > 0.95
assert first["ALiBi"][0] < 0.8 and first["ALiBi"][1] < 0.45
assert first["rotary"][0] > 0.97 and first["rotary"][1] < 0.4
assert first["T5 buckets"][0] > 0.75 and first["T5 buckets"][1] < 0.4
assert first["sinusoidal"][1] > 0.85 > first["sinusoidal"][2]

# squeezed positions rescue the rotary models, without further training
for plain, question in ((last, "last"), (first, "first")):
    for place, least in ((1, 0.95), (2, 0.9), (3, 0.75)):
        rescued = squeezed[question].mean(0)[place]
        assert rescued > least and rescued > plain["rotary"][place] + 0.3

# at most one of each two orders without attention *and* positions, all with both
assert all(right == 1.0 for right in biters["attention + positions"])
assert all(0.35 <= right <= 0.5 for kind, runs in biters.items() if kind != "attention + positions" for right in runs)
