"""Whether a check needs the network that it was run without, as far as its outcome shows."""

from __future__ import annotations

from dataclasses import replace

from bug_lsp.agents.network import shows_no_network
from bug_lsp.agents.python_tests.child_process import tail

from .checks import Check, Outcome
from .collisions import differ, has_failed

NETWORK_NOTE = (
    "tests need the network: with a network of its own for each copy they gave another result, so"
    " they were run with yours; the setting testsNeedNetwork says so from the start"
)
_LOG_CHARACTERS = 20_000


def lacks_network(outcome: Outcome) -> bool:
    """Return whether it failed as checks do without the network. Reads the end of its log."""
    if not has_failed(outcome):
        return False
    if outcome.run is not None and outcome.run.shows_no_network:
        return True
    said = tail(outcome.log, _LOG_CHARACTERS) if outcome.log is not None else ""
    return shows_no_network(f"{outcome.detail}\n{said}")


def skipped_only(check: Check, outcome: Outcome) -> Check | None:
    """Return the check limited to the tests that were skipped: they may have looked for a service
    and found none. None where no test was.
    """
    tests = outcome.run.tests if outcome.run is not None else ()
    skipped = frozenset(test.id for test in tests if test.outcome == "skipped")
    if check.plan is None or not skipped:
        return None
    return replace(check, plan=replace(check.plan, only=skipped), ids=frozenset())


def changes_with_network(cut_off: Outcome, with_network: Outcome) -> bool:
    """Return whether a check that seems to lack the network has another result with it."""
    return differ(cut_off, with_network) or not lacks_network(with_network)


def runs_something(outcome: Outcome) -> bool:
    """Return whether any test was run that is not skipped."""
    return outcome.run is not None and any(test.outcome != "skipped" for test in outcome.run.tests)
