"""What can be typed."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bug_lsp import __version__
from bug_lsp.cli.args import parse

from .conftest import User


@pytest.mark.parametrize("typed", [[], ["--stdio"], ["--clientProcessId=1", "--stdio"]])
def test_without_a_command_it_serves(typed):
    assert parse(typed).command is None
    assert parse(typed).tcp is None


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        (["serve"], None),
        (["serve", "--stdio"], None),
        (["serve", "--tcp", "127.0.0.1:2087"], ("127.0.0.1", 2087)),
        (["serve", "--tcp", "[::1]:0"], ("::1", 0)),
        (["--tcp", "localhost:1", "serve"], ("localhost", 1)),
    ],
)
def test_the_address_may_stand_before_or_after_the_command(typed, address):
    assert parse(typed).tcp == address


@pytest.mark.parametrize(
    "typed",
    [
        ["serve", "--tcp", "2087"],
        ["serve", "--tcp", "host:99999"],
        ["serve", "--tcp", "host:-1"],
        ["status", "--limit", "0"],
        ["debug", "--no-such-option"],
        ["no-such-command"],
    ],
)
def test_bad_usage_is_one_line_and_status_2(typed, capsys):
    with pytest.raises(SystemExit) as ended:
        parse(typed)
    assert ended.value.code == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("bug-lsp: ")
    assert said.err.count("\n") == 1


def test_the_version_is_that_of_the_package(user: User):
    assert user.run("--version").stdout == f"bug-lsp {__version__}\n"


def test_a_starting_server_imports_nothing_of_the_terminal():
    code = (
        "import sys; from bug_lsp.cli import main\n"
        "from bug_lsp.cli.args import parse; parse(['serve'])\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'rich', 'pydantic', 'asyncio', 'pygls', 'jinja2'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert done.stdout == "[]\n"


def test_an_argument_that_is_no_text_is_refused():
    done = subprocess.run(
        [sys.executable, "-m", "bug_lsp", "debug", b"bug\xff.md"],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("bug-lsp: 'bug\\udcff.md' is not UTF-8")


def test_an_address_that_cannot_be_used_is_one_line(user: User):
    done = user.run("serve", "--tcp", "192.0.2.1:1")
    assert done.returncode == 1
    assert done.stderr.startswith("bug-lsp: ")
    assert done.stderr.count("\n") == 1
