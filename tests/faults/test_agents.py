"""Agents that misbehave, and machines that do: whole runs of programs that do their worst."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import libfaketime
import psutil
import pytest

from bug_lsp.domain.errors import FailureKind
from bug_lsp.domain.run import Status
from bug_lsp.session.cancel import cancel_run
from bug_lsp.store import files, runs
from tests.support import leftovers
from tests.support.projects import Project
from tests.support.runs import CONCLUDES, FINDS, WAITS, program, start, turnstile

from .ends import check, look_until_finished

Times = Callable[[int, int], int]

FORKS = program(
    "import os, time\n"
    "for number in range(int(__import__('sys').argv[1])):\n"
    "    if os.fork() == 0:\n"
    "        if number % 2: os.setsid()\n"
    "        time.sleep(600)\n"
    "        os._exit(0)\n"
    "print('ready', flush=True)\n"
    "time.sleep(600)",
    200,
)


@pytest.mark.fault(7)
def test_of_200_children_none_is_left_after_a_cancel(project: Project) -> None:
    run = start(project.root, FORKS, FORKS)
    run.wait_ready(0, 1)
    cancel_run(run.folder)
    run.wait_all_terminal()
    for session in run.sessions:
        assert leftovers.of_session(run.folder.run_id, session.session_id) == []


def prints(data: bytes, *, repeat: int = 1, descriptor: int = 1) -> object:
    """An agent that writes these bytes, so often."""
    return program(
        "import os, sys\n"
        "data = bytes.fromhex(sys.argv[1])\n"
        "for _ in range(int(sys.argv[2])):\n"
        "    rest = memoryview(data)\n"
        "    while rest: rest = rest[os.write(int(sys.argv[3]), rest):]\n"
        "if int(sys.argv[3]) == 2: print('done')",
        data.hex(),
        repeat,
        descriptor,
    )


_DEEP = "[" * 20_000 + "]" * 20_000
ODD = {
    "invalid UTF-8": b"\xff\xfe\xc3\x28 text \xf0\x28\x8c\x28",
    "NUL bytes": b"a\0b\0\0 found",
    "half of a JSON block": b'Found.\n\n```json\n{"rootCause": "x", "find',
    "ANSI escapes": b"\x1b[31mred\x1b[0m \x1b]8;;http://x\x07link\x1b]8;;\x07 \x1b[2J",
    "deep nesting": f"```json\n{_DEEP}\n```\n".encode(),
    "wrong types": b'```json\n{"rootCause": 7, "findings": {"a": []}, "fix": null}\n```',
    "a lone surrogate": b'```json\n{"rootCause": "\\ud800", "findings": []}\n```',
    "a number of 6,000 digits": b'```json\n{"findings": [{"line": ' + b"9" * 6000 + b"}]}\n```",
    "CRLF": b"one\r\ntwo\r\n```json\r\n{}\r\n```\r\n",
    "no last newline": b"the last line",
}


@pytest.mark.fault(10)
@pytest.mark.timeout(240)
def test_whatever_agents_print_each_has_completed_and_the_orchestrator_starts(
    project: Project, times: Times
) -> None:
    times(len(ODD) + 1, len(ODD) + 1)
    nothing = program("")
    run = start(
        project.root, *(prints(data) for data in ODD.values()), nothing, orchestrator=CONCLUDES
    )
    look_until_finished(run, 180)
    check(run)
    ends = [session.status for session in run.status.sessions]
    assert ends == [Status.COMPLETED] * len(ODD) + [Status.FAILED]
    failure = run.status.sessions[-1].failure
    assert failure is not None
    assert failure.kind is FailureKind.EMPTY_OUTPUT
    for session in run.sessions:
        for line in session.events.read_bytes().splitlines():
            json.loads(line)


_PIECE = b"x" * 1_000


@pytest.mark.fault(11)
@pytest.mark.parametrize(
    ("line", "descriptor", "megabytes"),
    [(_PIECE, 1, 100), (_PIECE[:-1] + b"\n", 1, 100), (_PIECE[:-1] + b"\n", 2, 8)],
    ids=["one line", "lines", "standard error"],
)
def test_however_much_an_agent_prints_memory_stays_bounded(
    project: Project, line: bytes, descriptor: int, megabytes: int
) -> None:
    """Of the session process, 150 MB at the most, imports included."""
    much = prints(line, repeat=megabytes * 1_000_000 // len(line), descriptor=descriptor)
    run = start(project.root, much, FINDS, orchestrator=CONCLUDES)
    peak = [0]

    def grown() -> bool:
        process = runs.process(run.sessions[0])
        if process is not None and psutil.pid_exists(process.pid):
            with suppress(psutil.NoSuchProcess):
                peak[0] = max(peak[0], psutil.Process(process.pid).memory_info().rss)
        return run.sessions[0].result.exists()

    run.wait(grown, 100)
    look_until_finished(run)
    check(run)
    assert run.status.sessions[0].status is Status.COMPLETED
    assert 0 < peak[0] < 150_000_000
    if descriptor == 1:
        assert run.result().output_chars >= megabytes * 1_000_000


@pytest.mark.fault(14)
@pytest.mark.parametrize("jump", [timedelta(days=1), timedelta(days=-1)], ids=["on", "back"])
def test_a_clock_that_jumps_ends_nothing_early_and_makes_no_time_negative(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, jump: timedelta
) -> None:
    offset = tmp_path / "offset"
    offset.write_text("+0")
    # The system's monotonic clock goes on as it does: it is not what somebody sets.
    for name, value in libfaketime.get_reload_information()[1].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("FAKETIME_TIMESTAMP_FILE", str(offset))
    with turnstile(tmp_path / "turnstile") as stile:
        settings = {"session_timeout_seconds": 60, "session_silence_seconds": 60}
        run = start(project.root, stile.agent("found"), stile.agent("found"), settings=settings)
        run.wait_ready(0, 1)
        offset.write_text(f"{jump.total_seconds():+.0f}")
        stile.let_go(2)
        run.wait_all_terminal()
    look_until_finished(run)
    check(run)
    assert run.status.completed_count == 2
    for session in run.status.sessions:
        assert session.started_at is not None
        assert session.ended_at is not None
        assert session.ended_at >= session.started_at
    for folder in run.sessions:
        assert "-" not in folder.output.read_text().splitlines()[0].partition("·")[2]


@pytest.mark.fault(15)
def test_a_stranger_who_has_the_pid_by_now_is_not_signalled(project: Project) -> None:
    run = start(project.root, WAITS, FINDS, orchestrator=CONCLUDES)
    run.wait_ready(0)
    session = run.sessions[0]
    process = runs.process(session)
    assert process is not None
    stranger = psutil.Popen(["sleep", "600"])
    try:
        psutil.Process(process.pid).kill()
        run.wait(lambda: not psutil.pid_exists(process.pid))
        kept = process.model_copy(update={"pid": stranger.pid})
        files.replace(session.process, kept.to_json())
        cancel_run(run.folder)
        look_until_finished(run)
        assert run.status.sessions[0].status.terminal
        assert stranger.is_running()
    finally:
        stranger.kill()
        stranger.wait()
