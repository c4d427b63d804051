"""One block, three masks: what the text says of the four curves."""

losses = {kind: {step: loss for step, loss, _ in curve} for kind, curve in curves.items()}

assert losses["decoder, 15 %"][300] > losses["decoder"][300] + 0.15, "fewer labels cost something by themselves"
assert abs(losses["prefix"][300] - losses["decoder"][300]) < 0.1
assert (
    letter_frequency_loss(train_ids, val_ids, len(vocabulary)) - losses["encoder"][100]
    < losses["encoder"][100] - losses["decoder, 15 %"][100]
), "nearer to letter frequencies"
assert losses["encoder"][300] < losses["decoder, 15 %"][300], "it has passed the decoder with as few labels"
assert losses["infilling, only the past"][100] > losses["decoder, 15 %"][100], "the mask is not why infilling starts slowly"
assert losses["infilling, only the past"][300] > losses["decoder, 15 %"][300], "what infilling gains comes from behind the gap"
fallen = {kind: curve[100] - curve[300] for kind, curve in losses.items()}
assert max(fallen, key=fallen.get) == "encoder"

# a GPT with one character to go by is no better than the table of pairs, and with ten much better
by_position, bigram = compared
assert by_position[0] > bigram > by_position[2:].max()
assert by_position[10:].max() - by_position[10:].min() < 0.4, "level after ten, up to noise"
