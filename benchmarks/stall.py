"""An editor that does not read for half a minute, while eight agents write and end.

It has their documents open and has asked something at the moment at which it stops. What the server
has gathered for it meanwhile is what it then reads before the answer to its next request.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import suppress

from bug_lsp.store import runs
from tests.support.runs import program

from .client import Client
from .rows import Row
from .stage import stage
from .waiting import until_finished

_AGENTS = 8
_WRITES = """
import sys, time
until = time.monotonic() + float(sys.argv[1])
while time.monotonic() < until:
    print("x" * 1000, flush=True)
    time.sleep(0.01)
"""


def rows(*, quick: bool = False) -> list[Row]:
    """All of it."""
    return asyncio.run(_rows(10 if quick else 30))


async def _rows(seconds: float) -> list[Row]:
    writes = {"writes": program(_WRITES, seconds / 3)}
    with stage() as root:
        async with Client.on(root, writes, maxParallelAgents=_AGENTS) as editor:
            folder, documents = await editor.debug(*["writes"] * _AGENTS)
            for uri in documents:
                await editor.read(uri)
            editor.pause()
            before, memory = editor.received, editor.server.memory_info().rss
            asked = asyncio.ensure_future(editor.latency())
            again = time.monotonic() + seconds
            with suppress(TimeoutError):  # what has not come about then is told below
                await until_finished(folder, seconds)
            await asyncio.sleep(again - time.monotonic())
            status = runs.status(folder)
            grown = editor.server.memory_info().rss - memory
            editor.resume()
            answered = await editor.latency()
            await asked
            gathered = editor.received - before
    orchestrator = status.orchestrator
    concluded = orchestrator is not None and orchestrator.status == "completed"
    told = f"An editor that does not read for {seconds:.0f} s, {_AGENTS} agents"
    return [
        Row(
            f"{told}: agents that end meanwhile", status.completed_count, _AGENTS, "", at_least=True
        ),
        Row("→ orchestrators that conclude meanwhile", float(concluded), 1, "", at_least=True),
        Row("→ what waits for the editor then", gathered / 1_000_000, 1, "MB"),
        Row("→ the server's memory has grown by", grown / 1_000_000, None, "MB"),
        Row("→ its first answer, when it reads again", answered * 1000, 1000),
    ]
