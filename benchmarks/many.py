"""The same output from one agent, and from four, sixteen and sixty-four of them.

A session is a process of its own, so more of them cost more: what each adds is told. Sixty-four are
four runs of sixteen at the same time.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from dataclasses import dataclass
from pathlib import Path

from bug_lsp.session import tree
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder, SessionFolder

from .client import Client
from .load import Usage, observed, shouts
from .rows import Row, milliseconds
from .stage import stage
from .waiting import until_finished

_IN_A_RUN = 16
_COUNTS = (1, 4, 16, 64)
_TOTAL = 64
"""Megabytes, of all agents together."""


@dataclass(frozen=True)
class _Took:
    wall: float
    processor: float
    """Of the sessions and all that they started."""
    used: Usage


def rows(*, quick: bool = False) -> list[Row]:
    """All of it."""
    tree.adopt_orphans()  # sessions leave their starter; what they used is told to their parent
    counts = _COUNTS[:2] if quick else _COUNTS
    took = {count: asyncio.run(_take(count)) for count in counts}
    found = []
    for count, one in took.items():
        waits = milliseconds(one.used.waits)
        what = f"{count} agents" if count > 1 else "One agent"
        told = f"{what}, {_TOTAL} MB in all"
        first = {"peer": "one agent", "beside": took[1].wall} if count > 1 else {}
        found += [
            Row.of(f"{told}: a request, p99", waits, 99, limit=150),
            Row("→ until all is done", one.wall, None, "s", **first),
            Row("→ processor time of the sessions", one.processor, None, "s"),
            Row("→ of the server", one.used.processor, None, "s"),
        ]
    least, most = counts[0], counts[-1]
    more = (took[most].processor - took[least].processor) / (most - least)
    return [*found, Row("Processor time that one more agent costs", more, None, "s")]


async def _take(count: int) -> _Took:
    in_a_run = min(count, _IN_A_RUN)
    with stage() as root:
        agents = shouts(_TOTAL // count)
        async with Client.on(root, agents, maxParallelAgents=in_a_run) as editor:
            began = time.perf_counter()
            started = [
                editor.debug(*["shouts"] * in_a_run, title=f"Measured {number}")
                for number in range(count // in_a_run)
            ]
            found = await asyncio.gather(*started)
            folders = [folder for folder, _ in found]
            await editor.read(found[0][1][0])

            async def done() -> None:
                await asyncio.gather(*(until_finished(folder, 300) for folder in folders))

            outputs = [path for one in folders for path in one.sessions.glob("*/output.md")]
            used = await observed(editor, outputs, done)
            wall = time.perf_counter() - began
        processor = sum(_used(one) for folder in folders for one in _sessions(folder))
    return _Took(wall, processor, used)


def _sessions(folder: RunFolder) -> list[SessionFolder]:
    return [folder.session(path.name) for path in Path(folder.sessions).iterdir()]


def _used(session: SessionFolder) -> float:
    """Seconds that an ended session's process and those below it have computed."""
    process = runs.process(session)
    assert process is not None
    with contextlib.suppress(ChildProcessError):
        _, _, usage = os.wait4(process.pid, 0)
        return usage.ru_utime + usage.ru_stime
    return 0.0
