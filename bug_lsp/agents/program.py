"""What running any program as an agent takes: pipes of our own, its end, and words for both.

The pipes are our own because asyncio's `wait` waits for the end of those it has made itself, and a
child of the program may hold them for ever (python/cpython#119710).
"""

from __future__ import annotations

import errno
import io
import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias

import anyio
import anyio.abc
import psutil

from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.store.programs import on_path

Sink: TypeAlias = Callable[[bytes], None]

_CHUNK = 65_536
_TERMINATE_SECONDS = 2.0
_FIRST_OF_SIGNALS = 128
"""What a sandbox adds to the number of the signal that ended the program inside."""
_FATAL = range(1, 16)


@contextmanager
def pipe() -> Iterator[tuple[io.FileIO, io.FileIO]]:
    """A pipe's two ends, the reading one first; closed at the latest on the way out."""
    reading, writing = os.pipe()
    with io.FileIO(reading, "r") as source, io.FileIO(writing, "w") as end:
        yield source, end


async def pump(source: io.FileIO, sink: Sink) -> None:
    """Pass on what comes, whatever the length of its lines, until the end."""
    os.set_blocking(source.fileno(), False)
    while True:
        await anyio.wait_readable(source)
        data = source.read(_CHUNK)
        if data:
            sink(data)
        elif data is not None:  # None: nothing there after all
            return


def find_program(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> tuple[str, ...]:
    """The command with its program's place; raises as the system would where it cannot be run.

    Looked for by us: a sandbox in front of it would find anything to be an exit status of its own.
    """
    if not cwd.is_dir():
        raise FileNotFoundError(errno.ENOENT, "no such folder", str(cwd))
    name = command[0]
    if os.sep in name:
        found = cwd / name
        if not found.exists():
            raise FileNotFoundError(errno.ENOENT, "not found", name)
        if not found.is_file() or not os.access(found, os.X_OK):
            raise PermissionError(errno.EACCES, "not executable", name)
        return (str(found), *command[1:])
    place = on_path(name, env.get("PATH"))
    if place is None:
        raise FileNotFoundError(errno.ENOENT, "not found", name)
    return (place, *command[1:])


async def stop(
    process: anyio.abc.Process,
    polite_seconds: float = _TERMINATE_SECONDS,
    *,
    confined: bool = False,
) -> None:
    """End a program that is still running: politely, and after a moment for good."""
    with anyio.CancelScope(shield=True):
        for number, seconds in ((signal.SIGTERM, polite_seconds), (signal.SIGKILL, None)):
            if process.returncode is not None:
                return
            if confined and number == signal.SIGTERM:
                _signal_inside(process.pid, number)
            else:
                with suppress(ProcessLookupError):
                    process.send_signal(number)
            with anyio.move_on_after(seconds):
                await process.wait()


def _signal_inside(sandbox: int, number: signal.Signals) -> None:
    """A sandbox hands no signal on: it would end at once, and all that is in it without a word."""
    with suppress(psutil.Error):
        for process in psutil.Process(sandbox).children(recursive=True):
            with suppress(psutil.Error):
                process.send_signal(number)


def exit_status(status: int, *, confined: bool) -> int:
    """How the program ended, negative for a signal as `subprocess` has it. A sandbox tells of the
    signal as a shell does.
    """
    if confined and status - _FIRST_OF_SIGNALS in _FATAL:
        return _FIRST_OF_SIGNALS - status
    return status


@contextmanager
def start_failures(name: str, cwd: Path, hint: str) -> Iterator[None]:
    """Why a program cannot be started, in words. `hint` says what to do where it is not there."""
    try:
        yield
    except FileNotFoundError as error:
        if not cwd.is_dir():  # the system gives the same error for both
            raise AgentFailure(FailureKind.INTERNAL, f"The folder {cwd} is gone") from error
        raise AgentFailure(FailureKind.NOT_INSTALLED, f"{name} was not found: {hint}") from error
    except PermissionError as error:
        raise AgentFailure(
            FailureKind.PERMISSION, f"{name} may not be run: make it executable (chmod +x)"
        ) from error
    except OSError as error:
        raise AgentFailure(
            FailureKind.NOT_INSTALLED, f"{name} cannot be run: {error.strerror or error}"
        ) from error


def how_it_ended(status: int) -> str:
    """An exit status in words."""
    if status >= 0:
        return f"exited with {status}"
    try:
        return f"was ended by {signal.Signals(-status).name}"
    except ValueError:
        return f"was ended by signal {-status}"


def to_our_stderr(data: bytes) -> None:
    """What the program says about itself goes where we say such things: the session's log."""
    with suppress(AttributeError, OSError, ValueError):  # there may be none, or it may be closed
        sys.stderr.buffer.write(data)
        sys.stderr.buffer.flush()
