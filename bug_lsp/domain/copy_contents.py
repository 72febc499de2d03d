"""What a copy of the code holds besides what git tracks, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

from .model import StoredValue

EMPTY_FOLDER = "an empty folder"
Way: TypeAlias = Literal["copied", "linked", "leftOut"]
"""`copied`: a copy has its own. `linked`: a folder of links to the user's own, or a link to a file:
to be read, not to be written. `leftOut`: copies do not have it."""

_MOST_NAMED = 5
_UNITS = ("kB", "MB", "GB", "TB")


class Extra(StoredValue):
    """A file or folder of the checkout that git does not track."""

    path: str
    """Relative to the captured folder, POSIX; a folder has no slash at its end."""
    way: Way
    size: int | None = None
    """Bytes; None where nobody counted."""
    reason: str = ""
    """Why, as a clause: `ignored by git, 12 MB`."""

    @property
    def is_empty_folder(self) -> bool:
        """Whether it is a folder and nothing else, so that what lies in it later is new."""
        return self.reason == EMPTY_FOLDER


class CopyContents(StoredValue):
    """What each copy of a run holds besides what git tracks."""

    extras: tuple[Extra, ...] = ()

    def brought(self) -> Iterator[Extra]:
        """What copies have."""
        return (extra for extra in self.extras if extra.way != "leftOut")

    def left_out(self) -> tuple[Extra, ...]:
        """What they do not have, although the checkout does."""
        return tuple(extra for extra in self.extras if extra.way == "leftOut")

    def lacking(self) -> Iterator[str]:
        """What copies do not have and a test might need, as sentences."""
        if missing := self.left_out():
            verb = "is" if len(missing) == 1 else "are"
            yield f"{_named(missing)} {verb} not in the copies: if a test needs it, {WAY_OUT}"

    def sentences(self) -> Iterator[str]:
        """What a user should know of the copies, most important first."""
        yield from self.lacking()
        if copied := [
            one for one in self.extras if one.way == "copied" and not one.is_empty_folder
        ]:
            yield f"it has copies of files that git does not track: {_named(copied)}"
        if linked := [extra for extra in self.extras if extra.way == "linked"]:
            yield f"it has links to files that git does not track, for reading: {_named(linked)}"

    def without(self, other: CopyContents) -> CopyContents:
        """What the other does not have."""
        paths = {extra.path for extra in other.brought()}
        return CopyContents(extras=tuple(one for one in self.extras if one.path not in paths))

    def without_links(self) -> CopyContents:
        """What a copy has as files of its own."""
        return CopyContents(extras=tuple(one for one in self.extras if one.way != "linked"))

    def __add__(self, other: CopyContents) -> CopyContents:
        """Both together: what one of them has is not left out."""
        known = {extra.path: extra for extra in other.extras}
        for extra in self.extras:
            if extra.way != "leftOut" or extra.path not in known:
                known[extra.path] = extra
        return CopyContents(extras=tuple(known.values()))


WAY_OUT = "add it to .worktreeinclude if git ignores it, or make it with the setting setUpCommand"


def _named(extras: Iterable[Extra]) -> str:
    listed = list(extras)
    names = [_name(extra) for extra in listed[:_MOST_NAMED]]
    more = len(listed) - _MOST_NAMED
    return ", ".join(names) + (f" and {more} more" if more > 0 else "")


def _name(extra: Extra) -> str:
    return f"`{extra.path}`" + (f" ({extra.reason})" if extra.way == "leftOut" else "")


def size_in_words(size: int) -> str:
    """A number of bytes for people: `12 MB`."""
    number = float(size)
    unit = "bytes"
    for larger in _UNITS:
        if number < 1000:  # noqa: PLR2004 - units of a thousand
            break
        number, unit = number / 1000, larger
    return f"{number:.0f} {unit}"
