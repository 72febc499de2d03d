"""A folder of small programs with known bugs: how it is laid out, and what counts as repaired.

The layout is described in `benchmarks/README.md`. Nothing in the folder is ever written.
"""

from __future__ import annotations

import ast
import difflib
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_SECONDS = 60.0
"""How long a program's tests or its probe may take."""


@dataclass(frozen=True, slots=True)
class Program:
    """One program with a bug, its tests, and the correct version where it is known."""

    folder: Path
    bug: str
    """What is wrong, in a few words; empty where nobody has said."""
    edits: int | None
    """How many edits repair it; None where nobody has said."""

    @property
    def name(self) -> str:
        """The folder's name."""
        return self.folder.name

    @property
    def correct(self) -> Path | None:
        """The correct version."""
        folder = self.folder / "correct"
        return folder if folder.is_dir() else None

    @property
    def probe(self) -> Path | None:
        """A script that prints what a version does on inputs that the tests do not have."""
        places = (self.folder / "probe.py", self.folder / "correct" / "probe.py")
        return next((place for place in places if place.is_file()), None)

    def python_path(self, root: Path) -> str:
        """Where the tests of a copy of this folder find what they import."""
        places = [root / "program", root / "program" / "src", root]
        return os.pathsep.join(str(place) for place in places if place.is_dir())

    def true_lines(self) -> set[tuple[str, int]] | None:
        """The lines that differ from the correct version; around an insertion its neighbours."""
        if self.correct is None:
            return None
        found: set[tuple[str, int]] = set()
        for path in _sources(self.correct):
            name = path.relative_to(self.correct)
            buggy = self.folder / "program" / name
            if buggy.is_file():
                lines = _changed(_lines(buggy), _lines(path))
                lines |= _statements(buggy, lines)
                found |= {(f"program/{name.as_posix()}", line) for line in lines}
        return found


def programs(folder: Path) -> list[Program]:
    """The programs in a folder; the folder may be one itself."""
    places = [folder] if (folder / "program").is_dir() else sorted(folder.iterdir())
    return [_read(place) for place in places if (place / "program").is_dir()]


def _read(folder: Path) -> Program:
    about = folder / "about.toml"
    told = tomllib.loads(about.read_text(encoding="utf-8")) if about.is_file() else {}
    return Program(folder, told.get("bug", ""), told.get("edits"))


def _sources(folder: Path) -> Iterator[Path]:
    yield from (path for path in sorted(folder.rglob("*.py")) if path.name != "probe.py")


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def _statements(path: Path, lines: set[int]) -> set[int]:
    """The first lines of the statements that go over several lines and have one of these."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            own = set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            found |= {node.lineno} if own & lines else set()
    return found


def _changed(buggy: list[str], correct: list[str]) -> set[int]:
    found: set[int] = set()
    matcher = difflib.SequenceMatcher(None, buggy, correct, autojunk=False)
    for what, start, end, _, _ in matcher.get_opcodes():
        if what == "insert":
            before = next((n for n in range(start, 0, -1) if buggy[n - 1].strip()), start)
            after = next((n for n in range(start, len(buggy)) if buggy[n].strip()), start)
            found |= {before, after + 1}
        elif what != "equal":
            found |= {line for line in range(start + 1, end + 1) if buggy[line - 1].strip()}
    return found


def passes(program: Program, root: Path) -> bool:
    """Whether the tests of a copy pass, in a process that knows nothing of us."""
    env = _environment(program.python_path(root))
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    try:
        done = subprocess.run(
            command, cwd=root, env=env, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def is_right(program: Program, root: Path) -> bool | None:
    """Whether a copy does what the correct version does; None where that is not known."""
    if program.correct is None:
        return None
    if _trees(program.correct) == _trees(root / "program", like=program.correct):
        return True
    if program.probe is None:
        return None
    said = [_probed(program.probe, folder) for folder in (program.correct, root / "program")]
    return said[0] is not None and said[0] == said[1]


def _trees(folder: Path, like: Path | None = None) -> dict[str, str]:
    """The syntax of each file, without regard to how it is written."""
    names = [path.relative_to(like or folder) for path in _sources(like or folder)]
    found = {}
    for name in names:
        path = folder / name
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        found[name.as_posix()] = ast.dump(ast.parse(text))
    return found


def _probed(probe: Path, version: Path) -> str | None:
    """What the probe prints for a version; None where it fails."""
    env = _environment(os.pathsep.join([str(version), str(version / "src")]))
    try:
        done = subprocess.run(
            [sys.executable, str(probe)],
            cwd=version,
            env=env,
            capture_output=True,
            text=True,
            timeout=_SECONDS / 3,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout if done.returncode == 0 else f"{done.stdout}{done.stderr[-300:]}"


def _environment(python_path: str) -> dict[str, str]:
    env = {**os.environ, "PYTHONPATH": python_path, "PYTHONDONTWRITEBYTECODE": "1"}
    return env | {"PYTHONHASHSEED": "0", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
