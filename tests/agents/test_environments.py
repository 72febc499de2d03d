from __future__ import annotations

import base64
import hashlib
import os
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bug_lsp.agents.python_tests.environments import (
    Interpreter,
    Wanted,
    check_python,
    find_interpreter,
)
from bug_lsp.domain.errors import BadInput

REAL = Path(sys.executable).resolve()
THIS = f"{sys.version_info.major}.{sys.version_info.minor}"


def make(folder: Path, *, conda: bool = False, version: str = THIS) -> Path:
    """An environment as small as it can be; returns its interpreter."""
    (folder / "bin").mkdir(parents=True)
    if conda:
        (folder / "conda-meta").mkdir()
    else:
        (folder / "pyvenv.cfg").write_text(f"home = {REAL.parent}\nversion = {version}.1\n")
    python = folder / "bin/python"
    python.symlink_to(REAL)
    return python


def short(root: Path, kind: str = "sha256") -> str:
    digest = hashlib.new(kind, str(root.resolve()).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode()[:8]


@dataclass
class World:
    """A user's home, their checkout, their variables."""

    home: Path
    root: Path
    environ: dict[str, str]

    def write(self, name: str, text: str = "") -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def find(self, command: str | None = None, folder: str = ".", **more: str) -> Interpreter:
        workspace = self.root / folder if folder != "." else self.root
        return find_interpreter(
            Wanted(workspace, self.root, command=command, environ=self.environ, **more)
        )


@pytest.fixture
def world(tmp_path: Path) -> World:
    root = tmp_path / "shop"
    (root / "tests").mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    home = tmp_path / "home"
    return World(home, root, {"HOME": str(home), "PATH": str(tmp_path / "bin")})


def venv(name: str) -> Callable[[World], Path]:
    return lambda world: make(world.root / name)


def linked(world: World) -> Path:
    make(world.home / "env")
    (world.root / ".venv").symlink_to(world.home / "env")
    return world.root / ".venv/bin/python"


def conda_in_project(world: World) -> Path:
    return make(world.root / "my-env", conda=True)


def active(variable: str, *, conda: bool = False) -> Callable[[World], Path]:
    def set_up(world: World) -> Path:
        world.environ[variable] = str(world.home / "env")
        return make(world.home / "env", conda=conda)

    return set_up


def uv_elsewhere(world: World) -> Path:
    world.environ["UV_PROJECT_ENVIRONMENT"] = "../uv-env"
    make(world.root.parent / "uv-env")
    return world.root / "../uv-env/bin/python"


def poetry(name: str, *others: str) -> Callable[[World], Path]:
    def set_up(world: World) -> Path:
        world.write("pyproject.toml", '[tool.poetry]\nname = "Shop"\n')
        folder = world.home / ".cache/pypoetry/virtualenvs"
        for other in others:
            make(folder / other)
        return make(folder / name.format(hash=short(world.root)))

    return set_up


def poetry_in_another_place(world: World) -> Path:
    world.write("pyproject.toml", '[project]\nname = "shop"\n')
    world.write("poetry.toml", f'[virtualenvs]\npath = "{world.home}/venvs"\n')
    return make(world.home / f"venvs/shop-{short(world.root)}-py{THIS}")


def pipenv(world: World) -> Path:
    for name, project in (("other-1", "/elsewhere"), ("shop-2", str(world.root))):
        python = make(world.home / ".local/share/virtualenvs" / name)
        (python.parent.parent / ".project").write_text(project)
    return python


def hatch(world: World) -> Path:
    world.write("pyproject.toml", '[project]\nname = "shop"\n')
    place = world.home / f".local/share/hatch/env/virtual/shop/{short(world.root)}"
    make(place / f"hatch-test.py{THIS}")
    return make(place / "shop")


def pdm(world: World) -> Path:
    python = make(world.home / "somewhere")
    world.write(".pdm-python", f"{python}\n")
    return python


def pdm_in_one_place(world: World) -> Path:
    return make(world.home / f".local/share/pdm/venvs/shop-{short(world.root, 'md5')}-{THIS}")


def conda_by_name(world: World) -> Path:
    world.write("environment.yml", "name: shop-dev\ndependencies: []\n")
    return make(world.home / "miniforge3/envs/shop-dev", conda=True)


def pyenv(world: World) -> Path:
    world.write(".python-version", "shop-dev\n")
    return make(world.home / ".pyenv/versions/shop-dev")


def several(folder: str, *names: str) -> Callable[[World], Path]:
    def set_up(world: World) -> Path:
        return [make(world.root / folder / name) for name in names][-1]

    return set_up


def in_a_subfolder(world: World) -> Path:
    make(world.root / "node_modules/tool/.venv")
    return make(world.root / "services/api/.venv")


@pytest.mark.parametrize(
    ("set_up", "source"),
    [
        (venv(".venv"), "`.venv`"),
        (venv("venv"), "`venv`"),
        (venv("env"), "`env`"),
        (venv("py-of-mine"), "`py-of-mine`"),
        (linked, "`.venv`"),
        (conda_in_project, "`my-env`"),
        (active("VIRTUAL_ENV"), "VIRTUAL_ENV"),
        (active("CONDA_PREFIX", conda=True), "CONDA_PREFIX"),
        (uv_elsewhere, "UV_PROJECT_ENVIRONMENT"),
        (poetry(f"shop-{{hash}}-py{THIS}", "shop-abcdefgh-py3.9"), "poetry's environments"),
        (poetry(f"shop-otherone-py{THIS}", "sho-abcdefgh-py3.9"), "poetry's environments"),
        (poetry_in_another_place, "poetry's environments"),
        (pipenv, "pipenv's environments"),
        (hatch, "hatch's environments"),
        (pdm, "pdm's environments"),
        (pdm_in_one_place, "pdm's environments"),
        (venv(".pixi/envs/default"), "`.pixi`"),
        (several(".direnv", "python-3.9", "python-3.11"), "`.direnv`"),
        (conda_by_name, "conda's environments"),
        (pyenv, "`.python-version`"),
        (several(".tox", ".pkg", "lint", "py39", "py311"), "`.tox`"),
        (several(".nox", "lint", "tests-3-9", "tests-3-12"), "`.nox`"),
        (in_a_subfolder, "`services/api/.venv`"),
    ],
)
def test_the_environment_of_a_project_is_found_and_told_how(world, set_up, source):
    python = set_up(world)
    found = world.find("python -m pytest")
    assert (found.python, found.source) == (python, source)
    assert found.doubt == ""
    assert not found.is_own


def test_the_environment_of_another_checkout_of_the_name_is_not_before_the_projects_own(world):
    guessed = poetry(f"shop-otherone-py{THIS}")(world)
    assert world.find().python == guessed
    assert world.find("poetry run pytest").python == guessed
    exact = pipenv(world)
    assert world.find().python == exact


def test_an_environment_of_poetrys_with_the_name_is_not_that_of_a_project_without_poetry(world):
    poetry(f"shop-otherone-py{THIS}")(world)
    world.write("pyproject.toml", '[project]\nname = "shop"\n')
    assert world.find().is_own


@pytest.mark.parametrize(
    ("command", "folder"),
    [
        ("{root}/.other/bin/python -m pytest", ".other"),
        (".other/bin/python -m unittest tests.test_a", ".other"),
        (".other/bin/pytest -q | tail", ".other"),
        ("cd tests && ../.other/bin/pytest", "tests/../.other"),
        ("A=1 .other/bin/python -m coverage run -m pytest", ".other"),
        ("tox -e py311 -- tests", ".tox/py311"),
        ("tox run -e py311", ".tox/py311"),
        ("nox -s tests-3.11", ".nox/tests-3-11"),
        ("pixi run -e test pytest", ".pixi/envs/test"),
        ("conda run -p {root}/.other python -m pytest", ".other"),
        ("conda run -n mine python -m pytest", "../home/anaconda3/envs/mine"),
    ],
)
def test_what_the_test_command_names_comes_before_the_environment_of_the_folder(
    world, command, folder
):
    make(world.root / ".venv")
    python = make(world.root / folder)
    (python.parent / "pytest").write_text(f"#!{python}\n")
    found = world.find(command.format(root=world.root))
    assert found.python.resolve(strict=True) == REAL
    assert os.path.normpath(found.python) == os.path.normpath(python)
    assert found.source.startswith("the test command")


def test_uv_in_the_test_command_goes_where_uv_is_told(world):
    make(world.root / ".venv")
    assert world.find("uv run pytest").source == "`.venv`"
    python = uv_elsewhere(world)
    assert world.find("uv run pytest").python == python
    assert world.find("pytest").source == "`.venv`"


def test_a_version_in_the_test_command_is_that_of_the_project_where_it_has_it(world):
    python = make(world.root / ".venv")
    (python.parent / f"python{THIS}").symlink_to(REAL)
    other = Path(world.environ["PATH"]) / "python3.99"
    other.symlink_to(REAL)
    assert world.find(f"python{THIS} -m pytest").python == python.parent / f"python{THIS}"
    assert world.find("python3.99 -m pytest").python == other


def test_the_environment_nearest_to_the_named_tests_is_taken(world):
    near, top = make(world.root / "packages/a/.venv"), make(world.root / ".venv")
    world.write("packages/a/tests/test_a.py")
    assert world.find("pytest packages/a/tests/test_a.py::test_b").python == near
    assert world.find("pytest tests").python == top
    assert world.find("pytest", folder="packages/a/tests").python == near
    assert world.find("pytest", near=("packages/a/tests/test_a.py",)).python == near
    assert world.find("pytest -k it", near=("packages/a/tests/test_a.py",)).python == near
    assert world.find("python -m unittest packages.a.tests.test_a").python == near
    assert world.find("pytest tests", near=("packages/a/tests/test_a.py",)).python == top


def test_the_setting_wins_and_is_refused_where_it_leads_to_no_python(world):
    other = make(world.home / "other")
    make(world.root / ".venv")
    for setting in (str(other), str(other.parent.parent), "../home/other"):
        found = world.find("pytest", setting=setting)
        assert found.python.samefile(other)
        assert found.source == "the setting `python`"
    with pytest.raises(BadInput, match=r"there is no Python at \.\./nowhere; name an interp"):
        check_python("../nowhere", world.root)


def test_the_editors_selection_is_below_the_test_command_and_above_the_folder(world):
    make(world.root / ".venv")
    named, selected = make(world.root / ".other"), make(world.home / "selected")
    found = world.find("pytest", selected=str(selected))
    assert (found.python, found.source) == (selected, "the editor's selection")
    assert world.find(".other/bin/python -m pytest", selected=str(selected)).python == named
    assert world.find("pytest", selected="python").source == "`.venv`"


def test_an_interpreter_of_no_environment_that_an_editor_selects_hides_no_environment(world):
    bare = Path(world.environ["PATH"]) / "python3"
    bare.symlink_to(REAL)
    assert world.find(selected=str(bare)).source == "the editor's selection"
    make(world.root / ".venv")
    assert world.find(selected=str(bare)).source == "`.venv`"


def test_condas_base_is_nobodys_before_the_environment_of_the_project(world):
    base = make(world.home / "conda-root", conda=True)
    world.environ |= {"CONDA_PREFIX": str(base.parent.parent), "CONDA_DEFAULT_ENV": "base"}
    assert world.find().python == base
    pipenv(world)
    assert world.find().source == "pipenv's environments"


def test_bug_lsps_own_environment_is_taken_last_and_never_in_silence(world):
    found = world.find()
    assert (found.python, found.is_own) == (Path(sys.executable), True)
    for words in ("`.venv`", "VIRTUAL_ENV", "poetry", "the setting `python`", "bug-lsp's own"):
        assert words in found.doubt
    world.environ["PATH"] = str(Path(sys.executable).parent)
    assert world.find().source == found.source
    make(world.home / "pipx")
    world.environ["VIRTUAL_ENV"] = sys.prefix
    own = world.find()
    assert (own.source, own.is_own, own.doubt) == ("VIRTUAL_ENV", True, "")


def test_the_python_of_the_path_is_taken_with_a_word_of_doubt(world):
    (Path(world.environ["PATH"]) / "python3").symlink_to(REAL)
    found = world.find()
    assert found.source == "PATH"
    assert f"its tests run with {found.python} (the first on the PATH" in found.doubt


def test_a_python_of_the_path_that_is_too_old_for_what_it_is_lent_is_passed_over(world):
    old = world.home / "old/bin/python3.6"
    old.parent.mkdir(parents=True)
    old.write_text("#!/bin/sh\n")
    old.chmod(0o755)
    (Path(world.environ["PATH"]) / "python3").symlink_to(old)
    assert world.find().is_own


def test_a_shim_of_pyenvs_is_followed_to_the_version_it_starts(world):
    shims = world.home / ".pyenv/shims"
    shims.mkdir(parents=True)
    (shims / "python3").write_text("#!/bin/sh\nexit 1\n")
    (shims / "python3").chmod(0o755)
    versions = {name: world.home / ".pyenv/versions" / name for name in (f"{THIS}.2", f"{THIS}.10")}
    for folder in versions.values():
        (folder / "bin").mkdir(parents=True)
        (folder / f"lib/python{THIS}").mkdir(parents=True)
        (folder / "bin/python").symlink_to(REAL)
    world.environ["PATH"] = str(shims)
    (world.home / ".pyenv/version").write_text(f"{THIS}.2\n")
    assert world.find().python == versions[f"{THIS}.2"] / "bin/python"
    world.write(".python-version", f"{THIS}\n")
    assert world.find().python == versions[f"{THIS}.10"] / "bin/python"


@pytest.mark.parametrize("content", ["", "\0", "..\n", "/no/where\n", "\udcff"])
def test_files_that_make_no_sense_lead_nowhere(world, content):
    for name in (".python-version", ".pdm-python", "pyproject.toml", "poetry.toml", ".venv"):
        (world.root / name).write_bytes(content.encode(errors="surrogateescape"))
    world.write("environment.yml", "name: ../..\n")
    assert world.find().is_own


def test_names_that_are_too_long_and_folders_that_are_closed_do_not_end_a_search(world):
    closed = world.root / "closed"
    closed.mkdir(mode=0)
    world.environ |= {"VIRTUAL_ENV": str(closed / "env"), "UV_PROJECT_ENVIRONMENT": "x" * 300}
    command = f"pytest -k '{' or '.join(map(str, range(200)))}' {'long/' * 2000}"
    assert world.find(command, selected="y" * 5000).is_own
    assert world.find(f"{'z' * 300}/python -m pytest").is_own


def test_a_search_takes_no_time_in_a_project_of_many_folders(world):
    for number in range(300):
        (world.root / f"package{number}/src/inner").mkdir(parents=True)
    began = time.perf_counter()
    world.find()
    assert time.perf_counter() - began < 0.5  # 20 ms on a quiet machine


def test_an_environment_is_active_for_tools_that_would_make_one_of_their_own(world):
    python = make(world.root / ".venv")
    env = world.find().activated(
        {"PATH": "/usr/bin", "VIRTUAL_ENV": sys.prefix, "PYTHONHOME": "/"}, world.home
    )
    folder = str(world.root / ".venv")
    assert env["PATH"] == f"{python.parent}:/usr/bin"
    assert (env["VIRTUAL_ENV"], env["UV_PROJECT_ENVIRONMENT"]) == (folder, folder)
    assert env["UV_NO_SYNC"] == "1"
    assert "PYTHONHOME" not in env


def test_one_of_condas_is_active_as_conda_would_have_it(world):
    python = make(world.root / "envs/shop", conda=True)
    env = Interpreter(python, "CONDA_PREFIX").activated(
        {"PATH": "/bin", "VIRTUAL_ENV": "/x"}, world.home
    )
    assert env == {
        "PATH": f"{python.parent}:/bin",
        "CONDA_PREFIX": str(world.root / "envs/shop"),
        "CONDA_DEFAULT_ENV": "shop",
    }
