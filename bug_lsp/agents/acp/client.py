"""Our side of an ACP connection: it hears what the agent does and answers what it asks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from acp.schema import (
    AllowedOutcome,
    DeniedOutcome,
    PermissionOption,
    RequestPermissionResponse,
    ToolCallUpdate,
)

from bug_lsp.agents.base import Emit, Job
from bug_lsp.domain.events import Error, Text

from .events import Translation
from .log import Log
from .policy import judge


class AcpClient:
    """What the library calls for each message of the agent. Its methods never wait: so messages
    are taken in the order in which they came, and a question is answered before the next message.
    """

    def __init__(self, job: Job, emit: Emit, log: Log) -> None:
        self._job = job
        self._log = log
        self._roots = tuple(Path(os.path.realpath(root)) for root in (job.copy, job.scratch))
        self._session: str | None = None
        self.emit = emit
        self.heard = Translation(job.cwd, job.copy)
        self.cancelled = False
        self.refused = ""
        """What was refused since the agent last said something."""

    @contextmanager
    def turn(self, session_id: str) -> Iterator[None]:
        """A turn of this session. What comes outside of one is about the agent, not the work."""
        self.heard.begin_turn()
        self.refused = ""
        self._session = session_id
        try:
            yield
        finally:
            self._session = None

    async def session_update(self, session_id: str, update: object, **_meta: Any) -> None:
        """The agent does something."""
        if session_id == self._session:  # another one is an agent's own helper
            for event in self.heard.events(update):
                self._log.answered()
                self.emit(event)
                if isinstance(event, Text):
                    self.refused = ""

    async def request_permission(
        self,
        session_id: str,
        tool_call: ToolCallUpdate,
        options: list[PermissionOption],
        **_meta: Any,
    ) -> RequestPermissionResponse:
        """The agent asks whether it may."""
        if self.cancelled or self._session is None:
            return _not_answered()
        seen, events = self.heard.asked(tool_call)
        for event in events if session_id == self._session else ():
            self.emit(event)
        verdict = judge(seen, options, inside=self._is_inside, read_only=self._job.read_only)
        if verdict.refusal is not None:
            self.refused = verdict.refusal
            self.emit(Error(message=verdict.refusal))
        if verdict.option_id is None:
            return _not_answered()
        return RequestPermissionResponse(
            outcome=AllowedOutcome(outcome="selected", option_id=verdict.option_id)
        )

    def _is_inside(self, path: str) -> bool:
        """Whether a path lies where the agent may work, all symbolic links followed."""
        if path.startswith("~"):
            return False  # who expands it, and to what, is not ours to guess
        try:
            real = Path(os.path.realpath(self._job.cwd / path.removeprefix("file://")))
        except (OSError, ValueError):  # no path at all
            return False
        return any(real.is_relative_to(root) for root in self._roots)


def _not_answered() -> RequestPermissionResponse:
    return RequestPermissionResponse(outcome=DeniedOutcome(outcome="cancelled"))
