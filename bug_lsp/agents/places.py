"""Paths that an agent names, as seen from the root of its copy. Pure but for links in the root."""

from __future__ import annotations

import os
from pathlib import Path


class Places:
    """The places of one session."""

    def __init__(self, cwd: Path, copy: Path) -> None:
        self._cwd = cwd
        self._roots = (copy, copy.resolve())  # an agent may have followed a symbolic link (macOS)

    def inside(self, path: str) -> str | None:
        """A path as seen from the copy's root, None if it is outside of it."""
        whole = Path(os.path.normpath(self._cwd / path))
        root = next((root for root in self._roots if whole.is_relative_to(root)), None)
        return None if root is None else whole.relative_to(root).as_posix()

    def shown(self, path: str) -> str:
        """The same for people; one outside of it as it stands."""
        return self.inside(path) or path
