"""The state folder is the user's alone: what it says is believed, and what it names is run."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from bug_lsp.domain.errors import Refused

from .files import DIRECTORY_MODE, make_private

_READ_BY_OTHERS = 0o077
_WRITTEN_BY_OTHERS = 0o022
_ROOT = 0
_FILE_MODE = 0o600
_NOT_SUPPORTED = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK}
"""What systems say of a call that a file system does not know."""


def own(folder: Path) -> Path:
    """The folder, made where it is not there, and closed to others. Refused where somebody else
    could have put something into it; raises `OSError` where it cannot be made.
    """
    check(folder)
    return make_private(folder)


def check(folder: Path) -> None:
    """Refuse a folder into which somebody else could have put something; close it to others. One
    that is not there is made when there is something to keep.
    """
    if not folder.is_absolute():
        raise Refused(
            f"the state folder {folder} is not an absolute path; correct BUG_LSP_STATE_DIR"
        )
    if not os.path.lexists(folder):
        return
    link, info = folder.lstat(), folder.stat()
    if not stat.S_ISDIR(info.st_mode):
        raise Refused(f"the state folder {folder} is not a folder; move that file away")
    if info.st_uid != os.geteuid() or link.st_uid not in {os.geteuid(), _ROOT}:
        raise Refused(
            f"the state folder {folder} belongs to another user, and what it names would be run; "
            "set BUG_LSP_STATE_DIR to a folder of yours"
        )
    if info.st_mode & _WRITTEN_BY_OTHERS:
        raise Refused(
            f"the state folder {folder} can be written by others, and what it names would be run; "
            f"if all in it is yours, run `chmod 700 {folder}`"
        )
    if info.st_mode & _READ_BY_OTHERS:
        folder.chmod(DIRECTORY_MODE)


def check_file_system(folder: Path) -> None:
    """Refuse a state folder that cannot keep a run: it needs links, named pipes and modes of files,
    which some file systems of other systems do not have.
    """
    beside = folder / f".try-{os.getpid()}-{os.urandom(4).hex()}"
    kept = beside.with_suffix(".kept")
    lacking = ""
    try:
        try:
            os.mkfifo(beside, _FILE_MODE)
            os.link(beside, kept)
        except OSError as error:
            if error.errno not in _NOT_SUPPORTED:
                raise
            lacking = "links" if beside.exists() else "named pipes"
        else:
            lacking = "" if stat.S_IMODE(kept.lstat().st_mode) == _FILE_MODE else "modes of files"
    finally:
        kept.unlink(missing_ok=True)
        beside.unlink(missing_ok=True)
    if lacking:
        raise Refused(
            f"the state folder {folder} is on a file system without {lacking}; set "
            "BUG_LSP_STATE_DIR to a folder on a local disk"
        )
