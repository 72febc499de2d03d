"""Whether what agents claim holds, found out by reading and by running; nothing here asks a model."""

from .bench import Bench, Candidate, Trial
from .evidence import check, lines_of
from .matrix import try_patches

__all__ = ["Bench", "Candidate", "Trial", "check", "lines_of", "try_patches"]
