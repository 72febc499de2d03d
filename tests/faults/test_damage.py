"""Files of the state that were damaged: nothing fails because of them, and nothing else is lost."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bug_lsp.domain.errors import Refused
from bug_lsp.session.delivery import move_on
from bug_lsp.store import runs
from bug_lsp.store.damage import damaged
from tests.support.projects import Project
from tests.support.runs import CONCLUDES, FINDS, Started, start

from .ends import check, look_until_finished

pytestmark = pytest.mark.fault(13)

Times = Callable[[int, int], int]


@pytest.fixture
def ended(project: Project) -> Started:
    """A run that has come to its end."""
    run = start(project.root, FINDS, FINDS, orchestrator=CONCLUDES)
    run.wait_finished()
    return run


def state_files(run: Started) -> list[Path]:
    """Every file of a run that somebody reads again."""
    inside = sorted(run.folder.path.rglob("*"))
    return [
        path
        for path in inside
        if path.is_file() and path.suffix in {".json", ".claim"} and "copy" not in path.parts
    ]


def spoil(path: Path, how: int, chance: random.Random) -> None:
    """Cut it off somewhere, change some bytes, or make something else of it."""
    data = bytearray(path.read_bytes())
    match how % 4:
        case 0:
            path.write_bytes(data[: chance.randrange(len(data))] if data else b"\0")
        case 1:
            for _ in range(8):
                if data:
                    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
            path.write_bytes(data)
        case 2:
            path.write_bytes(json.dumps({"version": 99}).encode())
        case 3:
            path.unlink()
            path.mkdir()


def test_whatever_is_damaged_the_run_is_there_or_named(
    ended: Started, tmp_path: Path, times: Times
) -> None:
    """Of the finished run, and of the same run found unfinished: either way one orchestrator."""
    chance = random.Random(13)
    whole = tmp_path / "whole"
    shutil.copytree(ended.folder.path, whole, ignore=shutil.ignore_patterns("copy"))
    files = state_files(ended)
    for number in range(times(60, 600)):
        path = files[number % len(files)]
        spoil(path, number // len(files), chance)
        marker = ended.folder.workspace.active / ended.folder.run_id
        marker.touch()  # as if somebody still had to look at it
        problem = _look(ended)
        if problem:
            assert path.name in {"run.json", "roster.json"}, problem
            assert ended.folder.run_id in problem
            assert "\n" not in problem
            assert path.exists(), "what cannot be read is never overwritten"
        else:
            status = ended.status
            assert len(ended.orchestrators) == 1
            assert status.all_terminal
            assert runs.shown(ended.folder) == status
        shutil.rmtree(ended.folder.path)
        shutil.copytree(whole, ended.folder.path)
        marker.unlink(missing_ok=True)


def _look(run: Started) -> str:
    """Look until it is finished; or the sentence that says why it cannot be read."""
    try:
        look_until_finished(run)
    except Refused as refused:
        return refused.message
    return ""


def test_a_result_that_is_damaged_is_kept_aside_and_its_session_lost(ended: Started) -> None:
    result = ended.sessions[0].result
    result.write_bytes(b"{")
    (ended.folder.workspace.active / ended.folder.run_id).touch()
    look_until_finished(ended)
    session = ended.status.sessions[0]
    assert session.failure is not None
    assert f"its result cannot be read (it is kept in {damaged(result)})" in session.failure.message
    assert damaged(result).read_bytes() == b"{"
    assert ended.status.sessions[1].status == "completed"


def test_other_runs_are_there_beside_a_damaged_one(ended: Started, project: Project) -> None:
    other = start(project.root, FINDS, FINDS, orchestrator=CONCLUDES).wait_finished()
    ended.folder.run.write_bytes(b"")
    with pytest.raises(Refused, match=ended.folder.run_id):
        move_on(ended.folder)
    check(other)
