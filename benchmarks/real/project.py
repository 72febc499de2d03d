"""The project of a bug: a git repository with its history, its tests, a task file and `.venv`."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from pathlib import Path

from .catalogue import Bug
from .sdists import CannotBuild, make_environment, run, unpack

TASK = "TASK.md"
_KEPT = frozenset({".git", ".venv"})
_NAME = "bug-lsp benchmarks"


def make(bug: Bug, folder: Path) -> None:
    """Make the project anew: one commit and one tag for each version, then the copied tests."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    _git(folder, "init", "-q", "-b", "main")
    # What an editable installation adds is not part of the project.
    (folder / ".git" / "info" / "exclude").write_text("*.egg-info/\n__pycache__/\n.venv/\n")
    for version in (*bug.history, bug.before):
        _replace(folder, bug, version)
        _commit(folder, f"Release {version}", _newest(folder))
        _git(folder, "tag", version)
    copy_tests(bug, folder)
    if bug.is_committed:
        _commit(folder, "Update tests", time.time())
    (folder / TASK).write_text(bug.task(), encoding="utf-8")
    make_environment(folder / ".venv", tuple(bug.package.requirements))
    _install(bug, folder)


def copy_tests(bug: Bug, folder: Path) -> None:
    """Copy the tests of the version after, and their data, into a folder with another version."""
    after = folder.parent / f"{bug.name}.after"
    shutil.rmtree(after, ignore_errors=True)
    unpack(bug.package.name, bug.after, after)
    try:
        for name in bug.copied:
            if not (after / name).is_file():
                raise CannotBuild(
                    f"{bug.package.name} {bug.after} has no {name}; correct `copied` of {bug.name}"
                )
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(after / name, folder / name)
    finally:
        shutil.rmtree(after)


def unpacked(bug: Bug, version: str, folder: Path) -> Path:
    """Return a folder with another version of the package and the copied tests."""
    shutil.rmtree(folder, ignore_errors=True)
    unpack(bug.package.name, version, folder)
    copy_tests(bug, folder)
    return folder


def _replace(folder: Path, bug: Bug, version: str) -> None:
    for path in folder.iterdir():
        if path.name in _KEPT:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    unpack(bug.package.name, version, folder)


def _newest(folder: Path) -> float:
    """Return when the newest file was written: about when the version was released."""
    times = [
        path.stat().st_mtime
        for path in folder.rglob("*.py")
        if not _KEPT & set(path.relative_to(folder).parts)
    ]
    return max((at for at in times if at < time.time() - 60), default=0.0)


def _commit(folder: Path, subject: str, at: float) -> None:
    _git(folder, "add", "--all", "--force", "--", ".", ":!.venv", ":!*.egg-info")
    _git(folder, "commit", "-q", "--allow-empty", "-m", subject, at=at)


def _git(folder: Path, *arguments: str, at: float = 0.0) -> None:
    person = {"NAME": _NAME, "EMAIL": "benchmarks@example.org", "DATE": f"@{at:.0f} +0000"}
    env = {
        **os.environ,
        **{
            f"GIT_{who}_{key}": value
            for who in ("AUTHOR", "COMMITTER")
            for key, value in person.items()
        },
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
    }
    subprocess.run(["git", *arguments], cwd=folder, env=env, check=True, capture_output=True)


def _install(bug: Bug, folder: Path) -> None:
    from uv import find_uv_bin

    python = str(folder / ".venv" / "bin" / "python")
    run(
        [find_uv_bin(), "pip", "install", "-q", "--python", python, "--no-deps", "--editable", "."],
        f"{bug.package.name} {bug.before} cannot be installed",
        cwd=folder,
        version=bug.before,
    )
