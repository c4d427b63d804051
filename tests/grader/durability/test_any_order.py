"""Sections graded in calls of their own, regrades, moved due dates, students who leave, come back or are renamed, points by hand, in any order:
every view shows the class that a simple model of it has."""

import random
import shutil
from datetime import datetime

import pytest
from nbgrader.api import Gradebook

from autograde.authoring.sample_class import LESSON
from autograde.checking.manifest import read_manifest
from autograde.grader.batch import class_run
from autograde.grader.gradebook.course_dir import create, database
from tests.grader.durability.test_one_store import due, grade, hand_in, views

FULL = sum(exercise["points"] for exercise in read_manifest(LESSON)["exercises"].values())
EARLY, LATE = datetime(2026, 1, 1), datetime(2026, 3, 1)  # due dates before and after which the late ones came
NAMES = [f"s{n}" for n in range(8)]


class Model:
    """The class as a person would write it down, beside the folders and the commands that change it."""

    def __init__(self, folder, chance):
        self.out, self.chance = folder / "o", chance
        self.folders = {name: folder / name for name in "AB"}
        self.graded, self.extra, self.late = {}, {}, set()  # the section by student, points by hand, who came after `EARLY`
        self.due = LATE
        create(self.out, [LESSON])
        config = self.out / "nbgrader_config.py"
        config.write_text(config.read_text() + "c.LateSubmissionPlugin.penalty_method = 'zero'\n")
        for section in self.folders.values():
            section.mkdir()
        for section in "AABB":
            self.arrive(section)

    def expected(self):
        gone = self.late if self.due == EARLY else set()
        return {student: 0.0 if student in gone else FULL + self.extra.get(student, 0.0) for student in self.graded}

    def present(self, section):
        return sorted(path.name for path in self.folders[section].iterdir())

    def arrive(self, section):
        free = [
            name
            for name in NAMES
            if not any(name in self.present(other) for other in self.folders) and self.graded.get(name) in (None, section)
        ]
        if not free:
            return
        student = self.chance.choice(free)
        hand_in(self.folders[section], student)
        if student in self.late or student not in self.extra and self.chance.random() < 0.4:
            self.late.add(student)
            (self.folders[section] / student / "timestamp.txt").write_text("2026-02-01 12:00:00 UTC")

    def leave(self, section):
        if len(students := self.present(section)) > 1:
            shutil.rmtree(self.folders[section] / self.chance.choice(students))

    def grade(self, section):
        grade(self.out, self.folders[section])
        self.graded = {student: where for student, where in self.graded.items() if where != section}
        self.graded |= dict.fromkeys(self.present(section), section)

    def give(self, section):
        if not (students := [student for student, where in self.graded.items() if where == section]):
            return
        student = self.chance.choice(students)
        with Gradebook(database(self.out)) as gradebook:
            gradebook.find_submission_notebook(LESSON, LESSON, student).grades[0].extra_credit = 2.0
            gradebook.db.commit()
        self.extra[student] = 2.0
        class_run.refresh(self.out)

    def move(self, _):
        self.due = EARLY if self.due == LATE else LATE
        due(self.out, self.due)
        class_run.refresh(self.out)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_every_view_has_the_class_that_a_person_would_write_down(pupils, tmp_path, seed):
    model = Model(tmp_path, random.Random(seed))
    due(model.out, model.due)
    steps = ["arrive", "leave", "grade", "give", "move"]
    for section in "AB":
        model.grade(section)
    for number in range(12):
        step, section = model.chance.choice(steps), model.chance.choice("AB")
        getattr(model, step)(section)
        if step in ("grade", "give", "move"):
            assert views(model.out) == model.expected(), (seed, number, step, section)
