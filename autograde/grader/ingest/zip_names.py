"""The names in a zip that does not say how they are encoded: packers of Windows write them in the encoding of the machine's language."""

from __future__ import annotations

import contextlib
import re
import unicodedata
import zipfile
from collections.abc import Sequence

UTF_8 = 0x800  # the flag of a name that says that it is UTF-8
SAMPLE = 300  # names by which the encoding is told
WESTERN = frozenset("àâäáãåçèéêëìíîïñòóôöõøùúûüýßæœðþšž’´`")
CENTRAL = frozenset("ąćęłńóśźżáčďéěíňřšťúůýžőűäöüßôâîăşţșțđ")
TURKISH = frozenset("çğıöşüâîûi̇")
# Of machines in Western and Central Europe, Turkey, Russia, Greece, China, Japan, Taiwan and Korea, with the letters that names have there.
# Where two fit as well, the earlier is taken, the more frequent one.
LETTERS = {"cp437": WESTERN, "cp850": WESTERN, "cp852": CENTRAL, "cp857": TURKISH, "cp1252": WESTERN, "cp1250": CENTRAL, "cp1254": TURKISH}
ENCODINGS = (
    *("cp437", "cp850", "cp866", "cp1252", "cp852", "cp857", "cp737", "cp1254", "cp1250", "cp1251", "cp1253"),
    *("gbk", "cp932", "big5", "cp949"),
)
USUAL = {"gbk": "gb2312", "cp949": "euc_kr"}  # the part of an encoding that usual characters are in
EAST_ASIAN = ("gbk", "cp932", "big5", "cp949")
SURNAMES = {
    "gbk": "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷龙史陶黎贺顾毛郝龚邵万钱严覃武莫孔向汤",
    "cp932": "佐鈴高田伊渡山中小加吉斎松井木林清橋阿森池石上長近後前藤岡遠青坂村福太西三原竹金和野丸大平内島今宮谷",
    "big5": "陳林黃張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾游彭詹胡施沈余趙盧梁顏柯翁魏孫戴范方宋鄧杜侯曹薛傅丁馬董温唐藍石紀蔣歐程連汪田康鄒白姜尤塗",
    "cp949": "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국나라",
}
ICELANDIC = "ÞþÐð"
WORD = re.compile(r"[^\W\d_]+")


def names(infos: Sequence[zipfile.ZipInfo]) -> list[str]:
    """The names of an archive's members as they were meant."""
    unsaid = [info.filename for info in infos if _is_unsaid(info)]
    encoding = _encoding([name for name in unsaid if _decoded(name, "utf-8") is None][:SAMPLE])
    return [_meant(info.filename, encoding) if _is_unsaid(info) else info.filename for info in infos]


def _is_unsaid(info: zipfile.ZipInfo) -> bool:
    return not info.flag_bits & UTF_8 and not info.filename.isascii()


def _meant(name: str, encoding: str) -> str:
    """Some packers write UTF-8 without saying so, and hardly anything else is."""
    return _decoded(name, "utf-8") or _decoded(name, encoding) or name


def _decoded(name: str, encoding: str) -> str | None:
    with contextlib.suppress(UnicodeError):  # Python has read the bytes as those of DOS
        return name.encode("cp437").decode(encoding)
    return None


def _encoding(unsaid: Sequence[str]) -> str:
    """The encoding in which the names look most like names."""
    unlikely = {encoding: _unlikely(unsaid, encoding) for encoding in ENCODINGS}
    return min(ENCODINGS, key=unlikely.__getitem__)


def _unlikely(unsaid: Sequence[str], encoding: str) -> float:
    """How little names look like people's in an encoding, for each of their strange characters."""
    read = [_decoded(name, encoding) for name in unsaid]
    if None in read:
        return float("inf")
    text = "/".join(name for name in read if name)
    strange = [c for c in text if not c.isascii()]
    signs = sum(not _is_letter(c) for c in strange)
    mixed = sum(_is_mixed(word) for word in WORD.findall(text))
    rare = sum(not _is_usual(c, encoding) for c in strange) if encoding in EAST_ASIAN else 0
    known = sum(word[0] in SURNAMES[encoding] for word in WORD.findall(text) if not word.isascii()) if encoding in EAST_ASIAN else 0
    foreign = sum(c.lower() not in LETTERS[encoding] for c in strange) if encoding in LETTERS else 0
    odd = (
        sum(c in ICELANDIC for c in strange)
        + sum(_is_of_two_seas(word) for word in WORD.findall(text))
        + sum(word[0].islower() and not word[0].isascii() for word in WORD.findall(text))
    )
    return (3 * signs + 3 * mixed + foreign + rare / 2 + odd / 2 - known) / max(len(strange), 1)


def _is_letter(character: str) -> bool:
    """Whether a character stands in names: no sign, no letter of half width, none of an alphabet's own extensions."""
    width = unicodedata.east_asian_width(character)
    return unicodedata.category(character) in ("Lu", "Ll", "Lo", "Mn", "Mc") and width != "H" or character in "々ー·"


def _is_mixed(word: str) -> bool:
    """Whether a word mixes alphabets, or large letters into small ones, or has more letters with marks than without."""
    alphabets = {unicodedata.name(c, "?").split()[0] for c in word}
    flips = any(a.islower() and b.isupper() and not (a.isascii() and b.isascii()) for a, b in zip(word, word[1:]))
    marked = alphabets == {"LATIN"} and sum(not c.isascii() for c in word) > len(word) / 2 and len(word) > 1
    several = bool(alphabets & {"LATIN", "GREEK", "CYRILLIC"}) and len(alphabets) > 1
    return several or flips or marked


def _is_of_two_seas(word: str) -> bool:
    """Whether a word has letters that only Northern languages have, and some that these do not have."""
    return bool(set("øåØÅ") & set(word) and set("áíúýřě") & set(word))


def _is_usual(character: str, encoding: str) -> bool:
    """Whether a character is in the part of an encoding that everyday words are written in."""
    try:
        raw = character.encode(USUAL.get(encoding, encoding))
    except UnicodeError:
        return False
    match encoding:
        case "cp949":
            return "가" <= character <= "힣"
        case "big5":
            return raw[0] < 0xC7
        case "cp932":
            return raw[0] < 0x98
        case _:
            return raw[0] < 0xD8
