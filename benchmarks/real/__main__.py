"""Build real bugs and run the built-in agents on them.

`python -m benchmarks.real build DIR [--only NAME]`
`python -m benchmarks.real run DIR [--only NAME] [--json] [--write]`
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from . import catalogue, project
from .catalogue import Bug
from .outcomes import verify
from .sdists import CannotBuild


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.real", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("build", "run"):
        command = commands.add_parser(name)
        command.add_argument("folder", type=Path, metavar="DIR")
        command.add_argument("--only", action="append", default=[], metavar="NAME")
        if name == "run":
            command.add_argument("--json", action="store_true")
            command.add_argument("--write", action="store_true", help="the table into README.md")
    options = parser.parse_args()
    try:
        bugs = catalogue.load(only=options.only)
    except ValueError as error:
        parser.error(str(error))
    folder = options.folder.resolve()
    if options.command == "build":
        sys.exit(build(bugs, folder))


def build(bugs: list[Bug], folder: Path) -> int:
    """Build the bugs' projects; return how many cannot be built."""
    failed = 0
    for bug in bugs:
        try:
            project.make(bug, folder / bug.name)
            verify(bug, folder / bug.name)
        except CannotBuild as error:
            failed += 1
            print(f"{bug.name}: {error}", flush=True)
        else:
            print(f"{bug.name}: built", flush=True)
    print(f"{len(bugs) - failed} of {len(bugs)} bugs are built in {folder}")
    return failed


if __name__ == "__main__":
    main()
