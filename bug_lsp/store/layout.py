"""Where everything is: state folder, workspace, run, session. Paths only; nothing is read here."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from .files import make_private


def state_root() -> Path:
    """The user's state folder for bug-lsp, never inside a repository: a clone must not be able to
    plant state. `BUG_LSP_STATE_DIR` overrides it.
    """
    override = os.environ.get("BUG_LSP_STATE_DIR")
    if override:
        return Path(override)
    import platformdirs

    return platformdirs.user_state_path("bug-lsp", appauthor=False)


def program_lock(name: str, home: str) -> Path:
    """A lock for a program that must not be started twice at once in one home of its own."""
    digest = hashlib.sha256(os.fsencode(home)).hexdigest()[:12]
    return make_private(state_root() / "locks") / f"{name}-{digest}.lock"


@dataclass(frozen=True, slots=True)
class SessionFolder:
    """One session's folder. Only its session process writes in it, but for claims and a cancel."""

    path: Path

    @property
    def session_id(self) -> str:
        """The folder is named by the session."""
        return self.path.name

    @property
    def run(self) -> RunFolder:
        """The run this session belongs to."""
        return RunFolder(self.path.parent.parent)

    @property
    def spec(self) -> Path:
        """What to run (immutable)."""
        return self.path / "spec.json"

    @property
    def prompt(self) -> Path:
        """What the agent is told (immutable)."""
        return self.path / "prompt.md"

    @property
    def start_claim(self) -> Path:
        """Who starts the session process."""
        return self.path / "start.claim"

    @property
    def process(self) -> Path:
        """The session process, written by itself, once."""
        return self.path / "process.json"

    @property
    def cancel(self) -> Path:
        """Somebody asked for the session to be cancelled."""
        return self.path / "cancel.json"

    @property
    def inbox(self) -> Path:
        """What the user tells the agent while it works, one file a message."""
        return self.path / "inbox"

    @property
    def events(self) -> Path:
        """Normalised events, one JSON object a line."""
        return self.path / "events.jsonl"

    @property
    def output(self) -> Path:
        """The same, readable."""
        return self.path / "output.md"

    @property
    def log(self) -> Path:
        """Standard error of the session process and its agent."""
        return self.path / "agent.log"

    @property
    def result(self) -> Path:
        """How it ended: written once, atomically, last."""
        return self.path / "result.json"

    @property
    def patch(self) -> Path:
        """What the session changed in its copy."""
        return self.path / "patch.diff"

    @property
    def logs(self) -> Path:
        """Of a proof: the output of each try."""
        return self.path / "logs"

    @property
    def copy(self) -> Path:
        """Holds the session's own copy of the code."""
        return self.path / "copy"

    @property
    def index(self) -> Path:
        """Git's index of the copy as it was checked out."""
        return self.path / "index"

    @property
    def scratch(self) -> Path:
        """Temporary files of the agent."""
        return self.path / "scratch"


@dataclass(frozen=True, slots=True)
class RunFolder:
    """One run's folder, named by its debugRunId."""

    path: Path

    @property
    def run_id(self) -> str:
        """The debugRunId."""
        return self.path.name

    @property
    def workspace(self) -> WorkspaceFolder:
        """The workspace this run belongs to."""
        return WorkspaceFolder(self.path.parent.parent)

    @property
    def run(self) -> Path:
        """What was asked for (immutable)."""
        return self.path / "run.json"

    @property
    def additions(self) -> Path:
        """Sessions that the user added after the start."""
        return self.path / "roster.json"

    @property
    def wanted(self) -> Path:
        """The user asked for a synthesis of what is there."""
        return self.path / "synthesise"

    @property
    def snapshot(self) -> Path:
        """The materialised run."""
        return self.path / "snapshot.json"

    @property
    def lock(self) -> Path:
        """Held while the gate decides."""
        return self.path / "lock"

    @property
    def standby(self) -> Path:
        """A pipe, at which who is to be the orchestrator waits."""
        return self.path / "standby"

    @property
    def cancelled(self) -> Path:
        """The user cancelled the whole run."""
        return self.path / "cancelled"

    @property
    def set_up_failed(self) -> Path:
        """Why the set-up command did not succeed: it is not run again for each session."""
        return self.path / "set-up.failed"

    @property
    def shared(self) -> Path:
        """What agents of ours found out and need but once, such as what the tests do."""
        return self.path / "shared"

    @property
    def sessions(self) -> Path:
        """The sessions' folders."""
        return self.path / "sessions"

    def session(self, session_id: str) -> SessionFolder:
        """One session's folder."""
        return SessionFolder(self.sessions / session_id)

    def orchestrator_claim(self, number: int) -> Path:
        """Who orchestrates: `orchestrator.claim`, after a force `orchestrator.2.claim`, ..."""
        return self.path / ("orchestrator.claim" if number == 1 else f"orchestrator.{number}.claim")

    def proof_claim(self, number: int) -> Path:
        """Who proves: `proof.claim`, after the roster has grown `proof.2.claim`, ..."""
        return self.path / ("proof.claim" if number == 1 else f"proof.{number}.claim")

    def delivery_claim(self, session_id: str) -> Path:
        """Who writes this session's conclusion into the task file."""
        return self.path / f"delivery.{session_id}.claim"

    def delivered(self, session_id: str) -> Path:
        """Says that this session's conclusion is in the task file, or why it cannot be."""
        return self.path / f"delivered.{session_id}.json"


@dataclass(frozen=True, slots=True)
class WorkspaceFolder:
    """What bug-lsp keeps of one workspace."""

    path: Path

    @classmethod
    def of(cls, workspace: Path) -> WorkspaceFolder:
        """The state folder of a workspace, named by its name and a hash of its real path."""
        real = workspace.resolve()
        digest = hashlib.sha256(os.fsencode(real)).hexdigest()[:12]
        name = "".join(c if c.isalnum() or c in "-_." else "-" for c in real.name)[:40] or "root"
        return cls(state_root() / "workspaces" / f"{name}-{digest}")

    def create(self) -> WorkspaceFolder:
        """Make sure that the folders are there."""
        own = (self.runs, self.active, self.tasks, self.servers, self.findings, self.dismissed)
        for folder in own:
            make_private(folder)
        return self

    @property
    def runs(self) -> Path:
        """One folder a run."""
        return self.path / "runs"

    @property
    def active(self) -> Path:
        """An empty file for each run that is not finished: attaching need not open the others."""
        return self.path / "active"

    @property
    def tasks(self) -> Path:
        """For each task file an empty file a run: its runs are found without opening the others."""
        return self.path / "tasks"

    @property
    def findings(self) -> Path:
        """What the latest synthesis of each task file found: one file a task."""
        return self.path / "findings"

    def findings_of(self, task_path: Path) -> Path:
        """What the latest synthesis of one task file found."""
        return self.findings / f"{_digest(task_path)}.json"

    @property
    def dismissed(self) -> Path:
        """An empty file for each finding that the user does not want to see any more."""
        return self.path / "dismissed"

    @property
    def servers(self) -> Path:
        """Who wants to be told of changes: one pipe and one card for each live reader."""
        return self.path / "servers"

    @property
    def repository(self) -> Path:
        """Our own bare repository, which holds the snapshots and serves the copies."""
        return self.path / "repository.git"

    @property
    def set_ups(self) -> Path:
        """What set-up commands have made: a twin of the code each, which copies link to."""
        return self.path / "set-ups"

    @property
    def git_lock(self) -> Path:
        """Held around git commands that change our repository."""
        return self.path / "git.lock"

    @property
    def task_lock(self) -> Path:
        """Held around writing a conclusion into a task file."""
        return self.path / "task.lock"

    def run(self, run_id: str) -> RunFolder:
        """One run's folder."""
        return RunFolder(self.runs / run_id)

    def task_index(self, task_path: Path) -> Path:
        """The folder that lists the runs of one task file."""
        return self.tasks / _digest(task_path)


def _digest(task_path: Path) -> str:
    return hashlib.sha256(os.fsencode(task_path)).hexdigest()[:24]
