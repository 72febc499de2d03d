"""The project's tests, collected once in a process that forks a child for each request.

This is our end of `runner/serve.py`. Thousands of changes to a file can be tried in the time that
starting the tests a few times would take; none of them is ever written to the file.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import anyio

from bug_lsp.domain.errors import AgentFailure, FailureKind

from .child_process import LinePipe, run_child, tail
from .crash import failure_of_dead_process
from .project import PythonProject
from .results import CollectionError, RanTest
from .suite import RUNNER, lent_packages

_FOREVER = 7 * 24 * 3600.0
_LONGEST_ANSWER = 50_000_000
_DEFAULT_MEMORY = 1 << 30


@dataclass(frozen=True, slots=True)
class Collected:
    """What the server found when it collected the tests."""

    runner: str
    tests: tuple[str, ...]
    errors: tuple[CollectionError, ...]
    ran_at_import: frozenset[tuple[str, int]]
    """Functions (file, first line) that ran then: a change to them must be imported anew."""


@dataclass(frozen=True, slots=True)
class Request:
    """Some tests to run in a child of the server."""

    tests: tuple[str, ...]
    texts: dict[Path, str] = field(default_factory=dict)
    """Files that are to have another text than on the disk."""
    originals: dict[Path, str] = field(default_factory=dict)
    """The texts that the server has imported, for each file in `texts`."""
    coverage: bool = False
    stop_at_failure: bool = False
    test_seconds: float | None = None
    """How long one test may take; None: only the child as a whole is limited."""
    soft_seconds: float = _FOREVER
    """No further test is begun after this time."""
    cpu_seconds: float = 60.0
    wall_seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Batch:
    """Changes to be tried against the same tests, each until the first one fails."""

    tests: tuple[str, ...]
    changes: tuple[tuple[dict[Path, str], dict[Path, str]], ...]
    """For each the new texts and those that the server has imported."""
    cpu_seconds: float
    """For each."""
    wall_seconds: float


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one change of a batch."""

    how: Literal["done", "failed", "hung", "died", "cold", "invalid"]
    passed: int
    """How many tests passed before one failed."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of the child."""

    how: Literal["done", "hung", "died", "cold", "invalid"]
    """`cold`: it must be imported anew. `invalid`: the new text is no Python."""
    tests: tuple[RanTest, ...] = ()
    """Those that ended; with `hung` and `died` without their failures."""
    dead: RanTest | None = None
    """The test in which the child was killed or ended itself."""
    coverage: dict[str, dict[int, list[int]]] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    @property
    def all_passed(self) -> bool:
        """Whether it came to its end, and no test failed."""
        return self.how == "done" and not any(test.has_failed for test in self.tests)


class ForkServer:
    """Use `serving()`; then `collected` is known and `ask` may be called, also concurrently."""

    collected: Collected

    def __init__(
        self,
        project: PythonProject,
        *,
        framework: str | None = None,
        env: dict[str, str] | None = None,
        start_seconds: float = 30.0,
        memory: int = _DEFAULT_MEMORY,
    ) -> None:
        self._project = project
        self._framework = framework
        self._env = env or {}
        self._start_seconds = start_seconds
        self._memory = memory
        self._ready = anyio.Event()
        self._hello: dict[str, Any] | None = None
        self._waiting: dict[int, tuple[bool, Callable[[dict[str, Any] | None], None]]] = {}
        self._writing = {cold: anyio.Lock() for cold in (True, False)}
        self._count = 0
        self._gone = {True: False, False: False}
        self._place = Path()

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[ForkServer]:
        """Start, collect, and end with everything that was started. Raises `AgentFailure`."""
        self._project.scratch.mkdir(parents=True, exist_ok=True)
        self._place = Path(tempfile.mkdtemp(prefix="server-", dir=self._project.scratch))
        failure: BaseException | None = None
        requests, cold_requests = os.pipe(), os.pipe()
        answers = _Answers(self._hear, lambda: self._lost(cold=False))
        cold_answers = _Answers(self._hear, lambda: self._lost(cold=True))
        self._writers = {False: requests[1], True: cold_requests[1]}
        try:
            async with anyio.create_task_group() as group:
                fds = {
                    "requests": requests[0],
                    "cold_requests": cold_requests[0],
                    "cold_answers": cold_answers.writer,
                }
                group.start_soon(self._process, answers, fds)
                try:
                    await self._come_up()
                    cold_answers.close_writer()
                    group.start_soon(cold_answers.follow)
                    yield self
                except Exception as error:  # noqa: BLE001 - raised again, without a group around
                    failure = error
                group.cancel_scope.cancel()
        finally:
            for fd in (*requests, *cold_requests):
                os.close(fd)
            cold_answers.close()
        if failure is not None:
            raise failure

    async def _process(self, answers: LinePipe, fds: dict[str, int]) -> None:
        config = self._place / "config.json"
        config.write_text(json.dumps(self._config(fds, answers.writer)), encoding="utf-8")
        await run_child(
            [str(self._project.python), str(RUNNER), str(config)],
            cwd=self._project.cwd,
            env=self._project.environment() | self._env | {"TMPDIR": str(self._place)},
            log=self._place / "output.log",
            seconds=_FOREVER,
            pipe=answers,
            pass_fds=tuple(fds.values()),
            confine=self._project.confine,
            may_flood=True,  # one of many candidates, all in one process, must not end them all
        )
        self._lost(cold=False)
        self._lost(cold=True)

    def _config(self, fds: dict[str, int], answers: int) -> dict[str, Any]:
        return {
            **fds,
            "answers": answers,
            "root": str(self._project.copy),
            "lend": lent_packages(),
            "framework": self._framework,
            "args": [],
            "memory": self._memory,
            "cache_dir": str(self._place / "pytest_cache"),
        }

    async def _come_up(self) -> None:
        with anyio.move_on_after(self._start_seconds):
            await self._ready.wait()
        output = tail(self._place / "output.log")
        if self._hello is None and not self._ready.is_set():
            seconds = f"{self._start_seconds:g} s"
            raise AgentFailure(FailureKind.TIMEOUT, f"the tests were not collected after {seconds}")
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

    def _hear(self, line: bytes) -> None:
        answer = json.loads(line)
        if "id" not in answer:
            self._hello = answer
            self._ready.set()
        elif (waiting := self._waiting.pop(answer["id"], None)) is not None:
            waiting[1](answer)

    def _lost(self, *, cold: bool) -> None:
        """Nobody will answer any more."""
        self._gone[cold] = True
        for number, (was_cold, hand_over) in list(self._waiting.items()):
            if was_cold == cold:
                del self._waiting[number]
                hand_over(None)
        if not cold:
            self._ready.set()

    async def ask(self, request: Request, *, cold: bool = False) -> Reply:
        """Run tests in a child. `cold`: in one that imports the project anew."""
        answer, folder = await self._answer(_on_the_wire(request), cold=cold)
        if answer is None:
            return Reply("died" if cold else "cold")
        reply = _reply(answer, folder, self._project)
        shutil.rmtree(folder, ignore_errors=True)
        return reply

    async def ask_many(self, batch: Batch) -> list[Tried | None]:
        """Try changes one after the other in one child; None for those it did not come to."""
        answer, folder = await self._answer(_many_on_the_wire(batch), cold=False)
        found: list[Tried | None] = [None] * len(batch.changes)
        if answer is None:
            return [Tried("cold", 0)] * len(batch.changes)
        for what, value in answer["said"]:
            if what == "verdict":
                found[value[0]] = Tried(value[1], value[2])
        if None in found and not (answer["code"] == 0 and any(found)):
            # It ended in the middle of this one, and not of itself.
            found[found.index(None)] = Tried("hung" if answer["code"] is None else "died", 0)
        shutil.rmtree(folder, ignore_errors=True)
        return found

    async def _answer(
        self, request: dict[str, Any], *, cold: bool
    ) -> tuple[dict[str, Any] | None, Path]:
        """What the server answers, and the folder that the child had."""
        if self._gone[cold]:
            return None, self._place
        self._count += 1
        number = self._count
        folder = self._place / f"trial-{number}"
        box: list[dict[str, Any] | None] = []
        answered = anyio.Event()

        def hand_over(answer: dict[str, Any] | None) -> None:
            box.append(answer)
            answered.set()

        self._waiting[number] = (cold, hand_over)
        try:
            line = json.dumps(request | {"id": number, "folder": str(folder)}) + "\n"
            async with self._writing[cold]:
                await _write(self._writers[cold], line.encode())
            await answered.wait()
        finally:
            self._waiting.pop(number, None)
        return box[0], folder


class _Answers(LinePipe):
    """Answers of the server, and what to do when there will be no more."""

    def __init__(self, on_line: Callable[[bytes], None], on_end: Callable[[], None]) -> None:
        super().__init__(on_line, longest_line=_LONGEST_ANSWER)
        self._on_end = on_end

    async def follow(self) -> None:
        await super().follow()
        self._on_end()


async def _write(fd: int, data: bytes) -> None:
    os.set_blocking(fd, False)
    with suppress(BrokenPipeError):
        while data:
            await anyio.wait_writable(fd)
            with suppress(BlockingIOError):
                data = data[os.write(fd, data) :]


def _many_on_the_wire(batch: Batch) -> dict[str, Any]:
    def named(texts: dict[Path, str]) -> dict[str, str]:
        return {str(path): text for path, text in texts.items()}

    count = len(batch.changes) + 1
    return {
        "tests": list(batch.tests),
        "batch": [
            {"texts": named(texts), "originals": named(originals)}
            for texts, originals in batch.changes
        ],
        "each_cpu_seconds": batch.cpu_seconds,
        "each_wall_seconds": batch.wall_seconds,
        "cpu_seconds": count * batch.cpu_seconds + 1,
        "wall_seconds": count * batch.wall_seconds + 2,
    }


def _on_the_wire(request: Request) -> dict[str, Any]:
    return {
        "tests": list(request.tests),
        "files": _files_of(request.tests),
        "texts": {str(path): text for path, text in request.texts.items()},
        "originals": {str(path): text for path, text in request.originals.items()},
        "coverage": request.coverage,
        "stop_at_failure": request.stop_at_failure,
        "test_seconds": request.test_seconds,
        "soft_seconds": request.soft_seconds,
        "cpu_seconds": request.cpu_seconds,
        "wall_seconds": request.wall_seconds,
    }


def _files_of(tests: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(test.partition("::")[0] for test in tests))


def _reply(answer: dict[str, Any], folder: Path, project: PythonProject) -> Reply:
    said: dict[str, Any] = {}
    ended: list[RanTest] = []
    running: str | None = None
    for what, value in answer["said"]:
        if what == "start":
            running = value
        elif what == "end" and running is not None:
            path = running.partition("::")[0]
            ended.append(RanTest(id=running, path=path, outcome=value, measured=False))
            running = None
        elif what in {"result", "cold", "invalid"}:
            said[what] = value
    times = {"seconds": answer["seconds"], "cpu_seconds": answer["cpu"]}
    if "cold" in said:
        return Reply("cold", **times)
    if "invalid" in said:
        return Reply("invalid", **times)
    if "result" in said:
        tests = tuple(map(RanTest.model_validate, said["result"]["tests"]))
        lines = said["result"]["coverage"]
        coverage = {p: {int(n): who for n, who in found.items()} for p, found in lines.items()}
        return Reply("done", tests, None, coverage, **times)
    dead = None
    if running is not None:
        failure = failure_of_dead_process(answer["code"], folder / "crash.txt", project.copy)
        path = running.partition("::")[0]
        dead = RanTest(id=running, path=path, outcome="failed", failure=failure, measured=False)
    return Reply("hung" if answer["code"] is None else "died", tuple(ended), dead, **times)
