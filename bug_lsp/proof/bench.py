"""What is given to the proof of patches, and what comes back."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bug_lsp.domain.proof import Cell, Patch, Reproduction, Suite
from bug_lsp.domain.run import Base
from bug_lsp.workspace.extras import Source


@dataclass(frozen=True, slots=True)
class Candidate:
    """One session's patch."""

    session_id: str
    label: str
    """How it is called on the screen: `Debug (2)`."""
    patch: Path
    """Its `patch.diff`; it may be empty or missing."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where and how cells are run."""

    base: Base
    """The snapshot."""
    workspace: Path
    """The user's real workspace. Only to look at: their virtual environment is there."""
    scratch: Path
    """A private folder. Everything is made below it; whoever made it removes it afterwards."""
    logs: Path
    """A folder for the logs of cells, which are kept."""
    confine: tuple[str, ...] = ()
    """Goes before every command line; `scratch` can be written under it."""
    slots: int = 2
    """How many cells at the same time."""
    first_copy: int = 1
    """The number of the first slot's copy among all copies of the run."""
    cell_seconds: float = 300.0
    whole_seconds: float = 1800.0
    """After that many seconds the cells that are left are not run."""
    task: str = ""
    """What the user says of the bug: it may name the tests that show it."""
    test_command: str | None = None
    """A shell command that fails while the bug is there."""
    sources: tuple[Source, ...] = ()
    """What copies get besides what git tracks."""
    python: str | None = None
    """The interpreter of the project, or its environment's folder, as the user's settings say."""
    selected_python: str | None = None
    """The same, as their editor says."""
    tests_near: tuple[str, ...] = ()
    """Files that the task names, from the workspace: the nearest environment is the one."""
    suite_command: str | None = None
    """A shell command that runs the project's tests; it wins over what would be found."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it."""

    reproductions: tuple[Reproduction, ...] = ()
    suite: Suite | None = None
    patches: tuple[Patch, ...] = ()
    """In the order of the candidates."""
    cells: tuple[Cell, ...] = ()
    """By candidate, then by check: `R1`, `R2`, ..., `suite`."""
    notes: tuple[str, ...] = ()
    copies_lack: tuple[str, ...] = ()
