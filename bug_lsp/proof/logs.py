"""The logs of cells: kept whole while they are short, else their beginning and their end."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from bug_lsp.agents.python_tests import SuiteRun
from bug_lsp.store.files import opener

HEAD, TAIL = 200_000, 800_000
"""Bytes."""
_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_MOST_CHARACTERS = 200


def keep(parts: Sequence[Path], log: Path, run: SuiteRun | None = None) -> None:
    """Leave at `log` what is there and in the parts, shortened, and what came of the tests."""
    with open(log, "ab", opener=opener) as file:
        file.writelines(_short(part) for part in parts)
        if run is not None:
            file.write(_told(run).encode())
    if log.stat().st_size > HEAD + TAIL:
        log.write_bytes(_short(log))


def _short(path: Path) -> bytes:
    size = path.stat().st_size
    with path.open("rb") as file:
        if size <= HEAD + TAIL:
            return file.read()
        head = file.read(HEAD)
        file.seek(size - TAIL)
        left_out = f"\n[... {size - HEAD - TAIL:,} bytes left out ...]\n".encode()
        return head + left_out + file.read(TAIL)


def _told(run: SuiteRun) -> str:
    lines = [f"\n{run.runner}: {run.counted()}"]
    lines += [f"{one.id}: {one.failure.summary}" for one in run.failing if one.failure is not None]
    lines += [f"{error.where}: {error.failure.summary}" for error in run.collection_errors]
    return "\n".join([*lines, *([run.stopped] if run.stopped else [])]) + "\n"


def last_line(text: str) -> str:
    """The last line that says anything, without what would steer a terminal."""
    lines = (_ESCAPES.sub("", line).strip() for line in reversed(text.splitlines()))
    return next(filter(None, lines), "")[:_MOST_CHARACTERS]
