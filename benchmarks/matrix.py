"""The matrix against the ideal of its parallel slots.

    python -m benchmarks.matrix [--slots N] [--json]

Five patches, five reproductions and the project's own suite, which takes 2 s: thirty cells, and
what comes before them on the snapshot. The peer runs the very same tests, each by a pytest of its
own, in as many threads as there are slots, in folders that nobody cleans and nobody patches.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import anyio

from bug_lsp.domain.events import Event, ToolCall, ToolResult
from bug_lsp.domain.ids import new_run_id
from bug_lsp.domain.run import Base
from bug_lsp.proof import Bench, Candidate, Trial
from bug_lsp.proof.matrix import try_patches
from bug_lsp.store.layout import WorkspaceFolder
from bug_lsp.workspace import capture, copies

PATCHES = TESTS = 5
_WAIT = 2 / TESTS
_CODE = "def value():\n    return {}\n"
_TEST = """
import threading
from prices import value

def test_it():
    threading.Event().wait({})
    assert value() > 0
"""


def project(folder: Path) -> Path:
    """A project with a bug that five tests show."""
    (folder / "tests").mkdir(parents=True)
    (folder / "prices.py").write_text(_CODE.format(0))
    for number in range(TESTS):
        (folder / "tests" / f"test_{number}.py").write_text(_TEST.format(_WAIT))
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    return folder


def candidates(base: Base, folder: Path) -> list[Candidate]:
    """Five patches that all hold."""
    found = []
    for number in range(PATCHES):
        copy = folder / str(number) / base.name
        copy.parent.mkdir(parents=True)
        copies.check_out(base, copy)
        (copy / "prices.py").write_text(_CODE.format(number + 1))
        patch = folder / f"{number}.diff"
        patch.write_bytes(copies.diff(copy, base))
        found.append(Candidate(f"{number:012x}", f"Debug ({number + 1})", patch))
    return found


def matrix(bench: Bench, patches: list[Candidate]) -> tuple[float, float, Trial]:
    """Seconds that the cells took, and all of it."""
    moments: list[tuple[float, Event]] = []
    began = time.perf_counter()

    def emit(event: Event) -> None:
        moments.append((time.perf_counter(), event))

    trial = anyio.run(try_patches, bench, patches, emit)
    first = next(at for at, one in moments if isinstance(one, ToolCall) and "Debug" in one.detail)
    last = max(at for at, one in moments if isinstance(one, ToolResult))
    return last - first, time.perf_counter() - began, trial


def peer(base: Base, folder: Path, slots: int) -> float:
    """Seconds for the same tests, run by nobody's care."""
    copy = folder / base.name
    folder.mkdir()
    copies.check_out(base, copy)
    (copy / "prices.py").write_text(_CODE.format(1))
    pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    single = [[*pytest, f"tests/test_{number}.py"] for number in range(TESTS)]
    commands = [*single, pytest] * PATCHES
    env = os.environ | {"PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}

    def run(command: list[str]) -> None:
        subprocess.run(command, cwd=copy, env=env, check=True, capture_output=True)

    began = time.perf_counter()
    with ThreadPoolExecutor(slots) as pool:
        list(pool.map(run, commands))
    return time.perf_counter() - began


def measure(slots: int, runs: int) -> dict[str, float]:
    """Seconds, medians; and the ratio to the peer, run by run."""
    cells, wholes, peers = [], [], []
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary)
        os.environ["BUG_LSP_STATE_DIR"] = str(place / "state")
        os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # those of our own development
        workspace = project(place / "project")
        base = capture.capture(WorkspaceFolder.of(workspace).create(), workspace, new_run_id(0))
        patches = candidates(base, place / "patches")
        for number in range(runs):  # interleaved, so that both see the same machine
            bench = Bench(base, workspace, place / f"scratch-{number}", place / "logs", slots=slots)
            peers.append(peer(base, place / f"peer-{number}", slots))
            took, whole, trial = matrix(bench, patches)
            wrong = [cell for cell in trial.cells if cell.outcome != "passed"]
            if wrong or len(trial.cells) != PATCHES * (TESTS + 1):
                sys.exit(f"the matrix is not what it should be: {wrong or trial}")
            cells.append(took)
            wholes.append(whole)
    return {
        "runs": runs,
        "slots": slots,
        "peerSeconds": statistics.median(peers),
        "cellsSeconds": statistics.median(cells),
        "wholeSeconds": statistics.median(wholes),
        "ratio": statistics.median(
            mine / theirs for mine, theirs in zip(cells, peers, strict=True)
        ),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.matrix", description=__doc__)
    parser.add_argument("--slots", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.slots, arguments.runs)
    if arguments.json:
        print(json.dumps(found))
        return
    rows = {
        "thirty cells": "cellsSeconds",
        "the same tests by the peer": "peerSeconds",
        "all of it, reproductions on the snapshot included": "wholeSeconds",
    }
    print(f"medians of {found['runs']:.0f} runs, {found['slots']:.0f} slots")
    for label, key in rows.items():
        print(f"{label:56}{found[key]:8.2f} s")
    print(f"{'ratio of the cells to the peer':56}{found['ratio']:8.2f}")


if __name__ == "__main__":
    main()
