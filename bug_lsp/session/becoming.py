"""Becoming a session's process: detached from whoever started it, and named on disk.

Imported before anything heavy, so that a session is seen to run at once.
"""

from __future__ import annotations

import os
import signal
from contextlib import suppress
from datetime import UTC, datetime

from bug_lsp.store.files import create_once
from bug_lsp.store.processes import me

_NICE = 10
"""What `nice` takes where nobody says how much."""


def detach() -> int:
    """Leave whoever started it, by a second fork and a session of its own: editors kill their
    server's process tree by parent ids, and that must not reach it.

    Returns the descriptor to which a byte is written when the starter need not wait any more.
    """
    reader, writer = os.pipe()
    if os.fork():
        os.close(writer)
        os._exit(0 if os.read(reader, 1) else 1)
    os.close(reader)
    os.setsid()
    _give_way()
    return writer


def _give_way() -> None:
    """Leave the processor to the editor and its server where there is not enough for all: agents
    and what they run inherit this.
    """
    os.nice(max(0, _NICE - os.nice(0)))  # started by another session it has given way already
    # Where Linux divides the processor among sessions first, as on most desktops, only this counts.
    with suppress(OSError), open("/proc/self/autogroup", "w") as group:  # noqa: PTH123
        group.write(str(_NICE))


def outlast_signals() -> None:
    """Until the session listens to it, a signal must not kill what the starter sees running: who
    cancels leaves a file too.
    """
    # A function, not SIG_IGN, which everything started would inherit.
    signal.signal(signal.SIGTERM, _later)
    signal.signal(signal.SIGINT, _later)


def _later(_signal: int, _frame: object) -> None:
    """Let it be: the session looks for a cancel when it listens."""


def name_itself(folder: str) -> bool:
    """Say on disk that this process is the session. False where another one is it already."""
    pid, born = me()
    started = datetime.now(UTC).isoformat(timespec="milliseconds")
    # By hand: json and pathlib would take longer than all the rest.
    process = f'{{"pid": {pid}, "birth": "{born}", "startedAt": "{started}"}}'
    return create_once(f"{folder}/process.json", process.encode())
