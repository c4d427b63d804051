"""The class's list: Canvas's, Moodle's and plain files give the same people; what cannot be right is refused by name."""

import re
from time import process_time

import pytest

from autograde.checking.errors import UserError
from autograde.grader.gradebook import roster
from autograde.grader.gradebook.course_dir import open_gradebook
from autograde.grader.results.class_list import ClassList, Entry

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


# --- what a student may have chosen to be called


@pytest.mark.parametrize("name", ["Total", "Mean", "Points Possible", "Average"])
def test_a_name_that_a_line_of_sums_could_have_is_somebodys(name, tmp_path):
    people = parsed(f"id,name,section,email\nada,Ada,{name},a@x.org\neve,{name},A,{name}\nTotal,,,2\n", tmp_path)
    assert [person.student for person in people] == ["ada", "eve"]


@pytest.mark.parametrize("line", ["e\0ve,Eve,A", "eve,E\0ve\0,A", "eve,Eve,\0A"])
def test_a_byte_of_nothing_in_a_name_spoils_no_list(line, tmp_path):
    people = parsed(f"student_id,name,section\nada,Ada Lovelace,A\n{line}\n", tmp_path)
    assert [(person.student, person.name, person.section) for person in people] == [("ada", "Ada Lovelace", "A"), ("eve", "Eve", "A")]


LONG = {
    "a name of 60,000 words": "id,name\nada,Ada\neve," + "E " * 60_000 + "\n",
    "60,000 blanks in one": "id,name\nada,Ada\neve,E" + " " * 60_000 + "E\n",
    "10,000 people": "id,name\nada,Ada\neve,Eve\n" + "".join(f"s{i},N{i} M{i}\n" for i in range(10_000)),
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_no_name_and_no_number_of_people_holds_up_the_list(text, tmp_path):
    began = process_time()
    directory = roster.Directory(parsed(text, tmp_path))
    assert directory.of("eve").student == "eve" and process_time() - began < 3


@pytest.mark.parametrize("other", ["ANN", "ann\u200b", "Ann "])
@pytest.mark.parametrize("turn", [1, -1])
def test_an_id_that_looks_like_anothers_in_the_list_is_its_own(other, turn):
    people = [roster.Person("ann", "Ann Lee", "", ""), roster.Person(other, "Eve Fox", "", "")][::turn]
    directory = roster.Directory(people)
    assert directory.of("ann").name == "Ann Lee" and directory.of(other).name == "Eve Fox" and directory.of("aNN") is None
    assert {p.name: p.student for p in directory.called(["ann"])} == {"Ann Lee": "ann", "Eve Fox": other}
    assert {p.name: p.student for p in directory.called([other])} == {"Ann Lee": "ann", "Eve Fox": other}


OTHERS = {  # as other systems write the same two people, and Moodle in other languages
    "Gradescope": "First Name,Last Name,SID,Email,Sections\nAda,Lovelace,ada,ada@x.org,A\nBen,Okri,ben,,B\n",
    "Brightspace": "OrgDefinedId,Last Name,First Name,Email,Section\n#ada,Lovelace,Ada,ada@x.org,A\n#ben,Okri,Ben,,B\n",
    "German": "Vorname,Nachname,ID-Nummer,E-Mail-Adresse,Gruppen\nAda,Lovelace,ada,ada@x.org,A\nBen,Okri,ben,,B\n",
    "French": "Prénom;Nom de famille;Numéro d'identification;Adresse de courriel;Groupes\nAda;Lovelace;ada;ada@x.org;A\nBen;Okri;ben;;B\n",
    "Spanish": "Nombre,Apellido(s),Número de ID,Dirección de correo,Grupos\nAda,Lovelace,ada,ada@x.org,A\nBen,Okri,ben,,B\n",
    "Italian": "Nome,Cognome,Matricola,Indirizzo email,Gruppi\nAda,Lovelace,ada,ada@x.org,A\nBen,Okri,ben,,B\n",
    "Portuguese": "Nome;Sobrenome;Número de identificação;Endereço de email;Grupos\nAda;Lovelace;ada;ada@x.org;A\nBen;Okri;ben;;B\n",
    "Dutch": "Voornaam,Achternaam,Studentnummer,E-mailadres,Section\nAda,Lovelace,ada,ada@x.org,A\nBen,Okri,ben,,B\n",
    "Polish": "Imię,Nazwisko,Numer albumu,Section\nAda,Lovelace,ada,A\nBen,Okri,ben,B\n",
    "a family name that is called the name": "Matrikelnr.;Name;Vorname;Gruppe\nada;Lovelace;Ada;A\nben;Okri;Ben;B\n",
    "Sakai, below the assignment's line": "Homework 3,Points\n\nDisplay ID,Last Name,First Name,Section\nada,Lovelace,Ada,A\nben,Okri,Ben,B\n",
    "addresses alone": "First Name,Last Name,Email Address,Section\nAda,Lovelace,ada,A\nBen,Okri,ben,B\n",
    "Canvas, with its test student": CANVAS + '"Student, Test",99,,5f3,A,\n',
    "Chinese": "姓名,学号,电子邮件地址,小组\nAda Lovelace,ada,ada@x.org,A\nBen Okri,ben,,B\n",
}


@pytest.mark.parametrize("text", [CANVAS, MOODLE, PLAIN, *OTHERS.values()])
def test_every_system_gives_ids_names_and_sections(text, tmp_path):
    assert [(p.student, p.name, p.section) for p in parsed(text, tmp_path)] == [("ada", "Ada Lovelace", "A"), ("ben", "Ben Okri", "B")]


@pytest.mark.parametrize(
    ("text", "submitted"),
    [
        ('"Last Name","First Name","Username","Student ID"\nLovelace,Ada,alove,1234567\n', ("alove", "1234567", "Ada Lovelace")),
        ("OrgDefinedId,Username,Last Name,First Name\n#1234567,#alove,Lovelace,Ada\n", ("alove", "1234567", "Ada Lovelace")),
        (
            "Identifier,Full name,Email address\nParticipant 4711,Ada Lovelace,ada@x.org\n",
            ("Participant_4711", "Ada Lovelace", "ada@x.org"),
        ),
        (CANVAS, ("ada", "11", "lovelaceada")),
    ],
)
def test_a_submission_may_come_by_the_id_of_any_column(text, submitted, tmp_path):
    """Blackboard's files bear the user name where its list has the student's number first, and so on; also when the list was kept."""
    with open_gradebook(tmp_path) as gradebook:
        roster.save(parsed(text, tmp_path), tmp_path, gradebook)
    for student in submitted:
        assert {p.name for p in [roster.Directory(roster._listed(tmp_path)).of(student)] if p} == {"Ada Lovelace"}, student


@pytest.mark.parametrize(
    ("text", "named"),
    [("a,b\n1,2\n", "student_id"), (PLAIN + "ada,Ada,A\n", "ada"), ("", "student_id"), ("id,name\n1.23457E+13,Ada\n", "rounded")],
)
def test_a_list_that_cannot_be_right_is_refused(text, named, tmp_path):
    with pytest.raises(UserError, match=named):
        parsed(text, tmp_path)


FOUR = "id,name\nann,Ann Lee\nbo,Bo Kim\ncy,Cy Li\ndi,Di Wu\n"


@pytest.mark.parametrize(
    ("was", "instead", "lines"),
    [
        ("Bo Kim", '"Bo Kim', "line 3 .* line 5"),
        ("bo,", '"bo,', "line 3 .* line 5"),
        ("Di Wu", '"Di Wu', "line 5 .* line 5"),
        ("bo,Bo Kim\ncy,", '"bo,Bo Kim\n"cy",', "line 3 .* line 4"),
        ("Bo Kim", '"' + "B" * 200_000, "line 3 .* line 5"),
        ("id,name\nann,Ann Lee", 'sep=,\nid,name\nann,"Ann Lee', "line 3 .* line 6"),
    ],
    ids=["of a name", "of an id", "in the last line", "closed by the next one's", "a long name", "below the separator's line"],
)
def test_a_quote_that_is_not_closed_takes_nobody_out_of_the_class(was, instead, lines, tmp_path):
    """All who stood below were in that person's name, and nothing was said."""
    with pytest.raises(UserError, match=f"a quote in {lines}"):
        parsed(FOUR.replace(was, instead), tmp_path)


@pytest.mark.parametrize("text", [FOUR.replace("Bo Kim", '"Bo" Kim'), FOUR.replace("Bo Kim", 'Bo "Bob" Kim'), FOUR.replace("Kim", 'Kim"')])
def test_a_quote_within_a_line_takes_nobody_out_of_the_class(text, tmp_path):
    assert [person.student for person in parsed(text, tmp_path)] == ["ann", "bo", "cy", "di"]


def test_a_list_has_cells_of_any_length(tmp_path):
    """A gradebook may have what students wrote, with pictures."""
    text = FOUR.replace("name\n", "name,words\n").replace("Bo Kim", f'Bo Kim,"x\n{"ab" * 100_000}"')
    assert [person.student for person in parsed(text, tmp_path)] == ["ann", "bo", "cy", "di"]


ENCODINGS = {  # names in a file that does not say how it was saved
    "shift_jis": "学籍番号,氏名,山田太郎",
    "euc_jp": "学籍番号,氏名,山田太郎",
    "gb18030": "学号,姓名,王小明",
    "big5": "學號,姓名,王小明",
    "euc_kr": "학번,이름,김철수",
    "cp1251": "Номер,Фамилия,Иванов",
    "windows-1251": "id,name,Иванов Иван",
    "latin-1": "id,name,Ben Müller",
    "cp1252": "id,name,Ann O’Brien",
    "mac_roman": "id,name,Zoë Ångström",
    "cp1250": "id,name,Jiří Dvořák",
    "iso8859_2": "id,name,Šárka Dvořáková",
    "cp1253": "id,name,Νίκος Παπαδόπουλος",
    "koi8-r": "Номер,Фамилия,Иванов",
    "utf-16": "id,name,Ben Müller",
    "utf-16-le": "id,name,Łukasz Wójcik",
    "utf-16-be": "id,name,王小明",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_list_in_any_encoding(encoding, tmp_path):
    *header, name = ENCODINGS[encoding].split(",")
    end = "\r" if encoding == "mac_roman" else "\r\n"  # as Excel saves it there
    lines = (f"student_id,{','.join(header)},email", f"ada,1,{name},ada@x.org", "")
    (tmp_path / "list.csv").write_bytes(end.join(lines).encode(encoding))
    [person] = roster.parse(tmp_path / "list.csv")
    assert (person.student, person.name, person.email) == ("ada", name, "ada@x.org")


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("1001,Ann Lee\n1002,Bo Kim\n", [("1001", "Ann Lee"), ("1002", "Bo Kim")]),
        ("Ann Lee;A;k1001\nBo Kim;B;k1002\n", [("k1001", "Ann Lee"), ("k1002", "Bo Kim")]),
        ('1001\t"Lee, Ann"\ta@x.org\n1002\t"Kim, Bo"\tb@x.org\n', [("1001", "Ann Lee"), ("1002", "Bo Kim")]),
        ("ann@x.org\nbo@x.org\n", [("ann@x.org", ""), ("bo@x.org", "")]),
        ("1001\n1002\n", [("1001", ""), ("1002", "")]),
        ("Code of person,Name\n1001,Ann Lee\n1002,Bo Kim\n", [("1001", "Ann Lee"), ("1002", "Bo Kim")]),
        ("ID number,Email address,Full name\n1001,a@x.org,Ann Lee\n,b@x.org,Bo Kim\n", [("1001", "Ann Lee"), ("b@x.org", "Bo Kim")]),
        ("identifier,github_username,name\nann@x.org,annl,Ann Lee\nbo@x.org,,Bo Kim\n", [("annl", "Ann Lee"), ("bo@x.org", "Bo Kim")]),
        ("Matrícula,Apellido paterno,Nombre(s)\n1001,Lee,Ann\n1002,Kim,Bo\n", [("1001", "Ann Lee"), ("1002", "Bo Kim")]),
        ("id,name\n1001.0,Ann Lee\n1002.0,Bo Kim\n", [("1001", "Ann Lee"), ("1002", "Bo Kim")]),
    ],
)
def test_a_list_without_a_header(text, people, tmp_path):
    assert [(p.student, p.name) for p in parsed(text, tmp_path)] == people


@pytest.mark.parametrize(
    "text", ["1,2\n3,4\n", "ann,Ann\nbo,Bo\n", "1001,Ann\n1001,Bo\n", "1001,Ann,24\n1002,Bo,18\n", "guest,Ann\n1001,Bo\n1002,Cy\n"]
)
def test_a_list_whose_ids_nobody_can_tell_is_refused(text, tmp_path):
    with pytest.raises(UserError, match="student_id"):
        parsed(text, tmp_path)


@pytest.mark.parametrize("begins", [b"PK\x03\x04", b"\xd0\xcf\x11\xe0"])
def test_a_workbook_is_to_be_saved_as_csv(begins, tmp_path):
    """It was once told to name one of twenty columns in its first line."""
    (tmp_path / "class.xlsx").write_bytes(begins + bytes(range(256)))
    with pytest.raises(UserError, match="save it as CSV"):
        roster.parse(tmp_path / "class.xlsx")


def test_names_reach_formgraders_gradebook_and_come_back(tmp_path):
    people = parsed(MOODLE, tmp_path)
    with open_gradebook(tmp_path) as gradebook:
        roster.save(people, tmp_path, gradebook)
        ada = gradebook.find_student("ada")
        assert (ada.first_name, ada.last_name, ada.email) == ("Ada", "Lovelace", "ada@x.org")
    assert roster.read(tmp_path) == people and roster.read(tmp_path / "elsewhere") == []


@pytest.mark.parametrize("text", ["=1+1", "@x", "Ann;=1", "-x", "＝1"])
def test_a_spreadsheet_that_opens_the_list_runs_no_name(text, tmp_path):
    """Systems let students choose them."""
    person = roster.Person(text, text, text, text)
    with open_gradebook(tmp_path) as gradebook:
        roster.save([person], tmp_path, gradebook)
        assert gradebook.find_student(text).last_name == text
    assert roster.read(tmp_path) == [person]
    assert not re.search(r"(^|[;,])[=@＝-]", (tmp_path / roster.FILE).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "shown"), [("Ann", ("", "Ann")), ("王小明", ("", "王小明")), ("Ann Lee", ("Ann", "Lee")), ("", ("", "ann"))]
)
def test_a_name_of_one_word_has_no_none_in_formgrader(name, shown, tmp_path):
    """It writes `last, first`, and "None" for what is not there."""
    with open_gradebook(tmp_path) as gradebook:
        roster.save([roster.Person("ann", name, "", "")], tmp_path, gradebook)
        ann = gradebook.find_student("ann")
        assert (ann.first_name, ann.last_name) == shown


@pytest.mark.parametrize(
    ("name", "columns", "line", "shown"),
    [
        ("a comma", "id,student", '1,"García Márquez, Gabriel"', ("Gabriel", "García Márquez")),
        ("columns", "id,first name,last name", "1,Ana Maria,de la Cruz", ("Ana Maria", "de la Cruz")),
        ("small words", "id,name", "1,Ludwig van Beethoven", ("Ludwig", "van Beethoven")),
        ("nothing", "id,name", "1,Mary Ann Smith", ("Mary Ann", "Smith")),
        ("a first name alone", "id,first name,last name", "1,Ann,", ("", "Ann")),
    ],
)
def test_a_family_name_of_two_words_stays_whole_in_formgrader(name, columns, line, shown, tmp_path):
    """It sorts and shows by the last name; where a column or a comma says which that is, nothing is guessed."""
    people = parsed(f"{columns}\n{line}\n", tmp_path)
    with open_gradebook(tmp_path) as gradebook:
        roster.save(people, tmp_path, gradebook)
        student = gradebook.find_student("1")
        assert (student.first_name, student.last_name) == shown
    assert roster.read(tmp_path) == people


def test_a_name_that_was_changed_by_hand_is_cut_anew():
    assert roster.Person("1", "Ann Lee", "", "", "de la Cruz").parts == ("Ann", "Lee")


def test_a_login_that_is_an_address_is_one(tmp_path):
    [ada] = parsed('Student,ID,SIS User ID,SIS Login ID,Section\n"Lovelace, Ada",11,7,ada@x.org,A\n', tmp_path)
    assert (ada.student, ada.email) == ("ada@x.org", "ada@x.org")


def test_a_line_in_each_section_is_one_person(tmp_path):
    people = parsed("student_id,name,section\nada,Ada,A\nben,Ben,A\nada,Ada,B\n", tmp_path)
    assert [(p.student, p.section) for p in people] == [("ada", "A and B"), ("ben", "A")]


@pytest.mark.parametrize(
    ("submitted", "ids"),
    [
        (["ann", "ANN"], ["ann", "Bob"]),  # the very id is hers, in any order
        (["ANN", "ann"], ["ann", "Bob"]),
        (["Bob", "bob", "ANN"], ["ANN", "Bob"]),
        (["BOB", "bob"], ["ann", "Bob"]),  # nobody can tell: no name goes to either
    ],
)
def test_an_id_that_differs_in_case_alone_takes_nobody_elses_name(submitted, ids):
    people = [roster.Person("ann", "Ann Lee", "", "ann@x.org"), roster.Person("Bob", "Bob Okri", "", "bob@x.org")]
    assert [person.student for person in roster.Directory(people).called(submitted)] == ids


@pytest.mark.parametrize(
    ("submitted", "student", "ids"),
    [
        (["ann", "ANN"], "ann", ["ann"]),
        (["ann", "ANN"], "ANN", ["ANN"]),  # nobody of the list
        (["ANN"], "ann", ["ann", "ANN"]),
        (["ANN", "leeann"], "ann", ["ann", "ANN", "leeann"]),
        (["Ann", "ANN"], "ann", ["ann"]),  # nobody can tell which
        (["ann", "ANN", "leeann"], "leeann", ["leeann", "ann"]),
        ([], "zoe", ["zoe"]),
    ],
)
def test_what_is_granted_to_one_reaches_nobody_whose_id_differs_in_case_alone(submitted, student, ids, tmp_path):
    (tmp_path / roster.FILE).write_text("student_id,name,section,email\nann,Ann Lee,,\n")
    ClassList(tmp_path, {(one, "03_self_attention"): Entry("key") for one in submitted}).save()
    assert roster.ids(tmp_path, student) == ids


@pytest.mark.parametrize(
    ("student", "whose"),
    [
        ("ADA", "ada"), ("A\u200eda", "ada"), ("0012", "12"), ("van_smith_ben", "b1"), ("Ben van Smith", "b1"), ("vansmithben", "b1"),
        ("B@X.edu", "b1"), ("Zoe\u0308 Re\u0301", "z"), ("devrao", None), ("smith", None), ("0", None), ("", None),
    ],
)  # fmt: skip
def test_whose_a_submission_is(student, whose):
    names = [
        ("ada", "Ada Berg", ""),
        ("12", "Cy", ""),
        ("b1", "Ben van Smith", "b@x.edu"),
        ("z", "Zoë Ré", ""),
        ("d1", "Dev Rao", ""),
        ("d2", "Dev Rao", ""),
    ]
    found = roster.Directory([roster.Person(key, name, "", email) for key, name, email in names]).of(student)
    assert (found.student if found else None) == whose


TWO = [("ada", "Ada Lovelace"), ("ben", "Ben Müller")]
WRITTEN = {  # tables that say who these two are
    "strokes": "id|name\nada|Ada Lovelace\nben|Ben Müller\n",
    "a line that names the separator": "sep=;\nid;name\nada;Ada Lovelace\nben;Ben Müller\n",
    "a title with other separators": "Attention; winter; 2026\nid,name\nada,Ada Lovelace\nben,Ben Müller\n",
    "a title without any": "Attention 2026\n\nid;name\nada;Ada Lovelace\nben;Ben Müller\n",
    "another separator in a quoted header": '"id";"name";"HW, part 1, part 2, 3"\nada;Ada Lovelace;1\nben;Ben Müller;2\n',
    "lines in quoted cells": 'id,name,"HW 3\n(27 points)"\nada,"Ada\nLovelace",1\nben,Ben Müller,2\n',
    "commas in names": "id;name\nada;Lovelace, Ada\nben;Müller, Ben\n",
    "Canvas's student by another name": "id,name\nada,Ada Lovelace\nben,Ben Müller\nabc,Test Student\n",
    "lines below the class": "id,name\nada,Ada Lovelace\nben,Ben Müller\nTotal,2\n",
    "capitals": "STUDENT ID,FIRST,LAST\nada,Ada,Lovelace\nben,Ben,Müller\n",
    "a student's first name": "Student First Name,Student Last Name,Student ID\nAda,Lovelace,ada\nBen,Müller,ben\n",
    "low lines in names of columns": "student_number,first_name,last_name\nada,Ada,Lovelace\nben,Ben,Müller\n",
    "dots in names of columns": "Student No.,Name\nada,Ada Lovelace\nben,Ben Müller\n",
    "hyphens in names of columns": "Matrikel-Nr.;Vorname;Name\nada;Ada;Lovelace\nben;Ben;Müller\n",
    "a line of types": "student_id,name,email\nstring,string,string\nada,Ada Lovelace,a@x.org\nben,Ben Müller,b@x.org\n",
    "a line of other types": "student_id,name,email\nNumber,Text,Text(50)\nada,Ada Lovelace,a@x.org\nben,Ben Müller,b@x.org\n",
    "a line of what is required": "student_id,name\n(required),(required)\nada,Ada Lovelace\nben,Ben Müller\n",
    "a line of dashes": "student_id|name\n----------|----\nada|Ada Lovelace\nben|Ben Müller\n",
    "a header in two languages": "Student ID,Name\nMatrikelnummer,Name\nada,Ada Lovelace\nben,Ben Müller\n",
    "a header on each page": "Student ID,Name\nada,Ada Lovelace\nStudent ID,Name\nben,Ben Müller\n",
    "three lines, as a survey writes them": 'StartDate,student_id,name\nStart Date,Student number,Name\n"{""ImportId"":""s""}","{""ImportId"":""Q1""}","{""ImportId"":""Q2""}"\n2026-10-01,ada,Ada Lovelace\n2026-10-01,ben,Ben Müller\n',
    "sums below the class": "id,name\nada,Ada Lovelace\nben,Ben Müller\nTotal students: 2,\n",
    "when the list was made, below it": "id,name\nada,Ada Lovelace\nben,Ben Müller\n\nGenerated on 2026-11-03 14:13,\n",
    "a report's lines above": "Report\nTerm,Autumn\nCourse,CS 229\nInstructor,X\nEmail,x@x.org\nDays,MW\nEnrolled,2\n\nStudent ID,Name\nada,Ada Lovelace\nben,Ben Müller\n",
    "how a name is written, behind it": 'Student ID,"Student Name (Last, First)"\nada,"Lovelace, Ada"\nben,"Müller, Ben"\n',
    "cells that a spreadsheet is not to count": 'id,name\n"=""ada""",Ada Lovelace\n"=""ben""",Ben Müller\n',
    "blanks that do not break": "id,name\nada\xa0,Ada\xa0Lovelace\nben,Ben\xa0Müller\n",
    "Canvas's student in another language": "Student,ID,SIS Login ID,Section\nAda Lovelace,1,ada,A\nBen Müller,2,ben,A\n" + f'"Étudiant, Test",3,{"0a" * 20},A\n',
    "Norwegian": "Studentnummer;Fornavn;Etternavn\nada;Ada;Lovelace\nben;Ben;Müller\n",
    "Swedish": "Personnummer;Förnamn;Efternamn\nada;Ada;Lovelace\nben;Ben;Müller\n",
    "Finnish": "Opiskelijanumero;Sukunimi;Etunimi\nada;Lovelace;Ada\nben;Müller;Ben\n",
    "Turkish": "ÖĞRENCİ NO;ADI SOYADI\nada;Ada Lovelace\nben;Ben Müller\n",
    "Hungarian": "Neptun kód;Név\nada;Ada Lovelace\nben;Ben Müller\n",
    "Czech": "UČO;Jméno;Příjmení\nada;Ada;Lovelace\nben;Ben;Müller\n",
    "Russian": "№;ФИО;Логин\n1;Ada Lovelace;ada\n2;Ben Müller;ben\n",
    "Indian": "S.No,Roll No.,Name of Student\n1,ada,Ada Lovelace\n2,ben,Ben Müller\n",
}  # fmt: skip


@pytest.mark.parametrize("way", WRITTEN)
def test_a_list_may_be_written_in_many_ways(way, tmp_path):
    assert [(person.student, " ".join(person.name.split())) for person in parsed(WRITTEN[way], tmp_path)] == TWO


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (CANVAS + '"Wu, Di",,,,B,\n"Student, Test",,,,A,\n', ["Di Wu"]),
        (MOODLE + "Di;Wu;;;B\nEd;Ng;;ed@x.org;B\n;;;;\n", ["Di Wu"]),
        (PLAIN + ",Di Wu,B\n,Ed Ng,B\n,Average,\n,,\n", ["Di Wu", "Ed Ng"]),
        (PLAIN, []),
    ],
)
def test_who_has_no_id_in_the_list_is_named(text, named, tmp_path):
    """They were left out without a word."""
    people = parsed(text, tmp_path)
    assert not any(person.name in named for person in people)
    assert roster.without_ids(tmp_path / "list.csv") == (
        [f"not in the class's list, since no column has an id of theirs: {', '.join(named)}"] if named else []
    )
