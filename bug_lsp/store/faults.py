"""Fault points: every step that changes what is kept can be held, failed, or died at, by its name.

Where the variable `BUG_LSP_FAULTS` names a Unix socket, each step asks there before it is made: one
line, `PID VERB PATH`. The answer is one line too: nothing to go on, `kill` to die here and now, or
the name of an error of the system, as `ENOSPC`, which is raised. Without it nothing is asked.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # not typing's: with that `re` would be imported
if TYPE_CHECKING:
    from pathlib import Path

_SOCKET = os.environ.get("BUG_LSP_FAULTS") or None


def step(verb: str, path: Path | str) -> None:
    """A step is about to be made."""
    if _SOCKET is not None:
        _ask(_SOCKET, verb, path)


def _ask(address: str, verb: str, path: Path | str) -> None:
    import errno
    import signal
    import socket

    with socket.socket(socket.AF_UNIX) as asked:
        try:
            asked.connect(address)
        except OSError:
            return  # who asked for faults has gone
        asked.sendall(f"{os.getpid()} {verb} {path}\n".encode(errors="surrogateescape"))
        answer = asked.makefile("rb").readline().decode().strip()
    if answer == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    elif answer:
        raise OSError(getattr(errno, answer), os.strerror(getattr(errno, answer)), str(path))
