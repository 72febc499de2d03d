"""One process of a fork server, from its start to its end: `fork_server.py` starts another one when
it is lost.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from bug_lsp.domain.errors import AgentFailure, FailureKind

from .channel import Channel
from .child_process import run_child, tail
from .code_kind import is_test_code
from .project import PythonProject
from .results import CollectionError
from .suite import RUNNER, lent_packages
from .trials import Collected

_FOREVER = 7 * 24 * 3600.0
_SILENCE = 10.0
_COLD_SILENCE = 40.0
"""Before it serves its first request it imports what the tests need."""
_MOST_NAMED = 3
_LEAST_TOLD = 0.5


@dataclass(frozen=True, slots=True)
class Start:
    """How a process is started."""

    framework: str | None
    args: tuple[str, ...]
    """Of pytest; for unittest the files. None means all tests."""
    env: dict[str, str]
    memory: int


@dataclass
class _Imports:
    """When the files of the project began to be imported."""

    began: list[tuple[str, float]] = field(default_factory=list)

    def hear(self, path: str) -> None:
        self.began.append((path, time.monotonic()))

    def slowest(self) -> str:
        """The files of tests whose collection took longest, as half a sentence."""
        tests = [one for one in self.began if is_test_code(one[0])] or self.began
        ends = [began for _, began in tests[1:]] + [time.monotonic()]
        took = [(end - began, path) for (path, began), end in zip(tests, ends, strict=True)]
        named = [
            f"{path} took {seconds:.1f} s" + (" and had not ended" if path == tests[-1][0] else "")
            for seconds, path in sorted(took, reverse=True)[:_MOST_NAMED]
            if seconds >= _LEAST_TOLD
        ]
        return ", ".join(named) or "no file had begun to be imported"


class ServerProcess:
    """Run `run()` in a task group; then `come_up()` collects."""

    collected: Collected

    def __init__(self, project: PythonProject, place: Path, start: Start) -> None:
        self._project = project
        self._place = place
        self._start = start
        self._hello: dict[str, Any] | None = None
        self._ready = anyio.Event()
        self._imports = _Imports()
        self._problem: AgentFailure | None = None
        self.hot = Channel(self._hear, silence=_SILENCE)
        """For changes of function bodies."""
        self.cold = Channel(self._hear, silence=_COLD_SILENCE)
        """For changes that matter at import."""

    @property
    def is_lost(self) -> bool:
        """Whether it has ended, or was given up."""
        return self.hot.lost.is_set() or self.cold.lost.is_set()

    def lose(self) -> None:
        """End the process, and say so to everyone who waits for an answer."""
        self.hot.lose()
        self.cold.lose()

    async def run(self) -> None:
        """Start the process, and end all of it when one of its halves is lost."""
        try:
            async with anyio.create_task_group() as group:
                group.start_soon(self._run_process)
                for channel in (self.hot, self.cold):
                    group.start_soon(channel.run)
                    group.start_soon(self._end_with, channel)
                await self.hot.lost.wait()
                group.cancel_scope.cancel()
        finally:
            self.lose()
            self._ready.set()
            self.hot.close()
            self.cold.close()

    async def _end_with(self, channel: Channel) -> None:
        await channel.lost.wait()
        self.lose()

    async def _run_process(self) -> None:
        config = self._place / f"config-{id(self)}.json"
        config.write_text(json.dumps(self._config()), encoding="utf-8")
        try:
            await run_child(
                [str(self._project.python), str(RUNNER), str(config)],
                cwd=self._project.cwd,
                env=self._project.environment() | self._start.env | {"TMPDIR": str(self._place)},
                log=self._place / "output.log",
                seconds=_FOREVER,
                pass_fds=(*self.hot.fds, *self.cold.fds),
                confine=self._project.confine,
                may_flood=True,  # one of many candidates, all in one process, must not end them all
            )
        except AgentFailure as failure:
            self._problem = failure
        except OSError as error:
            self._problem = AgentFailure(
                FailureKind.CRASHED, f"{self._project.python} cannot be started: {error.strerror}"
            )
        self.lose()

    def _config(self) -> dict[str, Any]:
        requests, answers = self.hot.fds
        cold_requests, cold_answers = self.cold.fds
        return {
            "requests": requests,
            "answers": answers,
            "cold_requests": cold_requests,
            "cold_answers": cold_answers,
            "root": str(self._project.copy),
            "lend": lent_packages(),
            "framework": self._start.framework,
            "args": list(self._start.args),
            "memory": self._start.memory,
            "cache_dir": str(self._place / "pytest_cache"),
        }

    def _hear(self, told: dict[str, Any]) -> None:
        self.hot.hand_over()  # it runs, so it has its own ends
        self.cold.hand_over()
        if "importing" in told:
            self._imports.hear(told["importing"])
        elif "collected" in told:
            self._hello = told
            self._ready.set()

    async def come_up(self, seconds: float) -> None:
        """Wait until the tests are collected. Raises `AgentFailure` that says why they are not."""
        with anyio.move_on_after(seconds):
            await self._ready.wait()
        output = tail(self._place / "output.log")
        if self._problem is not None:
            raise self._problem
        if self._hello is None and not self._ready.is_set():
            raise AgentFailure(
                FailureKind.TIMEOUT,
                f"the tests were not collected after {seconds:g} s ({self._imports.slowest()}):"
                " give a testCommand that names the failing test's file",
            )
        problem = "the process ended" if self._hello is None else self._hello["problem"]
        if self._hello is None or problem is not None:
            raise AgentFailure(
                FailureKind.CRASHED,
                f"the tests cannot be run with {self._project.python}: {problem}\n{output}".strip(),
            )
        self.collected = Collected(
            runner=self._hello["runner"],
            tests=tuple(self._hello["collected"]),
            errors=tuple(map(CollectionError.model_validate, self._hello["collection_errors"])),
            ran_at_import=frozenset((path, line) for path, line in self._hello["ran_at_import"]),
        )
