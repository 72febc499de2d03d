"""What is asked of a fork server, and what it answers: values, and how they go over the wire."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from .crash import failure_of_dead_process
from .project import PythonProject
from .results import CollectionError, RanTest

_FOREVER = 7 * 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Collected:
    """What the server found when it collected the tests."""

    runner: str
    tests: tuple[str, ...]
    errors: tuple[CollectionError, ...]
    ran_at_import: frozenset[tuple[str, int]]
    """Functions (file, first line) that ran then: a change to them must be imported again."""


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

    @property
    def whole_seconds(self) -> float:
        """How long the server lets all of them take."""
        return (len(self.changes) + 1) * self.wall_seconds + 2


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one change of a batch."""

    how: Literal["done", "failed", "hung", "died", "cold", "invalid", "lost"]
    passed: int
    """How many tests passed before one failed."""
    failed_as: str = ""
    """The type of the exception with which that one failed."""
    line: int = 0
    """The line of that test at which it failed; 0 where that is not known."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of the child."""

    how: Literal["done", "hung", "died", "cold", "invalid", "lost"]
    """`cold`: it must be imported again. `invalid`: the new text is no Python. `lost`: the server
    itself has ended or is silent, which says nothing of the change."""
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


def batch_on_the_wire(batch: Batch) -> dict[str, Any]:
    """Return a batch as the server reads it."""

    def named(texts: dict[Path, str]) -> dict[str, str]:
        return {str(path): text for path, text in texts.items()}

    return {
        "tests": list(batch.tests),
        "batch": [
            {"texts": named(texts), "originals": named(originals)}
            for texts, originals in batch.changes
        ],
        "each_cpu_seconds": batch.cpu_seconds,
        "each_wall_seconds": batch.wall_seconds,
        "cpu_seconds": (len(batch.changes) + 1) * batch.cpu_seconds + 1,
        "wall_seconds": batch.whole_seconds,
    }


def request_on_the_wire(request: Request) -> dict[str, Any]:
    """Return a request as the server reads it."""
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


def tried(answer: dict[str, Any], count: int) -> list[Tried | None]:
    """Return what came of each change of a batch; None for those that the child did not reach."""
    verdicts: list[Tried | None] = [None] * count
    for what, value in answer["said"]:
        if what == "verdict":
            verdicts[value[0]] = Tried(*value[1:])
    if None in verdicts and not (answer["code"] == 0 and any(verdicts)):
        # It ended in the middle of this one, and not of itself.
        verdicts[verdicts.index(None)] = Tried("hung" if answer["code"] is None else "died", 0)
    return verdicts


def reply(answer: dict[str, Any], folder: Path, project: PythonProject) -> Reply:
    """Return what became of the child of a request that had this folder."""
    told: dict[str, Any] = {}
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
            told[what] = value
    times = {"seconds": answer["seconds"], "cpu_seconds": answer["cpu"]}
    if "cold" in told:
        return Reply("cold", **times)
    if "invalid" in told:
        return Reply("invalid", **times)
    if "result" in told:
        tests = tuple(map(RanTest.model_validate, told["result"]["tests"]))
        lines = told["result"]["coverage"]
        coverage = {p: {int(n): who for n, who in found.items()} for p, found in lines.items()}
        return Reply("done", tests, None, coverage, **times)
    dead = None
    if running is not None:
        failure = failure_of_dead_process(answer["code"], folder / "crash.txt", project.copy)
        path = running.partition("::")[0]
        dead = RanTest(id=running, path=path, outcome="failed", failure=failure, measured=False)
    return Reply("hung" if answer["code"] is None else "died", tuple(ended), dead, **times)
