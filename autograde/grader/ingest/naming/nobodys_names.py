"""Names that call nobody: parts of a class, places on a computer, the course's own answers, and a folder of one's own in one's own."""

from __future__ import annotations

import re
import unicodedata

from autograde.grader.ingest.naming import teams_folders
from autograde.grader.ingest.naming.work_words import NUMBERED, is_work

PLACE = re.compile(  # of a computer
    r"(?i)desktop|mnt|media|schreibtisch|escritorio|scrivania|documenti|documents|dokumente|documentos|bureau|home|te?mp|new folder|neuer ordner|nouveau dossier|nueva carpeta|projects?|stuff|misc"
)
DRIVES_PART = r".+-\d{8}T\d{6}Z(?:-\d+)+"  # of a folder of Google Drive, unpacked
PART = (  # of a class, in words that call nobody
    r"submissions?|submitted|resubmissions?|abgaben|einreichungen|entregas|remises|rendus|consegne|inleveringen|提交|late|on[ _-]?time|in[ _-]?time|extensions?"
    r"|sec(?:tion)?s?(?:[ _.-]+\w{1,3}|\d{1,3})?"
    r"|\d{1,2}[ ._-]?[a-z]"  # 10A, of a school
    r"|(?:(?:late|came|handed[ _-]in|received|sent|submitted)[ _-])?(?:(?:by|via|from|per|par|por|von)[ _-])?(?:e-?)?mails?"
    r"|(?:mon|tues|wednes|thurs|fri)days?|montag|dienstag|mittwoch|donnerstag|freitag|lundi|mardi|mercredi|jeudi|vendredi"  # when it meets
    r"|lunes|martes|mi[ée]rcoles|jueves|viernes|luned[iì]|marted[iì]|mercoled[iì]|gioved[iì]|venerd[iì]"
)
DAY = re.compile(  # one may be a person's name, not all
    r"(?i)(?:mon|tues?|wed|weds|thu|thurs?|fri)\b\.?(?:[\s_-]*\d(?:[\d:.\s_-]|h|[ap]\.?m)*)?"
)
SUBJECT = (  # of a course such as this one: what its folder is called in a drive
    r"(?:(?:intro(?:duction)?(?:[ _-]to)?|advanced|applied|foundations?[ _-]of|topics[ _-]in)[ _-])?(?:"
    r"(?:deep|machine|reinforcement|statistical|representation)[ _-]learning|artificial[ _-]intelligence|natural[ _-]language[ _-]processing|nlp"
    r"|language[ _-]model(?:l?ing|s)|attention[ _-](?:and|in|for)[ _-].+|neural[ _-]net(?:work)?s|data[ _-]science|transformers)"
    r"(?:[ _-]+(?:for|with|in|and)[ _-].+)?(?:[ _-]+(?:course|class|kurs|curso|cours|corso))?(?:[ _-]+(?:(?:spring|fall|autumn|summer|winter|ss|ws|term)[ _-]*)?\d{2,4}(?:[/_-]\d{2,4})?)?"
)
WRAPPER = re.compile(
    rf"(?i)({PART}|{SUBJECT}|downloads?|downloaded|class|section.*|group.*|archive|extracted|inbound|assignment_\d+_export|export|all|.*submissions|student work"
    r"|.*\(file responses\)|question(?: \d+)?|apps|microsoft forms|(?:.+ )?file requests?"  # of Google's and Microsoft's forms, and of Dropbox
    rf"|{DRIVES_PART}"
    r"|onedrive[ _-].*|bulk_download|multi_feedback.*|gradebook_.+|.+ download .+"
    r"|(?:TA|tutor|grader|lab|tutorial|seminar|period|gruppe|kurs) .+|.+ (?:lab|tutorial|seminar|section|group|class|period|gruppe|kurs)(?: \w{1,3})?)"
)
MODEL_ANSWERS = re.compile(  # a folder of the course's own answers, where the others are people's
    r"(?i)(?:(?:model|sample|reference|example|official|instructor)[\s_-]*)?(?:solutions?|answers?|answer[\s_-]*keys?|base(?:[\s_-]*code)?|template|starter(?:[\s_-]*code)?|skeleton|handout|l[öo]e?sung(?:en)?|soluci[óo]n(?:es)?|corrig[ée]s?)"
)
THE_COURSES = re.compile(  # a notebook of the course's own, in the place of a student's name
    r"(?i)(?:model|sample|reference|example|official|instructor'?s?|teacher'?s?|staff)(?:[\s_-]*(?:solutions?|answers?|version|copy))?"
    r"|answer[\s_-]*keys?|starter(?:[\s_-]*code)?|template|muster[\s_-]*l[öo]e?sung(?:en)?|corrig[ée]s?"
)


def wraps(name: str) -> bool:
    """Whether a folder is called as those are that hold a class or a part of one."""
    whole = unicodedata.normalize("NFC", name)  # a Mac's letters come in parts
    beside_work = NUMBERED.sub("", whole).strip(" _-") if NUMBERED.search(whole) else ""  # `HW3 late`
    return bool(WRAPPER.fullmatch(whole) or re.fullmatch(PART, beside_work, re.IGNORECASE)) or teams_folders.is_one(whole)


def calls_nobody(name: str) -> bool:
    """Whether a folder is called by where it is on a computer, or by the work or the class in it."""
    return bool(PLACE.fullmatch(unicodedata.normalize("NFC", name))) or wraps(name) or is_work(name)


def is_model_answers(name: str) -> bool:
    return bool(MODEL_ANSWERS.fullmatch(unicodedata.normalize("NFC", name)))


def may_hold_a_class(name: str) -> bool:
    """Whether a folder's name says that it holds a class, whose students may be called by short numbers."""
    return is_work(name) or wraps(name)


def is_ones_own(name: str, inner: str) -> bool:
    """Whether a folder or file in another says its name again, as in `Lee, Ann/annlee_hw3`."""
    words = [word.casefold() for word in re.findall(r"[^\W\d_]+", name)]
    return any(len(word) > 1 and word in inner.casefold() for word in words)
