"""From three agents to code that is right: what was proven is applied, the rest only by force."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from pygls.exceptions import JsonRpcException

from tests.support import example
from tests.support.projects import BUG, TASK, content

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

DEBUGGERS = {"right": example.RIGHT, "wrong": example.WRONG, "close": example.CLOSE}
OPTIONS = {
    "agents": {
        name: one.as_program().model_dump(mode="json", by_alias=True)
        for name, one in DEBUGGERS.items()
    },
    "orchestrator": {"agentType": "digest"},
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The example, in place of the smaller project that the other tests here debug."""
    return example.example_project(tmp_path / "shop").root


def failing(project: Path) -> set[str]:
    """The project's tests that fail."""
    done = subprocess.run(
        [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir=."],
        cwd=project, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": ".", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
    )  # fmt: skip
    assert "passed" in done.stdout or "failed" in done.stdout, done.stdout + done.stderr
    lines = [line.split(" ") for line in done.stdout.splitlines()]
    return {line[1] for line in lines if line[0] == "FAILED"}


async def test_the_patch_that_was_proven_makes_the_failing_test_pass_and_undo_brings_it_back(
    open_editor, project
):
    task = project / "tasks" / "prices.md"
    task.parent.mkdir()
    task.write_text(TASK)
    tax = project / example.BUGGY_FILE
    editor = await open_editor(options=OPTIONS)
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": name} for name in DEBUGGERS]},
    )
    await editor.finished(run["debugRunId"], 180)
    before = content(project)
    right, wrong, close = run["sessionIds"]
    editor.open(tax)

    for session, fails in ((wrong, f"breaks 1 test: `{example.PASSES}`"), (close, "R1: FAILS")):
        with pytest.raises(JsonRpcException) as refused:
            await editor.command("applyPatch", {"sessionId": session})
        assert fails in refused.value.message
    assert editor.edits == []
    assert failing(project) == {example.SHOWS_THE_BUG}

    result = await editor.command("applyPatch", right)
    assert result == {
        "applied": True,
        "files": [{"uri": tax.as_uri(), "how": "edited"}],
        "message": None,
    }
    editor.save_all()
    assert failing(project) == set()
    assert example.RIGHT.line in tax.read_text()

    editor.undo()
    editor.save_all()
    assert BUG in tax.read_text()
    assert content(project) == before

    await editor.command("applyPatch", {"sessionId": wrong, "force": True})
    editor.save_all()
    assert failing(project) == {example.PASSES}
