"""An exception as plain data: its type, its message and the places in the project it came through.

It never keeps the exception or its frames alive.
"""

from __future__ import annotations

import linecache
import os
import traceback
from pathlib import Path
from types import TracebackType
from typing import Any

_MESSAGE_LIMIT = 1000
_FRAME_LIMIT = 40


class Places:
    """Turns file names into paths relative to the root of the copy."""

    def __init__(self, root: str) -> None:
        self._root = os.path.realpath(root)

    def relative(self, file: str) -> str | None:
        """The path from the root with `/`, or None for a file outside of it."""
        if not file or file.startswith("<"):
            return None
        real = os.path.realpath(file)
        if not real.startswith(self._root + os.sep):
            return None
        return Path(os.path.relpath(real, self._root)).as_posix()


def describe(error: BaseException, places: Places) -> dict[str, Any]:
    """The exception and the frames of the project in it, the origin of the trouble last."""
    frames: list[dict[str, Any]] = []
    for link in _chain(error):
        frames += _frames(link.__traceback__, places)
        frames += _syntax_frame(link, places)
    return {
        "type": type(error).__name__,
        "message": _message(error),
        "frames": frames[-_FRAME_LIMIT:],
    }


def _message(error: BaseException) -> str:
    try:
        return str(error)[:_MESSAGE_LIMIT]
    except Exception:  # noqa: BLE001 - the project's own __str__ may raise anything
        return "(its message cannot be shown)"


def _chain(error: BaseException) -> list[BaseException]:
    """The error and what it came from, the first cause last."""
    chain: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in chain:
        chain.append(link)
        grouped = getattr(link, "exceptions", None)
        if isinstance(grouped, tuple) and grouped:
            link = grouped[0]
        elif link.__cause__ is not None:
            link = link.__cause__
        else:
            link = None if link.__suppress_context__ else link.__context__
    return chain


def _frames(trace: TracebackType | None, places: Places) -> list[dict[str, Any]]:
    found = []
    for frame, line in traceback.walk_tb(trace):
        path = places.relative(frame.f_code.co_filename)
        if path is not None:
            text = linecache.getline(frame.f_code.co_filename, line).strip()
            found.append({"path": path, "line": line, "text": text})
    return found


def _syntax_frame(error: BaseException, places: Places) -> list[dict[str, Any]]:
    """A syntax error happens where no frame is: in the file being read."""
    if not isinstance(error, SyntaxError) or error.lineno is None:
        return []
    path = places.relative(error.filename or "")
    if path is None:
        return []
    return [{"path": path, "line": max(error.lineno, 1), "text": (error.text or "").strip()}]
