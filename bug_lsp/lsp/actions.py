"""Code actions: what can be done about a finding, with a task file, and with what the user has
under the cursor. They are asked for at every move of it, so nothing is read from disk for a file
that is no task file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from lsprotocol import types

from bug_lsp.domain.findings import OfferedPatch
from bug_lsp.domain.headline import title_for
from bug_lsp.domain.transcript import one_line

from .announced import TASK_KIND
from .client import path_of
from .diagnostic import SOURCE
from .panel import Offer, links, panel
from .placed import Placed
from .server import BugLspServer
from .text import text_between

_MOST_PATCHES = 4
_LEAST_SELECTED = 3
"""Characters: some editors always have one selected."""
_MOST_SELECTED = 20_000
_TITLE = 110


async def code_actions(
    server: BugLspServer, params: types.CodeActionParams
) -> list[types.CodeAction | types.Command]:
    """All that is offered for this range, the best first."""
    uri = params.text_document.uri
    found = [
        *_about_findings(server, params),
        *_about_others(server, params),
        *await _about_task(server, uri, params.range),
        *_about_selection(server, params),
    ]
    wanted = params.context.only
    if wanted is not None:
        found = [one for one in found if any(_is_kind(one.kind, str(kind)) for kind in wanted)]
    if not server.client.has_code_action_literals:
        return [one.command for one in found if one.command is not None]
    return list(found)


def _is_kind(kind: types.CodeActionKind | str | None, wanted: str) -> bool:
    name = str(getattr(kind, "value", kind))
    return not wanted or name == wanted or name.startswith(f"{wanted}.")


def _action(
    offer: Offer,
    kind: str = TASK_KIND,
    diagnostics: list[types.Diagnostic] | None = None,
    *,
    preferred: bool = False,
) -> types.CodeAction:
    return types.CodeAction(
        title=offer.title,
        kind=kind,
        diagnostics=diagnostics or None,
        is_preferred=preferred or None,
        command=offer.as_command(),
    )


def _about_findings(
    server: BugLspServer, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    path = path_of(params.text_document.uri)
    ours = {str(one.code): one for one in params.context.diagnostics if one.source == SOURCE}
    if path is None:
        return
    lines = params.range.start.line, params.range.end.line
    for placed in server.diagnostics.at(path, *lines, frozenset(ours)):
        about = [ours[placed.finding.id]] if placed.finding.id in ours else None
        for number, offer in enumerate(_offers(placed)):
            best = number == 0 and offer.command == "applyPatch" and "force" not in offer.argument
            yield _action(offer, types.CodeActionKind.QuickFix, about, preferred=best)


def _offers(placed: Placed) -> Iterator[Offer]:
    task, finding = placed.task, placed.finding
    patches = [patch for patch in task.patches if patch.proven or finding.path in patch.files][
        :_MOST_PATCHES
    ]
    yield from map(_apply, patches)
    for patch in patches:
        argument = {"sessionId": patch.session_id}
        yield Offer(f"Show the patch of {patch.label}", "showPatch", argument)
    for patch in patches:
        if patch.label not in finding.labels:
            continue
        argument = {"sessionId": patch.session_id}
        yield Offer(f"Open the session {patch.label}", "openSession", argument)
    claim = one_line(finding.claim, 60)
    yield Offer(f"Dismiss: {claim}", "dismissFinding", {"findingId": finding.id})


def _apply(patch: OfferedPatch) -> Offer:
    argument = {"sessionId": patch.session_id}
    if patch.proven:
        return Offer(f"Apply the patch of {patch.label} ({patch.facts})", "applyPatch", argument)
    return Offer(
        f"Apply the patch of {patch.label} all the same ({patch.facts})",
        "applyPatch",
        {**argument, "force": True},
    )


def _about_others(
    server: BugLspServer, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    """A bug that another server has reported."""
    others = [one for one in params.context.diagnostics if one.source != SOURCE]
    if not others:
        return
    path = path_of(params.text_document.uri)
    reported = [server.as_json(one) for one in others]
    first = others[0]
    line = first.range.start.line + 1
    title = title_for(first.message, _name(server, path), line, roots=_folders(server))
    whole = types.Range(
        start=min((one.range.start for one in others), key=_order),
        end=max((one.range.end for one in others), key=_order),
    )
    context = {
        "uri": params.text_document.uri,
        "range": server.as_json(whole),
        "diagnostics": reported,
    }
    offer = Offer(
        f"Debug this with agents: {one_line(title, _TITLE)}",
        "debugWithAgents",
        {"title": title, "context": context},
    )
    yield _action(offer, types.CodeActionKind.QuickFix, others)


def _order(position: types.Position) -> tuple[int, int]:
    return position.line, position.character


def _about_selection(
    server: BugLspServer, params: types.CodeActionParams
) -> Iterator[types.CodeAction]:
    document = server.document(params.text_document.uri)
    if document is None or params.range.start == params.range.end:
        return
    selected = text_between(document, params.range)[:_MOST_SELECTED]
    if len(selected.strip()) < _LEAST_SELECTED:
        return
    path = path_of(params.text_document.uri)
    name = _name(server, path)
    line = params.range.start.line + 1
    title = title_for(selected, name, line, roots=_folders(server))
    context = {"uri": params.text_document.uri, "range": server.as_json(params.range)}
    yield _action(
        Offer(
            f"Debug the selection with agents: {one_line(title, _TITLE)}",
            "debugWithAgents",
            {"context": context},  # the title is made of what its frames mean on disk
        )
    )


def _folders(server: BugLspServer) -> list[str]:
    return [str(folder) for folder in server.folders()]


def _name(server: BugLspServer, path: Path | None) -> str:
    """A file's path as people write it: from the workspace folder. "" for what is no file."""
    if path is None:
        return ""
    for folder in server.folders():
        if path.is_relative_to(folder):
            return path.relative_to(folder).as_posix()
    return path.name


async def _about_task(server: BugLspServer, uri: str, where: types.Range) -> list[types.CodeAction]:
    shown = await panel(server, uri)
    if shown is None:
        return []
    offers = [*shown.steering(), *shown.patches()]
    if not server.client.has_links and server.client.has_show_document:
        for link in await links(server, uri):
            if link.range.start.line <= where.start.line <= link.range.end.line and link.target:
                address, _, line = link.target.partition("#L")
                title = f"Go to {address.rpartition('/')[2]}:{line}"
                offers.append(Offer(title, "openPlace", {"uri": address, "line": int(line)}))
    return [_action(offer) for offer in offers]
