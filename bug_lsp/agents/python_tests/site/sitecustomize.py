"""Makes each Python that is started in a copy import the copy's code.

An editable install names the user's checkout, in a `.pth` file, in a finder of its own or in an
`.egg-link`: without this, tests that an agent runs in its copy would test the checkout. A session
puts this folder on PYTHONPATH. It belongs to whatever interpreter the project uses, so it imports
the standard library alone, and any other `sitecustomize` is run behind it.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False  # typing's own would be imported by every Python that starts
if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec
    from typing import Any


class Move:
    """Says where a place in the checkout, or in another origin, is in the copy."""

    def __init__(self, origins: list[str], copy: str) -> None:
        self._origins = [os.path.realpath(origin) for origin in origins]
        self._copy = copy
        self._environments = {os.path.realpath(sys.prefix), os.path.realpath(sys.base_prefix)}

    def __call__(self, place: Any) -> Any:
        """The place in the copy; what is elsewhere, or not in the copy, stays as it is."""
        if not isinstance(place, str) or not place:
            return place
        real = os.path.realpath(place)
        origin = next((one for one in self._origins if _is_in(real, one)), None)
        if origin is None or any(_is_in(real, one) for one in self._environments):
            return place
        moved = os.path.join(self._copy, os.path.relpath(real, origin))
        return os.path.normpath(moved) if os.path.exists(moved) else place


def _is_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder + os.sep)


class MovedFinder:
    """A finder of an editable install, with what it finds moved into the copy."""

    def __init__(self, finder: Any, move: Move) -> None:
        self._finder = finder
        self._move = move

    def __getattr__(self, name: str) -> Any:
        return getattr(self._finder, name)

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> ModuleSpec | None:
        """What the finder finds, in the copy."""
        spec: ModuleSpec | None = self._finder.find_spec(fullname, path, target)
        return spec if spec is None else _moved(spec, self._move)


def _moved(spec: ModuleSpec, move: Move) -> ModuleSpec:
    folders = spec.submodule_search_locations
    inner = None if folders is None else [move(folder) for folder in folders]
    place = move(spec.origin)
    if place == spec.origin:
        if folders is not None and inner != list(folders):
            spec.submodule_search_locations = inner
        return spec
    from importlib.util import spec_from_file_location

    found = spec_from_file_location(spec.name, place, submodule_search_locations=inner)
    return spec if found is None else found


def install(origins: list[str], copy: str) -> None:
    """Point what was installed from the origins at `copy`, in this interpreter."""
    move = Move(origins, copy)
    sys.path[:] = list(dict.fromkeys(move(entry) for entry in sys.path))
    for index, finder in enumerate(sys.meta_path):
        name = getattr(finder, "__module__", None) or type(finder).__module__
        module = sys.modules.get(name)
        # setuptools: a class in a generated module with the places in two mappings.
        for mapping in (getattr(module, "MAPPING", None), getattr(module, "NAMESPACES", None)):
            if isinstance(mapping, dict):
                _move_values(mapping, move)
        if "editable" in name:  # those of hatchling, scikit-build-core, meson-python and others
            sys.meta_path[index] = MovedFinder(finder, move)


def _move_values(mapping: dict[str, Any], move: Move) -> None:
    for name, place in mapping.items():
        mapping[name] = [move(one) for one in place] if isinstance(place, list) else move(place)


def put_first(paths: str, environment: str) -> None:
    """Put folders of the copy before what is installed, in the project's own environment alone: an
    agent that is a Python program itself must not import the project's modules for its own.
    """
    if environment and _is_same_environment(environment, sys.prefix):
        own = [path for path in paths.split(os.pathsep) if path]
        sys.path[:] = list(dict.fromkeys([*own, *sys.path]))


def _is_same_environment(one: str, other: str) -> bool:
    """Whether they are one environment; in the copy it is a folder of links to the user's."""
    files = [os.path.realpath(os.path.join(at, "pyvenv.cfg")) for at in (one, other)]
    return os.path.realpath(one) == os.path.realpath(other) or files[0] == files[1]


def run_others() -> None:
    """Run the `sitecustomize` that this one hides, if there is one."""
    from importlib.machinery import PathFinder
    from importlib.util import module_from_spec

    here = os.path.dirname(os.path.realpath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.realpath(entry or ".") != here]
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = module_from_spec(spec)
        sys.modules["sitecustomize"] = module
        spec.loader.exec_module(module)


def main() -> None:
    """Do what the session's environment says."""
    origins, copy = os.environ.get("BUG_LSP_ORIGINS"), os.environ.get("BUG_LSP_COPY_ROOT")
    try:
        if origins and copy:
            install(origins.split(os.pathsep), copy)
            environment = os.environ.get("BUG_LSP_ENVIRONMENT", "")
            put_first(os.environ.get("BUG_LSP_FIRST", ""), environment)
    except Exception as error:  # noqa: BLE001 - the interpreter has to start whatever is installed
        sys.stderr.write(f"bug-lsp: imports were not moved into the copy: {error}\n")
    run_others()


if __name__ == "sitecustomize":
    main()
