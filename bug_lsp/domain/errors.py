"""Every error bug-lsp raises on purpose.

BugLspError
├── BadInput           the caller's argument is wrong; names the field      (LSP -32602, exit 2)
├── Refused            a right question at a wrong moment or place          (LSP -32803, exit 1)
└── AgentFailure       a session's agent did not succeed; has a FailureKind (kept in result.json)

Each message is one sentence for a person: what was wrong and what to do next.
"""

from __future__ import annotations

from enum import StrEnum


class FailureKind(StrEnum):
    """Why a session failed; the names are those of the wire."""

    NOT_INSTALLED = "notInstalled"
    AUTH = "auth"
    QUOTA = "quota"
    RATE_LIMIT = "rateLimit"
    PERMISSION = "permission"
    CONTEXT = "context"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    EMPTY_OUTPUT = "emptyOutput"
    NOT_APPLICABLE = "notApplicable"
    COPY_DIFFERS = "copyDiffers"
    LOST = "lost"
    INTERNAL = "internal"


class BugLspError(Exception):
    """Base of all errors whose text is meant for the user."""

    @property
    def message(self) -> str:
        """The sentence to show."""
        return str(self)


class BadInput(BugLspError):
    """An argument is wrong. `field` is its name as the caller wrote it."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class Refused(BugLspError):
    """The request is well formed but cannot be done now or here."""


class AgentFailure(BugLspError):
    """An agent ended without success."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        super().__init__(message)
        self.kind = kind
