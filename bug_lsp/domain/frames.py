"""Stack frames and other places with a line number, as programs write them: Python, JavaScript and
TypeScript, Rust, Go, Java, and `path:line` of compilers and of pytest.

Whatever the text, the time is bounded: no pattern here tries one place in more ways than a constant
says, and of a long text the beginning and the end are read.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

PYTHON = re.compile(r'File "(?P<path>[^"\n]+)", line (?P<line>\d+), in (?P<function>\S+)')
JAVASCRIPT = re.compile(
    r"^[ \t]*at (?:async |new )?(?P<function>[\w$.<>]{1,300})(?: \[as [^]\n]{0,100}\])?"
    r" \((?P<path>[^()\n]{1,300}?):(?P<line>\d+):\d+\)",
    re.MULTILINE,
)
RUST = re.compile(
    r"^[ \t]*\d+: (?P<function>\S{1,300})\n[ \t]+at (?P<path>\S{1,300}?):(?P<line>\d+)",
    re.MULTILINE,
)
GO = re.compile(
    r"^[ \t]*(?P<function>\S{1,300})\([^\n]{0,300}\)\n[ \t]+(?P<path>\S{1,300}\.go):(?P<line>\d+)",
    re.MULTILINE,
)
JAVA = re.compile(
    r"^[ \t]*at (?P<function>[\w.$/]{1,300}\.[\w$<>]{1,100})"
    r"\((?P<path>[\w$]+\.\w+):(?P<line>\d+)\)",
    re.MULTILINE,
)
LIBRARY = re.compile(
    r"site-packages|dist-packages|node_modules|node:internal|/rustc/|/lib/python\d|/go/src/"
    r"|/\.cargo/|^(?:java|javax|jdk|sun|kotlin|scala|org\.springframework|org\.junit)\b|^java\."
)
_ANONYMOUS = re.compile(
    r"^[ \t]*at (?:async )?(?P<path>[^()\s]{1,300}?):(?P<line>\d+):\d+[ \t]*\r?$", re.MULTILINE
)
"""Of JavaScript, outside of any function."""
_QUOTED = re.compile(r'"(?P<path>[^"\n]{1,300})", line (?P<line>\d{1,7})')
"""Of Python's syntax errors, which are in no function."""
_PATH = r"(?P<path>(?:[a-z-]{2,30}://[^\s/]{0,100}/|[A-Za-z]:[\\/])?[^\s:\"'`()<>\[\]|,?]{1,300}"
_PLAIN = re.compile(
    rf"(?:(?<=[\s\"'`(\[<=@)])|^){_PATH}\.[A-Za-z]\w{{0,9}})"
    r"(?:\?[^\s:]{0,100})?(?::(?P<line>\d{1,7})|\((?P<column_follows>\d{1,7}),\d{1,7}\))(?![\w.])"
)
_OF_PYTEST = re.compile(r": ?(?:in (?P<function>\S{1,300})|[\w.]{1,100})?[ \t]*\r?$", re.MULTILINE)
"""What is behind the place in a traceback of pytest: the function, the error, or nothing."""
_CAUSE = re.compile(r"^[ \t]*Caused by: ", re.MULTILINE)
_SCHEME = re.compile(r"[a-z-]{2,30}://[^/\s]{0,100}/")
_READ = 100_000
"""Characters of the beginning and of the end of a text that are read."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A place that a text names. Lines are counted from 1."""

    path: str
    """As it stands there, without the scheme of a URL."""
    line: int
    function: str = ""
    """With the path of its module, where the trace names it."""
    plain: bool = False
    """A mere `path:line`, which need not be a frame."""


@dataclass(frozen=True, slots=True)
class _Hit:
    start: int
    end: int
    frame: Frame
    innermost_last: bool


def frames(text: str) -> list[Frame]:
    """The places in a text, each once, the innermost frame of a trace first. Costs O(text)."""
    text = ends(text, _READ)
    hits = _hits(text)
    backwards = [hit.frame for hit in reversed(hits) if hit.innermost_last]
    forwards = _causes_first(text, [hit for hit in hits if not hit.innermost_last])
    traces_forwards = not _has_trace(backwards) and _has_trace(forwards)
    found: dict[tuple[str, int], Frame] = {}
    for frame in [*forwards, *backwards] if traces_forwards else [*backwards, *forwards]:
        known = found.setdefault((frame.path, frame.line), frame)
        if known.plain and not frame.plain:
            found[frame.path, frame.line] = frame
    return list(found.values())


def _has_trace(found: Iterable[Frame]) -> bool:
    return any(not frame.plain for frame in found)


def ends(text: str, each: int) -> str:
    """The beginning and the end of a long text, with a line between; a short one as it is."""
    return text if len(text) <= 2 * each else f"{text[:each]}\n{text[-each:]}"


def _hits(text: str) -> list[_Hit]:
    found = [
        _Hit(match.start(), match.end(), _frame(match), pattern is PYTHON)
        for pattern in (PYTHON, JAVASCRIPT, _ANONYMOUS, RUST, GO, JAVA)
        for match in pattern.finditer(text)
    ]
    found += _outside(found, _places(text))
    return sorted(found, key=lambda hit: hit.start)


def _places(text: str) -> Iterator[_Hit]:
    """Places that are no whole frame."""
    for match in _QUOTED.finditer(text):
        yield _Hit(match.start(), match.end(), _frame(match), innermost_last=True)
    for match in _PLAIN.finditer(text):
        at_line_start = match.start() == 0 or text[match.start() - 1] == "\n"
        behind = _OF_PYTEST.match(text, match.end()) if at_line_start else None
        line = int(match["line"] or match["column_follows"])
        function = (behind["function"] or "") if behind else ""
        frame = Frame(_path(match["path"]), line, function, plain=True)
        yield _Hit(match.start(), match.end(), frame, innermost_last=behind is not None)


def _outside(frames: Iterable[_Hit], places: Iterable[_Hit]) -> list[_Hit]:
    """The places that are no part of a frame, nor of another place."""
    taken = sorted((hit.start, hit.end) for hit in frames)
    starts = [start for start, _ in taken]
    kept = []
    for hit in places:
        before = bisect_right(starts, hit.start) - 1
        if before < 0 or hit.start >= taken[before][1]:
            kept.append(hit)
    return kept


def _causes_first(text: str, hits: Sequence[_Hit]) -> list[Frame]:
    """The frames, those of the last `Caused by` first: there it began."""
    causes = [match.start() for match in _CAUSE.finditer(text)]
    order = sorted(hits, key=lambda hit: -bisect_right(causes, hit.start))
    return [hit.frame for hit in order]


def _frame(match: re.Match[str]) -> Frame:
    names = match.re.groupindex
    function = match["function"] if "function" in names else ""
    path = _path(match["path"])
    if match.re is JAVA:
        # The file's folders are those of its package.
        package = function.rpartition("/")[2].split(".")[:-2]
        path = "/".join([*package, path])
    return Frame(path, int(match["line"][-7:]), function)


def _path(path: str) -> str:
    scheme = _SCHEME.match(path)
    if scheme is not None:
        rest = path[scheme.end() :].partition("?")[0]
        path = f"/{rest}" if scheme[0].startswith("file:") else rest
    return path.replace("/./", "/").removeprefix("./")


def bare(function: str) -> str:
    """`pkg.(*Queue).Enqueue`, `a::b::Lexer::ident` and `com.acme.Order.price` without the path."""
    parts = re.split(r"::|\.|/", function.replace("(*", "").replace(")", ""))
    return ".".join(part for part in parts[-2:] if part)
