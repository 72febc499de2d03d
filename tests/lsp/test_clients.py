"""What each real client can do, from what it sends at `initialize`: nobody is asked for more."""

from __future__ import annotations

import asyncio
import functools
import signal
from pathlib import Path

import pytest

from bug_lsp.domain.findings import OfferedPatch
from bug_lsp.store import runs
from bug_lsp.store.layout import WorkspaceFolder
from tests.support.findings import found_at, keep
from tests.support.runs import wait_until

from .conftest import OPTIONS, TASK
from .raw import Raw
from .simulated import NEEDS, capabilities, has, names

pytestmark = pytest.mark.anyio

PUBLISH = "textDocument/publishDiagnostics"
EVERY_CLIENT = pytest.mark.parametrize(
    "can",
    [
        pytest.param({}, id="none"),
        *(pytest.param(capabilities(name), id=name) for name in names()),
    ],
)


class Client:
    """Answers as an obedient client of these capabilities would, and remembers the questions."""

    def __init__(self, raw: Raw, can: dict) -> None:
        self.raw, self.can = raw, can
        self.asked: list[dict] = []
        self.told: list[dict] = []

    async def hear(self) -> None:
        message = await self.raw.message()
        if "method" not in message:
            return
        (self.asked if "id" in message else self.told).append(message)
        if "id" in message:
            self.raw.send({"jsonrpc": "2.0", "id": message["id"], "result": self.result(message)})

    @staticmethod
    def result(message: dict) -> object:
        if message["method"] == "workspace/configuration":
            return [None]
        if message["method"] == "window/showDocument":
            return {"success": True}
        if message["method"] == "workspace/applyEdit":
            return {"applied": True}
        return None


@pytest.fixture
async def raw():
    client = await Raw.start()
    yield client
    await client.end()


@EVERY_CLIENT
async def test_the_whole_job_asks_a_client_only_for_what_it_can(raw, project, task, can):
    await raw.initialise(project.as_uri(), can, OPTIONS)
    client = Client(raw, can)
    raw.send(
        {
            "jsonrpc": "2.0",
            "method": "textDocument/didOpen",
            "params": {
                "textDocument": {
                    "uri": task.as_uri(),
                    "languageId": "markdown",
                    "version": 1,
                    "text": TASK,
                }
            },
        }
    )
    agents = [{"agentType": "right"}, {"agentType": "exits3"}]
    raw.send(
        {
            "jsonrpc": "2.0",
            "id": 1,
            "method": "workspace/executeCommand",
            "params": {
                "command": "debugWithAgents",
                "arguments": [{"taskUri": task.as_uri(), "agents": agents}],
            },
        }
    )

    def ended() -> bool:
        said = [m["params"]["message"] for m in client.told if m["method"] == "window/showMessage"]
        said += [m["params"]["message"] for m in client.asked if "message" in m.get("params", ())]
        return any("is done" in text for text in said)

    while not ended():
        await client.hear()

    for message in client.asked:
        assert has(can, NEEDS[message["method"]]), message["method"]
    asked = {message["method"] for message in client.asked}
    if has(can, ("workspace", "applyEdit")):
        assert "workspace/applyEdit" in asked
        assert task.read_text() == TASK
    else:
        assert "## Root cause" in task.read_text()
    progress = [message for message in client.told if message["method"] == "$/progress"]
    assert bool(progress) == has(can, ("window", "workDoneProgress"))
    if not progress:
        told = [m["params"]["message"] for m in client.told if m["method"] == "window/showMessage"]
        assert any("is being debugged by right, exits3" in text for text in told)


async def shown_file(client: Client) -> Path:
    """The file that the client is asked to show."""
    client.asked += [message for message in client.raw.others if "id" in message]
    while not (shown := [m for m in client.asked if m["method"] == "window/showDocument"]):
        await client.hear()
    return Path(shown[0]["params"]["uri"].removeprefix("file://"))


async def test_an_orchestrator_that_is_quicker_than_the_server_looks_is_shown(raw, project, task):
    await raw.initialise(project.as_uri(), {"window": {"showDocument": {"support": True}}}, OPTIONS)
    started = await raw.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "right"}] * 2}
    )
    raw.process.send_signal(signal.SIGSTOP)
    run = WorkspaceFolder.of(project).run(started["result"]["debugRunId"])
    finished = functools.partial(runs.is_finished, run)
    await asyncio.to_thread(wait_until, finished, workspace=run.workspace)
    raw.process.send_signal(signal.SIGCONT)
    path = await shown_file(Client(raw, {}))
    assert path == runs.orchestrators(run)[0].output


async def test_a_client_without_virtual_documents_is_given_the_real_file(raw, project, task):
    await raw.initialise(project.as_uri(), {"window": {"showDocument": {"support": True}}}, OPTIONS)
    started = await raw.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "right"}] * 2}
    )
    session = started["result"]["sessions"][0]
    assert session["uri"].startswith("file:")
    client = Client(raw, {})
    path = await shown_file(client)
    assert path.name == "output.md"
    assert "# Orchestrator: add() subtracts" in path.read_text()
    while "## Root cause" not in task.read_text():
        await client.hear()


FINDING = {
    "claim": "The operator is wrong",
    "confidence": 0.9,
}


@EVERY_CLIENT
async def test_findings_actions_lenses_and_links_are_told_in_the_words_that_a_client_knows(
    raw, project, task, can
):
    """Every client has the findings and can do the same about them, whatever it can show."""
    line = found_at(project, "calc.py", 2, task, **FINDING)
    other = found_at(project, "calc.py", 1, task)
    patch = OfferedPatch(
        session_id="b" * 12, label="Debug (1) right", proven=True, facts="reproduction passes"
    )
    keep(project, task, [line, other], [patch])
    task.write_text(f"{TASK}\nSee calc.py:2.\n")
    await raw.initialise(project.as_uri(), can, OPTIONS)
    client = Client(raw, can)
    while not any(one["method"] == PUBLISH for one in client.told):
        await client.hear()
    [published] = [one["params"] for one in client.told if one["method"] == PUBLISH]
    diagnostic, second = published["diagnostics"]
    shown = {"relatedInformation", "codeDescription", "data"} & diagnostic.keys()
    text_document = can.get("textDocument", {})
    publish = text_document.get("publishDiagnostics", {})
    assert shown == {
        key
        for key, support in (
            ("relatedInformation", "relatedInformation"),
            ("codeDescription", "codeDescriptionSupport"),
            ("data", "dataSupport"),
        )
        if publish.get(support)
    }
    assert (diagnostic["code"], diagnostic["source"]) == (line.id, "bug-lsp")
    assert second["code"] == other.id

    async def ask(method: str, **params: object) -> list[dict]:
        while True:
            raw.send({"jsonrpc": "2.0", "id": method, "method": method, "params": params})
            while True:
                message = await raw.message()
                if message.get("id") == method and "method" not in message:
                    return message["result"]
                if "id" in message:
                    answer = {"jsonrpc": "2.0", "id": message["id"]}
                    raw.send({**answer, "result": client.result(message)})

    file = {"uri": (project / "calc.py").as_uri()}
    actions = await ask(
        "textDocument/codeAction",
        textDocument=file,
        range=diagnostic["range"],
        context={"diagnostics": [diagnostic]},
    )
    literal = text_document.get("codeAction", {}).get("codeActionLiteralSupport")
    commands = [one["command"] if literal else one for one in actions]
    assert [one["command"] for one in commands] == [
        "applyPatch", "showPatch", "openSession", "dismissFinding"
    ]  # fmt: skip
    assert commands[0]["title"] == "Apply the patch of Debug (1) right (reproduction passes)"
    raw.send(
        {
            "jsonrpc": "2.0",
            "method": "textDocument/didOpen",
            "params": {
                "textDocument": {
                    "uri": task.as_uri(), "languageId": "markdown", "version": 1,
                    "text": task.read_text(),
                }
            },
        }
    )  # fmt: skip
    bug = {"uri": task.as_uri()}
    [lens] = await ask("textDocument/codeLens", textDocument=bug)
    assert lens["command"]["title"] == "Debug with agents"
    [link] = await ask("textDocument/documentLink", textDocument=bug)
    assert link["target"] == f"{(project / 'calc.py').as_uri()}#L2"
    actions = await ask(
        "textDocument/codeAction",
        textDocument=bug,
        range=link["range"],
        context={"diagnostics": []},
    )
    titles = [one["title"] for one in actions]
    assert titles[0] == "Debug with agents"
    goes = "documentLink" not in text_document and has(can, ("window", "showDocument", "support"))
    assert ("Go to calc.py:2" in titles) == goes
