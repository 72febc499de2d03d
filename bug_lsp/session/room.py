"""How much of the disk a session may take: what is recorded of it is cut short, and a session whose
copy grows without end is ended before it has filled the disk.

The tree is walked only where it may have grown: what the system says of the free space costs a few
microseconds, a walk through 100,000 files some seconds.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import anyio
import anyio.to_thread

from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.run import Base, Kind, Run, Spec
from bug_lsp.store.copy_environment import temporary_root
from bug_lsp.store.layout import SessionFolder
from bug_lsp.store.usage import taken
from bug_lsp.workspace import git
from bug_lsp.workspace.blobs import checked_out_sizes

from .prove import slots

_MB = 1_000_000
_LOOK_AGAIN = 1.0
_WALK_ANYWAY = 600.0
"""Seconds. Not every file system says at once what it has left."""
_WALK_SHARE = 0.02
"""Of the time; however large the tree is, walking through it takes no more."""
_LOG_SHARE = 10
"""`agent.log` may have the tenth part of what is recorded."""
_LOG_KEPT = 100_000
"""Bytes of its end that are left where it has more."""
_SHORTENED = (
    "> **agent.log is cut short**: it had more than {megabytes:g} MB, a tenth of the setting "
    "sessionOutputLimitMB; only its end is kept."
)
_PROOF_COPIES = 2
"""Copies that a proof has for each patch that it tries at the same time."""
_BLOCK = 4096


class Room:
    """What one session takes of the disk."""

    def __init__(self, folder: SessionFolder, run: Run, spec: Spec) -> None:
        self._folder = folder
        self._run = run
        self._copies = 1 if spec.kind is not Kind.PROOF else 1 + _PROOF_COPIES * slots(run)
        self._setting = run.session_disk_limit_mb
        self._limit = run.session_disk_limit_mb * _MB * self._copies
        self._log_limit = run.session_output_limit_mb * _MB / _LOG_SHARE
        self.recorded = run.session_output_limit_mb * _MB
        """Bytes of what is recorded of the session."""
        self._code: int | None = None
        self.over = False
        """Whether the session was ended for the room it took."""

    async def guard(self, note: Callable[[str], None]) -> AgentFailure:
        """Wait until the session has taken too much. What is cut short meanwhile is noted, once."""
        step = self._limit / 2
        free = _free(self._folder.path)
        walked, cost, told = time.monotonic(), 0.0, False
        while True:
            await anyio.sleep(_LOOK_AGAIN)
            if self.tidy() and not told:
                told = True
                note(_SHORTENED.format(megabytes=self._log_limit / _MB))
            since = time.monotonic() - walked
            grown = free - _free(self._folder.path) >= step
            if since < cost / _WALK_SHARE or not (grown or since > _WALK_ANYWAY):
                continue
            walked, free = time.monotonic(), _free(self._folder.path)
            used = await anyio.to_thread.run_sync(self._grown)
            cost = time.monotonic() - walked
            if used > self._limit:
                return self._failure(used)
            # The nearer the limit, the closer it looks.
            step = max(self._limit - used, self._limit / 10) / 2

    def tidy(self) -> bool:
        """Cut the log where it is too long; returns whether it was."""
        return shorten(self._folder.log, self._log_limit)

    def _failure(self, used: float) -> AgentFailure:
        self.over = True
        several = f" a copy, {self._copies} copies" if self._copies > 1 else ""
        return AgentFailure(
            FailureKind.QUOTA,
            f"it took {used / _MB:,.0f} MB of the disk besides the code, more than "
            f"{self._setting:,g} MB{several} (sessionDiskLimitMB); its copy was removed",
        )

    def _grown(self) -> int:
        """Bytes that the session has taken besides its copies of the code."""
        folder = self._folder
        places = [folder.copy, folder.scratch, folder.logs, temporary_root(folder.scratch)]
        used = taken(dict.fromkeys(places)).size_bytes
        if used <= self._limit and self._code is None:
            return used  # the rest matters only where it is much
        if self._code is None:
            self._code = self._copies * _checked_out(self._run.base)
        return used - self._code


def _checked_out(base: Base) -> int:
    """Bytes that the snapshot takes where it is checked out; 0 where it cannot be read."""
    try:
        sizes = checked_out_sizes(base)
    except (git.GitError, OSError):
        return 0
    return sum(-(-size // _BLOCK) * _BLOCK for size in sizes)


def shorten(log: Path, limit: float) -> bool:
    """Leave the end of a log that has more bytes than `limit`. Those who write to it append, so
    they go on where it ends then.
    """
    try:
        size = log.stat().st_size
        if size <= limit:
            return False
        with log.open("r+b") as file:
            file.seek(max(0, size - _LOG_KEPT))
            end = file.read(_LOG_KEPT)
            file.truncate(0)
        left_out = (
            f"[... {size - len(end):,} bytes are left out: this file may have {limit / _MB:g} MB, "
            "a tenth of the setting sessionOutputLimitMB ...]\n"
        )
        with log.open("ab") as file:
            file.write(left_out.encode() + end)
    except OSError:
        return False
    return True


def _free(folder: Path) -> int:
    seen = os.statvfs(folder)
    return seen.f_bfree * seen.f_frsize
