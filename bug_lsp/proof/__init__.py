"""Whether what agents claim holds, found out by reading and by running; no model is asked."""

from .bench import Bench, Candidate, Trial
from .evidence import Snapshot, check, lines_of
from .matrix import try_patches
from .patches import Workshop

__all__ = [
    "Bench",
    "Candidate",
    "Snapshot",
    "Trial",
    "Workshop",
    "check",
    "lines_of",
    "try_patches",
]
