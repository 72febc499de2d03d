"""The environment that keeps programs in one copy from meeting those in another one.

The list is short. What tools write beside the code (coverage data, build output) is in the copy
already. Their caches below HOME are made to be shared, and an empty one would need the network.
"""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from .files import DIRECTORY_MODE, make_private, remove

PORTS = 100
"""How many ports each copy has for itself, for scripts that add the offset to theirs."""
_LONGEST = 40
"""Bytes. The path of a Unix socket has at most 107, and tests put theirs some folders deeper:
`pytest-of-somebody/pytest-0/test_of_something0/server.sock`."""
_SHORT = Path("/tmp")  # noqa: S108 - the folder in it is private and checked


def copy_environment(number: int, scratch: Path) -> dict[str, str]:
    """Return what programs in a copy get in their environment.

    `number` is small and differs between all copies of a run that are in use at the same time.
    `scratch` is the private folder for temporary files of the session that owns the copy.
    """
    temporary = str(_own(number, scratch) / "t")
    return {
        "BUG_LSP_COPY": str(number),
        "BUG_LSP_PORT_OFFSET": str(number * PORTS),
        "TMPDIR": temporary,
        "TMP": temporary,
        "TEMP": temporary,
        # Programs find their running selves by sockets and locks in it.
        "XDG_RUNTIME_DIR": str(_own(number, scratch) / "run"),
    }


def temporary_root(scratch: Path) -> Path:
    """Return the folder that holds the temporary files of all copies of a session: `scratch`
    itself, or a short folder where its path is too long for sockets.
    """
    if len(os.fsencode(scratch)) <= _LONGEST:
        return scratch
    return _SHORT / f"bl-{hashlib.sha256(os.fsencode(scratch)).hexdigest()[:12]}"


def make_temporary_root(scratch: Path) -> Path:
    """Make that folder. Raises `OSError`, also where somebody else has made it."""
    root = make_private(temporary_root(scratch))
    seen = root.lstat()
    if not stat.S_ISDIR(seen.st_mode) or seen.st_uid != os.geteuid():
        raise FileExistsError(f"the temporary folder {root} is not ours; remove it")
    return root


def make_folders(environment: Mapping[str, str], scratch: Path) -> None:
    """Make the folders that the environment of a copy names. Raises `OSError`."""
    make_temporary_root(scratch)
    for name in ("TMPDIR", "XDG_RUNTIME_DIR"):
        make_private(Path(environment[name])).chmod(DIRECTORY_MODE)


def clear_folders(number: int, scratch: Path) -> None:
    """Remove the temporary files of one copy. Raises `OSError`."""
    remove(_own(number, scratch))


def remove_temporary_root(scratch: Path) -> None:
    """Remove the short folder of a session, if it has one. Raises `OSError`."""
    root = temporary_root(scratch)
    if root != scratch:
        remove(root)


def _own(number: int, scratch: Path) -> Path:
    return temporary_root(scratch) / f"c{number}"
