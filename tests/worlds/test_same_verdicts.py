"""In a copy each test says what it says in the checkout, and an agent's own command tests the copy.

One project for each way in which people keep their code and what it needs.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.projects import change_files
from tests.workspace.test_lfs import with_lfs

from .world import (
    CODE,
    PYTEST,
    TESTS,
    World,
    active,
    assert_same,
    checkout,
    copies,
    environment,
    site,
)

Make = Callable[[Path, pytest.MonkeyPatch], World]
IN_VENV = f".venv/bin/{PYTEST}"
FLAT = {
    "shop/__init__.py": "",
    "shop/price.py": CODE,
    "tests/test_price.py": TESTS.format(module="shop.price"),
}
SRC = {
    "src/shop/__init__.py": "",
    "src/shop/price.py": CODE,
    "tests/test_price.py": TESTS.format(module="shop.price"),
}


def pyproject(backend: str, name: str = "shop", more: str = "") -> str:
    requires = backend.partition(".")[0]
    return (
        f'[build-system]\nrequires = ["{requires}"]\nbuild-backend = "{backend}"\n'
        f'[project]\nname = "{name}"\nversion = "1"\n{more}'
    )


SETUPTOOLS = pyproject("setuptools.build_meta")
HATCH = pyproject("hatchling.build")


def pip(place: Path, project: Path, *options: str) -> None:
    """Install a project as editable into an environment, as pip does."""
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation",
            "--no-index", "--disable-pip-version-check", "--prefix", str(place), *options,
            "-e", str(project),
        ],
        check=True,
        env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
    )  # fmt: skip


def flat(tmp: Path, _: pytest.MonkeyPatch) -> World:
    environment(checkout(tmp / "shop", FLAT).root / ".venv")
    return World(tmp / "shop", IN_VENV, own=(PYTEST, PYTEST.removeprefix("python -m ")))


def _installed(tmp: Path, files: dict[str, str], *options: str, code: str) -> World:
    project = checkout(tmp / "shop", files, ignored="build/\n")
    place = environment(project.root / ".venv")
    pip(place, project.root, *options)
    plain = PYTEST.removeprefix("python -m ")
    return World(project.root, PYTEST, own=(IN_VENV, plain), code=code, environ=active(place))


def setuptools_src(tmp: Path, _: pytest.MonkeyPatch) -> World:
    return _installed(tmp, {**SRC, "pyproject.toml": SETUPTOOLS}, code="src/shop/price.py")


def setuptools_finder(tmp: Path, _: pytest.MonkeyPatch) -> World:
    mapping = '[tool.setuptools]\npackages = ["shop"]\npackage-dir = {shop = "lib"}\n'
    files = {
        "lib/__init__.py": "",
        "lib/price.py": CODE,
        "tests/test_price.py": TESTS.format(module="shop.price"),
        "pyproject.toml": SETUPTOOLS + mapping,
    }
    return _installed(tmp, files, code="lib/price.py")


def setuptools_strict(tmp: Path, _: pytest.MonkeyPatch) -> World:
    files = {**SRC, "pyproject.toml": SETUPTOOLS}
    strict = ("--config-settings", "editable_mode=strict")
    return _installed(tmp, files, *strict, code="src/shop/price.py")


def namespace_package(tmp: Path, _: pytest.MonkeyPatch) -> World:
    files = {
        "acme/shop/price.py": CODE,
        "tests/test_price.py": TESTS.format(module="acme.shop.price"),
        "pyproject.toml": SETUPTOOLS + '[tool.setuptools]\npackages = ["acme.shop"]\n',
    }
    return _installed(tmp, files, code="acme/shop/price.py")


def hatchling(tmp: Path, _: pytest.MonkeyPatch) -> World:
    return _installed(tmp, {**SRC, "pyproject.toml": HATCH}, code="src/shop/price.py")


def uv(tmp: Path, _: pytest.MonkeyPatch) -> World:
    project = checkout(tmp / "shop", {**SRC, "pyproject.toml": HATCH})
    place = environment(project.root / ".venv")
    command = (
        "uv", "pip", "install", "-q", "--offline", "--no-deps", "--no-build-isolation",
        "--python", f"{place}/bin/python", "-e", str(project.root),
    )  # fmt: skip
    tool = Path(sys.executable).parent / command[0]
    subprocess.run([tool, *command[1:]], check=True)
    return World(project.root, IN_VENV, own=(PYTEST,), code="src/shop/price.py")


def _monorepo(tmp: Path) -> Path:
    files: dict[str, str] = {}
    for name, uses in (("alpha", ""), ("beta", "alpha"), ("gamma", "beta")):
        home = f"packages/{name}"
        code = f"from {uses}.price import broken, works\n" if uses else CODE
        files |= {
            f"{home}/pyproject.toml": pyproject("hatchling.build", name),
            f"{home}/src/{name}/__init__.py": "",
            f"{home}/src/{name}/price.py": code,
            f"{home}/tests/test_{name}.py": TESTS.format(module=f"{name}.price"),
        }
    root = checkout(tmp / "mono", files).root
    place = environment(root / ".venv")
    for name in ("alpha", "beta", "gamma"):
        pip(place, root / "packages" / name)
    return root


def monorepo(tmp: Path, _: pytest.MonkeyPatch) -> World:
    code = "packages/alpha/src/alpha/price.py"
    return World(_monorepo(tmp), f"{IN_VENV} packages", own=(f"{PYTEST} packages",), code=code)


def folder_of_a_monorepo(tmp: Path, _: pytest.MonkeyPatch) -> World:
    """A package is worked in whose code is that of another package, outside of the folder."""
    root = _monorepo(tmp)
    change_files(root / "packages/gamma/tasks", {"bug.md": "# It is broken\n"})
    return World(
        root,
        f"../../{IN_VENV}",
        own=(PYTEST,),
        code="../alpha/src/alpha/price.py",
        folder="packages/gamma",
        task="packages/gamma/tasks/bug.md",
    )


def conda(tmp: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    place = environment(tmp / "conda/envs/shop")
    (place / "conda-meta").mkdir()
    change_files(site(place), {"acme/__init__.py": "RATE = 1\n"})
    code = {**FLAT, "shop/price.py": f"import acme\n\n\n{CODE}"}
    checkout(tmp / "shop", code)
    environ = {"CONDA_PREFIX": str(place), "CONDA_DEFAULT_ENV": "shop"}
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)
    return World(tmp / "shop", PYTEST, environ={**environ, "PATH": active(place)["PATH"]})


def poetry(tmp: Path, _: pytest.MonkeyPatch) -> World:
    place = environment(tmp / "home/.cache/pypoetry/virtualenvs/shop-abc123-py3.11")
    (site(place) / "shop.pth").write_text(f"{tmp}/shop/src\n")
    tool = tmp / "bin/poetry"
    change_files(tmp, {"bin/poetry": f'#!/bin/sh\nshift\nPATH={place}/bin:$PATH exec "$@"\n'})
    tool.chmod(0o755)
    checkout(tmp / "shop", {**SRC, "pyproject.toml": '[tool.poetry]\nname = "shop"\n'})
    path = f"{tmp}/bin:{os.environ['PATH']}"
    return World(
        tmp / "shop",
        f"poetry run {PYTEST}",
        own=(PYTEST, PYTEST.removeprefix("python -m ")),
        code="src/shop/price.py",
        environ={"PATH": path},
    )


def tox_alone(tmp: Path, _: pytest.MonkeyPatch) -> World:
    files = {**SRC, "tox.ini": "[tox]\nenvlist = py311\n"}
    root = checkout(tmp / "shop", files, ignored=".tox/\n").root
    place = environment(root / ".tox/py311")
    (site(place) / "__editable__.shop.pth").write_text(f"{root}/src\n")
    return World(root, f".tox/py311/bin/{PYTEST}", own=(PYTEST,), code="src/shop/price.py")


def compiled_extension(tmp: Path, _: pytest.MonkeyPatch) -> World:
    test = "from shop._core import half\n\n\ndef test_core():\n    assert half(4) == 2\n"
    source = "int half(int n) { return n / 2; }\n"
    load = (
        "import ctypes\nimport pathlib\n\n"
        'half = ctypes.CDLL(str(pathlib.Path(__file__).with_name("core.so"))).half\n'
    )
    files = {**FLAT, "shop/core.c": source, "shop/_core.py": load, "tests/test_core.py": test}
    root = checkout(tmp / "shop", files, ignored="*.so\n").root
    subprocess.run(
        ["cc", "-shared", "-fPIC", "-o", "core.so", "core.c"], cwd=root / "shop", check=True
    )
    environment(root / ".venv")
    return World(root, IN_VENV, own=(PYTEST,))


def generated_modules(tmp: Path, _: pytest.MonkeyPatch) -> World:
    files = {
        **FLAT,
        "shop/__init__.py": "from ._version import version\nfrom .proto.order_pb2 import Order\n",
    }
    root = checkout(tmp / "shop", files, ignored="_version.py\n*_pb2.py\n").root
    generated = {"_version.py": "version = 1\n", "proto/order_pb2.py": "class Order: ...\n"}
    change_files(root / "shop", generated)
    environment(root / ".venv")
    return World(root, IN_VENV, own=(PYTEST,))


def local_files(tmp: Path, _: pytest.MonkeyPatch) -> World:
    test = (
        "import pathlib\n\n\n"
        "def test_settings():\n    assert 'KEY=1' in pathlib.Path('.env').read_text()\n\n\n"
        "def test_rows():\n    here = pathlib.Path(__file__).parent\n"
        "    assert len(list((here / 'data').glob('*/*.csv'))) == 2\n"
    )
    files = {**FLAT, "tests/test_local.py": test}
    root = checkout(tmp / "shop", files, ignored=".env\ndata/\n").root
    rows = {"tests/data/one/rows.csv": "1\n", "tests/data/two/rows.csv": "2\n"}
    change_files(root, {".env": "KEY=1\n", **rows})
    environment(root / ".venv")
    return World(root, IN_VENV, own=(PYTEST,))


_LEADS_OUT = """
import pathlib
import subprocess
import sys

sys.path.insert(0, "../lib")
import rates

HERE = pathlib.Path(__file__)


def git(*words):
    return subprocess.run(["git", *words], text=True, stdout=subprocess.PIPE).stdout.strip()


def test_beside():
    assert rates.RATE == 1
    assert (HERE.parents[2] / "fixtures" / "rows.csv").read_text() == "1\\n"


def test_empty_folder():
    pathlib.Path("uploads/one").write_text("1")


def test_git():
    assert git("rev-parse", "--abbrev-ref", "HEAD") == "trunk"
    assert git("describe", "--tags", "--abbrev=0") == "v1.0"
"""


def beside_the_repository(tmp: Path, _: pytest.MonkeyPatch) -> World:
    """What is beside the checkout, folders without a file, a tag and a branch."""
    project = checkout(tmp / "shop", {**FLAT, "tests/test_out.py": _LEADS_OUT})
    change_files(tmp, {"lib/rates.py": "RATE = 1\n", "fixtures/rows.csv": "1\n"})
    project.git("checkout", "-q", "-b", "trunk")
    project.git("tag", "v1.0")
    (project.root / "uploads").mkdir()
    environment(project.root / ".venv")
    return World(project.root, IN_VENV, own=(PYTEST,))


def large_files(tmp: Path, _: pytest.MonkeyPatch) -> World:
    test = (
        "import pathlib\n\n\n"
        "def test_data():\n    assert len(pathlib.Path('data.bin').read_bytes()) == 15000\n"
    )
    project = checkout(tmp / "shop", {**FLAT, "tests/test_data.py": test})
    with_lfs(project)
    environment(project.root / ".venv")
    return World(project.root, IN_VENV, own=(PYTEST,))


def sparse_checkout(tmp: Path, _: pytest.MonkeyPatch) -> World:
    project = checkout(tmp / "shop", {**FLAT, "other/large.txt": "x" * 10_000})
    project.git("sparse-checkout", "set", "shop", "tests", "tasks")
    assert not (project.root / "other").exists()
    environment(project.root / ".venv")
    return World(project.root, IN_VENV, own=(PYTEST,))


JS_TEST = (
    'const test = require("node:test")\nconst assert = require("node:assert")\n'
    'const {{ works, broken }} = require("{module}")\n{more}\n'
    'test("works", () => assert.equal(works(), "works"))\n'
    'test("broken", () => assert.equal(broken(), "fixed"))\n'
)
JS_CODE = 'exports.works = () => "works"\nexports.broken = () => "broken"\n'
NODE = '"scripts": {"test": "node --test --test-reporter=tap"}'


def node_modules(tmp: Path, _: pytest.MonkeyPatch) -> World:
    pads = 'const pad = require("pad")\ntest("pads", () => assert.equal(pad(5, 3), "  5"))\n'
    files = {
        "package.json": f'{{"name": "shop", {NODE}}}',
        "price.js": JS_CODE,
        "test/price.test.js": JS_TEST.format(module="../price", more=pads),
    }
    root = checkout(tmp / "shop", files, ignored="node_modules/\n").root
    change_files(
        root, {"node_modules/pad/index.js": "module.exports = (s, n) => String(s).padStart(n)\n"}
    )
    return World(
        root,
        "npm test",
        own=("npm run test", "npx --no-install node --test --test-reporter=tap"),
        code="price.js",
    )


def npm_workspaces(tmp: Path, _: pytest.MonkeyPatch) -> World:
    files = {
        "package.json": f'{{"name": "shop", "workspaces": ["packages/*"], {NODE}}}',
        "packages/own/package.json": '{"name": "@shop/own", "main": "index.js"}',
        "packages/own/index.js": JS_CODE,
        "packages/app/package.json": '{"name": "app"}',
        "packages/app/app.test.js": JS_TEST.format(module="@shop/own", more=""),
    }
    root = checkout(tmp / "shop", files, ignored="node_modules/\n").root
    change_files(root, {"node_modules/.bin/pad": "", "node_modules/pad/index.js": ""})
    (root / "node_modules/@shop").mkdir()
    (root / "node_modules/@shop/own").symlink_to("../../packages/own")
    (root / "node_modules/app").symlink_to("../packages/app")
    return World(root, "npm test", code="packages/own/index.js")


PYTHON: tuple[Make, ...] = (
    flat, setuptools_src, setuptools_finder, setuptools_strict, namespace_package, hatchling, uv,
    monorepo, folder_of_a_monorepo, conda, poetry, tox_alone, compiled_extension,
    generated_modules, local_files, beside_the_repository, large_files, sparse_checkout,
)  # fmt: skip
NODES: tuple[Make, ...] = (node_modules, npm_workspaces)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("make", PYTHON, ids=lambda make: make.__name__)
def test_pytest_says_in_a_copy_what_it_says_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    run = assert_same(make(tmp_path, monkeypatch), monkeypatch)
    if make is sparse_checkout:
        assert not any((copy / "other").exists() for copy in copies(run))


@pytest.mark.timeout(240)
@pytest.mark.usefixtures("node")
@pytest.mark.parametrize("make", NODES, ids=lambda make: make.__name__)
def test_npm_test_says_in_a_copy_what_it_says_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Make
) -> None:
    assert_same(make(tmp_path, monkeypatch), monkeypatch)
