"""The two folders in which Microsoft Teams keeps a class's files, in the languages that it speaks."""

from __future__ import annotations

import re

SUBMITTED = (
    r"submitted files|(?:übermittelte|eingereichte|abgegebene|gesendete) dateien|fichiers (?:envoyés|soumis|remis|transmis|rendus)"
    r"|(?:archivos|ficheros) (?:enviados|entregados|presentados)|(?:ficheiros|arquivos) (?:submetidos|enviados|entregues)"
    r"|file (?:inviati|consegnati)|(?:ingediende|ingeleverde|verzonden) bestanden|(?:przesłane|wysłane) pliki|inskickade filer|inlämnade filer"
    r"|(?:afleverede|indsendte) filer|(?:innsendte|innleverte) filer|(?:lähetetyt|palautetut) tiedostot|(?:odeslané|odevzdané) soubory"
    r"|gönderilen dosyalar|(?:отправленные|сданные) файлы|(?:提出|送信)(?:済み|された|した)?の?ファイル|제출[된한] 파일|제출 파일"
    r"|已?提交的?文件|已?(?:提交|繳交)的?檔案|الملفات (?:المقدمة|المرسلة)"
)
WORKING = (
    r"working files|arbeitsdateien|fichiers de travail|(?:archivos|ficheros) de trabajo|(?:ficheiros|arquivos) de trabalho|file di lavoro"
    r"|werkbestanden|pliki robocze|arbetsfiler|arbejdsfiler|arbeidsfiler|työtiedostot|pracovní soubory|çalışma dosyaları|рабочие файлы"
    r"|作業(?:中の)?ファイル|작업 파일|工作文件|工作檔案|ملفات العمل"
)
HANDED_IN, WORKED_IN = re.compile(SUBMITTED, re.IGNORECASE), re.compile(WORKING, re.IGNORECASE)


def is_one(name: str) -> bool:
    """Whether a folder, whose letters are composed, is called as one of the two."""
    return bool(HANDED_IN.fullmatch(name) or WORKED_IN.fullmatch(name))
