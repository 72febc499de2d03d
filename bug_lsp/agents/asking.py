"""Looking for a vendor's program and asking it something, in bounded time and without harm."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path

from bug_lsp.store.programs import on_path

_SECONDS = 5.0


def own_program(name: str, env: Mapping[str, str]) -> str | None:
    """The user's own program of this name."""
    return on_path(name, env.get("PATH"))


def ask(command: tuple[str, ...], env: Mapping[str, str]) -> str | None:
    """What a command prints; None if it fails or does not end in time."""
    try:
        answer = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=Path(command[0]).anchor,  # not the workspace, whose settings may name programs
            env=env,
            timeout=_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return answer.stdout.decode(errors="replace")
