"""Why a test's process died, from its exit code and what faulthandler left behind."""

from __future__ import annotations

import re
import signal
from pathlib import Path

from .results import Failure, Frame

_PLACE = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+) in ')
_MOST_CHARACTERS = 100_000


def failure_of_dead_process(code: int | None, crash_file: Path, copy: Path) -> Failure:
    """The death of the process as the failure of the test that was running."""
    text = ""
    if crash_file.exists():
        text = crash_file.read_text(encoding="utf-8", errors="replace")[:_MOST_CHARACTERS]
    hung = text.startswith("Timeout (")
    return Failure(
        type="Timeout" if hung or code is None else "ProcessDied",
        message="it hung and had to be killed" if hung or code is None else _how(code),
        frames=_frames(text, copy.resolve()),
    )


def _how(code: int) -> str:
    if code >= 0:
        return f"the test ended its process with status {code}"
    try:
        return f"the test's process was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"the test's process was ended by signal {-code}"


def _frames(text: str, copy: Path) -> tuple[Frame, ...]:
    """The project's places in the thread that matters, outermost first."""
    blocks = re.split(r"^(?=(?:Current thread|Thread|Stack) )", text, flags=re.MULTILINE)
    current = [block for block in blocks if block.startswith("Current thread")]
    # A deadline dumps all threads, the main one last.
    block = current[0] if current else blocks[-1]
    frames = []
    for line in block.splitlines():
        match = _PLACE.match(line)
        if match and Path(match["file"]).is_relative_to(copy):
            path = Path(match["file"]).relative_to(copy).as_posix()
            frames.append(Frame(path=path, line=int(match["line"])))
    return tuple(reversed(frames))
