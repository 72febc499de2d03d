"""Which `claude` there is on this machine, and whether it can be used.

Runs `claude` only to ask its version and its login, in bounded time and without network. The SDK is
not imported: that takes longer than all of this.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bug_lsp.agents.asking import ask, own_program
from bug_lsp.domain.errors import AgentFailure, FailureKind

_MINIMUM = (2, 1, 317)
"""The first that stops a call where our guard fails, instead of letting it through. (To take a
prompt as it is written, where an older one reads any file named as `@path`, 2.1.248 would do.)"""
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)")
_LOGINS = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_FOUNDRY",
    "CLAUDE_CODE_USE_VERTEX",
)
"""Variables that stand for a login."""
_LOGIN_FILES = (".credentials.json", "settings.json")
"""In Claude's folder: a login, or settings that can name a helper that gives a key."""
_FOR_EVERYBODY = (Path("/etc/claude-code"), Path("/Library/Application Support/ClaudeCode"))
"""Settings of the machine, which can do so too."""


@dataclass(frozen=True, slots=True)
class ClaudeBinary:
    """Which `claude` will run."""

    path: Path
    version: str
    own: bool
    """Whether it is the user's own; else it is the one in the SDK's wheel."""


def claude_binary(env: Mapping[str, str] | None = None) -> ClaudeBinary:
    """The `claude` to run, with `env` added to the environment; raises what is missing.

    The user's own is preferred where it is new enough: it fits their login and their settings.
    """
    sdk = importlib.util.find_spec("claude_agent_sdk")
    if sdk is None or sdk.origin is None:
        raise AgentFailure(
            FailureKind.NOT_INSTALLED,
            "Claude is not installed; run: pip install 'bug-lsp[claude]'",
        )
    environment = {**os.environ, **(env or {})}
    own = own_program("claude", environment)
    if own:
        version = _supported_version(own, environment)
        if version:
            return ClaudeBinary(Path(own), version, own=True)
    bundled = Path(sdk.origin).parent / "_bundled" / "claude"
    version = _supported_version(str(bundled), environment) if bundled.is_file() else None
    if version:
        return ClaudeBinary(bundled, version, own=False)
    needed = ".".join(map(str, _MINIMUM))
    raise AgentFailure(
        FailureKind.NOT_INSTALLED,
        f"Claude has no program for this machine: install claude {needed} or newer "
        "(npm install -g @anthropic-ai/claude-code)",
    )


def claude_availability(env: Mapping[str, str] | None = None) -> tuple[str | None, bool, str]:
    """The version of Claude, whether it can be used, and if not, what to do."""
    try:
        binary = claude_binary(env)
    except AgentFailure as failure:
        return None, False, failure.message
    if _is_logged_in(binary, {**os.environ, **(env or {})}):
        return binary.version, True, ""
    program = "claude" if binary.own else binary.path
    hint = f"Claude is not logged in: run `{program} /login` or set ANTHROPIC_API_KEY"
    return binary.version, False, hint


def missing_login(env: Mapping[str, str] | None = None) -> str:
    """Say what is missing where it is certain that Claude cannot work; else "". Runs nothing."""
    environment = {**os.environ, **(env or {})}
    home, folder = _folders(environment)
    kept = [folder / name for name in _LOGIN_FILES]
    # Where there is a key ring, Claude keeps its login there, and its account in this file.
    accounts = [home / ".claude.json", folder / ".claude.json"]
    known = any(environment.get(name) for name in _LOGINS) or any(
        path.exists() for path in (*kept, *_FOR_EVERYBODY)
    )
    if known or any(map(_names_an_account, accounts)):
        return ""
    return "not logged in (run `claude` and say /login, or set ANTHROPIC_API_KEY)"


def _names_an_account(file: Path) -> bool:
    """Whether a file of Claude's state speaks of an account or of a key."""
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(name in text for name in ('"oauthAccount"', '"primaryApiKey"', '"customApiKey'))


def _folders(env: Mapping[str, str]) -> tuple[Path, Path]:
    """The user's home and Claude's folder."""
    home = Path(env.get("HOME") or Path.home())
    return home, Path(env.get("CLAUDE_CONFIG_DIR") or home / ".claude")


def _is_logged_in(binary: ClaudeBinary, env: Mapping[str, str]) -> bool:
    if any(env.get(name) for name in _LOGINS):
        return True
    home, folder = _folders(env)
    # Who has never run Claude has no login; asking would set up its folder for them.
    if not folder.exists() and not (home / ".claude.json").exists():
        return False
    return ask((str(binary.path), "auth", "status"), env) is not None


def _supported_version(program: str, env: Mapping[str, str]) -> str | None:
    """The version a `claude` gives; None if it gives none in time or is too old."""
    match = _VERSION.match(ask((program, "--version"), env) or "")
    if match is None or tuple(map(int, match.groups())) < _MINIMUM:
        return None
    return match[0]
