"""Lets this process import files with a text other than the one on the disk."""

from __future__ import annotations

import importlib.machinery
import io
import os
import tokenize
from typing import Any


def install(texts: dict[str, str]) -> None:
    """From here on these files, by their paths, have these texts for whoever imports them."""
    changed = {os.path.realpath(path): _encoded(text) for path, text in texts.items()}
    loader: Any = importlib.machinery.SourceFileLoader
    read, stats = loader.get_data, loader.path_stats

    def get_data(self: Any, path: str) -> bytes:
        text = changed.get(os.path.realpath(path))
        return read(self, path) if text is None else text

    def path_stats(self: Any, path: str) -> Any:
        if os.path.realpath(path) in changed:
            raise OSError(path)  # no compiled file may stand in for the text
        return stats(self, path)

    loader.get_data, loader.path_stats = get_data, path_stats


def _encoded(text: str) -> bytes:
    """The bytes of a file, in the encoding that it says it has."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(text.encode("utf-8")).readline)
    return text.encode(encoding)
