"""A Python project as the tests need it: its interpreter, its copy, its environment.

It looks at the user's checkout only to find their virtual environment, and never writes there.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bug_lsp.agents.base import Job
from bug_lsp.agents.copy_differences import Worlds
from bug_lsp.agents.network import with_network
from bug_lsp.domain.errors import AgentFailure, BadInput, FailureKind

from .environments import Interpreter, Wanted, find_interpreter, for_set_up

SITE = Path(__file__).parent / "site"
"""Goes on PYTHONPATH: makes whatever is installed from the checkout be imported from the copy."""
_NOT_SOURCES = {"node_modules", "site-packages", "__pycache__"}
_OF_OUR_TESTS = {"PYTHONHASHSEED"}
# What would lead git or a tool inside the tests away from the copy, or belongs to whoever
# started bug-lsp.
_FOREIGN = re.compile(
    r"GIT_(DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR"
    r"|PREFIX|NAMESPACE)|COV_CORE_.*|COVERAGE_.*|PYTEST_XDIST_.*|PYTEST_CURRENT_TEST|PYTHONHOME"
    r"|PYTHONSTARTUP|__PYVENV_LAUNCHER__"
)


@dataclass(frozen=True, slots=True)
class PythonProject:
    """Where a project's tests run and with what."""

    interpreter: Interpreter
    cwd: Path
    copy: Path
    origin: Path
    """The root of the user's checkout, of which `copy` is a copy."""
    scratch: Path
    extra_env: dict[str, str]
    confine: tuple[str, ...] = ()
    """Goes before the command line of every test process."""
    sources: tuple[Path, ...] = ()
    """Other folders that the copy has something from; what is imported from them is in the copy."""

    @classmethod
    def of(cls, job: Job) -> PythonProject:
        """The project a job is about."""
        origin = _origin(job)
        return cls(
            interpreter=interpreter_for(
                Wanted(
                    workspace=job.workspace,
                    root=origin,
                    command=job.test_command,
                    setting=job.python,
                    selected=job.selected_python,
                    near=job.tests_near,
                ),
                job.cwd,
                job.sources,
            ),
            cwd=job.cwd,
            copy=job.copy,
            origin=origin,
            scratch=job.scratch,
            extra_env=dict(job.env),
            confine=job.confine,
            sources=job.sources,
        )

    def with_network(self) -> PythonProject:
        """Return the project with tests that have the user's network."""
        return replace(self, confine=with_network(self.confine))

    @property
    def python(self) -> Path:
        """The program that runs the tests."""
        return self.interpreter.python

    def environment(self, *, is_set_up: bool = False) -> dict[str, str]:
        """The environment of the tests. The copy comes before whatever is installed.

        A set-up command may install, and is not led to the user's own environment.
        """
        env = {name: text for name, text in os.environ.items() if not _FOREIGN.fullmatch(name)}
        # Else two runs of the same commit could differ by the order of a set.
        env.setdefault("PYTHONHASHSEED", "0")
        env |= self.extra_env
        env = self.interpreter.activated(env, self.scratch)
        if is_set_up:
            env = for_set_up(env)
        env["PYTHONDONTWRITEBYTECODE"] = "1"
        given = [entry for entry in env.get("PYTHONPATH", "").split(os.pathsep) if entry]
        own = self._own_paths()
        env["PYTHONPATH"] = os.pathsep.join([str(SITE), *own, *map(self._in_copy, given)])
        return env | self._imports(own)

    def agent_environment(self) -> dict[str, str]:
        """What an agent's programs get besides their own environment, so that what they run tests
        the copy. An agent that is a Python program itself goes on importing what it did.
        """
        env = self.environment()
        before = {**os.environ, **self.extra_env}
        found = {name: text for name, text in env.items() if before.get(name) != text}
        found = {name: text for name, text in found.items() if name not in _OF_OUR_TESTS}
        given = [
            *self.extra_env.get("PYTHONPATH", os.environ.get("PYTHONPATH", "")).split(os.pathsep)
        ]
        found["PYTHONPATH"] = os.pathsep.join([str(SITE), *map(self._in_copy, filter(None, given))])
        return found

    def _imports(self, own: list[str]) -> dict[str, str]:
        """What `site/sitecustomize.py` is told."""
        prefix = self.python.parent.parent
        is_environment = (prefix / "pyvenv.cfg").is_file() or (prefix / "conda-meta").is_dir()
        return {
            "BUG_LSP_ORIGINS": os.pathsep.join(
                map(str, dict.fromkeys((self.origin, *self.sources)))
            ),
            "BUG_LSP_COPY_ROOT": str(self.copy),
            "BUG_LSP_ENVIRONMENT": str(prefix) if is_environment else "",
            "BUG_LSP_FIRST": os.pathsep.join(own),
        }

    def worlds(self) -> Worlds:
        """The copy and the checkout, to tell what is missing in the one alone."""
        prefix = self.cwd.relative_to(self.copy).as_posix() if self.cwd != self.copy else ""
        return Worlds(self.copy, self.origin, prefix)

    @property
    def workspace(self) -> Path:
        """The folder of the user's that `cwd` is a copy of."""
        is_inside = self.cwd.is_relative_to(self.copy)
        return self.origin / self.cwd.relative_to(self.copy) if is_inside else self.origin

    def _own_paths(self) -> list[str]:
        source = self.cwd / "src"
        has_source = source.is_dir() and not (source / "__init__.py").exists()
        return [str(source), str(self.cwd)] if has_source else [str(self.cwd)]

    def _in_copy(self, entry: str) -> str:
        path = Path(entry)
        if not path.is_relative_to(self.origin):
            return entry
        moved = self.copy / path.relative_to(self.origin)
        return str(moved) if moved.exists() else entry


def _origin(job: Job) -> Path:
    if not job.cwd.is_relative_to(job.copy):
        return job.workspace
    depth = len(job.cwd.relative_to(job.copy).parts)
    return job.workspace.parents[depth - 1] if depth else job.workspace


def interpreter_for(wanted: Wanted, cwd: Path, sources: Sequence[Path]) -> Interpreter:
    """The interpreter of a project, for tests in `cwd` of a copy that has something from the
    `sources`. Raises `AgentFailure` where the setting errs.
    """
    python, config = cwd / ".venv" / "bin" / "python", (cwd / ".venv" / "pyvenv.cfg").resolve()
    made = any(config.is_relative_to(source) for source in sources if source != wanted.root)
    if made and python.exists() and not wanted.setting:
        return Interpreter(python, "the set-up command")
    try:
        return find_interpreter(wanted)
    except BadInput as error:
        raise AgentFailure(FailureKind.NOT_APPLICABLE, error.message) from error


def has_python(folder: Path) -> bool:
    """Whether there is any Python file below a folder."""
    for _, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _NOT_SOURCES and not name.startswith(".")
        )
        if any(name.endswith(".py") for name in names):
            return True
    return False
