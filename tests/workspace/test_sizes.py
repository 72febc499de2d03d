"""How much of the disk a copy takes, before anybody has worked in it."""

from __future__ import annotations

from bug_lsp.workspace import copies
from bug_lsp.workspace.blobs import checked_out_sizes
from tests.support.projects import Project, content

from .test_capture import capture_it
from .test_lfs import with_lfs


def _of(files: dict[str, tuple[str, bytes]]) -> list[int]:
    return sorted(len(data) for _, data in files.values())


def test_the_size_of_a_file_of_lfs_is_that_of_its_content(project: Project) -> None:
    with_lfs(project)
    session, base = capture_it(project.root)
    assert sorted(checked_out_sizes(base)) == _of(content(copies.make(session, base)))


def test_files_that_a_sparse_checkout_leaves_out_take_nothing(project: Project) -> None:
    project.write("assets/big.bin", b"\0" * 10_000)
    project.commit()
    project.git("sparse-checkout", "set", "shop")
    session, base = capture_it(project.root)
    assert sorted(checked_out_sizes(base)) == _of(content(copies.make(session, base)))
