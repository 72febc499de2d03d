"""A slot: a copy of the snapshot in which one check at a time is run, cleaned before each."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from bug_lsp.agents import network
from bug_lsp.agents.copy_differences import Worlds
from bug_lsp.agents.python_tests import PythonProject, run_tests
from bug_lsp.agents.python_tests.child_process import run_child, tail
from bug_lsp.agents.python_tests.command import for_copy
from bug_lsp.agents.python_tests.environments import Interpreter, Wanted
from bug_lsp.agents.python_tests.project import interpreter_for
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.store.copy_environment import clear_folders, copy_environment, make_folders
from bug_lsp.store.files import make_private, remove
from bug_lsp.workspace import copies, extras, git

from . import leftovers
from .bench import Bench
from .checks import Check, Outcome, of_status, of_tests
from .logs import keep, last_line
from .patches import Prepared
from .tree import Spoilt, Tree, twin

_TEST_SECONDS = 60.0
_SHARE_OF_TESTS = 0.9
"""Of a cell's time; the rest is for writing down what came of them."""
_MOST_READ = 100_000
"""Characters of an output that are read for what it misses."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The snapshot, checked out once; every slot's copy is a twin of it."""

    bench: Bench
    root: Path

    @classmethod
    def of(cls, bench: Bench) -> Snapshot:
        """Where it goes; nothing is made."""
        return cls(bench, bench.scratch / "snapshot" / bench.base.name)

    def make(self) -> None:
        """Check it out where all slots take it from."""
        self.check_out(self.root)

    def check_out(self, root: Path) -> None:
        """Check it out. Blocks. Raises `AgentFailure`."""
        try:
            remove(root)
            make_private(root.parent)
            copies.check_out(self.bench.base, root)
            extras.bring(self.bench.sources, root)
        except (git.GitError, OSError) as error:
            raise AgentFailure(
                FailureKind.INTERNAL, f"the copy of the code could not be made: {error}"
            ) from error


class Slot:
    """One copy, and what is run in it."""

    def __init__(self, snapshot: Snapshot, number: int) -> None:
        self._bench = snapshot.bench
        self._snapshot = snapshot
        self._folder = snapshot.bench.scratch / f"slot-{number}"
        self._tree: Tree | None = None
        self._marker = ""
        self._renewed = False
        # In a folder of its own: what lies beside the checkout is linked beside it.
        self.copy = self._folder / "code" / snapshot.bench.base.name
        self.cwd = self.copy / snapshot.bench.base.prefix
        self._scratch = self._folder / "scratch"
        self._copy_number = snapshot.bench.first_copy + number - 1
        self.with_network = False
        """Whether checks have the network."""

    async def open(self) -> None:
        """Make the copy. Raises `AgentFailure`."""
        if self._tree is not None:
            return
        try:
            pristine = await run_sync(self._make_copy)
            self._tree = await run_sync(Tree, self.copy, pristine)
        except (Spoilt, OSError) as error:
            raise AgentFailure(
                FailureKind.INTERNAL, f"a copy of the code could not be made: {error}"
            ) from error

    def _make_copy(self) -> Path:
        """The copy; returns what it is a twin of."""
        remove(self._folder)
        pristine = self._snapshot.root
        if self._renewed:  # the snapshot may have been written to, and the other slots use it
            pristine = self._folder / "snapshot" / self.copy.name
            self._snapshot.check_out(pristine)
        make_private(self.copy.parent)
        twin(pristine, self.copy)
        extras.bring_siblings(self._bench.sources, self.copy)
        return pristine

    async def run(self, check: Check, patch: Prepared | None, name: str, seconds: float) -> Outcome:
        """Run a check in a clean copy, with the patch. `name` is that of its log."""
        await self._clean()
        began = time.monotonic()
        try:
            await run_sync(self._lay, check, patch)
        except (Spoilt, OSError) as error:
            return Outcome("notApplied", f"it cannot be laid over the project: {error}")
        log = make_private(self._bench.logs) / f"{name}.log"
        log.unlink(missing_ok=True)
        if check.plan is not None:
            outcome = await self._tests(check, seconds)
            await run_sync(partial(keep, self._outputs(), log, outcome.run))
        else:
            command = check.command or ""
            outcome = await self._command(command, seconds, log, with_network=self.with_network)
            await run_sync(keep, [], log)
        lacking = await run_sync(self._lacking, outcome, log)
        seconds = round(time.monotonic() - began, 3)
        return replace(outcome, seconds=seconds, log=log, lacking=lacking)

    def _lacking(self, outcome: Outcome, log: Path) -> dict[str, str]:
        """What failed for the copy's own sake, and what is missing in the copy."""
        if outcome.result == "passed":
            return {}
        worlds = Worlds(self.copy, self._checkout(), self._bench.base.prefix)
        texts = {"": tail(log, _MOST_READ)}
        if outcome.run is not None:
            texts = {name: failure.told for name, failure in outcome.run.failures().items()}
        reasons = {name: worlds.lacking(text) for name, text in texts.items()}
        return {name: reason for name, reason in reasons.items() if reason is not None}

    def _checkout(self) -> Path:
        depth = len(Path(self._bench.base.prefix).parts)
        workspace = self._bench.workspace
        return workspace.parents[depth - 1] if depth else workspace

    async def _clean(self) -> None:
        """Have exactly the snapshot in the copy; a new one where that one cannot be mended."""
        try:
            await run_sync(remove, self._scratch)
            await run_sync(clear_folders, self._copy_number, self._bench.scratch)
            if self._tree is not None:
                await run_sync(self._tree.restore)
        except (Spoilt, OSError):
            self._tree, self._renewed = None, True
        await self.open()

    def _lay(self, check: Check, patch: Prepared | None) -> None:
        if self._tree is None:  # `_clean` has seen to it
            raise Spoilt("there is no copy")
        files = dict(patch.files) if patch is not None else {}
        for path in [path for path, kept in files.items() if kept is None]:
            self._tree.take_away(path)
        for path, kept in {**files, **check.lay}.items():
            if kept is not None:
                self._tree.put(path, kept)

    def _project(self, *, with_network: bool) -> PythonProject:
        origin = self._checkout()
        self._marker = secrets.token_hex(8)
        make_private(self._scratch)
        environment = copy_environment(self._copy_number, self._bench.scratch)
        make_folders(environment, self._bench.scratch)
        confine = self._bench.confine
        if with_network:
            confine = network.with_network(confine)
        if "--setenv" in confine:  # an old bubblewrap: it names a folder that all slots share
            confine = (*confine, "env", f"TMPDIR={environment['TMPDIR']}")
        return PythonProject(
            interpreter=self._interpreter(origin),
            cwd=self.cwd,
            copy=self.copy,
            origin=origin,
            scratch=self._scratch,
            extra_env={leftovers.MARKER: self._marker, **environment},
            confine=(*leftovers.GUARD, *confine),
        )

    def _interpreter(self, origin: Path) -> Interpreter:
        bench = self._bench
        command = bench.test_command or bench.suite_command
        wanted = Wanted(
            workspace=bench.workspace,
            root=origin,
            command=command,
            setting=bench.python,
            selected=bench.selected_python,
            near=bench.tests_near,
        )
        return interpreter_for(wanted, self.cwd, [source.root for source in bench.sources])

    async def _command(
        self, command: str, seconds: float, log: Path, *, with_network: bool
    ) -> Outcome:
        try:
            project = self._project(with_network=with_network)
            status = await run_child(
                for_copy(command, project.cwd, self._bench.workspace),
                cwd=project.cwd,
                env=project.environment(),
                log=log,
                seconds=seconds,
                confine=project.confine,
            )
        except (AgentFailure, OSError) as error:
            return Outcome("broken", str(error))
        finally:
            await self._end()
        result, detail = of_status(status, seconds, last_line(tail(log)))
        return Outcome(result, detail, exit_code=status)

    async def _tests(self, check: Check, seconds: float) -> Outcome:
        if check.plan is None:
            return Outcome("broken", "there are no tests to run")
        plan = replace(
            check.plan,
            test_seconds=min(_TEST_SECONDS, seconds / 2),
            whole_seconds=seconds * _SHARE_OF_TESTS,
        )
        try:
            with anyio.move_on_after(seconds):
                run = await run_tests(self._project(with_network=self.with_network), plan)
                return Outcome(*of_tests(run, check.ids), run=run)
            return Outcome("timeout", f"still running after {seconds:g} s")
        except AgentFailure as failure:
            late = failure.kind is FailureKind.TIMEOUT
            return Outcome("timeout" if late else "broken", " ".join(failure.message.split())[:500])
        except OSError as error:
            return Outcome("broken", str(error))
        finally:
            await self._end()

    async def _end(self) -> None:
        with anyio.CancelScope(shield=True):
            await run_sync(leftovers.end, self._marker)

    def _outputs(self) -> list[Path]:
        return sorted(self._scratch.glob("tests-*/output.log"))
