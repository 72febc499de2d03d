"""What Claude may do: the tools it is given, and which calls of them are refused.

Pure but for following symbolic links. This is ours and asked before every call, whatever the
user's own settings allow; it only ever refuses, so what Claude itself would refuse stays refused.
It judges the tools that name the file they write. What a shell command writes is not read off the
command: confining that is the work of the session's sandbox.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

_WRITES = {
    "Edit": "file_path",
    "MultiEdit": "file_path",
    "Write": "file_path",
    "NotebookEdit": "notebook_path",
}
"""The tools that write a file, and which argument names it."""
_READS = ("Read", "Grep", "Glob")
_READING_COMMANDS = frozenset({"cat", "grep", "head", "ls", "wc"})
"""Programs that write nothing and run nothing, whatever their options."""
_REFUSED_CHARACTERS = frozenset("$`\n\r\0")
_MAX_NAMED = 200


@dataclass(frozen=True, slots=True)
class Profile:
    """What Claude is started with. The rest of its tools it does not even see."""

    mode: Literal["acceptEdits", "dontAsk"]
    """Neither asks anybody: what is not allowed is refused."""
    tools: tuple[str, ...]
    allowed: tuple[str, ...]
    """What needs no permission. The writing tools are not among them: in `acceptEdits` they have
    it inside the working folders, and only there."""


DEBUG = Profile("acceptEdits", ("Bash", *_READS, *_WRITES), ("Bash", *_READS))
READ_ONLY = Profile(
    "dontAsk",
    ("Bash", *_READS),
    (*_READS, *(f"Bash({name}:*)" for name in sorted(_READING_COMMANDS))),
)


def refusal(
    tool: str, arguments: Mapping[str, Any], *, cwd: Path, copy: Path, read_only: bool
) -> str | None:
    """Why a call is not allowed, one sentence for Claude and for the user; None if it is."""
    if read_only:
        if tool in _READS or (tool == "Bash" and _only_reads(arguments.get("command"))):
            return None
        what = f"the command {_named(arguments.get('command'))}" if tool == "Bash" else tool
        return f"Refused: {what} may change something, and this session only reads"
    if tool not in _WRITES:
        return None
    path = arguments.get(_WRITES[tool])
    if isinstance(path, str) and _is_inside(path, cwd, copy):
        return None
    return f"Refused to write {_named(path)}: it is outside of this session's copy, {copy}"


def _is_inside(path: str, cwd: Path, copy: Path) -> bool:
    """Whether what is written there lands in the copy, all symbolic links followed."""
    if path.startswith("~"):
        return False  # who expands it, and to what, is not ours to guess
    try:
        return (cwd / path).resolve().is_relative_to(copy.resolve())
    except (OSError, RuntimeError, ValueError):  # a loop of links, or no path at all
        return False


def _only_reads(command: object) -> bool:
    """Whether a shell command is one call of a program that only reads."""
    if not isinstance(command, str) or _REFUSED_CHARACTERS & set(command):
        return False
    words = shlex.shlex(command, posix=True, punctuation_chars=True)
    words.whitespace_split = True
    words.commenters = ""
    try:
        first, *others = words
    except ValueError:  # nothing, or a quote that does not end
        return False
    operators = (word for word in others if word and not set(word) - set("();<>|&"))
    return first in _READING_COMMANDS and not any(operators)


def _named(value: object) -> str:
    text = repr(value) if isinstance(value, str) else "what it does not name"
    return text if len(text) <= _MAX_NAMED else f"{text[:_MAX_NAMED]}…"
