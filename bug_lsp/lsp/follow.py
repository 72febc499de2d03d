"""Following a run: whatever changes on disk, the editor hears of it; and what the run needs next is
done, should nobody else be there to do it.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TypeAlias

import anyio
from anyio.to_thread import run_sync
from lsprotocol import types

from bug_lsp.domain.errors import BugLspError
from bug_lsp.domain.run import RunStatus, Session, Status
from bug_lsp.session.report import report
from bug_lsp.session.view import RunView
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder
from bug_lsp.workspace.git import GitError

from .host import Host
from .progress import Progress

log = logging.getLogger(__name__)

INTERVAL = 0.2
"""Seconds between two looks at one run: at most five notifications a second."""
_OPEN_TASK, _OPEN_ORCHESTRATOR, _APPLY = "Open Task", "Open Orchestrator", "Apply Best Patch"
_Shape: TypeAlias = tuple[object, ...]


class Follower:
    """One run, as this server's editor sees it."""

    def __init__(self, server: Host, progress: Progress, folder: RunFolder, *, mine: bool) -> None:
        self._server = server
        self._progress = progress
        self._view = RunView(folder)
        self._folder = folder
        self.mine = mine
        """Whether it was started here: then its documents are shown here."""
        self._news = anyio.Event()
        self._look_closer = True
        self._shape: _Shape = ()
        self._shown: set[str] = set()
        """Orchestrators whose document was shown, or need not be any more."""
        self._ended: set[str] = set()
        """Sessions whose document was refreshed for the last time."""

    def tell(self, *, run_level: bool) -> None:
        """There may be something new; `run_level`: beyond the output of one session."""
        self._look_closer = self._look_closer or run_level
        self._news.set()

    async def follow(self) -> None:
        """Look whenever told, until the run is finished."""
        self._news.set()
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            try:
                if await self._look():
                    return
            except (BugLspError, FileNotFoundError) as error:
                # Deleted meanwhile, by whatever window: there is nothing left to follow.
                log.info("run %s: %s", self._folder.run_id, error)
                return
            await anyio.sleep(INTERVAL)

    async def _look(self) -> bool:
        """One look; True when there is nothing more to come."""
        status = await run_sync(self._view.status)
        changed = self._news_of(status)
        if changed or self._look_closer:
            self._look_closer = False
            self._server.attend(self._folder)
            await self._server.advance(self._folder)
            status = await run_sync(self._view.status)
            changed = self._news_of(status) or changed
            self._shape = _shape(status)
        self._progress.update(status)
        if changed:
            self._announce(status)
        if await run_sync(self._view.finished) and not self._look_closer:
            self._end(status)
            return True
        return False

    def _news_of(self, status: RunStatus) -> bool:
        return _shape(status) != self._shape

    def _announce(self, status: RunStatus) -> None:
        self._server.news(self._folder)
        for session in status.everyone:
            if session.status.terminal and session.session_id not in self._ended:
                self._ended.add(session.session_id)
                self._server.touch(session.uri, last=True)
        orchestrator = status.orchestrator
        if (
            orchestrator is not None
            and orchestrator.status not in {Status.PENDING, Status.CANCELLED}
            and orchestrator.session_id not in self._shown
        ):
            self._shown.add(orchestrator.session_id)
            if self.mine or self._is_open_for(orchestrator):
                self._server.background(self._show, orchestrator)

    def _is_open_for(self, orchestrator: Session) -> bool:
        """Whether the user has the task file open while it works."""
        running = orchestrator.status is Status.RUNNING
        return running and self._server.open_document(self._view.run.task_path) is not None

    async def _show(self, orchestrator: Session) -> None:
        """Show its document. One that has ended by now is shown to who waits for it alone: not the
        one from before the user asked for more.
        """
        session = self._folder.session(orchestrator.session_id)
        ended = orchestrator.status.terminal
        if ended and not await run_sync(runs.covers, session, self._view.run):
            return
        uri = self._server.address(orchestrator, self._folder)
        if not await self._server.client.show(uri, focus=False):
            doing = "has written to" if ended else "is writing to"
            self._server.client.say(f"{orchestrator.title} {doing} {session.output}")

    def _end(self, status: RunStatus) -> None:
        if self.mine or self._server.open_document(self._view.run.task_path) is not None:
            self._server.background(self._offer, status)

    async def _offer(self, status: RunStatus) -> None:
        """Say how it ended, and offer to go there."""
        task = Path(self._view.run.task_path)
        problem = await run_sync(self._view.problem)
        if problem:
            message = (
                f"'{status.title}' is done, but its synthesis is not in the task file: {problem}"
            )
        elif status.delivered:
            done = f"{status.completed_count} of {status.total_count} sessions completed"
            message = f"'{status.title}' is done ({done}); the result is in {task.name}"
        else:
            message = f"'{status.title}' has ended without a synthesis"
        best = await run_sync(self._best_patch)
        choices = [_OPEN_TASK]
        choices += [_OPEN_ORCHESTRATOR] if status.orchestrator else []
        choices += [_APPLY] if best else []
        chosen = await self._server.client.choose(message, choices)
        if chosen == _OPEN_TASK:
            await self._server.client.show(status.task_uri, focus=True)
        elif chosen == _OPEN_ORCHESTRATOR and status.orchestrator:
            uri = self._server.address(status.orchestrator, self._folder)
            await self._server.client.show(uri, focus=True)
        elif chosen == _APPLY and best:
            await self._server.apply(best)

    def _best_patch(self) -> str | None:
        """The session of the first proven patch, as the report ranks them."""
        try:
            proven = [one for one in report(self._folder).patches if one.proven]
        except (BugLspError, GitError):
            return None
        return proven[0].session_id if proven else None


def announce_start(server: Host, status: RunStatus) -> None:
    """For a client that shows no progress: one message at the start."""
    if not server.client.has_progress:
        agents = ", ".join(session.agent_type for session in status.sessions)
        server.client.say(f"'{status.title}' is being debugged by {agents}", types.MessageType.Info)


def _shape(status: RunStatus) -> _Shape:
    """What of a run is worth a notification: who is where, not what they are doing."""
    return (
        status.delivered,
        *((session.session_id, session.status) for session in status.everyone),
    )
