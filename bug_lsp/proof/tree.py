"""A folder that is brought back to what it was, whatever was done to it in between.

What a cell changed is found by looking at every file's status (a change time cannot be set back)
and taken from a pristine twin of the folder. No git: what a cell wrote into `.git` runs nothing.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from bug_lsp.store.files import remove

_COPY_SECONDS = 600.0

_Look: TypeAlias = tuple[int, ...]
"""Of a folder its mode; of anything else also what changes when it is written."""


class Spoilt(Exception):
    """The folder cannot be brought back: make it anew."""


def twin(source: Path, target: Path) -> None:
    """Copy a folder with modes, times and links as they are. Raises `Spoilt`."""
    try:
        done = subprocess.run(
            ["/bin/cp", "-RPp", str(source), str(target)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_COPY_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Spoilt(f"copying took longer than {_COPY_SECONDS:.0f} s") from error
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [""]
        raise Spoilt(f"it could not be copied: {said[0]}")


def _look(info: os.stat_result) -> _Look:
    if stat.S_ISDIR(info.st_mode):
        return (info.st_mode,)
    return (info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)


def _walk(root: str, inner: str = "") -> Iterator[tuple[str, _Look]]:
    """Every path below a folder, parents first, relative to it."""
    with os.scandir(os.path.join(root, inner) if inner else root) as entries:  # noqa: PTH118 - hot
        found = list(entries)
    for entry in found:
        path = f"{inner}/{entry.name}" if inner else entry.name
        yield path, _look(entry.stat(follow_symlinks=False))
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(root, path)


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of ours that lies where a cell could write."""

    path: Path
    look: _Look

    @classmethod
    def of(cls, path: Path) -> Kept:
        """The file as it is now."""
        return cls(path, _look(path.lstat()))

    def checked(self) -> Path:
        """The file, if nobody has written it. Raises `Spoilt`."""
        if not os.path.lexists(self.path) or _look(self.path.lstat()) != self.look:
            raise Spoilt(f"what was kept of {self.path.name} was written")
        return self.path


class Tree:
    """A folder and its pristine twin. Nobody may write while a method runs."""

    def __init__(self, root: Path, pristine: Path) -> None:
        self.root = root
        self._pristine = pristine
        self._wanted = dict(_walk(str(root)))
        self._twins = dict(_walk(str(pristine)))
        if self._wanted.keys() != self._twins.keys():
            raise Spoilt("something was written while it was copied")
        self._ours: set[str] = set()
        info = root.lstat()
        self._root_is, self._root_mode = info.st_ino, stat.S_IMODE(info.st_mode)

    def put(self, path: str, kept: Kept) -> None:
        """Write a file or a link to `path` in the folder. Raises `Spoilt` where a link would lead
        the write elsewhere.
        """
        source = kept.checked()
        target = self._target(path)
        remove(target)
        self._ours.add(path)
        if source.is_symlink():
            target.symlink_to(source.readlink())
        else:
            shutil.copyfile(source, target)
            shutil.copymode(source, target)

    def take_away(self, path: str) -> None:
        """Remove a file, and the folders that are empty without it. Raises `Spoilt` as `put`."""
        target = self._target(path)
        remove(target)
        self._ours.add(path)
        parent = target.parent
        while parent != self.root and not any(parent.iterdir()):
            parent.rmdir()
            parent = parent.parent

    def _target(self, path: str) -> Path:
        *parents, name = path.split("/")
        here = self.root
        for part in parents:
            here /= part
            if here.is_symlink():
                raise Spoilt(f"{here.relative_to(self.root)} is a link")
            if not here.is_dir():
                here.unlink(missing_ok=True)
                here.mkdir()
        return here / name

    def restore(self) -> None:
        """Bring the folder back. Raises `Spoilt` where that cannot be done."""
        try:
            if self.root.is_symlink() or self.root.lstat().st_ino != self._root_is:
                raise Spoilt("another folder is in its place")
            self.root.chmod(self._root_mode)
            found = self._remove_what_is_new()
            changed = [path for path, look in self._wanted.items() if found.get(path) != look]
            for path in changed:
                self._bring_back(path)
            self._ours.clear()
        except OSError as error:
            raise Spoilt(f"it could not be brought back: {error}") from error

    def _remove_what_is_new(self) -> dict[str, _Look]:
        """What is there, without what has had to go: new files, and what became of another kind."""
        found: dict[str, _Look] = {}
        gone: list[str] = []
        for path, look in self._reachable(""):
            wanted = self._wanted.get(path)
            if wanted is None or stat.S_IFMT(wanted[0]) != stat.S_IFMT(look[0]):
                gone.append(path)
            elif path not in self._ours:
                found[path] = look
        for path in gone:
            remove(self.root / path)
        return found

    def _reachable(self, inner: str) -> Iterator[tuple[str, _Look]]:
        """As `_walk`, but into folders whose modes were changed too, and not into new ones."""
        folder = self.root / inner
        mode = self._wanted[inner][0] if inner else None
        if mode is not None and folder.lstat().st_mode != mode:
            folder.chmod(stat.S_IMODE(mode))
        with os.scandir(folder) as entries:
            found = list(entries)
        for entry in found:
            path = f"{inner}/{entry.name}" if inner else entry.name
            look = _look(entry.stat(follow_symlinks=False))
            yield path, look
            wanted = self._wanted.get(path)
            if stat.S_ISDIR(look[0]) and wanted is not None and stat.S_ISDIR(wanted[0]):
                yield from self._reachable(path)

    def _bring_back(self, path: str) -> None:
        """Take one path from the twin; its parents are in their places."""
        target, source = self.root / path, self._pristine / path
        mode = self._wanted[path][0]
        if stat.S_ISDIR(mode):
            target.mkdir(exist_ok=True)
            target.chmod(stat.S_IMODE(mode))
            return
        if _look(source.lstat()) != self._twins[path]:
            raise Spoilt(f"the twin of {path} was written, too")
        target.unlink(missing_ok=True)
        if stat.S_ISLNK(mode):
            target.symlink_to(source.readlink())
        elif stat.S_ISREG(mode):
            shutil.copy2(source, target, follow_symlinks=False)
        else:
            raise Spoilt(f"{path} is neither a file nor a folder nor a link")
        self._wanted[path] = _look(target.lstat())
