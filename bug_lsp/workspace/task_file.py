"""The task file on disk: found safely, read whole, written atomically."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

from bug_lsp.domain.errors import BadInput, Refused
from bug_lsp.domain.region import Edit
from bug_lsp.domain.task import MAX_TASK_BYTES, new_task, slug

from . import git, opening, writing

_SUFFIXES = {".md", ".markdown", ".mdx"}


def resolve(path: Path, workspace: Path, field: str) -> Path:
    """The real path of a task file, which must be inside the workspace, links followed."""
    try:
        real = path.resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise BadInput(field, f"{path} is not a usable path; name a Markdown file") from error
    if not real.is_relative_to(workspace.resolve()):
        raise BadInput(
            field, f"{path} is outside the workspace {workspace}; put the task file inside it"
        )
    return real


def resolve_in_repository(path: Path, workspace: Path, field: str) -> Path:
    """The real path of a task file inside the workspace, or in the repository around that."""
    try:
        return resolve(path, workspace, field)
    except BadInput:
        top = git.maybe("rev-parse", "--show-toplevel", cwd=workspace)
        real = resolve(path, Path(top), field) if top else None
        if real is None or ".git" in real.relative_to(Path(str(top)).resolve()).parts:
            raise
        return real


def read(path: Path, field: str) -> str:
    """The text of a task file, exactly: line ends and a byte order mark are kept."""
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            raise BadInput(field, f"{path} is a folder; name a Markdown file")
        # Not a pipe or a device: reading one may never end.
        if not stat.S_ISREG(info.st_mode):
            raise BadInput(field, f"{path} is not a regular file; name a Markdown file")
        if path.suffix.lower() not in _SUFFIXES:
            raise BadInput(field, f"{path} is not a Markdown file; name one that ends in .md")
        if info.st_size > MAX_TASK_BYTES:
            raise BadInput(
                field,
                f"{path} has {info.st_size:,} bytes, more than {MAX_TASK_BYTES:,}; "
                "keep the report short and put logs into files of their own",
            )
        with opening.folder(path.parent) as held:
            data = opening.read(path.name, held, MAX_TASK_BYTES)
    except FileNotFoundError as error:
        raise BadInput(field, f"{path} does not exist; create it or give a title") from error
    except OSError as error:
        raise BadInput(field, f"{path} cannot be read: {error.strerror}") from error
    if b"\0" in data:
        raise BadInput(field, f"{path} is a binary file; name a Markdown file")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise BadInput(
            field, f"{path} is not UTF-8 (byte {error.start}); save it as UTF-8"
        ) from error


def create(workspace: Path, tasks_dir: str, title: str, description: str) -> Path:
    """Write a new task file; of two with the same title the second gets a number."""
    folder = resolve(workspace / tasks_dir, workspace, "tasksDir")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with opening.folder(folder) as held:
            for number in range(1, 1000):
                name = f"{slug(title)}{'' if number == 1 else f'-{number}'}.md"
                with suppress(FileExistsError):
                    opening.create(name, held, new_task(title, description).encode())
                    return folder / name
    except OSError as error:
        raise Refused(
            f"the task file could not be written in {folder}: {error.strerror}; nothing was started"
        ) from error
    raise Refused(f"there are a thousand tasks named {slug(title)} in {folder}; give another title")


def others(tasks_dir: Path, but: Path) -> list[tuple[str, str]]:
    """(path, text) of the other task files in the folder; what cannot be read is passed over."""
    found: list[tuple[str, str]] = []
    for path in sorted(tasks_dir.glob("*.md"))[:1000]:
        if path != but:
            try:
                found.append((path.name, read(path, "taskUri")))
            except BadInput:
                continue
    return found


def edit(path: Path, change: Edit | None, expected: str) -> bool:
    """Make a change that was computed from the text `expected`. False if it is another by now.

    The file is replaced whole, with the mode it had: nobody ever sees half of it.
    """
    before = expected.encode()
    if change is None:
        return path.read_bytes() == before
    return writing.replace(path, before, change.apply(expected).encode())
