"""Findings and where they are in the present text of their files: values, and how they are made."""

from __future__ import annotations

import stat
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from bug_lsp.domain.findings import TaskFindings, VerifiedFinding, anchor, is_in
from bug_lsp.domain.source import Source, decode, digest, split_lines
from bug_lsp.session import findings

from .text import units

_MOST_BYTES = 8_000_000


@dataclass(slots=True)
class Entry:
    """A finding that is to be shown."""

    task: TaskFindings
    finding: VerifiedFinding
    path: Path
    digest: str | None
    """Of its file's text in which it was found."""
    line: int
    """Where it was last, counted from 0."""
    shown: str
    """What is shown of it, the same wherever it stands."""


Words = Callable[[TaskFindings, VerifiedFinding], str]
"""What is shown of a finding, the same wherever it stands."""


class Placed(NamedTuple):
    """A finding where it is now."""

    entry: Entry
    line: int
    """Counted from 0."""
    start: int
    end: int
    """In the units that were agreed on with the client."""
    stale: bool

    @property
    def task(self) -> TaskFindings:
        """Whose synthesis it is in."""
        return self.entry.task

    @property
    def finding(self) -> VerifiedFinding:
        """What was found."""
        return self.entry.finding


@dataclass(frozen=True, slots=True)
class Text:
    """What a file holds; None for one that is not there, or that cannot be read as text."""

    text: str | None
    version: int | None = None
    """Of the buffer, where it is one."""
    digest: str = ""
    """Of the text, where it is known already."""


@dataclass(frozen=True)
class Known:
    """All that is to be shown, by file."""

    in_file: Mapping[Path, Sequence[Entry]] = field(default_factory=dict)
    of_task: Mapping[str, Sequence[Entry]] = field(default_factory=dict)
    depend: Mapping[Path, Sequence[TaskFindings]] = field(default_factory=dict)
    """Whose proven patches are looked for in a file."""

    @classmethod
    def of(
        cls, tasks: Iterable[TaskFindings], gone: Collection[str], before: Known, words: Words
    ) -> Known:
        """These without what was dismissed; where they were last is what it was before."""
        last = {
            (entry.task.task_path, entry.finding.id): entry.line
            for entries in before.in_file.values()
            for entry in entries
        }
        in_file: dict[Path, list[Entry]] = defaultdict(list)
        of_task: dict[str, list[Entry]] = defaultdict(list)
        depend: dict[Path, list[TaskFindings]] = defaultdict(list)
        for task in tasks:
            root = Path(task.root)
            paths = {name: root / name for name in task.files}
            for finding in task.findings:
                if finding.id in gone:
                    continue
                path = paths[finding.path]
                line = last.get((task.task_path, finding.id), finding.line - 1)
                entry = Entry(
                    task=task,
                    finding=finding,
                    path=path,
                    digest=task.digests.get(finding.path),
                    line=line,
                    shown=words(task, finding),
                )
                in_file[path].append(entry)
                of_task[task.debug_run_id].append(entry)
            for name in {hunk.path for patch in task.patches for hunk in patch.hunks}:
                depend[paths[name]].append(task)
        return cls(dict(in_file), dict(of_task), dict(depend))

    def changed_since(self, before: Known) -> set[Path]:
        """The files of which something else is to be shown."""
        return {
            path
            for path in self.in_file.keys() | before.in_file.keys()
            if _ids(self.in_file.get(path, ())) != _ids(before.in_file.get(path, ()))
        }

    def tasks_at(self, path: Path) -> Iterable[TaskFindings]:
        """Whose findings, or proven patches, are about a file."""
        yield from (entry.task for entry in self.in_file.get(path, ()))
        yield from self.depend.get(path, ())

    def concerns(self, path: Path) -> bool:
        """Whether anything depends on a file's text."""
        return path in self.in_file or path in self.depend


def _ids(entries: Sequence[Entry]) -> list[tuple[int, str]]:
    return [(id(entry.task), entry.finding.id) for entry in entries]


def place(
    entries: Sequence[Entry], held: Text, fixed: Collection[str], encoding: str
) -> Iterable[Placed]:
    """These findings in the present text of their file, without those of runs that are fixed."""
    if held.text is None or not entries:
        return
    now = held.digest or digest(held.text)
    source: Source | None = None
    for entry in entries:
        finding = entry.finding
        if entry.task.debug_run_id in fixed:
            continue
        if entry.digest == now:
            index, line, stale = finding.line - 1, finding.text, False
        else:
            source = source or Source(split_lines(held.text))
            there = anchor(finding, source, entry.line)
            if there is None:
                continue
            index, line, stale = there.index, source.lines[there.index], there.stale
        start, end = _columns(line, encoding)
        yield Placed(entry, index, start, end, stale)


def _columns(line: str, encoding: str) -> tuple[int, int]:
    """Of its first character that is not blank and behind the last; of all of a blank line."""
    start, end = len(line) - len(line.lstrip()), len(line.rstrip()) or len(line)
    if line.isascii():
        return start, end
    return units(line[:start], encoding), units(line[:end], encoding)


def is_fixed(task: TaskFindings, texts: Mapping[Path, Text]) -> bool:
    """Whether a proven patch of the task's latest run is in the code."""
    root = Path(task.root)
    return any(
        is_in(patch.hunks, {hunk.path: texts[root / hunk.path].text for hunk in patch.hunks})
        for patch in task.patches
        if patch.hunks
    )


def read(kept: Sequence[findings.Kept], before: Known, words: Words) -> Known:
    """What is kept now, without what was dismissed. Blocks."""
    tasks = [task for one in kept for task in one.read()]
    gone = {name for one in kept for name in findings.dismissed_in(one.workspace)}
    return Known.of(tasks, gone, before, words)


def on_disk(path: Path) -> Text:
    """A file's text. Not of a pipe or a device: reading one may never end. Blocks."""
    try:
        info = path.stat()
        readable = stat.S_ISREG(info.st_mode) and info.st_size <= _MOST_BYTES
        text = decode(path.read_bytes()) if readable else None
    except OSError:
        return Text(None)
    return Text(text, digest=digest(text)) if text is not None else Text(None)
