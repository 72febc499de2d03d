"""A task file as the control panel of its runs: what can be done now, as code lenses, and as code
actions for editors that show none; and links to the places that it cites.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from anyio.to_thread import run_sync
from lsprotocol import types
from pygls.workspace import TextDocument

from bug_lsp.domain.citations import linked_places
from bug_lsp.domain.findings import TaskFindings
from bug_lsp.domain.places import as_written
from bug_lsp.domain.region import region_of
from bug_lsp.domain.rendering import SOLUTION
from bug_lsp.domain.run import RunStatus, Status
from bug_lsp.session import findings
from bug_lsp.store import runs
from bug_lsp.store.layout import WorkspaceFolder

from .client import path_of
from .server import MARKDOWN, BugLspServer
from .text import positions_at

_TITLE = re.compile(r"^ {0,3}#{1,6}[ \t]+\S", re.MULTILINE)
_SOLUTION = re.compile(rf"^## {SOLUTION}", re.MULTILINE)
_MOST_LINKS = 500


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that can be done with a task file now."""

    title: str
    command: str
    argument: dict[str, Any]

    def as_command(self) -> types.Command:
        """It, as LSP has it."""
        return types.Command(title=self.title, command=self.command, arguments=[self.argument])


@dataclass(frozen=True, slots=True)
class Panel:
    """What is known of a task file."""

    path: Path
    uri: str
    text: str
    status: RunStatus | None
    """Of its latest run."""
    found: TaskFindings | None
    """What its latest synthesis found."""

    def steering(self) -> list[Offer]:
        """Start, follow and steer runs."""
        status = self.status
        if status is None:
            return [Offer("Debug with agents", "debugWithAgents", {"taskUri": self.uri})]
        run = {"debugRunId": status.debug_run_id}
        if any(not session.status.terminal for session in status.everyone):
            return list(self._while_it_runs(status, run))
        return list(self._when_it_has_ended(status, run))

    @staticmethod
    def _while_it_runs(status: RunStatus, run: dict[str, Any]) -> Iterator[Offer]:
        left = sum(
            not session.status.terminal for session in status.sessions if session.retried_by is None
        )
        going = f"{left} of {status.total_count} agents still at work"
        if not left:
            going = "its synthesis is being written" if status.orchestrator else "it is checked"
        yield Offer(f"Cancel ({going})", "cancelDebugRun", run)
        if status.orchestrator is None and left < status.total_count:
            yield Offer("Synthesise now", "synthesiseNow", run)
        if status.orchestrator is not None:
            yield _open("Open orchestrator", status.orchestrator.session_id)

    def _when_it_has_ended(self, status: RunStatus, run: dict[str, Any]) -> Iterator[Offer]:
        yield Offer("Run again", "debugWithAgents", {"taskUri": self.uri})
        lost = status.failed_count + status.cancelled_count
        if lost:
            yield Offer(f"Retry the {lost} that did not complete", "retryFailed", run)
        orchestrator = status.orchestrator
        if orchestrator is None or orchestrator.status is not Status.COMPLETED:
            force = {"force": True} if orchestrator is not None else {}
            yield Offer("Synthesise now", "orchestrateDebugRun", {**run, **force})
        if orchestrator is not None:
            yield _open("Open orchestrator", orchestrator.session_id)

    def patches(self) -> list[Offer]:
        """Apply and show the proven patches."""
        proven = [patch for patch in (self.found.patches if self.found else ()) if patch.proven]
        return [
            offer
            for patch in proven
            for offer in (
                Offer(
                    f"Apply the patch of {patch.label} ({patch.facts})",
                    "applyPatch",
                    {"sessionId": patch.session_id},
                ),
                Offer(
                    f"Show the patch of {patch.label}", "showPatch", {"sessionId": patch.session_id}
                ),
            )
        ]


def _open(title: str, session_id: str) -> Offer:
    return Offer(title, "openSession", {"sessionId": session_id})


async def panel(server: BugLspServer, uri: str) -> Panel | None:
    """What is known of the task file of this address; None for a file that is none."""
    document = server.document(uri)
    path = path_of(uri)
    if document is None or path is None or path.suffix.lower() not in MARKDOWN:
        return None
    real = path.resolve()
    workspace = server.workspace_for(real)
    text = document.source
    status, found = await run_sync(_known, WorkspaceFolder.of(workspace), real)
    is_task = (
        status is not None
        or region_of(text) is not None
        or real.is_relative_to(workspace / server.settings.tasks_dir)
    )
    return Panel(real, uri, text, status, found) if is_task else None


def _known(folder: WorkspaceFolder, task: Path) -> tuple[RunStatus | None, TaskFindings | None]:
    latest = runs.of_task(folder, task)[:1]
    if not latest:
        return None, None
    return runs.shown(latest[0]), findings.of_task(folder, task)


async def lenses(server: BugLspServer, uri: str) -> list[types.CodeLens]:
    """Steering above the title, patches above the recommended solution."""
    shown = await panel(server, uri)
    if shown is None:
        return []
    title = _line_of(_TITLE.search(shown.text), shown.text)
    *_, last = [None, *_SOLUTION.finditer(shown.text)]
    solution = _line_of(last, shown.text)
    return [
        types.CodeLens(range=_at(line), command=offer.as_command())
        for line, offers in ((title, shown.steering()), (solution, shown.patches()))
        for offer in offers
    ]


def _line_of(found: re.Match[str] | None, text: str) -> int:
    return text.count("\n", 0, found.start()) if found else 0


def _at(line: int) -> types.Range:
    there = types.Position(line=line, character=0)
    return types.Range(start=there, end=there)


async def links(server: BugLspServer, uri: str) -> list[types.DocumentLink]:
    """Every `path:line` in a task file that leads to a file of the project."""
    shown = await panel(server, uri)
    document = server.document(uri)
    if shown is None or document is None:
        return []
    return await run_sync(_links, server, shown, document)


def _links(server: BugLspServer, shown: Panel, document: TextDocument) -> list[types.DocumentLink]:
    roots = _roots(server, shown)
    meant = [
        (span, target, line)
        for span, path, line in linked_places(shown.text)[:_MOST_LINKS]
        if (target := _target(path, roots)) is not None
    ]
    offsets = [offset for span, _, _ in meant for offset in (span.start, span.end)]
    positions = iter(positions_at(document.source, offsets, server.client.encoding))
    return [
        types.DocumentLink(
            range=types.Range(start=next(positions), end=next(positions)),
            target=f"{server.uri_of(target)}#L{line}",
        )
        for _, target, line in meant
    ]


def _roots(server: BugLspServer, shown: Panel) -> Sequence[Path]:
    """Where cited paths begin: at what was captured, or at the workspace in it."""
    captured = [Path(shown.found.root)] if shown.found else []
    return list(dict.fromkeys([*captured, server.workspace_for(shown.path)]))


def _target(path: str, roots: Sequence[Path]) -> Path | None:
    """The file of the project that a path means; None where there is none, or it leads out."""
    for root in roots:
        for name in as_written(path):
            try:
                real = (root / name).resolve()
                if real.is_relative_to(root) and real.is_file():
                    return real
            except (OSError, ValueError):
                continue
    return None
