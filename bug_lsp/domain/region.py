"""The marked region of a task file: the only part of it that bug-lsp writes.

A region runs from a line `<!-- bug-lsp:begin run=... -->` to the next line `<!-- bug-lsp:end -->`
with no other begin between. Everything outside stays byte for byte.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_BEGIN = r"^<!-- bug-lsp:begin run=(?P<run>[0-9a-f]{16}) -->[ \t]*\r?\n"
_REGION = re.compile(
    _BEGIN
    + r"(?P<body>(?:(?!<!-- bug-lsp:(?:begin|end)\b).*\r?\n)*?)^<!-- bug-lsp:end -->[ \t]*(?=\r?$)",
    re.MULTILINE,
)
_EARLIER = re.compile(r"^<details>\n<summary>Earlier synthesis.*?^</details>\n", re.M | re.DOTALL)
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
    return _REGION.sub("", text)


def region_of(text: str) -> tuple[str, str] | None:
    """(debugRunId, body) of the last region in the text."""
    matches = list(_REGION.finditer(text))
    return (matches[-1]["run"], matches[-1]["body"]) if matches else None


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
    matches = list(_REGION.finditer(text))
    if not matches:
        start = len(text)
        lead = "" if not text or text.endswith("\n\n") or text.endswith("\r\n\r\n") else "\n"
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
