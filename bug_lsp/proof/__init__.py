"""Whether patches hold, found out by running them; nothing here asks a model."""

from .bench import Bench, Candidate, Trial
from .matrix import try_patches

__all__ = ["Bench", "Candidate", "Trial", "try_patches"]
