"""The user's world as a test makes it: a checkout with its environment, its test command, and what
the command says there, to be compared with what it says in the copies of a run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bug_lsp.domain.proof import Proof
from bug_lsp.domain.run import Result
from bug_lsp.store import runs
from tests.support.projects import Project, change_files, empty_project
from tests.support.runs import Started, program, start

SITE = Path(pytest.__file__).parent.parent
"""Where pytest is, which the environments of the tests borrow."""
PYTEST = "python -m pytest -q -rA --tb=no -p no:cacheprovider"
CODE = 'def works():\n    return "works"\n\n\ndef broken():\n    return "broken"\n'
"""A module with one function that is right and one that is wrong."""
TESTS = (
    "from {module} import broken, works\n\n\n"
    'def test_works():\n    assert works() == "works"\n\n\n'
    'def test_broken():\n    assert broken() == "fixed"\n'
)
_CHANGES = """
import json, pathlib, subprocess, sys
code, *commands = sys.argv[1:]
place = pathlib.Path(code)
def outputs():
    found = []
    for command in commands:
        done = subprocess.run(command, shell=True, stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        found.append(done.stdout[-1500:])
    return found
text = place.read_text()
before = outputs()
fixed = text.replace('"broken"', '"fixed"')
place.write_text(fixed.replace('"works"', '"spoilt"'))
after = outputs()
place.write_text(fixed)
print(json.dumps([before, after]))
"""
"""An agent that runs the user's own commands, spoils one function, mends the other, runs them
again, and leaves what it mended."""
_VERDICT = re.compile(r"^(PASSED|FAILED|ERROR|SKIPPED|ok|not ok) (?:\d+ - )?(\S+)", re.MULTILINE)
_SAME = {"ok": "PASSED", "not ok": "FAILED"}
_NAMES = {"works": "FAILED", "broken": "PASSED"}


@dataclass
class World:
    """A checkout, and how its user runs the tests."""

    root: Path
    command: str = PYTEST
    own: tuple[str, ...] = ()
    """What an agent can run besides, which means the same in a copy."""
    code: str = "shop/price.py"
    """The file with the two functions, relative to the folder that is worked in."""
    folder: str = ""
    """The folder that is worked in."""
    task: str = "tasks/bug.md"
    environ: dict[str, str] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def workspace(self) -> Path:
        return self.root / self.folder


def checkout(root: Path, files: Mapping[str, str | bytes], *, ignored: str = "") -> Project:
    """A repository with these files, all that is not ignored committed."""
    project = empty_project(root)
    more = {
        ".gitignore": f"__pycache__/\n.venv/\n*.egg-info/\n{ignored}",
        "tasks/bug.md": "# It is broken\n\nbroken() is wrong.\n",
    }
    change_files(root, {**more, **files})
    project.commit("The shop")
    return project


def environment(place: Path) -> Path:
    """A virtual environment with pytest; returns its folder."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(place)], check=True)
    (site(place) / "borrowed.pth").write_text(f"{SITE}\n")
    script = place / "bin/pytest"
    script.write_text(f"#!{place}/bin/python\nimport pytest\n\nraise SystemExit(pytest.main())\n")
    script.chmod(0o755)
    return place


def site(place: Path) -> Path:
    """Where the packages of an environment are."""
    (found,) = place.glob("lib/python*/site-packages")
    return found


def active(place: Path) -> dict[str, str]:
    """The variables of an environment that is active."""
    return {"VIRTUAL_ENV": str(place), "PATH": f"{place}/bin:{os.environ['PATH']}"}


def verdicts(output: str) -> dict[str, str]:
    """What each test came to, by its name."""
    return {name: _SAME.get(word, word) for word, name in _VERDICT.findall(output)}


def in_the_checkout(world: World, command: str | None = None) -> dict[str, str]:
    """What the user's own command says in their checkout."""
    done = subprocess.run(
        command or world.command,
        shell=True,
        cwd=world.workspace,
        env={**os.environ, **world.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    found = verdicts(done.stdout)
    assert {"PASSED", "FAILED"} <= set(found.values()), done.stdout + done.stderr
    return found


def flipped(expected: Mapping[str, str]) -> dict[str, str]:
    """What tests say of the code when one function is spoilt and the other mended."""
    return {
        name: next((now for end, now in _NAMES.items() if name.endswith(end)), verdict)
        for name, verdict in expected.items()
    }


def debug(world: World, monkeypatch: pytest.MonkeyPatch, *agents: Any, **request: Any) -> Started:
    """A whole run in the world, to its end."""
    for name, value in world.environ.items():
        monkeypatch.setenv(name, value)
    request.setdefault("task", world.root / world.task)
    request.setdefault("test_command", world.command)
    run = start(world.workspace, *agents, settings=world.settings, **request)
    run.wait(lambda: not (run.folder.workspace.active / run.folder.run_id).exists(), deadline=150)
    return run


def changes(world: World) -> Any:
    """The agent that spoils one function and mends the other."""
    return program(_CHANGES, world.code, *dict.fromkeys((world.command, *world.own)))


def outputs(run: Started, number: int = 0) -> tuple[list[str], list[str]]:
    """What that agent's commands said before its change and after it."""
    result = run.result(number)
    assert result.failure is None, result.failure
    before, after = json.loads(result.message)
    return before, after


def proof_of(run: Started) -> Proof:
    """What was checked by program."""
    folder = runs.latest_proof(run.folder)
    assert folder is not None
    result = Result.model_validate_json(folder.result.read_bytes())
    assert result.proof is not None
    return result.proof


def document(run: Started, number: int = 0) -> str:
    """A session's document, with its failure."""
    return f"{run.output(number)}\n{run.result(number).failure}"


def patched(run: Started, number: int = 0) -> list[str]:
    """The files of a session's patch."""
    patch = run.sessions[number].patch
    text = patch.read_text(errors="replace") if patch.exists() else ""
    return re.findall(r"^diff --git a/(.*?) b/", text, re.MULTILINE)


def copies(run: Started) -> list[Path]:
    """The copies of the sessions."""
    return [place for session in run.sessions for place in session.copy.glob("[!.]*")]


def assert_same(world: World, monkeypatch: pytest.MonkeyPatch) -> Started:
    """Run an agent, and see that each test says in the copies what it says in the checkout."""
    expected = in_the_checkout(world)
    run = debug(world, monkeypatch, changes(world))
    before, after = outputs(run)
    for output in before:
        assert verdicts(output) == expected, output
    for output in after:
        assert verdicts(output) == flipped(expected), output
    proof = proof_of(run)
    assert proof.copies_lack == ()
    assert [one.status for one in proof.reproductions][:1] == ["reproduced"], proof
    assert proof.suite is not None
    assert proof.suite.problem == ""
    if proof.suite.passed is not None:
        said = list(expected.values())
        assert proof.suite.passed == said.count("PASSED")
        assert proof.suite.failed == said.count("FAILED")
    assert {cell.outcome for cell in proof.cells} == {"passed"}, proof.cells
    return run
