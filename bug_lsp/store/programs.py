"""Where a program is. What lies in a workspace is nobody's program that we know."""

from __future__ import annotations

import os
import shutil


def on_path(name: str, path: str | None = None) -> str | None:
    """The place of a program on PATH (that of the environment where none is given); None for none.
    Relative entries are passed over: where we stand may be a workspace.
    """
    entries = (os.environ.get("PATH", os.defpath) if path is None else path).split(os.pathsep)
    return shutil.which(name, path=os.pathsep.join(filter(os.path.isabs, entries)))
