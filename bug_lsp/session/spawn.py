"""Starting a detached session process, or handing the session to one that stands by (`standby`)."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypeAlias

from bug_lsp.domain.run import Kind
from bug_lsp.store import faults, files
from bug_lsp.store.layout import RunFolder, SessionFolder
from bug_lsp.store.processes import MARKER

_UP_DEADLINE = 60.0
"""Seconds after which a session that is not on disk is given up."""

CameUp: TypeAlias = Callable[[], bool]
"""Waits until the process has left its starter, and the session is on disk. False if it never got
there."""


def start(folder: SessionFolder, kind: Kind) -> CameUp:
    """Make the session's process. Takes a millisecond or two."""
    faults.step("spawn", folder.path)
    handed = _hand_over(folder) if kind is Kind.ORCHESTRATOR else None
    return handed or spawn(folder)


def spawn(folder: SessionFolder) -> CameUp:
    """Start the session's process, whoever stands by."""
    return _detached([str(folder.path)], cwd=folder.path, log=folder.log)


def _hand_over(folder: SessionFolder) -> CameUp | None:
    """Make who stands by the process of this session; None where nobody does."""
    try:
        pipe = os.open(folder.run.standby, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return None
    try:
        os.write(pipe, os.fsencode(folder.path) + b"\n")
    except OSError:  # gone meanwhile
        os.close(pipe)
        return None
    return lambda: _is_taken(pipe, folder) or spawn(folder)()


def _is_taken(pipe: int, folder: SessionFolder) -> bool:
    """Wait until nobody reads the pipe any more: they are the session then, or they are gone."""
    try:
        poll = select.poll()
        poll.register(pipe, 0)
        poll.poll(_UP_DEADLINE * 1000)
    finally:
        os.close(pipe)
    return folder.process.exists()


def leave_standby(folder: RunFolder, log: Path) -> CameUp | None:
    """See to it that somebody stands by to be the run's orchestrator. None where somebody does."""
    try:
        return _leave_standby(folder, log)
    except OSError as error:  # nothing but time is lost
        sys.stderr.write(f"nobody stands by to be the orchestrator: {error}\n")
        return None


def _leave_standby(folder: RunFolder, log: Path) -> CameUp | None:
    with suppress(FileExistsError):
        os.mkfifo(folder.standby, files.FILE_MODE)
    pipe = files.lock_now(folder.standby)
    if pipe is None:
        return None
    try:
        faults.step("spawn", folder.standby)
        # It is given the pipe open, so that it hears what is written from now on.
        arguments = ["--stand-by", str(folder.path), str(pipe)]
        return _detached(arguments, cwd=folder.path, log=log, keep=[pipe])
    finally:
        os.close(pipe)


def _detached(arguments: Sequence[str], cwd: Path, log: Path, keep: Sequence[int] = ()) -> CameUp:
    """Start `python -m bug_lsp.session` with these arguments; it keeps the descriptors `keep`."""
    # The marker is for what an agent starts; a session started by another is not that one's child.
    environment = {name: value for name, value in os.environ.items() if name != MARKER}
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, files.FILE_MODE)
    try:
        starter = subprocess.Popen(
            [sys.executable, "-P", "-m", "bug_lsp.session", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=cwd,
            env=environment,
            pass_fds=keep,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)

    def came_up() -> bool:
        try:
            return starter.wait(_UP_DEADLINE) == 0
        except subprocess.TimeoutExpired:
            starter.kill()
            starter.wait()
            return False

    return came_up
