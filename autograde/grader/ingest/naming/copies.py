"""Which copy or attempt a name says that a file is: a copy of another, a backup, what a conflict left, an old one or the last one."""

from __future__ import annotations

import re
import unicodedata

from autograde.grader.ingest.naming import teams_folders

COPY = re.compile(r"(?i)^copy[ _]of[ _]+|[ _-]*\(\d+\)(?=\.|$)|[ _-]+copy\d*(?=\.|$)|-\d{1,2}(?=\.|$)|[ _-]*\[\d\](?=\.|$)")
FOLDER_COPY = re.compile(  # as Windows and macOS call one in some languages
    r"(?i)(?:[ _]*[-–—][ _]*|[ _])(?:copy|kopie|copie|copia|cópia|kopia|kopi|kopya|副本|コピー|사본|копия)(?: \d{1,2}| ?\(\d{1,2}\))?$"
)
COPY_OF = re.compile(  # as Colab and Drive say it in some languages
    r"(?i)(?<![^\W_])(?:copy[ _]of|kopie[ _](?:von|van)|cop(?:ia|ie|y)[ _]d[aei]|c[óo]pia[ _]de|kopia[ _]av|kopi[ _]a[fv])(?![^\W_])|のコピー|的副本"
    r"|[-–—][ _]*(?:副本|コピー|사본|копия|kopie|copie|copia|cópia|kopia|kopi|kopya)(?![^\W_]|[ _]*(?:d[aei]|v[ao]n|a[vf])[ _])"
)
CONFLICT = re.compile(r"(?i)conflict")
CHECKPOINT = re.compile(r"-checkpoint(?=\.)")
BACKUP = re.compile(r"(?i)^(?:\.~|~\$|#)|~$|\.(?:bak|orig|swp|tmp|old)$")  # an editor's own copy, or its lock
OLDER = re.compile(  # in what people call a file or a folder of their own
    r"(?i)(?<![^\W_])(?:old(?:er)?|backups?|drafts?|first|wip|previous|outdated|alte?|ancienn?e?|viej[oa]|vecchi[oa]|entwurf|brouillon|borrador|bozza)(?![^\W_])"
)
NEWER = re.compile(
    r"(?i)(?<![^\W_])(?:final(?:e|es)?|new(?:er|est)?|latest|late|resubmi(?:ssions?|tted)|submitted|corrected|neue?|nouve(?:au|lle)|nuev[oa]|nuov[oa]|endg[üu]ltig|definitiv[oae]?)(?![^\W_])"
)


def original(folder: str) -> str:
    """What a folder is called by its name a copy of; itself where it is none."""
    whole = unicodedata.normalize("NFC", folder)  # a Mac's letters come in parts
    without = FOLDER_COPY.sub("", COPY_OF.sub("", whole))
    return without.strip(" _") or folder if without != whole else folder  # `ann_` beside `ann` is somebody else's


def rank(parts: tuple[str, ...]) -> int:
    """2, or 1 for a copy that a synchronising program made of a conflict or that lies in the copy of a folder, or 0 for an editor's checkpoint
    or backup."""
    if CHECKPOINT.search(parts[-1]) or BACKUP.search(parts[-1]) or ".ipynb_checkpoints" in parts:
        return 0
    return 1 if CONFLICT.search(parts[-1]) or any(original(folder) != folder for folder in parts[:-1]) else 2


def standing(parts: tuple[str, ...]) -> int:
    """1 where a name says that it is the last of several attempts, -1 where it says that it is not."""
    names = [unicodedata.normalize("NFC", part) for part in parts]
    if any(map(OLDER.search, names)) or any(map(teams_folders.WORKED_IN.fullmatch, names)):
        return -1
    return 1 if any(map(NEWER.search, names)) or any(map(teams_folders.HANDED_IN.fullmatch, names)) else 0
