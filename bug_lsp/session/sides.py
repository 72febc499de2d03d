"""The two sides of a session's patch: each file as the run began with it, and as the session made
it, for editors that show differences themselves. Nothing is written but in the session's folder.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bug_lsp.domain.errors import Refused
from bug_lsp.proof import Candidate
from bug_lsp.proof.patches import Prepared, Workshop
from bug_lsp.proof.tree import Kept
from bug_lsp.store import runs
from bug_lsp.store.layout import SessionFolder
from bug_lsp.workspace import git

from .patch import Offer, offer

_MOST_SHOWN = 2_000_000
"""Bytes of a file that is shown in a document."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A file that a patch changes, by its path in the project."""

    path: str
    before: bool
    """Whether it was there."""
    after: bool
    """Whether it is there with the patch."""


def changed(session: SessionFolder) -> tuple[Offer, list[Changed]]:
    """The patch of a session and the files that it changes. Refused where there is none."""
    offered = offer(session)
    with tempfile.TemporaryDirectory(dir=session.path, prefix="sides-") as scratch:
        workshop, prepared = _applied(session, offered, Path(scratch))
        originals = workshop.originals(sorted(prepared.files))
        return offered, [
            Changed(name, name in originals, prepared.files[name] is not None)
            for name in sorted(prepared.files)
        ]


def text(session: SessionFolder, side: Literal["before", "after"], path: str) -> str:
    """One side of one file; "" where it is not there."""
    with tempfile.TemporaryDirectory(dir=session.path, prefix="sides-") as scratch:
        workshop, prepared = _applied(session, offer(session), Path(scratch))
        if path not in prepared.files:
            raise Refused(f"the patch does not change {path}")
        if side == "after":
            return _shown(prepared.files[path])
        return _shown(workshop.originals([path]).get(path))


def _applied(session: SessionFolder, offered: Offer, scratch: Path) -> tuple[Workshop, Prepared]:
    try:
        workshop = Workshop(runs.load(session.run).base, scratch / "patches")
        candidate = Candidate(session.session_id, offered.label, session.patch)
        prepared = workshop.prepare(candidate)
    except (git.GitError, OSError) as error:
        problem = " ".join(str(error).split())
        raise Refused(f"the patch of {offered.label} could not be read: {problem}") from error
    if prepared.problem:
        raise Refused(f"the patch of {offered.label} cannot be shown: {prepared.problem}")
    return workshop, prepared


def _shown(kept: Kept | None) -> str:
    if kept is None:
        return ""
    if kept.path.is_symlink():
        return str(kept.path.readlink())
    size = kept.path.stat().st_size
    if size > _MOST_SHOWN:
        return f"{size:,} bytes are too many to be shown here\n"
    return kept.path.read_bytes().decode(errors="replace")
