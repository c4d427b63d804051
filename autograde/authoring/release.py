"""What students get: the notebooks and what they import, without answers, oracles, hidden tests or misconceptions."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from pathlib import Path

from autograde import layout
from autograde.authoring import bootstrap, notebooks, source
from autograde.authoring.handed_out import code
from autograde.authoring.rules import every_lesson
from autograde.authoring.source import Source
from autograde.checking.errors import UserError
from autograde.checking.manifest import read_manifest

TOP_LEVEL = ("environment.yml", "pyproject.toml", "requirements.lock", "LICENSE")
SUMS = "course.sha256"  # in the form of sha256sum: which files a release wrote, and what was in them
ADDRESS = re.compile(r"(https?|ssh|git|file)://[^\s\"'\\\\]+|[\w.-]+@[\w.-]+:[^\s\"'\\\\]+")  # it is written into Python and TOML
SETTING = re.compile(r'(?m)^(repository = ").*(")$')
NOT_TRACKED = ".venv/\n__pycache__/\n.ipynb_checkpoints/\n*.egg-info/\n.DS_Store\n"
OF_A_LESSON = re.compile(r"( ?)<!-- (\d\d) -->(.*?)<!-- /\2 -->", re.DOTALL)
EXAMPLE = "03_self_attention"  # in the guide
HEAD = """\
# Attention and language modelling for agents

Notebooks to complete: each exercise has a check below it that says in under a second what is right, what is not, and why.

| lesson | points, by checks |
| --- | --- |
{lessons}

How to begin stands below. Code is under the MIT licence, the text under CC BY 4.0 ([LICENSE](LICENSE)).
"""


def release(folder: Path, names: Sequence[str] = (), repository: str = "") -> list[Path]:
    """Write the students' course, of all lessons or of `names`, and return its files.

    `repository` is the address from which its notebooks fetch the course, if not the setting's.

    `folder` is new or empty, or an earlier release, which is brought up to date: its other files, such as `.git`, stay, and so do its lessons
    and its address where no others are named.

    Raises:
        UserError: when the folder holds something else, a lesson is not built or breaks a rule of `rules` (each breach is told), or the
            address is nobody's own.
    """
    known = _known(folder)
    names = list(names) or [name for name in layout.lesson_names() if f"notebooks/{name}.ipynb" in known] or layout.lesson_names()
    lessons = [source.read(layout.source_path(name)) for name in names]
    for lesson in lessons:
        _check_built(lesson)
    if broken := [line for lesson in lessons for line in every_lesson.complaints(lesson)]:
        raise UserError("\n".join(broken))
    content = _content(lessons, _address(repository, _published(folder) if known else ""))
    _clear(folder, known, {*content, SUMS})
    content[SUMS] = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(content.items())).encode()
    for name, data in content.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return sorted(folder / name for name in content)


def _published(folder: Path) -> str:
    """From where the notebooks of an earlier release fetch the course."""
    found = SETTING.search((folder / "pyproject.toml").read_text(encoding="utf-8"))
    return found[0].removeprefix(found[1]).removesuffix(found[2]) if found else ""


def _address(repository: str, earlier: str) -> str:
    """Where students will fetch the course from: as asked, else as set, else as in the earlier release.

    Raises:
        UserError: when that is the default, or no address.
    """
    address = repository or bootstrap.repository()
    if address == bootstrap.DEFAULT and earlier and not repository:
        address = earlier
    if address == bootstrap.DEFAULT:
        raise UserError(
            f"students would fetch the course from {address}, the default, which is not yours and has the answers. Say where you will publish "
            "the release: --repository https://github.com/you/your-course.git, or `repository` in pyproject.toml"
        )
    if not ADDRESS.fullmatch(address):
        raise UserError(f"{address!r} is no address of a repository, such as https://github.com/you/your-course.git")
    return address


def _content(lessons: Sequence[Source], address: str) -> dict[str, bytes]:
    """Every file by its place in the release. Folders of the course are not copied whole: who knows what else lies in them."""
    names = [lesson.name for lesson in lessons]
    files = [path_of(name) for name in names for path_of in (layout.expected_path, layout.manifest_path)]
    files += [*code(names), *(layout.ROOT / name for name in TOP_LEVEL), *_data()]
    content = {path.relative_to(layout.ROOT).as_posix(): path.read_bytes() for path in files}
    content["pyproject.toml"] = SETTING.sub(lambda match: match[1] + address + match[2], content["pyproject.toml"].decode()).encode()
    content |= {f"notebooks/{lesson.name}.ipynb": _notebook(lesson, address) for lesson in lessons}
    return content | {"README.md": _readme(names).encode(), ".gitignore": NOT_TRACKED.encode()}


def _data() -> list[Path]:
    found = (path for path in layout.DATA.rglob("*") if path.is_file())
    return [path for path in found if not any(part.startswith(".") for part in path.relative_to(layout.DATA).parts)]


def _notebook(lesson: Source, address: str) -> bytes:
    """As the source gives it, and not as it lies in notebooks/, where someone may have written an answer into it."""
    return notebooks.text(notebooks.student_notebook(lesson, address)).encode()


def _check_built(lesson: Source) -> None:
    built = read_manifest(lesson.name)["exercises"]
    if {e.name: e.points for e in lesson.exercises.values()} != {key: e["points"] for key, e in built.items()}:
        raise UserError(f"lesson {lesson.name} was changed and not built: run `python -m autograde build {lesson.name[:2]}`")


def _readme(names: Sequence[str]) -> str:
    """The students' guide under the course's own title and its lessons."""
    rows = []
    for name in names:
        lesson = read_manifest(name)
        points = sum(exercise["points"] for exercise in lesson["exercises"].values())
        rows.append(f"| [{lesson['title']}](notebooks/{name}.ipynb) | {points:g} |")
    guide = _of_lessons((layout.ROOT / "docs" / "students.md").read_text(encoding="utf-8").split("\n", 1)[1], names)
    return HEAD.format(lessons="\n".join(rows)) + "\n## How to work" + guide


def _of_lessons(guide: str, names: Sequence[str]) -> str:
    """The guide without what concerns lessons that are not handed out; its example of a lesson is one that is."""
    there = {name[:2] for name in names}
    guide = OF_A_LESSON.sub(lambda part: part[1] + part[3] if part[2] in there else "", guide)
    return guide if EXAMPLE in names else guide.replace(EXAMPLE, names[0])


def _known(folder: Path) -> dict[str, str]:
    """What an earlier release wrote into the folder, each file with its checksum; nothing of a new or empty one.

    Raises:
        UserError: when the folder holds something that is no release.
    """
    if not folder.exists() or not any(folder.iterdir()):
        return {}
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
        known = {name: digest for digest, name in (line.split("  ", 1) for line in lines)}
    except (OSError, ValueError):
        known = {}
    if "autograde/__init__.py" not in known or any(".." in Path(name).parts or Path(name).is_absolute() for name in known):
        raise UserError(f"{folder} is not empty and no earlier release; name a new folder, so that nothing else is handed out")
    return known


def _clear(folder: Path, known: dict[str, str], ours: set[str]) -> None:
    """Take away what an earlier release wrote.

    Raises:
        UserError: when a file of it was changed since, or another stands where a new one must.
    """
    for name, digest in known.items():
        path = folder / name
        if path.exists() and hashlib.sha256(path.read_bytes()).hexdigest() != digest:
            raise UserError(f"{path} was changed since it was released; move the change elsewhere, or name a new folder")
    if unknown := sorted(name for name in ours - {*known, SUMS} if (folder / name).exists()):
        raise UserError(f"{folder / unknown[0]} is not of the earlier release; move it elsewhere, or name a new folder")
    for name in known:
        (folder / name).unlink(missing_ok=True)
