"""Sections graded in calls of their own, regrades, moved due dates, students who leave, come back or are renamed, points and written answers by hand, in any order:
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
        self.written = {}  # points of the written answer
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
        by_hand = {student: self.extra.get(student, 0.0) + self.written.get(student, 0.0) for student in self.graded}
        return {student: 0.0 if student in gone else FULL + by_hand[student] for student in self.graded}

    def present(self, section):
        return sorted(path.name for path in self.folders[section].iterdir())

    def free(self, section):
        """Who could be in a section and is not there."""
        there = {name for other in self.folders for name in self.present(other)}
        return [name for name in NAMES if name not in there and self.graded.get(name) in (None, section)]

    def arrive(self, section):
        free = self.free(section)
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

    def rename(self, section):
        """A folder gets another name: whoever had the old one is there no more, and the new one has none of their points."""
        free = [name for name in self.free(section) if name not in {*self.late, *self.extra, *self.written}]
        if not free or not (students := self.present(section)):
            return
        old, new = self.chance.choice(students), self.chance.choice(free)
        (self.folders[section] / old).rename(self.folders[section] / new)
        self.late |= {new} if old in self.late else set()

    def grade(self, section):
        grade(self.out, self.folders[section])
        self.graded = {student: where for student, where in self.graded.items() if where != section}
        self.graded |= dict.fromkeys(self.present(section), section)

    def give(self, section):
        if student := self.someone(section):
            self.by_hand(student, lambda grades: setattr(grades[0], "extra_credit", 2.0))
            self.extra[student] = 2.0

    def write(self, section):
        """Somebody grades the written answer, or changes their mind."""
        if student := self.someone(section):
            points = self.chance.choice([0.5, 1.5, 3.0])
            self.by_hand(student, lambda grades: [_given(grade, points) for grade in grades if grade.name == "written_question"])
            self.written[student] = points

    def someone(self, section):
        students = [student for student, where in self.graded.items() if where == section]
        return self.chance.choice(students) if students else None

    def by_hand(self, student, change):
        with Gradebook(database(self.out)) as gradebook:
            change(gradebook.find_submission_notebook(LESSON, LESSON, student).grades)
            gradebook.db.commit()
        class_run.refresh(self.out)

    def move(self, _):
        self.due = EARLY if self.due == LATE else LATE
        due(self.out, self.due)
        class_run.refresh(self.out)


def _given(grade, points):
    """What formgrader does with points for a written answer."""
    grade.manual_score, grade.needs_manual_grade = points, False


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_every_view_has_the_class_that_a_person_would_write_down(pupils, tmp_path, seed):
    model = Model(tmp_path, random.Random(seed))
    due(model.out, model.due)
    steps = ["arrive", "leave", "rename", "grade", "grade", "give", "write", "move"]
    for section in "AB":
        model.grade(section)
    for number in range(16):
        step, section = model.chance.choice(steps), model.chance.choice("AB")
        getattr(model, step)(section)
        if step in ("grade", "give", "write", "move"):
            assert views(model.out) == model.expected(), (seed, number, step, section)
