"""What git ignores and what is installed: generated modules, environments, node_modules."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from bug_lsp.domain.proof import Cell
from tests.support.projects import Project, change_files
from tests.support.runs import Started, block

from .shop import FIXED, UNITTEST, all_complete, fixes, shell, shop, shop_world
from .world import World, active, checkout, debug, document, environment, proof_of, site

BUILT_IN = ("spectrum", "repair", "bisect")
PYTEST = "python -m pytest -q -p no:cacheprovider"


def cells(run: Started, number: int) -> list[Cell]:
    """What a session's patch came to."""
    session = run.status.sessions[number].session_id
    return [cell for cell in proof_of(run).cells if cell.session_id == session]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("made_by", ["the user's build", "the set-up command"])
def test_a_generated_module_is_in_the_copies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made_by: str
) -> None:
    project = shop(tmp_path / "shop", ignored="shop/_version.py\n")
    project.write("shop/__init__.py", "from ._version import version\n")
    project.commit("Version by setuptools-scm")
    settings = {}
    if made_by == "the set-up command":
        settings["set_up_command"] = "echo version = 1 > shop/_version.py"
    else:
        project.write("shop/_version.py", 'version = "1.2.3.dev4"\n')
    world = shop_world(project, settings=settings)
    run = debug(world, monkeypatch, *BUILT_IN, fixes())
    all_complete(run)
    assert "proven: with a patch at shop/price.py:9 the failing tests pass" in run.text
    assert {cell.outcome for cell in cells(run, 3)} == {"passed"}
    assert "Simplify" in document(run, 2)


@pytest.mark.timeout(240)
def test_who_breaks_or_mends_the_copy_sees_it_in_an_editable_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop(tmp_path / "shop")
    project.git("mv", "shop", "src")
    change_files(project.root, {"src/shop/.keep": ""})
    for name in ("__init__.py", "price.py"):
        (project.root / "src" / name).rename(project.root / "src/shop" / name)
    project.commit("src layout")
    place = environment(project.root / ".venv")
    (site(place) / "__editable__.shop.pth").write_text(f"{project.root}/src\n")
    tests = f"{PYTEST} 2>&1 | tail -3; python -c 'import shop.price; print(shop.price.__file__)'"
    mends = shell(f"sed -i 's/result + d/result - d/' src/shop/price.py; {tests}")
    breaks = shell(f"sed -i 's/return result/return 1 \\/ 0 + result/' src/shop/price.py; {tests}")
    world = shop_world(project, PYTEST, environ=active(place))
    run = debug(world, monkeypatch, mends, breaks)
    assert "3 passed" in run.result(0).message
    assert "2 failed, 1 passed" in run.result(1).message
    for number in range(2):
        (copy,) = run.sessions[number].copy.glob("[!.]*")
        assert f"{copy}/src/shop/price.py" in run.result(number).message
    assert "`import shop` comes from the copy" in run.output(0)
    assert {cell.outcome for cell in cells(run, 0)} == {"passed"}
    assert {cell.outcome for cell in cells(run, 1)} == {"failed"}


def _conda(place: Path, _: Project) -> dict[str, str]:
    (place / "conda-meta").mkdir()
    path = active(place)["PATH"]
    return {"CONDA_PREFIX": str(place), "CONDA_DEFAULT_ENV": "shop", "PATH": path}


def _named(place: Path, _: Project) -> dict[str, str]:
    return {"TEST_COMMAND": f"{place}/bin/{PYTEST}"}


def _poetry(place: Path, project: Project) -> dict[str, str]:
    kept = project.root.parent / "home/.cache/pypoetry/virtualenvs/shop-abc123-py3.11"
    kept.parent.mkdir(parents=True)
    kept.symlink_to(place)
    tool = project.root.parent / "tools/poetry"
    change_files(tool.parent, {"poetry": f'#!/bin/sh\nshift\nPATH={place}/bin:$PATH exec "$@"\n'})
    tool.chmod(0o755)
    project.write("pyproject.toml", '[tool.poetry]\nname = "shop"\n')
    path = f"{tool.parent}:{os.environ['PATH']}"
    return {"TEST_COMMAND": "poetry run pytest -q", "PATH": path}


def _uv(place: Path, _: Project) -> dict[str, str]:
    return {"UV_PROJECT_ENVIRONMENT": str(place)}


def _active(place: Path, _: Project) -> dict[str, str]:
    return {"VIRTUAL_ENV": str(place)}


def _link(place: Path, project: Project) -> dict[str, str]:
    (project.root / ".venv").symlink_to(place)
    return {}


def _beside(place: Path, project: Project) -> dict[str, str]:
    place.rename(project.root.parent / "env")
    place.symlink_to(project.root.parent / "env")
    return {"TEST_COMMAND": f"../env/bin/{PYTEST}"}


@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    "way",
    [_conda, _named, _poetry, _uv, _active, _link, _beside],
    ids=lambda way: way.__name__.strip("_"),
)
def test_tests_run_in_the_environment_that_has_what_they_need(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way
) -> None:
    project = shop(tmp_path / "shop")
    project.write(
        "shop/price.py",
        f"import acme\n\n\n{FIXED}".replace("result - discount", "result + discount"),
    )
    project.commit("Needs acme")
    place = environment(tmp_path / "envs/shop")
    change_files(site(place), {"acme/__init__.py": "RATE = 1\n"})
    environ = way(place, project)
    command = environ.pop("TEST_COMMAND", PYTEST)
    run = debug(shop_world(project, command, environ=environ), monkeypatch, *BUILT_IN)
    all_complete(run)
    assert "proven: with a patch at shop/price.py:12 the" in run.text
    assert {cell.outcome for cell in cells(run, 1)} == {"passed"}


JS = (
    'const pad = require("pad")\n\nfunction total(prices, discount = 0) {\n'
    "  return prices.reduce((a, b) => a + b, 0) - discount\n}\n\n"
    "module.exports = { total, line: (n) => pad(n, 8) }\n"
)
JS_TESTS = (
    'const test = require("node:test")\nconst assert = require("node:assert")\n'
    'const { total, line } = require("../price")\n\n'
    'test("discount", () => assert.equal(total([10, 20], 5), 25))\n'
    'test("line", () => assert.equal(line(5).length, 8))\n'
)
JS_REPORT = {
    "rootCause": "The discount is added.",
    "findings": [
        {
            "claim": "adds",
            "path": "price.js",
            "line": 4,
            "quote": "  return prices.reduce((a, b) => a + b, 0) + discount",
            "confidence": 0.9,
        }
    ],
}


def node_shop(root: Path) -> Project:
    """A shop in JavaScript, with a package that is installed."""
    files = {
        "package.json": '{"name": "shop", "scripts": {"test": "node --test"}}',
        "test/price.test.js": JS_TESTS,
        "price.js": JS,
    }
    project = checkout(root, files, ignored="node_modules/\n")
    project.write("node_modules/pad/index.js", "module.exports = (s, n) => `${s}`.padStart(n)\n")
    project.write("NOTES", "notes\n")
    project.commit("Notes")
    project.write("price.js", JS.replace(", 0) - ", ", 0) + "))
    project.commit("Shorten")
    project.write("NOTES", "yet more\n")
    project.commit("Notes again")
    return project


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("set_up", [False, True], ids=["linked", "set up"])
def test_npm_test_tries_patches_and_finds_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_up: bool
) -> None:
    project = node_shop(tmp_path / "shop")
    settings = {}
    if set_up:
        shutil.move(project.root / "node_modules", tmp_path / "packages")
        settings["set_up_command"] = f"cp -r {tmp_path}/packages node_modules"
    tests = "npm test 2>&1 | grep -E '^. (pass|fail)'"
    answer = block(JS_REPORT)
    right = shell(f"sed -i 's/, 0) + /, 0) - /' price.js; {tests}; cat <<'END'\n{answer}\nEND\n")
    wrong = shell("sed -i 's/, 0) + discount/, 0) + 1/' price.js; echo done")
    world = World(project.root, "npm test", settings=settings)
    run = debug(world, monkeypatch, "bisect", right, wrong)
    assert "pass 2" in run.output(1)
    assert "fail 0" in run.output(1)
    assert "Shorten" in run.text
    assert {cell.outcome for cell in cells(run, 1)} == {"passed"}
    assert {cell.outcome for cell in cells(run, 2)} == {"failed"}


def test_bisect_does_not_call_a_bug_old_for_want_of_what_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = node_shop(tmp_path / "shop")
    project.write("check.js", 'process.exit(require("./price").total([10], 5) === 5 ? 0 : 1)\n')
    project.commit("Check")
    run = debug(World(project.root, "node check.js"), monkeypatch, "bisect")
    all_complete(run)
    assert "Shorten" in document(run)


@pytest.mark.timeout(240)
def test_an_environment_that_git_does_not_ignore_is_no_part_of_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state_dir: Path
) -> None:
    project = shop(tmp_path / "shop")
    place = environment(project.root / "env2")
    settings = 'import os\n\n\ndef get():\n    raise RuntimeError("not configured")\n'
    change_files(site(place), {"conf/__init__.py": settings, "conf/big.py": "x = 1\n" * 300_000})
    project.write("shop/price.py", f"import conf\n\nconf.get()\n\n\n{FIXED}")
    project.git("commit", "-qam", "Needs conf")
    run = debug(shop_world(project), monkeypatch, "spectrum")
    assert "env2/lib" not in run.text.partition("## Checked by program")[0]
    kept = sum(path.lstat().st_size for path in state_dir.rglob("*") if path.is_file())
    assert kept < 1_500_000


@pytest.mark.timeout(240)
def test_the_interpreter_in_a_folder_of_tox_that_the_command_names_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = shop(tmp_path / "shop", ignored=".tox/\n")
    place = environment(project.root / ".tox/py311")
    change_files(site(place), {"onlyhere.py": "VALUE = 1\n"})
    project.write("shop/__init__.py", "import onlyhere\n")
    project.commit("Needs what tox installs")
    command = f".tox/py311/bin/{UNITTEST} tests.test_price"
    run = debug(shop_world(project, command), monkeypatch, *BUILT_IN)
    all_complete(run)
    assert "proven: with a patch at shop/price.py:9 the" in run.text
