"""Runs on disk: whole or not at all, and readable whatever a kill left."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from bug_lsp.domain.errors import Refused
from bug_lsp.domain.events import Text, ToolCall
from bug_lsp.domain.ids import new_run_id
from bug_lsp.domain.run import Run, Status
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder, WorkspaceFolder, state_root
from tests.support.facts import ended, run_of, session_id


@pytest.fixture
def workspace(tmp_path: Path) -> WorkspaceFolder:
    return WorkspaceFolder.of(tmp_path / "shop").create()


def asked(run_id: str, sessions: int = 2, task: str = "/shop/tasks/prices.md") -> Run:
    debug = [ended(number) for number in range(1, sessions + 1)]
    return run_of(debug, debug_run_id=run_id, task_path=task)


def create(workspace: WorkspaceFolder, run_id: str = "f" * 16, **more: object) -> RunFolder:
    run = asked(run_id, **more)
    return runs.create(workspace, run, {spec.session_id: "prompt é" for spec in run.roster})


def test_a_run_is_read_back_as_it_was_asked_for(workspace: WorkspaceFolder) -> None:
    folder = create(workspace)
    assert runs.load(folder) == asked("f" * 16)
    session = folder.session(session_id(1))
    assert session.prompt.read_text() == "prompt é"
    assert runs.spec(session) == asked("f" * 16).roster[0]
    assert session.run == folder
    assert folder.workspace == workspace
    status = runs.status(folder)
    assert [seat.status for seat in status.sessions] == [Status.PENDING] * 2
    assert status.task_uri == "file:///shop/tasks/prices.md"


def test_a_run_that_could_not_be_written_is_not_there(
    workspace: WorkspaceFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = asked("f" * 16)
    with pytest.raises(KeyError):
        runs.create(workspace, run, {})
    assert list(runs.newest(workspace)) == runs.active(workspace) == []
    assert list(workspace.runs.iterdir()) == []


def test_what_a_killed_start_left_is_passed_over(workspace: WorkspaceFolder) -> None:
    folder = create(workspace, "a" * 16)
    files.make_private(workspace.runs / f".{'b' * 16}" / "sessions")
    files.replace(workspace.active / ("b" * 16), b"")
    files.replace(workspace.task_index(Path("/shop/tasks/prices.md")) / ("b" * 16), b"")
    assert list(runs.newest(workspace)) == [folder]
    assert runs.active(workspace) == [folder]
    assert runs.of_task(workspace, Path("/shop/tasks/prices.md")) == [folder]
    shutil.rmtree(workspace.path)


def test_runs_are_listed_newest_first_and_by_their_task(workspace: WorkspaceFolder) -> None:
    ids = [new_run_id(moment) for moment in (1_000, 3_000, 2_000)]
    tasks = ["/shop/a.md", "/shop/b.md", "/shop/a.md"]
    for run_id, task in zip(ids, tasks, strict=True):
        create(workspace, run_id, task=task)
    assert [run.run_id for run in runs.newest(workspace)] == [ids[1], ids[2], ids[0]]
    assert [run.run_id for run in runs.of_task(workspace, Path("/shop/a.md"))] == [ids[2], ids[0]]
    assert runs.of_task(workspace, Path("/shop/c.md")) == []


def test_a_workspace_that_nobody_has_debugged_has_no_runs(tmp_path: Path) -> None:
    nowhere = WorkspaceFolder.of(tmp_path / "nowhere")
    assert list(runs.newest(nowhere)) == runs.active(nowhere) == []
    assert runs.find_session(nowhere, session_id(1)) is None
    assert not nowhere.path.exists()


def test_sessions_are_found_by_their_id(workspace: WorkspaceFolder) -> None:
    folder = create(workspace)
    assert runs.find_session(workspace, session_id(2)) == folder.session(session_id(2))
    assert runs.find_session(workspace, session_id(3)) is None


def test_an_unknown_run_is_refused_by_its_name(workspace: WorkspaceFolder) -> None:
    with pytest.raises(Refused, match="there is no debug run 0123456789abcdef"):
        runs.load(workspace.run("0123456789abcdef"))


@pytest.mark.parametrize("text", ["", "{", '{"version": 2}', "[]", "\xff"])
def test_a_run_that_cannot_be_read_is_one_sentence(workspace: WorkspaceFolder, text: str) -> None:
    folder = create(workspace)
    folder.run.write_text(text, encoding="latin-1")
    with pytest.raises(Refused, match=f"debug run {folder.run_id} cannot be read") as refused:
        runs.load(folder)
    assert "\n" not in refused.value.message


def test_what_a_newer_version_adds_is_passed_over(workspace: WorkspaceFolder) -> None:
    folder = create(workspace)
    value = json.loads(folder.run.read_text())
    folder.run.write_text(json.dumps({**value, "newIdea": {"a": 1}}))
    assert runs.load(folder) == asked("f" * 16)


def record(seq: int, event: Text | ToolCall) -> bytes:
    value = {"seq": seq, "at": 1.5, "toolCalls": seq, "event": event.model_dump(by_alias=True)}
    return json.dumps(value).encode() + b"\n"


CALL = ToolCall(call_id="1", name="shell", detail="pytest")


@pytest.mark.parametrize(
    ("tail", "calls"),
    [
        (b"", 2),
        (b'{"seq": 3, "at": 1.', 2),
        (b"\xff\xfe", 2),
        (b"not JSON\n", 2),
        (record(3, Text(text="x" * 5_000)), 3),
        (record(3, CALL) + record(4, CALL)[:-1], 3),
    ],
    ids=["whole", "torn", "torn in a character", "not a record", "long", "without a line end"],
)
def test_the_last_whole_record_tells_what_a_session_does(
    workspace: WorkspaceFolder, tail: bytes, calls: int
) -> None:
    session = create(workspace).session(session_id(1))
    assert runs.last_record(session) is None
    long = record(1, Text(text="y" * 20_000))
    session.events.write_bytes(long + record(2, CALL) + tail)
    last = runs.last_record(session)
    assert last is not None
    assert last.tool_calls == calls


def test_the_snapshot_of_a_finished_run_is_enough_and_a_broken_one_is_no_loss(
    workspace: WorkspaceFolder,
) -> None:
    folder = create(workspace)
    status = runs.status(folder)
    (workspace.active / folder.run_id).unlink()
    assert runs.shown(folder) == status
    folder.snapshot.write_text("{torn")
    assert runs.shown(folder) == status
    assert not folder.snapshot.exists(), "it is kept aside"
    assert runs.shown(folder) == status


def test_the_state_is_outside_of_the_workspace_and_two_workspaces_are_two(
    tmp_path: Path, state_dir: Path
) -> None:
    one, two = tmp_path / "a/shop", tmp_path / "b/shop"
    assert WorkspaceFolder.of(one) != WorkspaceFolder.of(two)
    one.mkdir(parents=True)
    (tmp_path / "link").symlink_to(one)
    assert WorkspaceFolder.of(tmp_path / "link") == WorkspaceFolder.of(one)
    assert WorkspaceFolder.of(one).path.is_relative_to(state_dir)


def test_without_an_override_the_state_is_in_the_users_state_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("BUG_LSP_STATE_DIR")
    assert state_root() == tmp_path / "home/.local/state/bug-lsp"
