"""Small projects with a real bug, under git, in every state a user's files can be in."""

from __future__ import annotations

import hashlib
import os
import stat
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

BUG = "    return price - price * rate"
BUG_LINE = 3
_FILES = {
    ".gitignore": "*.log\nbuild/\n",
    "README.md": "# Shop\n",
    "shop/__init__.py": "",
    "shop/tax.py": f'"""Prices."""\n\ndef with_tax(price, rate):\n{BUG}\n'.replace("\n\n", "\n"),
    "tests/test_tax.py": (
        "from shop.tax import with_tax\n\n\ndef test_tax():\n    assert with_tax(100, 0.1) == 110\n"
    ),
}
TASK = "# Prices are too low\n\nThe tax is subtracted.\n"


def git(*arguments: str, cwd: Path, **more: str) -> str:
    """Run git as the user would; returns what it prints."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=cwd,
        check=True,
        capture_output=True,
        env={**os.environ, "GIT_ALLOW_PROTOCOL": "file", **more},
    )
    return os.fsdecode(done.stdout).strip("\n")


def change_files(root: Path, files: Mapping[str, str | bytes | None]) -> None:
    """Write these files; None deletes one."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is None:
            path.unlink()
        else:
            path.write_bytes(text.encode() if isinstance(text, str) else text)


def fingerprint(root: Path, *, without: tuple[str, ...] = ()) -> dict[str, str]:
    """What every file below the folder is: kind, mode, content. `.git` is looked at too."""
    found: dict[str, str] = {}
    for folder, names, files in os.walk(root):
        here = Path(folder).relative_to(root).as_posix()
        names[:] = [name for name in names if f"{here}/{name}".removeprefix("./") not in without]
        for name in [*names, *files]:
            path = Path(folder, name)
            found[path.relative_to(root).as_posix()] = _look(path)
    return found


def _look(path: Path) -> str:
    info = path.lstat()
    kind = stat.filemode(info.st_mode)
    if path.is_symlink():
        return f"{kind} -> {path.readlink()}"
    if stat.S_ISREG(info.st_mode):
        return f"{kind} {hashlib.sha256(path.read_bytes()).hexdigest()}"
    return kind


def content(root: Path) -> dict[str, tuple[str, bytes]]:
    """Every file below the folder that is not git's: whether it runs, and its bytes."""
    found: dict[str, tuple[str, bytes]] = {}
    for path in sorted(root.rglob("*")):
        inner = path.relative_to(root)
        if ".git" in inner.parts or (path.is_dir() and not path.is_symlink()):
            continue
        if path.is_symlink():
            found[inner.as_posix()] = ("link", os.fsencode(path.readlink()))
        else:
            runs = path.stat().st_mode & stat.S_IXUSR
            found[inner.as_posix()] = ("program" if runs else "file", path.read_bytes())
    return found


@dataclass
class Project:
    """A project in a folder. Changes through its methods are the user's own."""

    root: Path
    _known: dict[str, str] = field(default_factory=dict)

    def write(self, name: str, text: str | bytes, mode: int | None = None) -> Path:
        """Write a file of the user's."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        if mode is not None:
            path.chmod(mode)
        self.remember()
        return path

    def git(self, *arguments: str) -> str:
        """Run git in the project, as the user."""
        try:
            return git(*arguments, cwd=self.root)
        finally:
            self.remember()

    def commit(self, message: str = "Work") -> str:
        """Commit all there is; returns the commit."""
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD")

    def task(self, text: str | bytes = TASK, name: str = "tasks/prices.md") -> Path:
        """A task file."""
        return self.write(name, text)

    def remember(self) -> None:
        """What is there now is the user's."""
        self._known = fingerprint(self.root, without=("tasks",))

    def changed_behind_the_test(self) -> dict[str, tuple[str | None, str | None]]:
        """What is not as the user left it; of the task files nothing is said."""
        now = fingerprint(self.root, without=("tasks",))
        both = self._known.keys() | now.keys()
        return {
            name: (self._known.get(name), now.get(name))
            for name in sorted(both - {"tasks"})
            if self._known.get(name) != now.get(name)
        }


def small_project(root: Path) -> Project:
    """A shop that subtracts the tax, in a git repository with one commit."""
    made = empty_project(root)
    for name, text in _FILES.items():
        made.write(name, text)
    made.commit("The shop")
    return made


def empty_project(root: Path) -> Project:
    """A git repository without a commit."""
    root.mkdir(parents=True)
    made = Project(root)
    made.git("init", "-q", "-b", "main", "--template=")
    return made


def in_every_state(project: Project) -> Project:
    """Leaves files staged, staged and changed again, changed, deleted, new and ignored."""
    project.write("staged.py", "staged = 1\n")
    project.write("both.py", "both = 1\n")
    project.git("add", "-A")
    project.write("both.py", "both = 2\n")
    project.write("shop/tax.py", "changed = 1\n")
    (project.root / "README.md").unlink()
    project.write("new.py", "new = 1\n")
    project.write("tool.sh", "#!/bin/sh\n", mode=0o755)
    (project.root / "link").symlink_to("shop/tax.py")
    (project.root / "dangling").symlink_to("nowhere")
    project.write("secret.log", "ignored\n")
    project.write("build/out.bin", b"\0ignored")
    return project
