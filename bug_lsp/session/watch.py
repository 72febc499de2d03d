"""Being told of changes to the runs of a workspace: pokes from the writers, deaths from the system.

There is no timer here: a workspace in which nothing happens costs nothing.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from typing import Self

from bug_lsp.domain.ids import is_run_id
from bug_lsp.domain.run import Process, Status
from bug_lsp.store import runs
from bug_lsp.store.deaths import Death
from bug_lsp.store.layout import RunFolder, WorkspaceFolder
from bug_lsp.store.pokes import Bell
from bug_lsp.store.processes import alive


class Watch:
    """Calls `changed(debugRunId, sessionId)` on the event loop whenever there may be news: of one
    session's output, or, with an empty sessionId, of the run.

    Use as a context manager, on the loop's thread.
    """

    def __init__(self, workspace: WorkspaceFolder, changed: Callable[[str, str], None]) -> None:
        self._workspace = workspace
        self._changed = changed
        self._bell = Bell(workspace.create(), f"{os.getpid()}-{secrets.token_hex(3)}")
        self._deaths: dict[str, Death] = {}

    def __enter__(self) -> Self:
        self._bell.__enter__()
        asyncio.get_running_loop().add_reader(self._bell.fileno(), self._hear)
        return self

    def __exit__(self, *_exc: object) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._bell.fileno())
        self._bell.__exit__()
        for session_id in list(self._deaths):
            self._forget(session_id)

    def announce(self, open_tasks: tuple[str, ...]) -> None:
        """Tell the writers which task files are open here."""
        self._bell.announce(open_tasks)

    def attend(self, folder: RunFolder) -> None:
        """Be told when a session process of this run dies, from now on."""
        for session_id, process in _running(folder):
            if session_id not in self._deaths:
                self._attend(folder.run_id, session_id, process)

    def _attend(self, run_id: str, session_id: str, process: Process) -> None:
        loop = asyncio.get_running_loop()
        try:
            death = Death(process.pid)
        except ProcessLookupError:
            loop.call_soon(self._changed, run_id, "")
            return
        self._deaths[session_id] = death
        loop.add_reader(death.fileno(), self._died, run_id, session_id)
        if not alive(process.pid, process.birth):  # the pid belongs to another by now
            loop.call_soon(self._died, run_id, session_id)

    def _died(self, run_id: str, session_id: str) -> None:
        self._forget(session_id)
        self._changed(run_id, "")

    def _forget(self, session_id: str) -> None:
        death = self._deaths.pop(session_id, None)
        if death is not None:
            asyncio.get_running_loop().remove_reader(death.fileno())
            death.close()

    def _hear(self) -> None:
        heard, missed = self._bell.hear()
        if missed:
            heard |= {f"{folder.run_id}/" for folder in runs.active(self._workspace)}
        for line in sorted(heard):
            run_id, _, session_id = line.partition("/")
            if is_run_id(run_id):
                self._changed(run_id, session_id)


def _running(folder: RunFolder) -> list[tuple[str, Process]]:
    if not folder.run.exists():
        return []
    run = runs.load(folder)
    sessions = [folder.session(spec.session_id) for spec in run.roster]
    found: list[tuple[str, Process]] = []
    for session in [*sessions, *runs.proofs(folder), *runs.orchestrators(folder)]:
        if not runs.is_complete(session):
            continue
        facts = runs.facts(session)
        if facts.status is Status.RUNNING and facts.process is not None:
            found.append((session.session_id, facts.process))
    return found
