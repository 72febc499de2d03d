"""Messages that no editor would send, the same ones for the same seed."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

from bug_lsp.lsp import answering, features

assert features._COMMANDS, "their import is what registers the commands"

_NEVER = ("exit", "shutdown", "initialize")
"""They end or begin a server; `tests/lsp/test_protocol.py` has them."""
_PLAIN = (None, True, False)
_SLOW = {"listAgents", "createDemo"}
"""They ask programs, and make a project each time."""
_COMMANDS = sorted({one.name for one in answering._COMMANDS} - _SLOW)
_KEYS = sorted(
    {
        str(field.alias)
        for one in answering._COMMANDS
        for field in one.argument.model_fields.values()
    }
)
_REQUESTS = [
    "textDocument/codeAction",
    "textDocument/codeLens",
    "textDocument/documentLink",
    "workspace/textDocumentContent",
    "codeAction/resolve",
    "textDocument/hover",
    "textDocument/diagnostic",
    "$/unknown",
    "window/showMessageRequest",
    "",
]
_NOTIFICATIONS = [
    "textDocument/didOpen",
    "textDocument/didChange",
    "textDocument/didSave",
    "textDocument/didClose",
    "workspace/didChangeConfiguration",
    "workspace/didChangeWatchedFiles",
    "workspace/didChangeWorkspaceFolders",
    "window/workDoneProgress/cancel",
    "$/cancelRequest",
    "$/setTrace",
    "$/progress",
    "initialized",
    "$/unknown",
]


class Maker:
    """Makes messages for a server on this workspace."""

    def __init__(self, seed: int, root_uri: str) -> None:
        self._random = random.Random(seed)
        self._root = root_uri
        self._last = 0

    def next(self) -> bytes:
        """The body of a message, well framed or not to be framed at all."""
        kind = self._random.random()
        if kind < 0.03:
            return self._no_message()
        message = self._request() if kind < 0.65 else self._notification()
        if kind > 0.95:
            message = {
                "jsonrpc": "2.0",
                "id": self._id(),
                self._pick("result", "error"): self._any(),
            }
        for _ in range(self._pick(0, 0, 1, 1, 2, 5)):
            message = self._mutated(message)
        if isinstance(message, dict) and message.get("method") in _NEVER:
            message["method"] = "$/unknown"
        return json.dumps(message).encode()

    def _pick(self, *choices: Any) -> Any:
        return self._random.choice(choices)

    def _id(self) -> Any:
        self._last += 1
        return self._pick(self._last, f"r{self._last}")

    def _no_message(self) -> bytes:
        noise = self._random.randbytes(self._random.randrange(40))
        deep = b"[" * self._random.randrange(1, 100_000)
        number = b'{"jsonrpc":"2.0","id":' + b"9" * self._random.randrange(4_000, 6_000) + b"}"
        return self._pick(
            b"{", b"null", b"[]", b'"x"', b"1e999", deep, number, b"\xff" + noise, noise
        )

    def _request(self) -> dict[str, Any]:
        if self._random.random() < 0.7:
            method, params = "workspace/executeCommand", self._command()
        else:
            method, params = self._pick(*_REQUESTS), self._params()
        return {"jsonrpc": "2.0", "id": self._id(), "method": method, "params": params}

    def _notification(self) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "method": self._pick(*_NOTIFICATIONS), "params": self._params()}

    def _command(self) -> dict[str, Any]:
        names = self._random.sample(_KEYS, self._random.randrange(4))
        argument = {name: self._value(name) for name in names}
        arguments = self._pick(
            [argument], [argument], [argument], [], [argument] * 2, [self._any()]
        )
        return {"command": self._pick(*_COMMANDS), "arguments": arguments}

    def _value(self, name: str) -> Any:
        if self._random.random() < 0.3:
            return self._any()
        if name == "agents":
            return [{"agentType": self._word()} for _ in range(self._pick(0, 1, 2, 17))]
        if name.endswith("Uri") or name == "uri":
            return self._uri()
        if name == "context":
            return {"uri": self._uri(), "range": self._range(), "diagnostics": [self._any()]}
        return self._word()

    def _params(self) -> dict[str, Any]:
        uri = self._uri()
        changes = [{"range": self._range(), "text": self._word()}, {"text": self._word()}]
        item = {"uri": uri, "languageId": "markdown", "version": self._number()}
        return {
            "textDocument": {**item, "text": self._word()},
            "uri": uri,
            "range": self._range(),
            "position": self._range()["start"],
            "context": {"diagnostics": [self._any()]},
            "contentChanges": self._pick(changes, changes[:1], []),
            "settings": self._any(),
            "changes": [{"uri": uri, "type": self._pick(1, 2, 3, 9)}],
            "event": {"added": [{"uri": self._uri(), "name": "x"}], "removed": []},
            "token": self._pick("bug-lsp/222222222222", 7, self._word()),
            "id": self._pick(self._last, f"r{self._last}", 10**12),
            "value": self._pick("off", "verbose", self._any()),
        }

    def _uri(self) -> str:
        names = ("bug.md", "tasks/a.md", "shop.py", "%00.md", "%zz", "%2e%2e/x.md", "x" * 4096)
        return self._pick(
            *(f"{self._root}/{name}" for name in names),
            *(
                "file://elsewhere/x.md",
                "file:",
                "untitled:1",
                "https://x",
                "",
                "\ud800",
                "//[",
                "::",
            ),
            "bug-lsp:/runs/1111111111111111/222222222222.md",
            "bug-lsp:/runs/../../etc/passwd",
        )

    def _range(self) -> dict[str, Any]:
        def place() -> dict[str, Any]:
            return {"line": self._number(), "character": self._number()}

        return {"start": place(), "end": place()}

    def _number(self) -> Any:
        return self._pick(0, 0, 1, 2, 5, -1, 2**31, 2**64, 1.5, 10**40)

    def _word(self) -> Any:
        return self._pick(
            *("", "x", "missing", "nobody", "1111111111111111", "222222222222", "# Bug\n\nText\n"),
            *("\0", "\ud800", "é🐞\u2028", "../../x", "{{x}}", "%s%n", "x" * 5_000, "0" * 16),
        )

    def _any(self, depth: int = 0) -> Any:
        if depth < 3 and self._random.random() < 0.3:
            several = [self._any(depth + 1) for _ in range(self._random.randrange(4))]
            return self._pick(several, dict(zip(map(str, _KEYS), several, strict=False)))
        return self._pick(*_PLAIN, self._number(), self._word(), self._uri(), {}, [])

    def _mutated(self, message: Any) -> Any:
        """The message with one value in it another one, gone, or with a neighbour."""
        message = copy.deepcopy(message)
        places = [*_places(message)]
        if not places:
            return message
        holder, key = self._random.choice(places)
        how = self._random.random()
        if how < 0.5:
            holder[key] = self._any()
        elif how < 0.75:
            del holder[key]
        elif isinstance(holder, dict):
            holder[self._pick("jsonrpc", "id", "method", *_KEYS)] = self._any()
        else:
            holder.append(copy.deepcopy(holder[key]))
        return message


def _places(value: Any) -> Any:
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in list(items):
        yield value, key
        if isinstance(inner, dict | list):
            yield from _places(inner)


def wants_reply(body: bytes) -> tuple[bool, Any]:
    """(whether a reply is due, to which id), as JSON-RPC has it."""
    if not body:
        return False, None  # of no length: it is passed over like any other garbage
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return True, None
    if not isinstance(message, dict):
        return True, None
    identity = message.get("id")
    named = isinstance(identity, int | str)
    if message.get("jsonrpc") != "2.0":
        return named or identity is None, identity
    return named and "method" in message, identity
