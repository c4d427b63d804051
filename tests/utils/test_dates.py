"""The date task: right dates, no ambiguity, the same data from the same seed, nothing held out seen in training."""

import datetime

import pytest
import torch

from utils import dates


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("locale", "style", "text"),
    [
        ("en", "full", "Thursday, September 24, 1987"),
        ("de", "long", "24. September 1987"),
        ("pt", "full", "quinta-feira, 24 de setembro de 1987"),
        ("tr", "full", "24 Eylül 1987 Perşembe"),
        ("pl", "numeric", "24.9.1987"),
    ],
)
def test_known_dates(locale, style, text):
    assert dates.write_date(datetime.date(1987, 9, 24), locale, style) == text


def test_a_period_holds_both_dates_and_plain_spaces():
    pair = dates.make_pair([datetime.date(1987, 9, 24), datetime.date(1991, 3, 12)], "fr", "long")
    assert pair.source == "24 septembre 1987 – 12 mars 1991"
    assert pair.target == "1987-09-24/1991-03-12"


def test_no_text_means_two_days():
    seen: dict[str, datetime.date] = {}
    for number in range(datetime.date(2023, 1, 1).toordinal(), datetime.date(2025, 1, 1).toordinal()):
        date = datetime.date.fromordinal(number)
        for locale in dates.LOCALES:
            for style in dates.STYLES:
                assert seen.setdefault(dates.write_date(date, locale, style), date) == date


def test_the_same_seed_gives_the_same_pairs():
    assert dates.sample_pairs(20, seeded(), n_dates=2) == dates.sample_pairs(20, seeded(), n_dates=2)
    assert dates.sample_pairs(20, seeded(), n_dates=2) != dates.sample_pairs(20, seeded(1), n_dates=2)


@pytest.mark.parametrize("n_dates", [1, 2])
def test_held_out_days_are_never_trained_on(n_dates):
    def days(held_out):
        return {day for pair in dates.sample_pairs(300, seeded(), n_dates, held_out) for day in pair.target.split("/")}

    assert not days(True) & days(False)
    assert all(datetime.date.fromisoformat(day).toordinal() % 10 == 7 for day in days(True))


def test_targets_are_iso_and_periods_run_forward():
    for pair in dates.sample_pairs(200, seeded(), n_dates=2):
        first, last = map(datetime.date.fromisoformat, pair.target.split("/"))
        assert dates.FIRST_DAY <= first <= last <= dates.LAST_DAY


def test_every_character_has_an_id_and_targets_come_back():
    pairs = [pair for n_dates in (1, 2) for pair in dates.sample_pairs(500, seeded(2), n_dates)]
    ids, mask = dates.encode_sources([pair.source for pair in pairs])
    assert mask.sum(1).tolist() == [len(pair.source) for pair in pairs]
    assert int(ids.max()) < dates.n_source_ids()
    targets = dates.encode_targets([pair.target for pair in pairs])
    assert int(targets.max()) < dates.n_target_ids()
    assert [dates.decode_target(row) for row in targets.tolist()] == [pair.target for pair in pairs]


def test_what_is_no_character_cannot_look_like_a_right_answer():
    assert dates.decode_target([dates.PAD, dates.START, 3, dates.END, 4]) == "??0"


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="n_dates"):
        dates.sample_pairs(1, seeded(), n_dates=3)
    with pytest.raises(ValueError, match="style"):
        dates.write_date(datetime.date(2000, 1, 1), "en", "short")
