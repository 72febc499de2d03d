"""What small edits say about the statements that the tests make suspicious.

For `spectrum`: the likeliest edits of each are tried, none is handed in. A fixed number of edits,
not a time, says when it ends, so that the same project gives the same ranking.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

import anyio
import anyio.to_thread

from bug_lsp.agents.base import Emit
from bug_lsp.agents.python_tests import ForkServer, PythonProject, Reproduction
from bug_lsp.agents.spectrum.suspects import Evidence, Suspect
from bug_lsp.domain.functions import function_at, functions

from .candidates import Candidate, candidates, sites
from .files import Files
from .judge import Judge
from .private_copy import private
from .search import Search, cores
from .supply import Listed

MOST_SECONDS = 25.0
_MOST_STATEMENTS = 12
_EACH = 25
"""Edits of one statement."""
_SLOW_SECONDS = 1.0
_COMPARISONS = frozenset(
    f"__{name}__" for name in ("eq", "ne", "lt", "le", "gt", "ge", "bool", "len", "contains")
)


async def evidence(
    project: PythonProject, shown: Reproduction, suspects: Sequence[Suspect], emit: Emit
) -> dict[tuple[str, int], Evidence]:
    """For each of the first suspects; nothing where that would take long."""
    failing = [shown.run.tests[index] for index in shown.failing]
    slow = sum(test.seconds for test in failing) > _SLOW_SECONDS
    if slow or len(suspects) <= 1:
        return {}
    began = time.monotonic()
    project = await private(project, "spectrum")
    files = Files(project.copy)
    leading = [one for one in suspects[:_MOST_STATEMENTS] if not _compares(one, files)]
    server = ForkServer(project, framework=_framework(shown), env=shown.env)
    with anyio.move_on_after(MOST_SECONDS):
        async with server.serving():
            judge = Judge(server, shown.run, failing, files.source, project.copy)
            ran = server.collected.ran_at_import
            early = await anyio.to_thread.run_sync(_likeliest, leading, files, ran)
            ends = began + MOST_SECONDS
            supply, margin = Listed(early), float("inf")
            search = Search(judge, supply, cores(), began, ends, emit, margin=margin)
            found = await search.run()
            if found.tried == len(early):
                return {
                    place: Evidence(tally.tried, tally.helped, tally.passed)
                    for place, tally in found.tallies.items()
                }
    return {}


def _compares(suspect: Suspect, files: Files) -> bool:
    """Whether it is in what the assertion itself calls: with many an edit there it holds."""
    source = files.source(suspect.path)
    known = functions(suspect.path, source.text) if source is not None else []
    return function_at(known, suspect.line).rpartition(".")[2] in _COMPARISONS


def _framework(shown: Reproduction) -> str:
    return "unittest" if shown.run.runner == "unittest" else "pytest"


def _likeliest(
    suspects: Sequence[Suspect], files: Files, ran_at_import: frozenset[tuple[str, int]]
) -> list[Candidate]:
    """The cheapest edits of each statement, those that need a fresh import left out."""
    taken: dict[tuple[str, int], int] = {}
    found = []
    places = {(one.path, one.line) for one in suspects}
    for one in candidates(sites(suspects, files.source), late=False, ran_at_import=ran_at_import):
        place = (one.path, one.line)
        if place in places and not one.cold and taken.get(place, 0) < _EACH:
            taken[place] = taken.get(place, 0) + 1
            found.append(one)
    return found
