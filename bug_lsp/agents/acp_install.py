"""Whether an ACP agent is on this machine, and which version.

Runs its program only to ask the version, in bounded time. The ACP library is not imported: that
takes longer than most answers.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from .acp_presets import AcpAgent
from .text import last_line

_ASK_SECONDS = 10.0
_VERSION = re.compile(r"\d+\.\d+[\w.+-]*")
_HOMES = ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
_MAX_DETAIL = 200


def is_installed(agent: AcpAgent) -> bool:
    """Whether its program is there. Cheap: nothing is run."""
    found = shutil.which(agent.command[0])
    return found is not None and Path(found).is_absolute()


def acp_availability(agent: AcpAgent) -> tuple[str | None, bool, str]:
    """The version, whether it can be used, and if not, what to do.

    Whether it is logged in cannot be asked: each keeps that in another place, or in several.
    """
    program = shutil.which(agent.command[0])
    if program is None or not Path(program).is_absolute():
        return None, False, f"{agent.name} is not installed; {agent.install}"
    try:
        said = _ask(program, {**os.environ, **agent.env})
    except subprocess.TimeoutExpired:
        return None, False, f"`{agent.command[0]} --version` gave no answer in {_ASK_SECONDS:g} s"
    except OSError as error:
        return None, False, f"{program} cannot be run: {error.strerror or error}"
    version = _VERSION.search(said.stdout)
    if said.returncode == 0 and version is not None:
        return version[0], True, ""
    why = last_line(said.stderr or said.stdout, _MAX_DETAIL)
    return None, False, f"`{agent.command[0]} --version` failed" + (f": {why}" if why else "")


def _ask(program: str, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    # Even this makes some of them set up their folders: not in the user's home, who only asked.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as home:
        return subprocess.run(
            (program, "--version"),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            cwd=home,  # not the workspace, whose settings may name programs
            env={**env, **dict.fromkeys(_HOMES, home)},
            timeout=_ASK_SECONDS,
            check=False,
            encoding="utf-8",
            errors="replace",
        )
