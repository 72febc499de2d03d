"""Stays ready to run tests: one process that has imported the test framework, and a second one,
forked from it, that has also collected the project's tests.

The first serves changes that matter at import, the second all others, a hundred times as fast.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import json
import os
import sys
import traceback
from pathlib import Path
from types import FrameType
from typing import Any

from . import batch, main, overlay
from .failure import Places
from .forks import Server, become_subreaper, ends_with_parent
from .journal import Journal
from .limits import really_exit
from .swap import CannotSwapError, Functions
from .trial import Trial

_OPTIMIZED = 0x1
"""The flag of code that is a function's, not a class's or a module's."""


def serve(config: dict[str, Any]) -> None:
    """Until the requests end. Ends the process."""
    has_pytest = config["framework"] != "unittest" and main.has_pytest()
    become_subreaper()
    for name in ("requests", "answers", "cold_requests", "cold_answers"):
        os.set_inheritable(config[name], False)  # noqa: FBT003 - takes no keyword
    here, there = os.pipe()
    end_with_parent = ends_with_parent()
    collected = os.fork()
    if collected == 0:
        end_with_parent()
        try:
            os.close(config["cold_requests"])
            os.close(config["cold_answers"])
            os.close(here)
            _Collected(config, there, has_pytest=has_pytest).run()
        except BaseException:  # noqa: BLE001 - the one who started us reads it in the log
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            really_exit(1)
    os.close(config["requests"])
    os.close(config["answers"])
    os.close(there)
    Server(
        config["cold_requests"],
        config["cold_answers"],
        config["memory"],
        lambda request, pipe: _cold(config, request, pipe),
        prepare=lambda: _preload(here),
        ours={collected},
    ).serve()
    really_exit(0)


def _preload(pipe: int) -> None:
    """Import what the project's tests need and is not the project's own."""
    with open(pipe, encoding="utf-8") as names:
        for name in json.load(names):
            with contextlib.suppress(BaseException):
                importlib.import_module(name)


def _foreign_modules(places: Places, before: set[str]) -> list[str]:
    """What has been imported since, in that order, and can be imported anew without harm.

    Not what pytest has rewritten: it warns where it finds such a module imported already.
    """
    found = []
    for name, module in list(sys.modules.items()):
        loader = type(getattr(module, "__loader__", None)).__name__
        file = getattr(module, "__file__", None)
        if name not in before and loader != "AssertionRewritingHook" and isinstance(file, str):
            found += [name] if places.relative(file) is None else []
    return found


def _cold(config: dict[str, Any], request: dict[str, Any], pipe: int) -> None:
    """Import everything anew, with the changed texts, and run the tests."""
    overlay.install(request["texts"])
    trial = Trial(request, pipe, config["root"])
    own = {
        **config,
        "args": request["files"],
        "only": request["tests"],
        "first": [],
        "leave_out": [],
        "collect_only": False,
        "cache_dir": str(trial.folder / "cache"),
    }
    with trial.limit() as limit:
        main.run_framework(own, trial.journal, limit)
    trial.finish()


class _Collected:
    """The process in which the tests are collected."""

    def __init__(self, config: dict[str, Any], preload: int, *, has_pytest: bool) -> None:
        self._config = config
        self._preload = preload
        self._modules = set(sys.modules)
        self._has_pytest = has_pytest
        self._ran: set[tuple[str, int]] = set()
        self._run_tests: Any = None
        self._owner = os.getpid()
        self._places = Places(config["root"])
        self._journal = Journal(
            cwd=str(Path.cwd()),
            places=self._places,
            progress_fd=os.open(os.devnull, os.O_WRONLY),
            ends=float("inf"),
            lines=None,
        )

    def run(self) -> None:
        """Collect, say what there is, serve."""
        self._journal.problem = main.coverage_problem()
        if self._journal.problem is not None:
            self._serve(None)
        config = {**self._config, "only": None, "first": [], "leave_out": []}
        config |= {"collect_only": False}
        sys.settrace(self._trace)
        if self._has_pytest:
            from . import with_pytest

            with_pytest.collect(config, self._journal, self._serve_if_any)
            if self._config["framework"] == "pytest" or not main.is_empty(self._journal):
                self._serve(None)
        elif self._config["framework"] == "pytest":
            self._journal.problem = f"pytest is not installed for {sys.executable}"
            self._serve(None)
        from . import with_unittest

        with_unittest.collect(config, self._journal, self._serve)

    def _trace(self, frame: FrameType, _event: str, _arg: object) -> None:
        """Note functions that run while the tests are collected; tell which files are imported."""
        code = frame.f_code
        if code.co_flags & _OPTIMIZED:
            self._ran.add((code.co_filename, code.co_firstlineno))
        elif code.co_name == "<module>" and os.getpid() == self._owner:
            path = self._places.relative(code.co_filename)
            if path is not None:
                line = json.dumps({"importing": path}) + "\n"
                os.write(self._config["answers"], line.encode())

    def _serve_if_any(self, run_tests: Any) -> None:
        if self._config["framework"] == "pytest" or not main.is_empty(self._journal):
            self._serve(run_tests)

    def _serve(self, run_tests: Any) -> None:
        sys.settrace(None)
        self._run_tests = run_tests
        with open(self._preload, "w", encoding="utf-8") as pipe:  # noqa: PTH123 - no path
            json.dump(_foreign_modules(self._journal.places, self._modules), pipe)
        places = self._journal.places
        self._functions = Functions(self._config["root"])
        server = Server(
            self._config["requests"],
            self._config["answers"],
            self._config["memory"],
            self._hot,
            learn=self._learn,
        )
        told = self._journal.result()
        server.tell(
            {
                "runner": told["runner"],
                "problem": told["problem"],
                "collected": told["collected"],
                "collection_errors": told["collection_errors"],
                "ran_at_import": sorted(
                    [path, line]
                    for file, line in self._ran
                    if (path := places.relative(file)) is not None
                ),
            }
        )
        gc.freeze()  # else each child copies all memory when it first collects its garbage
        server.serve()
        really_exit(0)

    def _learn(self, request: dict[str, Any]) -> None:
        """What all children would have to find out for themselves."""
        for change in request.get("batch", [request]):
            for path, text in change["originals"].items():
                with contextlib.suppress(SyntaxError):
                    self._functions.learn(path, text)

    def _hot(self, request: dict[str, Any], pipe: int) -> None:
        if "batch" in request:
            batch.run(request, pipe, self._journal, self._functions, self._run_tests)
            return
        trial = Trial(request, pipe, self._config["root"])
        try:
            for path, text in request["texts"].items():
                self._functions.swap(path, request["originals"][path], text)
        except CannotSwapError:
            trial.tell("cold", "")
            return
        except SyntaxError as error:
            trial.tell("invalid", str(error))
            return
        with trial.limit() as limit:
            self._run_tests(request["tests"], trial.journal, limit)
        trial.finish()
