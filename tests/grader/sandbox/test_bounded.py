"""Looking into what students sent: in a process that ends when it uses too much, at the cost of that file only."""

import gzip
import importlib
import io
import os
import signal
import socket
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from autograde.authoring.sample_class import LESSON
from autograde.grader.ingest import attempts, helpers, survey
from autograde.grader.ingest.collect import collect, collected
from autograde.grader.ingest.discovery import find
from autograde.grader.ingest.formats import archive
from autograde.grader.ingest.formats.archive import MAX_MEMBER
from autograde.grader.ingest.found import findings, lesson_of
from autograde.grader.sandbox import landlock, probe
from autograde.grader.sandbox.bounded import TooMuch, bounded, reading, used
from autograde.layout import NOTEBOOKS, ROOT

NOTEBOOK = (NOTEBOOKS / f"{LESSON}.ipynb").read_bytes()


@bounded(1)
def spin(path):
    import re

    return re.match("(a+)+$", "a" * 60 + "b") if "endless" in str(path) else None


@bounded(5)
def where():
    return os.getpid()


@bounded(5)
def work(seconds):
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass
    return seconds


@bounded(5)
def hoard():
    return len([bytearray(1 << 28) for _ in range(64)])


@bounded(5, raises=(LookupError,))
def fails():
    raise LookupError("mine")


@bounded(5)
def killed():
    os.kill(os.getpid(), signal.SIGKILL)


def test_outside_it_runs_where_it_is_called_and_inside_in_one_process():
    assert where() == os.getpid()
    with reading():
        assert where() == where() != os.getpid()
    assert where() == os.getpid()


@pytest.mark.slow
def test_what_takes_too_much_is_told_and_the_next_call_is_answered():
    with reading():
        with pytest.raises(TooMuch, match="1 seconds of processor time"):
            spin("endless")
        with pytest.raises(TooMuch, match="MemoryError"):
            hoard()
        with pytest.raises(TooMuch, match="ended the process"):
            killed()
        with pytest.raises(LookupError, match="mine"):
            fails()
        assert spin("short") is None


@bounded(5)
def unexpected():
    raise LookupError("theirs")


@bounded(5)
def no_data():
    return object()


def test_an_error_that_nobody_expects_and_an_answer_that_is_no_data_are_told_as_too_much():
    with reading():
        with pytest.raises(TooMuch, match="LookupError: theirs"):
            unexpected()
        with pytest.raises(TooMuch, match="TypeError"):
            no_data()
        assert spin("short") is None


@bounded(5)
def forged(how):
    """Write to the socket in place of the answer, as code that took the reader over would."""
    frame = sys._getframe()
    while "pipe" not in frame.f_locals:
        frame = frame.f_back
    how(frame.f_locals["pipe"])


def half(pipe):
    os.write(pipe.fileno(), b"\x00\x00\x10\x00[")
    os._exit(0)


FORGERIES = [
    lambda pipe: pipe.send(os),
    lambda pipe: pipe.send_bytes(b'{"answer"'),
    lambda pipe: pipe.send_bytes(b"[" * 100_000),
    lambda pipe: pipe.send_bytes(b'["answer"]'),
    lambda pipe: pipe.send_bytes(b'{"used": 1e999, "error": "x", "which": 7}'),
    lambda pipe: pipe.send_bytes(b'{"error": ["x"], "used": -5}'),
    lambda pipe: os.write(pipe.fileno(), b"\x7f\xff\xff\xff"),
]


@pytest.mark.parametrize("number", range(len(FORGERIES) + 1))
def test_what_a_reader_answers_is_not_unpickled_and_not_believed(number):
    with reading():
        with pytest.raises(TooMuch):
            forged_by_number(number)
        assert spin("short") is None


@bounded(5)
def forged_by_number(number):
    forged.__wrapped__([*FORGERIES, half][number])


@bounded(5)
def tried(what, *where):
    """What the system says to a call that a reader has no use for."""
    calls = {
        "write": lambda: Path(*where).write_text("x"), "folder": lambda: Path(*where).mkdir(), "remove": lambda: Path(*where).unlink(),
        "socket": lambda: socket.create_connection(("127.0.0.1", 9), 1), "unix": lambda: socket.socket(socket.AF_UNIX),
        "fork": os.fork, "program": lambda: os.execv("/bin/true", ["true"]),
    }  # fmt: skip
    try:
        calls[what]()
    except OSError as error:
        return type(error).__name__
    return "done"


@pytest.mark.skipif(not landlock.abi(), reason="this kernel has no Landlock")
def test_a_reader_writes_only_where_it_unpacks_to(tmp_path):
    kept, scratch = tmp_path / "kept", tmp_path / "scratch"
    kept.write_text("class")
    scratch.mkdir()
    with reading(scratch):
        refused = [tried("write", tmp_path / "new"), tried("write", kept), tried("folder", tmp_path / "f"), tried("remove", kept)]
        assert set(refused) == {"PermissionError"} and kept.read_text() == "class"
        assert tried("write", scratch / "new") == tried("folder", scratch / "f") == tried("remove", scratch / "new") == "done"


@pytest.mark.skipif(not probe.support().seccomp, reason="this kernel has no filters of system calls")
@pytest.mark.parametrize("what", ["socket", "unix", "fork", "program"])
def test_a_reader_has_no_network_and_starts_nothing(what):
    with reading():
        assert tried(what) == "PermissionError"


@pytest.mark.slow
def test_what_is_used_is_added_up_also_by_one_that_is_ended():
    assert used() == 0
    with reading():
        work(1)
        assert 1 <= used() < 2
        with pytest.raises(TooMuch):
            spin("endless")
        assert 2 <= used() < 3
    assert used() == 0


@pytest.mark.slow
def test_each_call_has_its_own_time():
    with reading():
        assert [work(2) for _ in range(4)] == [2] * 4


def test_a_reader_holds_nothing_of_its_parents_open(tmp_path):
    with (tmp_path / "held").open("w") as stream, reading():
        assert not _is_open(stream.fileno())


@bounded(5)
def _is_open(descriptor):
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


@pytest.mark.parametrize(("who", "code", "said"), [("after_in_child", 0, ""), ("after_in_parent", 1, "KeyboardInterrupt")])
def test_what_stops_a_command_while_a_reader_is_forked(who, code, said):
    """Ctrl-C goes to all processes of a terminal: the command ends, and the child says nothing of it. A thread that is busy elsewhere takes the signal."""
    script = f"""
import os, pathlib, signal, threading
threading.Thread(target=threading.Event().wait, daemon=True).start()
from autograde.grader.sandbox.bounded import reading
from autograde.grader.ingest.found.lesson_of import _looked_into
signal.signal(signal.SIGINT, signal.default_int_handler)  # where who runs the tests ignores it
os.register_at_fork({who}=lambda: [os.kill(os.getpid(), signal.SIGINT) for _ in range(3)])
with reading():
    _looked_into(pathlib.Path("README.md"))
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode in (code, -signal.SIGINT if code else 0), done.stderr
    assert done.stderr.strip().endswith(said) and "ignored" not in done.stderr


def test_it_ends_with_what_opened_it():
    with reading():
        reader = where()
    with pytest.raises(ProcessLookupError):
        os.kill(reader, 0)


def hand_in(folder: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def test_a_file_that_cannot_be_looked_through_is_its_students(tmp_path, monkeypatch):
    monkeypatch.setattr(lesson_of, "_looked_into", spin)
    folder = hand_in(
        tmp_path, {"ann/03_self_attention.ipynb": NOTEBOOK, "endless/work.ipynb": b"{}", "zoe/03_self_attention.ipynb": NOTEBOOK}
    )
    found = {f.student: f for f in find([folder])}
    assert set(found) == {"ann", "endless", "zoe"}
    assert found["ann"].path and found["zoe"].path and not found["ann"].notes
    assert found["endless"].path is None and "processor time" in found["endless"].notes[0]


@pytest.mark.slow
def test_one_with_the_lessons_name_is_left_to_the_grader_which_ends_too(tmp_path, monkeypatch):
    monkeypatch.setattr(lesson_of, "_looked_into", spin)
    folder = hand_in(tmp_path, {"endless/03_self_attention.ipynb": b"{}"})
    assert [f.path.name for f in find([folder])] == ["03_self_attention.ipynb"]


def test_a_file_of_a_terabyte_is_not_read(tmp_path):
    folder = hand_in(tmp_path, {"ann/03_self_attention.ipynb": NOTEBOOK, "giant/03.ipynb": b"", "giant/03 (1).ipynb": b""})
    for path in (folder / "giant").iterdir():
        os.truncate(path, MAX_MEMBER * 1000)
    found = {f.student: f for f in find([folder], LESSON)}
    assert found["ann"].path and found["giant"].path is None and "more than" in found["giant"].notes[0]


@bounded(5)
def slowly(path):
    """A second for each file of eve's."""
    if "eve" in str(path):
        work.__wrapped__(1)
    return [LESSON] if "03_self_attention" in path.name else []


@pytest.mark.slow
def test_many_files_of_a_student_take_no_more_time_than_a_students_may(tmp_path, monkeypatch):
    monkeypatch.setattr(lesson_of, "_looked_into", slowly)
    monkeypatch.setattr(findings, "STUDENT_SECONDS", 2)
    names = {f"eve/work {n}.ipynb": f"{n}".encode() for n in range(40)}
    folder = hand_in(tmp_path, {**names, "ann/03_self_attention.ipynb": NOTEBOOK, "zoe/03_self_attention.ipynb": NOTEBOOK})
    began = time.process_time() + sum(os.times()[2:4])
    found = {f.student: f for f in find([folder])}
    assert time.process_time() + sum(os.times()[2:4]) - began < 10
    assert found["ann"].path and found["zoe"].path and found["eve"].path is None


def test_what_a_notebook_runs_is_looked_for_in_a_reader(tmp_path, monkeypatch):
    here = os.getpid()

    def looked_through(path):
        assert os.getpid() != here, path
        return "%run other.ipynb\nfrom src import h"

    monkeypatch.setattr(helpers, "_looked_through", looked_through)
    names = ("eve/03_self_attention.ipynb", "eve/other.ipynb", "eve/src/h.py")
    [found] = find([hand_in(tmp_path, dict(zip(names, (NOTEBOOK, b"{}", b"x = 1"))))])
    assert found.path == tmp_path / names[0]


def test_scripts_that_are_too_large_to_be_taken_are_not_looked_through(tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(helpers, "_looked_through", lambda path: seen.append(path.name) or "")
    hand_in(tmp_path, {"eve/03.ipynb": NOTEBOOK, "eve/a.py": b"x = 1", "eve/b.py": b"x = 1\n" * 50_000})
    assert helpers.folders_used(tmp_path / "eve", "03.ipynb") == set() and seen == ["03.ipynb", "a.py"]


@bounded(5)
def digested_slowly(path):
    work.__wrapped__(1)
    return str(path)


@pytest.mark.slow
def test_large_files_of_a_student_are_not_all_read_to_tell_them_apart(tmp_path, monkeypatch):
    monkeypatch.setattr(attempts, "_digest", digested_slowly)
    monkeypatch.setattr(findings, "STUDENT_SECONDS", 2)
    folder = hand_in(tmp_path, {f"eve/03 ({n}).ipynb": NOTEBOOK + b" " * n for n in range(30)})
    [found] = find([folder])
    assert found.path.name == "03 (29).ipynb" and "30 files were handed in" in found.notes[0]


def bomb(depth, width=6, leaf=1 << 20):
    """A zip of zips of zips: small, and never at an end."""
    if not depth:
        return bytes(leaf)
    packed, inside = io.BytesIO(), bomb(depth - 1, width, leaf)
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for number in range(width):
            made.writestr(f"{number}.{'zip' if depth > 1 else 'bin'}", inside)
    return packed.getvalue()


@pytest.mark.parametrize("around", [False, True], ids=["beside them", "in the class's own archive"])
def test_archives_in_archives_unpack_to_no_more_than_one_may(tmp_path, monkeypatch, around):
    monkeypatch.setattr(archive, "MAX_BYTES", 8 << 20)
    content, written = bomb(3), []
    real = archive.Room.take
    monkeypatch.setattr(
        archive.Room, "take", lambda room, size, files, s: (written.append(size if not room.around else 0), real(room, size, files, s))
    )
    files = {"eve/work.zip": content, "ann/03_self_attention.ipynb": NOTEBOOK, "zoe/03_self_attention.ipynb": NOTEBOOK}
    folder = hand_in(tmp_path / "class", {} if around else files)
    if around:
        folder.mkdir()
        with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as made:
            for name, inside in files.items():
                made.writestr(name, inside)
    found = {f.student: f for f in find([folder])} if not around else handed(folder / "all.zip", tmp_path / "scratch")
    assert len(content) < 4000 and 0 < sum(written) <= (8 << 20) + len(NOTEBOOK) * 3
    assert found["ann"].path and found["zoe"].path and getattr(found.get("eve"), "path", None) is None


def zipped(files):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in files.items():
            made.writestr(name, content)
    return packed.getvalue()


GREEDY = {  # archives of a student's that would each take all that there is for a class
    "bytes": ("zip", zipped({f"{n}.bin": bytes(1 << 20) for n in range(3)})),
    "files": ("zip", zipped({f"{n}.txt": b"" for n in range(60)})),
    "seconds": ("tar", tarfile.TarInfo("x").tobuf()),
}


UNPACK = archive._unpack.__wrapped__


@bounded(lambda *given: given[-1], raises=(archive.BadArchive,))
def unpacked_slowly(path, folder, *more):
    if path.suffix == ".tar":
        work.__wrapped__(3)
    return UNPACK(path, folder, *more)


@pytest.mark.slow
@pytest.mark.parametrize("kind", GREEDY)
@pytest.mark.parametrize("around", ["a zip of the class", "a course"])
def test_a_students_archives_take_nothing_from_those_that_come_later(tmp_path, monkeypatch, kind, around):
    """In a class's zip or a course's folder room for unpacking is shared: each archive that waits keeps its part of it."""
    monkeypatch.setattr(archive, "MAX_BYTES", 8 << 20)
    monkeypatch.setattr(archive, "GROWTH", 1)
    monkeypatch.setattr(archive, "MAX_FILES", 40)
    monkeypatch.setattr(archive, "SECONDS", 2)
    monkeypatch.setattr(archive, "_unpack", unpacked_slowly)
    ending, content = GREEDY[kind]
    greedy = {f"eve/work {n}.{ending}": content for n in range(9)}
    files = {
        "ann/work.zip": zipped({"03_self_attention.ipynb": NOTEBOOK}),
        **greedy,
        "zoe/work.zip": zipped({"03_self_attention.ipynb": NOTEBOOK}),
    }
    if around == "a zip of the class":
        folder = hand_in(tmp_path / "class", {"all.zip": zipped(files)})
    else:
        folder = hand_in(tmp_path / "class", {f"submitted/{name.replace('/', f'/{LESSON}/')}": one for name, one in files.items()})
    began = used_by_all()
    found = {f.student: f for f in find([folder], LESSON)}
    assert found["ann"].path and found["zoe"].path and getattr(found.get("eve"), "path", None) is None
    assert used_by_all() - began < 30


def used_by_all():
    return time.process_time() + sum(os.times()[2:4])


@pytest.mark.parametrize(("megabytes", "seconds"), [(0, 20), (10, 30), (500, 60)])
def test_a_small_archive_takes_less_time_than_a_large_one_may(megabytes, seconds, tmp_path, monkeypatch):
    """Each of many small ones in a class's folder would cost a minute."""
    asked = []
    monkeypatch.setattr(archive, "_unpack", lambda *given: asked.append(given[-1]) or ([], 0, 0))
    (tmp_path / "work.zip").write_bytes(b"PK")
    os.truncate(tmp_path / "work.zip", megabytes << 20)
    archive.unpack(tmp_path / "work.zip", tmp_path / "folder")
    assert asked == [seconds]


def test_whether_a_file_is_a_tar_takes_no_time_to_tell(tmp_path):
    """What stands behind its first block may take Python's own reader of it for ever."""
    header = tarfile.TarInfo("h")
    header.type, header.size = tarfile.XHDTYPE, 1 << 20
    path = tmp_path / "work.tar.gz"
    path.write_bytes(gzip.compress(header.tobuf(tarfile.USTAR_FORMAT) + b"1" * (1 << 20)))
    began = time.process_time()
    assert archive.is_archive(path)
    assert time.process_time() - began < 0.5
    with tarfile.open(tmp_path / "empty.tar", "w"):
        pass
    (tmp_path / "text.tar").write_bytes(b"x" * 2000)
    (tmp_path / "cut.tar.xz").write_bytes(b"\xfd7zXZ\0cut")
    assert archive.is_archive(tmp_path / "empty.tar")
    assert not archive.is_archive(tmp_path / "text.tar") and not archive.is_archive(tmp_path / "cut.tar.xz")


@pytest.mark.parametrize("packed", ["a tar of holes", "a zip of many"])
def test_what_is_small_does_not_unpack_to_gigabytes(tmp_path, monkeypatch, packed):
    monkeypatch.setattr(archive, "MODEST", 4 << 20)
    path = tmp_path / ("work.zip" if packed == "a zip of many" else "work.tar.gz")
    content = zipped({f"{n}.bin": bytes(1 << 20) for n in range(9)})
    if packed == "a tar of holes":
        made = io.BytesIO()
        with tarfile.open(fileobj=made, mode="w:gz") as tar:
            for n in range(9):
                one = tarfile.TarInfo(f"{n}.bin")
                one.size = 1 << 20
                tar.addfile(one, io.BytesIO(bytes(1 << 20)))
        content = made.getvalue()
    path.write_bytes(content)
    with pytest.raises(archive.BadArchive, match="holds more than it says, or the archive more than"):
        archive.unpack(path, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def handed(path, scratch):
    """Whose notebooks are found in an archive."""
    return {h.student: SimpleNamespace(path=h.file.path) for h in survey.survey([path], None, scratch).handed}


BOB = "bob_12345_67890_03_self_attention.ipynb"  # as Canvas names bob's file
LISTS_BOB = b"sub:\n  :submitters:\n  - :name: bob\n"


@pytest.mark.parametrize(
    "theft",
    [
        {f"ann/{BOB}": NOTEBOOK},
        {f"ann/deep/{BOB}": NOTEBOOK},
        {"ann/bob/03.ipynb": NOTEBOOK, "ann/cat/03.ipynb": NOTEBOOK},
        {"ann/submitted/bob/03_self_attention/03_self_attention.ipynb": NOTEBOOK},
        {"ann/bob_1_assignsubmission_file_/03.ipynb": NOTEBOOK},
        {"ann/submission_metadata.yml": LISTS_BOB, "ann/sub/03.ipynb": NOTEBOOK},
        {"ann/assignment_1_export/submission_metadata.yml": LISTS_BOB, "ann/assignment_1_export/sub/03.ipynb": NOTEBOOK},
    ],
    ids=["canvas", "deeper", "folders", "course", "moodle", "gradescope", "gradescope's export"],
)
def test_a_students_file_does_not_become_anothers(tmp_path, theft):
    """Whatever system's way of naming it follows."""
    folder = hand_in(tmp_path, {**theft, "bob/03_self_attention.ipynb": NOTEBOOK, "cat/03_self_attention.ipynb": NOTEBOOK})
    found = {f.student: f for f in find([folder], LESSON)}
    assert set(found) == {"ann", "bob", "cat"}
    assert found["bob"].path == folder / "bob/03_self_attention.ipynb" and not found["bob"].notes
    assert found["ann"].path in [folder / name for name in theft]


@bounded(5)
def takes(module):
    return importlib.import_module(module).WHOLE


def test_a_reader_waits_for_no_import_of_another_thread(tmp_path, monkeypatch):
    """It is forked from a process with threads, one of which may be half way through the module that the reader needs."""
    begun, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(sys, "slow_module", (begun, go_on), raising=False)
    (tmp_path / "half_way.py").write_text("import sys\nsys.slow_module[0].set(); sys.slow_module[1].wait()\nWHOLE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    thread = threading.Thread(target=importlib.import_module, args=("half_way",))
    thread.start()
    begun.wait(10)
    monkeypatch.setattr("autograde.grader.sandbox.bounded.WALL_SECONDS", 20)
    try:
        with reading(), pytest.raises(TooMuch, match="failed"):
            takes("half_way")
    finally:
        go_on.set()
        thread.join()
        sys.modules.pop("half_way", None)


NAMES_OUT = ("..", ".", "...", "%2e%2e", "%2E%2E%2fann", ".hidden", "graded", "earlier", "__pycache__", "node_modules")
CALLED_OUT = ("{}_1234_assignsubmission_file_/03.ipynb", "{}_03_self_attention.ipynb", "{}/03_self_attention.ipynb")
PAIRS_OUT = [(name, called, (i + j) % 3) for i, name in enumerate(NAMES_OUT) for j, called in enumerate(CALLED_OUT)]


# each name in one place in every run, and in all of them in `make test-more`
@pytest.mark.parametrize(
    ("name", "called"), [pytest.param(name, called, marks=[pytest.mark.slow] * bool(n)) for name, called, n in PAIRS_OUT]
)
def test_no_name_leads_out_of_the_course_or_out_of_sight(tmp_path, name, called):
    """Who calls themselves `..` in a learning system is graded as others are, in a folder of their own below `submitted/`."""
    if "/" in called and "_" not in called.partition("/")[0] and name in ("..", "."):
        pytest.skip("no folder has this name")
    handed_in, course = tmp_path / "class", tmp_path / "course"
    others = {called.format(other).replace("1234", number): NOTEBOOK for other, number in (("ann", "77"), ("bob", "78"))}
    rows = collect([hand_in(handed_in, {called.format(name): NOTEBOOK, **others})], course, LESSON).rows
    files = [p.relative_to(course).parts for p in course.rglob("*.ipynb")]
    assert len(files) == len(rows) and all(len(parts) == 4 and parts[0] == "submitted" for parts in files)
    again = find([course / "submitted"], LESSON)
    assert {f.student for f in again if f.path} == {row.student for row in rows} >= {"ann", "bob"}
    if "assignsubmission" in called:
        assert len(rows) == 3


@pytest.mark.parametrize("like", ["%61nn", "ann\u200b", "a\u00adnn", "%61%6e%6e"])
@pytest.mark.parametrize("called", ["{}/03_self_attention.ipynb", "{}_03_self_attention.ipynb"])
def test_a_name_that_looks_like_anothers_is_another(tmp_path, like, called):
    names = {called.format(name): NOTEBOOK + bytes(f"{' ' * n}", "ascii") for n, name in enumerate(("ann", like, "bob"))}
    found = {f.student: f.path for f in find([hand_in(tmp_path, names)], LESSON)}
    assert len(found) == 3 and all(found.values())
    ann = next(student for student in found if student in ("ann", "ann_03_self_attention"))
    assert found[ann].read_bytes() == NOTEBOOK


@pytest.mark.parametrize("like", ["ann_", "ann ", "_ann", " ann", "ann__"])
def test_blanks_and_strokes_around_a_name_make_no_work_anothers(tmp_path, like):
    """They are left out of the name of a copy, such as `ann - Copy`, and of no other; the second file, which is newer, does not count for the first."""
    names = {f"{name}/03_self_attention.ipynb": NOTEBOOK + b" " * n for n, name in enumerate(("ann", like, "bob"))}
    folder = hand_in(tmp_path, names)
    os.utime(folder / like / "03_self_attention.ipynb", (2**31, 2**31))
    found = {f.student: f.path for f in find([folder], LESSON) if f.path}
    assert len(found) == 3 and found["ann"].read_bytes() == NOTEBOOK


@pytest.mark.parametrize(
    "called", ["{}/03_self_attention.ipynb", "{}_03_self_attention.ipynb", "{}/03_self_attention/03_self_attention.ipynb"]
)
def test_letters_composed_in_another_way_make_no_work_anothers(tmp_path, called):
    """Two names that look the same beside each other, and both hold work: the second file, which is newer, does not count for the first."""
    names = {called.format(name): NOTEBOOK + b" " * n for n, name in enumerate(("zo\u00eb", "zoe\u0308", "bob"))}
    folder = hand_in(tmp_path, names)
    os.utime(folder / called.format("zoe\u0308"), (2**31, 2**31))
    found = {f.student: f.path for f in find([folder], LESSON) if f.path}
    assert len(found) == 3 and found["zo\u00eb"].read_bytes() == NOTEBOOK and found["zo\u00eb (2)"].read_bytes() == NOTEBOOK + b" "


SCRIPT = b"def secret():\n    return 1\n"


@pytest.mark.parametrize("folder", ["03", "03_self_attention", "submissions"])
def test_in_a_shared_folder_no_students_files_go_with_anothers(tmp_path, folder):
    """Where several notebooks lie in one folder, each goes on without what lies beside it."""
    names = {f"{folder}/ann_03.ipynb": NOTEBOOK, f"{folder}/bob_03.ipynb": NOTEBOOK, f"{folder}/ann_helper.py": SCRIPT}
    submissions, _ = collected([hand_in(tmp_path, names)], LESSON, tmp_path / "out", Console(quiet=True))
    paths = {found.student: found.path for found in submissions if found.path}
    assert set(paths) == {"ann_03", "bob_03"} or set(paths) == {"ann", "bob"}
    for path in paths.values():
        assert helpers.beside(path.parent, path.name) == []


@pytest.mark.parametrize("numbers", [("1234", "5678"), ("5678", "1234")])
def test_a_namesakes_script_does_not_become_anothers(tmp_path, numbers):
    """Who was there first keeps the plain name, and gets nothing of who comes later; a script goes with its own notebook."""
    course = tmp_path / "course"
    names = {f"Ann Lee_{number}_assignsubmission_file_/03.ipynb": NOTEBOOK for number in numbers}
    collect([hand_in(tmp_path / "1", dict([*names.items()][:1]))], course, LESSON)
    late = f"Ann Lee_{numbers[1]}_assignsubmission_file_/helper.py"
    first = f"Ann Lee_{numbers[0]}_assignsubmission_file_/03.ipynb"
    collect([hand_in(tmp_path / "2", {**names, late: SCRIPT, first: NOTEBOOK + b" "})], course, LESSON)
    assert [p.parts[-3] for p in course.rglob("helper.py")] == [f"Ann Lee_{numbers[1]}"]


def test_a_listing_of_gradescopes_does_not_override_another(tmp_path):
    export = {"submission_metadata.yml": b"submission_1:\n  :submitters:\n  - :name: ann\nsubmission_2:\n  :submitters:\n  - :name: bob\n"}
    theft = {"submission_1/submission_metadata.yml": LISTS_BOB, "submission_1/sub/03.ipynb": NOTEBOOK}
    folder = hand_in(tmp_path, {**export, **theft, "submission_2/03.ipynb": NOTEBOOK})
    found = {f.student: f for f in find([folder], LESSON)}
    assert set(found) == {"ann", "bob"} and found["bob"].path == folder / "submission_2/03.ipynb"


def test_systems_names_are_believed_in_the_folders_of_sections(tmp_path):
    names = {f"Section {s}/{n}_1{i}_2{i}_03_self_attention.ipynb": NOTEBOOK for s in "AB" for i, n in enumerate(("ann" + s, "bob" + s))}
    assert {f.student for f in find([hand_in(tmp_path, names)], LESSON)} == {"annA", "bobA", "annB", "bobB"}


@pytest.mark.parametrize("name", ["gradebook.db", "nbgrader_config.py", "grades.csv", "class.html", "results.json", "grader.log"])
@pytest.mark.parametrize("folder", ["class", "class/03"])
def test_a_student_called_like_our_files_turns_no_class_into_a_course(tmp_path, name, folder):
    names = dict.fromkeys((f"{folder}/{student}/03_self_attention.ipynb" for student in (name, "bob", "cat")), NOTEBOOK)
    found = {f.student: f.path for f in find([hand_in(tmp_path, names) / folder.partition("/")[0]], LESSON)}
    assert set(found) == {name, "bob", "cat"} and all(found.values())


@pytest.mark.parametrize("inside", ["bob", "zoe"])
def test_a_student_called_submitted_turns_no_class_into_a_course(tmp_path, inside):
    names = ("bob/03_self_attention.ipynb", "cat/03_self_attention.ipynb", f"submitted/{inside}/03_self_attention/03_self_attention.ipynb")
    found = {f.student: f.path for f in find([hand_in(tmp_path, dict.fromkeys(names, NOTEBOOK))], LESSON)}
    assert set(found) == {"bob", "cat", "submitted" if inside == "bob" else "zoe"}
    assert found["bob"] == tmp_path / names[0] and found["cat"] == tmp_path / names[1]
