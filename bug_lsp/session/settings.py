"""Where the user's settings come from: their own file, below what their editor says.

Programs to run (`agents`) are taken from the user's own file and from `initializationOptions`
alone, never from what a workspace can bring with it.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bug_lsp.domain.errors import BadInput
from bug_lsp.domain.settings import Settings
from bug_lsp.store import files


def config_path() -> Path:
    """The user's own settings file; `BUG_LSP_CONFIG` overrides it."""
    override = os.environ.get("BUG_LSP_CONFIG")
    if override:
        return Path(override)
    import platformdirs

    return platformdirs.user_config_path("bug-lsp", appauthor=False) / "config.toml"


def load(*layers: Mapping[str, Any]) -> Settings:
    """The settings: defaults, the user's file, then each layer over the one before."""
    path = config_path()
    merged: dict[str, Any] = {}
    try:
        data = files.read(path)
    except OSError as error:
        raise BadInput(str(path), f"cannot be read: {error.strerror}") from error
    if data is not None:
        try:
            merged = tomllib.loads(data.decode())
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadInput(str(path), f"is not valid TOML: {error}") from error
        validate(merged, str(path))
    for layer in layers:
        merged = {**merged, **layer}
    return validate(merged, "settings")


def validate(values: Mapping[str, Any], where: str) -> Settings:
    """The values as settings, or one sentence that names what is wrong."""
    try:
        return Settings.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            raise BadInput(place, f"there is no such setting (in {where})") from error
        raise BadInput(place, f"{first['msg']} (in {where})") from error
