"""What the docs say is what the code does, as far as a program can tell.

`python -m tests.test_docs` writes the published schemas anew.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from bug_lsp.agents import registry
from bug_lsp.domain.errors import FailureKind
from bug_lsp.domain.report import report_schema, synthesis_schema
from bug_lsp.domain.run import RunStatus, Session
from bug_lsp.domain.settings import Settings
from bug_lsp.lsp import answering, features, trust
from tests.faults import table as faults

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
VSCODE = ROOT / "clients" / "vscode"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *VSCODE.glob("*.md")])
SCHEMAS = {"report": report_schema, "synthesis": synthesis_schema}

_FENCE = re.compile(r"^(?P<fence>`{3,}).*?^(?P=fence)$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)|\bsrc=\"([^\"]+)\"")
_TEST = re.compile(r"`(test_\w+)`")
_DEFINED = re.compile(r"^ *(?:async )?def (test_\w+)\(", re.MULTILINE)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def section(page: str, heading: str) -> str:
    """The text below a heading, down to the next one that is as high or higher."""
    level = heading.split(" ", maxsplit=1)[0]
    _, found, rest = page.partition(f"\n{heading}\n")
    assert found, f"there is no heading {heading!r}"
    return re.split(rf"^#{{2,{len(level)}}} ", rest, flags=re.MULTILINE)[0]


def first_cells(text: str) -> set[str]:
    """The names in code in the first cells of the tables in a text."""
    return set(re.findall(r"^\| `([^`]+)` \|", text, re.MULTILINE))


def published(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def links(page: Path) -> Iterator[str]:
    for match in _LINK.finditer(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        target = match[1] or match[2]
        if not re.match(r"[a-z]+:", target):
            yield target


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(
        r"^#+ (.+)$", _FENCE.sub("", page.read_text(encoding="utf-8")), re.MULTILINE
    )
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def test_every_command_is_in_the_protocol_and_there_is_no_other():
    text = section(read("docs/protocol.md"), "## Commands").partition("\n### ")[0]
    assert first_cells(text) == {command.name for command in answering._COMMANDS}


assert features._COMMANDS, "their import is what registers the commands"


@pytest.mark.parametrize("command", answering._COMMANDS, ids=lambda command: command.name)
def test_every_key_of_a_commands_argument_is_in_the_protocol(command):
    text = section(read("docs/protocol.md"), "## Commands")
    keys = {field.alias for field in command.argument.model_fields.values()}
    if command.name == "debugWithAgents":
        assert first_cells(section(text, "### `debugWithAgents`")) == keys
        return
    row = next(line for line in text.splitlines() if line.startswith(f"| `{command.name}` |"))
    said = set(re.findall(r"(\w+)\??(?::|,|\})", row.split("|")[2]))
    assert said - {"false", "true", "50", "1"} == keys


def test_every_setting_is_in_the_protocol_with_its_default_and_there_is_no_other():
    text = section(read("docs/protocol.md"), "## Settings")
    assert first_cells(text) == {field.alias for field in Settings.model_fields.values()}
    defaults = Settings().model_dump(mode="json", by_alias=True, exclude_none=True)
    for name, default in defaults.items():
        shown = re.search(rf"^\| `{name}` \| `([^`]+)` \|", text, re.MULTILINE)
        assert shown is not None, name
        assert json.loads(shown[1]) == default


def declared_in_vscode() -> dict[str, dict[str, Any]]:
    manifest = json.loads((VSCODE / "package.json").read_text(encoding="utf-8"))
    return manifest["contributes"]["configuration"]["properties"]


def test_every_setting_of_the_server_is_one_of_vs_code_with_the_same_default():
    mine = ("bugLsp.server.", "bugLsp.notifications.")
    shown = {name: it for name, it in declared_in_vscode().items() if not name.startswith(mine)}
    defaults = Settings().model_dump(mode="json", by_alias=True)
    defaults["orchestrator"] = {"agentType": defaults["orchestrator"]["agentType"]}
    defaults["runLimits"] = {}
    assert {name.removeprefix("bugLsp."): it["default"] for name, it in shown.items()} == defaults


def test_settings_that_a_workspace_may_not_make_are_the_machines_in_vs_code():
    ours = {"agents", *trust._REASONS, "server.path", "server.uv", "server.extras"}
    machine = {name for name, it in declared_in_vscode().items() if it.get("scope") == "machine"}
    assert machine == {f"bugLsp.{name}" for name in ours}


def test_every_setting_of_vs_code_is_in_the_extensions_readme_and_there_is_no_other():
    text = section(read("clients/vscode/README.md"), "## Settings")
    rows = re.findall(r"^\| `(bugLsp\.[\w.]+)`( \*)? \| `([^`]+)` \|", text, re.MULTILINE)
    told = {name: (bool(star), json.loads(default)) for name, star, default in rows}
    assert told == {
        name: (it.get("scope") == "machine", it["default"])
        for name, it in declared_in_vscode().items()
    }


def test_every_kind_of_failure_is_in_the_protocol_and_there_is_no_other():
    text = section(read("docs/protocol.md"), "### Failures")
    assert first_cells(text) == {str(kind) for kind in FailureKind}


def test_the_example_of_a_session_is_one_and_a_run_has_the_keys_that_are_said():
    text = section(read("docs/protocol.md"), "### Shapes")
    example = re.search(r"```json\n(.*?)```", text, re.DOTALL)
    assert example is not None
    shown = json.loads(example[1])
    assert Session.model_validate(shown).model_dump(mode="json", by_alias=True) == shown
    said = re.search(r"^`Run` is `\{(.*?)\}`", text, re.MULTILINE)
    assert said is not None
    keys = {part.partition(":")[0].strip() for part in said[1].split(",")}
    assert keys == {field.alias for field in RunStatus.model_fields.values()}


def test_every_agent_there_is_has_a_section_and_a_row_in_the_readme():
    names = {*registry.BUILT_IN, *registry.ORCHESTRATORS}
    sections = set(re.findall(r"^##+ (\w+)$", read("docs/agents.md"), re.MULTILINE))
    assert sections == names
    assert first_cells(section(read("README.md"), "## Agents")) == names


@pytest.mark.parametrize("name", SCHEMAS)
def test_the_published_schemas_are_those_of_the_code(name):
    kept = read(f"docs/schemas/{name}.schema.json")
    assert kept == published(SCHEMAS[name]()), "run: python -m tests.test_docs"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_within_the_repository_leads_somewhere(page):
    for target in links(page):
        name, _, anchor = target.partition("#")
        path = page.parent / unquote(name) if name else page
        assert path.exists(), target
        assert path.resolve().is_relative_to(ROOT.resolve()), target
        if anchor:
            assert anchor in anchors(path), target


def test_every_make_target_that_is_named_is_in_the_makefile():
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    for name in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"(?:^\$ |`)make ([a-z]+)", read(name), re.MULTILINE))
        assert named, name
        assert named <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_test_that_is_named_exists(page):
    defined = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in _DEFINED.findall(path.read_text(encoding="utf-8"))
    }
    assert set(_TEST.findall(page.read_text(encoding="utf-8"))) <= defined


def test_every_invariant_names_a_test():
    text = section(read("docs/architecture.md"), "## Invariants")
    invariants = re.split(r"^\d+\. ", text, flags=re.MULTILINE)[1:]
    assert len(invariants) == 13
    assert all(_TEST.search(invariant) for invariant in invariants)


def test_the_page_on_reliability_has_a_row_for_each_fault():
    assert faults.told() == list(faults.ROWS)


def test_every_claim_of_security_names_a_test():
    text = section(read("docs/security.md"), "## Claims")
    claims = re.split(r"^### .*$", text, flags=re.MULTILINE)[1:]
    assert len(claims) >= 9
    assert all(_TEST.search(claim) for claim in claims)


def test_the_run_folder_is_told_as_it_is_laid_out():
    layout = read("bug_lsp/store/layout.py")
    names = set(re.findall(r'self\.path / f?"([^"{]+)"', layout))
    told = section(read("docs/architecture.md"), "## The run folder")
    assert [name for name in sorted(names) if name not in told] == []


def test_decisions_are_numbered_without_a_gap_and_fit_a_page():
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    for number, path in enumerate(decisions, start=1):
        text = path.read_text(encoding="utf-8")
        assert path.name.startswith(f"{number:04d}-")
        assert text.startswith(f"# {number}. ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequence",
        ]
        assert len(text.split()) <= 450, path.name


if __name__ == "__main__":
    for schema_name, schema in SCHEMAS.items():
        path = DOCS / "schemas" / f"{schema_name}.schema.json"
        path.write_text(published(schema()), encoding="utf-8")
