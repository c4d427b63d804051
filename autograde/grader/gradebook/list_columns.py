"""The columns and lines of a class's list: what systems and people call columns in many languages, and which lines are of people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence


def column(name: str) -> str:
    """A column's name as it is compared: `Student_ID`, `Student-ID` and `STUDENT ID (7 digits)` are one."""
    plain = re.sub(r"[-_.:*]", " ", re.sub(r" \([^()]*\)$", "", " ".join(name.split())))
    return " ".join(plain.casefold().replace("\u0307", "").replace("ı", "i").split())


def _words(*names: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(column(name) for line in names for name in line.split("|")))


# the likeliest first; a title of our own comes before all
ID = _words(
    "student_id|student id|student number|student #|student id number|id number|id nummer|student no|students id|matriculation number|matric no|roll no|roll number"
    "|registration number|registration no|reg no|enrollment no|enrolment no|usn|prn|emplid|university id|campus id|banner id|uid",
    "matrikelnummer|matrikelnr|matrikel nr|matrikel|studentnummer|studienummer|opiskelijanumero|personnummer|numéro étudiant|n° étudiant|numéro d'étudiant",
    "número de identificação|número de matrícula|matrícula|número de estudiante|número de alumno|número de aluno|legajo|numer albumu|nr albumu|numer indeksu|nr indeksu",
    "学籍番号|學號|학번|mssv|mã số sinh viên|mã sinh viên|nim|no matrik|รหัสนักศึกษา|מספר סטודנט|الرقم الجامعي|رقم الطالب|öğrenci no|öğrenci numarası|neptun kód|neptun",
    "učo|osobní číslo|studijní číslo|număr matricol|nr matricol|jmbag|broj indeksa|vpisna številka|αριθμός μητρώου|αμ|номер зачетки|номер зачётки|студенческий билет",
    "unique user id|numéro d'identification|número de id|número de identificación|matricola|codice identificativo|学号|编号|sis login id|sis user id|sid|orgdefinedid",
    "username|user name|anmeldename|benutzername|nom d'utilisateur|nombre de usuario|nome utente|用户名|login|login id|логин|netid|net id|gebruikersnaam|nome de usuário",
    "kullanıcı adı|användarnamn|brugernavn|brukernavn|käyttäjätunnus|felhasználónév|uživatelské jméno|nazwa użytkownika|github username|identifier|display id|id",
)
NAME = _words(
    "name|full name|student|student name|display name|name of student|vollständiger name|name, vorname|nachname, vorname|nom complet|nom et prénom|nombre completo",
    "apellidos y nombre|nombre y apellidos|nome completo|cognome e nome|nome e cognome|volledige naam|naam|navn|fulde navn|fullt navn|namn|fullständigt namn|nimi|koko nimi",
    "姓名|全名|氏名|名前|이름|성명|фио|піб|imię i nazwisko|nazwisko i imię|adı soyadı|ad soyad|név|teljes név|celé jméno|jméno a příjmení|příjmení a jméno|meno a priezvisko",
    "nume și prenume|nume complet|ime i prezime|ime in priimek|ονοματεπώνυμο|họ và tên|họ tên|nama|nama lengkap|שם|שם מלא|الاسم|اسم الطالب|ชื่อ นามสกุล",
)
FIRST = _words(
    "first name|firstname|first|given name|given names|student first name|forename|vorname|prénom|nombre|nombres|nombre(s)|nome|voornaam|imię|имя|ім'я|名|fornavn|förnamn|etunimi",
    "jméno|meno|krstné meno|keresztnév|utónév|ad|adı|prenume|ime|όνομα|eesnimi|vārds|vardas|שם פרטי|tên|ชื่อ",
)
LAST = _words(
    "last name|lastname|last|surname|family name|student last name|nachname|familienname|nom de famille|nom|apellido(s)|apellidos|apellido|apellido paterno|primer apellido",
    "cognome|sobrenome|apelido|achternaam|nazwisko|фамилия|прізвище|姓|姓氏|etternavn|efternavn|efternamn|sukunimi|příjmení|priezvisko|vezetéknév|családnév",
    "soyad|soyadı|nume|nume de familie|prezime|priimek|επώνυμο|perekonnanimi|uzvārds|pavardė|שם משפחה|họ|นามสกุล",
)
SECTION = _words(
    "section|sections|group|groups|class|gruppe|gruppen|groupe|groupes|grupo|grupos|gruppi|gruppo|grupp|grupa|csoport|grup|şube|skupina|группа|小组|班级|分班"
)
EMAIL = _words(
    "email|e mail|email address|mail|mail address|e mail adresse|adresse de courriel|adresse e mail|dirección de correo|correo electrónico|correo|indirizzo email",
    "e mailadres|endereço de email|courriel|e post|e postadress|sähköposti|e posta|почта|эл почта|メールアドレス|电子邮件地址|电子邮箱|邮箱|이메일",
)
KNOWN = frozenset((*ID, *NAME, *FIRST, *LAST, *SECTION, *EMAIL))

FIRST_LINES = 12  # in which the names of the columns stand: reports write the course and the term above them
TEST_STUDENT = {"student, test", "test student"}  # Canvas's own
SUMS = {"total", "totals", "average", "mean", "median", "points possible"}  # lines of no person; as a name each is somebody's, too
TEST_LOGIN = re.compile(r"[0-9a-f]{40}")  # of Canvas's own student, whose name is in the language of the course
ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
NUMBERED = re.compile(r"#?[A-Za-z]{0,8}[-_.]?\d{2,}[A-Za-z]?")  # an id that holds a number, such as `0042`, `k12345678`
DESCRIBED = re.compile(  # what stands in a line that says what is in each column
    r"(?i)\W*|\{.*\}|\(.*\)|(?:short |long )?(?:string|text|integer|int|number|numeric|float|double|boolean|bool|date|datetime|char|varchar|factor|object)(?:\(\d+\))?"
    r"|required|optional|mandatory|n/?a|zahl|texte?|nombre|número|numero|texto|testo"
)


def as_people_mean(cell: str) -> str:
    """A cell without what programs put around its text: blanks that do not break, and `="0042"`, which keeps a spreadsheet from counting."""
    plain = " ".join(cell.replace("\xa0", " ").split(" ")).strip()
    return kept[1] if (kept := re.fullmatch(r'="([^"]*)"', plain)) else plain


def from_its_header(rows: list[list[str]]) -> list[list[str]]:
    """The table from that of its first lines that names a column of ids, and most others; where none does, with such a line by what the columns hold,
    above all lines or in place of the first, which names some other column."""
    known = [set(map(column, row)) & KNOWN for row in rows[:FIRST_LINES]]
    if named := [i for i, names in enumerate(known) if names & {*ID, *EMAIL}]:
        return rows[max(named, key=lambda i: len(known[i])) :]
    if told := _header_of(rows):
        return [told, *rows]
    told = _header_of(rows[1:]) if rows and set(map(column, rows[0])) & KNOWN else []  # else it may be a person whose id has no number
    return [[name if column(name) in KNOWN else by_content for name, by_content in zip(rows[0], told)], *rows[1:]] if told else rows


def _header_of(rows: list[list[str]]) -> list[str]:
    """The header that a table without one would have: a column where everyone has another number or address is that of the ids, one of words the
    names. Nothing where it is not that plain."""
    if len(rows) < 2 or len({len(row) for row in rows}) > 1:
        return []
    columns = [[cell.strip() for cell in column] for column in zip(*rows)]
    kinds = ["email" if all(map(ADDRESS.fullmatch, c)) else "id" if all(map(NUMBERED.fullmatch, c)) else "" for c in columns]
    if kinds.count("id") > 1 or not any(kind and len(set(column)) == len(rows) for kind, column in zip(kinds, columns)):
        return []
    words = [i for i, column in enumerate(columns) if not kinds[i] and not re.search(r"[\d@]", "".join(column))]
    named = words if len(words) == 1 else [i for i in words if all(re.search(r"\w[ ,]", cell) for cell in columns[i])]
    return ["name" if [i] == named else kind for i, kind in enumerate(kinds)]


def is_nobodys(row: Mapping[str, str], key: str, ids: Sequence[str]) -> bool:
    """Whether a row is none of a person: Canvas's own (points, its test student), one that says again what stands in the columns, or a line below the
    class, which fills one cell with words. `ids` are those of all rows, in the column `key`."""
    names = {row[name].casefold() for name in NAME if name in row}
    if row[key].casefold() in SUMS or names & TEST_STUDENT or TEST_LOGIN.fullmatch(row.get("sis login id", "")):
        return True
    about = [cell for name, cell in row.items() if cell and name in KNOWN]
    if len(about) > 1 and all(DESCRIBED.fullmatch(cell) or column(cell) in KNOWN for cell in about):
        return True
    alone = len(row) > 1 and sum(map(bool, row.values())) == 1
    return alone and " " in row[key] and sum(" " in one for one in ids) < len(ids) / 2


def without_fractions(ids: Sequence[str]) -> list[str]:
    """Numbers as they were before a program took them for measures and wrote `1001.0`: where all are, and the fraction is none."""
    given = [one for one in ids if one]
    return [re.sub(r"\.0$", "", one) for one in ids] if all(re.fullmatch(r"\d+\.0", one) for one in given) else list(ids)
