"""A regrade says whose points are others than before: a corrected check, a new submission, and a folder that nobody graded yet."""

import shutil

import pytest
from rich.console import Console

from autograde.grader.batch import changes
from autograde.grader.batch.log_file import NAME
from autograde.grader.gradebook import roster
from autograde.grader.run import cache_key


def logged(out):
    return [line.split("other points than before: ")[1] for line in (out / NAME).read_text().splitlines() if "than before" in line]


def test_a_grader_that_gives_other_points_says_to_whom(pupils, tmp_path):
    out = tmp_path / "out"
    pupils.grade(out)
    pupils.grade(out)
    before = changes.points(out)
    pupils.hand_in("ada", text="another answer")
    pupils.share = 0.5
    pupils.grade(out)
    after = changes.points(out)
    (changed,) = [key for key in before if before[key] != after[key]]
    line = f"ada, lesson 03: {before[changed]:g} → {after[changed]:g} points"
    assert changed[0] == "ada" and logged(out) == ["nobody", "nobody", line]


@pytest.mark.slow
def test_who_is_graded_alone_after_a_corrected_check_does_not_stand_beside_old_points_unsaid(pupils, tmp_path, monkeypatch):
    out = tmp_path / "out"
    pupils.grade(out)
    monkeypatch.setattr(cache_key, "versions", lambda lesson: {"the lesson's hidden tests": "corrected"})
    pupils.console = Console(record=True, width=300)
    pupils.grade(out, [pupils.folder / "ada"])
    assert pupils.calls == ["ada"]
    assert "2 submissions of lesson 03 were graded before its checks" in pupils.console.export_text()
    pupils.grade(out)
    assert sorted(pupils.calls) == ["ben", "cleo"] and "graded before its checks" not in pupils.console.export_text()


def test_a_run_says_how_many_written_answers_wait_and_which_command_opens_them(pupils, tmp_path):
    """Who had graded a class read nowhere that the points were without them."""
    out = tmp_path / "out"
    pupils.console = Console(record=True, width=300)
    pupils.grade(out)
    assert f"3 written answers to be graded by a person: python -m autograde written {out}" in pupils.console.export_text()


def test_a_run_says_who_of_the_list_handed_in_nothing(pupils, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    people = ["ada", "ben", "cleo", *(f"s{number:02}" for number in range(12))]
    (out / roster.FILE).write_text("student_id,name,section,email\n" + "".join(f"{who},{who.title()},,\n" for who in people))
    pupils.console = Console(record=True, width=300)
    pupils.grade(out)
    assert "12 of the class's list handed in nothing in lesson 03: s00, s01, " in (told := pupils.console.export_text())
    assert "s09, 2 more, in grades.csv" in told and "not on the class's list" not in told


def test_a_run_says_who_handed_in_and_is_not_on_the_list(pupils, tmp_path):
    """They stood in no export, and a person of the list in the line above as one who had handed in nothing."""
    out = tmp_path / "out"
    out.mkdir()
    (out / roster.FILE).write_text("student_id,name,section,email\nada,Ada Lovelace,,\nbenno,Ben Okri,,\ncleo,Cleo,,\n")
    pupils.console = Console(record=True, width=300)
    pupils.grade(out)
    told = pupils.console.export_text()
    assert "1 of the class's list handed in nothing in lesson 03: benno" in told
    assert "not on the class's list, and so in no export that goes by it: ben, in lesson 03." in told


def test_a_folder_that_another_term_uses_does_not_name_the_whole_old_class(pupils, tmp_path):
    out = tmp_path / "out"
    old = [f"s{number:02}" for number in range(12)]
    pupils.hand_in(*old)
    pupils.grade(out)
    for student in old:
        shutil.rmtree(pupils.folder / student)
    pupils.console = Console(record=True, width=300)
    pupils.grade(out)
    assert (told := pupils.console.export_text()).count("was graded earlier") == 10 and "… and 2 more such lines, in grader.log" in told
    assert (out / NAME).read_text().count("was graded earlier") == 12


def test_who_is_new_or_has_no_points_yet_has_not_changed():
    before, after = {("ann", "03_x"): 1.0, ("ben", "03_x"): 2.0}, {("ann", "03_x"): 1.0, ("cy", "03_x"): 3.0}
    assert changes.told(before, after) == [] == changes.shortened([])


def test_a_terminal_shows_ten_and_says_where_the_rest_is():
    (shown,) = changes.shortened([f"line {i}" for i in range(12)])
    assert shown.splitlines()[0] == "12 submissions have other points than before:"
    assert shown.splitlines()[-1] == "  … and 2 more, in grader.log" and len(shown.splitlines()) == 12
    assert changes.shortened(["ann"]) == ["1 submission has other points than before:\n  ann"]


def test_a_table_that_somebody_edited_stops_nothing(tmp_path):
    (tmp_path / "grades.csv").write_text("a,b\n1,2\n")
    assert changes.points(tmp_path) == {} == changes.points(tmp_path / "none")
