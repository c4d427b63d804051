"""Written answers: rubrics as items, grades and comments in nbgrader's gradebook at once, formulas without scripts, a server for one reader."""

from __future__ import annotations

import json
import re
import shutil
import time
from contextlib import closing
from html.parser import HTMLParser

import pytest
from nbgrader.api import Gradebook
from tornado.testing import AsyncHTTPTestCase

from autograde import layout
from autograde.authoring import source
from autograde.checking.errors import UserError
from autograde.grader.gradebook.record import Records
from autograde.grader.results.class_list import ClassList
from autograde.grader.written import question as questions
from autograde.grader.written import server
from autograde.grader.written.answers import Answers, Changed, Mark
from autograde.grader.written.mathematics import html, mathml
from tests import written
from tests.grader.pages.test_safe_markdown import ACTIVE, ATTACKS

LESSON, QUESTION = written.LESSON, written.QUESTION
ASKED = [(name, question) for name in layout.lesson_names() for question in source.read(layout.source_path(name)).questions]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return written.course(tmp_path_factory.mktemp("written") / "class")


@pytest.fixture
def folder(made, tmp_path):
    return shutil.copytree(made, tmp_path / "class")


@pytest.fixture
def answers(folder):
    opened = Answers(folder)
    yield opened
    opened.close()


def of(answers, student):
    return next(a for a in answers.questions()[LESSON, QUESTION] if a.student == student)


def in_gradebook(folder, student):
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        notebook = gradebook.find_submission_notebook(LESSON, LESSON, student)
        [grade] = [g for g in notebook.grades if g.name == QUESTION]
        [comment] = [c for c in notebook.comments if c.name == QUESTION]
        return grade.manual_score, comment.manual_comment, grade.needs_manual_grade


NOTHING = Mark(None, "")


def test_nobody_grades_the_answer_of_who_left_or_took_it_away(folder):
    first, second, *others = sorted(a.student for a in _asked(folder))
    listed = ClassList.read(folder)
    listed.gone, listed.withdrawn = {first}, {(second, LESSON)}
    listed.save()
    assert sorted(a.student for a in _asked(folder)) == others


def _asked(folder):
    with closing(Answers(folder)) as answers:
        return answers.questions()[LESSON, QUESTION]


@pytest.mark.parametrize(("lesson", "name"), ASKED)
def test_every_rubric_is_items_that_sum_to_the_points(lesson, name):
    asked = questions.read(lesson, name)
    whole = [item for item in asked.items if not item.key.endswith("-half")]
    assert sum(item.points for item in whole) == asked.points and len(whole) > 1 and len(asked.items) <= 9
    assert all(item.words.strip() for item in asked.items)
    assert "Rubric" not in asked.model and "{measured:" not in asked.model and asked.text and asked.model not in asked.text


def test_a_rubric_in_lines_and_one_in_a_paragraph_are_read_alike():
    lines = questions.items("- 1 point: this. Half a point if\n  that is missing.\n- 2 points: more.")
    assert [(i.key, i.points, i.words) for i in lines] == [
        ("1", 1, "this."), ("1-half", 0.5, "Half a point if\n  that is missing."), ("2", 2, "more."),
    ]  # fmt: skip
    for_each = questions.items("1 point: this. 1 point: more. Half points for half of a part.")
    assert [(i.key, i.points) for i in for_each] == [("1", 1), ("1-half", 0.5), ("2", 1), ("2-half", 0.5)]
    assert questions.items("whatever you like") == ()


def test_points_and_a_comment_are_in_nbgraders_gradebook_at_once(folder, answers):
    ada = of(answers, "ada")
    assert ada.waiting and not of(answers, "ben").waiting and of(answers, "ben").blank
    given = answers.give(ada.id, Mark(2.5, "Good."), ["1", "2", "3-half"], NOTHING)
    assert not given.waiting and in_gradebook(folder, "ada") == (2.5, "Good.", False)
    again = Answers(folder)
    assert (of(again, "ada").mark, of(again, "ada").items) == (Mark(2.5, "Good."), ["1", "2", "3-half"])
    assert again.comments(again.questions()[LESSON, QUESTION]) == ["Good."]
    answers.give(ada.id, Mark(None, ""), [], Mark(2.5, "Good."))
    assert in_gradebook(folder, "ada") == (None, None, True) and of(answers, "ada").waiting
    again.close()


def test_who_has_no_name_is_called_by_the_id_once(folder, answers):
    """Formgrader has the id as the last name of whom no roster names: the page once said "ada (ada)"."""
    assert of(answers, "ada").name == ""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        gradebook.update_or_create_student("ada", first_name="Ada", last_name="Lovelace")
    again = Answers(folder)
    assert of(again, "ada").name == "Ada Lovelace"
    again.close()


def test_what_somebody_else_gave_meanwhile_is_not_overwritten(folder, answers):
    other = Answers(folder)
    dev = of(other, "dev")
    other.give(dev.id, Mark(1.0, "From the other desk."), ["1"], NOTHING)
    with pytest.raises(Changed):
        answers.give(dev.id, Mark(0.0, ""), [], NOTHING)
    assert in_gradebook(folder, "dev")[:2] == (1.0, "From the other desk.")
    other.close()


def test_a_regrade_keeps_what_was_given_and_formgraders_points_lose_the_ticks(folder, answers):
    dev = of(answers, "dev")
    answers.give(dev.id, Mark(1.0, "Look again."), ["1"], NOTHING)
    records = Records(folder)
    written.hand_in(records, "dev", "I know more now.")
    records.close()
    assert of(answers, "dev").mark == Mark(1.0, "Look again.") and answers.text(of(answers, "dev"))[0] == "I know more now."
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        next(g for g in gradebook.find_submission_notebook(LESSON, LESSON, "dev").grades if g.name == QUESTION).manual_score = 3
        gradebook.db.commit()
    assert (of(answers, "dev").mark.points, of(answers, "dev").items) == (3, [])


def test_an_answer_that_changed_after_it_was_graded_waits_until_its_points_are_given_or_kept(folder, answers):
    mark = Mark(1.0, "Look again.")
    answers.give(of(answers, "dev").id, mark, ["1"], NOTHING)
    records = Records(folder)
    for text, changed in [("I do not know.", False), ("I know more now.", True), ("I know more now.", True)]:
        written.hand_in(records, "dev", text)
        assert (of(answers, "dev").changed, of(answers, "dev").waiting) == (changed, changed), text
    records.close()
    kept = answers.give(of(answers, "dev").id, mark, ["1"], mark)
    assert (kept.mark, kept.items, kept.changed, kept.waiting) == (mark, ["1"], False, False)


def test_an_answer_that_is_gone_is_one_line(answers):
    with pytest.raises(UserError, match="reload"):
        answers.give("0" * 32, Mark(1.0, ""), [], NOTHING)


class Read(HTMLParser):
    """All elements with their attributes, as a browser would find them."""

    def __init__(self, page):
        super().__init__()
        self.found: list[tuple[str, dict]] = []
        self.words = ""
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words += data


FORMULA_ATTACKS = [
    r"$\href{javascript:alert(1)}{x}$",
    r"$\style{position:fixed;inset:0}{x}$ $\class{score}{x}$ $\color{red}{x}$",
    r"$\text{<img src=x onerror=alert(1)>}$ $\text{&lt;script&gt;alert(1)&lt;/script&gt;}$",
    '![$" onerror="alert(1)$](x) [$x$](https://example.org "$\\" onclick=alert(1)$")',
    '<abbr title="$<img src=x onerror=alert(1)>$">x</abbr>',
    r"$\hspace{10000em} \rule{100em}{100em}$",
]


@pytest.mark.parametrize("text", [*ATTACKS, *FORMULA_ATTACKS])
def test_nothing_that_a_student_writes_acts(text):
    for tag, attributes in Read(html(text)).found:
        assert tag not in ACTIVE - {"math"}
        assert not [
            a for a in attributes if a.startswith("on") or a in ("style", "id", "width", "href") and tag not in ("a", "img", "td", "th")
        ]
        assert not re.match(r"\s*(javascript|data):", attributes.get("href", ""), re.IGNORECASE)


def test_formulas_are_drawn_by_the_browser_and_what_is_none_is_shown():
    found = Read(html(r"So $\frac{a < b}{2}$ and $$\sqrt{d_k}$$ and $\frac{$ end"))
    assert [tag for tag, _ in found.found].count("math") == 2 and {"mfrac", "msqrt", "code"} <= {tag for tag, _ in found.found}
    assert "a<b" in found.words.replace(" ", "") and r"\frac{" in found.words
    assert mathml("x" * 5000).startswith("<code>") and mathml("{" * 3000).startswith("<code>")


def test_a_picture_that_was_lost_is_no_error():
    assert "before" in html("before ![words](attachment:lost.png) after")


def test_a_picture_from_elsewhere_is_a_link_and_one_that_came_along_is_shown():
    for text in ("![words](https://example.org/a.png)", 'x <img alt="a > b" src="HTTPS://example.org/a.png">'):
        assert [tag for tag, _ in Read(html(text)).found] == ["p", "a"]
    [_, picture] = Read(html("![words](attachment:a.png)", {"a.png": {"image/png": "AAAA"}})).found
    assert picture == ("img", {"src": "data:image/png;base64,AAAA", "alt": "words"})


@pytest.mark.slow
def test_formulas_without_an_end_are_drawn_in_time():
    """Each was put into the page by looking through all of it."""
    began = time.process_time()
    assert html("$x$ " * 25_000).count("<math") == 25_000
    assert time.process_time() - began < 6


def test_an_answer_that_is_too_long_for_a_browser_is_shown_as_it_begins():
    shown = server._shown("<b>" * server.LONGEST_SHOWN, {})
    assert "&lt;b&gt;" in shown and "<b>" not in shown and len(shown) < 5 * server.LONGEST_SHOWN and "characters" in shown


class TestServer(AsyncHTTPTestCase):
    """What the page asks, by the server's own addresses; `folder` is the class of this test."""

    @pytest.fixture(autouse=True)
    def _class(self, folder):
        self.folder = folder

    def get_app(self):
        self.answers = Answers(self.folder)
        self.token = "secret"
        return server.application(self.answers, self.token, self.get_http_port())

    def tearDown(self):
        self.answers.close()
        super().tearDown()

    def ask(self, path, status=200, token="secret", **options):
        options["headers"] = {"Host": f"127.0.0.1:{self.get_http_port()}", **options.get("headers", {})}
        reply = self.fetch(f"/{token}/{path}", **options)
        assert reply.code == status, reply.body
        return reply

    def put(self, student, status=200, **given):
        given = {"points": 2, "comment": "", "items": ["1"], "seen": {"points": None, "comment": ""}, **given}
        return self.ask(f"answers/{of(self.answers, student).id}", status, method="PUT", body=json.dumps(given))

    def test_only_who_has_the_token_comes_in(self):
        for token in ("", "wrong", "Secret"):
            self.ask("questions", 404, token=token)
        assert json.loads(self.ask("questions").body)["questions"][0]["lesson"] == LESSON

    def test_another_site_cannot_ask(self):
        """Neither by a name of its own for this machine, nor from its own pages."""
        self.ask("questions", 403, headers={"Host": "evil.example:80"})
        self.ask("questions", 403, headers={"Origin": "https://evil.example"})
        policy = self.ask("").headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "http" not in policy

    def test_names_are_told_only_when_they_are_asked_for(self):
        ada = of(self.answers, "ada")
        for path in ("questions", f"questions/{LESSON}/{QUESTION}", f"answers/{ada.id}"):
            assert b'"ada"' not in self.ask(path).body
        assert json.loads(self.ask(f"answers/{ada.id}?names=yes").body)["student"] == "ada"

    def test_what_is_given_is_recorded_and_what_cannot_be_is_refused(self):
        assert json.loads(self.put("ada", points=2, items=["1", "2", "no such"]).body)["items"] == ["1", "2"]
        assert in_gradebook(self.folder, "ada") == (2, None, False)
        for wrong in (-1, 3.5, "2", True, [1]):
            assert "from 0 to 3" in json.loads(self.put("ada", 400, points=wrong).body)["error"]
        self.put("ada", 409, points=1)
        self.put("ada", points=1, seen={"points": 2, "comment": ""})
        assert in_gradebook(self.folder, "ada") == (1, None, False)

    def test_what_no_page_sends_is_told_and_records_nothing(self):
        """Whoever writes requests by hand has the secret already: no traceback with it, and nothing half done."""
        where, right = (
            f"answers/{of(self.answers, 'ada').id}",
            {"points": 2, "comment": "", "items": [], "seen": {"points": None, "comment": ""}},
        )
        wrong = [
            {"points": 10**400},
            {"items": None},
            {"items": 5},
            {"seen": None},
            {"seen": {"points": 10**400, "comment": ""}},
            {"comment": "\ud800"},
        ]
        bodies = ["", "[]", "null", "[" * 200_000, '{"points":' + "9" * 5000 + "}", "{}", *(json.dumps(right | given) for given in wrong)]
        for body in bodies:
            assert json.loads(self.ask(where, 400, method="PUT", body=body).body)["error"], body[:60]
        assert in_gradebook(self.folder, "ada") == (None, None, True)
