"""Any program as an agent: the prompt on its standard input, its answer on standard output, exit
status 0 for success.

What it prints is passed on as it is and never read as anything but text. Its work ends with the
program itself, never with the end of its output: whoever inherited that may hold it for ever.
"""

from __future__ import annotations

import codecs
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import anyio

from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Text

from .base import Answer, Emit, Job
from .program import (
    Sink,
    exit_status,
    find_program,
    how_it_ended,
    pipe,
    pump,
    start_failures,
    stop,
    to_our_stderr,
)
from .text import Ends, last_line

__all__ = ["Command", "Ends"]

_KEEP = 650_000
"""Bytes kept of the answer's head, and at least of its tail; at most three times that in all."""
_STDERR_TAIL = 2_000
_MAX_DETAIL = 300
_DRAIN_SECONDS = 1.0


class Command:
    """The agent type `command`."""

    async def run(self, job: Job, emit: Emit) -> Answer:
        """Run the program; once more for each follow-up, with all that was said before."""
        prompt = job.prompt
        while True:
            answer = await _run(job, prompt, emit)
            more = job.follow_up(answer)
            if more is None:
                return Answer(answer)
            emit(Text(text="\n\n"))
            prompt = (
                f"{prompt}\n\n# Your answer so far\n\n{answer}\n\n# What to do next\n\n{more}\n"
            )


@dataclass(frozen=True, slots=True)
class _Ended:
    status: int
    answer: str
    stderr: str


async def _run(job: Job, prompt: str, emit: Emit) -> str:
    """One run of the program, as its answer or its failure."""
    if not job.command:
        raise AgentFailure(FailureKind.NOT_INSTALLED, "No program is set: give its `command`")
    name = Path(job.command[0]).name
    with start_failures(name, job.cwd, "install it or correct its `command`"):
        ended = await _run_program(job, prompt, emit)
    if ended.status != 0:
        last = last_line(ended.stderr, _MAX_DETAIL)
        how = how_it_ended(ended.status)
        raise AgentFailure(FailureKind.CRASHED, f"{name} {how}" + (f": {last}" if last else ""))
    if not ended.answer.strip():
        raise AgentFailure(
            FailureKind.EMPTY_OUTPUT, f"{name} printed no answer on its standard output"
        )
    return ended.answer


async def _run_program(job: Job, prompt: str, emit: Emit) -> _Ended:
    answer, stderr = Ends(_KEEP), bytearray()
    decoder = codecs.getincrementaldecoder("utf-8")(errors="replace")

    def hear(data: bytes) -> None:
        answer.add(data)
        if text := _readable(decoder.decode(data, final=not data)):
            emit(Text(text=text))

    def note(data: bytes) -> None:
        to_our_stderr(data)
        stderr.extend(data)
        del stderr[:-_STDERR_TAIL]

    status = await _follow(job, prompt, hear, note)
    hear(b"")
    return _Ended(status, answer.text(), stderr.decode(errors="replace"))


async def _follow(job: Job, prompt: str, on_stdout: Sink, on_stderr: Sink) -> int:
    """Start the program, pass its output on, and return its exit status.

    Standard input is a file: it cannot break, nor fill up, where the program does not read its
    prompt.
    """
    with pipe() as (out, out_end), pipe() as (err, err_end), tempfile.TemporaryFile() as stdin:
        stdin.write(prompt.encode(errors="replace"))
        stdin.seek(0)
        env = {**os.environ, **job.env}
        process = await anyio.open_process(
            [*job.confine, *find_program(job.command, job.cwd, env)],
            stdin=stdin,
            stdout=out_end,
            stderr=err_end,
            cwd=job.cwd,
            env=env,
        )
        out_end.close()
        err_end.close()
        try:
            async with anyio.create_task_group() as pumps:
                pumps.start_soon(pump, out, on_stdout)
                pumps.start_soon(pump, err, on_stderr)
                status = await process.wait()
                pumps.cancel_scope.deadline = anyio.current_time() + _DRAIN_SECONDS
        finally:
            await stop(process, confined=bool(job.confine))
        return exit_status(status, confined=bool(job.confine))


def _readable(text: str) -> str:
    return text.replace("\0", "\ufffd")
