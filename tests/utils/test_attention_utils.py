"""The given code of lesson 03: sentences, costs, and the two drawings."""

import math
import re

import pytest
import torch
from matplotlib.figure import Figure

from utils import agreement
from utils.cost import measure
from utils.reading import draw_reading
from utils.scale_view import scale_view


def words_of(row):
    return [agreement.VOCABULARY[i] for i in row.tolist() if i]


def test_the_verb_agrees_with_its_subject():
    data = agreement.sentences(300, torch.Generator().manual_seed(1))
    for row, length, verb, subject, distracted in zip(data.ids, data.lengths, data.verb, data.subject, data.distracted):
        words = words_of(row)
        assert len(words) == length <= agreement.MAX_LENGTH and words[0] == "The" and words[-1] == "."
        assert (words[verb] == "is") == (words[subject] in agreement.SINGULAR) and words[verb] in ("is", "are")
        assert distracted == ((words[subject] in agreement.SINGULAR) != (words[verb - 1] in agreement.SINGULAR))


def test_held_out_pairs_are_never_trained_on():
    def pairs(held_out):
        data = agreement.sentences(800, torch.Generator().manual_seed(2), held_out)
        return {(words_of(row)[s], words_of(row)[v - 1]) for row, s, v in zip(data.ids, data.subject, data.verb) if s < v - 1}

    trained, tested = pairs(False), pairs(True)
    assert len(tested) > 30 and not trained & tested


def test_sentences_depend_on_their_generator_alone():
    one, other = (agreement.sentences(5, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(one.ids, other.ids)
    assert not torch.equal(one.ids, agreement.sentences(5, torch.Generator().manual_seed(4)).ids)


def test_the_lectures_sentence_is_in_the_vocabulary():
    assert agreement.encode("The FBI is chasing a criminal on the run .".split())[:10].min() > 0


@pytest.mark.parametrize(
    "function, matrices",
    [
        (lambda x: x + 1, 1),
        (lambda x: (x + 1) * 2, 2),  # the sum is alive while the product is made
        (lambda x: sum(((x + i).sum() for i in range(9)), torch.zeros(())), 1),  # each dies before the next is born
        (lambda x: x.T[:5], 0),  # views own nothing
        (lambda x: (x + 1).T.reshape(-1).reshape(x.shape), 2),
    ],
)
def test_peak_memory_counts_what_is_alive(function, matrices):
    x = torch.ones(300, 300)
    assert math.isclose(measure(function, x, repeats=1).peak_bytes / (4 * 300 * 300), matrices, abs_tol=0.01)


def test_a_measured_call_takes_time():
    assert 0 < measure(torch.exp, torch.ones(50_000)).seconds < 1


def test_a_reading_has_every_word_on_every_line():
    ax = Figure().subplots()
    draw_reading(ax, ["a", "bb", "."], [torch.zeros(0), torch.tensor([1.0]), torch.tensor([0.3, 0.7])])
    assert [text.get_text() for text in ax.texts] == ["a", "bb", "."] * 3
    assert sorted(round(patch.get_alpha(), 1) for patch in ax.patches) == [0.3, 0.7, 1.0]


def test_the_view_stands_at_its_start_and_holds_every_frame():
    frames = [([4.0, 2.0], [0.9, 0.1]), ([2.0, 1.0], [0.7, 0.3]), ([1.0, 0.5], [0.6, 0.4])]
    html = scale_view(["<a>", "b"], [1, 2, 4], frames, start=2)
    assert re.findall(r'<text class="number"[^>]*>([^<]*)<', html) == ["2.0", "0.700", "1.0", "0.300"]
    assert "&lt;a&gt;" in html and "0.900" in html and "0.400" in html
    assert "http" not in html and "$" not in html
    assert html.count("<rect") == 4 and 'max="2" value="1"' in html
