"""One submission in a worker: its cells run, its answers asked, a new worker when the code killed the last one."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from autograde.checking.errors import AutogradeError, MissingName, NotWritten, ProtocolError, StudentDied, StudentError, StudentTimeout
from autograde.checking.status import CellStatus
from autograde.grader.ingest.cells.own_cells import Kept
from autograde.grader.ingest.formats.cell_facts import bound_names, defined_names
from autograde.grader.ingest.naming.names import readable
from autograde.grader.rpc.connection import Connection
from autograde.grader.rpc.proxies import RemoteObject, RemoteStudent
from autograde.grader.run.timeouts import Clock
from autograde.grader.sandbox.limits import Limits
from autograde.grader.sandbox.modes import Level, Mode
from autograde.grader.worker import fork_server

MOST_NOTES, LONGEST_NOTE = 20, 180  # of what a worker says that it left out: how many, and characters of each
RESTART_SECONDS = 0.5  # of the cells' time for each one that ends its process: a new one takes a part of that, and counts nowhere else
LESS = ", in part"  # behind a cell's name: what is left of it
QUICK_SECONDS = 0.5  # a cell that took less runs whole also where the cells have used up their time
BAD = {CellStatus.TIMEOUT, CellStatus.DIED}
HURRIED_SECONDS = 5  # for what cells define at once, where they have used up their time
TAKE_LONG = "{} take more than {:g} seconds together: of {} only functions, classes, imports and constants are defined"
STOPPED_AT = re.compile(r"NameError: name '(\w+)' is not defined")
LASTING = ("function", "type")  # kinds of objects whose names mean the same for as long as a worker lives


@dataclass(frozen=True)
class CellResult:
    """What became of a cell."""

    name: str
    status: CellStatus
    message: str = ""
    line: str = ""
    traceback: str = ""


class _Worker(Connection):
    """A connection that knows the deadline and the forbidden calls of the check in progress."""

    def __init__(self, session: Session, sockets: tuple) -> None:
        self.session = session
        self.known: dict[str, RemoteObject] = {}  # functions and classes by name: asked for once, since a check names them again and again
        super().__init__(sockets, session.limits.message_bytes, RemoteObject)

    def ask(self, operation: str, arguments: tuple) -> Any:
        clock, outermost = self.session.clock, self.deadline is None
        seconds, allowed = clock.request()
        try:
            return self.request(operation, arguments, seconds, self.session.forbids, allowed, clock.limits.wall_factor)
        except StudentTimeout:
            clock.timeouts += 1
            raise
        finally:
            if outermost:
                clock.spend(self.taken)


class Session:
    """A submission's cells, `(name, source)` in order, defined in a worker; `own` names those that the student has added and no answer needs,
    `keeps` says what cells leave as it was and what is left of one that takes too long.

    `with Session(…) as session:` starts the worker and ends it; `start()` and `close()` do without the `with`. Sessions of one submission
    share its `clock`; what is `known` to have hung or died in one is not run in the next. `helpers` are scripts that cells may import, by name;
    `without` are packages that they may not.
    """

    def __init__(
        self,
        cells: Sequence[tuple[str, str]],
        limits: Limits | None = None,
        sandbox_mode: Mode = Mode.AUTO,
        artifacts: Mapping[str, bytes] | Callable[[str], bytes | None] | None = None,
        server: fork_server.ForkServer | None = None,
        clock: Clock | None = None,
        own: Collection[str] = (),
        keeps: Mapping[str, Kept] | None = None,
        known: Mapping[str, CellResult] | None = None,
        helpers: Mapping[str, str] | None = None,
        without: Sequence[str] = (),
    ) -> None:
        self.own, self.keeps, self.helpers, self.without = frozenset(own), dict(keeps or {}), dict(helpers or {}), list(without)
        self.cells, self.limits, self.mode = list(cells), limits or Limits(), sandbox_mode
        self.artifacts = artifacts or {}
        self.server = server
        self.results: dict[str, CellResult] = dict(known or {})
        self.forbids: tuple[str, ...] = ()
        self.clock = clock or Clock(self.limits)
        self.again: list[str] = []  # of cells that ran a second time: why
        self._worker: _Worker | None = None
        self._hurried = any(result.status == CellStatus.LEFT_OUT for result in self.results.values())  # the time was used up
        self._quick = {name for name, result in self.results.items() if result.status == CellStatus.OK}  # of cells that took none of it
        self._cells_left = self._own_left = 0.0  # seconds of the student's, for the cells of this worker, and for own ones among them

    @property
    def alive(self) -> bool:
        return self._worker is not None and not self._worker.end

    @property
    def level(self) -> Level:
        """How the worker is isolated: namespaces, landlock, limits or off."""
        return Level(self.worker.level)

    @property
    def worker(self) -> _Worker:
        """The connection to the worker, which may have ended.

        Raises:
            RuntimeError: before `start()`.
        """
        if self._worker is None:
            raise RuntimeError("the session has no worker yet: call start()")
        return self._worker

    def student(self, forbids: Sequence[str] = (), asked: set[str] | None = None) -> RemoteStudent:
        """What a check calls `student`; the names that it takes are added to `asked`."""
        return RemoteStudent(self, forbids, asked)

    def start(self) -> Session:
        """A fresh worker, in place of the last one, with every cell in it that has not hung or died before."""
        self.close()
        self._own_left = 0 if self._hurried else self.limits.own_cells_seconds
        self._run_cells(HURRIED_SECONDS if self._hurried else self.limits.cells_seconds)
        if self._cells_left <= 0 and not self._hurried:
            self._hurry()
        return self

    def _run_cells(self, seconds: float) -> None:
        self._cells_left = seconds
        while not self._define():
            self._cells_left -= RESTART_SECONDS
        self.clock.restarts -= seconds - self._cells_left

    def _hurry(self) -> None:
        """The cells have used up their time, whichever took it: from now on a worker gets what cells define at once."""
        self._hurried, self._own_left = True, 0
        self.again.append(TAKE_LONG.format("the cells", self.limits.cells_seconds, "all"))
        self.close()
        self._run_cells(HURRIED_SECONDS)

    def close(self) -> None:
        """End the worker."""
        if self._worker is not None:
            self._worker.kill("the session is closed")

    def __enter__(self) -> Session:
        return self.start()

    def __exit__(self, *_: Any) -> None:
        self.close()

    @contextmanager
    def test(self, forbids: Sequence[str] = (), seconds: float | None = None) -> Iterator[None]:
        """A check's time, its forbidden calls, and a worker that lives (unless running the cells again takes too long)."""
        if not self.alive and self.clock.restarts > 0:
            self.start()
        self.worker.new_check()
        before, self.forbids = self.forbids, tuple(forbids)
        try:
            with self.clock.check(seconds):
                yield
        finally:
            self.forbids = before

    @contextmanager
    def timed_by(self, clock: Clock) -> Iterator[None]:
        """Inside, what is asked takes this clock's time."""
        before, self.clock = self.clock, clock
        try:
            yield
        finally:
            self.clock = before

    def notes(self) -> list[str]:
        """What the worker left out of functions that it defined, in its words; nothing where it cannot be asked."""
        try:
            with self.test():
                told = self.ask("notes", ())
        except AutogradeError:
            return []
        lines = [*(told if type(told) is list else []), *self.again]
        short = (readable(line[:LONGEST_NOTE]) for line in lines[: 2 * MOST_NOTES] if type(line) is str)
        return list(dict.fromkeys(short))[:MOST_NOTES]

    def ask(self, operation: str, arguments: tuple) -> Any:
        """One request to the worker."""
        return self.worker.ask(operation, arguments)

    def value(self, name: str) -> Any:
        """What the submission calls by this name: data, or an object that stays in the worker."""
        known = self.worker.known
        if name in known and self.alive:
            return known[name]
        try:
            found = self.ask("value", (name,))
        except MissingName:
            raise MissingName(self._why_missing(name)) from None
        if isinstance(found, RemoteObject) and found._type_name in LASTING:
            known[name] = found
        return found

    def artifact(self, name: str) -> bytes | None:
        return self.artifacts(name) if callable(self.artifacts) else self.artifacts.get(name)

    def _define(self) -> bool:
        """Run the cells in a new worker; False when one of them ended it."""
        self._worker = _Worker(self, (self.server or fork_server.shared()).spawn(self.limits, self.mode))
        self._prepare("files", self.helpers)
        self._prepare("without", self.without)
        self._prepare("lost", self._lost())
        for name, source in self.cells:
            if self._known_bad(name) or self._is_late(name):
                name, source = f"{name}{LESS}", self._left_of(name)
            if not source or self._known_bad(name):
                continue
            result = self._run_cell(name, source)
            self.results[name] = result
            if not self.alive:
                return False
        return all(self._define_again(number, stopped) for number, stopped in self._stopped())

    def _prepare(self, operation: str, what: dict | list) -> None:
        """What a worker is to know before its cells run; where nothing was said, they say what they lack."""
        seconds = self.limits.cell_seconds
        if what:
            with suppress(AutogradeError):
                self.worker.request(operation, (what,), seconds, (), seconds, self.limits.wall_factor)

    def _lost(self) -> dict[str, str]:
        """The names that cells would have bound which took too long or ended their process, and why they are not there."""
        bad = [(source, result) for name, source in self.cells if (result := self.results.get(name)) and result.status in BAD]
        return {name: f"its cell stopped here: {result.message}"[:LONGEST_NOTE] for source, result in bad for name in bound_names(source)}

    def _stopped(self) -> list[tuple[int, str]]:
        """The cells that stopped at a name which a cell below defines, and that name; not one of which a newer version stands below."""
        errors = [(n, STOPPED_AT.match(r.message)) for n, (cell, _) in enumerate(self.cells)
                  if (r := self.results.get(cell)) and r.status == CellStatus.ERROR]  # fmt: skip
        stopped = [(number, found[1]) for number, found in errors if found and found[1].strip("_")]  # `_` is IPython's last result
        last = {name: n for n, (_, source) in enumerate(self.cells) for name in bound_names(source)} if stopped else {}
        return [
            (number, name)
            for number, name in stopped
            if last.get(name, -1) > number and all(last.get(own, -1) <= number for own in defined_names(self.cells[number][1]))
        ]

    def _define_again(self, number: int, lacked: str) -> bool:
        """Run a cell again, after those below it: at home the cells ran in that order. False when it ended the worker."""
        name, source = self.cells[number]
        self.results[name] = self._run_cell(name, source)
        self.again.append(f"a cell uses `{lacked}`, which a cell below it defines: it was run again after that one")
        return self.alive

    def _left_of(self, name: str) -> str:
        """What of a cell that takes too long or ends its process can be defined without that; "" for nothing."""
        known = self.results.get(name)
        source = "" if known and known.status == CellStatus.LEFT_OUT and not self._hurried else self.keeps.get(name, Kept()).instead
        if self._is_late(name):
            self.again += [] if self._hurried else [TAKE_LONG.format("your own cells", self.limits.own_cells_seconds, "the later ones")]
        elif source:
            self.again.append(
                "a cell takes too long here or ends its process: of it only functions, classes, imports and constants are defined"
            )
        return source

    def _is_late(self, name: str) -> bool:
        """Whether the time is used up, of own cells (which cost no answer its time) or of all, and this one may need some."""
        if self.keeps.get(name, Kept()).at_once:
            return False
        return self._own_left <= 0 if name in self.own else self._hurried and name not in self._quick

    def _known_bad(self, name: str) -> bool:
        bad = BAD if self._hurried else {*BAD, CellStatus.LEFT_OUT}
        return name in self.results and self.results[name].status in bad

    def _run_cell(self, name: str, source: str) -> CellResult:
        allowed = self.limits.own_seconds if name.removesuffix(LESS) in self.own else self.limits.cell_seconds
        if self._cells_left <= 0:
            return CellResult(name, CellStatus.LEFT_OUT, "The cells before it used up the time")
        try:
            self.clock.some_left()
            self._define_cell(name, source, allowed)
        except (NotWritten, StudentError) as error:
            return CellResult(name, CellStatus.ERROR, f"{getattr(error, 'type_name', 'NotImplementedError')}: {error}",
                              getattr(error, "line", ""), getattr(error, "traceback", ""))  # fmt: skip
        except StudentTimeout as error:
            return CellResult(name, CellStatus.TIMEOUT, str(error))
        except (StudentDied, ProtocolError) as error:
            return CellResult(name, CellStatus.DIED, str(error))
        except AutogradeError as error:
            return CellResult(name, CellStatus.ERROR, str(error))
        if self.worker.taken < QUICK_SECONDS:
            self._quick.add(name)
        return CellResult(name, CellStatus.OK)

    def _define_cell(self, name: str, source: str, allowed: float) -> None:
        try:
            keeps = self.keeps.get(name.removesuffix(LESS), Kept())
            what = (name, source, list(keeps.names), keeps.libraries, list(keeps.but))
            self.worker.request("define", what, min(allowed, self._cells_left), (), allowed, self.limits.wall_factor)
        finally:
            self._cells_left -= self.worker.taken
            self._own_left -= self.worker.taken if name.removesuffix(LESS) in self.own else 0
            self.clock.spend(self.worker.taken)

    def _why_missing(self, name: str) -> str:
        """A missing name, with what happened to the cell that would have defined it."""
        name_ = re.escape(name)
        definition = re.compile(rf"^[ \t]*(?:async[ \t]+)?(?:def|class)[ \t]+{name_}\b|^{name_}[ \t]*[:=]", re.MULTILINE)
        for cell, source in self.cells:
            result = self.results.get(cell)
            if result and result.status != CellStatus.OK and definition.search(source):
                return f"`{name}` is not defined, because its cell failed: {result.message} {result.line}".rstrip()
        return f"`{name}` is not defined: its cell is gone or does not define it"
