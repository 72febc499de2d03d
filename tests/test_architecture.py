"""The walls of the house: which room may import which, and what may be imported where.

`docs/architecture.md` says why. To move a wall, write an ADR and change this table with it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "bug_lsp"
MODULES = sorted(ROOT.rglob("*.py"))

ROOMS = {
    "domain": set(),
    "store": {"domain"},
    "agents": {"store", "domain"},
    "workspace": {"store", "domain"},
    "proof": {"agents", "workspace", "store", "domain"},
    "session": {"proof", "agents", "workspace", "store", "domain"},
    "demo": {"workspace", "domain"},
    "lsp": {"demo", "session", "proof", "agents", "workspace", "store", "domain"},
    # `bug-lsp serve` is where the program begins; nothing else of the command line knows LSP.
    "cli": {"lsp", "demo", "session", "proof", "agents", "workspace", "store", "domain"},
}
IMPURE = {
    "anyio", "asyncio", "fcntl", "logging", "multiprocessing", "os", "psutil", "select", "shutil",
    "signal", "socket", "subprocess", "tempfile", "threading", "time",
}  # fmt: skip
MAX_LINES = 400
MAX_FUNCTION = 50


def room(path: Path) -> str:
    """The room a module is in; the few files outside all rooms are the front door."""
    relative = path.relative_to(ROOT)
    return relative.parts[0].removesuffix(".py") if relative.parts else ""


def imports(path: Path) -> Iterator[str]:
    """The modules that a file imports, wherever in it, as absolute names."""
    package = ("bug_lsp", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            origin = ".".join([*base, *filter(None, [node.module])])
            yield from (f"{origin}.{name.name}" for name in node.names)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_imports_only_from_rooms_below_its_own(path):
    mine = room(path)
    if mine in {"__init__", "__main__"}:
        return
    for name in imports(path):
        parts = name.split(".")
        if parts[0] == "bug_lsp" and len(parts) > 1 and parts[1] in ROOMS and parts[1] != mine:
            assert parts[1] in ROOMS[mine], f"{mine} must not import {name}"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_lsp_room_knows_the_language_server_protocol(path):
    found = {name.split(".")[0] for name in imports(path)}
    if room(path) != "lsp":
        assert not found & {"pygls", "lsprotocol"}


@pytest.mark.parametrize("path", sorted((ROOT / "domain").glob("*.py")), ids=lambda path: path.name)
def test_the_domain_does_no_input_or_output(path):
    assert not {name.split(".")[0] for name in imports(path)} & IMPURE
    source = ast.parse(path.read_text(encoding="utf-8"))
    calls = {node.func.id for node in ast.walk(source) if _is_plain_call(node)}
    assert not calls & {"open", "print", "input"}


def _is_plain_call(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name)


def test_every_room_has_an_entry_in_the_table():
    found = {path.relative_to(ROOT).parts[0] for path in MODULES if path.parent != ROOT}
    assert found <= set(ROOMS)


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_is_small_enough_to_be_read_in_one_go(path):
    source = path.read_text(encoding="utf-8")
    assert source.count("\n") <= MAX_LINES
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert (node.end_lineno or 0) - node.lineno < MAX_FUNCTION, node.name
