"""A submission's results."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field, fields, is_dataclass, replace
from typing import Any

from autograde.checking.cells import noted
from autograde.checking.result import Outcome, Result
from autograde.checking.status import CheckStatus, ExerciseStatus, SubmissionStatus
from autograde.checking.text import plain

LONGEST = 2000  # characters of a message
PICTURES = ("image/png", "image/jpeg", "image/gif")
BASE64 = re.compile(r"[A-Za-z0-9+/=\s]+")


@dataclass(frozen=True)
class Picture:
    """A picture of a written answer; `data` is base64."""

    name: str
    kind: str
    data: str


@dataclass(frozen=True)
class Graded:
    """A submission's results; `reason` says why there are none."""

    student: str
    lesson: str
    status: SubmissionStatus
    results: list[Result]
    reason: str = ""
    repairs: list[str] = field(default_factory=list)
    notebook: str = ""
    seconds: float = 0.0
    traceback: str = ""  # of the grader's own error, for the log

    @property
    def score(self) -> float:
        return round(sum(r.score for r in self.results), 2)

    def answers(self) -> dict[str, str]:
        """What the student wrote, code and words, by the name of its exercise or question."""
        cells = json.loads(self.notebook)["cells"] if self.notebook else []
        own = [(noted(cell), cell["source"]) for cell in cells]
        return {known["grade_id"]: "".join(source) for known, source in own if known.get("solution")}

    def pictures(self) -> dict[str, list[Picture]]:
        """The pictures in what the student wrote, by the name of the question."""
        cells = json.loads(self.notebook)["cells"] if self.notebook else []
        return {noted(cell)["grade_id"]: _pictures(cell) for cell in cells if noted(cell).get("solution") and cell.get("attachments")}

    @property
    def max_score(self) -> float:
        return sum(r.points for r in self.results)


def _pictures(cell: dict[str, Any]) -> list[Picture]:
    found = [(name, kind, data) for name, kinds in cell["attachments"].items() for kind, data in kinds.items() if kind in PICTURES]
    return [Picture(name, kind, data) for name, kind, data in found if isinstance(data, str) and BASE64.fullmatch(data)]


def writable(graded: Graded) -> Graded:
    """The result as every file, page and terminal takes it: without halves of characters, which JSON can bring along in a submission,
    and, but for the notebook, without what a terminal would obey."""
    notebook = graded.notebook.encode(errors="replace").decode()
    return replace(_shown(replace(graded, notebook="")), notebook=notebook)


def _shown(value: Any) -> Any:
    if type(value) is str:
        return plain(value, LONGEST)
    if type(value) is list:
        return [_shown(part) for part in value]
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{f.name: _shown(getattr(value, f.name)) for f in fields(value)})
    return value


def from_dict(data: dict[str, Any]) -> Graded:
    """The result that `dataclasses.asdict` took apart."""
    return Graded(**{**data, "status": SubmissionStatus(data["status"]), "results": [_result(r) for r in data["results"]]})


def _result(data: dict[str, Any]) -> Result:
    outcomes = [Outcome(**{**o, "status": CheckStatus(o["status"])}) for o in data["outcomes"]]
    return Result(**{**data, "status": ExerciseStatus(data["status"]), "outcomes": outcomes})
