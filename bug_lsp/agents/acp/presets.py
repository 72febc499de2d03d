"""The ACP agents that are known without settings, as data; one of the user's becomes the same.

Pure, and free of the ACP library, which takes half a second to import.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from bug_lsp.domain.run import CustomAgent


@dataclass(frozen=True, slots=True)
class AcpAgent:
    """How one ACP agent is started, and what to tell a user for whom it does not work."""

    name: str
    """As users know it."""
    command: tuple[str, ...]
    install: str
    """What to do where its program is not there, as the end of a sentence."""
    login: str
    """What to do where it is not logged in, as the end of a sentence."""
    model_option: str | None = None
    """How the command line names a model. None: it is chosen over the protocol."""
    folder_option: str | None = None
    """How the command line names a folder, beside its own, in which it may work."""
    env: Mapping[str, str] = field(default_factory=dict)
    read_only_env: Mapping[str, str] = field(default_factory=dict)
    """Over `env`, for a session that must change nothing."""
    retry: re.Pattern[str] | None = None
    """Finds in a line of its log why a request failed that it makes again."""

    def environment(self, *, read_only: bool) -> Mapping[str, str]:
        """What is added to the environment of its process."""
        return {**self.env, **self.read_only_env} if read_only else self.env

    def command_line(self, model: str | None, folder: Path | None) -> tuple[str, ...]:
        """The program and its arguments; never a prompt."""
        chosen = (self.model_option, model) if self.model_option and model else ()
        also = (self.folder_option, str(folder)) if self.folder_option and folder else ()
        return (*self.command, *chosen, *also)


def _permissions(**permissions: str) -> dict[str, str]:
    return {"OPENCODE_PERMISSION": json.dumps(permissions)}


PRESETS: Mapping[str, AcpAgent] = {
    "gemini": AcpAgent(
        name="Gemini",
        # Not trusting the folder would end it at once: a copy is a folder it has never seen.
        command=("gemini", "--acp", "--skip-trust"),
        install="run: npm install -g @google/gemini-cli",
        login="run `gemini` once and log in, or set GEMINI_API_KEY",
        model_option="-m",
        folder_option="--include-directories",
        env={
            # Else a second node does the work, and signals to the first do not reach it.
            "GEMINI_CLI_NO_RELAUNCH": "true",
            # Else nothing anywhere tells of requests that it makes again, for minutes.
            "GEMINI_DEBUG_LOG_FILE": "/dev/stderr",
        },
        retry=re.compile(r"\] (Attempt \d+ failed.*)"),
    ),
    "opencode": AcpAgent(
        name="OpenCode",
        # Its log is the only place that tells of requests that it makes again, for minutes.
        command=("opencode", "acp", "--print-logs", "--log-level", "WARN"),
        install="run: npm install -g opencode-ai",
        login="run `opencode auth login`",
        # Put over the user's own permissions: outside of its folder it asks, and it asks us.
        env=_permissions(external_directory="ask", question="deny"),
        read_only_env=_permissions(
            external_directory="ask", question="deny", edit="deny", bash="deny"
        ),
        # "small" is the request for a title, without which it does as well.
        retry=re.compile(r'message="stream error" .*small=false.* error\.error="(.*)"'),
    ),
    "qwen": AcpAgent(
        name="Qwen Code",
        command=("qwen", "--acp"),
        install="run: npm install -g @qwen-code/qwen-code",
        login="run `qwen` once and log in",
        model_option="-m",
    ),
    "copilot": AcpAgent(
        name="Copilot",
        command=("copilot", "--acp"),
        install="run: npm install -g @github/copilot",
        login="run `copilot` once and say /login",
        model_option="--model",
    ),
}
"""By agent type."""


def of_the_user(agent_type: str, custom: CustomAgent) -> AcpAgent:
    """An ACP agent from the user's settings."""
    return AcpAgent(
        name=agent_type,
        command=custom.command,
        install="install it or correct `agents` in your settings",
        login=f"log in with `{custom.command[0]}` by hand",
        env=custom.env,
    )
