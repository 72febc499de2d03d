"""Starting a detached session process."""

from __future__ import annotations

import os
import subprocess
import sys

from bug_lsp.store import faults, files
from bug_lsp.store.layout import SessionFolder
from bug_lsp.store.processes import MARKER

_UP_DEADLINE = 60.0


def spawn(folder: SessionFolder) -> subprocess.Popen[bytes]:
    """Start the session's process; `came_up` waits for it. Takes a millisecond or two."""
    # The marker is for what an agent starts; a session started by another is not that one's child.
    environment = {name: value for name, value in os.environ.items() if name != MARKER}
    faults.step("spawn", folder.path)
    descriptor = os.open(folder.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, files.FILE_MODE)
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "bug_lsp.session", str(folder.path)],
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            cwd=folder.path,
            env=environment,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)


def came_up(starter: subprocess.Popen[bytes]) -> bool:
    """Wait until the session is on disk. False if it never got there."""
    try:
        return starter.wait(_UP_DEADLINE) == 0
    except subprocess.TimeoutExpired:
        starter.kill()
        starter.wait()
        return False
