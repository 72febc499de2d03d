"""Reading what is kept although some of it is damaged: by the disk, or by somebody's hand."""

from __future__ import annotations

import contextlib
import logging
from pathlib import Path
from typing import TypeVar

from pydantic import ValidationError

from bug_lsp.domain.model import StoredValue

from . import files

log = logging.getLogger(__name__)

_Stored = TypeVar("_Stored", bound=StoredValue)


def stored(path: Path, model: type[_Stored]) -> _Stored | None:
    """What a file holds, None where there is none. One that is damaged is kept aside: what it was
    for can be made again, and does not stand in the way of all the others.
    """
    try:
        data = files.read(path)
        return model.model_validate_json(data) if data is not None else None
    except (ValidationError, IsADirectoryError) as error:
        _keep_aside(path, error)
        return None


def holds(path: Path, data: bytes) -> bool:
    """Whether a file holds just this."""
    try:
        return files.read(path) == data
    except IsADirectoryError as error:
        _keep_aside(path, error)
        return False


def _keep_aside(path: Path, error: Exception) -> None:
    why = str(error).splitlines()[0]
    log.warning("%s is damaged and kept as %s: %s", path, damaged(path).name, why)
    with contextlib.suppress(FileNotFoundError):  # somebody else has just done it
        files.remove(damaged(path))
        files.move(path, damaged(path))


def damaged(path: Path) -> Path:
    """Where a file is kept that could not be read."""
    return path.with_name(f"{path.name}.damaged")
