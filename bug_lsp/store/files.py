"""Atomic, private files. Folders are 0700 and files 0600 whatever the umask says."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600


def make_private(folder: Path) -> Path:
    """Create the folder and its parents; those that are new are for the user alone."""
    for parent in [*reversed(folder.parents), folder]:
        if not parent.exists():
            parent.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
    return folder


def opener(path: str, flags: int) -> int:
    """For `open`: a file that is new is for the user alone."""
    return os.open(path, flags, FILE_MODE)


def _write_beside(path: Path, data: bytes) -> Path:
    # Not `secrets`: this is imported before a session is seen to run, and that costs 13 ms.
    temporary = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, data: bytes) -> None:
    """Write the file whole, in place of what was there; durable when it returns."""
    temporary = _write_beside(path, data)
    temporary.replace(path)
    _sync_folder(path.parent)


def create_once(path: Path, data: bytes) -> bool:
    """Write the file whole if there is none yet. Of any number of callers exactly one gets True."""
    if path.exists():
        return False
    temporary = _write_beside(path, data)
    try:
        # A link, unlike a rename, refuses to replace; unlike O_EXCL it shows no half-written file.
        path.hardlink_to(temporary)
    except FileExistsError:
        return False
    finally:
        temporary.unlink()
    _sync_folder(path.parent)
    return True


def read(path: Path) -> bytes | None:
    """The file's bytes, None where there is none."""
    try:
        return path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None


def lock_now(path: Path) -> int | None:
    """The lock file's descriptor, locked; None while another holds it. Close it to let go."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file `path`. The system frees it when the holder dies, however it dies."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
