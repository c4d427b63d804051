"""Each export goes to the system that it is for, is changed as that does, and is read back: no grade is lost, and none is invented."""

import csv
import io
import json
import unicodedata

import pandas
import pytest

from autograde.checking.errors import UserError
from autograde.exports import canvas, marks, results, table
from autograde.grader.gradebook import roster
from autograde.grader.results.csv_tables import Total, save
from autograde.grader.results.model import Graded

LESSON, OTHER = "03_self_attention", "04_multi_head_attention"
HEADER = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Self-attention (881)", f"{OTHER} (882)", "Final Score"]
POINTS = ["    Points Possible", "", "", "", "", "27", "27", "(read only)"]
ADA = ["Lovelace, Ada", "11", "s1", "ada", "Lab 1", "", "", ""]
BEN = ["Müller, Ben", "12", "s2", "ben", "Lab 1", "", "", ""]
CLEO = ["Smith, Cleo", "13", "s3", "cleo", "Lab 2", "", "", ""]
DEV = ["Smith, Cleo", "14", "s4", "dev", "Lab 2", "", "", ""]
TEST = ["Student, Test", "99", "", "5f3", "Lab 1", "", "", ""]


def known(**scores):
    return marks.Marks({(s, LESSON): marks.Mark(s, LESSON, score, 27.0) for s, score in scores.items()}, True)


def written(path, *rows, encoding="utf-8", separator=",", points=POINTS):
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, quoting=csv.QUOTE_ALL).writerows([HEADER, points, *rows])
    path.write_bytes(stream.getvalue().encode(encoding))
    return path


def column(sheet, lesson="Self-attention (881)"):
    """The lesson's cells by login."""
    header, _, *rows = csv.reader(io.StringIO(sheet.content.decode()))
    return {row[header.index("SIS Login ID")]: row[header.index(lesson)] for row in rows}


def test_canvas_takes_them_and_gives_them_back(tmp_path):
    """Imported, exported again with what Canvas adds, and filled once more: the same, and what a teacher excused stays."""
    found = known(ada=26.5, ben=12.0)
    once = canvas.fill(found, written(tmp_path / "1.csv", ADA, BEN, CLEO, TEST), zeros=True)
    assert column(once) == {"ada": "26.5", "ben": "12.0", "cleo": "0.0", "5f3": ""}
    ours = column(once)
    again = [[*row[:5], "EX" if row is CLEO else ours[row[3]], row[6], "50"] for row in (ADA, BEN, CLEO, TEST)]
    twice = canvas.fill(found, written(tmp_path / "2.csv", *again, encoding="utf-8-sig", separator=";"), zeros=True)
    assert column(twice) == ours | {"cleo": "EX"} and not twice.unmatched


TRANSLATED = {
    "German": ["Studierende/r", "Nr.", "SIS-Benutzer-ID", "SIS-Anmelde-ID", "Abschnitt"],
    "Spanish": ["Estudiante", "Número", "ID de usuario SIS", "ID de inicio SIS", "Sección"],
    "Dutch, with an id of another system": ["Student", "Nr.", "SIS-gebruikers-ID", "SIS-aanmeldings-ID", "Integratie-ID", "Sectie"],
    "Chinese": ["学生", "编号", "SIS 用户", "SIS 登录", "班级"],
}


@pytest.mark.parametrize("names", TRANSLATED.values(), ids=TRANSLATED)
def test_a_header_that_somebody_has_translated(tmp_path, names):
    """The columns are told by their order and by what they hold; what is written has the names that Canvas's import asks for."""
    more = [""] * (len(names) - 5)  # an empty cell before the section's
    rows = [[*names, *HEADER[5:]], *([*row[:4], *more, *row[4:]] for row in (["    Mögliche Punkte", *POINTS[1:]], ADA, BEN, CLEO))]
    path = tmp_path / "canvas.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows(rows)
    sheet = canvas.fill(known(ada=26.5, ben=12.0), path, zeros=True)
    assert column(sheet) == {"ada": "26.5", "ben": "12.0", "cleo": "0.0"} and not sheet.unmatched
    assert (
        sheet.content.decode()
        .splitlines()[0]
        .startswith(f"Student,ID,SIS User ID,SIS Login ID,{'Integration ID,' if more else ''}Section,")
    )


@pytest.mark.parametrize(
    "header", [["Name", "Nr.", "Note (1)"], ["Name", "Wort", "a", "b", "c", "Note (1)"], ["Name", "Nr.", "a", "b", "c", "Note"]]
)
def test_another_table_is_no_gradebook_of_canvas(tmp_path, header):
    path = tmp_path / "other.csv"
    rows = [header, ["Ada", "x" if "Wort" in header else "1", "s", "ada", "A", "1"][: len(header)]]
    path.write_text("\n".join(map(",".join, rows)), encoding="utf-8")
    with pytest.raises(UserError, match="not a gradebook"):
        canvas.fill(known(ada=1.0), path)


FIXED = ["EX", "ex", "Excused", "N/A", "(read only)"]


@pytest.mark.parametrize("cell", FIXED)
@pytest.mark.parametrize("zeros", [True, False])
def test_what_is_no_number_stays(tmp_path, cell, zeros):
    rows = [[*ADA[:5], cell, "", ""], [*BEN[:5], cell, "", ""]]
    sheet = canvas.fill(known(ada=20.0), written(tmp_path / "c.csv", *rows), zeros=zeros)
    assert column(sheet) == {"ada": cell, "ben": cell}
    assert any("Lovelace, Ada" in note and cell in note for note in sheet.notes)


def test_a_locked_assignment_is_left_as_it_is(tmp_path):
    rows = [[*ADA[:5], "3", "", ""], [*BEN[:5], "", "", ""]]
    locked = [*POINTS[:5], "(read only)", *POINTS[6:]]
    sheet = canvas.fill(known(ada=20.0), written(tmp_path / "c.csv", *rows, points=locked), zeros=True)
    assert column(sheet) == {"ada": "3", "ben": ""} and any("Lovelace, Ada" in note for note in sheet.notes)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_spreadsheets_save_it_in_their_own_ways(tmp_path, encoding, separator):
    found = known(ada=20.0, mullerben=1.0, **{"müllerben": 7.5})
    del found.by_key["mullerben", LESSON]
    path = written(tmp_path / "c.csv", [*ADA[:5], "7,5", "", ""], BEN, encoding=encoding, separator=separator)
    sheet = canvas.fill(found, path)
    assert column(sheet) == {"ada": "20.0", "ben": "7.5"} and "Müller, Ben" in sheet.content.decode()
    people = roster.parse(path)
    assert {(p.student, p.name, p.section) for p in people} == {("ada", "Ada Lovelace", "Lab 1"), ("ben", "Ben Müller", "Lab 1")}


def test_a_line_that_names_the_separator_is_none_of_the_table(tmp_path):
    path = written(tmp_path / "c.csv", ADA, BEN, separator=";")
    path.write_bytes(b"sep=;\r\n" + path.read_bytes())
    assert column(canvas.fill(known(ada=20.0), path)) == {"ada": "20.0", "ben": ""}


def test_canvass_own_student_gets_no_0_in_any_language(tmp_path):
    login = "0a" * 20  # a digest
    french = ["Étudiant, Test", "99", "", login, "Lab 1", "", "", ""]
    sheet = canvas.fill(known(ada=20.0), written(tmp_path / "c.csv", ADA, BEN, french), zeros=True)
    assert column(sheet) == {"ada": "20.0", "ben": "0.0", login: ""}


def test_a_name_in_two_columns_is_known_as_in_one(tmp_path):
    path = written(tmp_path / "c.csv", ADA, BEN, CLEO)
    rows = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))
    split = [["LastName", "FirstName"], [rows[1][0], ""], *(row[0].split(", ") for row in rows[2:])]
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([[*names, *row[1:]] for names, row in zip(split, rows)])
    sheet = canvas.fill(known(lovelaceada=20.0, stranger=3.0), path, zeros=True)
    assert column(sheet) == {"ada": "20.0", "ben": "", "cleo": ""} and sheet.unmatched == ["stranger"]
    assert any("Müller, Ben" in note for note in sheet.notes)


def test_one_person_by_two_ids_has_the_points_of_both_lessons(tmp_path):
    """Lesson 03 came as `lovelaceada`, 04 by the login."""
    of_both = {(s, lesson): marks.Mark(s, lesson, 20.0, 27.0) for s, lesson in (("lovelaceada", LESSON), ("ada", OTHER))}
    absent = {("ada", LESSON): marks.Mark("ada", LESSON, None, 27.0)}
    sheet = canvas.fill(marks.Marks(absent | of_both, True), written(tmp_path / "c.csv", ADA, BEN))
    assert column(sheet) == {"ada": "20.0", "ben": ""} and column(sheet, f"{OTHER} (882)") == {"ada": "20.0", "ben": ""}


def test_two_assignments_of_one_name_are_told(tmp_path):
    path = written(tmp_path / "c.csv", ADA, BEN)
    path.write_text(path.read_text(encoding="utf-8").replace(f"{OTHER} (882)", "Self-Attention (882)"), encoding="utf-8")
    [note] = canvas.fill(known(ada=20.0), path).notes
    assert "goes to Self-attention (881)" in note and "Self-Attention (882)" in note


@pytest.mark.parametrize("ours", ["NFC", "NFD"])
@pytest.mark.parametrize("theirs", ["NFC", "NFD"])
def test_a_letter_is_the_same_however_it_is_written(tmp_path, ours, theirs):
    found = known(**{unicodedata.normalize(ours, "müllerben"): 5.0})
    row = [unicodedata.normalize(theirs, BEN[0]), *BEN[1:]]
    assert column(canvas.fill(found, written(tmp_path / "c.csv", row, CLEO), zeros=True)) == {"ben": "5.0", "cleo": "0.0"}


ZEROS = {  # ids without a row of their own: who gets no 0 for that, and who does
    "nobody's": ("stranger", {"ben", "cleo", "dev"}, set()),
    "two rows'": ("smithcleo", {"cleo", "dev"}, {"ben"}),
}


@pytest.mark.parametrize(("student", "none", "zero"), ZEROS.values(), ids=ZEROS)
def test_no_0_for_whom_an_id_could_be(tmp_path, student, none, zero):
    sheet = canvas.fill(known(ada=20.0, **{student: 24.0}), written(tmp_path / "c.csv", ADA, BEN, CLEO, DEV), zeros=True)
    found = column(sheet)
    assert {login for login, cell in found.items() if cell == ""} == none
    assert {login for login, cell in found.items() if cell == "0.0"} == zero and found["ada"] == "20.0"
    told = " ".join(sheet.notes)
    assert student in told and all(row[0] in told for row in (BEN, CLEO, DEV) if row[3] in none)


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_the_grades_table_comes_back_from_a_spreadsheet(tmp_path, encoding, separator):
    graded = [Graded(student, LESSON, status, []) for student, status in (("müller", "graded"), ("007", "graded"), ("=x", "missing"))]
    save(graded, tmp_path, {("müller", LESSON): Total(7.5, 27), ("007", LESSON): Total(0, 27)})
    rows = list(csv.reader(io.StringIO((tmp_path / "grades.csv").read_text(encoding="utf-8"))))
    text = "\r\n".join(separator.join(f'"{c.replace(".", ",") if separator == ";" else c}"' for c in row) for row in rows)
    (tmp_path / "grades.csv").write_bytes(text.encode(encoding))
    found = marks.read(tmp_path)
    assert {s: found.score(s, LESSON) for s in found.students} == {"müller": 7.5, "007": 0.0, "=x": None}


def test_pandas_reads_the_wide_table_and_writes_it_again(tmp_path):
    found = known(ada=26.5, ben=None)
    (tmp_path / "export.csv").write_bytes(table.wide(found))
    frame = pandas.read_csv(tmp_path / "export.csv", dtype={"student_id": str})
    frame.to_csv(tmp_path / "again.csv", index=False)
    assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "export.csv").read_bytes()


def test_a_system_that_calls_submissions_by_names_gets_its_ids_back():
    """Moodle's import asks for an id or an address, and its zip says `Ada Lovelace`."""
    people = [roster.Person("Ada Lovelace", "Ada Lovelace", "", "ada@x.org", listed="0042"), roster.Person("ben", "Ben Okri", "", "")]
    found = marks.Marks(known(**{"Ada Lovelace": 26.5, "dev": 3.0}).by_key, True, {person.student: person for person in people})
    table_of = {row["student_id"]: row for row in csv.DictReader(io.StringIO(table.wide(found).decode()))}
    assert [table_of["Ada Lovelace"][name] for name in ("roster_id", "name", "email", LESSON)] == [
        "0042",
        "Ada Lovelace",
        "ada@x.org",
        "26.5",
    ]
    assert table_of["ben"]["roster_id"] == "ben" and table_of["ben"][LESSON] == "" and table_of["dev"]["roster_id"] == ""


def test_gradescopes_file_holds_the_points_and_no_one_who_handed_in_nothing(tmp_path):
    results.export(known(ada=26.5, ben=None), tmp_path, tmp_path / "out")
    content = json.loads((tmp_path / "out" / LESSON / "ada" / "results.json").read_text(encoding="utf-8"))
    assert content["score"] == 26.5 and not (tmp_path / "out" / LESSON / "ben").exists()


ZEROS = {  # rows of Canvas's gradebook beside ada's, and the lesson's cells with --zeros where she alone has a grade, 20
    "a row that names nobody, in another language": ([["", "", "", "", "", "Manuelle Veröffentlichung", "", ""]], ["20.0"]),
    "a person in two sections": ([[*ADA[:4], "Lab 2", *ADA[5:]]], ["20.0", "20.0"]),
    "a letter": ([[*BEN[:5], "A-", *BEN[6:]]], ["20.0", "A-"]),
    "a word": ([[*BEN[:5], "(inactive)", *BEN[6:]]], ["20.0", "(inactive)"]),
    "a number": ([[*BEN[:5], "7,5", *BEN[6:]]], ["20.0", "0.0"]),
}


@pytest.mark.parametrize(("rows", "cells"), ZEROS.values(), ids=ZEROS)
def test_zeros_are_for_who_is_there_and_has_no_grade(tmp_path, rows, cells):
    sheet = canvas.fill(known(ada=20.0), written(tmp_path / "c.csv", ADA, *rows), zeros=True)
    header, _, *found = csv.reader(io.StringIO(sheet.content.decode()))
    assert [row[header.index("Self-attention (881)")] for row in found] == cells and not sheet.unmatched


@pytest.mark.parametrize(("number", "cell"), [("7", "20.0"), ("007", "20.0"), ("70", "")])
def test_a_number_is_known_without_its_zeros(tmp_path, number, cell):
    sheet = canvas.fill(known(**{"0007": 20.0}), written(tmp_path / "c.csv", [*ADA[:2], number, *ADA[3:]]))
    assert column(sheet)["ada"] == cell


def test_a_number_that_two_rows_have_without_zeros_is_nobodys(tmp_path):
    two = [*ADA[:2], "7", *ADA[3:]], [*BEN[:2], "07", *BEN[3:]]
    assert canvas.fill(known(**{"0007": 20.0}), written(tmp_path / "c.csv", *two)).unmatched == ["0007"]


def test_pandas_has_saved_canvass_file(tmp_path):
    """Where a column of numbers has an empty cell, as the row of the points has, it writes `1001.0`, which matched nobody."""
    people = [[row[0], row[1], f"100{i}", f"200{i}", *row[4:]] for i, row in enumerate((ADA, BEN, TEST), 1)]
    saved = pandas.read_csv(written(tmp_path / "c.csv", *people))
    assert saved["SIS User ID"].tolist()[1] == 1001.0
    saved.to_csv(tmp_path / "saved.csv", index=False)
    sheet = canvas.fill(known(**{"1001": 26.5, "2002": 12.0}), tmp_path / "saved.csv", zeros=True)
    assert column(sheet) == {"2001": "26.5", "2002": "12.0", "2003": ""} and not sheet.unmatched
    assert [row[1:3] for row in csv.reader(io.StringIO(sheet.content.decode()))][2:] == [["11", "1001"], ["12", "1002"], ["99", "1003"]]
