"""What the project's interpreter can import while its tests run.

`lend` makes coverage and pytest importable where the project has none; it hides no module that the
project has. That the copy's code is imported is the concern of `site/sitecustomize.py`.
"""

from __future__ import annotations

import importlib.machinery
import importlib.metadata
import sys
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.metadata import DistributionFinder
from types import ModuleType

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
