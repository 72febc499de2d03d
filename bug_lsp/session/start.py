"""Starting a debug run: everything is checked and on disk before the first agent starts."""

from __future__ import annotations

import errno
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bug_lsp.agents import registry
from bug_lsp.domain.context import Context
from bug_lsp.domain.copy_contents import CopyContents
from bug_lsp.domain.errors import BadInput, Refused
from bug_lsp.domain.ids import new_run_id, new_session_id
from bug_lsp.domain.related import related
from bug_lsp.domain.run import AgentChoice, CustomAgent, Kind, LeftOut, Run, Spec
from bug_lsp.domain.settings import Settings
from bug_lsp.domain.task import title_of
from bug_lsp.domain.transcript import clean, one_line
from bug_lsp.store import runs
from bug_lsp.store.guard import check_file_system
from bug_lsp.store.layout import RunFolder, WorkspaceFolder
from bug_lsp.workspace import capture, ignored, task_file

from . import brief, delivery, prompts
from .forget import discard
from .named_files import named_files
from .preflight import NothingToGoBy, Preflight

MAX_AGENTS = 16
_TITLE = 200


@dataclass(frozen=True, slots=True)
class Request:
    """What the user asked for; the names are those of the command's argument."""

    workspace: Path
    title: str | None = None
    task: Path | None = None
    task_text: str | None = None
    """The task file's text where an editor has it open, with what is not saved yet."""
    description: str = ""
    agents: tuple[AgentChoice, ...] | None = None
    context: Context | None = None
    """What the caller pointed at: a new task file is made of it, or it is told beside one."""
    open_texts: Mapping[Path, str] = field(default_factory=dict)
    """The texts of the files that an editor has open, by their real paths."""
    test_command: str | None = None
    python: str | None = None
    """The interpreter, or the environment's folder, that is selected in the editor."""
    orchestrate: Literal["auto", "never"] = "auto"

    def open_text(self, path: Path) -> str | None:
        """The text of a file in the editor, None where it is not open."""
        if path in self.open_texts or not self.open_texts:
            return self.open_texts.get(path)
        try:
            return self.open_texts.get(path.resolve())
        except (OSError, RuntimeError):  # links that lead in a circle
            return None


def start_run(request: Request, settings: Settings) -> RunFolder:
    """Create the run and start its first sessions. Returns when they are on their way; what is
    wrong with the request is said before anything is started or written.
    """
    _check_agents(request.agents, settings)
    workspace = _workspace(request.workspace)
    preflight = Preflight(workspace, request.test_command)
    agents, left_out = _agents(request.agents, settings, preflight)
    _check_python(settings.python, workspace)
    task, text = _task(request, workspace, settings)
    folder = WorkspaceFolder.of(workspace)
    description = clean(request.description)
    title, noted, context = _pointed_at(request, workspace)
    with _undone_on_failure() as undo:
        folder.create()
        check_file_system(folder.path)
        if task is None:
            body = "\n\n".join(filter(None, [description.strip(), noted]))
            task = task_file.create(workspace, settings.tasks_dir, title, body)
            undo.callback(task.unlink, missing_ok=True)
            text = task_file.read(task, "title")
        title = title or one_line(title_of(text) or task.stem, _TITLE)
        run = _run(
            request,
            settings,
            preflight,
            title=title,
            roster=_roster(agents, title),
            workspace=workspace,
            task=task,
            text=text,
        ).model_copy(update={"left_out": left_out})
        undo.callback(capture.release, folder, run.debug_run_id)
        run = run.model_copy(update={"contents": _contents(run, settings)})
        others = task_file.others(task.parent, task)
        prompt = prompts.debug_prompt(
            run,
            text,
            description=description if request.task else "",
            context=context,
            related=related(text, others),
        )
        created = runs.create(folder, run, {spec.session_id: prompt for spec in run.roster})
        try:
            delivery.move_on(created)
        except OSError:
            if not any(created.session(spec.session_id).process.exists() for spec in run.roster):
                discard(created)
                raise
    return created


@contextmanager
def _undone_on_failure() -> Iterator[ExitStack]:
    """What did not start leaves nothing behind; why is said in one sentence."""
    with ExitStack() as undo:
        try:
            yield undo
        except OSError as error:
            raise _disk(error) from error
        undo.pop_all()


def _disk(error: OSError) -> Refused:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Refused("the disk is full; free some space and try again (nothing was started)")
    where = f" ({error.filename})" if error.filename else ""
    return Refused(f"the run could not be written: {error.strerror}{where}; nothing was started")


def _workspace(path: Path) -> Path:
    try:
        real = path.resolve(strict=True)
    except OSError as error:
        raise Refused(f"the workspace {path} does not exist; open a folder that does") from error
    if not real.is_dir():
        raise Refused(f"the workspace {path} is not a folder; open a folder")
    try:
        str(real).encode()
    except UnicodeEncodeError as error:
        raise Refused(
            f"the name of the workspace {str(real)!r} is not UTF-8; rename the folder"
        ) from error
    return real


def _check_agents(asked: tuple[AgentChoice, ...] | None, settings: Settings) -> None:
    """Refuse agents and an orchestrator that there are not, and too few or too many agents."""
    _check_orchestrator(settings)
    if asked is None:
        usual = [AgentChoice(agent_type=name) for name in settings.default_agents]
        check_known(usual, settings.agents, "defaultAgents")
        return
    if not asked:
        raise BadInput("agents", "is empty; name at least one agent or leave it out")
    if len(asked) > MAX_AGENTS:
        raise BadInput("agents", f"has {len(asked)} entries; at most {MAX_AGENTS} can run")
    check_known(asked, settings.agents, "agents")


def _agents(
    asked: tuple[AgentChoice, ...] | None, settings: Settings, preflight: Preflight
) -> tuple[tuple[AgentChoice, ...], tuple[LeftOut, ...]]:
    """Who debugs; and which of the default agents do not, as they certainly could not."""
    custom = settings.agents
    if asked is not None:
        if not any(registry.installed(agent.agent_type, custom) for agent in asked):
            hints = (registry.install_hint(agent.agent_type, custom) for agent in asked)
            raise Refused(f"none of the agents can start: {'; '.join(dict.fromkeys(hints))}")
        return asked, ()
    reasons = {
        name: registry.why_left_out(name, custom) or preflight.why_idle(name, custom)
        for name in settings.default_agents
    }
    chosen = [name for name, reason in reasons.items() if not reason]
    left_out = [LeftOut(agent_type=name, reason=why) for name, why in reasons.items() if why]
    if not chosen:
        told = "; ".join(f"{one.agent_type}: {one.reason}" for one in left_out)
        is_idle = any(registry.is_model_free(one.agent_type, custom) for one in left_out)
        raise (NothingToGoBy if is_idle else Refused)(
            f"none of the agents can work here, so nothing was started: {told}"
        )
    return tuple(AgentChoice(agent_type=name) for name in chosen), tuple(left_out)


def check_known(
    agents: Sequence[AgentChoice], custom: Mapping[str, CustomAgent], field: str
) -> None:
    """Refuse agents that there are not, naming those that there are."""
    choices = registry.known(custom)
    for number, agent in enumerate(agents):
        if agent.agent_type not in choices:
            only = " (it only orchestrates)" if agent.agent_type in registry.ORCHESTRATORS else ""
            raise BadInput(
                f"{field}[{number}].agentType",
                f"there is no agent {agent.agent_type!r}{only}; choose from "
                f"{', '.join(choices)}, or name a program of yours in the setting `agents`",
            )


def _check_orchestrator(settings: Settings) -> None:
    name = settings.orchestrator.agent_type
    choices = (*registry.ORCHESTRATORS, *settings.agents)
    if name not in choices:
        raise BadInput(
            "orchestrator.agentType",
            f"{name!r} cannot orchestrate; choose from {', '.join(choices)}",
        )


def _check_python(setting: str | None, workspace: Path) -> None:
    if setting:
        # Imported here: most have no need of it, and a run starts the sooner.
        from bug_lsp.agents.python_tests.environments import check_python

        check_python(setting, workspace)


def _task(request: Request, workspace: Path, settings: Settings) -> tuple[Path | None, str]:
    if request.task is not None:
        task = task_file.resolve_in_repository(request.task, workspace, "taskUri")
        text = task_file.read(task, "taskUri")
        return task, text if request.task_text is None else request.task_text
    if not (request.title or "").strip() and request.context is None:
        raise BadInput("title", "is missing; give a title or the taskUri of a task file")
    task_file.resolve(workspace / settings.tasks_dir, workspace, "tasksDir")
    return None, ""


def _pointed_at(request: Request, workspace: Path) -> tuple[str, str, Context | None]:
    """(the title, what a new task file says beside the description, what is told beside the file).

    A new task file says all of the context; it is not told twice.
    """
    title = one_line(request.title or "", _TITLE)
    if request.context is None:
        return title, "", None
    if request.task is not None:
        return title, "", brief.complete(request.context, workspace, request.open_text)
    told = brief.told(request.context, workspace, request.open_text)
    title = title or one_line(told.title, _TITLE)
    if not title:
        raise BadInput("title", "is missing, and the context is empty; give one, or select a text")
    return title, told.body, None


def _contents(run: Run, settings: Settings) -> CopyContents:
    """What copies get of the files that git does not track."""
    return ignored.plan(
        Path(run.checkout), settings.worktree_include, untracked=run.base.dependencies
    )


def _roster(agents: tuple[AgentChoice, ...], title: str) -> tuple[Spec, ...]:
    return tuple(
        Spec(
            session_id=new_session_id(),
            kind=Kind.DEBUG,
            agent_type=agent.agent_type,
            model=agent.model,
            title=f"Debug ({number}): {title}",
        )
        for number, agent in enumerate(agents, start=1)
    )


def _run(
    request: Request,
    settings: Settings,
    preflight: Preflight,
    *,
    title: str,
    roster: tuple[Spec, ...],
    workspace: Path,
    task: Path,
    text: str,
) -> Run:
    run_id = new_run_id(time.time_ns() // 1_000_000)
    return Run(
        debug_run_id=run_id,
        created_at=runs.now(),
        title=title,
        task_path=str(task),
        workspace=str(workspace),
        base=capture.capture(WorkspaceFolder.of(workspace), workspace, run_id),
        roster=roster,
        orchestrator=settings.orchestrator,
        orchestrate=request.orchestrate,
        max_parallel_agents=settings.max_parallel_agents,
        session_timeout_seconds=settings.session_timeout_seconds,
        session_silence_seconds=settings.session_silence_seconds,
        straggler_seconds=settings.straggler_seconds,
        built_in_seconds=settings.built_in_seconds,
        session_output_limit_mb=settings.session_output_limit_mb,
        session_disk_limit_mb=settings.session_disk_limit_mb,
        keep_runs=settings.keep_runs,
        limits=settings.run_limits,
        test_command=request.test_command,
        python=settings.python,
        selected_python=request.python,
        tests_near=named_files(text, workspace),
        agents=settings.agents,
        confinement=settings.confinement,
        prove=settings.prove,
        set_up_command=settings.set_up_command,
        suite_command=settings.suite_command,
        tests_need_network=settings.tests_need_network,
        cell_timeout_seconds=settings.cell_timeout_seconds,
        writable_paths=settings.writable_paths,
        preflight=tuple(preflight.lines(settings.python, request.python, text)),
    )
