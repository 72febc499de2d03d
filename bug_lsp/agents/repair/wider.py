"""Statements that the ranking leaves out, and that an edit may still have to be at.

The ranking names what failing tests execute and passing ones do not. Where a case is forgotten, the
condition that forgets it is executed by all tests. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from bug_lsp.agents.python_tests import SuiteRun
from bug_lsp.agents.spectrum.python_source import PythonSource
from bug_lsp.agents.spectrum.suspects import Suspect

from .source import SourceFile

_MOST = 60
_NOT_IN_A_TRACEBACK = 1_000_000


def wider(
    run: SuiteRun,
    failing: Collection[int],
    suspects: Sequence[Suspect],
    source_of: Callable[[str], PythonSource],
    file_of: Callable[[str], SourceFile | None],
) -> list[Suspect]:
    """What failing tests execute besides, in the functions of the suspects, likeliest first."""
    known = {(one.path, one.line) for one in suspects}
    passing = {index for index, test in enumerate(run.tests) if test.outcome == "passed"}
    shown = set(failing)
    found: dict[tuple[str, int], Suspect] = {}
    for leading in suspects[:_MOST]:
        file = file_of(leading.path)
        around = file.lines_around(leading.line) if file is not None else range(0)
        executed = run.coverage.get(leading.path, {})
        for line in around:
            tests = set(executed.get(line, ()))
            statement = source_of(leading.path).statement(line)
            place = (leading.path, statement.line)
            if tests.isdisjoint(shown) or place in known or place in found:
                continue
            found[place] = Suspect(
                path=leading.path,
                line=statement.line,
                quote=source_of(leading.path).quote(statement.line),
                failed=len(tests & shown),
                passed=len(tests & passing),
                all_failed=len(shown),
                all_passed=len(passing),
                depth=_NOT_IN_A_TRACEBACK,
                function_length=len(around),
            )
    ranked = sorted(found.values(), key=lambda one: (-round(one.score, 9), one.path, one.line))
    return ranked[:_MOST]
