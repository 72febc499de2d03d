"""The edges of the protocol: every request is answered, nothing stops the server but its end."""

from __future__ import annotations

import asyncio
import signal

import pytest

from .conftest import OPTIONS
from .raw import Raw

pytestmark = pytest.mark.anyio


@pytest.fixture
async def raw():
    client = await Raw.start()
    yield client
    await client.end()


@pytest.fixture
async def ready(raw, project):
    await raw.initialise(project.as_uri(), options=OPTIONS)
    return raw


async def test_virtual_documents_are_advertised(raw, project):
    answer = await raw.ask("initialize", {"capabilities": {}, "rootUri": project.as_uri()})
    workspace = answer["result"]["capabilities"]["workspace"]
    assert workspace["textDocumentContent"] == {"schemes": ["bug-lsp"]}


async def test_all_commands_of_the_contract_are_advertised(raw, project):
    answer = await raw.ask("initialize", {"capabilities": {}, "rootUri": project.as_uri()})
    assert set(answer["result"]["capabilities"]["executeCommandProvider"]["commands"]) == {
        "debugWithAgents",
        "getDebugRunStatus",
        "orchestrateDebugRun",
        "cancelDebugRun",
        "cancelSession",
        "listDebugRuns",
        "getTaskSessions",
        "openSession",
        "listAgents",
        "deleteDebugRun",
        "retrySession",
        "addAgent",
        "synthesiseNow",
        "messageSession",
        "retryFailed",
        "getDebugRunReport",
        "applyPatch",
        "getSessionPatch",
        "showPatch",
        "dismissFinding",
        "openPlace",
        "createDemo",
    }


async def test_a_request_before_initialize_is_refused(raw):
    answer = await raw.command("listDebugRuns")
    assert answer["error"]["code"] == -32002


async def test_a_second_initialize_is_refused(ready, project):
    answer = await ready.ask("initialize", {"capabilities": {}, "rootUri": project.as_uri()})
    assert answer["error"]["code"] == -32600


@pytest.mark.parametrize(
    "params", [None, 5, {"command": 5}, {"command": "listAgents", "arguments": 7}, []]
)
@pytest.mark.fault(18)
async def test_malformed_parameters_are_answered(ready, params):
    answer = await ready.ask("workspace/executeCommand", params)
    assert answer["error"]["code"] == -32602
    assert "Traceback" not in str(answer)


@pytest.mark.fault(18)
async def test_an_unknown_method_and_an_unknown_command_are_answered(ready):
    assert (await ready.ask("no/such", {}))["error"]["code"] == -32601
    assert (await ready.command("noSuch"))["error"]["code"] == -32602


async def test_a_nested_key_jsonrpc_is_only_data(ready):
    answer = await ready.command("debugWithAgents", {"title": "x", "jsonrpc": "2.0", "id": 4})
    assert answer["error"]["code"] == -32602
    assert "jsonrpc" in answer["error"]["message"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"\r\n\r\n",
        b"nonsense\r\n",
        b"Content-Length: abc\r\n\r\n",
        b"Content-Type: x\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: 3\r\n\r\n{{{",
        b"Content-Length: 5\r\n\r\n\xff\xfe\x00\x00\x01",
        b"Content-Length: 60000\r\n\r\n" + b"[" * 60_000,
        b"x" * 200_000 + b"\r\n",
    ],
)
@pytest.mark.fault(18)
async def test_garbage_between_messages_is_survived(ready, garbage):
    ready.bytes(garbage)
    answer = await ready.command("listDebugRuns", {})
    assert answer["result"] == {"runs": []}


@pytest.mark.fault(18)
async def test_a_message_too_large_to_keep_is_refused_and_the_next_one_is_read(ready):
    ready.bytes(b"Content-Length: 64000001\r\n\r\n")
    for _ in range(64):
        ready.bytes(b" " * 1_000_000)
        await ready.process.stdin.drain()
    ready.bytes(b" ")
    answer = await ready.command("listDebugRuns", {})
    assert answer["result"] == {"runs": []}


@pytest.mark.fault(18)
async def test_what_is_not_json_is_answered_with_a_parse_error(ready):
    ready.bytes(b"Content-Length: 1\r\n\r\n{")
    answer = await ready.answer(None)
    assert answer["error"]["code"] == -32700


async def test_shutdown_while_commands_are_in_flight_is_answered_and_so_are_they(ready):
    for number in range(5):
        ready.send(
            {
                "jsonrpc": "2.0",
                "id": number,
                "method": "workspace/executeCommand",
                "params": {"command": "listAgents", "arguments": []},
            }
        )
    ready.send({"jsonrpc": "2.0", "id": "bye", "method": "shutdown"})
    answers = {}
    while len(answers) < 6:
        message = await ready.message()
        if "method" not in message:
            answers[message["id"]] = message
    assert answers["bye"]["result"] is None
    after = await ready.command("listAgents")
    assert after["error"]["code"] == -32600
    ready.send({"jsonrpc": "2.0", "method": "exit"})
    assert await ready.ended() == 0


@pytest.mark.fault(8)
async def test_exit_without_shutdown_is_code_1(ready):
    ready.send({"jsonrpc": "2.0", "method": "exit"})
    assert await ready.ended() == 1


@pytest.mark.fault(8)
async def test_the_end_of_input_ends_the_server(ready):
    ready.process.stdin.close()
    assert await ready.ended() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.fault(8)
async def test_a_signal_ends_the_server_and_leaves_nothing_behind(ready, state_dir, number):
    await ready.command("listDebugRuns", {})
    [servers] = state_dir.glob("workspaces/*/servers")
    assert list(servers.iterdir())
    ready.process.send_signal(number)
    assert await ready.ended() == 128 + number
    assert not list(servers.iterdir())


async def test_odd_answers_of_a_client_do_no_harm(raw, project, task):
    """eglot 1.9 and lsp-mode 8.0 answer every request they do not know with null."""
    await raw.initialise(
        project.as_uri(),
        {"window": {"workDoneProgress": True, "showDocument": {"support": True}}},
        OPTIONS,
    )
    started = await raw.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "right"}] * 2}
    )
    run_id = started["result"]["debugRunId"]
    delivered = False
    async with asyncio.timeout(60):
        while not delivered:
            message = await raw.message()
            assert message.get("method") != "window/showMessage" or "Error" not in str(message)
            if "method" in message and "id" in message:
                raw.send({"jsonrpc": "2.0", "id": message["id"], "result": None})
                raw.send({"jsonrpc": "2.0", "id": message["id"], "result": None})  # and again, late
            if message.get("method") == "bugLsp/runChanged":
                status = await raw.command("getDebugRunStatus", {"debugRunId": run_id})
                delivered = status["result"]["delivered"]
                for other in raw.others:
                    if "method" in other and "id" in other:
                        raw.send({"jsonrpc": "2.0", "id": other["id"], "result": None})
                raw.others.clear()
    assert "By digest" in task.read_text()


async def test_nothing_but_messages_is_written_to_standard_output(ready):
    answer = await ready.command("listAgents")
    assert {agent["agentType"] for agent in answer["result"]["agents"]} >= {"codex", "spectrum"}
    ready.send({"jsonrpc": "2.0", "id": "bye", "method": "shutdown"})
    await ready.answer("bye")
    ready.send({"jsonrpc": "2.0", "method": "exit"})
    assert await ready.ended() == 0
    assert await ready.process.stdout.read() == b""
