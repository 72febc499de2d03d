"""Which agents there are, whether they can run here, and how each is made."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bug_lsp.domain.model import StoredValue
from bug_lsp.domain.run import CustomAgent, Facts

if TYPE_CHECKING:
    from .base import Agent

BUILT_IN = ("codex", "spectrum", "bisect")
"""Agents that debug and are known without settings."""
ORCHESTRATORS = ("codex", "digest")
"""Agents that orchestrate and are known without settings."""


STEERABLE = ("codex",)
"""Agents that the user can speak to while they work."""


class Availability(StoredValue):
    """Whether an agent can run here, and if not, what to do."""

    agent_type: str
    installed: bool
    version: str | None = None
    ready: bool
    hint: str = ""


def known(custom: Mapping[str, CustomAgent]) -> tuple[str, ...]:
    """The agent types that may be asked for."""
    return (*BUILT_IN, *(name for name in custom if name not in BUILT_IN))


def installed(agent_type: str, custom: Mapping[str, CustomAgent]) -> bool:
    """Whether the agent can be started at all. Cheap: nothing is run."""
    if agent_type in custom:
        return shutil.which(custom[agent_type].command[0]) is not None
    return agent_type != "codex" or importlib.util.find_spec("openai_codex") is not None


def install_hint(agent_type: str, custom: Mapping[str, CustomAgent]) -> str:
    """How to make the agent startable, one sentence."""
    if agent_type in custom:
        return (
            f"the program {custom[agent_type].command[0]!r} of agent {agent_type!r} is not on "
            "PATH; install it or correct `agents` in your settings"
        )
    return "Codex is not installed; run: pip install 'bug-lsp[codex]'"


def availability(agent_type: str, custom: Mapping[str, CustomAgent]) -> Availability:
    """A closer look, for `doctor` and `listAgents`: runs `--version` where that tells something."""
    if not installed(agent_type, custom):
        return Availability(
            agent_type=agent_type,
            installed=False,
            ready=False,
            hint=install_hint(agent_type, custom),
        )
    if agent_type == "codex" and agent_type not in custom:
        from .codex import codex_availability

        version, ready, hint = codex_availability()
        return Availability(
            agent_type=agent_type, installed=True, version=version, ready=ready, hint=hint
        )
    return Availability(agent_type=agent_type, installed=True, ready=True)


def create(
    agent_type: str, custom: Mapping[str, CustomAgent], debug: Sequence[Facts] = ()
) -> Agent:
    """Make the agent. `debug` is what an orchestrator merges that does not read the prompt."""
    # Each library is imported only by the session that needs it.
    if agent_type in custom:
        from .command import Command

        return Command()
    if agent_type == "codex":
        from .codex import Codex

        return Codex()
    if agent_type == "digest":
        from .digest import Digest

        return Digest(debug)
    if agent_type == "bisect":
        from .bisect import Bisect

        return Bisect()
    from .spectrum import Spectrum

    return Spectrum()
