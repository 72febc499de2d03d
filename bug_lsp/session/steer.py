"""What the user can do to a run that goes on, or has ended: retry a session, add an agent, ask for
a synthesis of what is there, and talk to an agent at work.

The roster grows here and nowhere else. A synthesis after that is a new revision of the region.
"""

from __future__ import annotations

from collections.abc import Mapping

from bug_lsp.agents import registry
from bug_lsp.domain.errors import BadInput, Refused
from bug_lsp.domain.ids import new_session_id
from bug_lsp.domain.run import Additions, AgentChoice, CustomAgent, Kind, Run, Spec, Status
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder, SessionFolder

from . import cancel, delivery, gate, inbox
from .start import MAX_AGENTS, check_known


def retry(
    session: SessionFolder, choice: AgentChoice | None, custom: Mapping[str, CustomAgent]
) -> str:
    """Start a debug session again, with another agent if `choice` says so; returns the new id."""
    old = runs.spec(session)
    if old.kind is not Kind.DEBUG:
        raise Refused(
            "only debug sessions are retried; an orchestrator is tried again by "
            "orchestrateDebugRun with force"
        )
    if not session.result.exists():
        raise Refused(f"session {old.session_id} has not ended; cancel it first (cancelSession)")
    again = choice or AgentChoice(agent_type=old.agent_type, model=old.model)
    return _add(session.run, again, custom, retries=old.session_id)


def retry_failed(folder: RunFolder, custom: Mapping[str, CustomAgent]) -> list[str]:
    """Start every debug session again that failed or was cancelled; returns the new ids."""
    run = runs.load(folder)
    sessions = [folder.session(spec.session_id) for spec in run.standing]
    failed = [
        session
        for session in sessions
        if runs.facts(session).status in {Status.FAILED, Status.CANCELLED}
    ]
    if not failed:
        raise Refused("no session of this run failed or was cancelled, so none is retried")
    return [retry(session, None, custom) for session in failed]


def add_agent(folder: RunFolder, choice: AgentChoice, custom: Mapping[str, CustomAgent]) -> str:
    """Add a debug session to a run; its id."""
    return _add(folder, choice, custom, retries=None)


def synthesise_now(folder: RunFolder) -> list[str]:
    """End the debug sessions (or the proof) that still go on and orchestrate with what is there.

    Returns the sessions that were asked to end; the orchestrator starts with the last of them.
    """
    with runs.turn(folder):
        run = runs.load(folder)
        gate.take_up(folder)
        files.create_once(folder.wanted, b"")
        files.remove(folder.cancelled)
    sessions = [folder.session(spec.session_id) for spec in run.standing]
    sessions += runs.proofs(folder)
    ended = [session.session_id for session in sessions if cancel.cancel_session(session)]
    delivery.move_on(folder)
    return ended


def tell(session: SessionFolder, text: str) -> None:
    """Say something to an agent at work."""
    if not text.strip():
        raise BadInput("text", "is empty; say what the agent is to know")
    spec = runs.spec(session)
    if runs.facts(session).status is not Status.RUNNING:
        raise Refused(f"session {spec.session_id} is not running, so nobody would hear it")
    if not registry.is_steerable(spec.agent_type, runs.load(session.run).agents):
        raise Refused(
            f"{spec.agent_type} cannot be spoken to while it works; cancel it and retry it with a "
            "better task file"
        )
    inbox.put(session, text)


def _add(
    folder: RunFolder,
    choice: AgentChoice,
    custom: Mapping[str, CustomAgent],
    *,
    retries: str | None,
) -> str:
    custom = {**runs.load(folder).agents, **custom}
    check_known([choice], custom, "agents")
    if not registry.installed(choice.agent_type, custom):
        raise Refused(registry.install_hint(choice.agent_type, custom))
    with runs.turn(folder):
        run = runs.load(folder)
        if retries in run.superseded:
            raise Refused(f"session {retries} was retried already; retry the one in its place")
        if retries is None and len(run.standing) >= MAX_AGENTS:
            raise Refused(f"the run has {MAX_AGENTS} agents already; start another run")
        spec = _spec(run, choice, retries)
        session = folder.session(spec.session_id)
        files.make_private(session.path)
        prompt = folder.session(run.roster[0].session_id).prompt.read_bytes()
        files.replace(session.prompt, prompt)
        files.replace(session.spec, spec.to_json())
        gate.take_up(folder)
        files.replace(folder.additions, _additions(folder, spec, custom).to_json())
        files.remove(folder.cancelled)
        runs.save_snapshot(folder)
    delivery.move_on(folder)
    return spec.session_id


def _spec(run: Run, choice: AgentChoice, retries: str | None) -> Spec:
    return Spec(
        session_id=new_session_id(),
        kind=Kind.DEBUG,
        agent_type=choice.agent_type,
        model=choice.model,
        title=f"Debug ({len(run.roster) + 1}): {run.title}",
        retries=retries,
    )


def _additions(folder: RunFolder, spec: Spec, custom: Mapping[str, CustomAgent]) -> Additions:
    data = files.read(folder.additions)
    before = Additions.model_validate_json(data) if data is not None else Additions()
    agents = dict(before.agents)
    if spec.agent_type in custom:
        agents[spec.agent_type] = custom[spec.agent_type]
    return Additions(roster=(*before.roster, spec), agents=agents)
