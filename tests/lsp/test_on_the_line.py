"""Verified findings where the developer looks: on the line, in plain LSP, with what can be done."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from lsprotocol import types

from bug_lsp.domain.findings import OfferedPatch, hunks_of
from tests.support import example
from tests.support.findings import found_at, keep
from tests.support.projects import BUG

from .editor import RICH, Editor
from .offers import actions, carry_out, lenses, links, titles

pytestmark = [pytest.mark.anyio, pytest.mark.example, pytest.mark.timeout(180)]

THREE = {"right": example.RIGHT, "wrong": example.WRONG, "close": example.CLOSE}
FIXED = "    return price + price * rate"


@pytest.fixture
def buggy(project: Path) -> Path:
    """The file with the bug, in its third line."""
    return project / example.BUGGY_FILE


def options() -> dict[str, Any]:
    agents = {
        name: debugger.as_program().model_dump(mode="json", by_alias=True)
        for name, debugger in THREE.items()
    }
    return {"agents": agents, "orchestrator": {"agentType": "digest"}}


async def debugged(editor: Editor, task: Path) -> dict[str, Any]:
    """The status of a run of the three."""
    agents = [{"agentType": name} for name in THREE]
    run = await editor.command("debugWithAgents", {"taskUri": task.as_uri(), "agents": agents})
    return await editor.finished(run["debugRunId"], 120)


def lines_of(editor: Editor, path: Path) -> list[int]:
    """The lines (from 1) that are marked, in the order in which they were published."""
    return [one.range.start.line + 1 for one in editor.diagnostics(path)]


async def test_a_finding_follows_what_is_typed_and_is_stale_when_its_line_is_changed(
    open_editor, project, task, buggy
):
    keep(project, task, [found_at(project, example.BUGGY_FILE, 3, task)])
    editor: Editor = await open_editor(RICH)
    await editor.until(lambda: lines_of(editor, buggy) == [3])
    editor.open(buggy)
    editor.type(buggy, 0, "# one\n# two\n")
    await editor.until(lambda: lines_of(editor, buggy) == [5])
    assert editor.published[-1].version == editor.buffers[buggy.as_uri()].version
    editor.type(buggy, 4, "    return 7\n", instead_of=1)
    await editor.until(lambda: "Stale" in editor.diagnostics(buggy)[0].message)
    [stale] = editor.diagnostics(buggy)
    assert stale.severity == types.DiagnosticSeverity.Information
    assert stale.range.start.line == 4
    editor.type(buggy, 4, f"{BUG}\n", instead_of=1)
    await editor.until(lambda: "Stale" not in editor.diagnostics(buggy)[0].message)
    editor.close(buggy)
    await editor.until(lambda: lines_of(editor, buggy) == [3], what="what is on disk counts again")


async def test_a_file_that_is_opened_is_told_its_findings_though_they_were_told_before(
    open_editor, project, task, buggy
):
    """Some clients remember nothing of files that are not open."""
    keep(project, task, [found_at(project, example.BUGGY_FILE, 3, task)])
    editor: Editor = await open_editor(RICH)
    await editor.until(lambda: lines_of(editor, buggy) == [3])
    told = len(editor.published)
    editor.open(buggy)
    await editor.until(lambda: len(editor.published) > told)
    assert lines_of(editor, buggy) == [3]


async def test_a_file_that_another_program_changes_or_deletes_is_looked_at_again(
    open_editor, project, task, buggy
):
    keep(project, task, [found_at(project, example.BUGGY_FILE, 3, task)])
    editor: Editor = await open_editor(RICH)
    await editor.until(lambda: lines_of(editor, buggy) == [3])
    [watched] = await editor.until(lambda: editor.registered)
    assert watched.register_options == {"watchers": [{"globPattern": "**/*.py"}]}
    text = buggy.read_text()
    buggy.write_text(f"# new\n{text}")
    editor.changed_on_disk(buggy)
    await editor.until(lambda: lines_of(editor, buggy) == [4])
    buggy.unlink()
    editor.changed_on_disk(buggy)
    await editor.until(lambda: lines_of(editor, buggy) == [])


async def test_a_file_of_the_same_size_and_time_is_not_taken_for_the_one_that_was_there(
    open_editor, project, task, buggy
):
    keep(project, task, [found_at(project, example.BUGGY_FILE, 3, task)])
    editor: Editor = await open_editor(RICH)
    await editor.until(lambda: lines_of(editor, buggy) == [3])
    before, info = buggy.read_text(), buggy.stat()
    buggy.write_text(before.replace(BUG, "#" * len(BUG)))
    os.utime(buggy, ns=(info.st_atime_ns, info.st_mtime_ns))
    editor.changed_on_disk(buggy)
    await editor.until(lambda: "Stale" in editor.diagnostics(buggy)[0].message)
    buggy.write_bytes(before.replace("\n", "\r\n").encode("utf-8-sig"))
    editor.changed_on_disk(buggy)
    await editor.until(lambda: "Stale" not in editor.diagnostics(buggy)[0].message)
    assert lines_of(editor, buggy) == [3]
    buggy.rename(buggy.with_name("renamed.py"))
    editor.changed_on_disk(buggy)
    await editor.until(lambda: lines_of(editor, buggy) == [])


async def test_a_finding_is_gone_while_a_proven_patch_is_in_the_code(
    open_editor, project, task, buggy
):
    before = buggy.read_text()
    hunks = hunks_of(example.BUGGY_FILE, before, before.replace(BUG, FIXED))
    patch = OfferedPatch(
        session_id="b" * 12, label="Debug (1) right", proven=True, facts="", hunks=hunks
    )
    other = "tests/test_tax.py"
    found = [
        found_at(project, path, line, task) for path, line in ((example.BUGGY_FILE, 3), (other, 1))
    ]
    keep(project, task, found, [patch])
    editor: Editor = await open_editor(RICH)
    await editor.until(lambda: lines_of(editor, buggy) and lines_of(editor, project / other))
    editor.open(buggy)
    editor.type(buggy, 2, f"{FIXED}\n", instead_of=1)
    await editor.until(
        lambda: not lines_of(editor, buggy) and not lines_of(editor, project / other)
    )
    editor.type(buggy, 2, f"{BUG}\n", instead_of=1)
    await editor.until(lambda: lines_of(editor, buggy) and lines_of(editor, project / other))


async def test_a_dismissed_finding_stays_away_in_every_window_and_in_later_runs(
    open_editor, project, task, buggy
):
    found = found_at(project, example.BUGGY_FILE, 3, task)
    keep(project, task, [found])
    editor: Editor = await open_editor(RICH)
    other: Editor = await open_editor(RICH)
    for one in (editor, other):
        await one.until(lambda: lines_of(one, buggy))  # noqa: B023
    [shown] = editor.diagnostics(buggy)
    [dismiss] = [
        action
        for action in await actions(editor, buggy, 2, [shown])
        if action.title.startswith("Dismiss")
    ]
    assert await carry_out(editor, dismiss) == {"dismissed": True}
    for one in (editor, other):
        await one.until(lambda: not lines_of(one, buggy))  # noqa: B023
    again = found_at(project, example.BUGGY_FILE, 3, task, claim="In other words, the same.")
    new = found_at(project, example.BUGGY_FILE, 2, task)
    keep(project, task, [again, new], run_id="0" * 16)
    third: Editor = await open_editor(RICH)
    await third.until(lambda: lines_of(third, buggy) == [2])
    await third.command("dismissFinding", {"findingId": found.id, "dismissed": False})
    await third.until(lambda: lines_of(third, buggy) == [3, 2])


async def test_two_bugs_on_one_line_are_two_diagnostics_with_actions_of_their_own(
    open_editor, project, task, buggy
):
    second = project / "tasks" / "second.md"
    second.write_text("# Another bug\n")
    keep(project, task, [found_at(project, example.BUGGY_FILE, 3, task, claim="One")])
    keep(project, second, [found_at(project, example.BUGGY_FILE, 3, second, claim="Two")])
    editor: Editor = await open_editor(RICH)
    await editor.until(lambda: lines_of(editor, buggy) == [3, 3])
    one, two = editor.diagnostics(buggy)
    assert one.code != two.code
    dismissals = [
        title for title in titles(await actions(editor, buggy, 2)) if title.startswith("Dismiss")
    ]
    assert sorted(dismissals) == ["Dismiss: One", "Dismiss: Two"]


async def test_other_places_of_the_same_synthesis_are_related_information(
    open_editor, project, task, buggy
):
    places = [(example.BUGGY_FILE, 3), ("tests/test_tax.py", 5)]
    found = [found_at(project, path, line, task) for path, line in places]
    keep(project, task, found)
    editor: Editor = await open_editor(RICH)
    [shown] = await editor.until(lambda: editor.diagnostics(buggy))
    [related] = shown.related_information
    assert related.location.uri == (project / "tests/test_tax.py").as_uri()
    assert related.location.range.start.line == 4
    assert related.message == "tests/test_tax.py:5 is wrong"


@pytest.mark.parametrize(
    ("confidence", "severity"),
    [(0.9, "Error"), (0.6, "Warning"), (0.3, "Information"), (0.1, "Hint")],
)
async def test_the_surer_a_finding_the_louder_it_is(
    open_editor, project, task, buggy, confidence, severity
):
    keep(project, task, [found_at(project, example.BUGGY_FILE, 3, task, confidence=confidence)])
    editor: Editor = await open_editor(RICH)
    [shown] = await editor.until(lambda: editor.diagnostics(buggy))
    assert shown.severity.name == severity


async def test_the_task_file_is_the_control_panel_of_its_runs(open_editor, project, task):
    editor: Editor = await open_editor(RICH, options())
    editor.open(task)
    assert await lenses(editor, task) == [(0, "Debug with agents")]
    status = await debugged(editor, task)
    assert editor.lens_refreshes
    heading = editor.text(task).split("\n").index("## Recommended solution")
    offered = await lenses(editor, task)
    assert offered == [
        (0, "Run again"),
        (0, "Open orchestrator"),
        (heading, "Apply the patch of Debug (1) right (reproduction passes, suite passes)"),
        (heading, "Show the patch of Debug (1) right"),
    ]
    assert titles(await actions(editor, task)) == [title for _, title in offered]
    shown = await links(editor, task)
    assert shown
    text = editor.text(task).split("\n")
    for link in shown:
        there = text[link.range.start.line][link.range.start.character : link.range.end.character]
        assert there == f"{example.BUGGY_FILE}:3"
        assert link.target == f"{(project / example.BUGGY_FILE).as_uri()}#L3"
    assert status["delivered"]


async def test_while_a_run_goes_on_it_can_be_cancelled_and_then_retried_from_the_task_file(
    open_editor, task
):
    waits = {"type": "command", "command": ["sleep", "600"]}
    fails = {"type": "command", "command": ["false"]}
    editor: Editor = await open_editor(RICH, {"agents": {"waits": waits, "fails": fails}})
    editor.open(task)
    agents = [{"agentType": name} for name in ("waits", "fails")]
    run = await editor.command("debugWithAgents", {"taskUri": task.as_uri(), "agents": agents})

    async def status() -> dict[str, Any]:
        return await editor.command("getDebugRunStatus", {"debugRunId": run["debugRunId"]})

    while (await status())["failedCount"] < 1:
        seen = len(editor.run_changes)
        await editor.until(lambda: len(editor.run_changes) > seen)  # noqa: B023
    offered = await actions(editor, task)
    assert titles(offered) == ["Cancel (1 of 2 agents still at work)", "Synthesise now"]
    await carry_out(editor, offered[0])
    while not (await status())["allTerminal"]:
        seen = len(editor.run_changes)
        await editor.until(lambda: len(editor.run_changes) > seen)  # noqa: B023
    offered = await actions(editor, task)
    assert titles(offered) == [
        "Run again",
        "Retry the 2 that did not complete",
        "Synthesise now",
    ]
    retried = await carry_out(editor, offered[1])
    assert len(retried["sessionIds"]) == 2
    await editor.command("cancelDebugRun", {"debugRunId": run["debugRunId"]})
