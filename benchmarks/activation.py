"""What the VS Code extension adds to the start of a window, against a limit of 150 ms.

    python -m benchmarks.activation [--runs N] [--json]

A real VS Code without a screen, installed by `make test`. The figure is VS Code's own, that of
Developer: Show Running Extensions: reading the extension's code and activating it, which its other
extensions wait for. The server comes up later, in a process of its own. The peer is VS Code's own
Git extension in the same window.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import sys
import tempfile
from pathlib import Path

from clients.vscode.__main__ import vsix
from tests.vscode import install
from tests.vscode.editor import Editor, Host, browser_page

LIMIT = 150
RUNS = 9
OURS, PEER = "Bug LSP", "Git"
_TIME = re.compile(r"Activation: (\d+)\s*ms")


def measure(runs: int) -> dict[str, list[int]]:
    """Milliseconds of each extension, of as many windows."""
    install.install()
    found: dict[str, list[int]] = {OURS: [], PEER: []}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
        root = Path(temporary)
        (root / "shop").mkdir()
        server = {"bugLsp.server.path": str(Path(sys.executable).with_name("bug-lsp"))}
        trusted = {"security.workspace.trust.enabled": False}
        state = {"BUG_LSP_STATE_DIR": str(root / "state")}
        host = Host(root / "user", vsix(), server | trusted, **state)
        with host.serve() as address, browser_page(height=2400) as page:  # all rows are drawn
            for _ in range(runs):
                editor = Editor(page, address, root / "shop", root)
                editor.open()
                for name, milliseconds in shown(editor).items():
                    found[name].append(milliseconds)
    return found


def shown(editor: Editor) -> dict[str, int]:
    """What VS Code shows of the two."""
    editor.palette("Developer: Show Running Extensions")
    rows = editor.page.locator(".runtime-extensions-editor .extension")
    found: dict[str, int] = {}

    def all_there() -> bool:
        for row in rows.all():
            name = row.locator(".name").inner_text().strip()
            time = _TIME.search(row.locator(".activation-time").inner_text())
            if time and name in {OURS, PEER}:
                found[name] = int(time[1])
        return len(found) == len({OURS, PEER})

    editor.until(all_there)
    return found


def main() -> None:
    """Measure and tell."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    arguments = parser.parse_args()
    found = measure(arguments.runs)
    if arguments.json:
        print(json.dumps(found))
        return
    for name, times in found.items():
        middle, worst = statistics.median(times), max(times)
        print(
            f"{name:8} median {middle:6.1f} ms, {middle / LIMIT:4.2f} of the limit; "
            f"longest {worst} ms, {worst / LIMIT:4.2f}"
        )


if __name__ == "__main__":
    main()
