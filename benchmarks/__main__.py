"""Measure all that is promised about speed, memory and waiting, each beside its limit or a peer.

    python -m benchmarks [--only NAME ...] [--quick] [--json] [--write]

What is measured, and how, is told in docs/performance.md, where `--write` puts the table.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path

from .rows import HEADINGS, Row

SUBJECTS = ("handover", "echo", "load", "prompt", "history", "start", "many", "stall", "copies")
"""Modules with a function `rows`."""
PAGE = Path(__file__).parents[1] / "docs" / "performance.md"
BEGIN, END = (f"<!-- written by `make benchmarks`: {mark} -->\n" for mark in ("begin", "end"))

_Found = Mapping[str, Sequence[Row]]


def measure(names: Sequence[str], *, quick: bool) -> dict[str, list[Row]]:
    """The rows of each subject, one after the other."""
    found: dict[str, list[Row]] = {}
    for name in names:
        began = time.monotonic()
        print(f"{name} ...", end="", file=sys.stderr, flush=True)
        found[name] = import_module(f".{name}", __package__).rows(quick=quick)
        print(f" {time.monotonic() - began:.0f} s", file=sys.stderr)
    return found


def table(found: _Found) -> str:
    """All of it as Markdown."""
    parts = []
    for name, rows in found.items():
        lines = [" | ".join(HEADINGS), " | ".join(["---"] * len(HEADINGS))]
        lines += [" | ".join(row.cells()) for row in rows]
        parts.append(f"### {name.capitalize()}\n\n" + "\n".join(f"| {line} |" for line in lines))
    return "\n\n".join(parts) + "\n"


def machine() -> str:
    """What it was measured on."""
    load = os.getloadavg()[0]
    return (
        f"{platform.system()} {platform.release().split('-')[0]}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; load when it began: {load:.1f}."
    )


def write(where: str, found: _Found) -> None:
    """Put the table on the page."""
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    after = rest.partition(END)[2]
    PAGE.write_text(f"{before}{BEGIN}{where}\n\n{table(found)}{END}{after}", encoding="utf-8")


def main() -> None:
    """Measure, tell, and fail where a limit does not hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", action="append", choices=SUBJECTS, help="this one; several times")
    parser.add_argument("--quick", action="store_true", help="a few rounds, to see that it works")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    parser.add_argument("--write", action="store_true", help="write the table into the docs")
    arguments = parser.parse_args()
    if arguments.write and (arguments.only or arguments.quick):
        parser.error(
            "the table in the docs is written by a whole run: leave out --only and --quick"
        )
    # What is installed is compiled; a checkout is by the first process, where nobody forbids it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    where = machine()
    found = measure(arguments.only or SUBJECTS, quick=arguments.quick)
    if arguments.json:
        print(json.dumps({name: [row.as_json() for row in rows] for name, rows in found.items()}))
    else:
        print(f"{where}\n\n{table(found)}")
    if arguments.write:
        write(where, found)
    broken = sum(row.holds is False for rows in found.values() for row in rows)
    if broken:
        sys.exit(f"{broken} limits do not hold")


if __name__ == "__main__":
    main()
