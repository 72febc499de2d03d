"""Whether an ACP agent is on this machine, and which version.

The version is read where the agent was installed by npm, which most are: starting one takes
seconds. Else its program is run to be asked, in bounded time. The ACP library is not imported.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from pathlib import Path

from bug_lsp.agents.text import last_line
from bug_lsp.store.programs import on_path

from .presets import AcpAgent

_ASK_SECONDS = 10.0
_VERSION = re.compile(r"\d+\.\d+[\w.+-]*")
_NEEDS = re.compile(rb"#!\s*/usr/bin/env(?: -\S+)* (\w+)")
_HOMES = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
_DEEPEST = 4
"""How far below its package's folder a program may lie."""
_MAX_DETAIL = 200


def is_installed(agent: AcpAgent) -> bool:
    """Whether its program is there. Cheap: nothing is run."""
    return _program(agent) is not None


def acp_availability(agent: AcpAgent) -> tuple[str | None, bool, str]:
    """The version, whether it can be used, and if not, what to do.

    Whether it is logged in cannot be asked: each keeps that in another place, or in several.
    """
    program = _program(agent)
    if program is None:
        return None, False, f"{agent.name} is not installed; {agent.install}"
    version = _packaged_version(program)
    missing = _missing_interpreter(program)
    if missing:
        hint = f"{agent.name} needs {missing}, which is not on PATH: install {missing}"
        return version, False, hint
    if version:
        return version, True, ""
    return _ask(agent, program)


def _program(agent: AcpAgent) -> Path | None:
    found = on_path(agent.command[0])
    return Path(found) if found else None


def _packaged_version(program: Path) -> str | None:
    """The version of the npm package that a program is part of."""
    for folder in Path(os.path.realpath(program)).parents[:_DEEPEST]:
        try:
            package = json.loads((folder / "package.json").read_bytes())
        except (OSError, ValueError):
            continue
        if isinstance(package, dict) and package.get("bin"):
            version = package.get("version")
            return version if isinstance(version, str) else None
    return None


def _missing_interpreter(program: Path) -> str:
    """What a script is to be run by, if that is not there."""
    try:
        with program.open("rb") as file:
            needs = _NEEDS.match(file.read(_MAX_DETAIL))
    except OSError:
        return ""
    name = needs[1].decode() if needs else ""
    return name if name and on_path(name) is None else ""


def _ask(agent: AcpAgent, program: Path) -> tuple[str | None, bool, str]:
    try:
        # Even this makes some set up their folders: not in the home of a user who only asked.
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
            said = subprocess.run(
                (program, "--version"),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                cwd=home,  # not the workspace, whose settings may name programs
                env={**os.environ, **agent.env, **dict.fromkeys(_HOMES, home)},
                timeout=_ASK_SECONDS,
                check=False,
                encoding="utf-8",
                errors="replace",
            )
    except subprocess.TimeoutExpired:
        return None, False, f"`{agent.command[0]} --version` gave no answer in {_ASK_SECONDS:g} s"
    except OSError as error:
        return None, False, f"{program} cannot be run: {error.strerror or error}"
    version = _VERSION.search(said.stdout)
    if said.returncode == 0 and version is not None:
        return version[0].rstrip("."), True, ""
    why = last_line(said.stderr or said.stdout, _MAX_DETAIL)
    return None, False, f"`{agent.command[0]} --version` failed" + (f": {why}" if why else "")
