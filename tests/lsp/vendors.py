"""Four vendors' real agents, each with a lane of its own on the scripted model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.acp_homes import write_gemini_home, write_opencode_home
from tests.claude_home import write_claude_home
from tests.codex_home import write_codex_home
from tests.scripted_model import ScriptedModel

VENDORS = ("codex", "claude", "gemini", "opencode")


def homes(model: ScriptedModel, home: Path, *, own_retries: bool = False) -> dict[str, str]:
    """The environment in which each of them asks its lane of the model.

    With `own_retries` they try again as often as they do for their users, which may take minutes.
    """
    retries = None if own_retries else 1
    return {
        **write_gemini_home(home, model.url("gemini"), attempts=retries),
        **write_opencode_home(home, model.url("opencode")),
        **write_claude_home(home, model.url("claude"), retries=retries),
        **write_codex_home(home, model.url("codex"), retries=retries),
    }


def scripted(
    model: ScriptedModel, home: Path, steps: Sequence[dict[str, Any]], *, own_retries: bool = False
) -> dict[str, str]:
    """The same, with a model that says these steps to each."""
    for name in VENDORS:
        model.load(name, {"cwd": ".", "steps": list(steps)})
    return homes(model, home, own_retries=own_retries)
