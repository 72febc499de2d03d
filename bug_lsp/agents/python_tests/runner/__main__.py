"""Starts the runner when its folder is given to an interpreter: `python .../runner CONFIG.json`.

The folder is loaded as a package of its own and taken off `sys.path` again, so that no name in it
can stand in the way of a module of the project's.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from pathlib import Path

PACKAGE = "bug_lsp_test_runner"


def start() -> None:
    """Load this folder as `bug_lsp_test_runner` and run it."""
    here = str(Path(__file__).parent)
    sys.path[:] = [entry for entry in sys.path if entry != here]
    spec = importlib.util.spec_from_file_location(
        PACKAGE, str(Path(here) / "__init__.py"), submodule_search_locations=[here]
    )
    if spec is None or spec.loader is None:  # an interpreter that cannot load a file
        sys.exit(f"cannot load {here}")
    package = importlib.util.module_from_spec(spec)
    sys.modules[PACKAGE] = package
    spec.loader.exec_module(package)
    importlib.import_module(PACKAGE + ".main").main(sys.argv[1])


if __name__ == "__main__":
    start()
