"""Ending everything that an agent started, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bug_lsp.session import tree
from bug_lsp.store.processes import MARKER

Run = Callable[..., "subprocess.Popen[bytes]"]
SESSION = f"{os.getpid()}/session"
"""The marker of this process's session: another worker ends its own at the same time."""
OTHER = f"{SESSION}2"
POLITE = (
    "import pathlib, signal, sys, time\n"
    "def end(*_): pathlib.Path(sys.argv[1]).write_text('goodbye'); sys.exit()\n"
    "signal.signal(signal.SIGTERM, end); print('ready', flush=True); time.sleep(600)"
)
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('ready', flush=True); time.sleep(600)"
)
HIDDEN = (
    "import os, time\n"
    "if os.fork(): os._exit(0)\n"
    "os.setsid(); print('ready', flush=True); time.sleep(600)"
)


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Starts a program with a session's marker and waits until it is ready."""
    started: list[subprocess.Popen[bytes]] = []

    def make(code: str, *arguments: str, marker: str = SESSION) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-I", "-S", "-c", code, *arguments]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, env={MARKER: marker})
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        return process

    yield make
    for process in started:
        process.kill()
        process.communicate()


def test_a_polite_process_is_asked_first(run: Run, tmp_path: Path) -> None:
    run(POLITE, str(tmp_path / "said"))
    assert tree.end(SESSION) == 1
    assert (tmp_path / "said").read_text() == "goodbye"


def test_one_that_does_not_listen_is_killed_and_one_that_hides_is_found(run: Run) -> None:
    run(STUBBORN)
    run(HIDDEN)
    assert len(tree.marked(SESSION)) == 2
    assert tree.end(SESSION) == 2
    assert tree.marked(SESSION) == []


def test_another_sessions_processes_are_left_alone(run: Run) -> None:
    other = run(STUBBORN, marker=OTHER)
    assert tree.end(SESSION) == 0
    assert other.poll() is None
    assert [process.pid for process in tree.marked(OTHER)] == [other.pid]


def test_children_without_the_marker_are_ended_as_children(run: Run) -> None:
    parent = run(
        "import os, subprocess, sys\n"
        "subprocess.Popen([sys.executable, '-I', '-S', '-c', sys.argv[1]], env={}).wait()",
        STUBBORN,
        marker=OTHER,
    )
    assert tree.end(SESSION, children_of=parent.pid) == 1
    assert parent.wait(10) == 0
