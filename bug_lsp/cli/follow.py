"""Follows one run to its end, and moves it on as a server would.

Waits to be told of changes; it never asks again and again. It is not the parent of the work: a run
that is left goes on by itself.
"""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from bug_lsp.domain.errors import BugLspError
from bug_lsp.domain.nothing_found import is_not_known
from bug_lsp.domain.run import RunStatus, Session, Status
from bug_lsp.session import delivery, gate
from bug_lsp.session.cancel import cancel_run
from bug_lsp.session.conclusion import Conclusion
from bug_lsp.session.view import RunView, tool_calls
from bug_lsp.session.watch import Watch
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder
from bug_lsp.store.processes import alive

from .progress import Progress

_BREATH = 0.05
"""Seconds between two looks at a run, however much its agents say."""
_LEAVE = 2
"""How often Ctrl-C is pressed by who wants out."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A run that has ended, or that was left."""

    folder: RunFolder
    status: RunStatus
    problem: str | None
    """Why its conclusion could not be delivered."""
    interrupted: bool
    left: bool
    """It goes on in the background."""

    @property
    def is_not_known(self) -> bool:
        """Whether it was told that nothing was found, by sessions that did look."""
        if self.left or not self.status.delivered:
            return False
        run = runs.load(self.folder)
        concluded = Conclusion.of(self.folder, runs.source(self.folder, run))
        return concluded.is_nothing_found and is_not_known(concluded.debug)

    @property
    def concluded(self) -> bool:
        """Whether somebody's conclusion was delivered: not where only failures could be told."""
        orchestrator = self.status.orchestrator
        by_orchestrator = (
            orchestrator is not None
            and orchestrator.status is Status.COMPLETED
            and orchestrator.agent_type != "digest"  # by itself it knows nothing
        )
        return self.status.delivered and (self.status.completed_count > 0 or by_orchestrator)


async def follow(start: Callable[[], RunFolder], progress: Progress) -> Ended:
    """Start a run and follow it."""
    presses = _Presses(progress)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGINT, presses.press)
    try:
        folder = await _started(start, presses)
        progress.begin(runs.load(folder))
        return await _Follower(folder, progress, presses).follow()
    finally:
        loop.remove_signal_handler(signal.SIGINT)


async def _started(start: Callable[[], RunFolder], presses: _Presses) -> RunFolder:
    try:
        return await asyncio.to_thread(start)
    except BugLspError as error:
        if presses.count:  # the terminal sends Ctrl-C to the git that was at work, too
            raise KeyboardInterrupt from error
        raise


class _Presses:
    """Counts Ctrl-C, and wakes whoever follows."""

    def __init__(self, progress: Progress) -> None:
        self.count = 0
        self.news = asyncio.Event()
        self._progress = progress

    def press(self) -> None:
        self.count += 1
        self.news.set()
        if self.count == 1:
            self._progress.say(
                "cancelling the run; press Ctrl-C again to leave it to end in the background"
            )


class _Follower:
    """One run, from its start to its end."""

    def __init__(self, folder: RunFolder, progress: Progress, presses: _Presses) -> None:
        self._folder = folder
        self._progress = progress
        self._presses = presses
        self._view = RunView(folder)
        self._cancelled = False
        self._has_concluded = False

    async def follow(self) -> Ended:
        with Watch(self._folder.workspace, self._hear) as watch:
            seen: Hashable = None
            while self._presses.count < _LEAVE:
                self._presses.news.clear()
                await self._cancel_if_asked()
                status = self._view.status()
                self._progress.show(status, self._calls(status))
                now = self._state(status)
                if now != seen:
                    seen = now
                    await asyncio.to_thread(delivery.move_on, self._folder)
                    watch.attend(self._folder)
                    continue  # what that has changed is looked at before anything is waited for
                if self._view.finished():
                    if await self._concludes():
                        continue
                    return self._ended(status, left=False)
                await self._presses.news.wait()
                await asyncio.sleep(_BREATH)
            # Both presses may have come between two looks.
            await self._cancel_if_asked()
            return self._ended(self._view.status(), left=not self._view.finished())

    def _hear(self, run_id: str, _session_id: str) -> None:
        if run_id == self._folder.run_id:
            self._presses.news.set()

    async def _cancel_if_asked(self) -> None:
        if self._presses.count and not self._cancelled:
            self._cancelled = True
            await asyncio.to_thread(cancel_run, self._folder)

    async def _concludes(self) -> bool:
        """Whether what was found before Ctrl-C is brought into the task file now."""
        if not self._cancelled or self._has_concluded:
            return False
        self._has_concluded = True
        return await asyncio.to_thread(gate.conclude_cancelled, self._folder)

    def _state(self, status: RunStatus) -> Hashable:
        """What decides whether the run has to be moved on.

        What its sessions are doing does not; the death of a process does, whatever it left behind.
        """
        sessions = status.everyone
        return (
            tuple((session.session_id, session.status) for session in sessions),
            status.delivered,
            self._view.problem(),
            tuple(self._lives(session) for session in sessions),
        )

    def _lives(self, session: Session) -> bool:
        process = runs.process(self._folder.session(session.session_id))
        return process is not None and alive(process.pid, process.birth)

    def _calls(self, status: RunStatus) -> dict[str, int]:
        return {
            session.session_id: tool_calls(self._folder.session(session.session_id))
            for session in status.everyone
        }

    def _ended(self, status: RunStatus, *, left: bool) -> Ended:
        problem = self._view.problem()
        return Ended(self._folder, status, problem, bool(self._presses.count), left)
