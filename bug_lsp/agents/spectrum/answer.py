"""What spectrum says: which tests fail, which lines stand out, how far that can be trusted.

Text only: it runs nothing and ranks nothing.
"""

from __future__ import annotations

from bug_lsp.agents.markdown import code_span, counted, listed, plain
from bug_lsp.agents.python_tests import Reproduction
from bug_lsp.domain.report import Finding

from .suspects import Suspect

MOST_FINDINGS = 10
_MOST_TESTS_NAMED = 10
_WEAK_SCORE = 0.5
_MANY_TIES = 4


def failing_ids(shown: Reproduction) -> list[str]:
    """The names of the tests that show the bug."""
    return [shown.run.tests[index].id for index in shown.failing]


def root_cause(shown: Reproduction, suspects: list[Suspect], first: Finding) -> str:
    """What was observed, and what speaks against it; never why the tests fail."""
    if shown.errors:
        return f"{first.path}:{first.line}: {first.claim}."
    names = listed([f"`{test}`" for test in failing_ids(shown)], 3)
    verb = "fails" if len(shown.failing) == 1 else "fail"
    where = f"{first.path}:{first.line}"
    if suspects and suspects[0].ties > 1:
        tied = f"{suspects[0].ties} lines stand out equally, one of them is {where}"
    else:
        tied = f"the line that stands out most is {where}"
    doubts = "".join(f" {doubt}." for doubt in _doubts(shown, suspects))
    return (
        f"{names} {verb}; {tied}: {first.claim}.{doubts} This says where to look, not why it fails."
    )


def _doubts(shown: Reproduction, suspects: list[Suspect]) -> list[str]:
    """What makes the ranking weak, as sentences without a full stop."""
    doubts = []
    if suspects and suspects[0].score < _WEAK_SCORE:
        doubts.append("Weak evidence: most of the tests that execute it pass")
    if suspects and suspects[0].ties > _MANY_TIES:
        doubts.append("So many lines that none of them can be told from the others")
    if shown.triage.others and not shown.triage.is_named:
        doubts.append(
            f"{counted(len(shown.triage.others), 'other test')} failing for other reasons may as"
            " well be the bug: the task names no test"
        )
    return doubts


def failing_section(shown: Reproduction) -> str:
    """The tests that show the bug."""
    lines = ["## Failing tests", ""]
    for index in shown.failing[:_MOST_TESTS_NAMED]:
        test = shown.run.tests[index]
        summary = plain(test.failure.summary) if test.failure is not None else ""
        lines.append(f"- {code_span(test.id)}: {summary}")
    if len(shown.failing) > _MOST_TESTS_NAMED:
        lines.append(f"- and {len(shown.failing) - _MOST_TESTS_NAMED} more")
    lines += [
        f"- {code_span(error.where)} cannot be collected: {plain(error.failure.summary)}"
        for error in shown.errors
    ]
    return "\n".join(lines)


def others_section(shown: Reproduction) -> str:
    """The other tests that fail, which the ranking leaves out."""
    told = [*shown.triage.told, *shown.notes]
    if not told:
        return ""
    return "\n".join(["## Left out of the ranking", "", *(f"- {plain(one)}" for one in told)])


def suspects_section(suspects: list[Suspect]) -> str:
    """The ranking. Lines that cannot be told apart share their places."""
    if not suspects:
        return ""
    lines = [
        "## Most suspicious lines",
        "",
        "| place | line | score | failing | passing | traceback | code |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for one in suspects[:MOST_FINDINGS]:
        traceback = "yes" if one.in_traceback else ""
        lines.append(
            f"| {one.places} | {code_span(f'{one.path}:{one.line}')} | {one.score:.2f}"
            f" | {one.failed} of {one.all_failed} | {one.passed} of {one.all_passed}"
            f" | {traceback} | {code_span(one.quote)} |"
        )
    shown = suspects[:MOST_FINDINGS]
    hidden = sum(one.place == shown[-1].place for one in suspects[MOST_FINDINGS:])
    if hidden:
        lines += ["", f"{counted(hidden, 'more line')} cannot be told apart from the last one."]
    return "\n".join(lines)


def method_section(shown: Reproduction, *, with_edits: bool) -> str:
    """How the ranking came about."""
    run = shown.run
    edits = (
        " Lines at which a likely small edit makes the failing tests pass and breaks no other come"
        " first, and equals are told apart by how many of the edits turn a failing test green."
    )
    text = (
        f"The project's tests were run once by {run.runner} ({run.counted()}), recording which"
        " lines each test executes until it fails. A line's score is Ochiai's coefficient: failing"
        " tests that execute it / √(all failing tests x all tests that execute it); 1 means all"
        " failing tests execute it and no passing one does."
        f"{edits if with_edits else ''}"
        " Among equals, lines in a failing test's traceback come first, then lines of shorter"
        " functions. A `raise` counts no more than its condition. Lines that run at import and"
        " lines run in other processes are not measured."
    )
    if run.stopped is not None and len(run.tests) < len(run.collected):
        text += f" Only {len(run.tests)} of {len(run.collected)} tests were run: {run.stopped}."
    return f"## How this was found\n\n{text}"
