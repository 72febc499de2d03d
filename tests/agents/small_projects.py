"""Small real projects, copied for an agent the way a session copies the user's working state."""

from __future__ import annotations

import os
import shutil
import subprocess
import textwrap
from dataclasses import dataclass, field
from pathlib import Path

from bug_lsp.agents.base import Agent, Answer, Job
from bug_lsp.domain.events import Event
from bug_lsp.domain.report import Report, parse_report

_IDENTITY = {
    "GIT_AUTHOR_NAME": "Ada",
    "GIT_AUTHOR_EMAIL": "ada@example.org",
    "GIT_COMMITTER_NAME": "Ada",
    "GIT_COMMITTER_EMAIL": "ada@example.org",
    "GIT_AUTHOR_DATE": "2026-03-02T12:00:00Z",
    "GIT_COMMITTER_DATE": "2026-03-02T12:00:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
}


@dataclass
class Outcome:
    """What came of running an agent."""

    answer: Answer
    events: list[Event]
    report: Report = field(init=False)

    def __post_init__(self) -> None:
        report = parse_report(self.answer.text)
        assert isinstance(report, Report), report
        self.report = report

    @property
    def places(self) -> list[str]:
        return [f"{finding.path}:{finding.line}" for finding in self.report.findings]


@dataclass
class SmallProject:
    """A user's checkout."""

    tmp: Path

    @property
    def root(self) -> Path:
        return self.tmp / "checkout"

    @property
    def copy(self) -> Path:
        return self.tmp / "copy"

    def write(self, files: dict[str, str | bytes]) -> None:
        for name, content in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(
                textwrap.dedent(content).lstrip("\n").encode()
                if isinstance(content, str)
                else content
            )

    def git(self, *args: str, **env: str) -> str:
        if not (self.root / ".git").exists():
            self.root.mkdir(exist_ok=True)
            subprocess.run(["git", "init", "-q", "-b", "main", self.root], check=True)
        done = subprocess.run(
            ["git", *args],
            cwd=self.root,
            env=os.environ | _IDENTITY | env,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def commit(self, message: str, files: dict[str, str | bytes]) -> str:
        self.write(files)
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def job(self, test_command: str | None = None, folder: str = ".") -> Job:
        """A job on a copy of the checkout without git."""
        shutil.copytree(self.root, self.copy, ignore=shutil.ignore_patterns(".venv", ".git"))
        return self._job(test_command, folder)

    def git_job(self, test_command: str | None = None, folder: str = ".") -> Job:
        """A job on a work tree of a private repository that holds the working state."""
        index = {"GIT_INDEX_FILE": str(self.tmp / "index")}
        self.git("add", "-A", **index)
        tree = self.git("write-tree", **index)
        base = self.git("commit-tree", tree, "-p", "HEAD", "-m", "working state")
        private = self.tmp / "private.git"
        subprocess.run(["git", "init", "-q", "--bare", private], check=True)
        objects = self.root / ".git" / "objects"
        (private / "objects" / "info" / "alternates").write_text(f"{objects}\n")
        subprocess.run(
            ["git", "worktree", "add", "-q", "--detach", self.copy, base], cwd=private, check=True
        )
        return self._job(test_command, folder)

    def _job(self, test_command: str | None, folder: str) -> Job:
        return Job(
            prompt="",
            cwd=self.copy / folder,
            copy=self.copy,
            workspace=self.root / folder,
            scratch=self.tmp / "scratch",
            test_command=test_command,
        )

    def files_of_copy(self) -> dict[str, bytes]:
        return {
            path.relative_to(self.copy).as_posix(): path.read_bytes()
            for path in sorted(self.copy.rglob("*"))
            if path.is_file() and path.name != ".git"
        }


async def run_agent(agent: Agent, job: Job) -> Outcome:
    events: list[Event] = []
    answer = await agent.run(job, events.append)
    return Outcome(answer, events)
