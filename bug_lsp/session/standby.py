"""The orchestrator's process, there before its session: while the agents work, it loads what an
orchestrator needs, which takes longer than all the rest of its start.

Who starts sessions leaves one beside them, one a run (`spawn.leave_standby`). It waits at a pipe in
the run's folder for the session that it is to be, and leaves where nobody is left who could tell.
It decides nothing: the gate claims the orchestrator as ever and hands it over where somebody waits;
where nobody does, or that one dies, another process is started. Whoever comes first names itself
in `process.json`.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import threading
import time
from contextlib import suppress

from .becoming import name_itself

TYPE_CHECKING = False  # not typing's: who is told early must not wait for imports
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import NoReturn

    from bug_lsp.store.deaths import Death
    from bug_lsp.store.layout import RunFolder

_GRACE = 1.0
"""Seconds that it stays when all the others have gone: one may have told it just before."""
_SHORT = 0.0005
"""Seconds after which a thread that loads lets go for the others."""


class Standby:
    """A process that waits for a session of the run at the open pipe."""

    def __init__(self, run: str, pipe: int) -> None:
        self._run = run
        self._pipe = pipe
        self._session = ""
        self._began = 0.0
        self._heard, self._hears = os.pipe()

    def wait(self) -> tuple[str, float]:
        """The folder of the session that this process is now, and when it began, in seconds of the
        monotonic clock. Does not return where it is none.
        """
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)
        # A thread of its own: who is told is seen to run at once, however long the rest loads.
        listener = threading.Thread(target=self._listen, daemon=True)
        listener.start()
        self._load()
        self._wait()
        listener.join(_GRACE)
        if not self._session:
            self._leave()
        return self._session, self._began

    def _on_signal(self, _signal: int, _frame: object) -> None:
        """Leave. As a session, let it be: it looks for a cancel when it listens."""
        if not self._session:
            self._leave()

    def _leave(self) -> NoReturn:
        self._take_pipe_away()
        os._exit(0)

    def _take_pipe_away(self) -> None:
        with suppress(FileNotFoundError):
            os.unlink(f"{self._run}/standby")  # noqa: PTH108 - pathlib takes long to import

    def _listen(self) -> None:
        try:
            self._become(os.fsdecode(os.read(self._pipe, select.PIPE_BUF)).rstrip("\n"))
        except BaseException:  # noqa: BLE001 - who waits for this process must not wait in vain
            sys.excepthook(*sys.exc_info())
            os._exit(1)

    def _become(self, folder: str) -> None:
        os.chdir(folder)
        log = os.open("agent.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        for stream in (1, 2):
            os.dup2(log, stream)
        os.close(log)
        self._began = time.monotonic()
        if not name_itself(folder):
            self._leave()
        self._session = folder
        self._take_pipe_away()
        os.close(self._pipe)  # this is what the teller waits for
        os.close(self._hears)

    def _load(self) -> None:
        """Load what every session needs, and begin to load what the agent needs. That takes
        longest: who is told meanwhile begins its work beside it.
        """
        gc.disable()  # nothing that is loaded is garbage: a seventh of the time
        interval = sys.getswitchinterval()
        sys.setswitchinterval(_SHORT)
        from . import work  # noqa: F401 - this is the loading

        threading.Thread(target=self._load_agent, args=[interval], daemon=True).start()

    def _load_agent(self, interval: float) -> None:
        from bug_lsp.agents import registry
        from bug_lsp.store import runs

        from .stand_in import cannot_orchestrate

        with suppress(Exception):  # the session itself says best what is wrong
            run = runs.load(_folder(self._run))
            if cannot_orchestrate(run) is None:
                registry.load(run.orchestrator.agent_type, run.agents)
        sys.setswitchinterval(interval)
        gc.freeze()
        gc.enable()

    def _wait(self) -> None:
        """Until it is told, or alone."""
        folder = _folder(self._run)
        while not self._session and (others := list(_deaths(folder))):
            select.select([self._heard, *(one.fileno() for one in others)], [], [])
            for one in others:
                one.close()


def _folder(run: str) -> RunFolder:
    from pathlib import Path

    from bug_lsp.store.layout import RunFolder

    return RunFolder(Path(run))


def _deaths(folder: RunFolder) -> Iterator[Death]:
    """Those of the run's other living processes."""
    from bug_lsp.store import runs
    from bug_lsp.store.deaths import Death
    from bug_lsp.store.processes import alive

    try:
        paths = sorted(folder.sessions.iterdir())
    except FileNotFoundError:
        return  # the run was deleted
    for path in paths:
        process = runs.process(folder.session(path.name))
        if process is None or process.pid == os.getpid():
            continue
        with suppress(ProcessLookupError):
            death = Death(process.pid)
            if alive(process.pid, process.birth):
                yield death
            else:
                death.close()
