"""A Codex of the tests' own: its home, its settings, and a scripted model instead of OpenAI."""

from __future__ import annotations

import json
from pathlib import Path

_CONFIG = """\
model = "gpt-5.5" # a name that Codex knows: of another it warns
model_provider = "scripted"
check_for_update_on_startup = false

[analytics]
enabled = false

[model_providers.scripted]
name = "scripted"
base_url = {base_url}
env_key = "SCRIPTED_API_KEY"
wire_api = "responses"
"""
_RETRIES = """\
request_max_retries = {retries}
stream_max_retries = {retries}
stream_idle_timeout_ms = 5000
"""


def write_codex_home(home: Path, url: str, *, retries: int | None = 1) -> dict[str, str]:
    """Settings for the model at `url` in `home`, and the environment that makes Codex use them.

    Nothing of the user's is left in it, neither their home nor their settings nor their login.
    `retries` is how often Codex tries again; its own default (None) takes seconds.
    """
    codex_home = home / ".codex"
    codex_home.mkdir(parents=True, exist_ok=True)
    config = _CONFIG.format(base_url=json.dumps(f"{url}/v1"))
    config += "" if retries is None else _RETRIES.format(retries=retries)
    (codex_home / "config.toml").write_text(config, encoding="utf-8")
    return {
        "HOME": str(home),
        "CODEX_HOME": str(codex_home),
        "SCRIPTED_API_KEY": "sk-scripted-0000",
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
    }
