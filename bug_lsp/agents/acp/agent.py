"""Any agent that speaks ACP, through the official `agent-client-protocol`: a process of its own,
one session, one prompt after the other.

The user's own login and settings apply; the folder and the answers to its questions are ours. It is
offered neither our files nor our terminals: it has the same folder, and what it writes through us
would be checked no better than what it asks for. What a message means is in `events`, what it
may do in `policy`, what an error means in `failures`, how its process ends in
`process`.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import cast

import anyio
from acp import PROTOCOL_VERSION, RequestError, text_block
from acp.client.connection import ClientSideConnection
from acp.interfaces import Client
from acp.schema import (
    Implementation,
    NewSessionResponse,
    PromptResponse,
    SessionConfigOptionSelect,
    SessionConfigSelectGroup,
)
from pydantic import ValidationError

from bug_lsp import __version__
from bug_lsp.agents.base import Answer, Emit, Job
from bug_lsp.domain.errors import AgentFailure, FailureKind

from .client import AcpClient
from .failures import failure, failure_of_error, failure_of_stop
from .log import Log
from .policy import preferred_mode
from .presets import AcpAgent
from .process import AgentProcess, agent_process

_READY_SECONDS = 120.0
"""Until an agent has said hello and opened a session; some set up a database first."""
_CANCEL_SECONDS = 2.0
_MAX_ENCOURAGED = 5
_GO_ON = "{refused}. Nobody can be asked about it. Go on without it, then give your answer."


class Acp:
    """An agent type that speaks ACP."""

    def __init__(self, agent: AcpAgent, *, ready_seconds: float = _READY_SECONDS) -> None:
        self._agent = agent
        self._ready_seconds = ready_seconds

    async def run(self, job: Job, emit: Emit) -> Answer:
        """Do the job in one new session of a new process."""
        agent = self._agent
        log = Log(agent, emit)
        client = AcpClient(job, emit, log)
        async with agent_process(
            agent,
            agent.command_line(job.model, None if job.cwd == job.copy else job.copy),
            cast("Client", client),  # what it leaves out, the library answers with "not found"
            log,
            cwd=job.cwd,
            env={**os.environ, **agent.environment(read_only=job.read_only), **job.env},
            confine=job.confine,
        ) as process:
            return await process.run(lambda: self._work(process, client, job))

    async def _work(self, process: AgentProcess, client: AcpClient, job: Job) -> Answer:
        try:
            session = await self._open(process.connection, job)
            return await self._converse(process.connection, session, client, job)
        except RequestError as error:
            raise failure_of_error(self._agent, error.code, str(error), error.data) from error
        except ValidationError as error:
            raise failure(
                self._agent,
                FailureKind.INTERNAL,
                f"it does not keep to the protocol: {error.title}",
            ) from error

    async def _open(self, connection: ClientSideConnection, job: Job) -> str:
        """Say hello and open a session, in the mode and with the model that are wanted."""
        with anyio.move_on_after(self._ready_seconds) as limit:
            hello = await connection.initialize(
                protocol_version=PROTOCOL_VERSION,
                client_info=Implementation(name="bug-lsp", version=__version__),
            )
            if hello.protocol_version != PROTOCOL_VERSION:
                raise failure(
                    self._agent,
                    FailureKind.INTERNAL,
                    f"it speaks version {hello.protocol_version} of ACP, not {PROTOCOL_VERSION}",
                )
            session = await connection.new_session(cwd=str(job.cwd), mcp_servers=[])
            await _choose_mode(connection, session, read_only=job.read_only)
            if job.model and not self._agent.model_option:
                await self._choose_model(connection, session, job.model)
        if limit.cancelled_caught:
            raise AgentFailure(
                FailureKind.TIMEOUT,
                f"{self._agent.name} was not ready within {self._ready_seconds:g} s:"
                f" run `{self._agent.command[0]}` by hand to see what it waits for",
            )
        return session.session_id

    async def _choose_model(
        self, connection: ClientSideConnection, session: NewSessionResponse, model: str
    ) -> None:
        option = _option(session, "model")
        offered = _values(option) if option else []
        if option is None or model not in offered:
            named = f"; it offers {', '.join(offered)}" if offered else ""
            raise AgentFailure(
                FailureKind.NOT_APPLICABLE,
                f"{self._agent.name} does not offer the model {model!r}{named}",
            )
        await connection.set_config_option(
            config_id=option.id, session_id=session.session_id, value=model
        )

    async def _converse(
        self, connection: ClientSideConnection, session_id: str, client: AcpClient, job: Job
    ) -> Answer:
        """Prompt after prompt, until there is nothing more to say."""
        heard = client.heard
        prompt: str | None = job.prompt
        encouraged = 0
        while prompt is not None:
            with client.turn(session_id):
                ended = await _prompt(connection, client, session_id, prompt)
            for event in heard.ended(ended):
                client.emit(event)
            # Some end their turn where they are refused something, as if a person would go on.
            if client.refused and encouraged < _MAX_ENCOURAGED:
                encouraged += 1
                prompt = _GO_ON.format(refused=client.refused)
                continue
            failed = failure_of_stop(self._agent, ended.stop_reason)
            if failed is not None:
                raise failed
            if not heard.answer.strip():
                raise AgentFailure(
                    FailureKind.EMPTY_OUTPUT,
                    f"{self._agent.name} ended without an answer: run it again or choose another"
                    " model",
                )
            prompt = job.follow_up(heard.answer)
        return Answer(heard.answer, heard.usage)


async def _prompt(
    connection: ClientSideConnection, client: AcpClient, session_id: str, prompt: str
) -> PromptResponse:
    """One prompt, to its end. One that is left before its end is cancelled, and the agent is given
    a moment to end what it has started.
    """
    # A task of its own, not cancelled with us: its answer is how the agent says that it is done.
    asked = asyncio.ensure_future(
        connection.prompt(session_id=session_id, prompt=[text_block(prompt)])
    )
    asked.add_done_callback(lambda task: task.cancelled() or task.exception())  # heard, if by none
    try:
        return await asyncio.shield(asked)
    except anyio.get_cancelled_exc_class():
        client.cancelled = True
        with anyio.move_on_after(_CANCEL_SECONDS, shield=True), suppress(Exception):
            await connection.cancel(session_id=session_id)
            await asyncio.wait({asked})
        raise
    finally:
        asked.cancel()


async def _choose_mode(
    connection: ClientSideConnection, session: NewSessionResponse, *, read_only: bool
) -> None:
    """Work in a mode in which the agent asks, or in one in which it changes nothing.

    Modes are offered in one of two ways; the options are the newer one.
    """
    option = _option(session, "mode")
    if option is not None:
        mode = preferred_mode(_values(option), read_only=read_only)
        if mode is not None and mode != option.current_value:
            await connection.set_config_option(
                config_id=option.id, session_id=session.session_id, value=mode
            )
    elif session.modes is not None:
        mode = preferred_mode(
            [mode.id for mode in session.modes.available_modes], read_only=read_only
        )
        if mode is not None and mode != session.modes.current_mode_id:
            await connection.set_session_mode(session_id=session.session_id, mode_id=mode)


def _option(session: NewSessionResponse, category: str) -> SessionConfigOptionSelect | None:
    """What can be chosen of this category."""
    return next(
        (
            option
            for option in session.config_options or ()
            if isinstance(option, SessionConfigOptionSelect) and option.category == category
        ),
        None,
    )


def _values(option: SessionConfigOptionSelect) -> list[str]:
    return [
        choice.value
        for entry in option.options
        for choice in (entry.options if isinstance(entry, SessionConfigSelectGroup) else (entry,))
    ]
