"""Codex, through the official `openai-codex` SDK: an app-server of its own, one thread, one turn
after the other.

The user's own login and settings apply; only the folder, the sandbox and the approvals are ours.
It never asks for an approval, never keeps Codex's session on disk and never reads its output as
text. What a notification means is in `events`, what an error means in `failures`, which
program is run in `install`.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import anyio
import anyio.to_thread

from bug_lsp.agents.base import Answer, Emit, Job
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.store.files import lock_now
from bug_lsp.store.layout import program_lock

from .events import Translation
from .failures import failure_of_error, failure_of_exception, failure_of_turn, is_hopeless
from .install import CodexBinary, codex_availability, codex_binary

if TYPE_CHECKING:
    from openai_codex import AsyncCodex, AsyncThread, AsyncTurnHandle
    from openai_codex.models import Notification

__all__ = ["Codex", "CodexBinary", "codex_availability", "codex_binary"]

_INTERRUPT_SECONDS = 2.0
_CLOSE_SECONDS = 4.0
"""The SDK's own close waits 2 s, kills, and then waits up to 1 s for its threads."""
_RELEASE_SECONDS = 1.0
_LOOK_AGAIN = 0.02


class Codex:
    """The agent type `codex`."""

    async def run(self, job: Job, emit: Emit) -> Answer:
        """Do the job on one new thread of a new `codex app-server`."""
        # Not abandoned by a cancel: what is asked would be left running. It has 5 s at most.
        binary = await anyio.to_thread.run_sync(codex_binary, job.env)
        # Not logged in, Codex would keep reconnecting: for minutes, and for ever without a network.
        _, ready, hint = await anyio.to_thread.run_sync(codex_availability, job.env)
        if not ready:
            raise AgentFailure(FailureKind.AUTH, hint)
        from openai_codex import CodexError

        async with _app_server(binary, job) as client:
            try:
                return await _converse(await _start_thread(client, job), job, emit)
            except (CodexError, ConnectionError) as error:
                raise failure_of_exception(error) from error


@asynccontextmanager
async def _app_server(binary: CodexBinary, job: Job) -> AsyncIterator[AsyncCodex]:
    """A `codex app-server` that has said hello; ended on the way out, whatever happens."""
    from openai_codex import AsyncCodex, CodexConfig

    program = str(binary.path) if binary.path else None
    client = AsyncCodex(CodexConfig(codex_bin=program, cwd=str(job.cwd), env=_environment(job)))
    inside = None
    try:
        try:
            async with _one_at_a_time(job):
                inside = await _spawn(client)
                await client.__aenter__()
        except Exception as error:  # the SDK's own, the system's, and those of a strange answer
            raise failure_of_exception(error) from error
        yield client
    finally:
        await _close(client, inside)


def _environment(job: Job) -> dict[str, str]:
    return {"TMPDIR": str(job.scratch), **job.env}


@asynccontextmanager
async def _one_at_a_time(job: Job) -> AsyncIterator[None]:
    """Keep others from starting a Codex in the same home: two that set up its database at once get
    in each other's way and one of them ends ("failed to initialize state runtime").
    """
    variables = {**os.environ, **job.env}
    home = variables.get("CODEX_HOME") or f"{variables.get('HOME')}/.codex"
    path = program_lock("codex", home)
    while (held := lock_now(path)) is None:  # noqa: ASYNC110 - another process has it, not a task
        await anyio.sleep(_LOOK_AGAIN)  # a thread that waits in flock could not be cancelled
    try:
        yield
    finally:
        os.close(held)


async def _start_thread(client: AsyncCodex, job: Job) -> AsyncThread:
    from openai_codex import ApprovalMode, Sandbox

    return await client.thread_start(
        cwd=str(job.cwd),
        model=job.model,
        sandbox=Sandbox.read_only if job.read_only else Sandbox.workspace_write,
        approval_mode=ApprovalMode.deny_all,
        ephemeral=True,
        # The working folder may lie inside the copy, all of which may be written. This replaces
        # the user's own extra roots, one of which might be the very folder that was copied.
        # The system's own temporary folder is everybody's; the session's is named by TMPDIR.
        config={
            "sandbox_workspace_write.writable_roots": [str(job.copy)],
            "sandbox_workspace_write.exclude_slash_tmp": True,
            # A login shell would set PATH anew, and the project's environment would not be on it.
            **({"allow_login_shell": False} if "PATH" in job.env else {}),
        },
    )


async def _converse(thread: AsyncThread, job: Job, emit: Emit) -> Answer:
    """Turn after turn, until there is nothing more to say."""
    heard = Translation(job.cwd, job.copy)
    prompt: str | None = job.prompt
    while prompt is not None:
        heard.begin_turn()
        unsaid: list[str] = []
        await _turn(await thread.turn(prompt), job, heard, emit, unsaid)
        if not heard.answer.strip():
            raise AgentFailure(
                FailureKind.EMPTY_OUTPUT,
                "Codex ended without an answer: run it again or choose another model",
            )
        prompt = "\n\n".join(unsaid) or job.follow_up(heard.answer)
    return Answer(heard.answer, heard.usage)


async def _turn(
    turn: AsyncTurnHandle, job: Job, heard: Translation, emit: Emit, unsaid: list[str]
) -> None:
    """Follow one turn to its end. A turn that is left before its end is interrupted."""
    completed: Mapping[str, Any] = {}
    steering = asyncio.create_task(_steer(turn, job, unsaid))
    stream = cast("AsyncGenerator[Notification, None]", turn.stream())
    try:
        async with aclosing(stream) as notifications:
            async for notification in notifications:
                params = _params(notification.payload)
                for event in heard.events(notification.method, params):
                    emit(event)
                if notification.method == "error" and is_hopeless(params.get("error")):
                    raise failure_of_error(params.get("error"))
                if notification.method == "turn/completed":
                    completed = params
                    break
    finally:
        steering.cancel()
        if not completed:
            with anyio.move_on_after(_INTERRUPT_SECONDS, shield=True), suppress(Exception):
                await turn.interrupt()
    failure = failure_of_turn(completed)
    if failure is not None:
        raise failure


async def _steer(turn: AsyncTurnHandle, job: Job, unsaid: list[str]) -> None:
    """Hand on what the user says, as long as the turn lasts. What the turn did not take stays in
    `unsaid`: it is perhaps said twice, but never lost.
    """
    with suppress(Exception):  # the turn has ended meanwhile: the next one will be told
        while True:
            unsaid.append(await job.listen())
            await turn.steer(unsaid[0])
            unsaid.clear()


def _params(payload: Any) -> Mapping[str, Any]:
    """A notification's parameters as they came over the wire.

    The SDK hands out what its models do not accept, such as an item type of a newer Codex, as
    the raw parameters. With the wire's shape for all of them one mapping does for both.
    """
    if hasattr(payload, "model_dump"):
        dumped: Mapping[str, Any] = payload.model_dump(by_alias=True, mode="json", warnings=False)
        return dumped
    raw = getattr(payload, "params", None)
    return raw if isinstance(raw, dict) else {}


class _Inside(NamedTuple):
    """What `_close` needs and the SDK (0.163) keeps private."""

    process: subprocess.Popen[str]
    fail_all: Callable[[BaseException], None]
    """Wakes every thread of the SDK that waits for a message."""


async def _spawn(client: AsyncCodex) -> _Inside | None:
    """Start the process and nothing more, shielded, so that no cancellation falls between its
    start and the moment it is known to `_close`.

    A later SDK that looks different inside is left to its own start and close.
    """
    outer: Any = getattr(client, "_client", None)
    inner: Any = getattr(outer, "_sync", None)
    if not hasattr(inner, "_proc") or not hasattr(inner, "_router"):
        return None
    with anyio.CancelScope(shield=True):
        await outer.start()
    return _Inside(inner._proc, inner._router.fail_all)  # noqa: SLF001


async def _close(client: AsyncCodex, inside: _Inside | None) -> None:
    """End the process, whatever state it is in, in bounded time."""
    with anyio.move_on_after(_CLOSE_SECONDS, shield=True), suppress(Exception):
        await client.close()
    if inside is not None:
        # A daemon: it hangs where a child of Codex still holds the pipes, until that is killed.
        release = threading.Thread(target=_release, args=inside, daemon=True)
        release.start()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(release.join, _RELEASE_SECONDS)


def _release(process: subprocess.Popen[str], fail_all: Callable[[BaseException], None]) -> None:
    """What the SDK's own close leaves out: reap the process and close our ends of its pipes.

    And wake who still waits for a message. The end of the output does that, but only once: a
    request sent after it waits for ever, and asyncio, at its own end, for the request's thread.
    """
    process.kill()  # nothing happens if it has been reaped
    process.wait()
    fail_all(ConnectionError("closed"))
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            with suppress(OSError):
                pipe.close()
