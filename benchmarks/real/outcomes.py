"""What the tests of a project do, in a pytest of the project's own environment."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from .catalogue import Bug
from .project import unpacked
from .sdists import CannotBuild

_PLUGIN = Path(__file__).parent / "plugin"
_SECONDS = 60.0
SUITE_SECONDS = 300.0


def outcomes(
    python: Path, folder: Path, tests: Sequence[str] = (), seconds: float = _SECONDS
) -> Mapping[str, str]:
    """Run tests (by default all) and return the outcome of each by its id; none if none ran."""
    with tempfile.TemporaryDirectory() as temporary:
        written = Path(temporary, "outcomes.json")
        env = os.environ | {
            "PYTHONPATH": os.pathsep.join(map(str, (*_import_folders(folder), _PLUGIN))),
            "PYTHONDONTWRITEBYTECODE": "1",
            "BUG_OUTCOMES": str(written),
        }
        command = [
            str(python),
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "bug_outcomes",
        ]
        try:
            subprocess.run(
                [*command, *tests], cwd=folder, env=env, capture_output=True, timeout=seconds,
                check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return {}
        return json.loads(written.read_text(encoding="utf-8")) if written.is_file() else {}


def _import_folders(folder: Path) -> list[Path]:
    """Return the folders from which a version is imported, before the one that is installed."""
    nested = [folder / name for name in ("src", "lib") if (folder / name).is_dir()]
    return [*nested, folder]


def verify(bug: Bug, folder: Path) -> None:
    """Raise `CannotBuild` unless the bug's tests fail in the project and pass in the version after.

    If the history has the version that brought the bug, they must also pass before that.
    """
    python = folder / ".venv" / "bin" / "python"
    _expect(bug, bug.before, outcomes(python, folder, bug.tests), passed=False)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        for version, passed in _expected(bug).items():
            other = unpacked(bug, version, Path(temporary, "version"))
            _expect(bug, version, outcomes(python, other, bug.tests), passed=passed)


def _expected(bug: Bug) -> dict[str, bool]:
    expected = {bug.after: True}
    if bug.since is not None:
        versions = (*bug.history, bug.before)
        at = versions.index(bug.since)
        expected[versions[at - 1]] = True
        if bug.since != bug.before:
            expected[bug.since] = False
    return expected


def _expect(bug: Bug, version: str, seen: Mapping[str, str], *, passed: bool) -> None:
    wanted = "passed" if passed else "failed"
    for test in bug.tests:
        if seen.get(test) != wanted:
            raise CannotBuild(
                f"{test} should have {wanted} with {bug.package.name} {version}, but it "
                f"{seen.get(test, 'did not run')}; correct the entry of {bug.name} in bugs.toml"
            )
