"""What a session leaves: a patch of what it changed, and its copy, to be looked at.

The caller has made sure that nothing runs in it any more.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

from bug_lsp.domain.budget import clip
from bug_lsp.domain.run import Base, Kind, Spec
from bug_lsp.domain.transcript import clean
from bug_lsp.store import files
from bug_lsp.store.copy_environment import remove_temporary_root
from bug_lsp.store.layout import SessionFolder
from bug_lsp.workspace import copies, git

from .room import Room

_PATCH_TOLD = 8_000
"""Characters of the patch that the orchestrator may read."""


def leave(
    folder: SessionFolder,
    base: Base,
    spec: Spec,
    room: Room,
    brought: Sequence[str] = (),
    *,
    has_patch: bool,
) -> str:
    """Keep the patch, without what was brought into the copy; returns its beginning, "" where there
    is none.
    """
    room.tidy()
    patch = _keep_patch(folder, base, brought) if has_patch else ""
    if spec.kind is Kind.PROOF or room.over:
        copies.remove(folder)  # what a proof tried in them is in the logs
    with contextlib.suppress(OSError):  # it is in the way of nobody
        remove_temporary_root(folder.scratch)
    return patch


def _keep_patch(folder: SessionFolder, base: Base, brought: Sequence[str]) -> str:
    copy = folder.copy / base.name
    if not (copy / ".git").exists():
        return ""
    try:
        patch = copies.diff(copy, base, folder.index, brought)
        files.replace(folder.patch, patch)
    except (git.GitError, OSError) as error:
        sys.stderr.write(f"no patch was kept: {error}\n")
        return ""
    return clip(clean(patch.decode(errors="replace")), _PATCH_TOLD)
