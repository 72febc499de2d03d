"""`python -m bug_lsp.session FOLDER`: become the detached session process of that folder.

With `--stand-by RUN PIPE` become the one that waits to be the orchestrator of that run (`standby`).
"""

from __future__ import annotations

import gc
import os
import sys
import time

from .becoming import detach, name_itself, outlast_signals


def main() -> None:
    """Detach, then do the session's work."""
    if sys.argv[1] == "--stand-by":
        _stand_by(sys.argv[2], int(sys.argv[3]))
    else:
        _start(sys.argv[1])


def _start(folder: str) -> None:
    writer = detach()
    outlast_signals()
    began = time.monotonic()
    is_me = name_itself(folder)
    os.write(writer, b"1")
    os.close(writer)
    if is_me:  # otherwise somebody else is this session already, so it is up
        gc.disable()  # nothing that is loaded is garbage: a seventh of the time
        from . import work  # noqa: F401 - this is the loading

        gc.freeze()
        gc.enable()
        _work(folder, began)


def _stand_by(run: str, pipe: int) -> None:
    writer = detach()
    os.write(writer, b"1")
    os.close(writer)
    os.set_inheritable(pipe, False)  # noqa: FBT003 - takes no names
    from .standby import Standby

    _work(*Standby(run, pipe).wait())


def _work(folder: str, began: float) -> None:
    from pathlib import Path

    from .work import work

    work(Path(folder), began)


main()
