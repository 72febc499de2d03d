"""A repository that was handed to the user runs none of its programs while bug-lsp looks at it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from bug_lsp.agents import registry
from bug_lsp.cli.where import workspace_of
from bug_lsp.domain.run import CustomAgent
from bug_lsp.session.confinement import confinement
from bug_lsp.workspace import fingerprint, history, sources
from bug_lsp.workspace.git import maybe
from tests.support.projects import Project, change_files, git, small_project
from tests.support.runs import program, start

pytestmark = pytest.mark.fault(19)

EVIL = {
    "core.fsmonitor": "{ran}",
    "core.hooksPath": "{hooks}",
    "core.sshCommand": "{ran}",
    "core.gitProxy": "{ran}",
    "core.askPass": "{ran}",
    "core.editor": "{ran}",
    "core.pager": "{ran}",
    "core.alternateRefsCommand": "{ran}",
    "diff.external": "{ran}",
    "diff.odd.command": "{ran}",
    "diff.odd.textconv": "{ran}",
    "filter.odd.clean": "{ran}",
    "filter.odd.smudge": "{ran}",
    "filter.odd.process": "{ran}",
    "filter.odd.required": "true",
    "filter.plain.clean": "{ran}",
    "filter.a=b.clean": "{ran}",
    'filter.ünï "code".clean': "{ran}",
    "merge.odd.driver": "{ran} %O %A %B",
    "gpg.program": "{ran}",
    "commit.gpgSign": "true",
    "credential.helper": "!{ran}",
    "hook.odd.command": "{ran}",
    "hook.odd.event": "post-index-change",
    "alias.add": "!{ran}",
    "alias.rev-parse": "!{ran}",
    "interactive.diffFilter": "{ran}",
    "sequence.editor": "{ran}",
    "uploadpack.packObjectsHook": "{ran}",
    "submodule.inner.update": "!{ran}",
    "extensions.partialClone": "origin",
    "remote.origin.promisor": "true",
    "remote.origin.url": "ext::{ran}",
    "remote.origin.uploadpack": "{ran}",
    "protocol.ext.allow": "always",
    "core.repositoryFormatVersion": "1",
    "include.path": "more",
}
ATTRIBUTES = (
    "*.py diff=odd filter=odd merge=odd\n*.md filter=plain\n*.txt filter=a=b\n*.cfg filter=ünï\n"
)


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    """The file that is there when one of the repository's programs was run."""
    return tmp_path / "it-ran"


def script(path: Path, witness: Path) -> Path:
    """A program that says in the witness that it was run."""
    path.write_text(f'#!/bin/sh\necho "$0 $*" >> {witness}\ncat\n')
    path.chmod(0o755)
    return path


@pytest.fixture
def evil(project: Project, witness: Path, tmp_path: Path) -> Project:
    """A repository that names programs wherever git looks for some, and files of every kind that
    make git use them."""
    ran = script(tmp_path / "run-me", witness)
    hooks = project.root / "hooks"
    for name in ("post-checkout", "post-index-change", "reference-transaction", "pre-commit"):
        project.write(f"hooks/{name}", ran.read_text(), mode=0o755)
        project.write(f".git/hooks/{name}", ran.read_text(), mode=0o755)
    project.write("notes.txt", "a\n")
    project.write("odd.cfg", "a\n")
    project.commit("All that there is")
    project.write(".gitattributes", ATTRIBUTES)
    project.write(".git/more", f'[filter "odd"]\n\tclean = {ran}\n')
    for key, value in EVIL.items():
        project.git("config", key, value.format(ran=ran, hooks=hooks))
    for name in ("shop/tax.py", "README.md", "notes.txt", "odd.cfg"):
        path = project.root / name
        path.write_bytes(path.read_bytes() + b"# changed\n")
    project.write("new.py", "new = 1\n")
    project.remember()
    # The trap is armed: git does run it for whoever asks it in the usual way.
    subprocess.run(["git", "diff"], cwd=project.root, capture_output=True, check=False)
    assert witness.exists()
    witness.unlink()
    return project


LOOKS: dict[str, Callable[[Project], object]] = {
    "the files": lambda it: sources.names(it.root),
    "who changed a line": lambda it: history.look(it.root, [history.Lines("shop/tax.py", 1, 4)]),
    "who changed a line that is not saved": lambda it: history.look(
        it.root, [history.Lines("shop/tax.py", 1, 2, "x = 1\ny = 2\n")]
    ),
    "what changed meanwhile": lambda it: fingerprint.of_checkout(it.root),
    "where the workspace begins": lambda it: workspace_of(it.root / "README.md", None),
}


@pytest.mark.parametrize("name", LOOKS)
def test_no_program_of_a_repository_runs_when_we_look_at_it(
    evil: Project, witness: Path, name: str
) -> None:
    assert LOOKS[name](evil)
    assert not witness.exists(), witness.read_text()


def test_no_program_of_a_repository_runs_in_a_whole_run_and_the_files_are_as_they_are(
    evil: Project, witness: Path
) -> None:
    agent = program(
        "import pathlib; path = pathlib.Path('shop/tax.py'); text = path.read_text()\n"
        "path.write_text(text.replace(' - ', ' + ')); print(text)"
    )
    run = start(evil.root, agent, settings={"prove": False}).wait_finished()
    assert not witness.exists(), witness.read_text()
    assert "# changed" in run.result().message
    assert b"+    return price + price * rate" in run.sessions[0].patch.read_bytes()
    assert b"# changed" not in run.sessions[0].patch.read_bytes().replace(b" # changed", b"")


def repository_inside(project: Project, tmp_path: Path) -> Path:
    """Where a submodule, `in`, comes from."""
    inner = small_project(tmp_path / "inner")
    project.git("-c", "protocol.file.allow=always", "submodule", "add", "-q", str(inner.root), "in")
    project.commit("A repository inside")
    return inner.root


def test_no_program_of_a_repository_inside_runs(
    project: Project, witness: Path, tmp_path: Path
) -> None:
    ran = script(tmp_path / "run-me", witness)
    repository_inside(project, tmp_path)
    for key in ("core.fsmonitor", "filter.odd.clean", "core.sshCommand"):
        git("config", key, str(ran), cwd=project.root / "in")
    change_files(
        project.root / "in", {".gitattributes": "* filter=odd\n", "shop/tax.py": "x = 1\n"}
    )
    project.remember()
    assert "uncommitted" not in history.look(project.root, [])[0]
    agent = program("print(open('in/shop/tax.py').read())")
    run = start(project.root, agent, settings={"prove": False}).wait_finished()
    assert run.result().message == "x = 1"
    assert not witness.exists(), witness.read_text()


def test_no_program_of_a_repository_that_an_agent_made_runs_when_its_patch_is_taken(
    project: Project, witness: Path, tmp_path: Path
) -> None:
    ran = script(tmp_path / "run-me", witness)
    inner = repository_inside(project, tmp_path)
    project.git("submodule", "deinit", "-q", "-f", "in")
    agent = program(
        "import subprocess, sys, pathlib\n"
        "def git(*words): subprocess.run(['git', *words], cwd='in', check=True)\n"
        "git('init', '-q'); git('fetch', '-q', sys.argv[2]); git('checkout', '-q', 'FETCH_HEAD')\n"
        "git('config', 'core.fsmonitor', sys.argv[1])\n"
        "pathlib.Path('in/README.md').write_text('changed')\n"
        "pathlib.Path('README.md').write_text('mine'); print('done')",
        ran,
        inner,
    )
    run = start(project.root, agent, settings={"prove": False}).wait_finished()
    assert b"+mine" in run.sessions[0].patch.read_bytes()
    assert not witness.exists(), witness.read_text()


def test_a_commit_that_is_missing_is_not_fetched_by_a_program_of_the_repository(
    evil: Project, witness: Path
) -> None:
    # The remote "knows" what is missing, so git would ask it.
    evil.write(".git/HEAD", "1" * 40 + "\n")
    assert maybe("rev-parse", "--verify", "-q", "HEAD^{commit}", cwd=evil.root) is None
    history.look(evil.root, [history.Lines("shop/tax.py", 1, 4)])
    assert not witness.exists(), witness.read_text()


def test_filters_that_the_user_has_set_for_all_repositories_are_theirs_and_run(
    project: Project, witness: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "gitconfig"
    home.write_text(f'[filter "mine"]\n\tclean = "touch {witness}; cat"\n')
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "xdg"))
    (tmp_path / "xdg" / "git").mkdir(parents=True)
    home.rename(tmp_path / "xdg" / "git" / "config")
    project.write(".gitattributes", "*.py filter=mine\n")
    project.write("shop/tax.py", "x = 1\n")
    start(project.root, program("print('read')"), settings={"prove": False}).wait_finished()
    assert witness.exists()
    assert os.environ["GIT_CONFIG_GLOBAL"] == "/dev/null"  # which git.py does not pass on


def test_a_program_in_the_workspace_is_not_found_by_a_relative_entry_of_path(
    project: Project, witness: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("git", "bwrap", "codex", "claude", "gemini", "npx", "odd"):
        for folder in ("", "bin/", "~/bin/"):
            place = project.write(f"{folder}{name}", "", mode=0o755)
            script(place, witness)
    project.remember()
    custom = CustomAgent(type="command", command=("odd",))
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("PATH", os.pathsep.join([".", "", "bin", "~/bin", os.environ["PATH"]]))
    assert sources.names(project.root)
    assert not registry.installed("odd", {"odd": custom})
    confinement([])
    for name in ("codex", "claude", "gemini"):
        registry.availability(name, {})
    run = start(project.root, custom, "bisect", settings={"prove": False}).wait_finished()
    assert run.result().failure is not None
    assert not witness.exists(), witness.read_text()


def test_what_a_test_of_the_project_sets_in_its_copy_gives_it_no_way_out(
    project: Project, tmp_path: Path
) -> None:
    outside = Path.home() / "escaped"
    ran = script(tmp_path / "run-me", outside)
    project.write("other.py", "x = 1\n")
    project.commit("Another commit")
    project.write(
        "tests/test_tax.py",
        "import subprocess\n\n\ndef test_it():\n"
        f"    subprocess.run(['git', 'config', 'core.fsmonitor', {str(ran)!r}])\n"
        "    assert False\n",
    )
    run = start(project.root, "bisect", settings={"prove": False}).wait_finished()
    assert "core.fsmonitor" not in project.git("config", "--list", "--name-only")
    copy = next(run.sessions[0].copy.iterdir())
    assert str(ran) in (copy / ".git" / "config").read_text()
    assert not outside.exists()
