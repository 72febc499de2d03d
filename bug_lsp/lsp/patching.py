"""The commands that show a session's patch and bring it into the user's code: through the editor's
buffers in one edit, which can be undone; on disk only what the editor cannot do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from anyio.to_thread import run_sync
from lsprotocol import types

from bug_lsp.domain.errors import Refused
from bug_lsp.domain.ids import patch_uri, side_uri
from bug_lsp.domain.splices import splices
from bug_lsp.session import patch, sides
from bug_lsp.session.patch import Plan
from bug_lsp.session.rework import MARK, Change
from bug_lsp.store.layout import SessionFolder
from bug_lsp.workspace.writing import Stale

from . import wire
from .answering import command
from .client import path_of
from .edits import Edits, Made, TextEdits
from .server import BugLspServer

_TRIES = 5
_Create, _Delete = types.ResourceOperationKind.Create, types.ResourceOperationKind.Delete


@command("showPatch", wire.OfSession)
async def show_patch(server: BugLspServer, argument: wire.OfSession) -> dict[str, Any]:
    """Show a session's patch as a diff."""
    session = server.session(argument.session_id)
    offer = await run_sync(patch.offer, session)
    uri = session.patch.as_uri()
    if server.client.has_virtual_documents:
        uri = patch_uri(session.run.run_id, session.session_id)
    if not server.client.has_show_document:
        server.client.say(f"The patch of {offer.label} ({offer.facts}): {session.patch}")
        return {"uri": uri, "shown": False}
    return {"uri": uri, "shown": await server.client.show(uri, focus=True)}


@command("getSessionPatch", wire.OfSession)
async def get_session_patch(server: BugLspServer, argument: wire.OfSession) -> dict[str, Any]:
    """What a session changed, file by file, for an editor that shows differences itself."""
    session = server.session(argument.session_id)
    offer, changed = await run_sync(sides.changed, session)
    return {
        "label": offer.label,
        "proven": offer.proven,
        "facts": offer.facts,
        "files": [
            {
                "path": one.path,
                "before": _side(session, "before", one.path) if one.before else None,
                "after": _side(session, "after", one.path) if one.after else None,
            }
            for one in changed
        ],
    }


def _side(session: SessionFolder, side: str, path: str) -> str:
    return side_uri(session.run.run_id, session.session_id, side, path)


@command("applyPatch", wire.ApplyPatch)
async def apply_patch(server: BugLspServer, argument: wire.ApplyPatch) -> dict[str, Any]:
    """Bring a session's patch into the code. Refused where it is not proven, but for `force`."""
    session = server.session(argument.session_id)
    offer = await run_sync(patch.offer, session)
    if not offer.proven and not argument.force:
        raise Refused(
            f"{offer.doubt}; look at it with showPatch, or apply it all the same with force"
        )
    try:
        server.client.patching.acquire_nowait()
    except anyio.WouldBlock as error:
        raise Refused("another patch is being applied; try again when it is") from error
    try:
        if server.client.has_edits:
            outcome = await _in_editor(server, session)
        else:
            outcome = await _on_disk(server, session)
    finally:
        server.client.patching.release()
    for one in outcome.changes:  # on disk: some clients do not tell of it
        server.diagnostics.changed_on_disk(server.uri_of(one.path))
    if outcome.message is not None:
        kind = types.MessageType.Info if outcome.applied else types.MessageType.Warning
        server.client.say(outcome.message, kind)
    return {
        "applied": outcome.applied,
        "files": [{"uri": server.uri_of(one.path), "how": one.how} for one in outcome.changes],
        "message": outcome.message,
    }


@dataclass(frozen=True, slots=True)
class _Open:
    """An open file at one moment."""

    uri: str
    version: int | None
    text: str


@dataclass(frozen=True, slots=True)
class _Outcome:
    applied: bool
    changes: Sequence[Change] = ()
    message: str | None = None


async def _on_disk(server: BugLspServer, session: SessionFolder) -> _Outcome:
    made = await run_sync(patch.to_disk, session, _texts(_documents(server)))
    if not made.changes:
        return _nothing_left(made)
    notes = [f"the patch of {made.offer.label} was written on disk", *_merged(made.changes)]
    notes.append(f"to take it out again: {made.offer.backwards}")
    return _Outcome(applied=True, changes=made.changes, message="; ".join(notes))


async def _in_editor(server: BugLspServer, session: SessionFolder) -> _Outcome:
    answer = Made(applied=False)
    for _ in range(_TRIES):
        documents = _documents(server)
        made = await run_sync(patch.plan, session, _texts(documents))
        if not made.changes:
            return _nothing_left(made)
        if _is_past(server, documents, made):
            continue
        edits, rest = _divided(server, made, documents)
        label = f"bug-lsp: patch of {made.offer.label}"
        answer = await server.client.edit(edits, label) if edits.any() else Made(applied=True)
        if answer.applied:
            return await _finished(made, documents, rest)
        if not _is_past(server, documents, made):
            break  # it was not the version: asked again it would be the same
    why = f": {answer.reason}" if answer.reason else ""
    return _Outcome(
        applied=False,
        message=f"the editor did not let the patch of {made.offer.label} in{why}; "
        f"by hand: {made.offer.by_hand}",
    )


def _nothing_left(made: Plan) -> _Outcome:
    said = f"the patch of {made.offer.label} is in your code already"
    return _Outcome(applied=True, message=said)


async def _finished(
    made: Plan, documents: Mapping[Path, _Open], rest: Sequence[Change]
) -> _Outcome:
    """The editor has made its part: now what it cannot do."""
    changes, notes = list(made.changes), _merged(made.changes)
    closed = [
        one.name
        for one in made.changes
        if one not in rest and one.how != "deleted" and one.path not in documents
    ]
    if closed:
        notes.append(f"{', '.join(closed)} changed without being open: save all to keep it")
    for one in rest:
        try:
            await run_sync(patch.write, [one])
        except (Stale, OSError):
            changes.remove(one)
            what = "created" if one.on_disk is None else "deleted"
            notes.append(f"{one.name} was to be {what}, but changed meanwhile and was left")
    return _Outcome(applied=True, changes=changes, message="; ".join(notes) or None)


def _merged(changes: Sequence[Change]) -> list[str]:
    names = [one.name for one in changes if one.how == "merged"]
    return [f"{', '.join(names)} merged with what was changed since"] if names else []


def _divided(
    server: BugLspServer, made: Plan, documents: Mapping[Path, _Open]
) -> tuple[Edits, list[Change]]:
    """What the client is asked for, and what is left to be done on disk."""
    client = server.client
    texts: list[TextEdits] = []
    created: list[tuple[str, str]] = []
    deleted: list[str] = []
    rest: list[Change] = []
    for one in made.changes:
        document = documents.get(one.path)
        uri = document.uri if document is not None else server.uri_of(one.path)
        if one.old is not None and one.new is not None:
            mark = MARK if one.marked and document is not None else ""  # as it is in its buffer
            edits = splices(mark + one.old, mark + one.new)
            version = document.version if document is not None else None
            texts.append(TextEdits(uri, version, mark + one.old, edits))
        elif one.new is not None and client.has_operation(_Create) and _is_plain(one):
            created.append((uri, one.new))
        elif one.new is None and client.has_operation(_Delete):
            deleted.append(uri)
        else:
            rest.append(one)
    return Edits(tuple(texts), tuple(created), tuple(deleted)), rest


def _is_plain(one: Change) -> bool:
    """Whether an editor would write a new file of that text just so."""
    return not one.executable and not one.marked and "\r" not in (one.new or "")


def _documents(server: BugLspServer) -> dict[Path, _Open]:
    """The open files as they are now, by real path."""
    found = ((path_of(one.uri), one) for one in server.workspace.text_documents.values())
    return {path.resolve(): _Open(one.uri, one.version, one.source) for path, one in found if path}


def _texts(documents: Mapping[Path, _Open]) -> dict[Path, str]:
    return {path: document.text for path, document in documents.items()}


def _is_past(server: BugLspServer, documents: Mapping[Path, _Open], made: Plan) -> bool:
    """Whether a file that is to change was changed, opened or closed since the plan was made."""
    now = _documents(server)
    return any(
        documents.get(one.path) != now.get(one.path)
        or ((one.path not in documents or one.new is None) and one.is_past())
        for one in made.changes
    )
