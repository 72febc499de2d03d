"""Which `claude` is run: the user's own where it is new enough, else the one in the wheel."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from bug_lsp.agents import asking
from bug_lsp.agents.claude import install as claude_install
from bug_lsp.agents.claude.agent import ClaudeBinary, claude_availability, claude_binary
from bug_lsp.domain.errors import AgentFailure, FailureKind
from tests.claude_home import write_claude_home


def own_claude(folder: Path, script: str) -> Path:
    program = folder / "claude"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of somebody who has never run Claude; it is alone on PATH."""
    for name in claude_install._LOGINS:
        monkeypatch.delenv(name, raising=False)
    folders = {"PATH": tmp_path / "bin", "HOME": tmp_path / "user"}
    for folder in folders.values():
        folder.mkdir()
    return {**{name: str(folder) for name, folder in folders.items()}, "CLAUDE_CONFIG_DIR": ""}


@pytest.fixture
def path(env: dict[str, str]) -> Path:
    return Path(env["PATH"])


@pytest.mark.parametrize("version", ["2.1.317", "2.1.330", "2.10.0", "3.0.0"])
def test_the_users_own_is_preferred_where_it_is_new_enough(
    path: Path, env: dict[str, str], version: str
) -> None:
    own = own_claude(path, f"echo '{version} (Claude Code)'")
    assert claude_binary(env) == ClaudeBinary(own, version, own=True)


@pytest.mark.parametrize(
    "script",
    [
        "echo '2.1.315 (Claude Code)'",
        "echo '1.0.128 (Claude Code)'",
        "echo no version",
        "echo '2.1.330 (Claude Code)'; exit 1",
        "exec /nowhere/node",
    ],
)
def test_one_that_is_too_old_or_broken_is_passed_over(
    path: Path, env: dict[str, str], script: str
) -> None:
    own_claude(path, script)
    assert not claude_binary(env).own


def test_one_that_does_not_answer_in_time_is_passed_over(
    path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_SECONDS", 3)
    wait = f"exec {shlex.quote(sys.executable)} -c 'import time; time.sleep(60)'"
    own_claude(path, wait)
    assert not claude_binary(env).own


def test_one_in_the_workspace_is_never_run(
    path: Path, env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own_claude(path, f"touch {path}/ran; echo '9.9.9 (Claude Code)'")
    monkeypatch.chdir(path)
    assert not claude_binary({**env, "PATH": "."}).own
    assert not (path / "ran").exists()


def test_without_one_of_the_users_the_wheels_is_run(env: dict[str, str]) -> None:
    binary = claude_binary(env)
    assert binary.path.parts[-3:] == ("claude_agent_sdk", "_bundled", "claude")
    assert binary.version.startswith("2.1.")
    assert not binary.own


def test_asking_for_the_version_imports_nothing_heavy_and_writes_nothing(
    env: dict[str, str],
) -> None:
    claude_binary(env)
    claude_availability(env)
    assert list(Path(env["HOME"]).iterdir()) == []


def test_without_the_sdk_it_says_what_to_install(
    env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    for name in [name for name in sys.modules if name.split(".")[0] == "claude_agent_sdk"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(AgentFailure, match=r"pip install 'bug-lsp\[claude\]'") as raised:
        claude_binary(env)
    assert raised.value.kind is FailureKind.NOT_INSTALLED
    assert claude_availability(env) == (None, False, raised.value.message)


def test_without_a_login_it_is_installed_but_not_ready(path: Path, env: dict[str, str]) -> None:
    version, ready, hint = claude_availability(env)
    assert version is not None
    assert not ready
    bundled = claude_binary(env).path
    assert hint == f"Claude is not logged in: run `{bundled} /login` or set ANTHROPIC_API_KEY"
    own_claude(path, "echo '2.1.330 (Claude Code)'")
    assert "run `claude /login`" in claude_availability(env)[2]


def test_claude_itself_is_asked_where_it_has_a_folder(env: dict[str, str]) -> None:
    Path(env["HOME"], ".claude").mkdir()
    assert claude_availability(env)[1] is False


def test_a_login_that_claude_knows_of_makes_it_ready(path: Path, env: dict[str, str]) -> None:
    Path(env["HOME"], ".claude").mkdir()
    own_claude(path, '[ "$1 $2" = "auth status" ] || echo "2.1.330 (Claude Code)"')
    assert claude_availability(env) == ("2.1.330", True, "")


@pytest.mark.parametrize("name", claude_install._LOGINS)
def test_a_key_in_the_environment_is_a_login(env: dict[str, str], name: str) -> None:
    assert claude_availability({**env, name: "1"})[1:] == (True, "")


def test_the_settings_of_the_tests_are_a_login(env: dict[str, str], tmp_path: Path) -> None:
    home = write_claude_home(tmp_path / "home", "http://127.0.0.1:9")
    assert claude_availability({**env, **home})[1:] == (True, "")
