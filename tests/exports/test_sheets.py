"""The files of Moodle, Blackboard, Brightspace, Sakai and ILIAS, as these write them: filled, imported as they import, exported again with what
they change, and filled once more."""

import csv
import io
import json
import re

import pytest
from typer.testing import CliRunner

from autograde.checking.errors import UserError
from autograde.cli import app
from autograde.exports import marks, openolat, sheets
from autograde.grader.gradebook.roster import Person
from autograde.grader.results.csv_tables import Total, save
from autograde.grader.results.model import Graded

LESSON = "03_self_attention"
PEOPLE = {"ada": "Lovelace, Ada", "ben": "Müller, Ben", "cleo": "Okri, Cleo"}
SCORES = {"ada": 26.5, "ben": 12.0}
BOM = "\ufeff"


def known(lesson=LESSON, **scores):
    return marks.Marks({(s, lesson): marks.Mark(s, lesson, score, 27.0) for s, score in scores.items()}, True)


def text(rows, separator=",", quoted=False, end="\r\n"):
    stream = io.StringIO()
    csv.writer(stream, delimiter=separator, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL, lineterminator=end).writerows(rows)
    return stream.getvalue()


def names(login):
    return PEOPLE[login].split(", ")


# --- each system: how it writes the file, and how its import reads it: points by login


def moodle(cells, decimal=".", header=None, people=PEOPLE, status="Submitted for grading"):
    header = header or ["Identifier", "Full name", "ID number", "Email address", "Status", "Grade", "Maximum grade", "Grade can be changed"]
    header = [*header, "Last modified (submission)", "Last modified (grade)", "Feedback comments"]
    rows = [header]
    for number, login in enumerate(people, 4711):
        last, first = names(login)
        grade = cells.get(login, "")
        when = "Tuesday, 3 November 2026, 2:13 PM"
        most = f"27{decimal}00"
        rows.append([f"Participant {number}", f"{first} {last}", login, f"{login}@x.org", status, grade, most, "Yes", when, "-", ""])
    return (BOM + text(rows, end="\n")).encode()


def imported_by_moodle(content):
    """`unformat_float` of an English Moodle: what follows a comma is lost; out of range is passed over."""
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    numbers = {
        r["ID number"]: float(r["Grade"].split(",")[0]) for r in rows if r["Grade"] not in ("", "-") and r["Identifier"][12:].isdigit()
    }
    return {login: number for login, number in numbers.items() if 0 <= number <= 27}


def blackboard(cells, people=PEOPLE, kind="Score"):
    header = [
        "Last Name",
        "First Name",
        "Username",
        "Student ID",
        "Last Access",
        "Availability",
        "Weighted Total [Total Pts: up to 0 Score] |1",
    ]
    header += [f"Self-attention [Total Pts: 27 {kind}] |664617", "Essay [Total Pts: 10 Score] |664618"]
    rows = [header, *([*names(u), u, f"b{i}", "2026-11-03 14:13:00", "Yes", "", cells.get(u, ""), "7"] for i, u in enumerate(people))]
    return (BOM + text(rows, "\t", quoted=True)).encode("utf-16-le")


def imported_by_blackboard(content):
    assert content.startswith(b"\xff\xfe")
    rows = csv.DictReader(io.StringIO(content.decode("utf-16")), delimiter="\t")
    assert not [name for name in rows.fieldnames if "Essay" in name], "what was graded there since is not overwritten"
    column = next(name for name in rows.fieldnames if name.endswith("|664617"))
    return {row["Username"]: float(row[column]) for row in rows if row[column]}


def brightspace(cells, people=PEOPLE, items=("Self-attention",)):
    header = ["OrgDefinedId", "Username", "Last Name", "First Name", "Email"]
    header += [f"{item} Points Grade <Numeric MaxPoints:27 Weight:10 Category:Labs CategoryWeight:40>" for item in (*items, "Essay")]
    header += ["Calculated Final Grade Numerator", "Calculated Final Grade Denominator", "End-of-Line Indicator"]
    rows = [
        [f"#00{i}", f"#{u}", *names(u), f"{u}@x.org", *[cells.get(u, "")] * len(items), "7", "7", "37", "#"] for i, u in enumerate(people)
    ]
    return (BOM + text([header, *rows])).encode()


def imported_by_brightspace(content):
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    assert all(list(row)[-1] == "End-of-Line Indicator" and row["End-of-Line Indicator"] == "#" for row in rows)
    columns = [name for name in rows[0] if "Points Grade" in name]
    assert len(columns) == 1, "what was graded there since is not overwritten"
    assert not any("Final" in name for name in rows[0])
    return {row["Username"].removeprefix("#"): float(row[columns[0]]) for row in rows if row[columns[0]]}


def sakai(cells, people=PEOPLE, separator=",", items=("Self-attention",)):
    header = [
        "Student ID",
        "Student Name",
        "# Section",
        *(cell for i in items for cell in (f"{i} [27]", f"* {i}")),
        "Essay [10]",
        "* Essay",
    ]
    rows = [[u, PEOPLE[u], "Lab 1", *[cells.get(u, ""), "well done"] * len(items), "7", ""] for u in people]
    return (BOM + text([header, *rows], separator, quoted=True)).encode()


def imported_by_sakai(content, separator=","):
    """The first two columns are the id and the name; a column of points is `name [points]`; decimals go with the separator."""
    header, *rows = csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=separator)
    assert header[:2] == ["Student ID", "Student Name"]
    columns = {
        i: name for i, name in enumerate(header) if i > 1 and re.fullmatch(r"([^\[]+)(\[(\d+([.,]\d+)?)\])?", name) and name[0] not in "#*"
    }
    assert len(columns) == 1, columns
    [column] = columns
    return {row[0]: float(row[column].replace(",", "." if separator == ";" else "x")) for row in rows if row[column]}


def ilias(cells, people=PEOPLE):
    header = "update,usr_id,login,lastname,firstname,status,mark,notice,comment,plagiarism,plag_comment".split(",")
    rows = [["0", str(i), u, *names(u), "notgraded", cells.get(u, ""), "", "", "", ""] for i, u in enumerate(people)]
    return text([header, *rows], quoted=True, end="\n").encode()


def imported_by_ilias(content):
    rows = csv.DictReader(io.StringIO(content.decode()))
    return {row["login"]: float(row["mark"].replace(",", ".")) for row in rows if row["update"] == "1"}


SYSTEMS = {
    "moodle": (moodle, imported_by_moodle),
    "blackboard": (blackboard, imported_by_blackboard),
    "brightspace": (brightspace, imported_by_brightspace),
    "sakai": (sakai, imported_by_sakai),
    "ilias": (ilias, imported_by_ilias),
}


def filled(found, content, system, folder, zeros=False):
    (folder / "theirs.csv").write_bytes(content)
    return sheets.fill(found, folder / "theirs.csv", sheets.SYSTEMS[system], folder, zeros)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_system_takes_them_and_gives_them_back(system, tmp_path):
    """Rounded to whole points, in another order, without a student who left, and with one who came: the same points again."""
    writes, imports = SYSTEMS[system]
    once = filled(known(**SCORES), writes({}), system, tmp_path)
    assert imports(once.content) == SCORES and not once.unmatched and once.filled == 2
    exported = writes({"ben": "12", "ada": "27"}, people=["cleo", "ada"])
    twice = filled(known(**SCORES), exported, system, tmp_path)
    assert imports(twice.content) == {"ada": 26.5} and twice.unmatched == ["ben"]
    assert imports(filled(known(**SCORES), writes({}), system, tmp_path, zeros=True).content) == SCORES | {"cleo": 0.0}
    none = filled(known(**SCORES), exported, system, tmp_path, zeros=True)
    assert imports(none.content) == {"ada": 26.5} and any("ben" in note and "Okri" in note for note in none.notes)


@pytest.mark.parametrize("system", SYSTEMS)
def test_what_is_excused_stays_and_a_word_goes_for_points_alone(system, tmp_path):
    writes, _ = SYSTEMS[system]
    sheet = filled(
        known(ada=0.0, ben=3.0), writes({"ada": "Needs Grading", "ben": "Exempt", "cleo": "In Progress"}), system, tmp_path, zeros=True
    )
    raw = sheet.content.decode("utf-16" if system == "blackboard" else "utf-8")
    assert "Needs Grading" not in raw and "Exempt" in raw and "In Progress" in raw
    assert any("Müller" in note and "Exempt" in note for note in sheet.notes)


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_name_that_a_spreadsheet_would_run_is_guarded(system, tmp_path, monkeypatch):
    monkeypatch.setitem(PEOPLE, "ben", "=1+1, =2")
    writes, imports = SYSTEMS[system]
    sheet = filled(known(**SCORES), writes({}), system, tmp_path)
    raw = sheet.content.decode("utf-16" if system == "blackboard" else "utf-8")
    assert not re.search(r'(^|[,;\t])"?=', raw, re.MULTILINE) and imports(sheet.content) == SCORES


FOREIGN = {  # columns of names, called in languages that nobody has told us, and addresses
    "moodle": ("Full name", "Email address"),
    "blackboard": ("Last Name", "First Name"),
    "brightspace": ("Last Name", "Email"),
    "sakai": ("Student Name",),
}


@pytest.mark.parametrize("begins", ["=", "\t=", " @"])
@pytest.mark.parametrize("system", FOREIGN)
def test_no_column_that_a_student_fills_is_run_whatever_it_is_called(system, begins, tmp_path):
    writes, _ = SYSTEMS[system]
    encoding = "utf-16" if system == "blackboard" else "utf-8"
    content = writes({}).decode(encoding)
    for number, name in enumerate(FOREIGN[system]):
        content = content.replace(name, f"Ainm {number}", 1)
    for own in ("Müller", "Ben Müller", "ben@x.org"):
        content = re.sub(rf'(^|[,;\t])("?){own}', rf"\g<1>\g<2>{begins}{own}", content, flags=re.MULTILINE)
    raw = filled(known(**SCORES), content.encode(encoding), system, tmp_path).content.decode(encoding)
    given = [cell for row in csv.reader(io.StringIO(raw), delimiter="\t" if system == "blackboard" else ",") for cell in row]
    assert any("'" in cell for cell in given) and not [cell for cell in given if cell.lstrip()[:1] in ("=", "@")]


# --- each one's own ways


@pytest.mark.parametrize(
    "header",
    [
        ["ID", "Vollständiger Name", "ID-Nummer", "E-Mail-Adresse", "Status", "Bewertung", "Bestwertung", "Bewertung kann geändert werden"],
        [
            "Identificador",
            "Nombre completo",
            "Número de ID",
            "Dirección de correo",
            "Estado",
            "Calificación",
            "Calificación máxima",
            "Se puede",
        ],
        ["识别号", "姓名", "学号", "电子邮件地址", "状态", "成绩", "最高分", "可以修改"],
    ],
)
@pytest.mark.parametrize("separator", [",", ";"])
def test_moodle_in_any_language_and_after_a_spreadsheet(tmp_path, header, separator):
    """Moodle wants commas, and its own names of columns; a point is a decimal point in each of its languages."""
    raw = moodle({"ada": "3,00"}, ",", header).decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(raw)))
    content = text(rows, separator).encode("utf-8-sig" if "姓名" in header else "cp1252")
    sheet = filled(known(**SCORES), content, "moodle", tmp_path)
    first, *lines = csv.reader(io.StringIO(sheet.content.decode()))
    assert first == rows[0] and [line[5] for line in lines] == ["26.5", "12", ""]
    assert [line[:5] for line in lines] == [row[:5] for row in rows[1:]] and not sheet.notes


@pytest.mark.parametrize("people", [PEOPLE, {"ada": "Lovelace, Ada"}])
@pytest.mark.parametrize("grade", ["27.00", "20.00"])
def test_moodles_grades_are_known_where_all_have_one(tmp_path, grade, people):
    """They were once written into the column before, which its import passes over."""
    found = {login: SCORES.get(login, 3.0) for login in people}
    sheet = filled(known(**found), moodle(dict.fromkeys(people, grade), people=people), "moodle", tmp_path)
    assert imported_by_moodle(sheet.content) == found and not sheet.notes


def test_one_person_by_two_ids_has_the_points_of_the_one(tmp_path):
    both = known(**{"Ada Lovelace": 26.5, "ben": 12.0})
    both.by_key["ada", LESSON] = marks.Mark("ada", LESSON, None, 27.0)
    sheet = filled(both, moodle({}), "moodle", tmp_path)
    assert imported_by_moodle(sheet.content) == SCORES and not sheet.unmatched


def test_who_is_locked_in_moodle_is_told(tmp_path):
    sheet = filled(known(**SCORES), moodle({}).replace(b"27.00,Yes", b"27.00,No", 1), "moodle", tmp_path)
    assert [note.split(":")[0] for note in sheet.notes] == ["Ada Lovelace"]


TWICE = {
    "brightspace": lambda: brightspace({}, items=("Self-attention", "Self Attention")),
    "sakai": lambda: sakai({}, items=("Self-attention", "Self Attention")),
    "blackboard": lambda: blackboard({}).decode("utf-16").replace("Essay", "Self attention").encode("utf-16"),
}


@pytest.mark.parametrize("system", TWICE)
def test_two_assignments_of_one_name_are_told(system, tmp_path):
    sheet = filled(known(**SCORES), TWICE[system](), system, tmp_path)
    assert any("is there, too" in note or ", too:" in note for note in sheet.notes)


def test_blackboards_column_of_points_is_taken_beside_one_of_percent(tmp_path):
    both = blackboard({}, kind="Percentage").decode("utf-16").replace("Essay [Total Pts: 10", "Self-attention [Total Pts: 27")
    sheet = filled(known(ada=26.5), both.encode("utf-16"), "blackboard", tmp_path)
    assert "Score] |664618" in sheet.content.decode("utf-16") and "26.5" in sheet.content.decode("utf-16")


def test_a_comment_of_several_lines_stays(tmp_path):
    comment = 'Well done, "Ada";\nsee p. 3.'
    rows = list(csv.reader(io.StringIO(moodle({}).decode("utf-8-sig"))))
    rows[1][-1] = comment
    sheet = filled(known(**SCORES), text(rows).encode("utf-8-sig"), "moodle", tmp_path)
    assert next(csv.DictReader(io.StringIO(sheet.content.decode(), newline="")))["Feedback comments"] == comment
    assert imported_by_moodle(sheet.content) == SCORES


def test_moodle_knows_namesakes_and_blind_submissions_by_its_number(tmp_path, monkeypatch):
    monkeypatch.setitem(PEOPLE, "ada", "Lee, Ann")
    monkeypatch.setitem(PEOPLE, "ben", "Lee, Ann")
    rows = list(csv.reader(io.StringIO(moodle({}).decode("utf-8-sig"))))
    named = [[row[0], row[1], *row[4:]] for row in rows]  # with no ids
    people = {
        "people": {"Moodle 4711": "Ann Lee_4711", "Moodle 4712": "Ann Lee_4712", "Moodle 4713": "Cleo Okri", "Moodle 12": "Ann Lee_4711"}
    }
    (tmp_path / ".collected.json").write_text(json.dumps({**people, "files": {}}))
    sheet = filled(known(**{"Ann Lee_4711": 1.0, "Ann Lee_4712": 2.0, "Cleo Okri": 3.0}), text(named).encode(), "moodle", tmp_path)
    assert [row[3] for row in csv.reader(io.StringIO(sheet.content.decode()))][1:] == ["1", "2", "3"]
    (tmp_path / ".collected.json").unlink()
    blind = [[row[0], *row[4:]] for row in rows]
    sheet = filled(known(**{"Participant_4713": 3.0, "Participant_4711": 1.0}), text(blind).encode(), "moodle", tmp_path)
    assert [row[2] for row in csv.reader(io.StringIO(sheet.content.decode()))][1:] == ["1", "", "3"] and not sheet.unmatched


def test_moodle_takes_no_grade_above_the_highest(tmp_path):
    sheet = filled(known(**SCORES), moodle({}).replace(b"27.00", b"10.00"), "moodle", tmp_path)
    assert any("10.00" in note and "27" in note for note in sheet.notes)


def test_a_file_of_one_assignment_wants_one_lesson(tmp_path):
    two = marks.Marks(known(**SCORES).by_key | known("04_multi_head_attention", ada=1.0).by_key, True)
    with pytest.raises(UserError, match="--lesson 03"):
        filled(two, moodle({}), "moodle", tmp_path)


def test_sakai_where_a_comma_is_the_decimal_point(tmp_path):
    sheet = filled(known(**SCORES), sakai({}, separator=";"), "sakai", tmp_path)
    assert imported_by_sakai(sheet.content, ";") == SCORES and '"26,5"' in sheet.content.decode()


def test_sakai_in_another_language(tmp_path):
    content = sakai({}).replace(b"Student ID", "Matrícula".encode()).replace(b"Student Name", b"Nombre del alumno")
    assert [row[-1] for row in csv.reader(io.StringIO(filled(known(**SCORES), content, "sakai", tmp_path).content.decode()))][1:] == [
        "26.5",
        "12",
        "",
    ]


@pytest.mark.parametrize("system", ["brightspace", "sakai"])
def test_a_column_that_is_not_there_yet_is_made_as_the_system_names_it(system, tmp_path):
    writes, imports = SYSTEMS[system]
    sheet = filled(known(**SCORES), writes({}, items=()), system, tmp_path)
    assert imports(sheet.content) == SCORES and LESSON in sheet.notes[0]
    again = filled(known(**SCORES), writes({}, items=(LESSON,)), system, tmp_path)
    assert imports(again.content) == SCORES and not again.notes


@pytest.mark.parametrize("kind", ["Percentage", "Letter", "Text", "Complete/Incomplete"])
def test_blackboards_column_that_shows_no_points_is_refused(kind, tmp_path):
    with pytest.raises(UserError, match="shows no points"):
        filled(known(**SCORES), blackboard({}, kind=kind), "blackboard", tmp_path)


@pytest.mark.parametrize("system", SYSTEMS)
def test_another_systems_file_is_refused(system, tmp_path):
    others = [writes({}) for other, (writes, _) in SYSTEMS.items() if other != system]
    for content in (*others, b"", b"a,b\n1,2\n", b"\xff\xfe\x00", b"PK\x03\x04"):
        with pytest.raises(UserError):
            filled(known(**SCORES), content, system, tmp_path)


def test_the_classs_list_says_whose_an_id_is(tmp_path):
    """Submissions by name, and a file that has nothing but user names."""
    by_name = marks.Marks(
        known(**{"Ada Lovelace": 26.5}).by_key, True, {"Ada Lovelace": Person("Ada Lovelace", "A. L.", "", "", listed="ada")}
    )
    assert imported_by_sakai(filled(by_name, sakai({}), "sakai", tmp_path).content) == {"ada": 26.5}


def test_the_classs_list_says_their_names_to_a_file_of_names(tmp_path):
    """Submissions by logins of one system, and the file of another that knows neither these nor addresses: none was exported."""
    people = {"u1": Person("u1", "Ada Lovelace", "", ""), "u2": Person("u2", "Ben Müller", "", ""), "ben": Person("ben", "Ben", "", "")}
    by_login = marks.Marks(known(u1=26.5, u2=1.0, ben=12.0).by_key, True, people)
    sheet = filled(by_login, moodle({}), "moodle", tmp_path)
    assert imported_by_moodle(sheet.content) == SCORES and sheet.unmatched == ["u2"], "an id comes before a name"
    two = marks.Marks(known(u1=26.5, u2=1.0).by_key, True, {who: Person(who, "Ada Lovelace", "", "") for who in ("u1", "u2")})
    sheet = filled(two, moodle({}), "moodle", tmp_path)
    assert imported_by_moodle(sheet.content) == {} and sheet.unmatched == ["u1", "u2"]


def test_two_of_ours_who_are_one_row_are_neither(tmp_path):
    sheet = filled(known(ada=1.0, **{"Ada Lovelace": 2.0}), sakai({}), "sakai", tmp_path)
    assert imported_by_sakai(sheet.content) == {} and set(sheet.unmatched) == {"ada", "Ada Lovelace"}


def test_the_command_writes_beside_the_results_under_the_files_ending(tmp_path):
    save([Graded(s, LESSON, "graded", []) for s in SCORES], tmp_path, {(s, LESSON): Total(score, 27) for s, score in SCORES.items()})
    (tmp_path / "gc.xls").write_bytes(blackboard({}))
    done = CliRunner().invoke(app, ["export", str(tmp_path), "--format", "blackboard", "--roster", str(tmp_path / "gc.xls")])
    assert done.exit_code == 0, done.output
    assert imported_by_blackboard((tmp_path / "blackboard.xls").read_bytes()) == SCORES
    (tmp_path / "gc.xls").write_bytes(
        blackboard({})
        .replace("ada".encode("utf-16-le"), "zoe".encode("utf-16-le"))
        .replace("ben".encode("utf-16-le"), "mo".encode("utf-16-le"))
    )
    nobody = CliRunner().invoke(app, ["export", str(tmp_path), "--format", "blackboard", "--roster", str(tmp_path / "gc.xls")])
    assert "The file has nobody of this class" in nobody.output and "has nobody" not in done.output
    refused = CliRunner().invoke(app, ["export", str(tmp_path), "--format", "moodle"])
    assert refused.exit_code == 2 and "--roster" in refused.output


# --- OpenOlat, which exports no table to fill: a text of lines


def imported_by_openolat(content, there, highest=27.0, separator="\t"):
    """The points after a bulk assessment, its columns 1 and 2 as identifier and score: lines are divided without regard to quotes, who is not known
    and what is no number or out of range is passed over, the last line for a person counts."""
    after = dict(there)
    for line in content.decode().split("\n"):
        cells = [cell.strip() for cell in line.split(separator)]
        if line.strip() and len(cells) > 1 and cells[0] in there and re.fullmatch(r"-?\d+([.,]\d+)?", cells[1]):
            score = float(cells[1].replace(",", "."))
            after[cells[0]] = score if 0 <= score <= highest else after[cells[0]]
    return after


def test_openolat_takes_them_and_again_after_a_change():
    class_ = marks.Marks(known(**SCORES, **{"Lee, Ann": 24.0}).by_key, True, {"cleo": Person("cleo", "Okri, Cleo", "", "")})
    there = {"ada": None, "ben": 3.0, "cleo": 5.0, "Lee, Ann": None}
    once = imported_by_openolat(openolat.lines(class_).content, there)
    assert once == {"ada": 26.5, "ben": 12.0, "cleo": 5.0, "Lee, Ann": 24.0}
    rounded = {who: score and float(round(score)) for who, score in once.items() if who != "ben"} | {"new": 1.0}  # ben left
    assert imported_by_openolat(openolat.lines(class_).content, rounded) == {"ada": 26.5, "cleo": 5.0, "Lee, Ann": 24.0, "new": 1.0}
    assert imported_by_openolat(openolat.lines(class_, zeros=True).content, there)["cleo"] == 0.0


def test_openolat_knows_people_by_the_classs_list_and_two_of_one_name_are_neither():
    people = {
        who: Person(who, who, "", f"{who}@x.org", listed=listed) for who, listed in (("Lee_Ann_alee", "alee"), ("ben", "b"), ("Ben M", "b"))
    }
    sheet = openolat.lines(marks.Marks(known(Lee_Ann_alee=24.0, ben=1.0, **{"Ben M": 2.0, "=x": 3.0}).by_key, True, people))
    assert sheet.content == b"'=x\t3.0\nalee\t24.0\n" and "Ben M and ben" in sheet.notes[0]


def test_openolat_takes_one_lesson(tmp_path):
    two = marks.Marks(known(**SCORES).by_key | known("04_multi_head_attention", ada=1.0).by_key, True)
    with pytest.raises(UserError, match="--lesson 03"):
        openolat.lines(two)
    save([Graded(s, LESSON, "graded", []) for s in SCORES], tmp_path, {(s, LESSON): Total(score, 27) for s, score in SCORES.items()})
    done = CliRunner().invoke(app, ["export", str(tmp_path), "--format", "openolat"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "openolat.txt").read_text() == "ada\t26.5\nben\t12.0\n"
