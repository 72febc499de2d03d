"""Whether the user's own files changed while an agent worked that nothing confines to its copy.

Sizes and times, not contents: this is looked at before and after every such session. It cannot say
who made a change, and does not claim to.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

from . import git
from .capture import COPY_LIMIT_FILES

Fingerprint: TypeAlias = Mapping[str, tuple[int, int]]
"""(size, time of change in nanoseconds) by path."""


def fingerprint(workspace: Path) -> Fingerprint:
    """Of all files that a copy would hold, as they are now."""
    top = git.maybe("rev-parse", "--show-toplevel", cwd=workspace)
    root = Path(top) if top else workspace
    found: dict[str, tuple[int, int]] = {}
    for name in _tracked(root) if top else _walked(root):
        try:
            info = os.lstat(root / name)
        except OSError:
            continue  # deleted, which is seen by its absence
        found[name] = (info.st_size, info.st_mtime_ns)
    return found


def changed(before: Fingerprint, after: Fingerprint) -> list[str]:
    """Files that are new, gone or different, sorted."""
    return sorted(
        name for name in before.keys() | after.keys() if before.get(name) != after.get(name)
    )


def _tracked(root: Path) -> Iterable[str]:
    try:
        listed = git.run("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=root)
    except git.GitError:
        return []
    return git.paths(listed)


def _walked(root: Path) -> Iterable[str]:
    count = 0
    for folder, _, names in os.walk(root):
        for name in names:
            yield os.path.relpath(Path(folder, name), root)
        count += len(names)
        if count > COPY_LIMIT_FILES:
            return
