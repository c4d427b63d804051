"""An environment that has what Colab ships and nothing else, made of links to the packages of this one in a second."""

import sysconfig
import venv
from collections.abc import Callable, Iterable
from importlib.metadata import Distribution, distribution, requires
from pathlib import Path

from packaging.requirements import Requirement

SHIPPED = ("torch", "numpy", "matplotlib", "ipykernel", "pip")


class Bare:
    """A Python whose shipped packages lie in a folder of links, as Colab's lie in the system's; pip installs beside them."""

    def __init__(self, folder: Path) -> None:
        venv.create(folder / "environment", with_pip=False, symlinks=True)
        self.python = folder / "environment" / "bin" / "python"
        self.installed = folder / "environment" / "lib" / f"python{sysconfig.get_python_version()}" / "site-packages"
        shipped = folder / "shipped"
        shipped.mkdir()
        for top in {top for package in with_dependencies(*SHIPPED) for top in tops(distribution(package))}:
            (shipped / top.name).symlink_to(top)
        (self.installed / "shipped.pth").write_text(f"{shipped}\n")

    def new_packages(self) -> set[str]:
        """What pip has installed since, by name."""
        return {plain(folder.name.split("-")[0]) for folder in self.installed.glob("*.dist-info")}


def with_dependencies(*names: str, of: Callable[[str], Iterable[str] | None] = requires) -> set[str]:
    """The packages and everything that they need here, by name, with what their extras bring: `cuda-toolkit[cublas]` needs cuBLAS.

    `of` says what a package needs, as `importlib.metadata.requires`.
    """
    done: set[tuple[str, str]] = set()
    wanted = [(plain(name), "") for name in names]
    while wanted:
        name, extra = wanted.pop()
        if (name, extra) in done:
            continue
        done.add((name, extra))
        for needed in map(Requirement, of(name) or []):
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                wanted += [(plain(needed.name), chosen) for chosen in ("", *needed.extras)]
    return {name for name, _ in done}


def tops(package: Distribution) -> set[Path]:
    """The folders and files of a package that lie directly in site-packages."""
    names = {file.parts[0] for file in package.files or []} - {"..", "__pycache__"}
    return {Path(package.locate_file(name)) for name in names}


def plain(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")
