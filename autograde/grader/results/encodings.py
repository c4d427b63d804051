"""In which encoding a table of names was saved: nothing in the file says so, but for a byte order mark."""

from __future__ import annotations

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
ASIAN = {  # and what all letters are in a file of each, the strictest first
    "euc_kr": range(0xAC00, 0xD7A4),
    "gb2312": range(0x4E00, 0xA000),
    "shift_jis": range(0x3005, 0xA000),
    "big5": range(0x4E00, 0xA000),
    "gb18030": range(0x3400, 0xA000),
}
ONE_BYTE = ("cp1252", "mac_roman", "cp1250")  # of Western and Central Europe, the likeliest first
POLISH = "ąćęłńóśźżáčďéěíňřšťúůýžőű"
SURE = 0.8  # of what is no ASCII must be letters of Europe
LETTERS = frozenset("’" + "àâäáãåçèéêëìíîïñòóôöõøùúûüýÿßæœðþ" + POLISH)


def of(raw: bytes) -> tuple[str, bytes]:
    """The encoding, and the mark that the bytes begin with: UTF-8 or UTF-16 where they can be that, else the one in which the first line names
    columns, else the one in which what is no ASCII stands for letters of names."""
    for mark, encoding in MARKS:
        if raw.startswith(mark):
            return encoding, mark
    if len(raw) > 3 and raw[1:4:2] == b"\0\0":
        return "utf-16-le", b""
    if len(raw) > 3 and raw[0:4:2] == b"\0\0":
        return "utf-16-be", b""
    if _decodes(raw, "utf-8"):
        return "utf-8", b""
    named = {encoding: _words(raw, encoding, words.split()) for encoding, words in HEADERS.items()}
    best = max(named, key=named.__getitem__)
    return (best if named[best] else _by_letters(raw)), b""


def _by_letters(raw: bytes) -> str:
    shares = {encoding: _share_of_letters(raw, encoding) for encoding in ONE_BYTE}
    if max(shares.values()) < SURE:
        for encoding, letters in ASIAN.items():
            if _decodes(raw, encoding) and all(c.isascii() or ord(c) in letters for c in raw.decode(encoding)):
                return encoding
    return max(shares, key=shares.__getitem__)


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


def _share_of_letters(raw: bytes, encoding: str) -> float:
    """Which share of what is no ASCII would be letters that names have, small ones beside small ones."""
    text = raw.decode(encoding, errors="replace")
    strange = [(text[i - 1 : i], c) for i, c in enumerate(text) if not c.isascii()]
    return sum(_fits(before, c) for before, c in strange) / max(1, len(strange))


def _fits(before: str, letter: str) -> bool:
    """Whether a letter may stand behind another: no capital behind a small one."""
    return letter.casefold() in LETTERS and not (letter.isupper() and before.islower())
