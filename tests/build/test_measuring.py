"""Measured numbers: what an experiment depends on, what of it is kept, how a text gets it, and that a change is noticed."""

import json
from types import SimpleNamespace

import pytest

from autograde import layout
from autograde.authoring.measuring import benchmark_tables as measured
from autograde.authoring.measuring import experiments, program
from autograde.authoring.measuring.experiments import Experiment
from autograde.authoring.measuring.numbers import Numbers

LESSON = """
from utils import dates, plots

STEPS = 10


def train(seed, rate: tuple[int] = (1,)):
    '''Trains.'''
    return STEPS * seed  # a comment


def other():
    return dates.END
"""


def digest_of(code, wanted="train"):
    return program.digest(program.closure(program.statements(code), [wanted]))


@pytest.mark.parametrize(
    "old, new, changes",
    [
        ("* seed", "+ seed", True),
        ("STEPS = 10", "STEPS = 11", True),
        ("'''Trains.'''", "'''Trains a model.'''", False),
        ("# a comment", "# another", False),
        ("seed, rate: tuple[int] = (1,)", "\n    seed,  # where chance begins\n    rate: tuple[int] = (1,),\n", False),
        ("rate: tuple[int] = (1,)", "rate: tuple[int] = (1)", True),
        ("rate: tuple[int]", "rate: tuple[float]", True),
        ("(seed, rate", "(seed, *, rate", True),
        ("def train", "@utils.once\ndef train", True),
        ("return STEPS * seed", "return (\n        STEPS\n        * seed\n    )", False),  # wrapped
        ("return STEPS * seed", "return seed * STEPS", True),
        ("\n\n\ndef other", "\n\n\n\ndef other", False),
        ("return dates.END", "return dates.PAD", False),  # train does not need it
    ],
)
def test_a_digest_changes_with_what_is_run(old, new, changes):
    assert (digest_of(LESSON) != digest_of(LESSON.replace(old, new))) == changes


def test_a_digest_takes_in_what_is_imported_and_what_that_imports():
    needed = program.closure(program.statements("from utils import seq2seq\n\n\ndef train():\n    return seq2seq.PAD\n"), ["train"])
    assert [path.name for path in program.modules(needed)] == ["dates.py", "seq2seq.py"]


def test_a_name_that_is_imported_beside_others_is_alone():
    """Who uses `seq2seq` does not depend on the colours of figures."""
    code = "from utils import plots, seq2seq\n\n\ndef train():\n    return seq2seq.PAD\n"
    needed = program.closure(program.statements(code), ["train"])
    assert [path.name for path in program.modules(needed)] == ["dates.py", "seq2seq.py"]
    assert digest_of(code) == digest_of(code.replace("plots, seq2seq", "seq2seq"))


def test_a_lesson_gives_its_definitions_and_runs_nothing():
    names = experiments.lesson_names("02_attention_alignment")
    assert callable(names.train_looking) and callable(names.alignment_weights) and names.N_TRAIN > 0
    assert not hasattr(names, "looking") and not hasattr(names, "draw_accuracy")  # a trained model, a figure


@pytest.fixture
def numbers(tmp_path, monkeypatch):
    """A lesson's file with one experiment of three seeds."""
    monkeypatch.setattr(measured, "FOLDER", tmp_path)

    def run(names, seed):
        return {"right": {"one vector": seed / 4, "looking back": 1}, "steps": 1000.0 + seed}

    tried = Experiment("dates", run, (0, 1, 2), {"steps": 1100})
    monkeypatch.setattr(experiments, "lesson_names", lambda lesson: SimpleNamespace())
    entry = experiments.measure("02_attention_alignment", tried, say=lambda line: None)
    experiments.save("02_attention_alignment", {"dates": {"digest": "of then", **entry}})
    return Numbers("02_attention_alignment")


@pytest.mark.parametrize(
    "text, filled",
    [
        ("{measured:dates.right.one_vector:.2f}", "0.25"),
        ("{measured:dates.right.one_vector.range:.0%}", "0% to 50%"),
        ("{measured:dates.right.looking_back.range:.2f}", "1.00"),
        ("{measured:dates.steps.max:,.0f} of {measured:dates.budget.steps:,}", "1,002 of 1,100"),
        ("{measured:dates.seeds} seeds", "3 seeds"),
        ("$\\frac{1}{2}$ and f'{x:.2f}'", "$\\frac{1}{2}$ and f'{x:.2f}'"),
    ],
)
def test_a_text_gets_its_numbers(numbers, text, filled):
    assert numbers.fill(text) == filled


@pytest.mark.parametrize("text", ["{measured:dates.right:.2f}", "{measured:scores.x:.2f}", "{measured:dates.steps:.2f", "{measured:}"])
def test_a_placeholder_without_a_number_is_refused(numbers, text):
    with pytest.raises(ValueError, match="measured"):
        numbers.fill(text)


def test_a_run_is_kept_with_what_it_takes_to_repeat_it(numbers):
    kept = json.loads(numbers.path.read_text())
    assert kept["command"] == "python -m autograde measure 02"
    entry = kept["experiments"]["dates"]
    assert entry["seeds"] == [0, 1, 2] and entry["numbers"]["right.one_vector"] == {
        "mean": 0.25,
        "min": 0.0,
        "max": 0.5,
        "values": [0.0, 0.25, 0.5],
    }
    assert numbers.runs("dates")[2] == {"right.one_vector": 0.5, "right.looking_back": 1.0, "steps": 1002.0}
    assert {"machine", "versions", "date", "seconds", "budget", "digest"} <= set(entry)


def test_what_was_changed_since_is_said(numbers, monkeypatch):
    monkeypatch.setattr(experiments, "digests", lambda lesson: {"dates": "of then"})
    assert numbers.stale() == []
    monkeypatch.setattr(experiments, "digests", lambda lesson: {"dates": "of now"})
    assert "dates was changed and not measured again: run `python -m autograde measure 02`" in numbers.stale()[0]
    monkeypatch.setattr(experiments, "digests", lambda lesson: {})
    assert "no experiment has that name" in numbers.stale()[0]


@pytest.mark.parametrize("given, complaint", [({"a.b": 1.0}, "full stop"), ({"a": float("nan")}, "no number")])
def test_what_cannot_be_kept_is_refused(given, complaint):
    tried = Experiment("dates", lambda names, seed: given, (0,), {})
    with pytest.raises(ValueError, match=complaint):
        experiments.run_once(tried, SimpleNamespace(), 0)


def test_every_script_belongs_to_a_lesson():
    assert {path.stem for path in experiments.SCRIPTS.glob("*.py")} <= set(layout.lesson_names())


@pytest.mark.parametrize(
    "run, seeds, different",
    [
        (lambda names, seed: {"right": {"one vector": seed / 4, "looking back": 1}, "steps": 1000.0 + seed}, (0, 1, 2), []),
        (
            lambda names, seed: {"right": {"one vector": seed / 5, "looking back": 1}, "steps": 1000.0 + seed},
            (0, 1, 2),
            ["right.one_vector is 0.4"],
        ),
        (lambda names, seed: {"right": {"one vector": seed / 4}, "steps": 1000.0 + seed}, (0, 1, 2), ["other numbers"]),
        (lambda names, seed: {"right": {"one vector": seed / 4, "looking back": 1}, "steps": 1000.0 + seed}, (0, 1), ["other seeds"]),
    ],
)
def test_one_seed_tells_whether_a_change_changed_a_number(numbers, run, seeds, different):
    now = experiments.differences("02_attention_alignment", Experiment("dates", run, seeds, {"steps": 1100}), numbers.experiments["dates"])
    assert len(now) == len(different) and all(part in line for part, line in zip(different, now))
