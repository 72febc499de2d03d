"""`bug-lsp serve`: logging, transport, and the loop."""

from __future__ import annotations

import asyncio
import logging
import logging.handlers
import os
import sys
from io import TextIOWrapper

import anyio

from bug_lsp.store.files import opener
from bug_lsp.store.guard import own
from bug_lsp.store.layout import state_root

from . import loop
from .door import Door

log = logging.getLogger(__name__)

_LOG_BYTES = 1_000_000


def serve(tcp: tuple[str, int] | None = None) -> int:
    """Serve one client on standard input and output, or on a TCP port for debugging."""
    _log()
    if tcp is None:
        code = anyio.run(_serve_stdio)
        # A thread that still waits for a regular file's next line must not keep the process.
        sys.stderr.flush()
        os._exit(code)
    return anyio.run(_serve_tcp, *tcp)


async def _serve_stdio() -> int:
    reader, writer = await loop.stdio()
    return await loop.run(Door(), reader, writer)


async def _serve_tcp(host: str, port: int) -> int:
    done: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        code = await loop.run(Door(), reader, loop.PipeWriter(writer.transport))
        if not done.done():
            done.set_result(code)

    listener = await asyncio.start_server(connected, host, port)
    async with listener:
        for socket in listener.sockets:
            sys.stderr.write("listening on {}:{}\n".format(*socket.getsockname()[:2]))
        return await done


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log for the user alone, also after it was begun anew."""

    def _open(self) -> TextIOWrapper:
        descriptor = opener(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        return os.fdopen(descriptor, "a", encoding="utf-8")


def _log() -> None:
    """To standard error and the state folder. pygls prints whole messages, prompts and outputs in
    them, at every level: it is not heard at all.
    """
    logging.getLogger("pygls").setLevel(logging.CRITICAL + 1)
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    try:
        folder = own(state_root())
        handlers.append(_LogFile(folder / "server.log", maxBytes=_LOG_BYTES, backupCount=1))
    except OSError as error:
        sys.stderr.write(f"bug-lsp: no log is kept: {error}\n")
    level = os.environ.get("BUG_LSP_LOG", "WARNING").upper()
    names = logging.getLevelNamesMapping()
    logging.basicConfig(
        level=names.get(level, logging.WARNING),
        format="%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s",
        handlers=handlers,
    )
