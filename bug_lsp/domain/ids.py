"""Identifiers. A debugRunId begins with the time counted down, so that the newest run sorts first
by its name alone and no folder has to be opened to list the latest runs.
"""

from __future__ import annotations

import re
import secrets
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import quote, unquote

_COUNTDOWN = (1 << 48) - 1
_RUN = re.compile(r"[0-9a-f]{16}")
_SESSION = re.compile(r"[0-9a-f]{12}")


def new_run_id(now_ms: int) -> str:
    """16 hex digits: 12 of the milliseconds since 1970 counted down, 4 random."""
    return f"{_COUNTDOWN - now_ms:012x}{secrets.token_hex(2)}"


def created_at(run_id: str) -> datetime:
    """When the run of this id was created: its name says so."""
    return datetime.fromtimestamp((_COUNTDOWN - int(run_id[:12], 16)) / 1000, UTC)


def new_session_id() -> str:
    """12 random hex digits."""
    return secrets.token_hex(6)


def is_run_id(text: str) -> bool:
    """Whether the text has the form of a debugRunId; says nothing about whether it exists."""
    return _RUN.fullmatch(text) is not None


def is_session_id(text: str) -> bool:
    """Whether the text has the form of a sessionId."""
    return _SESSION.fullmatch(text) is not None


def session_uri(run_id: str, session_id: str) -> str:
    """The address of a session's live document."""
    return f"bug-lsp:/runs/{run_id}/{session_id}.md"


def patch_uri(run_id: str, session_id: str) -> str:
    """The address of a session's patch, shown as a diff."""
    return f"bug-lsp:/runs/{run_id}/{session_id}.diff"


def side_uri(run_id: str, session_id: str, side: str, path: str) -> str:
    """The address of one side of a session's patch: a file `before` it or `after` it."""
    return f"bug-lsp:/runs/{run_id}/{session_id}/{side}/{quote(path, errors='surrogateescape')}"


_URI = re.compile(r"bug-lsp:/*runs/([0-9a-f]{16})/([0-9a-f]{12})\.(md|diff)")
_SIDE = re.compile(r"bug-lsp:/*runs/([0-9a-f]{16})/([0-9a-f]{12})/(before|after)/(.+)", re.DOTALL)


def parse_session_uri(uri: str) -> tuple[str, str] | None:
    """(debugRunId, sessionId) of a live document's address, None if it is not one."""
    return _parsed(uri, "md")


def parse_patch_uri(uri: str) -> tuple[str, str] | None:
    """(debugRunId, sessionId) of the address of a patch, None if it is not one."""
    return _parsed(uri, "diff")


def _parsed(uri: str, kind: str) -> tuple[str, str] | None:
    match = _URI.fullmatch(uri)
    return (match[1], match[2]) if match and match[3] == kind else None


def parse_side_uri(uri: str) -> tuple[str, str, Literal["before", "after"], str] | None:
    """(debugRunId, sessionId, side, path) of the address of a side, None if it is not one."""
    match = _SIDE.fullmatch(uri)
    if match is None:
        return None
    side: Literal["before", "after"] = "before" if match[3] == "before" else "after"
    return match[1], match[2], side, unquote(match[4], errors="surrogateescape")
