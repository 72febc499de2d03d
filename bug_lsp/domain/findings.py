"""Findings that were verified, as they are shown on the line: which line of a text that has been
edited since a finding is about by now, and whether a proven patch is in the code already.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

from .model import StoredValue
from .source import Source, key

AROUND = 2
"""Lines before and after a finding's that are remembered to know it again."""
_EDGE = "\0"
"""Stands before the first line of a file and behind its last."""
_ID = re.compile(r"[0-9a-f]{12}")
_MOST_LINES = 2_000
"""Of a patch's hunks, all together: a longer one is not looked for in the code."""


class VerifiedFinding(StoredValue):
    """A finding of a synthesis whose quote stands in the code."""

    id: str
    """The same in every run of the task that finds this line: so a dismissal sticks."""
    claim: str
    path: str
    """In the snapshot; POSIX."""
    line: int
    """In the snapshot, counted from 1."""
    text: str
    """The line there, without its end."""
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()
    """At most `AROUND` lines each."""
    confidence: float
    labels: tuple[str, ...] = ()
    """Which sessions name this place."""


class Hunk(StoredValue):
    """What a patch makes of some lines, with the lines around them."""

    path: str
    lines: tuple[str, ...] = ()
    already: int = 0
    """How often these lines stood in the snapshot's file one after the other."""
    deleted: bool = False
    """The patch deletes the file."""


class OfferedPatch(StoredValue):
    """A session's patch, as it is offered."""

    session_id: str
    label: str
    """`Debug (1) codex`."""
    proven: bool
    facts: str
    """What it did when it was tried, in a few plain words."""
    files: tuple[str, ...] = ()
    hunks: tuple[Hunk, ...] = ()
    """Of a proven one, unless it is a long one."""


class TaskFindings(StoredValue):
    """What the latest synthesis of a task found."""

    version: Literal[1] = 1
    debug_run_id: str
    session_id: str
    """Whose conclusion it is."""
    task_path: str
    title: str
    root: str
    """The folder that was captured: paths are relative to it."""
    findings: tuple[VerifiedFinding, ...] = ()
    patches: tuple[OfferedPatch, ...] = ()
    """The proven ones first."""
    digests: Mapping[str, str] = {}
    """Of the files' texts in the snapshot (`source.digest`), by path: while a file has that text
    each of its findings is at its line. A file that is not here is looked into.
    """

    @property
    def files(self) -> frozenset[str]:
        """The files on whose text it depends what is shown."""
        hunks = (hunk.path for patch in self.patches for hunk in patch.hunks)
        return frozenset([*(finding.path for finding in self.findings), *hunks])


@dataclass(frozen=True, slots=True)
class Anchor:
    """Where a finding is by now."""

    index: int
    """Of the line, counted from 0."""
    stale: bool = False
    """The line has changed, so what was verified is not what stands there."""


def finding_id(task_path: str, path: str, text: str, occurrence: int) -> str:
    """12 hex digits: of the task, the file and the line's text. `occurrence` counts lines of the
    same text in that file, from 0; so a line that moves keeps its findings.
    """
    parts = "\0".join([task_path, path, key(text), str(occurrence)])
    return hashlib.sha256(parts.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def is_finding_id(text: str) -> bool:
    """Whether the text has the form of a finding's id."""
    return _ID.fullmatch(text) is not None


def anchor(finding: VerifiedFinding, source: Source, hint: int) -> Anchor | None:
    """The line that the finding is about in a text that may have changed since: the one of the same
    text with the most alike around it, the nearest to `hint` (counted from 0) among equals. Where
    none has that text, the place between what stood around it, stale. None for an empty text.
    """
    lines = source.lines
    if _untouched(finding, lines, hint):
        return Anchor(hint)
    same = source.by_key.get(key(finding.text))
    if same:
        best = max(
            same, key=lambda index: (_alike_around(finding, lines, index), -abs(index - hint))
        )
        return Anchor(best)
    if not len(source):
        return None
    return Anchor(_between(finding, source, min(max(hint, 0), len(source) - 1)), stale=True)


def _untouched(finding: VerifiedFinding, lines: Sequence[str], hint: int) -> bool:
    """Whether it stands there with all around it: the usual case, and cheap to tell."""
    if not 0 <= hint < len(lines) or lines[hint] != finding.text:
        return False
    before, after = finding.before, finding.after
    first = hint - len(before)
    return (
        first >= 0
        and tuple(lines[first:hint]) == before
        and tuple(lines[hint + 1 : hint + 1 + len(after)]) == after
    )


def _alike_around(finding: VerifiedFinding, lines: Sequence[str], index: int) -> int:
    """How many lines around this one are as they were; 1 where nothing was around it."""
    before = zip(reversed(finding.before), reversed(lines[max(0, index - AROUND) : index]))  # noqa: B905
    after = zip(finding.after, lines[index + 1 : index + 1 + AROUND])  # noqa: B905
    alone = not finding.before and not finding.after
    return sum(key(one) == key(other) for one, other in (*before, *after)) + alone


def _between(finding: VerifiedFinding, source: Source, hint: int) -> int:
    """Next to what stood before or after it, else where it is thought to be."""
    for neighbour, step in ((finding.before[-1:], 1), (finding.after[:1], -1)):
        same = source.by_key.get(key(neighbour[0]), []) if neighbour and key(neighbour[0]) else []
        if same:
            nearest = min(same, key=lambda index: abs(index + step - hint))
            return min(max(nearest + step, 0), len(source) - 1)
    return hint


def hunks_of(path: str, before: str, after: str | None) -> tuple[Hunk, ...]:
    """What a patch makes of a file, in pieces with three lines around each. `after` is None where
    it deletes the file.
    """
    if after is None:
        return (Hunk(path=path, deleted=True),)
    old, new = _lines(before), _lines(after)
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(3)
    return tuple(_hunk(path, old, new[group[0][3] : group[-1][4]]) for group in groups)


def _hunk(path: str, old: Sequence[str], made: Sequence[str]) -> Hunk:
    """Without the edges of the file where it is known without them: more may be written there."""
    inner = tuple(line for line in made if line != _EDGE)
    lines = inner if inner and not _count(old, inner) else tuple(made)
    return Hunk(path=path, lines=lines, already=_count(old, lines))


def bounded(hunks: Sequence[Hunk]) -> tuple[Hunk, ...]:
    """The hunks, or none of them where they are too long to be looked for."""
    return tuple(hunks) if sum(len(hunk.lines) for hunk in hunks) <= _MOST_LINES else ()


def is_in(hunks: Sequence[Hunk], texts: Mapping[str, str | None]) -> bool:
    """Whether a patch is in the code: all that it makes stands there, more often than before it.

    `texts` has the present text of each of its files, None for one that is not there.
    """
    return bool(hunks) and all(_stands(hunk, texts.get(hunk.path)) for hunk in hunks)


def _stands(hunk: Hunk, text: str | None) -> bool:
    if hunk.deleted or text is None:
        return hunk.deleted and text is None
    return _count(_lines(text), hunk.lines) > hunk.already


def _count(lines: Sequence[str], wanted: Sequence[str]) -> int:
    """How often the lines stand there, one after the other."""
    return "\n".join(["", *lines, ""]).count("\n".join(["", *wanted, ""]))


def _lines(text: str) -> list[str]:
    return [_EDGE, *text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), _EDGE]
