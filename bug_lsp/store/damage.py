"""Reading what is kept although some of it is damaged: by the disk, or by somebody's hand."""

from __future__ import annotations

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
        log.warning("%s is damaged and kept as %s: %s", path, damaged(path).name, error)
        files.move(path, damaged(path))
        return None


def damaged(path: Path) -> Path:
    """Where a file is kept that could not be read."""
    return path.with_name(f"{path.name}.damaged")
