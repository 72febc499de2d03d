"""Finds the interpreter that a project's tests are to be run with, and says how it was found.

It lists folders and reads settings of the project's tools. It runs nothing and writes nothing, and
never takes bug-lsp's own interpreter without saying so.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from bug_lsp.agents.python_tests.launch import Launch, launch_of
from bug_lsp.domain.errors import BadInput

from . import tools
from .activate import activated
from .folders import (
    below,
    environment_of,
    here,
    is_conda_base,
    is_program,
    is_there,
    names_in,
    python_of,
    shebang,
    version_of,
)

SETTING = "python"
_DEPTH = 3
_OWN = "bug-lsp's own"
_PATH = "PATH"

_Found: TypeAlias = tuple[Path, str]
_Step: TypeAlias = tuple[str, Callable[[], Iterator[_Found]]]


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The interpreter of a project, and how it was found."""

    python: Path
    source: str
    """How, as words for the screen: "the test command", "`.venv`", "CONDA_PREFIX"."""
    looked_for: tuple[str, ...] = ()
    """What was looked for before, and is not there."""
    is_own: bool = False
    """Whether it is the one that bug-lsp itself runs in."""

    @property
    def environment(self) -> Path | None:
        """The folder of its environment; None: it is a bare one."""
        return environment_of(self.python)

    @property
    def is_guessed(self) -> bool:
        """Whether no environment of the project was found."""
        return self.source in {_PATH, _OWN}

    @property
    def described(self) -> str:
        """It, and how it was found."""
        return f"{self.python} ({self.how})"

    @property
    def how(self) -> str:
        """How it was found, as a clause."""
        if self.source == _OWN:
            return "bug-lsp's own, as there is no other"
        if self.source == _PATH:
            return "the first on the PATH, as the project has no environment"
        return f"found by {self.source}"

    @property
    def advice(self) -> str:
        """What was looked for and what to do, as a clause."""
        name = f"name the project's interpreter in the setting `{SETTING}`"
        return f"looked for {', '.join(self.looked_for)}; {name}" if self.is_guessed else name

    def activated(self, env: Mapping[str, str], scratch: Path) -> dict[str, str]:
        """The variables with which programs and tools use it; they may write to `scratch`."""
        path = env.get("PATH", os.defpath).split(os.pathsep)
        # What the user's own PATH leads to comes where they have it, and ours hides nothing.
        stays = self.source == _OWN or (self.source == _PATH and str(self.python.parent) in path)
        return activated(env, self.python, self.environment, on_path=stays, scratch=scratch)

    @property
    def doubt(self) -> str:
        """One sentence where it may be the wrong one; else ""."""
        if not self.is_guessed:
            return ""
        return (
            f"No environment of this project was found, so its tests run with {self.described};"
            f" {self.advice} if that is wrong."
        )


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is known of a project and its user before an interpreter is looked for."""

    workspace: Path
    """The user's workspace folder."""
    root: Path
    """The root of their checkout."""
    command: str | None = None
    """Their test command."""
    setting: str | None = None
    """Their setting: an interpreter, or the folder of an environment."""
    selected: str | None = None
    """What their editor says is selected; the same."""
    near: tuple[str, ...] = ()
    """Files that their task names, from the workspace."""
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


def interpreter_at(text: str, workspace: Path) -> Path | None:
    """The interpreter that a path leads to; None if it leads to none."""
    path = workspace / Path(os.path.expandvars(text)).expanduser()
    return path if is_program(path) else python_of(path)


def check_python(setting: str | None, workspace: Path) -> Path | None:
    """What the setting names; None if it is not set. Raises `BadInput` when that is no Python."""
    if not setting:
        return None
    python = interpreter_at(setting, workspace)
    if python is None:
        raise BadInput(
            SETTING,
            f"there is no Python at {setting}; name an interpreter or the folder of an environment",
        )
    return python


def find_interpreter(wanted: Wanted) -> Interpreter:
    """The interpreter of a project. Raises `BadInput` when the setting names none."""
    if python := check_python(wanted.setting, wanted.workspace):
        return _made(python, "the setting `python`", ())
    looked: list[str] = []
    for words, candidates in _Search(wanted).steps():
        with contextlib.suppress(OSError):  # a folder that may not be looked into
            for python, source in candidates():
                if is_program(python):
                    return _made(python, source, tuple(looked))
        if words:
            looked.append(words)
    return _made(Path(sys.executable), _OWN, tuple(looked))


def _made(python: Path, source: str, looked: tuple[str, ...]) -> Interpreter:
    return Interpreter(python, source, looked, is_own=_is_own(python))


def _is_own(python: Path) -> bool:
    """Whether it is of the environment that bug-lsp is installed in."""
    if python == Path(sys.executable):
        return True
    return os.path.realpath(python.parent.parent) == os.path.realpath(sys.prefix)


class _Search:
    """One search. Each step has words for what it looks for."""

    def __init__(self, wanted: Wanted) -> None:
        self._environ = wanted.environ
        self._workspace = wanted.workspace
        self._launch = launch_of(wanted.command) if wanted.command else Launch()
        self._folder = wanted.workspace / self._launch.folder
        self._root = wanted.root
        self._near = wanted.near
        self._selected = (
            interpreter_at(wanted.selected, wanted.workspace) if wanted.selected else None
        )
        self._roots = list(dict.fromkeys(self._folders()))

    def _folders(self) -> Iterator[Path]:
        """From what the command names up to the root of the checkout: the nearest first."""
        named = [self._folder / name for path in self._launch.paths for name in _as_files(path)]
        named = [path for path in named if is_there(path)]
        for path in (*(named or [self._workspace / name for name in self._near]), self._folder):
            place = Path(os.path.normpath(path))
            if place.is_relative_to(self._root):
                yield from _up(place if place.is_dir() else place.parent, self._root)
        yield from _up(self._workspace, self._root)

    def steps(self) -> Iterator[_Step]:
        """In the order of who knows best."""
        named = self._launch.path
        yield (f"{named} of the test command" if named else "", self._of_command)
        yield ("", lambda: self._of_editor(bare=False))
        yield ("`.venv`, `venv`, `env` and any other with a pyvenv.cfg here and above", self._above)
        yield ("VIRTUAL_ENV", lambda: self._active("VIRTUAL_ENV"))
        yield ("CONDA_PREFIX", lambda: self._active("CONDA_PREFIX"))
        yield ("UV_PROJECT_ENVIRONMENT", self._of_uv)
        yield ("the environments of poetry, pipenv, hatch, pdm, pixi, conda, tox, nox", self._tools)
        yield ("those in folders below", self._below)
        yield ("", lambda: self._of_editor(bare=True))
        yield ("pyenv's .python-version", lambda: self._pyenv(is_environment=False))
        yield ("", lambda: self._active("CONDA_PREFIX", base=True))
        yield ("", lambda: self._active("VIRTUAL_ENV", own=True))
        yield ("python3 and python on the PATH", self._on_path)

    def _of_command(self) -> Iterator[_Found]:
        launch, source = self._launch, "the test command"
        if launch.path:
            yield from ((python, source) for python in self._at_path(launch.path))
        yield from ((python, f"the test command: {launch.tool}") for python in self._of_tool())
        if launch.program.startswith("python") and launch.program[6:].strip("0123456789.") == "":
            yield from ((python, source) for python in self._of_version(launch.program))

    def _at_path(self, program: str) -> Iterator[Path]:
        path = self._folder / Path(program).expanduser()
        if path.name.startswith("python"):
            yield path
        elif environment_of(path.parent / "python"):  # a script beside its interpreter
            yield path.parent / "python"
        elif (python := shebang(path)) and python.name.startswith("python"):
            yield python

    def _of_version(self, name: str) -> Iterator[Path]:
        """`python3.12`: that of the project's environment if it is of this version."""
        if "." not in name:
            return
        for python, _ in self._environments():
            if is_program(python.parent / name):
                yield python.parent / name
                return
        yield from self._named_on_path(name)

    def _environments(self) -> Iterator[_Found]:
        yield from self._above()
        yield from self._active("VIRTUAL_ENV")
        yield from self._active("CONDA_PREFIX")
        yield from self._tools()

    def _of_tool(self) -> Iterator[Path]:
        """Where the tool that the command starts looks first."""
        launch, environ, name = self._launch, self._environ, self._launch.environment
        if launch.tool == "uv":
            yield from (python for python, _ in self._of_uv())
        if launch.tool in {"conda", "mamba", "micromamba"}:
            if launch.prefix and (python := python_of(self._folder / launch.prefix)):
                yield python
            yield from tools.conda(environ, name)
        if launch.tool == "poetry":
            yield from (python for python, _ in self._active("VIRTUAL_ENV"))
            yield from self._in_roots(tools.in_project)
        finders: dict[str, Callable[[Path], Iterator[Path]]] = {
            "poetry": lambda root: tools.poetry(root, environ),
            "pipenv": lambda root: tools.pipenv(root, environ),
            "hatch": lambda root: tools.hatch(root, environ, name),
            "pdm": lambda root: tools.pdm(root, environ),
            "pixi": lambda root: tools.pixi(root, name),
            "tox": lambda root: tools.tox(root, environ, name),
            "nox": lambda root: tools.nox(root, environ, name),
        }
        if launch.tool in finders:
            yield from self._in_roots(finders[launch.tool])
        if launch.tool == "poetry":
            yield from self._in_roots(lambda root: tools.poetry_of_name(root, environ))

    def _in_roots(self, find: Callable[[Path], Iterator[Path]]) -> Iterator[Path]:
        for root in self._roots:
            yield from find(root)

    def _of_editor(self, *, bare: bool) -> Iterator[_Found]:
        """What is selected; an interpreter of no environment may be the editor's mere default."""
        if self._selected is not None and bare is not self._is_of_project(self._selected):
            yield self._selected, "the editor's selection"

    @staticmethod
    def _is_of_project(python: Path) -> bool:
        folder = environment_of(python)
        return folder is not None and not is_conda_base(folder)

    def _above(self) -> Iterator[_Found]:
        for folder in self._roots:
            if python := here(folder):
                environment = environment_of(python) or python.parent.parent
                yield python, f"`{self._shown(environment)}`"

    def _below(self) -> Iterator[_Found]:
        for python in below(self._workspace, _DEPTH):
            yield python, f"`{self._shown(python.parent.parent)}`"

    def _shown(self, folder: Path) -> str:
        if folder.is_relative_to(self._root):
            return folder.relative_to(self._root).as_posix()
        return str(folder)

    def _active(self, variable: str, *, base: bool = False, own: bool = False) -> Iterator[_Found]:
        """The active environment. Conda's base and bug-lsp's own belong to no project."""
        if not (text := self._environ.get(variable)):
            return
        folder = Path(text)
        python = python_of(folder)
        is_base = variable == "CONDA_PREFIX" and (
            self._environ.get("CONDA_DEFAULT_ENV") == "base" or is_conda_base(folder)
        )
        if python is not None and base is is_base and own is _is_own(python):
            yield python, variable

    def _of_uv(self) -> Iterator[_Found]:
        if not (text := self._environ.get("UV_PROJECT_ENVIRONMENT")):
            return
        for root in self._roots:
            if python := python_of(root / text):
                yield python, "UV_PROJECT_ENVIRONMENT"

    def _tools(self) -> Iterator[_Found]:
        environ = self._environ
        for root in self._roots:
            there = set(names_in(root))
            yield from ((p, "poetry's environments") for p in tools.poetry(root, environ))
            yield from ((p, "pipenv's environments") for p in tools.pipenv(root, environ))
            yield from ((p, "hatch's environments") for p in tools.hatch(root, environ))
            yield from ((p, "pdm's environments") for p in tools.pdm(root, environ))
            yield from ((p, "`.pixi`") for p in tools.pixi(root))
            yield from ((p, "`.direnv`") for p in tools.direnv(root))
            if name := tools.conda_name(root) if there & tools.CONDA_FILES else "":
                yield from ((p, "conda's environments") for p in tools.conda(environ, name))
        yield from self._pyenv(is_environment=True)
        for root in self._roots:
            yield from ((p, "poetry's environments") for p in tools.poetry_of_name(root, environ))
            yield from ((p, "`.tox`") for p in tools.tox(root, environ))
            yield from ((p, "`.nox`") for p in tools.nox(root, environ))

    def _pyenv(self, *, is_environment: bool) -> Iterator[_Found]:
        for root in self._roots:
            for python in tools.pyenv(root, self._environ, is_environment=is_environment):
                if is_environment or _suits(python):
                    yield python, "`.python-version`"

    def _on_path(self) -> Iterator[_Found]:
        for name in ("python3", "python"):
            for python in self._named_on_path(name):
                if not _is_own(python) or sys.prefix == sys.base_prefix:
                    if _suits(python):
                        yield python, _PATH
                    return

    def _named_on_path(self, name: str) -> Iterator[Path]:
        for entry in self._environ.get("PATH", os.defpath).split(os.pathsep):
            program = Path(entry or ".") / name
            if not entry or not is_program(program):
                continue
            if program.parent.name != "shims":
                yield program
            elif target := tools.shim_target(program, self._roots, self._environ):
                yield target


def _suits(python: Path) -> bool:
    """Whether a bare interpreter can run tests with the pytest and coverage that we lend it."""
    version = version_of(python)
    return version is not None and version >= sys.version_info[:2]


def _as_files(name: str) -> tuple[str, ...]:
    """A name of tests as the files it may be: unittest is given `tests.test_a` for one."""
    dotted = name.replace(".", "/")
    return name, dotted, f"{dotted}.py"


def _up(folder: Path, root: Path) -> Iterator[Path]:
    if folder == root or not folder.is_relative_to(root):
        yield folder
        return
    yield folder
    yield from _up(folder.parent, root)
