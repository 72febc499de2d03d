"""What an editor calls `taskUri` is `TASK.md` in a terminal: errors say it as it was typed."""

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


def as_typed(error: BadInput, options: Options) -> str:
    """The error's sentence. A field that was not typed is from the settings and keeps its name."""
    said = error.message.removeprefix(f"{error.field}: ")
    for field, attribute, name in _TYPED:
        if field.fullmatch(error.field) and getattr(options, attribute, None) is not None:
            return f"{name}: {said}"
    return error.message
