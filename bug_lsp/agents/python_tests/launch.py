"""Reads how a shell command starts a project's tests: through which tool, with which interpreter.

Only the command's own words are read. Nothing is run, and no file is looked at.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Literal, TypeAlias

Framework: TypeAlias = Literal["pytest", "unittest", "django"]

_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_PYTHON = re.compile(r"python[0-9.]*(?:\.exe)?")
_PYTEST = re.compile(r"(?:pytest|py\.test)(?:\.exe)?")
_COVERAGE = re.compile(r"coverage[0-9.]*(?:\.exe)?")
_OPERATOR = re.compile(r"[();<>|&]+")
_SHELL = re.compile(r"[$`*~]|^[();<>|&]+$")
_HARMLESS = {"-u", "-B", "-P"}
"""Options of an interpreter that change no test's result."""

_RUN = {
    "uv": ("run",),
    "poetry": ("run",),
    "pdm": ("run",),
    "pipenv": ("run",),
    "hatch": ("run",),
    "rye": ("run",),
    "pixi": ("run",),
    "conda": ("run",),
    "mamba": ("run",),
    "micromamba": ("run",),
    "pyenv": ("exec",),
    "direnv": ("exec",),
}
"""Tools that start another program in an environment, and the word with which they do."""
_WHOLE = {"tox", "nox", "make", "just", "invoke"}
"""Programs that decide themselves what they run."""
_NAMES = {"-e", "--env", "--environment", "-n", "--name", "-s", "--session", "--sessions", "--venv"}
_PREFIXES = {"-p", "--prefix"}
_FOLDERS = {"-C", "--directory", "--cwd", "--project"}
_WITH_VALUE: dict[str, set[str]] = {
    "uv": {
        "--with", "--with-editable", "--with-requirements", "--extra", "--no-extra", "--group",
        "--no-group", "--only-group", "--package", "-p", "--python", "--project", "--directory",
        "--env-file", "--index", "--index-url", "--default-index", "--extra-index-url",
        "--config-file", "--cache-dir", "--color",
    },
    "poetry": {"-C", "--directory", "-P", "--project"},
    "pdm": {"-p", "--project", "--venv"},
    "pipenv": {"--python"},
    "hatch": {"-e", "--env", "-p", "--project", "--data-dir", "--cache-dir", "--config"},
    "pixi": {"-e", "--environment", "--manifest-path"},
    "conda": {"-n", "--name", "-p", "--prefix", "--cwd"},
    "tox": {"-e", "-c", "--conf", "--workdir", "--root"},
    "nox": {"-s", "-e", "--session", "--sessions", "-f", "--noxfile", "--envdir"},
}  # fmt: skip
_WITH_VALUE["mamba"] = _WITH_VALUE["micromamba"] = _WITH_VALUE["conda"]


@dataclass(frozen=True, slots=True)
class Launch:
    """How a command starts the tests, in its own words."""

    words: tuple[str, ...] = ()
    """All that comes before the framework's arguments."""
    folder: str = ""
    """Where it changes to first: `cd FOLDER &&`, `--directory FOLDER`."""
    tool: str = ""
    """What finds the interpreter: `uv`, `poetry`, `conda`, `tox`, ..."""
    environment: str = ""
    """The environment's name, as the tool is given it."""
    prefix: str = ""
    """The environment's folder, as the tool is given it."""
    program: str = ""
    """What is started in the end: `/opt/c/bin/python`, `.venv/bin/pytest`, `python3.12`."""
    framework: Framework | None = None
    args: tuple[str, ...] = ()
    """What the framework is given."""
    env: dict[str, str] = field(default_factory=dict)
    is_plain: bool = True
    """Whether there is nothing else in the command, such as a shell operator."""

    @property
    def path(self) -> str:
        """The program, where it is named by a path; else ""."""
        return self.program if "/" in self.program or "\\" in self.program else ""

    @property
    def paths(self) -> tuple[str, ...]:
        """The arguments that may be files of tests: `tests/test_a.py` of `tests/test_a.py::b`."""
        names = (arg.partition("::")[0] for arg in self.args if not arg.startswith("-"))
        return tuple(name for name in names if name)


def launch_of(command: str) -> Launch:
    """How a command starts the tests; as much of it as can be read."""
    words = _words(command)
    is_plain = bool(words) and "\n" not in command.strip() and not any(map(_SHELL.search, words))
    folder = ""
    if len(words) > 3 and words[0] == "cd" and words[2] == "&&":  # noqa: PLR2004 - cd A && B
        folder, words = words[1], words[3:]
    first = next((n for n, word in enumerate(words) if _OPERATOR.fullmatch(word)), len(words))
    found = _read(words[:first])
    return replace(found, folder=folder or found.folder, is_plain=is_plain)


def _words(command: str) -> list[str]:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = ""
    try:
        return list(lexer)
    except ValueError:  # an open quote
        return []


def _read(words: Sequence[str]) -> Launch:
    rest, env = list(words), dict[str, str]()
    while rest and (rest[0] == "env" or _ASSIGNMENT.fullmatch(rest[0])):
        if match := _ASSIGNMENT.fullmatch(rest.pop(0)):
            env[match[1]] = match[2]
    if not rest:
        return Launch(env=env)
    found = _of_tool(rest) or _of_program(Launch(), rest)
    count = len(words) - len(found.args)
    return replace(found, words=tuple(words[:count]), env=env)


def _of_tool(words: list[str]) -> Launch | None:
    tool = _name(words[0])
    if tool in _WHOLE:
        return _with_options(Launch(tool=tool, program=words[0]), words[1:])[0]
    if tool not in _RUN:
        return None
    launch, rest = _with_options(Launch(tool=tool), words[1:])
    if tool == "hatch" and rest[:1] == ["test"]:
        return replace(launch, environment=launch.environment or "hatch-test", program=words[0])
    if rest[:1] != list(_RUN[tool]):
        return replace(launch, program=words[0])
    if tool == "direnv":
        rest = rest[1:]  # its folder
    launch, rest = _with_options(launch, rest[1:])
    if tool == "hatch" and rest and ":" in rest[0]:
        environment, _, program = rest[0].partition(":")
        launch, rest = replace(launch, environment=environment), [program, *rest[1:]]
    return _of_program(launch, rest) if rest else launch


def _with_options(launch: Launch, words: list[str]) -> tuple[Launch, list[str]]:
    """The launch with what a tool's own options say, and the words after them."""
    takes_value = _WITH_VALUE.get(launch.tool, set())
    rest = list(words)
    while rest and rest[0].startswith("-"):
        name, is_joined, value = rest.pop(0).partition("=")
        if name == "--":
            break
        if name == "-m" and launch.tool == "uv":  # `uv run -m pytest`
            return launch, ["python", "-m", *rest]
        if not is_joined and name in takes_value and rest:
            value = rest.pop(0)
        if name in _NAMES:
            launch = replace(launch, environment=value)
        elif name in _PREFIXES and launch.tool in {"conda", "mamba", "micromamba"}:
            launch = replace(launch, prefix=value)
        elif name in _FOLDERS or (name in _PREFIXES and launch.tool in {"pdm", "hatch"}):
            launch = replace(launch, folder=value)
    if launch.tool in _WHOLE and rest[:1] in (["run"], ["r"]):  # `tox run -e NAME`
        return _with_options(launch, rest[1:])
    return launch, rest


def _of_program(launch: Launch, words: list[str]) -> Launch:
    launch = replace(launch, program=words[0])
    name, args = _name(words[0]), words[1:]
    if _PYTEST.fullmatch(name):
        return replace(launch, framework="pytest", args=tuple(args))
    if _COVERAGE.fullmatch(name):
        return _of_coverage(launch, args)
    if name == "manage.py" and args[:1] == ["test"]:
        return replace(launch, framework="django", args=tuple(args[1:]))
    if name == "django-admin" and args[:1] == ["test"]:
        return replace(launch, framework="django", args=tuple(args[1:]))
    if not _PYTHON.fullmatch(name):
        return launch
    while args and args[0] in _HARMLESS:
        args = args[1:]
    return _of_python(launch, args)


def _of_python(launch: Launch, args: list[str]) -> Launch:
    """What an interpreter, or `coverage run`, is told to run."""
    match args:
        case ["-m", "pytest" | "py.test", *rest]:
            return replace(launch, framework="pytest", args=tuple(rest))
        case ["-m", "unittest", *rest]:
            return replace(launch, framework="unittest", args=tuple(rest))
        case ["-m", "coverage", *rest]:
            return _of_coverage(launch, rest)
        case ["-m", "django", "test", *rest]:
            return replace(launch, framework="django", args=tuple(rest))
        case [script, "test", *rest] if _name(script) == "manage.py":
            return replace(launch, framework="django", args=tuple(rest))
    return launch


def _of_coverage(launch: Launch, args: list[str]) -> Launch:
    """`run [its options] -m pytest`: what is measured is not what is asked."""
    rest = args[1:] if args[:1] == ["run"] else []
    while rest and rest[0].startswith("-") and rest[0] != "-m":
        rest = rest[1:]
    return _of_python(launch, rest)


def _name(word: str) -> str:
    return PurePath(word.replace("\\", "/")).name.removesuffix(".exe")
