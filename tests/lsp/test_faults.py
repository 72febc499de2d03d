"""Four vendors' real agents, as they are for their users, while their model service fails them or a
tool of theirs leaves something running: none hangs, lies, or leaves anything behind.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support.projects import fingerprint

from . import fault_table
from .conftest import REPORT
from .fault_table import Measured
from .vendors import VENDORS, scripted

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(200)]

FOR_EVER = 5000
ANSWER = {"text": f"Done.\n\n```json\n{json.dumps(REPORT)}\n```"}
ENDING_SECONDS = 6
"""Within so much after its deadline a session has ended, with all that it started."""
DAEMON = f"""{sys.executable} -c '
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: time.sleep(600)
    os._exit(0)
' {{token}}; echo started"""
"""Twice forked, in a session of its own, and the output of the tool in its hands."""


@dataclass(frozen=True)
class Fault:
    """What goes wrong, and how a session may end of it."""

    name: str
    steps: tuple[dict[str, Any], ...]
    ends: frozenset[str]
    seconds: float
    silence: float | None = None
    """How long an agent may be silent; else as long as the session may take."""

    @property
    def deadline(self) -> str:
        return f"{self.seconds} s" if self.silence is None else f"{self.silence} s of silence"


def fault(name: str, step: dict[str, Any], *ends: str, **deadlines: float) -> Fault:
    return Fault(name, ({**step, "times": FOR_EVER},), frozenset(ends), **deadlines)


FAULTS = [
    fault("refuses the key (401)", {"http": 401}, "auth", seconds=120),
    fault(
        "is busy for ever (429)",
        {"http": 429, "headers": {"retry-after": "1"}},
        "rateLimit",
        seconds=120,
    ),
    fault("is broken for ever (500)", {"http": 500}, "timeout", seconds=20),
    fault(
        "cuts each answer off",
        {"text": "Half an ans", "cut": True},
        "internal",
        "timeout",
        seconds=25,
    ),
    fault("never answers", {"hang": 600}, "timeout", seconds=60, silence=25),
    fault(
        "falls silent in its answer",
        {"text": "Half an ans", "hang": 600},
        "timeout",
        seconds=60,
        silence=20,
    ),
    Fault("answers with 10 MB", ({"big": 10_000_000},), frozenset({"completed"}), 120),
    Fault(
        "runs a tool that leaves a daemon",
        ({"tools": [{"kind": "shell", "command": DAEMON}]}, ANSWER),
        frozenset({"completed", "timeout"}),
        30,
    ),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
async def test_each_ends_in_time_for_the_right_reason_and_leaves_nothing_behind(
    fault, open_editor, model, project, task, tmp_path, state_dir
):
    token = f"daemon-of-{tmp_path}"
    steps = json.loads(json.dumps(fault.steps).replace("{token}", token))
    env = scripted(model, tmp_path / "agents", steps, own_retries=True)
    before = fingerprint(project, without=("tasks",))
    assert {".git/HEAD", ".git/index"} < before.keys()
    assert any(name.startswith(".git/refs/heads/") for name in before)

    editor = await open_editor(
        options={
            "orchestrator": {"agentType": "digest"},
            "sessionTimeoutSeconds": fault.seconds,
            "sessionSilenceSeconds": fault.silence or fault.seconds,
        },
        env=env,
    )
    agents = [{"agentType": name} for name in VENDORS]
    run = await editor.command("debugWithAgents", {"taskUri": task.as_uri(), "agents": agents})
    status = await editor.finished(run["debugRunId"], 150)

    assert [one for one in psutil.process_iter(["cmdline"]) if _is_of(one, token)] == []
    assert fingerprint(project, without=("tasks",)) == before
    measured = {}
    for session in status["sessions"]:
        [folder] = state_dir.glob(f"workspaces/*/runs/*/sessions/{session['sessionId']}")
        seconds = _seconds(session)
        assert seconds < _deadline(fault, folder) + ENDING_SECONDS, session
        name = session["agentType"]
        measured[name] = Measured(
            ended=session["failure"]["kind"] if session["failure"] else session["status"],
            seconds=seconds,
            asked=sum(bool(request.get("main")) for request in model.requests(name)),
        )
        assert measured[name].ended in fault.ends, session
        # On a machine that is very busy the deadline may be over before an agent is up.
        assert measured[name].asked or measured[name].ended == "timeout"
    fault_table.check(fault.name, fault.deadline, measured)


def test_the_page_tells_of_these_faults_and_no_others():
    assert list(fault_table.rows()) == [fault.name for fault in FAULTS]


def _is_of(process: psutil.Process, token: str) -> bool:
    return token in (process.info["cmdline"] or ())


def _seconds(session: dict[str, Any]) -> float:
    began, ended = (datetime.fromisoformat(session[key]) for key in ("startedAt", "endedAt"))
    return (ended - began).total_seconds()


def _deadline(fault: Fault, folder: Path) -> float:
    """Seconds after its start at which a session was to be ended at the latest."""
    if fault.silence is None:
        return fault.seconds
    lines = (folder / "events.jsonl").read_text().splitlines()
    heard = max((json.loads(line)["at"] for line in lines), default=0.0)
    return min(fault.seconds, heard + fault.silence)
