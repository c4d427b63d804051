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
ONE_BYTE = ("cp1252", "mac_roman", "cp1250", "iso8859_2", "cp1254", "cp1251", "cp1253")  # of Europe, the likeliest first
POLISH = "ąćęłńóśźżáčďéěíňřšťúůýžőű"
SURE = 0.8  # of what is no ASCII must be letters of Europe
TURKISH = "ğış"
LETTERS = frozenset("’" + "àâäáãåçèéêëìíîïñòóôöõøùúûüýÿßæœðþ" + POLISH + TURKISH)
NORTHERN, NOT_NORTHERN = frozenset("øåØÅ"), frozenset("áíúý")  # letters that hardly any name has together
VOWELS = frozenset("аеёиоуыэюяіαεηιουωάέήίόύώ")
ALPHABETS = {"cp1251": range(0x400, 0x460), "cp1253": range(0x370, 0x400)}  # whose letters stand beside no Latin ones


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
    return max(shares, key=lambda encoding: (shares[encoding], _share_of_vowels(raw, encoding)))


def _share_of_vowels(raw: bytes, encoding: str) -> float:
    """Which share of the letters of another alphabet are vowels, which are many where the alphabet is the right one."""
    text = [c.casefold() for c in raw.decode(encoding, errors="replace") if not c.isascii()]
    return sum(c in VOWELS for c in text) / max(1, len(text))


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
    strange = [(text[max(0, i - 2) : i], c) for i, c in enumerate(text) if not c.isascii()]
    mixed = sum(c in NORTHERN for word in text.split() if NORTHERN & set(word) and NOT_NORTHERN & set(word) for c in word)
    return (sum(_fits(before, c, ALPHABETS.get(encoding)) for before, c in strange) - mixed) / max(1, len(strange))


def _fits(before: str, letter: str, alphabet: range | None) -> bool:
    """Whether a letter may stand behind others: no capital behind a small one, and in Latin words not three with marks in a row."""
    last = before[-1:]
    if letter.isupper() and last.islower():
        return False
    if alphabet:
        return ord(letter) in alphabet and not (last.isascii() and last.isalpha())
    return letter.casefold() in LETTERS and not (len(before) == 2 and all(c.isalpha() and not c.isascii() for c in before))
