"""The real Neovim, driven over its own remote interface, with a screen attached: where it would
wait for a key, the test waits too, and fails at its deadline.
"""

from __future__ import annotations

import os
import signal
import sysconfig
from pathlib import Path
from typing import Any

from . import picture
from .grid import Grid
from .rpc import Remote

ROOT = Path(__file__).parents[2]
PLUGIN = ROOT / "clients" / "nvim"
SCRIPTS = Path(sysconfig.get_path("scripts"))
_USER = Path(__file__).with_name("user.lua")
_HOMES = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
_SCREEN = 100, 30
_DEADLINE = 45.0
_LOOK_AGAIN = 20
"""Milliseconds: Neovim looks that often whether something has come about."""


class Neovim:
    """One Neovim with one screen."""

    def __init__(self, home: Path, init: str) -> None:
        """`home`: for its own files. `init`: the user's init.lua."""
        self._lives = True
        home.mkdir(exist_ok=True)
        (home / "init.lua").write_text(f"{init}\nvim.cmd.source('{_USER}')\n")
        env = {**os.environ, **{name: str(home / name) for name in _HOMES}}
        env["PATH"] = f"{SCRIPTS}{os.pathsep}{env['PATH']}"
        command = ["nvim", "--clean", "-n", "-u", str(home / "init.lua")]
        self._grid = Grid(*_SCREEN)
        self._remote = Remote([*command, "--embed", "--headless"], env, self._grid.hear)
        self._remote.request("nvim_ui_attach", *_SCREEN, {"rgb": True, "ext_linegrid": True})

    def end(self) -> None:
        """Quit, whatever is unsaved."""
        if self._lives:
            self._lives = False
            self._remote.send("nvim_command", "qa!")
            self._remote.wait()

    def kill(self) -> None:
        """It dies at once."""
        self._lives = False
        os.kill(self._remote.request("nvim_call_function", "getpid", []), signal.SIGKILL)
        self._remote.wait()

    def lua(self, code: str, *arguments: Any) -> Any:
        """The result of some Lua; its arguments are `...` there."""
        return self._ask("nvim_exec_lua", code, arguments)

    def do(self, *commands: str) -> None:
        """Commands as they are typed after a colon."""
        for command in commands:
            self._ask("nvim_command", command)

    def _ask(self, method: str, *arguments: Any) -> Any:
        try:
            return self._remote.request(method, *arguments, deadline=_DEADLINE)
        except TimeoutError:
            mode = self._remote.request("nvim_get_mode")
            raise AssertionError(f"no answer to {arguments}; its mode is {mode}") from None

    def keys(self, keys: str) -> None:
        """Keys as they are pressed."""
        self._ask("nvim_input", keys)

    def until(self, condition: str, *arguments: Any, seconds: float = 30) -> None:
        """Wait until an expression in Lua is true."""
        code = (
            "local arguments = { ... }\n"
            f"return vim.wait({seconds * 1000:.0f}, function()\n"
            f"  return (function(...) return {condition} end)(unpack(arguments))\n"
            f"end, {_LOOK_AGAIN})"
        )
        assert self.lua(code, *arguments), (
            f"did not come about: {condition} {arguments}\n{self.screen}\n{self.messages}"
        )

    def until_text(self, name: str, text: str, *, seconds: float = 30) -> None:
        """Wait until a text stands in the buffer of this name."""
        self.until("user.text(({...})[1]):find(({...})[2], 1, true)", name, text, seconds=seconds)

    def until_screen(self, text: str) -> None:
        """Wait until a text can be seen."""
        self.until("user.screen():find(..., 1, true)", text)

    def until_said(self, text: str) -> None:
        """Wait until a message has been shown."""
        self.until("vim.fn.execute('messages'):find(..., 1, true)", text)

    def choosing(self, *picks: str) -> None:
        """From the next lists these are picked, named by how they begin."""
        self.lua("user.picks = { ... }", *picks)

    def act(self, pick: str) -> list[str]:
        """Pick one of the code actions at the cursor; returns all of them."""
        self.choosing(pick)
        self.lua("user.asked = {}; vim.lsp.buf.code_action()")
        self.until("#user.asked > 0")
        [asked] = self.asked
        assert any(line.startswith(pick) for line in asked["lines"]), asked
        return asked["lines"]

    @property
    def asked(self) -> list[dict[str, Any]]:
        """What the user was asked."""
        return list(self.lua("return user.asked"))

    @property
    def screen(self) -> str:
        """What can be seen."""
        return str(self.lua("return user.screen()"))

    def picture(self, name: str) -> None:
        """Draw what can be seen, where pictures are wanted."""
        if picture.wanted():
            self.do("redraw!")
            picture.save(name, self._grid.cells())

    @property
    def messages(self) -> str:
        """What it has said."""
        return str(self.lua("return vim.fn.execute('messages')"))

    def text(self, name: str) -> str:
        """The text of a buffer."""
        return str(self.lua("return user.text(...)", name))

    def servers(self) -> int:
        """How many of our servers run."""
        return int(self.lua("return #vim.lsp.get_clients({ name = 'bug_lsp' })"))
