"""What ten thousand old runs cost the next one, and a server that starts.

The runs are copies of a real one under ids of their own, all of one task file; of their sessions
what is read of an ended one. Two workspaces, one
with ten of them and one with ten thousand, are measured in turns.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from bug_lsp.domain.ids import new_run_id, new_session_id
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder
from tests.support.runs import FINDS, start

from .client import Client
from .rows import Row
from .stage import project, stage
from .waiting import finished

_FEW, _MANY = 10, 10_000
_KEEP = {"keep_runs": 1_000_000}
_HOUR_AGO = 3_600_000
_OF_A_SESSION = {"spec.json", "result.json", "process.json"}


def rows(*, quick: bool = False) -> list[Row]:
    """All of it."""
    many = _MANY // 10 if quick else _MANY
    with stage() as first:
        second = project(first.parent / "second")
        for workspace, count in ((first, _FEW), (second, many)):
            done = start(workspace, FINDS, settings=_KEEP)
            finished(done.folder)
            _multiply(done.folder, count - 1)
        rounds = 3 if quick else 7
        one_more = _in_turns(_one_more, first, second, rounds)
        started = _in_turns(_started, first, second, rounds)
    return [
        Row(
            f"One more run after {many:,}",
            one_more[1] * 1000,
            1.2 * one_more[0] * 1000,
            peer=f"1.2 times what it takes after {_FEW}",
        ),
        Row(
            f"A server starts and answers `listDebugRuns` for ten after {many:,}",
            started[1] * 1000,
            started[0] * 1000 + 50,
            peer=f"50 ms more than after {_FEW}",
        ),
    ]


def _in_turns(
    measure: Callable[[Path], float], few: Path, many: Path, rounds: int
) -> tuple[float, float]:
    found = [(measure(few), measure(many)) for _ in range(rounds + 1)][1:]
    return statistics.median(one for one, _ in found), statistics.median(one for _, one in found)


def _one_more(workspace: Path) -> float:
    began = time.perf_counter()
    finished(start(workspace, FINDS, settings=_KEEP).folder)
    return time.perf_counter() - began


def _started(workspace: Path) -> float:
    return asyncio.run(_until_listed(workspace))


async def _until_listed(workspace: Path) -> float:
    began = time.perf_counter()
    async with Client.on(workspace) as editor:
        found = await editor.do("listDebugRuns", {"limit": _FEW})
        seconds = time.perf_counter() - began
    assert found["runs"]
    return seconds


def _multiply(done: RunFolder, times: int) -> None:
    """So many more runs that are like this one, and older."""
    index = done.workspace.task_index(Path(runs.load(done).task_path))
    paths = [path for path in done.path.iterdir() if path.is_file()]
    paths += [path for path in done.sessions.glob("*/*.json") if path.name in _OF_A_SESSION]
    files = {str(path.relative_to(done.path)): path.read_text() for path in paths}
    sessions = [path.name for path in done.sessions.iterdir()]
    now = time.time_ns() // 1_000_000 - _HOUR_AGO
    for number in range(times):
        names = {done.run_id: new_run_id(now - number * 1000)}
        names |= {session: new_session_id() for session in sessions}
        made = done.workspace.run(names[done.run_id])
        for session in sessions:
            (made.sessions / names[session]).mkdir(parents=True)
        for path, text in files.items():
            (made.path / _renamed(path, names)).write_text(_renamed(text, names))
        (index / made.run_id).touch()


def _renamed(text: str, names: dict[str, str]) -> str:
    for old, new in names.items():
        text = text.replace(old, new)
    return text
