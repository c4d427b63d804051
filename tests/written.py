"""A class whose written answers wait for a grader: recorded as the grader records them, without running anything."""

from __future__ import annotations

from pathlib import Path

import nbformat

from autograde import layout
from autograde.grader.gradebook import course_dir
from autograde.grader.gradebook.record import Records
from autograde.grader.results.model import Graded

LESSON, QUESTION = "03_self_attention", "written_question"
ANSWERS = {
    "ada": "A typical score is $\\sqrt{256} = 16$. *Rows* no longer sum to one:\n\n$$\\frac{1}{2} \\to 0$$",
    "ben": "",
    "chloe": "The softmax saturates. <script>document.title = 'taken over'</script><img src=x onerror=\"document.title = 'taken over'\">",
    "dev": "I do not know.",
    "eve": 'Half. ![$" onerror="document.title=1$](x) <abbr title="$x$">here</abbr> <img src="https://example.org/spy.png">',
}


def course(folder: Path, answers: dict[str, str] = ANSWERS) -> Path:
    """The course directory `folder`, in which these students handed in lesson 03."""
    course_dir.create(folder, [LESSON])
    records = Records(folder)
    for student, answer in answers.items():
        hand_in(records, student, answer)
    records.close()
    return folder


def hand_in(records: Records, student: str, answer: str) -> None:
    """Record a submission with this answer, and no other."""
    notebook = nbformat.read(layout.NOTEBOOKS / f"{LESSON}.ipynb", 4)
    if answer:
        next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == QUESTION).source = answer
    records.record(Graded(student, LESSON, "graded", [], notebook=nbformat.writes(notebook)), answer or "blank")
