from __future__ import annotations
from collections.abc import Sequence
from dataclasses import dataclass
from .run import Facts
from .proof import Evidence


@dataclass(frozen=True, slots=True)
class Cluster:
    path: str
    line: int
    sessions: tuple[str, ...]
    against: tuple[str, ...]
    evidence: tuple[str, ...]


def clusters(debug: Sequence[Facts], evidence: Sequence[Evidence]) -> tuple[Cluster, ...]:
    by = {}
    for e in evidence:
        if e.verdict == "contradicted":
            continue
        by.setdefault((e.found_path or e.path, e.found_line or e.line), []).append(e)
    all_s = {e.session_id for e in evidence}
    out = [
        Cluster(
            p,
            l,
            tuple(dict.fromkeys(e.session_id for e in es)),
            tuple(
                s
                for s in dict.fromkeys(x.session_id for x in evidence)
                if s not in {e.session_id for e in es}
            ),
            tuple(e.id for e in es),
        )
        for (p, l), es in by.items()
    ]
    return tuple(sorted(out, key=lambda c: -len(c.sessions)))
