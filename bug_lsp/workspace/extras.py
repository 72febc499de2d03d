"""Brings into a copy what the checkout has besides tracked files, as it was decided for the run.

The user's files are read and linked to, never written. What cannot be brought is left out and
named; it ends nothing.
"""

from __future__ import annotations

import fnmatch
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bug_lsp.domain.copy_contents import CopyContents, Extra

_COPY_SECONDS = 600.0
_SMALL = 1_000_000
_LEFT_OUT_OF_COPIES = ("__pycache__", "*.pyc", ".git")
_NOT_LINKED = frozenset((".cache", ".vite", ".vitest", ".package-lock.lock", ".git"))
"""Entries of folders of dependencies that tools write to while tests run."""
_OF_LINKS = frozenset((".bin",))


@dataclass(frozen=True, slots=True)
class Source:
    """Where extras are brought from."""

    root: Path
    """The user's checkout, or a twin of it in which the set-up command was run."""
    contents: CopyContents


def bring(sources: Iterable[Source], copy: Path) -> list[str]:
    """Copy and link the extras of each source into `copy`; what is there already stays.

    Returns a sentence for each that could not be brought.
    """
    return [problem for source in sources for problem in _bring(source.contents, source.root, copy)]


def bring_siblings(sources: Iterable[Source], copy: Path) -> None:
    """The same for what lies beside the checkout alone, for a copy that is a twin of another."""
    for source in sources:
        beside = [extra for extra in source.contents.brought() if extra.path.startswith("../")]
        _bring(CopyContents(extras=tuple(beside)), source.root, copy)


def _bring(contents: CopyContents, origin: Path, copy: Path) -> list[str]:
    unwanted = frozenset(extra.path for extra in contents.left_out())
    problems = []
    for extra in contents.brought():
        try:
            _bring_one(extra, origin, copy, unwanted)
        except (OSError, subprocess.SubprocessError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            problems.append(f"`{extra.path}` could not be brought into the copy: {reason}")
    return problems


def _bring_one(extra: Extra, origin: Path, copy: Path, unwanted: frozenset[str]) -> None:
    source, target = origin / extra.path, copy / extra.path
    if not os.path.lexists(source) or not _is_inside(target, copy):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    inner = frozenset(
        path.removeprefix(f"{extra.path}/")
        for path in unwanted
        if path.startswith(f"{extra.path}/")
    )
    is_folder = source.is_dir() and (extra.way == "linked" or not source.is_symlink())
    if extra.way == "linked" and target.is_symlink():
        # One of the repository that leads out of it: checked out elsewhere, it leads nowhere.
        target.unlink()
        _copy_link(source, target, origin)
    elif extra.way == "linked" and is_folder:
        _Links(origin, copy).make(source, target, inner)
    elif os.path.lexists(target) and not is_folder:
        return
    elif extra.way == "linked":
        target.symlink_to(source)
    elif is_folder:
        _copy_folder(source, target, inner)
    elif source.is_symlink():
        _copy_link(source, target, origin)
    else:
        _copy_file(source, target)


def _is_inside(target: Path, copy: Path) -> bool:
    """Whether no link on the way leads out of the copy, but for what lies right beside it."""
    folder = target.parent.resolve()
    return folder.is_relative_to(copy.resolve()) or folder == copy.resolve().parent


@dataclass(frozen=True, slots=True)
class _Links:
    """Makes a folder of links, one for each entry.

    The folder itself and its scopes (`@scope`, `.bin`) are real, and links are made again as they
    are: one that npm made to a package of the same workspace leads into the copy, and what replaces
    an entry replaces a link.
    """

    origin: Path
    copy: Path

    def make(self, source: Path, target: Path, unwanted: Iterable[str]) -> None:
        """Link the entries of `source` but for those unwanted, which are relative to it."""
        skip = frozenset(unwanted)
        target.mkdir(parents=True, exist_ok=True)
        for entry in os.scandir(source):
            if entry.name in skip or entry.name in _NOT_LINKED:
                continue
            place = target / entry.name
            inner = [path.partition("/")[2] for path in skip if path.startswith(f"{entry.name}/")]
            is_folder = entry.is_dir(follow_symlinks=False)
            is_real = place.is_dir() and not place.is_symlink()
            if is_folder and (_holds_links(entry.name) or inner or is_real):
                self.make(Path(entry.path), place, inner)
            elif not os.path.lexists(place):
                place.symlink_to(self._leads_to(entry, place.parent))

    def _leads_to(self, entry: os.DirEntry[str], folder: Path) -> Path:
        """Where the link in `folder` leads: into the copy, if what it names is there too."""
        if not entry.is_symlink():
            return Path(entry.path)
        named = Path(entry.path).readlink()
        if not named.is_absolute():
            return named if (folder / named).exists() else Path(entry.path).resolve()
        inside = named.is_relative_to(self.origin)
        moved = self.copy / named.relative_to(self.origin) if inside else named
        return moved if moved.exists() else named


def _holds_links(name: str) -> bool:
    return name.startswith("@") or name in _OF_LINKS


def _copy_folder(source: Path, target: Path, unwanted: frozenset[str]) -> None:
    for folder, folders, names in os.walk(source):
        inner = os.path.relpath(folder, source)
        lead = "" if inner == "." else f"{inner}/"
        (target / inner).mkdir(parents=True, exist_ok=True)
        links = [name for name in folders if Path(folder, name).is_symlink()]
        folders[:] = [
            name
            for name in folders
            if name not in links and lead + name not in unwanted and not _is_left_out(name)
        ]
        for name in [*names, *links]:
            place = target / inner / name
            if lead + name in unwanted or _is_left_out(name) or os.path.lexists(place):
                continue
            _copy_file(Path(folder, name), place)


def _is_left_out(name: str) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in _LEFT_OUT_OF_COPIES)


def _copy_link(source: Path, target: Path, origin: Path) -> None:
    """A link as it is; where it leads out of the checkout, it leads to the same place."""
    named = source.readlink()
    if leads_out(source, origin):
        named = Path(os.path.normpath(source.parent.resolve() / named))
    target.symlink_to(named)


def leads_out(link: Path, root: Path) -> bool:
    """Whether a link leads out of a folder by a relative path, which is another one elsewhere."""
    named = link.readlink()
    place = Path(os.path.normpath(link.parent.resolve() / named))
    return not named.is_absolute() and not place.is_relative_to(root.resolve())


def _copy_file(source: Path, target: Path) -> None:
    """A file with its mode and time, a link as a link; sockets and the like are passed over."""
    if source.is_symlink():
        target.symlink_to(source.readlink())
    elif not source.is_file():
        return
    elif source.stat().st_size <= _SMALL or not _clone(source, target):
        shutil.copy2(source, target)


def _clone(source: Path, target: Path) -> bool:
    """Copy a file by sharing its blocks, where the file system can; Python itself cannot."""
    option = "-c" if sys.platform == "darwin" else "--reflink=always"
    done = subprocess.run(
        ["/bin/cp", "-p", option, str(source), str(target)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_COPY_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        target.unlink(missing_ok=True)
    return done.returncode == 0
