"""The short form of `tests.fuzz.jsonrpc`, and what it has found."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.lsp.raw import Raw

from .jsonrpc import fuzz

pytestmark = [pytest.mark.fault(18), pytest.mark.anyio]


async def test_of_thousands_of_messages_each_request_is_answered_once(
    tmp_path: Path, times: Callable[[int, int], int]
) -> None:
    root = tmp_path / "work"
    root.mkdir()
    messages = times(2_000, 100_000)
    outcome = await fuzz(messages, 1, root)
    assert outcome.replies > messages / 2
    assert len(outcome.errors) >= 4


@pytest.fixture
async def raw(tmp_path: Path):
    client = await Raw.start()
    await client.initialise(tmp_path.as_uri())
    yield client
    await client.end()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"jsonrpc": "2.0", "id": 1, "method": True, "params": {}}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": None}, -32600),
        ({"jsonrpc": "2.0", "id": 1, "method": "initialized", "params": {}}, -32600),
        ({"jsonrpc": "1.0", "id": 1, "method": "x"}, -32600),
    ],
)
async def test_a_request_that_is_none_is_answered_all_the_same(raw, message, code):
    raw.send(message)
    assert (await raw.answer(1))["error"]["code"] == code


async def test_a_request_that_nobody_waits_for_is_not_done_and_not_answered(raw):
    # It has no id, so it is a notification, whatever its method.
    command = {"command": "listDebugRuns", "arguments": [{}]}
    raw.send({"jsonrpc": "2.0", "method": "workspace/executeCommand", "params": command})
    answer = await raw.command("listDebugRuns", {})
    assert answer["result"] == {"runs": []}
    assert [message for message in raw.others if "method" not in message] == []


async def test_a_bare_string_is_taken_or_refused_by_every_command(raw):
    listed = await raw.command("openPlace", "untitled:1")
    assert listed["error"]["code"] == -32602
    assert "untitled:1" in listed["error"]["message"]
