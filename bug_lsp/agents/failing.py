"""What is the same in the failures of all vendors' agents: what a status of the model service
means, and the sentence for the user. In what shape an error comes is each vendor's own.

Pure. Nothing here ever raises.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bug_lsp.domain.errors import AgentFailure, FailureKind

from .text import one_line

MAX_DETAIL = 300
BY_STATUS: Mapping[int, FailureKind] = {
    401: FailureKind.AUTH,
    402: FailureKind.QUOTA,
    403: FailureKind.PERMISSION,
    413: FailureKind.CONTEXT,
    429: FailureKind.RATE_LIMIT,
    503: FailureKind.RATE_LIMIT,
    529: FailureKind.RATE_LIMIT,
}
"""What an HTTP status of a model service means."""
_SENTENCE: Mapping[FailureKind, str] = {
    FailureKind.AUTH: "{name} is not logged in: {login}",
    FailureKind.QUOTA: "{name}'s usage limit is reached: wait for it to renew or use another agent",
    FailureKind.RATE_LIMIT: "{name}'s model service is busy: try again in a few minutes",
    FailureKind.CONTEXT: "The work is too long for {name}'s model: narrow the task or change model",
    FailureKind.PERMISSION: "{name} was refused: {access}",
    FailureKind.NOT_INSTALLED: "{name} cannot be started: check its installation",
    FailureKind.INTERNAL: "{name} failed: run it again, or `{program}` by hand to see why",
}


@dataclass(frozen=True, slots=True)
class Vendor:
    """Whose agent it is that fails, and what its user can do."""

    name: str
    """As users know it."""
    program: str
    login: str
    """What to do where it is not logged in, as the end of a sentence."""
    access: str = "check your account's access to the model"
    """What to do where it was refused something, as the end of a sentence."""

    def failed(self, kind: FailureKind, detail: str = "") -> AgentFailure:
        """A failure of this kind in a sentence, with what the agent says in brackets."""
        sentence = _SENTENCE[kind].format(
            name=self.name, program=self.program, login=self.login, access=self.access
        )
        detail = one_line(detail, MAX_DETAIL)
        return AgentFailure(kind, f"{sentence} ({detail})" if detail else sentence)

    def crashed(self, detail: str) -> AgentFailure:
        """The process ended in a way that is no answer."""
        return AgentFailure(
            FailureKind.CRASHED,
            f"The {self.program} process ended unexpectedly: {detail or 'run it again'}",
        )


def by_words(*words: tuple[str, FailureKind]) -> Callable[[str], FailureKind]:
    """Finds the kind that a text speaks of: that of the first pattern in it, else `INTERNAL`."""
    compiled = [(re.compile(pattern, re.IGNORECASE), kind) for pattern, kind in words]

    def kind_by_text(text: str) -> FailureKind:
        return next((kind for regex, kind in compiled if regex.search(text)), FailureKind.INTERNAL)

    return kind_by_text


def settled(kind: FailureKind | None, by_text: FailureKind) -> FailureKind:
    """The kind that an error names, if any, beside the one that its words speak of."""
    # A spent quota comes as a 429 too, and waiting a few minutes does not help there.
    if kind is FailureKind.RATE_LIMIT and by_text is FailureKind.QUOTA:
        return by_text
    return kind or by_text


def message_in_json(text: str) -> str:
    """A service's own JSON error reduced to its message; any other text as it is."""
    try:
        message = json.loads(text)["error"]["message"]
    except (ValueError, TypeError, KeyError):
        return text
    return message if isinstance(message, str) else text
