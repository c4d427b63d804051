"""The class's list: Canvas's, Moodle's and plain files give the same people; what cannot be right is refused by name."""

import pytest

from autograde.checking.errors import UserError
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.course_dir import open_gradebook

CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,03 (12)
    Points Possible,,,,,24
"Lovelace, Ada",11,,ada,A,
"Okri, Ben",12,,ben,B,
"""
MOODLE = "First name;Last name;ID number;Email address;Groups\nAda;Lovelace;ada;ada@x.org;A\nBen;Okri;ben;;B\n"
PLAIN = "\ufeffstudent_id,name,section\nada,Ada Lovelace,A\nben,Ben Okri,B\n"


def parsed(text, folder):
    (folder / "list.csv").write_text(text, encoding="utf-8")
    return roster.parse(folder / "list.csv")


@pytest.mark.parametrize("text", [CANVAS, MOODLE, PLAIN])
def test_every_system_gives_ids_names_and_sections(text, tmp_path):
    assert [(p.student, p.name, p.section) for p in parsed(text, tmp_path)] == [("ada", "Ada Lovelace", "A"), ("ben", "Ben Okri", "B")]


@pytest.mark.parametrize(("text", "named"), [("a,b\n1,2\n", "student_id"), (PLAIN + "ada,Ada,A\n", "ada"), ("", "student_id")])
def test_a_list_that_cannot_be_right_is_refused(text, named, tmp_path):
    with pytest.raises(UserError, match=named):
        parsed(text, tmp_path)


def test_names_reach_formgraders_gradebook_and_come_back(tmp_path):
    people = parsed(MOODLE, tmp_path)
    with open_gradebook(tmp_path) as gradebook:
        roster.save(people, tmp_path, gradebook)
        ada = gradebook.find_student("ada")
        assert (ada.first_name, ada.last_name, ada.email) == ("Ada", "Lovelace", "ada@x.org")
    assert roster.read(tmp_path) == people and roster.read(tmp_path / "elsewhere") == []
