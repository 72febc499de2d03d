"""The files of a workspace, to be looked at: which there are, and the text of one."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path

from bug_lsp.domain.source import decode

from . import git, opening
from .limits import COPY_LIMIT_FILES

MAX_BYTES = 5_000_000
"""A larger file is not read."""


def names(workspace: Path) -> frozenset[str]:
    """The files of the workspace, relative to it, POSIX: those a copy would hold."""
    try:
        listed = git.run(
            "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=workspace
        )
    except git.GitError:
        return frozenset(_walked(workspace))
    return frozenset(git.paths(listed))


def read(workspace: Path, name: str) -> str | None:
    """The text of a file in the workspace, also through links; None where there is none to show: it
    is not there, is no regular file, is binary, too large, or lies outside.
    """
    try:
        real = (workspace / name).resolve()
        info = real.stat()
        if not real.is_relative_to(workspace) or not stat.S_ISREG(info.st_mode):
            return None
        if info.st_size > MAX_BYTES:
            return None
        with opening.folder(real.parent) as held:
            return decode(opening.read(real.name, held, MAX_BYTES))
    except (OSError, ValueError, RuntimeError):
        return None


def _walked(root: Path) -> Iterable[str]:
    count = 0
    for folder, folders, found in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(folder, name).relative_to(root).as_posix() for name in found)
        count += len(found)
        if count > COPY_LIMIT_FILES:
            return
