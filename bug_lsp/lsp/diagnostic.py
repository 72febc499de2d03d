"""A finding as a diagnostic of LSP.

It is made as JSON at once: thousands may be published in one go, and by way of LSP's objects that
would take a hundred times as long.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lsprotocol import types

from bug_lsp.domain.findings import TaskFindings, VerifiedFinding
from bug_lsp.domain.transcript import one_line

from .client import DiagnosticSupport
from .placed import Entry, Placed

SOURCE = "bug-lsp"
_MOST_RELATED = 3
_MANY = 20
"""Findings of a run of which three others say nothing about one any more."""
_MOST_SAID = 200
_STALE = "Stale, this line has changed since it was found: "
_SURE, _LIKELY, _POSSIBLE = 0.9, 0.6, 0.3
"""What reports call high, medium and low."""
_ERROR, _WARNING, _INFORMATION, _HINT = (level.value for level in types.DiagnosticSeverity)


class Wording:
    """What is said of a finding to one client. It is the same wherever the finding stands, so it is
    made once, when the finding is read.
    """

    def __init__(self, can: DiagnosticSupport, uri: Callable[[Path], str]) -> None:
        self._can = can
        self._uri = uri
        self._addresses: dict[str, str] = {}

    def of(self, task: TaskFindings, finding: VerifiedFinding, *, stale: bool = False) -> str:
        """All of a diagnostic but its range and its relations, as members of a JSON object."""
        said = json.dumps((_STALE if stale else "") + _said(finding) + _more(task, finding))
        text = (
            f'"severity": {severity(finding.confidence, stale=stale)}, '
            f'"code": "{finding.id}", "source": "{SOURCE}", "message": {said}'
        )
        if self._can.code_description:
            text += f', "codeDescription": {{"href": {self._address(task.task_path)}}}'
        if self._can.data:
            ids = f'"debugRunId": "{task.debug_run_id}", "findingId": "{finding.id}"'
            text += f', "data": {{{ids}}}'
        return text

    def _address(self, path: str) -> str:
        found = self._addresses.get(path)
        if found is None:
            found = self._addresses[path] = json.dumps(self._uri(Path(path)))
        return found


class Rendering:
    """Makes diagnostics for one client, while nothing moves."""

    def __init__(
        self,
        can: DiagnosticSupport,
        uri: Callable[[Path], str],
        of_task: Mapping[str, Sequence[Entry]],
    ) -> None:
        self._can = can
        self._uri = uri
        self._of_task = of_task
        self._places: dict[str, list[tuple[Entry, str]]] = {}
        """Of a run, those that the others are related to."""

    def array(self, placed: Sequence[Placed]) -> str:
        """The diagnostics of one file, as a JSON array."""
        return f"[{', '.join(map(self._one, placed))}]"

    def _one(self, placed: Placed) -> str:
        entry, line, start, end, stale = placed
        shown = entry.shown
        if stale:
            shown = Wording(self._can, self._uri).of(entry.task, entry.finding, stale=True)
        related = self._related(entry) if self._can.related else ""
        if related:
            shown += f', "relatedInformation": [{related}]'
        return f'{{"range": {_range(line, start, end)}, {shown}}}'

    def _related(self, entry: Entry) -> str:
        run_id = entry.task.debug_run_id
        places = self._places.get(run_id)
        if places is None:
            entries = self._of_task.get(run_id, ())
            first = entries[: _MOST_RELATED + 1] if len(entries) <= _MANY else ()
            places = self._places[run_id] = [(one, self._place(one)) for one in first]
        if not places:
            return ""
        others = [text for other, text in places if other is not entry]
        return ", ".join(others[:_MOST_RELATED])

    def _place(self, entry: Entry) -> str:
        uri, said = json.dumps(self._uri(entry.path)), json.dumps(_said(entry.finding)[:_MOST_SAID])
        place = f'{{"uri": {uri}, "range": {_range(entry.line, 0, 0)}}}'
        return f'{{"location": {place}, "message": {said}}}'


def _said(finding: VerifiedFinding) -> str:
    return one_line(finding.claim, 1_000)


def _more(task: TaskFindings, finding: VerifiedFinding) -> str:
    """Who says it, and whether there is a fix."""
    names = ", ".join(finding.labels) or "the synthesis"
    lines = ["", f"Found by {names}, in '{one_line(task.title, 120)}'."]
    best = next((patch for patch in task.patches if patch.proven), None)
    if best is not None:
        lines.append(f"The patch of {best.label} holds: {best.facts}.")
    return "\n".join(lines)


def severity(confidence: float, *, stale: bool) -> int:
    """An error for what is certain, down to a hint for a guess; what is stale warns of nothing."""
    if stale or confidence < _LIKELY:
        return _HINT if confidence < _POSSIBLE else _INFORMATION
    return _ERROR if confidence >= _SURE else _WARNING


def _range(line: int, start: int, end: int) -> str:
    return (
        f'{{"start": {{"line": {line}, "character": {start}}}, '
        f'"end": {{"line": {line}, "character": {end}}}}}'
    )
