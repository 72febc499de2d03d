"""From the end of the last debug session to the start of the orchestrator.

    python -m benchmarks.handover [--runs N] [--json]

Real runs of two command agents with the digest as orchestrator. The moments are those of the files
that the processes write: `result.json` of the last session, `start.claim` of the orchestrator (the
decision is made, the spawn follows at once), `process.json` of the orchestrator (its process is
up). The peer is the least that anybody could do: a program that waits for another and then starts
a Python that writes a file. No timer is on either path.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from bug_lsp.domain.run import AgentChoice, CustomAgent
from bug_lsp.domain.settings import Settings
from bug_lsp.session.start import Request, start_run
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder

from .waiting import finished

_TOUCH = "import sys; open(sys.argv[1], 'w').close()"


def bare(folder: Path) -> float:
    """Seconds from the end of a program to a file of the next one, with nothing in between."""
    first, second = folder / "first", folder / "second"
    subprocess.run([sys.executable, "-c", _TOUCH, str(first)], check=True)
    subprocess.run([sys.executable, "-c", _TOUCH, str(second)], check=True)
    seconds = second.stat().st_mtime_ns - first.stat().st_mtime_ns
    first.unlink()
    second.unlink()
    return seconds / 1e9


def handover(workspace: Path, settings: Settings) -> tuple[float, float]:
    """Seconds from the last result to the decision, and to the orchestrator's process."""
    agents = (AgentChoice(agent_type="quick"), AgentChoice(agent_type="quick"))
    folder = start_run(Request(workspace=workspace, title="Handover", agents=agents), settings)
    finished(folder)
    return _moments(folder)


def _moments(folder: RunFolder) -> tuple[float, float]:
    run = runs.load(folder)
    results = [folder.session(spec.session_id).result for spec in run.roster]
    last = max(path.stat().st_mtime_ns for path in results)
    [orchestrator] = runs.orchestrators(folder)
    decided = orchestrator.start_claim.stat().st_mtime_ns
    up = orchestrator.process.stat().st_mtime_ns
    return (decided - last) / 1e9, (up - last) / 1e9


def measure(count: int) -> dict[str, float]:
    """Medians in seconds, and the ratio to the peer."""
    with tempfile.TemporaryDirectory() as temporary:
        os.environ["BUG_LSP_STATE_DIR"] = str(Path(temporary, "state"))
        os.environ["BUG_LSP_CONFIG"] = str(Path(temporary, "none.toml"))
        workspace = Path(temporary, "project")
        workspace.mkdir()
        (workspace / "a.py").write_text("a = 1\n")
        subprocess.run(["git", "init", "-q"], cwd=workspace, check=True)
        quick = CustomAgent(type="command", command=("echo", "done"))
        digest = AgentChoice(agent_type="digest")
        settings = Settings(agents={"quick": quick}, orchestrator=digest)
        peers, decisions, starts = [], [], []
        for _ in range(count):  # interleaved, so that both see the same machine
            peers.append(bare(Path(temporary)))
            decided, up = handover(workspace, settings)
            decisions.append(decided)
            starts.append(up)
    peer, start = statistics.median(peers), statistics.median(starts)
    return {
        "runs": count,
        "bareSeconds": peer,
        "decisionSeconds": statistics.median(decisions),
        "processSeconds": start,
        "worstProcessSeconds": max(starts),
        "ratio": start / peer,
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.handover", description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.runs)
    if arguments.json:
        print(json.dumps(found))
        return
    rows = {
        "last result to the decision to start the orchestrator": "decisionSeconds",
        "last result to the orchestrator's process on disk": "processSeconds",
        "the same, worst of all runs": "worstProcessSeconds",
        "bare wait and spawn of a Python": "bareSeconds",
    }
    print(f"medians of {found['runs']:.0f} runs")
    for label, key in rows.items():
        print(f"{label:56}{found[key] * 1000:8.1f} ms")
    print(f"{'ratio of the process to the bare one':56}{found['ratio']:8.2f}")


if __name__ == "__main__":
    main()
