"""Learning of a process's death from the system itself, by a descriptor that becomes readable."""

from __future__ import annotations

import os
import select
import sys
from typing import Any


class Death:
    """Readable when the process has ended. Raises ProcessLookupError if it is gone already."""

    def __init__(self, pid: int) -> None:
        self._queue: Any = None
        if sys.platform == "linux":
            self._descriptor = os.pidfd_open(pid)
        else:
            self._descriptor = self._watch_by_queue(pid)

    def _watch_by_queue(self, pid: int) -> int:
        system: Any = select  # the names below exist on macOS and the BSDs alone
        self._queue = system.kqueue()
        event = system.kevent(
            pid,
            filter=system.KQ_FILTER_PROC,
            flags=system.KQ_EV_ADD | system.KQ_EV_ONESHOT,
            fflags=system.KQ_NOTE_EXIT,
        )
        try:
            self._queue.control([event], 0)
        except BaseException:
            self._queue.close()
            raise
        descriptor: int = self._queue.fileno()
        return descriptor

    def fileno(self) -> int:
        """For the event loop."""
        return self._descriptor

    def close(self) -> None:
        """Let go of the descriptor."""
        if self._queue is not None:
            self._queue.close()
        else:
            os.close(self._descriptor)
