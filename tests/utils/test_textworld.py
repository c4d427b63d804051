"""The house is a Markov decision process in English, and everything about it agrees: words, steps, outcomes, table."""

import pytest
import torch

from utils.textworld import House, Storyteller, Words, random_play, understand


def seeded(seed):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(params=[False, True], ids=["certain", "stochastic"])
def house(request):
    return House(stochastic=request.param)


def live(house):
    return [obs for obs in house.observations() if not understand(obs).treasure]


def test_the_whole_house_is_small(house):
    assert len(house.observations()) == 22 and len(live(house)) == 20
    assert sum(len(house.actions(obs)) for obs in live(house)) == 43
    assert all(understand(obs).treasure for obs in house.observations()[20:])


def test_observations_are_single_lines_without_bars_and_read_back(house):
    for obs in house.observations():
        assert "\n" not in obs and "|" not in obs and obs == obs.strip()
        assert understand(obs).describe() == obs


@pytest.mark.parametrize("obs", [
    "", "you are in the cellar . the study is locked . you carry nothing .",
    "you are in the kitchen . here is a key . the study is locked . you carry the key .",
    "you are in the hall . the study is open . you carry nothing .",
    "you are in the study . here is a treasure . the study is locked . you carry the key .",
])  # fmt: skip
def test_what_cannot_be_is_refused(obs):
    with pytest.raises(ValueError, match="obs"):
        House().actions(obs)


def test_outcomes_are_distributions_with_lossless_rewards(house):
    for obs in live(house):
        for action in house.actions(obs):
            possible = house.outcomes(obs, action)
            assert sum(o.probability for o in possible) == pytest.approx(1)
            for o in possible:
                assert float(f"{o.reward:+.1f}") == o.reward
                assert o.next_obs in house.observations() and o.terminated == understand(o.next_obs).treasure
    with pytest.raises(ValueError, match="action"):
        house.outcomes(house.observations()[0], "fly")


def test_steps_follow_the_outcomes():
    house, generator = House(stochastic=True), seeded(1)
    counts = {}
    for episode in random_play(house, 6000, generator):
        assert len(episode) <= 25 and all(not step[4] for step in episode[:-1])
        for (_, _, _, arrived, _), (obs, *_) in zip(episode, episode[1:]):
            assert arrived == obs
        for obs, action, *outcome in episode:
            assert tuple(outcome) in [tuple(o[1:]) for o in house.outcomes(obs, action)]
            counts.setdefault((obs, action), []).append(tuple(outcome))
    (obs, action), seen = max(((k, v) for k, v in counts.items() if len(house.outcomes(*k)) == 2), key=lambda pair: len(pair[1]))
    first = house.outcomes(obs, action)[0]
    share = sum(o == tuple(first[1:]) for o in seen) / len(seen)
    assert abs(share - first.probability) < 6 * (0.25 / len(seen)) ** 0.5


def test_the_winning_path():
    house, generator = House(), seeded(0)
    while "kitchen" not in house.reset(generator):
        pass
    rewards = [house.step(action)[1] for action in ("take key", "go west", "unlock door", "go north", "take treasure")]
    assert rewards == [-0.1, -0.1, -0.1, -0.1, 0.9]
    with pytest.raises(RuntimeError, match="reset"):
        house.step("go south")


def test_a_locked_door_stays_shut_without_the_key():
    house = House(stochastic=True)
    hall = "you are in the hall . the study is locked . you carry nothing ."
    assert house.outcomes(hall, "unlock door") == house.outcomes(hall, "go north") == [(1.0, -0.1, hall, False)]


def test_the_table_says_what_the_words_say(house):
    mdp, names, verbs = house.to_mdp(), house.observations(), house.all_actions()
    assert torch.allclose(mdp.transition.sum(-1), torch.ones(22, len(verbs), dtype=torch.float64))
    assert int(mdp.terminal.sum()) == 2 and float(mdp.start.sum()) == pytest.approx(1) and bool(mdp.reachable().all())
    for obs in live(house):
        for action in house.actions(obs):
            s, a = names.index(obs), verbs.index(action)
            assert float(mdp.reward[s, a]) == pytest.approx(sum(o.probability * o.reward for o in house.outcomes(obs, action)))
            for o in house.outcomes(obs, action):
                assert float(mdp.transition[s, a, names.index(o.next_obs)]) == pytest.approx(o.probability)


def test_greedy_on_the_random_policys_values_is_the_best_one_can_do():
    """What the lesson says of planning in the true world: depth 10 and γ = 0.95 give the best path, 0.6 on average."""
    house = House()
    mdp = house.to_mdp()
    exists = mdp.reward > -500
    random = exists.double() / exists.sum(1, keepdim=True)
    value = torch.zeros(22, dtype=torch.float64)
    for _ in range(9):
        q = mdp.reward + 0.95 * mdp.transition @ value
        value = (random * q.masked_fill(~exists, 0)).sum(1).masked_fill(mdp.terminal, 0)
    best = (mdp.reward + 0.95 * mdp.transition @ value).masked_fill(~exists, -99).argmax(1)
    total = torch.zeros(22, dtype=torch.float64)
    for _ in range(25):
        rows = torch.arange(22)
        total = (mdp.reward[rows, best] + (mdp.transition[rows, best] @ total)).masked_fill(mdp.terminal, 0)
    assert float(mdp.start @ total) == pytest.approx(0.6)


def test_words_and_back():
    words = Words(House())
    line = f"<rtg> -1.3 <obs> {House().observations()[0]} <act> go north <out> +0.9 | {House().observations()[-1]} | end"
    assert words.decode(words.encode(line)) == line
    ids = words.batch([line, "go"])
    assert ids.shape == (2, len(line.split()) + 1) and ids[1].tolist()[2:] == [words.number[words.PAD]] * (ids.shape[1] - 2)
    with pytest.raises(ValueError, match="unicorn"):
        words.encode("take unicorn")


def test_the_storyteller_draws_what_the_model_says():
    words = Words(House())
    go, end, line = (words.number[w] for w in ("go", "end", words.END_OF_LINE))
    calls = []

    def model(ids):
        calls.append(tuple(ids[0].tolist()))
        logits = torch.full((1, ids.shape[1], len(words)), -1e9)
        if ids[0, -1] in (go, end):
            logits[0, -1, line] = 0
        else:
            logits[0, -1, go], logits[0, -1, end] = torch.tensor([0.8, 0.2]).log()
        return logits, None

    story = Storyteller(model, words, seeded(2))
    told = [story("<out>") for _ in range(2000)]
    assert set(told) == {"go", "end"} and abs(told.count("go") / 2000 - 0.8) < 0.05
    assert len(calls) == len(set(calls)) == 3, "every distribution is asked for once"
    assert [Storyteller(model, words, seeded(2))("<out>") for _ in range(1)] == told[:1]


def test_drafts_save_questions_and_change_no_draw():
    """With and without drafts the same words are drawn, from a model whose every word depends on all before it."""
    words = Words(House())
    table = torch.randn(len(words), len(words), generator=seeded(3), dtype=torch.float64) * 4
    calls = []

    def told(draft):
        calls.append(0)

        def model(ids):
            calls[-1] += 1
            return table[ids].cumsum(1), None

        story = Storyteller(model, words, seeded(4), longest=12)
        story.DRAFT = draft
        prompts = (House().observations()[i % 5] for i in range(200))
        return [story(prompt) for prompt in prompts]

    assert told(0) == told(12)
    assert calls[1] < calls[0]


def test_a_story_without_an_end_is_cut():
    words = Words(House())

    def model(ids):
        logits = torch.full((1, ids.shape[1], len(words)), -1e9)
        logits[..., words.number["you"]] = 0
        return logits, None

    assert Storyteller(model, words, seeded(2), longest=7)("<out>") == " ".join(["you"] * 7)
