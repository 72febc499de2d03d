"""Reads from a patch which lines it changes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_LINE = re.compile(
    r"^(?:--- (?:a/(?P<path>.+)|/dev/null)|@@ -(?P<first>\d+)(?:,(?P<count>\d+))? \+.*@@.*"
    # Where the middle of a long one was left out, the file is not known.
    r"|\[\.\.\. .* left out \.\.\.\])$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that a patch changes, with a few around them, as they are numbered before it."""

    path: str
    first: int
    last: int


def hunks(patch: str) -> Iterator[Hunk]:
    """Yield the hunks of a patch as git writes it; files that are new have none."""
    path: str | None = None
    for match in _LINE.finditer(patch):
        if match["first"] is None:
            path = match["path"]
        elif path is not None:
            first, count = int(match["first"]), int(match["count"] or 1)
            yield Hunk(path, first, first + max(count - 1, 0))
