"""The built-in agents run tests without the network, and with it where the tests need it."""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bug_lsp.agents.base import Agent, Job
from bug_lsp.agents.bisect.agent import Bisect
from bug_lsp.agents.network import has_own_network
from bug_lsp.agents.python_tests import NEEDS_NETWORK
from bug_lsp.agents.repair.agent import Repair
from bug_lsp.agents.spectrum.agent import Spectrum
from bug_lsp.domain.events import Error
from bug_lsp.session.confinement import confinement

from .small_projects import Outcome, SmallProject, run_agent

GOOD = "def total(prices, discount):\n    result = sum(prices)\n    return result - discount\n"
BROKEN = GOOD.replace("- discount", "+ discount")
CALLS = (
    "import socket\nfrom shop import total\n\n\n"
    "def call():\n    socket.create_connection(('127.0.0.1', {port}), 5).close()\n\n\n"
    "def test_total():\n    call()\n    assert total([1, 2], 1) == 2\n\n\n"
    "def test_nothing():\n    call()\n    assert total([], 0) == 0\n"
)


@pytest.fixture
def port() -> Iterator[int]:
    """That of a service of the user's."""
    with socket.socket() as listens:
        listens.bind(("127.0.0.1", 0))
        listens.listen(1000)
        yield listens.getsockname()[1]


def project_that_calls(tmp_path: Path, port: int) -> SmallProject:
    project = SmallProject(tmp_path)
    project.commit("Begin", {"README.md": "Shop\n"})
    project.commit("Sum prices", {"shop.py": GOOD, "test_shop.py": CALLS.format(port=port)})
    project.commit("Simplify", {"shop.py": BROKEN})
    return project


def cut_off(job: Job, tmp_path: Path) -> Job:
    job.scratch.mkdir()
    found = confinement([tmp_path / "private.git", job.copy, job.scratch]).without_network()
    assert has_own_network(found.prefix)
    return replace(job, confine=found.prefix)


def told(done: Outcome) -> list[str]:
    return [event.message for event in done.events if isinstance(event, Error)]


@pytest.mark.anyio
@pytest.mark.parametrize("agent", [Spectrum(), Repair(), Bisect()], ids=lambda a: type(a).__name__)
async def test_tests_that_need_a_service_of_the_users_find_the_bug(
    tmp_path: Path, port: int, agent: Agent
) -> None:
    project = project_that_calls(tmp_path, port)
    done = await run_agent(agent, cut_off(project.git_job(), tmp_path))
    assert "shop.py:3" in done.places
    assert told(done) == [NEEDS_NETWORK]


@pytest.mark.anyio
async def test_a_command_that_needs_one_tells_bisect_good_from_bad(
    tmp_path: Path, port: int
) -> None:
    project = project_that_calls(tmp_path, port)
    command = f"{sys.executable} -c 'import test_shop; test_shop.test_total()' || exit 1"
    done = await run_agent(Bisect(), cut_off(project.git_job(command), tmp_path))
    assert "shop.py:3" in done.places
    assert told(done) == [NEEDS_NETWORK]


@pytest.mark.anyio
async def test_tests_that_use_no_network_are_run_without_it(tmp_path: Path) -> None:
    project = project_that_calls(tmp_path, 0)
    project.write({"test_shop.py": CALLS.replace("    call()\n", "")})
    done = await run_agent(Spectrum(), cut_off(project.git_job(), tmp_path))
    assert "shop.py:3" in done.places
    assert told(done) == []
