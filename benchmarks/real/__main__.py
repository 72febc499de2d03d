"""Build real bugs and run the built-in agents on them.

`python -m benchmarks.real build DIR [--only NAME]`
`python -m benchmarks.real run DIR [--only NAME] [--json] [--write]`
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from . import catalogue, project
from .catalogue import Bug
from .measure import measure
from .outcomes import verify
from .sdists import CannotBuild
from .table import PAGE, summary, table, write


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
            command.add_argument("--write", action="store_true", help=f"the table into {PAGE.name}")
    options = parser.parse_args()
    try:
        bugs = catalogue.load(only=options.only)
    except ValueError as error:
        parser.error(str(error))
    folder = options.folder.resolve()
    if options.command == "build":
        sys.exit(1 if build(bugs, folder) else 0)
    sys.exit(run(bugs, folder, as_json=options.json, into_page=options.write))


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


def run(bugs: list[Bug], folder: Path, *, as_json: bool, into_page: bool) -> int:
    """Run the product on the bugs that are built and show the table; return the exit status."""
    built = [bug for bug in bugs if (folder / bug.name / project.TASK).is_file()]
    if not built:
        print(f"no bug is built in {folder}; run `python -m benchmarks.real build {folder}` first")
        return 1
    for bug in bugs:
        if bug not in built:
            print(f"{bug.name} is left out: it is not built in {folder}", file=sys.stderr)
    results = []
    for bug in built:
        results.append(measure(bug, folder / bug.name))
        print(f"{bug.name}: {summary(results[-1:])}", file=sys.stderr, flush=True)
    if as_json:
        print(json.dumps([asdict(result) for result in results], indent=2))
    else:
        print(table(results))
    if into_page:
        write(table(results))
    return 0


if __name__ == "__main__":
    main()
