"""Files of Git LFS and of other filters, with no such program installed and without a remote."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest

from bug_lsp.domain.errors import AgentFailure
from bug_lsp.workspace import copies, git
from tests.support.projects import Project, content, fingerprint
from tests.support.projects import git as users_git

from .test_capture import capture_it, copy_of
from .test_copies import more_sessions

DATA, NEWER = b"\1\2\0" * 5000, b"\3\4\0" * 6000
ATTRIBUTES = "*.bin filter=lfs diff=lfs merge=lfs -text\n"
SETTINGS = {
    "clean": "git-lfs-not-here clean -- %f",
    "smudge": "git-lfs-not-here smudge -- %f",
    "process": "git-lfs-not-here filter-process",
    "required": "true",
}


def pointer(data: bytes) -> str:
    """What Git LFS commits in the place of the data."""
    oid = hashlib.sha256(data).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(data)}\n"


def keep(store: Path, data: bytes) -> None:
    """What Git LFS does with the data itself."""
    oid = hashlib.sha256(data).hexdigest()
    place = store / oid[:2] / oid[2:4] / oid
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)


def with_lfs(project: Project, name: str = "data.bin", data: bytes = DATA) -> None:
    """Commit a file the way Git LFS does, and have it checked out."""
    store = project.root / git.text("rev-parse", "--git-common-dir", cwd=project.root) / "lfs"
    keep(store / "objects", data)
    project.write(".gitattributes", ATTRIBUTES)
    project.write(name, data)
    told = git.lfs_settings([store / "objects"])
    words = [word for key, value in told.items() for word in ("-c", f"{key}={value}")]
    project.git(*words, "add", "-A")
    project.git(*words, "commit", "-q", "--allow-empty", "-m", "Data")
    assert project.git("cat-file", "blob", f"HEAD:{name}") == pointer(data).strip()
    assert project.git(*words, "status", "--porcelain") == ""


def _globally(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    config = project.root.parent / "config/git/config"
    config.parent.mkdir(parents=True)
    for key, value in SETTINGS.items():
        users_git("config", "--file", str(config), f"filter.lfs.{key}", value, cwd=project.root)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config.parent.parent))


def _locally(project: Project, _: pytest.MonkeyPatch) -> None:
    for key, value in SETTINGS.items():
        project.git("config", f"filter.lfs.{key}", value)


def _not_at_all(_: Project, __: pytest.MonkeyPatch) -> None:
    """git-lfs has been uninstalled, or never was set up."""


set_up = pytest.mark.parametrize("set_up", [_globally, _locally, _not_at_all])
SetUp = Callable[[Project, pytest.MonkeyPatch], None]


@set_up
def test_copies_hold_the_contents_and_no_patch_has_them(
    project: Project, monkeypatch: pytest.MonkeyPatch, set_up: SetUp
) -> None:
    with_lfs(project)
    set_up(project, monkeypatch)
    before = fingerprint(project.root)
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    assert content(copy) == content(project.root)
    assert users_git("status", "--porcelain", cwd=copy) == ""
    assert base.notes == ()
    assert fingerprint(project.root) == before
    (copy / "data.bin").touch()
    (copy / "shop/tax.py").write_text("fixed = 1\n")
    for kept in (session.index, None):
        patch = copies.diff(copy, base, kept)
        assert b"+fixed = 1" in patch
        assert patch.count(b"diff --git") == 1


@set_up
def test_an_older_commit_in_a_copy_has_its_contents_too(
    project: Project, monkeypatch: pytest.MonkeyPatch, set_up: SetUp
) -> None:
    with_lfs(project, data=NEWER)
    with_lfs(project, data=DATA)
    set_up(project, monkeypatch)
    copy = copy_of(project.root)
    users_git("checkout", "-q", "HEAD~2", cwd=copy)
    assert (copy / "data.bin").read_bytes() == NEWER


def test_a_changed_file_of_lfs_is_in_the_copies_and_in_patches_as_its_bytes(
    project: Project,
) -> None:
    with_lfs(project)
    project.write("data.bin", NEWER)
    project.write("new.bin", DATA + NEWER)
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    assert content(copy) == content(project.root)
    assert copies.diff(copy, base, session.index) == b""
    (copy / "data.bin").write_bytes(DATA + b"more")
    patch = copies.diff(copy, base, session.index)
    assert b"GIT binary patch" in patch
    fresh = copies.make(more_sessions(session, 1)[0], base)
    git.run("apply", "-", cwd=fresh, stdin=patch)
    assert (fresh / "data.bin").read_bytes() == DATA + b"more"


def test_content_that_only_the_checkout_has_is_in_the_copies(project: Project) -> None:
    with_lfs(project)
    (store,) = (project.root / ".git/lfs/objects").rglob(hashlib.sha256(DATA).hexdigest())
    store.unlink()
    project.remember()
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    assert (copy / "data.bin").read_bytes() == DATA
    assert base.lacking == ()
    assert copies.diff(copy, base, session.index) == b""


def test_content_that_was_never_fetched_is_named_with_the_way_to_get_it(project: Project) -> None:
    project.write(".gitattributes", ATTRIBUTES)
    for number in range(5):
        project.write(f"{number}.bin", pointer(b"%d" % number))
    project.commit()
    session, base = capture_it(project.root)
    assert content(copies.make(session, base)) == content(project.root)
    assert base.lacking == tuple(f"{number}.bin" for number in range(5))
    (note,) = base.notes
    assert note == (
        "0.bin, 1.bin, 2.bin and 2 more are but pointers in the copies: Git LFS has not fetched "
        "them; run `git lfs pull`"
    )


def test_a_store_in_another_place_is_found(project: Project, tmp_path: Path) -> None:
    with_lfs(project)
    (project.root / ".git/lfs").rename(tmp_path / "elsewhere")
    project.git("config", "lfs.storage", str(tmp_path / "elsewhere"))
    copy = copy_of(project.root)
    assert (copy / "data.bin").read_bytes() == DATA
    with_lfs(project, "other.bin", NEWER)


def test_lfs_in_a_submodule_is_captured_too(project: Project, tmp_path: Path) -> None:
    library = Project(tmp_path / "library")
    library.root.mkdir()
    library.git("init", "-q", "-b", "main", "--template=")
    with_lfs(library)
    place = str(library.root)
    project.git("-c", "protocol.file.allow=always", "submodule", "-q", "add", place, "sub")
    with_lfs(Project(project.root / "sub"))
    project.remember()
    assert content(copy_of(project.root)) == content(project.root)


def test_files_of_a_program_that_is_not_run_are_taken_as_they_are_on_disk(
    project: Project,
) -> None:
    project.git("config", "filter.secret.clean", "tr a-z n-za-m")
    project.git("config", "filter.secret.smudge", "tr a-z n-za-m")
    project.git("config", "filter.secret.required", "true")
    project.write(".gitattributes", "*.key filter=secret\n")
    project.write("service.key", "hello\n")
    project.commit()
    assert project.git("cat-file", "blob", "HEAD:service.key") == "uryyb"
    session, base = capture_it(project.root)
    copy = copies.make(session, base)
    assert content(copy) == content(project.root)
    (copy / "service.key").write_text("hello again\n")
    assert b"-hello\n+hello again\n" in copies.diff(copy, base, session.index)


def test_a_copy_that_was_only_half_made_has_no_patch(project: Project) -> None:
    session, base = capture_it(project.root)
    with pytest.raises(AgentFailure):
        copies.make(session, base.model_copy(update={"commit": "0" * 40}))
    assert not (session.copy / base.name).exists()
    assert copies.make(session, base) == session.copy / base.name
    assert [path.name for path in session.copy.iterdir()] == [base.name]
