"""The marked region of a task file: the only part of it that bug-lsp writes.

A region runs from a line `<!-- bug-lsp:begin run=... -->` to the next line `<!-- bug-lsp:end -->`
with no other begin between. What stands in a fence of the user's is an example, not a region.
Everything outside stays byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BEGIN = r"^<!-- bug-lsp:begin run=(?P<run>[0-9a-f]{16}) -->[ \t]*\r?\n"
_REGION = re.compile(
    _BEGIN
    + r"(?P<body>(?:(?!<!-- bug-lsp:(?:begin|end)\b).*\n)*?)^<!-- bug-lsp:end -->[ \t]*(?=\r?$)",
    re.MULTILINE,
)
_EARLIER = re.compile(
    r"^<details>\n<summary>Earlier synthesis.*?^</details>\n", re.MULTILINE | re.DOTALL
)
FENCE = re.compile(r"^ {0,3}(?P<fence>`{3,}(?=[^`\n]*$)|~{3,})(?P<info>.*)$", re.MULTILINE)
"""A line that opens a fence, or, with nothing behind the marks, closes one."""
KEPT_EARLIER = 5
"""How many earlier syntheses stay in the file, folded away."""


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace text[start:end] by `text`; offsets are in characters."""

    start: int
    end: int
    text: str

    def apply(self, text: str) -> str:
        """The text with the edit made."""
        return text[: self.start] + self.text + text[self.end :]


def without_regions(text: str) -> str:
    """The user's own text: what is left without our regions."""
    kept, end = [], 0
    for match in _regions(text):
        kept.append(text[end : match.start()])
        end = match.end()
    return "".join([*kept, text[end:]])


def region_of(text: str) -> tuple[str, str] | None:
    """(debugRunId, body) of the last region in the text."""
    matches = _regions(text)
    return (matches[-1]["run"], matches[-1]["body"]) if matches else None


def _regions(text: str) -> list[re.Match[str]]:
    found, between, end = list(_REGION.finditer(text)), [], 0
    if not found:
        return found
    for match in found:
        between.append(text[end : match.start()])
        end = match.end()
    between.append(text[end:])
    fenced = _gaps_in_fences(between)
    return [match for gap, match in enumerate(found) if gap not in fenced]


def _gaps_in_fences(pieces: list[str]) -> set[int]:
    """Which gaps between the pieces are inside one fence. A fence that nobody closes has none: else
    one forgotten line would hide every region after it.
    """
    inside: set[int] = set()
    fence, opened = "", 0
    for number, piece in enumerate(pieces):
        for match in FENCE.finditer(piece):
            if not fence:
                fence, opened = match["fence"], number
            elif match["fence"].startswith(fence) and not match["info"].strip():
                inside |= set(range(opened, number))
                fence = ""
    return inside


def defuse(text: str) -> str:
    """Untrusted text that can be put inside a region: no line of it can pass for our marks."""
    return (
        text.replace("<!--", "&lt;!--")
        .replace("<details", "&lt;details")
        .replace("</details", "&lt;/details")
    )


def merge(text: str, run_id: str, body: str, *, replaced_label: str) -> Edit | None:
    """The edit that puts `body` into the file's region, or None where it stands there already.

    A region that is there is replaced and kept reachable, folded away under `replaced_label`.
    Without one, a new region is added at the end.
    """
    eol = "\r\n" if text.count("\r\n") * 2 > text.count("\n") else "\n"
    matches = _regions(text)
    if not matches:
        start = len(text)
        lead = "" if not text or text.endswith(("\n\n", "\r\n\r\n")) else "\n"
        if text and not text.endswith("\n"):
            lead = "\n\n"
        return Edit(start, start, _eol(lead + _wrap(run_id, body) + "\n", eol))
    last = matches[-1]
    current, earlier = _split(last["body"].replace("\r\n", "\n"))
    if current.strip() == body.strip() and last["run"] == run_id:
        return None
    history = [_fold(current, replaced_label), *earlier][:KEPT_EARLIER]
    whole = body.rstrip("\n") + "\n" + "".join("\n" + fold for fold in history)
    return Edit(last.start(), last.end(), _eol(_wrap(run_id, whole), eol))


def _wrap(run_id: str, body: str) -> str:
    return f"<!-- bug-lsp:begin run={run_id} -->\n{body.rstrip()}\n<!-- bug-lsp:end -->"


def _split(body: str) -> tuple[str, list[str]]:
    return _EARLIER.sub("", body), [match[0] for match in _EARLIER.finditer(body)]


def _fold(body: str, label: str) -> str:
    # Quoted, so that its headings are not taken for those of the present synthesis.
    quoted = "\n".join(f"> {line}".rstrip() for line in body.strip().splitlines())
    return f"<details>\n<summary>Earlier synthesis: {label}</summary>\n\n{quoted}\n\n</details>\n"


def _eol(text: str, eol: str) -> str:
    return text.replace("\n", eol)
