"""Tells lines in which a bug can be from those in which it cannot: documents, tests, lock files."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import PurePosixPath

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
_TEST_FOLDERS = frozenset(("test", "tests", "spec", "specs", "__tests__", "testdata"))
_TEST_NAME = re.compile(
    r"(test_.*|.*_test|.*_tests|tests?|conftest|.*[.-](test|spec)|.*Tests?|.*_spec)", re.DOTALL
)
_VERSION = re.compile(r"^\s*[\"']?_*version(_info)?_*[\"']?\s*[:=]", re.IGNORECASE)
_COMMENT = re.compile(r"^\s*(#|//|/\*|\*|--|;|<!--|\"\"\"|''')")
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
    if text and (not re.search(r"\w", text) or _COMMENT.match(text)):
        return Role.COMMENT
    return Role.REPORT if _REPORTS.match(text) else Role.CODE


def role_of_file(path: str) -> Role:
    """Return the role of a file by its path."""
    file = PurePosixPath(path)
    folders = {part.lower() for part in file.parts[:-1]}
    if file.name.lower() in _LOCK_FILES:
        return Role.METADATA
    if _TEST_NAME.fullmatch(file.stem) or folders & _TEST_FOLDERS:
        return Role.TEST
    is_named = file.suffix in {"", ".txt"} and _DOCUMENT_NAMES.match(file.name)
    if file.suffix.lower() in _DOCUMENTS or is_named or folders & _DOCUMENT_FOLDERS:
        return Role.DOCUMENT
    return Role.CODE
