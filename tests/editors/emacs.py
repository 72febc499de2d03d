"""The real Emacs in a terminal of its own, spoken to through its server's socket. Where it would
wait for a key, it does, and the test fails at its deadline.
"""

from __future__ import annotations

import base64
import json
import os
import pty
import select
import signal
import socket
import struct
import subprocess
import sys
import sysconfig
import termios
import time
from fcntl import ioctl
from pathlib import Path
from typing import Any

import pyte

from . import install, picture

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "clients" / "emacs"
PLACE = install.folder()
"""Looked up before a test has a home of its own."""
_SCRIPTS = Path(sysconfig.get_path("scripts"))
_USER = Path(__file__).with_name("user.el")
_COLUMNS, _ROWS = 112, 30
_DEADLINE = 45.0
_LOOK_AGAIN = 0.02
"""Seconds: Emacs is asked that often whether something has come about. It is not while it waits by
itself: nothing that it does when it is idle would be done then."""
_OWN_TERMINAL = (
    "import fcntl, os, sys, termios\n"
    "os.setsid()\n"
    "fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"
    "os.execvp(sys.argv[1], sys.argv[1:])\n"
)
_WHO, _NOBODY = b"\x1b[>0c", b"\x1b[>0;0;0c"
"""What Emacs asks a terminal at the start, and the shortest answer: it waits 2 s for one."""
_CHUNK = 1 << 16
_INK, _PAPER = "#d8d8d8", "#1c1c1c"
_NAMED = {
    "black": "#000000", "red": "#cc6666", "green": "#98c379", "brown": "#e5c07b",
    "blue": "#61afef", "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#d8d8d8",
}  # fmt: skip


class Emacs:
    """One Emacs with one screen."""

    def __init__(self, home: Path, init: str, *files: str) -> None:
        """`home`: for its own files. `init`: the user's init.el. `files`: opened at the start."""
        home.mkdir(mode=0o700, exist_ok=True)
        self._socket = home / "emacs"
        self._socket.unlink(missing_ok=True)
        (home / "init.el").write_text(init)
        found = install.emacs(PLACE)
        env = {**os.environ, **found.env, "TERM": "xterm-256color", "BUG_LSP_HOME": str(home)}
        env["PATH"] = f"{_SCRIPTS}{os.pathsep}{env['PATH']}"
        loads = [word for path in (_USER, home / "init.el") for word in ("--load", str(path))]
        self._terminal, theirs = pty.openpty()
        ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _OWN_TERMINAL, *found.command, "-nw", *loads, *files],
            env=env, stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        self._screen = pyte.Screen(_COLUMNS, _ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self._lives = True
        self._until("its server", self._socket.exists, _DEADLINE)

    def end(self) -> None:
        """Quit, whatever is unsaved."""
        if self._lives:
            self._lives = False
            self._send("(user-quit)")
            self._wait()

    def kill(self) -> None:
        """It dies at once."""
        self._lives = False
        self._process.send_signal(signal.SIGKILL)
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 10
        while self._process.poll() is None and time.monotonic() < deadline:
            self._look()
        self._process.kill()
        self._process.wait()
        os.close(self._terminal)

    def lisp(self, code: str, *arguments: Any) -> Any:
        """The value of some Lisp; its arguments are the list `given` there."""
        given = base64.b64encode(json.dumps(arguments).encode()).decode()
        answer = self._send(f'(user-value "{given}" (quote {code}))')
        kind, value = json.loads(base64.b64decode(answer.strip().strip('"')))
        assert kind == "value", f"{code}\n{value}"
        return value

    def _send(self, code: str) -> str:
        """What its server answers, which ends when it hangs up."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self._socket))
            quoted = code.replace("&", "&&").replace("-", "&-").replace(" ", "&_")
            connection.sendall(f"-current-frame -eval {quoted.replace(chr(10), '&n')} \n".encode())
            read = b""
            deadline = time.monotonic() + _DEADLINE
            while True:
                ready, _, _ = select.select([connection, self._terminal], [], [], 1.0)
                if self._terminal in ready:
                    self._look()
                if connection in ready:
                    chunk = connection.recv(_CHUNK)
                    if not chunk:
                        break
                    read += chunk
                assert time.monotonic() < deadline, f"no answer to {code}\n{self.screen}"
        lines = [line.partition(" ") for line in read.decode().splitlines()]
        answers = [text for word, _, text in lines if word in {"-print", "-print-nonl", "-error"}]
        return "".join(answers).replace("&-", "-").replace("&_", " ").replace("&n", "\n")

    def _look(self) -> None:
        """See what is new on the screen, or that nothing is for a moment."""
        if select.select([self._terminal], [], [], _LOOK_AGAIN)[0]:
            try:
                shown = os.read(self._terminal, _CHUNK)
            except OSError:  # it has ended
                self._process.wait(10)
                return
            if _WHO in shown:
                os.write(self._terminal, _NOBODY)
            self._stream.feed(shown)

    def _until(self, what: str, true: Any, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert self._process.poll() is None, f"it has ended\n{self.screen}"
            assert time.monotonic() < deadline, f"did not come about: {what}\n{self.screen}"
            self._look()

    def until(self, condition: str, *arguments: Any, seconds: float = 30) -> None:
        """Wait until an expression in Lisp is true."""
        try:
            self._until(condition, lambda: self.lisp(condition, *arguments), seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{arguments}\n{self.messages}") from None

    def until_text(self, name: str, text: str, *, seconds: float = 30) -> None:
        """Wait until a text stands in the buffer whose name has this in it."""
        self.until("(user-has (elt given 0) (elt given 1))", name, text, seconds=seconds)

    def until_said(self, text: str) -> None:
        """Wait until a message has been shown."""
        self.until_text("*Messages*", text)

    def until_screen(self, text: str) -> None:
        """Wait until a text can be seen."""
        self._until(text, lambda: text in self.screen, 30)

    def keys(self, keys: str) -> None:
        """Keys as they are pressed, with M- as an escape and C- as a control character."""
        os.write(self._terminal, keys.encode())

    def choosing(self, *picks: str) -> None:
        """From the next lists these are picked, named by how they begin; a text is typed."""
        self.lisp("(setq user-picks (append given nil))", *picks)

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What the user was asked."""
        return list(self.lisp("(vconcat (reverse user-asked))"))

    @property
    def screen(self) -> str:
        """What can be seen."""
        return "\n".join(line.rstrip() for line in self._screen.display)

    def picture(self, name: str) -> None:
        """Draw what can be seen, where pictures are wanted."""
        if picture.wanted():
            rows = [[_cell(row[x]) for x in range(_COLUMNS)] for row in self._rows()]
            picture.save(name, rows)

    def _rows(self) -> list[Any]:
        return [self._screen.buffer[y] for y in range(_ROWS)]

    @property
    def messages(self) -> str:
        """What it has said."""
        return self.text("*Messages*")

    def text(self, name: str) -> str:
        """The text of the buffer whose name has this in it."""
        return str(self.lisp("(user-text (elt given 0))", name))


def _cell(shown: Any) -> picture.Cell:
    ink, paper = _colour(shown.fg, _INK), _colour(shown.bg, _PAPER)
    if shown.reverse:
        ink, paper = paper, ink
    return picture.Cell(shown.data, ink, paper, bold=shown.bold, underlined=shown.underscore)


def _colour(name: str, default: str) -> str:
    name = name.removeprefix("bright")
    return default if name == "default" else _NAMED.get(name) or f"#{name}"
