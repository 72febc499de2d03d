"""The bugs as `bugs.toml` lists them."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

BUGS = Path(__file__).parent / "bugs.toml"
MODULE = "<module>"
"""The function of a line that is in none."""


@dataclass(frozen=True, slots=True)
class Place:
    """Lines that the fix changes, in the version with the bug."""

    path: str
    function: str
    """Its qualified name, such as `Parser.parse`; `MODULE` if the lines are in no function."""
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Package:
    """What all bugs of a package share."""

    name: str
    licence: str
    requirements: Sequence[str]
    """Pinned: pytest, what the package needs, and what its tests need."""


@dataclass(frozen=True, slots=True)
class Bug:
    """One bug: a version that has it, the next version, and the tests that tell them apart."""

    name: str
    package: Package
    history: Sequence[str]
    """Earlier versions, oldest first. They become the first commits of the project."""
    before: str
    after: str
    tests: Sequence[str]
    """Ids of tests that fail before and pass after."""
    copied: Sequence[str]
    """Files of the version after that the version before gets: tests and their data."""
    is_committed: bool
    """Whether the copied files are committed; else they are uncommitted changes."""
    since: str | None
    """The version in the history that brought the bug; None if the bug is older."""
    places: Sequence[Place]
    title: str
    text: str
    """What a user would write, in Markdown."""

    def task(self) -> str:
        """Return the text of the task file."""
        return f"# {self.title}\n\n{self.text.strip()}\n"


def load(path: Path = BUGS, only: Sequence[str] = ()) -> list[Bug]:
    """Read the list. `only` selects bugs by name; an unknown name raises `ValueError`."""
    data = tomllib.loads(path.read_text(encoding="utf-8"))
    packages = {
        name: Package(name, entry["licence"], (*data["requirements"], *entry["requirements"]))
        for name, entry in data["package"].items()
    }
    bugs = [_bug(entry, packages) for entry in data["bug"]]
    if unknown := set(only) - {bug.name for bug in bugs}:
        raise ValueError(
            f"there is no bug named {', '.join(sorted(unknown))}; the names are in {path.name}"
        )
    return [bug for bug in bugs if not only or bug.name in only]


def _bug(entry: dict[str, Any], packages: dict[str, Package]) -> Bug:
    return Bug(
        name=entry["name"],
        package=packages[entry["package"]],
        history=tuple(entry.get("history", ())),
        before=entry["before"],
        after=entry["after"],
        tests=tuple(entry["tests"]),
        copied=tuple(entry["copied"]),
        is_committed=entry.get("committed", False),
        since=entry.get("since"),
        places=tuple(
            Place(place["file"], place["function"], *place["lines"]) for place in entry["true"]
        ),
        title=entry["title"],
        text=entry["text"],
    )
