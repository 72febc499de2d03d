"""What an editor meets first: pygls's server, which answers `initialize` and imports nothing of the
rooms below. What does the work is loaded behind it, when the next message is there: by then the
editor has its answer, and waits for nothing.
"""

from __future__ import annotations

import gc
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from pygls.exceptions import JsonRpcException
from pygls.lsp.server import LanguageServer

import bug_lsp

from .protocol import INTERNAL, Protocol

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

    from .server import BugLspServer

log = logging.getLogger(__name__)


class Door(LanguageServer):
    """The wire to one editor."""

    protocol: Protocol

    def __init__(self) -> None:
        super().__init__("bug-lsp", bug_lsp.__version__, protocol_cls=Protocol)
        self.tasks: TaskGroup
        self.backlog: Callable[[], int] = lambda: 0
        self._server: BugLspServer | None = None

    def load(self) -> None:
        """Load what does the work, unless it is there."""
        if self._server is None:
            from .features import create_server

            self._server = create_server(self)
            gc.freeze()  # what is loaded by now stays: no collection need look at it again

    async def close(self) -> None:
        """Let go of everything. The runs go on."""
        if self._server is not None:
            await self._server.close()

    def report_server_error(self, error: Exception, source: object) -> None:
        """Pygls would show it to the user, who can do nothing about it."""
        answered = isinstance(error, JsonRpcException) and error.code != INTERNAL.code
        level = logging.INFO if answered else logging.ERROR
        log.log(level, "%s: %s", getattr(source, "__name__", source), error)
