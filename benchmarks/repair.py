"""How many known bugs `repair` repairs, and how well it and `spectrum` point at them.

`python -m benchmarks.repair FOLDER [--seconds S] [--only NAME] [--json] [--write]`
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import anyio

from bug_lsp.agents.base import Agent, Job
from bug_lsp.agents.repair.agent import BUDGET_SECONDS, Repair
from bug_lsp.agents.spectrum.agent import Spectrum
from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.report import Report, parse_report

from .program_set import Program, is_right, passes, programs

_PAGE = Path(__file__).parent.parent / "docs" / "agents.md"
_BEGIN, _END = "<!-- repair: begin -->", "<!-- repair: end -->"


@dataclass(frozen=True, slots=True)
class Row:
    """What came of one program."""

    name: str
    bug: str
    edits: int | None
    patch: str
    """What was edited, one line; empty without a patch."""
    passes: bool
    right: bool | None
    repair_place: int | None
    """Which of repair's findings is the true line, from 1; 0: none. None: not known."""
    spectrum_place: int | None
    seconds: float
    failure: str = ""


def main() -> None:
    """Run all programs and show the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.repair", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=BUDGET_SECONDS, help="for each program")
    parser.add_argument("--only", action="append", default=[], metavar="NAME")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--write", action="store_true", help=f"the table into {_PAGE.name}")
    options = parser.parse_args()
    # Plugins of ours would be loaded into the programs' tests, and take longer than they do.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    found = programs(options.folder.resolve())
    rows = []
    for program in found:
        if options.only and program.name not in options.only:
            continue
        rows.append(anyio.run(measure, program, options.seconds))
        print(_line(rows[-1]), flush=True, file=sys.stderr if options.json else sys.stdout)
    if options.json:
        print(json.dumps([asdict(row) for row in rows], indent=2))
        return
    text = table(rows)
    print(f"\n{text}")
    if options.write:
        _write(text)


async def measure(program: Program, seconds: float) -> Row:
    """Both agents on a copy of one program."""
    with tempfile.TemporaryDirectory(prefix="repair-") as place:
        began = time.monotonic()
        root = Path(place, "repair", "copy")
        report, failure = await _run(Repair(budget_seconds=seconds), program, root)
        took = time.monotonic() - began
        has_patch = report is not None and bool(report.fix)
        good = has_patch and passes(program, root)
        right = is_right(program, root) if good else (None if program.correct is None else False)
        other, _ = await _run(Spectrum(), program, Path(place, "spectrum", "copy"))
        return Row(
            name=program.name,
            bug=program.bug,
            edits=program.edits,
            patch=report.fix if report is not None else "",
            passes=good,
            right=right,
            repair_place=_place(report, program),
            spectrum_place=_place(other, program),
            seconds=round(took, 1),
            failure=failure,
        )


async def _run(agent: Agent, program: Program, root: Path) -> tuple[Report | None, str]:
    """What the agent hands in; its patch is in the copy then."""
    left_out = shutil.ignore_patterns("correct", "probe.py", "about.toml", "__pycache__", ".git")
    shutil.copytree(program.folder, root, ignore=left_out)
    job = Job(
        prompt="",
        cwd=root,
        copy=root,
        workspace=root,
        scratch=root.parent / "scratch",
        env={"PYTHONPATH": program.python_path(root)},
    )
    try:
        answer = await agent.run(job, lambda _event: None)
    except AgentFailure as failure:
        return None, failure.message
    report = parse_report(answer.text)
    return (report, "") if isinstance(report, Report) else (None, report)


def _place(report: Report | None, program: Program) -> int | None:
    true = program.true_lines()
    if true is None:
        return None
    for place, finding in enumerate(report.findings if report is not None else (), start=1):
        if (finding.path, finding.line) in true:
            return place
    return 0


def _said(value: bool | None) -> str:
    return "?" if value is None else "yes" if value else "no"


def _line(row: Row) -> str:
    return (
        f"{row.name:24} passes {_said(row.passes):4} right {_said(row.right):4}"
        f" line {row.repair_place} / {row.spectrum_place}  {row.seconds:5.1f} s"
        f"  {row.patch or row.failure}"
    )


def table(rows: list[Row]) -> str:
    """The summary and one line a program, in Markdown."""
    one = [row for row in rows if row.edits in {1, None}]
    known = [row for row in one if row.right is not None]
    placed = [row for row in rows if row.repair_place is not None]
    lines = [
        "| of the programs | | |",
        "| --- | --- | --- |",
        _share("whose fix is one edit: a patch that passes", (r.passes for r in one)),
        _share("the same: a right patch", (bool(r.right) for r in known)),
        _share("`repair` has the true line first", (r.repair_place == 1 for r in placed)),
        _share("in its first three", (r.repair_place in {1, 2, 3} for r in placed)),
        _share("`spectrum` has the true line first", (r.spectrum_place == 1 for r in placed)),
        _share("in its first three", (r.spectrum_place in {1, 2, 3} for r in placed)),
        "",
        "| program | bug | passes | right | line by repair | by spectrum | seconds |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    lines += [
        f"| {row.name} | {row.bug} | {_said(row.passes)} | {_said(row.right)}"
        f" | {row.repair_place or '-'} | {row.spectrum_place or '-'} | {row.seconds:.0f} |"
        for row in rows
    ]
    return "\n".join(lines)


def _share(what: str, values: Iterable[bool]) -> str:
    all_of_them = list(values)
    count = sum(all_of_them)
    share = f"{100 * count / len(all_of_them):.0f} %" if all_of_them else "-"
    return f"| {what} | {count} of {len(all_of_them)} | {share} |"


def _write(text: str) -> None:
    page = _PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    _PAGE.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
