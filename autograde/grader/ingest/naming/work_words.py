"""What the name of a file or a folder says beside the lesson, the words that people use for their work, and the marks of copies: mostly, whose it is."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from autograde import layout
from autograde.grader.ingest.naming import teams_folders
from autograde.grader.ingest.naming.copies import CHECKPOINT, COPY, COPY_OF

WORDS = (  # what people call folders and files of their own work
    "lessons?|homeworks?|hw|labs?|assignments?|week|exercises?|notebooks?|nb|attempts?|version|try|part|final|old|new|drafts?|backup|copy|of|my|the|"
    "work|src|solutions?|solved|submissions?|resubmission|attachments?|answers?|code|done|finished|untitled|self|files?|ipynb|checkpoints?|"
    "jupyter|python|colab|earlier|updated|last|conflicted|conflict|deliver(?:y|ies)|deadlines?|revisions?|working|submitted|abgaben?|einreichung(?:en)?|entregas?|rendus?|remises?|consegn[ae]|inlevering(?:en)?|作业|作業|宿題|課題|과제|実験|实验|レポート"
)
WORK = re.compile(rf"(?:[\W_]|(?<!\d)\d{{1,2}}(?!\d)|v(?=\d)|{WORDS})*+", re.IGNORECASE)  # possessive: never tried in two ways
FOREIGN = r"hausaufgabe|aufgabe|aufgabenblatt|blatt|übung|uebung|abgabe|tarea|pr[áa]ctica|ejercicio|entrega|tp|td|devoir|rendu|exercice|esercizio|compito|tarefa|opdracht|uppgift|opgave|oppgave|zadanie|[öo]dev|tugas|bt|bài[\s_-]*tập|consegna|lektion|serie|lecci[óo]n|le[çc]on|lezione|li[çc][ãa]o|gu[íi]a|deber|laboratorio|praktikum|worksheet|sheet|esercitazion[ei]|inlämning(?:suppgift)?|εργασία|άσκηση|واجب|تمرين|(?:домашн\w+ )?(?:задание|работа)|дз"
NUMBERED = re.compile(
    rf"(?<![^\W_])(?:lesson|homework|hw|assignment|week|exercise|notebook|problem[\s_-]*set|ps|lab|{FOREIGN})[\s_#-]*0?\d(?![^\W_])"
    r"|第[一二三四五六七八\d]{1,2}[次回课課](?:作业|作業|课|課|課題)?|(?:作业|作業|宿題|課題|과제|实验|実験)[\s_#-]*[一二三四五六七八\d](?!\d)",
    re.IGNORECASE,
)
MORE = re.compile(  # the same in fewer courses: only where a name stands beside it, since a folder `Project 3` may be a team's
    r"(?<![^\W_])(?:ass?i?gn|p-?set|pa|proj(?:ect)?|chapter|unit|module|task|quiz|ex|exo|assessment|coursework|cw|lista|trabalho|atividade|ha|hü|zettel)[\s_#-]*0?\d(?![^\W_])"
    r"|^(?:[alpq]|t[pd][\s_]*n[°º]?)[\s_]*0?\d[\s_-]+(?=[^\W\d])|(?<=[\s_-])sec(?:tion)?[\s_]*\d$",
    re.IGNORECASE,
)
TRY = re.compile(
    r"(?i)(?:revision|attempt|submission|version|try)[\s_#-]*\d{1,2}[\s_-]+(?:on[\s_-]?time|late|overdue)"
)  # a folder of Schoology's
BY = re.compile(r"(?i)^by\s+(?=\w)|['’]s$")  # `self_attention by Ann`, `Ann's self_attention`
BARE = re.compile(r"(?<=\d{5})[\s_-]+0[1-8]$")  # the lesson's number behind a student's
IN_A_WORD = re.compile(
    r"(?<=[a-z])(?:HW|Hw|Homework|Assignment)0?\d(?![^\W_])|(?<![^\W_])(?:HW|hw|Hw|[Hh]omework|[Aa]ssignment)0?\d(?=[A-Z])"
)  # AnnLeeHW3
FINAL = re.compile(
    r"(?i)(?:[\s_(-]+(?:final|v|new|draft|updated|complete(?:d)?|done|fixed|corrected|late|resubmi(?:ssion|t|tted)|submission|attempt|solutions?|solved|answers?|hw|homework|assignment|untitled|abgabe|einreichung|l(?:ö|oe)sung|entrega|soluci[óo]n|rendu|corrig[ée]|consegna)\d{0,2})+[\s_)!-]*$"
)  # behind a name
GROUP = re.compile(
    r"(?i)(?:group|gruppe|groupe?|grupo|gruppo|team|[ée]quipe|pair|table|students?|users?|participants?|组|組)[\s_-]*"
)  # numbered ones are different
SECOND = re.compile(r"(?<=[ _] ) ?\d{1,2}$|(?<=_) \d{1,2}$")  # OneDrive's number of a second file, where the lesson stood before it
SECOND_OF_MOODLE = re.compile(r"(?<=\w[ _] )_0\d$")  # the same of Moodle's plugin for names; groups are called so, too
# Fourteen digits: a student's number has fewer.
COMPACT = r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[T_-]?(?:[01]\d|2[0-3])[0-5]\d[0-5]\d"
DAY_FIRST = r"(?:[0-2]?\d|3[01])(?P<between>[-._])(?:[0-2]?\d|3[01])(?P=between)20\d\d"  # or the month first
DATED = re.compile(  # when something was handed in
    rf"{DAY_FIRST}(?![^\W_])(?:[T _-]+\d\d[-:._]?\d\d(?:[-:._]?\d\d)?(?!\d))?|{COMPACT}(?![^\W_])|"
    r"\d{4}[-_.]\d\d[-_.]\d\d(?:[T _-]*\d\d(?:[-:._]?\d\d){1,2}(?:[.,]\d+)?Z?(?!\d))?"
)
DATE_BEHIND = re.compile(
    rf"[\s_-]+{DAY_FIRST}(?:[T _-]+\d\d[-:._]?\d\d(?:[-:._]?\d\d)?)?(?=\.|[\s_-]*$)|[\s_-]+{COMPACT}(?=\.|[\s_-]*$)|"
    r"[\s_-]+20\d\d(?:0[1-9]|1[0-2])(?:[0-2]\d|3[01])[T_-]\d{4}(?:\d\d)?(?=\.|[\s_-]*$)|[\s_-]+\d{4}(?P<mark>[-_])\d\d(?P=mark)\d\d(?:[T _-]\d\d[-_:.]?\d\d(?:[-_:.]?\d\d)?(?:[._]\d{1,6})?Z?)?(?=\.|[\s_-]*$)"
)
BEFORE = re.compile(
    r"(?i)^[\W_]*(?:(?:late|hw|final|(?:submission|assignment|homework|solution|notebook)s?|abgabe|entrega|rendu|devoir|tarea|inlevering|untitled\d*|wetransfer"
    r"|l(?:ö|oe)sung|soluci[óo]n|corrig[ée]|hausaufgabe|aufgabe|[üu]e?bung|pr[áa]ctica|ejercicio|exercice|esercizio|compito|tarefa|opdracht|uppgift|op{1,2}gave"
    r"|zadanie|[öo]dev|tugas|consegna|laboratorio|praktikum|домашн\w+[\W_]+(?:задание|работа)|作业|作業|課題|과제)[\W_]+)+(?=\w)"
)  # words before a name
AGAIN = re.compile(r"([^()]+)\(\d{1,2}\)(?=[\s_]*[-_][\s_]*[^\W\d])")  # `self_attention (1) - Ann`: a form has put the name behind all
ATTEMPT = re.compile(
    r"(?i)\d{1,2}|(?:take|run|try|round|day|versuch|essai|intento|save|upload|[vr])[\s_-]*\d{1,3}|20\d\d[\W_]?(?:0?[1-9]|1[0-2])[\W_]?(?:0?[1-9]|[12]\d|3[01])"
)  # what people call an attempt or a day
MAIL = re.compile(r"(?i)^(?:(?:re|fwd?|aw|wg|tr|rv)[_:]+\s*)+")  # a message's subject as a name


def is_work(name: str) -> bool:
    """Whether a folder is called by a lesson or by the work in it, not by a person."""
    if teams_folders.is_one(unicodedata.normalize("NFC", name)):
        return True
    return bool(DATED.fullmatch(name) or TRY.fullmatch(name)) or not said(name) and bool(re.search(r"[^\W\d_]|^0[1-8]$", name))


def is_homework(name: str) -> bool:
    """Whether a name is what homework is called in some language, without its number."""
    return bool(re.fullmatch(rf"(?i)[\W_]*(?:{FOREIGN})[\W_]*", name))


@lru_cache(maxsize=2**16)  # of a class with a data set in it, each name is asked for several times
def said(name: str) -> str:
    """What a name says beside the lesson, the words for work, and the marks of copies."""
    name = name if name.isascii() else unicodedata.normalize("NFKC", name)  # letters and brackets of full width
    stem = re.sub(
        r"\.(ipynb|py|json|txt|zip|safetensors|tar|gz|tgz|html|pdf|7z|rar|xz|zst|bz2|dbc|deepnote|zpln|md|rmd|qmd)\b",
        "",
        name,
        flags=re.IGNORECASE,
    )
    whole = stem
    stem = DATE_BEHIND.sub("", DATED.sub("", stem, count=1) if DATED.match(stem) else stem)
    stem = COPY_OF.sub(" ", CHECKPOINT.sub("", COPY.sub("", MAIL.sub("", stem))))
    for lesson in layout.lesson_names():
        subject = r"[\s_+-]*".join(map(re.escape, lesson[3:].split("_")))
        without = re.sub(rf"(?<![a-z])(?:0?{lesson[1]}[\s_.+-]*)?{subject}(?![a-z])", " ", stem, flags=re.IGNORECASE)
        stem = re.sub(rf"^\W*0?{lesson[1]}[\s_.+-]+(?=[^\W\d])", "", without) if without != stem else stem
    if (again := AGAIN.match(stem)) and WORK.fullmatch(NUMBERED.sub(" ", again[1])):
        stem = again[1] + stem[again.end() :]
    stem = BEFORE.sub("", NUMBERED.sub(" ", IN_A_WORD.sub(" ", stem)))
    stem = DATE_BEHIND.sub("", BARE.sub("", stem.strip()))
    if not WORK.fullmatch(beside := MORE.sub(" ", stem)):
        stem = beside.strip()
    stem = SECOND.sub("", stem if GROUP.match(stem) else SECOND_OF_MOODLE.sub("", stem)).strip()
    if WORK.fullmatch(stem):  # a number of three digits or more is a person's
        return ""
    beside = re.sub(r"([-_]) +[-_]", r"\1", FINAL.sub("", stem)).strip(" _-–—|·•:;~=.+,()[]#")  # the lesson stood between
    name = beside if beside == whole else BY.sub("", beside)
    return f"{name})" if name.count("(") > name.count(")") else name
