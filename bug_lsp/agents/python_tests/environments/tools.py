"""Where the tools of Python projects keep their environments: poetry, pipenv, hatch and others.

Each function names the interpreters that a tool may have made for a project, the likeliest first.
They read settings and names alone; a tool is never run.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from .folders import names_in, python_of, version_of

CONDA_FILES = {"environment.yml", "environment.yaml"}

Environ = Mapping[str, str]

_PYTHON_NAME = re.compile(r"^(?:py|python|test|tests)?[-_.]?(\d)[-.]?(\d+)?")
_CONDA_ROOTS = (
    "miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba", "conda", ".conda",
    "opt/miniconda3", "opt/anaconda3", "/opt/conda", "/opt/miniconda3", "/opt/anaconda3",
    "/opt/miniforge3",
)  # fmt: skip


def toml(file: Path) -> dict[str, Any]:
    """A TOML file; nothing if it cannot be read."""
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def _table(values: Mapping[str, Any], *names: str) -> dict[str, Any]:
    found: Any = values
    for name in names:
        found = found.get(name) if isinstance(found, Mapping) else None
    return dict(found) if isinstance(found, Mapping) else {}


def _home(environ: Environ) -> Path:
    return Path(environ.get("HOME") or environ.get("USERPROFILE") or os.sep)


def _place(environ: Environ, variable: str, fallback: str) -> Path:
    given = environ.get(variable)
    return Path(given).expanduser() if given else _home(environ) / fallback


def project_name(root: Path) -> str:
    """The project's name as its `pyproject.toml` says it; "" if it does not."""
    values = toml(root / "pyproject.toml")
    for table in (_table(values, "project"), _table(values, "tool", "poetry")):
        if isinstance(name := table.get("name"), str):
            return name
    return ""


def short_hash(text: str) -> str:
    """As poetry and hatch shorten the path of a project."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
    return base64.urlsafe_b64encode(digest).decode()[:8]


def _pythons(folders: Iterator[Path]) -> Iterator[Path]:
    return (python for folder in folders if (python := python_of(folder)) is not None)


def _newest(folders: list[Path]) -> list[Path]:
    def version(folder: Path) -> tuple[int, int]:
        python = python_of(folder)
        return (python and version_of(python)) or (0, 0)

    return sorted(folders, key=version, reverse=True)


def poetry(root: Path, environ: Environ) -> Iterator[Path]:
    """`{cache}/virtualenvs/NAME-HASH-pyX.Y` of this very folder."""
    if not (plain := _poetry_name(root)):
        return
    folder = _poetry_folder(root, environ)
    exact = f"{plain}-{short_hash(os.path.normcase(os.path.realpath(root)))}"
    mine = [n for n in names_in(folder) if n.startswith(f"{exact}-py")]
    chosen = _table(toml(folder / "envs.toml"), exact).get("minor")
    mine.sort(key=lambda n: n.endswith(f"-py{chosen}"), reverse=True)
    if chosen is None:
        mine = [f.name for f in _newest([folder / n for n in mine])]
    yield from _pythons(folder / n for n in mine)


def poetry_of_name(root: Path, environ: Environ) -> Iterator[Path]:
    """The only one of the project's name: the project was moved, or is checked out twice."""
    plain = _poetry_name(root)
    if not plain or not _is_poetrys(root):
        return
    folder = _poetry_folder(root, environ)
    names = [n for n in names_in(folder) if re.fullmatch(rf"{re.escape(plain)}-.{{6,8}}-py.+", n)]
    yield from _pythons(folder / n for n in names if len(names) == 1)


def _is_poetrys(root: Path) -> bool:
    if (root / "poetry.lock").is_file() or (root / "poetry.toml").is_file():
        return True
    return bool(_table(toml(root / "pyproject.toml"), "tool", "poetry"))


def _poetry_name(root: Path) -> str:
    """The project's name as poetry writes it in names of folders."""
    return re.sub(r'[ $`!*@"\\\r\n\t]', "_", project_name(root).lower())[:42]


def _poetry_folder(root: Path, environ: Environ) -> Path:
    settings = _table(toml(root / "poetry.toml"), "virtualenvs")
    home = _home(environ)
    config = _place(environ, "XDG_CONFIG_HOME", ".config") / "pypoetry"
    places = [config, home / "Library/Application Support/pypoetry"]
    user = next((found for p in places if (found := toml(p / "config.toml"))), {})
    given = (
        environ.get("POETRY_VIRTUALENVS_PATH")
        or settings.get("path")
        or _table(user, "virtualenvs").get("path")
    )
    mac = home / "Library/Caches/pypoetry"
    usual = mac if mac.is_dir() else _place(environ, "XDG_CACHE_HOME", ".cache") / "pypoetry"
    cache = Path(environ.get("POETRY_CACHE_DIR") or user.get("cache-dir") or usual)
    if not isinstance(given, str):
        return cache.expanduser() / "virtualenvs"
    return Path(given.replace("{cache-dir}", str(cache))).expanduser()


def in_project(root: Path) -> Iterator[Path]:
    """`.venv`, where poetry looks first."""
    yield from _pythons(iter([root / ".venv"]))


def pipenv(root: Path, environ: Environ) -> Iterator[Path]:
    """Those whose `.project` names this project, below WORKON_HOME."""
    data = _place(environ, "XDG_DATA_HOME", ".local/share")
    for home in (environ.get("WORKON_HOME"), str(data / "virtualenvs"), "~/.virtualenvs"):
        if home is None:
            continue
        folder = _home(environ) / home[2:] if home.startswith("~/") else Path(home)
        yield from _pythons(
            folder / name
            for name in names_in(folder)
            if _is_of_project(folder / name / ".project", root)
        )


def _is_of_project(file: Path, root: Path) -> bool:
    try:
        text = file.read_text(errors="replace").strip()
    except OSError:
        return False
    return bool(text) and os.path.realpath(text) == os.path.realpath(root)


def hatch(root: Path, environ: Environ, name: str = "") -> Iterator[Path]:
    """`{data}/env/virtual/NAME/HASH/ENVIRONMENT`; the one of a name, or the default, then tests."""
    project = re.sub(r"[-_.]+", "-", project_name(root)).lower()
    if not project and not (root / "hatch.toml").is_file():
        return
    digest = short_hash(os.path.realpath(root))
    folder = _hatch_folder(root, environ)
    mac = _home(environ) / "Library/Application Support/hatch"
    data = mac if mac.is_dir() else _place(environ, "XDG_DATA_HOME", ".local/share") / "hatch"
    data = Path(environ.get("HATCH_DATA_DIR") or data) / "env" / "virtual"
    own = [folder] if folder else []
    for place in [*own, data / (project or f"{digest}-unmanaged") / digest]:
        there = names_in(place)
        usual = [one for one in (project, "default") if one in there]
        tests = sorted((one for one in there if one.startswith("hatch-test")), key=_by_version)
        wanted = [one for one in there if one == name or one.startswith(f"{name}.")] if name else []
        if name.startswith("hatch-test"):
            wanted = list(reversed(tests))
        chosen = wanted or [*usual, *reversed(tests)]
        yield from _pythons(place / one for one in chosen)


def _hatch_folder(root: Path, environ: Environ) -> Path | None:
    """Where the user keeps hatch's environments inside of the project."""
    mac = _home(environ) / "Library/Application Support/hatch"
    place = mac if mac.is_dir() else _place(environ, "XDG_CONFIG_HOME", ".config") / "hatch"
    file = Path(environ.get("HATCH_CONFIG") or place / "config.toml")
    given = _table(toml(file), "dirs", "env").get("virtual")
    return root / Path(given).expanduser() if isinstance(given, str) else None


def pdm(root: Path, environ: Environ) -> Iterator[Path]:
    """The interpreter in `.pdm-python`, then those that pdm keeps in one place."""
    with contextlib.suppress(OSError):
        yield Path((root / ".pdm-python").read_text(errors="replace").strip())
    folder = _place(environ, "XDG_DATA_HOME", ".local/share") / "pdm" / "venvs"
    digest = base64.urlsafe_b64encode(
        hashlib.md5(
            root.as_posix().encode("utf-8", "surrogateescape"), usedforsecurity=False
        ).digest()
    ).decode()[:8]
    names = [name for name in names_in(folder) if name.startswith(f"{root.name}-{digest}-")]
    yield from _pythons(folder / name for name in names)


def pixi(root: Path, name: str = "") -> Iterator[Path]:
    """`.pixi/envs/NAME`."""
    yield from _pythons(root / ".pixi/envs" / one for one in (name or "default",))


def direnv(root: Path) -> Iterator[Path]:
    """`.direnv/python-3.11`, the newest first."""
    names = [name for name in names_in(root / ".direnv") if "python" in name or "venv" in name]
    yield from _pythons(root / ".direnv" / name for name in sorted(names, key=_by_version)[::-1])


def pyenv_root(environ: Environ) -> Path:
    """Where pyenv keeps its versions."""
    return _place(environ, "PYENV_ROOT", ".pyenv")


def pyenv(root: Path, environ: Environ, *, is_environment: bool) -> Iterator[Path]:
    """What `.python-version` names: a virtual environment of pyenv's, or else a bare version."""
    versions = pyenv_root(environ) / "versions"
    for name in _versions_named(root / ".python-version"):
        for folder in _matching(versions, name):
            if (folder / "pyvenv.cfg").is_file() is is_environment:
                yield from _pythons(iter([folder]))


def _versions_named(file: Path) -> list[str]:
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return []
    names = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return [name for name in names if name not in {".", ".."} and "\0" not in name]


def _matching(versions: Path, name: str) -> list[Path]:
    """`3.11` is the newest 3.11.x."""
    if (versions / name).is_dir():
        return [versions / name]
    found = [one for one in names_in(versions) if one.startswith(f"{name}.")]
    return [versions / one for one in sorted(found, key=_by_version, reverse=True)]


def shim_target(shim: Path, folders: list[Path], environ: Environ) -> Path | None:
    """The interpreter that one of pyenv's shims starts: the shim itself depends on much else."""
    root = shim.parent.parent
    given = environ.get("PYENV_VERSION")
    named = (
        [given.split(":")] if given else [_versions_named(f / ".python-version") for f in folders]
    )
    for names in [*named, _versions_named(root / "version")]:
        for name in names:
            for folder in _matching(root / "versions", name):
                if (python := python_of(folder)) is not None:
                    return python
    return None


def conda_roots(environ: Environ) -> list[Path]:
    """Where conda and its kin keep environments: folders with `envs` in them."""
    roots = [Path(environ[name]) for name in ("MAMBA_ROOT_PREFIX", "CONDA_ROOT") if name in environ]
    if program := environ.get("CONDA_EXE"):
        roots.append(Path(program).parent.parent)
    if (active := environ.get("CONDA_PREFIX")) is not None:
        folder = Path(active)
        roots += [folder, *([folder.parent.parent] if folder.parent.name == "envs" else [])]
    return [*roots, *(_home(environ) / name for name in _CONDA_ROOTS)]


def conda(environ: Environ, name: str) -> Iterator[Path]:
    """The environments of this name."""
    if not name or "/" in name or name in {".", ".."}:
        return
    places = [Path(one) for one in environ.get("CONDA_ENVS_PATH", "").split(os.pathsep) if one]
    places += [root / "envs" for root in conda_roots(environ)]
    yield from _pythons(place / name for place in places)


def conda_name(root: Path) -> str:
    """The environment's name in `environment.yml`; "" if there is none."""
    for file in sorted(CONDA_FILES, reverse=True):
        try:
            text = (root / file).read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        if match := re.search(r"^name:\s*['\"]?([\w.-]+)", text, re.MULTILINE):
            return match[1]
    return ""


def tox(root: Path, environ: Environ, name: str = "") -> Iterator[Path]:
    """`.tox/NAME`; without a name that of the newest Python."""
    folder = Path(environ.get("TOX_WORK_DIR") or environ.get("TOX_WORKDIR") or root / ".tox")
    yield from _of_names(root / folder, [one for one in name.split(",") if one])


def nox(root: Path, environ: Environ, name: str = "") -> Iterator[Path]:
    """`.nox/NAME`; without a name that of the newest Python."""
    folder = Path(environ.get("NOXENVDIR") or root / ".nox")
    yield from _of_names(root / folder, [_nox_name(name)] if name else [])


def _nox_name(name: str) -> str:
    """A session's name as that of a folder."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode("ascii")
    plain = re.sub(r"[^\w\s-]", "-", plain).strip().lower()
    return re.sub(r"[-\s]+", "-", plain).strip("-")


def _of_names(folder: Path, wanted: list[str]) -> Iterator[Path]:
    there = names_in(folder)
    chosen = [one for name in wanted for one in there if one == name or one.startswith(f"{name}-")]
    if not wanted:
        chosen = sorted((one for one in there if _PYTHON_NAME.match(one)), key=_by_version)[::-1]
        chosen += [one for one in there if one.startswith(("test", "py")) and one not in chosen]
        rest = [one for one in there if one not in chosen and not one.startswith(".")]
        chosen += rest if len(rest) == 1 else []
    yield from _pythons(folder / one for one in chosen)


def _by_version(name: str) -> tuple[int, ...]:
    """`py39` before `py311`; `3.11.9` before `3.11.10`."""
    if match := re.search(r"(?:py|python)(\d)(\d+)$|(?:py|python)(\d)(\d+)\b", name):
        digits = [group for group in match.groups() if group]
        return tuple(map(int, digits))
    return tuple(map(int, re.findall(r"\d+", name)))
