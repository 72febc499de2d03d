"""Default agents and orchestrators that certainly cannot work are not started to fail."""

from __future__ import annotations

from pathlib import Path

import pytest

from bug_lsp.agents import registry
from bug_lsp.domain.errors import FailureKind, Refused
from bug_lsp.domain.run import AgentChoice, LeftOut, Status
from bug_lsp.domain.settings import Settings
from bug_lsp.session import gate
from bug_lsp.session.preflight import NothingToGoBy, Preflight
from bug_lsp.session.start import Request, start_run
from bug_lsp.store import runs
from tests.support.projects import Project
from tests.support.runs import CONCLUDES, FINDS, Started, says, start

MISSING = says("x").model_copy(update={"command": ("no-such-program",)})
CODEX = LeftOut(agent_type="codex", reason="not logged in (run `codex login`)")
_KEYS = ("OPENAI_API_KEY", "CODEX_API_KEY", "ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")


@pytest.fixture(autouse=True)
def nobody_is_logged_in(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in _KEYS:
        monkeypatch.delenv(name, raising=False)


def start_usual(
    project: Project,
    *agents: str,
    orchestrator: str = "digest",
    test_command: str | None = None,
) -> Started:
    """Start a run that names no agents."""
    settings = Settings(
        default_agents=agents,
        agents={"finds": FINDS, "finds-too": FINDS, "missing": MISSING},
        orchestrator=AgentChoice(agent_type=orchestrator),
        prove=False,
    )
    request = Request(workspace=project.root, title="Prices", test_command=test_command)
    return Started(start_run(request, settings))


def test_a_default_agent_that_is_not_logged_in_does_not_take_part(project: Project) -> None:
    run = start_usual(project, "codex", "finds", "missing", "finds-too", orchestrator="codex")
    run.wait_finished()
    assert [one.agent_type for one in run.status.sessions] == ["finds", "finds-too"]
    assert run.status.left_out[0] == CODEX
    assert run.status.left_out[1].reason.startswith("not installed (install it or correct")
    assert "degraded" not in run.text
    assert "- Left out: codex, not logged in (run `codex login`); missing, not inst" in run.text
    assert "- codex cannot orchestrate here, so this is by rule.\n" in run.text


def test_where_no_default_agent_can_work_nothing_is_started(project: Project) -> None:
    with pytest.raises(Refused, match=r"nothing was started: codex: not logged in \(run"):
        start_usual(project, "codex")


def test_where_there_is_no_python_ours_take_part_with_a_test_command(project: Project) -> None:
    project.git("rm", "-rq", "shop", "tests")
    project.commit()
    with pytest.raises(NothingToGoBy, match="no Python here and no testCommand: bisect needs"):
        start_usual(project, "spectrum", "repair", "bisect")
    run = start_usual(project, "spectrum", "bisect", test_command="exit 1").wait_finished()
    assert [one.agent_type for one in run.status.sessions] == ["bisect"]


def test_an_orchestrator_that_cannot_work_is_one_line_and_force_starts_it(
    project: Project,
) -> None:
    run = start(project.root, FINDS, FINDS, orchestrator=MISSING).wait_finished()
    assert run.orchestrator.agent_type == "digest"
    assert run.orchestrator.status is Status.COMPLETED
    first = run.text.index("By digest, ")
    assert run.text.index("merged by rule, without a model.") - first < len("By digest, ") + 60
    assert "- boss cannot orchestrate here (not installed (install it or" in run.text
    assert gate.orchestrate(run.folder) == (run.orchestrator.session_id, False)
    again, is_new = gate.orchestrate(run.folder, force=True)
    assert is_new
    run.wait_finished()
    assert run.orchestrator.session_id == again
    assert run.orchestrator.failure is not None
    assert run.orchestrator.failure.kind is FailureKind.NOT_INSTALLED
    assert len(runs.orchestrators(run.folder)) == 2


def test_an_orchestrator_that_can_work_by_then_orchestrates(project: Project) -> None:
    run = start(project.root, FINDS, FINDS, orchestrator=CONCLUDES).wait_finished()
    assert run.orchestrator.agent_type == "boss"
    assert run.status.stands_in_for is None


@pytest.mark.parametrize(
    "file",
    ["auth.json", "config.toml: profile = 'mine'", "config.toml: model_provider = 'mine'"],
)
def test_a_codex_that_may_be_logged_in_takes_part(tmp_path: Path, file: str) -> None:
    assert registry.why_left_out("codex", {}) == CODEX.reason
    name, _, text = file.partition(": ")
    folder = tmp_path / "home" / ".codex"
    folder.mkdir()
    (folder / name).write_text(text or "{}")
    assert registry.why_left_out("codex", {}) == ""


@pytest.mark.parametrize(
    "file", [".credentials.json", "settings.json", '.claude.json: {"oauthAccount": {}}']
)
def test_a_claude_that_may_be_logged_in_takes_part(tmp_path: Path, file: str) -> None:
    assert registry.why_left_out("claude", {}).startswith("not logged in (run `claude`")
    name, _, text = file.partition(": ")
    folder = tmp_path / "home" / ".claude"
    folder.mkdir()
    (folder / name).write_text(text or "{}")
    assert registry.why_left_out("claude", {}) == ""


@pytest.mark.parametrize(("agent", "key"), [("codex", _KEYS[0]), ("claude", _KEYS[2])])
def test_a_key_is_a_login(monkeypatch: pytest.MonkeyPatch, agent: str, key: str) -> None:
    assert registry.why_left_out(agent, {})
    monkeypatch.setenv(key, "sk-0000")
    assert registry.why_left_out(agent, {}) == ""


def test_bisect_takes_part_where_there_are_two_states_to_compare(project: Project) -> None:
    preflight = Preflight(project.root, None)
    assert "there is only one commit" in preflight.why_idle("bisect", {})
    project.write("shop/tax.py", "changed = True\n")
    assert preflight.why_idle("bisect", {}) == ""


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (None, "tests: all of the project's are run; name the failing one in the task"),
        ("pytest tests/test_tax.py -k tax", "tests: pytest tests/test_tax.py -k tax"),
        ("pytest tests/gone.py", "tests: there is no tests/gone.py in "),
        ("python manage.py test shop", "tests: Django's own runner, which cannot be looked into"),
        ("make check", "tests: `make check`, run as it is; spectrum and repair look into pytest"),
    ],
)
def test_how_tests_are_run_is_said_before_they_are(
    project: Project, command: str | None, said: str
) -> None:
    first, *lines = Preflight(project.root, command).lines(None, None)
    assert first.startswith("Python: /")
    assert lines[-1].startswith(said)


def test_a_run_in_which_nothing_was_found_says_so_and_why(project: Project) -> None:
    project.write("tests/test_tax.py", "def test_nothing():\n    assert True\n")
    run = start(project.root, "spectrum", "repair").wait_finished()
    assert "## Synthesis (nothing was found; 0 of 2 sessions completed, 2 not app" in run.text
    assert "## Nothing was found\n\nNo session found a place to begin:\n" in run.text
    assert "- Debug (1) (spectrum), Debug (2) (repair): the one test passes: each needs" in run.text
    assert "## Root cause" not in run.text


def test_the_test_that_the_task_names_is_found_before_anything_is_run(project: Project) -> None:
    lines = [*Preflight(project.root, None).lines(None, None, "See tests/test_tax.py::test_tax.")]
    assert lines[-1] == "tests: the task names tests/test_tax.py::test_tax"
