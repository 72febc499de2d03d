"""Which calls of Claude's tools are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bug_lsp.agents.claude.policy import DEBUG, READ_ONLY, refusal


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    (tmp_path / "copy" / "package").mkdir(parents=True)
    return tmp_path / "copy"


def refused(copy: Path, tool: str, *, read_only: bool = False, **arguments: Any) -> str | None:
    return refusal(tool, arguments, cwd=copy / "package", copy=copy, read_only=read_only)


@pytest.mark.parametrize("tool", ["Edit", "MultiEdit", "Write"])
@pytest.mark.parametrize("path", ["a.py", "../a.py", "new/deep/a.py", "{copy}/a.py", "./x/../a.py"])
def test_a_file_of_the_copy_may_be_written(copy: Path, tool: str, path: str) -> None:
    assert refused(copy, tool, file_path=path.format(copy=copy)) is None


@pytest.mark.parametrize(
    "path",
    ["../../a.py", "/etc/hosts", "{copy}2/a.py", "{copy}/../a.py", "~/a.py", "~root/a", "a\0b"],
)
def test_a_file_outside_of_it_may_not(copy: Path, path: str) -> None:
    reason = refused(copy, "Write", file_path=path.format(copy=copy))
    assert reason is not None
    assert reason.startswith("Refused to write ")
    assert reason.endswith(f": it is outside of this session's copy, {copy}")


def test_a_link_out_of_the_copy_does_not_lead_out_of_it(copy: Path, tmp_path: Path) -> None:
    (copy / "package" / "folder").symlink_to(tmp_path)
    (copy / "package" / "file").symlink_to(tmp_path / "missing")
    (copy / "package" / "loop").symlink_to(copy / "package" / "loop")
    for path in ("folder/a.py", "file", "folder/copy/../a.py", "loop/a.py"):
        assert refused(copy, "Edit", file_path=path), path
    assert refused(copy, "Edit", file_path="folder/copy/a.py") is None


def test_a_copy_that_is_reached_through_a_link_is_the_copy(copy: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(copy)
    assert refused(link, "Write", file_path=f"{copy}/a.py") is None
    assert refused(link, "Write", file_path=f"{link}/a.py") is None


def test_a_notebook_is_a_file(copy: Path) -> None:
    assert refused(copy, "NotebookEdit", notebook_path="a.ipynb") is None
    assert refused(copy, "NotebookEdit", notebook_path="/tmp/a.ipynb")


@pytest.mark.parametrize("path", [None, 3, ["a.py"]])
def test_a_write_that_names_no_file_is_refused(copy: Path, path: Any) -> None:
    assert refused(copy, "Write", file_path=path)
    assert refused(copy, "Write")


def test_what_is_refused_is_named_in_short(copy: Path) -> None:
    reason = refused(copy, "Write", file_path="/" + "x" * 10_000 + "\n")
    assert reason is not None
    assert len(reason) < 500 + len(str(copy))
    assert "\n" not in reason


def test_reading_and_commands_are_free_where_it_debugs(copy: Path) -> None:
    assert refused(copy, "Read", file_path="/etc/hosts") is None
    assert refused(copy, "Bash", command="make test > log; rm log") is None


@pytest.mark.parametrize(
    "command",
    [
        "cat calc.py",
        "grep -rn 'a|b' package",
        'grep -n "def add" *.py',
        "head -n 20 calc.py",
        "ls -la ..",
        "wc -l calc.py",
        "cat it\\'s",
    ],
)
def test_who_only_reads_may_run_what_only_reads(copy: Path, command: str) -> None:
    assert refused(copy, "Bash", read_only=True, command=command) is None


@pytest.mark.parametrize(
    "command",
    [
        "echo x > calc.py",
        "cat a > b",
        "cat a>b",
        'cat "a">b',
        "cat a >> b",
        "cat a >| b",
        "cat a &> b",
        "cat a; rm b",
        "cat a;rm b",
        "cat a && rm b",
        "cat a | tee b",
        "cat a & rm b",
        "cat a\nrm b",
        "cat $(rm b)",
        'cat "$(rm b)"',
        "cat `rm b`",
        "cat <(rm b)",
        "cat $'a'",
        "(cat a)",
        "X=1 cat a",
        "./cat a",
        "/tmp/cat a",
        "find . -delete",
        "sed -n 1p a",
        "rm b",
        "cat 'a",
        "",
        "   ",
        None,
        7,
    ],
)
def test_and_nothing_else(copy: Path, command: Any) -> None:
    reason = refused(copy, "Bash", read_only=True, command=command)
    assert reason is not None
    assert reason.endswith("may change something, and this session only reads")


@pytest.mark.parametrize("tool", ["Edit", "Write", "MultiEdit", "NotebookEdit", "OfTomorrow"])
def test_who_only_reads_has_no_other_tool(copy: Path, tool: str) -> None:
    assert refused(copy, tool, read_only=True, file_path="a.py")
    assert refused(copy, "Read", read_only=True, file_path="a.py") is None


def test_no_tool_that_writes_is_allowed_beforehand() -> None:
    assert set(DEBUG.allowed) == {"Bash", "Read", "Grep", "Glob"}
    assert set(READ_ONLY.tools) == {"Bash", "Read", "Grep", "Glob"}
    assert "Bash" not in READ_ONLY.allowed
