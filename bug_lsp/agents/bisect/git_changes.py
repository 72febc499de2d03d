"""Which lines of today's files a commit is responsible for.

Lines it wrote that are still there (`git blame`), or, where nothing it wrote is left, the lines
around what it changed.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from .git_copy import Commit, GitCopy, MissingObjects

_MOST_FILES = 50
_MOST_DIFF_LINES = 120
_MOST_DIFF_CHARACTERS = 6000
_HUNK = re.compile(
    rb"^@@ -(?P<old>\d+)(?:,(?P<olds>\d+))? \+(?P<new>\d+)(?:,(?P<news>\d+))? @@", re.MULTILINE
)
_BLAMED = re.compile(rb"(?P<sha>[0-9a-f]{40,64}) \d+ (?P<line>\d+)")
_TREES = ("diff-tree", "-r", "-z")
_DIFF = ("--no-color", "--no-ext-diff", "--no-textconv")


@dataclass(frozen=True, slots=True)
class ChangedLine:
    """A line of today's files."""

    path: str
    line: int
    quote: str
    removed_beside: int = 0
    """How many lines were removed beside it, where that is why it is here."""


@dataclass(frozen=True, slots=True)
class _Hunk:
    old: int
    olds: int
    new: int
    news: int


@dataclass(frozen=True, slots=True)
class _Span:
    """From before a change, through it, to today."""

    before: str
    commit: str
    base: str


async def changed_lines(git: GitCopy, commit: Commit, base: str) -> list[ChangedLine]:
    """The lines of `base` that a commit is responsible for, by path and line."""
    span = _Span(await _before(git, commit), commit.sha, base)
    touched = await git.names(*_TREES, "--no-renames", "--name-only", span.before, span.commit)
    renamed = await _renames(git, span)
    present = await git.files(base)
    found: list[ChangedLine] = []
    for path in sorted(touched)[:_MOST_FILES]:
        now = renamed.get(path, path)
        if now in present:
            with contextlib.suppress(MissingObjects):  # the other files are worth showing
                found += await _changed_in(git, span, path, now)
    return found


async def changed_files(git: GitCopy, commit: Commit, base: str) -> list[str]:
    """The files of `base` that a commit changed, by the names they have there."""
    span = _Span(await _before(git, commit), commit.sha, base)
    touched = await git.names(*_TREES, "--no-renames", "--name-only", span.before, span.commit)
    renamed = await _renames(git, span)
    present = await git.files(base)
    return sorted({renamed.get(path, path) for path in touched} & present)


async def _changed_in(git: GitCopy, span: _Span, path: str, now: str) -> list[ChangedLine]:
    data = await git.run("cat-file", "blob", f"{span.base}:{now}")
    if b"\0" in data[:8000]:  # what git itself takes for binary
        return []
    lines = [line.rstrip("\r") for line in data.decode("utf-8", "replace").split("\n")]
    blamed = await _blamed_on(git, span, now)
    places = dict.fromkeys(blamed, 0) or await _around(git, span, path, now)
    return [
        ChangedLine(now, number, lines[number - 1], removed)
        for number, removed in sorted(places.items())
        if number <= len(lines)
    ]


async def _before(git: GitCopy, commit: Commit) -> str:
    """The tree a commit changed: its first parent's, or an empty one."""
    return (
        commit.parents[0]
        if commit.parents
        else await git.text("hash-object", "-t", "tree", "/dev/null")
    )


async def _renames(git: GitCopy, span: _Span) -> dict[str, str]:
    """Files that have another name now than they had after the change."""
    args = ("-M", "--diff-filter=R", "--name-status", span.commit, span.base)
    parts = await git.names(*_TREES, *args)
    return dict(zip(parts[1::3], parts[2::3], strict=False))


async def _blamed_on(git: GitCopy, span: _Span, path: str) -> list[int]:
    output = await git.run("blame", "-s", "-l", "--line-porcelain", span.base, "--", path)
    headers = (_BLAMED.match(line) for line in output.split(b"\n") if not line.startswith(b"\t"))
    return [int(m["line"]) for m in headers if m is not None and m["sha"].decode() == span.commit]


async def _around(git: GitCopy, span: _Span, path: str, now: str) -> dict[int, int]:
    """Where a commit's changes of a file are now, by line: how many lines it removed there."""
    if not await git.has(f"{span.before}:{path}") or not await git.has(f"{span.commit}:{path}"):
        return {}
    since = await _hunks(git, f"{span.commit}:{path}", f"{span.base}:{now}")
    places: dict[int, int] = {}
    for hunk in await _hunks(git, f"{span.before}:{path}", f"{span.commit}:{path}"):
        for line in range(hunk.new, hunk.new + max(hunk.news, 1)):
            moved = _moved(max(line, 1), since)
            if moved is not None:
                places[moved] = hunk.olds if hunk.news == 0 else 0
    return places


async def _hunks(git: GitCopy, old: str, new: str) -> list[_Hunk]:
    output = await git.run("diff", *_DIFF, "-U0", old, new)
    return list(_parsed(output))


def _parsed(diff: bytes) -> Iterator[_Hunk]:
    for match in _HUNK.finditer(diff):
        yield _Hunk(
            int(match["old"]),
            int(match["olds"] or 1),
            int(match["new"]),
            int(match["news"] or 1),
        )


def _moved(line: int, since: list[_Hunk]) -> int | None:
    """Where a line is after some changes; None if they replaced it."""
    shift = 0
    for hunk in since:
        first = hunk.old if hunk.olds else hunk.old + 1
        if line < first:
            break
        if line < first + hunk.olds:
            return None
        shift += hunk.news - hunk.olds
    return line + shift


async def diff_text(git: GitCopy, commit: Commit) -> str:
    """What a commit changed, bounded; "" where the clone lacks a part of it."""
    try:
        output = await git.run("diff", *_DIFF, "-M", await _before(git, commit), commit.sha)
    except MissingObjects:
        return ""
    text = output.decode("utf-8", "replace")
    lines = text.splitlines()
    shown = "\n".join(lines[:_MOST_DIFF_LINES])[:_MOST_DIFF_CHARACTERS]
    left = len(lines) - len(shown.splitlines())
    return f"{shown}\n... {left} more lines" if left else shown
