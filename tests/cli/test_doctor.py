"""What can run here."""

from __future__ import annotations

import json
import venv
from pathlib import Path

from bug_lsp import __version__
from bug_lsp.cli.state import lines, look
from bug_lsp.store import files

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
        "whole": True,
        "workspaces": 0,
        "runs": 0,
        "largest": None,
    }
    assert found["config"] == {
        "path": str(user.config),
        "exists": True,
        "line": None,
        "problem": None,
    }
    assert not user.state.exists()  # looking has made nothing


def test_it_says_what_the_runs_take_and_how_to_make_room(user: User):
    user.json("debug", user.task, "--agents", "finder")
    state = user.json("doctor")["state"]
    assert (state["workspaces"], state["runs"], state["whole"]) == (1, 1, True)
    largest = state["largest"]
    assert (largest["workspace"], largest["runs"]) == (str(user.project), 1)
    assert 10_000 < largest["sizeBytes"] <= state["sizeBytes"]
    said = user.run("doctor").stdout
    assert f"state: {user.state} (writable; 1 run, " in said
    assert f"  most of it: {user.project} (1 run, " in said
    assert "MB); to make room: bug-lsp clean --all-workspaces\n" in said


def test_a_state_folder_that_is_too_large_to_be_counted_is_said_to_be_larger(tmp_path: Path):
    for name in ("small", "large"):
        for number in range(1 if name == "small" else 2):
            run = files.make_private(tmp_path / "workspaces" / name / "runs" / f"{number:016x}")
            (run / "run.json").write_text("{")
    state = look(tmp_path, seconds=0)
    assert (state.whole, state.workspaces, state.runs) == (False, 2, 3)
    assert state.largest is not None
    assert state.largest.workspace == str(tmp_path / "workspaces" / "large")
    said = "\n".join(lines(state))
    assert "3 runs, more than 0.0 MB" in said
    assert "(2 runs, more than 0.0 MB); to make room: bug-lsp clean" in said


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


def test_the_python_that_would_run_the_tests_here_is_named_and_how_it_was_found(user: User):
    found = user.json("doctor")["projectPython"]
    assert "`.venv`" in found["lookedFor"][0]
    assert "name the project's interpreter in the setting `python`" in found["said"]
    venv.create(user.project / ".venv", with_pip=False)
    python = user.project / ".venv/bin/python"
    found = user.json("doctor")["projectPython"]
    assert (found["python"], found["source"]) == (str(python), "`.venv`")
    assert f"Python tests here: {python} (found by `.venv`)" in user.run("doctor").stdout


def test_it_tries_out_how_the_projects_tests_run_and_changes_nothing(user: User):
    test = user.project / "test_shop.py"
    test.write_text("import shop\n\n\ndef test_total():\n    assert shop.total([1, 2]) == 3\n")
    (user.project / "test_other.py").write_text("import no_such_module\n")
    before = sorted(user.project.rglob("*"))
    done = user.run("doctor", "--project", "--test-command", "pytest test_shop.py")
    assert done.returncode == 0, done.stderr
    assert "tests: pytest test_shop.py\n" in done.stdout
    assert "suite: 1 test is collected by pytest" in done.stdout
    assert "suite: test_other.py cannot be collected: ModuleNotFoundError: " in done.stdout
    assert "install it for that interpreter" in done.stdout
    assert "--test-command: it fails, as it should while the bug is there: " in done.stdout
    assert sorted(user.project.rglob("*")) == before
    assert not user.state.exists()
