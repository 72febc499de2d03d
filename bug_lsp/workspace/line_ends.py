"""Files with CRLF in the index that attributes of git say should have LF there: nobody has
converted them yet. git would, with the first edit, and every line of the file would be changed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from bug_lsp.store.files import make_private

from . import git

_AUTO = b"\n* text=auto\n"
"""With it git leaves the line ends of a file alone if the index has CRLF."""


def sort(root: Path, env: git.Settled, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return the names without, and those with attributes that would convert them."""
    if not names:
        return [], []
    asked = b"".join(os.fsencode(name) + b"\0" for name in names)
    told = git.run("check-attr", "-z", "--stdin", "text", "eol", cwd=root, env=env, stdin=asked)
    parts = git.paths(told)
    values: dict[str, dict[str, str]] = {}
    for path, attribute, value in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        values.setdefault(path, {})[attribute] = value
    texts = {path for path, said in values.items() if _is_converted(said["text"], said["eol"])}
    return [name for name in names if name not in texts], list(texts)


def _is_converted(text: str, eol: str) -> bool:
    return text == "set" or (text == "unspecified" and eol in {"lf", "crlf"})


def keeping(folder: Path, repository: Path, root: Path, env: git.Settled) -> git.Settled:
    """Return an environment in which line ends stay as they are in the index. It needs a git
    folder of its own, made in `folder`: nothing else goes before the attributes of a project.
    """
    theirs = root / git.text("rev-parse", "--git-path", "info/attributes", cwd=root, env=env)
    for name in ("objects", "refs", "info"):
        make_private(folder / name)
    (folder / "HEAD").write_text("ref: refs/heads/none\n")
    shutil.copyfile(repository / "config", folder / "config")
    known = theirs.read_bytes() if theirs.exists() else b""
    (folder / "info" / "attributes").write_bytes(known + _AUTO)
    return env.more({"GIT_DIR": str(folder), "GIT_WORK_TREE": str(root)})
