"""Whose a file is where no learning system named it: by the folders it lies in, else by what its name says beside the lesson."""

from __future__ import annotations

import os.path
import re
import unicodedata
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set

from autograde import layout
from autograde.grader.ingest import lesson_of
from autograde.grader.ingest.kinds import CHECKPOINT, COPY

Parts = tuple[str, ...]
WORDS = (  # what people call folders and files of their own work
    "lessons?|homeworks?|hw|assignments?|week|exercises?|notebooks?|nb|attempts?|version|try|part|final|old|new|drafts?|backup|copy|of|my|the|"
    "work|src|solutions?|solved|submissions?|resubmission|attachments?|answers?|code|done|finished|untitled|self|files?|ipynb|checkpoints?|"
    "jupyter|python|colab|earlier|updated|last|conflicted|conflict|deliver(?:y|ies)|deadlines?|revisions?|working|submitted|作业|作業|宿題|課題|과제|実験|实验|レポート"
)
WORK = re.compile(rf"(?:[\W_]|(?<!\d)\d{{1,2}}(?!\d)|v(?=\d)|{WORDS})*+", re.IGNORECASE)  # possessive: never tried in two ways
FOREIGN = "aufgabe|aufgabenblatt|blatt|übung|uebung|abgabe|tarea|pr[áa]ctica|ejercicio|entrega|tp|td|devoir|rendu|exercice|esercizio|compito|tarefa|opdracht|uppgift|задание|дз"
NUMBERED = re.compile(
    rf"(?<![^\W_])(?:lesson|homework|hw|assignment|week|exercise|notebook|problem[\s_-]*set|ps|lab|{FOREIGN})[\s_#-]*0?\d(?![^\W_])"
    r"|第[一二三四五六七八\d]{1,2}[次回课課](?:作业|作業|课|課|課題)?|(?:作业|作業|宿題|課題|과제|实验|実験)[\s_#-]*[一二三四五六七八\d](?!\d)",
    re.IGNORECASE,
)
BARE = re.compile(r"(?<=\d{5})[\s_-]+0[1-8]$")  # the lesson's number behind a student's
IN_A_WORD = re.compile(
    r"(?<=[a-z])(?:HW|Hw|Homework|Assignment)0?\d(?![^\W_])|(?<![^\W_])(?:HW|hw|Hw|[Hh]omework|[Aa]ssignment)0?\d(?=[A-Z])"
)  # AnnLeeHW3
ILIAS = re.compile(r"[^_]+_[^_]+_(?P<login>[^_].*)_\d+")  # last name, first name, login, the system's number
DEVILRY = re.compile(r"group-\d+_(.+)")
GRADESCOPE = re.compile(r"(submission_\d{5,})")  # where the list of who is who is not there
COPY_OF = re.compile(  # as Colab and Drive say it in some languages
    r"(?i)(?<![^\W_])(?:copy[ _]of|kopie[ _](?:von|van)|cop(?:ia|ie|y)[ _]d[aei]|c[óo]pia[ _]de|kopia[ _]av|kopi[ _]a[fv])(?![^\W_])|のコピー|的副本"
    r"|[-–—][ _]*(?:副本|コピー|사본|копия|kopie|copie|copia|cópia|kopia|kopi|kopya)(?![^\W_]|[ _]*(?:d[aei]|v[ao]n|a[vf])[ _])"
)
FINAL = re.compile(r"(?i)(?:[\s_(-]+(?:final|v|new|draft|updated|resubmission|submission)\d{0,2})+[\s_)-]*$")  # behind a name
DATED = re.compile(r"\d{4}[-_.]\d\d[-_.]\d\d(?:[T _-]*\d\d(?:[-:._]?\d\d){1,2}(?:[.,]\d+)?Z?)?")  # when something was handed in
DATE_BEHIND = re.compile(r"[\s_-]+\d{4}([-_])\d\d\1\d\d(?:[T _-]\d\d[-_:]\d\d(?:[-_:]\d\d)?(?:[._]\d+)?)?(?=\.|$)")
BRANCH = re.compile(r"(.+)-(?:main|master)(?:-[0-9a-f]{7,40}(?:-\w+)?)?")  # a repository's archive of GitHub or GitLab
BEFORE = re.compile(
    r"(?i)^[\W_]*(?:(?:late|(?:submission|assignment|homework|solution)s?|abgabe|entrega|rendu|devoir|tarea|inlevering)[\W_]+)+(?=\w)"
)  # words before a name
MAIL = re.compile(r"(?i)^(?:(?:re|fwd?|aw|wg|tr|rv)[_:]+\s*)+")  # a message's subject as a name
MOST_ATTEMPTS = 10
WRAPPER = re.compile(
    r"(?i)(submissions?|submitted|downloads?|downloaded|class|section.*|sec.?|group.*|archive|extracted|inbound|assignment_\d+_export|export|all|.*submissions|late|on[ _-]?time|in[ _-]?time|extensions?|resubmissions?|student work|(?:working|submitted) files"
    r"|(?:TA|tutor|grader|lab|tutorial|seminar|period|gruppe|kurs) .+|.+ (?:lab|tutorial|seminar|section|group|class|period|gruppe|kurs)(?: \w{1,3})?)"
)
MODEL_ANSWERS = re.compile(  # a folder of the course's own answers, where the others are people's
    r"(?i)(?:(?:model|sample|reference|example|official|instructor)[\s_-]*)?(?:solutions?|answers?|answer[\s_-]*keys?|l[öo]e?sung(?:en)?|soluci[óo]n(?:es)?|corrig[ée]s?)"
)


def students(files: Sequence[Parts], root: str, one: bool = False) -> dict[Parts, str]:
    """Each file's student. `root` is the name of what holds them all; `one` says that it is a student's."""
    if one:
        return dict.fromkeys(files, root)
    loose = [parts for parts in files if len(parts) == 1]
    folders: dict[str, list[Parts]] = defaultdict(list)
    for parts in files:
        if len(parts) > 1:
            folders[parts[0]].append(parts[1:])
    if folders and all(is_work(name) for name in folders) and not any(_by_lesson(inner) for inner in folders.values()):
        if not any(said(parts[0]) for parts in loose):
            below = {(name, *parts): who for name, inner in folders.items() for parts, who in _below(inner, root).items()}
            return below if not loose else dict.fromkeys(files, root)
    found = _loose(loose, "" if folders else root)
    if called := by_layout(set(folders), root):
        return found | {(name, *parts): called[name] for name, inner in folders.items() for parts in inner}
    people = {name for name, inner in folders.items() if not _by_lesson(inner, _holds(name))}
    answers = {name for name in people if MODEL_ANSWERS.fullmatch(name)}
    if len(people) > len(answers):
        found |= {(name, *parts): "" for name in answers for parts in folders.pop(name)}
        people -= answers
    for name, inner in folders.items():
        who = _folder(name, inner, alone=len(folders) == 1 and not loose, beside=people - {name})
        found |= {(name, *parts): student for parts, student in who.items()}
    return found


def _below(inner: list[Parts], root: str) -> dict[Parts, str]:
    """The files of a folder that is called by the work: a student each where all notebooks in it are named by students."""
    notebooks = [parts[0] for parts in inner if len(parts) == 1 and ".ipynb" in parts[0].lower()]
    by_name = bool(notebooks) and all(map(said, notebooks))
    return students(inner, root) if by_name else dict.fromkeys(inner, root)


def by_layout(names: Set[str], root: str) -> dict[str, str]:
    """The students of folders that a system named alike, all of them; nothing where one is named in another way."""
    prefix = root.removesuffix("submissions")
    if prefix != root and prefix.endswith("-") and all(name.startswith(prefix) and name != prefix for name in names):  # GitHub Classroom
        return {name: name.removeprefix(prefix) for name in names}
    start = re.match(r".*-|", os.path.commonprefix(sorted(names)))[0]  # type: ignore[index]
    if len(names) > 1 and is_work(start[:-1]) and start not in names:
        return {name: name.removeprefix(start) for name in names}
    if len(names) > 1 and len({found[1] for name in names if (found := BRANCH.fullmatch(name))}) == len(names):
        return {name: name[: BRANCH.fullmatch(name).end(1)] for name in names}  # type: ignore[union-attr]
    for layout_of in (DEVILRY, GRADESCOPE):
        if all(layout_of.fullmatch(name) for name in names):
            return {name: layout_of.fullmatch(name)[1] for name in names}  # type: ignore[index]
    logins = {name: found["login"] for name in names if (found := ILIAS.fullmatch(name)) and not lesson_of.full_name(name)}
    return logins if len(set(logins.values())) == len(names) else {}


def _folder(name: str, inner: list[Parts], alone: bool, beside: Set[str]) -> Mapping[Parts, str]:
    """`beside` are people's folders that lie where this one lies: what is in this one may then be called by who handed it in, to pass for
    another's."""
    people = _people(inner, _holds(name))
    holds_class = _by_lesson(inner, _holds(name)) and (
        (is_work(name) or bool(WRAPPER.fullmatch(name))) and not people & beside or len(people) > 1 and not beside
    )
    if holds_class or alone and WRAPPER.fullmatch(name):
        return students(inner, name)
    if alone and len(named := _named_by_students(inner)) > 1:
        return {parts: named.get(parts[-1], "") for parts in inner}
    who = said(name) if lesson_of.full_name(name) else ""  # `03-self-attention-ann`, as GitHub Classroom has it
    return dict.fromkeys(inner, who or name)


def _named_by_students(inner: Sequence[Parts]) -> dict[str, str]:
    """Whose notebooks are, deep in one folder, where all are called by the lesson and by two students or more; else nothing."""
    notebooks = [parts for parts in inner if ".ipynb" in parts[-1].lower()]
    whose = {parts[-1]: said(parts[-1]) for parts in notebooks if lesson_of.full_name(parts[-1])}
    apart = len(whose) == len(notebooks) == len(set(whose.values())) and all(whose.values())
    return whose if apart and len({parts[:-1] for parts in notebooks}) == 1 and all(len(parts) > 1 for parts in notebooks) else {}


def _holds(name: str) -> bool:
    """Whether a folder's name says that it holds a class, whose students may be called by short numbers."""
    return is_work(name) or bool(WRAPPER.fullmatch(name))


def _attempts(below: Set[str]) -> bool:
    """Whether folders are called by the numbers of attempts: 1 and so on, or the one that counts."""
    numbers = {int(name) for name in below if re.fullmatch(r"[1-9]\d?", name, re.ASCII)}
    return len(numbers) == len(below) and (
        len(numbers) == 1 or numbers == set(range(1, len(numbers) + 1)) and len(numbers) <= MOST_ATTEMPTS
    )


def _by_lesson(inner: list[Parts], numbers: bool = True) -> bool:
    """Whether what a folder holds is folders of people, also below one folder more that is called by the work; `numbers` says whether 1, 2, 3
    may be people."""
    if not all(len(parts) > 1 for parts in inner) or not numbers and _attempts({parts[0] for parts in inner}):
        return False
    alone = len({parts[0] for parts in inner}) == 1
    return any(not is_work(parts[0]) for parts in inner) or alone and bool(inner) and _by_lesson([parts[1:] for parts in inner])


def _people(inner: Sequence[Parts], numbers: bool = True) -> set[str]:
    """The folders in a folder that are called by people, also below one folder more that is called by the work."""
    below = {parts[0] for parts in inner if len(parts) > 1}
    people = {folder for folder in below if not is_work(folder)} if numbers or not _attempts(below) else set()
    if len(below) == 1 and not people and all(len(parts) > 1 for parts in inner):
        return _people([parts[1:] for parts in inner])
    return people


def _loose(files: Sequence[Parts], root: str) -> dict[Parts, str]:
    """Files in one folder: a student each where names say whose, else all the folder's; "" where nobody can tell."""
    whose = {parts: said(parts[0]) for parts in files}
    if not root or not any(whose.values()):
        return {parts: who or root for parts, who in whose.items()}
    return {parts: who or re.sub(r"\.(ipynb|py).*$", "", parts[0], flags=re.IGNORECASE) for parts, who in whose.items()}


def is_work(name: str) -> bool:
    """Whether a folder is called by a lesson or by the work in it, not by a person."""
    return bool(DATED.fullmatch(name)) or not said(name) and bool(re.search(r"[^\W\d_]|^0[1-8]$", name))


def said(name: str) -> str:
    """What a name says beside the lesson, the words for work, and the marks of copies."""
    name = name if name.isascii() else unicodedata.normalize("NFKC", name)  # letters and brackets of full width
    stem = re.sub(r"\.(ipynb|py|json|txt|zip|safetensors|tar|gz|tgz|html|pdf)\b", "", name, flags=re.IGNORECASE)
    stem = DATE_BEHIND.sub("", DATED.sub("", stem, count=1) if DATED.match(stem) else stem)
    stem = COPY_OF.sub(" ", CHECKPOINT.sub("", COPY.sub("", MAIL.sub("", stem))))
    for lesson in layout.lesson_names():
        subject = r"[\s_+-]*".join(map(re.escape, lesson[3:].split("_")))
        stem = re.sub(rf"(?<![a-z])(?:0?{lesson[1]}[\s_.+-]*)?{subject}(?![a-z])", " ", stem, flags=re.IGNORECASE)
    stem = BEFORE.sub("", NUMBERED.sub(" ", IN_A_WORD.sub(" ", stem)))
    stem = BARE.sub("", stem.strip())
    return "" if WORK.fullmatch(stem) else FINAL.sub("", stem).strip(" _-.+,()[]#")  # a number of three digits or more is a person's
