"""`bug-lsp doctor --copies`: what a session's copy of this project would hold. Changes nothing."""

from __future__ import annotations

from pathlib import Path

from bug_lsp.domain.copy_contents import WAY_OUT, Extra, size_in_words
from bug_lsp.domain.model import Value
from bug_lsp.session import settings
from bug_lsp.workspace import git, ignored, limits
from bug_lsp.workspace.limits import Limit, TooMuch
from bug_lsp.workspace.untracked import find_untracked

from .say import out
from .where import workspace_of

_WAYS = {"copied": "copied", "linked": "linked, for reading", "leftOut": "NOT in the copies"}


class Copies(Value):
    """What copies hold besides the files that git tracks."""

    checkout: str
    """The root of the checkout."""
    extras: tuple[Extra, ...]
    set_up_command: str | None
    """What is run to make the rest."""


def copies(workspace: Path | None, *, as_json: bool) -> int:
    """Say what would be brought into a copy, what not, and why."""
    found = _look(workspace_of(None, workspace))
    if as_json:
        out(found.model_dump_json(by_alias=True))
    else:
        _say(found)
    return 0


def _look(workspace: Path) -> Copies:
    chosen = settings.load()
    root = Path(git.maybe("rev-parse", "--show-toplevel", cwd=workspace) or workspace).resolve()
    contents = ignored.plan(root, chosen.worktree_include, _untracked_dependencies(root))
    return Copies(checkout=str(root), extras=contents.extras, set_up_command=chosen.set_up_command)


def _untracked_dependencies(root: Path) -> list[str]:
    limit = Limit(limits.NEW_LIMIT_FILES, limits.NEW_LIMIT_BYTES)
    try:
        return find_untracked(root, git.Settled.of(root, {}), limit).dependencies
    except (git.GitError, TooMuch):  # no repository, or one that a run would refuse
        return []


def _say(found: Copies) -> None:
    out(f"a copy of {found.checkout} holds what git tracks, with your changes, untracked files and")
    for extra in found.extras:
        size = f", {size_in_words(extra.size)}" if extra.size is not None else ""
        reason = f" ({extra.reason}{size})" if extra.reason else ""
        out(f"  {_WAYS[extra.way]}: {extra.path}{reason}")
    if not found.extras:
        out("  nothing else: git ignores nothing that tests could need")
    if found.set_up_command is not None:
        out(f"  what `{found.set_up_command}` makes (setUpCommand)")
    if any(extra.way == "leftOut" for extra in found.extras):
        out(f"if a test needs what is left out, {WAY_OUT}")
