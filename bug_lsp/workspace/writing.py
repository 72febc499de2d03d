"""Writing files of the user's on disk: each whole, all or none, and none that is not as it was."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bug_lsp.store import faults

from . import opening

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
    temporary = f".{path.stem[:40]}.{secrets.token_hex(4)}.bug-lsp"
    with opening.folder(path.parent) as held:
        if opening.read(path.name, held) != before:
            return False
        faults.step("write", path)
        try:
            opening.create(temporary, held, after)
            mode = os.stat(path.name, dir_fd=held, follow_symlinks=False).st_mode
            os.chmod(temporary, stat.S_IMODE(mode), dir_fd=held)
            if opening.read(path.name, held) != before:  # saved by an editor meanwhile
                return False
            faults.step("replace", path)
            os.replace(temporary, path.name, src_dir_fd=held, dst_dir_fd=held)
            os.fsync(held)
        finally:
            with suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=held)
    return True


def _create(one: Write) -> None:
    path = one.path
    path.parent.mkdir(parents=True, exist_ok=True)
    with opening.folder(path.parent) as held:
        try:
            opening.create(path.name, held, one.after or b"")
        except FileExistsError as error:
            raise Stale(path.name) from error
        found = os.stat(path.name, dir_fd=held, follow_symlinks=False).st_mode
        mode = stat.S_IMODE(found) if one.mode is None else one.mode
        wanted = mode | (mode & _READABLE) >> 2 if one.executable else mode
        os.chmod(path.name, wanted, dir_fd=held)


def _read(path: Path) -> bytes | None:
    """None where there is nothing at all: a link that leads nowhere is something."""
    if not os.path.lexists(path):
        return None
    return path.read_bytes()
