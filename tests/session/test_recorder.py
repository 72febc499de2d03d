"""What a session says, on its way to the disk, and to those who watch."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import Path

import pytest

from bug_lsp.domain.events import Activity, Event, Text, ToolCall, ToolResult, Usage
from bug_lsp.domain.run import Facts, Process
from bug_lsp.session.recorder import Recorder
from bug_lsp.session.view import RunView, document
from bug_lsp.session.watch import Watch
from bug_lsp.store import files, runs
from bug_lsp.store.layout import SessionFolder, WorkspaceFolder
from bug_lsp.store.pokes import Bell
from tests.support.facts import STARTED, ended, run_of, session_id
from tests.support.projects import Project
from tests.support.runs import FINDS, start

pytestmark = pytest.mark.anyio


@pytest.fixture
def session(tmp_path: Path) -> SessionFolder:
    run = run_of([ended(1)])
    workspace = WorkspaceFolder.of(tmp_path)
    return runs.create(workspace, run, {session_id(1): "p"}).session(session_id(1))


def recorder(session: SessionFolder) -> Recorder:
    process = Process(pid=1, birth="b", started_at=STARTED)
    return Recorder(session, Facts(spec=ended(1).spec, process=process), time.monotonic())


def recorded(session: SessionFolder) -> list[dict[str, object]]:
    return [json.loads(line) for line in session.events.read_text().splitlines()]


async def test_neighbouring_deltas_are_written_together_and_told_once(
    session: SessionFolder,
) -> None:
    with Bell(session.run.workspace, "reader") as bell:
        record = recorder(session)
        heard = asyncio.Event()
        asyncio.get_running_loop().add_reader(bell.fileno(), heard.set)
        for letter in "hello":
            record.emit(Text(text=letter))
        await asyncio.wait_for(heard.wait(), 10)
        asyncio.get_running_loop().remove_reader(bell.fileno())
        assert bell.hear() == ({f"{session.run.run_id}/{session.session_id}"}, False)
    (line,) = recorded(session)
    assert line["event"] == {"type": "text", "text": "hello"}
    record.close()
    assert "hello" in session.output.read_text()


async def test_a_record_counts_and_the_status_stands_at_the_top(session: SessionFolder) -> None:
    record = recorder(session)
    events: list[Event] = [
        ToolCall(call_id="1", name="shell", detail="pytest"),
        ToolResult(call_id="1", ok=True, output="1 failed"),
        Usage(input_tokens=5, output_tokens=6),
        Activity(text="thinking hard", percentage=50),
    ]
    for event in events:
        record.emit(event)
    record.close()
    lines = recorded(session)
    assert [line["seq"] for line in lines] == [1, 2, 3, 4]
    assert [line["toolCalls"] for line in lines] == [1, 1, 1, 1]
    first = session.output.read_text().split("\n", 1)[0]
    assert first.startswith("> **running** · codex")
    assert "1 tool call · thinking hard" in first
    assert len(session.output.read_bytes().split(b"\n", 1)[0]) == 239
    assert record.usage is not None
    assert record.usage.output_tokens == 6
    assert runs.facts(session).activity == "thinking hard"


async def test_what_it_has_used_does_not_hide_what_it_does(session: SessionFolder) -> None:
    record = recorder(session)
    record.emit(ToolCall(call_id="1", name="shell", detail="pytest"))
    for tokens in (5, 6):
        record.emit(Usage(input_tokens=tokens, output_tokens=6))
        record.flush()
        assert runs.facts(session).activity == "shell pytest"
    assert "shell pytest" in session.output.read_text().split("\n", 1)[0]
    record.close()


async def test_half_a_character_of_somebodys_json_is_replaced(session: SessionFolder) -> None:
    record = recorder(session)
    record.emit(Text(text="a\ud83d"))
    record.emit(ToolCall(call_id="\udc00", name="x\ud83d"))
    record.close()
    assert [line["seq"] for line in recorded(session)] == [1, 2]
    assert "a?" in session.output.read_text()
    last = runs.last_record(session)
    assert last is not None
    assert last.seq == 2


async def test_a_disk_that_is_full_does_not_end_the_session(
    session: SessionFolder, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record = recorder(session)

    def full(_descriptor: int, _data: bytes, _path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "append", full)
    for _ in range(3):
        record.emit(Text(text="x"))
        record.flush()
    record.close()
    assert record.excerpt.total == 3
    assert capsys.readouterr().err.count("output is no longer recorded") == 1


async def test_beyond_the_limit_only_the_end_is_recorded_and_that_is_said(
    session: SessionFolder,
) -> None:
    process = Process(pid=1, birth="b", started_at=STARTED)
    record = Recorder(
        session, Facts(spec=ended(1).spec, process=process), time.monotonic(), 1_000_000
    )
    record.emit(Text(text="the beginning"))
    for number in range(300):
        record.emit(ToolCall(call_id=str(number), name="shell", detail=f"pytest {number}"))
        record.emit(ToolResult(call_id=str(number), ok=True, output="z" * 5_000))
        record.emit(Text(text="y" * 5_000))
        record.emit(Usage(input_tokens=number, output_tokens=6))
        record.flush()
    seen = runs.facts(session)
    assert seen.usage is not None
    assert (seen.usage.input_tokens, seen.activity) == (299, "writing")
    record.emit(Text(text="the conclusion"))
    record.finish("goodbye", "> **completed**")
    events, text = session.events.read_bytes(), session.output.read_text()
    assert len(events) + len(text) < 1_100_000
    assert text.count("**no longer recorded**: this session has written more than 1 MB") == 1
    assert "the beginning" in text
    assert text.endswith("the conclusion\n\n\ngoodbye\n")
    assert text.startswith("> **completed**")
    assert [line["seq"] for line in recorded(session)][-1] == 1 + 4 * 300 + 1
    assert record.tool_calls == 300
    assert record.excerpt.total > 1_500_000
    assert record.excerpt.head.startswith("the beginning")
    assert record.excerpt.tail.endswith("the conclusion")


async def test_memory_stays_bounded_however_much_is_said(session: SessionFolder) -> None:
    record = recorder(session)
    for _ in range(200):
        record.emit(Text(text="y" * 10_000))
        record.flush()
    record.close()
    assert record.excerpt.total == 2_000_000
    assert len(record.excerpt.head) + len(record.excerpt.tail) == 30_000
    shown = RunView(session.run).status().sessions[0]
    text = document(session, shown)
    assert len(text) < 210_000
    assert "bytes are left out here; [the whole output](file://" in text


async def test_a_document_opens_with_the_status_also_before_the_start(
    session: SessionFolder,
) -> None:
    shown = RunView(session.run).status().sessions[0]
    text = document(session, shown)
    assert text.startswith("> **pending** · codex · 0 tool calls\n\n# Debug (1): Prices")
    assert text.endswith("waiting to be started\n")


async def test_a_watch_hears_of_a_run_to_its_end_and_holds_nothing_after_it(
    project: Project,
) -> None:
    news = asyncio.Event()
    heard: list[str] = []

    def changed(run_id: str, *_session_id: str) -> None:
        heard.append(run_id)
        news.set()

    workspace = WorkspaceFolder.of(project.root)
    with Watch(workspace, changed) as watch:
        run = await asyncio.to_thread(start, project.root, FINDS, FINDS)
        view = RunView(run.folder)
        while not view.finished():
            await asyncio.wait_for(news.wait(), 30)
            news.clear()
            watch.attend(run.folder)
        assert set(heard) == {run.folder.run_id}
        status = view.status()
    assert status == runs.shown(run.folder)
    assert status.delivered
    assert view.problem() is None
    assert list(workspace.servers.iterdir()) == []
