"""The folders in which an agent keeps what is its own: settings, login, sessions, logs.

A session's confinement leaves them writable. Where each is, is the vendor's word, seen on the
versions that the tests run.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from bug_lsp.domain.run import CustomAgent

_OWN: Mapping[str, tuple[str, ...]] = {
    "claude": ("${CLAUDE_CONFIG_DIR:-~/.claude}", "~/.claude.json", "~/.cache/claude-cli-nodejs"),
    "gemini": ("~/.gemini",),
    "opencode": (
        "${XDG_CONFIG_HOME:-~/.config}/opencode",
        "${XDG_DATA_HOME:-~/.local/share}/opencode",
        "${XDG_STATE_HOME:-~/.local/state}/opencode",
        "${XDG_CACHE_HOME:-~/.cache}/opencode",
    ),
    "qwen": ("~/.qwen",),
    "copilot": ("${COPILOT_HOME:-~/.copilot}", "${XDG_CACHE_HOME:-~/.cache}/copilot"),
}
_WITH_DEFAULT = re.compile(r"\$\{(\w+):-([^}]*)\}")
_NAME = re.compile(r"\$(?:(\w+)|\{(\w+)\})")


def own_folders(
    agent_type: str, custom: Mapping[str, CustomAgent], env: Mapping[str, str]
) -> list[Path]:
    """What the agent may write beside its copy. Its folders are made where they are not there: only
    what is there can be left writable.
    """
    named = expanded(custom[agent_type].writable_paths, env) if agent_type in custom else []
    # A program that we know keeps its own where it does, under whatever name the user runs it.
    known = Path(custom[agent_type].command[0]).name if agent_type in custom else agent_type
    folders = expanded(_OWN.get(known, ()), env)
    for folder in folders:
        if not folder.suffix and not folder.exists():
            folder.mkdir(parents=True, mode=0o700)
    return [*folders, *named]


def expanded(paths: Iterable[str], env: Mapping[str, str]) -> list[Path]:
    """Paths with `~`, `$NAME` and `${NAME:-default}` expanded; those still relative left out."""
    home = env.get("HOME") or str(Path.home())
    found = []
    for path in paths:
        text = _WITH_DEFAULT.sub(lambda match: env.get(match[1]) or match[2], path)
        text = _NAME.sub(lambda match: env.get(match[1] or match[2], ""), text)
        if text == "~" or text.startswith("~/"):
            text = home + text[1:]
        if os.path.isabs(text):  # noqa: PTH117 - a text still
            found.append(Path(text))
    return found
