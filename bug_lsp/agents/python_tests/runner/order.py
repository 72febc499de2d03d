"""Which tests run, and in which order: those that matter first, then those that stand near them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Any


class Order:
    """The wanted tests of a config."""

    def __init__(self, config: dict[str, Any]) -> None:
        self._only = None if config["only"] is None else set(config["only"])
        self._named = None if config.get("named") is None else set(config["named"])
        self._leave_out = set(config["leave_out"])
        self._first = set(config["first"])
        self._files = {_file(test) for test in self._first}
        self._folders = {str(PurePosixPath(file).parent) for file in self._files}

    def wants(self, test_id: str) -> bool:
        """Whether a test is to run."""
        if test_id in self._leave_out or (self._only is not None and test_id not in self._only):
            return False
        return self._named is None or test_id.partition("[")[0] in self._named

    def place(self, test_id: str) -> int:
        """The lower, the sooner."""
        if not self._first or test_id in self._first:
            return 0
        file = _file(test_id)
        if file in self._files:
            return 1
        return 2 if str(PurePosixPath(file).parent) in self._folders else 3

    def arranged(self, tests: list[Any], name: Callable[[Any], str]) -> list[Any]:
        """The wanted ones of these, in order."""
        names = {id(test): name(test) for test in tests}
        wanted = [test for test in tests if self.wants(names[id(test)])]
        return sorted(wanted, key=lambda test: self.place(names[id(test)]))


def _file(test_id: str) -> str:
    return test_id.partition("::")[0]
