"""Whether what agents claim holds, found out by reading and by running; no model is asked.

What runs (`matrix`) is not imported here: every session reads quotes and patches, few try them.
"""

from .bench import Bench, Candidate, Trial
from .evidence import Snapshot, check, lines_of
from .patches import Workshop
from .words import match_words

__all__ = [
    "Bench",
    "Candidate",
    "Snapshot",
    "Trial",
    "Workshop",
    "check",
    "lines_of",
    "match_words",
]
