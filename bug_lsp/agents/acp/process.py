"""The process of an ACP agent and the connection to it, both ended in bounded time, come what may.

The library's own `spawn_agent_process` waits without limit for a process whose pipes a child may
hold, and a cancellation passes by its kill; so the process is ours, the connection the library's.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.abc
from acp import connect_to_agent
from acp.client.connection import ClientSideConnection
from acp.interfaces import Client

from bug_lsp.agents.program import (
    exit_status,
    find_program,
    pipe,
    pump,
    start_failures,
    stop,
    to_our_stderr,
)
from bug_lsp.domain.errors import AgentFailure, FailureKind

from .failures import failure, failure_of_exit
from .log import Log
from .presets import AcpAgent

T = TypeVar("T")

LONGEST_LINE = 64 * 2**20
"""Bytes of one message: agents put a whole tool output in one."""
_DRAIN_SECONDS = 1.0
_TERMINATE_SECONDS = 1.0
_CLOSE_SECONDS = 1.0


class AgentProcess:
    """A running ACP agent."""

    def __init__(
        self,
        agent: AcpAgent,
        process: anyio.abc.Process,
        stderr: io.FileIO,
        log: Log,
        *,
        confined: bool,
    ) -> None:
        self._agent = agent
        self._confined = confined
        self._process = process
        self._stderr = stderr
        self._log = log
        self._all_logged = anyio.Event()
        self.reader = _Lines(limit=LONGEST_LINE)
        self.connection: ClientSideConnection

    async def run(self, work: Callable[[], Awaitable[T]]) -> T:
        """Do the work while the process lives; raises why it could not be done."""
        ended: T | AgentFailure | None = None
        async with anyio.create_task_group() as beside:
            with anyio.CancelScope() as working:
                beside.start_soon(self._follow_log, working)
                beside.start_soon(self._watch, working)
                try:
                    ended = await work()
                except AgentFailure as why:
                    ended = why
                except ConnectionError:
                    await self._gone()
            beside.cancel_scope.cancel()
        if ended is None:
            raise self._why()
        if isinstance(ended, AgentFailure):
            raise ended
        return ended

    async def _follow_log(self, working: anyio.CancelScope) -> None:
        await pump(self._stderr, lambda data: self._note(data, working))
        self._all_logged.set()

    def _note(self, data: bytes, working: anyio.CancelScope) -> None:
        to_our_stderr(data)
        self._log.feed(data)
        if self._log.hopeless is not None:
            working.cancel()

    async def _watch(self, working: anyio.CancelScope) -> None:
        """A child may hold the pipes of a process that has ended: then nothing else tells."""
        await self._process.wait()
        await anyio.sleep(_DRAIN_SECONDS)  # what it said last may still be on its way
        working.cancel()

    async def _gone(self) -> None:
        """The connection is closed: in a moment it is known how the process has ended."""
        with anyio.move_on_after(_DRAIN_SECONDS):
            await self._process.wait()
            await self._all_logged.wait()

    def _why(self) -> AgentFailure:
        if self.reader.too_long:
            return failure(
                self._agent,
                FailureKind.INTERNAL,
                f"it sent a message of more than {LONGEST_LINE >> 20} MB",
            )
        if self._log.hopeless is not None:
            return self._log.hopeless
        status = self._process.returncode
        if status is not None:
            status = exit_status(status, confined=self._confined)
        return failure_of_exit(self._agent, status, self._log.tail)


class _Lines(asyncio.StreamReader):
    """Ends where a line does not: the library would gather any line in memory."""

    too_long = False

    async def readuntil(self, separator: bytes = b"\n") -> bytes:  # type: ignore[override]
        try:
            return await super().readuntil(separator)
        except asyncio.LimitOverrunError as error:
            self.too_long = True
            raise ConnectionError(str(error)) from error


@asynccontextmanager
async def agent_process(
    agent: AcpAgent,
    command: tuple[str, ...],
    client: Client,
    log: Log,
    *,
    cwd: Path,
    env: Mapping[str, str],
    confine: tuple[str, ...] = (),
) -> AsyncIterator[AgentProcess]:
    """Start an agent and connect to it. What it leaves behind is the session's to end."""
    with pipe() as (stdin, to_agent), pipe() as (from_agent, stdout), pipe() as (said, stderr):
        with start_failures(agent.command[0], cwd, agent.install):
            process = await anyio.open_process(
                [*confine, *find_program(command, cwd, env)],
                stdin=stdin,
                stdout=stdout,
                stderr=stderr,
                cwd=cwd,
                env=env,
            )
        for end in (stdin, stdout, stderr):
            end.close()
        running = AgentProcess(agent, process, said, log, confined=bool(confine))
        try:
            async with _connected(running, client, from_agent, to_agent):
                yield running
        finally:
            await stop(process, _TERMINATE_SECONDS, confined=bool(confine))


@asynccontextmanager
async def _connected(
    running: AgentProcess, client: Client, from_agent: io.FileIO, to_agent: io.FileIO
) -> AsyncIterator[None]:
    loop = asyncio.get_running_loop()
    protocol = asyncio.StreamReaderProtocol(running.reader)
    # The protocol of a reader also knows how to wait until what was written is gone.
    flow = asyncio.StreamReaderProtocol(asyncio.StreamReader())
    with anyio.CancelScope(shield=True):  # it takes no time, and no half may be left
        reading, _ = await loop.connect_read_pipe(lambda: protocol, from_agent)
        writing, _ = await loop.connect_write_pipe(lambda: flow, to_agent)
    writer = asyncio.StreamWriter(writing, flow, None, loop)
    running.connection = connect_to_agent(client, writer, running.reader)
    try:
        yield
    finally:
        reading.close()
        if not writing.is_closing():
            writing.abort()  # an agent that does not read must not keep us
        with anyio.move_on_after(_CLOSE_SECONDS, shield=True), suppress(Exception):
            await running.connection.close()
