"""What in a bug report can be recognised in another one: stack frames, files, errors and words.

Line numbers, absolute folders and frames of libraries are left out: they differ, or say nothing.
Whatever the text, the time is bounded: so no pattern here may try one place in many ways.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .frames import GO, JAVA, JAVASCRIPT, LIBRARY, PYTHON, RUST, bare

_EXTENSIONS = (
    "c|cc|cpp|cs|css|dart|erl|ex|exs|go|h|hpp|hs|html|java|js|jsx|json|kt|lua|m|mjs|ml|php|pl|py"
    "|rb|rs|scala|scss|sh|sql|swift|toml|ts|tsx|vue|yaml|yml|zig"
)
_FILE = re.compile(rf"(?<![\w.])[\w./\\@-]{{0,200}}\w\.(?:{_EXTENSIONS})(?![\w/])")
_OTHERS = (JAVASCRIPT, RUST, GO, JAVA)
_NOISE = re.compile(
    r"^[ \t]*(?:goroutine \d+ |created by |thread '|stack backtrace|Traceback |\[signal ).*$"
    r"|0x[0-9a-f]+",
    re.MULTILINE,
)
"""What a runtime writes around a trace, whatever went wrong."""
_ERROR = re.compile(r"\b[A-Z]\w*(?:Error|Exception|Fault|Panic)\b")
_NAME = re.compile(r"\b\w{0,100}(?:[^\W_]_[^\W_]|[a-z][A-Z])\w*\b")
_WORD = re.compile(r"[^\W\d_][^\W_]{2,}")
ENDINGS = ("", "s", "es", "ed", "ing")
"""Of words in their plural or past, which `stem` takes off."""
_ENDING = re.compile(r"(?<=sh|ch|ss)es$|(?<=x)es$|(?<=...[^s])s$|(?<=....)(?:ed|ing)$")
_COMMON = frozenset(
    """
    about after again all also and any are because been before but can cannot code could does done
    each else end even ever every few file first for from get gets give given gives had has have
    here how instead into its just last like line long looks make many may maybe more most much
    must never new not nothing now off often old once one only open other our out over perhaps same
    see seems seen set should since some still such take than that the their them then there these
    they this time times too under until use used uses very was well went were what when where which
    while who whole why will with without would wrong yet you
    bug call called crash crashed error exception fail failed failing failure fine fix found happen
    issue message most problem recent release report running start started step sure test test
    thing traceback tried try trying two week work worked working
    """.split()  # noqa: SIM905 - a list of them would be a hundred lines
)
"""Words of any report in English; which others are common in a project is counted."""
_COMMON_STEMS = frozenset(_ENDING.sub("", word) for word in _COMMON)


@dataclass(frozen=True, slots=True)
class Clues:
    """What a text can be recognised by, each with how much it says (0 to 1)."""

    frames: Mapping[str, float]
    """`file function`; the frame where it went wrong says 1, its caller 1/2, the next 1/3."""
    files: Mapping[str, float]
    """`folder/file`, or `file` where nothing more is known; 1 where the text itself names it."""
    names: Mapping[str, float]
    """Names of code: `with_tax`, `CartBadge`; those of frames say as much as their frame."""
    errors: Mapping[str, float]
    """Types of errors."""
    ends: frozenset[str]
    """The files in which its traces end."""


def clues(text: str) -> Clues:
    """What is in a text. Costs O(text)."""
    prose = without_traces(text)
    frames: dict[str, float] = {}
    files = {_short(path): 1.0 for path in _FILE.findall(prose) if not LIBRARY.search(path)}
    names = {name.lower(): 1.0 for name in _NAME.findall(prose) if not _ERROR.fullmatch(name)}
    ends = set()
    for trace in _traces(text):
        for depth, (path, function) in enumerate(trace, start=1):
            place = _short(path)
            _note(frames, f"{place.rpartition('/')[2]} {function}", 1 / depth)
            _note(files, place, 1 / depth)
            for part in function.lower().split("."):
                _note(names, part, 1 / depth)
            if depth == 1:
                ends.add(place)
    errors = dict.fromkeys(map(str.lower, _ERROR.findall(text)), 1.0)
    return Clues(frames, files, names, errors, frozenset(ends))


def _note(clues: dict[str, float], name: str, says: float) -> None:
    clues[name] = max(clues.get(name, 0.0), says)


def without_traces(text: str) -> str:
    """The text without stack frames: their words are names of files, which count as such."""
    for pattern in (PYTHON, *_OTHERS, _NOISE):
        text = pattern.sub("", text)
    return text


def words(text: str) -> frozenset[str]:
    """The words that say something, in lower case and without their endings."""
    prose = _ERROR.sub("", without_traces(text)).lower()  # types of errors count as such
    found = {stem(word) for word in _WORD.findall(prose)}
    return frozenset(found - _COMMON_STEMS)


def stem(word: str) -> str:
    """An English word without the ending of a plural or a past."""
    return _ENDING.sub("", word)


def _traces(text: str) -> Iterator[list[tuple[str, str]]]:
    """(path, function) of the project's own frames, the innermost first."""
    yield _own(reversed(list(PYTHON.finditer(text))))
    for pattern in _OTHERS:
        yield _own(pattern.finditer(text))


def _own(frames: Iterator[re.Match[str]]) -> list[tuple[str, str]]:
    return [
        (frame["path"], bare(frame["function"]))
        for frame in frames
        if not LIBRARY.search(frame["path"]) and not LIBRARY.search(frame["function"])
    ]


def _short(path: str) -> str:
    parts = [part for part in re.split(r"[/\\]", path) if part not in {"", ".", ".."}]
    return "/".join(parts[-2:]).lower()
