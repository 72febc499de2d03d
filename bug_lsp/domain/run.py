"""A debug run and its sessions: what is fixed before the start, what came of it, and the
materialised status that is shown everywhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import PurePath
from typing import Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .copy_contents import CopyContents
from .errors import FailureKind
from .events import TokenUsage
from .ids import session_uri
from .model import StoredValue
from .proof import Proof
from .report import Report, Synthesis


class Status(StrEnum):
    """Where a session stands. The last three are terminal and never change."""

    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """Whether the session has ended."""
        return self in {Status.COMPLETED, Status.FAILED, Status.CANCELLED}


class Kind(StrEnum):
    """What a session is for."""

    DEBUG = "debug"
    PROOF = "proof"
    ORCHESTRATOR = "orchestrator"


class AgentChoice(StoredValue):
    """An agent asked for: its type and, where it has several, its model."""

    agent_type: str
    model: str | None = None


ConfinementMode: TypeAlias = Literal["auto", "required", "off"]
"""Whether agents are held to their copies: where the machine can, or else not started, or never."""


class CustomAgent(StoredValue):
    """A program named by the user's own settings."""

    type: Literal["command", "acp"]
    command: tuple[str, ...] = Field(min_length=1)
    env: dict[str, str] = Field(default_factory=dict)
    writable_paths: tuple[str, ...] = ()
    """What it may write beside its copy; `~` and `$NAME` are expanded."""


class LeftOut(StoredValue):
    """An agent that does not take part, as it certainly could not work; and why, as a clause."""

    agent_type: str
    reason: str


class Spec(StoredValue):
    """What a session is to do: fixed before it starts (`spec.json`)."""

    session_id: str
    kind: Kind
    agent_type: str
    model: str | None = None
    title: str
    retries: str | None = None
    """The debug session that this one takes the place of."""
    covers: tuple[str, ...] | None = None
    """Of a proof or an orchestrator: the debug sessions that it is about. None in runs of bug-lsp
    0.1.0."""
    stands_in_for: LeftOut | None = None
    """Of an orchestrator: the one that was asked for and certainly could not work."""


class Limits(StoredValue):
    """How much the debug sessions of a run may use, all together. None: as much as they like."""

    seconds: float | None = Field(default=None, gt=0)
    """Since the run was created."""
    tokens: int | None = Field(default=None, gt=0)
    cost_usd: float | None = Field(default=None, gt=0)
    """Sessions whose cost is unknown count as nothing."""


class Base(StoredValue):
    """The user's exact working state at the start of a run, as a commit in our own repository."""

    repository: str
    """Path of the private bare repository that holds the snapshot."""
    commit: str
    head: str | None
    """The user's HEAD, the parent of `commit`; None without history."""
    name: str
    """Name of the captured folder, kept as the name of each copy."""
    prefix: str
    """Where the workspace lies in the captured folder, POSIX, "" for its root."""
    sparse: bool = False
    """Whether the user has only a part of the files checked out; the copies hold the same part."""
    run_id: str = ""
    """The run whose snapshot it is; with it that part is found."""
    dependencies: tuple[str, ...] = ()
    """Untracked folders of installed packages, which the copies lack, by path from the root."""
    lacking: tuple[str, ...] = ()
    """Paths from the root whose present content the copies lack."""
    notes: tuple[str, ...] = ()
    """One sentence for each thing that the copies lack, with what to do."""


class Run(StoredValue):
    """A debug run as it was asked for (`run.json`): immutable, on disk before the first start."""

    version: Literal[1] = 1
    debug_run_id: str
    created_at: AwareDatetime
    title: str
    task_path: str
    workspace: str
    base: Base
    roster: tuple[Spec, ...]
    orchestrator: AgentChoice
    orchestrate: Literal["auto", "never"] = "auto"
    max_parallel_agents: int = 4
    session_timeout_seconds: float = 3600
    session_silence_seconds: float = 900
    straggler_seconds: float = 0
    """0: the others wait as long as it takes, as in runs of bug-lsp before there was this."""
    built_in_seconds: float | None = None
    session_output_limit_mb: int = Field(default=500, alias="sessionOutputLimitMB")
    session_disk_limit_mb: int = Field(default=10_000, alias="sessionDiskLimitMB")
    keep_runs: int = 200
    limits: Limits = Limits()
    test_command: str | None = None
    python: str | None = None
    """The project's interpreter, or its environment's folder, as the settings say."""
    selected_python: str | None = None
    """The same, as the editor says."""
    tests_near: tuple[str, ...] = ()
    """Files that the task names, from the workspace: the nearest environment is the one."""
    agents: dict[str, CustomAgent] = Field(default_factory=dict)
    confinement: ConfinementMode = "auto"
    writable_paths: tuple[str, ...] = ()
    prove: bool = True
    set_up_command: str | None = None
    suite_command: str | None = None
    tests_need_network: bool = False
    cell_timeout_seconds: float = 300
    contents: CopyContents = CopyContents()
    """What each copy has besides what git tracks."""
    left_out: tuple[LeftOut, ...] = ()
    """Default agents that do not take part."""
    preflight: tuple[str, ...] = ()
    """With which interpreter and how tests are run, and what is odd about that: a line each."""

    @property
    def checkout(self) -> PurePath:
        """The root of the user's checkout, of which `workspace` is a part."""
        workspace = PurePath(self.workspace)
        depth = len(PurePath(self.base.prefix).parts)
        return workspace.parents[depth - 1] if depth else workspace

    @property
    def superseded(self) -> frozenset[str]:
        """Sessions that were retried: another stands in their place."""
        return frozenset(spec.retries for spec in self.roster if spec.retries)

    @property
    def standing(self) -> tuple[Spec, ...]:
        """The debug sessions that count."""
        return tuple(spec for spec in self.roster if spec.session_id not in self.superseded)

    @property
    def task_uri(self) -> str:
        """The task file as a `file:` URI."""
        return PurePath(self.task_path).as_uri()


class Additions(StoredValue):
    """What the user added to a run after its start (`roster.json`)."""

    roster: tuple[Spec, ...] = ()
    agents: dict[str, CustomAgent] = Field(default_factory=dict)

    def to(self, run: Run) -> Run:
        """The run with them."""
        return run.model_copy(
            update={
                "roster": (*run.roster, *self.roster),
                "agents": {**run.agents, **self.agents},
            }
        )


class Failure(StoredValue):
    """Why a session failed: a kind to act on and a sentence to read."""

    kind: FailureKind
    message: str


class Result(StoredValue):
    """How a session ended (`result.json`): written once, last, and never changed.

    All texts are bounded, so that building a prompt from results costs O(cap), not O(output).
    """

    session_id: str
    status: Status
    failure: Failure | None = None
    ended_at: AwareDatetime
    message: str = ""
    """The agent's last message without its closing block, at most 30,000 characters."""
    report: Report | None = None
    report_problem: str | None = None
    synthesis: Synthesis | None = None
    proof: Proof | None = None
    """Of a proof: what it found out. Of an orchestrator: what the code says of its own findings."""
    usage: TokenUsage | None = None
    tool_calls: int = 0
    output_chars: int = 0
    head: str = ""
    """The first characters of the output."""
    tail: str = ""
    """The last ones; head and tail together are the whole output when it is short enough."""
    patch: str = ""
    """The beginning of what the session changed, as a diff."""


class Process(StoredValue):
    """Who a session process is: a pid alone may belong to a stranger tomorrow."""

    pid: int
    birth: str
    started_at: AwareDatetime


class Session(StoredValue):
    """A session as it is shown (wire, CLI, snapshot)."""

    session_id: str
    debug_run_id: str
    kind: Kind
    agent_type: str
    model: str | None
    title: str
    status: Status
    activity: str = ""
    started_at: AwareDatetime | None
    ended_at: AwareDatetime | None
    failure: Failure | None
    usage: TokenUsage | None
    uri: str
    retried_by: str | None = None
    """The session that was started in its place."""


class RunStatus(StoredValue):
    """A run as it is shown. Counts and `all_terminal` are of the debug sessions alone, without
    those that were retried.
    """

    debug_run_id: str
    task_uri: str
    title: str
    created_at: AwareDatetime
    sessions: tuple[Session, ...]
    all_terminal: bool
    total_count: int
    completed_count: int
    failed_count: int
    cancelled_count: int
    orchestrator: Session | None
    delivered: bool
    proof: Session | None = None
    """The latest one."""
    left_out: tuple[LeftOut, ...] = ()
    """Default agents that do not take part."""
    stands_in_for: LeftOut | None = None
    """The orchestrator that was asked for, where the digest speaks instead of it."""

    @property
    def everyone(self) -> tuple[Session, ...]:
        """All sessions that are shown, in the order in which they run."""
        return (*self.sessions, *filter(None, [self.proof, self.orchestrator]))


class Facts(StoredValue):
    """What the disk says of one session."""

    spec: Spec
    process: Process | None = None
    result: Result | None = None
    activity: str = ""
    usage: TokenUsage | None = None

    @property
    def status(self) -> Status:
        """Derived, never stored: a result is terminal, a process runs, else it waits."""
        if self.result is not None:
            return self.result.status
        return Status.PENDING if self.process is None else Status.RUNNING


def materialise_session(run_id: str, facts: Facts) -> Session:
    """One session as it is shown."""
    spec, process, result = facts.spec, facts.process, facts.result
    return Session(
        session_id=spec.session_id,
        debug_run_id=run_id,
        kind=spec.kind,
        agent_type=spec.agent_type,
        model=spec.model,
        title=spec.title,
        status=facts.status,
        activity="" if result else facts.activity,
        started_at=process.started_at if process else None,
        ended_at=result.ended_at if result else None,
        failure=result.failure if result else None,
        usage=result.usage if result else facts.usage,
        uri=session_uri(run_id, spec.session_id),
    )


def materialise(
    run: Run,
    debug: Sequence[Facts],
    proof: Facts | None,
    orchestrator: Facts | None,
    *,
    delivered: bool,
) -> RunStatus:
    """The run as it is shown, derived from the sessions' own files alone: whoever computes it gets
    the same. `proof` and `orchestrator` are the latest ones.
    """
    statuses = [facts.status for facts in debug if facts.spec.session_id not in run.superseded]
    retried = {spec.retries: spec.session_id for spec in run.roster if spec.retries}
    return RunStatus(
        debug_run_id=run.debug_run_id,
        task_uri=run.task_uri,
        title=run.title,
        created_at=run.created_at,
        sessions=tuple(
            materialise_session(run.debug_run_id, facts).model_copy(
                update={"retried_by": retried.get(facts.spec.session_id)}
            )
            for facts in debug
        ),
        all_terminal=all(status.terminal for status in statuses),
        total_count=len(statuses),
        completed_count=statuses.count(Status.COMPLETED),
        failed_count=statuses.count(Status.FAILED),
        cancelled_count=statuses.count(Status.CANCELLED),
        orchestrator=materialise_session(run.debug_run_id, orchestrator) if orchestrator else None,
        delivered=delivered,
        proof=materialise_session(run.debug_run_id, proof) if proof else None,
        left_out=run.left_out,
        stands_in_for=orchestrator.spec.stands_in_for if orchestrator else None,
    )
