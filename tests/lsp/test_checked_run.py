"""Three real agents on the example, and the real Codex to conclude: what was found out by program
is told before what was claimed, and what is made up nevertheless is marked in the task file.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from bug_lsp.domain.proof import Verdict
from bug_lsp.domain.region import region_of
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder
from tests.support import example
from tests.support.projects import TASK, fingerprint
from tests.support.runs import block

from .vendors import homes

pytestmark = [pytest.mark.anyio, pytest.mark.example, pytest.mark.timeout(240)]

AGENTS = {"codex": example.RIGHT, "claude": example.WRONG, "gemini": example.CLOSE}
EDIT_TOOLS = {"codex": "apply_patch", "claude": "Edit", "gemini": "replace"}
MATRIX = f"""\
| patch | R1: `{example.SHOWS_THE_BUG}` | the project's tests |
| --- | --- | --- |
| Debug (1) codex | passes | passes |
| Debug (2) claude | passes | **breaks 1 test**: `{example.PASSES}` |
| Debug (3) gemini | **FAILS**: {example.SHOWS_THE_BUG}: AssertionError: assert 100.1 == 110 | \
breaks nothing; what failed before still fails |
"""
QUOTES = """\
[E2] Debug (2) claude, `shop/tax.py:3`: **contradicted**, no such text there \
(it does not stand in this file): `return price - price * rate`
[E3] Debug (2) claude, `shop/rounding.py:3`: **contradicted**, no such text there \
(there is no such file in the state that the sessions were given)
"""
CAUSE = (
    "The tax is subtracted [E1, E4]. It is rounded, too [E2 **(refuted: contradicted, no such text "
    "there (it does not stand in this file))**]. See shop/tax.py:99 **(no such line)** "
    "[E77 **(no such evidence)**]. It has always been so. *(unverified)*"
)
SOLUTION = (
    "Take the patch of Debug (3), it is right and passes every test.\n\n"
    "What its patches did when they were tried:\n\n"
    "- Debug (3) gemini: R1: **FAILS**; suite: breaks nothing; what failed before still fails"
)


async def test_what_real_agents_hand_in_is_checked_before_it_is_told_and_concluded_from(
    open_editor, model, project, task, tmp_path, state_dir
):
    for name, debugger in AGENTS.items():
        model.load(name, {"cwd": ".", "steps": debugger.as_steps()})
    model.load("codex/gpt-5", {"cwd": ".", "steps": [{"text": block(example.MISLED)}]})
    before = fingerprint(project, without=("tasks",))
    editor = await open_editor(
        options={"orchestrator": {"agentType": "codex", "model": "gpt-5"}},
        env=homes(model, tmp_path / "agents"),
    )
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": name} for name in AGENTS]},
    )
    status = await editor.finished(run["debugRunId"], 180)
    assert {one["status"] for one in status["sessions"]} == {"completed"}
    assert status["orchestrator"]["status"] == "completed"
    assert fingerprint(project, without=("tasks",)) == before
    for name, debugger in AGENTS.items():
        used = [call for request in model.requests(name) for call in request.get("calls", ())]
        assert EDIT_TOOLS[name] in used, "it was its own tool that made the change"
        [patch] = state_dir.glob(f"workspaces/*/runs/*/sessions/{_id(status, name)}/patch.diff")
        assert f"+{debugger.line}\n" in patch.read_text()

    [folder] = state_dir.glob(f"workspaces/*/runs/{run['debugRunId']}")
    _check_proof(runs.proof_of(RunFolder(folder), run["sessionIds"]), status)
    _check_task_file(task.read_text())
    first, second = (_asked_by_user(request["body"]) for request in model.requests("codex/gpt-5"))
    _check_prompt(first)
    assert second.startswith(first)
    assert "it cites evidence that does not exist (E77)" in second.removeprefix(first)


def _check_proof(proof, status) -> None:
    """What is on disk says of each of the three what it is."""
    agents = {_id(status, name): name for name in AGENTS}
    assert [one.title for one in proof.reproduced()] == [example.SHOWS_THE_BUG]
    assert {(agents[cell.session_id], cell.check): cell.outcome for cell in proof.cells} == {
        ("codex", "R1"): "passed",
        ("codex", "suite"): "passed",
        ("claude", "R1"): "passed",
        ("claude", "suite"): "failed",
        ("gemini", "R1"): "failed",
        ("gemini", "suite"): "failed",
    }
    assert {
        agents[cell.session_id]: cell.regressions for cell in proof.cells if cell.regressions
    } == {"claude": (example.PASSES,)}
    assert [name for session_id, name in agents.items() if proof.proven(session_id)] == ["codex"]
    assert [(one.id, agents[one.session_id], one.verdict) for one in proof.evidence] == [
        ("E1", "codex", Verdict.VERIFIED),
        ("E2", "claude", Verdict.CONTRADICTED),
        ("E3", "claude", Verdict.CONTRADICTED),
        ("E4", "gemini", Verdict.VERIFIED),
    ]


def _check_task_file(text: str) -> None:
    """A reader sees what holds, and each thing that the orchestrator made up is marked."""
    assert text.startswith(TASK)
    found = region_of(text)
    assert found is not None
    parts = re.split(r"^## (.+)\n\n", found[1], flags=re.MULTILINE)
    sections = {
        heading: body.strip() for heading, body in zip(parts[1::2], parts[2::2], strict=True)
    }
    holds = "with a patch at shop/tax.py:3 the failing tests pass, and no other fails"
    assert f"Synthesis (proven: {holds})" in sections
    assert sections["Root cause"] == CAUSE
    assert sections["Recommended solution"] == SOLUTION
    checked = sections["Checked by program"]
    assert checked.startswith(MATRIX)
    assert "- 2 of 4 quotes stand where they are said to\n" in checked
    assert checked.endswith("".join(f"- {line}\n" for line in QUOTES.splitlines()).strip())
    notes = [line.partition(" Its patch: ")[2] for line in sections["Session notes"].splitlines()]
    assert notes == [
        "passes R1 and breaks none of the project's tests",
        f"R1: passes; suite: **breaks 1 test**: `{example.PASSES}`",
        "R1: **FAILS**; suite: breaks nothing; what failed before still fails",
    ]


def _check_prompt(told: str) -> None:
    """First what was found out, then the bug, and only then what the sessions say."""
    sure = ["# What was checked by program\n", MATRIX, "`shop/tax.py:3` [E1, E4]", QUOTES]
    claims = [debugger.answer for debugger in AGENTS.values()]
    order = [*sure, "# The bug: ", "# What the sessions handed in\n", *claims]
    places = [told.index(part) for part in order]
    assert places == sorted(places)
    facts = told[: told.index("# The bug: ")]
    for debugger in AGENTS.values():
        for said in ("rootCause", "fix", "verification"):
            assert debugger.report[said] not in facts, "no claim passes for a fact"


def _asked_by_user(body: dict[str, Any]) -> str:
    """What Codex passes on to its model as the user's words; its own rules are others' words."""
    return "\n".join(
        part["text"]
        for item in body["input"]
        if item.get("role") == "user"
        for part in item["content"]
    )


def _id(status: dict[str, Any], agent: str) -> str:
    [found] = (one["sessionId"] for one in status["sessions"] if one["agentType"] == agent)
    return found
