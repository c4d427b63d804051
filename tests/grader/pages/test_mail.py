"""One message a student, read back by Python's own parser: the right page to the right address, and no address that adds a header."""

from __future__ import annotations

from email import message_from_bytes
from email.header import decode_header, make_header
from email.policy import compat32, default

import pytest
from typer.testing import CliRunner

from autograde import layout
from autograde.checking.errors import UserError
from autograde.cli import app
from autograde.grader.gradebook.roster import Person
from autograde.grader.gradebook.standing import Entry, Standing
from autograde.grader.pages import mail

LESSONS = ["03_self_attention", "04_multi_head_attention"]


def standing(student, lesson=LESSONS[0], penalty=0.0, waiting=False):
    written = Entry("written_question", 0.0, 3.0, None, None if waiting else 0.0, 0.0, "", True)
    return Standing(student, "", lesson, (written,), 20.5, 27.0, penalty, 0.0, 0.0)


def written(tmp_path, standings, people, lessons=LESSONS, sender="Ada <ada@example.org>"):
    for s in standings:
        page = tmp_path / "feedback" / s.student / f"{s.lesson}.html"
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_text(f"<p>{s.student} · {s.lesson}</p>", encoding="utf-8")
    made = mail.save(tmp_path, tmp_path / "mail", standings, people, lessons, sender)
    return made, [message_from_bytes(path.read_bytes(), policy=default) for path in made.files]


def test_each_student_gets_their_own_pages_and_points(tmp_path):
    standings = [standing("ann", penalty=2.0), standing("ann", LESSONS[1]), standing("bo b", waiting=True)]
    people = [Person("ann", "Ann Ås", "", "ann@x.org"), Person("bo b", "", "", "Bob <bob@x.org>")]
    made, [to_ann, to_bob] = written(tmp_path, standings, people)
    assert (to_ann["To"], to_bob["To"], to_ann["From"]) == ("ann@x.org", "bob@x.org", "Ada <ada@example.org>")
    pages = [(part.get_filename(), part.get_content()) for part in to_ann.iter_attachments()]
    assert pages == [(f"{lesson}.html", f"<p>ann · {lesson}</p>") for lesson in LESSONS]
    words = to_ann.get_body().get_content()
    assert "Ann Ås" in words and "20.5 of 27" in words and "2 taken off" in words
    assert made.waiting == ["bo b"] and "not graded yet" in to_bob.get_body().get_content()
    assert len({path.name for path in made.files}) == 2


def test_one_lesson_alone(tmp_path):
    made, [message] = written(tmp_path, [standing("ann"), standing("ann", LESSONS[1])], [Person("ann", "", "", "a@x.org")], LESSONS[:1])
    assert [part.get_filename() for part in message.iter_attachments()] == ["03_self_attention.html"]


@pytest.mark.parametrize(
    "address", ["", "no address", "a@x.org\nBcc: eve@x.org", "a@x.org, b@x.org", "a@b@c", "<>", "änn@x.org", "a@x..org", "a@" + "x" * 99]
)
def test_who_has_no_usable_address_is_named_and_gets_nothing(tmp_path, address):
    made, messages = written(tmp_path, [standing("ann"), standing("unknown")], [Person("ann", "", "", address)])
    assert messages == [] and made.without == ["ann", "unknown"]


def test_a_name_cannot_leave_the_folder_or_add_a_header(tmp_path):
    made, messages = written(tmp_path, [standing("..x")], [Person("..x", "Eve\nBcc: eve@x.org\n\nhello", "", "e@x.org")])
    assert made.files[0].parent == tmp_path / "mail" and messages[0]["Bcc"] is None


NAMES = ["Zoë Ångström-Łukasiewicz de la Cruz y Montañés " * 3, "李 明", "O'Hara\tJr.\r\nBcc: eve@x.org"]


@pytest.mark.parametrize("name", NAMES)
def test_what_a_file_holds_is_read_alike_by_old_and_new_parsers(name, tmp_path):
    """Plain ASCII in short lines, as any server passes it on; a draft; nothing that a parser would have to guess."""
    sender = "Zoë Ångström <zoe@exämple.org>"
    made, [message] = written(tmp_path, [standing("ann")], [Person("ann", name, "", "ann@exämple.org")], sender=sender)
    raw = made.files[0].read_bytes()
    assert raw.isascii() and max(map(len, raw.split(b"\r\n"))) <= 78 and b"\n" not in raw.replace(b"\r\n", b"")
    old = message_from_bytes(raw, policy=compat32)
    for part in (*message.walk(), *old.walk()):
        assert not part.defects
    [from_] = message["From"].addresses
    assert message["To"] == "ann@xn--exmple-cua.org" and f"Hello {' '.join(name.split())}," in message.get_body().get_content()
    assert (from_.display_name, from_.addr_spec) == ("Zoë Ångström", "zoe@xn--exmple-cua.org")
    assert str(make_header(decode_header(old["Subject"]))) == message["Subject"] == "Feedback: 03 · Self-attention"
    assert message["X-Unsent"] == "1" and message["Bcc"] is None
    assert {part.get_content_type() for part in message.walk()} == {"multipart/mixed", "text/plain", "text/html"}


def test_the_same_points_give_the_same_bytes(tmp_path):
    twice = [written(tmp_path, [standing("ann")], [Person("ann", "", "", "a@x.org")])[0].files[0].read_bytes() for _ in range(2)]
    assert twice[0] == twice[1]


@pytest.mark.parametrize("sender", ["ada", "a@x.org, b@x.org", "Ada <ada>", "a@x.org\nBcc: eve@x.org"])
def test_a_sender_that_is_no_address_is_refused_before_anything_is_written(sender, tmp_path):
    with pytest.raises(UserError, match="--from"):
        written(tmp_path, [standing("ann")], [Person("ann", "", "", "a@x.org")], sender=sender)
    assert not (tmp_path / "mail").exists()


def test_without_a_sender_the_mail_program_adds_its_own(tmp_path):
    _, [message] = written(tmp_path, [standing("ann")], [Person("ann", "", "", "a@x.org")], sender="")
    assert message["From"] is None


def test_a_folder_with_messages_of_an_earlier_call_is_refused_and_the_same_call_again_is_not(tmp_path):
    """Whoever sends `*.eml` would send last week's lesson again to those who did not hand in this one."""
    people = [Person("ann", "", "", "a@x.org"), Person("bob", "", "", "b@x.org")]
    written(tmp_path, [standing("ann"), standing("bob")], people)
    before = {path.name: path.read_bytes() for path in (tmp_path / "mail").iterdir()}
    written(tmp_path, [standing("ann"), standing("bob")], people)
    with pytest.raises(UserError, match=r"earlier call \(bob.eml\)"):
        written(tmp_path, [standing("ann", LESSONS[1])], people)
    assert {path.name: path.read_bytes() for path in (tmp_path / "mail").iterdir()} == before


def test_a_subject_stays_short_however_many_lessons(tmp_path):
    lessons = layout.lesson_names()
    _, [message] = written(tmp_path, [standing("ann", lesson) for lesson in lessons], [Person("ann", "", "", "a@x.org")], lessons)
    assert message["Subject"] == "Feedback: lessons " + ", ".join(lesson[:2] for lesson in lessons)


@pytest.mark.parametrize(("lesson", "why"), [("03", "no address of ann"), ("04", "no submission of these lessons")])
def test_a_call_that_writes_no_message_is_a_mistake(lesson, why, tmp_path, monkeypatch):
    """It once ended with a green tick and `0 messages`, in a folder that was not there."""
    written(tmp_path, [standing("ann")], [])
    monkeypatch.setattr("autograde.grader.batch.class_run.refresh", lambda _: 1)
    monkeypatch.setattr("autograde.grader.commands._recorded", lambda _: [standing("ann")])
    monkeypatch.setattr("autograde.grader.gradebook.roster.read", lambda _: [Person("ann", "Ann", "", "")])
    result = CliRunner().invoke(app, ["feedback", str(tmp_path), "--mail", str(tmp_path / "mail"), "--lesson", lesson])
    assert result.exit_code == 2 and why in result.stderr and not (tmp_path / "mail").exists()
