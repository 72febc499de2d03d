"""Makes `neovim.png`, the picture of Neovim in docs/editors, from a run of the tests' example.

Run it from the root of the repository, with bug-lsp and its development dependencies, `pyte` and
`pillow` installed, `tmux`, the font DejaVu Sans Mono and `pngquant` on the machine:

    .venv/bin/python -m docs.img.make_neovim_picture

It opens the example in Neovim with the plugin, in a terminal of its own, starts two small programs
as agents, and takes the picture while a third one writes the synthesis.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pyte
from PIL import Image, ImageDraw, ImageFont

from bug_lsp.domain.run import CustomAgent
from tests.editors.conftest import speaks_slowly
from tests.editors.neovim import PLUGIN, SCRIPTS
from tests.support import example, runs
from tests.support.findings import found_at, keep

PICTURE = Path(__file__).with_name("neovim.png")
COLUMNS, ROWS, SIZE = 112, 26, 16
FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSansMono{}.ttf"
INK, PAPER = "#d8d8d8", "#14161b"
NAMED = {
    "black": "#000000", "red": "#cc6666", "green": "#98c379", "brown": "#e5c07b",
    "blue": "#61afef", "magenta": "#c678dd", "cyan": "#56b6c2", "white": "#d8d8d8",
}
INIT = f"""
vim.opt.rtp:prepend('{PLUGIN}')
vim.lsp.enable('bug_lsp')
vim.diagnostic.config({{ virtual_lines = true }})
vim.o.laststatus = 2
vim.o.ruler = false
"""
SAYS = [
    "Both sessions name the same line, and its quote stands there.",
    "The patch of Debug (1) passes the failing test and breaks nothing.",
    f"So that is the one.\n\n{runs.block(runs.SYNTHESIS)}",
]


def as_toml(agents: dict[str, CustomAgent]) -> str:
    """The user's settings."""
    lines = ['defaultAgents = ["reader", "tracer"]', 'orchestrator = { agentType = "editor" }']
    for name, agent in agents.items():
        lines.append(f"[agents.{name}]")
        values = agent.model_dump(mode="json", by_alias=True, exclude={"env"})
        lines += [f"{key} = {json.dumps(value)}" for key, value in values.items()]
    return "\n".join(lines)


class Terminal:
    """A tmux of its own."""

    def __init__(self) -> None:
        self._base = ["tmux", "-L", f"bug-lsp-picture-{os.getpid()}", "-f", "/dev/null"]

    def run(self, *arguments: str) -> str:
        done = subprocess.run([*self._base, *arguments], capture_output=True, text=True, check=True)
        return done.stdout

    def start(self, command: str) -> None:
        self.run(
            "new-session", "-d", "-s", "p", "-x", str(COLUMNS), "-y", str(ROWS), command, ";",
            "set", "-g", "default-terminal", "tmux-256color", ";", "set", "-g", "status", "off",
            ";", "set", "-ga", "terminal-overrides", ",*:Tc",
        )

    def type(self, text: str) -> None:
        self.run("send-keys", "-t", "p", "-l", text)
        self.run("send-keys", "-t", "p", "Enter")

    def until(self, text: str) -> None:
        for _ in range(300):
            if text in self.run("capture-pane", "-p", "-t", "p"):
                return
            time.sleep(0.1)
        raise SystemExit(f"{text!r} was not shown:\n{self.run('capture-pane', '-p', '-t', 'p')}")


def draw(ansi: str) -> Image.Image:
    """What a terminal shows for this output."""
    screen = pyte.Screen(COLUMNS, ROWS)
    pyte.Stream(screen).feed(ansi.rstrip("\n").replace("\n", "\r\n"))
    fonts = {bold: ImageFont.truetype(FONT.format("-Bold" if bold else ""), SIZE) for bold in (0, 1)}
    width, height = round(fonts[0].getlength("M")), int(SIZE * 1.3)
    image = Image.new("RGB", (COLUMNS * width, ROWS * height), PAPER)
    pen = ImageDraw.Draw(image)

    def colour(name: str, default: str) -> str:
        name = name.replace("bright", "")
        return default if name == "default" else NAMED.get(name) or f"#{name}"

    for y in range(ROWS):
        for x in range(COLUMNS):
            cell = screen.buffer[y][x]
            ink, paper = colour(cell.fg, INK), colour(cell.bg, PAPER)
            if cell.reverse:
                ink, paper = paper, ink
            left, top = x * width, y * height
            if paper != PAPER:
                pen.rectangle([left, top, left + width - 1, top + height - 1], fill=paper)
            if cell.data.strip():
                pen.text((left, top + 1), cell.data, font=fonts[cell.bold], fill=ink)
            if cell.underscore:
                pen.line([left, top + height - 2, left + width, top + height - 2], fill=ink)
    return image


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        base = Path(temporary)
        os.environ |= {
            "BUG_LSP_STATE_DIR": str(base / "state"),
            "BUG_LSP_CONFIG": str(base / "config.toml"),
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PATH": f"{SCRIPTS}{os.pathsep}{os.environ['PATH']}",
            **{f"XDG_{one}_HOME": str(base / "xdg") for one in ("CACHE", "CONFIG", "DATA", "STATE")},
            **{f"GIT_{one}_NAME": "Ada" for one in ("AUTHOR", "COMMITTER")},
            **{f"GIT_{one}_EMAIL": "ada@example.org" for one in ("AUTHOR", "COMMITTER")},
        }
        project = example.example_project(base / "shop")
        task = project.task()
        keep(
            project.root,
            task,
            [found_at(project.root, "shop/tax.py", 3, task, claim="The tax is subtracted")],
        )
        (base / "init.lua").write_text(INIT)
        terminal = Terminal()
        with runs.turnstile(base / "turnstile") as turnstile:
            agents = {
                "reader": example.RIGHT.as_program(),
                "tracer": example.CLOSE.as_program(),
                "editor": speaks_slowly(turnstile, *SAYS),
            }
            (base / "config.toml").write_text(as_toml(agents))
            terminal.start(
                f"cd {project.root} && nvim --clean -n -u {base}/init.lua tasks/prices.md"
            )
            try:
                terminal.until("Debug with agents")
                terminal.type(":vsplit shop/tax.py | cd . | vertical resize 64")
                terminal.until("Found by")
                terminal.type(":wincmd p | BugDebug")
                terminal.until(SAYS[0][:30])
                turnstile.let_go()
                terminal.until(SAYS[1][:30])
                terminal.until("editor: ")
                draw(terminal.run("capture-pane", "-e", "-p", "-t", "p")).save(PICTURE)
                turnstile.let_go(2)
                terminal.until("is done")
                terminal.type(":qa!")
            finally:
                subprocess.run([*terminal._base, "kill-server"], capture_output=True, check=False)
    subprocess.run(["pngquant", "--force", "--output", PICTURE, "64", PICTURE], check=True)


if __name__ == "__main__":
    sys.exit(main())
