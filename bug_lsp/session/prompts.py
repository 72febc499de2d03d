"""The prompts, from template files. All that comes from agents is bounded and fenced as data."""

from __future__ import annotations

import json
import re
import secrets
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from bug_lsp.domain import evidence
from bug_lsp.domain.agreement import clusters
from bug_lsp.domain.budget import (
    SESSION_LIMIT,
    TOTAL_LIMIT,
    clip,
    join_excerpt,
    shares,
)
from bug_lsp.domain.checked import facts
from bug_lsp.domain.context import Context
from bug_lsp.domain.proof import Proof
from bug_lsp.domain.related import Related
from bug_lsp.domain.report import (
    Finding,
    Report,
    SessionNote,
    Synthesis,
    fenced_json,
    report_schema,
    synthesis_schema,
)
from bug_lsp.domain.run import Facts, Run
from bug_lsp.domain.transcript import clean, fenced, one_line
from bug_lsp.store.layout import RunFolder

if TYPE_CHECKING:
    import jinja2

_RELATED_LIMIT = 2_000
_CONTEXT_LIMIT = 20_000
_TASK_LIMIT = 200_000
_FACTS_LIMIT = 20_000
_PATCH_SHARE = 4
"""At most a quarter of a session's share goes to its patch."""

_EXAMPLE_FINDING = Finding(
    claim="The upper bound is excluded, so the last item is never counted.",
    path="src/stock.py",
    line=41,
    quote="    for index in range(len(items) - 1):",
    confidence=0.9,
)
_EXAMPLE_REPORT = Report(
    root_cause="count() stops one item early because its range excludes the last index.",
    findings=(_EXAMPLE_FINDING,),
    fix="Iterate over the items themselves.",
    verification="tests/test_stock.py::test_count failed before and passes now; 34 others pass.",
)
_EXAMPLE_SYNTHESIS = Synthesis(
    root_cause="count() stops one item early: src/stock.py:41 excludes the last index [E1, E4].",
    recommended_solution="Iterate over the items themselves, as Debug (2) did.",
    recommended_session="1b2c3d4e5f60",
    implementation_steps=("Replace the loop at src/stock.py:41.", "Run tests/test_stock.py."),
    session_notes=(SessionNote(session_id="1b2c3d4e5f60", note="Right; its fix passes."),),
    conflicts=(),
    findings=(_EXAMPLE_FINDING,),
)


_BUG = "# The bug: "
_RELATED = "\n# Earlier bugs in this project that may be related\n"
_WORK = "\n# How to work\n"
"""Headings of the prompt of a debug session."""
_EARLIER_CONCLUSION = re.compile(r"<!-- bug-lsp:begin .*?<!-- bug-lsp:end -->", re.DOTALL)
"""It stands in a fence there, and names more tests than the user did."""


@cache
def _environment() -> jinja2.Environment:
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the result is text for a model, not HTML
    )


def _render(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


def _schema(schema: dict[str, Any]) -> str:
    return fenced_json(json.dumps(schema, indent=1, ensure_ascii=False)).rstrip()


def _example(value: Report | Synthesis) -> str:
    # What a finding rests on is for our own agents to say.
    left_out = {"findings": {"__all__": {"basis", "measurement"}}}
    return fenced_json(value.model_dump_json(by_alias=True, indent=1, exclude=left_out)).rstrip()


def debug_prompt(
    run: Run,
    task: str,
    *,
    description: str = "",
    context: Context | None = None,
    related: Sequence[Related] = (),
) -> str:
    """What every debug session of the run is told; the same for every vendor's agent."""
    return _render(
        "debug.md",
        count=len(run.standing),
        title=run.title,
        task=fenced(clip(task, _TASK_LIMIT), "markdown").rstrip(),
        description=description,
        prefix=run.base.prefix,
        context=context,
        context_text=fenced(clip(context.text, _CONTEXT_LIMIT)).rstrip() if context else "",
        test_command=fenced(run.test_command).rstrip() if run.test_command else "",
        related=[
            Related(
                path=task.path,
                title=task.title,
                root_cause=fenced(clip(task.root_cause, _RELATED_LIMIT), "markdown").rstrip(),
                solution=fenced(clip(task.solution, _RELATED_LIMIT), "markdown").rstrip(),
            )
            for task in related
        ],
        schema=_schema(report_schema()),
        example=_example(_EXAMPLE_REPORT),
    )


def about_the_bug(prompt: str) -> str:
    """The part of a debug session's prompt that says what the user says of the bug."""
    _, bug, rest = prompt.partition(_BUG)
    told, _, _ = rest.rpartition(_WORK)
    related = told.rfind(_RELATED)
    told = told if related < 0 else told[:related]
    return bug + _EARLIER_CONCLUSION.sub("", told)


def copy_section(notes: Sequence[str]) -> str:
    """What an agent is told of its copy: what is in it, and what its commands test."""
    return _render("copy.md", notes=[one_line(note, 500) for note in notes])


def repair_prompt(problem: str) -> str:
    """What the orchestrator is told when its closing block is not valid."""
    return _render("repair.md", problem=problem).strip()


def said_prompt(text: str) -> str:
    """What an agent at work is told when the user says something to it."""
    return _render("said.md", text=text.strip()).strip()


@dataclass(frozen=True, slots=True)
class _Told:
    """One session as the orchestrator reads it."""

    title: str
    session_id: str
    agent: str
    status: str
    output: str
    text: str


def orchestrator_prompt(
    run: Run, task: str, debug: Sequence[Facts], folder: RunFolder, proof: Proof | None = None
) -> str:
    """What the orchestrator is told, first what was checked by program. Costs O(cap): only the
    sessions' results are read.
    """
    texts = session_texts(debug)
    nonce = _nonce(texts)
    told = [
        _Told(
            title=one_line(facts.spec.title, 200),
            session_id=facts.spec.session_id,
            agent=facts.spec.agent_type + (f" ({facts.spec.model})" if facts.spec.model else ""),
            status=str(facts.status)
            + (f" ({facts.result.failure.kind})" if facts.result and facts.result.failure else ""),
            output=str(folder.session(facts.spec.session_id).output),
            text=text,
        )
        for facts, text in zip(debug, texts, strict=True)
    ]
    return _render(
        "orchestrator.md",
        title=run.title,
        facts=_facts(run, debug, proof),
        task=fenced(clip(task, _TASK_LIMIT), "markdown").rstrip(),
        nonce=nonce,
        sessions=told,
        schema=_schema(synthesis_schema()),
        example=_example(_EXAMPLE_SYNTHESIS),
    )


def _facts(run: Run, debug: Sequence[Facts], proof: Proof | None) -> str:
    if proof is None:
        return ""
    labels = {
        spec.session_id: f"{spec.title.partition(':')[0]} {spec.agent_type}" for spec in run.roster
    }
    return clip(facts(proof, labels, clusters(debug, proof.evidence)), _FACTS_LIMIT)


def _nonce(texts: Sequence[str]) -> str:
    while True:
        nonce = secrets.token_hex(16)
        if not any(nonce in text for text in texts):
            return nonce


def session_texts(debug: Sequence[Facts]) -> list[str]:
    """What each session handed in, within 30,000 characters each and 100,000 in all."""
    numbered: dict[str, list[str]] = defaultdict(list)
    for name, session_id, _ in evidence.ids(debug):
        numbered[session_id].append(name)
    parts = [_parts(one, numbered[one.spec.session_id]) for one in debug]
    granted = shares([_demand(one) for one in parts], TOTAL_LIMIT, SESSION_LIMIT)
    return [_session_text(one, share) for one, share in zip(parts, granted, strict=True)]


_Parts: TypeAlias = tuple[str, str, str, str, int]
"""(findings, patch, head, tail, characters of the whole output)."""


def _parts(facts: Facts, evidence_ids: Sequence[str]) -> _Parts:
    result = facts.result
    if result is None:
        return "", "", "", "", 0
    failure = f"failure: {clean(result.failure.message)}\n" if result.failure else ""
    patch = f"\npatch:\n{clean(result.patch)}\n" if result.patch else ""
    return (
        failure + _findings(facts, evidence_ids),
        patch,
        result.head,
        result.tail,
        result.output_chars,
    )


def _demand(parts: _Parts) -> int:
    findings, patch, _, _, total = parts
    return len(findings) + len(patch) + len(_OUTPUT) + total


_OUTPUT = "\noutput:\n"


def _session_text(parts: _Parts, share: int) -> str:
    findings, patch, head, tail, total = parts
    if len(findings) + len(patch) + len(_OUTPUT) + total <= share:
        return findings + patch + _OUTPUT + head + tail
    # Findings first, whole if at all possible; then some of the patch; the rest is for the output.
    first = clip(findings, share * 2 // 3)
    change = clip(patch, min(len(patch), share // _PATCH_SHARE))
    room = share - len(first) - len(change) - len(_OUTPUT)
    if room <= 0:
        return clip(findings, share)
    return first + change + _OUTPUT + join_excerpt(head, tail, total, room)


def _findings(facts: Facts, evidence_ids: Sequence[str]) -> str:
    result = facts.result
    if result is None or result.report is None:
        problem = result.report_problem if result else None
        return f"no findings handed in ({problem})\n" if problem else "no findings handed in\n"
    report = result.report
    lines = [
        f"- {f'[{name}] ' if name else ''}{clean(finding.path)}:{finding.line} "
        f"(confidence {finding.confidence:.2f}) "
        f"{one_line(finding.claim, 500)}\n  quote: {one_line(finding.quote, 300)}"
        for finding, name in zip_longest(report.findings, evidence_ids)
    ]
    return "\n".join(
        [
            f"root cause: {clean(report.root_cause)}",
            f"fix: {clean(report.fix)}",
            f"checked: {clean(report.verification)}",
            "findings:" if lines else "findings: none",
            *lines,
            "",
        ]
    )
