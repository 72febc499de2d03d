"""The variables with which programs use an environment, also those that tools start in it."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from .folders import is_conda, is_virtual


def activated(
    env: Mapping[str, str],
    python: Path,
    environment: Path | None,
    *,
    on_path: bool,
    scratch: Path,
) -> dict[str, str]:
    """The variables of `env` with this interpreter's environment active.

    Tools find no environment by the path of a copy, and would make one in each: they are led to
    this one, and told not to change it. What they note about it goes to `scratch`.
    """
    changed = {name: text for name, text in env.items() if name != "PYTHONHOME"}
    if _is_own(changed.get("VIRTUAL_ENV")):
        del changed["VIRTUAL_ENV"]
    if not on_path:
        path = changed.get("PATH", os.defpath)
        changed["PATH"] = os.pathsep.join([str(python.parent), path])
    if environment is None:
        return changed
    if is_virtual(environment):
        changed |= _virtual(environment, python, scratch)
        changed.pop("PIPENV_IGNORE_VIRTUALENVS", None)
    elif is_conda(environment):
        changed.pop("VIRTUAL_ENV", None)
        changed |= {"CONDA_PREFIX": str(environment), "CONDA_DEFAULT_ENV": environment.name}
    return changed


def _virtual(environment: Path, python: Path, scratch: Path) -> dict[str, str]:
    folder = str(environment)
    return {
        "VIRTUAL_ENV": folder,
        "UV_PROJECT_ENVIRONMENT": folder,
        "UV_NO_SYNC": "1",
        "HATCH_ENV_TYPE_VIRTUAL_PATH": folder,
        "HATCH_DATA_DIR": str(scratch / "hatch"),
        "PDM_IGNORE_SAVED_PYTHON": "1",
        "PDM_PYTHON": str(python),
        "PIPENV_VERBOSITY": "-1",
    }


def for_set_up(env: Mapping[str, str]) -> dict[str, str]:
    """The variables for a command that may install: it must not install into the user's own."""
    ours = {*_virtual(Path(), Path(), Path()), "CONDA_PREFIX", "CONDA_DEFAULT_ENV"} - {
        "PIPENV_VERBOSITY"
    }
    return {name: text for name, text in env.items() if name not in ours}


def _is_own(folder: str | None) -> bool:
    return folder is not None and os.path.realpath(folder) == os.path.realpath(sys.prefix)
