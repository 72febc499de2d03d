"""A client that says whatever it is told to: for the edges of the protocol that a polite one never
reaches."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any, Self


class Raw:
    """A server on a pipe, and framed messages."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.others: list[dict[str, Any]] = []
        """What came besides the answers that were waited for."""

    @classmethod
    async def start(cls, env: dict[str, str] | None = None) -> Self:
        """Start a server."""
        return cls(
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bug_lsp", "serve",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                env={**os.environ, **(env or {})}, limit=1 << 24,
            )
        )  # fmt: skip

    def bytes(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self.process.stdin
        self.process.stdin.write(data)

    def send(self, message: Any) -> None:
        """Send a message, well framed, whatever is in it."""
        body = json.dumps(message).encode()
        self.bytes(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    async def message(self) -> dict[str, Any]:
        """The next message from the server."""
        assert self.process.stdout
        async with asyncio.timeout(60):
            header = await self.process.stdout.readuntil(b"\r\n\r\n")
            length = int(header.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            return json.loads(await self.process.stdout.readexactly(length))

    async def answer(self, identity: Any) -> dict[str, Any]:
        """The answer to a request."""
        while True:
            message = await self.message()
            if "method" not in message and message.get("id") == identity:
                return message
            self.others.append(message)

    async def ask(self, method: str, params: Any = None, identity: Any = 1) -> dict[str, Any]:
        """Send a request and wait for its answer."""
        self.send({"jsonrpc": "2.0", "id": identity, "method": method, "params": params})
        return await self.answer(identity)

    async def initialise(self, root: str, capabilities: Any = None, options: Any = None) -> None:
        """Say hello."""
        await self.ask(
            "initialize",
            {
                "processId": None,
                "rootUri": root,
                "capabilities": capabilities or {},
                "initializationOptions": options,
            },
            "hello",
        )
        self.send({"jsonrpc": "2.0", "method": "initialized", "params": {}})

    async def command(self, name: str, *arguments: Any, identity: Any = 7) -> dict[str, Any]:
        """The answer to a command."""
        params = {"command": name, "arguments": list(arguments)}
        return await self.ask("workspace/executeCommand", params, identity)

    async def ended(self) -> int:
        """The exit code, within a deadline."""
        return await asyncio.wait_for(self.process.wait(), 10)

    async def end(self) -> None:
        """End the server if it has not ended."""
        if self.process.returncode is None:
            self.process.kill()
        await self.process.communicate()
