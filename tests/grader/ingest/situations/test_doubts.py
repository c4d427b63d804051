"""What is said, and what is held back, where names can be read in two ways; and what the list of the class decides."""

import json

import pytest
from rich.console import Console

from autograde.grader.gradebook.roster import Directory, Person
from autograde.grader.ingest import brought as told
from autograde.grader.ingest.collect import collect, collected
from autograde.grader.ingest.whose.by_list import Listed
from tests.grader.ingest.situations.called import DOUBTED, LESSON, NAME, SURE

CELL = {"cell_type": "code", "source": "def causal_mask(t):\n    return 1", "metadata": {}, "outputs": [], "execution_count": None}


def brought(folder, files, people=()):
    for number, file in enumerate(files):
        (folder / "class" / file).parent.mkdir(parents=True, exist_ok=True)
        cells = [{**CELL, "source": f"{CELL['source']} + {number}"}]
        (folder / "class" / file).write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    listed = Listed([person.name for person in people], Directory(people).of) if people else Listed()
    return collect([folder / "class"], folder / "course", LESSON, listed=listed)


def said(result):
    return [*result.doubts, *(out.why for out in result.left_out)]


@pytest.mark.parametrize("name", DOUBTED)
def test_what_may_be_read_in_two_ways_is_said(name, tmp_path):
    files, words = DOUBTED[name]
    assert words in " ".join(said(brought(tmp_path, files)))


@pytest.mark.parametrize("name", SURE)
def test_nothing_is_said_of_what_has_one_reading(name, tmp_path):
    assert said(brought(tmp_path, SURE[name])) == []


def test_collect_and_the_grader_say_it(tmp_path, capsys):
    files, words = DOUBTED["seconds behind a name"]
    console = Console(width=400, record=True)
    told.show(brought(tmp_path, files), console)
    collected([tmp_path / "class"], LESSON, tmp_path / "out", console)
    assert console.export_text().count(words) == 2


PEOPLE = [
    Person("wu", "Di Wu", "", ""),
    Person("李明", "", "", ""),
    Person("alee", "Ann Lee", "", "ann@x.edu"),
    Person("bkim", "Bo Kim", "", "bo@x.edu"),
    Person("20231234", "Cy Li", "", ""),
]
BY_LIST = {  # files, and the students that the list makes of them
    "words around names": ([f"minerva_{who}_x/{NAME}" for who in ("Ann Lee", "bkim", "20231234")], {"Ann Lee", "bkim", "20231234"}),
    "a folder that lies too high": ([f"{part}/{who}/{NAME}" for part, who in (("Mon", "alee"), ("Tue", "bkim"))], {"alee", "bkim"}),
    "a folder that lies too low": ([f"{who}/{kind}{who}/{NAME}" for who in ("alee", "bkim") for kind in "xy"], {"alee", "bkim"}),
    "files of several in one folder": (DOUBTED["files of several in one folder"][0], {"Ann Lee", "Bo Kim"}),
    "ids behind names": ([f"Ann_Lee_1/{NAME}", f"Ann_Lee/{NAME}", f"bkim/{NAME}"], {"Ann_Lee", "bkim"}),
    "numbers of a system behind names": ([f"Ann Lee_7654321_{NAME}", f"bkim_7654322_{NAME}", f"20231234-99_{NAME}"], {"Ann Lee", "bkim", "20231234"}),
    "names of two letters behind a course's number": ([f"cs1-{who}/{NAME}" for who in ("wu", "alee")], {"wu", "alee"}),
    "names of two characters": ([f"2026_{who}_作业.ipynb" for who in ("李明", "alee")], {"李明", "alee"}),
    "a stranger whose name holds one of two letters": ([f"wu bo/{NAME}", f"alee/{NAME}"], {"wu bo", "alee"}),
    "a stranger whose name holds another's": ([f"Bo Kim Park/{NAME}", f"Lee Ann Marie/{NAME}", f"alee/{NAME}"], {"Bo Kim Park", "Lee Ann Marie", "alee"}),
    "two folders that name one person in them": ([f"{folder}/{who} {NAME}" for folder, who in (("x1", "Ann Lee"), ("x2", "Bo Kim"), ("x3", "20231234"), ("x4", "Bo Kim"))], {"x1", "x2", "x3", "x4"}),
    "a stranger's folder, with another's name in it": (["zed/Bo Kim.ipynb", f"alee/{NAME}"], {"zed", "alee"}),
}  # fmt: skip


@pytest.mark.parametrize("name", BY_LIST)
def test_the_list_of_the_class_decides(name, tmp_path):
    files, students = BY_LIST[name]
    assert {row.student for row in brought(tmp_path, files, PEOPLE).rows} == students


def test_where_the_list_knows_all_nothing_is_in_doubt(tmp_path):
    files = [f"alee/{NAME}", f"bkim/{NAME}", f"20231234/{NAME}"]
    assert said(brought(tmp_path, files, PEOPLE)) == []


def test_what_else_lies_in_a_folder_goes_with_it(tmp_path):
    (tmp_path / "class" / "minerva_bkim").mkdir(parents=True)
    (tmp_path / "class" / "minerva_bkim" / "notes.pdf").write_bytes(b"%PDF")
    result = brought(tmp_path, [f"minerva_{who}/{NAME}" for who in ("alee", "bkim")], PEOPLE)
    assert {row.student for row in result.rows} | {out.student for out in result.left_out} == {"alee", "bkim"}


ANN, EVE = Person("ann", "Ann Lee", "", "ann@x.edu", others="98"), Person("eve", "ann", "", "eve@x.edu", others="99")


@pytest.mark.parametrize(
    ("sent", "students"),
    [
        ([f"leeann_98_1_{NAME}", f"ann_99_2_{NAME}"], {"leeann": "ann", "ann_99": ""}),
        ([f"ann_99_2_{NAME}"], {"ann_99": ""}),
        ([f"Ann Lee_7_assignsubmission_file_/{NAME}", f"ann_8_assignsubmission_file_/{NAME}"], {"Ann Lee": "ann", "ann_8": ""}),
        ([f"HW_ann_attempt_2026-11-03-14-13-00_{NAME}"], {"ann": "ann"}),  # Blackboard goes by ids
        ([f"ann/{NAME}", f"eve/{NAME}"], {"ann": "ann", "eve": "eve"}),
    ],
)
def test_who_is_called_by_anothers_id_gets_nothing_of_theirs(sent, students, tmp_path):
    """Eve has chosen Ann's id as her name: by the system's number she is neither."""
    assert {row.student for row in brought(tmp_path, sent, [ANN, EVE]).rows} == set(students)
    whose = {person.student: person.listed or person.student for person in Directory([ANN, EVE]).called(set(students))}
    assert {student: whose.get(student, "") for student in students} == students
