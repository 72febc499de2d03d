"""What a forked child does: some of the tests, perhaps with a changed file, told as they end."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .failure import Places
from .journal import Journal
from .limits import NoLimit, TestLimit
from .lines import LineCoverage


class Trial:
    """One request as its child sees it."""

    def __init__(self, request: dict[str, Any], pipe: int, root: str) -> None:
        self.request = request
        self._pipe = pipe
        self.folder = Path(request["folder"])
        self.folder.mkdir(parents=True, exist_ok=True)
        os.environ["TMPDIR"] = str(self.folder)
        tempfile.tempdir = None
        self.places = Places(root)
        self.lines = None
        if request["coverage"]:
            self.lines = LineCoverage(root, str(self.folder / "coverage.data"))
        self.journal = Journal(
            cwd=str(Path.cwd()),
            places=self.places,
            progress_fd=pipe,
            ends=time.monotonic() + request["soft_seconds"],
            lines=self.lines,
            stop_at_failure=request["stop_at_failure"],
        )

    @contextlib.contextmanager
    def limit(self) -> Iterator[Any]:
        """The limit of each test."""
        if self.request["test_seconds"] is None:
            yield NoLimit()
            return
        with (self.folder / "crash.txt").open("w", encoding="utf-8") as crash_file:
            yield TestLimit(self.request["test_seconds"], crash_file)

    def finish(self) -> None:
        """Tell what came of it, and tidy up."""
        tests = self.journal.tests
        result: dict[str, Any] = {"tests": tests, "coverage": {}}
        if self.lines is not None:
            result["coverage"] = self.lines.executed(range(len(tests)), self.places)
        self.tell("result", result)
        shutil.rmtree(self.folder, ignore_errors=True)

    def tell(self, what: str, value: object) -> None:
        """Write one line for whoever asked."""
        data = json.dumps([what, value]).encode() + b"\n"
        while data:
            data = data[os.write(self._pipe, data) :]
