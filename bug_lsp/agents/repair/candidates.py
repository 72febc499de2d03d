"""Which edits are tried, and in which order: likely mistakes at suspicious statements first.

Pure: from the files and the ranking of their statements to the edits. The same always gives the
same.
"""

from __future__ import annotations

import ast
import heapq
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

from bug_lsp.agents.spectrum.suspects import Suspect

from .operators import FAMILIES
from .place import Edit, Place
from .scope import Scope, own_nodes, scope_of
from .source import FUNCTIONS, SourceFile, Splice

LATE = MappingProxyType({"reuse": 2.5, "insertion": 2.6, "template": 2.8, "guard": 3.0})
"""Families with so many members that they only come once the others are through, and what the
cheapest of each costs."""
EARLY = tuple(name for name in FAMILIES if name not in LATE)
LEAST_LATE_COST = 2.5
MOST_STATEMENTS = 120
MOST_LATE = 30
"""Statements at which the late families are tried."""
_LESS_SUSPICIOUS = 1.2
"""How much more an edit costs at a place that no failing test needs, by Ochiai's coefficient."""
_LEFT_OUT = 1.5
_NO_TRACEBACK = 0.2
_AT_IMPORT = 0.25
UNUSED = 0.8
"""How much less one costs that uses a parameter which nothing else uses."""
_EACH_RANK = 0.004
_MOST_OF_FAMILY = 1500
"""Edits of one kind at one statement: where there are more, each of them is far-fetched."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """An edit at a place, with all that ranks it."""

    path: str
    line: int
    """The first line of the statement that is edited."""
    shown: int
    """The line that the edit is at, within the statement or, for what comes after it, its last."""
    splices: tuple[Splice, ...]
    what: str
    family: str
    cost: float
    """The edit's own cost and the place's, added: candidates are tried in this order."""
    size: int
    """Characters that are taken away or added."""
    cold: bool
    """Whether the file has to be imported anew."""
    is_late: bool = False
    """Whether it only comes once the likelier ones are through, wherever it is."""
    also: tuple[int, ...] = ()
    """The lines of further edits that belong to it."""

    @property
    def rank(self) -> tuple[float, int, str, tuple[Splice, ...]]:
        """Its place among others, without ties."""
        return (round(self.cost, 3), self.size, self.path, self.splices)

    @property
    def key(self) -> tuple[str, tuple[Splice, ...]]:
        """The same for all candidates that come to the same text."""
        return (self.path, self.splices)


@dataclass(frozen=True, slots=True)
class Site:
    """A statement that may be edited, and how much more an edit costs here than elsewhere."""

    file: SourceFile
    statement: ast.stmt
    cost: float


def sites(
    suspects: Sequence[Suspect],
    file_of: Callable[[str], SourceFile | None],
    besides: Sequence[Suspect] = (),
) -> list[Site]:
    """The statements to edit, most suspicious first, with those that ran at import last. `besides`
    are statements that the ranking leaves out.
    """
    found: list[Site] = []
    best = max((suspect.score for suspect in suspects), default=1.0)
    crashed = any(suspect.in_traceback for suspect in suspects)
    for rank, suspect in enumerate([*suspects, *besides][:MOST_STATEMENTS]):
        file = file_of(suspect.path)
        if file is None:
            continue
        cost = _LESS_SUSPICIOUS * (1 - suspect.score / best) + _EACH_RANK * rank
        cost += _LEFT_OUT if rank >= len(suspects) else 0.0
        cost += _NO_TRACEBACK if crashed and not suspect.in_traceback else 0.0
        found += [Site(file, node, cost) for node in _at_line(file, suspect.line)]
    return [*found, *_at_import(found)]


def _at_line(file: SourceFile, line: int) -> Iterator[ast.stmt]:
    """The statements that begin there, or the `try` that one of its handlers belongs to."""
    for node in file.statements():
        begins = file.first_line(node) == line and not isinstance(node, (*FUNCTIONS, ast.ClassDef))
        if begins or (isinstance(node, ast.Try) and line in {h.lineno for h in node.handlers}):
            yield node


def _at_import(found: list[Site]) -> Iterator[Site]:
    """Heads of the functions that are suspected, and assignments whose names they use."""
    functions: dict[ast.AST, Site] = {}
    names: dict[SourceFile, dict[str, float]] = {}
    for site in found:
        function = site.file.enclosing(site.statement, FUNCTIONS)
        if function is not None:
            functions.setdefault(function, site)
            used = names.setdefault(site.file, {})
            for node in own_nodes(site.statement):
                if isinstance(node, ast.Name | ast.Attribute):
                    used.setdefault(node.id if isinstance(node, ast.Name) else node.attr, site.cost)
    for function, site in functions.items():
        assert isinstance(function, FUNCTIONS)  # noqa: S101
        yield Site(site.file, function, site.cost + _AT_IMPORT)
    for file, used in names.items():
        for node in file.statements():
            at_import = file.enclosing(node, FUNCTIONS) is None
            if at_import and isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                costs = [used[t.id] for t in targets if isinstance(t, ast.Name) and t.id in used]
                if costs:
                    yield Site(file, node, min(costs) + _AT_IMPORT)


class Maker:
    """Makes the candidates of one site after another."""

    def __init__(self, ran_at_import: frozenset[tuple[str, int]]) -> None:
        self._ran_at_import = ran_at_import
        self._scopes: dict[ast.AST, Scope] = {}

    def make(self, site: Site, families: Iterable[str]) -> list[Candidate]:
        """The candidates of some families at a site."""
        function = site.file.enclosing(site.statement, FUNCTIONS)
        assert function is None or isinstance(function, FUNCTIONS)  # noqa: S101
        place = Place(site.file, site.statement, function, self._scope(site.file, function))
        cold = function is None or _ran(site.file, function, self._ran_at_import)
        found: list[Candidate] = []
        for name in families:
            likely = (_likelier(edit, place.scope) for edit in FAMILIES[name](place))
            made = (_candidate(site, edit, name, cold=cold) for edit in likely)
            found += heapq.nsmallest(_MOST_OF_FAMILY, made, key=lambda one: one.rank)
        return found

    def least(self, site: Site, family: str) -> float:
        """What the cheapest candidate of a late family costs at a site."""
        function = site.file.enclosing(site.statement, FUNCTIONS)
        less = UNUSED if self._scope(site.file, function).unused else 0.0
        return site.cost + LATE[family] - less

    def _scope(self, file: SourceFile, function: ast.AST | None) -> Scope:
        key = function if function is not None else file.tree
        if key not in self._scopes:
            self._scopes[key] = scope_of(file, function)
        return self._scopes[key]


def candidates(
    where: Iterable[Site], *, late: bool, ran_at_import: frozenset[tuple[str, int]]
) -> list[Candidate]:
    """The candidates at some sites, of the families that come early or of all others."""
    maker = Maker(ran_at_import)
    found: dict[tuple[str, tuple[Splice, ...]], Candidate] = {}
    for site in where:
        for one in maker.make(site, FAMILIES if late else EARLY):
            if one.is_late == late and (one.key not in found or found[one.key].cost > one.cost):
                found[one.key] = one
    return sorted(found.values(), key=lambda candidate: candidate.rank)


def _likelier(edit: Edit, scope: Scope) -> Edit:
    """An edit that uses a parameter that nothing else uses: it is there for something."""
    for name in scope.unused:
        pattern = rf"(?<![.\w]){re.escape(name)}\b"
        if any(re.search(pattern, splice.text) for splice in edit.splices):
            return replace(edit, cost=edit.cost - UNUSED)
    return edit


def _ran(file: SourceFile, function: ast.AST, ran_at_import: frozenset[tuple[str, int]]) -> bool:
    assert isinstance(function, FUNCTIONS)  # noqa: S101
    lines = {function.lineno, file.first_line(function)}
    return any((file.path, line) in ran_at_import for line in lines)


def _candidate(site: Site, edit: Edit, family: str, *, cold: bool) -> Candidate:
    splices = tuple(sorted(edit.splices, key=lambda splice: (splice.start, splice.end)))
    last = site.statement.end_lineno or site.statement.lineno
    size = sum(len(splice.text) + splice.end - splice.start for splice in splices)
    return Candidate(
        path=site.file.path,
        line=site.file.first_line(site.statement),
        shown=last if edit.after else site.file.line_of(splices[0].start),
        splices=splices,
        what=edit.what,
        family=family,
        cost=edit.cost + site.cost,
        size=size,
        cold=cold or edit.outside_body,
        is_late=family in LATE or edit.cost >= LEAST_LATE_COST,
    )
