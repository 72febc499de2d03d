"""Source distributions, downloaded once and kept in the user's cache folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

import platformdirs
from uv import find_uv_bin

CACHE = platformdirs.user_cache_path("bug-lsp-benchmarks", appauthor=False)
_BACKENDS = (
    "pip==25.3",
    "flit-core==3.12.0",
    "hatch-fancy-pypi-readme==25.1.0",
    "hatch-vcs==0.5.0",
    "hatchling==1.27.0",
    "pdm-backend==2.4.5",
    "poetry-core==2.2.1",
    "setuptools==80.9.0",
    "setuptools-scm==9.2.2",
    "wheel==0.45.1",
)
"""`pip download` asks a source distribution's build backend for its name and version."""
_SECONDS = 300.0


class CannotBuild(Exception):
    """A bug cannot be built; the message is a sentence that says why and what to do."""


def unpack(package: str, version: str, folder: Path) -> None:
    """Put the files of a version into a folder, without what the build added."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        archive = download(package, version)
        if archive.suffix == ".zip":
            with zipfile.ZipFile(archive) as file:
                file.extractall(temporary)
        else:
            with tarfile.open(archive) as file:
                file.extractall(temporary, filter="data")
        (top,) = Path(temporary).iterdir()
        for path in top.iterdir():
            if path.suffix != ".egg-info" and path.name != "PKG-INFO":
                path.rename(folder / path.name)


def download(package: str, version: str) -> Path:
    """Return the source distribution of a version, from the cache if it is there."""
    folder = CACHE / "sdists" / package / version
    if folder.is_dir() and (known := sorted(folder.iterdir())):
        return known[0]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        run(
            [
                str(_downloader()),
                *("-m", "pip", "download", "-q", "--no-deps", "--no-build-isolation"),
                *("--no-binary", ":all:", "--dest", temporary, f"{package}=={version}"),
            ],
            f"{package} {version} cannot be downloaded; check the package index",
            version=version,
        )
        Path(temporary).rename(folder)
    return download(package, version)


def _downloader() -> Path:
    """Return a Python that has pip and the build backends."""
    folder = CACHE / "downloader"
    python = folder / "bin" / "python"
    done = folder / "complete"
    if not done.is_file():
        shutil.rmtree(folder, ignore_errors=True)
        make_environment(folder, _BACKENDS)
        done.touch()
    return python


def make_environment(folder: Path, requirements: tuple[str, ...]) -> None:
    """Make a virtual environment with these packages; uv links them from its cache."""
    what = f"the virtual environment {folder.name} cannot be made; check the requirements"
    run([find_uv_bin(), "venv", "-q", "--python", sys.executable, str(folder)], what)
    python = str(folder / "bin" / "python")
    run([find_uv_bin(), "pip", "install", "-q", "--python", python, *requirements], what)


def run(command: list[str], what: str, cwd: Path | None = None, version: str = "0") -> None:
    """Run a command; raise `CannotBuild` with `what` and the command's last line if it fails."""
    # Some packages read their version from git, which the source distribution has not.
    env = os.environ | {
        "SETUPTOOLS_SCM_PRETEND_VERSION": version,
        "PDM_BUILD_SCM_VERSION": version,
        "POETRY_DYNAMIC_VERSIONING_BYPASS": version,
    }
    try:
        done = subprocess.run(
            command, cwd=cwd, env=env, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise CannotBuild(f"{what}: it took more than {_SECONDS:.0f} s") from None
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["no message"]
        raise CannotBuild(f"{what}: {lines[-1].strip()}")
