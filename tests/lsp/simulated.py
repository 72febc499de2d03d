"""A client that can do what it says at `initialize` and nothing else: whatever it is asked beyond
that it has no handler for, and remembers.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from .editor import Editor

CAPABILITIES = Path(__file__).parent.parent / "client_capabilities"
NEEDS = {
    "window/workDoneProgress/create": ("window", "workDoneProgress"),
    "window/showDocument": ("window", "showDocument", "support"),
    "window/showMessageRequest": ("window", "showMessage"),
    "workspace/configuration": ("workspace", "configuration"),
    "workspace/applyEdit": ("workspace", "applyEdit"),
    "workspace/textDocumentContent/refresh": ("workspace", "textDocumentContent"),
    "workspace/codeLens/refresh": ("workspace", "codeLens", "refreshSupport"),
    "client/registerCapability": ("workspace", "didChangeWatchedFiles", "dynamicRegistration"),
    "client/unregisterCapability": ("workspace", "didChangeWatchedFiles", "dynamicRegistration"),
}
"""Requests of the server, and the capability that lets it make them."""


def capabilities(name: str) -> dict[str, Any]:
    """What a client sends, from the folder of recordings."""
    content = json.loads((CAPABILITIES / f"{name}.json").read_text())
    found: dict[str, Any] = content.get("params", content)["capabilities"]
    return found


def names() -> list[str]:
    """All recorded clients."""
    return sorted(path.stem for path in CAPABILITIES.glob("*.json"))


def has(found: object, path: tuple[str, ...]) -> bool:
    """Whether a capability is announced: an empty object counts, null and false do not."""
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return bool(found) or found == {}


class Simulated(Editor):
    """An editor that is asked only for what it has announced."""

    def __init__(self, root: Path, capabilities: dict[str, Any]) -> None:
        super().__init__(root, capabilities)
        for method in NEEDS:
            if not self.can(method):
                self.client.protocol.fm.features.pop(method, None)

    def can(self, method: str) -> bool:
        """Whether it may be asked for this."""
        return has(self.capabilities, NEEDS[method])

    def said(self, text: str) -> bool:
        """Whether the user was told this, in a message or in a question."""
        told = [*self.client.messages, *self.questions]
        return any(text in one.message for one in told)
