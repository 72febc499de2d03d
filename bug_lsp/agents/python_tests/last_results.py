"""What pytest said in the user's checkout when it ran there last, as far as it still holds.

It is read from pytest's own cache. Nothing is run in the checkout.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from .results import SuiteRun

_CACHE = Path(".pytest_cache", "v", "cache", "lastfailed")
_MOST_FILES = 20_000
_NOT_SOURCES = {"node_modules", "site-packages", "__pycache__", "build", "dist"}


def failed_last(folder: Path) -> frozenset[str]:
    """Tests that failed in this folder of the checkout, if no source has changed since then."""
    try:
        written = (folder / _CACHE).stat().st_mtime
        names = json.loads((folder / _CACHE).read_bytes())
    except (OSError, ValueError):
        return frozenset()
    if not isinstance(names, dict) or any(when > written for when in _changes(folder)):
        return frozenset()
    return frozenset(name for name in names if isinstance(name, str))


def _changes(folder: Path) -> Iterator[float]:
    """When sources were changed; the end of time where they are too many to be looked at."""
    count = 0
    for place, folders, names in os.walk(folder):
        folders[:] = [
            name for name in folders if name not in _NOT_SOURCES and not name.startswith(".")
        ]
        for name in names:
            if not name.endswith((".py", ".toml", ".cfg", ".ini", ".json", ".yaml", ".yml")):
                continue
            count += 1
            if count > _MOST_FILES:
                yield float("inf")
                return
            try:
                yield Path(place, name).lstat().st_mtime
            except OSError:
                continue


def difference(run: SuiteRun, folder: Path) -> str:
    """How a run in the copy differs from the checkout's last one, as a sentence; "" if it does not,
    or nobody can tell.

    Only where tests that failed there pass here, and none of them fails: a test that was left out
    there says nothing.
    """
    last = failed_last(folder)
    passed = [test.id for test in run.tests if test.id in last and test.outcome == "passed"]
    failing = {test.id for test in run.failing} | {error.where for error in run.collection_errors}
    if not passed or failing & {*last, *(name.partition("::")[0] for name in last)}:
        return ""
    instead = f", and {min(failing)} fails instead" if failing else ""
    return (
        f"{passed[0]} failed when pytest ran in the checkout last, with the same code, and passes"
        f" in the copy{instead}: it depends on something that the copies do not have (a service, a"
        " variable, a file elsewhere), or it fails now and then"
    )
