"""What a copy gets of the files that git ignores, and in which way."""

from __future__ import annotations

from pathlib import Path

import pytest

from bug_lsp.domain.copy_contents import CopyContents
from bug_lsp.workspace import ignored
from bug_lsp.workspace.extras import Source, bring
from tests.support.projects import change_files, fingerprint, git

IGNORES = """\
_version.py
*.so
.env*
node_modules/
.venv/
__pycache__/
data/
target/
dist/
*.log
local.toml
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with a little of all that is usually ignored."""
    root = tmp_path / "shop"
    root.mkdir()
    git("init", "-q", cwd=root)
    change_files(
        root,
        {
            ".gitignore": IGNORES,
            "shop/__init__.py": "from ._version import version\n",
            "shop/_version.py": "version = 1\n",
            "shop/_core.cpython-311.so": b"\x7fELF",
            "shop/__pycache__/x.pyc": b"x",
            ".env": "KEY=secret\n",
            ".env.local": "PORT=1\n",
            "local.toml": "debug = true\n",
            "debug.log": "log\n",
            "data/rows.csv": "1,2\n",
            "node_modules/pad/index.js": "module.exports = 1\n",
            "node_modules/@shop/own/package.json": "{}",
            "node_modules/.cache/x": "x",
            "packages/own/index.js": "module.exports = 2\n",
            ".venv/pyvenv.cfg": "home = /usr/bin\n",
            ".venv/lib/x.py": "x = 1\n",
            "target/debug/app": b"app",
        },
    )
    (root / "node_modules/own").symlink_to("../packages/own")
    (root / "node_modules/.bin").mkdir()
    (root / "node_modules/.bin/pad").symlink_to("../pad/index.js")
    git("add", "-A", cwd=root)
    git("commit", "-qm", "all", cwd=root)
    return root


def ways(contents: CopyContents) -> dict[str, str]:
    return {extra.path: extra.way for extra in contents.extras}


def test_small_files_are_copied_dependencies_linked_and_caches_left_alone(checkout: Path) -> None:
    assert ways(ignored.plan(checkout)) == {
        ".env": "copied",
        ".env.local": "copied",
        "local.toml": "copied",
        "shop/_version.py": "copied",
        "shop/_core.cpython-311.so": "copied",
        "data": "copied",
        "target": "copied",
        "node_modules": "linked",
        ".venv": "linked",
    }


def test_what_is_too_large_to_be_copied_is_linked_and_a_build_is_left_out(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ignored, "FOLDER_LIMIT", 2)
    monkeypatch.setattr(ignored, "FILE_LIMIT", 11)
    change_files(checkout, {"dist/app.js": "12345"})
    contents = ignored.plan(checkout)
    assert ways(contents)["data"] == "linked"
    assert ways(contents)["shop/_version.py"] == "linked"
    assert ways(contents)["dist"] == "leftOut"
    assert "target" not in ways(contents), "cargo makes it again"
    [sentence] = contents.lacking()
    assert sentence.startswith("`dist` (ignored by git, more than 2 bytes) is not in the copies")
    assert ".worktreeinclude" in sentence
    assert "setUpCommand" in sentence


def test_the_user_says_what_is_brought_besides_and_what_is_not(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ignored, "FOLDER_LIMIT", 2)
    change_files(
        checkout,
        {
            ".worktreeinclude": "# bring\ndist/\n*.log\nREADME.md\n\n!.env.local\n",
            "dist/app.js": "12345",
            "README.md": "tracked",
        },
    )
    git("add", "README.md", cwd=checkout)
    contents = ignored.plan(checkout, include=["!_version.py"])
    found = ways(contents)
    assert found["dist"] == "copied"
    assert found["debug.log"] == "copied"
    assert found[".env.local"] == found["shop/_version.py"] == "leftOut"
    assert found[".env"] == "copied"
    assert "README.md" not in found, "it is tracked"


def test_a_copy_has_its_own_files_and_links_that_lead_into_it(
    checkout: Path, tmp_path: Path
) -> None:
    before = fingerprint(checkout)
    copy = tmp_path / "copies" / "shop"
    change_files(copy, {"packages/own/index.js": "module.exports = 3\n"})
    assert bring([Source(checkout, ignored.plan(checkout))], copy) == []
    assert (copy / "shop/_version.py").read_text() == "version = 1\n"
    assert not (copy / "shop/_version.py").is_symlink()
    modules = copy / "node_modules"
    assert not modules.is_symlink(), "what git ignores as a folder must stay a folder"
    assert (modules / "pad").readlink() == checkout / "node_modules/pad"
    assert (modules / "own/index.js").resolve() == copy / "packages/own/index.js"
    assert (modules / ".bin/pad").resolve() == checkout / "node_modules/pad/index.js"
    assert not (modules / "@shop").is_symlink()
    assert (modules / "@shop/own/package.json").read_text() == "{}"
    assert not (modules / ".cache").exists(), "tools write to it"
    assert (copy / ".venv/pyvenv.cfg").read_text() == "home = /usr/bin\n"
    assert not (copy / "shop/__pycache__").exists()
    (copy / "shop/_version.py").write_text("version = 2\n")
    (modules / "pad").unlink()
    assert fingerprint(checkout) == before, "nothing that a copy does hurts the original"


def test_what_is_left_out_of_a_folder_is_not_in_its_copy(checkout: Path, tmp_path: Path) -> None:
    change_files(
        checkout,
        {
            ".worktreeinclude": "!data/secret.csv\n!node_modules/pad\n",
            "data/secret.csv": "1",
            "node_modules/left/index.js": "1",
        },
    )
    copy = tmp_path / "copy"
    bring([Source(checkout, ignored.plan(checkout))], copy)
    assert (copy / "data/rows.csv").exists()
    assert not (copy / "data/secret.csv").exists()
    assert (copy / "node_modules/left").exists()
    assert not (copy / "node_modules/pad").exists()


def test_what_is_in_the_copy_already_stays_and_no_link_leads_out_of_it(
    checkout: Path, tmp_path: Path
) -> None:
    copy, elsewhere = tmp_path / "copy", tmp_path / "elsewhere"
    elsewhere.mkdir()
    change_files(copy, {".env": "KEY=own\n"})
    (copy / "shop").symlink_to(elsewhere)
    bring([Source(checkout, ignored.plan(checkout))], copy)
    assert (copy / ".env").read_text() == "KEY=own\n"
    assert list(elsewhere.iterdir()) == []


def test_ignored_files_of_a_repository_inside_are_brought_too(
    checkout: Path, tmp_path: Path
) -> None:
    inner = checkout / "libs/inner"
    change_files(inner, {"a.py": "a = 1\n", ".gitignore": "_gen.py\n", "_gen.py": "g = 1\n"})
    git("init", "-q", cwd=inner)
    git("add", "-A", cwd=inner)
    git("commit", "-qm", "inner", cwd=inner)
    git("add", "-A", cwd=checkout)
    assert ways(ignored.plan(checkout))["libs/inner/_gen.py"] == "copied"


def test_the_first_of_too_many_is_named_as_one_of_them(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ignored, "_MOST_EXTRAS", 3)
    extras = ignored.plan(checkout).extras
    assert [extra.way for extra in extras] == ["copied", "copied", "copied", "leftOut"]
    assert extras[-1].reason.startswith("one of 6 ignored files beyond 3")


def test_a_folder_that_is_no_repository_has_nothing_that_is_ignored(tmp_path: Path) -> None:
    change_files(tmp_path / "plain", {"a.py": "a = 1\n"})
    assert ignored.plan(tmp_path / "plain") == CopyContents()


def test_odd_names_are_brought(checkout: Path, tmp_path: Path) -> None:
    change_files(checkout, {"a\nb.so": b"1", "ü [x]*.so": b"2", "tab\t.so": b"3"})
    copy = tmp_path / "copy"
    bring([Source(checkout, ignored.plan(checkout))], copy)
    assert {(copy / name).read_bytes() for name in ("a\nb.so", "ü [x]*.so", "tab\t.so")} == {
        b"1", b"2", b"3",
    }  # fmt: skip


def test_links_that_lead_out_of_the_checkout_lead_to_the_same_places(
    checkout: Path, tmp_path: Path
) -> None:
    change_files(tmp_path, {"fixtures/rows.txt": "1", "env/bin/python": "", "notes.txt": "n"})
    (checkout / "rows").symlink_to("../fixtures")
    (checkout / "inner").symlink_to("shop")
    (checkout / "nowhere").symlink_to("../nothing")
    git("add", "-A", cwd=checkout)
    (checkout / ".env.notes").symlink_to("../notes.txt")
    (checkout / "venv").symlink_to("../env")
    contents = ignored.plan(checkout)
    found = ways(contents)
    assert found["rows"] == found["venv"] == "linked"
    assert not {"inner", "nowhere"} & found.keys()
    copy = tmp_path / "session/copies/shop"
    copy.mkdir(parents=True)
    (copy / "rows").symlink_to("../fixtures")
    assert bring([Source(checkout, contents)], copy) == []
    assert (copy / "rows/rows.txt").read_text() == "1"
    assert (copy / ".env.notes").read_text() == "n"
    assert (copy / "venv/bin/python").exists()


def test_a_log_among_the_files_of_tests_is_one_that_they_read(checkout: Path) -> None:
    change_files(checkout, {"tests/in.log": "1", "src/out.log": "2"})
    found = ways(ignored.plan(checkout))
    assert found["tests/in.log"] == "copied"
    assert "src/out.log" not in found


def test_what_lies_beside_the_checkout_comes_if_it_is_named_by_a_path_that_leads_out(
    checkout: Path, tmp_path: Path
) -> None:
    change_files(
        tmp_path,
        {
            "lib/a.py": "A = 1\n",
            "fixtures/rows.csv": "1\n",
            "golden/x": "1\n",
            "expected.txt": "1\n",
            "unnamed/x": "1\n",
            ".hidden/x": "1\n",
            "shop/tests/test_a.py": (
                'sys.path.insert(0, "../../lib")\nROWS = HERE.parents[2] / "fixtures"\n'
                'GOLDEN = os.path.join(HERE, "..", "golden")\n'
                'EXPECTED = HERE.parent / "expected.txt"\nX = "../.hidden"\n'
            ),
        },
    )
    planned = ignored.plan(checkout)
    beside = [extra.path for extra in planned.extras if extra.path.startswith("..")]
    assert beside == ["../expected.txt", "../fixtures", "../golden", "../lib"]
    copy = tmp_path / "state" / "shop"
    copy.mkdir(parents=True)
    assert bring([Source(checkout, planned)], copy) == []
    assert (copy / "../lib/a.py").read_text() == "A = 1\n"
    assert (copy / "../expected.txt").read_text() == "1\n"
    assert sorted(path.name for path in copy.parent.iterdir()) == [
        "expected.txt", "fixtures", "golden", "lib", "shop"
    ]  # fmt: skip


def test_a_folder_without_a_file_comes_and_what_is_written_there_is_new(checkout: Path) -> None:
    (checkout / "uploads/inner").mkdir(parents=True)
    (extra,) = [one for one in ignored.plan(checkout).extras if one.path == "uploads"]
    assert extra.is_empty_folder
    assert not any("uploads" in sentence for sentence in ignored.plan(checkout).sentences())
