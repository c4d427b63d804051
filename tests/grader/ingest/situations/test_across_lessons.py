"""Students who are called in another way in each lesson, and those who are not."""

import json

import pytest

from autograde import layout
from autograde.checking.manifest import read_manifest
from autograde.grader.ingest.collect import collect
from autograde.grader.ingest.whose.across_lessons import called_alike

LESSONS = {"3": "03_self_attention", "4": "04_multi_head_attention"}
CALLS = {  # the folders of each call, and the students
    "a number for each submission": (
        ["hw3/ann_88121", "hw3/bo_88122", "hw3/cy_88127", "hw4/ann_90311", "hw4/bo_90312"],
        [],
        {"ann", "bo", "cy"},
    ),
    "the same in two calls": (["hw3/ann_88121", "hw3/bo_88122"], ["hw4/ann_90311", "hw4/bo_90312"], {"ann_88121", "bo_88122"}),
    "a number before names": (["hw3/881 Ann Lee", "hw3/882 Bo Kim", "hw4/903 Ann Lee", "hw4/904 Bo Kim"], [], {"Ann Lee", "Bo Kim"}),
    "repositories of each lesson": (["hw3-ann", "hw3-bo", "hw3-cy", "hw4-ann", "hw4-bo", "hw4-cy"], [], {"ann", "bo", "cy"}),
    "homework behind names": (["ann_hw3", "bo_hw3", "cy_hw3", "ann_hw4", "bo_hw4"], [], {"ann", "bo", "cy"}),
    "one's own numbers": (["hw3/lee_1001", "hw3/lee_1002", "hw4/lee_1001", "hw4/lee_1002"], [], {"lee_1001", "lee_1002"}),
    "half a class in each lesson": (
        ["hw3/ann_1", "hw3/bo_2", "hw3/cy_3", "hw4/di_4", "hw4/ed_5"],
        [],
        {"ann_1", "bo_2", "cy_3", "di_4", "ed_5"},
    ),
    "groups in turn": (["hw3/Group 1", "hw3/Group 2", "hw4/Group 3", "hw4/Group 4"], [], {"Group 1", "Group 2", "Group 3", "Group 4"}),
}


def placed(folder, folders):
    for number, name in enumerate(folders):
        lesson = LESSONS["4" if "hw4" in name else "3"]
        cells = [
            {
                "cell_type": "code",
                "source": f"def {exercise}(*a):\n    return {number}",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            for exercise in read_manifest(lesson)["exercises"]
        ]
        (folder / name).mkdir(parents=True)
        (folder / name / "work.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return folder


@pytest.mark.parametrize("name", CALLS)
def test_one_student_is_one_in_all_lessons(name, tmp_path):
    assert set(LESSONS.values()) <= set(layout.lesson_names())
    first, second, students = CALLS[name]
    for number, folders in enumerate([first, second] if second else [first]):
        result = collect([placed(tmp_path / str(number), folders)], tmp_path / "course")
    assert {path.name for path in (tmp_path / "course" / "submitted").iterdir()} == students
    plain = {part for folder in (*first, *second) for part in folder.split("/")}
    assert bool(result.doubts and "changes from lesson to lesson" in result.doubts[-1]) == (not students <= plain or bool(second))


def test_a_third_call_finds_who_is_known():
    known = {"ann_1": {"03", "04"}, "bo_2": {"03", "04"}, "zed": {"03"}}
    lessons = {"ann_7": {"05"}, "bo_8": {"05"}, "zed": {"05"}}
    assert called_alike(lessons, known) == {"ann_7": "ann_1", "bo_8": "bo_2"}
