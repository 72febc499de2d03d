"""What keeps a cell from disturbing us and the next one: a guard before its command line, and the
end of whatever it leaves running.

In a sandbox with a process namespace nothing is left in the first place. Without one, a process is
found by a variable that it inherits, or by the process session of one that is.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator

import psutil

from bug_lsp.store.processes import with_variable

MARKER = "BUG_LSP_CELL"
_PATIENCE = 10.0
_MOST_BLOCKS = 1_048_576

GUARD = (
    "/bin/sh",
    "-c",
    f'ulimit -c 0; ulimit -f {_MOST_BLOCKS} 2>/dev/null; "$@"; exit $?',
    "bug-lsp-cell",
)
"""Goes before every command line. It is the parent that a test may kill instead of us, and limits
a file to 512 MB: pytest keeps in a file what a test prints."""


def end(value: str) -> int:
    """End every process of a cell, and again until none is left; returns how many there were.
    Blocks.
    """
    ended: set[psutil.Process] = set()
    began = time.monotonic()
    while found := list(_living(value)):
        for process in found:
            with contextlib.suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(found, timeout=_PATIENCE)
        ended.update(found)
        if time.monotonic() - began > _PATIENCE:
            break
    return len(ended)


def _living(value: str) -> Iterator[psutil.Process]:
    marked = set(with_variable(MARKER, value))
    for pid in marked | (_of_same_session(marked) if marked else set()):
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if process.status() != psutil.STATUS_ZOMBIE:
                yield process


def _of_same_session(pids: set[int]) -> set[int]:
    sessions = {session for pid in pids if (session := _session(pid)) != os.getsid(0)}
    return {pid for pid in psutil.pids() if pid != os.getpid() and _session(pid) in sessions - {-1}}


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1
