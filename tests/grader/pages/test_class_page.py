"""The class's page: its numbers are SciPy's and pandas's, untrusted text stays text, and every size of class gives a page."""

import base64
import hashlib
import random
import re
from dataclasses import replace
from datetime import datetime
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from autograde.checking.lesson import read_manifest
from autograde.checking.scoring import Result
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.roster import Person
from autograde.grader.gradebook.standing import Entry, Standing
from autograde.grader.pages import answers_page, class_page
from autograde.grader.results import csv_tables
from autograde.grader.results.model import Graded

LESSON = "03_self_attention"
KNOWN = read_manifest(LESSON)
POINTS = {name: e["points"] for name, e in KNOWN["exercises"].items()}


def classroom(size, seed=5):
    """A made-up class: the better a student, the more is solved; the last exercise is a lottery."""
    chance = random.Random(seed)
    last = list(POINTS)[-2]
    graded = []
    for number in range(size):
        skill, results = chance.random(), []
        for name, points in POINTS.items():
            share = chance.choice([0, 1]) if name == last else min(max(round(skill + chance.gauss(0, 0.25), 1), 0.0), 1.0)
            begun = share > 0 or chance.random() < 0.5
            status = "not_attempted" if not begun else "passed" if share == 1 else "partial" if share else "failed"
            results.append(Result(name, round(points * share, 2), points, status))
        graded.append(Graded(f"s{number:03}", LESSON, "graded", results))
    return graded


def written(graded, folder):
    csv_tables.save(graded, folder)
    return class_page.save(folder).read_text(encoding="utf-8")


def summary(graded, folder):
    written(graded, folder)
    return class_page.summarize(
        *(pd.read_csv(folder / f"{t}.csv", dtype=str, keep_default_na=False).to_dict("records") for t in ("grades", "exercises"))
    )[0]


def test_the_numbers_are_those_of_numpy_and_scipy(tmp_path):
    found = summary(classroom(60), tmp_path)
    frame = pd.read_csv(tmp_path / "exercises.csv")
    scores = frame.pivot(index="student_id", columns="exercise", values="score")
    totals = pd.read_csv(tmp_path / "grades.csv").score
    assert found.mean == pytest.approx(totals.mean()) and found.median == pytest.approx(totals.median())
    assert found.histogram == np.histogram((10 * totals / sum(POINTS.values())).round(6), bins=range(11))[0].tolist()
    begun = frame[~frame.status.isin(["missing", "not_attempted"])].groupby("exercise").score.agg(["mean", "size"])
    for item in found.items:
        rest = scores.drop(columns=item.name).sum(axis=1)
        assert item.discrimination == pytest.approx(stats.pearsonr(scores[item.name], rest).statistic)
        assert item.easiness == pytest.approx(scores[item.name].mean() / item.points)
        assert item.easiness_begun == pytest.approx(begun["mean"][item.name] / item.points) and item.begun == begun["size"][item.name]


def test_an_exercise_that_is_a_lottery_does_not_separate(tmp_path):
    found = {item.name: item.flags for item in summary(classroom(200), tmp_path).items}
    lottery = list(POINTS)[-2]
    assert found.pop(lottery)[-1] in ("does not separate", "good students do worse") and not any(found.values())


def test_a_small_class_is_not_judged(tmp_path):
    few = summary(classroom(class_page.ENOUGH - 1, seed=3), tmp_path)
    assert not any("separate" in flag or "worse" in flag for item in few.items for flag in item.flags)
    assert re.search(r"\(−?0\.\d\d\)", (tmp_path / "class.html").read_text(encoding="utf-8"))


def test_mistakes_are_counted_by_their_fingerprint_whatever_the_sentence(tmp_path):
    exercise = next(iter(POINTS))
    known = [("k1", "Not divided.")] * 2 + [("k2", "The wrong axis.")] * 2 + [("k2", "Reworded.")] + [("", "expected 1, got 2")] * 9
    results = [Result(exercise, 0, 2, "failed", diagnosis=text, mistake=key) for key, text in known]
    graded = [Graded(f"s{i}", LESSON, "graded", [result]) for i, result in enumerate(results)]
    sheets = answers_page.sheets(answer for g in graded for answer in answers_page.of(g, {}))
    written(graded, tmp_path)
    rows = [{"student_id": g.student, "assignment": LESSON, "score": "0", "max_score": "2", "status": "graded"} for g in graded]
    [found] = class_page.summarize(rows, [], sheets=sheets)
    assert found.mistakes == [(exercise, "The wrong axis.", 3), (exercise, "Not divided.", 2)]


def test_everyone_is_in_the_matrix_and_names_open_the_feedback(tmp_path):
    absent = [Graded(name, LESSON, status, [], "why") for name, status in (("lena", "unreadable"), ("mo", "missing"), ("zoe", "missing"))]
    (tmp_path / "roster.csv").write_text("student_id,name,section,email\nzoe,Zoe Hopper,A,\nlena,Lena Berg,B,\n")
    (tmp_path / "feedback" / "mo").mkdir(parents=True)
    (tmp_path / "feedback" / "mo" / f"{LESSON}.html").write_text("a page")
    html = written([*classroom(2), *absent], tmp_path)
    matrix = html.split('class="heat"')[1]
    assert all(text in matrix for text in ("s000", "s001", "Lena Berg", ">mo<", "Zoe Hopper", "could not be read"))
    assert all(f'href="feedback/{name}/03_self_attention.html"' in matrix for name in ("lena", "mo"))
    assert "feedback/zoe/" not in html, "there is no page of who is in the roster alone"
    assert 'data-section="1"' in matrix and 'data-section="2"' in matrix


def test_ticks_are_round_numbers_at_their_place():
    ticks = class_page.LessonPage("x", "X", 27.0, [], [], []).ticks
    assert [tick for tick, _ in ticks] == [0, 5, 10, 15, 20, 25]
    assert [place for _, place in ticks] == pytest.approx([8 + 420 * t / 27 for t, _ in ticks], abs=0.1)


def test_who_is_stuck_where(tmp_path):
    names = [name for name in POINTS if POINTS[name]]
    results = [
        Result(name, 0.0 if i < 6 else POINTS[name], POINTS[name], "failed" if i < 2 else "not_attempted" if i < 6 else "passed")
        for i, name in enumerate(names)
    ]
    absent = Graded("zoe", LESSON, "missing", [Result(n, 0.0, POINTS[n], "missing") for n in names], "nothing was handed in")
    found = summary([Graded("ada", LESSON, "graded", results), absent, *classroom(1, seed=1)], tmp_path)
    stuck = {pupil.name: pupil for pupil in found.stuck}
    assert stuck["ada"].stuck_at == names[:2] and len(found.handed_in) == 2
    assert "zoe" not in stuck and [pupil.name for pupil in found.missing] == ["zoe"]


def test_a_lesson_that_most_did_not_hand_in_still_shows_who_needs_help(tmp_path):
    """Thirty of nothing once stood before the one who had handed in nonsense; their points are none, as in the table."""
    absent = [Graded(f"m{i:02}", LESSON, "missing", [], "nothing") for i in range(40)]
    html = written([*absent, Graded("lena", LESSON, "unreadable", [], "empty")], tmp_path)
    help_, nothing = html.split("Who needs help")[1].split("Who is stuck where")[0].split("40 handed in nothing")
    assert "lena" in help_ and "m00" not in help_ and "m39" in nothing
    assert html.count('<td class="n">–</td>\n<td class="why"') + html.count('<td class="n">–</td><td class="why"') == 40


class Outline(HTMLParser):
    def __init__(self):
        super().__init__()
        self.headings, self.tags = [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if re.fullmatch(r"h\d", tag):
            self.headings.append(int(tag[1]))


@pytest.mark.parametrize("size", [0, 1, 2, 300])
def test_any_size_of_class_gives_an_accessible_page_that_needs_nothing_else(size, tmp_path):
    html = written(classroom(size), tmp_path)
    outline = Outline()
    outline.feed(html)
    assert outline.headings[0] == 1 and all(b - a <= 1 for a, b in zip(outline.headings, outline.headings[1:]))
    assert not any(tag in ("link", "img", "iframe") for tag, _ in outline.tags) and not re.search("https?:", html) and "nan" not in html
    assert all("scope" in attrs for tag, attrs in outline.tags if tag == "th")
    assert all(attrs.get("aria-label") for tag, attrs in outline.tags if tag == "svg")
    assert size == 0 or "s000" in html


def test_a_strangers_name_stays_text(tmp_path):
    evil = '<script>alert(1)</script>"onclick=x'
    result = Result("causal_mask", 0.0, 1.5, "failed", diagnosis="<img src=x>")
    html = written([Graded(evil, LESSON, "graded", [result])], tmp_path)
    assert html.count("<script") == 1 and 'onclick="' not in html and '"onclick=x"' not in html


def test_no_script_but_the_one_that_sorts_can_run(tmp_path):
    html = written(classroom(2), tmp_path)
    [script] = re.findall("<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'\"" in html


@pytest.mark.parametrize(
    ("status", "waits", "late", "state"),
    [("unreadable", 0, 0, 0), ("missing", 0, 0, 1), ("graded", 1, 90_000, 2), ("graded", 0, 90_000, 3), ("graded", 0, 0, 4)],
)
def test_a_student_is_sorted_by_what_needs_a_look(status, waits, late, state, tmp_path):
    csv_tables.save([Graded("ann", LESSON, status, [Result("causal_mask", 1.5, 1.5, "passed")])], tmp_path)
    entries = (Entry("causal_mask", 1.5, 1.5, 1.5, None, 0.0, "", False), Entry("q", 0.0, 3.0, None, None if waits else 0.0, 0.0, "", True))
    known = Standing("ann", "", LESSON, entries, 1.0, 4.5, 0.5 if late else 0.0, late, 0.0, datetime(2027, 3, 1, 23, 59))
    html = class_page.of_folder(tmp_path, [known])
    assert f'data-state="{state}" data-time="2027-03-01 23:59"' in html and "2027-03-01 23:59 UTC" in html


def test_every_lesson_is_on_the_page(tmp_path):
    html = written([*classroom(3), Graded("ada", "04_multi_head_attention", "graded", [])], tmp_path)
    assert "s000" in html and "Multi-head attention" in html and "ada" in html


def test_edited_lines_and_lessons_of_another_course_stop_nothing(tmp_path):
    written(classroom(3), tmp_path)
    with (tmp_path / "grades.csv").open("a", encoding="utf-8") as stream:
        stream.write("old,09_gone,1,2,graded\nodd,03_self_attention,many,24,graded\nodd,03_self_attention,nan,24,graded\n")
    html = class_page.save(tmp_path).read_text(encoding="utf-8")
    assert "3 of 3 submissions" in html and "09_gone" not in html


def test_who_began_nothing_is_not_said_to_have_solved_it(tmp_path):
    blank = [Result(name, 0.0, points, "not_attempted") for name, points in POINTS.items()]
    one = [Result("causal_mask", 1.5, 1.5, "passed"), *(r for r in blank if r.exercise != "causal_mask")]
    html = written([Graded("ada", LESSON, "graded", blank), Graded("ben", LESSON, "graded", one)], tmp_path)
    said = {name: re.findall(rf">{name}</a></strong>([^<]*)", html)[0] for name in ("ada", "ben")}
    assert "0 points" in said["ada"] and "solved" not in said["ada"]
    assert "1.5 points" in said["ben"] and "solved" in said["ben"]


def test_sections_are_compared_where_there_are_two(tmp_path):
    """Means as NumPy has them, and the exercises in which a section is far from the class."""
    graded = classroom(40)
    last = list(POINTS)[-2]
    worse = [replace(r, score=0.0, status="failed") if r.exercise == last else r for g in graded[:20] for r in g.results]
    size = len(graded[0].results)
    graded = [replace(g, results=worse[i * size : (i + 1) * size]) for i, g in enumerate(graded[:20])] + graded[20:]
    people = [Person(g.student, "", "A" if i < 20 else "B", "") for i, g in enumerate(graded)] + [Person("absent", "", "A", "")]
    csv_tables.save([*graded, Graded("absent", LESSON, "missing", [])], tmp_path)
    tables = (pd.read_csv(tmp_path / f"{t}.csv", dtype=str, keep_default_na=False).to_dict("records") for t in ("grades", "exercises"))
    [lesson] = class_page.summarize(*tables, people=people)
    first, second = lesson.sections
    assert (first.name, first.students, first.handed_in, second.handed_in) == ("A", 21, 20, 20)
    assert first.mean == pytest.approx(np.mean([g.score for g in graded[:20]])) and first.median == pytest.approx(
        np.median([g.score for g in graded[:20]])
    )
    [(name, here, whole)] = [x for x in first.apart(lesson.items) if x[0] == last]
    assert (here, name) == (0.0, last) and whole == pytest.approx(
        np.mean([r.score / r.points for g in graded for r in g.results if r.exercise == last])
    )
    one = class_page.summarize([], [], people=people[:1])
    assert not one


def test_there_is_no_column_of_what_is_worth_a_look_where_nothing_is(tmp_path):
    passed = [Result(name, points, points, "passed") for name, points in POINTS.items()]
    blank = [replace(r, score=0.0, status="not_attempted") for r in passed]
    none = written([Graded("ada", LESSON, "graded", passed)], tmp_path)
    some = written([Graded("ada", LESSON, "graded", blank)], tmp_path)
    assert ">Worth a look</th>" not in none and "Nothing stands out" in none
    assert ">Worth a look</th>" in some and "nobody began it" in some


def test_points_stand_below_each_other_and_one_is_said_as_one(tmp_path):
    results = [Result(name, 1.0 if name == "causal_mask" else 0.0, points, "partial") for name, points in POINTS.items()]
    html = written([Graded("ada", LESSON, "graded", results)], tmp_path)
    assert "1 of 1 submission graded" in html and '1 student, <span class="order">the weakest first</span>' in html
    assert re.search(r"</strong>: 1 point,", html)
    more = written([*classroom(3), Graded("ada", LESSON, "graded", results)], tmp_path)
    shown = re.findall(r'<td class="n">([\d.]+)</td><td class="(?:full|some|none|blank)', more)
    assert len(shown) == 4 and len({len(text.partition(".")[2]) for text in shown}) == 1


def test_a_name_breaks_between_its_words(tmp_path):
    html = written(classroom(2), tmp_path)
    assert "<code>scaled_<wbr>dot_<wbr>product_<wbr>attention</code>" in html and "<code>Self<wbr>Attention</code>" in html


def test_two_of_one_name_are_told_apart(tmp_path):
    csv_tables.save(classroom(3), tmp_path)
    (tmp_path / "roster.csv").write_text("student_id,name,section,email\ns000,Ben Lee,,\ns001,Ben Lee,,\ns002,Ada Lovelace,,\n")
    html = class_page.save(tmp_path).read_text(encoding="utf-8")
    assert ">Ben Lee (s000)<" in html and ">Ben Lee (s001)<" in html and ">Ada Lovelace<" in html


def test_students_can_stand_by_their_last_names(tmp_path):
    """As in the lists of most learning systems; two of one name stay told apart."""
    ids = [g.student for g in classroom(4)]
    people = [
        Person(student, name, "", "", family)
        for student, name, family in zip(ids, ["Ann van der Berg", "Bo Lee", "Bo Lee", "Li Na"], ["", "", "", "Li Na"])
    ]
    csv_tables.save(classroom(4), tmp_path)
    assert 'value="family 1"' not in class_page.save(tmp_path).read_text(encoding="utf-8"), "there are no names"
    rows = "".join(f"{p.student},{p.name},,,{p.family},\n" for p in people)
    (tmp_path / roster.FILE).write_text(f"{','.join(roster.HEADER)}\n{rows}", encoding="utf-8")
    html = class_page.save(tmp_path).read_text(encoding="utf-8")
    assert 'value="family 1">by last name<' in html
    assert sorted(re.findall('data-family="([^"]+)"', html)) == [
        f"Lee ({ids[1]}) Bo", f"Lee ({ids[2]}) Bo", "Li Na", "van der Berg Ann",
    ]  # fmt: skip


def test_what_being_late_cost_is_read_without_a_mouse(tmp_path):
    csv_tables.save([Graded("ann", LESSON, "graded", [Result("causal_mask", 1.5, 1.5, "passed")])], tmp_path)
    entry = Entry("causal_mask", 1.5, 1.5, 1.5, None, 0.0, "", False)
    html = class_page.of_folder(tmp_path, [Standing("ann", "", LESSON, (entry,), 1.0, 1.5, 0.5, 90_000.0, 0.0)])
    assert re.search(r">[^<]* late, 0\.5 points off<", html)
