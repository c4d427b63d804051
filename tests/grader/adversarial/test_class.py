"""Every attack in one class, graded by the command that an instructor uses; honest students sit between them.

The scores are exact, and nothing else has changed: the course, what was handed in, the other students' points, the processes that run.
"""

from __future__ import annotations

import csv
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from nbgrader.api import Gradebook

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON
from autograde.grader.sandbox import isolate, probe
from tests.grader.adversarial import surroundings
from tests.grader.adversarial.cheats import CHEATS
from tests.grader.adversarial.denial import DENIALS
from tests.grader.adversarial.elsewhere import ELSEWHERE
from tests.grader.adversarial.fresh import FRESH
from tests.grader.adversarial.later import LATER
from tests.grader.adversarial.newer import NEWER
from tests.grader.adversarial.settings import SETTINGS
from tests.grader.adversarial.submission import HONEST, TARGET, TARGET_POINTS, Attack, honest

ATTACKS = CHEATS + DENIALS + NEWER + LATER + ELSEWHERE + FRESH + SETTINGS
GROUP = 12  # so many attacks between two honest students
FULL = sum(HONEST.values()) + TARGET_POINTS
pytestmark = pytest.mark.skipif(probe.support().level in isolate.OPEN, reason="this machine cannot isolate submissions")


@dataclass(frozen=True)
class Class:
    """What came of a class: a student's rows by exercise, their line in the summary, and what the run left behind."""

    out: Path
    exercises: dict[str, dict[str, dict[str, str]]]
    summary: dict[str, dict[str, str]]
    console: str
    changed: list[str]
    left: list[object]


def grade(attacks: list[Attack], folder: Path, *lesson: str) -> Class:
    """Hand everything in and grade it, with an eye on the surroundings; `lesson` are the words of the command that name it."""
    handed_in, scratch = folder / "class", folder / "scratch"
    scratch.mkdir()
    for i, attack in enumerate(attacks):
        _hand_in(handed_in / attack.name / attack.file, attack.content())
        if attack.beside:
            attack.beside(handed_in / attack.name)
        if i % GROUP == 0:
            _hand_in(handed_in / f"{attack.name}-neighbour" / f"{LESSON}.ipynb", honest())
    before, listening = (surroundings.course(), surroundings.digests(handed_in)), surroundings.listening()
    command = [sys.executable, "-m", "autograde", "grade", str(handed_in), *lesson, "--out", str(folder / "out"), "--workers", "2"]
    environment = {**os.environ, "AUTOGRADE_SECRET": "swordfish", "TMPDIR": str(scratch), "COLUMNS": "200"}
    process = subprocess.Popen(
        command,
        env=environment,
        cwd=layout.ROOT,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )
    console, _ = process.communicate(timeout=900)
    assert process.returncode == 0, console[-3000:]
    after = surroundings.course(), surroundings.digests(handed_in)
    changed = [name for one, other in zip(before, after) for name in one.keys() | other.keys() if one.get(name) != other.get(name)]
    files = [
        p for p in scratch.iterdir() if not p.name.startswith("torchinductor_")
    ]  # which PyTorch makes as soon as it imports its compiler
    left = [*surroundings.session_of(process.pid), *(surroundings.listening() - listening), *files]
    return Class(folder / "out", *_tables(folder / "out"), console, changed, left)


def _hand_in(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True)
    path.write_bytes(content)


def _tables(out: Path) -> tuple[dict, dict]:
    exercises: dict[str, dict[str, dict[str, str]]] = {}
    with (out / "exercises.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["score"]:  # else of a lesson that was not handed in
                exercises.setdefault(row["student_id"], {})[row["exercise"]] = row
    with (out / "grades.csv").open(newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: bool(row["score"]))  # empty: nothing found, or of another lesson
        return exercises, {row["student_id"]: {**row, "score": row["score"] or "0"} for row in rows}


@pytest.fixture(scope="module")
def cheats(tmp_path_factory) -> Class:
    return grade(CHEATS, tmp_path_factory.mktemp("cheats"), "--lesson", "03")


@pytest.fixture(scope="module")
def denials(tmp_path_factory) -> Class:
    return grade(DENIALS, tmp_path_factory.mktemp("denials"), "--lesson", "03")


@pytest.fixture(scope="module")
def newer(tmp_path_factory) -> Class:
    return grade(NEWER, tmp_path_factory.mktemp("newer"), "--lesson", "03")


@pytest.fixture(scope="module")
def later(tmp_path_factory) -> Class:
    return grade(LATER, tmp_path_factory.mktemp("later"), "--lesson", "03")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Class:
    return grade(ELSEWHERE, tmp_path_factory.mktemp("elsewhere"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory) -> Class:
    return grade(FRESH, tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="module")
def settings(tmp_path_factory) -> Class:
    return grade(SETTINGS, tmp_path_factory.mktemp("settings"), "--lesson", "03")


def pages_without_our_script(graded: Class) -> list[str]:
    """All that was written for a browser, without the one script that is ours: it sorts the class page."""
    ours = (layout.ROOT / "autograde" / "grader" / "pages" / "templates" / "sort.js").read_text(encoding="utf-8")
    return [page.read_text(encoding="utf-8").replace(f"<script>{ours}</script>", "") for page in graded.out.rglob("*.html")]


def assert_exact(graded: Class, attack: Attack) -> None:
    rows = graded.exercises[attack.name]
    target = rows[attack.target]
    assert {name: float(row["score"]) for name, row in rows.items() if float(row["score"])} == attack.points, target
    assert float(graded.summary[attack.name]["score"]) == sum(attack.points.values())
    assert graded.summary[attack.name]["status"] == attack.outcome
    if attack.status and attack.outcome == "graded":
        assert target["status"] == attack.status, target
    assert attack.says in target["message"]
    assert all(len(row["message"]) < 2000 for row in rows.values())


def assert_nothing_else_changed(graded: Class, attacks: list[Attack]) -> None:
    assert graded.changed == [] and graded.left == []
    neighbours = {s: float(row["score"]) for s, row in graded.summary.items() if s.endswith("-neighbour")}
    assert len(neighbours) == -(-len(attacks) // GROUP) and set(neighbours.values()) == {FULL}
    assert len(graded.summary) == len(attacks) + len(neighbours)
    with Gradebook(f"sqlite:///{graded.out / 'gradebook.db'}") as gradebook:
        lessons = {LESSON, *(attack.lesson for attack in attacks)}
        kept = {s.student.id: s.score for lesson in lessons for s in gradebook.assignment_submissions(lesson)}
    assert kept == {student: float(row["score"]) for student, row in graded.summary.items()}


@pytest.mark.slow
@pytest.mark.parametrize("attack", CHEATS, ids=lambda a: a.name)
def test_a_cheat_earns_exactly_this(cheats, attack):
    assert_exact(cheats, attack)


@pytest.mark.slow
def test_cheats_change_nothing_else(cheats):
    assert_nothing_else_changed(cheats, CHEATS)


@pytest.mark.soak
@pytest.mark.parametrize("attack", DENIALS, ids=lambda a: a.name)
def test_what_would_stop_a_class_costs_itself_only(denials, attack):
    assert_exact(denials, attack)


@pytest.mark.soak
def test_floods_and_bombs_change_nothing_else(denials):
    assert_nothing_else_changed(denials, DENIALS)


@pytest.mark.soak
@pytest.mark.parametrize("attack", NEWER, ids=lambda a: a.name)
def test_channels_words_and_files_earn_exactly_this(newer, attack):
    assert_exact(newer, attack)


@pytest.mark.soak
def test_channels_words_and_files_change_nothing_else(newer):
    assert_nothing_else_changed(newer, NEWER)


@pytest.mark.soak
def test_files_of_nothing_stop_no_class_whose_lesson_is_not_said(tmp_path):
    """Then every file is looked into to tell which lesson it is."""
    attacks = [attack for attack in ATTACKS if attack.name in ("sparse_attempts", "many_large_attempts", "odd_neighbours")]
    graded = grade(attacks, tmp_path)
    for attack in attacks:
        assert_exact(graded, attack)
    assert_nothing_else_changed(graded, attacks)


@pytest.mark.soak
@pytest.mark.parametrize("attack", LATER, ids=lambda a: a.name)
def test_scripts_cells_and_notes_earn_exactly_this(later, attack):
    assert_exact(later, attack)


@pytest.mark.soak
def test_scripts_cells_and_notes_change_nothing_else(later):
    assert_nothing_else_changed(later, LATER)
    assert all(page.stat().st_size < 2**18 for page in (later.out / "feedback").rglob("*.html"))


@pytest.mark.soak
@pytest.mark.parametrize("attack", ELSEWHERE, ids=lambda a: a.name)
def test_other_lessons_earn_exactly_this(elsewhere, attack):
    assert_exact(elsewhere, attack)


@pytest.mark.soak
def test_other_lessons_change_nothing_else(elsewhere):
    assert_nothing_else_changed(elsewhere, ELSEWHERE)


@pytest.mark.soak
@pytest.mark.parametrize("attack", FRESH, ids=lambda a: a.name)
def test_protocols_texts_and_metadata_earn_exactly_this(fresh, attack):
    assert_exact(fresh, attack)


@pytest.mark.soak
def test_protocols_texts_and_metadata_change_nothing_else(fresh):
    assert_nothing_else_changed(fresh, FRESH)


@pytest.mark.soak
@pytest.mark.parametrize("attack", SETTINGS, ids=lambda a: a.name)
def test_settings_errors_and_odd_values_earn_exactly_this(settings, attack):
    assert_exact(settings, attack)


@pytest.mark.soak
def test_settings_errors_and_odd_values_change_nothing_else(settings):
    assert_nothing_else_changed(settings, SETTINGS)


@pytest.mark.soak
@pytest.mark.parametrize("suite", ["newer", "later"])
def test_no_page_and_no_terminal_obeys_words(suite, request):
    graded = request.getfixturevalue(suite)
    pages = pages_without_our_script(graded)
    assert len(pages) > len(NEWER if suite == "newer" else LATER) and sum("&lt;script" in page for page in pages) >= 2
    assert not any(tag in page for page in pages for tag in ("<script", "<img", "owned\x07"))
    for text in [*pages, graded.console, (graded.out / "exercises.csv").read_text(encoding="utf-8")]:
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1b\x9b\u202a-\u202e\u2066-\u2069]", text)
    assert not re.search(r'(^|,)"?[=@]', (graded.out / "exercises.csv").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.slow
def test_no_message_and_no_page_tells_a_secret(cheats):
    hidden = (layout.hidden_path(LESSON)).read_text(encoding="utf-8")
    reference = source.read(layout.source_path(LESSON)).answer(TARGET)
    lines = {line.strip() for line in hidden.splitlines() if len(line.strip()) > 40 and "(" in line}
    lines |= {line.strip() for line in reference.splitlines() if "return " in line}
    pages = pages_without_our_script(cheats)
    assert len(pages) >= len(CHEATS)
    for text in [*pages, (cheats.out / "exercises.csv").read_text(encoding="utf-8"), cheats.console]:
        assert "swordfish" not in text
        assert not any(line in text for line in lines)
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1b]", text)
    assert not any(tag in page for page in pages for tag in ("<script", "<img"))


def test_names_are_told_apart():
    names = [a.name for a in ATTACKS]
    assert len(set(names)) == len(names) >= 45
