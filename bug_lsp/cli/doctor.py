"""`bug-lsp doctor`: what can run here, and how to fix what cannot. Changes nothing."""

from __future__ import annotations

import os
import platform
import re
import sys
from pathlib import Path

from bug_lsp import __version__
from bug_lsp.agents import registry
from bug_lsp.agents.python_tests.environments import Wanted, find_interpreter
from bug_lsp.domain.errors import BugLspError
from bug_lsp.domain.model import Value
from bug_lsp.domain.settings import Settings
from bug_lsp.session import settings
from bug_lsp.session.confinement import confinement
from bug_lsp.store.layout import state_root
from bug_lsp.workspace import git

from .say import out
from .state import State, lines, look
from .where import workspace_of

_CONFIG_LINE = re.compile(r"at line (\d+)")


class Git(Value):
    """The git that every session's copy is made with."""

    version: str | None
    hint: str = ""


class Python(Value):
    """The interpreter that bug-lsp runs in."""

    version: str
    executable: str


class ProjectPython(Value):
    """The interpreter that would run the tests of the project in this folder."""

    python: str | None
    source: str = ""
    """How it was found."""
    looked_for: tuple[str, ...] = ()
    """What was looked for before, and is not there."""
    said: str
    """All that as a text."""


class Held(Value):
    """Whether agents are held to their copies here."""

    by: str | None
    problem: str = ""
    """Why not, as a clause."""


class Config(Value):
    """The user's own settings file."""

    path: str
    exists: bool
    line: int | None = None
    """Where it is wrong, counted from 1."""
    problem: str | None = None


class Findings(Value):
    """All that was looked at."""

    version: str
    ok: bool
    agents: tuple[registry.Availability, ...]
    confinement: Held
    git: Git
    python: Python
    project_python: ProjectPython
    state: State
    config: Config


def doctor(*, as_json: bool) -> int:
    """Look, and say what was seen; 0 when git and at least one agent can be used."""
    found = _look()
    if as_json:
        out(found.model_dump_json(by_alias=True))
    else:
        _say(found)
    return 0 if found.ok else 1


def _look() -> Findings:
    config, loaded = _config()
    custom = loaded.agents
    names = dict.fromkeys([*registry.known(custom), *registry.ORCHESTRATORS])
    agents = tuple(registry.availability(name, custom) for name in names)
    able = [agent for agent in agents if agent.ready and agent.agent_type in registry.known(custom)]
    git_found = _git()
    return Findings(
        version=__version__,
        ok=bool(able) and git_found.version is not None,
        agents=agents,
        confinement=_held(loaded),
        git=git_found,
        python=Python(version=platform.python_version(), executable=sys.executable),
        project_python=_project_python(loaded),
        state=look(state_root()),
        config=config,
    )


def _project_python(loaded: Settings) -> ProjectPython:
    here = Path.cwd()
    try:
        root = workspace_of(None, None)
    except BugLspError:  # without git
        root = here
    wanted = Wanted(workspace=here, root=root, setting=loaded.python)
    try:
        found = find_interpreter(wanted)
    except BugLspError as error:
        return ProjectPython(python=None, said=error.message)
    advice = f"; {found.advice}" if found.is_guessed else ""
    return ProjectPython(
        python=str(found.python),
        source=found.source,
        looked_for=found.looked_for,
        said=f"{found.described}{advice}",
    )


def _held(loaded: Settings) -> Held:
    if loaded.confinement == "off":
        return Held(by=None, problem="the setting `confinement` is off")
    found = confinement(())
    return Held(by=found.by, problem=found.problem)


def _git() -> Git:
    try:
        said = git.text("--version", cwd=Path(os.sep))
    except (git.GitError, BugLspError, OSError) as error:
        return Git(version=None, hint=str(error))
    return Git(version=said.removeprefix("git version "))


def _config() -> tuple[Config, Settings]:
    path = settings.config_path()
    exists = path.exists()
    try:
        loaded = settings.load()
    except BugLspError as error:
        return Config(
            path=str(path), exists=exists, line=_line(path, error), problem=error.message
        ), Settings()
    except OSError as error:
        return Config(path=str(path), exists=exists, problem=error.strerror), Settings()
    return Config(path=str(path), exists=exists), loaded


def _line(path: Path, error: BugLspError) -> int | None:
    """The line that an error speaks of: TOML says it, a setting's is where its name stands."""
    if match := _CONFIG_LINE.search(error.message):
        return int(match[1])
    field = re.escape(str(getattr(error, "field", "")).rpartition(".")[2])
    named = re.compile(rf"\s*(\[+.*\b)?[\"']?{field}[\"']?\s*(=|\])")
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError:
        return None
    return next((number for number, line in enumerate(lines, 1) if named.match(line)), None)


def _say(found: Findings) -> None:
    out(f"bug-lsp {found.version}, Python {found.python.version} ({found.python.executable})")
    out(f"git {found.git.version}" if found.git.version else f"git: {found.git.hint}")
    out("\n".join(lines(found.state)))
    out(f"config: {_config_line(found.config)}")
    out(f"confinement: {_held_line(found.confinement)}")
    out(f"Python tests here: {found.project_python.said}")
    out("agents:")
    for agent in found.agents:
        only = " (orchestrates only)" if agent.agent_type == "digest" else ""
        state = "ready" if agent.ready else "not ready" if agent.installed else "not installed"
        parts = [f"  {agent.agent_type}{only}", agent.version or "", state]
        line = "  ".join(part for part in parts if part)
        out(f"{line}: {agent.hint}" if agent.hint else line)
    if not found.ok:
        out("nothing can be debugged here: git and one agent that is ready are needed")


def _held_line(held: Held) -> str:
    if held.by:
        return f"{held.by}; an agent writes only to its copy, its own folders and temporary ones"
    return f"NONE: {held.problem}; what agents change outside their copies is only reported"


def _config_line(config: Config) -> str:
    if config.problem:
        place = f"{config.path}:{config.line}" if config.line else config.path
        return f"{place}: {config.problem}"
    return f"{config.path} ({'valid' if config.exists else 'none; defaults are used'})"
