"""Claude, through the official `claude-agent-sdk`: a process of its own, one conversation, one turn
after the other.

The user's own login and settings apply; the folder, the tools and what they may do are ours. It
never asks anybody, keeps no session on disk, and its output is never read as text. What a message
means is in `events`, what an error means in `failures`, what it may do in
`policy`, which program is run in `install`.
"""

from __future__ import annotations

import asyncio
import shlex
import sys
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.abc
import anyio.lowlevel
import anyio.to_thread

from bug_lsp.agents.base import Answer, Emit, Job
from bug_lsp.agents.text import last_line
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Error

from .failures import crashed, failure_of_exception, failure_of_result
from .install import ClaudeBinary, claude_availability, claude_binary
from .policy import DEBUG, READ_ONLY, refusal
from .speech import Speech

if TYPE_CHECKING:
    from claude_agent_sdk import ClaudeAgentOptions, ClaudeSDKClient, HookCallback, Message
    from claude_agent_sdk.types import HookContext, HookInput, HookJSONOutput

    from .events import Translation

__all__ = ["Claude", "ClaudeBinary", "claude_availability", "claude_binary"]

_LONGEST_MESSAGE = 64 * 2**20
"""Claude puts a whole answer and a whole tool output on one line."""
_MAX_STDERR = 2_000
_MAX_DETAIL = 300
_INTERRUPT_SECONDS = 1.5
_EXIT_SECONDS = 1.0
_TERMINATE_SECONDS = 1.0
_LOOK_AGAIN = 0.02
_ENVIRONMENT = {
    "CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1",  # a turn that has ended leaves nothing running
    "DISABLE_AUTOUPDATER": "1",  # not behind the user's back, in the middle of a run
}


class Claude:
    """The agent type `claude`."""

    async def run(self, job: Job, emit: Emit) -> Answer:
        """Do the job in one new conversation with a new `claude`."""
        # Not abandoned by a cancel: what is asked would be left running. It has 5 s at most.
        binary = await anyio.to_thread.run_sync(claude_binary, job.env)
        from claude_agent_sdk import ClaudeSDKClient

        from .events import Translation

        stderr = _Stderr()
        program = _confined(binary.path, job) if job.confine else binary.path
        client = ClaudeSDKClient(_options(program, job, emit, stderr))
        heard = Translation(job.cwd, job.copy)
        try:
            await _connect(client, stderr)
            text = await _converse(client, job, heard, emit, stderr)
        finally:
            status = await _close(client)
        if status:
            raise crashed(f"exit code {status} after its answer")
        return Answer(text, heard.usage)


class _Stderr:
    """Passes on what Claude says about itself to where we say such things, and keeps the end."""

    def __init__(self) -> None:
        self.tail = ""

    def __call__(self, line: str) -> None:
        self.tail = f"{self.tail}\n{line}"[-_MAX_STDERR:]
        with suppress(AttributeError, OSError, ValueError):  # there may be none, or it is closed
            sys.stderr.write(f"{line}\n")


def _confined(program: Path, job: Job) -> Path:
    """A program that runs Claude inside its bounds: the SDK takes a program, not a command line."""
    script = job.scratch / "claude"
    command = shlex.join([*job.confine, str(program)])
    script.write_text(f'#!/bin/sh\nexec {command} "$@"\n', encoding="utf-8")
    script.chmod(0o700)
    return script


def _options(program: Path, job: Job, emit: Emit, stderr: _Stderr) -> ClaudeAgentOptions:
    from claude_agent_sdk import ClaudeAgentOptions, HookMatcher

    profile = READ_ONLY if job.read_only else DEBUG
    # "block": a guard that fails stops the call. Claude waits for it, nobody else is asked.
    guard = HookMatcher(hooks=[_guard(job, emit)], on_failure="block")
    return ClaudeAgentOptions(
        cli_path=program,
        cwd=job.cwd,
        add_dirs=[job.copy],
        env={**_ENVIRONMENT, "CLAUDE_CODE_TMPDIR": str(job.scratch), **job.env},
        model=job.model,
        system_prompt={"type": "preset", "preset": "claude_code"},
        permission_mode=profile.mode,
        tools=list(profile.tools),
        allowed_tools=list(profile.allowed),
        hooks={"PreToolUse": [guard]},
        # Not the project's: its settings may name hooks and helpers to run and allow any tool, and
        # the project is whatever was cloned. Its CLAUDE.md comes only with them.
        setting_sources=["user"],
        strict_mcp_config=True,  # no MCP server at all: no tool of theirs is among ours
        # The prompt quotes what others wrote: `@/etc/passwd` in it must stay these characters.
        verbatim_prompts=True,
        include_partial_messages=True,
        max_buffer_size=_LONGEST_MESSAGE,
        stderr=stderr,
        # The second: it says when it has taken in what the user says meanwhile.
        extra_args={"no-session-persistence": None, "replay-user-messages": None},
    )


def _guard(job: Job, emit: Emit) -> HookCallback:
    """Our say on every call of a tool."""

    async def guard(call: HookInput, _id: str | None, _context: HookContext) -> HookJSONOutput:
        asked = cast("dict[str, Any]", call)
        reason = refusal(
            asked["tool_name"],
            asked["tool_input"],
            cwd=Path(asked["cwd"]),
            copy=job.copy,
            read_only=job.read_only,
        )
        if reason is None:
            return {}
        emit(Error(message=reason))
        return {
            "hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "permissionDecision": "deny",
                "permissionDecisionReason": reason,
            }
        }

    return guard


async def _connect(client: ClaudeSDKClient, stderr: _Stderr) -> None:
    """Start it and say hello. A cancellation ends the process, and with it the waiting for it."""
    failures: list[Exception] = []
    over = anyio.Event()
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(_end_if_cancelled, client, over)
        # Shielded, so that no cancellation falls between its start and the moment it is known.
        with anyio.CancelScope(shield=True):
            try:
                await client.connect()
            except Exception as error:  # noqa: BLE001 - the SDK's own, the system's, and plain ones
                failures.append(error)
            over.set()
    await anyio.lowlevel.checkpoint_if_cancelled()  # then it failed because we have ended it
    if failures:
        raise failure_of_exception(failures[0], stderr.tail) from failures[0]


async def _converse(
    client: ClaudeSDKClient, job: Job, heard: Translation, emit: Emit, stderr: _Stderr
) -> str:
    """Turn after turn, until there is nothing more to say."""
    speech = Speech(client)
    steering = asyncio.create_task(speech.hand_on(job.listen))
    prompt: str | None = job.prompt
    try:
        while True:
            text = await _turn(speech, prompt, heard, emit, stderr)
            # From here to the next turn nothing waits, so nothing is said that is not seen here.
            prompt = None
            if speech.waits:
                continue  # Claude makes a turn of it by itself
            if not text.strip():
                raise AgentFailure(
                    FailureKind.EMPTY_OUTPUT,
                    "Claude ended without an answer: run it again or choose another model",
                )
            prompt = job.follow_up(text)
            if prompt is None:
                return text
    finally:
        steering.cancel()


async def _turn(
    speech: Speech, prompt: str | None, heard: Translation, emit: Emit, stderr: _Stderr
) -> str:
    """Follow one turn to its end. A turn that is left before its end is interrupted.

    Without a prompt it is one that Claude makes of what was said to it meanwhile.
    """
    from claude_agent_sdk import ResultMessage

    from .events import answer

    result: ResultMessage | None = None
    try:
        async with aclosing(_messages(speech.client, prompt, stderr)) as messages:
            async for message in messages:
                speech.taken_in(message)
                for event in heard.events(message):
                    emit(event)
                if heard.hopeless is not None:
                    raise heard.hopeless
                if isinstance(message, ResultMessage):
                    result = message
    finally:
        if result is None:
            await _interrupt(speech.client)
    if result is None:
        raise crashed(last_line(stderr.tail, _MAX_DETAIL))
    failure = failure_of_result(result, heard.error_word, spent=heard.spent)
    if failure is not None:
        raise failure
    return answer(result)


async def _messages(
    client: ClaudeSDKClient, prompt: str | None, stderr: _Stderr
) -> AsyncGenerator[Message, None]:
    """What Claude says in one turn. Whatever goes wrong in the SDK comes out as our failure."""
    try:
        if prompt is not None:
            await client.query(prompt)
        async with aclosing(_generator(client.receive_response())) as messages:
            async for message in messages:
                yield message
    except Exception as error:  # the SDK's own, the system's, and those of a strange answer
        raise failure_of_exception(error, stderr.tail) from error


def _generator(messages: AsyncIterator[Message]) -> AsyncGenerator[Message, None]:
    """What the SDK calls an iterator is a generator, which wants to be closed."""
    return cast("AsyncGenerator[Message, None]", messages)


async def _interrupt(client: ClaudeSDKClient) -> None:
    """Have Claude end its turn, and the tools that it runs."""
    process = _process(client)
    if process is not None and process.returncode is not None:
        return
    with anyio.move_on_after(_INTERRUPT_SECONDS, shield=True), suppress(Exception):
        async with anyio.create_task_group() as tasks:
            # The answer is not seen before what was said in the meantime has been taken.
            tasks.start_soon(_take_all, client)
            await client.interrupt()
            tasks.cancel_scope.cancel()


async def _take_all(client: ClaudeSDKClient) -> None:
    async with aclosing(_generator(client.receive_messages())) as messages:
        async for _ in messages:
            pass


async def _close(client: ClaudeSDKClient) -> int | None:
    """End the process, whatever state it is in, in bounded time.

    Its exit status, if it went by itself.
    """
    process = _process(client)
    over, signalled = anyio.Event(), anyio.Event()
    with anyio.CancelScope(shield=True):
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(_end, client, over, signalled, _EXIT_SECONDS)
            with suppress(Exception):
                await client.disconnect()
            over.set()
    return None if process is None or signalled.is_set() else process.returncode


async def _end_if_cancelled(client: ClaudeSDKClient, over: anyio.Event) -> None:
    try:
        await over.wait()
    finally:
        with anyio.CancelScope(shield=True):
            while _process(client) is None and not over.is_set():  # noqa: ASYNC110 - the SDK's
                await anyio.sleep(_LOOK_AGAIN)  # it is being started
            await _end(client, over, anyio.Event(), 0)


async def _end(
    client: ClaudeSDKClient, over: anyio.Event, signalled: anyio.Event, patience: float
) -> None:
    """End a process that does not go by itself. The SDK would wait for 10 seconds and more."""
    process = _process(client)
    if process is None:
        return
    for seconds, signal_it in ((patience, process.terminate), (_TERMINATE_SECONDS, process.kill)):
        with anyio.move_on_after(seconds):
            await over.wait()
        if over.is_set():
            return
        signalled.set()
        with suppress(ProcessLookupError):
            signal_it()


def _process(client: ClaudeSDKClient) -> anyio.abc.Process | None:
    """What the SDK (0.2) keeps private. A later one that looks different is left to its own end."""
    transport = getattr(client, "_transport", None)
    return cast("anyio.abc.Process | None", getattr(transport, "_process", None))
