"""Atomic, private files. Folders are 0700 and files 0600 whatever the umask says.

Whatever is kept is changed here alone, so that each step is a fault point (`faults.step`).

Imported before a session is seen to run, so without pathlib: that takes as long as the rest.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from . import faults

TYPE_CHECKING = False  # not typing's: that would import `re`
if TYPE_CHECKING:
    from pathlib import Path

DIRECTORY_MODE = 0o700
FILE_MODE = 0o600
_TRIES = 100


def make_private(folder: Path) -> Path:
    """Create the folder and its parents; those that are new are for the user alone."""
    for parent in [*reversed(folder.parents), folder]:
        if not parent.exists():
            faults.step("make", parent)
            parent.mkdir(mode=DIRECTORY_MODE, exist_ok=True)
    return folder


def opener(path: str, flags: int) -> int:
    """For `open`: a file that is new is for the user alone."""
    return os.open(path, flags, FILE_MODE)


def _write_beside(path: Path | str, data: bytes) -> str:
    folder, name = os.path.split(path)
    # Not `secrets`: that would take 13 ms to import.
    temporary = os.path.join(folder, f".{name}.{os.urandom(4).hex()}")
    faults.step("write", path)
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        _unlink(temporary)
        raise
    return temporary


def _unlink(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)


def sync_folder(folder: Path | str) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, data: bytes) -> None:
    """Write the file whole, in place of what was there; durable when it returns."""
    temporary = _write_beside(path, data)
    try:
        faults.step("replace", path)
        os.replace(temporary, path)
    except BaseException:
        _unlink(temporary)
        raise
    sync_folder(path.parent)


def create_once(path: Path | str, data: bytes) -> bool:
    """Write the file whole if there is none yet. Of any number of callers exactly one gets True."""
    if os.path.exists(path):
        return False
    temporary = _write_beside(path, data)
    try:
        faults.step("create", path)
        # A link, unlike a rename, refuses to replace; unlike O_EXCL it shows no half-written file.
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)
    sync_folder(os.path.dirname(path))
    return True


def move(path: Path, to: Path) -> Path:
    """Give a file or a folder another name; durable when it returns."""
    faults.step("move", to)
    moved = path.rename(to)
    sync_folder(to.parent)
    return moved


def append(descriptor: int, data: bytes, path: Path) -> None:
    """Write all of it at the end of the open file `path`."""
    faults.step("append", path)
    os.lseek(descriptor, 0, os.SEEK_END)
    while data:
        data = data[os.write(descriptor, data) :]


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


def remove(path: Path) -> None:
    """Remove whatever is there, folders that nobody may enter included. Raises `OSError`."""
    for _ in range(_TRIES):
        if not os.path.lexists(path):
            return
        try:
            _remove(path)
        except FileNotFoundError:  # somebody else removes it too
            continue


def _remove(path: Path) -> None:
    import shutil  # here: a session is seen to run before it needs this

    if os.path.lexists(path):
        faults.step("remove", path)
    if path.is_symlink() or not path.is_dir():
        path.unlink(missing_ok=True)
        return
    try:
        shutil.rmtree(path)
    except PermissionError:
        # Top down: what can be listed only after its parent has been opened is reached too.
        path.chmod(0o700)
        for folder, names, _ in os.walk(path):
            for name in names:
                inner = os.path.join(folder, name)
                if not os.path.islink(inner):
                    os.chmod(inner, 0o700)
        shutil.rmtree(path)
