"""Which agents there are, whether they can run here, and how each is made."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from bug_lsp.domain.model import StoredValue
from bug_lsp.domain.proof import Proof
from bug_lsp.domain.run import CustomAgent, Facts
from bug_lsp.store.programs import on_path

from .acp.install import acp_availability, is_installed
from .acp.presets import PRESETS, of_the_user

if TYPE_CHECKING:
    from .base import Agent

_EXTRAS = {"codex": ("openai_codex", "Codex"), "claude": ("claude_agent_sdk", "Claude")}
"""Agents whose library is an extra of ours: its package, and how users know the agent."""
MODEL_FREE = ("spectrum", "repair", "bisect")
"""Agents that run the project's tests themselves, and are told nothing in words."""
_EDIT_NOTHING = ("spectrum", "bisect")
"""Those that only look: what is new in their copies afterwards was written by the tests."""
BUILT_IN = (*_EXTRAS, *PRESETS, *MODEL_FREE)
"""Agents that debug and are known without settings."""
ORCHESTRATORS = (*_EXTRAS, *PRESETS, "digest")
"""Agents that orchestrate and are known without settings."""


CONFINE_THEMSELVES: Mapping[str, str] = {"codex": "Codex's own sandbox"}
"""Agents that come with what holds them to their copy, and what that is."""
START_NOTHING = ("digest",)
"""Agents that only compute."""
_STEERABLE = (*_EXTRAS, *PRESETS)


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


def is_steerable(agent_type: str, custom: Mapping[str, CustomAgent]) -> bool:
    """Whether the user can speak to the agent: while it works, or when its turn has ended."""
    if agent_type in custom:
        return custom[agent_type].type == "acp"
    return agent_type in _STEERABLE


def is_model_free(agent_type: str, custom: Mapping[str, CustomAgent]) -> bool:
    """Whether the agent is one of ours that needs no model."""
    return agent_type in MODEL_FREE and agent_type not in custom


def edits_code(agent_type: str, custom: Mapping[str, CustomAgent]) -> bool:
    """Whether what has changed in the agent's copy is a proposal of its own."""
    return agent_type not in _EDIT_NOTHING or agent_type in custom


def installed(agent_type: str, custom: Mapping[str, CustomAgent]) -> bool:
    """Whether the agent can be started at all. Cheap: nothing is run."""
    if agent_type in custom:
        return on_path(custom[agent_type].command[0]) is not None
    if agent_type in PRESETS:
        return is_installed(PRESETS[agent_type])
    if agent_type in _EXTRAS:
        return importlib.util.find_spec(_EXTRAS[agent_type][0]) is not None
    return True


def install_hint(agent_type: str, custom: Mapping[str, CustomAgent]) -> str:
    """How to make the agent startable, one sentence."""
    if agent_type in custom:
        return (
            f"the program {custom[agent_type].command[0]!r} of agent {agent_type!r} is not on "
            "PATH; install it or correct `agents` in your settings"
        )
    if agent_type in PRESETS:
        return f"{PRESETS[agent_type].name} is not installed; {PRESETS[agent_type].install}"
    name = _EXTRAS[agent_type][1]
    return f"{name} is not installed; run: pip install 'bug-lsp[{agent_type}]'"


def why_left_out(agent_type: str, custom: Mapping[str, CustomAgent]) -> str:
    """Say as a clause why the agent certainly cannot work here; "" if it perhaps can. Cheap: looks
    at files and variables, and runs nothing.
    """
    if not installed(agent_type, custom):
        _, _, way_out = install_hint(agent_type, custom).partition("; ")
        return f"not installed ({way_out})" if way_out else "not installed"
    if agent_type in custom:
        return ""
    if agent_type == "codex":
        from .codex.install import missing_login

        return missing_login()
    if agent_type == "claude":
        from .claude.install import missing_login

        return missing_login()
    return ""


def availability(agent_type: str, custom: Mapping[str, CustomAgent]) -> Availability:
    """A closer look, for `doctor` and `listAgents`: runs `--version` where that tells something."""
    if not installed(agent_type, custom):
        return Availability(
            agent_type=agent_type,
            installed=False,
            ready=False,
            hint=install_hint(agent_type, custom),
        )
    version, ready, hint = _look(agent_type, custom)
    return Availability(
        agent_type=agent_type, installed=True, version=version, ready=ready, hint=hint
    )


def _look(agent_type: str, custom: Mapping[str, CustomAgent]) -> tuple[str | None, bool, str]:
    if agent_type in custom:
        return None, True, ""  # a program that we know nothing of is not run to be asked
    if agent_type in PRESETS:
        return acp_availability(PRESETS[agent_type])
    if agent_type == "codex":
        from .codex.install import codex_availability

        return codex_availability()
    if agent_type == "claude":
        from .claude.install import claude_availability

        return claude_availability()
    return None, True, ""


def create(
    agent_type: str,
    custom: Mapping[str, CustomAgent],
    debug: Sequence[Facts] = (),
    proof: Proof | None = None,
) -> Agent:
    """Make the agent. `debug` and `proof` are for an orchestrator that does not read the prompt."""
    # Each library is imported only by the session that needs it.
    if agent_type in custom:
        return _create_custom(agent_type, custom[agent_type])
    if agent_type in PRESETS:
        from .acp.agent import Acp

        return Acp(PRESETS[agent_type])
    return _create_own(agent_type, debug, proof)


def load(agent_type: str, custom: Mapping[str, CustomAgent]) -> None:
    """Import all that the agent will need, ahead of its session."""
    create(agent_type, custom)
    if agent_type not in custom and agent_type in _EXTRAS:
        importlib.import_module(_EXTRAS[agent_type][0])


def _create_custom(agent_type: str, custom: CustomAgent) -> Agent:
    if custom.type == "acp":
        from .acp.agent import Acp

        return Acp(of_the_user(agent_type, custom))
    from .command import Command

    return Command()


def _create_own(agent_type: str, debug: Sequence[Facts], proof: Proof | None) -> Agent:
    if agent_type == "codex":
        from .codex.agent import Codex

        return Codex()
    if agent_type == "claude":
        from .claude.agent import Claude

        return Claude()
    if agent_type == "digest":
        from .digest import Digest

        return Digest(debug, proof)
    if agent_type == "bisect":
        from .bisect.agent import Bisect

        return Bisect()
    if agent_type == "repair":
        from .repair.agent import Repair

        return Repair()
    from .spectrum.agent import Spectrum

    return Spectrum()
