"""The orchestrator's prompt from a hundred sessions, each of which has written 100 MB."""

from __future__ import annotations

import os
import time
from pathlib import Path

from bug_lsp.domain.budget import HEAD_KEPT, TAIL_KEPT
from bug_lsp.domain.ids import new_session_id
from bug_lsp.domain.run import Run
from bug_lsp.session.prompts import orchestrator_prompt
from bug_lsp.store import files, runs
from bug_lsp.store.layout import RunFolder
from tests.support.runs import FINDS, start

from .rows import Row, milliseconds
from .stage import stage
from .waiting import finished

_SESSIONS = 100
_EACH = 100_000_000


def rows(*, quick: bool = False) -> list[Row]:
    """All of it."""
    with stage() as workspace:
        done = start(workspace, FINDS)
        finished(done.folder)
        run = _grown(done.folder)
        prompts = [_prompt(done.folder, run) for _ in range(3 if quick else 20)]
    told = f"The prompt from {_SESSIONS} sessions of {_EACH // 1_000_000} MB"
    return [
        Row.of(told, milliseconds(prompts[1:]), 50, limit=50),
        Row("→ the first one of a process, which reads the templates", prompts[0] * 1000, None),
    ]


def _grown(folder: RunFolder) -> Run:
    """The run with so many sessions that have said so much: what the disk holds of them is holes,
    but for what is to be read.
    """
    run = runs.load(folder)
    [first] = run.roster
    ended = runs.result(folder.session(first.session_id))
    assert ended is not None
    roster = [first.model_copy(update={"session_id": new_session_id()}) for _ in range(_SESSIONS)]
    said = "what an agent says, again and again; "
    for spec in roster:
        session = folder.session(spec.session_id)
        files.make_private(session.path)
        result = ended.model_copy(
            update={
                "session_id": spec.session_id,
                "head": (said * HEAD_KEPT)[:HEAD_KEPT],
                "tail": (said * TAIL_KEPT)[:TAIL_KEPT],
                "output_chars": _EACH,
            }
        )
        files.replace(session.spec, spec.to_json())
        files.replace(session.result, result.to_json())
        for path in (session.output, session.events):
            _hollow(path)
    return run.model_copy(update={"roster": tuple(roster)})


def _hollow(path: Path) -> None:
    path.touch()
    os.truncate(path, _EACH)


def _prompt(folder: RunFolder, run: Run) -> float:
    began = time.perf_counter()
    debug = [runs.facts(folder.session(spec.session_id)) for spec in run.roster]
    text = orchestrator_prompt(run, f"# {run.title}\n", debug, folder)
    seconds = time.perf_counter() - began
    assert all(spec.session_id in text for spec in run.roster)
    return seconds
