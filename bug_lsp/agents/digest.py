"""The orchestrator for where there is no model: merges findings by place and counts votes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from bug_lsp.domain.events import Text
from bug_lsp.domain.proof import Proof
from bug_lsp.domain.report import Synthesis, fenced_json
from bug_lsp.domain.run import Facts
from bug_lsp.domain.synthesis import digest

from .base import Answer, Emit, Job


class Digest:
    """Says by rule what the sessions found. It reads their results, not the prompt."""

    def __init__(self, debug: Sequence[Facts], proof: Proof | None) -> None:
        self._debug = debug
        self._proof = proof

    async def run(self, job: Job, emit: Emit) -> Answer:  # noqa: ARG002 - the seam's signature
        """Merge, and say it in the shape that every orchestrator's answer has."""
        answer = _answer(digest(self._debug, self._proof))
        emit(Text(text=answer))
        return Answer(text=answer)


def _answer(synthesis: Synthesis) -> str:
    steps = "\n".join(f"1. {step}" for step in synthesis.implementation_steps)
    body = json.dumps(
        synthesis.model_dump(mode="json", by_alias=True), ensure_ascii=False, indent=1
    )
    return (
        f"## Root cause\n\n{synthesis.root_cause}\n\n"
        f"## Recommended solution\n\n{synthesis.recommended_solution}\n\n"
        f"## Implementation steps\n\n{steps}\n\n{fenced_json(body)}"
    )
