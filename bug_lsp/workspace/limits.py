"""How much is copied at most of what git does not track, for all sessions have a copy each."""

from __future__ import annotations

from typing import NamedTuple

COPY_LIMIT_BYTES = 500_000_000
COPY_LIMIT_FILES = 50_000
"""Of a folder that is no git repository: nothing tells what to leave out."""
NEW_LIMIT_BYTES = 2_000_000_000
NEW_LIMIT_FILES = 100_000
"""Of files in a repository that git neither tracks nor ignores."""
MAX_NEW_BYTES = 500_000_000
COPIES_NEW_LIMIT_FILES = 100_000
"""Of files that are new in a copy: git would write all of them once more to make the patch."""


class Limit(NamedTuple):
    """The most files, and the most bytes that they have together."""

    files: int
    size: int


class TooMuch(Exception):
    """There is more than the limit."""

    def __init__(self, files: int, size: int, folder: str) -> None:
        super().__init__(f"{files:,} files with {size:,} bytes")
        self.files = files
        self.size = size
        self.folder = folder
        """The folder at the top with the most of it, "" for the top itself."""
