"""Opening what was looked at, and nothing that somebody has put in its place since: paths here are
real ones, so a link on the way was not there before.
"""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
# Opening a pipe must not wait for somebody who writes into it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


@contextmanager
def folder(path: Path) -> Iterator[int]:
    """A folder that is held: names in it stay names in it, whatever takes its place. Raises
    `OSError`, also where a link leads to it.
    """
    descriptor = os.open(path, _FOLDER)
    try:
        # Looked at when it is open: put there and taken away again, it is another folder.
        if path.resolve() != path or not os.path.samestat(os.fstat(descriptor), path.lstat()):
            raise OSError(errno.ELOOP, "a link is in its way", str(path))
        yield descriptor
    finally:
        os.close(descriptor)


def read(name: str, held: int, most: int = -1) -> bytes:
    """The bytes of a regular file in a folder that is held. Raises `OSError`."""
    descriptor = os.open(name, _FILE, dir_fd=held)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "not a regular file", name)
        return file.read(most)


def create(name: str, held: int, data: bytes) -> None:
    """Write a new file in a folder that is held, whole or not at all. Raises `OSError`."""
    descriptor = os.open(name, _NEW, 0o666, dir_fd=held)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
    except OSError:
        os.unlink(name, dir_fd=held)  # half a file is none
        raise
