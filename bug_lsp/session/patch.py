"""A session's patch for the user's present code: what each file is to become, or why it cannot be.

Nothing is written here but what `to_disk` is told to. All or nothing: a patch of which one file
cannot be brought in is refused whole, and the reason of each such file is said.
"""

from __future__ import annotations

import os
import shlex
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bug_lsp.domain.checked import patch_facts
from bug_lsp.domain.errors import Refused
from bug_lsp.domain.proof import Proof
from bug_lsp.domain.run import Kind, Run
from bug_lsp.proof import Candidate, Workshop
from bug_lsp.proof.patches import Prepared
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder, SessionFolder
from bug_lsp.workspace import git, writing

from .findings import root_of
from .prove import labels_of
from .rework import Change, Present, Unfit

_MOST_SHOWN = 2_000_000
"""Bytes of a patch that is shown in a document."""
_TRIES = 5


@dataclass(frozen=True, slots=True)
class Offer:
    """A session's patch, and what was found out about it."""

    label: str
    """`Debug (2) claude`."""
    proven: bool
    facts: str
    """How it did in the proof, as a clause without emphasis."""
    root: Path
    """The folder that it is about."""
    file: Path
    """The patch itself."""

    @property
    def by_hand(self) -> str:
        """The command with which the user can bring it in themselves."""
        return self._git_apply("--3way")

    @property
    def backwards(self) -> str:
        """The command that takes it out again."""
        return self._git_apply("-R")

    def _git_apply(self, how: str) -> str:
        return shlex.join(["git", "-C", str(self.root), "apply", how, str(self.file)])

    @property
    def doubt(self) -> str:
        """Why it is not applied without force."""
        return f"the patch of {self.label} is not proven: {self.facts}"


@dataclass(frozen=True, slots=True)
class Plan:
    """What bringing a patch into the present code means."""

    offer: Offer
    changes: tuple[Change, ...]
    """None where all of it is in the code already."""


def offer(session: SessionFolder) -> Offer:
    """The patch of a session. Refused where there is none."""
    spec = runs.spec(session)
    run = runs.load(session.run)
    if spec.kind is not Kind.DEBUG:
        raise Refused(f"{spec.title} has no patch; only debug sessions change code")
    label = labels_of(run).get(spec.session_id, spec.title)
    if not session.result.exists():
        raise Refused(f"{label} has not ended; its patch is there when it has")
    if not session.patch.exists() or not session.patch.stat().st_size:
        raise Refused(f"{label} changed nothing, so there is no patch of it")
    root, file = root_of(run), session.patch
    proof = _proof_of(session.run, spec.session_id)
    if proof is None:
        return Offer(label, proven=False, facts=_untried(session.run), root=root, file=file)
    said = patch_facts(proof, spec.session_id).replace("**", "").replace("\\|", "|")
    if not proof.reproduced():
        said = f"nothing reproduces the bug; {said}"
    return Offer(label, proof.proven(spec.session_id), said, root, file)


def _proof_of(folder: RunFolder, session_id: str) -> Proof | None:
    """The latest proof that has tried the session's patch, which does not change any more."""
    for session in reversed(runs.proofs(folder)):
        ended = runs.result(session)
        proof = ended.proof if ended is not None else None
        if proof is not None and any(cell.session_id == session_id for cell in proof.cells):
            return proof
    return None


def _untried(folder: RunFolder) -> str:
    latest = runs.latest_proof(folder)
    if latest is not None and not latest.result.exists():
        return "it is being tried just now"
    return "it was not tried"


def plan(session: SessionFolder, buffers: Mapping[Path, str]) -> Plan:
    """What is to be done. `buffers` are the texts of the files that are open in an editor, by real
    path: those count, not what is on disk. Refused where it cannot be done.
    """
    offered = offer(session)
    run = runs.load(session.run)
    try:
        with tempfile.TemporaryDirectory(dir=session.path, prefix="apply-") as temporary:
            changes = _changes(run, session, offered, buffers, Path(temporary))
    except (git.GitError, OSError) as error:
        problem = " ".join(str(error).split())
        raise Refused(f"the patch of {offered.label} could not be read: {problem}") from error
    return Plan(offered, tuple(changes))


def _changes(
    run: Run, session: SessionFolder, offered: Offer, buffers: Mapping[Path, str], scratch: Path
) -> list[Change]:
    workshop = Workshop(run.base, scratch / "patches")
    prepared = workshop.prepare(Candidate(session.session_id, offered.label, session.patch))
    if prepared.problem or not prepared.files:
        why = prepared.problem or "it changes no file that an edit could change"
        raise Refused(f"the patch of {offered.label} was not applied: {why}")
    present = Present(offered.root, buffers, scratch)
    found, unfit = _each(present, workshop, prepared)
    if unfit:
        raise Refused(
            f"the patch of {offered.label} was not applied: {'; '.join(unfit)} (nothing was "
            f"changed; by hand: {offered.by_hand})"
        )
    return found


def _each(
    present: Present, workshop: Workshop, prepared: Prepared
) -> tuple[list[Change], list[str]]:
    originals = workshop.originals(sorted(prepared.files))
    found: list[Change] = []
    unfit: list[str] = []
    for name in sorted(prepared.files):
        try:
            change = present.change(name, originals.get(name), prepared.files[name])
        except Unfit as error:
            unfit.append(f"{os.fsencode(name).decode(errors='replace')} {error}")
        else:
            found += [change] if change is not None else []
    return found, unfit


def to_disk(session: SessionFolder, buffers: Mapping[Path, str]) -> Plan:
    """Bring the patch into the files on disk; `buffers` must not hold unsaved changes of them."""
    for _ in range(_TRIES):
        made = plan(session, {})
        unsaved = [one.name for one in made.changes if _is_unsaved(one, buffers)]
        if unsaved:
            raise Refused(
                f"the patch of {made.offer.label} was not applied: {', '.join(unsaved)} has "
                "unsaved changes, and the editor makes no edits for a server; save it first"
            )
        try:
            write(made.changes)
        except (writing.Stale, FileNotFoundError):
            continue  # saved or deleted meanwhile
        except OSError as error:
            raise Refused(
                f"the patch of {made.offer.label} was not applied: {error.filename}: "
                f"{error.strerror or error}"
            ) from error
        return made
    raise Refused("the files that the patch changes do not come to rest; try again")


def _is_unsaved(change: Change, buffers: Mapping[Path, str]) -> bool:
    text = buffers.get(change.path)
    if text is None:
        return False
    shown = text.removeprefix("\ufeff").replace("\r\n", "\n")
    return shown != (change.old or "").replace("\r\n", "\n")


def write(changes: Sequence[Change]) -> None:
    """Write changes on disk, all or none. Raises `writing.Stale` or `OSError`."""
    writing.write([change.write() for change in changes])


def document(session: SessionFolder) -> str:
    """The patch as a text to be read, which `git apply` takes as well."""
    offered = offer(session)
    run = runs.load(session.run)
    state = "proven" if offered.proven else "not proven"
    head = [
        f"The patch of {offered.label}: {run.title}",
        f"{state}: {offered.facts}",
        f"to apply it: applyPatch {session.session_id}; by hand: {offered.by_hand}",
    ]
    size = session.patch.stat().st_size
    if size > _MOST_SHOWN:
        head.append(f"{size:,} bytes are too many to be shown here: {session.patch}")
        return _comment(head)
    return _comment(head) + session.patch.read_bytes().decode(errors="replace")


def _comment(lines: Sequence[str]) -> str:
    return "".join(f"# {' '.join(line.split())}\n" for line in lines)
