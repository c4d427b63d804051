"""Public checks of lesson 08: text in and text out exactly, log-probabilities by teacher forcing, returns and values worked by hand."""

import itertools
import math

import pytest
import torch

from autograde.checking import expect
from autograde.checking.calls import pure, repeated
from autograde.checking.expected import oracles

log_probability, table_of_values, best_by_scores = oracles(__file__, "log_probability", "table_of_values", "best_by_scores")

HALL = "you are in the hall . the study is locked . you carry nothing ."
KITCHEN = "you are in the kitchen . here is a key . the study is locked . you carry nothing ."
STUDY = "you are in the study . the study is open . you carry the key and the treasure ."


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pure
class ToyModel:
    """A causal model of random numbers: token t's logits depend on every token up to t. Remembers the shapes it was asked about."""

    def __init__(self, vocabulary, seed, dtype=torch.float64, scale=2.0):
        self.table = expect.randn(vocabulary, vocabulary, seed=seed, dtype=dtype, scale=scale)
        self.shapes = []

    def __call__(self, ids):
        self.shapes.append(tuple(ids.shape))
        n, table = ids.shape[-1], self.table.to(ids.device)
        ages = torch.arange(n)[:, None] - torch.arange(n)
        decay = torch.where(ages >= 0, 0.8 ** ages.clamp(min=0), 0.0).to(table)
        return decay @ torch.nn.functional.embedding(ids, table), None


PROMPT = torch.tensor([3, 9, 1, 7, 4])
ACTIONS = [torch.tensor([2, 8, 5]), torch.tensor([6]), torch.tensor([10, 0])]


class Script:
    """Answers a fixed list of texts, one a call, and remembers what it was asked."""

    def __init__(self, *answers):
        self.answers, self.asked = list(answers), []

    def __call__(self, *question):
        self.asked.append(question[0] if len(question) == 1 else question)
        expect.true(len(self.asked) < 100, "The same is asked again and again: the loop has no end")
        if len(self.asked) > len(self.answers):
            return self.answers[-1]
        return self.answers[len(self.asked) - 1]


@pure
def corridor(obs, action):
    """Rooms a, b, c, d in a row: 'on' costs differently everywhere and ends in d, 'stay' costs 2, 'fog' has no readable outcome."""
    if action == "fog":
        return None
    if action == "stay":
        return -2.0, obs, False
    return {"a": (1.0, "b", False), "b": (3.0, "c", False), "c": (-5.0, "d", True), "d": (100.0, "d", False)}[obs]


@pure
def always_on(obs):
    return "on"


@pure
def on_from_b(obs):
    return "stay" if obs == "a" else "on"


# every call has its own outcome, so a mean over the wrong number of rollouts shows
class Uneven:
    def __init__(self):
        self.calls = {}

    def __call__(self, obs, action):
        n = self.calls[action] = self.calls.get(action, 0) + 1
        return {"left": 1.0, "right": 2.0}[action] * (1.5 if n % 2 else -0.5) * n, obs, True


class Rarely:
    """'gamble' pays 3 once in three times, 'work' always pays 2."""

    def __init__(self):
        self.gambled = 0

    def __call__(self, obs, action):
        self.gambled += action == "gamble"
        return (3.0 * (self.gambled % 3 == 2) if action == "gamble" else 2.0), obs, True


def compare_values(got, want, horizon, where):
    expect.true(isinstance(got, dict), "prefix_values returns a dict from every prefix (a tuple of tokens) to its value", expect.show(got))
    for prefix in want:
        hint = "the empty prefix () counts too" if not prefix else "the full texts count too" if len(prefix) == horizon else ""
        expect.true(prefix in got, f"For {where}: a prefix has no value", f"{prefix!r} is missing" + f"; {hint}" * bool(hint))
    for prefix, value in got.items():
        expect.true(prefix in want, f"For {where}: the dict holds a key that is no prefix of a text", f"{prefix!r}")
        expect.close(value, want[prefix], where=f"{where}, prefix {prefix!r}")


WORDS = ("red", "key", "door")


@pure
def wordy_reward(text):
    return text.count("key") * 1.5 - 2.0 * (text[0] == "door") + 0.25 * (text[-1] == "red")


@pure
def wordy_policy(prefix):
    """Depends on the whole prefix, not on its last token alone."""
    tilt = 1 + sum((i + 1) * (w == "key") for i, w in enumerate(prefix)) + len(prefix) % 2
    return [tilt / (tilt + 3), 2 / (tilt + 3), 1 / (tilt + 3)]


EPISODES = [
    [("a room", "go on", 1.0), ("b room", "take key", -2.0), ("c room", "go back", 4.0)],
    [("d room", "wait", -0.5)],
]


def several(student, temperature, scale=2.0):
    """Whether forty choices are not all the same: of clearly different scores, at a temperature that decides it."""
    generator, model = seeded(6), ToyModel(11, 3, scale=scale)
    return len(set(map(int, repeated(student.choose_action, 40, model, PROMPT, list(ACTIONS), generator, temperature)))) > 1


def favourite(student, scale):
    """The most frequent of forty choices at temperature 1, among scores that are far apart."""
    generator, model = seeded(7), ToyModel(11, 3, scale=scale)
    drawn = list(map(int, repeated(student.choose_action, 40, model, PROMPT, list(ACTIONS), generator, 1.0)))
    return max(sorted(set(drawn)), key=drawn.count)


def reading(student, text):
    try:
        return student.parse_outcome(text) or ("unreadable",)
    except NotImplementedError:
        raise
    except Exception as error:
        return (type(error).__name__,)


def asking(student, *answers, **options):
    generate = Script(*answers)
    return student.sample_outcome(generate, "a", "go", **options), [p.strip() for p in generate.asked]


TEXTS = (" +0.9 | the end . | end", " -0.1 | a room . | go", " -2.5 | a room . | end", "", " +0.9 | a", " +0.9 | a | maybe", " +0.9 | a | go on",
         " nan | a | go", " much | a | go", " -1.0 | the end of it | go")  # fmt: skip
# twelve right, one None, two wrong rewards, three wrong ends, five wrong observations: what is not counted shows in the share
MIXED = 12 * [((1.0, "a", False), (1.0, "a", False))] + [(None, (0.5, "a", False))] + 2 * [((0.75, "b", True), (1.0, "b", True))]
MIXED += 3 * [((1.0, "c", False), (1.0, "c", True))] + 5 * [((1.0, "c", False), (1.0, "d", False))]
MIXED += 12 * [((1.0, "e", True), (1.0, "f", True))] + 24 * [((3.0, "g", False), (1.0, "g", False))]
STARTS = [("on", 2), ("on", 9), ("stay", 3), ("fog", 3)]


def places(n, seed):
    """Nodes of a search tree: (priors, visits, totals, c), with two to five actions, some of them without visits."""
    found = []
    for i in range(n):
        size = 2 + i % 4
        priors = expect.randn(size, seed=seed + 4 * i, dtype=torch.float64).softmax(-1)
        visits = (expect.rand(size, seed=seed + 4 * i + 1) ** 3 * 9 - 0.5).round().clamp(min=0).long()
        totals = expect.randn(size, seed=seed + 4 * i + 2, dtype=torch.float64, scale=0.6) * visits
        found.append((priors, visits, totals, (0.5, 2.0, 1.0)[i % 3]))
    return found


WORKED = ([0.5, 0.3, 0.2], [3, 5, 0], [0.6, 2.0, 0.0])


def node(priors, visits, totals):
    """Lists as the tensors of a node."""
    return torch.tensor(priors, dtype=torch.float64), torch.tensor(visits), torch.tensor(totals, dtype=torch.float64)


def chosen(student, *arguments):
    """The choice, or -1 for what is no plain int."""
    got = student.puct_choice(*arguments)
    return got if type(got) is int else -1


def dyna_without_chance(student):
    """No imagined steps; a step that ends where values are not 0; and one pair, which is imagined whatever is drawn."""
    ended = [*REAL[:2], ("c", "on", -5.0, "b", True)]
    runs = [(REAL, 0), (ended, 0), (REAL[:1], 3), ([("a", "on", 0.25, "b", False)], 2), ([("a", "fog", 2.0, "b", False)], 3)]
    tables = [student.language_dyna(steps, corridor, actions_of, n, 0.5, 0.25, seeded(1)) for steps, n in runs]
    return [{" / ".join(pair): value for pair, value in table.items() if value} for table in tables]


PROBES = {
    "format_transition": lambda s: [s.format_transition(HALL, "go east", -0.1, KITCHEN, False), s.format_transition("x", "y", 0.9, "z", True)],
    "parse_outcome": lambda s: [reading(s, text) for text in TEXTS],
    "outcome_labels": lambda s: [s.outcome_labels(torch.tensor([[5, 9, 7, 3, 9, 8], [4, 2, 9, 6, 1, 3], [1, 2, 3, 4, 5, 6]]), 9, i) for i in (-100, -1)],
    "action_log_probability": lambda s: s.action_log_probability(ToyModel(11, 1), PROMPT, ACTIONS[0]),
    "choose_action": lambda s: [s.choose_action(ToyModel(11, i), PROMPT, list(ACTIONS), seeded(0)) for i in range(60)]
    + [several(s, temperature) for temperature in (0.02, 50.0)] + [several(s, 1.0, scale=80.0)]
    + [len({int(s.choose_action(ToyModel(11, 3), PROMPT, list(ACTIONS), seeded(i), 50.0)) for i in range(20)}) > 1]
    + [favourite(s, scale=80.0)],
    "sample_outcome": lambda s: [asking(s, "mist", "+0.5 | b | end", "+0.9 | c | go"), asking(s, "fog"), asking(s, "fog", attempts=2)],
    "rollout_return": lambda s: [s.rollout_return(corridor, always_on, "a", first, n, 0.5) for first, n in STARTS]
    + [s.rollout_return(corridor, Script("on", "fog", "on"), "a", "on", 9, 0.5)],
    "plan_action": lambda s: [s.plan_action(corridor, always_on, "a", ["stay", "on", "walk", "fog"], 3, 3, 0.5),
        s.plan_action(corridor, always_on, "c", ["stay", "on"], 4, 2, 0.5), s.plan_action(Uneven(), always_on, "a", ["left", "right"], 4, 2, 0.5)],
    "transition_error_rate": lambda s: s.transition_error_rate(MIXED),
    "prefix_values": lambda s: {" ".join(k): v for k, v in s.prefix_values(WORDS, 3, wordy_reward, wordy_policy).items() if len(k) < 3},
    "return_conditioned": lambda s: s.return_conditioned(EPISODES, 0.5),
    "language_dyna": dyna_without_chance,
    "puct_choice": lambda s: [chosen(s, *place) for place in places(56, seed=900)]
    + [chosen(s, *node([0.2, 0.2, 0.6], [0, 0, 0], [0, 0, 0]), 1.0), chosen(s, *node([0.4, 0.4, 0.2], [2, 2, 2], [1, 1, 0]), 1.0)]
    + [chosen(s, *node([0.5, 0.5], [1, 0], [0.3, 0.0]), 1.0), s.arguments_after(s.puct_choice, *node(*WORKED), 1.0)],
}  # fmt: skip
DEVICE_PROBES = {"choose_action": lambda s: [s.choose_action(ToyModel(11, i), PROMPT, list(ACTIONS), seeded(0), i / 2) for i in range(3)]}


# ------------------------------------------------------------------------------------------------- the lines of text
@pytest.mark.exercise("format_transition", weight=2)
@pytest.mark.parametrize("reward, written", [(-0.1, "-0.1"), (0.4, "+0.4"), (0.0, "+0.0"), (2.0, "+2.0")])
def test_a_step_is_written_as_one_line(student, reward, written):
    """Marks, words, bars and the reward's sign are where they belong."""
    got = student.format_transition(HALL, "go east", reward, KITCHEN, False)
    expect.equal(got, f"<obs> {HALL} <act> go east <out> {written} | {KITCHEN} | go", where=f"a step with reward {reward}")


@pytest.mark.exercise("format_transition")
def test_the_last_step_says_end(student):
    """A step that ends the episode is closed by `end`."""
    got = student.format_transition(KITCHEN, "take treasure", 0.9, STUDY, True)
    expect.equal(got, f"<obs> {KITCHEN} <act> take treasure <out> +0.9 | {STUDY} | end", where="a step that ends the episode")
    got = student.format_transition("A cat sits HERE.", "Pet the cat", -10.0, "It PURRS!", True)
    expect.equal(got, "<obs> A cat sits HERE. <act> Pet the cat <out> -10.0 | It PURRS! | end", where="a step of other words")


@pytest.mark.exercise("parse_outcome", weight=2)
@pytest.mark.parametrize("text, want", [
    (f" +0.9 | {STUDY} | end", (0.9, STUDY, True)),
    (f"-0.1 | {HALL} | go", (-0.1, HALL, False)),
    (" -12.5 | a b c | end", (-12.5, "a b c", True)),
])  # fmt: skip
def test_an_outcome_is_read(student, text, want):
    """The reward as a number, the observation as text, and whether it ended."""
    expect.equal(student.parse_outcome(text), want, where=f"parse_outcome({text!r})")


@pytest.mark.exercise("parse_outcome", weight=2)
@pytest.mark.trivial
@pytest.mark.parametrize(
    "text",
    [
        "",
        " +0.9",
        f" +0.9 | {HALL}",
        f" {HALL} | +0.9 | go",
        f" +0.9 | {HALL} | maybe",
        f" much | {HALL} | go",
        f" +0.9 | {HALL} | go | end",
        " +0.9 | you | see | go",
        " +0.9 |  | go",
    ],  # fmt: skip
)
def test_a_malformed_outcome_is_none(student, text):
    """Whatever is not of the form gives None, not an exception and not a guess."""
    expect.true(student.parse_outcome(text) is None, "A malformed outcome must give None", f"for {text!r}")


@pytest.mark.exercise("parse_outcome")
def test_what_was_written_can_be_read(student):
    """parse_outcome undoes format_transition."""
    for reward, ended in itertools.product((-0.1, 0.4, 0.9, -3.7, 0.0), (False, True)):
        line = f"<obs> {HALL} <act> go east <out> {reward:+.1f} | {KITCHEN} | {'end' if ended else 'go'}"
        expect.equal(student.parse_outcome(line.split("<out>")[1]), (reward, KITCHEN, ended), where=f"what follows <out> in {line!r}")


# ------------------------------------------------------------------------------------------------- labels
@pytest.mark.exercise("outcome_labels", weight=3)
def test_labels_are_the_next_tokens_after_the_mark(student):
    """The worked example: from the mark on, the label is the next token."""
    got = student.outcome_labels(torch.tensor([5, 6, 9, 7, 3, 8]), 9)
    expect.equal(got, torch.tensor([-100, -100, 7, 3, 8, -100]), where="ids [5, 6, 9, 7, 3, 8] and mark 9")
    expect.equal(student.outcome_labels(torch.tensor([9]), 9), torch.tensor([-100]), where="ids [9] and mark 9: no token follows it")


@pytest.mark.exercise("outcome_labels", weight=2)
def test_labels_start_at_the_first_of_two_marks(student):
    """A second mark changes nothing, and each text of a batch has its own first mark."""
    ids = torch.tensor([[5, 9, 7, 9, 8], [9, 4, 2, 6, 1], [1, 2, 3, 4, 9]])
    want = torch.tensor([[-100, 7, 9, 8, -100], [4, 2, 6, 1, -100], [-100] * 5])
    expect.equal(student.outcome_labels(ids, 9), want, where="three texts of one batch")


@pytest.mark.exercise("outcome_labels")
@pytest.mark.trivial
def test_labels_without_a_mark_are_ignored(student):
    """Where there is no mark there is nothing to learn."""
    ids = torch.tensor([[1, 2, 3], [4, 5, 6]])
    expect.equal(student.outcome_labels(ids, 9), torch.full((2, 3), -100), where="two texts without the mark")


@pytest.mark.exercise("outcome_labels")
def test_labels_take_another_ignore_index(student):
    """`ignore_index` is what the ignored positions hold."""
    got = student.outcome_labels(torch.tensor([5, 9, 7, 3]), 9, ignore_index=-1)
    expect.equal(got, torch.tensor([-1, 7, 3, -1]), where="ignore_index=-1")


@pytest.mark.exercise("outcome_labels")
@pytest.mark.trivial
def test_labels_leave_the_ids_alone(student):
    """The ids are not changed in place."""
    expect.inputs_unchanged(student, student.outcome_labels, torch.tensor([[5, 9, 7, 3], [9, 9, 1, 2]]), 9)


# ------------------------------------------------------------------------------------------------- the policy
@pytest.mark.exercise("action_log_probability", weight=3)
@pytest.mark.parametrize("i", range(3))
def test_an_actions_log_probability(student, i):
    """Σ log p(token | prompt, earlier tokens), over the action's tokens alone."""
    model, action = ToyModel(11, seed=20 + i), ACTIONS[i]
    want = log_probability(model, PROMPT, action)
    where = f"a prompt of 5 tokens and an action of {len(action)}"
    expect.close(student.action_log_probability(model, PROMPT, action), want, where=where)
    expect.true(all(len(s) == 2 and s[0] == 1 for s in model.shapes), "The model takes ids of shape (1, T)", f"it was given {model.shapes}")


@pytest.mark.exercise("action_log_probability")
def test_a_long_and_unlikely_action(student):
    """An action of forty tokens, of which some are next to impossible, has a finite log-probability, thousands below 0."""
    model, action = ToyModel(11, seed=24, scale=200.0), torch.arange(40) * 7 % 11
    want = log_probability(model, PROMPT, action)
    expect.close(student.action_log_probability(model, PROMPT, action), want, where="an action of 40 tokens, logits in the hundreds")


@pytest.mark.exercise("action_log_probability")
def test_action_probabilities_sum_to_one(student):
    """The probabilities of all two-token actions sum to 1."""
    model = ToyModel(4, seed=5)
    pairs = [torch.tensor(pair) for pair in itertools.product(range(4), repeat=2)]
    total = sum(math.exp(float(student.action_log_probability(model, torch.tensor([2, 0, 1]), pair))) for pair in pairs)
    expect.close(total, 1.0, where="all 16 actions of two tokens out of four")


def index_of(chosen):
    """A choice as a number; a sentence where it is none."""
    expect.true(
        isinstance(chosen, int) or getattr(chosen, "ndim", None) == 0,
        "choose_action gives the index of the chosen action among `candidates`",
        f"expected a whole number, got {expect.show(chosen)}",
    )
    return int(chosen)


@pytest.mark.exercise("choose_action", weight=2)
def test_the_likeliest_action_per_token(student):
    """At temperature 0 the action with the highest log-probability per token, so that length does not decide."""
    for seed in range(12):
        model = ToyModel(11, seed=40 + seed)
        scores = [float(log_probability(model, PROMPT, a)) / len(a) for a in ACTIONS]
        got = student.choose_action(model, PROMPT, list(ACTIONS), seeded(0))
        expect.equal(index_of(got), max(range(3), key=scores.__getitem__), where="three actions of 3, 1 and 2 tokens at temperature 0")


@pytest.mark.exercise("choose_action", weight=1.5)
def test_choices_are_drawn_in_proportion(student):
    """Above temperature 0 the choice is drawn with softmax(score / temperature)."""
    for scale, temperature in ((1.0, 0.5), (0.04, 0.03)):
        model = ToyModel(11, seed=46, scale=scale)
        scores = torch.tensor([float(log_probability(model, PROMPT, a)) / len(a) for a in ACTIONS])
        draws = repeated(student.choose_action, 150, model, PROMPT, list(ACTIONS), seeded(8), temperature)
        shares = (scores / temperature).softmax(-1)
        expect.frequencies([index_of(draw) for draw in draws], shares, where=f"150 choices at temperature {temperature}")


@pytest.mark.exercise("choose_action")
@pytest.mark.trivial
def test_choosing_repeats_with_the_seed(student):
    """The same generator state gives the same choices."""
    model = ToyModel(11, seed=3)
    runs = []
    for _ in range(2):
        generator = seeded(8)
        runs.append([index_of(student.choose_action(model, PROMPT, list(ACTIONS), generator, 2.0)) for _ in range(12)])
    expect.true(runs[0] == runs[1], "The same seed must give the same choices: draw from `generator` only")
    expect.true(
        len(set(runs[0])) > 1,
        "Twelve choices at temperature 2 were all the same",
        f"all {runs[0][0]}, where none has a probability above 0.7",
    )
    expect.inputs_unchanged(student, lambda candidates: student.choose_action(model, PROMPT, candidates, seeded(8), 2.0), list(ACTIONS))


# ------------------------------------------------------------------------------------------------- the model
@pytest.mark.exercise("sample_outcome", weight=2)
def test_the_prompt_ends_where_the_outcome_begins(student):
    """The prompt is the line up to and including `<out>`."""
    generate = Script(f" -0.1 | {KITCHEN} | go")
    expect.equal(student.sample_outcome(generate, HALL, "go east"), (-0.1, KITCHEN, False), where="a well-formed outcome")
    expect.equal(generate.asked[0].strip(), f"<obs> {HALL} <act> go east <out>", where="the prompt given to `generate`")


@pytest.mark.exercise("sample_outcome", weight=2)
def test_malformed_outcomes_are_tried_again(student):
    """It asks again after a malformed outcome, and no further after a good one."""
    generate = Script("the", " +0.5 | b | end", " +0.9 | c | go")
    expect.equal(student.sample_outcome(generate, "a", "go"), (0.5, "b", True), where="one malformed outcome and then a good one")
    expect.equal(len(generate.asked), 2, where="the number of calls of `generate`")
    expect.true(generate.asked[0] == generate.asked[1], "Each attempt asks the same question", f"the second was {generate.asked[1]!r}")


@pytest.mark.exercise("sample_outcome")
@pytest.mark.trivial
def test_giving_up_after_all_attempts(student):
    """None when every attempt is malformed."""
    generate = Script("mist", "fog", "haze", " +0.5 | b | end")
    got = student.sample_outcome(generate, "a", "go")
    told = f"`generate` was asked {len(generate.asked)} times, and the result is {expect.show(got)}"
    expect.true(got is None, "Three malformed outcomes out of three attempts must give None, and a fourth is not asked for", told)
    expect.equal(len(generate.asked), 3, where="the number of calls of `generate`")
    generate = Script(*["mist"] * 6, " +0.5 | b | end")
    expect.equal(student.sample_outcome(generate, "a", "go", attempts=7), (0.5, "b", True), where="six malformed outcomes, and attempts=7")
    generate = Script(" +0.5 | b | end")
    expect.true(
        student.sample_outcome(generate, "a", "go", attempts=0) is None, "With attempts=0 nothing may be asked, and the outcome is None"
    )


# ------------------------------------------------------------------------------------------------- planning
@pytest.mark.exercise("rollout_return", weight=2)
@pytest.mark.parametrize(
    "first, depth, want", [pytest.param("on", 1, 1.0, marks=pytest.mark.trivial), ("on", 2, 2.5), ("stay", 3, -2 + 0.5 + 0.75)]
)
def test_a_return_is_the_discounted_sum(student, first, depth, want):
    """The worked rewards 1, 3, −5 (or −2, 1, 3) with γ = 0.5."""
    got = student.rollout_return(corridor, always_on, "a", first, depth, 0.5)
    expect.close(got, want, where=f"first action {first!r}, depth {depth}, gamma 0.5")


@pytest.mark.exercise("rollout_return", weight=2)
def test_a_rollout_ends_with_the_episode(student):
    """After a terminated step nothing more is collected, however deep one may look."""
    expect.close(student.rollout_return(corridor, always_on, "a", "on", 9, 0.5), 1 + 1.5 - 1.25, where="an episode of 3 steps, depth 9")


@pytest.mark.exercise("rollout_return")
def test_the_policy_acts_where_the_rollout_is(student):
    """The policy is asked about the observation that was imagined last."""
    got = student.rollout_return(corridor, on_from_b, "a", "on", 3, 0.5)
    expect.close(got, 1 + 1.5 - 1.25, where="a policy that stays in room 'a' and goes on everywhere else, depth 3, gamma 0.5")


@pytest.mark.exercise("rollout_return")
def test_an_unreadable_outcome_ends_the_rollout(student):
    """A None outcome ends the rollout with nothing added."""
    foggy = Script("on", "fog", "on")
    expect.close(student.rollout_return(corridor, foggy, "a", "on", 9, 0.5), 2.5, where="two readable outcomes and then None")
    expect.close(student.rollout_return(corridor, always_on, "a", "fog", 9, 0.5), 0.0, where="None at the first step")


@pytest.mark.exercise("plan_action", weight=2)
def test_the_best_action_and_all_values(student):
    """Each action's mean rollout return, and the action with the largest."""
    best, values = student.plan_action(corridor, always_on, "a", ["stay", "on", "fog"], 3, 2, 0.5)
    expect.close(values, {"stay": -1.5, "on": 2.5, "fog": 0.0}, where="actions 'stay', 'on' and 'fog', depth 2, gamma 0.5")
    expect.equal(best, "on", where="the best action")
    best, values = student.plan_action(corridor, always_on, "c", ["on", "stay"], 3, 1, 0.5)
    expect.close(values, {"on": -5.0, "stay": -2.0}, where="two actions that only cost, depth 1")
    expect.equal(best, "stay", where="the best of two actions that only cost")


@pytest.mark.exercise("plan_action", weight=2)
def test_a_value_is_a_mean_over_rollouts(student):
    """Every action gets `n_rollouts` rollouts, and their mean counts."""
    sample = Uneven()
    _, values = student.plan_action(sample, always_on, "a", ["left", "right"], 3, 5, 0.5)
    expect.equal(sample.calls, {"left": 3, "right": 3}, where="the number of rollouts of each action")
    expect.close(values, {"left": 5 / 3, "right": 10 / 3}, where="returns 1.5, −1 and 4.5 for 'left', twice that for 'right'")
    best, values = student.plan_action(Rarely(), always_on, "a", ["gamble", "work"], 3, 5, 0.5)
    expect.close(values, {"gamble": 1.0, "work": 2.0}, where="returns 0, 3 and 0 for 'gamble', always 2 for 'work'")
    expect.equal(best, "work", where="the best by the mean of 'gamble' (0, 3, 0) and 'work' (2, 2, 2)")


@pytest.mark.exercise("plan_action")
@pytest.mark.trivial
def test_ties_go_to_the_first(student):
    """Of equally good actions the first wins."""
    best, _ = student.plan_action(corridor, always_on, "a", ["fog", "on", "walk", "go"], 2, 1, 0.5)
    expect.equal(best, "on", where="'on', 'walk' and 'go', which all lead to the same")
    expect.inputs_unchanged(student, lambda actions: student.plan_action(corridor, always_on, "a", actions, 2, 1, 0.5), ["fog", "on"])


@pytest.mark.exercise("transition_error_rate", weight=2)
def test_the_share_of_wrong_outcomes(student):
    """Wrong reward, wrong observation, wrong end or None: each counts as one error."""
    true = (0.5, "b", False)
    pairs = [
        (true, true),
        ((0.4, "b", False), true),
        ((0.5, "c", False), true),
        ((0.5, "b", True), true),
        (None, true),
        (true, true),
        (true, true),
    ]
    expect.close(student.transition_error_rate(pairs), 4 / 7, where="seven pairs, four of them wrong")
    pairs = [(true, true), ((0.52, "b", False), true)]
    expect.close(student.transition_error_rate(pairs), 0.5, where="a right pair, and one whose reward is 0.52 instead of 0.5")
    pairs = [(true, true), ((0.5, "B", True), (0.5, "b", True))]
    expect.close(student.transition_error_rate(pairs), 0.5, where="a right pair, and one that ends with the observation 'B' instead of 'b'")


@pytest.mark.exercise("transition_error_rate")
def test_unreadable_outcomes_count_as_errors(student):
    """A None prediction is wrong, and stays in the denominator."""
    true = (0.5, "b", False)
    expect.close(student.transition_error_rate([(None, true), (true, true), (None, true)]), 2 / 3, where="None, right, None")
    expect.close(
        student.transition_error_rate([(None, None), (true, true), (true, true)]),
        1 / 3,
        where="None where None is right, too, right, right",
    )


# ------------------------------------------------------------------------------------------------- the token-level MDP
@pytest.mark.exercise("prefix_values", weight=3)
def test_values_of_all_prefixes(student):
    """Each prefix is worth the mean reward of the texts that begin with it, as the policy writes them."""
    want = table_of_values(WORDS, 3, wordy_reward, wordy_policy)
    got = student.prefix_values(WORDS, 3, wordy_reward, wordy_policy)
    compare_values(got, want, 3, "3 words, horizon 3")


@pytest.mark.exercise("prefix_values", weight=2)
def test_one_good_text_among_all(student):
    """With a uniform policy and one rewarded text, a matching prefix of length n is worth 2^(n − 5)."""
    good = ("a", "b", "b", "a", "b")
    got = student.prefix_values(["a", "b"], 5, lambda text: float(tuple(text) == good), lambda prefix: [0.5, 0.5])
    for n in range(5):
        expect.true(good[:n] in got, "A prefix has no value", f"{good[:n]!r} is missing")
        expect.close(got[good[:n]], 2.0 ** (n - 5), where=f"the first {n} tokens of the rewarded text")


@pytest.mark.exercise("prefix_values")
@pytest.mark.trivial
def test_the_reward_comes_at_the_end_only(student):
    """`reward` is asked about full texts only."""
    asked = []

    def reward(text):
        asked.append(len(text))
        return 1.0

    student.prefix_values(["a", "b"], 3, reward, lambda prefix: [0.25, 0.75])
    expect.true(
        set(asked) == {3}, "reward(text) is defined for full texts only, at the horizon", f"it was asked about lengths {sorted(set(asked))}"
    )


@pytest.mark.exercise("return_conditioned", weight=2)
def test_returns_to_go_are_written_before_each_step(student):
    """Every step starts with the sum of the rewards from it on, its own included."""
    got = student.return_conditioned(EPISODES)
    one_each = isinstance(got, (list, tuple)) and len(got) == 2
    expect.true(one_each, "return_conditioned gives a list with one text for each episode", f"of 2 episodes it made {expect.show(got)}")
    want = "<rtg> +3.0 <obs> a room <act> go on <rtg> +2.0 <obs> b room <act> take key <rtg> +4.0 <obs> c room <act> go back"
    expect.equal(got[0], want, where="rewards 1, −2, 4")
    expect.equal(got[1], "<rtg> -0.5 <obs> d room <act> wait", where="an episode of one step")
    expect.equal(list(student.return_conditioned([[], EPISODES[1]])), ["", got[1]], where="an episode without a step, and one of one step")


@pytest.mark.exercise("return_conditioned")
def test_returns_to_go_are_discounted(student):
    """With γ = 0.5 a reward two steps ahead counts a quarter."""
    want = "<rtg> +1.0 <obs> a room <act> go on <rtg> +0.0 <obs> b room <act> take key <rtg> +4.0 <obs> c room <act> go back"
    expect.equal(student.return_conditioned(EPISODES[:1], 0.5), [want], where="rewards 1, −2, 4 and gamma 0.5")
    expect.inputs_unchanged(student, student.return_conditioned, [list(episode) for episode in EPISODES], 0.5)


# ------------------------------------------------------------------------------------------------- the stretch
REAL = [("a", "on", 1.0, "b", False), ("b", "on", 3.0, "c", False), ("c", "on", -5.0, "d", True), ("a", "stay", -2.0, "a", False), ("b", "on", 3.0, "c", False)]  # fmt: skip


@pure
def actions_of(obs):
    return ["on", "stay"]


@pytest.mark.exercise("language_dyna")
def test_without_imagination_it_is_q_learning(student):
    """With planning_steps=0 only the real steps count, in their order."""
    got = student.language_dyna(REAL, corridor, actions_of, 0, 0.5, 0.5, seeded(1))
    want = {("a", "on"): 0.5, ("b", "on"): 1.5, ("c", "on"): -2.5, ("a", "stay"): -0.875}
    want["b", "on"] = 1.5 + 0.5 * (3.0 + 0.5 * max(-2.5, 0.0) - 1.5)
    tried = {pair: value for pair, value in got.items() if pair in want or value != 0}
    expect.close(tried, want, where="five real steps, alpha 0.5, gamma 0.5")
    ended = [*REAL[:2], ("c", "on", -5.0, "b", True)]
    got = student.language_dyna(ended, corridor, actions_of, 0, 0.5, 0.5, seeded(1))
    expect.close(got["c", "on"], -2.5, where="a step that ends the episode where values are not 0")


@pytest.mark.exercise("language_dyna")
def test_imagination_converges_to_the_models_values(student):
    """Much imagination carries values back to the first step."""
    got = student.language_dyna(REAL, corridor, actions_of, 400, 0.5, 0.5, seeded(2))
    want = {("c", "on"): -5.0, ("b", "on"): 3.0, ("a", "on"): 2.5, ("a", "stay"): -0.75}
    expect.close({pair: got[pair] for pair in want}, want, where="400 imagined steps after each real one", atol=1e-3)


@pytest.mark.exercise("language_dyna")
@pytest.mark.trivial
def test_imagination_uses_the_model(student):
    """Imagined steps come from `sample`, None outcomes teach nothing, and the generator decides."""

    def foggy(obs, action):
        return None

    want = student.language_dyna(REAL, corridor, actions_of, 0, 0.5, 0.5, seeded(3))
    got = student.language_dyna(REAL, foggy, actions_of, 7, 0.5, 0.5, seeded(3))
    nonzero = ({k: v for k, v in q.items() if v != 0} for q in (got, want))
    expect.close(*nonzero, where="a model whose outcomes are all unreadable")
    asked = [imagined_pairs(student, seed) for seed in (4, 4, 5)]
    expect.true(asked[0] == asked[1], "Equal seeds must imagine the same pairs: draw from `generator` only")
    expect.true(asked[0] != asked[2], "Another seed imagines the same pairs in the same order: draw them with `generator`")


@pytest.mark.exercise("language_dyna")
@pytest.mark.trivial
def test_every_tried_pair_is_as_likely(student):
    """Pairs are drawn uniformly from the different ones tried so far."""
    pairs = imagined_pairs(student, 6, 400)[-400:]  # after the last real step
    kinds = sorted({step[:2] for step in REAL})
    expect.true(set(pairs) <= set(kinds), "Imagined steps start from pairs that were tried")
    expect.frequencies([kinds.index(pair) for pair in pairs], [0.25] * 4, where="the pairs imagined after the fifth real step")


def imagined_pairs(student, seed, planning_steps=9):
    asked = []

    def sample(obs, action):
        asked.append((obs, action))
        return corridor(obs, action)

    student.language_dyna(REAL, sample, actions_of, planning_steps, 0.5, 0.5, seeded(seed))
    return asked


# ------------------------------------------------------------------------------------------------- the tree search
@pytest.mark.exercise("puct_choice", weight=2)
def test_the_worked_choice(student):
    """The lesson's worked number: the third action with c = 1, the second with c = 0.5."""
    for c, want in ((1.0, 2), (0.5, 1)):
        where = f"priors 0.5, 0.3, 0.2, visits 3, 5, 0, totals 0.6, 2, 0 and c = {c}"
        expect.equal(student.puct_choice(*node(*WORKED), c), want, where=where)


@pytest.mark.exercise("puct_choice", weight=2)
def test_choices_at_many_places(student):
    """The action with the largest Q + c · P · √(1 + ΣN) / (1 + N)."""
    for priors, visits, totals, c in places(24, seed=300):
        want = best_by_scores(priors, visits, totals, c)
        rounded = [[round(x, 3) for x in values.tolist()] for values in (priors, visits, totals)]
        where = "priors {}, visits {}, totals {}".format(*rounded)
        expect.equal(student.puct_choice(priors, visits, totals, c), want, where=f"{where}, c = {c}")


@pytest.mark.exercise("puct_choice")
def test_a_fresh_place_asks_the_prior(student):
    """Without any visits the prior decides, and among equals the first."""
    for priors, want in (([0.2, 0.5, 0.3], 1), ([0.1, 0.2, 0.7], 2), ([0.2, 0.4, 0.4], 1)):
        where = f"priors {priors}, no visits, c = 1"
        expect.equal(student.puct_choice(*node(priors, [0, 0, 0], [0.0, 0.0, 0.0]), 1.0), want, where=where)


@pytest.mark.exercise("puct_choice")
@pytest.mark.trivial
def test_the_place_itself_counts_as_a_visit(student):
    """Under the root stands 1 + ΣN, also where there are visits."""
    got = student.puct_choice(*node([0.5, 0.5], [1, 0], [0.3, 0.0]), 1.0)
    expect.equal(got, 1, where="priors 0.5, 0.5, visits 1, 0, totals 0.3, 0, c = 1: scores 0.3 + 0.25 · √2 and 0.5 · √2")


@pytest.mark.exercise("puct_choice")
def test_without_the_second_term_the_best_mean_is_taken(student):
    """With c = 0 the best mean return is taken, 0 for an action without visits, and the first among equals."""
    for visits, totals, want in (([4, 2, 0], [4.0, 3.0, 0.0], 1), ([4, 2, 0], [-4.0, -3.0, 0.0], 2), ([2, 4, 4], [1.0, 3.0, 3.0], 1)):
        where = f"visits {visits}, totals {totals}, c = 0"
        expect.equal(student.puct_choice(*node([0.2, 0.3, 0.5], visits, totals), 0.0), want, where=where)
