"""The server's life: read messages until the editor goes, a signal comes or `exit` is said.

pygls's own loop dies of SIGTERM without cleaning up, hangs at SIGINT, hops to a thread for every
header line and blocks its event loop while a client does not read; this one does none of that.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import stat
import sys
import threading
from typing import Any, Protocol

import anyio
from lsprotocol import types

from .door import Door

log = logging.getLogger(__name__)

MAX_MESSAGE = 64_000_000
_CLEAN_UP_SECONDS = 5.0


class Writer(Protocol):
    """What is needed of a transport's sending side."""

    def write(self, data: bytes) -> None:
        """Send without waiting."""

    def close(self) -> None:
        """Send no more."""

    def backlog(self) -> int:
        """Bytes that the client has not taken yet."""


class FileWriter:
    """Writes to a regular file, which always takes what it is given."""

    def __init__(self, descriptor: int) -> None:
        self._file = os.fdopen(descriptor, "wb", 0)

    def write(self, data: bytes) -> None:
        """Write it."""
        self._file.write(data)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def backlog(self) -> int:
        """Nothing waits."""
        return 0


class PipeWriter:
    """Writes to a pipe without ever waiting for its reader."""

    def __init__(self, transport: asyncio.WriteTransport) -> None:
        self._transport = transport

    def write(self, data: bytes) -> None:
        """Send, or keep until the client reads again."""
        self._transport.write(data)

    def close(self) -> None:
        """Send what is left, then close."""
        self._transport.close()

    def backlog(self) -> int:
        """Bytes that the client has not taken yet."""
        return self._transport.get_write_buffer_size()


async def run(door: Door, reader: asyncio.StreamReader, writer: Writer) -> int:
    """Serve one client to its end; returns the exit code."""
    door.protocol.set_writer(writer)
    door.backlog = writer.backlog
    code = 0
    async with anyio.create_task_group() as group:
        door.tasks = group

        async def end_at_signal() -> None:
            nonlocal code
            with anyio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for number in signals:
                    code = 128 + number
                    group.cancel_scope.cancel()

        group.start_soon(end_at_signal)
        try:
            code = await _read(door, reader)
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_CLEAN_UP_SECONDS):
                await door.close()
            group.cancel_scope.cancel()
    return code


async def _read(door: Door, reader: asyncio.StreamReader) -> int:
    """Handle messages until `exit` (0 after `shutdown`, else 1) or the end of the stream (0)."""
    while True:
        body = await _message(reader)
        if body is None:
            return 0
        data = _decode(door, body)
        if data is None:
            continue
        if data.get("method") == types.EXIT:
            return 0 if door.protocol.shut_down else 1
        if door.protocol.initialised:
            door.load()
        _handle(door, data)


async def _message(reader: asyncio.StreamReader) -> bytes | None:
    """The next message's body; None at the end of the stream. Garbage before it is passed over."""
    length = 0
    while True:
        try:
            line = await reader.readline()
        except ValueError:  # longer than the buffer: not a header of ours
            continue
        if not line:
            return None
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            length = int(value)
        elif not line.strip() and length:
            break
    try:
        return await _exactly(reader, length)
    except asyncio.IncompleteReadError:
        return None


async def _exactly(reader: asyncio.StreamReader, length: int) -> bytes:
    if length <= MAX_MESSAGE:
        return await reader.readexactly(length)
    while length > 0:  # too large to keep, but the stream goes on behind it
        length -= len(await reader.readexactly(min(length, 1_000_000)))
    return b""


def _decode(door: Door, body: bytes) -> dict[str, Any] | None:
    try:
        data = json.loads(body)
    except (ValueError, RecursionError):
        data = None
    if isinstance(data, dict) and data.get("jsonrpc") == "2.0":
        return data
    identity = data.get("id") if isinstance(data, dict) else None
    if identity is None or isinstance(identity, int | str):
        code = types.ErrorCodes.ParseError if data is None else types.ErrorCodes.InvalidRequest
        _answer(door, identity, code, "this is not a JSON-RPC 2.0 message")
    return None


def _answer(door: Door, identity: Any, code: int, message: str) -> None:
    # By hand: a parse error is answered with the id null, which lsprotocol's types do not allow.
    error = {"code": int(code), "message": message}
    body = json.dumps({"jsonrpc": "2.0", "id": identity, "error": error}).encode()
    writer = door.protocol.writer
    assert writer is not None  # noqa: S101 - set before the first message is read
    writer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))


def _handle(door: Door, data: dict[str, Any]) -> None:
    method, identity = data.get("method"), data.get("id")
    if identity is not None and not isinstance(identity, int | str):
        return
    wrong = _wrong(door, method) if "method" in data else None
    if wrong is not None:
        if identity is not None:
            _answer(door, identity, *wrong)
        return  # a notification before `initialize` is dropped, as LSP says
    message = door.protocol.structure(data)
    if message is None:
        return
    if method is not None and hasattr(message, "id") != (identity is not None):
        # A request that nobody waits for is not done; one that is none is still answered.
        if identity is not None:
            _answer(door, identity, types.ErrorCodes.InvalidRequest, f"{method} is no request")
        return
    try:
        door.protocol.handle_message(message)
    except Exception:
        log.exception("a message of method %r could not be handled", method)
        if method is not None and identity is not None:
            _answer(door, identity, types.ErrorCodes.InternalError, "internal error; see the log")


def _wrong(door: Door, method: object) -> tuple[int, str] | None:
    """Why nothing of this method can be done now."""
    if not isinstance(method, str):
        return types.ErrorCodes.InvalidRequest, "its method is not a string"
    if door.protocol.shut_down:
        return types.ErrorCodes.InvalidRequest, "the server is shutting down"
    if method == types.INITIALIZE:
        if door.protocol.initialised:
            return types.ErrorCodes.InvalidRequest, "the server is initialised already"
    elif not door.protocol.initialised:
        return types.ErrorCodes.ServerNotInitialized, "send `initialize` first"
    return None


async def stdio() -> tuple[asyncio.StreamReader, Writer]:
    """Standard input and output as streams. What anybody prints goes to standard error instead:
    standard output is the wire.
    """
    wire = os.dup(sys.stdout.fileno())
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 16)
    if _can_be_waited_for(sys.stdin.fileno()):
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    else:
        threading.Thread(target=_feed, args=(loop, reader), daemon=True).start()
    if not _can_be_waited_for(wire):
        return reader, FileWriter(wire)
    transport, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, os.fdopen(wire, "wb", 0))
    return reader, PipeWriter(transport)


def _can_be_waited_for(descriptor: int) -> bool:
    """Whether the event loop can watch it: a pipe, a socket or a terminal, but no file."""
    mode = os.fstat(descriptor).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(descriptor)


def _feed(loop: asyncio.AbstractEventLoop, reader: asyncio.StreamReader) -> None:
    while data := os.read(sys.stdin.fileno(), 1 << 16):
        loop.call_soon_threadsafe(reader.feed_data, data)
    loop.call_soon_threadsafe(reader.feed_eof)
