"""What a folder is as an environment: its interpreter, its kind, its version. Only looks."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

_PROGRAMS = ("bin/python", "bin/python3", "Scripts/python.exe", "python.exe")
USUAL = (".venv", "venv", "env", ".conda")
_VERSION = re.compile(r"python(\d+)\.(\d+)")
_CONFIGURED = re.compile(r"^version(?:_info)?\s*=\s*(\d+)\.(\d+)", re.MULTILINE)
_SKIPPED = {"node_modules", "__pycache__", "site-packages"}
_MOST_FOLDERS = 1000


def python_of(folder: Path) -> Path | None:
    """The interpreter of an environment's folder; None if there is none that can be started."""
    for name in _PROGRAMS:
        # Not resolved: the link's own place is what makes it a virtual environment.
        if is_program(folder / name):
            return folder / name
    return None


def is_program(path: Path) -> bool:
    """Whether this can be started."""
    return is_there(path) and os.access(path, os.X_OK) and path.is_file()


def is_there(path: Path) -> bool:
    """Whether there is something, whatever the name; where we may not look there is nothing."""
    return os.path.exists(path)  # noqa: PTH110 - Path.exists raises where a name is too long


def shebang(script: Path) -> Path | None:
    """The interpreter that a script's first line names."""
    try:
        with script.open("rb") as file:
            line = file.readline(1000)
    except (OSError, ValueError):
        return None
    words = line[2:].decode(errors="replace").split() if line.startswith(b"#!") else []
    return Path(words[0]) if words else None


def environment_of(python: Path) -> Path | None:
    """The folder of the environment that an interpreter belongs to; None: it is a bare one."""
    folder = python.parent if python.name == "python.exe" else python.parent.parent
    return folder if is_virtual(folder) or is_conda(folder) else None


def is_virtual(folder: Path) -> bool:
    """Whether it is one of venv's or virtualenv's."""
    return is_there(folder / "pyvenv.cfg")


def is_conda(folder: Path) -> bool:
    """Whether it is one of conda's."""
    return is_there(folder / "conda-meta")


def is_conda_base(folder: Path) -> bool:
    """Whether it is conda's own environment, which belongs to no project."""
    return is_conda(folder) and (folder / "envs").is_dir() and (folder / "condabin").is_dir()


def version_of(python: Path) -> tuple[int, int] | None:
    """The version of an interpreter by its names and folders; None if they do not tell."""
    if match := _VERSION.search(os.path.basename(os.path.realpath(python))):  # noqa: PTH119 - text
        return int(match[1]), int(match[2])
    folder = environment_of(python) or Path(os.path.realpath(python)).parent.parent
    try:
        match = _CONFIGURED.search((folder / "pyvenv.cfg").read_text(errors="replace"))
    except OSError:
        names = " ".join(name for name in names_in(folder / "lib") if name.startswith("python"))
        match = _VERSION.search(names)
    return (int(match[1]), int(match[2])) if match else None


def here(folder: Path) -> Path | None:
    """The interpreter of an environment directly in this folder, the usual names first."""
    for name in USUAL:
        if python := python_of(folder / name) or _named_in(folder / name, folder):
            return python
    return _any_of(folder, folders_in(folder))


def _any_of(folder: Path, names: list[str]) -> Path | None:
    environments = (folder / name for name in names if is_environment(folder / name))
    return next((python for one in environments if (python := python_of(one))), None)


def is_environment(folder: Path) -> bool:
    """Whether it is one of any kind."""
    return is_virtual(folder) or is_conda(folder)


def _named_in(file: Path, folder: Path) -> Path | None:
    """The environment that a file named `.venv` leads to."""
    if not file.is_file():
        return None
    try:
        text = file.read_text(errors="replace").strip()
    except OSError:
        return None
    return python_of(folder / text) if "/" in text and "\n" not in text else None


def below(folder: Path, depth: int) -> Iterator[Path]:
    """The interpreters of environments in folders down to a depth, the nearest first."""
    level, left = _inner(folder, folders_in(folder)), _MOST_FOLDERS
    for _ in range(depth + 1):
        deeper: list[Path] = []
        for inner in level:
            left -= 1
            if left < 0:
                return
            files, folders = _listed(inner)
            if "pyvenv.cfg" not in files and "conda-meta" not in folders:
                deeper += _inner(inner, folders)
            elif python := python_of(inner):
                yield python
        level = deeper


def _inner(folder: Path, names: list[str]) -> list[Path]:
    """The folders in a folder that may be an environment, or have one in them."""
    kept = [name for name in names if name in USUAL or not name.startswith(".")]
    return [folder / name for name in kept if name not in _SKIPPED]


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """The names of the files and of the folders in a folder."""
    try:
        with os.scandir(folder) as entries:
            there = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except OSError:
        return [], []
    return [n for n, is_folder in there if not is_folder], [
        n for n, is_folder in there if is_folder
    ]


def folders_in(folder: Path) -> list[str]:
    """The names of the folders in a folder, sorted."""
    return _names(folder, lambda entry: entry.is_dir())


def names_in(folder: Path) -> list[str]:
    """The names in a folder, sorted; none if it cannot be listed."""
    return _names(folder, lambda _: True)


def _names(folder: Path, wanted: Callable[[os.DirEntry[str]], bool]) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries if wanted(entry))
    except (OSError, ValueError):
        return []
