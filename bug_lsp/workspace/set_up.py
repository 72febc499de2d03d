"""What the user's set-up command makes, kept so that it is run once for all copies.

The command is run in a twin of the checkout; copies get what it made as they get what git ignores.
A result is found again by the lock files if the command made only folders of dependencies, else by
all of the code.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from bug_lsp.domain.copy_contents import CopyContents, Extra
from bug_lsp.domain.model import StoredValue
from bug_lsp.domain.run import Base
from bug_lsp.store import files
from bug_lsp.store.layout import WorkspaceFolder

from . import copies, extras, git
from .extras import Source
from .ignored import DEPENDENCIES, is_environment

_LOCK_FILES = frozenset(
    (
        "package.json", "package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock",
        "bun.lock", "bun.lockb", "pyproject.toml", "setup.py", "setup.cfg", "poetry.lock",
        "uv.lock", "pdm.lock", "Pipfile", "Pipfile.lock", "pixi.lock", "environment.yml",
        "tox.ini", "noxfile.py", "Cargo.toml", "Cargo.lock", "go.mod", "go.sum", "Gemfile.lock",
        "composer.lock", "mix.lock",
    )
)  # fmt: skip
_KEPT = 3
"""Results kept of one workspace."""
_IN_USE = 7 * 24 * 3600.0
"""Seconds after its last use in which a result is not removed: copies link into it."""


class _Made(StoredValue):
    """A result, as it is kept."""

    folder: str
    name: str
    contents: CopyContents


@dataclass(frozen=True, slots=True)
class SetUps:
    """The results of one workspace."""

    workspace: WorkspaceFolder
    base: Base
    command: str

    @property
    def folder(self) -> Path:
        """Where they are."""
        return files.make_private(self.workspace.set_ups)

    def lock(self) -> Path:
        """The file whose lock is held while the command is run."""
        return self.folder / f"{self._by_lock_files()}.lock"

    def found(self) -> Source | None:
        """The result of an earlier run of the command, if it holds for this code."""
        for key in (self._by_code(), self._by_lock_files()):
            data = files.read(self.folder / f"{key}.json")
            if data is None:
                continue
            made = _Made.model_validate_json(data)
            root = self.folder / made.folder / made.name
            if root.is_dir():
                os.utime(root.parent)
                return Source(root, made.contents)
        return None

    def make_twin(self, sources: list[Source]) -> Twin:
        """A copy of the code in which the command is to be run. Blocks. Raises `GitError`,
        `OSError`.
        """
        self._remove_old()
        root = files.make_private(self.folder / secrets.token_hex(6)) / self.base.name
        copies.check_out(self.base, root)
        extras.bring(sources, root)
        return Twin(root, _untracked(root))

    def keep(self, twin: Twin) -> Source:
        """Keep what the command has made in the twin."""
        contents = CopyContents(extras=tuple(_made(twin)))
        only_dependencies = all(extra.way == "linked" for extra in contents.extras)
        key = self._by_lock_files() if only_dependencies else self._by_code()
        made = _Made(folder=twin.root.parent.name, name=twin.root.name, contents=contents)
        files.replace(self.folder / f"{key}.json", made.to_json())
        return Source(twin.root, contents)

    def _by_code(self) -> str:
        # Without the task file, which each run changes, and others that people read.
        entries = [entry for entry in self._listed() if not entry.endswith(".md")]
        return _digest("code", self.command, self.base.prefix, *entries)

    def _by_lock_files(self) -> str:
        entries = [entry for entry in self._listed() if _is_lock_file(entry)]
        return _digest("lock files", self.command, self.base.prefix, *entries)

    def _listed(self) -> Sequence[str]:
        return git.paths(
            git.run("ls-tree", "-r", "-z", self.base.commit, cwd=Path(self.base.repository))
        )

    def _remove_old(self) -> None:
        folders = [path for path in self.folder.iterdir() if path.is_dir()]
        folders.sort(key=lambda path: path.stat().st_mtime, reverse=True)
        for path in folders[_KEPT:]:
            if time.time() - path.stat().st_mtime > _IN_USE:
                files.remove(path)


@dataclass(frozen=True, slots=True)
class Twin:
    """A copy of the code in which the set-up command is run."""

    root: Path
    before: frozenset[str]
    """What git does not track in it, before the command is run."""

    def remove(self) -> None:
        """Remove it: the command did not succeed."""
        files.remove(self.root.parent)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode(errors="surrogateescape")).hexdigest()[:24]


def _is_lock_file(entry: str) -> bool:
    name = PurePosixPath(entry.partition("\t")[2]).name
    return name in _LOCK_FILES or (name.startswith("requirements") and name.endswith(".txt"))


def _untracked(root: Path) -> frozenset[str]:
    listed = git.run("ls-files", "-o", "--directory", "-z", cwd=root)
    return frozenset(path.rstrip("/") for path in git.paths(listed))


def _made(twin: Twin) -> Iterator[Extra]:
    """What the command has made, and what it has changed of what was brought."""
    for path in sorted(_untracked(twin.root)):
        place = twin.root / path
        if path in twin.before and not _is_its_own(place):
            continue
        dependencies = place.is_dir() and (
            PurePosixPath(path).name in DEPENDENCIES or is_environment(place)
        )
        way = "linked" if dependencies else "copied"
        yield Extra(path=path, way=way, reason="made by the set-up command")


def _is_its_own(place: Path) -> bool:
    """Whether a folder that was links has been filled by the command."""
    if place.is_symlink() or not place.is_dir():
        return False
    return any(
        not entry.is_symlink() and not entry.name.startswith((".", "@"))
        for entry in os.scandir(place)
    )
