"""Runs with programs as agents, and waiting for what they do."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import select
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bug_lsp.domain.run import AgentChoice, CustomAgent, Result, RunStatus, Session, Status
from bug_lsp.domain.settings import Settings
from bug_lsp.session.start import Request, start_run
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder, SessionFolder, WorkspaceFolder
from bug_lsp.store.pokes import Bell

_LOOK_AGAIN = 0.1


def wait_until(
    true: Callable[[], object], *, workspace: WorkspaceFolder, deadline: float = 120.0
) -> None:
    """Wait until it is true, looking again whenever a writer pokes.

    Some things happen without a poke (a process dies, a file of the test's own appears), so it
    also looks again ten times a second: the one place in the tests that does.
    """
    until = time.monotonic() + deadline
    with Bell(workspace.create(), f"test-{os.getpid()}-{secrets.token_hex(4)}") as bell:
        while not true():
            assert time.monotonic() < until, "it did not happen in time"
            select.select([bell.fileno()], [], [], _LOOK_AGAIN)
            bell.hear()


def program(
    code: str,
    *arguments: object,
    env: Mapping[str, str] | None = None,
    writes: Sequence[Path] = (),
) -> CustomAgent:
    """An agent that is a few lines of Python; arguments are in `sys.argv`."""
    command = (sys.executable, "-I", "-S", "-c", code, *map(str, arguments))
    writable = tuple(map(str, writes))
    return CustomAgent(
        type="command", command=command, env=dict(env or {}), writable_paths=writable
    )


def says(text: str) -> CustomAgent:
    """Prints this text."""
    return program("import sys; sys.stdout.write(sys.argv[1])", text)


def block(value: Mapping[str, Any]) -> str:
    """A closing block."""
    return f"```json\n{json.dumps(value)}\n```\n"


FINDING = {
    "claim": "The tax is subtracted",
    "path": "shop/tax.py",
    "line": 3,
    "quote": "    return price - price * rate",
    "confidence": "high",
}
REPORT = {
    "rootCause": "with_tax subtracts",
    "findings": [FINDING],
    "fix": "Add instead.",
    "verification": "The test passes.",
}
SYNTHESIS = {
    "rootCause": "The tax is subtracted at shop/tax.py:3.",
    "recommendedSolution": "Add it.",
    "implementationSteps": ["Change the sign.", "Run the tests."],
}
FINDS = says(f"I found it.\n\n{block(REPORT)}")
CONCLUDES = says(f"## Root cause\n\nThe sign.\n\n{block(SYNTHESIS)}")
"""An orchestrator."""
EXITS_3 = program(
    "import sys; print('half an answer'); print('no disk', file=sys.stderr); sys.exit(3)"
)
WAITS = program("import time; print('ready', flush=True); time.sleep(600)")
STUBBORN = program(
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "print('ready', flush=True); time.sleep(600)"
)
WITH_CHILDREN = program(
    "import os, time\n"
    "for hide in (False, True):\n"
    "    if os.fork() == 0:\n"
    "        os.setsid()\n"
    "        if hide and os.fork(): os._exit(0)\n"
    "        time.sleep(600)\n"
    "print('ready', flush=True); time.sleep(600)"
)
"""Leaves children in sessions of their own, one of them a grandchild whose parent is gone."""


class Turnstile:
    """Lets waiting agents go, one for each `let_go`. They wait in the system, without a timer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        os.mkfifo(path)
        self._descriptor = os.open(path, os.O_RDWR)

    def agent(self, text: str = "done") -> CustomAgent:
        """Says `ready`, waits to be let go, then says the text."""
        code = (
            "import os, sys\n"
            "print('ready', flush=True)\n"
            "os.read(os.open(sys.argv[1], os.O_RDONLY), 1)\n"
            "print(sys.argv[2])"
        )
        return program(code, self.path, text, writes=[self.path])

    def let_go(self, count: int = 1) -> None:
        """Let this many agents go, waiting now or later."""
        os.write(self._descriptor, b"." * count)

    def close(self) -> None:
        """Let all of them go."""
        os.close(self._descriptor)


@contextlib.contextmanager
def turnstile(path: Path) -> Iterator[Turnstile]:
    """A turnstile that is open when the test is over, however it ends."""
    made = Turnstile(path)
    try:
        yield made
    finally:
        made.close()


@dataclass(frozen=True)
class Started:
    """A run that a test started."""

    folder: RunFolder

    @property
    def status(self) -> RunStatus:
        """As it is on disk now."""
        return runs.status(self.folder)

    @property
    def sessions(self) -> list[SessionFolder]:
        """The folders of its debug sessions, in order."""
        roster = runs.load(self.folder).roster
        return [self.folder.session(spec.session_id) for spec in roster]

    @property
    def orchestrators(self) -> list[SessionFolder]:
        """The folders of its orchestrators, in order."""
        return runs.orchestrators(self.folder)

    @property
    def orchestrator(self) -> Session:
        """Its latest orchestrator."""
        latest = self.status.orchestrator
        assert latest is not None
        return latest

    @property
    def task(self) -> Path:
        """Its task file."""
        return Path(runs.load(self.folder).task_path)

    @property
    def text(self) -> str:
        """The text of its task file."""
        return self.task.read_bytes().decode()

    def result(self, number: int = 0) -> Result:
        """How a debug session ended."""
        found = runs.result(self.sessions[number])
        assert found is not None
        return found

    def output(self, number: int = 0) -> str:
        """What a debug session has said so far."""
        path = self.sessions[number].output
        return path.read_text() if path.exists() else ""

    def wait(self, true: Callable[[], object], deadline: float = 120.0) -> None:
        """Wait until it is true."""
        wait_until(true, workspace=self.folder.workspace, deadline=deadline)

    def wait_for(self, number: int, status: Status) -> None:
        """Wait until a debug session stands like this."""
        self.wait(lambda: self.status.sessions[number].status is status)

    def wait_ready(self, *numbers: int) -> None:
        """Wait until these agents have said that they are ready."""
        self.wait(lambda: all("ready" in self.output(number) for number in numbers))

    def wait_all_terminal(self) -> None:
        """Wait until every debug session has ended."""
        self.wait(lambda: self.status.all_terminal)

    def wait_finished(self) -> Started:
        """Wait until nothing runs and nothing is left to do."""
        self.wait(lambda: not (self.folder.workspace.active / self.folder.run_id).exists())
        return self


def start(
    workspace: Path,
    *agents: CustomAgent | str,
    orchestrator: CustomAgent | str = "digest",
    settings: Mapping[str, Any] | None = None,
    **request: Any,
) -> Started:
    """Start a run: its agents are called `agent1`, `agent2` and so on, or by their own name."""
    custom = {f"agent{number}": agent for number, agent in enumerate(agents, start=1)}
    names = [agent if isinstance(agent, str) else name for name, agent in custom.items()]
    made = {name: agent for name, agent in custom.items() if isinstance(agent, CustomAgent)}
    if isinstance(orchestrator, CustomAgent):
        made["boss"] = orchestrator
        orchestrator = "boss"
    asked = Settings(
        agents=made, orchestrator=AgentChoice(agent_type=orchestrator), **(settings or {})
    )
    if "task" not in request:
        request.setdefault("title", "Prices are too low")
    return Started(start_run(_request(workspace, names, request), asked))


def _request(workspace: Path, names: Sequence[str], more: Mapping[str, Any]) -> Request:
    choices = tuple(AgentChoice(agent_type=name) for name in names)
    return Request(workspace=workspace, agents=choices, **more)
