"""An editor that is a pipe and a clock: it answers what it is asked, reads a document again when it
is told to, and notes when answers came. It parses little, so that what is measured is the server.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, Self

import psutil

from bug_lsp.store.layout import RunFolder, WorkspaceFolder
from tests.lsp.editor import FULL
from tests.lsp.raw import Raw

_DEADLINE = 120.0
_PAUSE = 0.02
"""Seconds between two requests of one who goes on asking."""


class Client(Raw):
    """One editor and its server."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        super().__init__(process)
        self.received = 0
        """Bytes that the server has sent."""
        self.on_text: Callable[[str, str], None] = lambda _uri, _text: None
        """Called with the address and the text of a document that was read."""
        self._root = Path()
        self._ids = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Any]] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    @classmethod
    @asynccontextmanager
    async def on(
        cls, root: Path, agents: Mapping[str, Any] | None = None, **settings: Any
    ) -> AsyncIterator[Self]:
        """An editor on a project, with these agents; gone at the end."""
        client = await cls.start()
        try:
            await client.open_project(root, agents, **settings)
            yield client
        finally:
            await client.end()

    async def open_project(
        self, root: Path, agents: Mapping[str, Any] | None = None, **settings: Any
    ) -> None:
        """Say hello, and listen from then on."""
        self._root = root
        shown = {
            name: {"type": "command", "command": list(one.command)}
            for name, one in (agents or {}).items()
        }
        orchestrator = {"agentType": "digest"}
        options = {"agents": shown, "orchestrator": orchestrator, **settings}
        await self.initialise(root.as_uri(), FULL, {"bugLsp": options})
        self._soon(self._listen())

    async def request(self, method: str, params: Any) -> Any:
        """The result of a request."""
        identity = next(self._ids)
        answered = self._asked[identity] = asyncio.get_running_loop().create_future()
        self.send({"jsonrpc": "2.0", "id": identity, "method": method, "params": params})
        async with asyncio.timeout(_DEADLINE):
            return await answered

    async def do(self, name: str, argument: Mapping[str, Any] | None = None) -> Any:
        """The result of a command."""
        params = {"command": name, "arguments": [dict(argument or {})]}
        return await self.request("workspace/executeCommand", params)

    async def debug(self, *agents: str, title: str = "Measured") -> tuple[RunFolder, list[str]]:
        """Start a run: its folder, and the addresses of its sessions' documents."""
        chosen = [{"agentType": agent} for agent in agents]
        run = await self.do("debugWithAgents", {"title": title, "agents": chosen})
        folder = WorkspaceFolder.of(self._root).run(run["debugRunId"])
        return folder, [one["uri"] for one in run["sessions"]]

    async def read(self, uri: str) -> None:
        """Read a document; from then on the server tells when there is more."""
        result = await self.request("workspace/textDocumentContent", {"uri": uri})
        self.on_text(uri, result["text"])

    async def latency(self) -> float:
        """Seconds until a request is answered that editors make at each move of the cursor."""
        here = {"line": 0, "character": 0}
        params = {
            "textDocument": {"uri": (self._root / "a.py").as_uri()},
            "range": {"start": here, "end": here},
            "context": {"diagnostics": []},
        }
        began = time.perf_counter()
        await self.request("textDocument/codeAction", params)
        return time.perf_counter() - began

    @asynccontextmanager
    async def asking(self) -> AsyncIterator[list[float]]:
        """Go on asking meanwhile; how long each answer took."""
        waits: list[float] = []

        async def ask() -> None:
            while True:
                waits.append(await self.latency())
                await asyncio.sleep(_PAUSE)

        task = asyncio.create_task(ask())
        try:
            yield waits
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    @property
    def server(self) -> psutil.Process:
        """The server's process."""
        return psutil.Process(self.process.pid)

    def pause(self) -> None:
        """Stop reading, as an editor that is suspended."""
        self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        self._transport.resume_reading()

    @property
    def _transport(self) -> Any:
        return self.process._transport.get_pipe_transport(1)  # noqa: SLF001 - there is no other way

    async def end(self) -> None:
        """End the server, and what still waits for it."""
        for task in self._tasks:
            task.cancel()
        await super().end()

    def _soon(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _listen(self) -> None:
        stdout = self.process.stdout
        assert stdout
        with suppress(asyncio.IncompleteReadError):
            while True:
                header = await stdout.readuntil(b"\r\n\r\n")
                length = int(header.split(b"Content-Length: ")[1].split(b"\r\n")[0])
                self._hear(json.loads(await stdout.readexactly(length)))
                self.received += len(header) + length

    def _hear(self, message: dict[str, Any]) -> None:
        method, identity = message.get("method"), message.get("id")
        if method is None:
            answered = self._asked.pop(identity, None)
            if answered is not None and not answered.done():
                self._settle(answered, message)
            return
        if identity is not None:
            result = {"success": True} if method == "window/showDocument" else None
            self.send({"jsonrpc": "2.0", "id": identity, "result": result})
        if method == "workspace/textDocumentContent/refresh":
            self._soon(self.read(message["params"]["uri"]))

    @staticmethod
    def _settle(answered: asyncio.Future[Any], message: dict[str, Any]) -> None:
        if "error" in message:
            answered.set_exception(RuntimeError(message["error"]["message"]))
        else:
            answered.set_result(message["result"])
