"""Which `codex` there is on this machine, and whether it can be used.

Runs `codex` only to ask its version and its login, in bounded time; changes nothing. The SDK is
not imported: that takes longer than all of this.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bug_lsp.agents.asking import ask, own_program
from bug_lsp.domain.errors import AgentFailure, FailureKind

_MINIMUM = (0, 151, 0)
"""What the SDK asks of a binary that is not its own."""
_VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(-[\w.]+)?")
_KEYS = ("OPENAI_API_KEY", "CODEX_API_KEY")
"""With one of these Codex needs no login."""
_FOR_EVERYBODY = Path("/etc/codex")
"""Settings of the machine, which can name a provider of their own."""
_NOT_LOGGED_IN = "not logged in (run `codex login`)"


@dataclass(frozen=True, slots=True)
class CodexBinary:
    """Which `codex` will run."""

    path: Path | None
    """The user's own; None is the one in the SDK's wheel."""
    version: str


def codex_binary(env: Mapping[str, str] | None = None) -> CodexBinary:
    """The `codex` to run, with `env` added to the environment; raises what is missing.

    The user's own is preferred where the SDK can talk to it: it fits the login, the settings and
    the state database in their CODEX_HOME, which another version may read differently.
    """
    if importlib.util.find_spec("openai_codex") is None:
        raise AgentFailure(
            FailureKind.NOT_INSTALLED, "Codex is not installed: pip install 'bug-lsp[codex]'"
        )
    environment = {**os.environ, **(env or {})}
    own = own_program("codex", environment)
    version = _supported_version(own, environment) if own else None
    if own and version:
        return CodexBinary(Path(own), version)
    try:
        return CodexBinary(None, importlib.metadata.version("openai-codex-cli-bin"))
    except importlib.metadata.PackageNotFoundError:
        needed = ".".join(map(str, _MINIMUM))
        raise AgentFailure(
            FailureKind.NOT_INSTALLED,
            f"Codex has no program for this machine: install codex {needed} or newer "
            "(npm install -g @openai/codex)",
        ) from None


def codex_availability(env: Mapping[str, str] | None = None) -> tuple[str | None, bool, str]:
    """The version of Codex, whether it can be used, and if not, what to do."""
    try:
        binary = codex_binary(env)
    except AgentFailure as failure:
        return None, False, failure.message
    environment = {**os.environ, **(env or {})}
    has_key = any(environment.get(name) for name in _KEYS)
    if has_key or _has_own_provider(environment) or _is_logged_in(binary, environment):
        return binary.version, True, ""
    return binary.version, False, "Codex is not logged in: run `codex login`"


def missing_login(env: Mapping[str, str] | None = None) -> str:
    """Say what is missing where it is certain that Codex cannot work; else "". Runs nothing."""
    environment = {**os.environ, **(env or {})}
    if any(environment.get(name) for name in _KEYS) or _FOR_EVERYBODY.exists():
        return ""
    home = _home(environment)
    if (home / "auth.json").exists():
        return ""
    try:
        settings = _settings(home)
    except ValueError:
        return ""  # Codex itself says best what is wrong in it
    # A profile can name a provider, and a key ring keeps a login without a file.
    elsewhere = {"profile", "cli_auth_credentials_store"} & settings.keys()
    has_own = settings.get("model_provider", "openai") != "openai"
    return "" if elsewhere or has_own else _NOT_LOGGED_IN


def _is_logged_in(binary: CodexBinary, env: Mapping[str, str]) -> bool:
    from codex_cli_bin import bundled_codex_path  # type: ignore[import-untyped]

    return ask((str(binary.path or bundled_codex_path()), "login", "status"), env) is not None


def _has_own_provider(env: Mapping[str, str]) -> bool:
    """Whether the user's settings name a model provider that needs no login of Codex."""
    try:
        settings = _settings(_home(env))
    except ValueError:
        return True  # Codex itself says best what is wrong in it
    return bool(settings.get("model_provider", "openai") != "openai")


def _home(env: Mapping[str, str]) -> Path:
    return Path(env.get("CODEX_HOME") or Path(env.get("HOME", "~")).expanduser() / ".codex")


def _settings(home: Path) -> dict[str, Any]:
    """The user's settings of Codex, {} without any. Raises `ValueError` where they are wrong."""
    try:
        return tomllib.loads((home / "config.toml").read_text(encoding="utf-8"))
    except OSError:
        return {}


def _supported_version(program: str, env: Mapping[str, str]) -> str | None:
    """The version a `codex` gives; None if it gives none in time or the SDK would refuse it."""
    match = _VERSION.search(ask((program, "--version"), env) or "")
    if match is None:
        return None
    number = tuple(int(part) for part in match.groups()[:3])
    too_old = number < _MINIMUM or (number == _MINIMUM and match[4] is not None)
    return None if too_old else match[0]
