"""Which folder is the workspace, where the user did not say. Only looks."""

from __future__ import annotations

import os
from pathlib import Path

from bug_lsp.workspace import git


def workspace_of(task: Path | None, given: Path | None) -> Path:
    """The folder that was given, else the repository around the task (or around where we are).

    Without a repository: the folder we are in, if the task is below it; else the task's own.
    """
    if given is not None:
        return given
    here = Path.cwd()
    folder = here if task is None else _existing(task.absolute().parent)
    top = git.maybe("rev-parse", "--show-toplevel", cwd=folder)
    if top:
        return Path(top)
    # All of a home folder is nobody's project.
    if here in {Path.home(), Path(here.anchor)} or not folder.is_relative_to(here):
        return folder
    return here


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one around it that exists: the task's name may be mistyped."""
    return next((path for path in (folder, *folder.parents) if os.path.isdir(path)), folder)  # noqa: PTH112 - Path.is_dir raises where a name is too long
