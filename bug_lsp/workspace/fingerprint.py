"""Whether files that are not an agent's own changed while it worked and nothing confined it.

Sizes and times, not contents: this is looked at before and after every such session. It cannot say
who made a change, and does not claim to.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from . import git
from .limits import COPY_LIMIT_FILES

Fingerprint: TypeAlias = Mapping[str, tuple[int, int]]
"""(size, time of change in nanoseconds) by path as it is shown to the user."""

_ALWAYS_CHANGING = re.compile(r"\.(.*_history|.*hst|viminfo|Xauthority|xsession.*|claude\.json.*)")
"""Files in a home that change with whatever its owner does."""


def of_checkout(workspace: Path) -> Fingerprint:
    """All files that a copy would hold, and what git keeps of its state, as they are now."""
    top = git.maybe("rev-parse", "--show-toplevel", cwd=workspace)
    root = Path(top) if top else workspace
    names = [*_tracked(root), *_git_state(root)] if top else _walked(root)
    return _looked_at((name, root / name) for name in names)


def of_tree(root: Path, shown_as: str) -> Fingerprint:
    """All files below a folder but for its `.git`."""
    return _looked_at((f"{shown_as}/{name}", root / name) for name in _walked(root))


def of_home(home: Path) -> Fingerprint:
    """The files that lie in the home itself: its folders are too many."""
    try:
        entries = [entry for entry in os.scandir(home) if not entry.is_dir(follow_symlinks=False)]
    except OSError:
        return {}
    return _looked_at(
        (f"~/{entry.name}", Path(entry.path))
        for entry in entries
        if not _ALWAYS_CHANGING.fullmatch(entry.name)
    )


def changed(before: Fingerprint, after: Fingerprint) -> list[str]:
    """Files that are new, gone or different, sorted."""
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


def _looked_at(files: Iterable[tuple[str, Path]]) -> Fingerprint:
    found: dict[str, tuple[int, int]] = {}
    for shown, path in files:
        try:
            info = path.lstat()
        except OSError:
            continue  # deleted, which is seen by its absence
        found[shown] = (info.st_size, info.st_mtime_ns)
    return found


def _tracked(root: Path) -> Iterable[str]:
    try:
        listed = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=root)
    except git.GitError:
        return []
    return git.paths(listed)


def _git_state(root: Path) -> Iterable[str]:
    """What says which branch is checked out, where each stands, and what git is to run."""
    folder = git.maybe("rev-parse", "--git-common-dir", cwd=root)
    if folder is None:
        return
    place = root / folder
    yield from (os.path.relpath(place / name, root) for name in ("HEAD", "config", "packed-refs"))
    for kept in ("refs", "hooks"):
        yield from (os.path.relpath(place / kept / name, root) for name in _walked(place / kept))


def _walked(root: Path) -> Iterable[str]:
    count = 0
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name != ".git"]
        for name in names:
            yield os.path.relpath(Path(folder, name), root)
        count += len(names)
        if count > COPY_LIMIT_FILES:
            return
