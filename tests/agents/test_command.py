"""Programs as agents."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import anyio
import psutil
import pytest

from bug_lsp.agents.base import Answer, Job
from bug_lsp.agents.command import Command, Ends
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Event, Text
from tests.agents.recorder import Recorder

pytestmark = pytest.mark.anyio

Make = Callable[[str], Job]


@pytest.fixture
def program(tmp_path: Path) -> Make:
    """A job whose program is the given Python code."""

    def make(code: str) -> Job:
        return Job(
            prompt="Où est le bug ?",
            cwd=tmp_path,
            copy=tmp_path,
            workspace=tmp_path,
            scratch=tmp_path,
            command=(sys.executable, "-c", code),
        )

    return make


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    """No test may leave a process; those that make grandchildren end them through `leftovers`."""
    yield
    assert psutil.Process().children(recursive=True) == []


@pytest.fixture
def leftovers() -> Iterator[list[int]]:
    """Processes that the test knows will outlive their program."""
    pids: list[int] = []
    yield pids
    for pid in pids:
        psutil.Process(pid).kill()


async def run(job: Job, said: Recorder) -> Answer:
    with anyio.fail_after(30):
        return await Command().run(job, said)


async def failure(job: Job, said: Recorder) -> AgentFailure:
    with pytest.raises(AgentFailure) as raised:
        await run(job, said)
    return raised.value


async def test_the_prompt_comes_in_and_the_answer_goes_out(program: Make, said: Recorder) -> None:
    code = "import os, sys; print(os.getcwd()); print(sys.stdin.read().upper())"
    job = program(code)
    answer = await run(job, said)
    assert answer.text == said.text == f"{job.cwd}\nOÙ EST LE BUG ?\n"


async def test_the_answer_arrives_while_the_program_runs(program: Make, said: Recorder) -> None:
    job = program(
        "import pathlib, time\n"
        "print('first', flush=True)\n"
        "while not pathlib.Path('go on').exists(): time.sleep(0.01)\n"
        "print('second')"
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, job, said)
        await said.wait_for_text("first")
        assert "second" not in said.text
        await anyio.Path(job.cwd, "go on").touch()
    assert said.text == "first\nsecond\n"


async def test_a_character_cut_in_two_is_put_together(program: Make, said: Recorder) -> None:
    code = (
        "import sys, time\n"
        "for byte in 'né \U0001f41e'.encode():\n"
        "    sys.stdout.buffer.write(bytes([byte])); sys.stdout.flush(); time.sleep(0.01)"
    )
    assert (await run(program(code), said)).text == said.text == "né \U0001f41e"


async def test_bytes_that_are_no_text_are_replaced(program: Make, said: Recorder) -> None:
    code = r"import sys; sys.stdout.buffer.write(b'a\xff\0b\xc3')"
    assert (await run(program(code), said)).text == said.text == "a\ufffd\ufffdb\ufffd"


async def test_the_environment_is_ours_and_what_the_settings_add(
    program: Make, said: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OURS", "1")
    job = program("import os; print(os.environ['OURS'], os.environ['THEIRS'])")
    assert (await run(replace(job, env={"THEIRS": "2"}), said)).text == "1 2\n"


async def test_it_stays_in_our_process_group(program: Make, said: Recorder) -> None:
    job = program("import os; print(os.getpgid(0), os.getsid(0))")
    assert (await run(job, said)).text == f"{os.getpgid(0)} {os.getsid(0)}\n"


async def test_a_long_prompt_that_is_not_read_is_no_error(program: Make, said: Recorder) -> None:
    job = replace(program("print('no need to ask')"), prompt="x" * 1_000_000)
    assert (await run(job, said)).text == "no need to ask\n"


async def test_a_bad_exit_is_a_crash_with_the_last_words(
    program: Make, said: Recorder, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    words = "one\\n\\x1b[31mtwo\\x1b[0m\\n"
    code = f"import sys; print('half'); print('{words}', file=sys.stderr); exit(3)"
    failed = await failure(program(code), said)
    assert failed.kind is FailureKind.CRASHED
    assert failed.message == f"{Path(sys.executable).name} exited with 3: two"
    assert capfdbinary.readouterr().err == b"one\n\x1b[31mtwo\x1b[0m\n\n"


async def test_a_program_that_was_killed_is_a_crash(program: Make, said: Recorder) -> None:
    failed = await failure(program("import os; print('x'); os.kill(os.getpid(), 9)"), said)
    assert failed.kind is FailureKind.CRASHED
    assert failed.message.endswith("was ended by SIGKILL")


@pytest.mark.parametrize("code", ["", "print(' ')", "import sys; print('x', file=sys.stderr)"])
async def test_no_answer_is_a_failure(program: Make, said: Recorder, code: str) -> None:
    assert (await failure(program(code), said)).kind is FailureKind.EMPTY_OUTPUT


async def test_a_program_that_is_not_there_is_not_installed(program: Make, said: Recorder) -> None:
    failed = await failure(replace(program(""), command=("no-such-agent", "-x")), said)
    assert failed.kind is FailureKind.NOT_INSTALLED
    assert "no-such-agent" in failed.message


async def test_no_program_at_all_is_not_installed(program: Make, said: Recorder) -> None:
    failed = await failure(replace(program(""), command=()), said)
    assert failed.kind is FailureKind.NOT_INSTALLED


async def test_a_file_that_may_not_be_run_is_a_matter_of_permission(
    program: Make, said: Recorder, tmp_path: Path
) -> None:
    await anyio.Path(tmp_path, "agent").write_text("#!/bin/sh\n")
    failed = await failure(replace(program(""), command=(str(tmp_path / "agent"),)), said)
    assert failed.kind is FailureKind.PERMISSION


async def test_a_file_that_is_no_program_cannot_be_run(
    program: Make, said: Recorder, tmp_path: Path
) -> None:
    file = anyio.Path(tmp_path, "agent")
    await file.write_text("no shebang")
    await file.chmod(0o755)
    failed = await failure(replace(program(""), command=(str(file),)), said)
    assert failed.kind is FailureKind.NOT_INSTALLED


async def test_a_folder_that_is_gone_is_not_a_missing_program(
    program: Make, said: Recorder, tmp_path: Path
) -> None:
    failed = await failure(replace(program("print(1)"), cwd=tmp_path / "gone"), said)
    assert failed.kind is FailureKind.INTERNAL
    assert "gone" in failed.message


@pytest.mark.fault(6)
async def test_a_child_that_holds_the_output_does_not_keep_the_session_running(
    program: Make, said: Recorder, leftovers: list[int]
) -> None:
    code = (
        "import subprocess, sys\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(child.pid)"
    )
    started = time.monotonic()
    answer = await run(program(code), said)
    leftovers.append(int(answer.text))
    assert 1 < time.monotonic() - started < 3


@pytest.mark.fault(6)
async def test_a_child_that_goes_on_talking_does_not_keep_the_session_running(
    program: Make, said: Recorder, leftovers: list[int]
) -> None:
    talk = "while True: print('and another thing', flush=True)"
    code = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {talk!r}])\n"
        "print('pid', child.pid, flush=True)"
    )
    started = time.monotonic()
    answer = await run(program(code), said)
    words = answer.text.split()
    leftovers.append(int(words[words.index("pid") + 1]))
    assert time.monotonic() - started < 5


async def test_a_flood_without_a_line_end_costs_no_memory(program: Make) -> None:
    count = 0

    def emit(event: Event) -> None:
        nonlocal count
        assert isinstance(event, Text)
        count += len(event.text)

    code = (
        "import sys\n"
        "sys.stdout.write('start')\n"
        "for _ in range(200): sys.stdout.write('x' * 1_000_000)\n"
        "sys.stdout.write('end')"
    )
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with anyio.fail_after(60):
        answer = await Command().run(program(code), emit)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert count == 200_000_008
    assert answer.text.startswith("start")
    assert answer.text.endswith("end")
    assert " bytes left out ...]" in answer.text
    assert len(answer.text) < 2_000_000
    assert grown < 50_000 * (1024 if sys.platform == "darwin" else 1)


async def test_a_follow_up_repeats_what_was_said_before(program: Make, said: Recorder) -> None:
    job = program("import sys; print('<' + sys.stdin.read().strip() + '>')")
    replies = iter(["Which line?", None])
    answer = await run(replace(job, follow_up=lambda _answer: next(replies)), said)
    first = "<Où est le bug ?>\n"
    assert answer.text.startswith("<Où est le bug ?")
    assert first in answer.text
    assert answer.text.endswith("Which line?>\n")
    assert said.text == f"{first}\n\n{answer.text}"


@pytest.mark.parametrize(
    ("manners", "at_least", "at_most"),
    [("pass", 0, 2), ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", 2, 5)],
    ids=["a polite program", "one that will not stop"],
)
async def test_cancelling_ends_the_program(
    program: Make, said: Recorder, manners: str, at_least: float, at_most: float
) -> None:
    code = f"import signal, time; {manners}; print('ready', flush=True); time.sleep(600)"
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(run, program(code), said)
        await said.wait_for_text("ready")
        started = time.monotonic()
        tasks.cancel_scope.cancel()
    assert at_least <= time.monotonic() - started < at_most


def test_both_ends_of_a_short_stream_are_all_of_it() -> None:
    ends = Ends(4)
    for piece in (b"ab", b"cdef", b"ghijkl"):
        ends.add(piece)
    assert ends.text() == "abcdefghijkl"


def test_of_a_long_stream_the_middle_is_left_out() -> None:
    ends = Ends(4)
    for number in range(100):
        ends.add(b"%03d " % number)
    text = ends.text()
    assert text.startswith("000 \n[... ")
    assert text.endswith("099 ")
    left_out = int(text.split("[... ")[1].split()[0])
    kept = text.partition("\n[")[0] + text.rpartition("]\n")[2]
    assert left_out + len(kept) == 400
    assert len(kept) <= 12
