"""Makes a session's copy of the code such that what runs in it is what runs in the checkout, and
says what it holds.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import add
from pathlib import Path
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync

from bug_lsp.agents.base import Emit, Job
from bug_lsp.domain.run import Run
from bug_lsp.store.layout import SessionFolder
from bug_lsp.workspace import copies, extras
from bug_lsp.workspace.extras import Source

from .set_up import SetUpFailed, sources_of

if TYPE_CHECKING:
    from bug_lsp.agents.python_tests import PythonProject

_CHECK_SECONDS = 20.0
_MOST_PACKAGES = 20
_NOT_PACKAGES = frozenset(("tests", "test", "docs", "examples", "benchmarks", "scripts"))
_WHERE = """
import importlib.util, json, sys
found = {}
for name in sys.argv[1:]:
    try:
        spec = importlib.util.find_spec(name)
    except Exception:
        continue
    if spec is not None:
        found[name] = [spec.origin or "", *(spec.submodule_search_locations or [])]
print(json.dumps(found))
"""
"""Says where packages would be imported from; it imports none of them."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A session's copy, ready to be worked in."""

    root: Path
    sources: tuple[Source, ...]
    """Where what git does not track was brought from."""
    notes: tuple[str, ...] = ()
    """What it holds and what runs in it, a sentence each."""
    problem: str = ""
    """Why tests in it say nothing, as a sentence."""

    @property
    def brought(self) -> tuple[str, ...]:
        """What was brought into it, by path: no part of the session's patch."""
        extras = [extra for source in self.sources for extra in source.contents.brought()]
        return tuple(extra.path for extra in extras if not extra.is_empty_folder)


async def make_copy_to_read(run: Run, folder: SessionFolder) -> Prepared:
    """Make a copy of what git tracks, in which nothing is run. Raises `AgentFailure`."""
    return Prepared(await run_sync(copies.make, folder, run.base), ())


async def make_copy(run: Run, folder: SessionFolder, emit: Emit) -> Prepared:
    """Make the copy, and bring what git does not track. Raises `AgentFailure`."""
    problem = ""
    sources: tuple[Source, ...] = (Source(Path(run.checkout), run.contents),)
    try:
        sources = await sources_of(run, folder, emit)
    except SetUpFailed as failure:
        problem = f"the set-up command did not succeed: {failure}"
    root = await run_sync(copies.make, folder, run.base)
    problems = await run_sync(extras.bring, sources, root)
    told = reduce(add, (source.contents for source in sources)).sentences()
    notes = (*filter(None, [problem]), *run.base.notes, *told, *problems)
    return Prepared(root, sources, notes, problem)


@dataclass(frozen=True, slots=True)
class InTheCopy:
    """What an agent is told of its copy, and what its programs get."""

    notes: tuple[str, ...]
    environment: Mapping[str, str]


def in_the_copy(job: Job, prepared: Prepared) -> InTheCopy:
    """What makes an agent's own commands test the copy, and whether they do. Blocks."""
    # Imported here: sessions of projects in other languages, and orchestrators, do without.
    from bug_lsp.agents.python_tests import PythonProject, has_python

    if not has_python(job.cwd):
        return InTheCopy(prepared.notes, {})
    project = PythonProject.of(job)
    environment = project.agent_environment()
    return InTheCopy((*prepared.notes, *import_notes(project, environment)), environment)


def import_notes(project: PythonProject, environment: dict[str, str]) -> Iterator[str]:
    """Where the project's packages are imported from by what an agent starts. Blocks."""
    names = [*_packages(project.cwd)][:_MOST_PACKAGES]
    places = _places(project, environment, names) if names else {}
    inside = [name for name in names if _is_inside(places.get(name, ()), project.copy)]
    if inside:
        yield f"{_imports(inside)} from the copy, by `{project.python}`"
    for name in names:
        if name in places and name not in inside:
            where = next(filter(None, places[name]), "")
            yield (
                f"{_imports([name])} from {where}, not from the copy: run tests so that the copy "
                "comes first (PYTHONPATH)"
            )


def _imports(names: Sequence[str]) -> str:
    listed = ", ".join(f"`import {name}`" for name in names)
    return f"{listed} comes" if len(names) == 1 else f"{listed} come"


def _packages(cwd: Path) -> Iterator[str]:
    """Packages of the project, in the folders from which they are usually imported."""
    for folder in (cwd / "src", cwd):
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            known = entry.name in _NOT_PACKAGES or not entry.name.isidentifier()
            if not known and (folder / entry.name / "__init__.py").is_file():
                yield entry.name


def _places(
    project: PythonProject, environment: dict[str, str], names: Sequence[str]
) -> dict[str, list[str]]:
    try:
        done = subprocess.run(
            [*project.confine, str(project.python), "-c", _WHERE, *names],
            cwd=project.cwd,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_CHECK_SECONDS,
            check=True,
        )
        found: dict[str, list[str]] = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return {}
    return found


def _is_inside(places: Sequence[str], copy: Path) -> bool:
    root = copy.resolve()
    return any(place and Path(place).resolve().is_relative_to(root) for place in places)
