"""What bisect says: the culprit, what it changed, what is left of that, and how it was found.

Text only: it asks neither git nor a test.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bug_lsp.agents.markdown import code_block, code_span, counted, listed, plain
from bug_lsp.domain.line_roles import NOT_A_CAUSE, role_of
from bug_lsp.domain.report import Basis, Finding, Report, report_block

from .bisection import Verdict
from .culprit_search import Culprit, Found
from .git_changes import ChangedLine
from .git_copy import Commit

MOST_FINDINGS = 10
_MOST_NAMES = 10
_FEW_LINES = 3
_SURE, _LEAST_SURE = 0.9, 0.1
_HISTORY, _TESTS = "history", "tests"
"""What findings were measured by."""
_NOT_EXECUTED = 0.5


@dataclass(frozen=True, slots=True)
class Symptoms:
    """Where the failure shows, by path and line."""

    traced: frozenset[tuple[str, int]] = frozenset()
    """Where the tests' exceptions came through."""
    executed: frozenset[tuple[str, int]] = frozenset()
    """What the failing tests execute; empty where that is not known."""
    told: tuple[str, ...] = ()
    """What there is to say of other tests that fail."""


def answer(found: Found, symptoms: Symptoms) -> str:
    """The whole answer."""
    findings = [finding for culprit in found.culprits for finding in _findings(culprit, symptoms)]
    report = Report(
        root_cause=" ".join(
            [
                *(f"{_sentence(culprit)}." for culprit in found.culprits),
                *(f"No commit is to blame: {why}." for why in found.why_none),
            ]
        ),
        findings=tuple(findings[:MOST_FINDINGS]),
        verification=(
            f"{counted(len(found.tried), 'commit')} of {found.history} were checked out and tested."
        ),
    )
    sections = [section for culprit in found.culprits for section in _sections(culprit)]
    if found.why_none:
        sections.append("\n".join(["## No commit is to blame", "", *_items(found.why_none)]))
    others = "\n".join(["## Other tests", "", *_items(symptoms.told)]) if symptoms.told else ""
    parts = [*sections, _left_over(found), others, _method(found), report_block(report)]
    return "\n\n".join(filter(None, parts))


def _who(commit: Commit) -> str:
    return f"commit {commit.short} ({commit.subject}, {commit.author}, {commit.date})"


def _what(culprit: Culprit) -> str:
    if culprit.uncommitted:
        return "what is not committed yet"
    if culprit.is_narrowed:
        newest, oldest = culprit.commits[0], culprit.commits[-1]
        return (
            f"one of {len(culprit.commits)} commits, {oldest.short} to {newest.short} (the time was"
            " over before it was one),"
        )
    if len(culprit.commits) == 1:
        return _who(culprit.commits[0])
    newest, oldest = culprit.commits[0], culprit.commits[-1]
    return (
        f"one of {len(culprit.commits)} commits, {oldest.short} to {newest.short},"
        " of which all but the newest cannot be tested,"
    )


def _sentence(culprit: Culprit) -> str:
    names = listed([f"`{name}`" for name in culprit.names], _FEW_LINES)
    places = [f"{line.path}:{line.line}" for line in _telling(culprit.lines)]
    changed = f"it changed {listed(places, _FEW_LINES)}" if places else "none of its lines is left"
    return f"{_what(culprit)} made {names} fail; {changed}"


def _telling(lines: Sequence[ChangedLine]) -> list[ChangedLine]:
    """The lines worth showing: code; anything else only where there is nothing else."""
    code = [line for line in lines if _is_code(line)]
    shown = code or [line for line in lines if re.search(r"\w", line.quote)]
    return sorted(shown, key=lambda line: (line.path, line.line))


def _is_code(line: ChangedLine) -> bool:
    return role_of(line.path, line.quote) not in NOT_A_CAUSE


def _findings(culprit: Culprit, symptoms: Symptoms) -> list[Finding]:
    """The lines of code that it changed: those in a traceback first, then what tests execute."""
    lines = [line for line in _telling(culprit.lines) if _is_code(line)]
    lines.sort(
        key=lambda line: (
            (line.path, line.line) not in symptoms.traced,
            (line.path, line.line) not in symptoms.executed,
        )
    )
    executed = [line for line in lines if (line.path, line.line) in symptoms.executed]
    confidence = _confidence(len(executed or lines), len(culprit.commits))
    shown = lines if len(lines) <= MOST_FINDINGS else _one_of_each_run(lines)
    return [_finding(line, culprit, confidence, symptoms) for line in shown]


def _finding(line: ChangedLine, culprit: Culprit, confidence: float, symptoms: Symptoms) -> Finding:
    names = listed(culprit.names, 2)
    is_executed = (line.path, line.line) in symptoms.executed
    passed_over = bool(symptoms.executed) and not is_executed
    execute = ", and failing tests execute it" if is_executed else ""
    return Finding(
        claim=f"{_done(line)} by {_what(culprit).rstrip(',')}, which made {names} fail{execute}",
        path=line.path,
        line=line.line,
        quote=line.quote,
        confidence=round(confidence * (_NOT_EXECUTED if passed_over else 1), 2),
        basis=Basis.COMMIT,
        measurement=f"{_HISTORY},{_TESTS}" if is_executed else _HISTORY,
    )


def _done(line: ChangedLine) -> str:
    if line.removed_beside:
        return f"{counted(line.removed_beside, 'line')} removed beside this one"
    return "last changed"


def _confidence(lines: int, commits: int) -> float:
    """High where the culprit is one commit and little of it is left to look at."""
    sure = _SURE * math.sqrt(min(_FEW_LINES / max(lines, 1), 1)) / commits
    return round(max(sure, _LEAST_SURE), 2)


def _one_of_each_run(lines: list[ChangedLine]) -> list[ChangedLine]:
    """The first of neighbouring lines: ten findings should not all be of one block."""
    known = {(line.path, line.line) for line in lines}
    return [line for line in lines if (line.path, line.line - 1) not in known]


def _sections(culprit: Culprit) -> list[str]:
    parts = [_headline(culprit)]
    if culprit.diff:
        parts.append(f"## What it changed\n\n{code_block(culprit.diff, 'diff')}")
    lines = _telling(culprit.lines)
    if lines:
        table = ["## Lines of it that are there today", "", "| line | code |", "| --- | --- |"]
        for line in lines[:MOST_FINDINGS]:
            note = f" ({_done(line)})" if line.removed_beside else ""
            place = code_span(f"{line.path}:{line.line}")
            table.append(f"| {place}{note} | {code_span(line.quote)} |")
        if len(lines) > MOST_FINDINGS:
            table += ["", f"and {counted(len(lines) - MOST_FINDINGS, 'more line')}."]
        parts.append("\n".join(table))
    return parts


def _headline(culprit: Culprit) -> str:
    lines = ["## The change that broke it", ""]
    if culprit.uncommitted:
        lines.append("It is not committed yet: the last commit passes, the working state fails.")
    else:
        if len(culprit.commits) > 1:
            lines += ["One of these, as only the newest can be tested:", ""]
        lines += [
            f"- **{commit.short}** {plain(commit.subject)}, by {plain(commit.author)} on"
            f" {commit.date} ({commit.sha})"
            for commit in culprit.commits[:MOST_FINDINGS]
        ]
    names = [code_span(name) for name in culprit.names]
    return "\n".join([*lines, "", f"It made these fail: {listed(names, _MOST_NAMES)}."])


def _items(sentences: Sequence[str]) -> list[str]:
    return [f"- {sentence}" for sentence in sentences]


def _left_over(found: Found) -> str:
    if found.why_none:
        return ""
    lines = ["## Tests it does not explain", ""]
    if found.always:
        names = listed([code_span(name) for name in found.always], _MOST_NAMES)
        lines.append(f"- fail in every commit they could be run in: {names}")
    if found.unsearched:
        names = listed([code_span(name) for name in found.unsearched], _MOST_NAMES)
        lines.append(f"- have yet another cause and were not searched for: {names}")
    lines += _items(found.unfinished)
    return "\n".join(lines) if len(lines) > 2 else ""  # noqa: PLR2004 - more than the heading


def _method(found: Found) -> str:
    rows = ["| commit | verdict |", "| --- | --- |"]
    for number, (commit, verdicts) in enumerate(found.tried):
        kinds = list(dict.fromkeys(verdicts.values()))
        verdict = kinds[0] if len(kinds) == 1 else _tally(verdicts)
        what = f"{commit.short} {plain(commit.subject)}" if number else "the present state"
        rows.append(f"| {what} | {verdict} |")
    intro = (
        f"{counted(len(found.tried), 'commit')} of {found.history} were checked out in a copy, with"
        " today's failing tests brought into them, by doubling steps back and then by halves."
    )
    return "\n".join(["## How this was found", "", intro, "", *rows])


def _tally(verdicts: dict[str, Verdict]) -> str:
    return ", ".join(
        f"{list(verdicts.values()).count(kind)} {kind}"
        for kind in Verdict
        if kind in verdicts.values()
    )
