"""What a conclusion found is kept for its task, to be shown on the line."""

from __future__ import annotations

from pathlib import Path

from bug_lsp.domain.findings import TaskFindings
from bug_lsp.domain.source import digest
from bug_lsp.session import findings
from bug_lsp.session.forget import delete_run
from bug_lsp.store.layout import WorkspaceFolder
from tests.support.projects import Project
from tests.support.runs import FINDING, FINDS, REPORT, SYNTHESIS, Started, block, says, start

QUICK = {"prove": False}
LATER = {**FINDING, "line": 1, "quote": '"""Prices."""', "confidence": 0.4}


def finds(*found: dict[str, object]) -> object:
    """An agent that hands these in."""
    return says(block({**REPORT, "findings": list(found)}))


def kept(project: Project) -> list[TaskFindings]:
    return findings.Kept(WorkspaceFolder.of(project.root)).read()


def run(project: Project, *agents: object, **more: object) -> Started:
    return start(project.root, *agents, settings=QUICK, **more).wait_finished()


def test_a_single_agents_verified_findings_are_kept_with_what_stands_around_them(project: Project):
    ended = run(project, FINDS)
    [task] = kept(project)
    assert (task.debug_run_id, task.root) == (ended.folder.run_id, str(project.root))
    [found] = task.findings
    assert (found.path, found.line, found.text) == ("shop/tax.py", 3, FINDING["quote"])
    assert found.before == ('"""Prices."""', "def with_tax(price, rate):")
    assert found.labels == ("Debug (1) agent1",)


def test_with_them_is_kept_which_text_their_files_had(project: Project):
    file = project.root / "shop/tax.py"
    run(project, FINDS)
    [task] = kept(project)
    assert task.digests == {"shop/tax.py": digest(file.read_text())}


def test_what_the_code_contradicts_is_not_kept_and_what_has_moved_is_at_its_true_line(
    project: Project,
):
    run(project, finds({**FINDING, "line": 1}, {**FINDING, "quote": "    return price ** rate"}))
    [task] = kept(project)
    assert [(one.path, one.line) for one in task.findings] == [("shop/tax.py", 3)]


def test_an_orchestrators_findings_are_its_own(project: Project):
    said = block({**SYNTHESIS, "findings": [{**FINDING, "claim": "In its own words."}]})
    ended = run(project, FINDS, FINDS, orchestrator=says(f"## Root cause\n\nThis.\n\n{said}"))
    [task] = kept(project)
    [found] = task.findings
    assert found.claim == "In its own words."
    assert found.labels == ("Debug (1) agent1", "Debug (2) agent2")
    assert task.session_id == ended.orchestrator.session_id


def test_the_latest_run_of_a_task_counts_until_it_is_deleted(project: Project):
    first = run(project, FINDS)
    second = run(project, finds(LATER), task=first.task)
    [task] = kept(project)
    assert task.debug_run_id == second.folder.run_id
    assert [found.line for found in task.findings] == [1]
    findings.keep(first.folder, first.sessions[0].session_id)
    assert [one.debug_run_id for one in kept(project)] == [second.folder.run_id], "not an older one"
    delete_run(second.folder)
    [task] = kept(project)
    assert [found.line for found in task.findings] == [3]
    delete_run(first.folder)
    assert kept(project) == []


def test_in_a_workspace_inside_a_repository_paths_begin_at_what_was_captured(project: Project):
    inner = project.root / "shop"
    ended = start(inner, FINDS, settings=QUICK).wait_finished()
    [task] = findings.Kept(WorkspaceFolder.of(inner)).read()
    [found] = task.findings
    assert Path(task.root, found.path) == inner / "tax.py"
    assert ended.status.delivered
    project.remember()  # its task file is new, in the folder that was debugged


def test_a_finding_has_the_same_id_in_the_next_run_whatever_is_said_of_it(project: Project):
    first = run(project, FINDS)
    [before] = kept(project)[0].findings
    project.write("shop/tax.py", "# moved\n" + (project.root / "shop/tax.py").read_text())
    again = {**FINDING, "claim": "Said in another way.", "line": 4}
    run(project, finds(again), task=first.task)
    [after] = kept(project)[0].findings
    assert (after.line, after.id) == (4, before.id)


def test_what_is_read_once_is_not_read_again_until_it_changes(project: Project):
    first = run(project, FINDS)
    reader = findings.Kept(first.folder.workspace)
    [one] = reader.read()
    [same] = reader.read()
    assert one is same
    run(project, FINDS, task=first.task)
    [other] = reader.read()
    assert other is not one


def test_a_file_that_cannot_be_read_is_left_out(project: Project):
    first = run(project, FINDS)
    first.folder.workspace.findings_of(first.task).write_text("{")
    assert kept(project) == []
