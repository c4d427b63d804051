"""Which file beside a notebook is a lesson's graded one, where people call it otherwise or hand in another kind of weights."""

import io
import json
import zipfile

import pytest
import torch
from safetensors.torch import save

from autograde import layout
from autograde.grader.ingest.collect import collect
from autograde.grader.ingest.discovery import find
from autograde.grader.ingest.formats import archive
from autograde.grader.ingest.found import graded_files

LESSON, NAME = "07_gpt", "gpt.safetensors"
WEIGHTS = save({"wte.weight": torch.zeros(2, 2)})
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:4665\nsize 12345\n"
PAGE = b"<!DOCTYPE html><html><head><title>Virus scan warning</title></head></html>"
NOTEBOOK = json.dumps({"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def saved(thing):
    stream = io.BytesIO()
    torch.save(thing, stream)
    return stream.getvalue()


def older(thing):
    stream = io.BytesIO()
    torch.save(thing, stream, _use_new_zipfile_serialization=False)
    return stream.getvalue()


def handed_in(folder, files):
    for name, content in {f"{LESSON}.ipynb": NOTEBOOK.encode(), "gpt_config.json": b"{}", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


TAKEN = ["gpt.safetensors", "gpt (1).safetensors", "GPT.safetensors", "my gpt.safetensors", "gpt-final.safetensors", "model.safetensors", "gpt.safetensors.txt",
         "gpt.safetensors ", "checkpoints/gpt.safetensors", "checkpoints/best.safetensors"]  # fmt: skip


@pytest.mark.parametrize("name", TAKEN)
def test_weights_under_another_name_are_taken(name, tmp_path):
    """Graded where they lie, and collected."""
    folder = handed_in(tmp_path / "class" / "ann", {name: WEIGHTS})
    assert graded_files.beside(folder, LESSON)[NAME] == folder / name
    notes = " ".join(find([tmp_path / "class"], LESSON)[0].notes)
    assert (f"is taken for {NAME}" in notes) == (not name.endswith(NAME) or name != NAME and "/" not in name)
    collect([tmp_path / "class"], tmp_path / "course")
    assert (tmp_path / "course" / "submitted" / "ann" / LESSON / NAME).read_bytes() == WEIGHTS


INSTEAD = {  # what lies there, and what is said of it
    "saved by torch": ({"gpt.pt": saved({"a": torch.zeros(2)})}, "gpt.pt is not gpt.safetensors: it is weights as torch.save"),
    "a whole module": ({"model.pth": saved(torch.nn.Linear(2, 2))}, "model.pth is not gpt.safetensors: it is weights as torch.save"),
    "a checkpoint": ({"ckpt.bin": saved({"model": {}, "step": 3})}, "ckpt.bin is not gpt.safetensors: it is weights as torch.save"),
    "saved by torch under its name": ({NAME: saved({})}, "gpt.safetensors is weights as torch.save"),
    "saved by an older torch": ({NAME: older({})}, "gpt.safetensors is weights as torch.save"),
    "nothing": ({NAME: b""}, "gpt.safetensors is empty"),
    "a pointer": ({NAME: POINTER}, "a pointer of Git LFS"),
    "a page": ({NAME: PAGE}, "a page of the web"),
}


@pytest.mark.parametrize("name", INSTEAD)
def test_what_lies_there_instead_is_named(name, tmp_path):
    """On the student's page too, after it was collected."""
    files, words = INSTEAD[name]
    handed_in(tmp_path / "class" / "ann", files)
    assert words in " ".join(find([tmp_path / "class"], LESSON)[0].notes)
    [row] = collect([tmp_path / "class"], tmp_path / "course").rows
    assert words.split(" is ")[-1].removeprefix("not gpt.safetensors: it is ") in " ".join(row.notes)
    assert words in " ".join(find([tmp_path / "course" / "submitted"], LESSON)[0].notes)


def test_two_files_of_weights_are_no_ones_choice(tmp_path):
    folder = handed_in(tmp_path / "ann", {"step1000.safetensors": WEIGHTS, "step2000.safetensors": WEIGHTS})
    assert NAME not in graded_files.beside(folder, LESSON)


def test_a_link_is_not_followed(tmp_path):
    folder = handed_in(tmp_path / "ann", {})
    (tmp_path / "secret.safetensors").write_bytes(WEIGHTS)
    (folder / NAME).symlink_to(tmp_path / "secret.safetensors")
    (folder / "other.safetensors").symlink_to(tmp_path / "secret.safetensors")
    assert NAME not in graded_files.beside(folder, LESSON)


def test_a_list_of_weights_that_is_too_long_is_none(tmp_path):
    (tmp_path / "x").write_bytes((2**40).to_bytes(8, "little") + b"{}")
    (tmp_path / "y").write_bytes(b"")
    assert not graded_files.is_weights(tmp_path / "x") and not graded_files.is_weights(tmp_path / "y")


def test_a_zip_of_weights_is_unpacked(tmp_path):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(NAME, WEIGHTS)
    handed_in(tmp_path / "class" / "ann", {"gpt.zip": stream.getvalue()})
    collect([tmp_path / "class"], tmp_path / "course")
    assert (tmp_path / "course" / "submitted" / "ann" / LESSON / NAME).read_bytes() == WEIGHTS


@pytest.mark.parametrize("first", ["hw3/code/03_self_attention.ipynb", "hw3/data/03_self_attention.ipynb", "code/03_self_attention.ipynb"])
def test_a_students_own_zip_is_no_weights(tmp_path, first):
    """One with a folder `code` first was not opened, as if torch.save had written it."""
    notebook = (layout.SOLUTIONS / "03_self_attention.ipynb").read_text(encoding="utf-8")
    (tmp_path / "sent").mkdir()
    for who in ("ann", "bo"):
        with zipfile.ZipFile(tmp_path / "sent" / f"{who}.zip", "w") as packed:
            packed.writestr(first, notebook)
    assert [row.student for row in collect([tmp_path / "sent"], tmp_path / "course").rows] == ["ann", "bo"]


def test_a_scripted_module_is_weights_too(tmp_path):
    module = torch.jit.script(torch.nn.Linear(2, 2))
    torch.jit.save(module, tmp_path / "gpt.pt")
    assert archive.is_pytorchs(tmp_path / "gpt.pt")
