"""The snapshot as a run's bare repository holds it, and the findings checked against it. Never
looks into a copy: its agent may have changed it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath

from bug_lsp.domain import evidence
from bug_lsp.domain.evidence import Unread
from bug_lsp.domain.places import Outside, Places
from bug_lsp.domain.proof import Evidence
from bug_lsp.domain.run import Base, Facts
from bug_lsp.domain.source import decode, split_lines
from bug_lsp.workspace import git

MAX_FILE_BYTES = 8_000_000
MAX_READ_BYTES = 64_000_000
"""How much of the snapshot is read to check one run, all files together."""
_LINK_BYTES = 4_096
_LFS = "version https://git-lfs.github.com/spec/"
_ENTRY = re.compile(rb"(\d+) (\w+) ([0-9a-f]+) +(\d+|-)\t(.*)", re.DOTALL)


def check(
    base: Base, debug: Sequence[Facts], workspace: Path, copies: Mapping[str, Path]
) -> tuple[Evidence, ...]:
    """All findings of the debug sessions, checked against the snapshot.

    `copies` holds the root of each session's copy, `workspace` is the user's; absolute paths in one
    of them are paths of the snapshot. Raises `GitError` where the snapshot cannot be read.
    """
    return evidence.check(debug, Snapshot(base, workspace, copies.values()))


def lines_of(base: Base, places: Iterable[tuple[str, int]]) -> Mapping[tuple[str, int], str | None]:
    """The text of these lines (path as agents write it, line counted from 1), None for a file or
    a line that there is not. What cannot be told (binary, outside, several files of that name) is
    left out. Raises `GitError` where the snapshot cannot be read.
    """
    asked = list(dict.fromkeys(places))
    snapshot = Snapshot(base, None, ())
    files = {path: _meant(snapshot.places, path) for path, _ in asked}
    texts = snapshot.texts({name for names in files.values() for name in names or ()})
    split = {name: split_lines(text) for name, text in texts.items() if isinstance(text, str)}
    found: dict[tuple[str, int], str | None] = {}
    for path, line in asked:
        names = files[path]
        if names is None or not all(name in split for name in names):
            continue
        held = [text for name in names if (text := _line(split[name], line)) is not None]
        if len(set(held)) <= 1:
            found[path, line] = held[0] if held else None
    return found


def _meant(places: Places, path: str) -> list[str] | None:
    """The files that a path can mean, None where there is no telling."""
    try:
        named = places.named(path)
    except Outside:
        return None
    return named or next(iter(places.like(path)), [])


def _line(lines: Sequence[str], number: int) -> str | None:
    count = len(lines) - (not lines[-1])
    if not 0 < number <= count:
        return None
    return lines[number - 1].encode("utf-8", "replace").decode()


class Snapshot:
    """The files of a run's snapshot, read by git from our repository."""

    def __init__(self, base: Base, workspace: Path | None, copies: Iterable[Path]) -> None:
        self._repository = Path(base.repository)
        self._commit = base.commit
        self._left = MAX_READ_BYTES
        self._blobs: dict[str, tuple[str, int]] = {}
        links = self._list()
        self.places = Places(
            names=frozenset(self._blobs),
            links=self._targets(links),
            prefix=base.prefix,
            roots=tuple(_roots(base, workspace, copies)),
        )

    def texts(self, names: Collection[str]) -> dict[str, str | Unread]:
        """See `evidence.Snapshot`."""
        found: dict[str, str | Unread] = {}
        wanted: list[str] = []
        for name in dict.fromkeys(names):
            size = self._blobs[name][1]
            if size > MAX_FILE_BYTES:
                found[name] = Unread(f"the file has {size:,} bytes, too many to be searched")
            elif size > self._left:
                found[name] = Unread("too much was to be read; this file was not")
            else:
                self._left -= size
                wanted.append(name)
        blobs = self._read([self._blobs[name][0] for name in wanted])
        return found | {name: _text(data) for name, data in zip(wanted, blobs, strict=True)}

    def holding(self, fragments: Collection[str]) -> list[str] | None:
        """See `evidence.Snapshot`."""
        patterns = [part for fragment in fragments for part in ("-e", fragment)]
        try:
            # One thread: the agents' machine has other things to do.
            output = git.run(
                "grep", "-I", "-l", "-z", "-F", "--threads=1", *patterns, self._commit,
                cwd=self._repository,
            )  # fmt: skip
        except git.GitError:  # it exits with 1 where nothing is found
            return []
        found = (name.partition(":")[2] for name in git.paths(output))
        return [name for name in found if name in self._blobs]

    def _list(self) -> dict[str, str]:
        """Reads the tree; returns the links, each to the object that says where it leads."""
        links: dict[str, str] = {}
        output = git.run("ls-tree", "-r", "-z", "-l", self._commit, cwd=self._repository)
        for entry in output.split(b"\0"):
            match = _ENTRY.fullmatch(entry)
            if match is None or match[2] != b"blob":
                continue
            name, object_id, size = os.fsdecode(match[5]), match[3].decode(), int(match[4])
            if match[1] == b"120000":
                if size <= _LINK_BYTES:
                    links[name] = object_id
            else:
                self._blobs[name] = object_id, size
        return links

    def _targets(self, links: Mapping[str, str]) -> dict[str, str]:
        found = zip(links, self._read(list(links.values())), strict=True)
        return {name: os.fsdecode(target) for name, target in found}

    def _read(self, objects: Sequence[str]) -> list[bytes]:
        """These blobs, in their order, by one process."""
        if not objects:
            return []
        asked = "".join(f"{object_id}\n" for object_id in objects).encode()
        output = git.run("cat-file", "--batch", cwd=self._repository, stdin=asked)
        found: list[bytes] = []
        at = 0
        for object_id in objects:
            end = output.index(b"\n", at)
            head = output[at:end].split()
            if len(head) != 3:  # noqa: PLR2004 - its name, its kind, its size
                raise git.GitError(f"{object_id} is missing in {self._repository}")
            size = int(head[2])
            found.append(output[end + 1 : end + 1 + size])
            at = end + size + 2
        return found


def _text(data: bytes) -> str | Unread:
    text = decode(data)
    if text is None:
        return Unread("the file is binary")
    if text.startswith(_LFS):
        return Unread("git holds only a pointer to the file's text (LFS)")
    return text


def _roots(base: Base, workspace: Path | None, copies: Iterable[Path]) -> list[str]:
    """The folders that are the snapshot's root, as programs may name them."""
    folders = list(copies)
    if workspace is not None:
        folders += _above(workspace, base.prefix) + _above(workspace.resolve(), base.prefix)
    named = [path for folder in folders for path in (folder, folder.resolve())]
    return list(dict.fromkeys(str(path) for path in named))


def _above(workspace: Path, prefix: str) -> list[Path]:
    """The repository that the workspace lies in at `prefix`, [] where it does not."""
    count = len(PurePosixPath(prefix).parts) if prefix else 0
    if count and workspace.parts[-count:] != PurePosixPath(prefix).parts:
        return []
    return [workspace.parents[count - 1] if count else workspace]
