"""Run the product on a bug and compare what it says with the truth."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.stage import environment
from bug_lsp.domain.report import Finding
from bug_lsp.domain.run import Facts, Kind
from bug_lsp.session.report import RunReport, report
from bug_lsp.store import runs
from bug_lsp.store.layout import RunFolder

from .catalogue import Bug
from .outcomes import SUITE_SECONDS, outcomes
from .places import edits_true_function, rank
from .project import TASK, unpacked

AGENTS = ("spectrum", "repair", "bisect")
_SECONDS = 900.0
_ROOT = Path(__file__).parents[2]
_KINDS = ("file", "function", "line")


@dataclass(frozen=True, slots=True)
class Result:
    """What the product said of one bug, and whether it is true."""

    name: str
    seconds: float
    synthesis: Mapping[str, int] = field(default_factory=dict)
    """The rank of the true file, function and line; 0 if it is not there."""
    agents: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    commit: str = ""
    """`right`, `wrong`, `missed` (the history has it), or `` (none is blamed, none is to blame)."""
    patch: str = ""
    """`proven`, `proposed`, or `` without one."""
    is_right: bool | None = None
    """Of the patch: the bug's tests pass, and all that passed without it. None without one."""
    same_function: bool | None = None
    """Whether the patch edits a true function."""
    heading: str = ""
    claim: str = ""
    """How much the headings claim: `proven`, `likely`, `cause`, or `` for less."""
    is_false: bool = False
    """Whether they claim what is not true."""
    failures: Mapping[str, str] = field(default_factory=dict)


def measure(bug: Bug, folder: Path) -> Result:
    """Run the product on a bug's project, and leave the project as it was."""
    with tempfile.TemporaryDirectory(prefix="real-", ignore_cleanup_errors=True) as temporary:
        place = Path(temporary).resolve()
        isolated = {
            "HOME": str(place / "home"),
            "BUG_LSP_STATE_DIR": str(place / "state"),
            "BUG_LSP_CONFIG": str(place / "none.toml"),
        }
        (place / "home").mkdir()
        (folder / TASK).write_text(bug.task(), encoding="utf-8")
        try:
            seconds, problem = _debug(folder, isolated)
            with environment(isolated):
                found = sorted(place.glob("state/workspaces/*/runs/*/run.json"))
                if not found:
                    return Result(bug.name, seconds, failures={"bug-lsp": problem})
                return _judge(bug, folder, RunFolder(found[-1].parent), seconds, problem)
        finally:
            (folder / TASK).write_text(bug.task(), encoding="utf-8")


def _debug(folder: Path, isolated: Mapping[str, str]) -> tuple[float, str]:
    """Run `bug-lsp debug` to its end; return its seconds and what is wrong, if anything is."""
    began = time.monotonic()
    command = [
        *(sys.executable, "-m", "bug_lsp", "debug", TASK, "--agents", ",".join(AGENTS)),
        *("--orchestrator", "digest"),
    ]
    env = {**os.environ, **isolated, "PYTHONPATH": str(_ROOT)}
    with subprocess.Popen(
        command, cwd=folder, env=env, stdin=subprocess.DEVNULL, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        try:
            text, _ = process.communicate(timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGINT)  # cancels the run
            process.communicate()
            return time.monotonic() - began, f"not done after {_SECONDS:.0f} s"
    problem = "" if process.returncode == 0 else (text.strip().splitlines() or [""])[-1]
    return time.monotonic() - began, problem


def _judge(bug: Bug, folder: Path, run: RunFolder, seconds: float, problem: str) -> Result:
    told = report(run)
    sessions = {
        facts.spec.agent_type: facts
        for spec in runs.load(run).roster
        if (facts := runs.facts(run.session(spec.session_id))).spec.kind is Kind.DEBUG
    }
    said = {name: _findings(facts) for name, facts in sessions.items()}
    findings = told.synthesis.findings if told.synthesis else ()
    ranks = _ranks(findings, bug, folder)
    patch, text = _patch(told, sessions, run)
    is_right = _is_right(bug, folder, text) if text else None
    claim = claimed(told.markdown) if findings or patch == "proven" else ""
    is_true = bool(is_right) if claim == "proven" else ranks["function"] == 1
    failures = {name: facts.result.failure.message for name, facts in sessions.items()
                if facts.result and facts.result.failure}  # fmt: skip
    return Result(
        name=bug.name,
        seconds=round(seconds, 1),
        synthesis=ranks,
        agents={name: _ranks(found, bug, folder) for name, found in said.items()},
        commit=_commit(bug, folder, sessions.get("bisect")),
        patch=patch,
        is_right=is_right,
        same_function=edits_true_function(text, bug, folder) if text else None,
        heading=told.markdown.partition("\n")[0].lstrip("# "),
        claim=claim,
        is_false=bool(claim) and not is_true,
        failures=failures | ({"bug-lsp": problem} if problem else {}),
    )


def _findings(facts: Facts) -> tuple[Finding, ...]:
    ended = facts.result
    return ended.report.findings if ended and ended.report else ()


def _ranks(findings: tuple[Finding, ...], bug: Bug, folder: Path) -> dict[str, int]:
    return {kind: rank(findings, bug, folder, kind) for kind in _KINDS}


_CLAIMS = (
    ("proven", re.compile(r"\bproven?\b|\bholds\b", re.IGNORECASE)),
    ("likely", re.compile(r"\blikely\b", re.IGNORECASE)),
    ("cause", re.compile(r"\broot cause\b", re.IGNORECASE)),
)
_LESS = re.compile(r"\b(?:not|nothing|no|un|possible|a place to begin)\b[^;#]*", re.IGNORECASE)


def claimed(markdown: str) -> str:
    """Return the strongest claim in a conclusion's headings, without what they deny."""
    headings = [line for line in markdown.splitlines() if line.startswith("#")]
    text = "\n".join(_LESS.sub("", heading) for heading in headings)
    return next((name for name, pattern in _CLAIMS if pattern.search(text)), "")


def _commit(bug: Bug, folder: Path, bisect: Facts | None) -> str:
    named = blamed(_report_text(bisect)) if bisect else ""
    if not named:
        return "missed" if bug.since else ""
    if bug.since is None:
        return "wrong"
    command = ["git", "rev-parse", f"{bug.since}^{{commit}}"]
    true = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    return "right" if true.startswith(named) else "wrong"


def _report_text(facts: Facts) -> str:
    told = facts.result.report if facts.result else None
    return "\n".join([told.root_cause, *(one.claim for one in told.findings)]) if told else ""


def blamed(text: str) -> str:
    """Return the first commit that `bisect` names; of a range, the newest."""
    match = re.search(r"\bcommits?(?:, [0-9a-f]{7,40} to)? ([0-9a-f]{7,40})\b", text)
    return match[1] if match else ""


def _patch(told: RunReport, sessions: Mapping[str, Facts], run: RunFolder) -> tuple[str, str]:
    """Return `proven` or `proposed` and the diff of the best patch; empty without one."""
    for offered in told.patches:
        diff = run.session(offered.session_id).patch
        if diff.is_file() and (text := diff.read_text(encoding="utf-8", errors="replace")).strip():
            return "proven" if offered.proven else "proposed", text
    for facts in sessions.values():
        if facts.result and facts.result.patch.strip():
            return "proposed", facts.result.patch
    return "", ""


def _is_right(bug: Bug, folder: Path, patch: str) -> bool | None:
    """Tell whether a patch makes the bug's tests pass and keeps what passes without it."""
    python = folder / ".venv" / "bin" / "python"
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        place = unpacked(bug, bug.before, Path(temporary, "version"))
        without = outcomes(python, place, seconds=SUITE_SECONDS)
        shutil.rmtree(place)
        place = unpacked(bug, bug.before, Path(temporary, "version"))
        done = subprocess.run(
            ["git", "apply", "-"], cwd=place, input=patch, text=True, capture_output=True,
            check=False, env={**os.environ, "GIT_CEILING_DIRECTORIES": str(place.parent)},
        )  # fmt: skip
        if done.returncode:
            return None
        with_it = outcomes(python, place, seconds=SUITE_SECONDS)
    kept = {test for test, outcome in without.items() if outcome == "passed"} | set(bug.tests)
    return all(with_it.get(test) == "passed" for test in kept)
