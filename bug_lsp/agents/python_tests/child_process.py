"""Runs one child process to its end, with a deadline, and leaves none of its tree behind.

Its output goes to a log file; what it has to say to us comes line by line on a pipe of its own,
so that noise on its standard streams cannot be mistaken for it. It never reads our stdin, and is in
a process session of its own: what it signals to its group does not reach us.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL
from typing import IO

import anyio
import psutil
from anyio.abc import Process

from bug_lsp.agents.program import exit_status, pump
from bug_lsp.agents.program import pipe as output_pipe
from bug_lsp.domain.errors import AgentFailure, FailureKind

_CHUNK = 65536
_LINE_LIMIT = 1_000_000
_FIRST_BYTES = 500
_SANDBOX_SAYS = "bwrap: "
MOST_OUTPUT = 64_000_000
"""Bytes that a child may write to its standard streams before it is ended."""


@dataclass(slots=True)
class _Lines:
    """Cuts what comes in chunks into lines."""

    on_line: Callable[[bytes], None]
    longest: int
    """Bytes. What is longer and has no end yet is dropped."""
    rest: bytes = field(default=b"")

    def feed(self, chunk: bytes) -> None:
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        for line in lines:
            self.on_line(line)
        if len(self.rest) > self.longest:
            self.rest = b""


class LinePipe:
    """A pipe on which a child tells us things, one line each."""

    def __init__(
        self, on_line: Callable[[bytes], None], *, longest_line: int = _LINE_LIMIT
    ) -> None:
        self._lines = _Lines(on_line, longest_line)
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)

    def close_writer(self) -> None:
        """Our end of the child's side; to be called once the child has its own."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def close(self) -> None:
        """Both ends."""
        self.close_writer()
        os.close(self._reader)

    async def follow(self) -> None:
        """Read until everyone has closed the other end."""
        while True:
            await anyio.wait_readable(self._reader)
            if not self.drain():
                return

    def drain(self) -> bool:
        """Read what is there. False when there will never be more."""
        with contextlib.suppress(BlockingIOError):
            while chunk := os.read(self._reader, _CHUNK):
                self._lines.feed(chunk)
            return False
        return True


async def run_child(
    command: str | Sequence[str],
    *,
    cwd: Path,
    env: dict[str, str],
    log: Path,
    seconds: float,
    pipe: LinePipe | None = None,
    pass_fds: Sequence[int] = (),
    confine: tuple[str, ...] = (),
    may_flood: bool = False,
) -> int | None:
    """Its exit code, or None when it was still running after that many seconds.

    A string is a shell command. `pipe`, if given, is followed and closed; `pass_fds` are further
    descriptors that the child inherits, and stay the caller's to close. `confine` goes before the
    command line. Raises `AgentFailure` when it floods its output, unless it may: then what is too
    much is dropped.
    """
    if confine:
        command = [*confine, *(("/bin/sh", "-c", command) if isinstance(command, str) else command)]
    try:
        with log.open("ab") as file, output_pipe() as (source, end):
            process = await anyio.open_process(
                command,
                stdin=DEVNULL,
                stdout=end,
                stderr=end,
                cwd=cwd,
                env=env,
                pass_fds=(*pass_fds, *(() if pipe is None else (pipe.writer,))),
                start_new_session=True,
            )
            end.close()
            output = _Output(file, may_flood=may_flood)
            try:
                with anyio.move_on_after(seconds):
                    status = await _until_it_ends(process, pipe, source, output)
                    if confine:
                        output.check_sandbox(status)
                    return exit_status(status, confined=bool(confine))
                return None
            finally:
                with anyio.CancelScope(shield=True):
                    await _end(process)
    finally:
        if pipe is not None:
            pipe.close()


@dataclass(slots=True)
class _Output:
    """What a child writes to its standard streams, as far as that is bearable."""

    file: IO[bytes]
    may_flood: bool
    size: int = 0
    first: bytes = b""
    flooded: anyio.Event = field(default_factory=anyio.Event)

    def take(self, data: bytes) -> None:
        self.first = self.first or data[:_FIRST_BYTES]
        room = max(MOST_OUTPUT - self.size, 0)
        self.file.write(data[:room])
        self.size += len(data)
        if self.size > MOST_OUTPUT and not self.may_flood:
            self.flooded.set()

    def check_sandbox(self, status: int) -> None:
        """Raise `AgentFailure` where it was the sandbox that failed, and not what is in it."""
        line = self.first.partition(b"\n")[0].decode(errors="replace")
        if status == 1 and line.startswith(_SANDBOX_SAYS):
            raise AgentFailure(FailureKind.CRASHED, f"the sandbox could not be set up: {line}")


async def _until_it_ends(
    process: Process, pipe: LinePipe | None, source: io.FileIO, output: _Output
) -> int:
    code: int | None = None

    async def wait() -> None:
        nonlocal code
        code = await process.wait()
        # Not until the pipes are closed: a process the child left behind may hold them.
        group.cancel_scope.cancel()

    async def stop() -> None:
        await output.flooded.wait()
        group.cancel_scope.cancel()

    if pipe is not None:
        pipe.close_writer()
    async with anyio.create_task_group() as group:
        if pipe is not None:
            group.start_soon(pipe.follow)
        group.start_soon(pump, source, output.take)
        group.start_soon(stop)
        group.start_soon(wait)
    if code is None or output.flooded.is_set():
        raise AgentFailure(
            FailureKind.CRASHED, f"it wrote more than {MOST_OUTPUT // 1_000_000} MB, and was ended"
        )
    if pipe is not None:
        pipe.drain()
    _drain(source, output)
    return code


def _drain(source: io.FileIO, output: _Output) -> None:
    """What is still in the pipe."""
    while not output.flooded.is_set() and (data := source.read(_CHUNK)):
        output.take(data)


async def _end(process: Process) -> None:
    if process.returncode is None:
        with contextlib.suppress(psutil.Error):
            tree = [psutil.Process(process.pid)]
            tree += tree[0].children(recursive=True)
            for member in tree:
                with contextlib.suppress(psutil.Error):
                    member.kill()
        await process.wait()
    await process.aclose()


def tail(log: Path, characters: int = 1500) -> str:
    """The end of a log, as text."""
    try:
        with log.open("rb") as file:
            file.seek(max(file.seek(0, os.SEEK_END) - 4 * characters, 0))
            return file.read().decode("utf-8", "replace")[-characters:].strip()
    except FileNotFoundError:
        return ""
