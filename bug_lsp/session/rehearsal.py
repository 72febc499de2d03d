"""Tries out how a project's tests would run in a session: what is collected, and whether the named
test fails and how. In a copy of its own in a temporary folder, held like a session's.
"""

from __future__ import annotations

import dataclasses
import tempfile
import time
from pathlib import Path

import anyio

from bug_lsp.agents.python_tests import CollectionError, SuiteRun
from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.ids import new_run_id
from bug_lsp.domain.settings import Settings
from bug_lsp.proof.bench import Bench
from bug_lsp.proof.checks import Check, Outcome
from bug_lsp.proof.slot import Slot, Snapshot
from bug_lsp.proof.suite import of_command, ways
from bug_lsp.store.files import make_private
from bug_lsp.store.layout import WorkspaceFolder
from bug_lsp.workspace import capture, ignored
from bug_lsp.workspace.extras import Source

from .confinement import confinement

_SECONDS = 60.0
_MOST_NAMED = 3


def rehearse(workspace: Path, settings: Settings, test_command: str | None) -> list[str]:
    """Collect the tests, run those that the command names, and tell in a line each what came of
    it. Raises `Refused` where the state of the code cannot be captured.
    """
    with tempfile.TemporaryDirectory(prefix="bug-lsp-", ignore_cleanup_errors=True) as name:
        return anyio.run(_rehearse, Path(name), workspace.resolve(), settings, test_command)


async def _rehearse(
    place: Path, workspace: Path, settings: Settings, test_command: str | None
) -> list[str]:
    bench = await anyio.to_thread.run_sync(_bench, place, workspace, settings, test_command)
    snapshot = Snapshot.of(bench)
    slot = Slot(snapshot, 1)
    found: list[str] = []
    try:
        await anyio.to_thread.run_sync(snapshot.make)
        known = ways(snapshot.root / bench.base.prefix, settings.suite_command)
        for check in known[:1]:
            found += await _collected(slot, check)
        if test_command is not None:
            check = of_command(test_command, python=any(one.plan for one in known))
            found.append(_told(await slot.run(check, None, "command", _SECONDS)))
    except AgentFailure as failure:
        found.append(f"copy: {failure.message}")
    return found


async def _collected(slot: Slot, check: Check) -> list[str]:
    """What is collected of the project's own tests, where they can be listed."""
    if check.plan is None:
        return [f"suite: `{check.command}`, run as it is: what it holds cannot be listed"]
    listing = dataclasses.replace(check, plan=dataclasses.replace(check.plan, collect_only=True))
    outcome = await slot.run(listing, None, "collected", _SECONDS)
    run = outcome.run
    if run is None:
        return [f"suite: it cannot be collected: {outcome.detail}"]
    errors = run.collection_errors
    lines = [f"suite: {_counted(run)} by {run.runner} in {outcome.seconds:.1f} s"]
    for error in errors[:_MOST_NAMED]:
        why = outcome.lacking.get(error.where) or _why(error)
        lines.append(f"suite: {error.where} cannot be collected: {why}")
    more = len(errors) - _MOST_NAMED
    return [*lines, *([f"suite: and {more} more that cannot be collected"] * (more > 0))]


def _counted(run: SuiteRun) -> str:
    count = len(run.collected)
    return "1 test is collected" if count == 1 else f"{count:,} tests are collected"


def _why(error: CollectionError) -> str:
    told = error.failure.summary
    if error.failure.type != "ModuleNotFoundError":
        return told
    return f"{told}; install it for that interpreter, or name another one in the setting `python`"


def _told(outcome: Outcome) -> str:
    """What the test command does to the code as it is now."""
    if outcome.first_lacking:
        return f"testCommand: it fails for the copy's own sake: {outcome.first_lacking}"
    if outcome.result == "failed":
        return f"testCommand: it fails, as it should while the bug is there: {outcome.detail}"
    if outcome.result == "passed":
        return "testCommand: it passes, so it does not show the bug; name a test that fails"
    return f"testCommand: no telling: {outcome.detail}"


def _bench(place: Path, workspace: Path, settings: Settings, test_command: str | None) -> Bench:
    folder = WorkspaceFolder(place / "state")
    folder.create()
    base = capture.capture(folder, workspace, new_run_id(time.time_ns() // 1_000_000))
    depth = len(Path(base.prefix).parts)
    checkout = workspace.parents[depth - 1] if depth else workspace
    contents = ignored.plan(checkout, settings.worktree_include, untracked=base.dependencies)
    scratch = make_private(place / "scratch")
    held = confinement([place]).prefix if settings.confinement != "off" else ()
    return Bench(
        base=base,
        workspace=workspace,
        scratch=scratch,
        logs=make_private(place / "logs"),
        confine=held,
        slots=1,
        cell_seconds=_SECONDS,
        test_command=test_command,
        sources=(Source(checkout, contents),),
        python=settings.python,
        suite_command=settings.suite_command,
    )
