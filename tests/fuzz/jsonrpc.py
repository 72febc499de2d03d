"""A real server that is told thousands of random and mutated messages: each request is answered
once, no answer holds a traceback, the server lives, and its memory stays bounded.

`python -m tests.fuzz.jsonrpc --messages 100000 --seed 1` from the root of the repository.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.fuzz.messages import Maker, wants_reply

BATCH = 100
"""Messages that are sent before the replies to them are waited for."""
DEADLINE = 20.0
GROWTH = 30_000_000
"""Bytes that the server may have more at the end than after a tenth of all messages."""
_OPTIONS = {
    "agents": {"missing": {"type": "command", "command": ["no-such-program-of-anybody"]}},
    "defaultAgents": ["missing"],
}
"""Nothing can be started by chance."""
_CAPABILITIES = {
    "workspace": {"configuration": True, "applyEdit": True, "textDocumentContent": {}},
    "window": {"workDoneProgress": True, "showDocument": {"support": True}},
}


@dataclass
class Outcome:
    """What came of it."""

    messages: int = 0
    replies: int = 0
    errors: Counter[int] = field(default_factory=Counter)
    grown: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        codes = ", ".join(f"{count} x {code}" for code, count in sorted(self.errors.items()))
        return (
            f"{self.messages:,} messages in {self.seconds:.0f} s, {self.replies:,} replies, each "
            f"to its request; errors: {codes}; memory {self.grown / 1e6:+.1f} MB"
        )


class _Client:
    """Sends, counts the replies to each id, and answers the server at random."""

    def __init__(self, process: asyncio.subprocess.Process, seed: int) -> None:
        self.process = process
        self.due: Counter[str] = Counter()
        self.outcome = Outcome()
        self._random = random.Random(seed)
        self._heard = asyncio.Event()

    def send(self, body: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))

    async def listen(self) -> None:
        """Read whatever the server says, to its end."""
        assert self.process.stdout is not None
        while header := await self.process.stdout.readline():
            length = int(header.removeprefix(b"Content-Length: "))
            while (await self.process.stdout.readline()).strip():
                pass
            text = await self.process.stdout.readexactly(length)
            assert b"Traceback" not in text, text
            assert b"site-packages" not in text, text
            self._hear(json.loads(text))
            self._heard.set()

    def _hear(self, message: dict[str, Any]) -> None:
        if "method" in message:
            if "id" in message:
                self._answer(message["id"])
            return
        assert "id" in message, f"a reply to nothing: {message}"
        key = json.dumps(message["id"])
        assert self.due[key] > 0, f"a reply that nobody is waiting for: {message}"
        self.due[key] -= 1
        self.outcome.replies += 1
        if "error" in message:
            self.outcome.errors[message["error"]["code"]] += 1
            assert message["error"]["code"] != -32603, message  # a mistake of ours

    def _answer(self, identity: Any) -> None:
        error = {"code": -32601, "message": "no"}
        result = self._random.choice([None, [], [{}], [None], {"applied": 7}, {"success": 1}, "x"])
        told = self._random.choice([{"result": result}, {"error": error}, {}])
        self.send(json.dumps({"jsonrpc": "2.0", "id": identity, **told}).encode())

    async def all_replied(self) -> None:
        async with asyncio.timeout(DEADLINE):
            while +self.due:
                self._heard.clear()
                await self._heard.wait()


async def fuzz(messages: int, seed: int, root: Path) -> Outcome:
    """Raises `AssertionError` with the seed and the messages where the server does wrong."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bug_lsp", "serve",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL, limit=1 << 24,
    )  # fmt: skip
    client = _Client(process, seed)
    listening = asyncio.create_task(client.listen())
    began = time.monotonic()
    try:
        await _hello(client, root)
        maker, early = Maker(seed, root.as_uri()), 0
        for first in range(0, messages, BATCH):
            sent = [maker.next() for _ in range(min(BATCH, messages - first))]
            await _batch(client, listening, sent, f"seed {seed}, message {first} and on")
            if not early and first >= messages // 10:
                early = psutil.Process(process.pid).memory_info().rss
        client.outcome.messages = messages
        client.outcome.grown = psutil.Process(process.pid).memory_info().rss - early
        assert client.outcome.grown < GROWTH, client.outcome
        client.outcome.seconds = time.monotonic() - began
        return client.outcome
    finally:
        process.kill()
        await process.wait()
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


async def _hello(client: _Client, root: Path) -> None:
    params = {
        "processId": None,
        "rootUri": root.as_uri(),
        "capabilities": _CAPABILITIES,
        "initializationOptions": _OPTIONS,
    }
    client.due[json.dumps("hello")] += 1
    hello = {"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": params}
    client.send(json.dumps(hello).encode())
    await client.all_replied()
    client.send(b'{"jsonrpc": "2.0", "method": "initialized", "params": {}}')


async def _batch(
    client: _Client, listening: asyncio.Task[None], sent: list[bytes], where: str
) -> None:
    for body in sent:
        due, identity = wants_reply(body)
        if due:
            client.due[json.dumps(identity)] += 1
        client.send(body)
    replied = asyncio.create_task(client.all_replied())
    await asyncio.wait({replied, listening}, return_when=asyncio.FIRST_COMPLETED)
    if replied.done() and replied.exception() is None and not listening.done():
        return
    replied.cancel()
    await asyncio.gather(replied, return_exceptions=True)
    problem = listening.exception() if listening.done() else None
    asked = [(body, *wants_reply(body)) for body in sent]
    guilty = [body[:1_000] for body, due, name in asked if due and json.dumps(name) in +client.due]
    log = Path(os.environ["BUG_LSP_STATE_DIR"], "server.log").read_text(errors="replace")
    what = problem or f"no reply to {guilty[:5]}"
    raise AssertionError(f"{where}: {what}\n{log[-6_000:]}") from problem


def main() -> None:
    """The long form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder).resolve()
        for name in ("HOME", "BUG_LSP_STATE_DIR", "BUG_LSP_CONFIG"):
            os.environ[name] = str(place / name.lower())
        (place / "work").mkdir()
        sys.stdout.write(f"{asyncio.run(fuzz(asked.messages, asked.seed, place / 'work'))}\n")


if __name__ == "__main__":
    main()
