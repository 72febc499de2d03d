"""What the dialects share: ids, frames, the point to cut at, and what errors say."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from typing import Any

_ids = itertools.count(1)


class _Cut:
    pass


CUT = _Cut()
Frames = Iterator[bytes | _Cut]

ERROR_TEXT = {
    400: "Scripted bad request",
    401: "Scripted: invalid credentials",
    403: "Scripted: forbidden",
    404: "Scripted: no such model",
    429: "Scripted: rate limit reached",
    500: "Scripted internal error",
    529: "Scripted: overloaded",
}


def new_id(prefix: str) -> str:
    return f"{prefix}_{next(_ids):06d}"


def sse(data: dict[str, Any], event: str | None = None) -> bytes:
    head = f"event: {event}\n" if event else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()
