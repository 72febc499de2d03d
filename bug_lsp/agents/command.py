"""Any program as an agent: the prompt on its standard input, its answer on standard output, exit
status 0 for success.

What it prints is passed on as it is and never read as anything but text. Its work ends with the
program itself, never with the end of its output: whoever inherited that may hold it for ever.
"""

from __future__ import annotations

import codecs
import io
import os
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.abc

from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Text

from .base import Answer, Emit, Job
from .text import last_line

_CHUNK = 65_536
_KEEP = 650_000
"""Bytes kept of the answer's head, and at least of its tail; at most three times that in all."""
_STDERR_TAIL = 2_000
_MAX_DETAIL = 300
_DRAIN_SECONDS = 1.0
_TERMINATE_SECONDS = 2.0

_Sink = Callable[[bytes], None]


class Command:
    """The agent type `command`."""

    async def run(self, job: Job, emit: Emit) -> Answer:
        """Run the program; once more for each follow-up, with all that was said before."""
        prompt = job.prompt
        while True:
            answer = await _run(job, prompt, emit)
            more = job.follow_up(answer)
            if more is None:
                return Answer(answer)
            emit(Text(text="\n\n"))
            prompt = (
                f"{prompt}\n\n# Your answer so far\n\n{answer}\n\n# What to do next\n\n{more}\n"
            )


class Ends:
    """The first and the last bytes of a stream of any length."""

    def __init__(self, keep: int) -> None:
        self._keep = keep
        self._head = bytearray()
        self._tail = bytearray()
        self._left_out = 0

    def add(self, data: bytes) -> None:
        """Take the next bytes of the stream."""
        room = self._keep - len(self._head)
        self._head += data[:room]
        self._tail += data[room:]
        if len(self._tail) > 2 * self._keep:
            excess = len(self._tail) - self._keep
            self._left_out += excess
            del self._tail[:excess]

    def text(self) -> str:
        """What was kept, with a mark where something was left out."""
        mark = b"\n[... %d bytes left out ...]\n" % self._left_out if self._left_out else b""
        return _readable((self._head + mark + self._tail).decode(errors="replace"))


@dataclass(frozen=True, slots=True)
class _Ended:
    status: int
    answer: str
    stderr: str


async def _run(job: Job, prompt: str, emit: Emit) -> str:
    """One run of the program, as its answer or its failure."""
    if not job.command:
        raise AgentFailure(FailureKind.NOT_INSTALLED, "No program is set: give its `command`")
    name = Path(job.command[0]).name
    with _start_failures(name, job.cwd):
        ended = await _run_program(job, prompt, emit)
    if ended.status != 0:
        last = last_line(ended.stderr, _MAX_DETAIL)
        how = _how(ended.status)
        raise AgentFailure(FailureKind.CRASHED, f"{name} {how}" + (f": {last}" if last else ""))
    if not ended.answer.strip():
        raise AgentFailure(
            FailureKind.EMPTY_OUTPUT, f"{name} printed no answer on its standard output"
        )
    return ended.answer


async def _run_program(job: Job, prompt: str, emit: Emit) -> _Ended:
    answer, stderr = Ends(_KEEP), bytearray()
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def hear(data: bytes) -> None:
        answer.add(data)
        if text := _readable(decoder.decode(data, final=not data)):
            emit(Text(text=text))

    def note(data: bytes) -> None:
        _to_our_stderr(data)
        stderr.extend(data)
        del stderr[:-_STDERR_TAIL]

    status = await _follow(job, prompt, hear, note)
    hear(b"")
    return _Ended(status, answer.text(), stderr.decode(errors="replace"))


async def _follow(job: Job, prompt: str, on_stdout: _Sink, on_stderr: _Sink) -> int:
    """Start the program, pass its output on, and return its exit status.

    The pipes are our own and standard input is a file: asyncio's `wait` waits for the end of the
    pipes it has made itself, which a child of the program may hold (python/cpython#119710). A
    file also cannot break, nor fill up, where the program does not read its prompt.
    """
    with _pipe() as (out, out_end), _pipe() as (err, err_end), tempfile.TemporaryFile() as stdin:
        stdin.write(prompt.encode(errors="replace"))
        stdin.seek(0)
        process = await anyio.open_process(
            job.command,
            stdin=stdin,
            stdout=out_end,
            stderr=err_end,
            cwd=job.cwd,
            env={**os.environ, **job.env},
        )
        out_end.close()
        err_end.close()
        try:
            async with anyio.create_task_group() as pumps:
                pumps.start_soon(_pump, out, on_stdout)
                pumps.start_soon(_pump, err, on_stderr)
                status = await process.wait()
                pumps.cancel_scope.deadline = anyio.current_time() + _DRAIN_SECONDS
        finally:
            await _stop(process)
        return status


async def _pump(source: io.FileIO, sink: _Sink) -> None:
    """Pass on what comes, whatever the length of its lines, until the end."""
    os.set_blocking(source.fileno(), False)
    while True:
        await anyio.wait_readable(source)
        data = source.read(_CHUNK)
        if data:
            sink(data)
        elif data is not None:  # None: nothing there after all
            return


async def _stop(process: anyio.abc.Process) -> None:
    """End a program that is still running: politely, and after a moment for good."""
    with anyio.CancelScope(shield=True):
        for signal_it, seconds in ((process.terminate, _TERMINATE_SECONDS), (process.kill, None)):
            if process.returncode is not None:
                return
            with suppress(ProcessLookupError):
                signal_it()
            with anyio.move_on_after(seconds):
                await process.wait()


@contextmanager
def _pipe() -> Iterator[tuple[io.FileIO, io.FileIO]]:
    """A pipe's two ends, closed at the latest on the way out."""
    ours, theirs = os.pipe()
    with io.FileIO(ours, "r") as source, io.FileIO(theirs, "w") as end:
        yield source, end


@contextmanager
def _start_failures(name: str, cwd: Path) -> Iterator[None]:
    """Why a program cannot be started, in words."""
    try:
        yield
    except FileNotFoundError as error:
        if not cwd.is_dir():  # the system gives the same error for both
            raise AgentFailure(FailureKind.INTERNAL, f"The folder {cwd} is gone") from error
        raise AgentFailure(
            FailureKind.NOT_INSTALLED, f"{name} was not found: install it or correct its `command`"
        ) from error
    except PermissionError as error:
        raise AgentFailure(
            FailureKind.PERMISSION, f"{name} may not be run: make it executable (chmod +x)"
        ) from error
    except OSError as error:
        raise AgentFailure(
            FailureKind.NOT_INSTALLED, f"{name} cannot be run: {error.strerror or error}"
        ) from error


def _how(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"exited with {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def _readable(text: str) -> str:
    return text.replace("\0", "\ufffd")


def _to_our_stderr(data: bytes) -> None:
    """What the program says about itself goes where we say such things: the session's log."""
    with suppress(AttributeError, OSError, ValueError):  # there may be none, or it may be closed
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()
