"""Live documents: what they hold, and when the client is told to read them again."""

from __future__ import annotations

import asyncio

import pytest
from pygls.exceptions import JsonRpcException

from bug_lsp.store.layout import WorkspaceFolder
from tests.support.runs import wait_until

from .conftest import OPTIONS, program

pytestmark = pytest.mark.anyio


def says(code):
    return {"bugLsp": {**OPTIONS["bugLsp"], "agents": {"says": program(code)}}}


async def start(editor, task):
    return await editor.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "says"}]}
    )


async def test_a_document_opens_with_its_status_and_ends_with_links(open_editor, task):
    editor = await open_editor(options=says("print('hello from the agent')"))
    run = await start(editor, task)
    await editor.finished(run["debugRunId"])
    text = await editor.read(run["sessions"][0]["uri"])
    first, *_, task_link, session_link = text.strip().splitlines()
    assert first.startswith("> **completed** · says · ")
    assert first.rstrip().endswith("0 tool calls")
    assert "hello from the agent" in text
    assert task_link == f"- [View updated task]({task.as_uri()})"
    assert session_link.startswith("- [View full session](file:///")


async def test_the_last_line_always_arrives(open_editor, task):
    code = "import time\nfor n in range(300): print('line', n, flush=True); time.sleep(0.005)"
    editor = await open_editor(options=says(code))
    run = await start(editor, task)
    uri = run["sessions"][0]["uri"]
    await editor.read(uri)
    await editor.until(lambda: "completed in" in editor.texts[uri][-1])
    assert "line 299" in editor.texts[uri][-1]
    assert len(editor.texts[uri]) < 60, "refreshes are merged"


async def test_a_long_document_is_a_window_with_a_link_to_the_whole(open_editor, task):
    code = "for n in range(60000): print('a line of output with the number', n)"
    editor = await open_editor(options=says(code))
    run = await start(editor, task)
    await editor.finished(run["debugRunId"])
    text = await editor.read(run["sessions"][0]["uri"])
    assert len(text) < 210_000
    assert "a line of output with the number 0\n" in text
    assert "a line of output with the number 59999\n" in text
    assert "[the whole output](file:///" in text


async def test_a_document_that_nobody_reads_is_left_alone(open_editor, task):
    code = "import time\nfor n in range(200): print(n, flush=True); time.sleep(0.01)"
    editor = await open_editor(options=says(code))
    editor.follow_documents = False
    refreshes = []
    editor.client.protocol.fm.features["workspace/textDocumentContent/refresh"] = refreshes.append
    run = await start(editor, task)
    await editor.read(run["sessions"][0]["uri"])
    await editor.finished(run["debugRunId"])
    assert len(refreshes) <= 4


async def test_an_address_that_is_none_is_refused_in_one_sentence(open_editor, task):
    editor = await open_editor(options=says("print(1)"))
    run = await start(editor, task)
    await editor.finished(run["debugRunId"])
    wrong = [
        "bug-lsp:/etc/passwd",
        "bug-lsp:/runs/../x/y.md",
        "bug-lsp:/runs/0000000000000000/000000000000.md",
        f"bug-lsp:/runs/{run['debugRunId']}/000000000000.md",
    ]
    for uri in wrong:
        with pytest.raises(JsonRpcException) as caught:
            await editor.read(uri)
        assert caught.value.code == -32803
        assert "Traceback" not in str(caught.value.message)


async def test_terminal_escapes_and_control_characters_do_not_reach_the_document(open_editor, task):
    code = (
        "import sys; sys.stdout.buffer.write("
        r"b'\x1b[31mred\x1b[0m \x07bell \x00null \xff\xfe bad \xf0\x9f\x90\x9b\n')"
    )
    editor = await open_editor(options=says(code))
    run = await start(editor, task)
    await editor.finished(run["debugRunId"])
    text = await editor.read(run["sessions"][0]["uri"])
    assert "red bell" in text
    assert "\U0001f41b" in text
    assert not set(text) & {"\x1b", "\x07", "\x00"}


@pytest.mark.fault(9)
async def test_a_client_that_stops_reading_stops_no_agent(open_editor, task, tmp_path):
    """The server must not wait for its client: it would stop hearing, and the run with it."""
    code = "for n in range(20000): print('x' * 100, n)"
    editor = await open_editor(options=says(code))
    reader = editor.client._server.stdout
    run = await start(editor, task)
    reader._transport.pause_reading()
    # The client hears nothing: only the disk can tell.
    folder = WorkspaceFolder.of(task.parent.parent)
    await asyncio.to_thread(wait_until, lambda: "## Findings" in task.read_text(), workspace=folder)
    reader._transport.resume_reading()
    status = await editor.finished(run["debugRunId"])
    assert status["completedCount"] == 1
