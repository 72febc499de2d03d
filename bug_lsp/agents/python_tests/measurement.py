"""What a run of a project's tests says: which of them fail, and which lines each executes.

Tests that the task or the command names run first, with all the time that a test can get, and are
known first. Then the others run, those near them first, as long as there is time.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field, replace
from typing import Literal

from pydantic import Field

from bug_lsp.agents.base import Emit, Job
from bug_lsp.agents.network import has_own_network
from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.events import Error
from bug_lsp.domain.model import StoredValue

from .chosen import Chosen, chosen_by_command
from .command import is_django, understand
from .merged_runs import merged
from .named_in_files import find_named_tests
from .project import PythonProject
from .results import SuiteRun
from .running import run_and_tell
from .suite import Plan

NEEDS_NETWORK = (
    "tests failed as they do without the network: they are run again with it; with the setting"
    " testsNeedNetwork they have it from the start"
)
_NAMED_SECONDS = 60.0
"""How long a test may take that the task names."""
_LOOK_AGAIN_SECONDS = 20.0
"""How long one may take where all that fails are tests that take long."""
_LEAST_SECONDS = 10.0
_SAYS_IT_HANGS = re.compile(
    r"\b(?:hang(?:s|ing)?|hung|freez\w*|frozen|endless\w*|infinite\w*|forever|deadlock\w*)\b",
    re.IGNORECASE,
)


class Measurement(StoredValue):
    """The outcome of the tests, as the agents of one run share it."""

    run: SuiteRun
    is_whole: bool
    """Whether it has more than the named tests."""
    framework: Literal["pytest", "unittest"] | None = None
    env: dict[str, str] = Field(default_factory=dict)
    of_command: tuple[str, ...] | None = None
    """The tests, and files that cannot be collected, that the user's command names, if it does."""
    apart: dict[str, str] = Field(default_factory=dict)
    """Tests that fail for want of something that the checkout has and the copy has not: what."""
    needs_network: bool = False
    notes: tuple[str, ...] = ()
    """What else is to be known about it, as sentences."""


@dataclass
class Measuring:
    """The tests of one job, measured."""

    job: Job
    project: PythonProject
    emit: Emit
    plan: Plan
    _began: float = field(default_factory=time.monotonic)

    async def named(self) -> Measurement | None:
        """Run the tests that the task or the command names; None where nothing comes of that."""
        command = self.job.test_command or ""
        names = find_named_tests(self.project.cwd, f"{self.job.told}\n{command}")
        if not names or is_django(command):
            return None
        selection = understand(command)
        patience = _NAMED_SECONDS
        if _SAYS_IT_HANGS.search(self.job.told):
            patience = self.plan.test_seconds
        plan = replace(
            self.plan,
            framework=selection.framework if selection else None,
            env=selection.env if selection else {},
            args=tuple(dict.fromkeys(name.partition("::")[0] for name in names)),
            named=frozenset(names),
            test_seconds=patience,
            whole_seconds=_NAMED_SECONDS,
        )
        try:
            run = await self._run(plan, "named-tests")
        except AgentFailure as failure:
            self.emit(Error(message=f"the named tests cannot be run alone: {failure.message}"))
            return None
        if not run.tests and not run.collection_errors:
            return None
        return self._measurement(run, plan, is_whole=False)

    async def whole(self, named: Measurement | None) -> Measurement:
        """Run all tests, those that matter first, on top of what is known of the named ones."""
        chosen = await self._chosen()
        framework = chosen.framework or self.plan.framework
        plan = replace(self.plan, framework=framework, env=chosen.env)
        names = chosen.names or frozenset()
        if not plan.coverage:
            plan = replace(plan, only=names or None)
        known = named.run if named is not None and named.run.failing else None
        ids = frozenset(test.id for test in named.run.tests) if named is not None else frozenset()
        spent = time.monotonic() - self._began
        plan = replace(
            plan,
            first=ids or names,
            leave_out=ids if known is not None else frozenset(),
            also=known.coverage if known is not None else {},
            whole_seconds=max(plan.whole_seconds - spent, _LEAST_SECONDS),
        )
        run, notes = await self._as_much_as_runs(plan, known)
        run = merged(known, run) if known is not None else await self._look_again(run, plan)
        return self._measurement(run, plan, is_whole=True).model_copy(
            update={"of_command": _of_command(chosen), "notes": notes}
        )

    async def _chosen(self) -> Chosen:
        chosen = await chosen_by_command(self.job, self.project, self.emit)
        if chosen.run is not None and chosen.run.shows_no_network and self._gets_network():
            chosen = await chosen_by_command(self.job, self.project, self.emit)
        return chosen

    async def _as_much_as_runs(
        self, plan: Plan, known: SuiteRun | None
    ) -> tuple[SuiteRun, tuple[str, ...]]:
        """All tests; those of the named ones' files where all cannot be run."""
        try:
            return await self._run(plan, "tests"), ()
        except AgentFailure as failure:
            if known is None:
                raise
            why = f"not all tests can be run: {failure.message}"
            self.emit(Error(message=why))
        files = tuple(dict.fromkeys(test.id.partition("::")[0] for test in known.tests))
        try:
            return await self._run(replace(plan, args=files), "tests-near"), (why,)
        except AgentFailure:
            return known, (why,)

    async def _look_again(self, run: SuiteRun, plan: Plan) -> SuiteRun:
        """Whether a test that ran long hangs or is only slow, where nothing else fails."""
        slow = [t.id for t in run.failing if t.failure and t.failure.type == "Timeout"]
        if not slow or len(slow) < len(run.failing) or run.collection_errors:
            return run
        one = replace(
            plan,
            only=frozenset(slow[:1]),
            leave_out=frozenset(),
            test_seconds=min(10 * plan.test_seconds, _LOOK_AGAIN_SECONDS),
            whole_seconds=2 * _LOOK_AGAIN_SECONDS,
        )
        again = await self._run(one, "slow-test")
        if not any(test.outcome == "passed" for test in again.tests):
            return run
        # Slow, not hanging: then so may be the others.
        tests = (
            test.model_copy(update={"outcome": "skipped", "failure": None})
            if test.id in slow
            else test
            for test in run.tests
        )
        return run.model_copy(update={"tests": tuple(tests)})

    async def _run(self, plan: Plan, call_id: str) -> SuiteRun:
        run = await run_and_tell(self.project, plan, self.emit, call_id=call_id)
        if run.shows_no_network and self._gets_network():
            call_id = f"{call_id}-with-network"
            run = await run_and_tell(self.project, plan, self.emit, call_id=call_id)
        return run

    def _gets_network(self) -> bool:
        """Give the tests the user's network, unless they had it."""
        if not has_own_network(self.project.confine):
            return False
        self.emit(Error(message=NEEDS_NETWORK))
        self.project = self.project.with_network()
        return True

    def _measurement(self, run: SuiteRun, plan: Plan, *, is_whole: bool) -> Measurement:
        return Measurement(
            run=run,
            is_whole=is_whole,
            framework=plan.framework,
            env=plan.env,
            apart=failures_of_the_copy(self.project, run),
            needs_network=self.project.confine != self.job.confine,
        )


def _of_command(chosen: Chosen) -> tuple[str, ...] | None:
    if chosen.run is None:
        return None
    errors = (error.where for error in chosen.run.collection_errors)
    return (*chosen.run.collected, *errors) or None


def failures_of_the_copy(project: PythonProject, run: SuiteRun) -> dict[str, str]:
    """Failures that the copy has and the checkout has not, by the names of tests and of files that
    cannot be collected: what is missing in the copy, as a sentence.
    """
    worlds = project.worlds()
    reasons = {name: worlds.lacking(failure.told) for name, failure in run.failures().items()}
    return {name: reason for name, reason in reasons.items() if reason is not None}
