"""What can run here."""

from __future__ import annotations

import json

from bug_lsp import __version__

from .conftest import User


def test_every_agent_is_named_with_what_it_lacks(user: User):
    found = user.json("doctor")
    assert found["ok"] is True
    assert found["version"] == __version__
    agents = {agent["agentType"]: agent for agent in found["agents"]}
    assert {"codex", "spectrum", "bisect", "digest", "finder", "absent"} <= agents.keys()
    assert agents["spectrum"]["ready"] is True
    assert agents["finder"]["ready"] is True
    assert agents["codex"]["ready"] is False
    assert agents["codex"]["hint"]
    assert agents["absent"]["installed"] is False
    assert "no-such-one" in agents["absent"]["hint"]


def test_the_rest_of_the_machine_is_looked_at_too(user: User):
    found = user.json("doctor")
    assert found["git"]["version"]
    assert found["state"] == {
        "path": str(user.state),
        "writable": True,
        "files": 0,
        "sizeBytes": 0,
    }
    assert found["config"] == {
        "path": str(user.config),
        "exists": True,
        "line": None,
        "problem": None,
    }
    assert not user.state.exists()  # looking has made nothing


def test_without_git_nothing_can_be_debugged(user: User):
    done = user.run("doctor", PATH="/nonexistent")
    assert done.returncode == 1
    assert "git: git is not installed" in done.stdout
    assert json.loads(user.run("doctor", "--json", PATH="/nonexistent").stdout)["ok"] is False


def test_the_line_of_the_settings_that_is_wrong_is_named(user: User):
    user.config.write_text("# mine\n\nmaxParallelAgents = 0\n")
    done = user.run("doctor")
    assert done.returncode == 0
    assert f"{user.config}:3: maxParallelAgents: " in done.stdout
    user.config.write_text("tasksDir = 'x'\n[agents.mine\n")
    assert user.json("doctor")["config"]["line"] == 2


def test_a_settings_path_that_is_a_folder_is_no_traceback(user: User):
    done = user.run("doctor", BUG_LSP_CONFIG=str(user.project))
    assert done.returncode == 0
    assert "directory" in done.stdout.lower()
    assert done.stderr == ""


def test_it_says_what_holds_agents_to_their_copies(user: User):
    assert user.json("doctor")["confinement"] == {"by": "bubblewrap", "problem": ""}
    assert "confinement: bubblewrap; an agent writes only to its copy" in user.run("doctor").stdout
    user.config.write_text('confinement = "off"\n')
    assert "confinement: NONE: the setting `confinement` is off; " in user.run("doctor").stdout
