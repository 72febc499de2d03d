"""Which Python files of the workspace a task names. Only looks whether they are there."""

from __future__ import annotations

import os
import re
from pathlib import Path

_FILE = re.compile(r"(?<![\w./-])[\w./-]{1,200}\.py(?!\w)")
_MOST = 20


def named_files(text: str, workspace: Path) -> tuple[str, ...]:
    """Their paths from the workspace, in their order, tests first."""
    found = []
    for name in dict.fromkeys(_FILE.findall(text)):
        path = Path(name)
        inner = path.relative_to(workspace) if path.is_relative_to(workspace) else path
        is_inside = ".." not in inner.parts and not inner.is_absolute()
        if is_inside and os.path.isfile(workspace / inner):  # noqa: PTH113 - Path's may raise
            found.append(inner.as_posix())
            if len(found) == _MOST:
                break
    return tuple(sorted(found, key=lambda name: "test" not in name))
