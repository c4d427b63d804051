"""Every number of the class page, read from the page, is that of the tables, the gradebook and the exports."""

import csv
import io
import json
import re
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser
from statistics import correlation, mean, median

import pytest
from nbgrader.api import Gradebook
from typer.testing import CliRunner

from autograde.authoring.sample_class import LESSON
from autograde.checking.status import SubmissionStatus
from autograde.cli import app
from autograde.exports import marks
from autograde.exports.table import wide
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.course_dir import create, database
from autograde.grader.run.submission import without_results
from tests.grader.durability.conftest import graded
from tests.grader.durability.test_manual import by_hand

SHARES = {"ada": 0.75, "ben": 0.25, "cleo": 1.0, "dev": 0.5, "eve": 0.125, "gone": 1.0}  # of the points of every exercise but the first
UNREADABLE, ABSENT, IN_THE_LIST = "fay", "gus", "hal"
SECTIONS = {"A": ["ada", "ben", "fay", "hal"], "B": ["cleo", "dev", "eve", "gus"]}
LATE = {"ada": 1, "dev": 3}  # days, each of which takes 10 % off


class Tables(HTMLParser):
    """The page's tables as rows of texts, and the texts of its paragraphs and lines of lists."""

    def __init__(self, html):
        super().__init__()
        self.tables, self.texts, self._open = [], [], []
        self.histogram = [int(n) for n in re.findall(r"\d+", re.search(r"tenths of the points: ([\d, ]+)", html)[1])]
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th", "p", "li", "summary"):
            self._open.append((tag, []))

    def handle_endtag(self, tag):
        if self._open and self._open[-1][0] == tag:
            text = " ".join("".join(self._open.pop()[1]).split())
            (self.tables[-1][-1] if tag in ("td", "th") else self.texts).append(text)

    def handle_data(self, data):
        for _, pieces in self._open:
            pieces.append(data)

    def table(self, first):
        """The rows below the header that begins with this word, by their first cell."""
        [found] = [rows for rows in self.tables if rows[0][0] == first]
        return {row[0]: row[1:] for row in found[1:]}


def result(found, shares):
    if found.student == UNREADABLE and found.path:
        return without_results(found, SubmissionStatus.UNREADABLE, "it is a picture")
    whole = graded(found)
    if not found.path:
        return whole
    share, first = shares[found.student], whole.results[0].exercise
    parts = [
        r if r.exercise == first else replace(r, score=round(r.points * share, 2), status="passed" if share == 1 else "partial")
        for r in whole.results
    ]
    return replace(whole, results=parts)


def grade(pupils, out, shares):
    def submit(executor, found, sandbox):
        future = Future()
        future.set_result(result(found, shares))
        return future

    pupils.submit = submit
    pupils.grade(out)


@pytest.fixture
def out(pupils, tmp_path):
    """Two sections; late work, points by hand, one who left, one unreadable, and two who handed in nothing, one of them in the list alone."""
    folder = tmp_path / "course"
    create(folder, [LESSON])
    people = [(student, section) for section, students in SECTIONS.items() for student in students]
    (folder / roster.FILE).write_text(
        f"{','.join(roster.HEADER)}\n" + "".join(f"{s},{s.title()} Lee,{section},{s}@x.org,,\n" for s, section in people)
    )
    with Gradebook(database(folder)) as gradebook:
        gradebook.update_or_create_assignment(LESSON, duedate=datetime(2027, 1, 10))
    pupils.hand_in(*SHARES, UNREADABLE)
    (pupils.folder / ABSENT).mkdir()
    for student, days in LATE.items():
        (pupils.folder / student / "timestamp.txt").write_text(f"2027-01-{10 + days} 00:00:00 UTC")
    grade(pupils, folder, SHARES)
    CliRunner().invoke(app, ["due", str(folder), "--late", "10%/day"], catch_exceptions=False)
    by_hand(folder, "cleo")
    for path in sorted((pupils.folder / "gone").iterdir()):
        path.unlink()
    (pupils.folder / "gone").rmdir()
    return folder


def read(out, name):
    return list(csv.DictReader(io.StringIO((out / name).read_text(encoding="utf-8"))))


def agree(out, late=LATE):
    """The page against the tables; these against the gradebook and the exports."""
    page = Tables((out / "class.html").read_text(encoding="utf-8"))
    grades = {row["student_id"]: row for row in read(out, "grades.csv")}
    scores = {student: float(row["score"]) for student, row in grades.items() if row["status"] == "graded"}
    totals_agree(out, grades, scores)
    most = float(grades["ada"]["max_score"])
    assert any(
        t.startswith(f"{len(scores)} of {len(scores) + 1} submissions graded · mean {mean(scores.values()):.4g} · median {median(scores.values()):.4g} of {most:g} points")
        for t in page.texts
    ), page.texts  # fmt: skip
    exercises_agree(out, page, scores)
    sections_agree(page, scores)
    students_agree(page, grades, scores, most, late)
    exports_agree(out, scores, most)


def totals_agree(out, grades, scores):
    with Gradebook(database(out)) as gradebook:
        for student, score in scores.items():
            found = gradebook.find_submission(LESSON, student)
            assert max(found.score - found.late_submission_penalty, 0) == pytest.approx(score, abs=0.005)
    table = {row["student_id"]: row for row in csv.DictReader(io.StringIO(wide(marks.read(out), exercises=True).decode()))}
    assert table.keys() == grades.keys()
    assert {s: float(row[LESSON]) for s, row in table.items() if row[LESSON]} == {**scores, UNREADABLE: 0.0}
    given = {(row["student_id"], row["exercise"]): row["score"] for row in read(out, "exercises.csv") if float(row["max_score"])}
    for (student, exercise), score in given.items():
        exported = table[student][f"{LESSON}/{exercise}"]
        assert exported == "" if score == "" else float(exported) == float(score), (student, exercise)


def exercises_agree(out, page, scores):
    rows = [row for row in read(out, "exercises.csv") if row["student_id"] in scores and float(row["max_score"])]
    points = {name: {r["student_id"]: float(r["score"]) for r in rows if r["exercise"] == name} for name in {r["exercise"] for r in rows}}
    written = {s: marks.read(out).part(s, LESSON, "written_question") for s in scores}
    shown = page.table("Exercise")
    assert shown.keys() == points.keys() | {"written_question"}
    for name, earned in points.items():
        worth = next(float(r["max_score"]) for r in rows if r["exercise"] == name)
        own = [earned[s] for s in scores]
        rest = [sum(points[n][s] for n in points if n != name) + written[s] for s in scores]
        told, began, of_all, of_begun, separates = shown[name][:5]
        assert float(told) == worth and int(began) == len(scores)
        assert of_all == of_begun == f"{mean(own) / worth:.0%}"
        expected = "–" if len(set(own)) == 1 else f"({correlation(own, rest):.2f})".replace("-", "−")
        assert separates == expected, (name, separates)


def sections_agree(page, scores):
    for name, people in SECTIONS.items():
        there = [scores[s] for s in people if s in scores]
        students, handed_in, average, middle, _ = page.table("Section")[name]
        assert (int(students), int(handed_in)) == (len(people), len(there))
        assert (average, middle) == (f"{mean(there):.2f}", f"{median(there):.2f}")


def students_agree(page, grades, scores, most, late):
    shown = {name.split(" Lee")[0].lower(): (name, cells) for name, cells in page.table("Student").items()}
    assert shown.keys() == grades.keys()
    for student, (name, cells) in shown.items():
        score = scores.get(student)
        assert cells[0] == ("–" if grades[student]["status"] == "missing" else cells[0]) and float(cells[0].replace("–", "0")) == (
            score or 0.0
        )
        assert (f"{late[student]} day" in name and " off" in name) if student in late else "late" not in name
    weak = {s for s, score in scores.items() if score < most / 2} | {UNREADABLE}
    helped = {t.split(" Lee")[0].lower(): t for t in page.texts if " Lee: " in t}
    assert helped.keys() == weak
    assert all(f": {scores[s]:g} point" in text for s, text in helped.items() if s in scores)
    assert f"{sum(row['status'] == 'missing' for row in grades.values())} handed in nothing" in page.texts
    assert f"{len(grades)} students, the weakest first" in page.texts
    tenths = [min(int(10 * score / most), 9) for score in scores.values()]
    assert page.histogram == [tenths.count(i) for i in range(10)]


def exports_agree(out, scores, most):
    """What the other exports say of those who handed in."""

    def export(system, *options):
        told = CliRunner().invoke(app, ["export", str(out), "--format", system, *options], catch_exceptions=False)
        assert told.exit_code == 0, told.output

    export("canvas")
    rows = csv.reader(io.StringIO((out / "canvas.csv").read_text(encoding="utf-8")))
    assert {row[3]: float(row[-1]) for row in rows if row[3] in scores} == scores
    export("openolat", "--lesson", "03")
    lines = [line.split("\t") for line in (out / "openolat.txt").read_text(encoding="utf-8").splitlines()]
    assert {student: float(points) for student, points in lines} == {**scores, UNREADABLE: 0.0}
    export("gradescope")
    found = {
        path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in (out / "gradescope" / LESSON).glob("*/results.json")
    }
    assert {student: score_of(page) for student, page in found.items() if student in scores} == pytest.approx(scores)


def score_of(page):
    return page["score"] if "score" in page else sum(test["score"] for test in page["tests"])


@pytest.mark.slow
def test_every_number_is_that_of_the_tables(pupils, out):
    grade(pupils, out, SHARES)
    agree(out)
    for path in pupils.folder.glob("*/*.ipynb"):
        path.write_text("another answer")
    grade(pupils, out, {**SHARES, "ben": 1.0, "dev": 0.0})
    agree(out)
    CliRunner().invoke(app, ["due", str(out), LESSON, "2027-01-20 00:00 UTC"], catch_exceptions=False)
    grade(pupils, out, {**SHARES, "ben": 1.0, "dev": 0.0})
    agree(out, {})
