"""What the checks say: assertions whose failure is a sentence a student understands.

Every function raises `CheckFailed(summary, detail)`: the summary may be shown for a hidden test, the detail holds values and is not.
"""

from __future__ import annotations

from autograde.checking.expect.chance import frequencies, other_numbers, rand, randn
from autograde.checking.expect.conventions import follows_device, inputs_unchanged, keeps_dtype, precise
from autograde.checking.expect.data import is_floating, is_record, tensors_in
from autograde.checking.expect.gradients import computed_anew, gradients, other_values, parameter_gradients
from autograde.checking.expect.values import TOLERANCE, close, differ, equal, raises, true, vary
from autograde.checking.expect.words import apart, argument, difference, kind_of, shape_sentence, show, with_article

__all__ = [
    "TOLERANCE",
    "apart",
    "argument",
    "close",
    "computed_anew",
    "differ",
    "difference",
    "equal",
    "follows_device",
    "frequencies",
    "gradients",
    "inputs_unchanged",
    "is_floating",
    "is_record",
    "keeps_dtype",
    "kind_of",
    "other_numbers",
    "other_values",
    "parameter_gradients",
    "precise",
    "raises",
    "rand",
    "randn",
    "shape_sentence",
    "show",
    "tensors_in",
    "true",
    "vary",
    "with_article",
]
