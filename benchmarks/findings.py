"""Findings on the line: 5,000 of them over 500 files, against a limit of 50 ms.

    python -m benchmarks.findings [--json]

A real server over pipes. Measured are: from the first of them that is published to the last, when
the server attaches (and the longest time that another request has to wait meanwhile); an edit until
the finding below it is published at its new line; a code action on a finding. Beside them what a
server costs for an edit in a file without findings, with and without 5,000 findings elsewhere: the
price of being attached to everything.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from bug_lsp.domain.findings import OfferedPatch
from tests.lsp.raw import Raw
from tests.support.findings import found_at, keep

FILES, EACH, TASKS, LINES = 500, 10, 5, 200
LIMIT = 0.050
ROUNDS = 100
_CAN = {
    "textDocument": {
        "publishDiagnostics": {"relatedInformation": True, "versionSupport": True},
        "codeAction": {"codeActionLiteralSupport": {"codeActionKind": {"valueSet": []}}},
    }
}


def project(folder: Path, files: int) -> Path:
    """A project whose every file has the same number of findings."""
    folder.mkdir()
    text = "".join(f"value_{line} = compute(value_{line - 1})\n" for line in range(1, LINES + 1))
    for number in range(FILES):
        (folder / f"module_{number}.py").write_text(text)
    (folder / "other.py").write_text(text)
    for number in range(TASKS if files else 0):
        task = folder / f"task_{number}.md"
        patch = OfferedPatch(
            session_id="b" * 12, label="Debug (1) right", proven=True, facts="holds"
        )
        found = [
            found_at(folder, f"module_{file}.py", 1 + line * (LINES // EACH), task)
            for file in range(number, files, TASKS)
            for line in range(EACH)
        ]
        keep(folder, task, found, [patch], run_id=f"{number:016x}")
    return folder


class Client(Raw):
    """Notes when messages come."""

    async def until_published(self, uri: str) -> dict[str, Any]:
        """The next diagnostics of this file."""
        while True:
            message = await self.message()
            published = message.get("method") == "textDocument/publishDiagnostics"
            if published and message["params"]["uri"] == uri:
                return message["params"]

    def open(self, uri: str, text: str) -> None:
        """Open a file."""
        item = {"uri": uri, "languageId": "python", "version": 1, "text": text}
        self.notify("textDocument/didOpen", {"textDocument": item})

    def notify(self, method: str, params: Any) -> None:
        """Send a notification."""
        self.send({"jsonrpc": "2.0", "method": method, "params": params})

    def type(self, uri: str, version: int, text: str) -> None:
        """Type a line at the top."""
        start = {"line": 0, "character": 0}
        change = {"range": {"start": start, "end": start}, "text": text}
        document = {"uri": uri, "version": version}
        params = {"textDocument": document, "contentChanges": [change]}
        self.notify("textDocument/didChange", params)


async def publishing(folder: Path) -> dict[str, float]:
    """All of it at once, when the server attaches: and how long a request has to wait meanwhile.
    Messages are told apart and not parsed: that would take longer than to make them.
    """
    client = await Client.start()
    await client.initialise(folder.as_uri(), _CAN)
    assert client.process.stdout
    waits: list[float] = []
    seen, held = 0, b""
    first = last = 0.0
    asked = time.perf_counter()
    client.send(_ask(0))
    while seen < FILES:
        held += await client.process.stdout.read(1 << 20)
        now = time.perf_counter()
        messages, held = _framed(held)
        for message in messages:
            if b"textDocument/publishDiagnostics" in message[:100]:
                first = first or now
                last, seen = now, seen + 1
            elif b'"method"' not in message:
                waits.append(now - asked)
                asked = time.perf_counter()
                client.send(_ask(len(waits)))
    await client.end()
    # The first one waits for the server to load: `python -m benchmarks --only start`.
    return {"all published in": last - first, "longest wait of another request": max(waits[1:])}


def _framed(data: bytes) -> tuple[list[bytes], bytes]:
    """The messages that are whole, and what is left."""
    found, begin = [], 0
    while (end := data.find(b"\r\n\r\n", begin)) >= 0:
        length = int(data[begin:end].split(b"Content-Length: ")[1].split(b"\r\n")[0])
        if len(data) < end + 4 + length:
            break
        begin = end + 4 + length
        found.append(data[end + 4 : begin])
    return found, data[begin:]


def _ask(identity: int) -> dict[str, Any]:
    params = {"textDocument": {"uri": "file:///nowhere.md"}}
    return {"jsonrpc": "2.0", "id": identity, "method": "textDocument/codeLens", "params": params}


async def one_at_a_time(folder: Path) -> dict[str, float]:
    """Edits and code actions in one file of the many."""
    client = await Client.start()
    await client.initialise(folder.as_uri(), _CAN)
    file = folder / "module_7.py"
    uri = file.as_uri()
    await client.until_published(uri)
    client.open(uri, file.read_text())
    await client.until_published(uri)  # told again, as it is open now
    edits: list[float] = []
    actions: list[float] = []
    for number in range(ROUNDS):
        await asyncio.sleep(0.15)  # as people type: what comes at once is gathered
        began = time.perf_counter()
        client.type(uri, number + 2, "# new\n")
        shown = await client.until_published(uri)
        edits.append(time.perf_counter() - began)
        assert shown["diagnostics"][0]["range"]["start"]["line"] == number + 1
        there = shown["diagnostics"][number % EACH]
        began = time.perf_counter()
        answer = await client.ask(
            "textDocument/codeAction",
            {
                "textDocument": {"uri": uri},
                "range": there["range"],
                "context": {"diagnostics": [there]},
            },
            number,
        )
        actions.append(time.perf_counter() - began)
        assert any("Dismiss" in action["title"] for action in answer["result"])
    await client.end()
    return {
        "an edit until it is published, median": statistics.median(edits),
        "an edit until it is published, longest": max(edits),
        "a code action, median": statistics.median(actions),
        "a code action, longest": max(actions),
    }


async def elsewhere(folder: Path) -> float:
    """Processor seconds of the server for an edit in a file without findings."""
    client = await Client.start()
    await client.initialise(folder.as_uri(), _CAN)
    uri = (folder / "other.py").as_uri()
    client.open(uri, (folder / "other.py").read_text())
    await client.ask("workspace/executeCommand", {"command": "listDebugRuns", "arguments": [{}]}, 1)
    before = _processor(client.process.pid)
    for number in range(10 * ROUNDS):
        client.type(uri, number + 2, "#\n")
    await client.ask("workspace/executeCommand", {"command": "listDebugRuns", "arguments": [{}]}, 2)
    spent = _processor(client.process.pid) - before
    await client.end()
    return spent / (10 * ROUNDS)


def _processor(pid: int) -> float:
    import psutil

    times = psutil.Process(pid).cpu_times()
    return times.user + times.system


async def measure() -> dict[str, float]:
    """All of it, in seconds."""
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as temporary:
        for name, files in (("many", FILES), ("none", 0)):
            os.environ["BUG_LSP_STATE_DIR"] = str(Path(temporary, f"state-{name}"))
            folder = project(Path(temporary, name), files)
            if files:
                found |= await publishing(folder) | await one_at_a_time(folder)
            found[f"an edit elsewhere, findings: {name}"] = await elsewhere(folder)
    return found


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    found = asyncio.run(measure())
    if arguments.json:
        print(json.dumps(found, indent=1))
        return
    for name, seconds in found.items():
        print(f"{name:45} {seconds * 1000:8.2f} ms, {seconds / LIMIT:5.2f} of the limit")


if __name__ == "__main__":
    main()
