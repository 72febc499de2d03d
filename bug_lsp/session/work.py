"""What a session process does: drive one agent, record it, finish, move the run on."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
import traceback
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import anyio

from bug_lsp.agents import registry
from bug_lsp.agents.base import Answer, Job
from bug_lsp.domain import evidence
from bug_lsp.domain.budget import SESSION_LIMIT, clip
from bug_lsp.domain.errors import AgentFailure, BugLspError, FailureKind, Refused
from bug_lsp.domain.events import Confined, Copied, Error
from bug_lsp.domain.proof import Proof
from bug_lsp.domain.report import (
    Report,
    Synthesis,
    parse_report,
    parse_synthesis,
    without_last_json_block,
)
from bug_lsp.domain.run import (
    Facts,
    Failure,
    Kind,
    Process,
    Result,
    Run,
    Spec,
    Status,
    materialise_session,
)
from bug_lsp.domain.synthesis import from_answer
from bug_lsp.domain.transcript import clean, outcome, status_line
from bug_lsp.store import files, runs
from bug_lsp.store.copy_environment import copy_environment, make_folders
from bug_lsp.store.layout import RunFolder, SessionFolder
from bug_lsp.store.pokes import poke
from bug_lsp.store.processes import MARKER
from bug_lsp.workspace import fingerprint, task_file

from . import delivery, gate, housekeeping, inbox, prompts, tree
from .block_repair import BlockRepair
from .comparison import comparing
from .confine import confined, ended, not_its_own
from .farewell import farewell
from .guards import guarded, guards_of
from .leave import leave
from .prepare import Prepared, in_the_copy, make_copy, make_copy_to_read
from .prove import check_synthesis, prove
from .recorder import Recorder
from .room import Room
from .settle import finish_failed
from .signals import cancelled_by_signal
from .talk import Talk

_CHANGES_SHOWN = 10


def work(path: Path, began: float) -> None:
    """Be the session process of this folder, to the end. `began`: when it named itself, in seconds
    of the monotonic clock; the other one may be set meanwhile.
    """
    folder = SessionFolder(path)
    try:
        anyio.run(_Session(folder, began).run)
    except Exception:  # noqa: BLE001 - whatever it was, the run must go on
        traceback.print_exc()
        finish_failed(folder, FailureKind.INTERNAL, f"bug-lsp itself failed; see {folder.log}")
    try:
        for left in gate.advance(folder.run):
            delivery.from_session_process(folder.run, left.session_id)
        # What was delivered, or could not be, may have been the last thing that the run waited for.
        gate.advance(folder.run)
        housekeeping.after_run(folder.run)
    except Refused as error:  # deleted meanwhile
        sys.stderr.write(f"{error}\n")


@dataclass
class _Outcome:
    """How the agent ended, before the result is written."""

    status: Status = Status.FAILED
    failure: Failure | None = None
    answer: str = ""
    report: Report | None = None
    synthesis: Synthesis | None = None
    problem: str | None = None


@dataclass
class _Session:
    """One session, from its start to its result."""

    folder: SessionFolder
    began: float
    run_folder: RunFolder = field(init=False)
    asked: Run = field(init=False)
    spec: Spec = field(init=False)
    repair: BlockRepair = field(init=False)
    process: Process = field(init=False)
    room: Room = field(init=False)
    proof: Proof | None = None
    """What was found out about what the debug sessions, or the orchestrator, handed in."""
    prepared: Prepared | None = None
    """Its copy of the code, as soon as it is whole."""
    before: fingerprint.Fingerprint | None = None
    """Files not its own before an agent that nothing confines began."""
    ended_before: tuple[SessionFolder, ...] = ()
    """The other sessions that had ended then."""

    def __post_init__(self) -> None:
        self.run_folder = self.folder.run
        self.asked = runs.load(self.run_folder)
        self.spec = runs.spec(self.folder)
        self.room = Room(self.folder, self.asked, self.spec)
        known = self._evidence_ids() if self.spec.kind is Kind.ORCHESTRATOR else frozenset()
        self.repair = BlockRepair(known, wanted=self.spec.kind is Kind.ORCHESTRATOR)
        process = runs.process(self.folder)
        assert process is not None  # noqa: S101 - written before this module was imported
        self.process = process

    async def run(self) -> None:
        """Drive the agent, then leave nothing behind but its files."""
        marker = tree.marker(self.run_folder.run_id, self.folder.session_id)
        os.environ[MARKER] = marker
        tree.adopt_orphans()
        facts = Facts(spec=self.spec, process=self.process)
        recorder = Recorder(self.folder, facts, self.began, self.room.recorded)
        gate.show(self.run_folder)
        poke(self.run_folder.workspace, self.run_folder.run_id, self.folder.session_id)
        ended = _Outcome()
        async with cancelled_by_signal(self.folder) as told:
            # Looked at when signals are heard: who cancels leaves the file before it signals.
            if self.folder.cancel.exists():
                told.cancel()
            ended = await self._outcome(recorder)
        if told.cancelled_caught or (told.cancel_called and ended.status is not Status.COMPLETED):
            ended = self._told_to_end(ended)
        tree.end(marker, children_of=os.getpid())
        self._finish(recorder, ended)

    async def _outcome(self, recorder: Recorder) -> _Outcome:
        guards = guards_of(self.asked, self.run_folder, recorder, self.spec.kind, self.room)
        try:
            answer = await guarded(lambda: self._drive(recorder), guards)
        except AgentFailure as failure:
            return _failed(failure.kind, failure.message)
        except BugLspError as error:
            return _failed(FailureKind.INTERNAL, error.message)
        except Exception as error:  # noqa: BLE001 - an agent's library may raise anything
            traceback.print_exc()
            return _failed(
                FailureKind.INTERNAL,
                f"{type(error).__name__} in the {self.spec.agent_type} adapter; see agent.log",
            )
        return self._judge(answer)

    async def _drive(self, recorder: Recorder) -> Answer:
        debug = self._debug() if self.spec.kind is not Kind.DEBUG else []
        if self.spec.kind is Kind.PROOF:
            confine = await self._hold(recorder)
            answer, self.proof = await prove(self.asked, self.folder, debug, confine, recorder.emit)
            return answer
        prepared = (
            await make_copy(self.asked, self.folder, recorder.emit)
            if self.spec.kind is Kind.DEBUG
            else await make_copy_to_read(self.asked, self.folder)
        )
        self.prepared = prepared
        custom = self.asked.agents.get(self.spec.agent_type)
        confine = await self._hold(recorder)
        prompt = self._prompt(debug)
        job = Job(
            prompt=prompt,
            task=prompts.about_the_bug(prompt) if self.spec.kind is Kind.DEBUG else "",
            shared=self.run_folder.shared if self.spec.kind is Kind.DEBUG else None,
            beside=tuple(one.agent_type for one in self.asked.standing if one != self.spec),
            cwd=prepared.root / self.asked.base.prefix,
            copy=prepared.root,
            workspace=Path(self.asked.workspace),
            scratch=self.folder.scratch,
            sources=tuple(source.root for source in prepared.sources),
            model=self.spec.model,
            read_only=self.spec.kind is Kind.ORCHESTRATOR,
            test_command=self.asked.test_command,
            python=self.asked.python,
            selected_python=self.asked.selected_python,
            tests_near=self.asked.tests_near,
            budget_seconds=self._budget(),
            command=custom.command if custom else (),
            confine=confine,
            env=custom.env if custom else {},
        )
        if self.spec.kind is Kind.DEBUG:
            job = await self._in_the_copy(job, prepared, recorder)
        agent = registry.create(
            self.spec.agent_type, self.asked.agents, debug, self._known() if debug else None
        )
        async with inbox.opened(self.folder) as messages:
            talk = Talk(messages, self.repair, recorder.emit)
            job = dataclasses.replace(job, listen=talk.listen, follow_up=talk.follow_up)
            sources = prepared.sources
            beside = comparing(self.asked, self.folder, sources, confine, recorder.emit)
            return await guarded(lambda: agent.run(job, recorder.emit), beside)

    async def _in_the_copy(self, job: Job, prepared: Prepared, recorder: Recorder) -> Job:
        """The job such that what the agent runs tests the copy; the session says what it found."""
        own = copy_environment(self._number(), self.folder.scratch)
        await anyio.to_thread.run_sync(make_folders, own, self.folder.scratch)
        job = dataclasses.replace(job, env={**own, **job.env})
        if registry.is_model_free(self.spec.agent_type, self.asked.agents):
            recorder.emit(Copied(notes=(*self.asked.preflight, *prepared.notes)))
            if prepared.problem:
                raise AgentFailure(FailureKind.NOT_APPLICABLE, prepared.problem)
            return job
        told = await anyio.to_thread.run_sync(in_the_copy, job, prepared)
        recorder.emit(Copied(notes=(*self.asked.preflight, *told.notes)))
        prompt = f"{job.prompt.rstrip()}\n\n{prompts.copy_section(told.notes)}"
        return dataclasses.replace(job, prompt=prompt, env={**job.env, **told.environment})

    def _budget(self) -> float | None:
        is_ours = registry.is_model_free(self.spec.agent_type, self.asked.agents)
        return self.asked.built_in_seconds if is_ours else None

    def _number(self) -> int:
        """Which of the run's copies the session has."""
        names = [spec.session_id for spec in self.asked.roster]
        return 1 + names.index(self.spec.session_id)

    async def _hold(self, recorder: Recorder) -> tuple[str, ...]:
        """Hold what the session starts to its folders, or else look at what it must not change."""
        files.make_private(self.folder.scratch)
        held = await anyio.to_thread.run_sync(confined, self.asked, self.folder, self.spec)
        if held is None:
            return ()
        recorder.emit(Confined(by=held.by, problem=held.problem))
        if held.by is None:
            self.ended_before = ended(self.run_folder)
            self.before = await anyio.to_thread.run_sync(self._fingerprint)
        return held.prefix

    def _fingerprint(self) -> fingerprint.Fingerprint:
        return not_its_own(self.asked, self.ended_before)

    def _debug(self) -> list[Facts]:
        ids = self.spec.covers or [one.session_id for one in self.asked.standing]
        return [runs.facts(self.run_folder.session(session_id)) for session_id in ids]

    def _evidence_ids(self) -> frozenset[str]:
        return frozenset(found[0] for found in evidence.ids(self._debug()))

    def _known(self) -> Proof | None:
        return runs.proof_of(self.run_folder, self.spec.covers or ())

    def _prompt(self, debug: list[Facts]) -> str:
        if self.spec.kind is Kind.ORCHESTRATOR and not self.folder.prompt.exists():
            try:
                task = task_file.read(Path(self.asked.task_path), "task file")
            except BugLspError:
                task = f"# {self.asked.title}\n"  # moved or deleted meanwhile: the title is left
            text = prompts.orchestrator_prompt(
                self.asked, task, debug, self.run_folder, self._known()
            )
            files.replace(self.folder.prompt, text.encode())
        return self.folder.prompt.read_text()

    def _judge(self, answer: Answer) -> _Outcome:
        """Success is a clean end with something said; the closing block is read, not trusted."""
        if not answer.text.strip():
            return _failed(FailureKind.EMPTY_OUTPUT, "it ended without an answer")
        ended = _Outcome(status=Status.COMPLETED, answer=answer.text)
        if self.spec.kind is Kind.PROOF:
            return ended
        if self.spec.kind is Kind.DEBUG:
            report = parse_report(answer.text)
            measures = registry.is_model_free(self.spec.agent_type, self.asked.agents)
            if isinstance(report, Report) and not measures:
                report = report.as_stated()
            ended.report = report if isinstance(report, Report) else None
            ended.problem = report if isinstance(report, str) else None
            return ended
        synthesis = parse_synthesis(answer.text)
        ended.problem = synthesis if isinstance(synthesis, str) else None
        ended.synthesis = synthesis if isinstance(synthesis, Synthesis) else None
        if ended.synthesis is None:
            # The first answer is the one for people; the next was asked for the block alone.
            ended.synthesis = from_answer(self.repair.first) or from_answer(answer.text)
        if ended.synthesis is not None:
            self.proof = check_synthesis(self.asked, self.folder, ended.synthesis)
        return ended

    def _told_to_end(self, ended: _Outcome) -> _Outcome:
        if self.folder.cancel.exists():
            return _Outcome(status=Status.CANCELLED, answer=ended.answer)
        return _failed(
            FailureKind.LOST, "its process was told to end by something other than bug-lsp"
        )

    def _finish(self, recorder: Recorder, ended: _Outcome) -> None:
        self._report_changes(recorder)
        recorder.flush()
        brought = self.prepared.brought if self.prepared is not None else ()
        has_patch = self.spec.kind is Kind.DEBUG and registry.edits_code(
            self.spec.agent_type, self.asked.agents
        )
        patch = leave(
            self.folder, self.asked.base, self.spec, self.room, brought, has_patch=has_patch
        )
        seconds = time.monotonic() - self.began
        result = Result(
            session_id=self.folder.session_id,
            status=ended.status,
            failure=ended.failure,
            ended_at=self.process.started_at + timedelta(seconds=round(seconds, 3)),
            message=clip(clean(without_last_json_block(ended.answer)), SESSION_LIMIT),
            report=ended.report,
            report_problem=ended.problem,
            synthesis=ended.synthesis,
            proof=self.proof if ended.status is Status.COMPLETED else None,
            usage=recorder.usage,
            tool_calls=recorder.tool_calls,
            output_chars=recorder.excerpt.total,
            head=recorder.excerpt.head,
            tail=recorder.excerpt.tail,
            patch=patch,
        )
        facts = Facts(spec=self.spec, process=self.process, result=result)
        shown = materialise_session(self.run_folder.run_id, facts)
        said = farewell(self.asked, self.folder, self.spec, outcome(shown))
        recorder.finish(said, status_line(shown, recorder.tool_calls, seconds))
        files.create_once(self.folder.result, result.to_json())
        poke(self.run_folder.workspace, self.run_folder.run_id, self.folder.session_id)

    def _report_changes(self, recorder: Recorder) -> None:
        """Say which other files changed meanwhile: nothing held this agent back."""
        if self.before is None:
            return
        seen = fingerprint.changed(self.before, self._fingerprint())
        task = Path(self.asked.task_path).name
        changed = [name for name in seen if Path(name).name != task]
        if changed:
            shown = ", ".join(changed[:_CHANGES_SHOWN]) + (
                " ..." if changed[_CHANGES_SHOWN:] else ""
            )
            recorder.emit(
                Error(
                    message=f"while this session ran, {_counted(len(changed))} not its own changed "
                    f"(by you, or by this agent, which nothing confines to its copy): {shown}"
                )
            )


def _counted(files: int) -> str:
    """A number of files in words."""
    return "1 file that is" if files == 1 else f"{files} files that are"


def _failed(kind: FailureKind, message: str) -> _Outcome:
    return _Outcome(failure=Failure(kind=kind, message=clean(message)))
