"""The answer of a repair: the patch, how it was checked, what else would do, and the search.

Text only, from values.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bug_lsp.agents.markdown import code_block, code_span, counted, listed, plain
from bug_lsp.agents.python_tests import RanTest
from bug_lsp.agents.spectrum.suspects import Suspect
from bug_lsp.domain.report import Basis, Finding, Report, report_block

from .baseline import Baseline
from .candidates import Candidate
from .search import Found, Tally
from .source import SourceFile

MOST_FINDINGS = 10
_MOST_SHOWN = 12
_MOST_ALTERNATIVES = 5
_SURE = 0.9
_SURE_UNCHECKED = 0.6
_LEAST_SURE = 0.4
_EDITS, _TESTS = "edits", "tests"
"""What was measured."""


@dataclass
class Outcome:
    """What a repair came to."""

    baseline: Baseline
    failing: list[RanTest]
    suspects: list[Suspect]
    found: Found
    file_of: Callable[[str], SourceFile | None]
    related: list[RanTest] = field(default_factory=list)
    """Tests that fail too, and probably show another bug."""
    also: list[str] = field(default_factory=list)
    """Those of them that pass with the patch."""
    others: tuple[str, ...] = ()
    """What is to be said of failing tests that are probably not this bug, as sentences."""
    patch: Candidate | None = None
    text: str = ""
    """The whole file with the patch in it."""
    checked: int = 0
    """How many tests were run with the patch, in a process that had not seen the code before."""
    whole_suite: bool = False
    rejected: list[Candidate] = field(default_factory=list)
    """Candidates that passed in the search, but not in a fresh process."""
    unchecked: str = ""
    """Why the patch could not be checked in a fresh process; empty if it was."""

    @property
    def passing(self) -> list[Candidate]:
        """Edits that pass, the likeliest first, without those that did not hold."""
        return [one for one in self.found.passing if one not in self.rejected]

    @property
    def alternatives(self) -> list[Candidate]:
        """The same without the patch."""
        return [one for one in self.passing if one != self.patch]


def answer(outcome: Outcome) -> str:
    """The whole answer, with its closing block."""
    parts = [
        _patch(outcome),
        _failing(outcome.failing, outcome.others),
        _alternatives(outcome),
        _search(outcome),
        report_block(_report(outcome)),
    ]
    return "\n\n".join(part for part in parts if part)


def places(outcome: Outcome) -> list[Suspect]:
    """The suspects again, sharpened by what the search saw."""
    order = {(c.path, c.line): n for n, c in reversed(list(enumerate(outcome.passing)))}
    if outcome.patch is not None:
        order[outcome.patch.path, outcome.patch.line] = -1
    share = {place: tally.share for place, tally in outcome.found.tallies.items()}

    def key(suspect: Suspect) -> tuple[float, float, float, int]:
        place = (suspect.path, suspect.line)
        passing = order.get(place, len(order) + 1)
        return (passing, -round(suspect.score, 9), -round(share.get(place, 0.0), 2), suspect.depth)

    return sorted(outcome.suspects, key=key)


def _patch(outcome: Outcome) -> str:
    if outcome.patch is None:
        return (
            "## No patch\n\nNo small edit at the suspicious statements makes the failing tests pass"
            " without breaking others."
        )
    text = (
        f"## Patch\n\n{outcome.patch.path}:{outcome.patch.shown}: {outcome.patch.what}"
        f"\n\n{code_block(diff(outcome), 'diff')}\n\n{_verification(outcome)}"
    )
    return f"{text} The tests cannot say whether it is what was meant: read it."


def diff(outcome: Outcome) -> str:
    """The patch as a unified diff."""
    assert outcome.patch is not None  # noqa: S101
    path = outcome.patch.path
    file = outcome.file_of(path)
    before = (file.text if file is not None else "").splitlines()
    lines = difflib.unified_diff(
        before, outcome.text.splitlines(), f"a/{path}", f"b/{path}", lineterm="", n=2
    )
    return "\n".join(lines)


def _verification(outcome: Outcome) -> str:
    whole = len(outcome.baseline.run.collected)
    share = "all" if outcome.whole_suite else f"{outcome.checked} of {whole}"
    names = _listed([test.id for test in outcome.failing])
    passes = f"With it {names} {'pass' if len(outcome.failing) > 1 else 'passes'}"
    if outcome.also:
        passes += f", and so {'do' if len(outcome.also) > 1 else 'does'} {_listed(outcome.also)}"
    if outcome.unchecked:
        return (
            f"{passes}, in a process that had tried other edits before; in a fresh one it could not"
            f" be checked: {outcome.unchecked}."
        )
    return f"{passes}; {share} tests were run again at the end, and none fails that passed before."


def _listed(names: Sequence[str]) -> str:
    return listed([code_span(name) for name in names], 3)


def _failing(failing: Sequence[RanTest], others: Sequence[str]) -> str:
    lines = ["## Failing tests", ""]
    for test in failing[:MOST_FINDINGS]:
        summary = plain(test.failure.summary) if test.failure is not None else ""
        lines.append(f"- {code_span(test.id)}: {summary}")
    if len(failing) > MOST_FINDINGS:
        lines.append(f"- and {len(failing) - MOST_FINDINGS} more")
    if others:
        lines += ["", "Not looked into:", "", *(f"- {plain(told)}" for told in others)]
    return "\n".join(lines)


def _alternatives(outcome: Outcome) -> str:
    found = outcome.alternatives
    if not found:
        return ""
    lines = ["## Other edits with which the tests pass", ""]
    lines += [f"- {one.path}:{one.shown}: {one.what}" for one in found[:_MOST_ALTERNATIVES]]
    if len(found) > _MOST_ALTERNATIVES:
        lines.append(f"- and {len(found) - _MOST_ALTERNATIVES} more")
    return "\n".join(lines)


def _search(outcome: Outcome) -> str:
    found = outcome.found
    lines = [
        "## The search",
        "",
        "| line | tried | turn a failing test green | pass all | code |",
        "| --- | --- | --- | --- | --- |",
    ]
    tallies = found.tallies
    shown = [one for one in places(outcome) if (one.path, one.line) in tallies][:_MOST_SHOWN]
    for one in shown:
        tally = tallies.get((one.path, one.line), Tally())
        lines.append(
            f"| {code_span(f'{one.path}:{one.line}')} | {tally.tried} | {tally.helped}"
            f" | {tally.passed} | {code_span(one.quote)} |"
        )
    rest = sum(tally.tried for tally in tallies.values()) - sum(
        tallies[one.path, one.line].tried for one in shown
    )
    if rest:
        lines.append(f"| elsewhere | {rest} |  |  |  |")
    kinds = ", ".join(f"{name} {count}" for name, count in found.families.most_common())
    what = {
        "hangs": "ran too long",
        "dies": "ended their process",
        "lost": "could not be tried",
        "invalid": "were no Python",
    }
    odd = [f"{found.outcomes[key]} {text}" for key, text in what.items() if found.outcomes[key]]
    lines += [
        "",
        f"{counted(found.tried, 'candidate')} tried: {found.ended}."
        + (f" {', '.join(odd)}." if odd else "")
        + (f" By kind: {kinds}." if kinds else ""),
    ]
    return "\n".join(lines)


def _report(outcome: Outcome) -> Report:
    patch = outcome.patch
    findings: list[Finding] = []
    ranked = places(outcome)
    if patch is not None:
        lines = (patch.shown, *patch.also)
        findings += [_of_patch(outcome, patch, line) for line in lines]
        ranked = [one for one in ranked if one.path != patch.path or one.line not in lines]
    known = {(one.path, one.line) for one in outcome.suspects}
    known |= {(patch.path, patch.line)} if patch is not None else set()
    others = {(c.path, c.line): c for c in reversed(outcome.alternatives)}
    rest = [c for c in outcome.alternatives if c is others[c.path, c.line]]
    rest = [c for c in rest if (c.path, c.line) not in known]
    findings += [_of_alternative(one, outcome) for one in rest[:_MOST_ALTERNATIVES]]
    findings += [_of_suspect(one, outcome) for one in ranked]
    if patch is None:
        cause = f"No small edit repairs {outcome.failing[0].id}; see where it helped."
        return Report(root_cause=cause, findings=tuple(findings[:MOST_FINDINGS]))
    return Report(
        root_cause=f"{patch.path}:{patch.shown}: when {patch.what}, the failing tests pass.",
        findings=tuple(findings[:MOST_FINDINGS]),
        fix=f"{patch.path}:{patch.shown}: {patch.what}.",
        verification=_verification(outcome),
    )


def _quote(outcome: Outcome, path: str, line: int) -> str:
    file = outcome.file_of(path)
    lines = file.text.splitlines() if file is not None else []
    return lines[line - 1] if 0 < line <= len(lines) else ""


def _of_patch(outcome: Outcome, patch: Candidate, line: int) -> Finding:
    rivals = {(one.path, one.line) for one in outcome.alternatives} - {(patch.path, patch.line)}
    sure = _SURE_UNCHECKED if outcome.unchecked else _SURE
    others = "" if outcome.unchecked else " and no other that was run fails"
    return Finding(
        claim=f"when {patch.what}, the failing tests pass{others}",
        path=patch.path,
        line=line,
        quote=_quote(outcome, patch.path, line),
        confidence=round(max(sure - 0.1 * len(rivals), _LEAST_SURE), 2),
        basis=Basis.PATCH,
        measurement=_EDITS,
    )


def _of_alternative(candidate: Candidate, outcome: Outcome) -> Finding:
    """Another edit that passes, where the ranking has no line."""
    return Finding(
        claim=f"the failing tests also pass when {candidate.what}",
        path=candidate.path,
        line=candidate.shown,
        quote=_quote(outcome, candidate.path, candidate.shown),
        confidence=_LEAST_SURE,
        basis=_basis(candidate),
        measurement=_EDITS,
    )


def _basis(candidate: Candidate) -> Basis:
    return Basis.CONDITION if candidate.family == "condition" else Basis.PATCH


def _of_suspect(suspect: Suspect, outcome: Outcome) -> Finding:
    tally = outcome.found.tallies.get((suspect.path, suspect.line), Tally())
    passing = next(
        (c for c in outcome.passing if (c.path, c.line) == (suspect.path, suspect.line)), None
    )
    claim, basis, measurement = suspect.claim, Basis.COVERAGE, _TESTS
    if passing is not None:
        claim, measurement = f"the failing tests also pass when {passing.what}", _EDITS
        basis = _basis(passing)
    elif tally.helped:
        claim += f"; {tally.helped} of {tally.tried} edits here turn a failing test green"
    return Finding(
        claim=claim,
        path=suspect.path,
        line=suspect.line,
        quote=suspect.quote,
        confidence=min(suspect.confidence, 0.5),
        basis=basis,
        measurement=measurement,
    )
