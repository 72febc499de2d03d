"""What each real client can do, from what it sends at `initialize`: nobody is asked for more."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import OPTIONS, TASK
from .raw import Raw

pytestmark = pytest.mark.anyio

CLIENTS = sorted((Path(__file__).parent.parent / "client_capabilities").glob("*.json"))
NEEDS = {
    "window/workDoneProgress/create": ("window", "workDoneProgress"),
    "window/showDocument": ("window", "showDocument", "support"),
    "window/showMessageRequest": ("window", "showMessage"),
    "workspace/configuration": ("workspace", "configuration"),
    "workspace/applyEdit": ("workspace", "applyEdit"),
    "workspace/textDocumentContent/refresh": ("workspace", "textDocumentContent"),
}


def capabilities(path: Path) -> dict:
    content = json.loads(path.read_text())
    params = content.get("params", content)
    return params["capabilities"]


def has(found: object, path: tuple[str, ...]) -> bool:
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return bool(found) or found == {}


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


@pytest.mark.parametrize(
    "can",
    [pytest.param({}, id="none"), *(pytest.param(capabilities(p), id=p.stem) for p in CLIENTS)],
)
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
        said += [m["params"]["message"] for m in client.asked if "message" in m["params"]]
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


async def test_a_client_without_virtual_documents_is_given_the_real_file(raw, project, task):
    await raw.initialise(project.as_uri(), {"window": {"showDocument": {"support": True}}}, OPTIONS)
    started = await raw.command(
        "debugWithAgents", {"taskUri": task.as_uri(), "agents": [{"agentType": "right"}] * 2}
    )
    session = started["result"]["sessions"][0]
    assert session["uri"].startswith("file:")
    client = Client(raw, {})
    client.asked += [message for message in raw.others if "id" in message]
    while not any(m["method"] == "window/showDocument" for m in client.asked):
        await client.hear()
    [shown] = [m for m in client.asked if m["method"] == "window/showDocument"]
    path = Path(shown["params"]["uri"].removeprefix("file://"))
    assert path.name == "output.md"
    assert "# Orchestrator: add() subtracts" in path.read_text()
    while "## Root cause" not in task.read_text():
        await client.hear()
