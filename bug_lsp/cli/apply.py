"""`bug-lsp apply`: a session's patch, brought into the files on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bug_lsp.domain.errors import Refused
from bug_lsp.session import patch
from bug_lsp.store import runs
from bug_lsp.store.layout import SessionFolder, WorkspaceFolder

from .say import note, out
from .where import workspace_of

if TYPE_CHECKING:
    from .args import Options


def apply(options: Options) -> int:
    """Apply the patch of the session that was named. Refused where it is not proven."""
    workspace = workspace_of(None, options.workspace).resolve()
    session = _named(WorkspaceFolder.of(workspace), options.session)
    offer = patch.offer(session)
    if not offer.proven and not options.force:
        raise Refused(
            f"{offer.doubt}; look at it in {session.patch}, or apply it all the same with --force"
        )
    made = patch.to_disk(session, {})
    for one in made.changes:
        out(f"{one.how:8} {one.name}")
    if made.changes:
        note(f"to take the patch of {offer.label} out again: {offer.backwards}")
    else:
        note(f"the patch of {offer.label} is in your code already")
    return 0


def _named(folder: WorkspaceFolder, wanted: str) -> SessionFolder:
    """The session whose id begins like this."""
    found = [
        run.session(path.name)
        for run in runs.newest(folder)
        if run.run.exists()
        for path in sorted(run.sessions.iterdir())
        if path.name.startswith(wanted.lower())
    ]
    if not wanted or not found:
        raise Refused(
            f"there is no session {wanted!r} here; `bug-lsp status RUN` tells which there are, "
            "--workspace names another folder"
        )
    if len(found) > 1:
        raise Refused(f"{len(found)} sessions begin with {wanted!r}; give more of the id")
    return found[0]
