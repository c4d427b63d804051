"""What people really hand in, by kind: each situation is from a public report, rebuilt with small inputs, with what is right.

`COLLECTED` says whose a file is, and which one counts, or what the reason must name; `GRADED` and `GRADED_MORE` are one student each of one
graded class, the second of one that `make test` leaves out; `ELSEWHERE` are situations of a whole class, each with the test that holds it.
"""

from __future__ import annotations

import copy
import functools
import gzip
import io
import json
import re
import sys
import tarfile
import textwrap
import unicodedata
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field

import jupytext
import nbformat
from nbconvert import HTMLExporter, MarkdownExporter, PythonExporter
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell

from autograde import layout
from autograde.authoring import source
from autograde.authoring.sample_class import LESSON, solved_notebook
from tests.grader.ingest.situations.called import CALLED, LAID_OUT

NAME = f"{LESSON}.ipynb"
NOTEBOOK = solved_notebook(source.read(layout.source_path(LESSON)))
SOLVED = nbformat.writes(NOTEBOOK)
BLANK = (layout.NOTEBOOKS / NAME).read_text(encoding="utf-8")
FULL = 24.0
WRITTEN = 3.0  # points of the question, which a person gives
Files = dict[str, str | bytes]


def packed(files: Files) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def packed_as(kind: str, name: str, text: str) -> bytes:
    """One file in a tar archive, packed by gz, xz or bz2."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=f"w:{kind}") as archive:
        member = tarfile.TarInfo(name)
        member.size = len(text.encode())
        archive.addfile(member, io.BytesIO(text.encode()))
    return stream.getvalue()


def with_names(encoding: str, *students: str, between: str = "/") -> bytes:
    """A zip whose names are in an encoding that it does not name, as packers of Windows write them."""
    names = [f"{student}{between}{NAME}".encode(encoding) for student in students]
    data = packed({chr(65 + i) * len(name): SOLVED for i, name in enumerate(names)})
    for i, name in enumerate(names):
        data = data.replace(bytes([65 + i]) * len(name), name)
    return data


def with_wrong_flags(encoding: str, *students: str) -> bytes:
    """The same where the zip says that its names are UTF-8."""
    data = bytearray(with_names(encoding, *students))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        starts = [info.header_offset for info in archive.infolist()]
    entry = 0
    for start in starts:
        entry = data.index(b"PK\x01\x02", entry + 1)
        data[start + 7] |= 8
        data[entry + 9] |= 8
    return bytes(data)


def damaged(files: Files, name: str, how: str) -> bytes:
    """A zip in which one file's content is damaged, it is packed in a way that nobody knows, or its name before it is another than in the list."""
    data = bytearray(packed(files))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        start = archive.getinfo(name).header_offset
    entry = data.index(name.encode(), start + 30 + len(name)) - 46
    if how == "content":
        data[start + 30 + len(name) : start + 50 + len(name)] = b"\xff" * 20
    elif how == "method":
        data[start + 8] = data[entry + 10] = 99
    else:
        data[start + 30] = ord("_")
    return bytes(data)


def raw_tar(encoding: str, *students: str) -> bytes:
    """A tar archive whose names are in an encoding that it does not name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT, encoding=encoding) as archive:
        for student in students:
            member = tarfile.TarInfo(f"{student}/{NAME}")
            member.size = len(SOLVED.encode())
            archive.addfile(member, io.BytesIO(SOLVED.encode()))
    return stream.getvalue()


def locked() -> bytes:
    """A zip that says of its file that it is encrypted."""
    data = bytearray(packed({NAME: SOLVED}))
    data[6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


@functools.cache
def exported(exporter: type) -> str:
    notebook = copy.deepcopy(NOTEBOOK)
    if exporter is HTMLExporter:  # which takes seconds for all of it, and nobody reads a page for answers
        notebook.cells = notebook.cells[:8]
    return exporter().from_notebook_node(notebook)[0]


@dataclass(frozen=True)
class Collected:
    """Files of a class, and by student the file that counts (the end of its path), or "" and what the reason names."""

    kind: str
    report: str
    files: Files
    counts: dict[str, str]
    names: dict[str, str] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)


SCRIPT = exported(PythonExporter)
OTHER_LESSON = "04_multi_head_attention"
REPOSITORY: Files = {
    f"attention-main/notebooks/{lesson}.ipynb": (layout.NOTEBOOKS / f"{lesson}.ipynb").read_text(encoding="utf-8")
    for lesson in layout.lesson_names()
}
REPOSITORY |= {f"attention-main/utils/{path.name}": path.read_text(encoding="utf-8") for path in sorted(layout.ROOT.glob("utils/*.py"))[:5]}
REPOSITORY |= {f"attention-main/notebooks/{NAME}": SOLVED, "attention-main/README.md": "x"}
NFD = unicodedata.normalize("NFD", "müller")
TEAMS = (
    ("Übermittelte Dateien", "Arbeitsdateien", "Ann"), ("Fichiers envoyés", "Fichiers de travail", "Bo"), ("Archivos enviados", "Archivos de trabajo", "Cy"),
    ("Ficheiros submetidos", "Ficheiros de trabalho", "Di"), ("提出済みファイル", "作業ファイル", "Ed"),
)  # fmt: skip


def as_text_of(form: str) -> str:
    return jupytext.writes(copy.deepcopy(NOTEBOOK), fmt=form)


COLLECTED = {
    "Canvas, flat": Collected(
        "downloads", "gradetools#17", {f"smithann_12_34_{NAME}": SOLVED, f"leebo_LATE_56_78_{NAME}": SOLVED, f"kim_9_8_{LESSON}-1.ipynb": SOLVED}, {"smithann": NAME, "leebo": NAME, "kim": NAME}
    ),
    "Canvas, vowels that are marks": Collected(
        "downloads", "content_zipper.rb", {f"शर्मा_12_34_{NAME}": SOLVED, f"कुमार_LATE_13_35_{NAME}": SOLVED, f"สมหญิง_14_36_{LESSON}-2.ipynb": SOLVED, f"สมหญิง_14_30_{NAME}": BLANK},
        {"शर्मा": NAME, "कुमार": NAME, "สมหญิง": "-2.ipynb"},
    ),
    "notebooks under other endings": Collected(
        "names", "otter#433",
        {f"{who}/{LESSON}.{ending}": SOLVED + " " * i for i, (who, ending) in enumerate(zip("abcdefg", ("ipnyb", "jupyter", "ipynb.pdf", "ipynb.html", "docx", "zip", "py")))},
        {who: f"{LESSON}.{ending}" for who, ending in zip("abcdefg", ("ipnyb", "jupyter", "ipynb.pdf", "ipynb.html", "docx", "zip", "py"))},
    ),
    "Canvas, unpacked on a Mac": Collected(
        "downloads", "PFERD#141",
        {unicodedata.normalize("NFD", name): SOLVED + " " * i for i, name in enumerate((f"garcíalópez_LATE_12_34_{NAME}", f"müller_56_78_{NAME}", f"ngôbảo_9_10_{LESSON}-2.ipynb", f"ngôbảo_9_8_{NAME}"))},
        {"garcíalópez": NAME, "müller": NAME, "ngôbảo": "-2.ipynb"},
    ),
    "Canvas, namesakes and attempts": Collected(
        "downloads", "nbgrader#724", {"s.zip": packed({f"lee_1_2_{NAME}": SOLVED, f"lee_3_4_{NAME}": BLANK, f"kim_5_6_{NAME}": BLANK, f"kim_5_7_{LESSON}-1.ipynb": SOLVED, "__MACOSX/._x": "\0"})},
        {"lee_1": NAME, "lee_3": NAME, "kim": NAME},
    ),
    "Canvas, a zip of each": Collected("downloads", "canvas-lms#2406", {"studenttest_3143_207797_work.zip": packed({NAME: SOLVED})}, {"studenttest": NAME}),
    "Moodle, older and blind": Collected(
        "downloads", "downloader.php", {f"Ann_1_assignsubmission_file/{NAME}": SOLVED, f"Participant_7_assignsubmission_file_/{NAME}": SOLVED}, {"Ann": NAME, "Participant_7": NAME}
    ),
    "Moodle, a group": Collected("downloads", "mod_publication#12", {f"Group A_42_assignsubmission_file_/{NAME}": SOLVED}, {"Group A": NAME}),
    "ILIAS": Collected("downloads", "nbgrader#796", {f"Lee_Ann_alee_4711/{NAME}": SOLVED, f"van Berg_Anna Lena_a.berg_4712/{NAME}": SOLVED}, {"alee": NAME, "a.berg": NAME}),
    "ILIAS, as it is packed": Collected(
        "downloads", "ilias2nbgrader", {"ex.zip": packed({f"Exercise 3/Submissions/Lee_Ann_alee_4711/20270301120000_{NAME}": SOLVED, f"Exercise 3/Submissions/Kim_Bo_bkim_4712/{NAME}": SOLVED})},
        {"alee": NAME, "bkim": NAME},
    ),
    "GitHub Classroom": Collected(
        "downloads", "gh-classroom#10", {f"lab-submissions/lab-ann/notebooks/{NAME}": SOLVED, f"lab-submissions/lab-bo-kim/{NAME}": SOLVED, "lab-submissions/lab-cy/README.md": "# Lab"},
        {"ann": NAME, "bo-kim": NAME, "cy": ""}, {"cy": "README.md"},
    ),
    "GitHub Classroom's assistant": Collected("downloads", "classroom-assistant#150", {f"lab-03-01-2027-11-59-00/{s}/{NAME}": SOLVED for s in ("SuperAnn123", "bo")}, {"SuperAnn123": NAME, "bo": NAME}),
    "Blackboard": Collected(
        "downloads", "SA_Downloader_script", {
            f"Home_work 3_alee_attempt_2027-03-01-12-34-56_{NAME}": SOLVED, "Home_work 3_alee_attempt_2027-03-01-12-34-56.txt": "Name: Ann Lee (alee)\nAssignment: Home_work 3\n",
            f"Home_work 3_bo_kim_attempt_2027-03-01-12-34-56_{NAME}": SOLVED, "Home_work 3_bo_kim_attempt_2027-03-01-12-34-56.txt": "Name: Bo Kim (bo_kim)\n",
            f"Home_work 3_jo_kim_attempt_2027-03-01-12-34-56_{NAME}": SOLVED, "Home_work 3_jo_kim_attempt_2027-03-01-12-34-56.txt": "Name: Jo Kim (jo_kim)\n",
            "Home_work 3_cy_attempt_2027-03-01-12-34-56.txt": "Name: Cy Li (cy)\nFiles: no files\n",
        }, {"alee": NAME, "bo_kim": NAME, "jo_kim": NAME, "cy": ""}, {"cy": "_cy_attempt"},
    ),
    "Blackboard, in French": Collected(
        "downloads", "MyCourseHomeworkReader", {
            f"Devoir maison 3_ann_lee_Tentative_2027-03-01-12-34-56_{NAME}": SOLVED, "Devoir maison 3_ann_lee_Tentative_2027-03-01-12-34-56.txt": "Nom : Ann LEE (ann_lee)\nDevoir : x\n",
            f"Devoir maison 3_bo_kim_Tentative_2027-03-01-12-34-56_{NAME}": SOLVED, "Devoir maison 3_bo_kim_Tentative_2027-03-01-12-34-56.txt": "Nom : Bo KIM (bo_kim)\n",
        }, {"ann_lee": NAME, "bo_kim": NAME},
    ),
    "Brightspace": Collected(
        "downloads", "Grading-Tools-", {
            f"12345-67 - Ann Lee - Mar 1, 2027 1134 PM/{NAME}": BLANK, f"12345-67 - Ann Lee - Mar 2, 2027 134 AM/{NAME}": SOLVED,
            f"12346-67 - Bo Kim-Lee - Mar 1, 2027 1134 PM - {NAME}": SOLVED, "index.html": "<p>",
        }, {"Ann Lee": f"134 AM/{NAME}", "Bo Kim-Lee": NAME},
    ),
    "Google Classroom": Collected("downloads", "a folder of Drive", {f"Ann Lee - {NAME}": SOLVED, f"Bo Kim - Copy of {NAME}": SOLVED}, {"Ann Lee": NAME, "Bo Kim": NAME}),
    "Google Drive, packed in parts": Collected(
        "downloads", "a folder of Drive", {f"Homework 3-20270301T123456Z-00{n}.zip": packed({f"Homework 3/{who} - {NAME}": SOLVED}) for n, who in ((1, "Ann Lee"), (2, "Bo Kim"))}, {"Ann Lee": NAME, "Bo Kim": NAME},
    ),
    "Sakai": Collected(
        "downloads", "sakai-git-marking-helper", {
            f"Homework 3/Lee, Ann(alee)/Submission attachment(s)/{NAME}": SOLVED, "Homework 3/Lee, Ann(alee)/timestamp.txt": "20270301123456789", "Homework 3/grades.csv": "Display ID",
            f"Homework 3/Kim, Bo(bkim)/Submission attachment(s)/{NAME}": SOLVED, "Homework 3/Kim, Bo(bkim)/comments.txt": "",
        }, {"alee": NAME, "bkim": NAME},
    ),
    "Autolab": Collected(
        "downloads", "Autolab#693", {"ann@x.edu_1_handin.ipynb": BLANK, "ann@x.edu_2_handin.ipynb": SOLVED, "bo@x.edu_10_handin.ipynb": SOLVED, "bo@x.edu_9_handin.ipynb": BLANK + " "},
        {"ann@x.edu": "ann@x.edu_2_handin.ipynb", "bo@x.edu": "bo@x.edu_10_handin.ipynb"},
    ),
    "A+ and edX": Collected("downloads", "a-plus#1427", {"20711_submission_file_1.ipynb": SOLVED, "20712_submission_file_1.ipynb": SOLVED}, {"20711": "1.ipynb", "20712": "1.ipynb"}),
    "A+, groups": Collected(
        "downloads", "a-plus#1407", {"123_file1_submission1": BLANK, "123_file1_submission2": SOLVED, "45+67_file1_submission1.ipynb": SOLVED}, {"123": "submission2", "45": "1.ipynb", "67": "1.ipynb"}
    ),
    "Copy_of_ and Untitled": Collected("names", "NeuromatchAcademy#120", {f"ann/Copy_of_{NAME}": SOLVED, "bo/Untitled0.ipynb": SOLVED, "cy/WMS q3.ipynb": SOLVED}, {"ann": f"Copy_of_{NAME}", "bo": "Untitled0.ipynb", "cy": "WMS q3.ipynb"}),
    "other endings": Collected(
        "names", "notebook#1800", {f"ann/{NAME}.txt": SOLVED, "bo/b.json": SOLVED, "cy/c.IPYNB": SOLVED, "di/x/y/z/w.ipynb": SOLVED}, {"ann": f"{NAME}.txt", "bo": "b.json", "cy": "c.IPYNB", "di": "w.ipynb"}
    ),
    "no notebook": Collected(
        "reasons", "BME1478H#49", {f"zed/{NAME}": SOLVED, "ann/a.html": "<p>", "bo/b.pdf": "%PDF", "cy/c.docx": "PK", "di/d.zip": b"PK\3\4cut"},
        {"zed": NAME, "ann": "", "bo": "", "cy": "", "di": ""}, {"ann": "a.html", "bo": "b.pdf", "cy": "c.docx", "di": "d.zip"},
    ),
    "the partner's folder is a link": Collected("reasons", "Autolab#1002", {f"ann/{NAME}": SOLVED}, {"ann": NAME, "bo": ""}, {"bo": "link"}, {"bo": "ann"}),
    "names that sound like a lesson": Collected("names", "nbgrader#1302", {"gpthompson/homework3.ipynb": SOLVED, "bo/hw3 (no chatgpt used).ipynb": SOLVED}, {"gpthompson": "homework3.ipynb", "bo": "used).ipynb"}),
    "untouched beside solved": Collected("attempts", "otter#433", {f"ann/{NAME}": BLANK, f"ann/{LESSON} (1).ipynb": SOLVED}, {"ann": "(1).ipynb"}),
    "conflict copies": Collected("attempts", "otter#433", {f"ann/{NAME}": SOLVED, f"ann/{LESSON} (Ann's conflicted copy).ipynb": SOLVED + " "}, {"ann": NAME}),
    "attempt 9 and 10": Collected("attempts", "otter#433", {f"ann/attempt 9/{NAME}": SOLVED, f"ann/attempt 10/{NAME}": SOLVED + " "}, {"ann": f"attempt 10/{NAME}"}),
    "what the desktop leaves": Collected("attempts", "nbgrader#1234", {f"ann/{NAME}": SOLVED, "ann/desktop.ini": "x", "ann/.DS_Store": "x", "ann/jupyter.png": "x", f"ann/.ipynb_checkpoints/{LESSON}-checkpoint.ipynb": BLANK}, {"ann": NAME}),
    "letters in two ways": Collected("names", "PFERD#141", {f"{NFD}/{NAME}": SOLVED, f"smith, ann/{NAME}": SOLVED}, {"müller": NAME, "smith, ann": NAME}),
    "ids of all kinds": Collected("names", "held", {f"{s}/{NAME}": SOLVED for s in ("a+b (2)", "c[d", "007", "=x", "ann@x.edu", "مريم")}, {s: NAME for s in ("a+b (2)", "c[d", "007", "=x", "ann@x.edu", "مريم")}),
    "mail attachments": Collected("names", "by mail", {f"Ann Lee - {NAME}": SOLVED, f"{LESSON}_Bo.ipynb": SOLVED, "Cy_homework3.ipynb": SOLVED, f"{LESSON}_s1234567.ipynb": SOLVED}, dict.fromkeys(("Ann Lee", "Bo", "Cy", "s1234567"), NAME)),
    "dates in names": Collected("attempts", "by mail", {f"ann/{LESSON}_2026-03-02.ipynb": SOLVED, f"ann/{LESSON}_2026-03-11.ipynb": SOLVED + " ", f"ann/{LESSON}_2026-03-12.ipynb": BLANK}, {"ann": "2026-03-11.ipynb"}),
    "archives of all kinds": Collected("names", "by mail", {"s.zip": packed({"ann_1_2_work.zip": packed({f"hw/{NAME}": SOLVED}), "bo_3_4_x.zip": packed({NAME: SOLVED})})}, {"ann": NAME, "bo": NAME}),
    "tar archives": Collected(
        "names", "CodeGra.de#491", {f"{who}/hw.tar.{kind}": packed_as(kind, f"hw/{NAME}", SOLVED) for who, kind in (("ann", "gz"), ("bo", "xz"), ("cy", "bz2"))}, dict.fromkeys(("ann", "bo", "cy"), "hw.tar"),
    ),
    "archives that cannot be read": Collected(
        "reasons", "kelvin#793", {f"zed/{NAME}": SOLVED, "ann/hw.7z": b"7z\xbc\xaf\x27\x1c\0\4", "bo/hw.rar": b"Rar!\x1a\x07\1\0", "cy/hw.zip": b"Rar!\x1a\x07\1\0", "di/hw.zip": locked(), "ed/hw.gz": b"\x1f\x8b\x08"},
        {"zed": NAME, **dict.fromkeys(("ann", "bo", "cy", "di", "ed"), "")}, {"ann": "hw.7z", "bo": "a .zip or the .ipynb", "cy": "a .zip or the .ipynb", "di": "password", "ed": "hw.gz"},
    ),
    "scripts of all endings": Collected(
        "names", "Fall2022class#48", {f"ann/{LESSON}.py": SCRIPT, f"bo/{LESSON}.py.txt": SCRIPT, f"cy/{LESSON}.py.html": SCRIPT, f"di/{LESSON}.PY": SCRIPT, f"ed/{LESSON}.ipynb.json": SOLVED},
        {"ann": ".py", "bo": ".py.txt", "cy": ".py.html", "di": ".PY", "ed": ".json"},
    ),
    "exports that are no notebook": Collected(
        "reasons", "tsds2018#9", {f"zed/{NAME}": SOLVED, f"ann/{LESSON}.html": exported(HTMLExporter), f"bo/{LESSON}.md": exported(MarkdownExporter), f"cy/{LESSON}.py.html": exported(HTMLExporter), "di/screen.png": b"\x89PNG"},
        {"zed": NAME, "bo": f"{LESSON}.md", **dict.fromkeys(("ann", "cy", "di"), "")}, {"ann": f"{LESSON}.html: a page", "cy": ".py.html", "di": "screen.png: a picture"},
    ),
    "other encodings": Collected(
        "names", "otter#524", {"ann/a.ipynb": SOLVED.encode("utf-16"), "bo/b.ipynb": b"\xef\xbb\xbf" + SOLVED.encode(), "cy/c.ipynb": SOLVED.replace("\n", "\r\n")}, {"ann": "a.ipynb", "bo": "b.ipynb", "cy": "c.ipynb"}
    ),
    "words in Canvas's box": Collected(
        "reasons", "content_zipper.rb", {"c.zip": packed({f"leeann_1_2_{NAME}": SOLVED, "kimbo_2_text.html": "<h1>Homework 3</h1>", "licy_LATE_5_link.html": "<a href=x>"})},
        {"leeann": NAME, "kimbo": "", "licy": ""}, {"kimbo": "text.html", "licy": "link.html"},
    ),
    "words in Moodle's box": Collected(
        "reasons", "downloader.php", {"m.zip": packed({f"Ann Lee_1_assignsubmission_file_/{NAME}": SOLVED, **{f"{who}_assignsubmission_onlinetext_/onlinetext.html": "<p>hi" for who in ("Ann Lee_1", "Bo Kim_2")}})},
        {"Ann Lee": NAME, "Bo Kim": ""}, {"Bo Kim": "onlinetext.html"},
    ),
    "the whole repository": Collected("files", "otter#434", {f"zed/{NAME}": SOLVED, **{f"ann/{name}": text for name, text in REPOSITORY.items()}}, {"zed": NAME, "ann": f"notebooks/{NAME}"}),
    "the whole repository, zipped": Collected("files", "otter#434", {"s.zip": packed({"ann_1_2_attention-main.zip": packed(REPOSITORY), f"bo_3_4_{NAME}": SOLVED})}, {"ann": NAME, "bo": NAME}),
    "a helper beside": Collected("files", "nbgrader#940", {f"ann/{NAME}": SOLVED, "ann/helper.py": "def own(f):\n    return f\n", "bo/helper.py": "x = 1\n"}, {"ann": NAME, "bo": ""}, {"bo": "helper.py: a script of no lesson"}),
    "another lesson's notebook": Collected("names", "otter#442", {f"zed/{NAME}": SOLVED, f"ann/{OTHER_LESSON}.ipynb": SOLVED, f"bo/x/{NAME}": REPOSITORY[f"attention-main/notebooks/{OTHER_LESSON}.ipynb"]}, {"zed": NAME, "ann": f"{OTHER_LESSON}.ipynb", "bo": NAME}),
    "a paired script": Collected("attempts", "jupytext", {f"ann/{NAME}": SOLVED, f"ann/{LESSON}.py": SCRIPT, f"bo/{NAME}": BLANK, f"bo/{LESSON}.py": SCRIPT}, {"ann": NAME, "bo": f"{LESSON}.py"}),
    "downloads that did not end": Collected("names", "notebook#1800", {f"zed/{NAME}": SOLVED, f"ann/.{NAME}.icloud": "bplist00", f"bo/{NAME}.part": SOLVED[:99], f"cy/{NAME}~": SOLVED}, {"zed": NAME, "ann": "", "bo": ".part", "cy": "~"}, {"ann": "iCloud"}),
    "copies in other languages": Collected(
        "names", "a folder of Drive", {f"{LESSON} - Ann Lee.ipynb": SOLVED, f"Kopie von {LESSON} (Bo).ipynb": SOLVED, f"Cy - Copia de {NAME}": SOLVED, f"Di Copie de {NAME}": SOLVED, f"Ed - {LESSON}.ipynb のコピー": SOLVED, f"Fi_{LESSON}_final_v2.ipynb": SOLVED},
        dict.fromkeys(("Ann Lee", "Bo", "Cy", "Di", "Ed", "Fi"), NAME),
    ),
    "subjects of messages": Collected("names", "by mail", {"Re_ Homework 3 - Ann Lee.ipynb": SOLVED, f"Fwd_ Re_ {LESSON} bo@x.edu.ipynb": SOLVED, f"AW_ {LESSON} - Cy.ipynb": SOLVED}, dict.fromkeys(("Ann Lee", "bo@x.edu", "Cy"), NAME)),
    "Microsoft Teams": Collected(
        "downloads", "by its folders", {f"Submitted files/{who}/Homework 3/Version {n}/{NAME}": text for who, n, text in (("Ann Lee", 1, BLANK), ("Ann Lee", 2, SOLVED), ("Bo", 10, SOLVED), ("Bo", 9, BLANK))},
        {"Ann Lee": f"Version 2/{NAME}", "Bo": f"Version 10/{NAME}"},
    ),
    "PrairieLearn": Collected("downloads", "PrairieLearn#1384", {f"ann_l@x.edu_1_hw3_1_1_199_{NAME}": BLANK, f"ann_l@x.edu_1_hw3_1_2_201_{NAME}": SOLVED, f"bo@x.edu_hw3_12345_{NAME}": SOLVED}, dict.fromkeys(("ann_l@x.edu", "bo@x.edu"), NAME)),
    "edX": Collected("downloads", "edx-ora2#1610", {f"[1]A, [1]B, [1]Unit/[1] - ann - {NAME}": SOLVED, f"[1]A, [1]B, [1]Unit/[2] - bo - {NAME}": SOLVED}, {"ann": NAME, "bo": NAME}),
    "Submitty": Collected(
        "downloads", "Submitty", {f"submissions/hw03/ann/1/{NAME}": BLANK, f"submissions/hw03/ann/2/{NAME}": SOLVED, f"submissions/hw03/bo/1/{NAME}": SOLVED}, {"ann": f"ann/2/{NAME}", "bo": NAME},
    ),
    "numbers of students, in sections": Collected("downloads", "Submitty", {f"{part}/{n}/{NAME}": SOLVED for part, n in (("section A", 1), ("section A", 2), ("section B", 3))}, dict.fromkeys("123", NAME)),
    "Devilry": Collected(
        "downloads", "devilry-django#185", {f"group-{g}/deadline-1/delivery-{n}/{NAME}": text for g, n, text in (("1801_ann", 1, BLANK), ("1801_ann", 2, SOLVED), ("1802_bo", 1, SOLVED))},
        {"ann": f"delivery-2/{NAME}", "bo": NAME},
    ),
    "ok.py": Collected("downloads", "okpy", {f"{who}/{when}/{NAME}": text for who, when, text in (("ann@x.edu", "2027-03-01T12:00:00.0", BLANK), ("ann@x.edu", "2027-03-02T12:00:00.0", SOLVED), ("bo", "2027-03-02T12:00:00.0", SOLVED))}, {"ann@x.edu": NAME, "bo": NAME}),
    "days as folders": Collected("downloads", "by its folders", {f"2027-03-01/ann/{NAME}": BLANK, f"2027-03-08/ann/{NAME}": SOLVED, f"2027-03-08/bo/{NAME}": SOLVED}, {"ann": f"2027-03-08/ann/{NAME}", "bo": NAME}),
    "Gradescope, without its list": Collected("downloads", "by its folders", {f"assignment_1_export/submission_{n}/{NAME}": SOLVED for n in (123456, 123457)}, dict.fromkeys(("submission_123456", "submission_123457"), NAME)),
    "Brightspace, of other countries": Collected(
        "downloads", "d2l", {f"1-9 - Ann Lee - 1 March, 2027 1134 PM/{NAME}": SOLVED, f"2-9 - Bo - Mar 1, 2027 11:34 PM/{NAME}": SOLVED, f"3-9 - Cy - 1 mars 2027 2334/{NAME}": SOLVED}, dict.fromkeys(("Ann Lee", "Bo", "Cy"), NAME),
    ),
    "names of a Chinese Windows": Collected("archives", "7-zip", {"s.zip": with_names("gb2312", "李明", "王芳")}, dict.fromkeys(("李明", "王芳"), NAME)),
    "names of a Japanese Windows": Collected("archives", "7-zip", {"s.zip": with_names("cp932", "田中", "佐藤", "表")}, dict.fromkeys(("田中", "佐藤", "表"), NAME)),
    "names that say that they are UTF-8": Collected("archives", "7-zip", {"s.zip": with_wrong_flags("cp437", "Müller", "Zoë")}, {"Müller": NAME, "Zoë": NAME}),
    "names of Poland that say that they are UTF-8": Collected("archives", "7-zip", {"s.zip": with_wrong_flags("cp1250", "Łukasz", "Müller")}, {"Łukasz": NAME, "Müller": NAME}),
    "names in a tar archive of old": Collected("archives", "tar", {"s.tar": raw_tar("latin-1", "Müller", "Zoë")}, {"Müller": NAME, "Zoë": NAME}),
    **{
        f"one file of a class, damaged in its zip: {how}": Collected(
            "archives", "nbgrader#724", {"s.zip": damaged({f"ann_1_2_{NAME}": SOLVED, f"bo_3_4_{NAME}": SOLVED}, f"bo_3_4_{NAME}", how)}, {"ann": NAME, "bo": NAME}, {"bo": ""}
        )
        for how in ("content", "method", "name")
    },
    "a folder that is called as the course is": Collected(
        "downloads", "a folder of Drive", {f"Deep learning/Ann Lee - {NAME}": SOLVED, f"Deep learning/Bo Kim - {NAME}": SOLVED}, {"Ann Lee": NAME, "Bo Kim": NAME}
    ),
    "a folder that is called as the course is, with one student": Collected("downloads", "a folder of Drive", {f"Intro to NLP 2027/Ann Lee - {NAME}": SOLVED}, {"Ann Lee": NAME}),
    "a word in brackets behind a name": Collected(
        "names", "by hand", {f"Ann Lee (LATE)/{NAME}": SOLVED, f"Bo Kim/{NAME}": BLANK, f"Bo Kim [resubmission]/{NAME}": SOLVED}, {"Ann Lee": NAME, "Bo Kim": f"[resubmission]/{NAME}"}
    ),
    "a folder of any name, with files of people": Collected(
        "downloads", "a folder of Drive", {f"Spring cohort/Ann Lee - {NAME}": SOLVED, f"Spring cohort/Ngô Bảo - {NAME}": SOLVED}, {"Ann Lee": NAME, "Ngô Bảo": NAME}
    ),
    "names of DOS": Collected("archives", "7-zip", {"s.zip": with_names("cp437", "Müller", "Zoë")}, dict.fromkeys(("Müller", "Zoë"), NAME)),
    "names of a Mac, which do not say that they are UTF-8": Collected("archives", "7-zip", {"s.zip": with_names("utf-8", "Müller", "李明")}, dict.fromkeys(("Müller", "李明"), NAME)),
    "backslashes of Windows": Collected("archives", "7-zip", {"s.zip": with_names("ascii", "ann", "bo", between="\\")}, {"ann": NAME, "bo": NAME}),
    "one packed file": Collected(
        "archives", "gzip", {f"ann/{NAME}.gz": gzip.compress(SOLVED.encode()), f"bo/{NAME}": SOLVED, f"cy/{NAME}": gzip.compress(SOLVED.encode())}, {"ann": NAME, "bo": NAME, "cy": NAME},
    ),
    "another archive under a notebook's name": Collected("archives", "found by trying", {f"ann/{NAME}": b"Rar!\x1a\x07" + bytes(99), f"bo/{NAME}": SOLVED}, {"ann": "", "bo": NAME}, {"ann": "an archive"}),
    "an environment handed in": Collected(
        "downloads", "found by trying", {f"ann/{NAME}": BLANK, "ann/venv/share/jupyter/example.ipynb": SOLVED, "ann/venv/lib/python3.11/site-packages/six.py": "x = 1", f"bo/{NAME}": SOLVED}, {"ann": NAME, "bo": NAME},
    ),
    "an editor's own files": Collected(
        "names", "found by trying", {f"ann/{NAME}": SOLVED, f"ann/.~{NAME}": SOLVED + " ", f"ann/~${NAME}": "x", f"ann/{NAME}.bak": SOLVED + "  ", f"ann/{LESSON} (9).ipynb~": SOLVED + "   ", f"bo/{NAME}": SOLVED}, {"ann": f"ann/{NAME}", "bo": NAME},
    ),
    "names with marks that nobody sees": Collected("names", "found by trying", {f"\u200fمحمد علي/{NAME}": SOLVED, f"\u202aann\u202c/{NAME}": SOLVED, f"بی\u200cتا/{NAME}": SOLVED}, dict.fromkeys(("محمد علي", "ann", "بیتا"), NAME)),
    "names of links": Collected("names", "found by trying", {f"Ann%20Lee_{NAME}": SOLVED, f"M%C3%BCller_{NAME}": SOLVED, f"100%25_{NAME}": SOLVED}, dict.fromkeys(("Ann Lee", "Müller", "100%"), NAME)),
    "the time before the name": Collected("names", "Nextcloud", {f"2027-03-01 12-00-00 Ann Lee {NAME}": SOLVED, f"2027-03-02 12-00 Bo {NAME}": SOLVED}, {"Ann Lee": NAME, "Bo": NAME}),
    "words of other programs": Collected("reasons", "Quarto", {f"zed/{NAME}": SOLVED, f"ann/{LESSON}.qmd": "x", f"bo/{LESSON}.Rmd": "x", f"cy/{NAME}.gdoc": '{"url": "https://docs.google.com/x"}', f"di/{LESSON}.json": '{"url": "https://colab.research.google.com/x"}'},
        {"zed": NAME, "ann": "", "bo": "", "cy": "", "di": ""}, {"ann": "a text", "bo": "a text", "cy": "the address", "di": "the address"},
    ),
    "Canvas, of earlier years": Collected("downloads", "gradetools#17", {f"leeann_late_12_34_{NAME}": SOLVED, f"kim_13_35_{NAME}": SOLVED}, {"leeann": NAME, "kim": NAME}),
    "a folder for each lesson, with files of students": Collected(
        "downloads", "by its folders", {"03/ann.ipynb": SOLVED, "03/bo.ipynb": SOLVED, "04/ann.ipynb": REPOSITORY[f"attention-main/notebooks/{OTHER_LESSON}.ipynb"]}, {"ann": "03/ann.ipynb", "bo": "bo.ipynb"},
    ),
    "Google Takeout": Collected("downloads", "by its folders", {f"Takeout/Classroom/Classes/DL/Assignments/HW3/{who} - {NAME}": SOLVED for who in ("Ann Lee", "Bo")}, {"Ann Lee": NAME, "Bo": NAME}),
    "homework in a word": Collected(
        "names", "by hand", {"AnnKimHW3.ipynb": SOLVED, "hw3BoKim.ipynb": SOLVED, "Cy_HW#3.ipynb": SOLVED, "submission_di.ipynb": SOLVED, f"LATE_ed_{NAME}": SOLVED, f"[LATE] fi {NAME}": SOLVED},
        dict.fromkeys(("AnnKim", "BoKim", "Cy", "di", "ed", "fi"), ".ipynb"),
    ),
    "letters of full width": Collected("names", "by hand", {"０３＿ｓｅｌｆ＿ａｔｔｅｎｔｉｏｎ＿ａｎｎ.ipynb": SOLVED, f"{LESSON}（王芳）.ipynb": SOLVED}, {"ann": ".ipynb", "王芳": ".ipynb"}),
    "marks of copies behind, in other languages": Collected(
        "names", "by hand", {f"ann/{LESSON} - 副本.ipynb": SOLVED, f"bo_{LESSON} - Kopie.ipynb": SOLVED, f"cy {LESSON} — копия.ipynb": SOLVED}, {"ann": ".ipynb", "bo": ".ipynb", "cy": ".ipynb"},
    ),
    "an address instead": Collected(
        "reasons", "Colab", {f"zed/{NAME}": SOLVED, "ann/link.txt": "https://colab.research.google.com/drive/1\n", f"bo/{NAME}.webloc": "<plist>", "cy/colab.url": "[InternetShortcut]"},
        {"zed": NAME, "ann": "", "bo": "", "cy": ""}, {"ann": "link.txt: the address", "bo": ".webloc: the address", "cy": "colab.url: the address"},
    ),
    "a folder of each tutor, one of them with one student": Collected(
        "downloads", "by its folders", {f"TA Ann/di/{NAME}": SOLVED, f"TA Ann/ed/{NAME}": SOLVED, f"TA Zed/fi/{NAME}": SOLVED}, dict.fromkeys(("di", "ed", "fi"), NAME),
    ),
    "students called by short numbers, in labs": Collected(
        "downloads", "by its folders", {f"{lab} lab/{n}/{NAME}": SOLVED for lab, numbers in (("Monday", (1, 2, 3)), ("Friday", (4, 5))) for n in numbers}, dict.fromkeys("12345", NAME),
    ),
    "what Moodle holds for teachers": Collected(
        "downloads", "downloader.php", {f"Ann Lee_1_assignfeedback_file_/{NAME}": BLANK, f"Ann Lee_1_assignsubmission_file_/{NAME}": SOLVED, f"Bo_2_assignsubmission_file_/{NAME}": SOLVED}, {"Ann Lee": NAME, "Bo": NAME},
    ),
    "Microsoft Teams, a folder of each": Collected(
        "downloads", "by its folders", {f"Ann Lee/Working files/{NAME}": BLANK, f"Ann Lee/Submitted files/{NAME}": SOLVED, f"Bo/Submitted files/{NAME}": SOLVED}, {"Ann Lee": f"Submitted files/{NAME}", "Bo": NAME},
    ),
    "Microsoft Teams, from SharePoint": Collected(
        "downloads", "by its folders", {f"Student Work/{kind} files/{who}/Homework 3/{NAME}": text for kind, who, text in (("Working", "Ann Lee", BLANK), ("Submitted", "Ann Lee", SOLVED), ("Submitted", "Bo", SOLVED))},
        {"Ann Lee": f"Submitted files/Ann Lee/Homework 3/{NAME}", "Bo": NAME},
    ),
    "a date behind the name": Collected("names", "by mail", {"ann-2027-03-01.zip": packed({NAME: SOLVED}), "bo_2027-03-02.ipynb": SOLVED}, {"ann": ".ipynb", "bo": ".ipynb"}),
    "paths from the top of a disk": Collected(
        "archives", "Info-ZIP", {"ann.zip": packed({f"/home/ann/{NAME}": SOLVED}), "bo.zip": packed({f"C:\\Users\\bo\\{NAME}": SOLVED}), "cy.zip": packed({f"../{NAME}": SOLVED})},
        {"ann": NAME, "bo": NAME, "cy": ""}, {"cy": "cy.zip"},
    ),
    "nbgrader's exchange, whole": Collected(
        "downloads", "nbgrader", {f"attention/inbound/ann+{LESSON}+2027-03-0{day} 12:00:00.000000 UTC+ab/{NAME}": text for day, text in ((1, BLANK), (2, SOLVED))} | {f"attention/outbound/{LESSON}/{NAME}": BLANK}, {"ann": NAME},
    ),
    "folders of who was late": Collected("downloads", "by its folders", {f"late/ann/{NAME}": SOLVED, f"on time/bo/{NAME}": SOLVED, f"on time/cy/{NAME}": SOLVED}, {"ann": NAME, "bo": NAME, "cy": NAME}),
    "a folder of who was late beside students": Collected("downloads", "by its folders", {f"late/ann/{NAME}": SOLVED, f"bo/{NAME}": SOLVED, f"cy/{NAME}": SOLVED}, {"ann": NAME, "bo": NAME, "cy": NAME}),
    "the lesson's number behind a student's": Collected("names", "by hand", {"20231234_03.ipynb": SOLVED, "20231235-hw3.ipynb": SOLVED}, {"20231234": ".ipynb", "20231235": ".ipynb"}),
    "homework in Chinese": Collected("names", "by hand", {"2023001_李明_作业3.ipynb": SOLVED, "2023002_王芳_第三次作业.ipynb": SOLVED}, {"2023001_李明": ".ipynb", "2023002_王芳": ".ipynb"}),
    "homework in German": Collected("names", "by hand", {"Abgabe_Ann_Lee.ipynb": SOLVED, "Bo_Kim_Aufgabe3.ipynb": SOLVED, "Übung03_Cy.ipynb": SOLVED}, {"Ann_Lee": ".ipynb", "Bo_Kim": ".ipynb", "Cy": ".ipynb"}),
    "homework in Spanish and French": Collected(
        "names", "by hand", {"Tarea3_Ana.ipynb": SOLVED, "Entrega_Bo.ipynb": SOLVED, "practica3-cy.ipynb": SOLVED, "TP3_Di.ipynb": SOLVED, "devoir3_Ed.ipynb": SOLVED, "Rendu_Fi.ipynb": SOLVED},
        dict.fromkeys(("Ana", "Bo", "cy", "Di", "Ed", "Fi"), ".ipynb"),
    ),
    "the last of many versions": Collected("names", "by hand", {"ann_final_FINAL2.ipynb": SOLVED, "bo (final) (1).ipynb": SOLVED, "cy_submission_v3.ipynb": SOLVED}, {"ann": ".ipynb", "bo": ".ipynb", "cy": ".ipynb"}),
    "people called by words for work": Collected("names", "by hand", {f"{name}/{NAME}": SOLVED for name in ("Last, Ann", "Ps Bo", "Lab Cy", "Late Di", "TD Ed")}, dict.fromkeys(("Last, Ann", "Ps Bo", "Lab Cy", "Late Di", "TD Ed"), NAME)),
    "pages saved whole": Collected("reasons", "tsds2018#9", {f"zed/{NAME}": SOLVED, f"ann/{LESSON}.mhtml": "From: x", f"bo/{LESSON}.webarchive": "x"}, {"zed": NAME, "ann": "", "bo": ""}, {"ann": ".mhtml: a page", "bo": ".webarchive: a page"}),
    "zips of several systems at once": Collected(
        "downloads", "by its folders", {
            "submissions.zip": packed({f"leeann_12_34_{NAME}": SOLVED}), "moodle.zip": packed({f"Cy Li_1_assignsubmission_file_/{NAME}": SOLVED}), "hw.zip": packed({f"bo/{NAME}": SOLVED, f"di/{NAME}": SOLVED}),
            "gs.zip": packed({f"assignment_1_export/submission_5/{NAME}": SOLVED, "assignment_1_export/submission_metadata.yml": "submission_5:\n  :submitters:\n  - :name: Ed\n    :sid: '007'\n"}),
        }, dict.fromkeys(("leeann", "Cy Li", "007", "bo", "di"), NAME),
    ),
    "otter-grader's zips": Collected(
        "downloads", "otter-grader", {f"{who}_2027_03_0{day}T12_00_00.zip": packed({NAME: SOLVED}) for day, who in ((1, "ann"), (2, "bo"))}, {"ann": NAME, "bo": NAME},
    ),
    "archives with nothing in them": Collected(
        "reasons", "found by trying", {f"zed/{NAME}": SOLVED, "ann.zip": b"PK\5\6" + bytes(18), "bo.zip": packed({"hw/": ""}), "cy.zip": packed({"hw.pdf": "%PDF"})},
        {"zed": NAME, "ann": "", "bo": "", "cy": ""}, {"ann": "empty", "bo": "empty", "cy": "hw.pdf"},
    ),
    "clones of an assignment": Collected("downloads", "classroom50", {f"lab3-{who}/{NAME}": SOLVED for who in ("ann", "bo", "cy-li")}, {"ann": NAME, "bo": NAME, "cy-li": NAME}),
    "archives of repositories": Collected(
        "downloads", "GitLab", {f"ann-main-a1b2c3d4e5/{NAME}": SOLVED, f"bo-kim-master/{NAME}": SOLVED}, {"ann": NAME, "bo-kim": NAME},
    ),
    "CoCalc": Collected("downloads", "cocalc", {f"homework3-collect/ann-1234/{NAME}": SOLVED, f"homework3-collect/bo-5678/{NAME}": SOLVED}, {"ann-1234": NAME, "bo-5678": NAME}),
    "Vocareum": Collected("downloads", "by its folders", {f"ann@x.edu/Submission1/{NAME}": BLANK, f"ann@x.edu/Submission2/{NAME}": SOLVED, f"bo@x.edu/Submission1/{NAME}": SOLVED}, {"ann@x.edu": f"Submission2/{NAME}", "bo@x.edu": NAME}),
    "Schoology": Collected(
        "downloads", "by its folders", {f"Lee, Ann/Submission {n} - 2027-03-0{n}/{NAME}": text for n, text in ((1, BLANK), (2, SOLVED))} | {f"Kim, Bo/Submission 1 - 2027-03-01/{NAME}": SOLVED}, {"Lee, Ann": f"Submission 2 - 2027-03-02/{NAME}", "Kim, Bo": NAME},
    ),
    "Artemis": Collected("downloads", "Artemis", {f"alee-{LESSON}/{NAME}": SOLVED, f"bkim-{LESSON}/{NAME}": SOLVED}, {"alee": NAME, "bkim": NAME}),
    "copies that programs of clouds make": Collected(
        "attempts", "Nextcloud", {
            f"ann/{NAME}": SOLVED, f"ann/{LESSON} (conflicted copy 2027-03-01 120000).ipynb": SOLVED + " ", f"bo/{NAME}": SOLVED + "  ", f"bo/{LESSON}.sync-conflict-20270301-120000-ABC.ipynb": SOLVED + "   ",
            f"cy/{NAME}": SOLVED + "\n", f"cy/{LESSON}_[Conflict].ipynb": SOLVED + "\n ", f"di/{NAME}": SOLVED + "\n  ", f"di/{LESSON}-DESKTOP-AB12.ipynb": BLANK,
        }, {"ann": f"ann/{NAME}", "bo": f"bo/{NAME}", "cy": f"cy/{NAME}", "di": f"di/{NAME}"},
    ),
    "files that a merge leaves": Collected(
        "attempts", "nbdime", {f"ann/{NAME}": SOLVED, f"ann/{NAME}.orig": SOLVED + " ", f"ann/{LESSON}_BASE_123.ipynb": BLANK, f"ann/{LESSON}_LOCAL_123.ipynb": SOLVED + "  ", f"bo/{NAME}": SOLVED + "   "}, {"ann": f"ann/{NAME}", "bo": NAME},
    ),
    "versions as numbers": Collected("attempts", "by hand", {f"ann/{LESSON}_v{n}.ipynb": SOLVED + " " * n for n in (2, 9, 10)} | {f"bo/{NAME}": SOLVED}, {"ann": "_v10.ipynb", "bo": NAME}),
    "a history that an editor keeps": Collected("attempts", "VS Code", {f"ann/.history/{LESSON}_20270301120000.ipynb": SOLVED, f"ann/{NAME}": BLANK, f"ann/.virtual_documents/{NAME}": "x = 1", f"bo/{NAME}": SOLVED + " "}, {"ann": NAME, "bo": NAME}),
    "Moodle, names of all kinds": Collected(
        "downloads", "downloader.php", {f"{who}_{n}_assignsubmission_file_/{NAME}": SOLVED for n, who in enumerate(("Lee, Ann", "O'Neil Bo", "de la Cruz Ana", "Group A-Di"), 12)}, dict.fromkeys(("Lee, Ann", "O'Neil Bo", "de la Cruz Ana", "Group A-Di"), NAME),
    ),
    "Canvas, letters of all kinds": Collected("downloads", "content_zipper.rb", {f"{who}_{n}_3{n}_{NAME}": SOLVED for n, who in enumerate(("李小明", "müllerjörg", "нвановиван", "oconnorsean"), 12)}, dict.fromkeys(("李小明", "müllerjörg", "нвановиван", "oconnorsean"), NAME)),
    "notebooks as Kaggle and nbconvert call them": Collected("names", "Kaggle", {"ann/__notebook__.ipynb": SOLVED, "bo/notebooka1b2c3.ipynb": SOLVED, f"cy/{LESSON}.nbconvert.ipynb": SOLVED, "di/自注意力.ipynb": SOLVED}, dict.fromkeys(("ann", "bo", "cy", "di"), ".ipynb")),
    "folders of editors and environments": Collected(
        "files", "by hand", {"ann/.idea/workspace.xml": "<x>", f"ann/pythonProject/{NAME}": SOLVED, "ann/pythonProject/main.py": "print(1)", f"bo/miniconda3/pkgs/x/{NAME}": BLANK, f"bo/{NAME}": SOLVED, "bo/.vscode/settings.json": "{}"}, {"ann": NAME, "bo": f"bo/{NAME}"},
    ),
    "solutions beside students": Collected(
        "downloads", "by its folders", {f"ann/{NAME}": SOLVED, f"bo/{NAME}": SOLVED, f"solution/{NAME}": SOLVED, f"Model answers/{NAME}": SOLVED, f"Lösungen/{NAME}": SOLVED}, {"ann": NAME, "bo": NAME},
    ),
    "students called by numbers, in one folder of a lesson": Collected("names", "by hand", {f"lab3/{n}.ipynb": SOLVED for n in range(1, 11)}, {str(n): f"/{n}.ipynb" for n in range(1, 11)}),
    "lessons called by numbers, of one student": Collected("names", "by hand", {f"homeworks/{lesson[:2]}.ipynb": REPOSITORY[f"attention-main/notebooks/{lesson}.ipynb"] for lesson in layout.lesson_names()}, {"homeworks": "03.ipynb"}),
    "copies of folders": Collected(
        "attempts", "Windows and macOS", {
            f"ann/{NAME}": SOLVED, f"ann - Copy/{NAME}": SOLVED + " ", f"ann - Copy (2)/{NAME}": SOLVED + "  ", f"bo/{NAME}": BLANK, f"bo copy/{NAME}": SOLVED + "\n", f"Kopie von cy/{NAME}": SOLVED + "\n ", f"cy/{NAME}": SOLVED + "\n  ",
            f"di/{NAME}": SOLVED + "\n\n", f"di (1)/{NAME}": SOLVED + "\n\n ", f"ed/{NAME}": SOLVED + "\n\n\n", f"ed 2/{NAME}": SOLVED + " \n",
        }, {"ann": f"ann/{NAME}", "bo": f"bo copy/{NAME}", "cy": f"cy/{NAME}", "di": f"di/{NAME}", "di (1)": f"di (1)/{NAME}", "ed": f"ed/{NAME}", "ed 2": f"ed 2/{NAME}"},
    ),
    "old and new versions by their names": Collected(
        "attempts", "by hand", {
            f"ann/draft/{NAME}": SOLVED, f"ann/final/{NAME}": SOLVED + " ", f"bo/old/{NAME}": SOLVED + "  ", f"bo/{NAME}": SOLVED + "   ", f"cy/{LESSON}_old.ipynb": SOLVED + "\n", f"cy/{LESSON}_final.ipynb": SOLVED + "\n ",
            "di/hw3-backup.ipynb": SOLVED + "\n  ", "di/hw3.ipynb": SOLVED + "\n   ", f"ed/{NAME}": SOLVED + "\n\n", f"ed/{LESSON}_final.ipynb": SOLVED + "\n\n ", "fi/first version.ipynb": SOLVED + "\n\n  ", "fi/version 2.ipynb": SOLVED + "\n\n\n",
        }, {"ann": f"final/{NAME}", "bo": f"bo/{NAME}", "cy": "_final.ipynb", "di": "hw3.ipynb", "ed": "_final.ipynb", "fi": "version 2.ipynb"},
    ),
    "handed in again, in another folder": Collected(
        "attempts", "by its folders", {f"{when}/{who}/{NAME}": SOLVED + " " * n for n, (when, who) in enumerate((("resubmissions", "ann"), ("submissions", "ann"), ("submissions", "bo")))}, {"ann": f"resubmissions/ann/{NAME}", "bo": NAME},
    ),
    "Microsoft Teams, where somebody worked on": Collected(
        "attempts", "by its folders", {f"Submitted files/Ann Lee/HW 3/Version 1/{NAME}": SOLVED, f"Working files/Ann Lee/HW 3/{NAME}": SOLVED + " ", f"Submitted files/Bo/HW 3/Version 1/{NAME}": SOLVED + "  "}, {"Ann Lee": f"Version 1/{NAME}", "Bo": NAME},
    ),
    "a section's folder, copied": Collected("attempts", "Windows", {f"Section A/ann/{NAME}": SOLVED, f"Section A/bo/{NAME}": SOLVED + " ", f"Section A - Copy/ann/{NAME}": BLANK, f"Section B/cy/{NAME}": SOLVED + "  "}, {"ann": f"Section A/ann/{NAME}", "bo": NAME, "cy": NAME}),
    "folders in which nobody has put anything": Collected("reasons", "git", {f"ann/{NAME}": SOLVED, "bo/.keep": "", "cy/.gitkeep": "", "di/.DS_Store": "x"}, {"ann": NAME, "bo": "", "cy": "", "di": ""}),
    "a student's own folder of earlier work": Collected("attempts", "by hand", {f"ann/earlier/{NAME}": SOLVED, f"bo/{NAME}": SOLVED + " "}, {"ann": f"earlier/{NAME}", "bo": NAME}),
    "folders called like the grader's": Collected("reasons", "found by trying", {f"ann/{NAME}": SOLVED, f"bo/{NAME}": SOLVED, f"graded/{NAME}": SOLVED, f"autograde/cy/{NAME}": SOLVED}, {"ann": NAME, "bo": NAME}),
    "students who are called by words for work, where nbgrader puts them": Collected("downloads", "nbgrader", {f"submitted/{who}/{LESSON}/{NAME}": SOLVED for who in ("hw3", "v2")}, {"hw3": NAME, "v2": NAME}),
    "GitHub Classroom, with its tables": Collected("downloads", "gh-classroom", {f"lab3-submissions/lab3-{who}/{NAME}": SOLVED for who in ("ann", "bo")} | {"lab3-submissions/grades.csv": "x", "classroom_roster.csv": "x"}, {"ann": NAME, "bo": NAME}),
    "Sakai, groups, one name and what was given back": Collected(
        "downloads", "AssignmentServiceImpl.java", {
            f"HW 3/Lee, Ann(alee); Kim, Bo(bkim)/Submission attachment(s)/{NAME}": SOLVED, f"HW 3/Cher,(cher)/Submission attachment(s)/{NAME}": SOLVED + " ", f"HW 3/Cher,(cher)/Feedback Attachment(s)/{NAME}": SOLVED + "  ",
            f"HW 3/a1b2c3d4/Submission attachment(s)/{NAME}": SOLVED + "\n", "HW 3/grades.csv": "x",
        }, {"alee": NAME, "bkim": NAME, "cher": f"Submission attachment(s)/{NAME}", "a1b2c3d4": NAME},
    ),
    "Sakai, without folders": Collected(
        "downloads", "AssignmentServiceImpl.java", {f"HW 3/{who}_Submission attachment(s)_{NAME}": SOLVED for who in ("Lee, Ann(alee)", "Kim, Bo(bkim)")} | {"HW 3/Cy, Di(dcy)_submissionText.html": "<p>", "HW 3/grades.csv": "x"},
        {"alee": NAME, "bkim": NAME, "dcy": ""}, {"dcy": "submissionText.html"},
    ),
    "OpenOlat": Collected(
        "downloads", "olat-homework-scripts", {
            f"ita_Blatt_3_2027/Lee_Ann_alee/2_submissions/{NAME}": SOLVED, f"ita_Blatt_3_2027/Lee_Ann_alee/1_task/{NAME}": BLANK, f"ita_Blatt_3_2027/Lee_Ann_alee/3_corrections/{NAME}": SOLVED + " ",
            f"ita_Blatt_3_2027/Kim_Bo_bkim/2_submissions/{NAME}": SOLVED + "  ", f"ita_Blatt_3_2027/solutions/{NAME}": SOLVED + "\n", "ita_Blatt_3_2027/TUK_3.xlsx": "PK",
        }, {"Lee_Ann_alee": f"2_submissions/{NAME}", "Kim_Bo_bkim": NAME},
    ),
    "Moodle, with what teachers gave back": Collected(
        "downloads", "downloader.php", {f"Ann Lee_1_assignfeedback_file_/{LESSON} (9).ipynb": SOLVED + " ", f"Ann Lee_1_assignsubmission_file_/{NAME}": SOLVED, f"Bo_2_assignsubmission_file_/{NAME}": SOLVED + "  "}, {"Ann Lee": f"assignsubmission_file_/{NAME}", "Bo": NAME},
    ),
    "Canvas, files of a quiz": Collected("downloads", "quiz_submission_zipper.rb", {f"lee_ann123_question_456_789_{NAME}": SOLVED, f"kim_bo124_question_456_790_{NAME}": SOLVED}, {"leeann": NAME, "kimbo": NAME}),
    "CoCalc, with the names of who they are": Collected(
        "downloads", "cocalc's actions.ts", {f"hw3-collect/{n}8118bf1-a573-4677-a79f-0c1d32711a69/{file}": text for n, who in ((2, "Ann Lee"), (3, "Bo")) for file, text in ((NAME, SOLVED), (f"STUDENT - {who}.txt", who))}, {"Ann Lee": NAME, "Bo": NAME},
    ),
    "CoCalc, one who says to be another": Collected(
        "downloads", "cocalc's actions.ts", {f"hw3-collect/{n}8118bf1-a573-4677-a79f-0c1d32711a69/{file}": text for n, who in ((2, "Ann Lee"), (3, "Bo")) for file, text in ((NAME, SOLVED), (f"STUDENT - {who}.txt", who), ("STUDENT - Ann Lee.txt", who))},
        {"Ann Lee": NAME, "38118bf1-a573-4677-a79f-0c1d32711a69": NAME},
    ),
    "ILIAS, teams": Collected("downloads", "eCampus-collective-team-feedback-upload", {"ex.zip": packed({f"Blatt 03/Abgaben/Team 4711/Lee_Ann_alee_12/{NAME}": SOLVED, f"Blatt 03/Abgaben/Team 4712/Kim_Bo_bkim_13/{NAME}": SOLVED})}, {"alee": NAME, "bkim": NAME}),
    "ILIAS, for feedback": Collected("downloads", "ExerciseStatusFile", {f"multi_feedback_Uebung_3/{who}/{NAME}": SOLVED for who in ("Lee_Ann_alee_12", "Kim_Bo_bkim_13")}, {"alee": NAME, "bkim": NAME}),
    "OneDrive, packed in parts": Collected("downloads", "SharePoint", {f"OneDrive_{n}_3-1-2027.zip": packed({f"Submitted files/{who}/Homework 3/Version 1/{NAME}": SOLVED}) for n, who in ((1, "Ann Lee"), (2, "Bo"))}, {"Ann Lee": NAME, "Bo": NAME}),
    "Blackboard, a zip for each day": Collected(
        "downloads", "blackboard-analysis-tools", {f"gradebook_CS101.2027_Homework203_2027-03-0{n}-12-34-56.zip": packed({f"Homework 3_{who}_attempt_2027-03-0{n}-12-34-56_{NAME}": SOLVED}) for n, who in ((1, "alee"), (2, "bo"))}, {"alee": NAME, "bo": NAME},
    ),
    "Brightspace, a zip for each day": Collected(
        "downloads", "Brightspace", {f"Homework 3 Download Mar {n}, 2027 1134 PM.zip": packed({f"1234{n}-67 - {who} - Mar 1, 2027 1134 PM/{NAME}": SOLVED, "index.html": "<p>"}) for n, who in ((1, "Ann Lee"), (2, "Mary-Ann Smith"))}, {"Ann Lee": NAME, "Mary-Ann Smith": NAME},
    ),
    "Brightspace, a number that is not a student's": Collected(
        "downloads", "a script that renames its folders", {f"397063-2557369 - {who} - Sep 24, 2026 926 PM/{NAME}": SOLVED for who in ("Mary-Ann Smith", "John Doe")}, {"Mary-Ann Smith": NAME, "John Doe": NAME},
    ),
    "WebAssign": Collected("downloads", "WebAssign's manual", {f"{who}@webassign_1010368_{n}_1_0.ipynb": SOLVED for n, who in enumerate(("ann", "bo"), 1217570)}, {"ann@webassign": ".ipynb", "bo@webassign": ".ipynb"}),
    "Chamilo": Collected("downloads", "Chamilo", {f"{who}_2027-03-01_120000_{NAME}": SOLVED for who in ("Ann_Lee", "Bo_Kim")}, {"Ann_Lee": NAME, "Bo_Kim": NAME}),
    "Brightspace, folders of last name, first name and number": Collected("downloads", "class scripts", {f"Lee, Ann - 1234567/{NAME}": SOLVED, f"Kim, Bo - 1234568/{NAME}": SOLVED}, {"Lee, Ann - 1234567": NAME, "Kim, Bo - 1234568": NAME}),
    "a course's number before the lesson": Collected("names", "homeworkOnGoogleDocs", {f"cmput391 w19 hw3 - {who}.ipynb": SOLVED for who in ("Wonderland, Alice (a12)", "Builder, Bob", "Cy")}, {"Wonderland, Alice (a12)": ".ipynb", "Builder, Bob": ".ipynb", "Cy": ".ipynb"}),
    "a course's number before the lesson, of two students": Collected("names", "GitLab", {"cs229-hw3-ann.ipynb": SOLVED, "cs229-hw3-bo.ipynb": SOLVED + " "}, {"ann": "ann.ipynb", "bo": "bo.ipynb"}),
    "a course's number before the lesson, in folders": Collected("names", "GitLab", {f"cs229-hw3-{who}/{NAME}": SOLVED for who in ("ann", "bo")} | {f"cs229-hw3-cy_li/{NAME}": SOLVED}, {"ann": NAME, "bo": NAME, "cy_li": NAME}),
    "files of the course's own beside students'": Collected(
        "names", "by hand", {f"ann/{NAME}": SOLVED, f"bo/{NAME}": SOLVED, "rename_all.py": "import os", f"{LESSON}-instructor.ipynb": SOLVED, f"answer_key_{NAME}": SOLVED, "Grades-HW3.xlsx": "PK"}, {"ann": NAME, "bo": NAME},
    ),
    "a repository in a folder called by the work": Collected("files", "by hand", {f"zed/{NAME}": SOLVED, f"ann/hw3/notebooks/{NAME}": SOLVED + " ", "ann/hw3/data/x.csv": "x", "ann/hw3/utils/x.py": "x = 1"}, {"zed": NAME, "ann": NAME}),
    "nbgrader's exchange, with all kinds of secrets and what went back": Collected(
        "downloads", "nbgrader", {f"exchange/attention/inbound/{who}+{LESSON}+2027-03-01 12:00:00.000000 UTC+{secret}/{NAME}": SOLVED for who, secret in (("ann", "N0sYxG-xiTY8"), ("bo", "_b-"))}
        | {f"exchange/attention/outbound/{LESSON}/{NAME}": BLANK, "exchange/attention/feedback/7cd8456b72db.html": "<p>"}, {"ann": NAME, "bo": NAME},
    ),
    "mails, saved whole": Collected("reasons", "by mail", {f"zed/{NAME}": SOLVED, "ann/mail.eml": "From: ann", "bo/mail.msg": "x"}, {"zed": NAME, "ann": "", "bo": ""}, {"ann": "mail.eml: a mail", "bo": "mail.msg: a mail"}),
    "homes of a server": Collected("downloads", "The Littlest JupyterHub", {f"home/jupyter-{who}/course/{NAME}": SOLVED for who in ("ann", "bo")}, {"ann": NAME, "bo": NAME}),
    "INGInious": Collected("downloads", "INGInious", {f"hw3/{who}/5f0{n}/uploaded_files/{NAME}": SOLVED for n, who in enumerate(("ann", "bo"))}, {"ann": NAME, "bo": NAME}),
    "MarkUs": Collected("downloads", "MarkUs", {f"{who}/hw3/{NAME}": SOLVED for who in ("ann", "bo", "group_0003")}, {"ann": NAME, "bo": NAME, "group_0003": NAME}),
    "Microsoft Teams, in other languages": Collected(
        "downloads", "by its folders", {
            f"{folder}/{who}/HW 3/{NAME}": text for submitted, working, who in TEAMS for folder, text in ((submitted, SOLVED + who), (working, BLANK))
        }, {who: f"{submitted}/{who}/HW 3/{NAME}" for submitted, _, who in TEAMS},
    ),
    "Microsoft Teams, a folder of each, from a German Mac": Collected(
        "downloads", "by its folders", {f"Ann/Arbeitsdateien/{NAME}": SOLVED, f"Ann/{unicodedata.normalize('NFD', 'Übermittelte Dateien')}/{NAME}": SOLVED + " ", f"Bo/Übermittelte Dateien/{NAME}": SOLVED + "  "},
        {"Ann": f"Dateien/{NAME}", "Bo": NAME},
    ),
    "notebooks as texts": Collected(
        "names", "jupytext", {f"zed/{NAME}": SOLVED, "zed/README.md": "# Mine\n```python\ndef x(): pass\n```", f"ann/{LESSON}.md": as_text_of("md"), "bo/hw3.md": as_text_of("md:myst"), f"cy/{LESSON}.Rmd": as_text_of("Rmd"), "di/README.md": "# Mine\n```python\nx = 1\n```"},
        {"zed": NAME, "ann": f"{LESSON}.md", "bo": "hw3.md", "cy": ".Rmd", "di": ""}, {"di": "README.md: a text"},
    ),
    "a text beside its notebook": Collected("attempts", "jupytext", {f"ann/{NAME}": SOLVED, f"ann/{LESSON}.md": as_text_of("md"), f"bo/{NAME}": BLANK, f"bo/{LESSON}.md": as_text_of("md") + " "}, {"ann": NAME, "bo": ".md"}),
    "a folder called like the grader's, in a student's": Collected("reasons", "found by trying", {f"zed/{NAME}": SOLVED, f"ann/graded/{NAME}": SOLVED + " "}, {"zed": NAME, "ann": ""}, {"ann": "called like a folder of the grader's"}),
    "one student, with a course's number": Collected("names", "GitLab", {"CS 229 - Homework 3 - Ann Lee.ipynb": SOLVED}, {"Ann Lee": ".ipynb"}),
    "one student, who is called as a course": Collected("names", "by hand", {"abc123_hw3_v2.ipynb": SOLVED}, {"abc123": ".ipynb"}),
    **{
        f"names of a Windows, {encoding}": Collected("archives", "Explorer", {"s.zip": with_names(encoding, *who)}, dict.fromkeys(who, NAME))
        for encoding, who in (("gbk", ("李喆", "王芳")), ("cp949", ("김민수", "이영희")), ("cp866", ("Иванов", "Петров")), ("cp850", ("Müller", "João")), ("cp1252", ("François", "Zoë")))
    },
    "Kaggle's files": Collected(
        "names", "Kaggle", {"ann/__notebook_source__.ipynb": SOLVED, "ann/kernel-metadata.json": '{"id": "x", "code_file": "x.ipynb"}', "bo/__notebook__.ipynb": SOLVED + " ", "bo/__results__.html": "<p>", "bo/__output__.json": "{}"},
        {"ann": "__notebook_source__.ipynb", "bo": "__notebook__.ipynb"},
    ),
    "shortcuts of Windows and macOS": Collected("reasons", "Drive for desktop", {f"zed/{NAME}": SOLVED, f"ann/{NAME}.lnk": b"L\0\0\0", f"bo/{NAME}.alias": b"book\0"}, {"zed": NAME, "ann": "", "bo": ""}, {"ann": "the address", "bo": "the address"}),
    "OneDrive's placeholder beside the file": Collected("attempts", "OneDrive", {f"ann/{NAME}": b"", f"ann/{LESSON} (1).ipynb": SOLVED}, {"ann": "(1).ipynb"}),
    "a checkpoint alone": Collected("attempts", "jupyter", {f"zed/{NAME}": SOLVED, f"ann/.ipynb_checkpoints/{LESSON}-checkpoint.ipynb": SOLVED + " "}, {"zed": NAME, "ann": "checkpoint.ipynb"}),
    "documents and pictures": Collected(
        "reasons", "by mail", {f"zed/{NAME}": SOLVED, "ann/hw3.pages": "PK", "bo/hw3.rtf": "{", "cy/IMG_1.HEIC": "x", "di/talk.mov": "x"},
        {"zed": NAME, **dict.fromkeys(("ann", "bo", "cy", "di"), "")}, {"ann": "a document", "bo": "a document", "cy": "a picture", "di": "a film"},
    ),
    "archives in parts, and of newer kinds": Collected(
        "reasons", "7-zip", {f"zed/{NAME}": SOLVED, "ann/hw.zip.001": b"PK\3\4cut", "bo/hw.z01": b"x", f"cy/{NAME}.zst": b"\x28\xb5\x2f\xfd", f"di/{NAME}.xz": b"\xfd7zXZ\0"},
        {"zed": NAME, **dict.fromkeys(("ann", "bo", "cy", "di"), "")}, {"ann": "a part of one", "bo": "a part of an archive", "cy": "an archive", "di": "an archive"},
    ),
    "Google Forms": Collected("downloads", "a folder of Drive", {f"Homework 3 (File responses)/Your notebook (File responses)/{file}": SOLVED + file for file in (f"{LESSON} - Ann Lee.ipynb", "Untitled0 - Bo.ipynb")}, {"Ann Lee": ".ipynb", "Bo": ".ipynb"}),
    "Microsoft Forms": Collected("downloads", "OneDrive", {f"Microsoft Forms/Homework 3/Question 1/{LESSON}_{who}.ipynb": SOLVED + who for who in ("Ann Lee", "Bo")}, {"Ann Lee": ".ipynb", "Bo": ".ipynb"}),
    "folders with the day behind the name": Collected(
        "downloads", "by its folders", {f"Ann Lee - 2027-03-01 12-34/{NAME}": BLANK, f"Ann Lee - 2027-03-02 12-34/{NAME}": SOLVED, f"Bo - 2027-03-01 12-35/{NAME}": SOLVED + " "}, {"Ann Lee": f"03-02 12-34/{NAME}", "Bo": NAME},
    ),
    "a folder of the class for each day": Collected(
        "downloads", "by its folders", {f"hw3_2027-03-01/ann/{NAME}": BLANK, f"hw3_2027-03-02/ann/{NAME}": SOLVED, f"hw3_2027-03-02/bo/{NAME}": SOLVED + " "}, {"ann": f"03-02/ann/{NAME}", "bo": NAME},
    ),
    "homework in Vietnamese": Collected("names", "by hand", {"BT3_NguyenVanAn_20210001.ipynb": SOLVED, "BT3_TranThiBinh_20210002.ipynb": SOLVED + " "}, {"NguyenVanAn_20210001": ".ipynb", "TranThiBinh_20210002": ".ipynb"}),
    "homework in Chinese and Japanese, with numbers": Collected(
        "names", "by hand", {"第三次作业_2021001_王小明.ipynb": SOLVED, "2021003-张三-第三次作业.ipynb": SOLVED + " ", "課題3_田中.ipynb": SOLVED + "  "}, {"2021001_王小明": ".ipynb", "2021003-张三": ".ipynb", "田中": ".ipynb"},
    ),
    "students whose names are words for work": Collected("names", "found by trying", {f"{who}/{NAME}": SOLVED + who for who in ("Mark Down", "New Ton", "Old, Ann", "Work, Bo")}, dict.fromkeys(("Mark Down", "New Ton", "Old, Ann", "Work, Bo"), NAME)),
    "folders of apps on a tablet": Collected("names", "Juno and Carnets", {f"ann/Juno/{NAME}": SOLVED, f"bo/Carnets/Documents/{NAME}": SOLVED + " ", f"cy/.Trash/{NAME}": BLANK, f"cy/{NAME}": SOLVED + "  "}, {"ann": NAME, "bo": NAME, "cy": f"cy/{NAME}"}),
    "paths that are too long for Windows": Collected("archives", "7-zip", {"s.zip": packed({f"ann/{'x' * 230}/{'y' * 230}.ipynb": SOLVED, f"bo/{NAME}": SOLVED + " "})}, {"ann": ".ipynb", "bo": NAME}),
    "homework by other words": Collected(
        "names", "by hand", {
            f"{name}.ipynb": SOLVED + name for name in (
                "A3_ann", "asgn3_bo", "PA3-cy", "pset3_di", "proj3_ed", "L03 fi", "Module 3 - gus", "HA3_Weber", "TP n°3 Durand", "odev3_mehmet", "Домашнее задание 3 - Петров", "Lista 3 - Zé", "Trabalho 3 - João", "Consegna_3_Bianchi",
            )
        }, dict.fromkeys(("ann", "bo", "cy", "di", "ed", "fi", "gus", "Weber", "Durand", "mehmet", "Петров", "Zé", "João", "Bianchi"), ".ipynb"),
    ),
    "words behind the name": Collected(
        "names", "by hand", {
            f"{name}.ipynb": SOLVED + name for name in ("ann_hw3_completed", "bo-hw3-solutions-final", "hw3_cy_answers", "di_hw3_done!!", "ed_hw3_resubmit", "fi_hw3_section 1", "gus_hw3_v1", "gus_hw3_v2")
        }, {"ann": "completed.ipynb", "bo": "final.ipynb", "cy": "answers.ipynb", "di": "done!!.ipynb", "ed": "resubmit.ipynb", "fi": "section 1.ipynb", "gus": "v2.ipynb"},
    ),
    "a second download of a folder": Collected("attempts", "browsers", {f"ann/{NAME}": SOLVED, f"ann (1)/{NAME}": SOLVED, f"bo/hw/{NAME}": SOLVED + " ", f"bo 2/hw/{NAME}": SOLVED + " ", f"cy/{NAME}": SOLVED + "\n", f"cy (1)/{NAME}": SOLVED + "\n "}, {"ann": NAME, "bo": NAME, "cy": NAME, "cy (1)": NAME}),
    "teams that are called by projects": Collected("names", "found by trying", {f"Project {n}/{NAME}": SOLVED + str(n) for n in (2, 3, 7)}, {f"Project {n}": NAME for n in (2, 3, 7)}),
    "an archive that lies unpacked beside itself": Collected(
        "archives", "by hand", {"hw3.zip": packed({f"hw3/ann/{NAME}": SOLVED, f"hw3/bo/{NAME}": SOLVED + " ", "__MACOSX/._x": "x"}), f"hw3/ann/{NAME}": SOLVED, f"hw3/bo/{NAME}": SOLVED + " "}, {"ann": NAME, "bo": NAME},
    ),
    "a newer archive beside the unpacked one": Collected("archives", "by hand", {"ann.zip": packed({NAME: SOLVED}), f"ann/{NAME}": BLANK, f"bo/{NAME}": SOLVED + " "}, {"ann": NAME, "bo": NAME}),
    "a class in a course's and a term's folder": Collected("downloads", "by its folders", {f"Spring 2027/CS229/HW3/{who}/{NAME}": SOLVED + who for who in ("ann", "bo")}, {"ann": NAME, "bo": NAME}),
    "messengers": Collected("names", "WhatsApp and WeTransfer", {"ann/DOC-20270302-WA0003.": SOLVED, "wetransfer_bo-hw3_2027-03-01_1234.zip": packed({NAME: SOLVED + " "})}, {"ann": "WA0003.", "bo": NAME}),
    "a zip that holds a folder of its own name": Collected("downloads", "MarkUs#4468", {f"hw3_{who}.zip": packed({f"hw3_{who}.zip/{who}/{NAME}": SOLVED + who}) for who in ("ann", "bo")}, {"ann": NAME, "bo": NAME}),
    "zips that otter-grader makes": Collected(
        "downloads", "otter-grader", {f"{who}/03_self_attention_2027_03_01T12_00_00_000000.zip": packed({NAME: SOLVED + who, "__zip_filename__": "x", ".OTTER_LOG": "x"}) for who in ("ann", "bo")}, {"ann": NAME, "bo": NAME},
    ),
    "a notebook that is a folder": Collected("names", "macOS", {f"ann/{NAME}": SOLVED, f"bo/{NAME}/{NAME}": SOLVED + " "}, {"ann": NAME, "bo": NAME}),
    "zips of attempts, dated": Collected(
        "attempts", "found by trying", {f"Lee_Ann_ann_2027-03-0{day}_14.13.00.zip": packed({name: SOLVED + " " * day}) for day, name in ((1, NAME), (2, "Untitled.ipynb"))} | {"Kim_Bo_bo_2027-03-01_14.13.00.zip": packed({"a.zip": packed({NAME: SOLVED})})},
        {"Lee_Ann_ann": NAME, "Kim_Bo_bo": NAME},
    ),
    "zips of repositories": Collected("downloads", "GitHub", {f"lab3-{who}-main.zip": packed({f"lab3-{who}-main/{NAME}": SOLVED, f"lab3-{who}-main/README.md": "x"}) for who in ("ann", "bo", "cy-li")}, {"ann": NAME, "bo": NAME, "cy-li": NAME}),
}  # fmt: skip


def answer(notebook: NotebookNode, name: str) -> NotebookNode:
    return next(c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name)


def with_own(*cells: str) -> Callable[[NotebookNode], str]:
    """Own cells before the first answer, whose result goes through what they define, `own`."""

    def content(notebook: NotebookNode) -> str:
        target = answer(notebook, "attention_scores")
        at = notebook.cells.index(target)
        target.source = "@own\n" + target.source
        notebook.cells[at:at] = [new_code_cell(code) for code in cells]
        return nbformat.writes(notebook)

    return content


def in_answer(change: Callable[[str], str], name: str = "causal_mask") -> Callable[[NotebookNode], str]:
    def content(notebook: NotebookNode) -> str:
        target = answer(notebook, name)
        target.source = change(target.source)
        return nbformat.writes(notebook)

    return content


def in_words(*cells: NotebookNode, text: str = "") -> Callable[[NotebookNode], str]:
    def content(notebook: NotebookNode) -> str:
        target = answer(notebook, "written_question")
        at = notebook.cells.index(target)
        target.source = text or target.source
        notebook.cells[at + 1 : at + 1] = cells
        return nbformat.writes(notebook)

    return content


def of_kind(kind: str, name: str, text: str = "") -> Callable[[NotebookNode], str]:
    """A cell whose kind was changed."""

    def content(notebook: NotebookNode) -> str:
        data = json.loads(nbformat.writes(notebook))
        cell = next(c for c in data["cells"] if c["metadata"].get("nbgrader", {}).get("grade_id") == name)
        cell["cell_type"] = kind
        cell["source"] = text or cell["source"]
        return json.dumps(data)

    return content


def helper_in_a_figure(notebook: NotebookNode) -> str:
    target = answer(notebook, "attention_scores")
    target.source = "@own\n" + target.source
    figures = [c for c in notebook.cells[: notebook.cells.index(target)] if "figure" in c.metadata.get("tags", [])]
    figures[-1].source += "\n\n\ndef own(f):\n    return f"
    return nbformat.writes(notebook)


def with_outputs(notebook: NotebookNode) -> str:
    notebook.cells[-1].outputs = [nbformat.v4.new_output("stream", text="x" * 24 * 2**20)]
    return nbformat.writes(notebook)


def with_pictures(notebook: NotebookNode) -> str:
    notebook.cells.insert(3, new_markdown_cell(f"![x](data:image/png;base64,{'A' * 25 * 2**20})"))
    return nbformat.writes(notebook)


def with_attachments(notebook: NotebookNode) -> str:
    cell = new_markdown_cell("![x](attachment:a.png)")
    cell.attachments = {"a.png": {"image/png": "A" * 25 * 2**20}}
    notebook.cells.insert(3, cell)
    return nbformat.writes(notebook)


def as_marimo(notebook: NotebookNode) -> str:
    """What `marimo convert` makes of a notebook."""
    parts = ["import marimo\n\napp = marimo.App()\n"]
    for cell in notebook.cells:
        code = cell.source if cell.cell_type == "code" else f"mo.md(r'''{cell.source}''')"
        parts.append("@app.cell\ndef _(mo, nn, torch):\n" + textwrap.indent(code, "    ") + "\n    return\n")
    return "\n\n".join([*parts, 'if __name__ == "__main__":\n    app.run()\n'])


def uses_own(*cells: str, below: bool = False) -> Callable[[NotebookNode], str]:
    """Own cells, before the answer or below all, that define `own`, which the answer calls."""

    def content(notebook: NotebookNode) -> str:
        target = answer(notebook, "causal_mask")
        target.source = target.source.replace("    return", "    own(n)\n    return", 1)
        at = len(notebook.cells) if below else notebook.cells.index(target)
        notebook.cells[at:at] = [new_code_cell(code) for code in cells]
        return nbformat.writes(notebook)

    return content


def deleted_at_the_end(notebook: NotebookNode) -> str:
    notebook.cells.append(new_code_cell("del own"))
    return uses_own(KEEP)(notebook)


def decorated_from_below(notebook: NotebookNode) -> str:
    target = answer(notebook, "causal_mask")
    target.source = "@own\n" + target.source
    notebook.cells.append(new_code_cell(KEEP))
    return nbformat.writes(notebook)


def in_its_check(notebook: NotebookNode) -> str:
    target, check = answer(notebook, "causal_mask"), answer(notebook, "check-causal_mask")
    check.source = target.source + "\n\n" + check.source
    target.source = answer(nbformat.reads(BLANK, 4), "causal_mask").source
    return nbformat.writes(notebook)


def below_all(*cells: str) -> Callable[[NotebookNode], str]:
    def content(notebook: NotebookNode) -> str:
        notebook.cells += [new_code_cell(code) for code in cells]
        return nbformat.writes(notebook)

    return content


def all_merged(notebook: NotebookNode) -> str:
    shown = {"figure", "experiment"}
    code = [c.source for c in notebook.cells if c.cell_type == "code" and not shown & set(c.metadata.get("tags", ()))]
    notebook.cells = [new_code_cell("\n\n".join(code))]
    return nbformat.writes(notebook)


def renamed_below(notebook: NotebookNode) -> str:
    """The stub is left, and the answer stands in a cell at the end, under a name of its own that is bound to the exercise's."""
    target = answer(notebook, "causal_mask")
    notebook.cells.append(new_code_cell(target.source.replace("def causal_mask", "def mine", 1) + "\n\ncausal_mask = mine"))
    target.source = answer(nbformat.reads(BLANK, 4), "causal_mask").source
    return nbformat.writes(notebook)


def swapped(notebook: NotebookNode) -> str:
    one, other = (notebook.cells.index(answer(notebook, name)) for name in ("attention_scores", "causal_mask"))
    notebook.cells[one], notebook.cells[other] = notebook.cells[other], notebook.cells[one]
    return nbformat.writes(notebook)


def exchanged(notebook: NotebookNode) -> str:
    """Two answers, each in the other's cell."""
    one, other = answer(notebook, "attention_scores"), answer(notebook, "causal_mask")
    one.source, other.source = other.source, one.source
    return nbformat.writes(notebook)


def right_below_wrong(notebook: NotebookNode) -> str:
    target = answer(notebook, "causal_mask")
    notebook.cells.append(new_code_cell(target.source))
    target.source = target.source.replace("tril", "triu")
    return nbformat.writes(notebook)


def helper_again(notebook: NotebookNode, inside: bool = False) -> str:
    """Two answers, each with a helper of its own of one name; `inside` the answers' cells or in cells above them."""
    for name, helper, call in (
        ("causal_mask", "def own(n):\n    return n", "own(n)"),
        ("padding_mask", "def own(a, b):\n    return a + b", "own(1, 2)"),
    ):
        target = answer(notebook, name)
        target.source = target.source.replace("    return", f"    {call}\n    return", 1)
        if inside:
            target.source = f"{helper}\n\n\n{target.source}"
        else:
            notebook.cells.insert(notebook.cells.index(target), new_code_cell(helper))
    return nbformat.writes(notebook)


def only_answers(notebook: NotebookNode) -> str:
    notebook.cells = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]
    return nbformat.writes(notebook)


def below_its_check(code: str, name: str = "causal_mask") -> Callable[[NotebookNode], str]:
    def content(notebook: NotebookNode) -> str:
        notebook.cells.insert(notebook.cells.index(answer(notebook, f"check-{name}")) + 1, new_code_cell(code))
        return nbformat.writes(notebook)

    return content


def own_then(first: str, last: str) -> Callable[[NotebookNode], str]:
    """`own` is defined above the answer that calls it, and named again below all."""

    def content(notebook: NotebookNode) -> str:
        notebook.cells.append(new_code_cell(last))
        return uses_own(first)(notebook)

    return content


def in_lines(change: Callable[[str], str]) -> Callable[[NotebookNode], str]:
    """The file's JSON, a value a line, changed."""
    return lambda notebook: change(json.dumps(json.loads(nbformat.writes(notebook)), indent=1, ensure_ascii=False))


def as_text(change: Callable[[str], str | bytes]) -> Callable[[NotebookNode], str | bytes]:
    return lambda notebook: change(nbformat.writes(notebook))


def changed_cells(change: Callable[[dict], dict]) -> Callable[[NotebookNode], str]:
    def content(notebook: NotebookNode) -> str:
        data = json.loads(nbformat.writes(notebook))
        return json.dumps({**data, "cells": [change(cell) for cell in data["cells"]]})

    return content


without_ends = changed_cells(lambda cell: {**cell, "source": "".join(cell["source"]).split("\n")})


def of_another_kernel(notebook: NotebookNode) -> str:
    notebook.metadata = {"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}, "language_info": {"name": "R"}}
    return nbformat.writes(notebook)


def method_in_another_cell(before: str = "", after: str = "", of: str = "self") -> Callable[[NotebookNode], str]:
    """A class whose last method, the first argument of which is written `of`, stands in the cell below, between `before` and `after`."""

    def content(notebook: NotebookNode) -> str:
        target = answer(notebook, "SelfAttention")
        head, name, body = target.source.partition("    def forward")
        target.source = head.rstrip()
        notebook.cells.insert(
            notebook.cells.index(target) + 1, new_code_cell(before + textwrap.dedent(name + body).replace("self", of, 1) + after)
        )
        return nbformat.writes(notebook)

    return content


def as_notebook(code: str) -> str:
    return nbformat.writes(nbformat.v4.new_notebook(cells=[new_markdown_cell("# Mine"), new_code_cell(code)]))


def as_databricks(notebook: NotebookNode) -> bytes:
    """Databricks' archive: JSON in a zip, its cells in any order."""
    cells = [("%md\n" if c.cell_type == "markdown" else "") + c.source for c in notebook.cells]
    commands = [{"version": "CommandV1", "command": text, "position": float(i)} for i, text in enumerate(cells)]
    return packed(
        {
            "hw3.python": json.dumps({"version": "NotebookV1", "name": "hw3", "language": "python", "commands": commands[::-1]}),
            "manifest.mf": "x",
        }
    )


def as_zeppelin(notebook: NotebookNode) -> str:
    return json.dumps(
        {
            "paragraphs": [{"text": ("%md\n" if c.cell_type == "markdown" else "%python\n") + c.source} for c in notebook.cells],
            "name": "hw3",
        }
    )


def as_deepnote(notebook: NotebookNode) -> str:
    blocks = "".join(
        f"        - type: {c.cell_type}\n          content: |-\n{textwrap.indent(c.source, ' ' * 12)}\n"
        for c in notebook.cells
        if c.source.strip()
    )
    return (
        f"metadata:\n  createdAt: x\nproject:\n  id: x\n  name: HW\n  notebooks:\n    - name: hw3\n      blocks:\n{blocks}version: 1.0.0\n"
    )


def as_databricks_script(notebook: NotebookNode) -> str:
    cells = [
        "\n".join(f"# MAGIC {line}" for line in ("%md\n" + c.source).split("\n")) if c.cell_type == "markdown" else c.source
        for c in notebook.cells
    ]
    return "\n\n# COMMAND ----------\n\n".join(["# Databricks notebook source", *cells])


def functions_alone(notebook: NotebookNode) -> str:
    """A script of the answers and nothing else."""
    answers = [c.source for c in notebook.cells if c.metadata.get("nbgrader", {}).get("solution") and c.cell_type == "code"]
    return "\n\n\n".join(["import math\n\nimport torch\nfrom jaxtyping import Bool, Float, Int\nfrom torch import Tensor, nn", *answers])


COLLECTED |= {
    "projects of Databricks, Deepnote and Zeppelin": Collected(
        "names", "found by trying", {"ann/hw3.dbc": as_databricks(NOTEBOOK), "bo/HW.deepnote": as_deepnote(NOTEBOOK), "cy/hw3.zpln": as_zeppelin(NOTEBOOK), "di/hw3.json": as_zeppelin(NOTEBOOK) + " ", f"ed/{NAME}": SOLVED},
        {"ann": ".python", "bo": ".deepnote", "cy": ".zpln", "di": "hw3.json", "ed": NAME},
    ),
    "Databricks, files of several students": Collected("names", "found by trying", {"Ann Lee - hw3.dbc": as_databricks(NOTEBOOK), f"Bo - {NAME}": SOLVED}, {"Ann Lee": ".python", "Bo": NAME}),
    "scripts that are called texts": Collected(
        "names", "a system that takes texts alone", {"ann/hw3.txt": functions_alone(NOTEBOOK), f"bo/{LESSON}.txt": as_text_of("md"), "cy/hw3.pyw": functions_alone(NOTEBOOK) + "\n", "di/notes.txt": "def x is my notes", f"ed/{NAME}": SOLVED},
        {"ann": "hw3.txt", "bo": ".txt", "cy": ".pyw", "di": "", "ed": NAME}, {"di": "notes.txt"},
    ),
    "untouched notebooks in folders of one name": Collected("attempts", "browsers", {f"ann/{NAME}": BLANK, f"ann (1)/{NAME}": BLANK, f"bo/{NAME}": SOLVED}, {"ann": NAME, "ann (1)": NAME, "bo": NAME}),
    "a course of nbgrader's in a folder": Collected(
        "downloads", "nbgrader", {f"attention/{place}": text for place, text in ((f"submitted/ann/{LESSON}/{NAME}", SOLVED), (f"submitted/bo/{LESSON}/{NAME}", SOLVED + " "), (f"autograded/ann/{LESSON}/{NAME}", SOLVED + "  "), (f"release/{LESSON}/{NAME}", BLANK), (f"source/{LESSON}/{NAME}", SOLVED + "\n"))},
        {"ann": f"submitted/ann/{LESSON}/{NAME}", "bo": NAME},
    ),
    "archives that are not read, of several students": Collected("reasons", "7-zip", {"ann.7z": b"7z\xbc\xaf\x27\x1c" + bytes(9), "bo.rar": b"Rar!\x1a\x07" + bytes(9), "cy.ipynb": SOLVED}, {"ann": "", "bo": "", "cy": ".ipynb"}, {"ann": "a .zip", "bo": "a .zip"}),
    "Canvas, one who changed the name": Collected("downloads", "a submission of each name", {f"leeann_12_34_{NAME}": BLANK, f"kimann_12_35_{LESSON}-1.ipynb": SOLVED, f"bo_13_36_{NAME}": SOLVED + " "}, {"kimann": ".ipynb", "bo": NAME}),
    "the lesson's words around the name": Collected("names", "by hand", {f"03_{who}_self_attention.ipynb": SOLVED + who for who in ("annlee", "bokim")}, {"annlee": ".ipynb", "bokim": ".ipynb"}),
    "the time behind the name, in one word": Collected("names", "by mail", {f"{who}_20270301_12000{n}.ipynb": SOLVED + who for n, who in enumerate(("alee", "bkim"))}, {"alee": ".ipynb", "bkim": ".ipynb"}),
    "homework by words of other countries": Collected(
        "names", "by hand", {f"{name}.ipynb": SOLVED + name for name in ("Lektion 3 - Ann", "Serie 3 Bo", "Lección 3 - Cy", "Leçon 3 Di", "Lezione 3 - Ed", "Worksheet 3 Fi")}, dict.fromkeys(("Ann", "Bo", "Cy", "Di", "Ed", "Fi"), ".ipynb"),
    ),
    "a helper in a folder": Collected("files", "found by trying", {f"ann/hw/{NAME}": uses_own("from src.helper import own")(copy.deepcopy(NOTEBOOK)), "ann/hw/src/helper.py": "x = 1", "ann/hw/src/__init__.py": "", f"bo/{NAME}": SOLVED}, {"ann": NAME, "bo": NAME}),
    "Canvas, handed in again and late": Collected("downloads", "content_zipper.rb", {f"leeann_123_456_{NAME}": BLANK, f"leeann_123_789_{LESSON}-2.ipynb": SOLVED, f"kimbo_LATE_124_790_{LESSON}-1.ipynb": SOLVED + " "}, {"leeann": "-2.ipynb", "kimbo": ".ipynb"}),
    "Canvas, packed archives of each": Collected("downloads", "content_zipper.rb", {"c.zip": packed({"leeann_1_2_hw.zip": packed({f"hw/{NAME}": SOLVED}), "kimbo_3_4_hw.tar.gz": packed_as("gz", f"x/{NAME}", SOLVED)})}, {"leeann": NAME, "kimbo": NAME}),
    "Canvas, by its interface": Collected("downloads", "canvasapi", {f"Lee, Ann_12345/{NAME}": SOLVED, f"Kim, Bo_12346/{NAME}": SOLVED}, {"Lee, Ann_12345": NAME, "Kim, Bo_12346": NAME}),
    "CodeGrade": Collected("downloads", "CodeGrade", {f"Ann Lee/{NAME}": SOLVED, f"Bo Kim/{NAME}": SOLVED, ".cg-info.json": "{}"}, {"Ann Lee": NAME, "Bo Kim": NAME}),
    "GitHub Classroom, two tries of one name": Collected("downloads", "classroom", {f"hw3-attention-{who}/{NAME}": SOLVED + who for who in ("ann", "bo", "ann-1")}, {"ann": NAME, "bo": NAME, "ann-1": NAME}),
    "words with a link in them": Collected(
        "reasons", "Colab", {f"bo/{NAME}": SOLVED, "ann/submission.txt": "My Colab: https://colab.research.google.com/drive/1", "cy/colab.html": '<meta http-equiv="refresh" content="0; url=https://colab">', "di/hw.docx": packed({"word/embeddings/x.ipynb": SOLVED})},
        {"bo": NAME, "ann": "", "cy": "", "di": ""}, {"ann": "submission.txt", "cy": "a page", "di": "a document"},
    ),
    "copies that macOS and OneDrive name": Collected("attempts", "iCloud", {f"ann/{LESSON} 2.ipynb": SOLVED, f"ann/{NAME}": BLANK, f"bo/{NAME}": SOLVED + " ", f"bo/{LESSON}-LAPTOP-7H3K.ipynb": BLANK}, {"ann": " 2.ipynb", "bo": f"bo/{NAME}"}),
    "a checkpoint with the work in it": Collected("attempts", "jupyter", {f"ann/{NAME}": BLANK, f"ann/.ipynb_checkpoints/{LESSON}-checkpoint.ipynb": SOLVED, f"bo/{NAME}": SOLVED + " "}, {"ann": "checkpoint.ipynb", "bo": NAME}),
    "another lesson alone": Collected("names", "otter#442", {f"ann/{NAME}": SOLVED, f"bo/{OTHER_LESSON}.ipynb": REPOSITORY[f"attention-main/notebooks/{OTHER_LESSON}.ipynb"]}, {"ann": NAME, "bo": ""}, {"bo": "it is lesson 04"}),
    "homes of a hub, by address": Collected("downloads", "JupyterHub", {f"users/{who}@x.edu/hw/hw03/{NAME}": SOLVED + who for who in ("ann", "bo")}, {"ann@x.edu": NAME, "bo@x.edu": NAME}),
    "versions that Kaggle numbers": Collected("attempts", "Kaggle", {f"ann/ann-hw3-version-{n}.ipynb": SOLVED + " " * n for n in (2, 10)} | {f"bo/{NAME}": SOLVED}, {"ann": "version-10.ipynb", "bo": NAME}),
    "Moodle's laboratory": Collected(
        "downloads", "moodle-mod_vpl", {f"Ann Lee 12 ann/2027-03-0{day}-12-00-00/{NAME}": text for day, text in ((1, BLANK), (2, SOLVED))} | {f"Bo Kim 13 bo/2027-03-02-12-00-00/{NAME}": SOLVED + " "}, {"Ann Lee 12 ann": f"02-12-00-00/{NAME}", "Bo Kim 13 bo": NAME},
    ),
    "Moodle, groups with the names of members": Collected("downloads", "downloader.php", {f"Group A-{who}_1{n}_assignsubmission_file_/{NAME}": SOLVED for n, who in enumerate(("Ann Lee", "Bo Kim"))}, {"Group A-Ann Lee": NAME, "Group A-Bo Kim": NAME}),
    "Moodle, without folders": Collected("downloads", "downloader.php", {f"{who}_1{n}_assignsubmission_file_{NAME}": SOLVED for n, who in enumerate(("Ann Lee", "Bo Kim"))}, {"Ann Lee": NAME, "Bo Kim": NAME}),
    "Brightspace, groups": Collected("downloads", "Brightspace", {f"1234{n}-67 - Group {n} - Mar 1, 2027 1134 PM/{NAME}": SOLVED for n in (3, 4)}, {"Group 3": NAME, "Group 4": NAME}),
    "JupyterLite's and Deepnote's archives": Collected("archives", "JupyterLite", {"ann/files.zip": packed({f"files/{NAME}": SOLVED}), "bo/project.zip": packed({NAME: SOLVED, ".deepnote/project.json": "{}", "init.ipynb": as_notebook("x = 1")})}, {"ann": NAME, "bo": NAME}),
    "a notebook beside the page that nbgrader made of it": Collected("attempts", "nbgrader", {f"ann/{NAME}": SOLVED, f"ann/{LESSON}.html": "<p>", f"bo/{NAME}": SOLVED + " "}, {"ann": NAME, "bo": NAME}),
    "names in other letters and signs": Collected("names", "found by trying", {f"{who}/{NAME}": SOLVED + who for who in ("ann 🎉", "🐍", "Işıl", "işıl", "Ann", "ann", "50%", "-ann", "CON", "1234567X", "1e5", "x" * 120)}, {who: NAME for who in ("ann 🎉", "🐍", "Işıl", "işıl", "Ann", "ann", "50%", "-ann", "CON", "1234567X", "1e5", "x" * 120)}),
    "names that are digests": Collected("names", "found by trying", {f"{name}.ipynb": SOLVED + name for name in ("5d41402abc4b2a76b9719d911017c592", "7d793037a0760186574b0282f2f435e7")}, {name: ".ipynb" for name in ("5d41402abc4b2a76b9719d911017c592", "7d793037a0760186574b0282f2f435e7")}),
    "what papermill wrote beside what it read": Collected("attempts", "papermill", {"ann/output.ipynb": SOLVED, "ann/input.ipynb": BLANK, f"bo/{NAME}": SOLVED + " "}, {"ann": "output.ipynb", "bo": NAME}),
    "a pointer of Git LFS beside an archive": Collected("attempts", "git", {f"ann/{NAME}": "version https://git-lfs.github.com/spec/v1\n", f"ann/{LESSON}.zip": packed({NAME: SOLVED}), f"bo/{NAME}": SOLVED + " "}, {"ann": NAME, "bo": NAME}),
    "pairs by both names": Collected("names", "by hand", {f"{who}/{NAME}": SOLVED + who for who in ("ann, bo", "cy & di", "ed + fi", "gus_hal")}, {who: NAME for who in ("ann, bo", "cy & di", "ed + fi", "gus_hal")}),
    "names between all kinds of marks": Collected(
        "names", "by hand", {f"{name}.ipynb": SOLVED + name for name in (f"{LESSON} (Ann Lee)", f"{LESSON} [Bo Kim]", "cy.li.hw3", "S27-CS229-hw3-di", "self-attention-ed", "SelfAttention_fi")}, dict.fromkeys(("Ann Lee", "Bo Kim", "cy.li", "S27-CS229-di", "ed", "fi"), ".ipynb"),
    ),
    "one archive, downloaded twice": Collected("attempts", "browsers", {"ann.zip": packed({NAME: SOLVED}), "ann (1).zip": packed({NAME: SOLVED}), "bo.zip": packed({NAME: SOLVED + " "})}, {"ann": NAME, "bo": NAME}),
    "archives of a whole home": Collected("archives", "by hand", {"ann.zip": packed({f"Users/ann/Desktop/{NAME}": SOLVED, "Users/ann/Library/x.json": "{}"}), "bo.zip": packed({f"New folder/{NAME}": SOLVED + " "})}, {"ann": NAME, "bo": NAME}),
    "a branch beside what was forked": Collected("attempts", "git", {f"ann/notebooks/{NAME}": BLANK, f"ann/{NAME}": SOLVED, "ann/.gitmodules": "x", f"ann/.git/objects/{NAME}": SOLVED + " ", "bo/.gitmodules": "x", f"cy/{NAME}": SOLVED + "  "}, {"ann": f"ann/{NAME}", "bo": "", "cy": NAME}),
}  # fmt: skip


COLLECTED |= {f"names, {how}": Collected("names", "by hand", {file: SOLVED + " " * i for i, file in enumerate(files)}, {who: file for file, who in files.items()}) for how, files in CALLED.items()}  # fmt: skip
COLLECTED |= {
    name: Collected(
        "downloads",
        system,
        {file: BLANK if who == "*" else SOLVED + " " * i for i, (file, who) in enumerate(files.items())},
        {who: file for file, who in files.items() if who not in ("", "*")},
    )
    for name, (system, files) in LAID_OUT.items()
}


@dataclass(frozen=True)
class Graded:
    """One student's notebook, in a file called `name`; `lost` are points by exercise, `says` must stand on the feedback page, `words` in the
    graded notebook."""

    kind: str
    report: str
    content: Callable[[NotebookNode], str | bytes]
    lost: float = 0.0
    says: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    status: str = "graded"
    beside: tuple[tuple[str, str], ...] = ()
    name: str = NAME

    def write(self) -> bytes:
        content = self.content(copy.deepcopy(NOTEBOOK))
        return content if isinstance(content, bytes) else content.encode()


KEEP = "def own(f):\n    return f"
GRADED = {
    "goes-on-in-a-second-cell": Graded("words", "resonance#109", in_words(new_markdown_cell("Second part."), text="First part."), words=("First part.", "Second part.")),
    "beside-its-cell": Graded("words", "resonance#109", in_words(new_markdown_cell("Below the cell.")), words=("Below the cell.",)),
    "words-in-a-code-cell": Graded("words", "nbgrader#107", of_kind("code", "written_question", "It says 16, of course."), words=("It says 16, of course.",)),
    "answer-became-markdown": Graded("kinds of cells", "nbgrader#92", of_kind("markdown", "causal_mask"), says=("causal_mask",)),
    "answer-became-raw": Graded("kinds of cells", "nbgrader#1941", of_kind("raw", "causal_mask"), says=("causal_mask",)),
    "text-doubled-in-its-cell": Graded("kinds of cells", "jupyter-collaboration#594", in_answer(lambda code: code.strip() * 2), says=("stood twice",)),
    "colab-drive-then-a-helper": Graded("kernel", "MXNet-GluonCV#1", with_own("from google.colab import drive\ndrive.mount('/content')\n" + KEEP)),
    "seaborn-then-a-helper": Graded("kernel", "nbgrader#1876", with_own("import seaborn as sns\nsns.set_theme()\n" + KEEP)),
    "future-annotations": Graded("kernel", "marimo#3918", with_own("from __future__ import annotations", "def own(f: Nowhere):\n    return f")),
    "helper-in-a-figure": Graded("kernel", "found by trying", helper_in_a_figure),
    "torch-compile": Graded("kernel", "found by trying", in_answer(lambda code: "@torch.compile\n" + code)),
    "default-device": Graded("kernel", "found by trying", with_own("torch.set_default_device('cuda')\n" + KEEP)),
    "tensors-on-a-gpu": Graded(
        "kernel", "found by trying", with_own("import torch\nassert torch.cuda.is_available(), 'Runtime > Change runtime type > GPU'\nprint(torch.cuda.get_device_name(0))\n"
        "weight = torch.ones(2, device='cuda')\nmodel = torch.nn.Linear(2, 2).cuda().to('cuda:0')\n\ndef own(f):\n    model(weight.to(0)).cpu()\n    return f"),
    ),
    "display-and-the-widget-backend": Graded("kernel", "otter#35", with_own("%matplotlib notebook\ndisplay('ready')\n" + KEEP)),
    "needs-a-package": Graded("kernel", "nbgrader#1876", in_answer(lambda code: "import einops\n" + code.replace("    return", "    einops.x\n    return", 1)), 1.5, ("import einops", "No module named")),
    "decorated-by-a-package": Graded("kernel", "nbdev#639", in_answer(lambda code: "import numba\n\n\n@numba.njit(cache=True)\n" + code), says=("@numba.njit(cache=True)", "No module named")),
    "24-MB-of-outputs": Graded("files", "aitnd-issues#49", with_outputs),
    "a-name-bound-in-steps": Graded("kernel", "found by trying", uses_own("base = 2", "base *= 3", "base -= 1\nassert base == 5\n\n\n" + KEEP)),
    "a-module's-name-reused-below": Graded("order", "found by trying", below_all("torch = None\nfor math in range(3):\n    pass")),
    "a-comma-too-many": Graded("files", "nbformat", in_lines(lambda text: text.replace("\n  }", ",\n  }").replace("{,", "{")), says=("read as it is meant",)),
    "another-kernel": Graded("files", "nbgrader#416", of_another_kernel),
    "a-library's-function-reused-below": Graded("order", "found by trying", below_all("torch.softmax = None\nfor name in ('arange', 'ones'):\n    setattr(torch, name, None)\ndel torch.exp")),
    "an-own-cell-that-takes-long": Graded("kernel", "found by trying", uses_own("steps = 10**12\nfor step in range(steps):\n    loss = step\n\n\n" + KEEP), says=("takes too long here",)),
}  # fmt: skip
GRADED_MORE = {
    "a-table-that-takes-seconds": Graded(
        "kernel",
        "found by trying",
        uses_own(
            "import time\nbegun = time.process_time()\nwhile time.process_time() - begun < 3:\n    pass\nsizes = {n: n for n in range(100)}",
            "def own(n):\n    return sizes.get(n)",
        ),
    ),
    "an-experiment-that-takes-seconds": Graded(
        "kernel",
        "found by trying",
        uses_own("import time\nq = k = 0\nwhile time.process_time() < 10**6:\n    q += k", KEEP),
        says=("takes too long here",),
    ),
    "what-a-command-printed": Graded(
        "kernel",
        "found by trying",
        uses_own("files = !ls\nprint(files[0], len(files), files.n > 3, int(files[0]) + 1)\nfirst = files[0].split()[0] + '!'\n" + KEEP),
    ),
    "a-script-written-by-a-cell": Graded("kernel", "nbgrader#940", uses_own("%%writefile helper.py\n" + KEEP, "from helper import own")),
    "a-script-handed-in-beside": Graded("kernel", "nbgrader#940", uses_own("from helper import own"), beside=(("helper.py", KEEP),)),
    "a-script-handed-in-and-run": Graded("kernel", "nbgrader#940", uses_own("%run helper.py"), beside=(("helper.py", KEEP),)),
    "a-script-of-a-taken-name": Graded(
        "kernel", "nbgrader#940", uses_own(KEEP), 0.0, ("utils.py", "another name"), beside=(("utils.py", KEEP),)
    ),
    "a-script-of-any-name-that-is-run": Graded("kernel", "nbgrader#940", uses_own("%run my-helper.py"), beside=(("my-helper.py", KEEP),)),
    "a-script-that-lacks-a-package": Graded(
        "kernel",
        "nbgrader#940",
        uses_own("from helper import own"),
        beside=(("helper.py", "import seaborn as sns\nsns.set_theme()\n" + KEEP),),
    ),
    "a-script-that-is-not-there": Graded("kernel", "nbgrader#940", uses_own("%run helper.py"), 1.5, ("helper.py",)),
    "input-in-an-answer": Graded(
        "kernel", "nbgrader#1844", in_answer(lambda code: code + "\n\nsize = int(input('size? '))\nprint(causal_mask(size))\n")
    ),
    "input-then-a-helper": Graded("kernel", "nbgrader#1844", uses_own("name = input('Who? ')\nprint(name)\n" + KEEP)),
    "exit-in-an-answer": Graded("kernel", "notebook#4400", in_answer(lambda code: code + "\nexit()\n")),
    "asyncio.run": Graded(
        "kernel",
        "notebook#4312",
        uses_own("import asyncio, nest_asyncio\nnest_asyncio.apply()\nasync def main(): return 3\nasyncio.run(main())\n" + KEEP),
    ),
    "files.upload": Graded(
        "kernel",
        "colabtools#3987",
        uses_own("from google.colab import files\nuploaded = files.upload()\nfor name in uploaded.keys():\n    print(name)\n" + KEEP),
    ),
    "a-secret-of-Colab": Graded("kernel", "colabtools", uses_own("from google.colab import userdata\nkey = userdata.get('KEY')\n" + KEEP)),
    "an-environment-variable": Graded("kernel", "found by trying", uses_own("import os\nkey = os.environ['API_KEY']\n" + KEEP)),
    "Kaggle's-input": Graded(
        "kernel",
        "found by trying",
        uses_own(
            "import os\nfor where, _, names in os.walk('/kaggle/input'):\n    print(names)\ntable = open('/kaggle/input/a/train.csv').read()\n"
            + KEEP
        ),
    ),
    "a-database": Graded(
        "kernel", "found by trying", uses_own("import sqlite3\ndb = sqlite3.connect('log.db')\ndb.execute('create table log (x)')\n" + KEEP)
    ),
    "a-package-installed-by-code": Graded(
        "kernel",
        "nbgrader#1876",
        uses_own("import subprocess, sys\nsubprocess.check_call([sys.executable, '-m', 'pip', 'install', 'einops'])\n" + KEEP),
    ),
    "pictures-saved": Graded(
        "kernel",
        "found by trying",
        uses_own(
            "import matplotlib.pyplot as plt\nplt.style.use('seaborn')\nplt.plot([1])\nplt.savefig('/content/drive/a.png')\nplt.show()\n"
            + KEEP
        ),
    ),
    "IPython's-own-shell": Graded(
        "kernel", "otter#35", uses_own("from IPython import get_ipython\nget_ipython().run_line_magic('matplotlib', 'inline')\n" + KEEP)
    ),
    "widgets": Graded(
        "kernel",
        "otter#35",
        uses_own(
            "import ipywidgets as widgets\nfrom ipywidgets import interact\ndisplay(widgets.IntSlider(3))\n@interact(n=(1, 5))\ndef show(n=2):\n    print(n)\n"
            + KEEP
        ),
    ),
    "progress-bars": Graded(
        "kernel",
        "found by trying",
        in_answer(
            lambda code: (
                "from tqdm.notebook import tqdm\n" + code.replace("    return", "    for _ in tqdm(range(2)):\n        pass\n    return", 1)
            )
        ),
    ),
    "threads-and-processes": Graded(
        "kernel",
        "found by trying",
        uses_own(
            "from concurrent.futures import ThreadPoolExecutor\nwith ThreadPoolExecutor() as pool:\n    list(pool.map(abs, [1]))\ntorch.set_num_interop_threads(4)\n"
            + KEEP
        ),
    ),
    "warnings-as-errors": Graded(
        "kernel",
        "pymap3d#79",
        uses_own(
            "import sys, warnings\nimport numpy as np\nwarnings.simplefilter('error')\nnp.seterr(all='raise')\nsys.setrecursionlimit(10**6)\n"
            + KEEP
        ),
    ),
    "settings-of-PyTorch": Graded(
        "kernel",
        "found by trying",
        uses_own("torch.use_deterministic_algorithms(True)\ntorch.set_float32_matmul_precision('high')\ntorch.set_num_threads(8)\n" + KEEP),
    ),
    "a-method-added-to-PyTorch": Graded(
        "kernel", "found by trying", uses_own("torch.Tensor.told = lambda self: self.shape\ndef own(n):\n    return torch.ones(n).told()")
    ),
    "seeds-inside": Graded(
        "kernel",
        "found by trying",
        in_answer(
            lambda code: "import random\n" + code.replace("    return", "    random.seed(0)\n    torch.manual_seed(0)\n    return", 1)
        ),
    ),
    "main-guard": Graded(
        "kernel",
        "found by trying",
        uses_own("if __name__ == '__main__':\n    match 3:\n        case int(x):\n            def own(f): return f"),
    ),
    "a-helper-below": Graded("order", "python4cl#19", uses_own(KEEP, below=True)),
    "a-decorator-below": Graded("order", "python4cl#19", decorated_from_below, says=("which a cell below",)),
    "a-helper-deleted-at-the-end": Graded("order", "found by trying", deleted_at_the_end),
    "an-answer-in-its-check": Graded("places", "nbgrader#878", in_its_check),
    "an-answer-in-a-script-beside": Graded(
        "kernel",
        "nbgrader#940",
        in_answer(lambda code: "from mine import causal_mask"),
        beside=(
            (
                "mine.py",
                "import torch\nfrom jaxtyping import Bool, Float, Int\nfrom torch import Tensor\n\n\n"
                + answer(NOTEBOOK, "causal_mask").source,
            ),
        ),
    ),
    "all-cells-merged": Graded("places", "found by trying", all_merged),
    "an-answer-set-to-a-value-below": Graded("order", "found by trying", below_all("causal_mask = None", "padding_mask = torch.ones(3)")),
    "an-answer-by-another-name-below": Graded("order", "found by trying", renamed_below),
    "names-reused-by-exec": Graded("order", "found by trying", below_all("exec('torch = None')\nglobals()['math'] = 3")),
    "anomalies-are-errors": Graded("kernel", "found by trying", uses_own("torch.autograd.set_detect_anomaly(True)\n" + KEEP)),
    "an-answer-used-up-below-its-check": Graded(
        "order", "found by trying", below_its_check("causal_mask = causal_mask(5)\nprint(causal_mask)")
    ),
    "an-answer's-name-imported-below": Graded(
        "order", "found by trying", below_all("from os import path as causal_mask, path as attention_scores")
    ),
    "a-helper's-name-reused-below": Graded("order", "found by trying", own_then(KEEP, "own = 0.5")),
    "a-helper-mended-below": Graded("order", "found by trying", own_then("def own(f):\n    raise ValueError", KEEP)),
    "comments-in-its-JSON": Graded(
        "files",
        "nbformat",
        in_lines(lambda text: "// mine\n" + text.replace('"cells": [', '"cells": [ /* all */\n # here\n')),
        says=("read as it is meant",),
    ),
    "two-byte-order-marks": Graded("files", "otter#524", in_lines(lambda text: "\ufeff\ufeff" + text)),
    "single-quotes": Graded("files", "nbformat", as_text(lambda text: str(json.loads(text))), says=("read as it is meant",)),
    "line-ends-in-strings": Graded("files", "nbformat", in_lines(lambda text: re.sub(r"(?<!\\)\\n", "\n", text))),
    "utf-16": Graded("files", "otter#524", as_text(lambda text: text.encode("utf-16"))),
    "a-script-as-a-notebook": Graded("files", "Fall2022class#48", lambda _: SCRIPT),
    "a-renamed-function": Graded(
        "names", "nbgrader#1941", in_answer(lambda code: code.replace("def causal_mask(", "def causal_masks(")), 1.5, ("causal_masks",)
    ),
    "a-type-of-3.12": Graded("newer Python", "Colab", in_answer(lambda code: "type Mask = torch.Tensor\n" + code), 1.5, ("Python 3.12",)),
    "a-generic-of-3.12": Graded(
        "newer Python", "Colab", in_answer(lambda code: code.replace("def causal_mask(", "def causal_mask[T](")), 1.5, ("Python 3.12",)
    ),
    "quotes-of-3.12": Graded(
        "newer Python",
        "Colab",
        in_answer(lambda code: code.replace("    return", '    s = f"{\'a\' + "b"}"\n    return', 1)),
        1.5,
        ("Python 3.12",),
    ),
    "a-web-page-as-a-notebook": Graded(
        "files", "text-as-data#1", lambda _: "<!DOCTYPE html>\n<title>03</title>", FULL, ("web page",), status="unreadable"
    ),
    "lines-without-ends": Graded("files", "found by trying", without_ends, says=("had no ends",)),
    "text-behind-the-notebook": Graded(
        "files", "found by trying", as_text(lambda text: text + "<!-- hosted -->"), says=("behind the notebook",)
    ),
    "utf-16-without-its-mark": Graded("files", "found by trying", as_text(lambda text: text.encode("utf-16-be"))),
    "marks-of-a-merge-in-a-cell": Graded(
        "files",
        "nbdime",
        in_answer(lambda code: f"<<<<<<< local\n{code}\n=======\n{code}\n>>>>>>> remote"),
        1.5,
        ("A merge left its marks",),
    ),
    "ids-all-alike": Graded("files", "nbformat#247", changed_cells(lambda cell: {**cell, "id": "same"})),
    "metadata-stripped": Graded("files", "nbstripout", changed_cells(lambda cell: {**cell, "metadata": {}, "id": "x"})),
    "a-pointer-of-Git-LFS": Graded(
        "files", "found by trying", lambda _: "version https://git-lfs.github.com/spec/v1\n", FULL, ("Git LFS",), status="unreadable"
    ),
}
GRADED_MORE |= {  # own cells above an answer, which is decorated with what the last line defines
    name: Graded("kernel", report, with_own(code + KEEP))
    for name, report, code in (
        ("gradients-off", "found by trying", "torch.set_grad_enabled(False)\ntorch.inference_mode(True).__enter__()\n"),
        ("another-folder", "found by trying", "import os\nos.chdir('..')\nos.makedirs('out', exist_ok=True)\n"),
        ("another-path", "found by trying", "import sys\nsys.path.insert(0, '/content/repo')\nfrom mylib import thing\n"),
        ("print-replaced", "found by trying", "_print = print\ndef print(*a, **k):\n    _print('>', *a, **k)\n"),
        ("built-ins-reused", "found by trying", "list = [1, 2]\nsum = 3\nmax = 0\n"),
        (
            "signals-and-processes",
            "found by trying",
            "import multiprocessing, signal\nsignal.alarm(0)\nmultiprocessing.set_start_method('spawn', force=True)\n",
        ),
        (
            "workers-that-load",
            "pytorch",
            "from torch.utils.data import DataLoader\nbatch = next(iter(DataLoader(torch.ones(4), num_workers=2)))\n",
        ),
        ("a-page-fetched", "found by trying", "import urllib.request\nurllib.request.urlretrieve('https://example.org/x', 'x')\n"),
        (
            "a-log-of-experiments",
            "found by trying",
            "import wandb\nfrom torch.utils.tensorboard import SummaryWriter\nwandb.init(project='x')\nSummaryWriter().add_scalar('x', 1)\n",
        ),
        (
            "magics-of-extensions",
            "otter#35",
            "%load_ext rich\n%reload_ext tensorboard\n%timeit -n1 -r1 sum(range(3))\nt = %timeit -o -n1 -r1 pass\nwhere = %pwd\n",
        ),
        ("types-of-newer-Pythons", "Colab", "from typing import Self, override\n"),
        ("everything-imported", "found by trying", "from torch import *\nfrom torch.nn import *\nfrom torch.nn.functional import *\n"),
        ("a-script-run-by-exec", "found by trying", "exec(open('helpers.py').read())\n"),
    )
}
GRADED_MORE |= {  # what is wrong with a notebook that is right nonetheless
    "cells-in-another-order": Graded("places", "nbgrader#1083", swapped),
    "the-notebook-twice": Graded(
        "places", "otter#433", lambda notebook: nbformat.writes(NotebookNode({**notebook, "cells": notebook.cells * 2}))
    ),
    "answers-alone": Graded("places", "nbgrader#1083", only_answers),
    "prompts-copied": Graded("kinds of cells", "found by trying", in_answer(lambda code: ">>> " + code.strip().replace("\n", "\n... "))),
    "tabs": Graded("kinds of cells", "found by trying", in_answer(lambda code: code.replace("    ", "\t"))),
    "line-ends-of-old-Macs": Graded("kinds of cells", "found by trying", in_answer(lambda code: code.replace("\n", "\r"))),
    "cell-shown-in-a-form": Graded(
        "kernel", "Colab", in_answer(lambda code: "#@title Answer {display-mode: 'form'}\nheads = 3 #@param {type:'integer'}\n" + code)
    ),
    "an-own-test-that-fails": Graded(
        "kernel", "found by trying", in_answer(lambda code: code + "\n\nassert causal_mask(3).sum() == 100\n")
    ),
    "an-answer-cached": Graded("kernel", "found by trying", in_answer(lambda code: "from functools import cache\n\n\n@cache\n" + code)),
    "padded-with-nothing": Graded(
        "files", "found by trying", as_text(lambda text: text.encode() + bytes(4096)), says=("behind the notebook",)
    ),
    "packed-under-its-own-name": Graded("files", "gzip", as_text(lambda text: gzip.compress(text.encode()))),
    "a-library's-classes-changed-below": Graded(
        "order",
        "found by trying",
        below_all(
            "import torch.nn.functional as F\nF.linear = torch.Tensor.softmax = None\ntorch.nn.Linear.forward = SelfAttention.forward = None"
        ),
    ),
    "a-library-changed-by-its-dictionary": Graded(
        "order",
        "found by trying",
        below_all(
            "from unittest.mock import patch\npatch.object(torch, 'softmax', None).start()\nvars(torch)['arange'] = math.sqrt = None"
        ),
    ),
    "a-debugger-left-in": Graded("kernel", "found by trying", uses_own("import pdb\nx = 1\nbreakpoint()\npdb.set_trace()\n" + KEEP)),
    "a-script-of-marimo's": Graded("files", "marimo#5072", as_marimo, says=("a script of marimo",)),
    "25-MB-of-pictures-in-a-text": Graded("files", "text-cells of Colab", with_pictures, says=("its pictures have more than",)),
    "25-MB-of-pictures-attached": Graded("files", "nbformat", with_attachments, says=("its pictures have more than",)),
    "a-package-that-takes-long": Graded(
        "kernel",
        "transformers",
        uses_own("from transformers import AutoTokenizer\ntokenizer = AutoTokenizer.from_pretrained('gpt2')\n" + KEEP),
    ),
    "training-below-an-answer": Graded("kernel", "found by trying", in_answer(lambda code: code + "\n\nwhile True:\n    causal_mask(3)\n")),
    "an-own-cell-that-ends-the-process": Graded("kernel", "found by trying", uses_own(KEEP + "\nimport os\nos._exit(0)")),
    "everything-reset-below": Graded("order", "found by trying", below_all("%reset -f", "globals().clear()")),
    "a-loop-without-end-below": Graded("order", "found by trying", below_all("while True: x = 1")),
}
GRADED_MORE |= {
    "a-notebook-that-is-run": Graded("kernel", "nbgrader#940", uses_own("%run helper.ipynb"), beside=(("helper.ipynb", as_notebook(KEEP)),)),
    "a-script-that-is-run-without-its-ending": Graded("kernel", "nbgrader#940", uses_own("%run ./helper"), beside=(("helper.py", KEEP),)),
    "a-notebook-that-is-imported": Graded("kernel", "import_ipynb", uses_own("import import_ipynb\nfrom helper import own"), beside=(("helper.ipynb", as_notebook(KEEP)),)),
    "a-training-on-several-processes": Graded("kernel", "PyTorch's tutorials", uses_own("import torch.distributed as dist\ndist.init_process_group('gloo', rank=0, world_size=1)\nprint(dist.get_rank())\n" + KEEP)),
    "a-method-assigned-below-its-class": Graded("places", "Dive into Deep Learning", method_in_another_cell(after="\n\n\nSelfAttention.forward = forward")),
    "a-method-added-by-a-decorator": Graded(
        "places", "Dive into Deep Learning", method_in_another_cell("def add_to(cls):\n    return lambda f: setattr(cls, f.__name__, f)\n\n\n@add_to(SelfAttention)\n")
    ),
    "a-method-added-by-jdc": Graded("places", "Reinforcement Learning Specialization", method_in_another_cell("%%add_to SelfAttention\n\n# Graded Cell\n")),
    "a-method-added-by-fastcore": Graded(
        "places", "fastai", method_in_another_cell("from fastcore.basics import patch\n\n\n@patch\n", of="self: SelfAttention")
    ),
    "a-method-added-by-d2l": Graded("places", "Dive into Deep Learning", method_in_another_cell("from d2l import torch as d2l\n\n\n@d2l.add_to_class(SelfAttention)\n")),
    "a-method-called-like-an-answer": Graded(
        "places",
        "Reinforcement Learning Specialization",
        below_all("import jdc\nfrom fastcore.all import *\nfrom fastcore.basics import patch\n\n\nclass Own:\n    pass", "%%add_to Own\ndef causal_mask(self):\n    return 3",
                  "@patch\ndef attention_scores(self: Own):\n    return 3"),
    ),
    **{
        f"a-draft-under-{magic.split()[0]}": Graded("order", "StackOverflow", below_its_check(f"%%{magic}\ndef causal_mask(n, device=None):\n    return torch.eye(n)"))
        for magic in ("script false --no-raise-error", "python3", "timeit -n1", "skip")
    },
    "a-table-beside-what-takes-long": Graded(
        "kernel", "found by trying", uses_own("import time\nbegan = time.time()\nwhile time.time() - began < 99:\n    pass\nTABLE = {3: 4}", "def own(f):\n    return TABLE[3] and f")
    ),
    "a-table-that-takes-long": Graded(
        "kernel",
        "found by trying",
        uses_own("began = 0\nwhile began < 99**99:\n    began += 1\nTABLE = dict(a=began)", "def own(f):\n    return TABLE['a'] and f"),
        1.5,
        ("took more than 10 seconds",),
    ),
    "an-answer-under-%%wandb": Graded("kernel", "wandb", in_answer(lambda code: "%%wandb\n" + code)),
    "a-helper-under-%%ipytest": Graded("kernel", "ipytest", uses_own("import ipytest", "%%ipytest -q\n" + KEEP + "\ndef test_own():\n    assert own(3) == 3")),
    "a-library's-function-broken-between-answers": Graded("order", "found by trying", below_its_check("torch.Tensor.softmax = None", "scaled_dot_product_attention")),
    "a-PDF-as-a-notebook": Graded("files", "sds2019#11", lambda _: b"%PDF-1.4\n%\xe2", FULL, ("a PDF",), status="unreadable"),
    "a-picture-as-a-notebook": Graded("files", "by mail", lambda _: b"\x89PNG\r\n\x1a\n\0\0", FULL, ("a picture",), status="unreadable"),
    "a-server's-answer-as-a-notebook": Graded("files", "curl", lambda _: "404: Not Found", FULL, ("404",), status="unreadable"),
    **{
        f"a-text-of-{form.partition(':')[2] or form}": Graded("files", "jupytext", lambda notebook, form=form: jupytext.writes(notebook, fmt=form), says=("came as a text",), name=f"{LESSON}.{form.partition(':')[0]}")
        for form in ("md", "md:myst", "Rmd")
    },
}  # fmt: skip
GRADED_MORE |= {  # helpers in folders beside the notebook
    name: Graded("kernel", report, uses_own(*code), beside=beside)
    for name, report, code, beside in (
        ("a-script-in-a-folder", "cookiecutter", ("from src.helper import own",), (("src/helper.py", KEEP),)),
        ("a-package-of-ones-own", "cookiecutter", ("from src import own",), (("src/__init__.py", "from .helper import own\n"), ("src/helper.py", KEEP))),
        ("a-module-by-its-path", "cookiecutter", ("import src.helper\nown = src.helper.own",), (("src/helper.py", KEEP),)),
        ("a-folder-on-Python's-path", "nbgrader#940", ("import sys\nsys.path.append('src')\nfrom helper import own",), (("src/helper.py", KEEP),)),
        ("a-script-in-a-folder-that-is-run", "nbgrader#940", ("%run src/helper.py",), (("src/helper.py", KEEP),)),
        ("a-notebook-in-a-folder-that-is-run", "nbgrader#940", ("%run src/helper.ipynb",), (("src/helper.ipynb", as_notebook(KEEP)),)),
        ("a-script-added-to-the-course's", "found by trying", ("from utils.mine import own",), (("utils/mine.py", KEEP),)),
        ("scripts-that-import-each-other", "found by trying", ("from parts.a import own",), (("parts/a.py", "from parts.b import own"), ("parts/b.py", KEEP))),
        ("a-script-that-is-opened", "found by trying", ("exec(open('src/helper.py').read())",), (("src/helper.py", KEEP),)),
        ("a-script-written-into-a-folder", "nbgrader#940", ("import os\nos.makedirs('src', exist_ok=True)", "%%writefile src/helper.py\n" + KEEP, "from src.helper import own"), ()),
        ("a-module-by-its-file", "StackOverflow", ("import importlib.util\nspec = importlib.util.spec_from_file_location('mine', 'src/helper.py')\nmine = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(mine)\nown = mine.own",), (("src/helper.py", KEEP),)),
        ("a-script-that-is-asked-for", "Colab", ("import os\nif not os.path.exists('helper.py'):\n    raise FileNotFoundError('helper.py')\nfrom helper import own",), (("helper.py", KEEP),)),
        ("a-script-in-a-folder-gone-to", "Colab", ("%cd src\nfrom helper import own",), (("src/helper.py", KEEP),)),
        ("a-script-that-is-read", "found by trying", ("from pathlib import Path\nexec(Path('helper.py').read_text())",), (("helper.py", KEEP),)),
        ("a-script-of-ones-name", "found by trying", ("from utils_ann import own",), (("utils_ann.py", KEEP),)),
    )
}  # fmt: skip
GRADED_MORE |= {  # what programs put into code on its way
    name: Graded("kinds of cells", report, in_answer(change), says=says)
    for name, report, change, says in (
        ("blanks-of-a-word-processor", "JupyterLab", lambda code: code.replace("    ", "\u00a0" * 4), ("that nobody sees",)),
        ("blanks-of-no-width", "Colab", lambda code: code.replace("\n", "\u200b\n"), ("that nobody sees",)),
        ("a-byte-order-mark-in-a-cell", "found by trying", lambda code: "\ufeff" + code, ("that nobody sees",)),
        ("quotes-of-a-word-processor", "by mail", lambda code: code.replace('"""', "“““", 1).replace('"""', "”””", 1), ("quotes and dashes",)),
        ("a-chat's-fences", "found by trying", lambda code: f"```python\n{code.strip()}\n```", ("between ```",)),
        ("a-chat's-words-around-fences", "found by trying", lambda code: f"Here it is:\n\n```python\n{code.strip()}\n```\n\nIt makes a mask.", ("between ```",)),
        ("a-chat's-last-fence", "found by trying", lambda code: f"{code.strip()}\n```", ("between ```",)),
        ("numbers-of-lines", "found by trying", lambda code: "\n".join(f"{i:>3}\t{line}" for i, line in enumerate(code.strip().split("\n"), 1)), ("numbers of lines",)),
        ("the-signs-of-a-comparison", "git", lambda code: "\n".join("+" + line for line in code.strip().split("\n")), ("marks before its lines",)),
        ("the-signs-of-an-answered-mail", "by mail", lambda code: "\n".join("> " + line for line in code.strip().split("\n")), ("marks before its lines",)),
        ("the-codes-of-a-web-page", "found by trying", lambda code: code.replace('"', "&quot;").replace(">", "&gt;"), ("codes of a web page",)),
    )
}  # fmt: skip
GRADED_MORE |= {
    "a-constant-of-a-figure's-cell": Graded("kernel", "found by trying", in_answer(lambda code: code.replace("    return", "    LENGTHS.index(128)\n    return", 1))),
    "a-constant-of-a-figure's-cell-in-a-helper": Graded("kernel", "found by trying", uses_own("def own(f):\n    return DIVISORS[0] and max(LENGTHS)")),
    "a-helper's-name-used-again-for-another": Graded("order", "otter#793", helper_again),
    "a-helper's-name-used-again-in-answers": Graded("order", "otter#793", lambda notebook: helper_again(notebook, inside=True)),
    "an-experiment-below-a-right-answer": Graded("order", "nbgrader", below_its_check(answer(NOTEBOOK, "causal_mask").source.replace("tril", "triu")), says=("in its own cell counts",)),
    "a-better-answer-below-a-wrong-one": Graded("order", "found by trying", right_below_wrong),
    "an-experiment-that-gives-nothing": Graded("order", "nbgrader", below_its_check("def causal_mask(n, device=None):\n    pass"), says=("in its own cell counts",)),
    "a-stub-below-a-right-answer": Graded("order", "found by trying", below_its_check("def causal_mask(n):\n    raise NotImplementedError()")),
    "solved-then-blank": Graded("places", "otter#433", lambda notebook: nbformat.writes(NotebookNode({**notebook, "cells": [*notebook.cells, *nbformat.reads(BLANK, 4).cells]}))),
    "blank-then-solved": Graded("places", "otter#433", lambda notebook: nbformat.writes(NotebookNode({**notebook, "cells": [*nbformat.reads(BLANK, 4).cells, *notebook.cells]}))),
    "an-annotation-that-is-not-imported": Graded("kernel", "Python 3.14", in_answer(lambda code: re.sub(r"-> .*?:\n", "-> Optional[np.ndarray]:\n", code, count=1)), says=("without its annotations", "Optional")),
    "an-annotation-that-is-no-type": Graded("kernel", "Python 3.14", in_answer(lambda code: re.sub(r"-> .*?:\n", "-> 'Mask' | None:\n", code, count=1)), says=("without its annotations",)),
    "a-library's-function-written-anew": Graded("order", "found by trying", below_its_check("import torch\n\n\ndef own_softmax(x, dim=-1):\n    e = (x - x.max(dim, keepdim=True).values).exp()\n    return e / e.sum(dim, keepdim=True)\n\n\ntorch.softmax = own_softmax")),
    "an-answer-under-%%time": Graded("kernel", "Colab", in_answer(lambda code: "%%time\n" + code)),
    "an-answer-under-%%capture": Graded("kernel", "Colab", in_answer(lambda code: "%%capture out\n" + code)),
    "questions-behind-an-answer": Graded("kernel", "otter#35", in_answer(lambda code: code + "\ncausal_mask?\ntorch.softmax??\n?torch.ones\n")),
    "await-above-an-answer": Graded("kernel", "notebook#4312", in_answer(lambda code: "import asyncio\nawait asyncio.sleep(0)\n" + code)),
    "an-answer-as-a-method": Graded("places", "found by trying", in_answer(lambda code: f"class Answers:\n    @staticmethod\n{textwrap.indent(code, '    ')}\n\ncausal_mask = Answers.causal_mask")),
    "an-answer-in-an-if": Graded("places", "found by trying", in_answer(lambda code: "if True:\n" + textwrap.indent(code, "    "))),
    "answers-in-each-other's-cells": Graded("places", "nbgrader#1083", exchanged),
    "the-refusal-left-below": Graded("places", "found by trying", in_answer(lambda code: code.rstrip() + "\n    raise NotImplementedError\n")),
    "marks-of-papermill": Graded("files", "papermill", changed_cells(lambda cell: {**cell, "metadata": {**cell["metadata"], "tags": [*cell["metadata"].get("tags", []), "papermill"], "papermill": {"status": "completed"}}})),
    "marks-of-nbdev": Graded("kinds of cells", "nbdev", in_answer(lambda code: "#| export\n" + code)),
    "a-script-of-Databricks's": Graded("files", "found by trying", as_databricks_script, says=("another program",), name=f"{LESSON}.py"),
    "a-project-of-Deepnote's": Graded("files", "found by trying", as_deepnote, says=("another program",), name="hw3.deepnote"),
    "functions-alone-in-a-text": Graded("files", "found by trying", functions_alone, says=("came as a script",), name=f"{LESSON}.txt"),
    "functions-alone-with-a-mistake-behind": Graded("files", "found by trying", lambda notebook: functions_alone(notebook) + "\n\n\ndef x(:\n", says=("came as a script",), name=f"{LESSON}.txt"),
    **{f"a-script-of-jupytext's-{form}": Graded("files", "jupytext", lambda notebook, form=form: jupytext.writes(notebook, fmt=f"py:{form}"), name=f"{LESSON}.py") for form in ("light", "sphinx", "percent", "hydrogen")},
    "a-text-of-Quarto's": Graded("files", "Quarto", lambda notebook: re.sub(r"```python[^\n]*", "```{python}\n#| echo: false", jupytext.writes(notebook, fmt="md")), says=("came as a text",), name=f"{LESSON}.qmd"),
}  # fmt: skip
if sys.version_info >= (3, 12):  # they are no newer syntax then
    GRADED_MORE = {name: row for name, row in GRADED_MORE.items() if row.kind != "newer Python"}
STORE = "tests.grader.durability.test_one_store"
ELSEWHERE = {
    "two sections, one late notebook alone (redkyn/grader#24)": f"{STORE}.test_two_sections_and_a_late_notebook_are_one_class",
    "grade course/submitted/ann": "tests.grader.ingest.test_collect.test_a_part_of_the_course_belongs_to_its_student",
    "a due date is moved (nbgrader#723)": f"{STORE}.test_a_due_date_that_is_moved_moves_penalties_both_ways",
    "timestamps with a zone's name (nbgrader#73)": f"{STORE}.test_times_are_read_as_nbgrader_reads_them",
    "dropped and renamed students (redkyn/grader#36)": f"{STORE}.test_who_left_or_has_another_name_is_in_no_view",
    "EX and N/A (gradebook_exporter.rb)": "tests.exports.test_round_trips.test_what_is_no_number_stays",
    "a student in two rows (pawtograder#979)": "tests.exports.test_round_trips.test_no_0_for_whom_an_id_could_be",
    "a model of 97 MiB": "tests.lessons.test_07_outcome.test_a_file_beyond_the_limit_is_said_to_be",
    "training on a GPU without a compiler (nanoGPT#325)": "tests.utils.test_training_on_gpu.test_training_goes_on_where_compiling_fails",
    "a T4, which emulates bfloat16 (pytorch#118122)": "tests.utils.test_training_on_gpu.test_the_precision_is_chosen_by_capability",
    "progress after a restart": "tests.commands.test_progress.test_an_answer_is_out_of_date_when_it_is_another_and_not_when_it_ran_again",
    "PyTorch as pip gives it, whose needs have extras": "tests.colab.test_install.test_what_an_extra_brings_is_shipped_too",
    "outputs of 100 MB": "tests.grader.ingest.test_collect.test_outputs_do_not_count_against_the_size",
    "exports of .NET, Deepnote, Databricks": "tests.colab.test_graded.test_solved",
    "newer syntax": "tests.grader.ingest.test_damage.test_newer_syntax_gets_a_message_with_both_versions",
}
