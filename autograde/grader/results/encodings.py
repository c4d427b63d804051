"""In which encoding a table of names was saved: nothing in the file says so, but for a byte order mark."""

from __future__ import annotations

import re
from pathlib import Path

from autograde.grader import spelling

SAMPLE, MOST_TOLD = 200, 3  # cells, words
MARKS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))
HEADERS = {  # words of a first line in which systems of these countries name their columns
    "shift_jis": "氏名 名前 学籍 番号 学生 出席 メール クラス フリガナ カナ 学年 所属",
    "euc_jp": "氏名 名前 学籍 番号 学生 出席 メール クラス フリガナ カナ 学年 所属",
    "gb18030": "姓名 学号 学生 编号 班级 专业 邮箱 电子邮件 性别 序号 课程",
    "big5": "姓名 學號 學生 編號 班級 系級 系所 郵件 信箱 性別 序號",
    "euc_kr": "이름 성명 학번 학생 번호 이메일 학과 학년 분반",
    "cp1251": "имя фамилия отчество студент номер группа почта фио логин",
    "koi8_r": "имя фамилия отчество студент номер группа почта фио логин",
    "cp1253": "όνομα επώνυμο ονοματεπώνυμο αριθμός μητρώο ομάδα φοιτητής",
}


def of(raw: bytes) -> tuple[str, bytes]:
    """The encoding, and the mark that the bytes begin with: UTF-8 or UTF-16 where they can be that, else the one in which the first line names
    columns, else the one in which what is no ASCII makes names."""
    for mark, encoding in MARKS:
        if raw.startswith(mark):
            return encoding, mark
    if raw.count(0) * 20 > len(raw):  # half of each ASCII letter; a few are a name's, into which a student has put them
        return ("utf-16-le" if raw[1::2].count(0) > raw[::2].count(0) else "utf-16-be"), b""
    if _decodes(raw, "utf-8"):
        return "utf-8", b""
    named = {encoding: _words(raw, encoding, words.split()) for encoding, words in HEADERS.items()}
    best = max(named, key=named.__getitem__)
    return (best if named[best] else spelling.likeliest([raw])), b""


def doubt(path: Path) -> list[str]:
    """A line where names in a table may be spelled otherwise than they are read, since few letters say in which encoding it was saved."""
    raw = path.read_bytes() if path.is_file() else b""
    encoding, _ = of(raw)
    cells = [cell.strip(b'" ') for cell in re.split(rb"[,;\t|\r\n]+", raw) if not cell.isascii()]
    others = spelling.other_readings(b"\n".join(cells[:SAMPLE]), encoding) if encoding in spelling.SPOKEN else {}
    named = ", ".join(f"`{word}` may be {' or '.join(f'`{o}`' for o in meant)}" for word, meant in list(others.items())[:MOST_TOLD])
    return [f"{path.name} does not say how its letters are written: {named}. If a name is wrong, save the file as UTF-8"] if others else []


def _decodes(raw: bytes, encoding: str) -> bool:
    try:
        raw.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _words(raw: bytes, encoding: str, words: list[str]) -> int:
    """How many of the words the first line holds, in a file that can be in this encoding."""
    if not _decodes(raw, encoding):
        return 0
    first = raw.decode(encoding).split("\n", 1)[0].casefold()
    return sum(word in first for word in words)
