"""Lines for people and for programs. What comes from agents is cleaned by whoever hands it in."""

from __future__ import annotations

import sys


def out(text: str = "") -> None:
    """A line of the result."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def note(text: str = "") -> None:
    """A line about what goes on."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
