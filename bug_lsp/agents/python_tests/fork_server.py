"""The project's tests, collected once in a process that forks a child for each request.

This is our end of `runner/serve.py`. Thousands of changes to a file can be tried in the time that
starting the tests a few times would take; none of them is ever written to the file.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import TaskGroup

from bug_lsp.domain.errors import AgentFailure

from .project import PythonProject
from .server_process import ServerProcess, Start
from .trials import (
    Batch,
    Collected,
    Reply,
    Request,
    Tried,
    batch_on_the_wire,
    reply,
    request_on_the_wire,
    tried,
)

_DEFAULT_MEMORY = 1 << 30
_MOST_RESTARTS = 2


class ForkServer:
    """Use `serving()`; then `collected` is known and `ask` may be called, also concurrently.

    If the server ends or becomes silent, what it was asked is `lost`, and the next one who asks
    gets a new server, twice at most.
    """

    collected: Collected
    start_took: float
    """Seconds until the tests were collected."""

    def __init__(
        self,
        project: PythonProject,
        *,
        framework: str | None = None,
        args: tuple[str, ...] = (),
        env: dict[str, str] | None = None,
        start_seconds: float = 30.0,
        memory: int = _DEFAULT_MEMORY,
    ) -> None:
        self._project = project
        self._start = Start(framework, args, env or {}, memory)
        self._start_seconds = start_seconds
        self._group: TaskGroup
        self._process: ServerProcess
        self._place = Path()
        self._count = 0
        self._restarts = 0
        self._starting = anyio.Lock()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[ForkServer]:
        """Start, collect, and end with everything that was started. Raises `AgentFailure`."""
        self._project.scratch.mkdir(parents=True, exist_ok=True)
        self._place = Path(tempfile.mkdtemp(prefix="server-", dir=self._project.scratch))
        failure: BaseException | None = None
        async with anyio.create_task_group() as self._group:
            try:
                await self._begin()
                self.collected = self._process.collected
                yield self
            except Exception as error:  # noqa: BLE001 - raised again, without a group around
                failure = error
            self._group.cancel_scope.cancel()
        if failure is not None:
            raise failure

    async def _begin(self) -> None:
        began = time.monotonic()
        process = ServerProcess(self._project, self._place, self._start)
        self._group.start_soon(process.run)
        try:
            await process.come_up(self._start_seconds)
        except BaseException:
            process.lose()
            raise
        self._process = process
        self.start_took = time.monotonic() - began

    async def _alive(self) -> ServerProcess:
        """The process, or a new one if it is lost and there were not too many yet."""
        async with self._starting:
            if self._process.is_lost and self._restarts < _MOST_RESTARTS:
                self._restarts += 1
                with suppress(AgentFailure):
                    await self._begin()
            return self._process

    @property
    def is_lost(self) -> bool:
        """Whether nobody will answer any more, also after a new start."""
        return self._process.is_lost and self._restarts >= _MOST_RESTARTS

    async def ask(self, request: Request, *, cold: bool = False) -> Reply:
        """Run tests in a child. `cold`: in one that imports the project again."""
        wire = request_on_the_wire(request)
        with self._folder() as folder:
            answer = await self._answer(wire, folder, request.wall_seconds, cold=cold)
            return Reply("lost") if answer is None else reply(answer, folder, self._project)

    async def ask_many(self, batch: Batch) -> list[Tried | None]:
        """Try changes one after the other in one child; None for those it did not come to."""
        wire, count = batch_on_the_wire(batch), len(batch.changes)
        with self._folder() as folder:
            answer = await self._answer(wire, folder, batch.whole_seconds, cold=False)
            return [Tried("lost", 0)] * count if answer is None else tried(answer, count)

    @contextmanager
    def _folder(self) -> Iterator[Path]:
        """A place for what one child leaves."""
        self._count += 1
        folder = self._place / f"trial-{self._count}"
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _answer(
        self, request: dict[str, Any], folder: Path, seconds: float, *, cold: bool
    ) -> dict[str, Any] | None:
        process = await self._alive()
        channel = process.cold if cold else process.hot
        return await channel.ask(request | {"folder": str(folder)}, seconds)
