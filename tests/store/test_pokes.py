"""Telling readers that there is something to read."""

from __future__ import annotations

import os
import select
import threading
from pathlib import Path

import pytest

from bug_lsp.store.layout import WorkspaceFolder
from bug_lsp.store.pokes import Bell, poke, readers


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspaceFolder:
    return WorkspaceFolder.of(tmp_path).create()


def rings(bell: Bell, seconds: float = 10) -> bool:
    return bool(select.select([bell.fileno()], [], [], seconds)[0])


def test_every_reader_hears_and_then_it_is_quiet(workspace: WorkspaceFolder) -> None:
    with Bell(workspace, "one") as one, Bell(workspace, "two") as two:
        assert not rings(one, 0)
        poke(workspace, "run", "session")
        poke(workspace, "run")
        for bell in (one, two):
            assert rings(bell)
            assert bell.hear() == ({"run/session", "run/"}, False)
            assert not rings(bell, 0)
            assert bell.hear() == (set(), False)
    assert list(workspace.servers.iterdir()) == []


def test_a_full_pipe_never_blocks_and_the_reader_knows_that_it_missed_some(
    workspace: WorkspaceFolder,
) -> None:
    with Bell(workspace, "slow") as bell:
        for number in range(5_000):
            poke(workspace, f"{number:016x}", "0" * 12)
        heard, missed = bell.hear()
        assert missed
        assert 1_000 < len(heard) < 5_000
        assert all(len(line) == 29 for line in heard)
        poke(workspace, "again")
        assert bell.hear() == ({"again/"}, False)


def test_the_pipe_of_a_reader_that_is_gone_is_removed(workspace: WorkspaceFolder) -> None:
    os.mkfifo(workspace.servers / "dead.pipe")
    (workspace.servers / "dead.json").write_text("{}")
    poke(workspace, "run")
    assert list(workspace.servers.iterdir()) == []


def test_without_readers_and_without_a_folder_a_poke_does_nothing(tmp_path: Path) -> None:
    workspace = WorkspaceFolder.of(tmp_path / "nowhere")
    poke(workspace, "run")
    assert list(readers(workspace)) == []


def test_readers_say_which_tasks_they_have_open(workspace: WorkspaceFolder) -> None:
    with Bell(workspace, "editor") as bell:
        assert [card.open_tasks for card in readers(workspace)] == [()]
        bell.announce(("/a.md", "/b.md"))
        (card,) = readers(workspace)
        assert card.open_tasks == ("/a.md", "/b.md")
        assert card.pid == os.getpid()
        path = workspace.servers / "editor.json"
        path.write_text(path.read_text().replace(card.birth, "another birth"))
        assert list(readers(workspace)) == []


def test_a_bell_that_is_hung_up_while_others_poke_hears_all_the_same(
    workspace: WorkspaceFolder,
) -> None:
    stop = threading.Event()

    def keep_poking() -> None:
        while not stop.is_set():
            poke(workspace, "noise")

    poker = threading.Thread(target=keep_poking)
    poker.start()
    try:
        for number in range(200):
            with Bell(workspace, f"bell{number}") as bell:
                assert rings(bell)
    finally:
        stop.set()
        poker.join()
    assert list(workspace.servers.iterdir()) == []
