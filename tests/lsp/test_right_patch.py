"""From three agents to code that is right: what was proven is applied, the rest only by force."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from lsprotocol import types
from pygls.exceptions import JsonRpcException

from tests.support import example
from tests.support.projects import BUG, content

from .editor import RICH, Editor
from .offers import actions, argument, carry_out, titles

pytestmark = [pytest.mark.anyio, pytest.mark.example, pytest.mark.timeout(240)]

DEBUGGERS = {"right": example.RIGHT, "wrong": example.WRONG, "close": example.CLOSE}
OPTIONS = {
    "agents": {
        name: one.as_program().model_dump(mode="json", by_alias=True)
        for name, one in DEBUGGERS.items()
    },
    "orchestrator": {"agentType": "digest"},
}


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


async def test_the_line_says_what_was_found_and_the_patch_that_was_proven_is_one_key_away(
    open_editor, project, task
):
    tax = project / example.BUGGY_FILE
    editor: Editor = await open_editor(RICH, OPTIONS)
    run = await editor.command(
        "debugWithAgents",
        {"taskUri": task.as_uri(), "agents": [{"agentType": name} for name in DEBUGGERS]},
    )
    await editor.finished(run["debugRunId"], 180)
    before = content(project)
    right, wrong, close = run["sessionIds"]
    editor.open(tax)

    [shown] = await editor.until(lambda: editor.diagnostics(tax), what="a diagnostic")
    assert (shown.source, shown.severity) == ("bug-lsp", types.DiagnosticSeverity.Error)
    assert (shown.range.start, shown.range.end) == (
        types.Position(2, len(BUG) - len(BUG.lstrip())),
        types.Position(2, len(BUG)),
    )
    assert shown.message == (
        "The tax is subtracted\n"
        "Found by Debug (1) right, Debug (3) close, in 'Prices are too low'.\n"
        "The patch of Debug (1) right holds: reproduction passes, suite passes."
    )
    assert shown.code_description.href == task.as_uri()
    assert list(editor.client.diagnostics) == [tax.as_uri()], "what is not there is on no line"
    offered = await actions(editor, tax, 2, [shown])
    breaks = f"reproduction passes, suite: breaks 1 test, {example.PASSES}"
    fails = "reproduction fails, suite breaks nothing"
    assert titles(offered) == [
        "Apply the patch of Debug (1) right (reproduction passes, suite passes)",
        f"Apply the patch of Debug (2) wrong all the same ({breaks})",
        f"Apply the patch of Debug (3) close all the same ({fails})",
        "Show the patch of Debug (1) right",
        "Show the patch of Debug (2) wrong",
        "Show the patch of Debug (3) close",
        "Open the session Debug (1) right",
        "Open the session Debug (3) close",
        "Dismiss: The tax is subtracted",
    ]
    assert [one.is_preferred for one in offered] == [True, *[None] * 8]
    assert {one.kind for one in offered} == {"quickfix"}
    assert [argument(one) for one in offered[:3]] == [
        {"sessionId": right},
        {"sessionId": wrong, "force": True},
        {"sessionId": close, "force": True},
    ]
    await _check_report(editor, run, shown)

    for session, why in ((wrong, f"breaks 1 test: `{example.PASSES}`"), (close, "R1: FAILS")):
        with pytest.raises(JsonRpcException) as refused:
            await editor.command("applyPatch", {"sessionId": session})
        assert why in refused.value.message
    assert editor.edits == []
    assert failing(project) == {example.SHOWS_THE_BUG}

    assert await carry_out(editor, offered[0]) == {
        "applied": True,
        "files": [{"uri": tax.as_uri(), "how": "edited"}],
        "message": None,
    }
    await editor.until(lambda: not editor.diagnostics(tax), what="it is fixed")
    editor.save_all()
    assert failing(project) == set()
    assert example.RIGHT.line in tax.read_text()

    editor.undo()
    await editor.until(lambda: editor.diagnostics(tax) == [shown], what="it is back")
    editor.save_all()
    assert BUG in tax.read_text()
    assert content(project) == before

    assert (await carry_out(editor, offered[1]))["applied"]
    editor.save_all()
    assert failing(project) == {example.PASSES}


async def _check_report(editor: Editor, run: dict, shown: types.Diagnostic) -> None:
    report = await editor.command("getDebugRunReport", {"debugRunId": run["debugRunId"]})
    [finding] = report["findings"]
    assert (finding["findingId"], finding["path"], finding["line"], finding["shown"]) == (
        shown.code,
        example.BUGGY_FILE,
        3,
        True,
    )
    assert [(one["sessionId"], one["proven"]) for one in report["patches"]] == list(
        zip(run["sessionIds"], [True, False, False], strict=True)
    )
    assert "## Root cause" in report["markdown"]
    assert report["synthesis"]["recommendedSession"] == run["sessionIds"][0]
    assert len(report["checked"]["cells"]) == 6
    assert not report["fixed"]


async def test_the_best_patch_is_applied_from_the_notification_at_the_end_and_its_file_shown(
    open_editor, project, task
):
    tax = project / example.BUGGY_FILE
    editor: Editor = await open_editor(RICH, OPTIONS)
    editor.answer = lambda question: "Apply Best Patch"
    editor.open(tax)
    agents = [{"agentType": name} for name in ("wrong", "right")]
    await editor.command("debugWithAgents", {"taskUri": task.as_uri(), "agents": agents})
    await editor.until(
        lambda: any(shown.uri == tax.as_uri() for shown in editor.client.shown_documents), 180
    )
    assert example.RIGHT.line in editor.text(tax)
    assert BUG in tax.read_text(), "it is the user who saves"


async def test_a_best_patch_that_does_not_fit_any_more_is_refused_in_a_message(
    open_editor, project, task
):
    tax = project / example.BUGGY_FILE
    editor: Editor = await open_editor(RICH, OPTIONS)

    def typed_meanwhile(_question: types.ShowMessageRequestParams) -> str:
        tax.write_text(tax.read_text().replace(BUG, "    return price * (1 - rate)"))
        return "Apply Best Patch"

    editor.answer = typed_meanwhile
    agents = [{"agentType": name} for name in ("wrong", "right")]
    await editor.command("debugWithAgents", {"taskUri": task.as_uri(), "agents": agents})
    [said] = await editor.until(
        lambda: [one.message for one in editor.client.messages if "tax.py" in one.message], 180
    )
    assert "changed" in said
    assert "\n" not in said
    assert "price * (1 - rate)" in tax.read_text()
