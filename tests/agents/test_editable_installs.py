"""Whatever way a project is installed as editable, what runs in a copy imports the copy's code."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import editables
import pytest

from bug_lsp.agents.python_tests import PythonProject
from bug_lsp.agents.python_tests.environments import Interpreter
from tests.support.projects import change_files

WHERE = "import {name}; print({name}.__file__)"


@dataclass(frozen=True)
class Way:
    """A way to install a project."""

    backend: str
    requires: str
    package: str = "shop/price.py"
    more: str = ""
    options: tuple[str, ...] = ()
    files: dict[str, str] = field(default_factory=dict)

    @property
    def module(self) -> str:
        return self.package.removeprefix("src/").removesuffix(".py").replace("/", ".")


SETUPTOOLS = ("setuptools.build_meta", "setuptools")
HATCH = ("hatchling.build", "hatchling")
PACKAGES = '[tool.setuptools]\npackages = ["shop"]\n'
MAPPING = '[tool.setuptools]\npackages = ["shop"]\npackage-dir = {shop = "lib"}\n'
EXACT = "[tool.hatch.build]\ndev-mode-exact = true\n"
STRICT = ("--config-settings", "editable_mode=strict")
COMPAT = ("--config-settings", "editable_mode=compat")
WAYS = {
    "setuptools with src": Way(*SETUPTOOLS, "src/shop/price.py"),
    "setuptools, flat": Way(*SETUPTOOLS, more=PACKAGES),
    "setuptools, a mapping": Way(*SETUPTOOLS, "lib/price.py", MAPPING),
    "setuptools, strict": Way(*SETUPTOOLS, "src/shop/price.py", options=STRICT),
    "setuptools, as in the old days": Way(*SETUPTOOLS, "src/shop/price.py", options=COMPAT),
    "setuptools, a namespace": Way(
        *SETUPTOOLS, "acme/shop/price.py", '[tool.setuptools]\npackages = ["acme.shop"]\n'
    ),
    "hatch": Way(*HATCH, "src/shop/price.py"),
    "hatch, flat": Way(*HATCH),
    "hatch, exact": Way(*HATCH, "src/shop/price.py", EXACT),
    "pdm": Way("pdm.backend", "pdm-backend", "src/shop/price.py"),
    "poetry": Way("poetry.core.masonry.api", "poetry-core", "src/shop/price.py"),
}  # fmt: skip


@pytest.fixture
def environment(tmp_path: Path) -> Path:
    """A virtual environment of the user's, outside of the checkout."""
    made = tmp_path / "envs" / "shop"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(made)], check=True)
    # What hatchling's exact mode needs when the project is imported.
    package = Path(editables.__file__).parent
    [site] = made.glob("lib/python*/site-packages")
    shutil.copytree(package, site / "editables")
    return made


def install(checkout: Path, environment: Path, way: Way) -> None:
    """Write the project and install it as editable, as pip does."""
    change_files(
        checkout,
        {
            "pyproject.toml": (
                f'[build-system]\nrequires = ["{way.requires}"]\nbuild-backend = "{way.backend}"\n'
                f'[project]\nname = "shop"\nversion = "1"\n{way.more}'
            ),
            way.package: "VALUE = 'checkout'\n",
            **({} if "acme" in way.package else {f"{Path(way.package).parent}/__init__.py": ""}),
        },
    )
    subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation",
            "--no-index", "--disable-pip-version-check", "--prefix", str(environment),
            *way.options, "-e", str(checkout),
        ],
        check=True,
        env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
    )  # fmt: skip


def imported(module: str, environment: Path, cwd: Path, env: dict[str, str]) -> Path:
    """The file that a Python of the user's imports."""
    done = subprocess.run(
        [environment / "bin/python", "-W", "error", "-c", WHERE.format(name=module)],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.strip())


def project_in(copy: Path, checkout: Path, environment: Path, scratch: Path) -> PythonProject:
    return PythonProject(
        interpreter=Interpreter(environment / "bin/python", "the test"),
        cwd=copy,
        copy=copy,
        origin=checkout,
        scratch=scratch,
        extra_env={},
    )


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_an_agents_own_python_imports_the_copy(tmp_path: Path, environment: Path, way: Way) -> None:
    checkout, copy = tmp_path / "dev/shop", tmp_path / "copies/shop"
    install(checkout, environment, way)
    change_files(
        copy, {f"{Path(way.package).parent}/__init__.py": "", way.package: "VALUE = 'copy'\n"}
    )
    if "acme" in way.package:
        (copy / "acme/shop/__init__.py").unlink()
    module = "shop.price" if way.package.startswith("lib") else way.module
    assert imported(module, environment, tmp_path, {}).is_relative_to(checkout)
    project = project_in(copy, checkout, environment, tmp_path)
    for env in (project.agent_environment(), project.environment()):
        assert imported(module, environment, tmp_path, env) == copy / way.package


def test_an_agent_that_is_a_python_program_keeps_its_own_modules(
    tmp_path: Path, environment: Path
) -> None:
    """Its environment is not the project's: a module of the project's must not take the place of
    one of its own.
    """
    checkout, copy = tmp_path / "dev/shop", tmp_path / "copies/shop"
    change_files(checkout, {"colorsys.py": "", "pyproject.toml": ""})
    change_files(copy, {"colorsys.py": ""})
    agents = tmp_path / "envs/agent"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(agents)], check=True)
    env = project_in(copy, checkout, environment, tmp_path).agent_environment()
    assert not imported("colorsys", agents, tmp_path, env).is_relative_to(copy)
    assert imported("colorsys", environment, tmp_path, env) == copy / "colorsys.py"


def test_the_users_own_sitecustomize_is_run_too(tmp_path: Path, environment: Path) -> None:
    checkout, copy, own = tmp_path / "dev/shop", tmp_path / "copies/shop", tmp_path / "own"
    change_files(checkout, {"shop.py": ""})
    change_files(copy, {"shop.py": ""})
    change_files(own, {"sitecustomize.py": "import sys\nsys.modules['marked'] = sys\n"})
    project = project_in(copy, checkout, environment, tmp_path)
    env = project.agent_environment()
    env["PYTHONPATH"] += os.pathsep + str(own)
    done = subprocess.run(
        [environment / "bin/python", "-c", "import marked, sitecustomize; print(sitecustomize)"],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(own) in done.stdout


def test_paths_of_the_users_that_lead_into_the_checkout_lead_into_the_copy(
    tmp_path: Path, environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkout, copy = tmp_path / "dev/shop", tmp_path / "copies/shop"
    for root in (checkout, copy):
        change_files(root, {"tools/helper.py": "", "tools/sub/deep.py": ""})
    monkeypatch.setenv("PYTHONPATH", str(checkout / "tools"))
    env = project_in(copy, checkout, environment, tmp_path).agent_environment()
    assert imported("helper", environment, tmp_path, env) == copy / "tools/helper.py"
