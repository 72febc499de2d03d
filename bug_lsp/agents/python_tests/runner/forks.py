"""A process that stays ready and forks a child for each request, several at a time.

Requests come as lines of JSON on one pipe, answers go back on another. A child that runs too long
is killed with what it started; no request can hurt the process that serves it.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import selectors
import signal
import time
import traceback
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from .limits import guard_exit, really_exit

_CHUNK = 65536
_MOST_SAID = 20_000_000
_CLOCKS = (signal.SIGPROF, signal.SIGVTALRM)
_SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER of Linux: orphans of our children become our children."""
_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of Linux: the signal that a process gets when its parent ends."""


class _Child:
    def __init__(self, request: dict[str, Any], pid: int, pipe: int) -> None:
        self.request = request
        self.pid = pid
        self.pipe = pipe
        self.began = time.monotonic()
        self.ends = self.began + request["wall_seconds"]
        self.said = bytearray()
        self.killed = False

    def kill(self) -> None:
        """The child and its process group, whether or not it has ended."""
        with contextlib.suppress(OSError):
            os.killpg(self.pid, signal.SIGKILL)
        with contextlib.suppress(OSError):
            os.kill(self.pid, signal.SIGKILL)

    def drain(self) -> bool:
        """Read what is there; False at the end of the pipe."""
        with contextlib.suppress(BlockingIOError):
            while len(self.said) < _MOST_SAID:
                chunk = os.read(self.pipe, _CHUNK)
                if not chunk:
                    return False
                self.said += chunk
            self.kill()
        return True


class Server:
    """Serves requests until the pipe they come from is closed.

    `handle` does what a request asks for, in a child of its own, and writes lines of JSON to the
    pipe that it is given. `memory`: how many bytes a child may have more than this process.
    `prepare` is called once, when the first request has come, `learn` with each request before the
    fork. `ours`: children that are to live.
    """

    def __init__(
        self,
        requests: int,
        answers: int,
        memory: int,
        handle: Callable[[dict[str, Any], int], None],
        *,
        prepare: Callable[[], None] = lambda: None,
        learn: Callable[[dict[str, Any]], None] = lambda _request: None,
        ours: Collection[int] = (),
    ) -> None:
        self._requests = requests
        self._answers = answers
        self._memory = memory
        self._handle = handle
        self._ours = set(ours)
        self._learn = learn
        self._prepare: Callable[[], None] | None = prepare
        self._children: dict[int, _Child] = {}
        self._selector = selectors.DefaultSelector()
        self._end_with_parent = ends_with_parent()
        self._rest = bytearray()

    def tell(self, answer: dict[str, Any]) -> None:
        """Write one answer, whole."""
        data = json.dumps(answer).encode() + b"\n"
        while data:
            data = data[os.write(self._answers, data) :]

    def serve(self) -> None:
        """Until nobody asks any more; then nothing that was started is left."""
        become_subreaper()
        wake, woken = os.pipe()
        for end in (wake, woken, self._requests):
            os.set_blocking(end, False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.set_wakeup_fd(woken, warn_on_full_buffer=False)
        self._selector.register(self._requests, selectors.EVENT_READ, "request")
        self._selector.register(wake, selectors.EVENT_READ, "wake")
        try:
            while self._turn():
                self._reap()
        finally:
            for child in self._children.values():
                child.kill()
            end_strangers(set())

    def _turn(self) -> bool:
        """Wait for news and take it in; False when the requests are over."""
        ends = [child.ends for child in self._children.values()]
        timeout = max(min(ends) - time.monotonic(), 0) if ends else None
        for key, _ in self._selector.select(timeout):
            if key.data == "wake":
                with contextlib.suppress(BlockingIOError):
                    os.read(key.fd, _CHUNK)
            elif key.data == "request":
                if not self._hear():
                    return False
            elif not key.data.drain():
                self._selector.unregister(key.fd)
        now = time.monotonic()
        for child in self._children.values():
            if now >= child.ends and not child.killed:
                child.killed = True
                child.kill()
        return True

    def _hear(self) -> bool:
        with contextlib.suppress(BlockingIOError):
            while True:
                chunk = os.read(self._requests, _CHUNK)
                if not chunk:
                    return False
                self._rest += chunk
                if b"\n" in chunk:
                    *lines, self._rest = self._rest.split(b"\n")
                    for line in lines:
                        self._take(json.loads(line))
        return True

    def _take(self, message: dict[str, Any]) -> None:
        """One line from the client: a request, the end of one, or whether we are here."""
        if "ping" in message:
            self.tell(message)
        elif "cancel" in message:
            for child in self._children.values():
                if child.request["id"] == message["cancel"]:
                    child.killed = True
                    child.kill()
        else:
            self._start(message)

    def _start(self, request: dict[str, Any]) -> None:
        if self._prepare is not None:
            self._prepare()
            self._prepare = None
        self._learn(request)
        reading, writing = os.pipe()
        pid = os.fork()
        if pid == 0:
            os.close(reading)
            self._end_with_parent()
            self._be_child(request, writing)
        os.close(writing)
        os.set_blocking(reading, False)
        child = _Child(request, pid, reading)
        self._children[pid] = child
        self._selector.register(reading, selectors.EVENT_READ, child)

    def _be_child(self, request: dict[str, Any], pipe: int) -> None:
        """Never returns: a child must not get back into the loop of its parent."""
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for fd in (self._requests, self._answers, *(c.pipe for c in self._children.values())):
                os.close(fd)
            self._selector.close()
            limit(request["cpu_seconds"], self._memory, watch="batch" not in request)
            guard_exit()
            self._handle(request, pipe)
        except BaseException:  # noqa: BLE001 - whatever the project raises ends here
            with contextlib.suppress(BaseException):
                traceback.print_exc()
            really_exit(1)
        really_exit(0)

    def _reap(self) -> None:
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self._children.pop(pid, None)
            if child is not None:
                self._finish(child, status, usage.ru_utime + usage.ru_stime)

    def _finish(self, child: _Child, status: int, cpu: float) -> None:
        child.kill()  # what it left behind
        end_strangers({*self._children, *self._ours})
        child.drain()
        with contextlib.suppress(KeyError):
            self._selector.unregister(child.pipe)
        os.close(child.pipe)
        code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
        self.tell(
            {
                "id": child.request["id"],
                "code": None if child.killed or -code in _CLOCKS else code,
                "seconds": round(time.monotonic() - child.began, 4),
                "cpu": round(cpu, 4),
                "said": _lines(bytes(child.said)),
            }
        )


def _lines(said: bytes) -> list[Any]:
    """The whole lines of a child; a killed one may have left half of one."""
    found = []
    for line in said.split(b"\n")[:-1]:
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return found


def limit(cpu_seconds: float, memory: int, *, watch: bool) -> None:
    """End this process when it has computed for so long; let it have only so much more memory.

    Without `watch` the finer of the two clocks is left to others.
    """
    which, number = signal.ITIMER_VIRTUAL, signal.SIGVTALRM
    if watch:
        which, number = signal.ITIMER_PROF, signal.SIGPROF
    signal.signal(number, signal.SIG_DFL)
    signal.setitimer(which, cpu_seconds)
    with contextlib.suppress(OSError, ValueError):
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + memory
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def become_subreaper() -> None:
    """What our children leave behind is handed to us, where the system can do that."""
    with contextlib.suppress(Exception):
        import ctypes

        ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)


def ends_with_parent() -> Callable[[], None]:
    """Return what a forked child calls to be killed when its parent is, where the system can."""
    parent = os.getpid()
    control: Any = None
    with contextlib.suppress(Exception):
        import ctypes

        control = ctypes.CDLL(None).prctl

    def end() -> None:
        if control is not None:
            control(_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
            if os.getppid() != parent:
                really_exit(1)

    return end


def end_strangers(known: set[int]) -> None:
    """Kill children that we did not start: they were left behind by those that we did."""
    me = os.getpid()
    with contextlib.suppress(OSError):
        children = Path(f"/proc/{me}/task/{me}/children").read_text(encoding="ascii")
        for pid in map(int, children.split()):
            if pid not in known:
                with contextlib.suppress(OSError):
                    os.kill(pid, signal.SIGKILL)
