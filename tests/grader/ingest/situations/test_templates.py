"""Whatever one template makes of five students' names, five students are found, or it is said that it is not sure, or whose files are not taken."""

import json
import random

import pytest

from autograde.grader.ingest.survey import survey
from autograde.grader.ingest.whose.namesakes import tell_apart

LESSON = "03_self_attention"
PEOPLE = (
    ("alee", "bkim", "cli2", "dwu", "eng"), ("Ann Lee", "Bo Kim", "Cy Li", "Di Wu", "Ed Ng"), ("Lee, Ann", "Kim, Bo", "Li, Cy", "Wu, Di", "Ng, Ed"),
    ("Lee_Ann", "Kim_Bo", "Li_Cy", "Wu_Di", "Ng_Ed"), ("20231234", "20231235", "20240001", "20240002", "20239999"),
    ("ann@x.edu", "bo@x.edu", "cy@x.edu", "di@x.edu", "ed@x.edu"), ("王小明", "李芳", "张三", "陈静", "刘洋"), ("s1234567", "s1234568", "s2234567", "s3334567", "k1234567"),
)  # fmt: skip
WORDS = (
    LESSON, "hw3", "Homework 3", "self-attention", "Lesson3", "03", "attention", "Assignment_3", "lab3", "TP3", "Untitled", "submission", "notebook", "final", "Abgabe",
    "2026-11-03", "20261103", "2026_11_03", "2026-11-03_14-13-00", "20261103_141300", "11-3-2026", "Nov 3, 2026", "2026-03-04T14:13:00", "1761829381",
    "1", "12", "123456", "v2", "(1)", "LATE", "copy",
)  # fmt: skip
AROUND = ("", "", "", "submissions/", "HW3/", "Section 2/", "CS 229/HW3/", "downloads/", "Monday/", "2026/", "x/y/")
INSIDE = ("", "", "src/", "notebooks/", "7/", "attempt 1/", "work/", "attention-main/")


def name(choose: random.Random) -> str:
    """A name with a student's in it, among words and days, all with one mark between them."""
    words = [choose.choice(WORDS) for _ in range(choose.randint(0, 3))]
    words.insert(choose.randint(0, len(words)), "{who}")
    return choose.choice(("_", "-", " ", " - ", "__", ".")).join(words)


def template(choose: random.Random) -> str:
    if choose.random() < 0.25:
        return choose.choice(AROUND) + name(choose) + ".ipynb"
    file = name(choose) if choose.random() < 0.4 else choose.choice((LESSON, "hw3", "Untitled0", "attention", "final", "notebook"))
    return f"{choose.choice(AROUND)}{name(choose)}/{choose.choice(INSIDE)}{file}.ipynb"


@pytest.mark.parametrize("seeds", [range(40), pytest.param(range(1000, 1600), marks=pytest.mark.slow)], ids=["some", "many"])
def test_nobody_is_lost_silently(seeds, tmp_path):
    lost = {}
    for seed in seeds:
        choose = random.Random(seed)
        form, people = template(choose), choose.choice(PEOPLE)
        for who in people:
            file = tmp_path / str(seed) / "class" / form.replace("{who}", who)
            file.parent.mkdir(parents=True, exist_ok=True)
            cell = {
                "cell_type": "code",
                "source": f"def causal_mask(t):\n    return {who!r}",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
            file.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
        found = survey([tmp_path / str(seed) / "class"], LESSON, tmp_path / str(seed) / "scratch")
        tell_apart(found, {}, {})
        nobodys = [out for out in found.left_out if not out.student]
        if len({one.student for one in found.handed}) + len(nobodys) != len(people) and not found.doubts and not found.held:
            lost[form] = sorted(found.students)
    assert not lost
