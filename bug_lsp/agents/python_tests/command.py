"""Understands a test command of the user's as far as it names a framework and its arguments.

A command that does more than that (a shell operator, a variable, another program) is not guessed
at: `understand` says None, and the caller runs it as it is or runs all tests.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_PYTHON = re.compile(r"(?:.*/)?python[0-9.]*(?:\.exe)?")
_PYTEST = re.compile(r"(?:.*/)?(?:pytest|py\.test)(?:\.exe)?")
_WRAPPERS = {"uv", "poetry", "pdm", "pipenv", "hatch", "rye"}
_SHELL = re.compile(r"[$`*~]|^[();<>|&]+$")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which tests a command runs."""

    framework: Literal["pytest", "unittest"]
    args: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)


def understand(command: str) -> Selection | None:
    """`[VAR=x] [uv run] [python -m] pytest ARGS` or `python -m unittest ARGS`, else None."""
    words = _words(command)
    if not words:
        return None
    env: dict[str, str] = {}
    while words and (match := _ASSIGNMENT.fullmatch(words[0])):
        env[match[1]] = match[2]
        del words[0]
    match words:
        case [wrapper, "run", *rest] if wrapper in _WRAPPERS:
            words = rest
    match words:
        case [program, *args] if _PYTEST.fullmatch(program):
            return Selection("pytest", tuple(args), env)
        case [program, "-m", "pytest" | "py.test", *args] if _PYTHON.fullmatch(program):
            return Selection("pytest", tuple(args), env)
        case [program, "-m", "unittest", *args] if _PYTHON.fullmatch(program):
            return Selection("unittest", tuple(args), env)
    return None


def _words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:  # an open quote
        return []
    return [] if "\n" in command.strip() or any(map(_SHELL.search, words)) else words


def chosen_by_unittest(args: Iterable[str], ids: Iterable[str]) -> frozenset[str] | None:
    """The tests that `python -m unittest ARGS` names; None where it names none in particular."""
    names = [arg.removesuffix(".py").replace("/", ".") for arg in args if not arg.startswith("-")]
    if not names or names[0] == "discover" or "-k" in args:
        return None
    return frozenset(
        test_id for test_id in ids if any(f".{name}." in f".{_dotted(test_id)}." for name in names)
    )


def _dotted(test_id: str) -> str:
    file, _, name = test_id.partition("::")
    return f"{file.removesuffix('.py').replace('/', '.')}.{name.replace('::', '.')}"
