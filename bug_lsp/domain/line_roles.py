"""Tells lines in which a bug can be from those in which it cannot: documents, tests, lock files."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePosixPath

CODE_SUFFIXES = frozenset(
    (
        ".py", ".pyi", ".js", ".mjs", ".cjs", ".jsx", ".ts", ".mts", ".tsx", ".go", ".rs", ".java",
        ".kt", ".rb", ".php", ".c", ".h", ".cc", ".cpp", ".hpp", ".cs", ".swift", ".scala", ".lua",
        ".sh",
    )
)  # fmt: skip
_DOCUMENTS = frozenset((".md", ".rst", ".adoc", ".markdown", ".org", ".1", ".po", ".pot"))
_DOCUMENT_FOLDERS = frozenset(("doc", "docs", "examples", "changelog", "changelog.d", "news"))
_DOCUMENT_NAMES = re.compile(
    r"(change(s|log)|news|readme|authors|license|licence|copying)", re.IGNORECASE
)
_LOCK_FILES = frozenset(
    (
        "poetry.lock", "uv.lock", "pdm.lock", "pipfile.lock", "package-lock.json", "yarn.lock",
        "pnpm-lock.yaml", "bun.lockb", "cargo.lock", "go.sum", "gemfile.lock", "composer.lock",
        "flake.lock", ".gitignore", ".gitattributes", ".editorconfig",
    )
)  # fmt: skip
_TEST_FOLDERS = frozenset(("test", "tests", "__tests__", "testdata"))
_SPEC_FOLDERS = frozenset(("spec", "specs"))
"""Tests in Ruby and JavaScript; in Python a package like any other."""
_TEST_NAME = re.compile(
    r"(test_.*|.*_test|.*_tests|tests?|conftest|.*[.-](test|spec)|.*Tests?|.*_spec)", re.DOTALL
)
_VERSION = re.compile(r"^\s*[\"']?_*version(_info)?_*[\"']?\s*[:=]\s*[\"'(\[]?v?\d", re.IGNORECASE)
"""A version number, not something that is called a version."""
_HASH = re.compile(r"^\s*#|^\s*(\"\"\"|\'\'\')")
_SLASHES = re.compile(r"^\s*(//|/\*|\*/|\*( |$))")
_DASHES = re.compile(r"^\s*--")
_COMMENTS = {".py": _HASH, ".pyi": _HASH, ".rb": _HASH, ".sh": _HASH, ".lua": _DASHES, "": _HASH}
"""How comments begin, by suffix; with slashes where it is not here."""
_REPORTS = re.compile(r"^\s*(raise\b|throw\b|panic\(|return err\b|t\.Fatal|abort\(|assert\b)")


class Role(StrEnum):
    """What a line is for."""

    CODE = "code"
    REPORT = "report"
    """It only reports what went wrong before: `raise`, `throw`, `assert`."""
    COMMENT = "comment"
    TEST = "test"
    DOCUMENT = "document"
    METADATA = "metadata"
    """Lock files, version numbers, what tools read."""


NOT_A_CAUSE = frozenset((Role.COMMENT, Role.TEST, Role.DOCUMENT, Role.METADATA))
"""Of these no line is named as the cause of a bug in the code."""


def role_of(path: str, text: str) -> Role:
    """Return the role of a line by its file's path, POSIX, and its text, "" if it is unknown."""
    if (role := role_of_file(path)) is not Role.CODE:
        return role
    if _VERSION.match(text):
        return Role.METADATA
    comment = _COMMENTS.get(PurePosixPath(path).suffix, _SLASHES)
    if text and (not re.search(r"\w", text) or comment.match(text)):
        return Role.COMMENT
    return Role.REPORT if _REPORTS.match(text) else Role.CODE


def role_of_file(path: str) -> Role:
    """Return the role of a file by its path."""
    file = PurePosixPath(path)
    folders = {part.lower() for part in file.parts[:-1]}
    is_code = file.suffix.lower() in CODE_SUFFIXES
    if file.name.lower() in _LOCK_FILES:
        return Role.METADATA
    specs = _SPEC_FOLDERS if file.suffix not in {".py", ".pyi"} else frozenset()
    if _TEST_NAME.fullmatch(file.stem) or folders & (_TEST_FOLDERS | specs):
        return Role.TEST
    # Deeper down, a folder of code may be a package that is called so.
    if is_code:
        folders = {part.lower() for part in file.parts[:1] if len(file.parts) > 1}
    is_named = file.suffix in {"", ".txt"} and _DOCUMENT_NAMES.match(file.name)
    if file.suffix.lower() in _DOCUMENTS or is_named or folders & _DOCUMENT_FOLDERS:
        return Role.DOCUMENT
    return Role.CODE
