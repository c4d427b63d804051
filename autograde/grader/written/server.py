"""The page's server: on this machine alone, for whoever has its address, which holds a secret.

There are no cookies and no passwords: every address begins with a random token, so that another site in the same browser can neither read
nor ask for anything. A request that comes under another name than 127.0.0.1 or localhost is refused (a name that somebody else resolves to
this machine), and what students wrote is cleaned and may load nothing.
"""

from __future__ import annotations

import json
import math
import secrets
from contextlib import ExitStack
from html import escape
from http import HTTPStatus
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, HTTPError, RequestHandler

from autograde.checking.errors import UserError
from autograde.checking.manifest import read_manifest
from autograde.grader.gradebook.record import GradebookError
from autograde.grader.sandbox.bounded import TooMuch, reading
from autograde.grader.written import question as questions
from autograde.grader.written.answers import LONGEST_COMMENT, Answer, Answers, Changed, Mark
from autograde.grader.written.mathematics import html

HERE = "127.0.0.1"
PAGE = Path(__file__).with_name("page")
FILES = {"": ("index.html", "text/html"), "page.css": ("page.css", "text/css"), "page.js": ("page.js", "text/javascript")}
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}
LONGEST_REQUEST = 1 << 20  # bytes
LONGEST_SHOWN = 100_000  # characters of an answer; a long one has some thousands


class Server:
    """The page for one course directory; `address` opens it. What students wrote is made HTML in a reader (`sandbox.bounded`)."""

    def __init__(self, folder: Path, port: int = 0) -> None:
        self.reader = ExitStack()
        self.reader.enter_context(reading())
        self.answers, token = Answers(folder), secrets.token_urlsafe(24)
        [socket, *_] = bind_sockets(port, HERE)
        self.port = socket.getsockname()[1]
        self.address = f"http://{HERE}:{self.port}/{token}/"
        self._server = HTTPServer(application(self.answers, token, self.port), max_body_size=LONGEST_REQUEST)
        self._server.add_sockets([socket])

    def close(self) -> None:
        self._server.stop()
        self.answers.close()
        self.reader.close()


def application(answers: Answers, token: str, port: int) -> Application:
    """The addresses below the token; every other one is not there."""
    known = {"answers": answers, "port": port}
    routes = [
        (rf"/{token}/(|page\.css|page\.js)", PageFile, known),
        (rf"/{token}/questions", QuestionList, known),
        (rf"/{token}/questions/(\w+)/(\w+)", OneQuestion, known),
        (rf"/{token}/answers/(\w+)", OneAnswer, known),
    ]
    return Application(routes, default_handler_class=NotHere, default_handler_args=known, log_function=lambda handler: None)


class Handler(RequestHandler):
    """What all answers of the server share: who may ask, and how an error is told."""

    def initialize(self, answers: Answers, port: int) -> None:
        self.answers, self.port = answers, port

    def set_default_headers(self) -> None:
        for name, value in HEADERS.items():
            self.set_header(name, value)

    def prepare(self) -> None:
        names = {f"{HERE}:{self.port}", f"localhost:{self.port}"}
        origin = self.request.headers.get("Origin")
        if self.request.host not in names or (origin and origin.removeprefix("http://") not in names):
            raise HTTPError(HTTPStatus.FORBIDDEN)

    def write_error(self, status_code: int, **known: Any) -> None:
        error = known.get("exc_info", (None, None))[1]
        explained = isinstance(error, (UserError, GradebookError))
        if explained:
            self.set_status(HTTPStatus.BAD_REQUEST if isinstance(error, UserError) else HTTPStatus.SERVICE_UNAVAILABLE)
        self.finish({"error": str(error) if explained else self._reason})

    def log_exception(self, kind: Any, value: Any, trace: Any) -> None:
        if not isinstance(value, (UserError, GradebookError, HTTPError)):
            super().log_exception(kind, value, trace)


class NotHere(Handler):
    def prepare(self) -> None:
        raise HTTPError(HTTPStatus.NOT_FOUND)


class PageFile(Handler):
    def get(self, name: str) -> None:
        file, kind = FILES[name]
        self.set_header("Content-Type", f"{kind}; charset=utf-8")
        self.finish((PAGE / file).read_bytes())


class QuestionList(Handler):
    def get(self) -> None:
        found = [
            {"lesson": lesson, "question": name, "title": read_manifest(lesson)["title"], "answers": [_short(a) for a in answers]}
            for (lesson, name), answers in self.answers.questions().items()
        ]
        self.finish({"questions": found})


class OneQuestion(Handler):
    def get(self, lesson: str, name: str) -> None:
        answers = self.answers.questions().get((lesson, name))
        if not answers:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        asked = questions.read(lesson, name)
        items = [{"key": i.key, "part": i.part, "points": i.points, "html": html(i.words)} for i in asked.items]
        self.finish({
            "points": asked.points, "text": html(asked.text), "model": html(asked.model), "items": items,
            "answers": [_short(a) for a in answers], "comments": self.answers.comments(answers),
        })  # fmt: skip


class OneAnswer(Handler):
    def get(self, identity: str) -> None:
        answer = self.answers.find(identity)
        names = {"student": answer.student, "name": answer.name} if self.get_query_argument("names", "") == "yes" else {}
        self.finish({**_full(answer), **names, "html": _shown(*self.answers.text(answer))})

    def put(self, identity: str) -> None:
        asked = questions.read(*_place(self.answers.find(identity)))
        mark, items, seen = _given(self.request.body, asked)
        try:
            self.finish(_full(self.answers.give(identity, mark, items, seen)))
        except Changed:
            self.set_status(HTTPStatus.CONFLICT)
            self.finish(_full(self.answers.find(identity)))


def _shown(words: str, attachments: dict[str, Any]) -> str:
    """An answer as HTML; as it was written, and its beginning alone, where making that takes too much or a browser would be long at it."""
    why = f"it has more than {LONGEST_SHOWN:,} characters" if len(words) > LONGEST_SHOWN else ""
    try:
        return _as_written(words, why) if why else html(words, attachments)
    except TooMuch as error:
        return _as_written(words, str(error))


def _as_written(words: str, why: str) -> str:
    return f"<p>This answer is shown as it was written: {escape(why)}.</p><pre>{escape(words[:LONGEST_SHOWN])}</pre>"


def _place(answer: Answer) -> tuple[str, str]:
    return answer.lesson, answer.question


def _short(answer: Answer) -> dict[str, Any]:
    state = {"waiting": answer.waiting, "blank": answer.blank, "changed": answer.changed}
    return {"id": answer.id, "number": answer.number, "points": answer.mark.points, **state}


def _full(answer: Answer) -> dict[str, Any]:
    return {**_short(answer), "comment": answer.mark.comment, "items": answer.items}


def _given(body: bytes, asked: questions.Question) -> tuple[Mark, list[str], Mark]:
    """What a request asks to be recorded: points and comment, the chosen items, and what its page saw before.

    Raises:
        UserError: for what the page never sends.
    """
    try:
        given = json.loads(body)
        chosen = [item.key for item in asked.items if item.key in given["items"]]
        return _mark(given, asked.points), chosen, _mark(given["seen"], math.inf)
    except UserError:
        raise
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
        raise UserError(f"this request is none of the page's ({type(error).__name__}): reload the page") from None


def _mark(given: dict[str, Any], most: float) -> Mark:
    """Points and comment as the page sent them.

    Raises:
        UserError: for points that are none, or a comment that is too long.
    """
    points, comment = given["points"], given["comment"]
    if points is not None and (isinstance(points, bool) or not isinstance(points, (int, float)) or not 0 <= points <= most):
        raise UserError(f"points are a number from 0 to {most:g}")
    if not isinstance(comment, str) or len(comment) > LONGEST_COMMENT:
        raise UserError(f"a comment has at most {LONGEST_COMMENT:,} characters")
    return Mark(points if points is None else float(points), comment.encode().decode().strip())  # no half of a character
