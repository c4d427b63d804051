"""Lesson 07's graded files: the loss is the saved weights', whatever the class says; damaged files cost only these points."""

import dataclasses
import json
import pickle

import pytest
import torch
from safetensors.torch import load_file, save
from torch import nn

from autograde import layout
from autograde.authoring import source
from autograde.checking.errors import CheckFailed
from autograde.checking.lesson import assemble_lesson
from autograde.checking.model_files import MAX_BYTES
from autograde.checking.scoring import examine
from autograde.checking.student import LocalStudent
from autograde.grader.run.submission import artifacts
from utils.corpora import load_text
from utils.training import save_model

NAME = "07_gpt"
SOURCE = source.read(layout.source_path(NAME))
VOCABULARY = "".join(sorted(set(load_text("pydoc", quiet=True).text)))


@pytest.fixture(scope="module")
def names():
    return source.namespace(SOURCE)


@pytest.fixture(scope="module")
def lesson():
    return assemble_lesson(NAME, SOURCE.title, SOURCE.exercises)


@pytest.fixture
def saved(names, tmp_path):
    """An untrained model's files."""
    config = names["GPTConfig"](len(VOCABULARY), block_size=32, n_layer=1, n_head=2, d_model=16)
    save_model(names["build_gpt"](config), tmp_path / "gpt", corpus="pydoc", vocabulary=VOCABULARY)
    return tmp_path


def result(lesson, names, folder, gpt=None):
    student = LocalStudent({**names, **({"GPT": gpt} if gpt else {})}, folder)
    return examine(lesson, lesson.exercises["trained_gpt"], student)


def passed(result):
    return {outcome.check for outcome in result.outcomes if outcome.passed}


def limits(lesson):
    """The public file's limits, as the collected checks see them."""
    return lesson.checks["trained_gpt"][0].function.__globals__["LIMITS"]


HONEST = {"test_the_logits_are_honest", "test_the_logits_are_honest_elsewhere"}


def test_an_untrained_model_is_honest_and_earns_nothing(lesson, names, saved):
    found = result(lesson, names, saved)
    assert passed(found) == {"test_the_files_open"} | HONEST
    assert found.score == 0.0 and found.points == 3


def test_the_loss_is_what_the_course_s_gpt_has(lesson, names, saved):
    """An independent route to the same number: the reference answer's own forward pass, in training's own words."""
    checks = lesson.checks["trained_gpt"][0].function.__globals__
    weights, config, text = checks["opened"](LocalStudent(names, saved))
    model = checks["held_weights"](LocalStudent(names, saved), weights, config)
    ids = text[: 40 * 33].view(40, 33)
    with torch.no_grad():
        want = model(ids[:, :-1], ids[:, 1:])[1].item()
    chosen = checks["log_probabilities"](weights, ids[:, :-1], config).gather(-1, ids[:, 1:, None])
    assert -chosen.mean().item() == pytest.approx(want, abs=1e-5)
    assert checks["saved_loss"](weights, config, text) == pytest.approx(want, abs=0.1)


def test_the_scale_is_the_stated_one(lesson, names, saved, monkeypatch):
    """0.5 for the files, 0.5 for honesty, 0.5, 0.5 and 1 for the three limits."""
    above, below = 5.0, 4.0  # an untrained model's loss, ln 103, lies between
    for reached, points in (
        ((below, below, below), 0.0),
        ((above, below, below), 1.5),
        ((above, above, below), 2.0),
        ((above, above, above), 3.0),
    ):
        for key, value in zip(("easy", "middle", "goal"), reached):
            monkeypatch.setitem(limits(lesson), key, value)
        assert result(lesson, names, saved).score == points


def test_the_notebook_states_the_limits(lesson):
    text = "\n".join(cell.source for cell in SOURCE.cells if cell.kind == "markdown")
    assert all(f"below {value}" in text for value in limits(lesson).values())
    assert f"`gpt.safetensors` may have {MAX_BYTES >> 20} MiB" in text and MAX_BYTES == 4 * 2**24


# Cheats


def peeking(names):
    class Peeking(names["GPT"]):
        """Puts all mass on the token that stands at the next position."""

        def forward(self, ids, targets=None):
            logits, loss = super().forward(ids)
            ahead = nn.functional.one_hot(ids[:, 1:], logits.shape[-1])
            return torch.cat([logits[:, :-1] + 20 * ahead, logits[:, -1:]], dim=1), loss

    return Peeking


def counting_from_the_end(names):
    class FromTheEnd(names["GPT"]):
        """Its logits depend on how long the text is."""

        def forward(self, ids, targets=None):
            logits, loss = super().forward(ids)
            return logits * (1 + 0.1 * ids.shape[1]), loss

    return FromTheEnd


def remembering(names):
    memory = {}

    class Remembering(names["GPT"]):
        """Peeks, but repeats what it once answered where it could not peek."""

        def forward(self, ids, targets=None):
            logits, loss = super().forward(ids)
            ahead = nn.functional.one_hot(ids[:, 1:], logits.shape[-1])
            answers = torch.cat([logits[:, :-1] + 20 * ahead, logits[:, -1:]], dim=1).clone()
            for row, text in enumerate(ids.tolist()):
                for t in range(len(text)):
                    answers[row, t] = (
                        memory.setdefault((*text[: t + 1],), answers[row, t])
                        if t + 1 >= len(text) or (*text[: t + 1],) in memory
                        else answers[row, t]
                    )
            return answers, loss

    return Remembering


def wild(value):
    def make(names):
        class Wild(names["GPT"]):
            def forward(self, ids, targets=None):
                logits, loss = super().forward(ids)
                return logits * value, loss

        return Wild

    return make


def too_short(names):
    class LastOnly(names["GPT"]):
        def forward(self, ids, targets=None):
            logits, loss = super().forward(ids)
            return logits[:, -1:], loss

    return LastOnly


def by_heart(names):
    """Knows the held-back text and finds the row in it."""
    text = load_text("pydoc", quiet=True).split()[1]
    index = {c: i for i, c in enumerate(VOCABULARY)}

    class ByHeart(names["GPT"]):
        def forward(self, ids, targets=None):
            logits, loss = super().forward(ids)
            rows = ["".join(VOCABULARY[i] for i in row) for row in ids.tolist()]
            for number, row in enumerate(rows):
                if (start := text.find(row)) >= 0:
                    after = torch.tensor([index[c] for c in text[start + 1 : start + len(row) + 1]])
                    logits[number, : len(after)] = 20.0 * nn.functional.one_hot(after, logits.shape[-1])
            return logits, loss

    return ByHeart


def with_a_never_used_token(names):
    """Peeks, and hides it behind one logit so low that every other difference is small beside it."""

    class Hides(peeking(names)):
        def forward(self, ids, targets=None):
            logits, loss = super().forward(ids)
            logits[..., -1] = -1e30
            return logits, loss

    return Hides


def another_model_s(names):
    """Speaks for a table of letter pairs counted from the text, whatever weights it is given."""
    from utils.baselines import BigramLM

    index = {c: i for i, c in enumerate(VOCABULARY)}
    table = BigramLM(len(VOCABULARY), 32).fit(torch.tensor([index[c] for c in load_text("pydoc", quiet=True).text]))

    class Another(names["GPT"]):
        def forward(self, ids, targets=None):
            return table(ids, targets)

    return Another


CHEATS = [
    peeking, counting_from_the_end, remembering, by_heart, with_a_never_used_token, another_model_s,
    wild(float("nan")), wild(float("inf")), too_short,
]  # fmt: skip


@pytest.mark.parametrize("cheat", CHEATS)
def test_a_cheat_without_training_earns_nothing(lesson, names, saved, cheat):
    found = result(lesson, names, saved, cheat(names))
    assert passed(found) == {"test_the_files_open"}, [o.message for o in found.outcomes]
    assert found.score == 0.0


@pytest.mark.parametrize("cheat", [peeking, another_model_s])
def test_a_class_that_does_not_use_its_weights_costs_a_trained_model_its_honesty(lesson, names, saved, monkeypatch, cheat):
    for key in limits(lesson):
        monkeypatch.setitem(limits(lesson), key, 5.0)
    found = result(lesson, names, saved, cheat(names))
    assert not passed(found) & HONEST and found.score == 2.5


def test_noise_is_no_prediction(lesson, names, saved):
    class Random(names["GPT"]):
        def forward(self, ids, targets=None):
            return torch.randn(*ids.shape, self.config.vocab_size), None

    assert passed(result(lesson, names, saved, Random)) == {"test_the_files_open"}


def test_a_class_that_is_wrong_elsewhere_is_measured_by_its_weights(lesson, names, saved, monkeypatch):
    """The files are checked without a word of the student's code: no class at all costs the honesty only."""
    for key in limits(lesson):
        monkeypatch.setitem(limits(lesson), key, 5.0)

    def refuses(config):
        raise ValueError("not today")

    assert result(lesson, names, saved, refuses).score == 2.5


# Damage


def edit(folder, **facts):
    path = folder / "gpt_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **facts}))


def config_with(folder, **values):
    edit(folder, config={**json.loads((folder / "gpt_config.json").read_text())["config"], **values})


def weights_with(folder, **tensors):
    stored = load_file(folder / "gpt.safetensors")
    (folder / "gpt.safetensors").write_bytes(save({**stored, **{name.replace("__", "."): t for name, t in tensors.items()}}))


def nothing_a_million_times():
    names = ",".join(f'"{i:x}":{{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}' for i in range(10**6))
    return len(names + "{}").to_bytes(8, "little") + f"{{{names}}}".encode()


DAMAGE = {
    "no weights": lambda d: (d / "gpt.safetensors").unlink(),
    "no config": lambda d: (d / "gpt_config.json").unlink(),
    "cut off": lambda d: (d / "gpt.safetensors").write_bytes((d / "gpt.safetensors").read_bytes()[:-100]),
    "empty": lambda d: (d / "gpt.safetensors").write_bytes(b""),
    "a header of 2⁶³ bytes": lambda d: (d / "gpt.safetensors").write_bytes(b"\xff" * 7 + b"\x7f{}"),
    "a million weights of no numbers": lambda d: (d / "gpt.safetensors").write_bytes(nothing_a_million_times()),
    "a pickle": lambda d: (d / "gpt.safetensors").write_bytes(pickle.dumps({"wte.weight": [1.0]})),
    "text": lambda d: (d / "gpt.safetensors").write_text("version https://git-lfs.example/spec/v1"),
    "another shape": lambda d: weights_with(d, wte__weight=torch.zeros(3, 16)),
    "NaN": lambda d: weights_with(d, ln_f__weight=torch.full((16,), float("nan"))),
    "not JSON": lambda d: (d / "gpt_config.json").write_text("{"),
    "JSON of another kind": lambda d: (d / "gpt_config.json").write_text("[1, 2]"),
    "deep JSON": lambda d: (d / "gpt_config.json").write_text("[" * 100_000),
    "an unknown corpus": lambda d: edit(d, corpus="../../etc/passwd"),
    "too few characters": lambda d: edit(d, vocabulary=VOCABULARY[:-1]),
    "characters that are one": lambda d: edit(d, vocabulary="e" * len(VOCABULARY)),
    "characters of another text": lambda d: edit(d, vocabulary="".join(chr(0x4E00 + i) for i in range(len(VOCABULARY)))),
    "a huge model": lambda d: config_with(d, d_model=4096, n_layer=64),
    "a block of a billion": lambda d: config_with(d, block_size=10**9),
    "a fraction": lambda d: config_with(d, n_layer=1.5),
    "a boolean": lambda d: config_with(d, n_head=True),
    "no heads": lambda d: config_with(d, n_head=0),
    "more layers than weights": lambda d: config_with(d, n_layer=2),
    "heads that do not divide": lambda d: config_with(d, n_head=3),
    "whole numbers": lambda d: weights_with(d, ln_f__weight=torch.ones(16, dtype=torch.int64)),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_in_a_sentence(lesson, names, saved, damage):
    DAMAGE[damage](saved)
    found = result(lesson, names, saved)
    assert found.score == 0.0 and found.status in ("failed", "partial")
    assert all(o.status == "failed" and o.message and "Traceback" not in o.message for o in found.outcomes if not o.passed), found.message


def renamed(prefix):
    return lambda stored: {prefix + name: value for name, value in stored.items()}


def in_part(stored):
    """`block.compile()` and its like, on parts of a model, below a wrapper around it all."""
    return {f"module.{name.replace('h.0.', 'h.0._orig_mod.')}": value for name, value in stored.items()}


WELCOME = {  # what training and saving in another way make of the weights' file
    "bfloat16": lambda stored: {name: value.bfloat16() for name, value in stored.items()},
    "float16": lambda stored: {name: value.half() for name, value in stored.items()},
    "float64": lambda stored: {name: value.double() for name, value in stored.items()},
    "torch.compile": renamed("_orig_mod."),
    "DataParallel": renamed("module."),
    "both": renamed("_orig_mod.module."),
    "FSDP": renamed("_fsdp_wrapped_module."),
    "an attribute": renamed("model."),
    "attributes and wrappers": renamed("net.module.model._orig_mod."),
    "Hugging Face's prefix": renamed("transformer."),
    "a wrapped part": in_part,
    "the causal mask": lambda stored: stored | {"h.0.attn.mask": torch.ones(1, 1, 32, 32).tril().bool()},
    "a mask called bias": lambda stored: stored | {"h.0.attn.bias": torch.ones(1, 1, 32, 32).tril()},
    "rotary frequencies": lambda stored: stored | {"rope.inv_freq": torch.full((8,), float("inf"))},
    "the tied matrix by its other name": lambda stored: {n.replace("wte.", "lm_head."): v for n, v in stored.items()},
    "the tied matrix twice": lambda stored: stored | {"lm_head.weight": stored["wte.weight"].clone()},
    "an average beside it": lambda stored: stored | {f"ema.{name}": value * 0 for name, value in stored.items()},
}


@pytest.mark.parametrize("change", WELCOME.values(), ids=WELCOME)
def test_weights_saved_in_another_way_are_welcome(lesson, names, saved, change):
    (saved / "gpt.safetensors").write_bytes(save({n: v.contiguous() for n, v in change(load_file(saved / "gpt.safetensors")).items()}))
    assert passed(result(lesson, names, saved)) == {"test_the_files_open"} | HONEST


def test_two_models_in_one_file_are_not_guessed_at(lesson, names, saved):
    stored = load_file(saved / "gpt.safetensors")
    (saved / "gpt.safetensors").write_bytes(save(renamed("teacher.")(stored) | renamed("pupil.")({n: v * 0 for n, v in stored.items()})))
    told = [o.message for o in result(lesson, names, saved).outcomes if not o.passed]
    assert told and all("several models" in message and "pupil." in message for message in told[:1])


def test_a_model_of_many_parameters_travels_in_parts_and_comes_whole(lesson):
    """To a worker, whose messages have a limit, and which is asked for no weights back."""

    class Gpt:
        def __init__(self, config):
            self.loaded, self.largest = {}, 0

        def load_state_dict(self, weights, strict):
            self.loaded |= weights
            self.largest = max(self.largest, sum(w.nbytes for w in weights.values()))

        def eval(self):
            pass

    weights = {f"h.{i}.mlp.c_fc.weight": torch.full((3000, 1000), i, dtype=torch.bfloat16) for i in range(8)}
    weights["wte.weight"] = torch.ones(3, dtype=torch.bfloat16)
    checks = lesson.checks["trained_gpt"][0].function.__globals__
    model = checks["held_weights"](LocalStudent({"GPT": Gpt, "GPTConfig": dict}), weights, {})
    assert all(model.loaded[name] is weight for name, weight in weights.items()) and len(model.loaded) == 10
    assert model.largest <= 2**24


def test_a_file_beyond_the_limit_is_said_to_be(lesson, saved):
    """Also in the grader, which reads no more of it."""
    with (saved / "gpt.safetensors").open("r+b") as stream:
        stream.truncate(MAX_BYTES + 1000)
    files = artifacts(saved, lesson)
    assert len(files["gpt.safetensors"]) == MAX_BYTES + 1
    check = lesson.checks["trained_gpt"][0].function.__globals__["opened"]
    with pytest.raises(CheckFailed, match="larger than 64 MiB"):
        check(LocalStudent({}, saved))


def test_a_gpu_sized_model_fits(names):
    """nanoGPT's character size is far below the limits of the check."""
    config = names["GPTConfig"](65, 256, 6, 6, 384, bias=False)
    with torch.device("meta"):
        assert sum(p.numel() for p in names["GPT"](config).parameters()) < 12_000_000
    assert dataclasses.asdict(config)["block_size"] == 256
