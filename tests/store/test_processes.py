"""Who a process is, and learning of its death."""

from __future__ import annotations

import asyncio
import os
import select
import subprocess
import sys
from pathlib import Path

import pytest

from bug_lsp.store.deaths import Death
from bug_lsp.store.processes import alive, birth, me

ROOT = Path(__file__).parents[2]


@pytest.fixture
def sleeper() -> subprocess.Popen[bytes]:
    command = [sys.executable, "-I", "-S", "-c", "import time; time.sleep(600)"]
    with subprocess.Popen(command) as process:
        yield process
        process.kill()


def test_the_running_process_is_alive_and_its_birth_does_not_change() -> None:
    pid, born = me()
    assert pid == os.getpid()
    assert born == birth(pid)
    assert alive(pid, born)


def test_a_pid_that_belongs_to_another_by_now_is_not_alive(sleeper: subprocess.Popen) -> None:
    born = birth(sleeper.pid)
    assert born is not None
    boot, _, tick = born.partition(":")
    assert alive(sleeper.pid, born)
    assert not alive(sleeper.pid, f"{boot}:{int(tick) - 1}")
    assert not alive(sleeper.pid, f"otherboot:{tick}")
    assert birth(os.getpid()) != born


def test_the_dead_and_the_zombies_are_not_alive(sleeper: subprocess.Popen) -> None:
    born = birth(sleeper.pid)
    death = Death(sleeper.pid)
    sleeper.kill()
    assert select.select([death.fileno()], [], [], 10)[0]
    death.close()
    assert birth(sleeper.pid) is None  # a zombie: nobody has waited for it yet
    sleeper.wait()
    assert birth(sleeper.pid) is None
    assert not alive(sleeper.pid, born or "")


def test_a_name_with_brackets_and_spaces_does_not_hide_the_birth(tmp_path) -> None:
    odd = tmp_path / "a) S (b) 1 2"
    odd.symlink_to("/bin/sleep")
    with subprocess.Popen([odd, "600"]) as process:
        try:
            born = birth(process.pid)
            assert born is not None
            assert int(born.partition(":")[2]) > 0
        finally:
            process.kill()


def test_who_is_gone_cannot_be_waited_for(sleeper: subprocess.Popen) -> None:
    sleeper.kill()
    sleeper.wait()
    with pytest.raises(ProcessLookupError):
        Death(sleeper.pid)


@pytest.mark.anyio
async def test_the_event_loop_is_told_of_a_death(sleeper: subprocess.Popen) -> None:
    death = Death(sleeper.pid)
    told = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_reader(death.fileno(), told.set)
    try:
        assert not told.is_set()
        sleeper.kill()
        await asyncio.wait_for(told.wait(), 10)
    finally:
        loop.remove_reader(death.fileno())
        death.close()


def test_what_a_session_needs_to_name_itself_imports_nothing_heavy():
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "import bug_lsp.store.files, bug_lsp.store.processes\n"
        "print(sorted({'pathlib', 'json', 're', 'typing'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code, str(ROOT)],
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    assert done.stdout == "[]\n"
