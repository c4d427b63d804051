"""Hidden tests of lesson 08: other texts, other sizes, edges, and sampling."""

import itertools

import pytest
import torch

from autograde.checking import expect
from autograde.checking.calls import each, pure, repeated
from autograde.grader.run.symmetries import Renumbered, Respelt, Scaled

# Asked through these, an answer is the same: by `grader.run.other_inputs`. Letters of the marks that answers know stay.
SYMMETRIES = {
    "prefix_values": [Respelt(), Scaled((2,))],
    "format_transition": [Respelt("obsactuendg")],
    "parse_outcome": [Respelt("endgoaif")],  # also of nan and inf
    "outcome_labels": [Renumbered((0, 1), but=(-100, -1))],
    "sample_outcome": [Respelt("obsactuendgif")],
    "transition_error_rate": [Respelt()],
    "rollout_return": [Respelt(), Scaled((0,))],
    "plan_action": [Respelt(), Scaled((0,), results=(1,))],
    "return_conditioned": [Respelt("rtgobsac")],
}


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pure
class Chain:
    """A causal model whose logits depend on the whole past, with a position that matters."""

    def __init__(self, vocabulary, seed, dtype=torch.float64, scale=1.5):
        self.table = expect.randn(vocabulary, vocabulary, seed=seed, dtype=dtype, scale=scale)

    def __call__(self, ids):
        table = self.table.to(ids.device)
        return torch.nn.functional.embedding(ids, table).cumsum(-2) / 2, None

    def scores(self, prompt, actions):
        """Σ log p of each action, by teacher forcing one token at a time."""
        totals = []
        for action in actions:
            ids, total = prompt.tolist(), 0.0
            for token in action.tolist():
                total += float(torch.log_softmax(self(torch.tensor([ids]))[0][0, -1].double(), -1)[token])
                ids.append(token)
            totals.append(total)
        return totals


class Replies:
    def __init__(self, *answers):
        self.answers, self.asked = answers, []

    def __call__(self, prompt):
        self.asked.append(prompt)
        return self.answers[min(len(self.asked), len(self.answers)) - 1]


@pytest.mark.exercise("format_transition", weight=2)
@pytest.mark.parametrize("reward, written, ended", [(-10.0, "-10.0", True), (0.3, "+0.3", False), (7.0, "+7.0", True)])
def test_other_lines(student, reward, written, ended):
    """Other words and rewards, of one line."""
    got = student.format_transition("A cat sits here.", "pet the cat", reward, "It purrs.", ended)
    expect.equal(
        got, f"<obs> A cat sits here. <act> pet the cat <out> {written} | It purrs. | {'end' if ended else 'go'}", where="another step"
    )


@pytest.mark.exercise("format_transition", weight=0.5)
def test_every_step_has_its_own_line(student):
    """Two steps whose texts are equally long."""
    for obs, action in (("a cat", "pet"), ("a dog", "run")):
        want = f"<obs> {obs} <act> {action} <out> -0.1 | a den | go"
        expect.equal(student.format_transition(obs, action, -0.1, "a den", False), want, where="one of two steps of the same length")
    want = "<obs> a dog <act> run <out> -0.1 | a den | end"
    expect.equal(student.format_transition("a dog", "run", -0.1, "a den", True), want, where="a step like it that ends the episode")


@pytest.mark.exercise("format_transition", weight=0.5)
def test_long_observations_stay_whole(student):
    """An observation of hundreds of characters, capitals included."""
    obs = "You are in the Hall. " * 20
    want = f"<obs> {obs} <act> go North <out> +1.0 | {obs} | go"
    expect.equal(student.format_transition(obs, "go North", 1.0, obs, False), want, where="a long observation")


@pytest.mark.exercise("parse_outcome", weight=2)
@pytest.mark.trivial
@pytest.mark.parametrize("text", [
    "+0.1 | a b | go away", "nan | a b | go", "+0.1 a b go", "| a b | end", "+0.1 | a b |", "a | b | c", "+0.1+0.2 | a b | go", "inf | a b | end", "-infinity | a b | go", "1e999 | a b | go",
])  # fmt: skip
def test_other_malformed_outcomes(student, text):
    """Other texts that are not of the form give None."""
    expect.true(student.parse_outcome(text) is None, "A malformed outcome must give None")


@pytest.mark.exercise("parse_outcome", weight=2)
def test_other_outcomes(student):
    """Words that look like the flags may stand in an observation."""
    expect.equal(
        student.parse_outcome(" +10.0 | you go to the end of the road | go"),
        (10.0, "you go to the end of the road", False),
        where="an observation with go and end in it",
    )
    expect.equal(student.parse_outcome(" -0.7 | go | end"), (-0.7, "go", True), where="a one-word observation")


@pytest.mark.exercise("parse_outcome", weight=0.5)
def test_capitals_in_an_outcome(student):
    """Capitals stay in an observation, and End is not end."""
    expect.equal(student.parse_outcome(" +0.5 | You are in the Hall. | end"), (0.5, "You are in the Hall.", True), where="capitals")
    expect.true(student.parse_outcome("+0.5 | the hall | End") is None, "The last part is `end` or `go`, in small letters")


@pytest.mark.exercise("parse_outcome", weight=0.5)
@pytest.mark.parametrize("reward", [-312.5, 40000.0])
def test_rewards_of_any_size(student, reward):
    """A reward is read with all its digits, however large."""
    expect.equal(student.parse_outcome(f" {reward:+.1f} | the hall | go"), (reward, "the hall", False), where=f"the reward {reward:+.1f}")


@pytest.mark.exercise("outcome_labels", weight=0.5)
def test_labels_of_a_long_text(student):
    """Three hundred tokens after the mark have their labels, too."""
    ids = torch.arange(400) % 7 + 10
    ids[100] = 2
    expect.equal(student.outcome_labels(ids, 2), torch.cat([torch.full((100,), -100), ids[101:], torch.tensor([-100])]), where="400 tokens")


@pytest.mark.exercise("outcome_labels", weight=3)
def test_labels_of_any_batch(student):
    """Two batch dimensions, position by position."""
    ids = torch.randint(0, 6, (3, 4, 9), generator=seeded(5))
    want = torch.full_like(ids, -7)
    for b, c in itertools.product(range(3), range(4)):
        row = ids[b, c].tolist()
        if 2 in row:
            for t in range(row.index(2), 8):
                want[b, c, t] = row[t + 1]
    expect.equal(student.outcome_labels(ids, 2, -7), want, where="a batch of two dimensions")
    expect.equal(student.outcome_labels(ids, 2, -9), want.where(want != -7, -9), where="the same batch, ignore_index −9")
    moved = torch.where(ids == 2, 6, ids)  # the mark is another token
    expect.equal(student.outcome_labels(moved, 6, -9), torch.where(want == 2, 6, want.where(want != -7, -9)), where="another mark")


@pytest.mark.exercise("outcome_labels")
@pytest.mark.parametrize(
    "ids, want",
    [
        *(pytest.param(ids, [-100] * len(ids), marks=pytest.mark.trivial) for ids in ([9], [4], [4, 9])),
        ([9, 4], [4, -100]),
        ([9, 9], [9, -100]),
    ],
)
def test_labels_of_very_short_texts(student, ids, want):
    """One or two tokens."""
    expect.equal(student.outcome_labels(torch.tensor(ids), 9), torch.tensor(want), where="a text of one or two tokens")


@pytest.mark.exercise("outcome_labels")
@pytest.mark.trivial
def test_labels_follow_the_device(student):
    """Nothing is created on a hard-wired device."""
    expect.follows_device(student.outcome_labels, torch.tensor([[1, 9, 3], [4, 5, 9]]), 9)


@pytest.mark.exercise("action_log_probability", weight=3)
@pytest.mark.parametrize("n_prompt, n_action", [(1, 6), (8, 1), (3, 4)])
def test_other_log_probabilities(student, n_prompt, n_action):
    """Prompts and actions of other lengths, down to one token."""
    model, ids = Chain(13, seed=n_prompt), torch.randint(0, 13, (n_prompt + n_action,), generator=seeded(n_action))
    prompt, action = ids[:n_prompt], ids[n_prompt:]
    want = torch.tensor(model.scores(prompt, [action])[0], dtype=torch.float64)
    expect.close(student.action_log_probability(model, prompt, action), want, where="other lengths")


@pytest.mark.exercise("action_log_probability")
def test_a_long_action(student):
    """Hundreds of tokens: their product is too small for a float, the sum of logarithms is not."""
    model, ids = Chain(13, seed=6, scale=0.3), torch.randint(0, 13, (304,), generator=seeded(7))
    logs = model(ids[None])[0][0, 3:-1].log_softmax(-1)
    want = logs[torch.arange(300), ids[4:]].sum()
    expect.close(student.action_log_probability(model, ids[:4], ids[4:]), want, where="an action of 300 tokens", rtol=1e-9)


@pytest.mark.exercise("action_log_probability")
def test_very_unlikely_actions(student):
    """Logits in the hundreds: a tiny probability still has a finite logarithm."""
    model = Chain(7, seed=2, dtype=torch.float32, scale=300.0)
    prompt, action = torch.tensor([1, 5, 2]), torch.tensor([3, 0])
    want = torch.tensor(model.scores(prompt, [action])[0])
    expect.close(student.action_log_probability(model, prompt, action), want, where="logits in the hundreds")


@pytest.mark.exercise("action_log_probability")
@pytest.mark.trivial
def test_log_probabilities_leave_the_ids_alone(student):
    """The ids are not changed, and the device is followed."""
    model, prompt, action = Chain(7, seed=2), torch.tensor([1, 5, 2]), torch.tensor([3, 0])

    def call(p, a):
        return student.action_log_probability(model, p, a)

    expect.inputs_unchanged(student, call, prompt, action)
    expect.follows_device(call, prompt, action)


@pytest.mark.exercise("action_log_probability", weight=0.5)
def test_a_long_prompt(student):
    """A prompt of 150 tokens: its beginning counts."""
    model, ids = Chain(9, seed=11, scale=0.5), torch.randint(0, 9, (155,), generator=seeded(12))
    want = torch.tensor(model.scores(ids[:150], [ids[150:]])[0], dtype=torch.float64)
    expect.close(student.action_log_probability(model, ids[:150], ids[150:]), want, where="a prompt of 150 tokens", rtol=1e-9)


@pytest.mark.exercise("choose_action", weight=2)
@pytest.mark.parametrize("temperature", [1.0, 0.25, 2.5, 0.03])
def test_actions_are_drawn_in_proportion(student, temperature):
    """Above 0 the choice is drawn with softmax(log-probability per token / temperature)."""
    model, prompt = Chain(6, seed=20, scale=2 * temperature), torch.tensor([4, 1])  # neither nearly equal nor nearly certain
    actions = [torch.tensor([5]), torch.tensor([0, 2, 1, 3]), torch.tensor([2, 3])]
    scores = torch.tensor([s / len(a) for s, a in zip(model.scores(prompt, actions), actions)])
    generator = seeded(3)
    draws = repeated(student.choose_action, 250, model, prompt, actions, generator, temperature)
    expect.frequencies(draws, (scores / temperature).softmax(-1), where=f"250 choices at temperature {temperature}")


@pytest.mark.exercise("choose_action")
@pytest.mark.trivial
def test_unlikely_candidates(student):
    """Every candidate has a tiny probability, and the temperature is low: the best one is still chosen."""
    model, prompt = Chain(8, seed=90, scale=60.0), torch.tensor([4, 1])
    actions = [torch.randint(0, 8, (n,), generator=seeded(n)) for n in (9, 14, 11)]
    scores = [s / len(a) for s, a in zip(model.scores(prompt, actions), actions)]
    for temperature in (0.0, 0.05):
        got = student.choose_action(model, prompt, actions, seeded(1), temperature)
        expect.equal(int(got), max(range(3), key=scores.__getitem__), where="three very unlikely actions")


@pytest.mark.exercise("choose_action")
def test_long_actions_are_not_punished(student):
    """Length does not decide, and a single candidate is chosen."""
    for seed in range(8):
        model, prompt = Chain(8, seed=70 + seed), torch.tensor([4, 1] if seed < 4 else [0, 6])
        actions = [torch.randint(0, 8, (n,), generator=seeded(seed + n)) for n in (6, 1, 3, 2)]
        scores = [s / len(a) for s, a in zip(model.scores(prompt, actions), actions)]
        expect.equal(
            int(student.choose_action(model, prompt, actions, seeded(1), 0.0)),
            max(range(4), key=scores.__getitem__),
            where="four actions of very different length",
        )
    expect.equal(int(student.choose_action(model, prompt, actions[:1], seeded(1), 1.3)), 0, where="a single candidate")


@pytest.mark.exercise("sample_outcome", weight=2)
def test_another_number_of_attempts(student):
    """Exactly as many attempts as allowed, and the last one still counts."""
    generate = Replies("x", "y | z", "", "+1.0 | | | go on", "-0.3 | here | go")
    expect.equal(
        student.sample_outcome(generate, "o", "a b", 5), (-0.3, "here", False), where="four malformed outcomes, then a good one, of five"
    )
    expect.equal({p.strip() for p in generate.asked}, {"<obs> o <act> a b <out>"}, where="the prompts of five attempts")
    generate = Replies("x", "-0.3 | here | go")
    expect.true(student.sample_outcome(generate, "o", "a b", attempts=1) is None, "With one attempt a malformed outcome gives None")
    expect.equal(len(generate.asked), 1, where="the number of calls of `generate` with one attempt")


@pytest.mark.exercise("sample_outcome", weight=0.5)
def test_every_question_is_asked(student):
    """Two questions that are equally long have answers of their own."""
    for text, want in (("+1.0 | a den | go", (1.0, "a den", False)), ("-1.0 | a pit | end", (-1.0, "a pit", True))):
        expect.equal(student.sample_outcome(Replies(text), "o", "a", 3), want, where="one of two questions of the same length")


@pytest.mark.exercise("rollout_return")
def test_rewards_of_nothing_are_discounted_past(student):
    """A step without a reward takes time, too."""
    path = {"a": (0.0, "b", False), "b": (0.0, "c", False), "c": (8.0, "d", True)}
    got = student.rollout_return(lambda obs, action: path[obs], lambda obs: "on", "a", "on", 5, 0.5)
    expect.close(got, 2.0, where="rewards 0, 0 and 8 and gamma 0.5")


@pytest.mark.exercise("rollout_return", weight=3)
def test_a_longer_rollout(student):
    """The policy sees the imagined observation, and every reward has its own discount."""

    def count(obs, action):
        return (float(obs) + 1) * (2 if action == "even" else -1), str(int(obs) + 1), int(obs) == 6

    def parity(obs):
        return "even" if int(obs) % 2 == 0 else "odd"

    want, n, action = 0.0, 2, "odd"
    for t in range(5):
        want += 0.9**t * (n + 1) * (2 if action == "even" else -1)
        n, action = n + 1, "even" if (n + 1) % 2 == 0 else "odd"
    expect.close(student.rollout_return(count, parity, "2", "odd", 20, 0.9), want, where="a rollout that ends after five steps")


@pytest.mark.exercise("rollout_return")
def test_depth_counts_steps(student):
    """`depth` steps and no more; with none, nothing is collected."""
    asked = []

    def endless(obs, action):
        asked.append(action)
        return 1.0, obs, False

    expect.close(student.rollout_return(endless, lambda obs: "a", "o", "b", 4, 1.0), 4.0, where="four steps of reward 1 without discount")
    expect.equal(asked, ["b", "a", "a", "a"], where="the actions of four steps")
    expect.close(student.rollout_return(endless, lambda obs: "a", "o", "b", 0, 0.9), 0.0, where="depth 0")


@pytest.mark.exercise("rollout_return", weight=0.5)
def test_every_rollout_is_played(student):
    """The same question twice, in worlds that pay differently; and twice in one world that pays by chance."""
    for reward in (1.5, -4.0):
        got = student.rollout_return(lambda obs, action, reward=reward: (reward, obs, False), lambda obs: "a", "o", "b", 2, 0.5)
        expect.close(got, 1.5 * reward, where="two steps of a world that always pays the same")
    pays = iter([1.0, 2.0, 4.0])
    got = [student.rollout_return(lambda obs, action: (next(pays), obs, True), lambda obs: "a", "o", "b", 3, 0.5) for _ in range(3)]
    expect.close(got, [1.0, 2.0, 4.0], where="the same rollout three times, in a world of chance")


@pytest.mark.exercise("rollout_return", weight=0.5)
def test_an_unreadable_outcome_is_the_end(student):
    """After an outcome that is None nothing more is asked of the world, whatever it would say."""
    replies = iter([(1.5, "a", False), None, (8.0, "b", False), (8.0, "b", False)])
    got = student.rollout_return(lambda obs, action: next(replies), lambda obs: "on", "o", "on", 4, 0.5)
    expect.close(got, 1.5, where="reward 1.5, then None, though the world would go on to say 8 and 8")


@pytest.mark.exercise("rollout_return", weight=0.5)
def test_a_rollout_of_eighty_steps(student):
    """A deep rollout: all its steps count, each with its discount."""
    got = student.rollout_return(lambda obs, action: (1.0, obs, False), lambda obs: "a", "o", "a", 80, 0.9)
    expect.close(got, (1 - 0.9**80) / 0.1, where="80 steps of reward 1, γ 0.9", rtol=1e-9)


@pytest.mark.exercise("plan_action", weight=1)
def test_the_mean_decides_and_not_the_best_rollout(student):
    """An action that once brings much and then little against one that always brings the same."""
    lucky = iter([6.0, 0.0, 0.0, 0.0])
    best, values = student.plan_action(
        lambda obs, action: (next(lucky) if action == "gamble" else 2.0, obs, True), lambda obs: "wait", "o", ["gamble", "work"], 4, 1, 1.0
    )
    expect.close(values, {"gamble": 1.5, "work": 2.0}, where="rewards 6, 0, 0, 0 against 2, 2, 2, 2")
    expect.equal(best, "work", where="rewards 6, 0, 0, 0 against 2, 2, 2, 2: the action")


@pytest.mark.exercise("plan_action", weight=2)
def test_planning_with_losses_only(student):
    """The best of negative values, in the middle of the list, and unequal depths."""

    def costs(obs, action):
        return {"a": -3.0, "b": -1.0, "c": -2.0, "d": -1.0}[action], action, action == "c"

    best, values = student.plan_action(costs, lambda obs: "b", "o", ["a", "b", "c", "d"], 4, 3, 0.8)
    expect.close(values, {"a": -4.44, "b": -2.44, "c": -2.0, "d": -2.44}, where="four costly actions")
    expect.equal(best, "c", where="the best action")
    best, _ = student.plan_action(costs, lambda obs: "b", "o", ["d", "a", "b"], 2, 3, 0.8)
    expect.equal(best, "d", where="two equally good actions")
    for gamma, then, cost in ((0.5, "b", -1.0), (0.5, "a", -3.0)):
        _, values = student.plan_action(costs, lambda obs, then=then: then, "o", ["a", "b", "c", "d"], 4, 3, gamma)
        later = cost * (gamma + gamma**2)
        want = {"a": -3.0 + later, "b": -1.0 + later, "c": -2.0, "d": -1.0 + later}
        expect.close(values, want, where=f"four costly actions, γ {gamma}, and then always {then}")


@pytest.mark.exercise("plan_action", weight=2)
def test_planning_under_chance(student):
    """Noisy rewards are averaged for each action apart."""
    seen = {"x": [], "y": []}
    generator = seeded(4)

    def noisy(obs, action):
        seen[action].append(float(torch.rand((), generator=generator)) + (action == "y"))
        return seen[action][-1], obs, True

    best, values = student.plan_action(noisy, lambda obs: "x", "o", ["x", "y"], 6, 4, 0.7)
    expect.close(values, {a: sum(r) / 6 for a, r in seen.items()}, where="six noisy rollouts of each action")
    expect.equal(best, "y", where="the better of two noisy actions")


@pytest.mark.exercise("plan_action", weight=0.5)
def test_every_plan_is_made_anew(student):
    """The same question twice, in worlds that pay differently; the list of actions is left alone."""
    for better, worse in (("x", "y"), ("y", "x")):
        got = student.plan_action(
            lambda obs, a, better=better: (float(a == better), obs, True), lambda obs: "x", "o", ["x", "y"], 2, 3, 0.9
        )
        expect.equal((got[0], dict(got[1])), (better, {better: 1.0, worse: 0.0}), where="a world that pays for one of two actions")

    def call(actions):
        return student.plan_action(lambda obs, a: (1.0, obs, True), lambda obs: "x", "o", actions, 2, 3, 0.9)

    expect.inputs_unchanged(student, call, ["x", "y", "z"])


@pytest.mark.exercise("plan_action", weight=0.5)
def test_many_rollouts_and_many_equals(student):
    """Forty rollouts of each action, whose mean counts; of nine equal actions the first is best."""
    pays = itertools.count()
    actions = [f"do {i}" for i in (5, 3, 8, 1, 9, 2, 7, 4, 6)]
    best, values = student.plan_action(lambda obs, a: (float(next(pays) % 40 == 39), obs, True), lambda obs: "x", "o", actions, 40, 2, 0.9)
    expect.close(values, dict.fromkeys(actions, 1 / 40), where="nine actions with one success in 40 rollouts each")
    expect.equal(best, actions[0], where="the first of nine equal actions")
    expect.equal(next(pays), 360, where="the number of imagined steps")


@pytest.mark.exercise("transition_error_rate", weight=2)
def test_other_error_rates(student):
    """All right, all wrong, and between."""
    a, b = (-0.1, "a room", False), (0.9, "a room", True)
    for pairs, want in (([(a, a)], 0.0), ([(b, a), (None, b)], 1.0), ([(a, a), (b, b), (a, b), (None, a), (b, b)], 0.4)):
        expect.close(student.transition_error_rate(pairs), want, where="another list of pairs")


@pytest.mark.exercise("transition_error_rate", weight=0.5)
def test_every_list_of_pairs_is_counted(student):
    """Two lists of one length, and reward, observation and end one by one; the list is left alone."""
    true = (1.0, "a den", False)
    for predicted, want in ((true, 0.0), ((1.5, "a den", False), 1.0), ((1.0, "a pit", False), 1.0), ((1.0, "a den", True), 1.0)):
        expect.close(student.transition_error_rate([(predicted, true)]), want, where="one pair")
    ends = [((0.5, "a den", True), (0.5, "a pit", True))]
    expect.close(student.transition_error_rate(ends), 1.0, where="two ends with different observations")
    expect.inputs_unchanged(student, student.transition_error_rate, [(true, true), (None, true)])


@pytest.mark.exercise("transition_error_rate", weight=0.5)
def test_a_prediction_of_none_is_an_error(student):
    """None is an error whatever the true outcome is."""
    step = (0.5, "a", False)
    expect.close(
        student.transition_error_rate([(None, None), (step, step), (None, step), (step, step)]), 0.5, where="two of four predictions None"
    )


@pytest.mark.exercise("transition_error_rate", weight=0.5)
def test_small_differences_are_errors(student):
    """A reward that is off by 0.05, a capital letter, one error in three hundred."""
    true = (1.0, "a den", False)
    for predicted in ((1.05, "a den", False), (1.0, "A den", False)):
        expect.close(student.transition_error_rate([(predicted, true)]), 1.0, where="a small difference")
    expect.close(student.transition_error_rate([(None, true)] + [(true, true)] * 299), 1 / 300, where="one error in 300", rtol=1e-9)


@pytest.mark.exercise("prefix_values", weight=3)
def test_values_follow_bellman(student):
    """4 tokens and horizon 4: every value is the policy's mean over the next token, down to the rewards."""
    tokens = ("take", "the", "key", "now")

    def policy(prefix):
        weights = expect.rand(4, seed=sum((i + 1) * 7 ** tokens.index(w) for i, w in enumerate(prefix)), dtype=torch.float64) + 0.05
        return weights / weights.sum()

    def reward(text):
        return sum((i + 2) * tokens.index(w) for i, w in enumerate(text)) % 5 - 1.5

    got = student.prefix_values(tokens, 4, reward, policy)
    value = {text: reward(text) for text in itertools.product(tokens, repeat=4)}
    for n in (3, 2, 1, 0):
        for prefix in itertools.product(tokens, repeat=n):
            value[prefix] = sum(float(p) * value[(*prefix, w)] for w, p in zip(tokens, policy(prefix)))
            expect.true(prefix in got, "A prefix has no value")
            expect.close(got[prefix], value[prefix], where="4 tokens, horizon 4")


@pytest.mark.exercise("prefix_values")
def test_values_under_a_sure_policy(student):
    """A policy that always writes the same token, and horizon 1."""
    got = student.prefix_values(
        ["x", "y", "z"], 3, lambda t: 9.0 * (tuple(t) == ("x", "z", "z")) + (t[0] == "z"), lambda p: [0.0, 0.0, 1.0]
    )
    for prefix, want in {(): 1.0, ("x",): 9.0, ("y",): 0.0, ("x", "y"): 0.0, ("x", "z"): 9.0, ("z", "x"): 1.0}.items():
        expect.true(prefix in got, "A prefix has no value")
        expect.close(got[prefix], want, where="a policy that always writes the same token")
    expect.close(student.prefix_values(["x", "y"], 1, lambda t: 4.0 * (t[0] == "y"), lambda p: [0.75, 0.25])[()], 1.0, where="horizon 1")


@pytest.mark.exercise("prefix_values", weight=0.5)
def test_every_policy_and_reward_has_its_values(student):
    """The same texts twice, with another reward and another policy; the vocabulary is left alone."""
    for pay, p in ((2.0, 0.25), (-6.0, 0.5)):
        got = student.prefix_values(["x", "y"], 2, lambda t, pay=pay: pay * (tuple(t) == ("y", "y")), lambda prefix, p=p: [1 - p, p])
        expect.close(got[()], pay * p * p, where="a reward for one of four texts")

    def call(vocabulary):
        return student.prefix_values(vocabulary, 2, lambda t: 1.0, lambda prefix: [0.5, 0.5])

    expect.inputs_unchanged(student, call, ["x", "y"])


@pytest.mark.exercise("prefix_values", weight=0.5)
def test_every_call_has_a_dictionary_of_its_own(student):
    """A shorter horizon after a longer one has its own texts alone, and the first result stays as it was."""
    first = student.prefix_values("ab", 2, lambda text: float(text.count("a")), lambda prefix: (0.5, 0.5))
    before = dict(first)
    second = student.prefix_values("ab", 1, lambda text: 3.0, lambda prefix: (0.5, 0.5))
    expect.close(second, {(): 3.0, ("a",): 3.0, ("b",): 3.0}, where="horizon 1 after horizon 2")
    expect.equal(first, before, where="the values of the first call, after the second")


@pytest.mark.exercise("prefix_values", weight=0.5)
def test_values_are_exact(student):
    """All digits of a value, and a vocabulary in an order of its own."""
    got = student.prefix_values(["y", "x", "z"], 2, lambda t: 1 / 3 * (t[0] == "y") + 1e-9 * (t[1] == "z"), lambda prefix: [0.7, 0.2, 0.1])
    expect.close(got[()], 0.7 / 3 + 1e-10, where="a reward of thirds", rtol=1e-13, atol=0.0)
    vocabulary = ["y", "x", "z"]
    expect.inputs_unchanged(student, lambda v: student.prefix_values(v, 1, lambda t: 1.0, lambda prefix: [0.7, 0.2, 0.1]), vocabulary)


@pytest.mark.exercise("return_conditioned", weight=3)
def test_other_returns_to_go(student):
    """Several episodes, none of which knows of the others."""
    episodes = [[("o", "a", 0.5), ("p", "b", 2.0)], [], [("q", "c d", -8.0), ("r", "e", 4.0), ("s", "f", 16.0)]]
    want = ["<rtg> +1.0 <obs> o <act> a <rtg> +2.0 <obs> p <act> b", "",
            "<rtg> -6.0 <obs> q <act> c d <rtg> +8.0 <obs> r <act> e <rtg> +16.0 <obs> s <act> f"]  # fmt: skip
    expect.equal(list(student.return_conditioned(episodes, 0.25)), want, where="three episodes, one of them empty, gamma 0.25")


@pytest.mark.exercise("return_conditioned", weight=0.5)
def test_every_set_of_episodes_is_written_anew(student):
    """Two sets of episodes of the same lengths; they are left alone."""
    for obs in ("o", "p"):
        want = [f"<rtg> +1.0 <obs> {obs} <act> a"]
        expect.equal(list(student.return_conditioned([[(obs, "a", 1.0)]])), want, where="one episode of one step")
    for gamma, first in ((1.0, "+3.0"), (0.5, "+2.0")):
        want = [f"<rtg> {first} <obs> o <act> a <rtg> +2.0 <obs> p <act> b"]
        expect.equal(list(student.return_conditioned([[("o", "a", 1.0), ("p", "b", 2.0)]], gamma)), want, where=f"two steps, gamma {gamma}")
    expect.inputs_unchanged(student, student.return_conditioned, [[("o", "a", 1.0), ("p", "b", 2.0)], [("q", "c", 0.5)]])


@pytest.mark.exercise("return_conditioned", weight=0.5)
def test_the_returns_of_a_long_episode(student):
    """Twelve steps whose returns are rounded only when they are written."""
    episode = [(f"o{i}", "a", 0.04) for i in range(12)]
    to_go = [sum(0.9**k * r for k, (_, _, r) in enumerate(episode[t:])) for t in range(12)]
    want = " ".join(f"<rtg> {g:+.1f} <obs> {o} <act> a" for g, (o, _, _) in zip(to_go, episode))
    expect.equal(list(student.return_conditioned([episode], 0.9)), [want], where="an episode of twelve steps, gamma 0.9")


# Stretch · language_dyna


@pytest.mark.exercise("language_dyna")
@pytest.mark.trivial
def test_imagination_goes_on_where_the_generator_is(student):
    """A second call with the same generator imagines other pairs; the steps are left alone."""
    steps = [("a", "on", 0.5, "b", False), ("b", "on", 1.0, "a", False), ("a", "off", 0.0, "b", False)]
    generator, asked = seeded(8), []

    def sample(obs, action):
        asked.append((obs, action))
        return 0.5, "a", False

    def call(steps):
        return student.language_dyna(steps, sample, lambda obs: ["on", "off"], 12, 0.5, 0.5, generator)

    expect.inputs_unchanged(student, call, steps)
    call(steps)
    expect.true(asked[:36] != asked[36:], "Two calls with one generator imagined the same pairs: draw from `generator` itself")


@pytest.mark.exercise("language_dyna")
def test_the_real_step_comes_before_the_imagined_ones(student):
    """A real reward of 1, then imagined ones of 0 for the same pair: they take it back by halves."""
    steps = [("a", "on", 1.0, "b", True)]
    got = student.language_dyna(steps, lambda obs, action: (0.0, "b", True), lambda obs: ["on"], 2, 0.5, 0.5, seeded(9))
    expect.close(got, {("a", "on"): 0.125}, where="α 0.5, one real step and two imagined ones")
    for reward, alpha, gamma in ((1.0, 0.25, 0.5), (4.0, 0.25, 0.5), (4.0, 0.25, 0.8)):
        steps, want = [("a", "on", reward, "b", True)], alpha * reward
        got = student.language_dyna(steps, lambda obs, action: (1.0, "a", False), lambda obs: ["on"], 2, alpha, gamma, seeded(9))
        for imagined in (1.0, 1.0):
            want += alpha * (imagined + gamma * want - want)
        expect.close(
            got, {("a", "on"): want}, where=f"α {alpha}, γ {gamma}, a real reward of {reward} and two imagined steps back to the start"
        )


# Stretch · puct_choice


def node(priors, visits, totals, dtype=torch.float64):
    return torch.tensor(priors, dtype=dtype), torch.tensor(visits), torch.tensor(totals, dtype=dtype)


def puct_by_hand(priors, visits, totals, c):
    root = (1 + sum(visits)) ** 0.5
    scores = [(w / n if n else 0.0) + c * p * root / (n + 1) for p, n, w in zip(priors, visits, totals)]
    return scores.index(max(scores))


@pytest.mark.exercise("puct_choice", weight=2)
def test_choices_along_a_search(student):
    """Two hundred choices, each of which changes the next."""
    for priors, worth, c in (([0.7, 0.2, 0.1], [-0.4, 0.1, 0.3], 1.5), ([0.1, 0.1, 0.4, 0.4], [0.5, 0.2, 0.5, -1.0], 0.7)):
        visits, totals, places, wanted = [0] * len(priors), [0.0] * len(priors), [], []
        for step in range(100):
            want = puct_by_hand(priors, visits, totals, c)
            places.append((*node(priors, visits, totals), c))
            wanted.append(want)
            visits[want] += 1
            totals[want] += worth[want] + 0.01 * (step % 7)
        for step, (got, want) in enumerate(zip(each(student.puct_choice, places), wanted), 1):
            expect.equal(got, want, where=f"choice {step} of a search")


@pytest.mark.exercise("puct_choice")
def test_little_trust_is_still_a_try(student):
    """Thirty actions that the prior hardly likes beside one that is worth nothing: they are tried, too."""
    for liked, visits in ((0, 5), (30, 50), (17, 500)):
        priors, tries, totals = (
            [low if i != liked else high for i in range(31)] for low, high in ((0.01, 0.7), (0, visits), (0.0, -0.5 * visits))
        )
        want = puct_by_hand(priors, tries, totals, 1.0)
        expect.equal(student.puct_choice(*node(priors, tries, totals), 1.0), want, where="31 actions, one of them tried")


@pytest.mark.exercise("puct_choice")
def test_choices_keep_all_digits(student):
    """Scores that differ in the tenth digit, in float64; and float32 is taken, too."""
    where = "two actions whose scores differ by 1e-10"
    expect.equal(student.puct_choice(*node([0.5, 0.5], [2, 2], [1.0, 1.0 + 2e-10]), 1.0), 1, where=where)
    expect.equal(student.puct_choice(*node([0.5, 0.5 + 1e-10], [0, 0], [0.0, 0.0]), 1.0), 1, where="priors that differ by 1e-10")
    expect.equal(student.puct_choice(*node([0.25, 0.75], [1, 6], [0.5, 1.0], torch.float32), 2.0), 0, where="float32")


@pytest.mark.exercise("puct_choice", weight=0.5)
@pytest.mark.trivial
def test_a_choice_changes_nothing_and_is_an_int(student):
    """The node stays as it was, and the choice is a plain int; of one action it is 0."""
    expect.inputs_unchanged(student, student.puct_choice, *node([0.2, 0.8], [0, 3], [0.0, 1.5]), 1.0)
    got = student.puct_choice(*node([1.0], [4], [-2.0]), 1.0)
    expect.true(type(got) is int and got == 0, "The choice must be a plain int, 0 where there is one action")
