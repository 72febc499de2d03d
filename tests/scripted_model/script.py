"""What the scripted model says: a Script is a list of Steps, one per model request.

A script is plain data (JSON or a dict), the same for every agent:

    {"cwd": "/path/of/the/repo",
     "steps": [
       {"thinking": "Look first.", "text": "I will read it.",
        "tools": [{"kind": "shell", "command": "cat calc.py"}]},
       {"tools": [{"kind": "edit", "path": "calc.py", "old": "a - b", "new": "a + b"}]},
       {"text": "Done."}]}

Each *main* request (one that offers tools) uses up one step; the last step repeats.
Requests that offer no tools (title generation, quota probes, ...) get `side_text` and
use up nothing, so a script does not depend on how chatty an agent is. A script for an
agent that is run with no tools at all says `"all_main": true`.

A step may instead fail:

    {"http": 401}                        an HTTP error in the dialect's own error shape
    {"http": 429, "headers": {"retry-after": "1"}, "times": 2}
    {"text": "...", "cut": true}         stream the text, then drop the connection
    {"hang": 3600}                       accept, send nothing
    {"text": "...", "hang": 3600}        stream the text, then go silent
    {"garbage": true}                    a 200 whose body is not the protocol
    {"big": 10000000}                    stream that many bytes of text
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Step:
    text: str = ""
    thinking: str = ""
    tools: list[dict[str, Any]] = field(default_factory=list)
    big: int = 0
    http: int = 0
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: float = 0.0
    garbage: bool = False
    times: int = 1
    chunk: int = 24  # characters per streamed delta
    delay: float = 0.0  # seconds between deltas
    usage: tuple[int, int] = (1000, 50)  # tokens in, tokens out

    def texts(self) -> Iterator[str]:
        """The deltas of this step's text."""
        for i in range(self.big // 1024):  # never twice the same: gemini stops at a loop
            yield random.Random(i).randbytes(511).hex() + " \n"
        for i in range(0, len(self.text), self.chunk):
            yield self.text[i : i + self.chunk]


class Script:
    """Steps plus a cursor. One Script belongs to one lane (one agent run)."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.cwd: str = data.get("cwd", "")
        self.side_text: str = data.get("side_text", "Scripted title")
        self.all_main: bool = data.get("all_main", False)
        self.steps: list[Step] = []
        for raw in data["steps"]:
            step = Step(**raw)
            self.steps += [step] * step.times
        if not self.steps:
            raise ValueError("a script needs at least one step")
        self.cursor = 0

    def next(self) -> Step:
        step = self.steps[min(self.cursor, len(self.steps) - 1)]
        self.cursor += 1
        return step

    def path(self, path: str) -> str:
        return str(Path(self.cwd, path))


@dataclass
class Call:
    """A tool call in the agent's own vocabulary. `freeform` is codex's custom tool input."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)
    freeform: str | None = None

    @property
    def json(self) -> str:
        return json.dumps(self.arguments)


def native_call(tool: dict[str, Any], offered: dict[str, str], script: Script) -> Call:
    """Turn a neutral tool into a call of one of the tools that this request offered.

    {"kind": "shell", "command": ...}                 exec_command, shell, Bash, bash, ...
    {"kind": "read", "path": ...}                     Read, read_file, read, view, or a cat
    {"kind": "edit", "path": ..., "old": ..., "new": ...}   apply_patch, Edit, replace, edit
    {"kind": "write", "path": ..., "content": ...}    apply_patch, Write, write_file, ...
    {"kind": "raw", "name": ..., "arguments": {...}}  as it stands

    `offered` maps tool name to "function" or "custom" (codex's freeform tools). Where no
    fitting tool is offered (a read-only agent) the call names one all the same, and the
    agent refuses it, as it would a real model's mistake.
    """
    return _KINDS[tool["kind"]](tool, offered, script)


def _pick(offered: dict[str, str], *names: str) -> str | None:
    return next((name for name in names if name in offered), None)


def _raw(tool: dict[str, Any], _offered: dict[str, str], _script: Script) -> Call:
    return Call(tool["name"], tool.get("arguments", {}), tool.get("freeform"))


def _shell(tool: dict[str, Any], offered: dict[str, str], _script: Script) -> Call:
    command = tool["command"]
    name = _pick(
        offered, "exec_command", "shell_command", "shell", "Bash", "run_shell_command", "bash"
    )
    arguments: dict[str | None, dict[str, Any]] = {
        "exec_command": {"cmd": command, "yield_time_ms": 30000},
        "shell": {"command": ["bash", "-lc", command]},
        "shell_command": {"command": command},
        None: {"command": command},  # nothing known: the commonest, which the agent refuses
    }
    described = {"command": command, "description": "scripted command"}
    return Call(name or "Bash", arguments.get(name, described))


def _read(tool: dict[str, Any], offered: dict[str, str], script: Script) -> Call:
    name = _pick(offered, "Read", "read_file", "read", "view")
    if name is None:
        return _shell({"command": f"cat {tool['path']}"}, offered, script)
    key = {"Read": "file_path", "read_file": "file_path", "read": "filePath", "view": "path"}
    return Call(name, {key[name]: script.path(tool["path"])})


def _edit(tool: dict[str, Any], offered: dict[str, str], script: Script) -> Call:
    path, old, new = script.path(tool["path"]), tool["old"], tool["new"]
    name = _pick(offered, "apply_patch", "Edit", "replace", "edit")
    snake = {"file_path": path, "old_string": old, "new_string": new}
    if name == "replace":
        return Call(name, snake | {"instruction": "scripted edit"})
    if name == "Edit" or (name == "edit" and "write_file" in offered):  # the latter is qwen's
        return Call(name, snake)
    if name == "edit" and "view" in offered:  # copilot
        return Call(name, {"path": path, "old_str": old, "new_str": new})
    if name == "edit":
        return Call(name, {"filePath": path, "oldString": old, "newString": new})
    body = "".join(f"-{line}\n" for line in old.splitlines())
    body += "".join(f"+{line}\n" for line in new.splitlines())
    return _patch(f"*** Update File: {tool['path']}\n@@\n{body}", offered, script)


def _write(tool: dict[str, Any], offered: dict[str, str], script: Script) -> Call:
    path, content = script.path(tool["path"]), tool["content"]
    name = _pick(offered, "apply_patch", "Write", "write_file", "write", "create")
    arguments: dict[str | None, dict[str, Any]] = {
        "Write": {"file_path": path, "content": content},
        "write_file": {"file_path": path, "content": content},
        "write": {"filePath": path, "content": content},
        "create": {"path": path, "file_text": content},
    }
    if name is not None and name in arguments:
        return Call(name, arguments[name])
    body = "".join(f"+{line}\n" for line in content.splitlines())
    return _patch(f"*** Add File: {tool['path']}\n{body}", offered, script)


def _patch(body: str, offered: dict[str, str], script: Script) -> Call:
    """codex's apply_patch: a freeform (custom) tool, a function, or, where neither is
    offered, a here-document in the shell, which codex intercepts as a patch.
    """
    patch = f"*** Begin Patch\n{body}*** End Patch\n"
    if offered.get("apply_patch") == "custom":
        return Call("apply_patch", freeform=patch)
    if "apply_patch" in offered:
        return Call("apply_patch", {"input": patch})
    return _shell({"command": f"apply_patch <<'EOF'\n{patch}EOF"}, offered, script)


_KINDS = {"raw": _raw, "shell": _shell, "read": _read, "edit": _edit, "write": _write}
