"""Sixteen agents that print as fast as they can, while an editor works.

The editor has four of their documents open and asks something all the time. The peer runs the very
same programs into files: GNU parallel where it is there, which keeps lines whole, else xargs.
"""

from __future__ import annotations

import asyncio
import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from tests.support.runs import program

from .client import Client
from .rows import Row, milliseconds
from .stage import stage
from .waiting import until_finished

AGENTS = 16
_OPEN = 4
_LOOK = 0.25
_MEGABYTE = 1_000_000
_SHOUT = """
import sys
lines = b"".join(b"%04d %s\\n" % (number, b"x" * 244) for number in range(400))
for _ in range(int(sys.argv[1]) * 10):
    sys.stdout.buffer.write(lines)
"""
"""Megabytes in lines of 250 bytes."""


@dataclass
class Usage:
    """What the server took while agents were working."""

    seconds: float = 0.0
    processor: float = 0.0
    waits: list[float] = field(default_factory=list)
    memory: list[tuple[int, int]] = field(default_factory=list)
    """(bytes of output, bytes of the server's memory)."""

    @property
    def slope(self) -> float:
        """Bytes of memory for a byte of output, while there is more of it, from the first quarter
        on: of the line that fits best. What the server loads when sessions end is the same however
        much they have printed.
        """
        total = self.memory[-1][0]
        outputs, memory = zip(
            *((o, m) for o, m in self.memory if total / 4 <= o < total), strict=True
        )
        return statistics.linear_regression(outputs, memory).slope

    @property
    def most(self) -> int:
        """The most memory at any time, in bytes."""
        return max(memory for _, memory in self.memory)


def shouts(megabytes: int) -> dict[str, object]:
    """The agent that prints so much, by its name."""
    return {"shouts": program(_SHOUT, megabytes)}


def rows(*, quick: bool = False) -> list[Row]:
    """All of it."""
    return asyncio.run(_rows(3 if quick else 25))


async def _rows(each: int) -> list[Row]:
    with stage() as root:
        name, peer = _peer(root.parent, each)
        settings = {"maxParallelAgents": AGENTS}
        async with Client.on(root, shouts(each), **settings) as editor:
            began = time.perf_counter()
            folder, documents = await editor.debug(*["shouts"] * AGENTS)
            for uri in documents[:_OPEN]:
                await editor.read(uri)
            outputs = [one / "output.md" for one in folder.sessions.iterdir()]
            used = await observed(editor, outputs, lambda: until_finished(folder, 300))
            ended = time.perf_counter() - began
        kept = sum(path.read_bytes().count(b"x" * 244) for path in outputs)
    waits = milliseconds(used.waits)
    total = f"{AGENTS} agents print {each} MB each"
    return [
        Row.of(f"{total}: a request, p50", waits, 50, limit=10),
        Row.of(f"{total}: a request, p99", waits, 99, limit=40),
        Row.of(f"{total}: a request, worst", waits, 100, limit=150),
        Row("→ the server's share of one core", 100 * used.processor / used.seconds, 25, "%"),
        Row("→ the server's memory for each byte of output", used.slope, 0.005, "B"),
        Row("→ the server's memory at most", used.most / (1 << 20), None, "MB"),
        Row("→ lines kept, of those printed", kept / (AGENTS * each * 4000), 1, "", at_least=True),
        Row("→ until the synthesis is there", ended, None, "s", peer=name, beside=peer),
    ]


async def observed(editor: Client, outputs: list[Path], until: Callable[[], object]) -> Usage:
    """What the server takes until then, and how long requests wait."""
    used, server = Usage(), editor.server
    over = asyncio.ensure_future(until())
    began, before = time.perf_counter(), _processor(server)
    async with editor.asking() as used.waits:
        while not over.done():
            written = sum(path.stat().st_size for path in outputs if path.exists())
            used.memory.append((written, server.memory_info().rss))
            await asyncio.wait([over], timeout=_LOOK)
        await over
    used.seconds = time.perf_counter() - began
    used.processor = _processor(server) - before
    return used


def _processor(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def _peer(folder: Path, each: int) -> tuple[str, float]:
    """Who ran the programs into files, and in how many seconds."""
    files = folder / "files"
    files.mkdir()
    shout = [sys.executable, "-I", "-S", "-c", _SHOUT, str(each)]
    command = f"exec {shlex.join(shout)} > {shlex.quote(str(files))}/{{}}"
    if shutil.which("parallel"):
        name, runner = "GNU parallel", ["parallel", "--line-buffer", f"-j{AGENTS}", command]
    else:
        name, runner = "xargs", ["xargs", f"-P{AGENTS}", "-I{}", "sh", "-c", command]
    numbers = "".join(f"{number}\n" for number in range(AGENTS))
    began = time.perf_counter()
    subprocess.run(runner, input=numbers, text=True, check=True)
    seconds = time.perf_counter() - began
    shutil.rmtree(files)
    return f"the same programs into files, by {name}", seconds
