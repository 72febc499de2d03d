"""`bug-lsp clean`: removes what nobody needs any more, and says how much that was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bug_lsp.session import settings
from bug_lsp.session.housekeeping import Freed
from bug_lsp.session.housekeeping import clean as cleaned
from bug_lsp.store.layout import WorkspaceFolder, state_root

from .say import out
from .where import workspace_of

if TYPE_CHECKING:
    from .args import Options


def clean(options: Options) -> int:
    """Remove old runs, the copies of finished ones and leftovers."""
    keep = options.keep_runs if options.keep_runs is not None else settings.load().keep_runs
    freed = Freed()
    for workspace in _workspaces(options):
        freed += cleaned(workspace, keep, everything=options.all_finished, dry_run=options.dry_run)
    if options.json:
        out(freed.model_dump_json(by_alias=True))
    else:
        _say(freed, dry_run=options.dry_run)
    return 0


def _workspaces(options: Options) -> list[WorkspaceFolder]:
    if not options.all_workspaces:
        return [WorkspaceFolder.of(workspace_of(None, options.workspace).resolve())]
    root = state_root() / "workspaces"
    return [WorkspaceFolder(path) for path in sorted(root.iterdir())] if root.exists() else []


def _say(freed: Freed, *, dry_run: bool) -> None:
    parts = [
        _counted(freed.runs, "run"),
        _counted(freed.copies, "copy of a finished session", "copies of finished sessions"),
        _counted(freed.leftovers, "leftover"),
    ]
    what = ", ".join(part for part in parts if part) or "nothing"
    verb = "would remove" if dry_run else "removed"
    out(f"{verb} {what}: {freed.size_bytes / 1_000_000:,.1f} MB")
    kept = [
        (freed.unfinished, "not finished (`bug-lsp status` tells why)"),
        (freed.kept_latest, "the latest of a task file (--all-finished removes these too)"),
        (freed.kept_undelivered, "not delivered into the task file (--all-finished)"),
        (freed.kept_unreadable, "not readable by this version (--all-finished)"),
    ]
    for count, why in kept:
        if count:
            out(f"kept {_counted(count, 'run')}: {why}")


def _counted(number: int, one: str, several: str = "") -> str:
    if number == 0:
        return ""
    return f"1 {one}" if number == 1 else f"{number:,} {several or one + 's'}"
