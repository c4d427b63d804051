"""Ways to ask an answer the same thing in other words or numbers: what it gives is the same in the other words or numbers.

A check writes many inputs out, and students have it. Asked through a symmetry of its exercise the check stays as it is, what reaches the answer
is something else, and what comes back is put into the check's own words. Which symmetries an exercise has, its hidden checks say (`SYMMETRIES`).
"""

from autograde.grader.run.symmetries.asking import Otherwise
from autograde.grader.run.symmetries.names import Renumbered, Reordered
from autograde.grader.run.symmetries.order import Backwards, Reversed
from autograde.grader.run.symmetries.sizes import Longer, MoreRows, Repeated, Wider
from autograde.grader.run.symmetries.symmetry import Symmetry
from autograde.grader.run.symmetries.texts import Respelt, RespeltTokenizer
from autograde.grader.run.symmetries.units import Scaled

__all__ = [
    "Backwards", "Longer", "MoreRows", "Otherwise", "Renumbered", "Reordered", "Repeated", "Respelt", "RespeltTokenizer", "Reversed", "Scaled",
    "Symmetry", "Wider",
]  # fmt: skip
