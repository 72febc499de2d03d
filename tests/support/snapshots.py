"""Snapshots that are held in memory, and findings about them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from bug_lsp.domain import evidence
from bug_lsp.domain.evidence import Unread
from bug_lsp.domain.places import Places
from bug_lsp.domain.proof import Evidence
from bug_lsp.domain.report import Finding, Report
from bug_lsp.domain.run import Facts
from bug_lsp.domain.source import decode

from .facts import ended


@dataclass
class InMemory:
    """Files by name, as bytes."""

    files: Mapping[str, bytes]
    prefix: str = ""
    roots: tuple[str, ...] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    read: list[str] = field(default_factory=list)

    @property
    def places(self) -> Places:
        return Places(frozenset(self.files), self.links, self.prefix, self.roots)

    def texts(self, names: Collection[str]) -> dict[str, str | Unread]:
        self.read += names
        found = {name: decode(self.files[name]) for name in names}
        return {
            name: Unread("the file is binary") if text is None else text
            for name, text in found.items()
        }

    def holding(self, fragments: Collection[str]) -> list[str]:
        return [
            name
            for name, data in self.files.items()
            if any(fragment.encode() in data for fragment in fragments)
        ]


def snapshot(files: Mapping[str, str | bytes], **more: object) -> InMemory:
    """These files; texts are kept as UTF-8."""
    kept = {
        name: data if isinstance(data, bytes) else data.encode() for name, data in files.items()
    }
    return InMemory(kept, **more)  # type: ignore[arg-type]


def finding(path: str, line: int, quote: str, confidence: float = 0.5) -> Finding:
    """A claim about a line."""
    return Finding(claim="It is wrong.", path=path, line=line, quote=quote, confidence=confidence)


def handed_in(*findings: Finding, number: int = 1) -> Facts:
    """A session that has handed these in."""
    return ended(number, report=Report(findings=findings))


def checked(
    files: Mapping[str, str | bytes], path: str, line: int, quote: str, **more: object
) -> Evidence:
    """What the files say of one finding."""
    (found,) = evidence.check([handed_in(finding(path, line, quote))], snapshot(files, **more))
    return found
