"""A task file: a Markdown file about one bug. What is in it is the user's; we only read it here."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from .region import without_regions

_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t]+(.+)$")
_UNDERLINE = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_MARKUP = re.compile(r"[*`]+|(?<!\w)_+|_+(?!\w)|!?\[([^][]*)\]\([^()]*\)")
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?^---[ \t]*\r?$\n?", re.MULTILINE | re.DOTALL)

MAX_TASK_BYTES = 1_000_000
"""A larger file is not a bug report; it is refused rather than cut in silence."""


def title_of(text: str) -> str | None:
    """The first heading (`# x` of any level, or underlined), as plain text; None without one."""
    body = _FRONT_MATTER.sub("", without_regions(text))
    previous = ""
    for line in _outside_fences(body):
        if match := _HEADING.match(line):
            title = _plain(_unclosed(match[1].strip()))
        else:
            title = _plain(previous) if _UNDERLINE.match(line) else ""
        if title:
            return title
        previous = line
    return None


def _outside_fences(text: str) -> Iterator[str]:
    fence = ""
    for line in text.splitlines():
        match = _FENCE.match(line)
        if fence:
            if match and line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = ""
            continue
        if match:
            fence = match[1]
            continue
        yield line


def _unclosed(heading: str) -> str:
    """Without the `#`s that may close a heading; those of `C#` stay."""
    bare = heading.rstrip("#")
    return bare if not bare or bare[-1].isspace() else heading


def _plain(text: str) -> str:
    return " ".join(_MARKUP.sub(lambda match: match[1] or "", text).split())


def slug(title: str) -> str:
    """The title as a file name: lower case, words joined by hyphens, at most 60 characters."""
    kept = (c if c.isalnum() else "-" for c in unicodedata.normalize("NFKC", title).lower())
    words = "-".join(part for part in "".join(kept).split("-") if part)
    return words[:60].rstrip("-") or "bug"


def new_task(title: str, description: str) -> str:
    """The text of a new task file."""
    body = description.strip()
    return f"# {title}\n" + (f"\n{body}\n" if body else "")
