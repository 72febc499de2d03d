"""The set-up command is run once for all copies, and what it makes is kept."""

from __future__ import annotations

import os
import sys
import venv
from pathlib import Path

import pytest

from bug_lsp.domain.errors import FailureKind
from bug_lsp.domain.run import Status
from bug_lsp.session.cancel import cancel_session
from bug_lsp.session.housekeeping import clean
from tests.support import example
from tests.support.projects import Project
from tests.support.runs import Started, program, start, turnstile

SHOWS = program("import pathlib; print(pathlib.Path('made/id').read_text())")
CHANGES = program(
    "import pathlib\n"
    "pathlib.Path('made/id').write_text('changed')\n"
    "pathlib.Path('.gitignore').write_text('')\n"
    "print(pathlib.Path('deps/id').exists())"
)
MAKES = "mkdir made; head -c 8 /dev/urandom | od -An -tx8 > made/id"
INSTALLS = "mkdir node_modules; head -c 8 /dev/urandom | od -An -tx8 > node_modules/id"
READS = program("import pathlib; print(pathlib.Path('node_modules/id').read_text())")


def finished(run: Started) -> Started:
    run.wait(lambda: not (run.folder.workspace.active / run.folder.run_id).exists(), deadline=150)
    return run


def run_with(project: Project, command: str, *agents: object, **request: object) -> Started:
    settings = {"set_up_command": command}
    return finished(start(project.root, *agents, settings=settings, **request))


def said(run: Started, number: int = 0) -> str:
    return run.result(number).message.strip()


@pytest.mark.timeout(240)
def test_all_copies_get_what_one_run_of_the_command_made(project: Project) -> None:
    before = {path.name for path in project.root.iterdir()}
    run = run_with(project, MAKES, SHOWS, SHOWS, SHOWS)
    assert len({said(run, number) for number in range(3)}) == 1
    assert said(run)
    outputs = [run.output(number) for number in range(3)]
    assert sum(f"**set up** `{MAKES}`" in output for output in outputs) == 1
    after = {path.name for path in project.root.iterdir()}
    assert after <= {*before, "tasks"}, "nothing is made in the checkout"


@pytest.mark.timeout(240)
def test_what_was_made_is_used_again_until_the_code_changes(project: Project) -> None:
    first = said(run_with(project, MAKES, SHOWS))
    task = next((project.root / "tasks").iterdir())
    assert said(run_with(project, MAKES, SHOWS, task=task)) == first
    project.write("shop/tax.py", "RATE = 1\n")
    assert said(run_with(project, MAKES, SHOWS, task=task)) != first


@pytest.mark.timeout(240)
def test_installed_dependencies_are_used_again_until_the_lock_file_changes(
    project: Project,
) -> None:
    project.write(".gitignore", "node_modules/\n")
    project.write("package-lock.json", "{}\n")
    first = said(run_with(project, INSTALLS, READS))
    project.write("shop/tax.py", "RATE = 1\n")
    assert said(run_with(project, INSTALLS, READS)) == first
    project.write("package-lock.json", '{"lockfileVersion": 3}\n')
    assert said(run_with(project, INSTALLS, READS)) != first


@pytest.mark.timeout(240)
def test_clean_removes_what_was_made_and_the_next_run_makes_it_again(project: Project) -> None:
    run = run_with(project, MAKES, SHOWS)
    workspace = run.folder.workspace
    assert clean(workspace, 0).leftovers == 1
    assert not workspace.set_ups.exists()
    assert said(run_with(project, MAKES, SHOWS, task=run.task)) != said(run)


@pytest.mark.timeout(240)
def test_what_was_made_is_no_part_of_a_patch_and_stays_as_it_was(project: Project) -> None:
    command = f"{MAKES}; mkdir deps; echo 1 > deps/id"
    run = run_with(project, command, CHANGES, SHOWS)
    assert said(run, 0) == "True"
    assert said(run, 1) != "changed"
    patch = run.sessions[0].patch.read_text()
    assert "made/id" not in patch
    assert "deps/id" not in patch
    assert ".gitignore" in patch


@pytest.mark.timeout(240)
def test_a_command_that_fails_is_said_and_nothing_is_concluded_from_it(project: Project) -> None:
    example.with_more_tests(project)
    agent = example.RIGHT.as_program()
    run = run_with(project, "echo no network; exit 4", agent, "spectrum")
    sentence = "the set-up command did not succeed: it exited with 4: no network"
    assert f"**copy** {sentence}" in run.output(0)
    ran = [run.output(number).count("**set up**") for number in range(2)]
    assert sum(ran) == 1, "it is not run again for each session"
    assert run.status.sessions[0].status is Status.COMPLETED, "an agent that reads can go on"
    failure = run.status.sessions[1].failure
    assert failure is not None
    assert (failure.kind, failure.message) == (FailureKind.NOT_APPLICABLE, sentence)
    assert f"{sentence}; nothing was run" in run.text
    assert "**FAILS**" not in run.text


@pytest.mark.timeout(240)
def test_who_waits_for_the_command_runs_it_where_the_first_is_cancelled(
    project: Project, tmp_path: Path
) -> None:
    with turnstile(tmp_path / "gate") as gate:
        command = f"read line < {gate.path}; {MAKES}"
        settings = {"set_up_command": command, "writable_paths": (str(gate.path),)}
        run = start(project.root, SHOWS, SHOWS, settings=settings)
        run.wait(lambda: any("**set up**" in run.output(number) for number in range(2)))
        first = 0 if "**set up**" in run.output(0) else 1
        cancel_session(run.sessions[first])
        run.wait_for(first, Status.CANCELLED)
        run.wait(lambda: "**set up**" in run.output(1 - first))
        gate.close()
        os.write(os.open(gate.path, os.O_RDWR), b"go\n")
        finished(run)
    assert run.status.sessions[1 - first].status is Status.COMPLETED
    assert said(run, 1 - first)


@pytest.mark.timeout(240)
def test_the_command_is_not_led_to_the_users_own_environment(project: Project) -> None:
    project.write(".gitignore", ".venv/\n")
    venv.create(project.root / ".venv", with_pip=False)
    project.remember()
    run = run_with(project, f'test -z "$VIRTUAL_ENV$UV_PROJECT_ENVIRONMENT" && {MAKES}', SHOWS)
    assert said(run)


@pytest.mark.timeout(240)
def test_an_environment_that_the_command_makes_runs_the_tests(project: Project) -> None:
    project.write(".gitignore", ".venv/\n")
    project.write("tests/test_only.py", "def test_only():\n    import only_here\n")
    makes = (
        f"{sys.executable} -m venv --without-pip .venv;"
        " cd .venv/lib/python*/site-packages && touch only_here.py"
    )
    where = program("import os; print(os.environ['VIRTUAL_ENV'])")
    run = run_with(project, makes, where, "spectrum")
    copy = run.sessions[0].copy / "shop"
    assert said(run) == str(copy / ".venv"), run.output(0)
    assert "test_only" not in run.output(1).partition("## Failing tests")[2]
