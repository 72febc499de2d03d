"""Which file of the snapshot a path means, as agents write paths: relative to the repository or to
the workspace in it, absolute in a copy, from a diff, with a line number behind it.
"""

from __future__ import annotations

import posixpath
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from urllib.parse import unquote

_LINE_BEHIND = re.compile(r"(?::[0-9]{1,9}(?:[-:][0-9]{1,9})?:?|#L?[0-9]{1,9}(?:-L?[0-9]{1,9})?)$")
_DRIVE = re.compile(r"[A-Za-z]:/")
_NOT_CAPTURED = frozenset(
    {".git", ".tox", ".nox", ".venv", "venv", "site-packages", "node_modules", "__pycache__"}
)
"""Folders that projects leave out of their repositories: what stands there is not the project's."""
_MOST_LINKS = 10
MOST_LIKE = 50
"""Files of a similar name that are looked into."""


class Outside(Exception):
    """The path leads out of the project; the text is a clause that says how."""


@dataclass(frozen=True)
class Places:
    """The files of a snapshot, by name: relative to its root, POSIX."""

    names: frozenset[str]
    links: Mapping[str, str] = field(default_factory=dict)
    """Symbolic links, to what they say."""
    prefix: str = ""
    """Where the workspace lies in it."""
    roots: tuple[str, ...] = ()
    """Absolute paths at which its root was seen: of copies, of the user's repository."""

    def named(self, path: str) -> list[str]:
        """The files that the path names, likeliest first: at most two, [] for none.

        Raises `Outside`.
        """
        for form in as_written(path):
            found = self._exactly(form)
            if found:
                return found
        form = as_written(path)[-1]
        if form.startswith("/") and self._below_a_root(form) is None:
            raise Outside("it lies outside of the project")
        if form.startswith("~") or _DRIVE.match(form):
            raise Outside("it lies outside of the project")
        if self._out(form):
            raise Outside("it leads out of the project")
        if _NOT_CAPTURED.intersection(form.split("/")):
            raise Outside("it lies in a folder that is no part of the project")
        return []

    def like(self, path: str) -> list[list[str]]:
        """Files whose names end as the path does, in groups: those that share most of it first."""
        form = as_written(path)[-1]
        below = self._below_a_root(form) if form.startswith("/") else None
        parts = [part for part in (below or form).split("/") if part not in {"", ".", ".."}]
        if not parts:
            return []
        same_name = self._by_basename.get(_folded(parts[-1]), [])
        groups: dict[int, list[str]] = defaultdict(list)
        for name in same_name:
            groups[_shared(_folded(name).split("/"), _folded("/".join(parts)).split("/"))] += [name]
        return [sorted(groups[count])[:MOST_LIKE] for count in sorted(groups, reverse=True)]

    def _exactly(self, form: str) -> list[str]:
        if form.startswith("/"):
            below = self._below_a_root(form)
            candidates = [below if below is not None else form.lstrip("/")]
        else:
            candidates = [form, f"{self.prefix}/{form}"] if self.prefix else [form]
        found = (self._resolve(posixpath.normpath(one)) for one in candidates if one)
        return list(dict.fromkeys(name for name in found if name is not None))

    def _resolve(self, name: str) -> str | None:
        """The file of that name, through links."""
        for _ in range(_MOST_LINKS):
            if name in self.names:
                return name
            head = next((link for link in _heads(name) if link in self.links), None)
            if head is None:
                return self._by_form.get(unicodedata.normalize("NFC", name))
            folder = posixpath.dirname(head)
            rest = name[len(head) :].lstrip("/")
            name = posixpath.normpath(posixpath.join(folder, self.links[head], rest))
        return None

    def _below_a_root(self, path: str) -> str | None:
        for root in sorted(self.roots, key=len, reverse=True):
            clean = posixpath.normpath(path)
            if clean.startswith(root.rstrip("/") + "/"):
                return clean[len(root.rstrip("/")) + 1 :]
        return None

    def _out(self, form: str) -> bool:
        starts = (form, posixpath.join(self.prefix, form))
        return all(posixpath.normpath(one).startswith("..") for one in starts)

    @cached_property
    def _by_form(self) -> dict[str, str]:
        return {unicodedata.normalize("NFC", name): name for name in self.names}

    @cached_property
    def _by_basename(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name in self.names:
            found[_folded(posixpath.basename(name))].append(name)
        return dict(found)


def as_written(path: str) -> list[str]:
    """The path as it stands, then without what is written around paths, the barest last."""
    forms = [path]
    bare = path.strip().strip("`\"'<>").strip()
    forms.append(bare)
    if bare.startswith("file://"):
        bare = unquote(bare.removeprefix("file://").removeprefix("localhost"))
        forms.append(bare)
    bare = _LINE_BEHIND.sub("", bare)
    forms.append(bare)
    if "\\" in bare:
        bare = bare.replace("\\", "/")
        forms.append(bare)
    while bare.startswith("./"):
        bare = bare[2:].lstrip("/")
    forms.append(bare)
    if bare.startswith(("a/", "b/")):
        bare = bare[2:]
        forms.append(bare)
    return list(dict.fromkeys(forms))


def _heads(name: str) -> Iterable[str]:
    """The name and the folders it lies in, the shortest first."""
    parts = name.split("/")
    return ("/".join(parts[:count]) for count in range(1, len(parts) + 1))


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _shared(one: list[str], two: list[str]) -> int:
    """How many parts they share, from their ends."""
    count = 0
    for mine, theirs in zip(reversed(one), reversed(two), strict=False):
        if mine != theirs:
            break
        count += 1
    return count
