"""Keeps what explains a failed assertion apart from what led to it.

pytest and unittest show the values of an assertion that failed before they raise it: the project's
`__repr__` runs then, and in no passing test. Nothing that they show is changed.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import unittest.case
import unittest.mock
from collections.abc import Callable, Iterator
from typing import Any

from .lines import LineCoverage

_OF_PYTEST = (
    "_saferepr",
    "_should_repr_global_name",
    "_call_reprcompare",
    "_format_assertmsg",
    "_format_boolop",
)
_OF_UNITTEST = ("safe_repr", "_common_shorten_repr", "repr")
_MARK = "_bug_lsp_explains"


def install() -> None:
    """Watch the explanations of unittest, and of pytest if it is imported."""
    case: Any = unittest.case
    if not hasattr(case, "repr"):
        case.repr = repr  # what its functions find instead of the built-in one
    for name in _OF_UNITTEST:
        _watch(case, name, is_last=False)
    _watch(case.TestCase, "_formatMessage", is_last=True)
    _watch(unittest.mock.NonCallableMock, "_format_mock_failure_message", is_last=True)
    _watch_failures(case)
    pytest = sys.modules.get("_pytest.assertion.rewrite")
    if pytest is not None:
        for name in _OF_PYTEST:
            _watch(pytest, name, is_last=False)
        _watch(pytest, "_format_explanation", is_last=True)


def _watch(owner: Any, name: str, *, is_last: bool) -> None:
    function: Callable[..., Any] | None = getattr(owner, name, None)
    if function is None or hasattr(function, _MARK):
        return

    @functools.wraps(function)
    def explain(*args: Any, **more: Any) -> Any:
        lines = LineCoverage.current
        if lines is None:
            return function(*args, **more)
        lines.explain()
        try:
            return function(*args, **more)
        finally:
            if is_last:
                lines.explained()

    setattr(explain, _MARK, True)
    setattr(owner, name, explain)


def _watch_failures(case: Any) -> None:
    """A unittest goes on after it has failed: its tear-down runs before the failure is told."""
    outcome: Any = getattr(case, "_Outcome", None)
    original = getattr(outcome, "testPartExecutor", None)
    if original is None or hasattr(original, _MARK):
        return

    @contextlib.contextmanager
    def part(*args: Any, **more: Any) -> Iterator[None]:
        with original(*args, **more):
            try:
                yield
            except unittest.SkipTest:
                raise
            except BaseException as error:
                if LineCoverage.current is not None:
                    LineCoverage.current.fail(error)
                raise

    setattr(part, _MARK, True)
    outcome.testPartExecutor = part
