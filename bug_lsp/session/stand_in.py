"""Tells whether the orchestrator that was asked for certainly cannot work. Only looks at files."""

from __future__ import annotations

from bug_lsp.domain.run import LeftOut, Run


def cannot_orchestrate(run: Run) -> LeftOut | None:
    """Return the run's orchestrator with the reason, where it certainly cannot work; else None."""
    from bug_lsp.agents import registry  # here: most who look at a run start no orchestrator

    name = run.orchestrator.agent_type
    reason = registry.why_left_out(name, run.agents)
    return LeftOut(agent_type=name, reason=reason) if reason else None
