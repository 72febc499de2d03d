"""Everything that an agent started, and its end.

Agents give their tools sessions of their own, so neither the process group nor the parent id finds
them all (openai/codex#21994, anthropics/claude-code#42532). What does is an environment variable
that everything an agent starts inherits; forked children, whose environment the system does not
show anew, are found as children.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
import time
from collections.abc import Iterable

import psutil

from bug_lsp.store.processes import MARKER, with_variable

GRACE = 2.0
"""Seconds between the polite signal and the other."""
_PATIENCE = 10.0
_PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> None:
    """Become the parent of what the agent leaves behind, so that a daemon which has also dropped
    the marker is still found among our children. Linux alone has this.
    """
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def marker(run_id: str, session_id: str) -> str:
    """The value that marks what belongs to this session."""
    return f"{run_id}/{session_id}"


def marked(value: str) -> list[psutil.Process]:
    """The living processes that carry this marker. Never the caller."""
    return [process for process in _processes(with_variable(MARKER, value)) if _living(process)]


def _processes(pids: Iterable[int]) -> Iterable[psutil.Process]:
    for pid in pids:
        with contextlib.suppress(psutil.Error):
            yield psutil.Process(pid)


def _living(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def end(value: str, *, children_of: int | None = None) -> int:
    """End every process of a session: politely first, then not; again until none is left.

    Returns how many there were. `children_of` adds the descendants of that process.
    """
    ended: set[psutil.Process] = set()
    began = time.monotonic()
    while found := _all(value, children_of):
        polite = not ended
        for process in found:
            # psutil compares the time of birth before it signals: a stranger is never hit.
            with contextlib.suppress(psutil.Error):
                (process.terminate if polite else process.kill)()
            ended.add(process)
        psutil.wait_procs(found, timeout=GRACE)
        if time.monotonic() - began > _PATIENCE:
            break
    return len(ended)


def _all(value: str, children_of: int | None) -> list[psutil.Process]:
    found = {process.pid: process for process in marked(value)}
    if children_of is not None:
        with contextlib.suppress(psutil.Error):
            for process in psutil.Process(children_of).children(recursive=True):
                if _living(process):
                    found[process.pid] = process
    return list(found.values())
