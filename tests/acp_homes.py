"""Gemini and OpenCode of the tests' own: their homes, and a scripted model instead of a service."""

from __future__ import annotations

import json
import os
from pathlib import Path

from tests.agent_clis.install import folder, programs

# Looked for now: a test has a cache folder of its own.
_FOLDER = folder()
_PATH = os.pathsep.join(map(str, programs()))


def write_gemini_home(home: Path, url: str, *, attempts: int | None = 1) -> dict[str, str]:
    """Settings for the model at `url` in `home`, and the environment that makes Gemini use them.

    `attempts` is how often it asks the model before it gives up; its own default (None) takes
    minutes.
    """
    retries = {} if attempts is None else {"maxAttempts": attempts, "retryFetchErrors": False}
    settings = home / ".gemini" / "settings.json"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(
        json.dumps(
            {
                "security": {"auth": {"selectedType": "gemini-api-key"}},
                "general": {"enableAutoUpdate": False, **retries},
                "model": {"name": "gemini-2.5-pro", "disableLoopDetection": True},
                "privacy": {"usageStatisticsEnabled": False},
                "telemetry": {"enabled": False},
            }
        )
    )
    return _environment(home) | {
        "GOOGLE_GEMINI_BASE_URL": url,
        "GEMINI_API_KEY": "scripted-0000",
    }


def write_opencode_home(home: Path, url: str) -> dict[str, str]:
    """The environment that makes OpenCode use the model at `url`, with nothing of the user's."""
    config = {
        "autoupdate": False,
        "share": "disabled",
        "model": "scripted/scripted",
        "provider": {
            "scripted": {
                "npm": "@ai-sdk/openai-compatible",
                "name": "Scripted",
                "options": {"baseURL": f"{url}/v1", "apiKey": "sk-scripted-0000"},
                "models": {
                    name: {"name": name, "limit": {"context": 200000, "output": 32000}}
                    for name in ("scripted", "other")
                },
            }
        },
    }
    return _environment(home) | {
        "OPENCODE_CONFIG_CONTENT": json.dumps(config),
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
    }


def _environment(home: Path) -> dict[str, str]:
    assert _FOLDER.exists(), "the agents are not installed: python -m tests.agent_clis.install"
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    return {
        "PATH": f"{_PATH}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
    }
