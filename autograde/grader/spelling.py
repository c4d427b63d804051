"""How names are spelled in languages, by which the encoding of text that does not say it is told: the right one makes names of it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|[’\u0300-\u036f\u0591-\u05c7\u064b-\u0652\u0e31-\u0e4e])*")
IN_A_NAME = re.compile(r"(?<=[^\W\d_])\xa0(?=[a-z])")  # a blank of fixed width and a small letter: a name is cut in two
NEXT_LINE = "\x85"  # a control character that Python calls a blank
STRANGE, UNKNOWN = 10, 5  # what a word costs that is none in any language; one of East Asia that begins with no frequent surname
NEARLY = 2  # how much more another reading may cost, where nobody can be sure
ANOTHER, SMALL = 3, 3  # and one of another language than most, one without a capital


@dataclass(frozen=True)
class Language:
    """Letters with marks, or all of an alphabet's; what no word has; `rank` is smaller the more classes write so."""

    rank: int
    letters: str
    never: str = r"(?!)"

    def has(self, word: str) -> bool:
        return all(c.isascii() or c in self.letters or c == "’" for c in word.lower()) and not re.search(self.never, word.lower())


LATIN = {
    "German": Language(1, "äöüßé"),
    "French": Language(1, "àâçéèêëîïôœûüÿ", "sz|zs|[^aobdcmrsl]û"),
    "Spanish": Language(1, "áéíñóúüº"),
    "Portuguese": Language(1, "ãáàâçéêíóôõúü", "õ(?!e)|ã[^oes]"),
    "Italian": Language(1, "àèéìòù", r"[àèéìòù]\w"),
    "Swedish": Language(1, "åäöéü"),
    "Danish": Language(1, "æøåéöäü", r"æ\b"),
    "Catalan": Language(2, "àçéèíïóòúü·"),
    "Dutch": Language(2, "éèëïöüáó", "è$"),
    "Polish": Language(2, "ąćęłńóśźż"),
    "Czech": Language(2, "áčďéěíňóřšťúůýž", "^ý"),
    "Slovak": Language(3, "áäčďéíĺľňóôŕšťúýž", "^ý"),
    "Hungarian": Language(2, "áéíóöőúüű", "[őű][aeiouáéíóöúü]"),
    "Croatian": Language(2, "čćđšž"),
    "Romanian": Language(3, "ăâîșțşţ", "[ykwq]"),  # who writes it today mostly has `ș` and `ț`, which no encoding of Windows has
    "Turkish": Language(2, "çğıiöşüâîû\u0307", "^ğ"),
    "Estonian": Language(3, "äöüõšž"),
    "Lithuanian": Language(3, "ąčęėįšųūž"),
    "Latvian": Language(3, "āčēģīķļņšūž"),
    "Icelandic": Language(4, "áðéíóúýþæö", r"ð[bdfgjklmnr]?\b(?<=^..)"),
}
ALPHABETS = {
    "Russian": Language(2, "абвгдежзийклмнопрстуфхцчшщъыьэюяё", r"^[ыьъ]|[ъь]{2}"),
    "Ukrainian": Language(3, "абвгдежзийклмнопрстуфхцчшщьюяіїєґ’", "^ь"),
    "Greek": Language(2, "αβγδεζηθικλμνξοπρστυφχψωςάέήίόύώϊϋΐΰ", r"ς\B"),
    "Hebrew": Language(2, "אבגדהוזחטיךכלםמןנסעףפץצקרשת׳״" + "".join(map(chr, range(0x591, 0x5C8))), r"[ךםןףץ]\B"),
    "Arabic": Language(2, "".join(map(chr, [*range(0x621, 0x63B), *range(0x641, 0x653)])), r"[ىة]\B|^[ءئؤ]"),
    "Thai": Language(2, "".join(map(chr, range(0xE01, 0xE4F))), r"^[\u0e31-\u0e3a\u0e47-\u0e4e]"),
}
SURNAMES = {  # what most names begin with
    "Chinese": "王李张刘陈杨黄赵吴周徐孙马朱胡林郭何高罗郑梁谢宋唐许邓冯韩曹曾彭萧蔡潘田董袁于余叶蒋杜苏魏程吕丁沈任姚卢傅钟姜崔谭廖范汪陆金石戴贾韦夏邱方侯邹熊孟秦白江阎薛尹段雷龙史陶黎贺顾毛郝龚邵万钱严覃武莫孔向汤",
    "Japanese": "佐鈴高田伊渡山中小加吉斎松井木林清橋阿森池石上長近後前藤岡遠青坂村福太西三原竹金和野丸大平内島今宮谷",
    "Taiwanese": "陳林黃張李王吳劉蔡楊許鄭謝洪郭邱曾廖賴徐周葉蘇莊呂江何蕭羅高潘簡朱鍾游彭詹胡施沈余趙盧梁顏柯翁魏孫戴范方宋鄧杜侯曹薛傅丁馬董温唐藍石紀蔣歐程連汪田康鄒白姜尤塗",
    "Korean": "김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구민진지엄채원천방공현함변염여추도소석선설마길연위표명기반왕금옥육인맹제모탁국나라",
}
_WEST = ("German", "French", "Spanish", "Portuguese", "Italian", "Swedish", "Danish", "Catalan", "Dutch", "Estonian", "Icelandic")
_CENTRE = ("Polish", "Czech", "Slovak", "Hungarian", "Croatian", "Romanian", "German")
SPOKEN = {  # where an encoding is used, the likeliest first
    "cp1252": _WEST, "mac_roman": _WEST, "cp850": _WEST, "cp1250": _CENTRE, "iso8859_2": _CENTRE, "cp1254": ("Turkish", "German", "French"),
    "cp1251": ("Russian", "Ukrainian"), "cp1253": ("Greek",), "cp1257": ("Lithuanian", "Latvian", "Estonian"), "cp852": _CENTRE, "mac_latin2": _CENTRE,
    "cp857": ("Turkish", "German"), "mac_turkish": ("Turkish", "German"), "koi8_r": ("Russian",), "cp866": ("Russian",), "mac_cyrillic": ("Russian", "Ukrainian"),
    "iso8859_7": ("Greek",), "cp1255": ("Hebrew",), "cp1256": ("Arabic",), "cp874": ("Thai",),
    "cp437": _WEST, "cp737": ("Greek",), "cp932": ("Japanese",), "gb18030": ("Chinese",), "big5": ("Taiwanese",), "cp949": ("Korean",), "euc_jp": ("Japanese",),
}  # fmt: skip


def cost(text: str, encoding: str) -> float:
    """How little the words of a text that are no ASCII look like names where an encoding is used."""
    words = [word for word in WORD.findall(text) if not word.isascii()]
    signs = sum(not c.isascii() and (not c.isspace() or c == NEXT_LINE) for c in WORD.sub("", text)) + len(IN_A_NAME.findall(text))
    languages = SPOKEN[encoding]
    if languages[0] in SURNAMES:
        return sum(_of_east_asia(word, languages[0]) for word in words) + STRANGE * signs
    costs = [{name: _of(word, name) for name in languages} for word in words]
    least = [min(each.values()) for each in costs]
    most = min((sum(min(each[name], best + ANOTHER) for each, best in zip(costs, least)) for name in languages), default=0)
    return most + STRANGE * signs


def _of(word: str, name: str) -> int:
    """What a word costs as one of a language: with capitals where names have them, and in Latin letters not three with marks in a row."""
    language = LATIN.get(name) or ALPHABETS[name]
    marked = name in LATIN and re.search(r"[^\x00-\x7f]{3}", word)
    mixed = name in ALPHABETS and re.search(r"[A-Za-z]", word)
    if _flips(word) or marked or mixed or not language.has(word):
        return STRANGE
    return language.rank + SMALL * (word[0].islower() and not word[0].isascii())


def _flips(word: str) -> bool:
    """Whether a capital with a mark stands behind other letters, but in words of capitals, or any behind a small letter with one."""
    marked = any(c.isupper() and not c.isascii() for c in word[1:]) and not word.isupper()
    return marked or any(a.islower() and not a.isascii() and b.isupper() for a, b in zip(word, word[1:]))


def _of_east_asia(word: str, name: str) -> int:
    hangul = all("가" <= c <= "힣" for c in word)
    fits = (
        hangul
        if name == "Korean"
        else not any(c.isascii() for c in word)
        and all("一" <= c <= "龥" or name == "Japanese" and "぀" <= c <= "ヿ" or c in "々ー" for c in word)
    )
    return STRANGE if not fits else 1 if word[0] in SURNAMES[name] else UNKNOWN


def other_readings(raw: bytes, encoding: str) -> dict[str, list[str]]:
    """Words as this encoding spells them, and as others do in which they look as much like names, or nearly: one letter does not tell."""
    text = raw.decode(encoding, errors="replace")
    least, found = cost(text, encoding) + NEARLY, dict[str, list[str]]()
    for other in SPOKEN:
        with contextlib.suppress(UnicodeDecodeError):
            read = raw.decode(other)
            if cost(read, other) <= least and len(read.split()) == len(text.split()):
                for word, meant in zip(text.split(), read.split()):
                    others = found.setdefault(word, [])
                    others += [meant] if meant not in (word, *others) else []
    return {word: others for word, others in found.items() if others}


def likeliest(raw: Iterable[bytes], encodings: Iterable[str] = SPOKEN) -> str:
    """The encoding in which bytes look most like names; of several the first."""
    whole = b"\n".join(raw)

    def looks(encoding: str) -> float:
        try:
            return cost(whole.decode(encoding), encoding)
        except UnicodeDecodeError:
            return float("inf")

    return min(encodings, key=looks)
