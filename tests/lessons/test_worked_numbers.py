"""The numbers that the texts work out by hand, computed again; each stands in its lesson's text as it is given here."""

import math

import pytest

from autograde import layout


def softmax(*scores):
    powers = [math.exp(score) for score in scores]
    return [power / sum(powers) for power in powers]


def local_weights(half_width):
    """Equal scores in a window of 2 D + 1 positions around its middle, times the Gaussian with σ = D / 2."""
    share = 1 / (2 * half_width + 1)
    return [share * math.exp(-(i**2) / (2 * (half_width / 2) ** 2)) for i in range(-half_width, half_width + 1)]


def discounted(rewards, gamma):
    return [sum(gamma**k * reward for k, reward in enumerate(rewards[t:])) for t in range(len(rewards))]


def slowest_turn(d):
    """The turns of the last pair of a sinusoidal table of width d, in words."""
    return 2 * math.pi * 10000 ** (1 - 2 / d)


WORKED = [  # (lesson, what the text says, the number worked out, the number said)
    ("01", "So the new entry is $-3 + 0.5 \\cdot 0.2 = -2.9$", -3 + 0.5 * ((-1 + 0.9 * -2) - -3), -2.9),
    ("01", "target $-1 + 0.9 \\cdot (-6) = -6.4$, new entry $-4.7$", -3 + 0.5 * ((-1 + 0.9 * -6) - -3), -4.7),
    ("01", "$G_0 = -1 + 2 = 1$", discounted([-1, -1, 10], 0.5), [1, 4, 10]),
    ("01", "$(-1 - 1 - 100)/3 = -34$", (-1 - 1 - 100) / 3, -34),
    ("01", "so $V = 1.667$", 1 / (1 - 0.8 * 0.5), 1.667),
    ("01", "whose mean is $(0.636, 0.273, 0.091)$", [n / 5.5 for n in (3.5, 1.5, 0.5)], [0.636, 0.273, 0.091]),
    ("01", "$50257^{1024} \\approx 10^{4814}$", math.floor(1024 * math.log10(50257)), 4814),
    ("01", "$q(0) = -1 + 0.5\\sqrt 2 + 0.9 \\cdot 7 = 6.007$", -1 + 0.5 * math.sqrt(2) + 0.9 * (2 + 0.5 + 0.9 * 5), 6.007),
    ("01", "(0.5 \\cdot 4 + 0.25 \\cdot 2 + 0) = 1.25$", -1 + 0.9 * (0.5 * 4 + 0.25 * 2), 1.25),
    ("02", "$(0.665, 0.245, 0.090)$", softmax(2, 1, 0), [0.665, 0.245, 0.090]),
    ("02", "= (1.025, 0.605)$", [0.665 + 4 * 0.090, 0.245 + 4 * 0.090], [1.025, 0.605]),
    ("02", "$e^2 \\approx 7.4$", math.exp(2), 7.4),
    ("02", "$\\;2 \\tanh(-1) + \\tanh(1.5) = -1.523 + 0.905 = -0.618$", 2 * math.tanh(-1) + math.tanh(0.5 + 1), -0.618),
    ("02", "become $35.4$, $0$ and $1.77$", [x / math.sqrt(2) for x in (50, 0, 2.5)], [35.4, 0, 1.77]),
    ("02", "$p_t = 20 \\cdot 0.599 = 11.97$", 20 / (1 + math.exp(-0.4)), 11.97),
    ("02", "(0.027, 0.121, 0.2, 0.121, 0.027)$", local_weights(2), [0.027, 0.121, 0.2, 0.121, 0.027]),
    ("02", "$45 \\cdot 21 = 945$", 45 * 21, 945),
    ("03", "is **0.88** and **0.12**", softmax(112 / 8, 96 / 8), [0.88, 0.12]),
    ("03", "$e^{-16} \\approx 10^{-7}$", round(math.log10(math.exp(96 - 112))), -7),
    ("03", "$ds_1 = 0.88 \\cdot (1 - 0.88) = 0.1056$", [0.88 * (1 - 0.88), 0.12 * (0 - 0.88)], [0.1056, -0.1056]),
    ("03", "$\\ell = 1 \\cdot e^{12 - 14} + 1 = 1.135$", math.exp(12 - 14) + 1, 1.135),
    ("03", "$2048^2 \\cdot 4$ bytes = 16 MiB", 2048**2 * 4 / 2**20, 16),
    ("03", "$3 T d^2 + 2 T^2 d$ (89 million)", (3 * 100 * 512**2 + 2 * 100**2 * 512) / 1e6, 89),
    ("03", "$2 T d^2$ (52 million)", 2 * 100 * 512**2 / 1e6, 52),
    ("03", "$k T d^2$ (79 million)", 3 * 100 * 512**2 / 1e6, 79),
    ("03", "\\rceil$ (50)", math.ceil(99 / 2), 50),
    ("04", "$H = \\ln 8 = 2.08$", math.log(8), 2.08),
    ("04", "$e^{0.367} = 1.44$", math.exp(-0.88 * math.log(0.88) - 0.12 * math.log(0.12)), 1.44),
    ("04", "not by $\\sqrt{512} \\approx 22.6$", math.sqrt(512), 22.6),
    ("04", "\\approx 18.9$ million numbers: 38 MB", [12 * 2 * 1024 * 768 / 1e6, round(2 * 12 * 2 * 1024 * 768 / 1e6)], [18.9, 38]),
    ("04", "1,048,576 parameters; 2,101,248 multiply-adds", [4 * 512**2, 2 * 4 * 512**2 + 2 * 2**2 * 512], [1_048_576, 2_101_248]),
    ("04", "and 32 score entries", 8 * 2 * 2, 32),
    ("05", "47,000 for $d = 64$", slowest_turn(64), 47_000),
    (
        "05",
        "(\\sin 1, \\cos 1, \\sin 0.01, \\cos 0.01) = (0.84, 0.54, 0.01, 1.00)$",
        [math.sin(1), math.cos(1), math.sin(0.01)],
        [0.84, 0.54, 0.01],
    ),
    ("05", "= 0.9093 = \\sin 2$", 0.5403 * 0.8415 + 0.8415 * 0.5403, 0.9093),
    ("05", "(-0.416, 0.909, 1.000, 0.020)$", [math.cos(2), math.sin(2), math.cos(0.02), math.sin(0.02)], [-0.416, 0.909, 1.000, 0.020]),
    ("05", "$1024 \\cdot 768 = 786{,}432$", 1024 * 768, 786_432),
    ("05", "$\\ln 2.5 / \\ln 16 \\cdot 8 = 2.64$", math.log(2.5) / math.log(16) * 8, 2.64),
    ("06", "In 3 tokens that is 7 / 3 = 2.33", len("Größe".encode()) / 3, 2.33),
    ("06", "`vocab_size=300` leaves room for 43 merges", 300 - 256 - 1, 43),
    ("06", "some 340 Georgian characters", round(1024 / 3, -1), 340),
    ("07", "$\\log(e^2 + 1 + e^{-1}) = \\log 8.757 = 2.170$", math.log(math.exp(2) + 1 + math.exp(-1)), 2.170),
    ("07", "(4.17 for 65 characters)", math.log(65), 4.17),
    ("07", "they become (0.6, 0.8)", [3 / math.hypot(3, 4), 4 / math.hypot(3, 4)], [0.6, 0.8]),
    ("07", "0.05 nats is a perplexity of 1.05", math.exp(0.05), 1.05),
    ("08", "= 0.75$", 0.75 * (0.75 * 1) + 0.25 * (0.25 * 3), 0.75),
    ("08", "$4^4 = 256$ texts and $1 + 4 + 16 + 64 = 85$", [4**4, sum(4**n for n in range(4))], [256, 85]),
    ("08", "$-0.1 + 0.5 \\cdot 0.4 - 0.25 \\cdot 0.1 = 0.075$", discounted([-0.1, 0.4, -0.1], 0.5)[0], 0.075),
    ("08", "= \\log 0.1 = -2.30$", math.log(0.5 * 0.2), -2.30),
    ("08", "= 0.60$ at $\\tau = 1$", softmax(-2.4 / 3, -1.2)[0], 0.60),
    ("08", "the returns to go are +1.2, +1.3 and +0.9", discounted([-0.1, 0.4, 0.9], 1.0), [1.2, 1.3, 0.9]),
    (
        "08",
        "$0.2 + 0.375 = 0.575$, $0.4 + 0.15 = 0.55$ and $0 + 0.6 = 0.6$",
        [0.2 + 0.5 * 3 / 4, 0.4 + 0.3 * 3 / 6, 0.2 * 3],
        [0.575, 0.55, 0.6],
    ),
    ("08", "they are 0.3875, 0.475 and 0.3", [0.2 + 0.5 * 0.375, 0.4 + 0.5 * 0.15, 0.5 * 0.6], [0.3875, 0.475, 0.3]),
]


@pytest.mark.parametrize("lesson, said, worked, number", WORKED, ids=[f"{lesson} {i}" for i, (lesson, *_) in enumerate(WORKED)])
def test_a_worked_number_is_right_and_stands_in_the_text(lesson, said, worked, number):
    text = layout.source_path(layout.resolve(lesson)).read_text(encoding="utf-8")
    flat = " ".join(line.removeprefix("#").strip() for line in text.splitlines())
    assert said.lower() in flat.lower()
    for one, told in zip(*([x] if not isinstance(x, list) else x for x in (worked, number)), strict=True):
        half_a_digit = 0.51 * 10 ** -len(str(told).partition(".")[2]) if told != 47_000 else 500
        assert one == pytest.approx(told, abs=half_a_digit)
