"""What is wrong is said in one sentence, in the words that were typed, before anything starts."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import User


def _bytes(data: bytes, name: str = "x.md") -> Callable[[User], tuple[str, ...]]:
    def make(user: User) -> tuple[str, ...]:
        (user.project / name).write_bytes(data)
        return ("debug", name, "--agents", "finder")

    return make


def _outside(user: User) -> tuple[str, ...]:
    (user.root / "outside.md").write_text("# Totals are wrong\n")
    return ("debug", "../outside.md", "--workspace", ".", "--agents", "finder")


def _link_outside(user: User) -> tuple[str, ...]:
    (user.root / "outside.md").write_text("# Totals are wrong\n")
    (user.project / "link.md").symlink_to(user.root / "outside.md")
    return ("debug", "link.md", "--agents", "finder")


def _config(text: str) -> Callable[[User], tuple[str, ...]]:
    def make(user: User) -> tuple[str, ...]:
        user.config.write_text(text)
        return ("debug", "tasks/totals.md")

    return make


BAD_USAGE = {
    "unknown agent": (("--agents", "finder,nobody"), "--agents: there is no agent 'nobody'"),
    "orchestrator among the agents": (("--agents", "digest"), "only orchestrates"),
    "no agents": (("--agents", ""), "--agents: is empty"),
    "nothing but commas": (("--agents", " , "), "--agents: is empty"),
    "too many agents": (("--agents", ",".join(["finder"] * 17)), "--agents: has 17 entries"),
    "unknown orchestrator": (("--orchestrator", "bisect"), "--orchestrator: 'bisect' cannot"),
}
BAD_TASKS: dict[str, tuple[Callable[[User], tuple[str, ...]], str]] = {
    "missing": (lambda _: ("debug", "tasks/none.md"), "TASK.md: "),
    "not named": (lambda _: ("debug",), "TASK.md: is missing"),
    "blank title": (lambda _: ("debug", "--title", "  "), "TASK.md: is missing"),
    "folder": (lambda _: ("debug", "tasks"), "is a folder"),
    "long name": (lambda _: ("debug", "x" * 300 + ".md"), "TASK.md: "),
    "not Markdown": (_bytes(b"# x\n", "x.txt"), "is not a Markdown file"),
    "binary": (_bytes(b"# x\n\0\1\2"), "is a binary file"),
    "not UTF-8": (_bytes("# Über\n".encode("latin-1")), "is not UTF-8 (byte 2)"),
    "10 MB": (_bytes(b"# x\n" + b"x" * 10_000_000), "10,000,004 bytes"),
    "outside": (_outside, "is outside the workspace"),
    "link to the outside": (_link_outside, "is outside the workspace"),
    "settings that are no TOML": (_config("a = 1\nb c"), "is not valid TOML"),
    "unknown setting": (_config("agent = 1\n"), "agent: there is no such setting"),
    "unknown usual agent": (_config('defaultAgents = ["x"]\n'), "defaultAgents[0].agentType: "),
}
REFUSED = {
    "nothing installed": ("--agents", "absent"),
    "no such workspace": ("--workspace", "nowhere"),
}


def _refused(user: User, code: int, typed: tuple[str, ...]) -> str:
    before = user.task.read_bytes()
    done = user.run(*typed)
    assert done.returncode == code, done
    assert done.stdout == ""
    assert done.stderr.startswith("bug-lsp: ")
    assert done.stderr.count("\n") == 1
    assert user.task.read_bytes() == before
    assert list(user.state.glob("workspaces/*/runs/*")) == []
    return done.stderr


@pytest.mark.parametrize("case", BAD_USAGE)
def test_bad_usage_names_the_option(user: User, case):
    typed, said = BAD_USAGE[case]
    assert said in _refused(user, 2, ("debug", "tasks/totals.md", *typed))


@pytest.mark.parametrize("case", BAD_TASKS)
def test_a_bad_task_or_setting_is_named(user: User, case):
    make, said = BAD_TASKS[case]
    assert said in _refused(user, 2, make(user))


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_here_is_refused(user: User, case):
    _refused(user, 1, ("debug", str(user.task), *REFUSED[case]))


def test_a_machine_without_git_is_told_to_install_it(user: User):
    done = user.run("debug", user.task, "--agents", "finder", PATH="/nonexistent")
    assert done.returncode == 1
    assert done.stderr.startswith("bug-lsp: git is not installed")


def test_a_state_folder_that_cannot_be_made_is_named(user: User):
    done = user.run("debug", user.task, "--agents", "finder", BUG_LSP_STATE_DIR=str(user.task))
    assert done.returncode == 1
    assert done.stderr.startswith("bug-lsp: ")
    assert str(user.task) in done.stderr
    assert done.stderr.count("\n") == 1
