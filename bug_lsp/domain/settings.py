"""What the user can set, with its defaults. Where it comes from is the concern of others."""

from __future__ import annotations

from pydantic import Field

from .model import Value
from .run import AgentChoice, ConfinementMode, CustomAgent, Limits


class Settings(Value):
    """The `bugLsp` section."""

    default_agents: tuple[str, ...] = Field(
        default=("codex", "claude", "spectrum", "repair", "bisect"), min_length=1, max_length=16
    )
    """Agents of a run that names none; those that certainly cannot work are left out."""
    tasks_dir: str = "tasks"
    """Where new task files go, relative to the workspace."""
    orchestrator: AgentChoice = AgentChoice(agent_type="codex")
    max_parallel_agents: int = Field(default=4, ge=1, le=64)
    session_timeout_seconds: float = Field(default=3600, gt=0, le=7 * 24 * 3600)
    session_silence_seconds: float = Field(default=900, gt=0, le=7 * 24 * 3600)
    """A session that shows no sign of life for so long is ended."""
    straggler_seconds: float = Field(default=120, ge=0, le=7 * 24 * 3600)
    """How long the others wait for the last one when they have ended; 0: as long as it takes."""
    built_in_seconds: float = Field(default=120, gt=0, le=7 * 24 * 3600)
    """How long an agent of ours that needs no model may take; it keeps to that itself."""
    session_output_limit_mb: int = Field(
        default=500, ge=1, le=1_000_000, alias="sessionOutputLimitMB"
    )
    """How much is recorded of what a session does; the session goes on."""
    session_disk_limit_mb: int = Field(
        default=10_000, ge=1, le=10_000_000, alias="sessionDiskLimitMB"
    )
    """A session whose copy has grown by more is ended."""
    keep_runs: int = Field(default=200, ge=1, le=1_000_000)
    """How many finished runs a workspace keeps. Never taken from a file in the workspace."""
    run_limits: Limits = Limits()
    agents: dict[str, CustomAgent] = Field(default_factory=dict)
    """Programs named by the user, by agent type. Never taken from a file in the workspace."""
    worktree_include: tuple[str, ...] = ()
    """Files that git ignores and copies get, beside those of the file `.worktreeinclude`: patterns
    as in .gitignore, with `!` in front for what they do not get."""
    prove: bool = True
    """Whether what agents claim is checked by program before the orchestrator speaks."""
    set_up_command: str | None = None
    """Run in a clean copy before anything is tried in it. Never taken from a file in the workspace,
    as is the next one."""
    suite_command: str | None = None
    """The project's tests, where they are not found without it."""
    tests_need_network: bool = False
    """Whether tests that bug-lsp runs have the network from the start. Never taken from a file in
    the workspace."""
    python: str | None = None
    """The project's interpreter, or the folder of its environment, where it is not found or another
    is wanted. Never taken from a file in the workspace."""
    cell_timeout_seconds: float = Field(default=300, gt=0, le=24 * 3600)
    """How long one try of one patch may take."""
    confinement: ConfinementMode = "auto"
    """Never taken from a file in the workspace, as are the paths."""
    writable_paths: tuple[str, ...] = ()
    """What every agent may write beside its copy; `~` and `$NAME` are expanded."""
