"""A Claude of the tests' own: its home, and a scripted model instead of Anthropic."""

from __future__ import annotations

from pathlib import Path


def write_claude_home(home: Path, url: str, *, retries: int | None = 1) -> dict[str, str]:
    """A home for Claude, and the environment that makes it use that and the model at `url`.

    Nothing of the user's is left in it, neither their home nor their settings nor their login.
    `retries` is how often Claude tries again; its own default (None) takes minutes.
    """
    claude_home = home / ".claude"
    claude_home.mkdir(parents=True, exist_ok=True)
    return {
        "HOME": str(home),
        "CLAUDE_CONFIG_DIR": str(claude_home),
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_API_KEY": "sk-ant-scripted-0000",
        "ANTHROPIC_AUTH_TOKEN": "",
        "CLAUDE_CODE_OAUTH_TOKEN": "",
        "ANTHROPIC_MODEL": "scripted",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        **({} if retries is None else {"CLAUDE_CODE_MAX_RETRIES": str(retries)}),
        "XDG_CACHE_HOME": str(home / ".cache"),
        "XDG_CONFIG_HOME": str(home / ".config"),
        "XDG_DATA_HOME": str(home / ".local" / "share"),
        "XDG_STATE_HOME": str(home / ".local" / "state"),
    }
