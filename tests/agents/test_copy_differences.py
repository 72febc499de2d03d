"""A failure that the copy has and the checkout has not is told from the bug."""

from __future__ import annotations

from pathlib import Path

import pytest

from bug_lsp.agents.copy_differences import Worlds
from tests.support.projects import change_files

IN_THE_CHECKOUT_ALONE = {
    "shop/_version.py": "version = 1\n",
    "src/tool/_core.cpython-311-x86_64-linux-gnu.so": b"",
    "packages/a/src/alpha/_gen.py": "",
    "node_modules/pad/index.js": "",
    "packages/a/node_modules/@scope/inner/index.js": "",
    "tests/data/rows.bin": b"",
    "uploads/old.txt": "",
    ".env.test": "",
}
IN_BOTH = {"shop/price.py": "", "tests/test_price.py": "", "src/tool/__init__.py": ""}


@pytest.fixture
def worlds(tmp_path: Path) -> Worlds:
    change_files(tmp_path / "dev/shop", {**IN_BOTH, **IN_THE_CHECKOUT_ALONE})
    change_files(tmp_path / "dev/fixtures", {"five.txt": "5"})
    change_files(tmp_path / "session/copy/shop", {**IN_BOTH, "packages/a/x.py": ""})
    return Worlds(tmp_path / "session/copy/shop", tmp_path / "dev/shop")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("ModuleNotFoundError: No module named 'shop._version'", "shop/_version.py"),
        ("python: No module named shop._version", "shop/_version.py"),
        (
            "ImportError: cannot import name '_core' from 'tool' (src/tool/__init__.py)",
            "src/tool/_core.cpython-311-x86_64-linux-gnu.so",
        ),
        ("No module named 'alpha._gen'", "packages/a/src/alpha/_gen.py"),
        ("Error: Cannot find module 'pad'\nRequire stack:\n- /x/price.js", "node_modules/pad"),
        ("Cannot find package 'pad' imported from /x/y.mjs", "node_modules/pad"),
        (
            "FileNotFoundError: [Errno 2] No such file or directory: 'tests/data/rows.bin'",
            "tests/data/rows.bin",
        ),
        ("Error: ENOENT: no such file or directory, open '{copy}/.env.test'", ".env.test"),
        ("cat: tests/data/rows.bin: No such file or directory", "tests/data/rows.bin"),
        ("No such file or directory: 'uploads/new.txt'", "uploads"),
        ("[Errno 2] No such file or directory: '{copy}/tests/../../fixtures/five.txt'",
         "../fixtures/five.txt"),
    ],
)  # fmt: skip
def test_what_the_checkout_alone_has_is_named(worlds: Worlds, text: str, path: str) -> None:
    sentence = worlds.lacking(f"1 failed\n{text.format(copy=worlds.copy)}\nmore\n")
    assert sentence is not None
    assert sentence.startswith(f"`{path}` ")


@pytest.mark.parametrize(
    "text",
    [
        "AssertionError: 35 != 25",
        "ModuleNotFoundError: No module named 'requests'",
        "ModuleNotFoundError: No module named 'shop.nowhere'",
        "FileNotFoundError: No such file or directory: 'nowhere.txt'",
        "KeyError: 'price.py' not found in shop/price.py",
        "No such file or directory: '{checkout}/tests/data/rows.bin'",
        "expected tests/data/rows.bin to have 5 rows",
        "No such file: 'nul\0byte'",
        "",
    ],
)
def test_a_failure_that_both_have_is_the_bugs(worlds: Worlds, text: str) -> None:
    assert worlds.lacking(text.format(checkout=worlds.checkout)) is None


def test_in_a_part_of_a_repository_its_own_files_are_meant(worlds: Worlds) -> None:
    part = Worlds(worlds.copy, worlds.checkout, "packages/a")
    for text, path in (
        ("Cannot find module '@scope/inner/deep'", "packages/a/node_modules/@scope/inner"),
        ("No module named 'alpha._gen'", "packages/a/src/alpha/_gen.py"),
        ("No such file or directory: '../../tests/data/rows.bin'", "tests/data/rows.bin"),
    ):
        assert (part.lacking(text) or "").startswith(f"`{path}` ")


@pytest.mark.parametrize(
    "text",
    [
        "OSError: [Errno 30] Read-only file system: '{checkout}/.venv/lib/acme/cache'",
        "Error: EROFS: read-only file system, open '{copy}/.venv/lib/acme/cache'",
        "sh: 1: cannot create .venv/lib/acme/cache: Read-only file system",
    ],
)
def test_what_copies_can_only_read_and_a_test_writes_is_named(worlds: Worlds, text: str) -> None:
    (worlds.copy / ".venv").symlink_to(worlds.checkout / ".venv")
    sentence = worlds.lacking(text.format(copy=worlds.copy, checkout=worlds.checkout))
    assert sentence is not None
    assert sentence.startswith("`.venv/lib/acme/cache` can only be read")
    assert "writablePaths" in sentence


def test_what_the_system_keeps_from_everybody_is_the_bugs(worlds: Worlds) -> None:
    assert worlds.lacking("OSError: Read-only file system: '/proc/version'") is None
    assert worlds.lacking(f"OSError: Read-only file system: '{worlds.copy}/new'") is None


@pytest.mark.parametrize(
    "text",
    [
        "AssertionError: '{copy}/tests' != '{checkout}/tests'",
        "E  AssertionError: assert '{copy}/tests' == '{checkout}/tests'",
        "AssertionError: '/t[9 chars]' != '/d[2 chars]'\n- {copy}/tests\n+ {checkout}/tests",
        'Expected: "{checkout}/tests"\nReceived: "{copy}/tests"',
    ],
)
def test_a_test_that_expects_the_checkouts_own_place_is_named(worlds: Worlds, text: str) -> None:
    sentence = worlds.lacking(text.format(copy=worlds.copy, checkout=worlds.checkout))
    assert sentence is not None
    assert sentence.startswith(f"`{worlds.checkout}/tests` is where the checkout is")


@pytest.mark.parametrize(
    "text",
    [
        "AssertionError: '{copy}/tests' != '{checkout}/docs'",
        "warning: VIRTUAL_ENV={checkout}/.venv is not that of {copy}/.venv",
    ],
)
def test_places_that_are_not_the_same_or_not_compared_are_no_difference(
    worlds: Worlds, text: str
) -> None:
    assert worlds.lacking(text.format(copy=worlds.copy, checkout=worlds.checkout)) is None
