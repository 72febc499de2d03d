"""Where settings come from."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bug_lsp.domain.errors import BadInput
from bug_lsp.domain.settings import Settings
from bug_lsp.session.settings import config_path, load


@pytest.fixture
def config() -> Path:
    path = Path(os.environ["BUG_LSP_CONFIG"])
    assert config_path() == path
    return path


def test_without_a_file_there_are_defaults() -> None:
    assert load() == Settings()
    assert load().orchestrator.agent_type == "codex"


def test_what_the_editor_says_is_above_the_users_file(config: Path) -> None:
    config.write_text(
        'tasksDir = "bugs"\nmaxParallelAgents = 2\n'
        '[agents.mine]\ntype = "command"\ncommand = ["x"]\n'
    )
    settings = load({"maxParallelAgents": 8}, {"sessionTimeoutSeconds": 1.5})
    assert settings.tasks_dir == "bugs"
    assert settings.max_parallel_agents == 8
    assert settings.session_timeout_seconds == 1.5
    assert settings.agents["mine"].command == ("x",)


@pytest.mark.parametrize(
    ("text", "field", "said"),
    [
        (b"tasksDir = ", "", "is not valid TOML"),
        (b"\xff", "", "is not valid TOML"),
        (b"tasksdir = 'x'", "tasksdir", "there is no such setting"),
        (b"maxParallelAgents = 0", "maxParallelAgents", "greater than or equal to 1"),
        (b"defaultAgents = []", "defaultAgents", "at least 1 item"),
        (b"sessionTimeoutSeconds = nan", "sessionTimeoutSeconds", ""),
        (b"[agents.x]\ntype = 'shell'\ncommand = ['x']", "agents.x.type", "'command' or 'acp'"),
        (b"[agents.x]\ntype = 'acp'\ncommand = []", "agents.x.command", "at least 1 item"),
    ],
)
def test_what_is_wrong_in_the_file_is_named(
    config: Path, text: bytes, field: str, said: str
) -> None:
    config.write_bytes(text)
    with pytest.raises(BadInput) as raised:
        load()
    assert raised.value.field == (field or str(config))
    assert said in raised.value.message
    assert str(config) in raised.value.message
    assert "\n" not in raised.value.message


def test_a_file_that_is_a_folder_is_named(config: Path) -> None:
    config.mkdir()
    with pytest.raises(BadInput, match="cannot be read"):
        load()


def test_what_is_wrong_in_the_editors_settings_is_named() -> None:
    with pytest.raises(BadInput, match=r"orchestrator\.agentType: .* \(in settings\)"):
        load({"orchestrator": {}})
