"""Whether what agents claim holds, found out by reading and by running; no model is asked."""

from .bench import Bench, Candidate, Trial
from .evidence import check, lines_of
from .matrix import try_patches

__all__ = ["Bench", "Candidate", "Trial", "check", "lines_of", "try_patches"]
