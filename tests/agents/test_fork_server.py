"""Faults of the process that runs the tests: none of them makes anybody wait for ever."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import anyio
import psutil
import pytest

from bug_lsp.agents.python_tests import ForkServer, PythonProject, Reply, Request
from bug_lsp.agents.repair.agent import Repair
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Activity, Event, ToolCall

from .small_projects import SmallProject, run_agent

pytestmark = [pytest.mark.anyio, pytest.mark.timeout(240)]

SHOP = {
    "shop.py": """
        def one():
            return 2
    """,
    "test_shop.py": """
        import time

        import shop

        def test_one():
            assert shop.one() == 1

        def test_long():
            time.sleep(600)
    """,
}
ONE, LONG = "test_shop.py::test_one", "test_shop.py::test_long"


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return SmallProject(tmp_path)


@pytest.fixture(autouse=True)
def nothing_survives():
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    yield
    left = [c for c in psutil.Process().children(recursive=True) if c.pid not in before]
    assert left == []


def server_of(project: SmallProject, **options: float) -> ForkServer:
    project.write(SHOP)
    return ForkServer(PythonProject.of(project.job()), **options)


def processes() -> list[psutil.Process]:
    """The processes of the server, the one that was started first."""
    return [
        child
        for child in psutil.Process().children(recursive=True)
        if child.name().startswith("python") and "runner" in " ".join(child.cmdline())
    ]


def send_to_all(number: int) -> None:
    for process in processes():
        process.send_signal(number)


def kill(which: int) -> None:
    processes()[which].kill()


async def until(condition: Callable[[], bool]) -> None:
    with anyio.fail_after(60):
        while not condition():
            await anyio.sleep(0.02)


async def while_it_waits(server: ForkServer, do: Callable[[], None]) -> Reply:
    """The reply to a request during which something happens to the server."""
    replies = []

    async def ask() -> None:
        replies.append(await server.ask(Request((LONG,), wall_seconds=500, cpu_seconds=500)))

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            group.start_soon(ask)
            await until(lambda: len(processes()) == 3)
            do()
    return replies[0]


@pytest.mark.parametrize("which", [0, 1], ids=["the first process", "the one with the tests"])
async def test_a_killed_server_is_noticed_at_once_and_the_next_request_gets_a_new_one(
    project, which
):
    server = server_of(project)
    async with server.serving():
        began = time.monotonic()
        reply = await while_it_waits(server, lambda: kill(which))

        assert reply.how == "lost"
        assert time.monotonic() - began < 8
        assert (await server.ask(Request((ONE,)))).tests[0].outcome == "failed"


async def test_a_stopped_server_is_given_up_and_the_next_request_gets_a_new_one(project):
    server = server_of(project)
    async with server.serving():
        reply = await while_it_waits(server, lambda: send_to_all(signal.SIGSTOP))

        assert reply.how == "lost"
        assert (await server.ask(Request((ONE,)))).how == "done"


async def test_half_a_line_ends_the_server_and_the_next_request_gets_a_new_one(project):
    server = server_of(project)
    async with server.serving():
        os.write(server._process.hot._writer, b'{"tests": ["')

        assert (await server.ask(Request((ONE,)))).how == "lost"
        assert (await server.ask(Request((ONE,)))).how == "done"


async def test_a_request_that_is_given_up_while_it_is_written_harms_no_other(project):
    server = server_of(project)
    async with server.serving():
        path = project.copy / "shop.py"
        long = path.read_text() + "# long\n" * 400_000
        send_to_all(signal.SIGSTOP)  # so that the pipe is full
        with anyio.move_on_after(1) as scope:
            await server.ask(Request((ONE,), texts={path: long}, originals={path: long}))
        send_to_all(signal.SIGCONT)

        assert scope.cancelled_caught
        assert (await server.ask(Request((ONE,)))).how == "done"
        assert server._restarts == 0


async def test_the_child_of_a_request_that_is_given_up_is_ended(project):
    server = server_of(project)
    async with server.serving(), anyio.create_task_group() as group:
        group.start_soon(server.ask, Request((LONG,), wall_seconds=500, cpu_seconds=500))
        await until(lambda: len(processes()) == 3)
        group.cancel_scope.cancel()
    async with server.serving():
        with anyio.move_on_after(1):
            await server.ask(Request((LONG,), wall_seconds=500, cpu_seconds=500))
        await until(lambda: len(processes()) == 2)


async def test_a_server_that_ends_again_and_again_is_not_started_for_ever(project):
    server = server_of(project)
    async with server.serving():
        for _ in range(3):
            assert (await while_it_waits(server, lambda: send_to_all(signal.SIGKILL))).how == "lost"

        assert server.is_lost
        assert (await server.ask(Request((ONE,)))).how == "lost"


async def test_what_takes_long_to_be_collected_is_named(project):
    project.write({"test_quick.py": "def test_a():\n    pass\n"})
    project.write({"test_slow.py": "import time\n\ntime.sleep(600)\n"})
    server = ForkServer(PythonProject.of(project.job()), start_seconds=4)

    with pytest.raises(AgentFailure) as caught:
        async with server.serving():
            pass

    assert caught.value.kind is FailureKind.TIMEOUT
    assert "test_slow.py took" in caught.value.message
    assert "had not ended" in caught.value.message


BUDGET = 15.0
CART = {
    "cart.py": """
        def total(prices, free_from=100):
            full = sum(prices)
            if full > free_from:
                return full
            return full + 5
    """,
    "test_cart.py": """
        from cart import total

        def test_cheap():
            assert total([10]) == 15

        def test_just_enough():
            assert total([50, 50]) == 100
    """,
}


def at(kind: type[Event], text: str, do: Callable[[], None]) -> Callable[[Event], None]:
    """An `emit` that does something the first time that an event says so."""
    is_done = False

    def emit(event: Event) -> None:
        nonlocal is_done
        told = event.name if isinstance(event, ToolCall) else getattr(event, "text", "")
        if not is_done and isinstance(event, kind) and text in told:
            is_done = True
            do()

    return emit


@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL], ids=["stopped", "killed"])
@pytest.mark.parametrize("when", ["running tests", "trying", "checking"])
async def test_repair_ends_in_time_whatever_becomes_of_its_server(project, number, when):
    project.write(CART)
    job = project.job()
    began = time.monotonic()

    emit = at(Activity, when, lambda: send_to_all(number))
    answer = await Repair(budget_seconds=BUDGET).run(job, emit)

    assert time.monotonic() - began < BUDGET + 5
    if when == "checking" or number == signal.SIGKILL:
        assert "`>` becomes `>=`" in answer.text


async def test_what_passed_is_handed_in_also_if_it_cannot_be_checked(project):
    project.write(CART)
    kill = "import os\n\nif 'trial-' in os.environ['TMPDIR']:\n    os.kill(os.getppid(), 9)\n"
    project.write({"conftest.py": kill})

    done = await run_agent(Repair(budget_seconds=30), project.job())

    assert "`>` becomes `>=`" in done.report.fix
    assert "could not be checked: the process that runs the tests ended" in done.answer.text
    assert "also pass" not in done.report.findings[0].claim
    assert done.report.findings[0].confidence <= 0.6
