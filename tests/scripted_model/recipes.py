"""How each real CLI is run against the scripted model: argv, environment, config files.
Codex is not here: it is driven through its SDK, see `tests/codex_home.py`.

Every recipe takes the path of the CLI, an empty HOME, the repository, the lane's base
address, and "edit" or "read". The prompt goes in on standard input, which is then closed.
All were run this way.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path

PATHLESS = {"LANG": "C.UTF-8", "TERM": "xterm-256color", "SHELL": "/bin/bash"}


@dataclass
class Recipe:
    argv: list[str]
    env: dict[str, str]


def _env(home: Path) -> dict[str, str]:
    """An environment with nothing of the user's in it but PATH."""
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    return PATHLESS | {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "TMPDIR": f"{home}/tmp",
        "XDG_CONFIG_HOME": f"{home}/.config",
        "XDG_DATA_HOME": f"{home}/.local/share",
        "XDG_CACHE_HOME": f"{home}/.cache",
        "XDG_STATE_HOME": f"{home}/.local/state",
    }


def claude(binary: str, home: Path, repo: Path, url: str, mode: str = "edit") -> Recipe:
    permissions = {
        "edit": ["--permission-mode", "acceptEdits", "--allowedTools", "Bash"],
        "read": [
            "--permission-mode",
            "dontAsk",
            "--tools",
            "Read,Grep,Glob,Bash",
            "--allowedTools",
            "Read,Grep,Glob,Bash(cat:*),Bash(grep:*)",
        ],
    }[mode]
    return Recipe(
        [
            binary,
            "-p",
            "--output-format",
            "stream-json",
            "--verbose",
            "--model",
            "scripted",
            *permissions,
        ],
        _env(home)
        | {
            "CLAUDE_CONFIG_DIR": str(home / ".claude"),
            "ANTHROPIC_BASE_URL": url,
            "ANTHROPIC_API_KEY": "sk-ant-scripted-0000",
            "CLAUDE_CODE_MAX_RETRIES": "1",
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
            "DISABLE_AUTOUPDATER": "1",
        },
    )


def gemini(binary: str, home: Path, repo: Path, url: str, mode: str = "edit") -> Recipe:
    settings = home / ".gemini" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        json.dumps(
            {
                "security": {"auth": {"selectedType": "gemini-api-key"}},
                "general": {
                    "enableAutoUpdate": False,
                    "enableAutoUpdateNotification": False,
                    "maxAttempts": 1,
                    "retryFetchErrors": False,
                },
                "model": {"disableLoopDetection": True},
                "privacy": {"usageStatisticsEnabled": False},
                "telemetry": {"enabled": False},
            }
        )
    )
    approval = {"edit": "yolo", "read": "plan"}[mode]
    return Recipe(
        [
            binary,
            "-o",
            "stream-json",
            "-m",
            "gemini-2.5-pro",
            "--skip-trust",
            "--approval-mode",
            approval,
        ],
        _env(home)
        | {
            "GOOGLE_GEMINI_BASE_URL": url,
            "GEMINI_API_KEY": "scripted-0000",
            "GEMINI_CLI_NO_RELAUNCH": "true",
        },
    )


def opencode(binary: str, home: Path, repo: Path, url: str, mode: str = "edit") -> Recipe:
    allow = {"edit": "allow", "read": "deny"}[mode]
    config = {
        "autoupdate": False,
        "share": "disabled",
        "permission": {"edit": allow, "bash": allow, "webfetch": "deny"},
        "provider": {
            "scripted": {
                "npm": "@ai-sdk/openai-compatible",
                "name": "Scripted",
                "options": {"baseURL": url + "/v1", "apiKey": "sk-scripted-0000"},
                "models": {
                    "scripted": {"name": "Scripted", "limit": {"context": 200000, "output": 32000}}
                },
            }
        },
    }
    return Recipe(
        [binary, "run", "--format", "json", "-m", "scripted/scripted", "--dir", str(repo)],
        _env(home)
        | {
            "OPENCODE_CONFIG_CONTENT": json.dumps(config),
            "OPENCODE_DISABLE_AUTOUPDATE": "1",
            "OPENCODE_DISABLE_MODELS_FETCH": "1",
        },
    )


RECIPES = {"claude": claude, "gemini": gemini, "opencode": opencode}
