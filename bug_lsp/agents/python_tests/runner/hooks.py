"""Hook wrappers for whatever pytest the project has.

From pytest 8 on they are new-style: an exception of the project's passes through them as one, and
pluggy has nothing to warn of, which a project may turn into an error.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Generator
from typing import Any

import pytest

_FIRST_WITH_NEW_STYLE = 8


def wrapper(**order: bool) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a new-style wrapper: a generator that yields once and returns the result."""
    is_new = int(pytest.__version__.partition(".")[0]) >= _FIRST_WITH_NEW_STYLE
    kind: dict[str, Any] = {"wrapper" if is_new else "hookwrapper": True, **order}

    def mark(function: Callable[..., Any]) -> Callable[..., Any]:
        marked: Callable[..., Any] = pytest.hookimpl(**kind)(
            function if is_new else _old_style(function)
        )
        return marked

    return mark


def _old_style(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrap(*args: Any) -> Generator[None, Any, None]:
        inner = function(*args)
        next(inner)
        outcome = yield
        try:
            if outcome.excinfo is None:
                inner.send(outcome.get_result())
            else:
                inner.throw(outcome.excinfo[1])
        except StopIteration as end:
            outcome.force_result(end.value)
        except BaseException as error:  # noqa: BLE001 - whatever it is becomes the outcome
            if outcome.excinfo is None or error is not outcome.excinfo[1]:
                _force(outcome, error)

    # pluggy gives a hook the arguments that it names; older ones do not look at what is wrapped.
    wrap.__signature__ = inspect.signature(function)  # type: ignore[attr-defined]
    return wrap


def _force(outcome: Any, error: BaseException) -> None:
    if hasattr(outcome, "force_exception"):
        outcome.force_exception(error)
    else:
        outcome._result, outcome._excinfo = None, sys.exc_info()  # noqa: SLF001 - an older pluggy
