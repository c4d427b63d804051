"""The names in a zip that does not say how they are encoded."""

import zipfile

import pytest

from autograde.grader.ingest.formats import zip_names

MEANT = {
    "gb2312": [["李明", "王芳"], ["张伟"], ["陈静", "刘洋"], ["欧阳娜娜", "司马懿"], ["周杰伦"], ["徐"]],
    "gbk": [["李喆", "王芳"], ["朱镕基"]],
    "cp932": [["田中", "佐藤", "表"], ["鈴木一郎", "高橋"], ["渡辺 さくら"], ["伊藤"], ["中村ゆり", "小林"]],
    "big5": [["陳大文", "黃小明"], ["林志玲"], ["張學友", "劉德華"]],
    "cp949": [["김민수", "이영희"], ["박지성"], ["홍길동"], ["한가람"]],
    "cp866": [["Иванов", "Петров"], ["Анна Кузнецова"]],
    "cp1251": [["Иванов"], ["Анна Смирнова"]],
    "cp1252": [["Müller", "Zoë"], ["José García"], ["François"], ["Ågren"], ["Šimek"]],
    "cp850": [["Müller", "João"], ["José García"], ["Åsa Öberg"], ["Muñoz"]],
    "cp437": [["Müller", "Zoë"], ["Ünal"], ["Åsa"]],
    "cp852": [["Dvořák Jiří", "Šárka"], ["Łukasz Wiśniewski"], ["Đorđe Marić"]],
    "cp1250": [["Dvořák Jiří", "Šárka"], ["Łukasz Wiśniewski"]],
    "cp857": [["Yılmaz Şahin", "Çağlar Öztürk"]],
    "cp1254": [["Yılmaz Şahin", "Çağlar Öztürk"]],
    "cp737": [["Παπαδόπουλος Νίκος", "Μαρία"]],
    "cp1253": [["Παπαδόπουλος Νίκος", "Μαρία"]],
    "utf-8": [["Müller", "李明"], ["مريم"], ["김민수"]],
}


@pytest.mark.parametrize(("encoding", "students"), [(encoding, names) for encoding, groups in MEANT.items() for names in groups])
def test_a_name_is_read_as_it_was_meant(encoding, students):
    infos = [zipfile.ZipInfo(f"{name}/a.ipynb".encode(encoding).decode("cp437")) for name in students]
    assert zip_names.names(infos) == [f"{name}/a.ipynb" for name in students]


def test_a_name_that_says_that_it_is_utf_8_is_left_alone():
    infos = [zipfile.ZipInfo("╔ΘΦ.ipynb"), zipfile.ZipInfo("Ωá.ipynb")]
    infos[0].flag_bits |= zip_names.UTF_8
    assert zip_names.names(infos)[0] == "╔ΘΦ.ipynb"
