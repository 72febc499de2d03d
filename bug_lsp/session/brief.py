"""Makes a task file's body of what a caller pointed at: finds the places in the workspace, reads
the code around them (where an editor has a file open its buffer counts) and asks git who changed
it last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path, PurePosixPath
from typing import TypeAlias

from bug_lsp.domain.brief import MOST_PLACES, Brief, Place, language, render, window
from bug_lsp.domain.context import Context, Diagnostic
from bug_lsp.domain.frames import Frame, bare, frames
from bug_lsp.domain.headline import headline, in_library, title_for, titled
from bug_lsp.domain.places import Outside, Places
from bug_lsp.domain.source import split_lines
from bug_lsp.workspace import history, sources

TextOf: TypeAlias = Callable[[Path], str | None]
"""The text of a file in the editor, None where it is not open there."""
_MOST_FRAMES = 200
"""Frames of a trace that are looked for in the workspace."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a new task file says."""

    title: str
    body: str


def complete(context: Context, workspace: Path, text_of: TextOf) -> Context:
    """The context with the text of its lines, if the editor has the file open or it can be read."""
    if context.text or not context.path or context.start_line is None:
        return context
    text, _ = _Code(workspace, text_of).text(context.path)
    if text is None:
        return context
    lines = split_lines(text)[context.start_line - 1 : context.end_line or context.start_line]
    return context.model_copy(update={"text": "".join(f"{line}\n" for line in lines)})


def told(context: Context, workspace: Path, text_of: TextOf) -> Told:
    """A title and a body. Both are "" where nothing is known."""
    code = _Code(workspace, text_of)
    context = complete(context, workspace, text_of)
    if context.diagnostics:
        return _of_diagnostics(context, code)
    return _of_selection(context, code)


def _of_diagnostics(context: Context, code: _Code) -> Told:
    first = context.diagnostics[0]
    places = [_reported(context, one) for one in context.diagnostics]
    places += [
        Place(note.path, note.line, note.line, note=note.message)
        for one in context.diagnostics
        for note in one.notes
    ]
    found = _apart(place for place in places if place is not None)
    traced = _Trace(code, "\n".join(one.message for one in context.diagnostics))
    found += [place for place in traced.places if not _covered(place, found)]
    # Of a text that is no file nobody else can see the code: it is told whole.
    brief = code.brief(found, Brief(
        path=context.path,
        diagnostics=context.diagnostics,
        selected="" if context.path else context.text,
        foreign_frames=traced.foreign,
    ))  # fmt: skip
    return Told(title_for(first.message, context.path, first.line), render(brief))


def _of_selection(context: Context, code: _Code) -> Told:
    start, end = context.start_line, context.end_line or context.start_line
    here = Place(context.path, start, end or start) if context.path and start else None
    if here is not None and _inside(here.path) and language(here.path):
        # Code is shown where it stands.
        body = render(code.brief([here], Brief()))
        return Told(title_for(context.text, context.path, start), body)
    trace = _Trace(code, context.text)
    selected_in = context.path
    if here is not None and start is not None:
        selected_in = f"{context.path}:{start}" + (f"-{end}" if end and end > start else "")
    brief = Brief(selected=context.text, selected_in=selected_in, foreign_frames=trace.foreign)
    body = render(code.brief(trace.places, brief))
    what, own = headline(context.text), trace.innermost
    if own is not None:
        return Told(titled(what, own.path, own.line), body)
    return Told(titled(what, context.path, start), body)


def _reported(context: Context, one: Diagnostic) -> Place | None:
    line = one.line or context.start_line
    return Place(context.path, line, line) if context.path and line else None


class _Code:
    """The workspace's code, as the editor has it."""

    def __init__(self, workspace: Path, text_of: TextOf) -> None:
        self.workspace = workspace
        self._text_of = text_of
        self._texts: dict[str, tuple[str | None, bool]] = {}

    @cached_property
    def names(self) -> Places:
        return Places(sources.names(self.workspace), roots=(str(self.workspace),))

    def text(self, name: str) -> tuple[str | None, bool]:
        """(the text of a file, whether it is not that on disk)."""
        if name not in self._texts:
            buffer = self._text_of(self.workspace / name)
            on_disk = sources.read(self.workspace, name) if _inside(name) else None
            if buffer is None:
                self._texts[name] = on_disk, False
            else:
                differs = split_lines(buffer) != split_lines(on_disk or "")
                self._texts[name] = buffer, differs and _inside(name)
        return self._texts[name]

    def shown(self, place: Place) -> Place:
        """The place with the code around it."""
        text, unsaved = self.text(place.path)
        lines = _without_last(split_lines(text)) if text is not None else []
        if place.line > len(lines):
            return replace(place, unsaved=unsaved)
        first, last = window(place.line, place.end_line)
        return replace(place, first=first, lines=tuple(lines[first - 1 : last]), unsaved=unsaved)

    def brief(self, places: Sequence[Place], rest: Brief) -> Brief:
        """The brief with the places, their code and their history."""
        shown = [self.shown(place) for place in places[:MOST_PLACES]]
        asked = [place for place in shown if place.lines]
        state, blames = history.look(
            self.workspace,
            [
                history.Lines(
                    place.path,
                    place.first,
                    place.first + len(place.lines) - 1,
                    self.text(place.path)[0] if place.unsaved else None,
                )
                for place in asked
            ],
        )
        known = dict(zip(map(id, asked), blames, strict=True))
        return replace(
            rest,
            places=tuple(
                replace(place, blame=known[id(place)]) if id(place) in known else place
                for place in shown
            ),
            more_places=len(places) - len(shown),
            state=state,
        )

    def find(self, path: str) -> str | None:
        """The file of the workspace that a frame's path means, None for none or for several."""
        try:
            found = self.names.named(path)
        except Outside:
            found = []
        if found:
            return found[0]
        group = next(iter(self.names.like(path)), [])
        if len(group) != 1:
            return None
        given = [part.casefold() for part in PurePosixPath(path.replace("\\", "/")).parts]
        known = [part.casefold() for part in PurePosixPath(group[0]).parts]
        whole = [self.workspace.name.casefold(), *known]
        # All of the shorter one, and more than a name that any project may have.
        ends_alike = _ends_with(given, known) and len(known) > 1
        if _ends_with(given, whole) or _ends_with(known, given) or ends_alike:
            return group[0]
        return None


def _ends_with(parts: Sequence[str], end: Sequence[str]) -> bool:
    return len(end) <= len(parts) and list(parts[len(parts) - len(end) :]) == list(end)


class _Trace:
    """What a text names of the workspace."""

    def __init__(self, code: _Code, text: str) -> None:
        self.foreign = 0
        self.places: list[Place] = []
        self.innermost: Place | None = None
        for frame in frames(text)[:_MOST_FRAMES] if text.strip() else []:
            name = self._name(code, frame)
            if name is not None:
                if any((name, frame.line) == (one.path, one.line) for one in self.places):
                    continue
                place = Place(name, frame.line, frame.line, function=bare(frame.function))
                self.places.append(place)
                self.innermost = self.innermost or place
            elif not frame.plain:
                self.foreign += 1

    @staticmethod
    def _name(code: _Code, frame: Frame) -> str | None:
        inside = frame.path.startswith(f"{code.workspace}/")
        if in_library(frame) and not inside:
            return None
        return code.find(frame.path)


def _apart(places: Iterable[Place]) -> list[Place]:
    """The places in the workspace, without those that are seen around another one anyhow."""
    kept: list[Place] = []
    for place in places:
        if _inside(place.path) and (place.note or not _covered(place, kept)):
            kept.append(place)
    return kept


def _inside(path: str) -> bool:
    return bool(path) and not PurePosixPath(path).is_absolute()


def _covered(place: Place, places: Iterable[Place]) -> bool:
    for other in places:
        first, last = window(other.line, other.end_line)
        if place.path == other.path and first <= place.line <= last:
            return True
    return False


def _without_last(lines: list[str]) -> list[str]:
    """Without the empty one behind the last line end."""
    return lines[:-1] if lines and not lines[-1] else lines
