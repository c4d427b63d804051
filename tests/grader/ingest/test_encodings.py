"""In which encoding a table or a name was saved that does not say it: told by the names that it makes."""

import pytest

from autograde.grader import spelling
from autograde.grader.results import encodings

NAMES = {  # in the encodings of Windows, DOS and old Macs
    "Müller Jörg|Schäfer Heß Anna|Groß Björn|Weiß Käthe": ("cp1252", "mac_roman", "cp850"),
    "Lefèvre Chloé|Gonçalves André|Benoît Zoé|Hébert Anaïs": ("cp1252", "mac_roman", "cp850"),
    "Muñoz José|Núñez María|Pérez Ángel|Gómez Lucía": ("cp1252", "mac_roman", "cp850"),
    "João Simões|Conceição Luís|Inês Magalhães|Sebastião Sá": ("cp1252", "mac_roman", "cp850"),
    "Åsa Björk|Göran Sjöberg|Märta Åkesson|Pär Hägg": ("cp1252", "mac_roman", "cp850"),
    "Søren Kjær|Bjørn Sørensen|Jørgen Mæland|Kåre Bø": ("cp1252", "mac_roman", "cp850"),
    "Þórður Jónsdóttir|Guðrún Ásgeirsdóttir|Sigríður Þór": ("cp1252",),
    "Yılmaz Ayşe|Şahin Gökçe|Kılıç İsmail|Doğan Büşra": ("cp1254", "mac_turkish", "cp857"),
    "Wiśniewski Paweł|Wójcik Łukasz|Zieliński Michał|Gąsior Żaneta": ("cp1250", "iso8859_2", "cp852", "mac_latin2"),
    "Dvořák Jiří|Novák Zdeněk|Černý Tomáš|Růžička Ondřej": ("cp1250", "iso8859_2", "cp852", "mac_latin2"),
    "Tóth Gergő|Kővári Ágnes|Fűzi Zsófia|Németh Ödön": ("cp1250", "iso8859_2", "mac_latin2"),
    "Horvat Željko|Kovačević Šime|Đurić Živko|Babić Ana": ("cp1250", "cp852"),
    "Ionescu Ştefan|Bălan Mădălina|Ţăranu Cătălin|Munteanu Răzvan": ("cp1250",),
    "Kováč Ľubomír|Horváth Štefan|Tóthová Mária|Nôžka Žigmund": ("cp1250", "cp852"),
    "Kazlauskas Žygimantas|Petrauskienė Rūta|Jankauskas Ąžuolas": ("cp1257",),
    "Bērziņš Jānis|Kalniņa Līga|Šķēle Māris": ("cp1257",),
    "Иванов Пётр|Щербакова Юлия|Соколов Фёдор": ("cp1251", "koi8_r", "cp866", "mac_cyrillic"),
    "Шевченко Олексій|Їжакевич Галина|Єфименко Юрій": ("cp1251",),
    "Παπαδόπουλος Γιώργος|Νικολάου Ελένη|Ιωάννου Αλέξης": ("cp1253", "iso8859_7"),
    "כהן דוד|לוי שרה|מזרחי יוסי": ("cp1255",),
    "أحمد محمد|سارة علي|خالد حسن": ("cp1256",),
    "สมชาย ใจดี|สมหญิง รักเรียน|วิชัย ทองดี": ("cp874",),
    "山田太郎|佐藤花子|鈴木一郎|高橋美咲": ("cp932", "euc_jp"),
    "王小明|李芳|张三|陈静": ("gb18030",),
    "陳美玲|林志明|黃淑芬|張家豪": ("big5",),
    "김철수|이영희|박민수|최지우": ("cp949",),
}


@pytest.mark.parametrize(("names", "encoding"), [(names, encoding) for names, used in NAMES.items() for encoding in used])
def test_a_table_without_a_word_of_its_encoding_shows_the_right_names(names, encoding):
    text = "id,name\r\n" + "".join(f"{n},{name}\r\n" for n, name in enumerate(names.split("|")))
    raw = text.encode(encoding)
    assert raw.decode(encodings.of(raw)[0]) == text


ONE = {  # the only name of a class that has marks
    "cp1254": ("Ayşe Demir", "Ali Şahin", "İpek Kaya", "Ali Yağız", "Işıl Er"),
    "cp1250": ("Pál Erdős", "Anna Szűcs", "Ágnes Kis", "Jan Novotný", "Łukasz Kot", "Fűzfa Éva", "Cătălin Pop"),
    "cp1252": ("Jörg Ott", "Zoé Roux", "Benoît Roy", "João Reis", "Åsa Berg", "José Muñoz"),
}


@pytest.mark.parametrize(("name", "encoding"), [(name, encoding) for encoding, names in ONE.items() for name in names])
def test_one_name_tells_the_encoding_of_its_country(name, encoding):
    raw = f"id,name\r\n1,Bo Kim\r\n2,{name}\r\n".encode(encoding)
    assert name in raw.decode(encodings.of(raw)[0])


@pytest.mark.parametrize("names", NAMES)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_two_bytes_a_letter_are_known_without_a_mark(names, encoding):
    text = names.split("|")[0] + ",name\r\n" + "\r\n".join(names.split("|"))
    assert encodings.of(text.encode(encoding)) == (encoding, b"")


def test_a_class_of_many_languages_is_read_by_most_of_them():
    text = "Müller Jörg\nWeiß Käthe\nMuñoz José\nSøren Kjær\nJoão Simões\nAnn O’Brien\nMcLeod Zoë"
    assert text.encode("cp1252").decode(spelling.likeliest([text.encode("cp1252")])) == text


@pytest.mark.parametrize(
    ("name", "encoding", "told"),
    [("Ionuţ Pop", "cp1250", "or `Ionuţ`"), ("Zoë Smith", "cp850", "`Zoâ` may be"), ("Łukasz Kot", "cp852", "may be `Łukasz`")],
)
def test_a_letter_that_two_countries_read_otherwise_is_told(tmp_path, name, encoding, told):
    (tmp_path / "list.csv").write_bytes(f"id,name\r\n1,Bo Kim\r\n2,{name}\r\n".encode(encoding))
    assert told in " ".join(encodings.doubt(tmp_path / "list.csv"))


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-16"])
def test_names_that_can_be_read_in_one_way_are_told_nobody(tmp_path, encoding):
    (tmp_path / "list.csv").write_bytes("id,name\r\n1,Müller Jörg\r\n2,Schäfer Heß Anna\r\n3,Groß Björn\r\n".encode(encoding))
    assert encodings.doubt(tmp_path / "list.csv") == []
