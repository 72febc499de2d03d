"""Understands a test command of the user's as far as it names a framework and its arguments.

A command that does more than that (a shell operator, a variable, another program) is not guessed
at: `understand` says None, and the caller runs it as it is or runs all tests.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from .environments.folders import is_there
from .launch import Launch, launch_of

_OTHER_TOOLS = {"tox", "nox", "make", "just", "invoke", "direnv"}


@dataclass(frozen=True, slots=True)
class Selection:
    """Which tests a command runs."""

    framework: Literal["pytest", "unittest"]
    args: tuple[str, ...]
    env: dict[str, str] = field(default_factory=dict)
    launch: Launch = field(default_factory=Launch, compare=False)
    """How the command starts them, in its own words."""


def understand(command: str) -> Selection | None:
    """`[VAR=x] [uv run] [python -m] pytest ARGS` or `python -m unittest ARGS`, else None."""
    launch = launch_of(command)
    if not launch.is_plain or launch.folder or launch.tool in _OTHER_TOOLS:
        return None
    if launch.framework is None or launch.framework == "django":
        return None
    return Selection(launch.framework, launch.args, launch.env, launch)


def is_django(command: str) -> bool:
    """Whether a command runs tests by Django's own runner: `python manage.py test`."""
    return launch_of(command).framework == "django"


def for_copy(command: str, cwd: Path, workspace: Path) -> str:
    """The command for a copy: `.tox/py311/bin/python` is the user's where the copy has none."""
    program = launch_of(command).path
    if not program or Path(program).is_absolute() or program not in command:
        return command
    folder = launch_of(command).folder
    if is_there(cwd / folder / program) or not is_there(workspace / folder / program):
        return command
    # Not resolved: the link's own place is what makes it a virtual environment.
    return command.replace(program, shlex.quote(str(workspace / folder / program)), 1)


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
