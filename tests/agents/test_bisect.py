from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path

import anyio
import pytest

from bug_lsp.agents.bisect.agent import Bisect
from bug_lsp.agents.bisect.bisection import Boundary, Verdict, find_boundary
from bug_lsp.agents.bisect.commit_tests import ProjectTests
from bug_lsp.agents.bisect.culprit_search import CulpritSearch
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Activity, ToolCall, ToolResult
from bug_lsp.domain.report import Basis

from .small_projects import SmallProject, run_agent

pytestmark = pytest.mark.anyio

GOOD = "def total(prices):\n    result = sum(prices)\n    return result\n"
BROKEN = "def total(prices):\n    result = sum(prices[1:])\n    return result\n"
TEST = "from shop import total\n\ndef test_total():\n    assert total([1, 2]) == 3\n"
CHECK_FOUR = '. ./half.sh; [ "$(half 4)" = 2 ] || exit 1\n'
CHECK_FIVE = '[ "$(half 5)" = 2 ] || exit 1\n'
HALVES = "half() { echo $(($1 / 2)); }\n"
ROUNDS_UP = "half() { echo $(($1 / 2 + $1 % 2)); }\n"
UV_PROJECT = '[project]\nname = "shop"\nversion = "1"\ndependencies = ["acme-not-on-pypi"]\n'


@pytest.fixture
def project(tmp_path: Path) -> SmallProject:
    return SmallProject(tmp_path)


async def refusal(job) -> AgentFailure:
    with pytest.raises(AgentFailure) as caught:
        await Bisect().run(job, lambda _event: None)
    return caught.value


def git_state(project: SmallProject) -> tuple[str, ...]:
    commands = (
        ["rev-parse", "HEAD"],
        ["status", "--porcelain", "--ignored"],
        ["for-each-ref"],
        ["stash", "list"],
    )
    return tuple(
        subprocess.run(
            ["git", *command], cwd=project.copy, check=True, capture_output=True, text=True
        ).stdout
        for command in commands
    )


async def test_a_bug_older_than_its_test_is_found(project):
    project.commit("Begin", {"README.md": "Shop\n"})
    project.commit("Sum prices", {"shop.py": GOOD})
    project.commit("Say more", {"README.md": "Shop, open all day\n"})
    culprit = project.commit("Skip the header", {"shop.py": BROKEN})
    for number in range(4):
        project.commit(f"Note {number}", {"notes.md": f"{number}\n"})
    project.commit("Test the sum", {"tests/test_shop.py": TEST})

    done = await run_agent(Bisect(), project.git_job())

    (finding,) = done.report.findings
    assert (finding.path, finding.line) == ("shop.py", 2)
    assert finding.quote == "    result = sum(prices[1:])"
    assert finding.confidence == 0.9
    assert done.report.root_cause == (
        f"commit {culprit[:7]} (Skip the header, Ada, 2026-03-02) made"
        " `tests/test_shop.py::test_total` fail; it changed shop.py:2."
    )
    assert culprit in done.answer.text
    assert "-    result = sum(prices)\n+    result = sum(prices[1:])" in done.answer.text


async def test_the_copy_is_given_back_as_it_was(project):
    project.commit("Sum prices", {"shop.py": GOOD, ".gitignore": "*.log\n"})
    project.commit("Skip the header", {"shop.py": BROKEN, "later.py": "LATER = 1\n"})
    project.write(
        {"test_shop.py": f"open('made.log', 'w').close()\nopen('made.txt', 'w').close()\n{TEST}"}
    )
    job = project.git_job()
    before = (git_state(project), project.files_of_copy())

    await run_agent(Bisect(), job)

    assert (git_state(project), project.files_of_copy()) == before


async def test_the_copy_is_given_back_also_when_the_search_is_cancelled(project):
    project.commit("Sum prices", {"shop.py": GOOD})
    project.commit("Skip the header", {"shop.py": BROKEN})
    project.write({"test_shop.py": TEST})
    job = project.git_job()
    before = (git_state(project), project.files_of_copy())

    with anyio.CancelScope() as scope:

        def cancel_at_the_first_step(event) -> None:
            if isinstance(event, Activity) and event.text.startswith("bisecting"):
                scope.cancel()

        await Bisect().run(job, cancel_at_the_first_step)

    assert scope.cancelled_caught
    assert (git_state(project), project.files_of_copy()) == before


async def test_what_is_not_committed_yet_can_be_the_culprit(project):
    project.commit("Sum prices", {"shop.py": GOOD, "test_shop.py": TEST})
    project.write({"shop.py": BROKEN})

    done = await run_agent(Bisect(), project.git_job())

    assert done.places == ["shop.py:2"]
    assert done.report.root_cause.startswith("what is not committed yet made `test_shop.py::")
    assert "the last commit passes" in done.answer.text


async def test_the_commit_of_a_merged_branch_is_named_not_the_merge(project):
    project.commit("Sum prices", {"shop.py": GOOD, "test_shop.py": TEST})
    project.git("checkout", "-q", "-b", "feature")
    project.commit("Feature begins", {"feature.py": "ONE = 1\n"})
    culprit = project.commit("Skip the header", {"shop.py": BROKEN})
    project.commit("Feature ends", {"feature.py": "ONE = 2\n"})
    project.git("checkout", "-q", "main")
    project.commit("Meanwhile", {"notes.md": "1\n"})
    project.git("merge", "-q", "--no-ff", "-m", "Merge feature", "feature")
    project.commit("After", {"notes.md": "2\n"})

    done = await run_agent(Bisect(), project.git_job())

    assert f"commit {culprit[:7]} (Skip the header" in done.report.root_cause
    assert done.places == ["shop.py:2"]


async def test_a_merge_of_two_good_sides_can_be_the_culprit(project):
    project.commit("Sum prices", {"shop.py": GOOD, "base.py": "FACTOR = 1\n", "test_shop.py": TEST})
    project.git("checkout", "-q", "-b", "feature")
    project.commit(
        "Multiply",
        {
            "shop.py": GOOD.replace("def", "import base\n\ndef").replace(
                "return result", "return result * base.FACTOR"
            )
        },
    )
    project.git("checkout", "-q", "main")
    project.commit("Double", {"base.py": "FACTOR = 2\n"})
    project.git("merge", "-q", "--no-ff", "-m", "Merge feature", "feature")

    done = await run_agent(Bisect(), project.git_job())

    assert "(Merge feature, Ada, 2026-03-02)" in done.report.root_cause
    assert "shop.py:5" in done.places


async def test_commits_that_cannot_be_tested_are_gone_around(project):
    project.commit("Sum prices", {"shop.py": GOOD, "test_shop.py": TEST})
    project.commit("Half a change", {"shop.py": "import shop.not_there\n"})
    project.commit("Whole again", {"shop.py": GOOD, "other.py": ""})
    culprit = project.commit("Skip the header", {"shop.py": BROKEN})
    project.commit("Half another", {"shop.py": "from nowhere_at_all import total\n"})
    project.commit("Whole once more", {"shop.py": BROKEN, "notes.md": "1\n"})

    done = await run_agent(Bisect(), project.git_job())

    assert f"commit {culprit[:7]} (Skip the header" in done.report.root_cause
    assert any("cannot be tested" in e.output for e in done.events if isinstance(e, ToolResult))


async def test_candidates_that_cannot_be_told_apart_are_all_named(project):
    project.commit("Sum prices", {"shop.py": GOOD, "test_shop.py": TEST})
    first = project.commit("Half a change", {"shop.py": "from nowhere_at_all import total\n"})
    second = project.commit("Skip the header", {"shop.py": BROKEN})

    done = await run_agent(Bisect(), project.git_job())

    assert f"one of 2 commits, {first[:7]} to {second[:7]}" in done.report.root_cause
    assert all(finding.confidence < 0.5 for finding in done.report.findings)


async def test_lines_removed_by_the_culprit_are_shown_by_their_neighbour(project):
    longer = "def total(prices):\n    result = sum(prices)\n    result += 1\n    return result\n"
    project.commit("Sum prices", {"shop.py": longer, "test_shop.py": TEST.replace("3", "4")})
    project.commit("Tidy up", {"shop.py": GOOD})
    project.commit("Comment", {"shop.py": f"# Shop\n\n\n{GOOD}"})

    done = await run_agent(Bisect(), project.git_job())

    (finding,) = done.report.findings
    assert (finding.line, finding.quote) == (5, "    result = sum(prices)")
    assert finding.claim.startswith("1 line removed beside this one by commit")


async def test_two_bugs_have_two_culprits(project):
    two = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"
    tests = "import shop\n\ndef test_one():\n    assert shop.one() == 1\n"
    tests += "\ndef test_two():\n    assert shop.two() == 2\n"
    project.commit("Begin", {"shop.py": two, "test_shop.py": tests})
    project.commit("Break one", {"shop.py": two.replace("return 1", "return 9")})
    broken = two.replace("return 1", "return 9").replace("return 2", "return 8")
    project.commit("Break two", {"shop.py": broken})

    done = await run_agent(Bisect(), project.git_job())

    assert "(Break one, " in done.report.root_cause
    assert "(Break two, " in done.report.root_cause
    assert sorted(done.places) == ["shop.py:2", "shop.py:6"]


async def test_a_syntax_error_has_a_culprit_too(project):
    project.commit("Sum prices", {"shop.py": GOOD, "test_shop.py": TEST})
    project.commit("Break the syntax", {"shop.py": GOOD.replace("):", ")")})
    project.commit("Note", {"notes.md": "1\n"})

    done = await run_agent(Bisect(), project.git_job())

    assert "(Break the syntax, " in done.report.root_cause
    assert done.places == ["shop.py:1"]


async def test_a_command_decides_where_there_is_no_python(project):
    project.commit("Begin", {"greeting.txt": "hello\n", "tool.sh": "cat greeting.txt\n"})
    project.commit("Shout", {"greeting.txt": "hello!\n"})
    culprit = project.commit("Typo", {"greeting.txt": "helo!\n"})
    project.commit("Check", {"check.sh": "sh tool.sh | grep -q hello\n", "notes.md": "1\n"})

    done = await run_agent(Bisect(), project.git_job("sh ./check.sh"))

    assert f"commit {culprit[:7]} (Typo, Ada, 2026-03-02) made `the test command` fail" in (
        done.report.root_cause
    )
    assert done.places == ["greeting.txt:1"]


async def small_history(project, command: str) -> str:
    """What bisect says of a bug that the environment `.tools/env` is needed to see."""
    check = "import unittest\nimport acme\nimport shop\n\nclass T(unittest.TestCase):\n"
    check += "    def test_it(self):\n        self.assertEqual(shop.ONE, acme.ONE)\n"
    files = {"test_shop.py": check, ".gitignore": ".tools\n", "pyproject.toml": UV_PROJECT}
    project.commit("Begin", {"shop.py": "ONE = 1\n", **files})
    project.commit("Wrong", {"shop.py": "ONE = 2\n"})
    project.commit("Later", {"notes.md": "later\n"})
    venv.create(project.root / ".tools/env", with_pip=False)
    (site,) = (project.root / ".tools/env").glob("lib/python*/site-packages")
    (site / "acme.py").write_text("ONE = 1\n")
    done = await run_agent(Bisect(), project.git_job(command))
    assert not (project.copy / ".venv").exists()
    return done.report.root_cause


async def test_a_command_as_it_is_runs_with_the_users_interpreter_that_it_names(project):
    said = await small_history(project, ".tools/env/bin/python -m unittest test_shop 2>&1")
    assert "(Wrong, Ada, 2026-03-02) made `the test command` fail; it changed shop.py:1" in said


async def test_uv_as_it_is_runs_in_the_users_environment_and_makes_none(project, monkeypatch):
    monkeypatch.setenv("UV_PROJECT_ENVIRONMENT", ".tools/env")
    monkeypatch.setenv("UV_OFFLINE", "1")
    uv = Path(sys.executable).parent / "uv"
    said = await small_history(project, f"{uv} run python -m unittest test_shop 2>&1")
    assert "(Wrong, Ada, 2026-03-02) made `the test command` fail; it changed shop.py:1" in said


async def test_a_command_may_say_that_a_commit_cannot_be_tested(project):
    project.commit("Begin", {"value": "1\n"})
    project.commit("Half", {"value": "half\n"})
    project.commit("Two", {"value": "2\n"})
    project.commit("Note", {"notes.md": "1\n"})

    command = "case $(cat value) in 1) exit 0;; half) exit 125;; *) exit 1;; esac"
    done = await run_agent(Bisect(), project.git_job(command))

    assert "one of 2 commits" in done.report.root_cause


async def test_a_pytest_command_chooses_the_test(project):
    project.commit("Sum prices", {"shop.py": GOOD, "test_shop.py": TEST})
    project.commit("Skip the header", {"shop.py": BROKEN})
    project.commit("Other", {"test_other.py": "def test_other():\n    assert False\n"})

    done = await run_agent(Bisect(), project.git_job("pytest -q test_shop.py"))

    assert "(Skip the header, " in done.report.root_cause
    assert "test_other" not in done.answer.text


async def test_progress_tells_how_many_commits_are_left(project):
    project.commit("Sum prices", {"shop.py": GOOD, "test_shop.py": TEST})
    for number in range(3):
        project.commit(f"Note {number}", {"notes.md": f"{number}\n"})
    project.commit("Skip the header", {"shop.py": BROKEN})
    for number in range(5):
        project.commit(f"Late note {number}", {"notes.md": f"late {number}\n"})

    done = await run_agent(Bisect(), project.git_job())

    told = [e for e in done.events if isinstance(e, Activity) and "left to try" in e.text]
    assert told[0].text == "bisecting: 2 commits left to try"
    assert told[-1].text == "bisecting: 1 commit left to try"
    assert [e.percentage for e in told] == [0, 50]


async def test_a_commit_that_only_added_the_check_is_not_to_blame(project):
    project.commit("Begin", {"half.sh": HALVES, "test.sh": CHECK_FOUR})
    culprit = project.commit("half rounds up", {"half.sh": ROUNDS_UP})
    project.commit("Add a test for the reported bug", {"test.sh": CHECK_FOUR + CHECK_FIVE})
    project.commit("Say more", {"README.md": "Halves\n"})
    project.write({"tasks/x.md": "# half(5) is 3\n"})

    done = await run_agent(Bisect(), project.git_job("sh test.sh"))

    assert f"commit {culprit[:7]} (half rounds up" in done.report.root_cause
    assert done.places == ["half.sh:1"]
    assert done.report.findings[0].basis is Basis.COMMIT


async def test_a_check_and_a_task_that_are_not_committed_are_not_to_blame(project):
    project.commit("Begin", {"half.sh": HALVES, "test.sh": CHECK_FOUR})
    culprit = project.commit("half rounds up", {"half.sh": ROUNDS_UP})
    project.commit("Say more", {"README.md": "Halves\n"})
    project.write({"test.sh": CHECK_FOUR + CHECK_FIVE, "tasks/x.md": "# half(5) is 3\n"})

    done = await run_agent(Bisect(), project.git_job("sh test.sh"))

    assert f"commit {culprit[:7]} (half rounds up" in done.report.root_cause


async def test_a_release_that_the_task_names_is_tried_first(project):
    project.commit("Begin", {"shop.py": GOOD, "test_shop.py": TEST})
    for number in range(9):
        project.commit(f"Early {number}", {"notes.md": f"{number}\n"})
    project.git("tag", "v14.2")
    project.commit("Note", {"notes.md": "x\n"})
    culprit = project.commit("Skip the header", {"shop.py": BROKEN})
    for number in range(9):
        project.commit(f"Late {number}", {"notes.md": f"late {number}\n"})
    job = replace(project.git_job(), prompt="# Wrong sum\n\nIt was fine in 14.2.\n")
    subprocess.run(
        ["git", "fetch", "-q", project.root, "tag", "v14.2"], cwd=project.copy, check=True
    )

    done = await run_agent(Bisect(), job)

    tried = [event.detail for event in done.events if isinstance(event, ToolCall)]
    assert "Early 8" in tried[2], tried
    assert culprit[:7] in done.report.root_cause


async def test_when_the_time_is_over_it_says_what_is_ruled_out(project):
    project.commit("Begin", {"shop.py": BROKEN, "test_shop.py": TEST})
    project.commit("Note", {"notes.md": "1\n"})

    done = await run_agent(Bisect(), replace(project.git_job(), budget_seconds=0.1))

    assert done.report.root_cause == (
        "No commit is to blame: `test_shop.py::test_total`: no older commit could be tested in the"
        " time there was."
    )
    assert done.places == []


async def test_the_time_that_is_over_leaves_the_commits_between(project, monkeypatch):
    project.commit("Begin", {"shop.py": GOOD, "test_shop.py": TEST})
    for number in range(3):
        project.commit(f"Note {number}", {"notes.md": f"{number}\n"})
    project.commit("Skip the header", {"shop.py": BROKEN})
    for number in range(3):
        project.commit(f"Later {number}", {"notes.md": f"later {number}\n"})
    asked = []
    verdicts = ProjectTests.verdicts

    async def until_it_is_late(self, commit):
        asked.append(commit)
        if len(asked) == 4:  # the present state, steps back to a good one, and no further
            monkeypatch.setattr(CulpritSearch, "_is_late", property(lambda _: True))
        return await verdicts(self, commit)

    monkeypatch.setattr(ProjectTests, "verdicts", until_it_is_late)

    done = await run_agent(Bisect(), replace(project.git_job(), budget_seconds=1000.0))

    assert "(the time was over before it was one)" in done.report.root_cause
    assert done.places == ["shop.py:2"]
    assert done.report.findings[0].confidence < 0.5


async def test_unrelated_failures_are_told_apart(project):
    other = "from tax import rate\n\ndef test_rate():\n    assert rate() == 1\n"
    project.commit("Begin", {"shop.py": BROKEN, "test_shop.py": TEST})
    project.commit("Tax", {"tax.py": "def rate():\n    return 2\n", "test_tax.py": other})
    project.commit("Note", {"notes.md": "1\n"})

    done = await run_agent(Bisect(), project.git_job())

    said = done.report.root_cause
    assert "`test_shop.py::test_total` failed in all earlier commits it was run in (2)" in said
    assert "test_rate` failed in all earlier commits it was run in (1)" in said


async def test_a_bug_as_old_as_the_history_is_told_as_such(project):
    project.commit("Sum prices", {"shop.py": BROKEN, "test_shop.py": TEST})
    project.commit("Note", {"notes.md": "1\n"})

    done = await run_agent(Bisect(), project.git_job())

    assert "`test_shop.py::test_total` failed in all earlier commits it was run in (1)" in (
        done.report.root_cause
    )
    assert done.places == []


async def test_code_that_was_never_there_before_cannot_be_compared_with(project):
    project.commit("Begin", {"README.md": "Shop\n"})
    project.commit("Sum prices", {"shop.py": BROKEN, "test_shop.py": TEST})

    done = await run_agent(Bisect(), project.git_job())

    assert "cannot be run in any earlier commit" in done.report.root_cause


async def test_a_single_commit_is_no_history(project):
    project.commit("Sum prices", {"shop.py": BROKEN, "test_shop.py": TEST})

    failure = await refusal(project.git_job())

    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "only one commit" in failure.message


async def test_tests_that_all_pass_are_refused(project):
    project.commit("Sum prices", {"shop.py": GOOD, "test_shop.py": TEST})
    project.commit("Note", {"notes.md": "1\n"})

    failure = await refusal(project.git_job())

    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "the one test passes: bisect needs" in failure.message


async def test_a_command_that_succeeds_is_refused(project):
    project.commit("Begin", {"value": "1\n"})
    project.commit("Two", {"value": "2\n"})

    failure = await refusal(project.git_job("true"))

    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "exit code 0" in failure.message


async def test_no_python_and_no_command_is_refused(project):
    project.commit("Begin", {"value": "1\n"})
    project.commit("Two", {"value": "2\n"})

    failure = await refusal(project.git_job())

    assert failure.kind is FailureKind.NOT_APPLICABLE
    assert "no testCommand" in failure.message


@pytest.mark.parametrize("bad", [1, 2, 7, 8, 63, 99])
async def test_the_search_asks_about_few_of_many_commits(bad):
    asked = []

    async def check(position: int) -> Verdict:
        asked.append(position)
        return Verdict.BAD if position <= bad else Verdict.GOOD

    found = await find_boundary(101, check, lambda _left, _whole: None)

    assert found == Boundary(bad, bad + 1)
    assert len(asked) == len(set(asked)) <= 14


@pytest.mark.parametrize("oldest", [3, 4, 5, 9, 40])
async def test_the_search_finds_a_good_commit_just_before_the_untestable_ones(oldest):
    async def check(position: int) -> Verdict:
        if position > oldest:
            return Verdict.SKIP
        return Verdict.GOOD if position == oldest else Verdict.BAD

    found = await find_boundary(100, check, lambda _left, _whole: None)

    assert found == Boundary(oldest - 1, oldest)
