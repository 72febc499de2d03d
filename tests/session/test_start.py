"""What is wrong with a request is said in one sentence, and then nothing was started or written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bug_lsp.domain.errors import BadInput, BugLspError, Refused
from bug_lsp.domain.run import AgentChoice
from bug_lsp.domain.settings import Settings
from bug_lsp.session.forget import delete_run
from bug_lsp.session.gate import advance
from bug_lsp.session.spawn import spawn
from bug_lsp.session.start import Request, start_run
from bug_lsp.store import runs
from tests.support import leftovers
from tests.support.projects import Project, empty_project, fingerprint, git
from tests.support.runs import FINDS, program, says, start, turnstile


def wrong(project: Project, **request: Any) -> BugLspError:
    """The error of a start, after which nothing is there that was not there before."""
    before = fingerprint(project.root)
    with pytest.raises(BugLspError) as raised:
        start(project.root, *request.pop("agents", [FINDS]), **request)
    assert fingerprint(project.root) == before
    for folder in leftovers.workspaces(Path(os.environ["BUG_LSP_STATE_DIR"])):
        assert list(folder.runs.iterdir()) == []
        assert git("for-each-ref", cwd=folder.repository) == "" if folder.repository.exists() else 1
    said = raised.value.message
    assert "\n" not in said
    assert "Traceback" not in said
    return raised.value


def field_of(error: BugLspError) -> str:
    assert isinstance(error, BadInput)
    return error.field


def test_an_unknown_agent_is_named_with_those_there_are(project: Project) -> None:
    error = wrong(project, agents=[FINDS, "frodo"])
    assert field_of(error) == "agents[1].agentType"
    assert "no agent 'frodo'" in error.message
    assert "choose from codex, claude, gemini, opencode, qwen, copilot, spectrum" in error.message


def test_the_digest_does_not_debug(project: Project) -> None:
    assert "(it only orchestrates)" in wrong(project, agents=["digest"]).message


def test_no_agents_are_too_few_and_seventeen_too_many(project: Project) -> None:
    assert field_of(wrong(project, agents=[])) == "agents"
    error = wrong(project, agents=[FINDS] * 17)
    assert field_of(error) == "agents"
    assert "at most 16" in error.message


def test_an_agent_whose_program_is_missing_says_how_to_get_it(project: Project) -> None:
    missing = says("x").model_copy(update={"command": ("no-such-program",)})
    error = wrong(project, agents=[missing])
    assert isinstance(error, Refused)
    assert "'no-such-program' of agent 'agent1' is not on PATH; install it" in error.message


def test_a_python_that_is_set_must_be_there(project: Project) -> None:
    error = wrong(project, settings={"python": "no/such/env"})
    assert field_of(error) == "python"
    assert "no Python at no/such/env" in error.message


def test_an_orchestrator_must_be_one(project: Project) -> None:
    assert field_of(wrong(project, orchestrator="spectrum")) == "orchestrator.agentType"


@pytest.mark.parametrize("title", [None, "", " \n "])
def test_a_title_or_a_task_is_needed(project: Project, title: str | None) -> None:
    assert field_of(wrong(project, title=title)) == "title"


def test_a_workspace_must_be_a_folder_that_is_there(project: Project) -> None:
    request = Request(workspace=project.root / "README.md", title="x")
    settings = Settings(agents={"a": FINDS}, default_agents=("a",))
    with pytest.raises(Refused, match="is not a folder"):
        start_run(request, settings)
    with pytest.raises(Refused, match="does not exist"):
        start_run(Request(workspace=project.root / "gone", title="x"), settings)


Spoil = Callable[[Project], Path]


def _folder(project: Project) -> Path:
    return project.write("tasks/a.md/inside", "x").parent


def _link_out(project: Project) -> Path:
    (project.root.parent / "out.md").write_text("# Out\n")
    path = project.root / "tasks/link.md"
    path.parent.mkdir()
    path.symlink_to(project.root.parent / "out.md")
    return path


def _fifo(project: Project) -> Path:
    path = project.task().with_name("fifo.md")
    os.mkfifo(path)
    return path


def _loop(project: Project) -> Path:
    path = project.task().with_name("loop.md")
    path.symlink_to(path)
    return path


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_folder, "is a folder; name a Markdown file"),
        (lambda project: project.task(b"# x\0y\n"), "is a binary file"),
        (lambda project: project.task(b"# caf\xe9\n"), "is not UTF-8 (byte 5); save it as UTF-8"),
        (lambda project: project.task("#" * 10_000_000), "has 10,000,000 bytes, more than"),
        (lambda project: project.task(name="tasks/a.txt"), "is not a Markdown file"),
        (lambda project: project.root.parent / "shop2/a.md", "is outside the workspace"),
        (lambda project: project.root / "../a.md", "is outside the workspace"),
        (_link_out, "is outside the workspace"),
        (_fifo, "is not a regular file"),
        (lambda project: project.root / "tasks/gone.md", "does not exist; create it"),
        (lambda project: project.task().with_name(f"{'x' * 300}.md"), "cannot be read"),
        (lambda project: project.root / "a\0b.md", "is not a usable path"),
        (_loop, ""),
    ],
    ids=[
        "a folder",
        "binary",
        "Latin-1",
        "10 MB",
        "no Markdown",
        "beside",
        "above",
        "a link out",
        "a pipe",
        "missing",
        "a long name",
        "a name with a zero",
        "a loop",
    ],
)
@pytest.mark.fault(17)
def test_a_task_file_must_be_a_markdown_file_of_the_workspace(
    project: Project, spoil: Spoil, said: str
) -> None:
    error = wrong(project, task=spoil(project))
    assert field_of(error) == "taskUri"
    assert said in error.message


@pytest.mark.parametrize("place", ["../elsewhere", "/tmp"])
@pytest.mark.fault(17)
def test_new_tasks_do_not_go_outside_the_workspace(project: Project, place: str) -> None:
    assert field_of(wrong(project, settings={"tasks_dir": place})) == "tasksDir"


def test_a_tasks_folder_that_is_a_file_is_refused(project: Project) -> None:
    error = wrong(project, settings={"tasks_dir": "README.md"})
    assert "README.md" in error.message


def test_a_new_task_file_holds_the_title_and_the_description(project: Project) -> None:
    description = "Seen on Monday.\ud800\n"
    run = start(project.root, FINDS, title="Prices, too low!", description=description)
    assert run.task == project.root / "tasks/prices-too-low.md"
    again = start(project.root, FINDS, title="Prices, too low!")
    assert again.task == project.root / "tasks/prices-too-low-2.md"
    assert run.text.startswith("# Prices, too low!\n\nSeen on Monday.?\n")


@pytest.mark.fault(21)
def test_the_roster_and_the_prompts_are_on_disk_and_no_prompt_is_in_a_command_line(
    project: Project, tmp_path: Path
) -> None:
    with turnstile(tmp_path / "turnstile") as stile:
        run = start(project.root, stile.agent(), FINDS, title="A very peculiar title")
        specs = runs.load(run.folder).roster
        titles = [spec.title for spec in specs]
        assert titles == [f"Debug ({number}): A very peculiar title" for number in (1, 2)]
        for session in run.sessions:
            assert "A very peculiar title" in session.prompt.read_text()
        run.wait_ready(0)
        for path in Path("/proc").glob("[0-9]*/cmdline"):
            with suppress(OSError):
                assert b"very peculiar" not in path.read_bytes()
        stile.let_go()
        run.wait_finished()


@pytest.mark.fault(21)
def test_what_is_kept_is_for_the_user_alone_whatever_the_umask(project: Project) -> None:
    before = os.umask(0)
    try:
        run = start(project.root, FINDS, FINDS).wait_finished()
    finally:
        os.umask(before)
    workspace = run.folder.workspace.path
    for path in [workspace.parent.parent, workspace.parent, workspace, run.folder.path]:
        assert path.stat().st_mode & 0o077 == 0
    for path in [run.folder.path, *run.sessions[0].path.iterdir(), *run.folder.path.glob("*.*")]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_a_repository_without_a_commit_can_be_debugged(tmp_path: Path) -> None:
    project = empty_project(tmp_path / "new")
    project.write("a.py", "x = 1\n")
    run = start(project.root, program("print(open('a.py').read())")).wait_finished()
    assert run.result().message == "x = 1"


def test_of_two_processes_for_one_session_the_second_leaves_without_harm(
    project: Project, tmp_path: Path
) -> None:
    with turnstile(tmp_path / "turnstile") as stile:
        run = start(project.root, stile.agent("all is well"))
        run.wait_ready(0)
        assert spawn(run.sessions[0])()
        assert advance(run.folder) == ()
        assert not run.sessions[0].result.exists()
        stile.let_go()
        run.wait_finished()
    assert run.result().message == "ready\nall is well"


def test_a_session_and_its_agent_give_way_to_the_editor(project: Project) -> None:
    group = Path("/proc/self/autogroup")  # not every system divides the processor among sessions
    code = "import os, sys; print(os.nice(0)); print(*map(lambda p: open(p).read(), sys.argv[1:]))"
    agent = program(code, *([group] if group.exists() else []))
    run = start(project.root, agent, agent, orchestrator=agent).wait_finished()
    for session in [*run.sessions, *run.orchestrators]:
        ended = runs.result(session)
        assert ended is not None
        nice, *its_group = ended.message.split()
        assert int(nice) == max(10, os.nice(0))
        assert its_group[-2:] == (["nice", "10"] if group.exists() else [])


def test_a_run_that_cannot_be_read_is_named_and_can_be_deleted(project: Project) -> None:
    run = start(project.root, FINDS).wait_finished()
    run.folder.run.write_text('{"version": 2}')
    with pytest.raises(Refused, match=f"debug run {run.folder.run_id} cannot be read") as refused:
        runs.load(run.folder)
    assert "\n" not in refused.value.message
    assert delete_run(run.folder)
    assert list(run.folder.workspace.tasks.glob("*/*")) == []


def test_two_who_delete_and_one_who_looks_get_an_answer_each(project: Project) -> None:
    run = start(project.root, FINDS).wait_finished()
    answers: list[object] = []

    def ask(what: Callable[[], object]) -> None:
        try:
            answers.append(what())
        except Refused as refused:
            answers.append(refused)

    asks = [lambda: delete_run(run.folder)] * 2 + [lambda: advance(run.folder)] * 2
    threads = [threading.Thread(target=ask, args=(what,)) for what in asks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 4
    assert answers.count(True) == 1


_START = """
import json, resource, sys
from pathlib import Path
from bug_lsp.domain.errors import BugLspError
from bug_lsp.domain.run import AgentChoice
from bug_lsp.domain.settings import Settings
from bug_lsp.session.start import Request, start_run
workspace, settings, limit = sys.argv[1:]
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
agents = (AgentChoice(agent_type="agent1"),)
try:
    folder = start_run(
        Request(workspace=Path(workspace), title="Full", agents=agents),
        Settings.model_validate_json(settings),
    )
except BugLspError as error:
    print(json.dumps([type(error).__name__, str(error)]))
else:
    print(json.dumps(["started", str(folder.path)]))
"""


def start_elsewhere(project: Project, limit: str = "") -> tuple[str, str]:
    """(what became of it, the sentence or the run) of a start in a process of its own."""
    settings = Settings(agents={"agent1": FINDS}, orchestrator=AgentChoice(agent_type="digest"))
    done = subprocess.run(
        [sys.executable, "-c", _START, str(project.root), settings.to_json().decode(), limit],
        check=True,
        capture_output=True,
        text=True,
    )
    became, said = json.loads(done.stdout)
    return became, said


def check_nothing_started(project: Project, state: Path, said: str) -> None:
    assert "nothing was started" in said
    assert "\n" not in said
    assert list(project.root.glob("tasks/*")) == []
    assert leftovers.session_processes(state) == []
    for folder in leftovers.workspaces(state):
        assert [run for run in runs.newest(folder) if run.run.exists()] == []
        assert list(folder.active.glob("*")) == []


@pytest.mark.parametrize("limit", ["0", "60", "1000"])
@pytest.mark.fault(12)
def test_where_no_file_can_be_written_nothing_starts(
    project: Project, state_dir: Path, limit: str
) -> None:
    became, said = start_elsewhere(project, limit)
    assert became == "Refused"
    check_nothing_started(project, state_dir, said)
    assert start_elsewhere(project)[0] == "started"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of one megabyte, or, where that cannot be mounted, an ordinary folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = "size=1m,mode=700"
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", str(folder)]
    mounted = subprocess.run(mount, check=False, capture_output=True).returncode == 0
    try:
        yield folder
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(folder)], check=True, capture_output=True)


def fill(ballast: Path, *, but: int) -> None:
    """Fill the disk, but for so many bytes; at most a megabyte, so that no real disk is filled."""
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        for _ in range(256):
            file.write(b"\0" * 4096)
    os.truncate(ballast, max(0, ballast.stat().st_size - but))


@pytest.mark.fault(12)
def test_on_a_full_disk_a_run_starts_or_is_refused_but_never_half(
    project: Project, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = disk / "state"
    monkeypatch.setenv("BUG_LSP_STATE_DIR", str(state))
    outcomes = []
    for free in (0, 30_000, 90_000, 140_000, 400_000):
        fill(disk / "ballast", but=free)
        became, said = start_elsewhere(project)
        outcomes.append(became)
        if became == "Refused":
            check_nothing_started(project, state, said)
            continue
        (disk / "ballast").unlink()
        leftovers.end_and_check(state)
        for path in project.root.glob("tasks/*"):
            path.unlink()
    assert set(outcomes) <= {"Refused", "started"}
    assert outcomes[-1] == "started"


def test_a_task_file_may_lie_anywhere_in_the_repository_around_the_workspace(
    project: Project,
) -> None:
    task = project.task(name="tasks/above.md")
    run = start(project.root / "shop", FINDS, task=task).wait_finished()
    assert run.task == task
    assert "## Findings" in run.text
    inside = project.root / ".git" / "bug.md"
    inside.write_text("# Inside\n")
    with pytest.raises(BadInput, match="is outside the workspace"):
        start(project.root / "shop", FINDS, task=inside)
    inside.unlink()
