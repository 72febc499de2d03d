"""Which `codex` is run: the user's own where it is new enough, else the one in the wheel."""

from __future__ import annotations

import importlib.metadata
import shlex
import sys
from pathlib import Path

import pytest

from bug_lsp.agents import asking
from bug_lsp.agents.codex.agent import CodexBinary, codex_availability, codex_binary
from bug_lsp.domain.errors import AgentFailure, FailureKind
from tests.codex_home import write_codex_home

BUNDLED = CodexBinary(None, importlib.metadata.version("openai-codex-cli-bin"))


def own_codex(folder: Path, script: str) -> Path:
    program = folder / "codex"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    return program


@pytest.mark.parametrize("version", ["0.151.0", "0.169.0", "1.0.0", "0.154.0-alpha.1.2"])
def test_the_users_own_is_preferred_where_it_is_new_enough(tmp_path: Path, version: str) -> None:
    own = own_codex(tmp_path, f"echo codex-cli {version}")
    assert codex_binary({"PATH": str(tmp_path)}) == CodexBinary(own, version)


@pytest.mark.parametrize(
    "script",
    [
        "echo codex-cli 0.150.9",
        "echo codex-cli 0.151.0-alpha.3",
        "echo codex-cli 0.0.0",
        "echo no version",
        "echo codex-cli 0.169.0; exit 1",
        "exec /nowhere/node",
    ],
)
def test_one_that_is_too_old_or_broken_is_passed_over(tmp_path: Path, script: str) -> None:
    own_codex(tmp_path, script)
    assert codex_binary({"PATH": str(tmp_path)}) == BUNDLED


def test_one_that_does_not_answer_in_time_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_SECONDS", 0.2)
    own_codex(tmp_path, f"exec {shlex.quote(sys.executable)} -c 'import time; time.sleep(60)'")
    assert codex_binary({"PATH": str(tmp_path)}) == BUNDLED


def test_one_of_a_relative_entry_of_path_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # the workspace, say
    own_codex(tmp_path, f"touch {tmp_path}/it-ran; echo codex-cli 1.0.0")
    assert codex_binary({"PATH": "."}) == BUNDLED
    assert not (tmp_path / "it-ran").exists()


def test_without_one_of_the_users_the_wheels_is_run(tmp_path: Path) -> None:
    assert codex_binary({"PATH": str(tmp_path)}) == BUNDLED


def test_without_the_sdk_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [])
    for name in [name for name in sys.modules if name.split(".")[0] == "openai_codex"]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(AgentFailure, match=r"pip install 'bug-lsp\[codex\]'") as raised:
        codex_binary({"PATH": str(tmp_path)})
    assert raised.value.kind is FailureKind.NOT_INSTALLED
    assert codex_availability({"PATH": str(tmp_path)}) == (None, False, raised.value.message)


def test_without_a_login_it_is_installed_but_not_ready(tmp_path: Path) -> None:
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "CODEX_HOME": str(tmp_path)}
    hint = "Codex is not logged in: run `codex login`"
    assert codex_availability(env) == (BUNDLED.version, False, hint)


def test_with_a_login_it_is_ready(tmp_path: Path) -> None:
    own_codex(tmp_path, "echo codex-cli 0.169.0")
    env = {"PATH": str(tmp_path), "HOME": str(tmp_path), "CODEX_HOME": str(tmp_path)}
    assert codex_availability(env) == ("0.169.0", True, "")


def test_a_model_provider_of_the_users_needs_no_login(tmp_path: Path) -> None:
    env = write_codex_home(tmp_path, "http://127.0.0.1:9/codex") | {"PATH": str(tmp_path)}
    assert codex_availability(env) == (BUNDLED.version, True, "")
