"""Ctrl-C: once to cancel, twice to leave."""

from __future__ import annotations

import signal
from contextlib import suppress

import psutil

from bug_lsp.store.processes import MARKER

from .conftest import User


def _marked(user: User) -> list[str]:
    found = []
    for process in user.processes():
        with suppress(psutil.NoSuchProcess):  # ended meanwhile
            found += [value for name, value in process.environ().items() if name == MARKER]
    return found


def test_once_cancels_the_run_and_waits_until_nothing_is_left(user: User):
    before = user.task.read_text()
    process = user.start("debug", user.task, "--agents", "blocked", "--json")
    user.ready.read_text()  # the agent is up, and its child too
    assert _marked(user)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert _marked(user) == []
    assert "cancelling the run" in err
    assert "Debug (1) blocked: cancelled" in err
    assert "Traceback" not in err
    run = user.json("status", user.json("status")["runs"][0]["debugRunId"])
    assert f'"debugRunId":"{run["debugRunId"]}"' in out
    assert run["sessions"][0]["status"] == "cancelled"
    assert run["orchestrator"] is None
    assert user.task.read_text() == before


def test_what_was_found_before_is_brought_into_the_task_file(user: User):
    process = user.start("debug", user.task, "--agents", "finder,blocked")
    assert process.stderr is not None
    user.ready.read_text()
    said = iter(process.stderr.readline, "")
    assert any("Debug (1) finder: completed" in line for line in said)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert _marked(user) == []
    assert "Traceback" not in err
    assert f"1 of 2 sessions completed, 1 cancelled): {user.task}\n" in out
    text = user.task.read_text()
    assert "By digest, " in text
    assert "`shop.py:2`" in text
    assert "cannot orchestrate here (the run was cancelled), so this is by rule" in text
    run = user.json("status", user.json("status")["runs"][0]["debugRunId"])
    assert run["proof"] is None
    assert run["delivered"] is True


def test_twice_leaves_the_run_and_says_how_to_look_at_it(user: User):
    # An agent that takes its time over the polite signal leaves time for the second Ctrl-C.
    stubborn = user.root / "blocked.py"
    stubborn.write_text("import signal; signal.signal(15, signal.SIG_IGN)\n" + stubborn.read_text())
    process = user.start("debug", user.task, "--agents", "blocked")
    user.ready.read_text()
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    said = iter(process.stderr.readline, "")
    assert any("press Ctrl-C again" in line for line in said)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in err
    run_id = user.json("status")["runs"][0]["debugRunId"]
    assert f"bug-lsp status {run_id}\n" in out
