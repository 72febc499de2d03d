"""What is promised of every text that a task file can hold or an agent can write into it."""

from __future__ import annotations

from bug_lsp.domain.inert import inert
from bug_lsp.domain.region import defuse, merge, region_of, without_regions
from bug_lsp.domain.related import sections
from bug_lsp.domain.report import parse_report, parse_synthesis
from bug_lsp.domain.task import slug, title_of

RUN = "2" * 16
BODY = "## Root cause\n\nx\n"

FOUND = [
    "",
    "\ufeff# \r\n\r",
    f"<!-- bug-lsp:begin run={RUN} -->\n<!-- bug-lsp:end -->",
    f"<!-- bug-lsp:begin run={RUN} -->\r\n<details>\n<summary>Earlier synthesis\n</details>\n",
    f"<!-- bug-lsp:begin run={RUN} -->\r\n<details>\n</details>\n<!-- bug-lsp:end -->\t\n",
    f"```\n<!-- bug-lsp:begin run={RUN} -->\n```\n<!-- bug-lsp:end -->\n```",
    "~~~ x\n```\n~~~~\n```json\n{\n```",
    "```json\n" * 50,
    "[](",
    "![]:![]:",
]
"""Texts that once were a problem, or would be one for a simpler parser."""


def check(text: str) -> None:
    """Raises where a promise is broken."""
    edit = merge(text, RUN, BODY, replaced_label="l")
    if edit is not None:
        result = edit.apply(text)
        assert result.startswith(text[: edit.start])
        assert result.endswith(text[edit.end :])
        found = region_of(result)
        assert found is not None
        assert found[0] == RUN
        assert merge(result, RUN, BODY, replaced_label="l") is None
        own = without_regions(result)
        assert own.strip() == without_regions(text).strip()
    once = inert(text)
    assert inert(once) == once
    assert once.replace(" ", "") == text.replace(" ", "")
    assert not any(mark in defuse(text) for mark in ("<!--", "<details"))
    list(sections(text))
    assert slug(title_of(text) or "x")
    for parse in (parse_report, parse_synthesis):
        assert parse(text)
