"""Reading the closing block of an answer."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bug_lsp.domain.report import (
    Finding,
    Report,
    Synthesis,
    fenced_json,
    last_json_block,
    parse_report,
    parse_synthesis,
    report_block,
    report_schema,
    synthesis_schema,
    without_last_json_block,
)
from bug_lsp.domain.synthesis import digest, from_answer, from_single
from tests.support.facts import ended

BODY = '{"findings": [], "rootCause": "here"}'
BLOCK = f"```json\n{BODY}\n```"

finding = st.builds(
    Finding,
    claim=st.text(min_size=1),
    path=st.text(min_size=1),
    line=st.integers(1, 10**18),
    quote=st.text(),
    confidence=st.floats(0, 1),
)
reports = st.builds(
    Report,
    root_cause=st.text(),
    findings=st.lists(finding, max_size=3).map(tuple),
    fix=st.text(),
    verification=st.text(),
)


@pytest.mark.parametrize(
    "answer",
    [
        BLOCK,
        f"words\n\n{BLOCK}\n",
        f"words\n\n{BLOCK}\nand more words",
        f"```python\nx = 1\n```\nwords\n{BLOCK}",
        f"```\nlog\n```\n\n```diff\n-a\n+b\n```\n{BLOCK}",
        f'```json\n{{"findings": 1}}\n```\n{BLOCK}',
        f"````\n{BODY}\n````",
        f"~~~json\n{BODY}\n~~~",
        f"```JSON  \n{BODY}\n```  ",
        f"  ```json\n{BODY}\n  ```",
        BLOCK.replace("\n", "\r\n"),
        f"```python\r\nx\r\n```\r\n{BLOCK}".replace("\n", "\r\n").replace("\r\r", "\r"),
        f"{BLOCK}\n```text\nnot JSON\n```",
        f"```json\n{BODY}",
        f"````markdown\n```json\n{{}}\n```\n````\n{BLOCK}",
    ],
)
def test_the_last_block_that_is_json_is_read(answer: str) -> None:
    report = parse_report(answer)
    assert isinstance(report, Report)
    assert report.root_cause == "here"


def test_a_block_quoted_in_a_longer_fence_is_not_the_agents_own() -> None:
    assert last_json_block(f"````markdown\n{BLOCK}\n````\n") is None


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("", "there is no fenced JSON block"),
        ("just words {}", "there is no fenced JSON block"),
        ("```json\n[1]\n```", "there is no fenced JSON block"),
        ("```json\n{'a': 1}\n```", "Invalid JSON: "),
        ('```json\n{"findings": [1,]}\n```', "Invalid JSON: "),
        ("```json\n{}\n```", "findings: Field required"),
        ('```json\n{"findings": {}}\n```', "findings: "),
        ('```json\n{"findings": [], "rootCause": "\\ud800"}\n```', "Invalid JSON: "),
        (f"```json\n{'[' * 5_000}\n```", "there is no fenced JSON block"),
        (f'```json\n{{"findings": {"[" * 5_000}\n```', "Invalid JSON: "),
    ],
)
def test_what_is_wrong_is_said_in_a_line(answer: str, problem: str) -> None:
    said = parse_report(answer)
    assert isinstance(said, str)
    assert said.startswith(problem)
    assert "\n" not in said


def confidence(value: str) -> float | str:
    body = '{"claim": "c", "path": "p", "line": 1, "quote": "", "confidence": %s}' % value  # noqa: UP031
    report = parse_report(f'```json\n{{"findings": [{body}]}}\n```')
    return report if isinstance(report, str) else report.findings[0].confidence


@pytest.mark.parametrize(
    ("value", "number"),
    [
        ('"high"', 0.9),
        ('" Medium "', 0.6),
        ('"LOW"', 0.3),
        ('"0.25"', 0.25),
        ("1", 1.0),
        ("0", 0.0),
    ],
)
def test_a_confidence_may_be_a_word_or_a_number(value: str, number: float) -> None:
    assert confidence(value) == number


@pytest.mark.parametrize("value", ['"sure"', "1.01", "-1", "1e999", "NaN", "Infinity", "null"])
def test_a_confidence_that_is_none_is_named(value: str) -> None:
    said = confidence(value)
    assert isinstance(said, str)
    assert "onfidence" in said or "Invalid JSON" in said


@pytest.mark.parametrize("line", ["0", "-3", "1.5", "1e400", '"x"', "null"])
def test_a_line_that_is_none_is_named(line: str) -> None:
    body = '{"claim": "c", "path": "p", "line": %s, "quote": ""}' % line  # noqa: UP031
    said = parse_report(f'```json\n{{"findings": [{body}]}}\n```')
    assert isinstance(said, str)
    assert said.startswith("findings.0.line: ")


def test_a_line_number_of_any_size_is_kept_and_shown() -> None:
    line = 10**40
    body = f'{{"claim": "c", "path": "p", "line": {line}, "quote": ""}}'
    report = parse_report(f'```json\n{{"findings": [{body}]}}\n```')
    assert isinstance(report, Report)
    facts = ended(1, report=report)
    assert f"`p:{line}`" in digest([facts, ended(2)]).root_cause
    assert f"`p:{line}`" in from_single(facts).root_cause


@given(reports, st.text())
@example(Report(findings=(), fix="```\n~~~\n````"), "")
def test_what_is_written_as_a_block_is_read_back(report: Report, words: str) -> None:
    lead = "".join(c for c in words if c not in "`~")
    answer = f"{lead}\n\n{report_block(report)}"
    assert parse_report(answer) == report
    assert without_last_json_block(answer) == lead.strip()


@given(
    st.text()
    | st.lists(st.sampled_from(["```", "~~~", "````", "\n", "json", "{", "}", " ", "\r"])).map(
        "".join
    )
)
def test_any_answer_is_read_without_an_error(answer: str) -> None:
    assert isinstance(parse_report(answer), str | Report)
    assert isinstance(parse_synthesis(answer), str | Synthesis)
    synthesis = from_answer(answer)
    assert synthesis is None or synthesis.root_cause


@pytest.mark.parametrize("piece", ["```\n", "~~~~\n```\n", "`" * 50, "```json\n{\n"])
def test_many_fences_cost_no_time(piece: str) -> None:
    answer = piece * (300_000 // len(piece))
    began = time.perf_counter()
    parse_report(answer)
    without_last_json_block(answer)
    assert time.perf_counter() - began < 3


def test_the_published_schemas_describe_what_is_read() -> None:
    assert report_schema()["required"] == ["findings"]
    wanted = {"rootCause", "recommendedSolution", "implementationSteps"}
    assert set(synthesis_schema()["required"]) == wanted
    assert set(synthesis_schema()["properties"]) >= wanted | {"conflicts", "sessionNotes"}


def test_an_answer_without_a_valid_block_is_read_by_its_headings() -> None:
    answer = (
        "## Root cause\n\nThe sign.\n\n## Recommended solution\n\nAdd.\n\n"
        "## Implementation steps\n\n1. First\n- [ ] Second\n\n## Conflicts to resolve\n\nNone.\n\n"
        "```json\n{broken\n```\n"
    )
    synthesis = from_answer(answer)
    assert synthesis is not None
    assert synthesis.root_cause == "The sign."
    assert synthesis.recommended_solution == "Add."
    assert synthesis.implementation_steps == ("First", "Second")
    assert synthesis.conflicts == ("None.",)


@given(st.text())
def test_fenced_json_cannot_be_left(body: str) -> None:
    text = fenced_json(json.dumps({"x": body + "```\n````"}))
    assert last_json_block(text) is not None
    assert json.loads(last_json_block(text) or "") == {"x": body + "```\n````"}
