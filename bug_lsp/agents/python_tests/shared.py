"""Lets the agents of one run measure the tests once: the first does it, the others wait for it.

What was measured is kept in a folder of the run. Whoever measures holds a lock that the system
frees when its process ends, so that another one can take over.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path

import anyio
from pydantic import ValidationError

from bug_lsp.agents.base import Emit, Job
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Activity, ToolCall
from bug_lsp.domain.model import StoredValue
from bug_lsp.store import files

from .measurement import Measurement, Measuring
from .project import PythonProject
from .running import tell_result
from .suite import Plan

WHOLE_SECONDS = 45.0
"""How long all tests may take for all agents of a run."""
_LOOK_SECONDS = 0.2
_MOST_NAME = 100


class _Kept(StoredValue):
    """What came of measuring: the measurement, why there is none, or that there is nothing."""

    measurement: Measurement | None = None
    kind: FailureKind | None = None
    message: str = ""

    def get(self) -> Measurement | None:
        if self.kind is not None:
            raise AgentFailure(self.kind, self.message)
        return self.measurement


async def measured(
    job: Job, project: PythonProject, emit: Emit, *, agent: str, plan: Plan
) -> Measurement:
    """The tests as they are. Without coverage the named ones are enough, where one of them fails:
    they are known first. Raises `AgentFailure` when there is no telling what the tests do.
    """
    is_soon = not plan.coverage
    if job.shared is None:
        work = Measuring(job, project, emit, plan)
        named = await work.named()
        return named if is_soon and _shows(named) and named else await work.whole(named)
    plan = replace(plan, coverage=True, whole_seconds=min(plan.whole_seconds, WHOLE_SECONDS))
    folder = files.make_private(job.shared / "tests" / _key(job, project))
    return await _Shared(folder, agent, Measuring(job, project, emit, plan), is_soon).get()


def _key(job: Job, project: PythonProject) -> str:
    """Names what is measured: the code is that of the run's snapshot in each of its copies."""
    is_inside = project.cwd.is_relative_to(project.copy)
    where = project.cwd.relative_to(project.copy).as_posix() if is_inside else str(project.cwd)
    parts = [where, str(project.python), job.test_command or "", job.told]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _shows(measurement: Measurement | None) -> bool:
    return measurement is not None and bool(
        measurement.run.failing or measurement.run.collection_errors
    )


@dataclass
class _Shared:
    """The place where one measurement is kept, for one agent."""

    folder: Path
    agent: str
    work: Measuring
    is_soon: bool
    _has_told: bool = False

    async def get(self) -> Measurement:
        while True:
            if (found := self._kept()) is not None:
                self._tell(found)
                return found
            lock = files.lock_now(self.folder / "lock")
            if lock is None:
                self._wait()
                await anyio.sleep(_LOOK_SECONDS)
                continue
            try:
                os.ftruncate(lock, 0)
                os.write(lock, self.agent.encode())
                if self._kept() is None:
                    return await self._measure()
            finally:
                os.close(lock)

    def _kept(self) -> Measurement | None:
        """What is known already and is enough for this agent."""
        whole = self._read("whole")
        if whole is not None:
            return whole.get()
        named = self._read("named") if self.is_soon else None
        return named.measurement if named is not None and _shows(named.measurement) else None

    async def _measure(self) -> Measurement:
        kept = self._read("named")
        if kept is None:
            named = await self.work.named()
            self._write("named", _Kept(measurement=named))
        else:
            named = kept.measurement
        if self.is_soon and named is not None and _shows(named):
            return named
        try:
            whole = await self.work.whole(named)
        except AgentFailure as failure:
            self._write("whole", _Kept(kind=failure.kind, message=failure.message))
            raise
        self._write("whole", _Kept(measurement=whole))
        return whole

    def _read(self, name: str) -> _Kept | None:
        data = files.read(self.folder / f"{name}.json")
        if data is None:
            return None
        try:
            return _Kept.model_validate_json(data)
        except ValidationError:  # of another version: it is measured again
            return None

    def _write(self, name: str, kept: _Kept) -> None:
        files.replace(self.folder / f"{name}.json", kept.model_dump_json(by_alias=True).encode())

    def _wait(self) -> None:
        if not self._has_told:
            self._has_told = True
            self.work.emit(Activity(text=f"waiting for the tests that {self._holder()} runs"))

    def _holder(self) -> str:
        data = files.read(self.folder / "lock") or b""
        return data[:_MOST_NAME].decode("utf-8", "replace") or "another agent"

    def _tell(self, found: Measurement) -> None:
        described = self.work.project.interpreter.described
        detail = f"the tests by {described}, as {self._holder()} has run them"
        self.work.emit(ToolCall(call_id="tests", name="test", detail=detail))
        tell_result(found.run, self.work.emit, call_id="tests")
