"""Asks an orchestrator once for a closing block that is valid."""

from __future__ import annotations

from bug_lsp.domain.citations import unknown_ids
from bug_lsp.domain.report import Synthesis, parse_synthesis

from . import prompts


class BlockRepair:
    """Asks the orchestrator once to mend a closing block that is not valid."""

    def __init__(self, evidence_ids: frozenset[str], *, wanted: bool) -> None:
        self._known = evidence_ids
        self._left = 1 if wanted else 0
        self.first = ""
        """The answer that was not good enough."""

    def __call__(self, answer: str) -> str | None:
        """Return what to ask for, None where the answer is good or was asked for already."""
        problem = parse_synthesis(answer)
        if isinstance(problem, Synthesis):
            problem = self._invented(problem)
        if not self._left or not problem or not answer.strip():
            return None
        self._left -= 1
        self.first = answer
        return prompts.repair_prompt(problem)

    def _invented(self, synthesis: Synthesis) -> str:
        """What is wrong with the evidence that it cites; "" where nothing is."""
        unknown = unknown_ids(
            f"{synthesis.root_cause}\n{synthesis.recommended_solution}", self._known
        )
        if not unknown:
            return ""
        there = (
            f"cite only ids from {', '.join(sorted(self._known))}"
            if self._known
            else "there is none"
        )
        return f"it cites evidence that does not exist ({', '.join(unknown)}): {there}"
