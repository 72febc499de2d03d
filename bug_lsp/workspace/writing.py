"""Writing files of the user's on disk: each whole, all or none, and none that is not as it was."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bug_lsp.store import faults, files

_READABLE = stat.S_IRUSR | stat.S_IRGRP | stat.S_IROTH


class Stale(Exception):
    """A file is not what it was when the change was made up: make it up anew."""


@dataclass(frozen=True, slots=True)
class Write:
    """One file, as it is and as it is to become. None: there is none."""

    path: Path
    before: bytes | None
    after: bytes | None
    executable: bool = False
    """Of a file that is new; others keep the mode that they have."""
    mode: int | None = None
    """Of a file that is new; None: as any new file of the user's."""


def write(writes: Sequence[Write]) -> None:
    """Make all changes. Where one cannot be made, those made before it are taken back.

    Raises `Stale` or `OSError`.
    """
    for one in writes:
        if _read(one.path) != one.before:
            raise Stale(one.path.name)
    made: list[Write] = []
    try:
        # What cannot be taken back with all its properties comes last.
        for one in sorted(writes, key=lambda one: one.after is None):
            mode = None if one.before is None else stat.S_IMODE(one.path.stat().st_mode)
            _make(one)
            made.append(Write(one.path, one.after, one.before, mode=mode))
    except (Stale, OSError):
        for one in reversed(made):
            with suppress(Stale, OSError):
                _make(one)
        raise


def _make(one: Write) -> None:
    if one.before is None:
        _create(one)
    elif one.after is not None:
        if not replace(one.path, one.before, one.after):
            raise Stale(one.path.name)
    elif _read(one.path) == one.before:
        one.path.unlink()
    else:
        raise Stale(one.path.name)


def replace(path: Path, before: bytes, after: bytes) -> bool:
    """Replace a file whole, with the mode it has: nobody ever sees half of it. False, and nothing
    is written, if it does not hold `before` any more. Raises `OSError`.
    """
    if path.read_bytes() != before:
        return False
    faults.step("write", path)
    temporary = path.with_name(f".{path.stem[:40]}.{secrets.token_hex(4)}.bug-lsp")
    try:
        with temporary.open("xb") as file:
            file.write(after)
            file.flush()
            os.fsync(file.fileno())
        temporary.chmod(stat.S_IMODE(path.stat().st_mode))
        if path.read_bytes() != before:  # saved by an editor meanwhile
            return False
        faults.step("replace", path)
        temporary.replace(path)
        with suppress(OSError):  # of a folder that may not be listed
            files.sync_folder(path.parent)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def _create(one: Write) -> None:
    path = one.path
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = path.open("xb")
    except FileExistsError as error:
        raise Stale(path.name) from error
    try:
        with file:
            file.write(one.after or b"")
        mode = stat.S_IMODE(path.stat().st_mode) if one.mode is None else one.mode
        path.chmod(mode | (mode & _READABLE) >> 2 if one.executable else mode)
    except OSError:
        path.unlink(missing_ok=True)  # half a file is none
        raise


def _read(path: Path) -> bytes | None:
    """None where there is nothing at all: a link that leads nowhere is something."""
    if not os.path.lexists(path):
        return None
    return path.read_bytes()
