"""A server is there at once: until `initialize` is answered it imports next to nothing of its own.

Not timed, as that would be of the machine: `python -m benchmarks --only start` does it.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest
from lsprotocol import types
from pygls.capabilities import ServerCapabilitiesBuilder

from bug_lsp.lsp.announced import COMMANDS, announce
from bug_lsp.lsp.door import Door
from bug_lsp.lsp.features import create_server

ROOT = Path(__file__).parent.parent.parent
OURS = {
    "": (),
    "cli": ("args",),
    "domain": ("errors",),
    "lsp": ("announced", "door", "loop", "main", "protocol", "text"),
    "store": ("faults", "files", "guard", "layout"),
}
"""What of ours is needed to read the first message and to answer it. Values (pydantic), agents,
sessions and the handlers of requests are not.
"""
IMPORTED = re.compile(r"^import time: +\d+ \| +\d+ \| +(\S+)$", re.MULTILINE)


def imported_until_the_answer(module: str, *arguments: str) -> set[str]:
    """The modules that a server has imported when it has answered `initialize`, and is left."""
    params = {"processId": None, "rootUri": None, "capabilities": {}}
    hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}
    body = json.dumps(hello).encode()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", module, *arguments],
        input=b"Content-Length: %d\r\n\r\n%s" % (len(body), body),
        capture_output=True,
        check=True,
        cwd=ROOT,
        timeout=60,
    )
    assert b'"capabilities"' in done.stdout
    return set(IMPORTED.findall(done.stderr.decode()))


def test_before_its_first_answer_a_server_imports_what_any_would_and_little_more():
    more = imported_until_the_answer("bug_lsp", "serve") - imported_until_the_answer(
        "benchmarks.minimal_server"
    )
    allowed = {"bug_lsp", *(f"bug_lsp.{room}" for room in OURS if room)}
    allowed |= {f"bug_lsp.{room}.{name}" for room, names in OURS.items() for name in names}
    of_ours = {name for name in more if name.partition(".")[0] == "bug_lsp"}
    assert "bug_lsp.lsp.door" in of_ours
    assert of_ours <= allowed
    packages = {name.partition(".")[0] for name in more - of_ours} - sys.stdlib_module_names
    assert packages <= {"anyio", "sniffio"}


@pytest.mark.anyio
async def test_what_is_announced_before_it_is_loaded_is_what_there_is():
    door = Door()
    announced = _capabilities(door)
    announce(announced)
    create_server(door)
    there = _capabilities(door)
    assert tuple(door.protocol.fm.commands) == COMMANDS
    assert _offered(announced) == _offered(there)
    assert announced.text_document_sync == there.text_document_sync


def _capabilities(door: Door) -> types.ServerCapabilities:
    """What pygls makes of the features that are registered."""
    manager = door.protocol.fm
    return ServerCapabilitiesBuilder(
        types.ClientCapabilities(),
        {*manager.features, *manager.builtin_features},
        manager.feature_options,
        list(manager.commands),
        types.TextDocumentSyncKind.Incremental,
        None,
        types.PositionEncodingKind.Utf16,
    ).build()


def _offered(capabilities: types.ServerCapabilities) -> set[str]:
    """The names of all that is not left out or denied."""
    return {name for name, value in attrs.asdict(capabilities, recurse=False).items() if value}
