"""A copy of the session's copy, in which candidates may write whatever they like."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import anyio.to_thread

from bug_lsp.agents.python_tests import PythonProject


async def private(project: PythonProject, name: str) -> PythonProject:
    """The project in a copy of its own, in the scratch folder."""
    place = project.scratch / name / project.copy.name  # a package may be named by its folder
    await anyio.to_thread.run_sync(_copy, project.copy, place, project.scratch)
    copy = place.resolve()
    return replace(project, copy=copy, cwd=copy / project.cwd.relative_to(project.copy))


def _copy(source: Path, target: Path, scratch: Path) -> None:
    def left_out(folder: str, names: list[str]) -> set[str]:
        return {name for name in names if Path(folder, name) == scratch}

    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, symlinks=True, ignore=left_out, ignore_dangling_symlinks=True)
    # What lies beside the user's checkout is beside its copies, as links.
    for entry in source.parent.iterdir():
        beside = target.parent / entry.name
        if entry == source or scratch.is_relative_to(entry) or beside.exists():
            continue
        if entry.is_symlink():
            beside.symlink_to(entry.readlink())
        elif entry.is_dir():
            shutil.copytree(entry, beside, symlinks=True, ignore_dangling_symlinks=True)
