"""The body of a task file that is made of what the editor and git know, so that somebody who did
not see it can work from it: what is reported, the text that was selected, the code it happens in,
and who changed that code last.

All of it is quoted: in fences, without our marks, and within limits that add up to less than
20,000 characters.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from .budget import clip
from .context import Diagnostic
from .transcript import clean, code, fenced, one_line

MOST_PLACES = 8
MOST_DIAGNOSTICS = 10
MOST_COMMITS = 5
"""Of one place."""
_REPORTED_LIMIT, _SELECTED_LIMIT, _CODE_LIMIT, _COMMITS_LIMIT = 4_000, 6_000, 6_000, 2_500
_MESSAGE_LIMIT = 1_200
_MOST_RUNS = 6
"""Of lines that a commit changed."""
_LINE_LIMIT = 160
BEFORE, AFTER = 6, 5
"""Lines of code that are shown around a place."""
_LONGEST_MARKED = 30
_LANGUAGES = {
    "bash": "bash", "c": "c", "cc": "cpp", "cpp": "cpp", "cs": "csharp", "css": "css",
    "ex": "elixir", "exs": "elixir", "go": "go", "h": "c", "hpp": "cpp", "html": "html",
    "java": "java", "js": "javascript", "json": "json", "jsx": "jsx", "kt": "kotlin", "lua": "lua",
    "mjs": "javascript", "php": "php", "py": "python", "pyi": "python", "rb": "ruby", "rs": "rust",
    "scala": "scala", "sh": "bash", "sql": "sql", "swift": "swift", "toml": "toml",
    "ts": "typescript", "tsx": "tsx", "vue": "vue", "yaml": "yaml", "yml": "yaml", "zig": "zig",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit, as it is told."""

    short_hash: str
    when: str
    """ISO 8601 in UTC, as in `2026-11-22T09:16:18`."""
    author: str
    subject: str


@dataclass(frozen=True, slots=True)
class Blame:
    """Who changed which line last, lines counted from 1."""

    commits: tuple[tuple[Commit, tuple[int, ...]], ...] = ()
    """The newest first."""
    uncommitted: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Lines of a file in the workspace. Lines are counted from 1."""

    path: str
    line: int
    end_line: int
    function: str = ""
    note: str = ""
    """What a diagnostic says of it."""
    first: int = 1
    """The number of the first of `lines`."""
    lines: tuple[str, ...] = ()
    """The code around it; none where the file does not go so far, or is not to be quoted."""
    unsaved: bool = False
    """Whether the code is that of an editor's buffer and not of the file."""
    blame: Blame = Blame()


@dataclass(frozen=True, slots=True)
class Brief:
    """What is known."""

    path: str = ""
    """Where the diagnostics are."""
    diagnostics: tuple[Diagnostic, ...] = ()
    selected: str = ""
    selected_in: str = ""
    places: tuple[Place, ...] = ()
    """The innermost frame first."""
    foreign_frames: int = 0
    """Frames of the trace that are in no file of the workspace."""
    more_places: int = 0
    """Places in the workspace beyond the most that are shown."""
    state: str = ""
    """Which state of the code it was seen in."""


def language(path: str) -> str:
    """The language of a file as fences name it, "" where its name does not tell."""
    return _LANGUAGES.get(PurePosixPath(path).suffix[1:].lower(), "")


def window(line: int, end_line: int) -> tuple[int, int]:
    """The first and the last line that are shown of a place."""
    return max(1, line - BEFORE), min(max(line, end_line), line + _LONGEST_MARKED) + AFTER


def render(brief: Brief) -> str:
    """The body of the task file; "" where nothing is known."""
    sections = [
        ("What is reported", _reported(brief)),
        ("The selected text", _selected(brief)),
        ("Where it happens", _where(brief)),
        ("Recent commits on these lines", _history(brief.places)),
    ]
    told = [f"## {title}\n\n{text.strip()}" for title, text in sections if text.strip()]
    if not told:
        return ""
    state = f" {brief.state}" if brief.state else ""
    return "\n\n".join([f"Noted by bug-lsp from the editor and from git.{state}", *told]) + "\n"


def _reported(brief: Brief) -> str:
    parts = [_diagnostic(one, brief.path) for one in brief.diagnostics[:MOST_DIAGNOSTICS]]
    return _within(parts, _REPORTED_LIMIT, len(brief.diagnostics), "diagnostic")


def _diagnostic(one: Diagnostic, path: str) -> str:
    place = _code(_at(path, one.line)) if path else (f"Line {one.line}" if one.line else "")
    by = _plain(one.source, 80)
    kind = " ".join(filter(None, [one.severity, f"of {by}" if by else "", _code(one.code)]))
    head = ", ".join(filter(None, [place, kind]))
    text = _quoted(one.message, "text", _MESSAGE_LIMIT)
    notes = "".join(
        f"- {_code(_at(note.path, note.line))}: {_plain(note.message, 300)}\n"
        for note in one.notes[:MOST_DIAGNOSTICS]
    )
    return f"{head}:\n\n{text}" + (f"\n{notes}" if notes else "") if head else text


def _selected(brief: Brief) -> str:
    if not brief.selected.strip():
        return ""
    where = f"In {_code(brief.selected_in)}:\n\n" if brief.selected_in else ""
    return where + _quoted(brief.selected, "text", _SELECTED_LIMIT)


def _where(brief: Brief) -> str:
    parts = [_place(place) for place in brief.places[:MOST_PLACES]]
    total = len(brief.places) + brief.more_places
    told = _within(parts, _CODE_LIMIT, total, "place")
    if len(parts) > 1 and any(place.function for place in brief.places):
        told = f"The innermost frame comes first.\n\n{told}"
    if not brief.foreign_frames:
        return told
    count = brief.foreign_frames
    frames = "1 frame in libraries is" if count == 1 else f"{count} frames in libraries are"
    return f"{told}\n\n{frames} left out.".strip()


def _place(place: Place) -> str:
    function = f" in {_code(place.function)}" if place.function else ""
    note = f": {_plain(place.note, 300)}" if place.note else ""
    head = f"### {_code(_at(place.path, place.line, place.end_line))}{function}{note}\n"
    if not place.lines:
        return f"{head}\nThere is no such line in the file as it is now.\n"
    unsaved = (
        "\nAs it stands in the editor, with changes that are not saved: the agents do not have "
        "them.\n"
    )
    last = place.first + len(place.lines) - 1
    width = len(str(last))
    marked = range(place.line, max(place.line, place.end_line) + 1)
    shown = "\n".join(
        f"{'>' if number in marked else ' '} {number:>{width}} | {_cut(line)}".rstrip()
        for number, line in enumerate(place.lines, start=place.first)
    )
    return f"{head}{unsaved if place.unsaved else ''}\n{_fenced(shown, language(place.path))}"


def _history(places: Sequence[Place]) -> str:
    told: dict[Commit, list[str]] = {}
    for place in places:
        for commit, lines in place.blame.commits[:MOST_COMMITS]:
            told.setdefault(commit, []).append(f"{_code(place.path)} {_numbers(lines)}")
    newest = sorted(told.items(), key=lambda item: item[0].when, reverse=True)
    parts = [f"- {_commit(commit)}: {'; '.join(_once(where))}" for commit, where in newest]
    uncommitted = [
        f"{_code(place.path)} {_numbers(place.blame.uncommitted)}"
        for place in places
        if place.blame.uncommitted
    ]
    if uncommitted:
        parts.insert(0, f"- not committed yet: {'; '.join(_once(uncommitted))}")
    return _within(parts, _COMMITS_LIMIT, len(parts), "commit", "\n")


def _commit(commit: Commit) -> str:
    subject, day = one_line(commit.subject, 120), commit.when[:10]
    return f"{_code(commit.short_hash)}, {day}, {_plain(commit.author, 60)}, {_code(subject)}"


def _numbers(lines: Iterable[int]) -> str:
    """`line 3`, `lines 3-5, 9`."""
    runs: list[list[int]] = []
    for line in sorted(set(lines)):
        if runs and line == runs[-1][1] + 1:
            runs[-1][1] = line
        else:
            runs.append([line, line])
    shown = ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in runs[:_MOST_RUNS])
    shown += ", ..." if len(runs) > _MOST_RUNS else ""
    return f"line{'s' if '-' in shown or ',' in shown else ''} {shown}"


def _once(parts: Iterable[str]) -> Iterator[str]:
    yield from dict.fromkeys(parts)


def _within(parts: Sequence[str], limit: int, total: int, what: str, between: str = "\n\n") -> str:
    """As many of the parts as fit, at least one, and how many are left out."""
    kept: list[str] = []
    for part in parts:
        if kept and sum(map(len, kept)) + len(part) > limit:
            break
        kept.append(part.rstrip("\n"))
    told = between.join(kept)
    left = total - len(kept)
    return f"{told}\n\n{left} more {what}{'' if left == 1 else 's'} left out." if left > 0 else told


def _at(path: str, line: int | None, end_line: int | None = None) -> str:
    if line is None:
        return path
    return f"{path}:{line}" + (f"-{end_line}" if end_line and end_line > line else "")


def _cut(line: str) -> str:
    return line if len(line) <= _LINE_LIMIT else line[: _LINE_LIMIT - 1] + "…"


def _plain(text: str, limit: int) -> str:
    """Untrusted text as prose in which nothing is a tag or a comment."""
    return one_line(text, limit).replace("<", "&lt;")


def _code(text: str) -> str:
    return code(_defused(text))


def _quoted(text: str, info: str, limit: int) -> str:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n")
    return _fenced(clip(lines, limit), info)


def _fenced(text: str, info: str) -> str:
    return fenced(_defused(clean(text)), info)


def _defused(text: str) -> str:
    """Text in which none of our marks stands, even where its fence is taken away."""
    return text.replace("<!-- bug-lsp:", "&lt;!-- bug-lsp:")
