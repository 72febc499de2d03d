"""The server is killed, at every step that it makes and at any moment; and two of them work on one
workspace.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bug_lsp.domain.errors import Refused
from bug_lsp.session import gate, steer
from bug_lsp.session.cancel import cancel_session
from bug_lsp.session.forget import delete_run
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder, WorkspaceFolder
from bug_lsp.store.processes import alive
from tests.lsp.editor import Editor
from tests.support.projects import Project
from tests.support.runs import CONCLUDES, FINDS, WAITS, Started, start

from .control import At, Control, Step
from .ends import check, look_until_finished

pytestmark = [pytest.mark.anyio]

Times = Callable[[int, int], int]
_AGENTS = {
    "finds": {"type": "command", "command": list(FINDS.command)},
    "boss": {"type": "command", "command": list(CONCLUDES.command)},
}
_OPTIONS = {"bugLsp": {"agents": _AGENTS, "orchestrator": {"agentType": "boss"}}}


async def whole_run(editor: Editor, task: Path, acknowledged: list[str]) -> None:
    """Open the task file, start two agents and wait for what they find; the server may die."""
    editor.open(task)
    agents = [{"agentType": "finds"}, {"agentType": "finds"}]
    run = await editor.command("debugWithAgents", {"taskUri": task.as_uri(), "agents": agents})
    acknowledged.append(run["debugRunId"])
    await editor.finished(run["debugRunId"])


def save(editor: Editor, task: Path, opened: str) -> None:
    """Save the buffer of the task file, as its user does. One in which nothing has changed follows
    the file: a conclusion may have been written there just before the server heard of the buffer.
    """
    text = editor.text(task)
    if text != opened:
        task.write_text(text)


async def dies_during(editor: Editor, task: Path, after: float = 60) -> list[str]:
    """The runs that were acknowledged by a server that dies while it works, at the latest then. Its
    editor lives on: what stands in the buffer is not lost with the server.
    """
    assert editor.client._server is not None
    opened = task.read_text()
    acknowledged: list[str] = []
    doing = asyncio.ensure_future(whole_run(editor, task, acknowledged))
    gone = asyncio.ensure_future(editor.client._server.wait())
    await asyncio.wait({doing, gone}, timeout=after, return_when=asyncio.FIRST_COMPLETED)
    doing.cancel()
    gone.cancel()
    with suppress(BaseException):
        await doing
    await editor.kill()
    save(editor, task, opened)
    return acknowledged


async def recovers(project: Project, task: Path, acknowledged: list[str]) -> None:
    """A new server has every run that was acknowledged, and ends all that was begun."""
    editor = await Editor(project.root).start(options=_OPTIONS)
    opened = editor.open(task).source
    found = await editor.command("listDebugRuns", {})
    assert set(acknowledged) <= {run["debugRunId"] for run in found["runs"]}
    for run in found["runs"]:
        await editor.finished(run["debugRunId"])
    for folder in runs.newest(WorkspaceFolder.of(project.root)):
        await asyncio.to_thread(look_until_finished, Started(folder))
        save(editor, task, opened)
        check(Started(folder))
    await editor.stop()


@pytest.mark.fault(1)
async def test_a_server_killed_at_each_of_its_steps(
    project: Project, control: Control, times: Times
) -> None:
    task = project.task()
    original = task.read_text()
    editor = await Editor(project.root).start(options=_OPTIONS)
    await whole_run(editor, task, [])
    own = [step for step in control.steps if step.pid == editor.pid]
    await editor.stop()
    _delete_all(project)
    count = times(3, max(100, len(own)))
    names: set[str] = set()
    for number in range(count):
        task.write_text(original)
        editor = await Editor(project.root).start(options=_OPTIONS)
        dies = At(1 + number * len(own) // count, "kill", pid=editor.pid)
        control.rule = dies
        acknowledged = await dies_during(editor, task)
        control.release()
        names.add(dies.name)
        await recovers(project, task, acknowledged)
        _delete_all(project)
    assert len(names) >= min(count, 10) // 2


@pytest.mark.fault(1)
async def test_a_server_killed_at_any_moment(project: Project, times: Times) -> None:
    chance = random.Random(7)
    task = project.task()
    original = task.read_text()
    for _ in range(times(1, 100)):
        task.write_text(original)
        editor = await Editor(project.root).start(options=_OPTIONS)
        acknowledged = await dies_during(editor, task, after=chance.uniform(0, 3))
        await recovers(project, task, acknowledged)
        _delete_all(project)


@pytest.mark.fault(4)
async def test_two_servers_started_together_tell_the_same_and_one_delivers(
    project: Project, control: Control, times: Times
) -> None:
    task = project.task()
    original = task.read_text()
    for number in range(times(2, 100)):
        task.write_text(original)
        run = await asyncio.to_thread(_left_before_the_orchestrator, project, task, control)
        both = await asyncio.gather(
            *(Editor(project.root).start(options=_OPTIONS) for _ in range(2))
        )
        for editor in both:
            editor.open(task)
        if number % 2:
            await both[0].kill()
            both = both[1:]
        ends = [await editor.finished(run.folder.run_id) for editor in both]
        assert all(end == ends[0] for end in ends)
        await asyncio.to_thread(look_until_finished, run)
        if "bug-lsp:begin" in task.read_text():
            # Brought in before either of them had the file open.
            assert sum(len(editor.edits) for editor in both) == 0
        else:
            [edited] = [editor for editor in both if editor.edits]
            assert len(edited.edits) == 1
            task.write_text(edited.text(task))  # as its user saves it
        check(run)
        for editor in both:
            await editor.stop()
        _delete_all(project)


def _left_before_the_orchestrator(project: Project, task: Path, control: Control) -> Started:
    """A run whose every agent has ended, and whose last session process died before it could start
    what comes next.
    """

    def kill_there(step: Step) -> str:
        return "kill" if step.name == "write orchestrator.claim" else ""

    control.rule = kill_there
    run = start(project.root, FINDS, FINDS, orchestrator=CONCLUDES, task=task, settings=_NO_PROOF)
    run.wait_all_terminal()
    run.wait(lambda: any(step.name == "write orchestrator.claim" for step in control.steps))
    control.steps.clear()
    control.release()
    return run


_NO_PROOF: dict[str, Any] = {"prove": False}


def _delete_all(project: Project) -> None:
    """Delete the runs, and what is left of one whose start did not get to its end."""
    workspace = WorkspaceFolder.of(project.root)
    for folder in list(runs.newest(workspace)):
        delete_run(folder)
    for half in workspace.runs.glob(".*"):
        shutil.rmtree(half)
    for entry in [*workspace.active.iterdir(), *workspace.tasks.glob("*/*")]:
        entry.unlink()


_ASK = """
import sys
from pathlib import Path
from bug_lsp.session import gate, steer
from bug_lsp.session.cancel import cancel_session
from bug_lsp.session.forget import delete_run
from bug_lsp.store.layout import RunFolder
folder = RunFolder(Path(sys.argv[1]))
sys.stdin.read(1)
for _ in range(int(sys.argv[2])): print(*gate.orchestrate(folder))
"""


@pytest.mark.fault(3)
async def test_of_many_who_orchestrate_one_starts_it(project: Project, times: Times) -> None:
    run = start(project.root, FINDS, FINDS, orchestrate="never", orchestrator=CONCLUDES)
    await asyncio.to_thread(run.wait_finished)
    each, callers = times(50, 500) // 10, 10
    asking = [await _asking(run.folder, each) for _ in range(callers)]
    for one in asking:
        assert one.stdin is not None
        one.stdin.write(b"!")
        one.stdin.close()
    said = [line for one in asking for line in (await one.communicate())[0].decode().splitlines()]
    answers = [line.split() for line in said]
    assert len(answers) == each * callers
    assert len({session_id for session_id, _ in answers}) == 1
    assert [is_new for _, is_new in answers].count("True") == 1
    await asyncio.to_thread(run.wait_finished)
    check(run)


async def _asking(folder: RunFolder, times: int) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable, "-c", _ASK, str(folder.path), str(times),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip


@pytest.mark.fault(3)
async def test_by_hand_and_by_itself_at_once_is_one_orchestrator(
    project: Project, times: Times
) -> None:
    for _ in range(times(2, 30)):
        run = start(project.root, FINDS, FINDS, orchestrator=CONCLUDES)
        while not run.orchestrators:
            with suppress(Refused):
                await asyncio.to_thread(gate.orchestrate, run.folder)
        await asyncio.to_thread(look_until_finished, run)
        check(run)


@pytest.mark.fault(3)
async def test_what_is_asked_of_a_run_just_when_it_is_found_finished_is_not_forgotten(
    project: Project, control: Control
) -> None:
    asking: list[threading.Thread] = []

    def ask_there(step: Step) -> str:
        if step.name == "remove active/*" and not asking:
            asking.append(threading.Thread(target=steer.synthesise_now, args=[run.folder]))
            asking[0].start()
            asking[0].join(1)  # it has its turn when this step is made
        return ""

    run = start(
        project.root, WAITS, FINDS, orchestrate="never", orchestrator=WAITS, settings=_NO_PROOF
    )
    run.wait_ready(0)
    control.rule = ask_there
    cancel_session(run.sessions[0])
    await asyncio.to_thread(run.wait, lambda: asking)
    await asyncio.to_thread(asking[0].join)
    control.release()
    found = runs.process(run.sessions[0])
    assert found is not None
    await asyncio.to_thread(run.wait, lambda: not alive(found.pid, found.birth))
    assert len(run.orchestrators) == 1
    assert not runs.is_finished(run.folder)
