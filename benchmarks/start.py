"""What it takes to be there: the server's start, its memory and its rest; a session's memory.

The server's peer is the least that pygls can be. A session's peer is a Python that has imported
what its agent's library needs, and, for Codex, has a client that is connected to the real program.
"""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from pathlib import Path

import psutil

from bug_lsp.session import cancel
from bug_lsp.store import runs
from tests.codex_home import write_codex_home
from tests.lsp.raw import Raw
from tests.scripted_model.thread import scripted_model
from tests.support.runs import WAITS, Started, start

from .client import Client
from .rows import Row
from .stage import environment, stage
from .waiting import finished

_REST = 10.0
_MEGABYTE = 1 << 20
_OURS = ("-m", "bug_lsp", "serve")
_MINIMAL = ("-m", "benchmarks.minimal_server")
_ANY_AGENT = "import anyio.to_thread, anyio._backends._asyncio, pydantic"
_CODEX = "from openai_codex import Codex; client = Codex(); client.__enter__()"
_THEN_WAIT = "\nprint('ready', flush=True); input()"


def rows(*, quick: bool = False) -> list[Row]:
    """All of it."""
    with stage() as root:
        started = _cold(root, 3 if quick else 11)
        memory, switches, processor = asyncio.run(_at_rest(root))
        command = _session(root)
        codex = _codex(root)
    return [
        Row(
            "From the server's start to its first answer",
            started[0] * 1000,
            1.3 * started[1] * 1000,
            peer="1.3 times a minimal pygls server",
        ),
        Row("The server's memory", memory, 65, "MB"),
        Row(f"→ its threads' wake-ups in {_REST:.0f} s in which nothing happens", switches, 0, ""),
        Row("→ its processor time meanwhile", processor * 1000, 0),
        _above("A session's memory, agent `command`", *command, "Python with anyio and pydantic"),
        _above("→ agent `codex`", *codex, "Python with a client of Codex's own library"),
    ]


def _above(what: str, ours: float, bare: float, name: str) -> Row:
    return Row(what, ours, bare + 30, "MB", peer=f"30 MB more than {name}")


def _cold(root: Path, rounds: int) -> tuple[float, float]:
    """Seconds to the first answer, of our server and of the minimal one, measured in turns."""
    found = [
        (asyncio.run(_first_answer(root, *_OURS)), asyncio.run(_first_answer(root, *_MINIMAL)))
        for _ in range(rounds + 1)
    ][1:]
    return statistics.median(one for one, _ in found), statistics.median(one for _, one in found)


async def _first_answer(root: Path, *arguments: str) -> float:
    began = time.perf_counter()
    pipe = asyncio.subprocess.PIPE
    server = Raw(
        await asyncio.create_subprocess_exec(
            sys.executable, *arguments, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL
        )
    )
    try:
        await server.initialise(root.as_uri())
        return time.perf_counter() - began
    finally:
        await server.end()


async def _at_rest(root: Path) -> tuple[float, int, float]:
    """The server's megabytes, and how often it woke and what it computed while nobody asked."""
    async with Client.on(root) as editor:
        await editor.do("listDebugRuns")
        await asyncio.sleep(1)  # what a start leaves behind is over
        server = editor.server
        memory = server.memory_info().rss / _MEGABYTE
        before, spent = _switches(server), sum(server.cpu_times()[:2])
        await asyncio.sleep(_REST)
        return memory, _switches(server) - before, sum(server.cpu_times()[:2]) - spent


def _switches(process: psutil.Process) -> int:
    """How often its threads have gone to sleep, all together."""
    statuses = Path("/proc", str(process.pid), "task").glob("*/status")
    lines = (line for path in statuses for line in path.read_text().splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith("voluntary_"))


def _session(root: Path) -> tuple[float, float]:
    """Megabytes of a session process whose agent works, and of its peer."""
    run = start(root, WAITS)
    run.wait_ready(0)
    return _ended(run), _bare(_ANY_AGENT)


def _codex(root: Path) -> tuple[float, float]:
    """The same with the real Codex."""
    with scripted_model() as model:
        model.load("codex", {"cwd": ".", "steps": [{"hang": 600, "text": "never said"}]})
        with environment(write_codex_home(root.parent / "home", model.url("codex"))):
            run = start(root, "codex")
            model.wait_until_asked("codex")
            return _ended(run), _bare(_CODEX)


def _ended(run: Started) -> float:
    """The megabytes of the run's one session, which is cancelled then."""
    process = runs.process(run.sessions[0])
    assert process is not None
    memory = psutil.Process(process.pid).memory_info().rss / _MEGABYTE
    cancel.cancel_run(run.folder)
    finished(run.folder)
    return memory


def _bare(code: str) -> float:
    peer = subprocess.Popen(
        [sys.executable, "-c", code + _THEN_WAIT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with peer:
        assert peer.stdout
        assert peer.stdout.readline() == b"ready\n"
        memory = psutil.Process(peer.pid).memory_info().rss / _MEGABYTE
        for process in psutil.Process(peer.pid).children(recursive=True):
            process.kill()
        peer.kill()
    return memory
