"""Where the copies cannot be as the checkout is, that is said first, and nothing is concluded."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.projects import Project, change_files
from tests.support.runs import block

from . import terminal
from .shop import UNITTEST, shell, shop, shop_world
from .world import active, environment, site

MORE_TEST = (
    "import unittest\n{top}\n\n\n"
    "class MoreTest(unittest.TestCase):\n    def test_more(self):\n        {body}\n"
)


def with_test(project: Project, body: str, top: str = "") -> None:
    """Commit a test that passes in the checkout."""
    project.write("tests/test_more.py", MORE_TEST.format(top=top, body=body))
    project.commit("More tests")


def left_out(project: Project, name: str, text: str | bytes = "") -> None:
    """A file that git ignores and the user keeps out of copies."""
    with (project.root / ".gitignore").open("a") as file:
        file.write(f"{name}\n")
    project.commit("Ignore it")
    project.write(name, text)
    project.write(".worktreeinclude", f"!{name}\n")


def _generated(project: Project) -> str:
    project.write("shop/__init__.py", "from ._version import version\n")
    left_out(project, "shop/_version.py", "version = 1\n")
    return "shop/_version.py"


def _library(project: Project) -> str:
    load = "import ctypes\nimport pathlib\n\n"
    load += 'core = ctypes.CDLL(str(pathlib.Path(__file__).with_name("core.so")))\n'
    project.write("shop/__init__.py", load)
    left_out(project, "shop/core.so", b"\x7fELF")
    return "shop/core.so"


def _settings(project: Project) -> str:
    project.write("shop/__init__.py", 'KEY = open(".env.test").read()\n')
    left_out(project, ".env.test", "1\n")
    return ".env.test"


def _large_build(project: Project) -> str:
    project.write("shop/__init__.py", 'TABLE = open("dist/table.bin", "rb")\n')
    with (project.root / ".gitignore").open("a") as file:
        file.write("dist/\n")
    project.commit("Read the table")
    (project.root / "dist").mkdir()
    with (project.root / "dist/table.bin").open("wb") as file:
        file.truncate(101_000_000)
    return "dist"


NAMED_FIRST: tuple[Callable[[Project], str], ...] = (_generated, _library, _settings, _large_build)


def _name(made: Callable[..., object]) -> str:
    return made.__name__.strip("_")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("make", NAMED_FIRST, ids=_name)
def test_what_is_left_out_is_named_at_once_and_nothing_is_concluded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Project], str]
) -> None:
    project = shop(tmp_path / "shop")
    path = make(project)
    said = terminal.run(shop_world(project), monkeypatch)
    (first,) = [line for line in said.first if f"`{path}" in line]
    assert ".worktreeinclude" in first
    assert "setUpCommand" in first
    assert "nothing could be tried" in said.heading
    assert f"`{path}" in said.heading
    assert said.claims == []


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("node")
def test_packages_of_node_that_are_left_out_are_named_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop(tmp_path / "shop")
    test = 'require("pad")\nrequire("node:test")("pads", () => {})\n'
    project.write("a.test.js", test)
    project.write("package.json", '{"name": "shop", "scripts": {"test": "node --test"}}')
    left_out(project, "node_modules", "")
    (project.root / "node_modules").unlink()
    project.write("node_modules/pad/index.js", "")
    world = shop_world(project, "npm test")
    said = terminal.run(world, monkeypatch, "bisect,mends")
    assert any("`node_modules`" in line and "setUpCommand" in line for line in said.first)
    # The project's Python tests need none of them.
    assert set(said.claims) <= {"| passes |"}
    assert "- R1 `npm test` does not count: `node_modules" in said.text


@pytest.mark.timeout(240)
def test_a_set_up_command_that_fails_is_told_and_nothing_is_concluded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop(tmp_path / "shop")
    world = shop_world(project, settings={"setUpCommand": "echo no network; exit 4"})
    said = terminal.run(world, monkeypatch)
    assert "the set-up command did not succeed: it exited with 4: no network" in said.all
    assert said.claims == []
    assert "; nothing was run" in said.text


def _beside(project: Project) -> str:
    change_files(project.root.parent, {"fixtures/rows.txt": "1\n"})
    project.write("shop/__init__.py", 'ROWS = open("../" + "fixtures/rows.txt").read()\n')
    project.commit("Read the rows")
    return "`../fixtures/rows.txt` lies outside of the repository"


@pytest.mark.timeout(240)
def test_what_shows_only_when_tests_run_is_told_then_and_nothing_is_concluded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop(tmp_path / "shop")
    sentence = _beside(project)
    said = terminal.run(shop_world(project), monkeypatch)
    running = next(i for i, (_, line) in enumerate(said.lines) if line.startswith("Proof"))
    told = [line for _, line in said.lines[:running] if sentence in line]
    assert len(told) == 3, "each of the three that run tests says so before anything is proved"
    assert "nothing could be tried" in said.heading
    assert said.claims == []


@pytest.mark.timeout(240)
def test_who_blames_what_is_missing_in_the_copy_has_no_vote(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop(tmp_path / "shop")
    _generated(project)
    finding = {
        "claim": "there is no such module",
        "path": "shop/__init__.py",
        "line": 1,
        "quote": "from ._version import version",
        "confidence": 0.9,
    }
    answer = block({"rootCause": "shop/_version.py is missing.", "findings": [finding]})
    blames = shell(f"cat <<'END'\n{answer}\nEND\n")
    said = terminal.run(shop_world(project), monkeypatch, "blames,blames", blames=blames)
    assert "nothing could be tried" in said.heading
    assert said.claims == []


@pytest.mark.timeout(240)
def test_beside_agents_with_a_model_alone_the_copies_are_compared_and_it_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop(tmp_path / "shop")
    sentence = _beside(project)
    documents = "../../../*/output.md"
    waits = shell(f"until grep -qs 'own sake' {documents}; do sleep 0.2; done; echo done")
    terminal.run(shop_world(project), monkeypatch, "blames,blames", blames=waits)
    state = Path(os.environ["BUG_LSP_STATE_DIR"])
    texts = [path.read_text() for path in state.glob("workspaces/*/runs/*/sessions/*/output.md")]
    assert sum(f"tests fail for the copy's own sake: {sentence}" in text for text in texts) == 1


def _own_place(project: Project) -> tuple[str, dict[str, object]]:
    place = str(project.root / "tests")
    with_test(
        project,
        f"self.assertEqual(str(pathlib.Path(__file__).parent), {place!r})",
        "import pathlib\n",
    )
    return f"`{place}` is where the checkout is", {}


def _installed_folder(project: Project) -> tuple[str, dict[str, object]]:
    place = environment(project.root / ".venv")
    change_files(site(place), {"acme/__init__.py": ""})
    body = "pathlib.Path(acme.__file__).with_name('cache').write_text('1')"
    with_test(project, body, "import pathlib\n\nimport acme\n")
    return "acme/cache` can only be read from the copies", {"environ": active(place)}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("make", [_own_place, _installed_folder], ids=_name)
def test_a_test_that_cannot_pass_in_a_copy_speaks_against_no_patch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make
) -> None:
    project = shop(tmp_path / "shop")
    sentence, more = make(project)
    said = terminal.run(shop_world(project, **more), monkeypatch, "repair,mends")
    assert sentence in said.text
    assert "**FAILS**" not in said.text
    assert not re.search(r"tests/test_more\.py:\d", said.text)
    assert said.text.count("| passes | passes (1 test fails as on the snapshot") == 2


@pytest.mark.timeout(240)
def test_a_link_that_leads_out_of_the_repository_leads_there_from_the_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop(tmp_path / "shop")
    change_files(tmp_path, {"fixtures/rows.txt": "1\n"})
    (project.root / "data").symlink_to("../fixtures")
    (project.root / "more").symlink_to(tmp_path / "fixtures")
    body = "self.assertEqual(open('data/rows.txt').read(), open('more/rows.txt').read())"
    with_test(project, body)
    said = terminal.run(shop_world(project), monkeypatch, "repair,mends")
    assert said.text.count("| passes | passes |") == 2
    assert "on your code: 3 passed, 1 failed" in said.text


def test_a_file_that_is_left_out_is_told_of_where_patches_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a test makes of its absence need not name it."""
    project = shop(tmp_path / "shop")
    left_out(project, ".env", "RATE=1\n")
    said = terminal.run(shop_world(project, UNITTEST), monkeypatch, "mends,mends")
    assert "`.env` (left out by .worktreeinclude) is not in the copies" in said.text
