"""Which ACP agents there are on a machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bug_lsp.agents import registry
from bug_lsp.domain.settings import Settings
from tests.agent_clis.install import programs

_PROGRAMS = programs()


@pytest.fixture
def bin_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The first folder of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}/usr/bin{os.pathsep}/bin")
    return folder


def program(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


def test_every_agent_of_the_contract_is_known_and_those_of_the_default_are_among_them() -> None:
    known = registry.known({})
    assert {"codex", "claude", "gemini", "opencode", "qwen", "copilot"} < set(known)
    assert set(Settings().default_agents) <= set(known)


@pytest.mark.parametrize(("name", "version"), [("gemini", "0.61.0"), ("opencode", "1.18.33")])
def test_the_real_ones_tell_their_version_and_leave_nothing_in_the_home_of_the_user(
    name: str, version: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = os.pathsep.join([*map(str, _PROGRAMS), os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    found = registry.availability(name, {})
    assert (found.installed, found.ready, found.version) == (True, True, version)
    assert list((tmp_path / "home").iterdir()) == []


def test_one_that_is_not_there_says_how_to_install_it(bin_folder: Path) -> None:
    found = registry.availability("qwen", {})
    assert (found.installed, found.ready) == (False, False)
    assert found.hint == "Qwen Code is not installed; run: npm install -g @qwen-code/qwen-code"


def test_one_that_npm_did_not_install_is_asked_and_not_in_the_home_of_the_user(
    bin_folder: Path, tmp_path: Path
) -> None:
    program(bin_folder, "copilot", "touch ~/asked; echo Copilot CLI 1.0.102")
    found = registry.availability("copilot", {})
    assert (found.ready, found.version) == (True, "1.0.102")
    assert list((tmp_path / "home").iterdir()) == []


def test_one_that_cannot_say_its_version_is_installed_but_not_ready(bin_folder: Path) -> None:
    program(bin_folder, "copilot", "echo no such machine >&2; exit 1")
    found = registry.availability("copilot", {})
    assert (found.installed, found.ready) == (True, False)
    assert found.hint == "`copilot --version` failed: no such machine"


def test_one_that_lacks_node_is_installed_but_not_ready(bin_folder: Path) -> None:
    (bin_folder / "gemini").write_text("#!/usr/bin/env no_node\n")
    (bin_folder / "gemini").chmod(0o755)
    found = registry.availability("gemini", {})
    assert (found.installed, found.ready) == (True, False)
    assert found.hint == "Gemini needs no_node, which is not on PATH: install no_node"


def test_one_in_the_current_folder_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path, "gemini", f"touch {tmp_path}/ran")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    assert not registry.installed("gemini", {})
    assert not registry.availability("gemini", {}).installed
    assert not (tmp_path / "ran").exists()
