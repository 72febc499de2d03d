"""Verified findings on the line: diagnostics that follow what is typed.

What is published depends on the findings that are kept of each task, on what the user has dismissed
and on the present text of the files. It is worked out again only where one of these has changed;
a file without findings costs one look into a dictionary for each change.
"""

from __future__ import annotations

import gc
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.to_thread import run_sync
from lsprotocol import types

from bug_lsp.session import findings
from bug_lsp.store.layout import WorkspaceFolder

from .client import path_of
from .diagnostic import Rendering, Wording
from .host import Host
from .placed import Known, Placed, Text, is_fixed, on_disk, place, read

_PAUSE = 0.1
"""Seconds in which further changes are gathered before they are looked at."""
_PORTION = 100
"""Files that are placed and published at a time: what the user sees need not wait for all the
others.
"""
_MOST_AHEAD = 500_000
"""Bytes that wait for the client before more is published: it takes them in a few milliseconds."""
_AGAIN = 0.001
"""Seconds until it is asked again whether the client has taken them."""


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is shown of one file."""

    placed: Sequence[Placed]
    diagnostics: str
    """A JSON array."""
    version: int | None
    """Of the buffer that it is about."""


class Diagnostics:
    """What is shown of the findings of all workspaces of this editor."""

    def __init__(self, server: Host) -> None:
        self._server = server
        self._kept: dict[WorkspaceFolder, findings.Kept] = {}
        self._known = Known()
        self._fixed: frozenset[str] = frozenset()
        """Runs of which a proven patch is in the code."""
        self._placed: dict[Path, Sequence[Placed]] = {}
        self._published: dict[Path, str] = {}
        """As JSON: objects that are kept make every garbage collection longer."""
        self._uris: dict[Path, str] = {}
        """Of the open documents, as the client spells them."""
        self._paths: dict[str, Path] = {}
        """The same the other way."""
        self._addresses: dict[Path, str] = {}
        """Of the others."""
        self._dirty: set[Path] = set()
        self._look_again = False
        self._pumping = False

    # What may have changed.

    def look(self, folder: WorkspaceFolder) -> None:
        """What is kept of this workspace's findings may have changed."""
        self._kept.setdefault(folder, findings.Kept(folder))
        self._look_again = True
        self._soon()

    def opened(self, uri: str) -> None:
        """A file was opened: from now on its buffer counts."""
        path = path_of(uri)
        if path is not None:
            real = path.resolve()
            self._paths[uri], self._uris[real] = real, uri
            if real in self._published:
                # Told again: some clients, eglot for one, remember nothing of files not open.
                self._published[real] = ""
            self._touched(real)

    def closed(self, uri: str) -> None:
        """A file was closed: from now on the disk counts."""
        path = self._paths.pop(uri, None)
        if path is not None:
            self._uris.pop(path, None)
            self._touched(path)

    def changed(
        self, uri: str, changes: Sequence[types.TextDocumentContentChangeEvent] = ()
    ) -> None:
        """A file was changed, or saved: what stands below what was typed has moved."""
        path = self._paths.get(uri)
        if path is None or not self._known.concerns(path):
            return
        for change in changes:
            if isinstance(change, types.TextDocumentContentChangePartial):
                self._shift(path, change)
        self._touched(path)

    def changed_on_disk(self, uri: str) -> None:
        """A file that may not be open was written by somebody."""
        path = path_of(uri)
        if path is not None:
            self._touched(path.resolve())

    def _touched(self, path: Path) -> None:
        if self._known.concerns(path):
            self._dirty.add(path)
            self._soon()

    def _shift(self, path: Path, change: types.TextDocumentContentChangePartial) -> None:
        first, last = change.range.start.line, change.range.end.line
        moved = change.text.count("\n") - (last - first)
        for entry in self._known.in_file.get(path, ()) if moved else ():
            at_its_start = entry.line == first and not change.range.start.character
            if entry.line > first or (at_its_start and moved > 0):
                entry.line = max(entry.line + moved, first)

    def _soon(self) -> None:
        if not self._pumping:
            self._pumping = True
            self._server.background(self._pump)

    async def _pump(self) -> None:
        try:
            while self._dirty or self._look_again:
                if self._look_again:
                    self._look_again = False
                    await self._look()
                dirty, self._dirty = self._dirty, set()
                await self._work_out(dirty)
                await anyio.sleep(_PAUSE)
        finally:
            self._pumping = False

    # What is shown.

    async def _look(self) -> None:
        before = self._known
        words = Wording(self._server.client.shows, self.uri).of
        self._known = await run_sync(read, list(self._kept.values()), before, words)
        changed = self._known.changed_since(before)
        if changed:
            gc.freeze()  # thousands of findings: no collection need look at them while a user waits
        self._dirty |= changed
        names = {path.name for path in (*self._known.in_file, *self._known.depend)}
        self._server.background(self._server.client.watch, {_pattern(name) for name in names})

    async def _work_out(self, dirty: set[Path]) -> None:
        """Place the findings of these files again, and publish what is different."""
        tasks = {task.debug_run_id: task for path in dirty for task in self._known.tasks_at(path)}
        looked_for = {
            Path(task.root, hunk.path)
            for task in tasks.values()
            for patch in task.patches
            for hunk in patch.hunks
        }
        texts = await self._texts(dirty | looked_for)
        fixed = {name for name, task in tasks.items() if is_fixed(task, texts)}
        flipped = (fixed ^ self._fixed) & tasks.keys()
        if flipped:
            self._fixed = (self._fixed - tasks.keys()) | fixed
            entries = (entry for name in flipped for entry in self._known.of_task.get(name, ()))
            more = {entry.path for entry in entries} - dirty
            texts |= await self._texts(more)
            dirty = dirty | more
        order = sorted(dirty, key=lambda path: (path not in self._uris, path))
        for first in range(0, len(order), _PORTION):
            shown = await run_sync(self._shown, order[first : first + _PORTION], texts)
            for path, one in shown.items():
                self._remember(path, one.placed)
            self._publish(shown)
            while self._server.backlog() > _MOST_AHEAD:  # noqa: ASYNC110 - nobody tells of its end
                await anyio.sleep(_AGAIN)

    async def _texts(self, paths: Collection[Path]) -> dict[Path, Text]:
        buffers = {path: self._buffer(path) for path in paths}
        on_disk = [path for path, buffer in buffers.items() if buffer is None]
        read = await run_sync(_read_all, on_disk)
        return {path: buffer or read[path] for path, buffer in buffers.items()}

    def _buffer(self, path: Path) -> Text | None:
        uri = self._uris.get(path)
        document = self._server.document(uri) if uri is not None else None
        return Text(document.source, document.version) if document is not None else None

    def _shown(self, paths: Sequence[Path], texts: Mapping[Path, Text]) -> dict[Path, _Shown]:
        """What is to be shown of these files. In a thread: it is most of the work."""
        encoding, fixed, can = self._server.client.encoding, self._fixed, self._server.client.shows
        rendering = Rendering(can, self.uri, self._known.of_task)
        found: dict[Path, _Shown] = {}
        for path in paths:
            held = texts[path]
            placed = list(place(self._known.in_file.get(path, ()), held, fixed, encoding))
            version = held.version if can.version else None
            found[path] = _Shown(placed, rendering.array(placed), version)
        return found

    def _remember(self, path: Path, placed: Sequence[Placed]) -> None:
        self._placed[path] = placed
        if path not in self._dirty:  # else what was typed meanwhile has moved it on already
            for one in placed:
                one.entry.line = one.line

    def _publish(self, shown: Mapping[Path, _Shown]) -> None:
        different: list[str] = []
        for path, one in shown.items():
            if one.diagnostics == self._published.get(path, "[]"):
                continue
            self._published[path] = one.diagnostics
            version = "" if one.version is None else f', "version": {one.version}'
            uri = json.dumps(self.uri(path))
            different.append(f'{{"uri": {uri}{version}, "diagnostics": {one.diagnostics}}}')
        self._server.send(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, *different)

    def uri(self, path: Path) -> str:
        """The address of a file, as the client spells it where it has it open."""
        found = self._uris.get(path) or self._addresses.get(path)
        if found is None:
            found = self._addresses[path] = self._server.uri_of(path)
        return found

    def at(self, path: Path, first: int, last: int, ids: frozenset[str]) -> list[Placed]:
        """The findings on these lines (counted from 0), and those of these ids."""
        return [
            one
            for one in self._placed.get(path, ())
            if first <= one.line <= last or one.finding.id in ids
        ]

    def of_run(self, run_id: str) -> list[Placed]:
        """The findings of one run that are shown."""
        paths = {entry.path for entry in self._known.of_task.get(run_id, ())}
        placed = (one for path in paths for one in self._placed.get(path, ()))
        return [one for one in placed if one.task.debug_run_id == run_id]

    def is_fixed(self, run_id: str) -> bool:
        """Whether a proven patch of this run is in the code."""
        return run_id in self._fixed


def _pattern(name: str) -> str:
    """A pattern for files like this one: by its ending, of which there are few."""
    stem, dot, ending = name.rpartition(".")
    return f"**/*.{ending}" if stem and dot and ending.isalnum() else "**/*"


def _read_all(paths: Sequence[Path]) -> dict[Path, Text]:
    return {path: on_disk(path) for path in paths}
