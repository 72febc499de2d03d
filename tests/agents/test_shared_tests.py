"""The built-in agents of one run look at the tests once, the named ones first."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from bug_lsp.agents.base import Job
from bug_lsp.agents.bisect.agent import Bisect
from bug_lsp.agents.python_tests import Plan, PythonProject, measured, reproduce
from bug_lsp.agents.spectrum.agent import Spectrum
from bug_lsp.domain.errors import AgentFailure
from bug_lsp.domain.events import Activity, ToolCall
from bug_lsp.domain.report import Report, parse_report

from .recorder import Recorder
from .small_projects import SmallProject

pytestmark = pytest.mark.anyio

SHOP = """
    def total(prices):
        total = 0
        for price in prices:
            if price > 10:
                total += price - 1
            else:
                total += price
        return total
"""
TESTS = """
    import os
    from shop import total

    with open(os.environ["RUNS"], "a") as runs:
        runs.write("run\\n")

    def test_dear():
        assert total([11]) == 11

    def test_cheap():
        assert total([1, 2]) == 3
"""


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    project = SmallProject(tmp_path)
    project.commit("first", {"shop.py": SHOP.replace(" - 1", ""), "tests/test_shop.py": TESTS})
    project.commit("second", {"shop.py": SHOP})
    return project


def job_of(project: SmallProject, task: str = "") -> Job:
    """A job of a run whose tests write down how often they are imported."""
    job = project.git_job()
    env = {"RUNS": str(project.tmp / "runs")}
    return replace(job, env=env, shared=project.tmp / "shared", task=task)


def imports(project: SmallProject) -> int:
    return (project.tmp / "runs").read_text().count("run")


def plan() -> Plan:
    return Plan(coverage=True)


async def measure(job: Job, said: Recorder, agent: str, a_plan: Plan | None = None) -> str:
    project = PythonProject.of(job)
    found = await measured(job, project, said, agent=agent, plan=a_plan or plan())
    return found.run.counted()


async def test_agents_that_start_together_run_the_tests_once(project):
    job = job_of(project)
    heard = [Recorder(), Recorder(), Recorder()]
    told = []

    async def one(name: str, said: Recorder) -> None:
        told.append(await measure(job, said, name))

    async with anyio.create_task_group() as group:
        for name, said in zip(("spectrum", "repair", "bisect"), heard, strict=True):
            group.start_soon(one, name, said)

    assert told == ["1 failed, 1 passed"] * 3
    assert imports(project) == 1
    waited = [event.text for said in heard for event in said.of(Activity) if "wait" in event.text]
    assert waited == ["waiting for the tests that spectrum runs"] * 2
    calls = [event.detail for said in heard for event in said.of(ToolCall)]
    assert sum("as spectrum has run them" in detail for detail in calls) == 2


async def test_spectrum_and_bisect_give_the_same_answers_with_a_shared_run(project):
    job = job_of(project)
    spectrum = parse_report((await Spectrum().run(job, Recorder())).text)
    bisect = parse_report((await Bisect().run(job, Recorder())).text)

    assert isinstance(spectrum, Report)
    assert isinstance(bisect, Report)
    assert (spectrum.findings[0].path, spectrum.findings[0].line) == ("shop.py", 5)
    assert (bisect.findings[0].path, bisect.findings[0].line) == ("shop.py", 5)


async def test_a_failure_to_run_the_tests_is_shared_too(project):
    project.commit("broken", {"conftest.py": "import os\n\nos.kill(os.getpid(), 9)\n"})
    job = job_of(project)
    with pytest.raises(AgentFailure) as first:
        await measure(job, Recorder(), "spectrum")
    (project.copy / "conftest.py").unlink()

    with pytest.raises(AgentFailure) as second:
        await measure(job, Recorder(), "bisect")

    assert first.value.message == second.value.message


async def test_what_is_asked_with_other_words_is_not_shared(project):
    await measure(job := job_of(project), Recorder(), "spectrum")
    await measure(replace(job, task="`test_dear` fails"), Recorder(), "spectrum")

    assert imports(project) == 3


HOLD = """
import sys
from pathlib import Path
from bug_lsp.store import files
lock = files.lock_now(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


async def test_where_the_one_that_runs_the_tests_dies_another_takes_over(project):
    job, said = job_of(project), Recorder()
    await measure(replace(job, task="other words"), Recorder(), "spectrum")
    (place,) = (job.shared / "tests").iterdir()
    for kept in place.glob("*.json"):
        kept.unlink()
    job = replace(job, task="other words")
    command = [sys.executable, "-c", HOLD, str(place / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        told = []

        async def wait() -> None:
            told.append(await measure(job, said, "repair"))

        async with anyio.create_task_group() as group:
            group.start_soon(wait)
            with anyio.fail_after(60):
                while not said.of(Activity):
                    await anyio.sleep(0.05)
            assert not told
            holder.kill()

    assert told == ["1 failed, 1 passed"]


async def test_who_waits_can_be_cancelled(project):
    job, said = job_of(project), Recorder()
    await measure(job, Recorder(), "spectrum")
    (place,) = (job.shared / "tests").iterdir()
    for kept in place.glob("*.json"):
        kept.unlink()
    command = [sys.executable, "-c", HOLD, str(place / "lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        async with anyio.create_task_group() as group:
            group.start_soon(measure, job, said, "repair")
            with anyio.fail_after(60):
                while not said.of(Activity):
                    await anyio.sleep(0.05)
            group.cancel_scope.cancel()
        holder.kill()

    assert [event.text for event in said.of(Activity)] == [
        "waiting for the tests that spectrum runs"
    ]


async def test_who_needs_no_coverage_goes_on_as_soon_as_the_named_tests_are_known(project):
    project.write(
        {
            "tests/test_slow.py": """
                import os, time

                def test_slow():
                    while not os.path.exists(os.environ["RUNS"] + ".go"):
                        time.sleep(0.05)
            """
        }
    )
    job = job_of(project, "`test_dear` fails")
    said = Recorder()
    told = []

    async def whole() -> None:
        a_plan = Plan(coverage=True, test_seconds=60)
        told.append(await measure(job, said, "spectrum", a_plan))

    async with anyio.create_task_group() as group:
        group.start_soon(whole)
        with anyio.fail_after(60):
            while not said.of(ToolCall):
                await anyio.sleep(0.05)
            assert await measure(job, Recorder(), "bisect", Plan()) == "1 failed"
            assert not told
        (project.tmp / "runs.go").touch()

    assert told == ["1 failed, 2 passed"]


async def test_named_tests_are_run_where_all_tests_cannot_be_run(project):
    project.write({"tests/test_a_broken.py": "import os\n\nos.kill(os.getpid(), 9)\n"})
    job = job_of(project, "`test_dear` fails")

    shown = await reproduce(job, PythonProject.of(job), Recorder(), agent="spectrum", plan=plan())

    assert [shown.run.tests[n].id for n in shown.failing] == ["tests/test_shop.py::test_dear"]
    assert [test.outcome for test in shown.run.tests] == ["failed", "passed"]
    assert shown.notes[0].startswith("not all tests can be run: the test process ended")
    assert shown.run.coverage["shop.py"][5] == (0,)
    assert shown.run.coverage["shop.py"][8] == (0, 1)


async def test_a_named_test_has_more_time_than_others(project):
    project.write(
        {
            "tests/test_slow.py": """
                import time
                from shop import total

                def test_slow():
                    time.sleep(1.5)
                    assert total([12]) == 12

                def test_slower():
                    time.sleep(1.5)
            """
        }
    )
    a_plan = Plan(coverage=True, test_seconds=0.5)
    job = job_of(project, "`test_slow` fails")
    shown = await reproduce(job, PythonProject.of(job), Recorder(), agent="spectrum", plan=a_plan)

    failure = shown.run.tests[shown.failing[0]].failure
    assert failure.type == "AssertionError"
    passing = {n for n, test in enumerate(shown.run.tests) if test.outcome == "passed"}
    assert not passing.intersection(shown.run.coverage["shop.py"][5])
    assert passing.intersection(shown.run.coverage["shop.py"][2])
    assert "tests/test_slow.py::test_slower may or may not fail" in shown.triage.told[1]


async def test_where_all_that_fails_is_slow_it_is_looked_at_again(project):
    project.write(
        {
            "shop.py": SHOP.replace(" - 1", ""),
            "tests/test_slow.py": "import time\n\ndef test_slow():\n    time.sleep(1.5)\n",
        }
    )
    job = job_of(project)

    with pytest.raises(AgentFailure) as caught:
        await reproduce(
            job, PythonProject.of(job), Recorder(), agent="bisect", plan=Plan(test_seconds=0.5)
        )

    assert caught.value.message.startswith("all 2 tests pass")


async def test_the_tests_near_the_named_one_come_before_the_others(project):
    project.write(
        {
            "a/test_far.py": "def test_far():\n    pass\n",
            "tests/test_a.py": "def test_near():\n    pass\n",
        }
    )
    job = job_of(project, "tests/test_shop.py::test_dear")

    shown = await reproduce(job, PythonProject.of(job), Recorder(), agent="spectrum", plan=plan())

    assert [test.id.rpartition("::")[2] for test in shown.run.tests] == [
        "test_dear",
        "test_cheap",
        "test_near",
        "test_far",
    ]


async def test_the_file_that_takes_long_to_collect_is_named(project):
    project.write({"tests/test_a_slow.py": "import time\n\ntime.sleep(600)\n"})
    job = job_of(project)

    with pytest.raises(AgentFailure) as caught:
        await measure(job, Recorder(), "spectrum", Plan(whole_seconds=0.5, test_seconds=0.5))

    assert caught.value.message.startswith("no test was running after ")
    assert "(tests/test_a_slow.py took " in caught.value.message
