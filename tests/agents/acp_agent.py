"""A small ACP agent, made with the official library, that behaves as it is told to: badly.

Started as `python acp_agent.py BEHAVIOUR [ARGUMENT]`.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import acp
from acp.schema import (
    AgentMessageChunk,
    AllowedOutcome,
    Cost,
    InitializeResponse,
    NewSessionResponse,
    PermissionOption,
    PromptResponse,
    SessionMode,
    SessionModeState,
    SetSessionModeResponse,
    TextContentBlock,
    ToolCallProgress,
    ToolCallStart,
    ToolCallUpdate,
    Usage,
    UsageUpdate,
)

BEHAVIOUR = sys.argv[1]
ARGUMENT = sys.argv[2] if len(sys.argv) > 2 else ""
ONCE = PermissionOption(option_id="once", name="Allow", kind="allow_once")
ALWAYS = PermissionOption(option_id="always", name="Always", kind="allow_always")
NEVER = PermissionOption(option_id="no", name="Reject", kind="reject_once")


class Agent:
    client: Any
    mode = "default"

    def __init__(self) -> None:
        self.prompts: list[str] = []

    def on_connect(self, client: Any) -> None:
        self.client = client

    async def initialize(self, protocol_version: int, **_rest: Any) -> InitializeResponse:
        if BEHAVIOUR == "newer":
            return InitializeResponse(protocol_version=2)
        return InitializeResponse(protocol_version=protocol_version)

    async def new_session(self, cwd: str, **_rest: Any) -> NewSessionResponse:
        if BEHAVIOUR == "locked":
            raise acp.RequestError.auth_required({"details": "no account"})
        if BEHAVIOUR == "waits":
            await asyncio.Event().wait()
        modes = [SessionMode(id=name, name=name) for name in ("yolo", "default", "plan")]
        return NewSessionResponse(
            session_id="s",
            modes=SessionModeState(current_mode_id="yolo", available_modes=modes),
        )

    async def set_session_mode(self, mode_id: str, **_rest: Any) -> SetSessionModeResponse:
        self.mode = mode_id
        await self.say(f"mode is {mode_id} now")
        return SetSessionModeResponse()

    async def cancel(self, **_rest: Any) -> None:
        if BEHAVIOUR == "obeys":
            Path(ARGUMENT).write_text("cancelled")
            self.client.going.set()

    async def prompt(self, session_id: str, prompt: list[Any], **_rest: Any) -> PromptResponse:
        self.prompts.append(prompt[0].text)
        return await getattr(self, BEHAVIOUR)()

    async def say(self, text: str, **more: Any) -> None:
        content = TextContentBlock(type="text", text=text)
        chunk = AgentMessageChunk(session_update="agent_message_chunk", content=content, **more)
        await self.client.session_update(session_id="s", update=chunk)

    async def ask(self, tool: ToolCallUpdate, *options: PermissionOption) -> str:
        answer = await self.client.request_permission(
            session_id="s", tool_call=tool, options=list(options or (ALWAYS, ONCE, NEVER))
        )
        outcome = answer.outcome
        return outcome.option_id if isinstance(outcome, AllowedOutcome) else outcome.outcome

    async def modes(self) -> PromptResponse:
        await self.say(f"I am in {self.mode}.")
        return done()

    async def asks(self) -> PromptResponse:
        """Asks for everything that is interesting, and says what it was told."""
        cwd = Path.cwd()
        told = {
            "write inside": await self.ask(tool("1", "edit", f"{cwd}/new/file.py")),
            "write outside": await self.ask(tool("2", "edit", ARGUMENT)),
            "dots": await self.ask(tool("3", "edit", f"{cwd}/../../x")),
            "link": await self.ask(tool("4", "edit", f"{cwd}/link/x")),
            "argument": await self.ask(
                ToolCallUpdate(tool_call_id="5", kind="other", raw_input={"file_path": ARGUMENT})
            ),
            "shell": await self.ask(
                ToolCallUpdate(tool_call_id="6", kind="execute", raw_input={"command": "ls /"})
            ),
            "read": await self.ask(tool("7", "read", f"{cwd}/a.py")),
            "only always": await self.ask(tool("8", "edit", f"{cwd}/a.py"), ALWAYS, NEVER),
            "mode": await self.ask(ToolCallUpdate(tool_call_id="9", kind="switch_mode")),
            "no way to refuse": await self.ask(tool("10", "edit", ARGUMENT), ONCE),
        }
        await self.say("\n".join(f"{name}: {answer}" for name, answer in told.items()))
        return done()

    async def talks(self) -> PromptResponse:
        """Ends its first turn when a file is there; says what it was told in each."""
        if len(self.prompts) == 1:
            await self.say("Waiting.")
            while not Path(ARGUMENT).exists():
                await asyncio.sleep(0.02)
        await self.say(f"Turn {len(self.prompts)}: {self.prompts[-1]}", message_id="answer")
        return done()

    async def sulks(self) -> PromptResponse:
        """Ends its turn where it is refused something."""
        self.turns = getattr(self, "turns", 0) + 1
        await self.say("I will write it.")
        if self.turns <= int(ARGUMENT):
            await self.ask(tool(str(self.turns), "edit", "/outside"))
            return done()
        await self.say("It is line 2.", message_id="last")
        return done()

    async def updates(self) -> PromptResponse:
        """Never announces a tool, only how it ended."""
        for call_id, status in (("a", "completed"), ("b", "failed"), ("a", "completed")):
            update = ToolCallProgress(
                session_update="tool_call_update",
                tool_call_id=call_id,
                kind="execute",
                status=status,
                title=f"make {call_id}",
                raw_output={"output": f"made {call_id}"},
            )
            await self.client.session_update(session_id="s", update=update)
        await self.say("Made.")
        return done()

    async def helpers(self) -> PromptResponse:
        """Speaks in pieces, in several messages, and has a helper with a session of its own."""
        await self.say("First ", message_id="1")
        await self.say("message.", message_id="1")
        content = TextContentBlock(type="text", text="I am the helper.")
        chunk = AgentMessageChunk(session_update="agent_message_chunk", content=content)
        await self.client.session_update(session_id="another", update=chunk)
        await self.say("Second message.", message_id="2")
        return done()

    async def counts(self) -> PromptResponse:
        cost = Cost(amount=0.25, currency="USD")
        update = UsageUpdate(session_update="usage_update", used=700, size=9000, cost=cost)
        await self.client.session_update(session_id="s", update=update)
        await self.say("Counted.")
        usage = Usage(
            input_tokens=1000, output_tokens=50, total_tokens=1350, cached_read_tokens=300
        )
        return PromptResponse(stop_reason="end_turn", usage=usage)

    async def floods(self) -> PromptResponse:
        await self.say("x" * 20_000_000)
        return done()

    async def endless(self) -> PromptResponse:
        """A line that is longer than anybody should take."""
        os.set_blocking(1, True)
        block = b"x" * 2**20
        while True:
            await asyncio.to_thread(os.write, 1, block)

    async def babbles(self) -> PromptResponse:
        """What is no message, and messages that nobody knows, between those that are."""
        for line in (b"hello\n", b"{}\n", b'{"method": "x"}\n', UNKNOWN_UPDATE, b"\n"):
            os.write(1, line)
        await self.say("All the same.")
        return done()

    async def dies(self) -> PromptResponse:
        await self.say("I am about to")
        sys.stderr.write("it was too much\n")
        sys.stderr.flush()
        os.kill(os.getpid(), signal.SIGKILL)
        return done()

    async def leaves(self) -> PromptResponse:
        """Ends while a child holds its pipes."""
        child = await asyncio.create_subprocess_exec("sleep", "600", stdin=1)
        Path(ARGUMENT).write_text(str(child.pid))
        os._exit(3)

    async def closes(self) -> PromptResponse:
        os.close(1)
        await asyncio.Event().wait()
        return done()

    async def deaf(self) -> PromptResponse:
        """Neither a word nor a signal stops it."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        await self.say("Try.")
        await asyncio.Event().wait()
        return done()

    async def obeys(self) -> PromptResponse:
        self.client.going = asyncio.Event()
        await self.say("Waiting.")
        await self.client.going.wait()
        return PromptResponse(stop_reason="cancelled")

    async def vain(self) -> PromptResponse:
        """Tries again for ever, as some do with a login that is refused."""
        attempt = 0
        while True:
            attempt += 1
            sys.stderr.write(f"Attempt {attempt} failed with status 401. Retrying ...\n")
            sys.stderr.flush()
            await asyncio.sleep(0.01)

    async def stops(self) -> PromptResponse:
        await self.say("I would rather not.")
        return PromptResponse(stop_reason=ARGUMENT)

    async def fails(self) -> PromptResponse:
        raise acp.RequestError(int(ARGUMENT), "the service says no", {"details": "really"})


UNKNOWN_UPDATE = (
    b'{"jsonrpc": "2.0", "method": "session/update", "params": {"sessionId": "s",'
    b' "update": {"sessionUpdate": "of_the_future"}}}\n'
)


def tool(call_id: str, kind: str, path: str) -> ToolCallUpdate:
    start = ToolCallStart.model_validate(
        {
            "sessionUpdate": "tool_call",
            "toolCallId": call_id,
            "title": Path(path).name,
            "kind": kind,
            "locations": [{"path": path}],
        }
    )
    return ToolCallUpdate(**start.model_dump(exclude={"session_update"}))


def done() -> PromptResponse:
    return PromptResponse(stop_reason="end_turn")


if __name__ == "__main__":
    asyncio.run(acp.run_agent(Agent()))  # type: ignore[arg-type]
