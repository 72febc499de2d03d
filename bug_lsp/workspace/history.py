"""Who changed which lines last, asked of the user's repository without writing anything in it.

Where there is no telling (no repository, no commit, a file that git does not know, no time left)
there is nothing, and no error.
"""

from __future__ import annotations

import re
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from bug_lsp.domain.brief import Blame, Commit
from bug_lsp.domain.errors import Refused

from . import git

DEADLINE = 4.0
"""Seconds for all that is asked about one bug."""
_HEADER = re.compile(r"([0-9a-f]{40,64}) \d+ (\d+)(?: \d+)?")
_SHORT = 8


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines of a file, counted from 1, both included."""

    path: str
    """Relative to the workspace."""
    first: int
    last: int
    text: str | None = None
    """The file's text where it is not that on disk."""


def look(
    workspace: Path, asked: Sequence[Lines], *, deadline: float = DEADLINE
) -> tuple[str, list[Blame]]:
    """(what is checked out, in a sentence; for each of the lines the commits that changed them)."""
    until = time.monotonic() + deadline
    state = _state(workspace, until)
    if not state:
        return "", [Blame()] * len(asked)
    shallow = _said("rev-parse", "--is-shallow-repository", cwd=workspace, until=until) == "true"
    return state, [_blame(workspace, one, until, shallow=shallow) for one in asked]


def _state(workspace: Path, until: float) -> str:
    commit = _said("rev-parse", "--verify", "-q", "--short=8", "HEAD", cwd=workspace, until=until)
    if not commit:
        return ""
    branch = _said("symbolic-ref", "-q", "--short", "HEAD", cwd=workspace, until=until)
    # A repository inside is not looked into: that git would run what it names.
    asked = ("diff", "--name-only", "--ignore-submodules=dirty", "-z", "HEAD")
    changed = _said(*asked, cwd=workspace, until=until).count("\0")
    files = f", with uncommitted changes in {changed} file{'s' if changed > 1 else ''}"
    of_branch = f" of branch {branch}" if branch else ""
    return f"Checked out is commit {commit}{of_branch}{files if changed else ''}."


def _blame(workspace: Path, lines: Lines, until: float, *, shallow: bool) -> Blame:
    contents = [] if lines.text is None else ["--contents", "-"]
    said = _said(
        "blame", "--porcelain", "--no-textconv", "-L", f"{lines.first},{lines.last}", *contents,
        "--", lines.path,
        cwd=workspace, until=until,
        stdin=None if lines.text is None else lines.text.encode("utf-8", "surrogateescape"),
    )  # fmt: skip
    return _parsed(said, shallow=shallow)


def _said(*arguments: str, cwd: Path, until: float, stdin: bytes | None = None) -> str:
    """What git says, "" where it says no or has no time left."""
    left = until - time.monotonic()
    if left <= 0:
        return ""
    try:
        output = git.run(*arguments, cwd=cwd, stdin=stdin, deadline=left)
    except (git.GitError, OSError, Refused, ValueError):
        return ""
    return output.decode(errors="replace").strip("\n")


def _parsed(porcelain: str, *, shallow: bool) -> Blame:
    """What `git blame --porcelain` says: a header for each line, with the commit where it is new,
    and the line itself behind a tab.
    """
    of_commit: dict[str, list[int]] = defaultdict(list)
    facts: dict[str, dict[str, str]] = defaultdict(dict)
    current = ""
    for entry in porcelain.split("\n"):
        header = _HEADER.fullmatch(entry)
        if header is not None:
            current = header[1]
            of_commit[current].append(int(header[2]))
        elif current and not entry.startswith("\t"):
            name, _, value = entry.partition(" ")
            facts[current].setdefault(name, value)
    uncommitted = [
        line for name, found in of_commit.items() if not name.strip("0") for line in found
    ]
    commits = [
        (_commit(name, facts[name]), tuple(found))
        for name, found in of_commit.items()
        # At the edge of a shallow clone a commit has all lines that are older than it.
        if name.strip("0") and not (shallow and "boundary" in facts[name])
    ]
    commits.sort(key=lambda item: item[0].when, reverse=True)
    return Blame(tuple(commits), tuple(sorted(uncommitted)))


def _commit(name: str, facts: dict[str, str]) -> Commit:
    seconds = facts.get("author-time", "0")
    when = datetime.fromtimestamp(int(seconds) if seconds.isdecimal() else 0, UTC)
    return Commit(
        short_hash=name[:_SHORT],
        when=f"{when:%Y-%m-%dT%H:%M:%S}",
        author=facts.get("author", ""),
        subject=facts.get("summary", ""),
    )
