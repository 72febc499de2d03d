"""The seam between a session and whatever kind of agent it drives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from bug_lsp.domain.events import Event, Usage

Emit: TypeAlias = Callable[[Event], None]
"""Called by an agent on the event loop for each thing it does."""


def _no_follow_up(_answer: str) -> str | None:
    return None


async def _nobody_speaks() -> str:
    await asyncio.Event().wait()
    return ""


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of work for one agent."""

    prompt: str
    """What the agent is told."""
    cwd: Path
    """Where the agent works: the workspace folder inside the session's own copy."""
    copy: Path
    """The root of the session's own copy (the repository's top level). `cwd` is in it."""
    workspace: Path
    """The user's real workspace folder. Only to look at: their virtual environment is there."""
    scratch: Path
    """A private folder for temporary files of the agent; removed with the session's copy."""
    task: str = ""
    """What the user says of the bug, without what we say of the work."""
    shared: Path | None = None
    """A folder of the run, in which agents of ours keep what they need to find out but once."""
    beside: tuple[str, ...] = ()
    """The agents that work on the same bug in the same run: what one does anyway, no other need."""
    model: str | None = None
    read_only: bool = False
    test_command: str | None = None
    """A shell command that fails while the bug is there, if the user gave one."""
    python: str | None = None
    """The interpreter of the project, or its environment's folder, as the user's settings say."""
    selected_python: str | None = None
    """The same, as their editor says."""
    tests_near: tuple[str, ...] = ()
    """Files that the task names, from the workspace: the nearest environment is the one."""
    budget_seconds: float | None = None
    """How long an agent of ours that needs no model may take: it ends by itself by then, with what
    it has. None: as long as its session may."""
    command: tuple[str, ...] = ()
    """For an agent named by the user's settings: the program and its arguments."""
    confine: tuple[str, ...] = ()
    """Goes before the command line of every program that the agent starts; it holds that program to
    the folders of the session."""
    sources: tuple[Path, ...] = ()
    """Folders that the copy has something from: what is installed there as editable names them."""
    env: dict[str, str] = field(default_factory=dict)
    """What the user's settings add to the environment of the program."""
    listen: Callable[[], Awaitable[str]] = _nobody_speaks
    """Waits for what the user says to the agent while it works; for agents that can hear it then.
    What it returned must be said, or it is lost."""
    follow_up: Callable[[str], str | None] = _no_follow_up
    """Given the agent's answer: what to say next in the same conversation, None when done.
    What the user said and nobody listened to is among it."""

    @property
    def told(self) -> str:
        """The user's words about the bug; all that the agent is told where they are not apart."""
        return self.task or self.prompt


@dataclass(frozen=True, slots=True)
class Answer:
    """How an agent ended well."""

    text: str
    """Its last message, whole."""
    usage: Usage | None = None


class Agent(Protocol):
    """An agent. `run` returns when the agent has ended well, raises `AgentFailure` when it has
    not, and lets a cancellation pass after telling the agent to stop.
    """

    async def run(self, job: Job, emit: Emit) -> Answer:
        """Do the job, reporting each step through `emit`."""
        ...
