"""From an agent's line to the editor that has it.

Each line says when it was written, by a clock that all processes share. The editor reads the
session's document whenever it is told to, and a line has arrived with the first text that holds it.
"""

from __future__ import annotations

import asyncio
import re
import time
from contextlib import suppress

from tests.support.runs import program

from .client import Client
from .rows import Row, milliseconds
from .stage import stage
from .waiting import until_finished

_WRITES = """
import random, sys, time
count, pause = int(sys.argv[1]), float(sys.argv[2])
for number in range(count):
    time.sleep(random.uniform(0, 2 * pause))
    print("line", number, time.monotonic_ns(), flush=True)
"""
_LINE = re.compile(r"line (\d+) (\d+)")


def rows(*, quick: bool = False) -> list[Row]:
    """All of it."""
    return asyncio.run(_rows(60 if quick else 200))


async def _rows(count: int) -> list[Row]:
    alone, lost = await _waits(1, count, 0.15)
    four, lost_too = await _waits(4, 2 * count, 0.02)
    told, busy = (
        "An agent writes a line → the editor has it",
        "→ the same, 4 agents, 50 lines/s each",
    )
    return [
        Row.of(f"{told}, p50", milliseconds(alone), 50, limit=60),
        Row.of(f"{told}, p99", milliseconds(alone), 99, limit=200),
        Row.of(f"{busy}, p50", milliseconds(four), 50),
        Row.of(f"{busy}, p99", milliseconds(four), 99, limit=200),
        Row("Lines that never arrived", lost + lost_too, 0, ""),
    ]


async def _waits(agents: int, count: int, pause: float) -> tuple[list[float], int]:
    """How many seconds each line took, and how many did not come."""
    arrived: dict[tuple[str, str], float] = {}
    open_still: set[str] = set()
    all_ended = asyncio.Event()

    def look(uri: str, text: str) -> None:
        now = time.monotonic_ns()
        if text.startswith("> **completed**"):
            open_still.discard(uri)
            if not open_still:
                all_ended.set()
        for number, written in _LINE.findall(text):
            arrived.setdefault((uri, number), (now - int(written)) / 1e9)

    with stage() as root:
        writes = program(_WRITES, count, pause)
        async with Client.on(root, {"writes": writes}) as editor:
            editor.on_text = look
            folder, documents = await editor.debug(*["writes"] * agents)
            open_still.update(documents)
            for uri in documents:
                await editor.read(uri)
            await until_finished(folder)
            with suppress(TimeoutError):  # what is missing then is counted
                await asyncio.wait_for(all_ended.wait(), 10)
    return list(arrived.values()), agents * count - len(arrived)
