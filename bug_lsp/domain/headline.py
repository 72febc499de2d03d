"""A bug in one line, from what was reported or selected."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .frames import LIBRARY, PYTHON, Frame, ends, frames
from .transcript import one_line

_LIMIT = 100
_READ = 10_000
"""Characters of the beginning and of the end that are read: an error stands at one of them."""
_ERROR = (
    r"(?:[\w$]{1,100}[.:]{1,2}){0,20}[\w$]{0,100}(?:Error|Exception|Warning|Interrupt|Exit|Failure)"
    r"(?: \[\w+\])?"
)
_PYTEST_ERROR = re.compile(r"^E[ \t]{1,10}(?P<said>\S[^\n]*)$", re.MULTILINE)
_PYTEST_ASSERTION = re.compile(r"^>[ \t]{1,80}(?P<said>assert\b[^\n]*)$", re.MULTILINE)
_OTHERS = (
    re.compile(r"^(?P<said>panic: [^\n]*)$", re.MULTILINE),
    re.compile(r"^(?P<said>fatal error: [^\n]*)$", re.MULTILINE),
    re.compile(r"^thread '[^'\n]{0,200}' (?P<said>panicked at '[^\n]*)$", re.MULTILINE),
    re.compile(
        r"^thread '[^'\n]{0,200}'[^\n]{0,40} panicked at [^\n]{1,300}:\n(?P<said>[^\n]+)$",
        re.MULTILINE,
    ),
)
_CAUSED_BY = re.compile(r"^[ \t]*Caused by: (?P<said>[^\n]+)$", re.MULTILINE)
_ANY_ERROR = re.compile(
    rf"^[ \t]*(?:E[ \t]{{1,10}})?(?:Uncaught |Unhandled |Exception in thread \"[^\"\n]*\" )?"
    rf"(?P<said>{_ERROR}(?::[^\n]*)?)$",
    re.MULTILINE,
)
_ASSERTION = re.compile(r"^[ \t]*(?P<said>(?:self\.)?assert\w*!?\b[^\n]*)$", re.MULTILINE)


def title_for(
    said: str, path: str = "", line: int | None = None, *, roots: Sequence[str] = ()
) -> str:
    """A title for a task about a diagnostic's message or a selected text: the error, the assertion
    or the first line of it, and where it is.

    `path` and `line` (from 1) are those of the diagnostic or the selection. The innermost frame of
    a trace that is in no library takes their place; its path is shown relative to one of `roots`
    (absolute paths of folders). "" where there is nothing to say. Pure; costs O(1): of a long text
    the beginning and the end are read.
    """
    own = [frame for frame in frames(ends(said, _READ)) if not in_library(frame)]
    innermost = next((frame for frame in own if not frame.plain), None)
    if innermost is None and not path:
        innermost = next(iter(own), None)
    if innermost is not None:
        path, line = _below(innermost.path, roots), innermost.line
    return titled(headline(said), path, line)


def titled(what: str, path: str, line: int | None) -> str:
    """A headline with its place."""
    place = f"{path}:{line}" if path and line else path
    if not what:
        return f"Bug at {place}" if place else ""
    return f"{what} ({place})" if place and place not in what else what


def in_library(frame: Frame) -> bool:
    """Whether a frame is in no code of the user's, as far as its path tells."""
    return bool(
        LIBRARY.search(frame.path) or LIBRARY.search(frame.function) or frame.path.startswith("<")
    )


def headline(said: str) -> str:
    """The line that says most: of a trace its error, of a failed test its assertion, else the first
    line that is not empty. At most 100 characters.
    """
    text = ends(said, _READ).replace("\r\n", "\n").replace("\r", "\n")
    return next((line for line in (one_line(one, _LIMIT) for one in _lines(text)) if line), "")


def _lines(text: str) -> Iterator[str]:
    """What may be the line, the best first."""
    pytest = _PYTEST_ERROR.search(text)
    if pytest is not None:
        assertion = _PYTEST_ASSERTION.search(text)
        bare = pytest["said"].startswith(("assert ", "AssertionError: assert "))
        yield assertion["said"] if assertion and bare else pytest["said"]
    yield from _of_python(text)
    for pattern in _OTHERS:
        match = pattern.search(text)
        if match is not None:
            yield match["said"]
    *_, cause = [None, *_CAUSED_BY.finditer(text)]
    for match in (cause, _ANY_ERROR.search(text), _ASSERTION.search(text)):
        if match is not None:
            yield match["said"]
    yield from text.split("\n")


def _of_python(text: str) -> Iterator[str]:
    """The line behind a traceback: the first one that is less indented than its frames."""
    *_, last = [None, *PYTHON.finditer(text)]
    if last is not None:
        before = text[text.rfind("\n", 0, last.start()) + 1 : last.start()]
        for line in text[last.end() :].split("\n")[1:]:
            if line.strip() and len(line) - len(line.lstrip()) < len(before):
                yield line
                return


def _below(path: str, roots: Sequence[str]) -> str:
    for root in sorted(roots, key=len, reverse=True):
        if path.startswith(root.rstrip("/") + "/"):
            return path[len(root.rstrip("/")) + 1 :]
    return path
