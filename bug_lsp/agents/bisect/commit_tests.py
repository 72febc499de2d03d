"""Asks a test what it says about a commit: the project's own tests, or the user's command.

The tests are those of today, brought into the older commits: a test is often younger than the
bug it shows. What another test would have said is never guessed.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Protocol

from bug_lsp.agents.base import Emit
from bug_lsp.agents.network import has_own_network, shows_no_network
from bug_lsp.agents.python_tests import (
    NEEDS_NETWORK,
    Failure,
    Plan,
    PythonProject,
    RanTest,
    Reproduction,
    SuiteRun,
    run_tests,
)
from bug_lsp.agents.python_tests.child_process import run_child, tail
from bug_lsp.agents.python_tests.command import for_copy
from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.events import Error

from .bisection import Verdict
from .git_copy import GitCopy

COMMAND_SECONDS = 300.0
MOST_TESTS = 20
_MOST_READ = 100_000
# As for `git bisect run`: 125 says so, 126 and 127 are the shell's "cannot be run".
_EXIT_CANNOT_TELL = {125, 126, 127}
_READ_BY = {
    "make": ("Makefile", "makefile", "GNUmakefile"),
    "just": ("justfile", "Justfile"),
    "tox": ("tox.ini",),
    "nox": ("noxfile.py",),
    "npm": ("package.json",),
}
"""What the programs that commands start read to know what to run."""
_TEST_FOLDERS = {"test", "tests"}
_NOT_THERE_YET = {
    "AttributeError",
    "FileNotFoundError",
    "FixtureLookupError",
    "ImportError",
    "ModuleNotFoundError",
    "NameError",
    "SyntaxError",
}
_OTHER_SIGNATURE = re.compile(r"unexpected keyword argument|positional argument")


class CommitTest(Protocol):
    """Something that can be asked about commits."""

    names: tuple[str, ...]
    """What is asked: each has a verdict of its own."""
    lacking: str
    """What the copy lacks and the last failure was for want of, as a sentence; "" if nothing."""
    printed: str
    """The last lines that a command printed, which its verdict rests on; "" if it was none."""

    @property
    def why_not_bad(self) -> str:
        """Why none of them fails on the present state, as a sentence."""
        ...

    async def verdicts(self, commit: str) -> dict[str, Verdict]:
        """The verdict of each on one commit."""
        ...

    def bring_along(self, paths: Sequence[str]) -> bool:
        """Have these files as they are today in older commits, too. False if they all were."""
        ...


def compare(base: Failure | None, now: Failure | None) -> Verdict:
    """Whether a test that fails in an older commit fails there because of the bug.

    What the test needs may not have been there yet: that says nothing about the bug.
    """
    if now is None or base is None:
        return Verdict.BAD
    same = (now.type, now.summary) == (base.type, base.summary)
    other_code = now.type in _NOT_THERE_YET or (
        now.type == "TypeError" and _OTHER_SIGNATURE.search(now.message)
    )
    return Verdict.SKIP if other_code and not same else Verdict.BAD


class ProjectTests:
    """The failing tests of today, in older commits."""

    lacking = ""
    printed = ""

    def __init__(
        self, project: PythonProject, git: GitCopy, base: str, shown: Reproduction
    ) -> None:
        self._project = project
        self._git = git
        self._base = base
        self._shown = shown
        failing = [shown.run.tests[index] for index in shown.failing[:MOST_TESTS]]
        self._failing = {test.id: test for test in failing}
        self._errors = {error.where: error.failure for error in shown.errors[:MOST_TESTS]}
        self.names = (*self._errors, *self._failing)
        self._along: set[str] = set()

    def bring_along(self, paths: Sequence[str]) -> bool:
        """Have these files as they are today in older commits, too. False if they all were."""
        new = set(paths) - self._along - set(self._test_files())
        self._along |= new
        return bool(new)

    @property
    def why_not_bad(self) -> str:
        """Why none of them fails when they are run alone."""
        return (
            "the failing tests pass when they are run again alone: they depend on other tests, on"
            " the time or on what else runs, and bisect cannot tell commits apart by them"
        )

    async def verdicts(self, commit: str) -> dict[str, Verdict]:
        """Run today's failing tests on a commit."""
        await self._git.check_out(commit)
        await self._git.bring(await self._todays_tests(commit), self._base)
        return await self._verdicts()

    async def _todays_tests(self, commit: str) -> list[str]:
        """The files of the failing tests, and what else of the tests the commit lacks."""
        today = await self._git.files(self._base)
        files = set(self._test_files())
        lacking = today - await self._git.files(commit)
        support = {path for path in lacking if any(_supports(path, file) for file in files)}
        return sorted((files | support | self._along) & today)

    def _test_files(self) -> list[str]:
        folder = self._project.cwd.relative_to(self._project.copy).as_posix()
        errors = [posixpath.normpath(posixpath.join(folder, where)) for where in self._errors]
        return sorted({*errors, *(test.path for test in self._failing.values())})

    async def _verdicts(self) -> dict[str, Verdict]:
        if not self._project.cwd.is_dir():
            return dict.fromkeys(self.names, Verdict.SKIP)
        files = [self._project.copy / path for path in self._test_files()]
        plan = Plan(
            framework="unittest" if self._shown.run.runner == "unittest" else "pytest",
            args=tuple(_relative(file, self._project.cwd) for file in files if file.exists()),
            only=frozenset(self._failing) or None,
            env=self._shown.env,
        )
        try:
            run = await run_tests(self._project, plan)
        except AgentFailure:
            return dict.fromkeys(self.names, Verdict.SKIP)
        return self._of_tests(run) | self._of_errors(run)

    def _of_tests(self, run: SuiteRun) -> dict[str, Verdict]:
        ran = {test.id: test for test in run.tests}
        return {name: _of_test(test, ran.get(name)) for name, test in self._failing.items()}

    def _of_errors(self, run: SuiteRun) -> dict[str, Verdict]:
        now = {error.where: error.failure for error in run.collection_errors}
        return {
            where: compare(failure, now[where]) if where in now else Verdict.GOOD
            for where, failure in self._errors.items()
        }


def _of_test(base: RanTest, now: RanTest | None) -> Verdict:
    if now is None or now.outcome == "skipped":
        return Verdict.SKIP
    return compare(base.failure, now.failure) if now.has_failed else Verdict.GOOD


def _supports(path: str, test_file: str) -> bool:
    """Whether a file belongs to the tests that a test file is one of."""
    parents = [str(parent) for parent in PurePosixPath(test_file).parents]
    roots = [parent for parent in parents if PurePosixPath(parent).name in _TEST_FOLDERS]
    if PurePosixPath(path).name == "conftest.py" and str(PurePosixPath(path).parent) in parents:
        return True
    return any(path.startswith(f"{root}/") for root in roots)


def _relative(file: Path, folder: Path) -> str:
    return str(file.relative_to(folder)) if file.is_relative_to(folder) else str(file)


class CommandTest:
    """The user's own command: it fails where the bug is."""

    names: tuple[str, ...] = ("the test command",)
    printed: str = ""

    def __init__(
        self, command: str, project: PythonProject, git: GitCopy, base: str, emit: Emit
    ) -> None:
        self._command = command
        self._emit = emit
        self._project = project
        self._git = git
        self._base = base
        self._last_code: int | None = None
        self.lacking = ""
        self._along: set[str] = set()

    def bring_along(self, paths: Sequence[str]) -> bool:
        """Have these files as they are today in older commits, too. False if they all were."""
        new = set(paths) - self._along
        self._along |= new
        return bool(new)

    @property
    def why_not_bad(self) -> str:
        """What the command's exit code says instead."""
        return (
            f"the test command ends with exit code {self._last_code} on the present state: bisect"
            " needs one that fails (with any code but 125, 126 and 127) while the bug is there"
        )

    async def verdicts(self, commit: str) -> dict[str, Verdict]:
        """Run the command on a commit."""
        await self._git.check_out(commit)
        await self._git.bring(await self._named_files(commit), self._base)
        return dict.fromkeys(self.names, await self._verdict())

    async def _named_files(self, commit: str) -> list[str]:
        """Files the command names or reads, and the commit lacks: the check is younger than the
        bug.
        """
        folder = self._project.cwd.relative_to(self._project.copy).as_posix()
        words = re.findall(r"[\w./@+-]+", self._command)
        words += [file for word in words for file in _READ_BY.get(word, ())]
        named = {posixpath.normpath(posixpath.join(folder, word)) for word in words}
        today = await self._git.files(self._base)
        lacking = today - await self._git.files(commit)
        return sorted((named & lacking) | (self._along & today))

    async def _verdict(self) -> Verdict:
        if not self._project.cwd.is_dir():
            return Verdict.SKIP
        self._project.scratch.mkdir(parents=True, exist_ok=True)
        log = self._project.scratch / "test-command.log"
        log.unlink(missing_ok=True)
        self._last_code = await self._run(log)
        lacks = self._last_code != 0 and shows_no_network(tail(log))
        if lacks and has_own_network(self._project.confine):
            self._emit(Error(message=NEEDS_NETWORK))
            self._project = self._project.with_network()
            self._last_code = await self._run(log)
        self.printed = tail(log)
        if self._last_code == 0:
            return Verdict.GOOD
        self.lacking = self._project.worlds().lacking(tail(log, _MOST_READ)) or ""
        if self._last_code in _EXIT_CANNOT_TELL:
            return Verdict.SKIP
        return Verdict.BAD

    async def _run(self, log: Path) -> int | None:
        return await run_child(
            for_copy(self._command, self._project.cwd, self._project.workspace),
            cwd=self._project.cwd,
            env=self._project.environment(),
            log=log,
            seconds=COMMAND_SECONDS,
            confine=self._project.confine,
        )
