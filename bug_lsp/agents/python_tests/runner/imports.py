"""What the project's interpreter can import while its tests run.

`remap` makes an editable install point at the copy instead of the user's checkout; `lend` makes
coverage and pytest importable where the project has none. Neither hides a module the project has.
"""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import os
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.metadata import DistributionFinder
from pathlib import Path
from types import ModuleType
from typing import Any

_LENDABLE = ("coverage", "pytest", "_pytest", "py", "pluggy", "iniconfig", "packaging", "pygments")


class _Lender(MetaPathFinder):
    """Finds a few packages in another interpreter's folder; asked last, so the project's win.

    The folder is not put on `sys.path`: that would also bring in its pytest plugins, which the
    project never asked for.
    """

    def __init__(self, folder: str) -> None:
        self._folder = folder

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        _target: ModuleType | None = None,
        /,
    ) -> importlib.machinery.ModuleSpec | None:
        if path is not None or fullname not in _LENDABLE:
            return None
        return importlib.machinery.PathFinder.find_spec(fullname, [self._folder])

    def find_distributions(
        self, context: DistributionFinder.Context
    ) -> Iterable[importlib.metadata.Distribution]:
        """What is asked for by name: pytest wants to know the version of pluggy."""
        if context.name not in _LENDABLE:
            return ()
        there = DistributionFinder.Context(name=context.name, path=[self._folder])
        return importlib.metadata.MetadataPathFinder().find_distributions(there)


def lend(folder: str) -> None:
    """Make the lendable packages in `folder` importable, after everything else."""
    sys.meta_path.append(_Lender(folder))


def remap(origin: str, copy: str) -> None:
    """Point what was installed from the user's checkout (`origin`) at the copy."""
    move = _Move(os.path.realpath(origin), copy)
    sys.path[:] = [move(entry) for entry in sys.path]
    for finder in sys.meta_path:
        # setuptools' editable installs: a finder class in a generated module with a MAPPING.
        mapping = getattr(sys.modules.get(getattr(finder, "__module__", "")), "MAPPING", None)
        if isinstance(mapping, dict):
            mapping.update({name: move(place) for name, place in mapping.items()})


class _Move:
    def __init__(self, origin: str, copy: str) -> None:
        self._origin = origin
        self._copy = copy

    def __call__(self, entry: Any) -> Any:
        if not isinstance(entry, str) or not entry:
            return entry
        real = os.path.realpath(entry)
        if real != self._origin and not real.startswith(self._origin + os.sep):
            return entry
        moved = Path(self._copy, os.path.relpath(real, self._origin))
        return str(moved) if moved.exists() else entry
