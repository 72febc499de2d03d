"""What an ACP agent may do: the answer to a request for permission.

Pure; whether a path lies inside is asked of the caller, who follows symbolic links. Inside of the
copy everything may be done, outside of it nothing. A shell command names no paths that could be
judged: where one may work it is allowed, and confining it is the work of the session's sandbox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from bug_lsp.agents.text import one_line

if TYPE_CHECKING:
    from acp.schema import PermissionOption

    from .events import Seen

_READS = frozenset({"read", "search", "think"})
"""Kinds of tools that change nothing."""
_PATH_KEYS = frozenset(
    {"path", "filepath", "absolutepath", "dirpath", "directory", "cwd", "workdir", "notebookpath"}
)
"""Arguments that name a place, whatever the spelling. Many agents give them beside `locations`."""
_READ_ONLY_MODES = ("plan", "read-only", "readonly", "ask")
_ASKING_MODES = ("default", "build", "code", "agent")
"""Modes in which an agent works and asks before it changes something: we want to be asked."""
_MAX_NAMED = 200


@dataclass(frozen=True, slots=True)
class Verdict:
    """What to answer."""

    option_id: str | None
    """The option to choose; None where none fits, which tells the agent that it may not."""
    refusal: str | None = None
    """Why it was refused, one sentence for the user."""


def judge(
    seen: Seen,
    options: Sequence[PermissionOption],
    *,
    inside: Callable[[str], bool],
    read_only: bool,
) -> Verdict:
    """May the agent do it? `seen` is all that is known of the tool call."""
    refusal = _refusal(seen, inside, read_only=read_only)
    once = _first(options, ("allow_once",))
    if refusal is None and once is None:
        # "Always" would also allow what comes after it, and that is not known yet.
        refusal = f"Refused {_what(seen)}: the agent did not offer to allow it only once"
    if refusal is None:
        return Verdict(once)
    return Verdict(_first(options, ("reject_once", "reject_always")), refusal)


def preferred_mode(offered: Iterable[str], *, read_only: bool) -> str | None:
    """The one of these modes to work in, None if none is known to fit."""
    names = {mode.rpartition("#")[2].lower(): mode for mode in offered}  # some are addresses
    wanted = _READ_ONLY_MODES if read_only else _ASKING_MODES
    return next((names[name] for name in wanted if name in names), None)


def _refusal(seen: Seen, inside: Callable[[str], bool], *, read_only: bool) -> str | None:
    if seen.kind == "switch_mode":
        return f"Refused {_what(seen)}: the mode is bug-lsp's to choose"
    outside = next((path for path in _paths(seen) if not inside(path)), None)
    if outside is not None:
        return f"Refused {_what(seen)}: {outside!r} is outside of this session's copy"
    if read_only and seen.kind not in _READS:
        return f"Refused {_what(seen)}: this session only reads"
    return None


def _what(seen: Seen) -> str:
    return one_line(f"{seen.name} {seen.title}", _MAX_NAMED)


def _paths(seen: Seen) -> Iterator[str]:
    """Every place that a tool call is known to touch."""
    yield from seen.locations
    yield from seen.diffs
    yield from _named_paths(seen.raw_input)


def _named_paths(raw: Any) -> Iterator[str]:
    if isinstance(raw, Mapping):
        for key, value in raw.items():
            if isinstance(value, str) and _plain(key) in _PATH_KEYS:
                yield value
            elif _plain(key) in {"paths", "files", "edits", "changes"}:
                yield from _named_paths(value)
    elif isinstance(raw, list):
        for item in raw:
            if isinstance(item, Mapping):
                yield from _named_paths(item)


def _plain(key: object) -> str:
    return str(key).replace("_", "").lower()


def _first(options: Sequence[PermissionOption], kinds: tuple[str, ...]) -> str | None:
    return next(
        (option.option_id for kind in kinds for option in options if option.kind == kind), None
    )
