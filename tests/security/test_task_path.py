"""Whatever a task's path is, and whatever takes its place meanwhile: nothing outside of the
workspace is read or written, and nothing hangs.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bug_lsp.domain.errors import BadInput, Refused
from bug_lsp.domain.region import Edit
from bug_lsp.domain.run import AgentChoice
from bug_lsp.domain.settings import Settings
from bug_lsp.session.start import Request, start_run
from bug_lsp.workspace import sources, task_file, writing
from tests.lsp.raw import Raw
from tests.support.projects import Project, fingerprint
from tests.support.runs import CONCLUDES, FINDS, start, turnstile

pytestmark = pytest.mark.fault(17)

SECRET = "# A secret\n"
_SECONDS = 0.7


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder that is not the workspace's, with a file in it that is named like the task."""
    folder = tmp_path / "outside"
    folder.mkdir()
    (folder / "bug.md").write_text(SECRET)
    return folder


def strange(project: Project, outside: Path) -> dict[str, Path]:
    """Paths that are no task of this workspace."""
    tasks = project.root / "tasks"
    tasks.mkdir()
    (tasks / "link.md").symlink_to(outside / "bug.md")
    (tasks / "folder").symlink_to(outside)
    (tasks / "round.md").symlink_to(tasks / "round.md")
    (tasks / "null.md").symlink_to("/dev/null")
    (tasks / "zero.md").symlink_to("/dev/zero")
    (tasks / "proc.md").symlink_to("/proc/self/environ")
    os.mkfifo(tasks / "pipe.md")
    (tasks / "dir.md").mkdir()
    return {
        "a way up": project.root / "tasks" / ".." / ".." / "outside" / "bug.md",
        "absolute": outside / "bug.md",
        "a link out": tasks / "link.md",
        "behind a link": tasks / "folder" / "bug.md",
        "a circle": tasks / "round.md",
        "a device": tasks / "null.md",
        "a device without end": tasks / "zero.md",
        "the system's": tasks / "proc.md",
        "a pipe": tasks / "pipe.md",
        "a folder": tasks / "dir.md",
        "a long name": tasks / ("x" * 4096 + ".md"),
        "a long path": tasks / ("x/" * 4000 + "bug.md"),
        "a zero": tasks / "bug\0.md",
    }


def test_no_strange_path_is_read_or_written(project: Project, outside: Path) -> None:
    before = fingerprint(outside)
    settings = Settings(orchestrator=AgentChoice(agent_type="digest"))
    for what, path in strange(project, outside).items():
        asked = Request(project.root, task=path, agents=(AgentChoice(agent_type="spectrum"),))
        began = time.monotonic()
        with pytest.raises((BadInput, Refused)) as refused:
            start_run(asked, settings)
        assert time.monotonic() - began < 2, what
        assert "\n" not in refused.value.message
        assert "secret" not in refused.value.message
    assert fingerprint(outside) == before


@pytest.mark.anyio
async def test_over_the_wire_too(project: Project, outside: Path) -> None:
    raw = await Raw.start()
    try:
        await raw.initialise(project.root.as_uri())
        uris = {
            what: path.as_uri().replace("%00", "%2500")
            for what, path in strange(project, outside).items()
            if "\0" not in str(path)
        }
        uris |= {
            "another host": f"file://evil.example{project.root}/README.md",
            "escaped": f"{project.root.as_uri()}/tasks/%2e%2e/%2e%2e/outside/bug.md",
            "a zero": f"{project.root.as_uri()}/bug%00.md",
            "the web": "https://evil.example/bug.md",
            "ours": "bug-lsp:/runs/1111111111111111/222222222222.md",
            "nothing": "file:",
            "half": "file://",
        }
        for what, uri in uris.items():
            for command in ("debugWithAgents", "getTaskSessions", "listDebugRuns"):
                answer = await raw.command(command, {"taskUri": uri})
                if command == "debugWithAgents":
                    assert answer["error"]["code"] in {-32602, -32803}, what
                assert "secret" not in str(answer)
                assert "Traceback" not in str(answer)
    finally:
        await raw.end()


def test_links_in_the_tasks_folder_are_not_followed_to_related_bugs(
    project: Project, outside: Path
) -> None:
    project.task(name="tasks/bug.md")
    (project.root / "tasks" / "other.md").symlink_to(outside / "bug.md")
    assert task_file.others(project.root / "tasks", project.root / "tasks" / "bug.md") == []


@contextmanager
def swapping(place: Path, outside: Path) -> Iterator[None]:
    """Meanwhile the place is now itself and now a link to what is outside."""
    kept, over = place.with_name("kept"), threading.Event()

    def back() -> None:
        while kept.exists():
            try:
                kept.rename(place)
            except OSError:  # a folder was made anew in the moment in which there was none
                shutil.rmtree(place, ignore_errors=True)

    def swap() -> None:
        while not over.is_set():
            place.rename(kept)
            with suppress(OSError):  # the same
                place.symlink_to(outside)
                time.sleep(0)
                place.unlink()
            back()
            time.sleep(0)

    thread = threading.Thread(target=swap)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def often(work: Callable[[], object]) -> int:
    """Do it for a while, and count how often it could be done."""
    done, until = 0, time.monotonic() + _SECONDS
    while time.monotonic() < until:
        try:
            work()
        except (BadInput, Refused, writing.Stale, OSError):
            continue
        done += 1
    return done


@pytest.mark.parametrize("swapped", ["tasks", "tasks/bug.md"])
def test_what_is_put_in_the_place_of_a_task_is_not_read(
    project: Project, outside: Path, swapped: str
) -> None:
    task = project.task("# Mine\n", "tasks/bug.md")
    target = outside if swapped == "tasks" else outside / "bug.md"
    with swapping(project.root / swapped, target):
        assert often(lambda: _same(task_file.read(task, "taskUri"), "# Mine\n")) > 0
        often(lambda: _same(sources.read(project.root, "tasks/bug.md") or "# Mine\n", "# Mine\n"))


def _same(found: str, mine: str) -> None:
    assert found == mine


@pytest.mark.parametrize("swapped", ["tasks", "tasks/bug.md"])
def test_what_is_put_in_the_place_of_a_task_is_not_written(
    project: Project, outside: Path, swapped: str
) -> None:
    # The same text, else it would be refused for that.
    task = project.task(SECRET, "tasks/bug.md")
    before, looked = fingerprint(outside), outside.stat().st_mtime_ns
    target = outside if swapped == "tasks" else outside / "bug.md"
    change = Edit(0, 0, "")
    with swapping(project.root / swapped, target):
        often(lambda: task_file.edit(task, change, SECRET))
        often(lambda: task_file.create(project.root, "tasks", "New", ""))
        new = project.root / "tasks" / "made.md"
        often(lambda: writing.write([writing.Write(new, None, b"x")]))
    project.remember()
    assert fingerprint(outside) == before
    assert outside.stat().st_mtime_ns == looked


def test_a_task_that_became_a_link_while_agents_worked_is_not_written_through_it(
    project: Project, outside: Path, tmp_path: Path
) -> None:
    task = project.task(SECRET, "tasks/bug.md")
    with turnstile(tmp_path / "turnstile") as stile:
        run = start(project.root, stile.agent(), FINDS, orchestrator=CONCLUDES, task=task)
        run.wait_ready(0)
        task.unlink()
        task.symlink_to(outside / "bug.md")
        stile.let_go()
        run.wait_finished()
    assert (outside / "bug.md").read_text() == SECRET
    assert not run.status.delivered
