"""The end of a live document: how the session went, and where to read on."""

from __future__ import annotations

from pathlib import Path

from bug_lsp.domain.run import Kind, Run, Spec
from bug_lsp.domain.transcript import one_line
from bug_lsp.store.layout import SessionFolder


def farewell(run: Run, session: SessionFolder, spec: Spec, ended: str) -> str:
    """Markdown: how it ended, and links to the task file and to the whole sessions."""
    task = Path(run.task_path)
    links = [f"[{task.name}]({task.as_uri()})"]
    if spec.kind is Kind.ORCHESTRATOR:
        links += [
            f"[{one.title.split(':')[0]} {one.agent_type}]"
            f"({session.run.session(one.session_id).output.as_uri()})"
            for one in run.roster
            if one.session_id in (spec.covers or {item.session_id for item in run.standing})
        ]
    else:
        links.append(f"[full session]({session.output.as_uri()})")
    return f"---\n\n**{one_line(ended, 500)}**\n\n" + " · ".join(links)
