"""Settings that a workspace may have brought along: programs in them are not run, and the user is
told so, once.

An editor's answer to `workspace/configuration` mixes the user's own settings with those that a
cloned project has in a file, and does not say which is which.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from bug_lsp.agents import registry
from bug_lsp.domain.errors import Refused
from bug_lsp.domain.run import CustomAgent
from bug_lsp.domain.settings import Settings
from bug_lsp.session.settings import config_path

AGENTS = "agents"
_REASONS = {
    "confinement": "say what agents are not kept from",
    "writablePaths": "say what agents are not kept from",
    "setUpCommand": "name programs to run",
    "suiteCommand": "name programs to run",
    "testsNeedNetwork": "say what tests are not kept from",
    "python": "name programs to run",
    "keepRuns": "have runs of yours deleted",
}
"""The other settings that are not followed, and what they would do."""


class Withheld:
    """The agents that are not followed, and what the user was told of them."""

    def __init__(self) -> None:
        self._agents: dict[str, Any] = {}
        self._others: dict[str, Any] = {}
        self._told: set[tuple[str, str]] = set()

    def sift(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The client's settings without those that name programs, give agents more leave or have
        runs deleted, which are kept aside.
        """
        agents = answer.get(AGENTS)
        self._agents = dict(agents) if isinstance(agents, Mapping) else {}
        self._others = {key: value for key, value in answer.items() if key in _REASONS and value}
        return {key: value for key, value in answer.items() if key not in (AGENTS, *_REASONS)}

    def news(self, used: Settings) -> list[str]:
        """What the user is to know and was not told yet.

        What the user's own settings say alike is used, so there is nothing to tell.
        """
        return [*self._news_of_agents(used.agents), *self._news_of_others(used)]

    def _news_of_others(self, used: Settings) -> Iterator[str]:
        own = used.model_dump(mode="json", by_alias=True)
        for name, value in self._others.items():
            key = (name, json.dumps(value, sort_keys=True, default=str))
            if value != own[name] and key not in self._told:
                self._told.add(key)
                yield (
                    f"bug-lsp: the setting `{name}` of the editor's settings is not followed: "
                    f"{_why(_REASONS[name])}"
                )

    def _news_of_agents(self, used: Mapping[str, CustomAgent]) -> Iterator[str]:
        names = []
        for name, agent in self._agents.items():
            key = (name, json.dumps(agent, sort_keys=True, default=str))
            if key not in self._told and not _is_same(agent, used.get(name)):
                self._told.add(key)
                names.append(name)
        if not names:
            return
        listed = ", ".join(repr(name) for name in names)
        subject = f"agent {listed} is" if len(names) == 1 else f"agents {listed} are"
        yield f"bug-lsp: {subject} not used as defined in the editor's settings: {_why()}"

    def check(self, asked: Iterable[str], used: Mapping[str, CustomAgent]) -> None:
        """Refuse agents that are known from nowhere else, with the reason."""
        known = {*registry.known(used), *registry.ORCHESTRATORS}
        for name in asked:
            if name in self._agents and name not in known:
                raise Refused(f"agent {name!r} is not run: {_why()}")


def _why(what: str = "name programs to run") -> str:
    return (
        f"settings of a workspace may not {what}, and the editor does not say whether "
        f"they are yours; if you trust it, define it in {config_path()} or in your editor's "
        "initializationOptions"
    )


def _is_same(agent: Any, used: CustomAgent | None) -> bool:
    if used is None or not isinstance(agent, Mapping):
        return False
    try:
        return CustomAgent.model_validate(dict(agent)) == used
    except ValidationError:
        return False
