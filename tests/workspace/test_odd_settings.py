"""Settings that people have: none keeps a run from starting or changes what copies and patches
hold.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from bug_lsp.workspace import copies, git
from tests.support.projects import Project, content, in_every_state
from tests.support.projects import git as users_git

from .test_capture import IGNORED, capture_it, with_submodule
from .test_copies import more_sessions

SETTINGS = {
    "core, how files are looked at": (
        "core.safecrlf=true",
        "core.autocrlf=input",
        "core.fsmonitor=true",
        "core.untrackedCache=true",
        "core.splitIndex=true",
        "core.preloadIndex=false",
        "core.checkStat=minimal",
        "core.sparseCheckout=true",
        "core.attributesFile=/nowhere",
        "core.excludesFile=/nowhere",
    ),
    "core, the rest": (
        "core.quotePath=true",
        "core.abbrev=5",
        "core.pager=/nowhere",
        "core.sharedRepository=group",
        "core.logAllRefUpdates=always",
        "core.hooksPath=/nowhere",
        "core.commentChar=auto",
        "core.compression=0",
        "core.bigFileThreshold=1",
        "core.whitespace=trailing-space",
        "core.editor=/nowhere",
    ),
    "diff, what is said": (
        "diff.noprefix=true",
        "diff.mnemonicPrefix=true",
        "diff.external=/nowhere",
        "diff.renames=copies",
        "diff.context=0",
        "diff.interHunkContext=9",
        "diff.orderFile=/nowhere",
        "diff.relative=true",
    ),
    "diff, how it is said": (
        "diff.algorithm=patience",
        "diff.ignoreSubmodules=all",
        "diff.submodule=log",
        "diff.suppressBlankEmpty=true",
        "diff.colorMoved=zebra",
        "diff.wsErrorHighlight=all",
        "diff.indentHeuristic=false",
        "diff.wordRegex=.",
    ),
    "identity": (
        "safe.bareRepository=explicit",
        "commit.gpgSign=true",
        "gpg.program=/nowhere",
        "tag.gpgSign=true",
        "user.useConfigOnly=true",
    ),
    "index": (
        "index.version=4",
        "index.threads=4",
        "index.sparse=true",
        "index.skipHash=true",
        "feature.manyFiles=true",
        "feature.experimental=true",
        "checkout.defaultRemote=nowhere",
        "checkout.workers=9",
        "clean.requireForce=true",
        "gc.auto=1",
        "maintenance.auto=true",
        "pack.threads=1",
    ),
    "shown": (
        "color.ui=always",
        "color.diff=always",
        "color.status=always",
        "log.showSignature=true",
        "log.date=relative",
        "log.decorate=full",
        "log.follow=true",
        "status.showUntrackedFiles=no",
        "status.branch=true",
        "status.short=true",
        "status.relativePaths=false",
        "status.renames=false",
        "status.submoduleSummary=true",
        "pager.diff=true",
        "i18n.commitEncoding=latin1",
        "i18n.logOutputEncoding=latin1",
        "blame.ignoreRevsFile=/nowhere",
        "interactive.singleKey=true",
        "advice.addEmptyPathspec=false",
    ),
    "remotes": (
        "submodule.recurse=true",
        "submodule.active=.",
        "fetch.recurseSubmodules=true",
        "fetch.prune=true",
        "push.default=nothing",
        "uploadpack.hideRefs=refs/",
        "transfer.fsckObjects=true",
        "apply.whitespace=error",
        "apply.ignoreWhitespace=change",
        "merge.conflictStyle=zdiff3",
        "rerere.enabled=true",
    ),
    "repositories": (
        "init.defaultObjectFormat=sha256",
        "init.defaultRefFormat=reftable",
        "init.templateDir=/nowhere",
        "extensions.worktreeConfig=true",
    ),
}
Where = Callable[[Project, pytest.MonkeyPatch, Sequence[str]], None]


def _in_the_repository(project: Project, _: pytest.MonkeyPatch, settings: Sequence[str]) -> None:
    for setting in settings:
        project.git("config", *setting.split("=", 1))


def _for_all(project: Project, monkeypatch: pytest.MonkeyPatch, settings: Sequence[str]) -> None:
    config = project.root.parent / "config"
    (config / "git").mkdir(parents=True)
    for setting in settings:
        words = ("config", "--file", str(config / "git/config"), *setting.split("=", 1))
        users_git(*words, cwd=project.root)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
@pytest.mark.parametrize("where", [_in_the_repository, _for_all])
def test_a_run_has_copies_and_patches_whatever_is_set(
    project: Project, monkeypatch: pytest.MonkeyPatch, where: Where, settings: Sequence[str]
) -> None:
    in_every_state(project)
    where(project, monkeypatch, settings)
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    whole = content(project.root)
    assert content(copy) == {name: seen for name, seen in whole.items() if name not in IGNORED}
    _work(copy)
    patch = copies.diff(copy, base, session.index)
    fresh = copies.make(more_sessions(session, 1)[0], base)
    git.run("apply", "--whitespace=nowarn", "-", cwd=fresh, stdin=patch)
    assert content(fresh) == content(copy)
    assert b"\n-changed = 1\n+changed = 2\n" in patch


def _work(copy: Path) -> None:
    (copy / "shop/tax.py").write_text("changed = 2\n")
    (copy / "new file é.py").write_text("new = 1 \n\n\n")
    (copy / "picture.bin").write_bytes(bytes(range(256)) * 10)
    (copy / "staged.py").unlink()
    (copy / "both.py").rename(copy / "renamed.py")


@pytest.mark.parametrize("setting", ["extensions.worktreeConfig=true", "submodule.recurse=true"])
def test_submodules_are_captured_whatever_is_set(project: Project, setting: str) -> None:
    submodule = with_submodule(project)
    for repository in (project, submodule):
        repository.git("config", *setting.split("="))
    if "worktreeConfig" in setting:
        place = project.root / ".git/modules/libs/sub"
        worktree = users_git(
            "config", "--file", str(place / "config"), "core.worktree", cwd=project.root
        )
        users_git(
            "config", "--file", str(place / "config"), "--unset", "core.worktree", cwd=project.root
        )
        users_git(
            "config",
            "--file",
            str(place / "config.worktree"),
            "core.worktree",
            worktree,
            cwd=project.root,
        )
    submodule.write("new.py", "new\n")
    project.remember()
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    assert content(copy) == content(project.root)
    (copy / "libs/sub/lib.py").write_text("lib = 3\n")
    assert b"+lib = 3" in copies.diff(copy, base, session.index)
