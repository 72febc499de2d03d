"""What an editor calls `taskUri` is `TASK.md` in a terminal: what is said there says it so."""

from __future__ import annotations

import re

from bug_lsp.domain.errors import BadInput

from .args import Options

_TYPED = (
    (re.compile(r"taskUri"), "task", "TASK.md"),
    (re.compile(r"title"), "title", "--title"),
    (re.compile(r"testCommand"), "test_command", "--test-command"),
    (re.compile(r"agents(\[\d+\]\..*)?"), "agents", "--agents"),
    (re.compile(r"orchestrator\..*"), "orchestrator", "--orchestrator"),
)
_SAID = ((re.compile(r"`?\btestCommand\b`?"), "--test-command"),)


def in_terminal(sentence: str) -> str:
    """The sentence with the names of a terminal: what an editor sends is typed there."""
    for pattern, name in _SAID:
        sentence = pattern.sub(name, sentence)
    return sentence


def as_typed(error: BadInput, options: Options) -> str:
    """The error's sentence. A field that was not typed is from the settings and keeps its name."""
    said = error.message.removeprefix(f"{error.field}: ")
    for field, attribute, name in _TYPED:
        if field.fullmatch(error.field) and getattr(options, attribute, None) is not None:
            return f"{name}: {said}"
    return error.message
