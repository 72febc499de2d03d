"""What is looked at before a run starts: who has something to go by, and how tests would be run.

Only looks at files, for some milliseconds: no test is run or collected here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

from bug_lsp.agents import registry
from bug_lsp.domain.errors import BadInput, Refused
from bug_lsp.domain.run import CustomAgent
from bug_lsp.proof.suite import ways
from bug_lsp.workspace import git

_NO_PYTHON = "it runs the tests of Python projects, and there is no Python here"
_NO_COMMAND = (
    "there is no Python here and no testCommand: bisect needs a command that fails while the bug"
    " is there"
)
_NO_HISTORY = "there is no git history to search: there is only one commit"
_MOST_NAMED = 3
_ALL_TESTS = (
    "tests: all of the project's are run; name the failing one in the task file or in a testCommand"
)
_MAY_BE_DJANGO = (
    "tests: this is a Django project; if its tests do not run by pytest, give the testCommand"
    " `python manage.py test APP`"
)
_DJANGO = (
    "tests: Django's own runner, which cannot be looked into: the testCommand is run as it is, by"
    " bisect and to try patches; with pytest-django and a testCommand of pytest, spectrum and"
    " repair see each test"
)


class NothingToGoBy(Refused):
    """No agent could try anything here; a test command would change that."""


class Preflight:
    """What a project offers to a run with this test command."""

    def __init__(self, workspace: Path, test_command: str | None) -> None:
        self._workspace = workspace
        self._command = test_command

    @cached_property
    def has_python(self) -> bool:
        """Whether there is a Python file."""
        from bug_lsp.agents.python_tests import has_python  # here: a run may need no tests

        return has_python(self._workspace)

    def why_idle(self, agent_type: str, custom: Mapping[str, CustomAgent]) -> str:
        """Say why one of our own agents has nothing to go by; "" if it has, or needs nothing."""
        if not registry.is_model_free(agent_type, custom):
            return ""
        if agent_type != "bisect":
            return "" if self.has_python else _NO_PYTHON
        if self._command is None and not self.has_python:
            return _NO_COMMAND
        return _NO_HISTORY if self._has_no_history() else ""

    def _has_no_history(self) -> bool:
        """Whether there is one state of the code alone: one commit, and nothing changed since."""
        where = self._workspace
        count = git.maybe("rev-list", "--count", "--max-count=2", "HEAD", cwd=where)
        return count == "1" and git.maybe("status", "--porcelain", cwd=where) == ""

    def lines(self, python: str | None, selected: str | None, task: str = "") -> Iterator[str]:
        """Say with which interpreter and how tests are run, and what is odd about that."""
        if self.has_python:
            yield from self._of_python(python, selected)
            yield from self._of_command(task)
        elif self._command is None:
            found = [one.command for one in ways(self._workspace, None) if one.command]
            known = f"; patches are tried with `{found[0]}`" if found else ""
            yield (
                "tests: no testCommand is given, so nothing shows the bug by program"
                f"{known or '; give one that fails while the bug is there'}"
            )
        else:
            yield f"tests: `{self._command}`, run as it is"

    def _of_python(self, python: str | None, selected: str | None) -> Iterator[str]:
        from bug_lsp.agents.python_tests.environments import Wanted, find_interpreter

        top = git.maybe("rev-parse", "--show-toplevel", cwd=self._workspace)
        wanted = Wanted(
            workspace=self._workspace,
            root=Path(top) if top else self._workspace,
            command=self._command,
            setting=python,
            selected=selected,
        )
        try:
            found = find_interpreter(wanted)
        except BadInput as error:
            yield f"Python: {error.message}"
            return
        other = "; if that is the wrong one, name another in the setting `python`"
        yield f"Python: {found.described}{other if found.is_guessed else ''}"

    def _of_command(self, task: str) -> Iterator[str]:
        from bug_lsp.agents.python_tests.command import is_django, understand

        if self._command is None:
            yield self._without_command(task)
        elif is_django(self._command):
            yield _DJANGO
        elif (selection := understand(self._command)) is not None:
            yield f"tests: {' '.join([selection.framework, *selection.args])}"
            yield from self._missing(selection.launch.paths)
        else:
            yield (
                f"tests: `{self._command}`, run as it is; spectrum and repair look into pytest and"
                " unittest alone, and run all tests"
            )

    def _without_command(self, task: str) -> str:
        from bug_lsp.agents.python_tests.named_in_files import find_named_tests

        if (self._workspace / "manage.py").is_file():
            return _MAY_BE_DJANGO
        named = find_named_tests(self._workspace, task) if task else ()
        if not named:
            return _ALL_TESTS
        more = f" and {len(named) - _MOST_NAMED} more" if len(named) > _MOST_NAMED else ""
        return f"tests: the task names {', '.join(named[:_MOST_NAMED])}{more}"

    def _missing(self, paths: tuple[str, ...]) -> Iterator[str]:
        """Files that the test command names and that there are not."""
        for path in paths:
            if "/" in path and not (self._workspace / path).exists():
                yield f"tests: there is no {path} in {self._workspace}; correct the testCommand"
