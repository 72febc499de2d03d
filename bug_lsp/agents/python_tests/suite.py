"""Runs a project's tests in one process and comes back with what happened to each.

A test that ends the process counts as failed, and the others are run again without it. The tests
are never run anywhere but in the copy, and nothing is written there that is not their own doing.
"""

from __future__ import annotations

import importlib.util
import json
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import ValidationError

from bug_lsp.agents.text import last_line
from bug_lsp.domain.errors import AgentFailure, FailureKind

from .child_process import LinePipe, run_child, tail
from .command import Selection, chosen_by_unittest
from .crash import failure_of_dead_process
from .project import PythonProject
from .results import RanTest, SuiteRun

RUNNER = Path(__file__).parent / "runner"
MOST_DEATHS = 4
_LEAST_SECONDS = 10.0
_MOST_SAID = 200
"""Characters of the line with which a process says why it ends."""

OnProgress: TypeAlias = Callable[[int, int], None]
"""Called with how many tests have ended and how many there are."""


def _no_progress(_done: int, _total: int) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Plan:
    """Which tests to run, and how."""

    framework: Literal["pytest", "unittest"] | None = None
    """None: pytest where there is one, else unittest."""
    args: tuple[str, ...] = ()
    """For pytest its arguments, for unittest the files; none means all tests."""
    only: frozenset[str] | None = None
    named: frozenset[str] | None = None
    """The same, with all cases of a parametrised test under its one name."""
    first: frozenset[str] = frozenset()
    """These come first, then those of the same files, then those of the same folders."""
    leave_out: frozenset[str] = frozenset()
    env: dict[str, str] = field(default_factory=dict)
    coverage: bool = False
    also: Mapping[str, Collection[int]] = field(default_factory=dict)
    """Lines of which it is told who executes them even if no failing test of this run does."""
    collect_only: bool = False
    test_seconds: float = 10.0
    whole_seconds: float = 120.0


@dataclass(slots=True)
class _Progress:
    """What the runner has told so far."""

    report: OnProgress
    total: int = 0
    done: int = 0
    current: str | None = None
    files: dict[str, float] = field(default_factory=dict)
    """When the collection of each file began."""

    def hear(self, line: bytes) -> None:
        what, value = json.loads(line)
        if what == "collecting":
            self.files[value] = time.monotonic()
            return
        if what == "collected":
            self.total = value
        elif what == "start":
            self.current = value
        else:
            self.current = None
            self.done += 1
        self.report(self.done, self.total)

    @property
    def slowest(self) -> str:
        """Which file took longest to collect, in brackets; "" where nothing is known."""
        if not self.files:
            return ""
        begun = list(self.files.items())
        ends = [*(at for _, at in begun[1:]), time.monotonic()]
        took = {name: end - at for (name, at), end in zip(begun, ends, strict=True)}
        name = max(took, key=lambda one: took[one])
        return f" ({name} took {took[name]:.0f} s to collect)"


async def run_tests(
    project: PythonProject, plan: Plan, report: OnProgress = _no_progress
) -> SuiteRun:
    """One run. Raises `AgentFailure` when there is no telling what the tests do."""
    ends = time.monotonic() + plan.whole_seconds
    dead: list[RanTest] = []
    while True:
        outcome = await _attempt(project, plan, report)
        if isinstance(outcome, SuiteRun):
            return _checked(outcome.model_copy(update={"tests": (*outcome.tests, *dead)}), project)
        dead.append(outcome)
        if len(dead) > MOST_DEATHS:
            names = ", ".join(test.id for test in dead)
            raise AgentFailure(FailureKind.CRASHED, f"the tests keep ending their process: {names}")
        left = max(ends - time.monotonic(), _LEAST_SECONDS)
        plan = replace(plan, leave_out=plan.leave_out | {outcome.id}, whole_seconds=left)


def _checked(run: SuiteRun, project: PythonProject) -> SuiteRun:
    if run.problem is not None:
        raise AgentFailure(
            FailureKind.CRASHED, f"the tests cannot be run with {project.python}: {run.problem}"
        )
    return run


async def _attempt(project: PythonProject, plan: Plan, report: OnProgress) -> SuiteRun | RanTest:
    """The run, or the test that ended the process."""
    project.scratch.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(prefix="tests-", dir=project.scratch))
    progress = _Progress(report)
    pipe = LinePipe(progress.hear)
    config = place / "config.json"
    config.write_text(json.dumps(_config(project, plan, place, pipe.writer)), encoding="utf-8")
    code = await run_child(
        [str(project.python), str(RUNNER), str(config)],
        cwd=project.cwd,
        env=project.environment() | plan.env,
        log=place / "output.log",
        seconds=plan.whole_seconds + 2 * plan.test_seconds + _LEAST_SECONDS,
        pipe=pipe,
        confine=project.confine,
    )
    result = place / "result.json"
    if result.exists():
        return _read(result, place / "output.log")
    if progress.current is None:
        raise _never_began(code, plan, progress.slowest, tail(place / "output.log"))
    failure = failure_of_dead_process(code, place / "crash.txt", project.copy)
    path = _path_of(progress.current, project)
    return RanTest(
        id=progress.current, path=path, outcome="failed", failure=failure, measured=False
    )


def _config(project: PythonProject, plan: Plan, place: Path, progress_fd: int) -> dict[str, Any]:
    return {
        "root": str(project.copy),
        "lend": lent_packages(),
        "progress_fd": progress_fd,
        "framework": plan.framework,
        "args": list(plan.args),
        "only": None if plan.only is None else sorted(plan.only),
        "named": None if plan.named is None else sorted(plan.named),
        "first": sorted(plan.first),
        "leave_out": sorted(plan.leave_out),
        "coverage": plan.coverage,
        "also": {path: sorted(lines) for path, lines in plan.also.items()},
        "collect_only": plan.collect_only,
        "test_seconds": plan.test_seconds,
        "whole_seconds": plan.whole_seconds,
        "result": str(place / "result.json"),
        "crash_file": str(place / "crash.txt"),
        "data_file": str(place / "coverage.data"),
        "cache_dir": str(place / "pytest_cache"),
    }


def lent_packages() -> str:
    """Where our own coverage and pytest are, for projects that have none."""
    coverage = importlib.util.find_spec("coverage")
    return str(Path(coverage.origin).parent.parent) if coverage and coverage.origin else ""


def _read(result: Path, log: Path) -> SuiteRun:
    try:
        run = SuiteRun.model_validate_json(result.read_bytes())
    except ValidationError as error:
        raise AgentFailure(
            FailureKind.INTERNAL, f"the test run wrote no valid result: {error.errors()[0]['msg']}"
        ) from error
    if run.problem is None:
        return run
    return run.model_copy(update={"problem": f"{run.problem}\n{tail(log)}".strip()})


def _never_began(code: int | None, plan: Plan, slowest: str, output: str) -> AgentFailure:
    if code is None:
        seconds = f"{plan.whole_seconds:.0f} s"
        return AgentFailure(FailureKind.TIMEOUT, f"no test was running after {seconds}{slowest}")
    return AgentFailure(
        FailureKind.CRASHED,
        f"the test process ended with status {code} before any test ran: "
        f"{last_line(output, _MOST_SAID) or 'it printed nothing'}\n{output}".strip(),
    )


def _path_of(test_id: str, project: PythonProject) -> str:
    file = (project.cwd / test_id.partition("::")[0]).resolve()
    copy = project.copy.resolve()
    return file.relative_to(copy).as_posix() if file.is_relative_to(copy) else ""


async def chosen_tests(project: PythonProject, selection: Selection) -> SuiteRun:
    """The tests a command names, as `collected`; they are collected only, not run."""
    pytest_args = selection.args if selection.framework == "pytest" else ()
    plan = Plan(selection.framework, pytest_args, env=selection.env, collect_only=True)
    run = await run_tests(project, plan)
    if selection.framework == "pytest":
        return run
    named = chosen_by_unittest(selection.args, run.collected)
    if named is None:
        return run
    return run.model_copy(update={"collected": tuple(i for i in run.collected if i in named)})
