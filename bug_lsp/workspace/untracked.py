"""Files that git neither tracks nor ignores, without those of dependency folders: virtual
environments and installed packages are not the project's code.
"""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from . import git
from .limits import Limit, TooMuch

DEPENDENCY_NAMES = frozenset(("node_modules",))
DEPENDENCY_MARKS = ("pyvenv.cfg", "conda-meta")
"""What lies in a folder that is a virtual environment."""
_CLOSED = re.compile(r"warning: could not open directory '(.*?)/?': .*", re.DOTALL)


@dataclass(slots=True)
class Untracked:
    """What there is, by path from the root."""

    files: list[str] = field(default_factory=list)
    repositories: list[str] = field(default_factory=list)
    """Folders that are repositories themselves; git does not look into them."""
    dependencies: list[str] = field(default_factory=list)
    """Folders of dependencies; their files are left out."""
    closed: list[str] = field(default_factory=list)
    """Folders that may not be read."""


def is_dependency_folder(path: Path) -> bool:
    """Whether the folder holds installed packages."""
    return path.name in DEPENDENCY_NAMES or any(
        os.path.lexists(path / mark) for mark in DEPENDENCY_MARKS
    )


def find_untracked(
    root: Path, env: git.Settled, limit: Limit, without: Collection[str] = ()
) -> Untracked:
    """List what git does not know, but for the paths in `without` and all below them.

    Raises `TooMuch` as soon as there is more than the limit, `GitError`.
    """
    found = Untracked()
    folders = _Folders(root, env, frozenset(without))
    complaints: list[str] = []
    listing = ("ls-files", "-o", "--exclude-standard", "-z")
    with git.streamed(*listing, cwd=root, env=env, complaints=complaints) as paths:
        _sort(found, paths, folders, limit)
    found.dependencies = sorted(folders.dependencies)
    named = (_CLOSED.fullmatch(line) for line in complaints)
    found.closed = [match[1] for match in named if match is not None]
    return found


def _sort(found: Untracked, paths: Iterable[str], folders: _Folders, limit: Limit) -> None:
    size = 0
    where: Counter[str] = Counter()
    for path in paths:
        if folders.is_left_out(path.rstrip("/")):
            continue
        if path.endswith("/"):
            found.repositories.append(path[:-1])
            continue
        found.files.append(path)
        try:
            size += (folders.root / path).lstat().st_size
        except OSError:
            continue
        where[path.partition("/")[0] if "/" in path else ""] += 1
        if len(found.files) > limit.files or size > limit.size:
            raise TooMuch(len(found.files), size, where.most_common(1)[0][0])


class _Folders:
    """Which folders are left out; each is looked at once."""

    def __init__(self, root: Path, env: git.Settled, without: Collection[str]) -> None:
        self.root = root
        self.dependencies: list[str] = []
        self._env = env
        self._without = without
        self._known = {"": False}

    def is_left_out(self, path: str) -> bool:
        """Whether it, or a folder around it, is left out."""
        return path in self._without or self._is_folder_left_out(path.rpartition("/")[0])

    def _is_folder_left_out(self, folder: str) -> bool:
        known = self._known.get(folder)
        if known is None:
            known = self.is_left_out(folder) or self._is_dependency(folder)
            self._known[folder] = known
        return known

    def _is_dependency(self, folder: str) -> bool:
        if not is_dependency_folder(self.root / folder):
            return False
        tracked = ("ls-files", "-z", "--", f":(top,literal){folder}")
        if git.run(*tracked, cwd=self.root, env=self._env):
            return False  # it is committed, so it is the project's
        self.dependencies.append(folder)
        return True
