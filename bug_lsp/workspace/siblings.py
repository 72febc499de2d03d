"""What lies beside a checkout and is named in it: a test that reads `../fixtures` needs it beside
its copy, too. Only looks.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from bug_lsp.domain.copy_contents import Extra

from . import git

_SECONDS = 3.0
_MOST_BYTES = 4_000_000
"""Bytes of an index: a repository of some 40,000 files is not searched."""
_NAME = "[A-Za-z0-9_][A-Za-z0-9_.-]*"
_NAMED = rf"(\.\./|\.parents?(\[[0-9]\])? */ *[\"']|(pardir|[\"']\.\.[\"']), *[\"']){_NAME}"
"""`../name`, `.parent / "name"`, `.parents[1] / "name"`, `"..", "name"`, `pardir, "name"`."""
_LAST_NAME = re.compile(rf"{_NAME}$")


def siblings(root: Path) -> Iterator[Extra]:
    """Files and folders beside the checkout that its files name by a path that leads out of it."""
    beside = {name for name in _listed(root.parent) if name != root.name and name[0] != "."}
    for name in sorted(beside & _named(root)) if beside else ():
        yield Extra(path=f"../{name}", way="linked", reason="beside the repository")


def _listed(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names are all that is asked for
    except OSError:
        return []


def _named(root: Path) -> set[str]:
    try:
        index = git.text("rev-parse", "--git-path", "index", cwd=root)
        if (root / index).stat().st_size > _MOST_BYTES:
            return set()
        words = ("grep", "--untracked", "-I", "-h", "-o", "-E", "-e", _NAMED)
        lines = git.run(*words, cwd=root, deadline=_SECONDS).decode(errors="replace")
    except (git.GitError, OSError):  # also where there is none
        return set()
    return {match[0] for line in lines.splitlines() if (match := _LAST_NAME.search(line))}
