"""From the end of the last agent to the orchestrator.

The last moment of an agent is the one that it prints, at once before it ends. The others are those
of the files that the processes write: `result.json` (its session has ended), `start.claim` of the
orchestrator (the decision is made, its process is told or started at once) and `process.json` (its
session is `running`). When the process itself was born, which may be before all that
(`session/standby.py`), is what the kernel says of it, to a hundredth of a second. Codex's first
request is noted by the scripted model that the real Codex speaks to.

The peer is the least that anybody could do: a program that waits for another and then starts a
Python that writes a file. No timer is on either path.
"""

from __future__ import annotations

import contextlib
import os
import re
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bug_lsp.domain.run import CustomAgent
from bug_lsp.session import cancel
from bug_lsp.store import runs
from bug_lsp.store.layout import SessionFolder
from tests.codex_home import write_codex_home
from tests.scripted_model.server import ScriptedModel
from tests.scripted_model.thread import scripted_model
from tests.support.runs import CONCLUDES, Started, program, start

from .rows import Row, milliseconds
from .stage import environment, stage
from .waiting import finished

_TOUCH = "import sys; open(sys.argv[1], 'w').close()"
_LAST_WORD = program(
    "import os, time; os.write(1, b'ended at %d\\n' % time.time_ns()); os._exit(0)"
)
_LATER = program(
    "import os, time; time.sleep(5); os.write(1, b'ended at %d\\n' % time.time_ns()); os._exit(0)"
)
_TALKS = program("import time\nwhile True: print('still here', flush=True); time.sleep(0.1)")
_ENDED = re.compile(r"ended at (\d+)")
_OTHERS = 12


def rows(*, quick: bool = False) -> list[Row]:
    """All of it."""
    return [
        *_alone(3 if quick else 15),
        _beside_others(3 if quick else 7),
        *_codex(3 if quick else 5),
    ]


def _alone(count: int) -> list[Row]:
    moments, bare = [], []
    with stage() as workspace:
        _handover(workspace)  # the first one fills caches
        for _ in range(count):  # interleaved, so that all see the same machine
            bare.append(_bare(workspace.parent))
            moments.append(_handover(workspace))
    born, ended, told, running = zip(*moments, strict=True)
    peer = statistics.median(bare) * 1000
    return [
        Row.of(
            "The last agent ends → the orchestrator's process is born",
            milliseconds(born),
            50,
            limit=10,
        ),
        Row.of("→ its session has kept what it leaves, and has ended", milliseconds(ended), 50),
        Row.of("→ the orchestrator is claimed, and its process told", milliseconds(told), 50),
        Row.of("→ it is `running` on disk", milliseconds(running), 50, limit=80),
        Row(
            "The same",
            statistics.median(running) * 1000,
            None,
            peer="a program waits for another, starts a Python that writes a file",
            beside=peer,
        ),
    ]


def _beside_others(count: int) -> Row:
    with stage() as workspace, _others(workspace):
        running = [_handover(workspace)[3] for _ in range(count)]
    what = f"→ `running`, while {_OTHERS} other agents write ten lines a second each"
    return Row.of(what, milliseconds(running), 50, limit=200)


@contextlib.contextmanager
def _others(workspace: Path) -> Iterator[None]:
    run = start(workspace, *[_TALKS] * _OTHERS, settings={"max_parallel_agents": _OTHERS})
    try:
        run.wait(lambda: all("still here" in run.output(number) for number in range(_OTHERS)))
        yield
    finally:
        cancel.cancel_run(run.folder)
        finished(run.folder)


def _codex(count: int) -> list[Row]:
    what = "→ the first request of the real Codex to its model"
    with stage() as workspace, scripted_model() as model:
        home = write_codex_home(workspace.parent / "home", model.url("codex"))
        with environment(home):
            later, at_once = (
                [_asked(workspace, model, agent) for _ in range(count)]
                for agent in (_LATER, _LAST_WORD)
            )
    return [
        Row.of(f"{what}, where agents have worked for 5 s", milliseconds(later), 50, limit=1500),
        Row.of(
            f"{what}, where they end as soon as they have started",
            milliseconds(at_once),
            50,
            limit=1500,
        ),
    ]


def _asked(workspace: Path, model: ScriptedModel, agent: CustomAgent) -> float:
    """Seconds from the end of the last of two agents to the first request of the orchestrator."""
    model.load("codex", {"cwd": ".", "steps": [{"text": CONCLUDES.command[-1]}]})
    run = start(workspace, agent, agent, orchestrator="codex")
    finished(run.folder)
    first = next(one for one in model.requests("codex") if one["method"] == "POST")
    return float(first["time"]) - _ended(run)


def _handover(workspace: Path) -> tuple[float, float, float, float]:
    """Seconds from the last agent's end to the birth of the orchestrator's process (none where that
    was before), to the end of its session, to the orchestrator's claim, and to its process on disk.
    """
    run = start(workspace, _LAST_WORD, _LAST_WORD)
    finished(run.folder)
    [orchestrator] = run.orchestrators
    began = _ended(run)
    last = max(_written(session.result) for session in run.sessions)
    claimed, up = _written(orchestrator.start_claim), _written(orchestrator.process)
    born = max(0.0, _born(orchestrator) - began)
    return born, last - began, claimed - began, up - began


def _born(session: SessionFolder) -> float:
    """When the session's process was born, in seconds of the clock on the wall."""
    process = runs.process(session)
    assert process is not None
    ticks = int(process.birth.split(":")[1])
    booted = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
    return booted + ticks / os.sysconf("SC_CLK_TCK")


def _written(path: Path) -> float:
    return path.stat().st_mtime_ns / 1e9


def _ended(run: Started) -> float:
    """When the last agent ended."""
    said = [_ENDED.search(run.output(number)) for number in range(len(run.sessions))]
    return max(int(one[1]) for one in said if one) / 1e9


def _bare(folder: Path) -> float:
    """Seconds from the end of a program to a file of the next one, with nothing in between."""
    first, second = folder / "first", folder / "second"
    for path in (first, second):
        subprocess.run([sys.executable, "-c", _TOUCH, str(path)], check=True)
    seconds = second.stat().st_mtime_ns - first.stat().st_mtime_ns
    first.unlink()
    second.unlink()
    return seconds / 1e9
