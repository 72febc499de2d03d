"""`python -m bug_lsp.session FOLDER`: become the detached session process of that folder.

It leaves whoever started it by a second fork and a session of its own: editors kill their server's
process tree by parent ids, and that must not reach it. It names itself on disk before anything
heavy is imported, so that the session is seen to run at once.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from datetime import UTC, datetime

from bug_lsp.store.files import create_once
from bug_lsp.store.processes import me


def main() -> None:
    """Detach, then do the session's work."""
    folder = sys.argv[1]
    reader, writer = os.pipe()
    if os.fork():
        # The starter waits for this process alone: it ends as soon as the session is on disk.
        os.close(writer)
        os._exit(0 if os.read(reader, 1) else 1)
    os.close(reader)
    os.setsid()
    # Until the session listens to it, a signal must not kill what the starter sees running: who
    # cancels leaves a file too. A function, not SIG_IGN, which everything started would inherit.
    signal.signal(signal.SIGTERM, _later)
    signal.signal(signal.SIGINT, _later)
    began = time.monotonic()
    is_me = _name_itself(folder)
    os.write(writer, b"1")
    os.close(writer)
    if not is_me:
        os._exit(0)  # somebody else is this session already, so it is up

    from pathlib import Path

    from .work import work

    work(Path(folder), began)


def _later(_signal: int, _frame: object) -> None:
    """Let it be: the session looks for a cancel when it listens."""


def _name_itself(folder: str) -> bool:
    pid, born = me()
    started = datetime.now(UTC).isoformat(timespec="milliseconds")
    # By hand: json and pathlib would take longer than all the rest.
    process = f'{{"pid": {pid}, "birth": "{born}", "startedAt": "{started}"}}'
    return create_once(f"{folder}/process.json", process.encode())


main()
