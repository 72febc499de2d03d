"""Who a process is. A pid is used again after its process is gone, so a process is named by its
pid together with the moment it was born.

Imported before anything heavy when a session process starts: standard library only.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress

MARKER = "BUG_LSP_SESSION"
"""Environment variable that everything an agent starts inherits: `debugRunId/sessionId`."""


def birth(pid: int) -> str | None:
    """When the process was born, in the system's own words; None when there is no such process or
    it is a zombie (dead, but not yet waited for).
    """
    return _birth_linux(pid) if sys.platform == "linux" else _birth_elsewhere(pid)


def _birth_elsewhere(pid: int) -> str | None:
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else repr(process.create_time())
    except psutil.Error:
        return None


def _birth_linux(pid: int) -> str | None:
    try:
        stat = _read(f"/proc/{pid}/stat")
    except OSError:
        return None
    # The name in brackets may hold spaces and brackets; what follows the last one is regular.
    fields = stat[stat.rfind(b")") + 2 :].split()
    state, start = fields[0], fields[19]
    return None if state in (b"Z", b"X") else f"{_boot()}:{start.decode()}"


def _read(path: str) -> bytes:
    with open(path, "rb") as file:  # noqa: PTH123 - pathlib takes longer to import than all of this
        return file.read()


def _boot() -> str:
    # Ticks since boot: without the boot's own name they would mean something else after the next.
    try:
        return _read("/proc/sys/kernel/random/boot_id")[:8].decode()
    except OSError:
        return "boot"


def alive(pid: int, born: str) -> bool:
    """Whether this very process still runs."""
    return birth(pid) == born


def me() -> tuple[int, str]:
    """(pid, birth) of the running process."""
    pid = os.getpid()
    return pid, birth(pid) or ""


def with_variable(name: str, value: str) -> Iterator[int]:
    """The processes that were started with this in their environment. Never the caller."""
    if sys.platform != "linux":
        yield from _with_variable_elsewhere(name, value)
        return
    wanted = f"{name}={value}".encode()
    # Read directly: psutil would decode every variable of every process.
    for entry in os.listdir("/proc"):  # noqa: PTH208 - at every end of a session: cheap
        if entry.isdigit() and int(entry) != os.getpid():
            with suppress(OSError):
                if wanted in _read(f"/proc/{entry}/environ").split(b"\0"):
                    yield int(entry)


def _with_variable_elsewhere(name: str, value: str) -> Iterator[int]:
    import psutil

    for process in psutil.process_iter():
        if process.pid != os.getpid():
            with suppress(psutil.Error, OSError):
                if process.environ().get(name) == value:
                    yield process.pid
