"""What answers the fault points of our processes (`bug_lsp.store.faults`): a socket, and a rule."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

_IDS = re.compile(r"[0-9a-f]{12,}")


@dataclass(frozen=True)
class Step:
    """A step that is about to be made by one of our processes."""

    number: int
    """Counted from 1, over all processes."""
    pid: int
    verb: str
    path: Path

    @property
    def name(self) -> str:
        """The step as it is called in tables: without the ids of this very run."""
        parent = self.path.parent.name
        inside = f"{parent}/" if parent in {"active", "servers", "inbox"} else ""
        return f"{self.verb} {inside}{_IDS.sub('*', self.path.name)}"


Rule = Callable[[Step], str]
"""The answer to a step: nothing, `kill`, or the name of an error."""


class At:
    """The rule that answers one step alone: the n-th, counted from when the rule was made."""

    def __init__(self, number: int, answer: str, *, pid: int = 0) -> None:
        self._left = number
        self._answer = answer
        self._pid = pid
        """Whose steps are counted; 0: of all processes."""
        self.name = ""
        """The step, once it has come."""

    def __call__(self, step: Step) -> str:
        if self._pid not in {0, step.pid}:
            return ""
        self._left -= 1
        if self._left:
            return ""
        self.name = step.name
        return self._answer


class Control:
    """Hears of each step, in one order, and answers by the rule of the moment."""

    def __init__(self, place: Path) -> None:
        self.steps: list[Step] = []
        self.rule: Rule = lambda _step: ""
        self._errors: list[BaseException] = []
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(place))
        self._listening.listen(64)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                asking, _ = self._listening.accept()
            except OSError:
                return
            with asking:
                line = asking.makefile("rb").readline().decode(errors="surrogateescape")
                if not line:  # it was killed before it could say what it is about to do
                    continue
                pid, verb, path = line.rstrip("\n").split(" ", 2)
                step = Step(len(self.steps) + 1, int(pid), verb, Path(path))
                self.steps.append(step)
                asking.sendall(f"{self._answer(step)}\n".encode())

    def _answer(self, step: Step) -> str:
        try:
            return self.rule(step)
        except BaseException as error:  # noqa: BLE001 - told when it is over; who asks must go on
            self._errors.append(error)
            return ""

    def release(self) -> None:
        """Let every step be made from now on; fails if a rule has failed."""
        self.rule = lambda _step: ""
        if self._errors:
            raise self._errors.pop()

    def close(self) -> None:
        """Answer no more: whoever asks goes on."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        self._thread.join(10)
        self.release()


@contextmanager
def controlled(place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Control]:
    """A control of every process that is started meanwhile, but not of the test's own."""
    control = Control(place)
    monkeypatch.setenv("BUG_LSP_FAULTS", str(place))
    try:
        yield control
    finally:
        monkeypatch.delenv("BUG_LSP_FAULTS")
        control.close()
