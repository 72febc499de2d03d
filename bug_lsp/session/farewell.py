"""The end of a live document: how the session went, and where to read on."""

from __future__ import annotations

from pathlib import Path

from bug_lsp.domain.inert import inert
from bug_lsp.domain.run import Kind, Run, Spec
from bug_lsp.domain.transcript import one_line
from bug_lsp.store.layout import SessionFolder


def farewell(run: Run, session: SessionFolder, spec: Spec, ended: str) -> str:
    """Markdown: how it ended, and links to the task file and to the whole sessions, one a line."""
    links = [
        ("View updated task", Path(run.task_path)),
        ("View full session", session.output),
    ]
    if spec.kind is Kind.ORCHESTRATOR:
        links += [
            (
                f"{one.title.split(':')[0]} {one.agent_type}",
                session.run.session(one.session_id).output,
            )
            for one in run.roster
            if one.session_id in (spec.covers or {item.session_id for item in run.standing})
        ]
    lines = "\n".join(f"- [{title}]({path.as_uri()})" for title, path in links)
    return f"---\n\n**{inert(one_line(ended, 500))}**\n\n{lines}"
