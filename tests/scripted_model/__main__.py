"""python -m tests.scripted_model [--port N] [--keep-bodies] [SCRIPTS.json]

SCRIPTS.json is {"LANE": {script}, ...}. Prints `{"port": N}` when it listens.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from contextlib import suppress
from pathlib import Path

from .server import ScriptedModel


async def serve(port: int, scripts: dict[str, dict[str, object]], *, keep_bodies: bool) -> None:
    async with ScriptedModel(port, keep_bodies) as model:
        for lane, script in scripts.items():
            model.load(lane, script)
        print(json.dumps({"port": model.port}), flush=True)  # noqa: T201 - for who started it
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.scripted_model")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--keep-bodies", action="store_true", help="log whole request bodies")
    parser.add_argument("scripts", nargs="?", type=Path)
    args = parser.parse_args()
    scripts = json.loads(args.scripts.read_text(encoding="utf-8")) if args.scripts else {}
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(args.port, scripts, keep_bodies=args.keep_bodies))


if __name__ == "__main__":
    main()
