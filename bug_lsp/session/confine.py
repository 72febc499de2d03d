"""What a session's agent may write, and what holds it to that."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from bug_lsp.agents import registry
from bug_lsp.agents.folders import expanded, own_folders
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.run import Kind, Run, Spec
from bug_lsp.domain.settings import Settings
from bug_lsp.store.copy_environment import make_temporary_root
from bug_lsp.store.layout import RunFolder, SessionFolder
from bug_lsp.workspace import fingerprint

from .confinement import Confinement, confinement


def confined(run: Run, folder: SessionFolder, spec: Spec) -> Confinement | None:
    """What holds the agent of a session; None where it starts nothing that could be held.

    Raises `AgentFailure` where the user has said that it must be held and it cannot be.
    """
    name = spec.agent_type
    if name in registry.START_NOTHING:
        return None
    if name in registry.CONFINE_THEMSELVES and name not in run.agents:
        return Confinement(registry.CONFINE_THEMSELVES[name])
    if run.confinement == "off":
        return Confinement(None, problem="the setting `confinement` is off")
    custom = run.agents.get(name)
    env = {**os.environ, **(custom.env if custom else {})}
    # The orchestrator reads; only who debugs has anything to write in a copy. The last is where
    # temporary files go in the worst case.
    writable = [
        *([folder.copy] if spec.kind is Kind.DEBUG else []),
        *own_folders(name, run.agents, env),
        *expanded(run.writable_paths, env),
        make_temporary_root(folder.scratch),
        folder.scratch,
    ]
    tests_alone = _runs_tests_alone(run, spec)
    found = confinement(writable, protected=[Path(run.checkout)], private_home=tests_alone)
    if tests_alone and not run.tests_need_network:
        found = found.without_network()
    if found.by is None and run.confinement == "required":
        raise AgentFailure(
            FailureKind.PERMISSION,
            f"it was not started: the setting `confinement` is required, and {found.problem}",
        )
    return found


def confined_set_up(run: Run, writable: Sequence[Path]) -> tuple[str, ...]:
    """What goes before the set-up command, so that it writes in the twin alone."""
    if run.confinement == "off":
        return ()
    paths = [*writable, *expanded(run.writable_paths, os.environ)]
    return confinement(paths, protected=[Path(run.checkout)]).prefix


def _runs_tests_alone(run: Run, spec: Spec) -> bool:
    """Return whether a session runs nothing but the project's tests: no model, no login."""
    if spec.kind is Kind.PROOF:
        return True
    return registry.is_model_free(spec.agent_type, run.agents)


def confined_by(agent_type: str, settings: Settings, means: Confinement) -> str | None:
    """What would hold an agent of this type on a machine with these means, None where nothing."""
    if agent_type in registry.CONFINE_THEMSELVES and agent_type not in settings.agents:
        return registry.CONFINE_THEMSELVES[agent_type]
    if agent_type in registry.START_NOTHING or settings.confinement == "off":
        return None
    return means.by


def ended(folder: RunFolder) -> tuple[SessionFolder, ...]:
    """The sessions of a run that have ended and whose copies are there to be looked at."""
    return tuple(
        session
        for path in sorted(folder.sessions.iterdir())
        if (session := folder.session(path.name)).result.exists() and session.copy.exists()
    )


def not_its_own(run: Run, others: Iterable[SessionFolder]) -> fingerprint.Fingerprint:
    """What an agent that nothing confines must leave as it is: the user's checkout, the files in
    their home, and the copies of sessions that had ended; in the other copies others are at work.
    """
    found = {**fingerprint.of_home(Path.home()), **fingerprint.of_checkout(Path(run.workspace))}
    for other in others:
        found |= fingerprint.of_tree(other.copy, f"{other.session_id}/{other.copy.name}")
    return found
