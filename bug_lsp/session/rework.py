"""What one file of a patch means for the file as it is now: edited, merged, created, deleted, in
the code already, or unfit for one reason that a person can act on. Only looks.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from bug_lsp.domain.splices import clashes
from bug_lsp.proof.tree import Kept
from bug_lsp.workspace import fingerprint
from bug_lsp.workspace.merging import in_its_line_ends, three_way
from bug_lsp.workspace.writing import Write

How: TypeAlias = Literal["edited", "merged", "created", "deleted"]
MARK = "\ufeff"
"""A byte order mark: editors keep it out of their buffers."""
_ANY_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_MOST_CLASHES = 3


class Unfit(Exception):
    """Why a file cannot be brought to what the patch makes of it: a clause after its name."""


@dataclass(frozen=True, slots=True)
class Change:
    """One file, as it is and as it is to become; texts are without a byte order mark."""

    name: str
    """Its path in the captured folder, POSIX."""
    path: Path
    how: How
    on_disk: bytes | None
    """None: there is no such file."""
    old: str | None
    """Its text: that of the buffer where it is open, else that on disk."""
    new: str | None
    """None: it is to be deleted."""
    marked: bool = False
    """Whether a byte order mark goes before `old` and `new`."""
    executable: bool = False

    def is_past(self) -> bool:
        """Whether the file on disk is not what it was."""
        try:
            return self.path.read_bytes() != self.on_disk
        except OSError:
            return self.on_disk is not None or os.path.lexists(self.path)

    def write(self) -> Write:
        """It, as it is made on disk."""
        after = None
        if self.new is not None:
            after = f"{MARK if self.marked else ''}{self.new}".encode()
        return Write(self.path, self.on_disk, after, executable=self.executable)


class Present:
    """The user's code as it is now."""

    def __init__(self, root: Path, buffers: Mapping[Path, str], scratch: Path) -> None:
        self._root = root
        self._buffers = buffers
        self._scratch = scratch

    def change(self, name: str, base: Kept | None, patched: Kept | None) -> Change | None:
        """The change that makes of the file what the patch makes of it; None where it is made
        already. Raises `Unfit`.
        """
        if os.fsencode(name).decode(errors="ignore") != name:
            raise Unfit("has a name that is not UTF-8, which no edit can say")
        path = self._path(name)
        was, will = _content(base), _content(patched)
        if will is None:
            return self._deleted(name, path, was or b"")
        executable = patched is not None and _runs(patched.path)
        if was is None:
            return self._created(name, path, will, executable=executable)
        if base is not None and _runs(base.path) != executable:
            self._check_mode(path, executable=executable)
        return self._edited(name, path, was, will)

    def _path(self, name: str) -> Path:
        """The file's path, which leads through folders only: a link could lead anywhere."""
        *parents, last = name.split("/")
        here = self._root
        for part in parents:
            here /= part
            if here.is_symlink():
                raise Unfit(f"lies behind the symbolic link {here.relative_to(self._root)} by now")
        return here / last

    def _edited(self, name: str, path: Path, was: bytes, will: bytes) -> Change | None:
        on_disk = _on_disk(path)
        if on_disk is None:
            raise Unfit(f"was deleted or renamed since{self._same_elsewhere(was)}")
        base, patched = _text(was), _text(will)
        if base.startswith(MARK) != patched.startswith(MARK):
            raise Unfit("gets or loses its byte order mark, which editors hide")
        present = self._buffers[path] if path in self._buffers else _text(on_disk)
        _check_text(present)
        marked = present.startswith(MARK)
        base, patched, present = (one.removeprefix(MARK) for one in (base, patched, present))
        merged = three_way(base, present, patched, self._scratch)
        base, patched = in_its_line_ends(base, patched, present)
        if merged is None:
            raise Unfit(_clash(base, present, patched))
        if merged == present:
            return None
        how: How = "edited" if present == base else "merged"
        return Change(name, path, how, on_disk, present, merged, marked=marked)

    def _created(self, name: str, path: Path, will: bytes, *, executable: bool) -> Change | None:
        if os.path.lexists(path):
            if not path.is_symlink() and path.is_file() and path.read_bytes() == will:
                return None
            raise Unfit("is new in the patch, but there is something of that name by now")
        if path in self._buffers:
            raise Unfit("is new in the patch, but it is open in the editor and not saved")
        folder = next(parent for parent in path.parents if os.path.lexists(parent))
        if not folder.is_dir():
            raise Unfit(f"is new in the patch, but {folder.relative_to(self._root)} is no folder")
        if not os.access(folder, os.W_OK):
            raise Unfit("is new in the patch, but its folder is read-only")
        text = _text(will)
        marked = text.startswith(MARK)
        return Change(
            name, path, "created", None, None, text.removeprefix(MARK), marked=marked,
            executable=executable,
        )  # fmt: skip

    def _deleted(self, name: str, path: Path, was: bytes) -> Change | None:
        on_disk = _on_disk(path)
        if on_disk is None:
            return None
        text = _text(was)
        if on_disk != was:
            raise Unfit("was changed since, so it is not deleted")
        shown = self._buffers.get(path, text)
        if in_its_line_ends(text, text, shown)[0].removeprefix(MARK) != shown.removeprefix(MARK):
            raise Unfit("has unsaved changes, so it is not deleted")
        marked = text.startswith(MARK)
        return Change(name, path, "deleted", on_disk, text.removeprefix(MARK), None, marked=marked)

    @staticmethod
    def _check_mode(path: Path, *, executable: bool) -> None:
        if path.is_file() and _runs(path) != executable:
            what = "executable" if executable else "not executable any more"
            raise Unfit(f"becomes {what}, which no edit can do")

    def _same_elsewhere(self, was: bytes) -> str:
        """Where a file with just that content is, if there is one such file."""
        found = [
            name
            for name, (size, _) in fingerprint.of_checkout(self._root).items()
            if was and size == len(was) and _holds(self._root / name, was)
        ]
        return f" (what it held is in {found[0]} now)" if len(found) == 1 else ""


def _content(kept: Kept | None) -> bytes | None:
    if kept is None:
        return None
    path = kept.checked()
    if path.is_symlink():
        raise Unfit("is a symbolic link in the patch, which no edit can make or change")
    return path.read_bytes()


def _on_disk(path: Path) -> bytes | None:
    """What the file holds, None where there is none. Raises `Unfit` if it is not to be written."""
    try:
        info = path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    if stat.S_ISLNK(info.st_mode):
        raise Unfit("is a symbolic link by now")
    if not stat.S_ISREG(info.st_mode):
        raise Unfit("is not a file any more")
    if not info.st_mode & _ANY_WRITE or not os.access(path, os.W_OK):
        raise Unfit("is read-only")
    return path.read_bytes()


def _text(data: bytes) -> str:
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise Unfit("is not a text in UTF-8") from error
    _check_text(text)
    return text


def _check_text(text: str) -> None:
    if "\0" in text:
        raise Unfit("is a binary file")
    if "\r" in text.replace("\r\n", ""):
        raise Unfit("has lines that end in a lone carriage return, which editors count differently")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise Unfit("holds characters that no file can") from error


def _clash(base: str, present: str, patched: str) -> str:
    places = clashes(base, present, patched)
    named = [f"{first}-{last}" if last > first else f"{first}" for first, last in places]
    more = ["..."] if len(named) > _MOST_CLASHES else []
    lines = ", ".join([*named[:_MOST_CLASHES], *more])
    return "was changed since where the patch changes it, too" + (lines and f" (line {lines})")


def _runs(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IXUSR)


def _holds(path: Path, content: bytes) -> bool:
    try:
        return not path.is_symlink() and path.is_file() and path.read_bytes() == content
    except OSError:
        return False
