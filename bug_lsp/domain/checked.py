"""What was checked by program, as Markdown: for the task file, and as facts for the orchestrator.

All of it is ours to say: of what agents wrote only paths and the names of tests occur, as code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .agreement import Cluster
from .proof import SUITE, Cell, Evidence, Proof, Reproduction, Verdict
from .transcript import code, one_line

_MOST_NAMED = 5
_DETAIL = 160
_OUTCOMES = {
    "passed": "passes",
    "failed": "**FAILS**",
    "flaky": "flaky",
    "timeout": "**timed out**",
    "notApplied": "**does not apply**",
    "notRun": "not run",
}
_FAILURES = {"failed", "timeout", "notApplied"}

Labels = Mapping[str, str]
"""Short name of a session, `Debug (1) codex`, by its id."""


def for_people(proof: Proof, labels: Labels) -> str:
    """The section of the task file."""
    parts = [f"- {one_line(sentence, 400)}" for sentence in _lacking(proof)]
    parts += [table(proof, labels), reproductions(proof), _suite(proof), quotes(proof, labels)]
    parts += [f"- {one_line(note, 400)}" for note in proof.notes]
    return "\n\n".join(filter(None, parts)) or "There was nothing to check."


def facts(proof: Proof, labels: Labels, clusters: Iterable[Cluster]) -> str:
    """What the orchestrator is told first."""
    places = "\n".join(_cluster(cluster, labels) for cluster in clusters)
    evidence = "\n".join(_told(one, labels) for one in proof.evidence)
    parts = [
        *_lacking(proof),
        table(proof, labels) or "No patch could be tried.",
        reproductions(proof),
        _suite(proof),
        f"Places that the sessions name:\n\n{places}" if places else "",
        f"Evidence, each quote compared with the code:\n\n{evidence}" if evidence else "",
        *(one_line(note, 400) for note in proof.notes),
    ]
    return "\n\n".join(filter(None, parts))


def _lacking(proof: Proof) -> Iterable[str]:
    for sentence in proof.copies_lack:
        yield f"{sentence}. What fails for want of it says nothing about the bug."


def table(proof: Proof, labels: Labels) -> str:
    """The matrix; "" where there is none."""
    if not proof.cells:
        return ""
    checks = list(dict.fromkeys(cell.check for cell in proof.cells))
    checks.sort(key=lambda check: (check == SUITE, check))
    names = {one.id: f"{one.id}: {_escaped(code(one.title))}" for one in proof.reproductions}
    head = ["patch", *(names.get(check, "the project's tests") for check in checks)]
    rows = [
        [
            _escaped(labels.get(patch.session_id, patch.session_id)),
            *(_cell(proof.cell(patch.session_id, check)) for check in checks),
        ]
        for patch in proof.patches
    ]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows])


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return ""
    said = _OUTCOMES[cell.outcome]
    if cell.regression_count:
        named = ", ".join(code(name) for name in cell.regressions[:_MOST_NAMED])
        more = " ..." if cell.regression_count > min(len(cell.regressions), _MOST_NAMED) else ""
        return _escaped(f"**breaks {_counted(cell.regression_count, 'test')}**: {named}{more}")
    if cell.check == SUITE and cell.outcome == "failed":
        return "breaks nothing; what failed before still fails"
    if cell.outcome in _FAILURES and cell.detail and cell.check != SUITE:
        return _escaped(f"{said}: {one_line(cell.detail, _DETAIL)}")
    return _escaped(said + (f" ({one_line(cell.detail, _DETAIL)})" if cell.detail else ""))


def _escaped(text: str) -> str:
    """Text that ends no cell of a table."""
    return text.replace("|", "\\|")


def reproductions(proof: Proof) -> str:
    """How the bug was reproduced, or that it was not."""
    return "\n".join(_reproduction(one) for one in proof.reproductions)


def _reproduction(one: Reproduction) -> str:
    reason = f": {one_line(one.reason, _DETAIL)}" if one.reason else ""
    how = {
        "reproduced": f"fails on your code{reason}",
        "notReproduced": f"does not count{reason or ': it passes on your code'}",
        "flaky": f"is flaky{reason}",
    }[one.status]
    return f"- {one.id} {code(one.title)} {how}"


def _suite(proof: Proof) -> str:
    suite = proof.suite
    if suite is None:
        return ""
    if suite.problem:
        return f"- The project's tests ({code(suite.title)}): {one_line(suite.problem, _DETAIL)}"
    if suite.passed is None:
        return f"- The project's tests: {code(suite.title)}"
    return (
        f"- The project's tests ({code(suite.title)}) on your code: {suite.passed} passed, "
        f"{suite.failed} failed"
    )


def quotes(proof: Proof, labels: Labels) -> str:
    """How many quotes stand in the code, and each that does not."""
    if not proof.evidence:
        return ""
    count = sum(one.verdict is Verdict.VERIFIED for one in proof.evidence)
    lines = [f"- {count} of {_counted(len(proof.evidence), 'quote')} stand where they are said to"]
    lines += [
        f"- {_told(one, labels)}" for one in proof.evidence if one.verdict is not Verdict.VERIFIED
    ]
    return "\n".join(lines)


def _told(one: Evidence, labels: Labels) -> str:
    place = code(f"{one.path}:{one.line}")
    line = f"[{one.id}] {labels.get(one.session_id, one.session_id)}, {place}: {verdict(one)}"
    return f"{line}: {code(one.actual)}" if one.actual.strip() else line


def verdict(one: Evidence) -> str:
    """A verdict in words."""
    reason = f" ({one_line(one.reason, _DETAIL)})" if one.reason else ""
    if one.verdict is Verdict.MOVED:
        there = code(f"{one.found_path or one.path}:{one.found_line}")
        return f"quote stands at {there}"
    return {
        Verdict.VERIFIED: "verified",
        Verdict.CONTRADICTED: f"**contradicted**, no such text there{reason}",
    }.get(one.verdict, f"unknown{reason}")


def _cluster(cluster: Cluster, labels: Labels) -> str:
    ids = ", ".join(cluster.evidence)
    for_it = ", ".join(labels.get(one, one) for one in cluster.sessions)
    against = ", ".join(labels.get(one, one) for one in cluster.against)
    other = f"; another place instead: {against}" if against else ""
    return f"- {code(f'{cluster.path}:{cluster.line}')} [{ids}]: {for_it}{other}"


def patch_facts(proof: Proof, session_id: str) -> str:
    """What was found out about a session's patch, as a clause; "" where it has none."""
    cells = [cell for cell in proof.cells if cell.session_id == session_id]
    if not cells:
        return ""
    if proof.proven(session_id):
        return "passes " + _all_checks(proof)
    return "; ".join(
        f"{'suite' if cell.check == SUITE else cell.check}: "
        + _cell(cell.model_copy(update={"detail": ""}))
        for cell in cells
    )


def patch_verdict(proof: Proof, session_id: str) -> str:
    """The same in a few plain words, for a menu: `reproduction passes, suite passes`."""
    patch = next((one for one in proof.patches if one.session_id == session_id), None)
    if patch is None:
        return "not tried"
    if patch.problem:
        return one_line(patch.problem, _DETAIL)
    said = [_reproduced(proof, session_id), _suite_verdict(proof.cell(session_id, SUITE))]
    return ", ".join(filter(None, said)) or "there was nothing to try it with"


def _reproduced(proof: Proof, session_id: str) -> str:
    cells = [proof.cell(session_id, one.id) for one in proof.reproduced()]
    passed = sum(cell is not None and cell.outcome == "passed" for cell in cells)
    if not cells:
        return ""
    if len(cells) == 1:
        cell = cells[0]
        said = _OUTCOMES[cell.outcome] if cell else "not run"
        return f"reproduction {said.replace('*', '').replace('FAILS', 'fails')}"
    return f"{passed} of {len(cells)} reproductions pass"


def _suite_verdict(cell: Cell | None) -> str:
    if cell is None:
        return ""
    if cell.regression_count:
        named = ", ".join(cell.regressions[:_MOST_NAMED])
        more = " ..." if cell.regression_count > min(len(cell.regressions), _MOST_NAMED) else ""
        return f"suite: breaks {_counted(cell.regression_count, 'test')}, {named}{more}"
    if cell.outcome == "failed":
        return "suite breaks nothing"
    return f"suite {_OUTCOMES[cell.outcome].replace('*', '')}"


def _all_checks(proof: Proof) -> str:
    names = [one.id for one in proof.reproduced()]
    return ", ".join(names) + (" and breaks none of the project's tests" if proof.suite else "")


def _counted(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"
