"""Runs the user's set-up command once for all copies of a workspace."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from bug_lsp.agents.base import Emit, Job
from bug_lsp.domain.copy_contents import CopyContents
from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.events import Activity, ToolCall, ToolResult
from bug_lsp.domain.run import Run
from bug_lsp.domain.transcript import one_line
from bug_lsp.store import files, runs
from bug_lsp.store.layout import SessionFolder
from bug_lsp.workspace import git
from bug_lsp.workspace.extras import Source
from bug_lsp.workspace.set_up import SetUps, Twin

from .confine import confined_set_up

_SECONDS = 900.0
"""How long the command may take, at least; a cell that may take longer gives it as long."""
_LOOK_AGAIN = 0.2
_SHARE = 0.8
"""Of the session's time."""


class SetUpFailed(Exception):
    """The command did not succeed; the text says how, as a clause."""


async def sources_of(run: Run, folder: SessionFolder, emit: Emit) -> tuple[Source, ...]:
    """Where a copy's extras come from: what the set-up command made, then the checkout.

    Runs the command if nobody has; whoever comes meanwhile waits for it. Raises `SetUpFailed`.
    """
    checkout = Source(Path(run.checkout), run.contents)
    if run.set_up_command is None:
        return (checkout,)
    set_ups = SetUps(folder.run.workspace, run.base, run.set_up_command)
    try:
        made = await run_sync(set_ups.found)
        if made is None:
            emit(Activity(text="waiting for the set-up command"))
            async with _locked(await run_sync(set_ups.lock)):
                made = await run_sync(set_ups.found) or await _once(run, folder, set_ups, emit)
    except (git.GitError, OSError) as error:
        raise SetUpFailed(f"its copy of the code could not be made: {error}") from error
    return (made, Source(checkout.root, checkout.contents.without(made.contents)))


@asynccontextmanager
async def _locked(path: Path) -> AsyncIterator[None]:
    # Not waited for in a thread: a session that is cancelled must end.
    while (descriptor := files.lock_now(path)) is None:  # noqa: ASYNC110 - another process has it
        await anyio.sleep(_LOOK_AGAIN)
    try:
        yield
    finally:
        os.close(descriptor)


async def _once(run: Run, folder: SessionFolder, set_ups: SetUps, emit: Emit) -> Source:
    """Run the command, unless it has failed for another session of the run. A session that is
    retried tries again.
    """
    failed = folder.run.set_up_failed
    before = files.read(failed) if runs.spec(folder).retries is None else None
    if before is not None:
        raise SetUpFailed(before.decode())
    try:
        made = await _run(run, folder, set_ups, emit)
    except SetUpFailed as failure:
        files.replace(failed, str(failure).encode())
        raise
    files.remove(failed)
    return made


async def _run(run: Run, folder: SessionFolder, set_ups: SetUps, emit: Emit) -> Source:
    """Run the command in a clean copy. If it does not succeed, once more with what a copy links to:
    it may need what is installed, and it may not be able to replace it.
    """
    command = set_ups.command
    emit(Activity(text=f"setting up the copies: {command}"))
    emit(ToolCall(call_id="set-up", name="set up", detail=one_line(command, 200)))
    held = await run_sync(confined_set_up, run, [set_ups.folder, folder.scratch])
    contents = [run.contents.without_links()]
    # A command that nothing confines could write through a link.
    contents += [run.contents] if held and contents[0] != run.contents else []
    first = ""
    for one in contents:
        made, problem, output = await _try(run, folder, set_ups, one, held)
        if made is not None:
            emit(ToolResult(call_id="set-up", ok=True, output=output))
            return made
        first = first or problem
    emit(ToolResult(call_id="set-up", ok=False, output=first))
    raise SetUpFailed(first)


async def _try(
    run: Run,
    folder: SessionFolder,
    set_ups: SetUps,
    contents: CopyContents,
    held: tuple[str, ...],
) -> tuple[Source | None, str, str]:
    """One try: (what was made, why it did not succeed, the end of the output)."""
    twin = await run_sync(set_ups.make_twin, [Source(Path(run.checkout), contents)])
    made: Source | None = None
    try:
        problem, output = await _command(run, folder, twin, set_ups.command, held)
        if not problem:
            made = await run_sync(set_ups.keep, twin)
    finally:
        if made is None:
            with anyio.CancelScope(shield=True):
                await run_sync(twin.remove)
    return made, problem, output


async def _command(
    run: Run, folder: SessionFolder, twin: Twin, command: str, held: tuple[str, ...]
) -> tuple[str, str]:
    """Run the command in the twin: (why it did not succeed, the end of its output)."""
    # Imported here: sessions without a set-up command do without.
    from bug_lsp.agents.python_tests import PythonProject
    from bug_lsp.agents.python_tests.child_process import run_child, tail

    scratch = files.make_private(folder.scratch)
    job = Job(
        prompt="",
        cwd=twin.root / run.base.prefix,
        copy=twin.root,
        workspace=Path(run.workspace),
        scratch=scratch,
        test_command=run.test_command,
        python=run.python,
        selected_python=run.selected_python,
        tests_near=run.tests_near,
    )
    project = PythonProject.of(job)
    log = scratch / "set-up.log"
    least = max(run.cell_timeout_seconds, _SECONDS)
    seconds = min(least, run.session_timeout_seconds * _SHARE)
    try:
        status = await run_child(
            command,
            cwd=project.cwd,
            env=project.environment(is_set_up=True),
            log=log,
            seconds=seconds,
            confine=held,
        )
    except AgentFailure as failure:
        return failure.message, tail(log)
    output = tail(log)
    if status is None:
        return f"it was still running after {seconds:g} s", output
    last = output.splitlines()[-1] if output else ""
    return (
        "" if status == 0 else f"it exited with {status}" + (f": {last}" if last else "")
    ), output
