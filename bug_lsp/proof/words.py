"""Ranks the functions of the snapshot by the words that they share with the task: information
retrieval, by the BM25 of SQLite's full-text search.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import PurePosixPath

from bug_lsp.domain.evidence import Snapshot, Unread
from bug_lsp.domain.functions import functions
from bug_lsp.domain.line_roles import CODE_SUFFIXES, Role, role_of_file
from bug_lsp.domain.proof import WordMatch

_MOST_FILES = 4_000
_MOST_BYTES = 10_000_000
_MOST_MATCHES = 10
_MOST_WORDS = 80
_LEAST_LETTERS = 3
_NAMED_LETTERS = 4
_NAMED = 1.5
"""By how much the score rises where the task has the very name of a function."""
_WORD = re.compile(r"[^\W\d_]+\d*")
_IDENTIFIER = re.compile(r"[A-Za-z_]\w+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_STOP_WORDS = frozenset(
    """
    the and for that this with from are was were not but have has had does did should would can
    could when then than there their they its into out all any one two what which will been being
    only also after before where how why you your our use used using run runs true false none
    test tests fail fails failed failing pass passes bug error wrong expected instead assert
    def return returns self class import python file line code
    """.split()  # noqa: SIM905 - read as prose
)


@dataclass(frozen=True, slots=True)
class _Function:
    """What is searched: a function, or a file of a language whose functions are not told apart."""

    path: str
    name: str
    first: int
    text: str


def match_words(snapshot: Snapshot, task: str) -> tuple[WordMatch, ...]:
    """Return the functions that fit the task's words best, the best first."""
    words = list(dict.fromkeys(_words(task)))[:_MOST_WORDS]
    candidates = list(_functions(_texts(snapshot))) if words else []
    if not candidates:
        return ()
    named = set(_IDENTIFIER.findall(task)) | {
        name.removeprefix("test_") for name in _IDENTIFIER.findall(task)
    }
    scores = _bm25(candidates, words)
    for index in scores:
        last = candidates[index].name.rpartition(".")[2]
        if last in named and len(last) >= _NAMED_LETTERS:
            scores[index] *= _NAMED
    best = sorted(scores, key=lambda index: (-scores[index], index))[:_MOST_MATCHES]
    return tuple(
        _match(candidates[index], scores[index] / scores[best[0]], words) for index in best
    )


def _match(function: _Function, score: float, words: list[str]) -> WordMatch:
    known = set(words)
    in_text = set(_words(f"{function.name} {function.text}"))
    lines = function.text.split("\n")
    offset = 0
    if not function.name:  # a whole file: the line with most of the words
        shared = [len(known.intersection(_words(line))) for line in lines]
        offset = shared.index(max(shared))
    return WordMatch(
        path=function.path,
        line=function.first + offset,
        quote=lines[offset],
        function=function.name,
        score=round(score, 3),
        words=tuple(word for word in words if word in in_text)[:_MOST_MATCHES],
    )


def _texts(snapshot: Snapshot) -> Mapping[str, str | Unread]:
    names = [
        name
        for name in sorted(snapshot.places.names)
        if PurePosixPath(name).suffix in CODE_SUFFIXES and role_of_file(name) is Role.CODE
    ]
    return snapshot.texts(names[:_MOST_FILES])


def _functions(texts: Mapping[str, str | Unread]) -> Iterator[_Function]:
    left = _MOST_BYTES
    for path, text in texts.items():
        if isinstance(text, Unread) or len(text) > left:
            continue
        left -= len(text)
        if not path.endswith(".py"):
            yield _Function(path, "", 1, text)
            continue
        lines = text.split("\n")
        for function in functions(path, text):
            own = "\n".join(lines[function.first - 1 : function.last])
            yield _Function(path, function.name, function.first, own)


def _words(text: str) -> Iterator[str]:
    """The words of a text; identifiers are taken apart."""
    for part in _WORD.findall(_CAMEL.sub(" ", text.replace("_", " "))):
        word = part.lower()
        if len(word) >= _LEAST_LETTERS and word not in _STOP_WORDS:
            yield word


def _bm25(candidates: Iterable[_Function], words: list[str]) -> dict[int, float]:
    """The score of each candidate that has one of the words, by its position."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute(
            "CREATE VIRTUAL TABLE code USING fts5(name, path, body, tokenize='porter unicode61')"
        )
        database.executemany(
            "INSERT INTO code(rowid, name, path, body) VALUES (?, ?, ?, ?)",
            (
                (row, *(" ".join(_words(part)) for part in (one.name, one.path, one.text)))
                for row, one in enumerate(candidates)
            ),
        )
        query = " OR ".join(f'"{word}"' for word in words)
        found = database.execute(
            # Its sign is turned: the smaller the better.
            "SELECT rowid, -bm25(code, 4.0, 2.0, 1.0) FROM code WHERE code MATCH ?",
            (query,),
        )
        return {row: score for row, score in found if score > 0}
