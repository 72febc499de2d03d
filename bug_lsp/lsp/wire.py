"""What goes over the wire: the arguments of the commands and the shapes of their results.

Names are camelCase; an unknown key is refused, so that a typing mistake does not pass in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from pydantic import Field, ValidationError

from bug_lsp.domain.errors import BadInput
from bug_lsp.domain.model import Value
from bug_lsp.domain.run import Kind, RunStatus, Session
from bug_lsp.store.layout import RunFolder

_T = TypeVar("_T", bound=Value)


class Position(Value):
    """As in LSP: counted from 0."""

    line: int = Field(ge=0)
    character: int = Field(ge=0)


class Range(Value):
    """As in LSP."""

    start: Position
    end: Position


class ContextArgument(Value):
    """What the user was looking at."""

    uri: str
    range: Range | None = None
    diagnostics: tuple[Any, ...] = ()
    """LSP diagnostics, or plain sentences."""


class AgentArgument(Value):
    """An agent asked for."""

    agent_type: str
    model: str | None = None


class DebugWithAgents(Value):
    """Start a debug run."""

    title: str | None = None
    task_uri: str | None = None
    description: str | None = None
    agents: tuple[AgentArgument, ...] | None = None
    context: ContextArgument | None = None
    test_command: str | None = None
    python: str | None = None
    """The interpreter, or the environment's folder, that is selected in the editor."""
    orchestrate: Literal["auto", "never"] = "auto"

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """A bare string is a task file's URI or a title."""
        return {"taskUri": text} if text.startswith("file:") else {"title": text}


class RunArgument(Value):
    """A run; the newest of the current task file where it is not named."""

    debug_run_id: str | None = None

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """A bare string is the run's id."""
        return {"debugRunId": text}


class Orchestrate(RunArgument):
    """Start the orchestrator, or find the one there is."""

    force: bool = False


class SessionArgument(Value):
    """A session; asked for, or the only one running, where it is not named."""

    session_id: str | None = None

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """A bare string is the session's id."""
        return {"sessionId": text}


class RetrySession(SessionArgument):
    """Start a debug session again, with another agent where one is named."""

    agent_type: str | None = None
    model: str | None = None


class AddAgent(RunArgument):
    """Add a debug session to a run."""

    agent_type: str
    model: str | None = None


class MessageSession(SessionArgument):
    """Say something to an agent at work."""

    text: str = Field(min_length=1, max_length=100_000)


class OfSession(Value):
    """A session, which must be named."""

    session_id: str

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """A bare string is the session's id."""
        return {"sessionId": text}


class ApplyPatch(OfSession):
    """Bring a session's patch into the code."""

    force: bool = False
    """Although it is not proven."""


class ListRuns(Value):
    """Which runs to list."""

    task_uri: str | None = None
    limit: int = Field(default=50, ge=1, le=10_000)

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """A bare string is a task file's URI."""
        return {"taskUri": text}


class TaskArgument(Value):
    """A task file; the current one where it is not named."""

    task_uri: str | None = None

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """A bare string is the task file's URI."""
        return {"taskUri": text}


class DismissFinding(Value):
    """A finding not to be shown any more; or, with `dismissed: false`, again."""

    finding_id: str
    dismissed: bool = True

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """A bare string is the finding's id."""
        return {"findingId": text}


class OpenPlace(Value):
    """A line of a file to be shown."""

    uri: str
    line: int = Field(default=1, ge=1)
    """Counted from 1."""

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """A bare string is the file's URI."""
        return {"uri": text}


class CreateDemo(Value):
    """Where the demo's project is to be made."""

    folder_uri: str

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """A bare string is the folder's address."""
        return {"folderUri": text}


class Nothing(Value):
    """No argument."""

    @classmethod
    def from_text(cls, text: str) -> dict[str, Any]:
        """Nothing can be said with a string."""
        raise BadInput("argument", f"{text!r} is not expected; this command takes none")


def from_wire(model: type[_T], arguments: Sequence[Any]) -> _T:
    """The one argument of a command, validated; `BadInput` names the field that is wrong."""
    if len(arguments) > 1:
        raise BadInput("arguments", f"one object is expected, not {len(arguments)}")
    argument = arguments[0] if arguments else None
    if isinstance(argument, str):
        argument = model.from_text(argument)  # type: ignore[attr-defined]
    if argument is None:
        argument = {}
    if not isinstance(argument, dict):
        raise BadInput("arguments", "one object is expected")
    try:
        return model.model_validate(argument)
    except ValidationError as error:
        first = error.errors()[0]
        place = "".join(
            f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"]
        ).lstrip(".")
        message = str(first["msg"])
        if first["type"] == "extra_forbidden":
            message = "there is no such key in this command's argument"
        raise BadInput(place or "arguments", message) from error


def _has_patch(folder: RunFolder, session: Session) -> bool:
    if session.kind is not Kind.DEBUG or not session.status.terminal:
        return False
    try:
        return folder.session(session.session_id).patch.stat().st_size > 0
    except OSError:
        return False


def session_to_wire(session: Session, folder: RunFolder, *, virtual: bool) -> dict[str, Any]:
    """A session, with the address under which this client can open its document."""
    shown = session.model_dump(mode="json", by_alias=True)
    shown["hasPatch"] = _has_patch(folder, session)
    if not virtual:
        shown["uri"] = folder.session(session.session_id).output.as_uri()
    return shown


def status_to_wire(status: RunStatus, folder: RunFolder, *, virtual: bool) -> dict[str, Any]:
    """A run, its sessions with addresses that this client can open."""
    shown = status.model_dump(mode="json", by_alias=True)
    shown["sessions"] = [session_to_wire(one, folder, virtual=virtual) for one in status.sessions]
    for name, one in (("proof", status.proof), ("orchestrator", status.orchestrator)):
        if one is not None:
            shown[name] = session_to_wire(one, folder, virtual=virtual)
    return shown


def group_to_wire(
    status: RunStatus, later: Sequence[Session], folder: RunFolder, *, virtual: bool
) -> dict[str, Any]:
    """A run as one group of sessions by kind."""
    shown = status_to_wire(status, folder, virtual=virtual)
    return {
        "debugRunId": status.debug_run_id,
        "createdAt": shown["createdAt"],
        str(Kind.DEBUG): shown["sessions"],
        **{
            str(kind): [
                session_to_wire(session, folder, virtual=virtual)
                for session in later
                if session.kind is kind
            ]
            for kind in (Kind.PROOF, Kind.ORCHESTRATOR)
        },
    }
