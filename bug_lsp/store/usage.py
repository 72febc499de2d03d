"""How much of the disk folders take. Only looks."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bug_lsp.domain.model import Value

_UNIT = 512
"""Bytes of what the system calls a block."""


class Usage(Value):
    """What was counted."""

    files: int = 0
    size_bytes: int = 0
    whole: bool = True
    """False where time was up before all had been seen: then there is more."""

    def __add__(self, other: Usage) -> Usage:
        """Both together."""
        return Usage(
            files=self.files + other.files,
            size_bytes=self.size_bytes + other.size_bytes,
            whole=self.whole and other.whole,
        )


def taken(folders: Iterable[Path], until: float = math.inf) -> Usage:
    """What folders take with all that is in them, counted until then (monotonic). A file that has
    several names counts once, a hole in it not at all.
    """
    count = size = 0
    several: set[tuple[int, int]] = set()
    left = [os.fspath(folder) for folder in folders]
    while left:
        if time.monotonic() > until:
            return Usage(files=count, size_bytes=size, whole=False)
        for entry in _entries(left.pop()):
            try:
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                    continue
                seen = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # gone meanwhile
            if seen.st_nlink > 1:
                if (seen.st_dev, seen.st_ino) in several:
                    continue
                several.add((seen.st_dev, seen.st_ino))
            count += 1
            size += seen.st_blocks * _UNIT
    return Usage(files=count, size_bytes=size)


def _entries(folder: str) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            yield from entries
    except OSError:
        return  # gone, or not to be read
