"""What copies lack of the user's files, and why, in sentences for the user."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

_FEW = 3


class Lack(Enum):
    """Why copies lack what a file is on disk: of one file, of several, and what to do."""

    UNREADABLE = (
        "{} is not in the copies as it is on disk: you may not read it",
        "{} are not in the copies as they are on disk: you may not read them",
    )
    CHANGING = (
        "{} is not in the copies as it is on disk: it changed while it was read, again and again",
        "{} are not in the copies as they are on disk: they changed while they were read",
    )
    NO_CONTENT = (
        "{} is but a pointer in the copies: Git LFS has not fetched it; run `git lfs pull`",
        "{} are but pointers in the copies: Git LFS has not fetched them; run `git lfs pull`",
    )


def sentences(lacking: Mapping[str, Lack]) -> tuple[str, ...]:
    """Return one sentence for each reason. `lacking` has the reasons by path."""
    told = (
        _sentence(why, sorted(path for path in lacking if lacking[path] is why)) for why in Lack
    )
    return tuple(filter(None, told))


def _sentence(why: Lack, paths: list[str]) -> str:
    if not paths:
        return ""
    one, several = why.value
    named = [_shown(path) for path in sorted(paths)[:_FEW]]
    if len(paths) == 1:
        return one.format(named[0])
    more = len(paths) - len(named)
    *first, last = [*named, f"{more} more"] if more else named
    return several.format(f"{', '.join(first)} and {last}")


def _shown(path: str) -> str:
    """The path on one line, with what no text can hold replaced."""
    readable = path.encode(errors="surrogateescape").decode(errors="replace")
    return "".join(char if char.isprintable() else "?" for char in readable)
