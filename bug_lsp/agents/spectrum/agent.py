"""The built-in agent that says which lines the failing tests have in common.

It runs the project's own tests once, with the lines each executes, and ranks the lines. It needs
no model and no network, changes nothing, and claims where, never why.
"""

from __future__ import annotations

from bug_lsp.agents.base import Answer, Emit, Job
from bug_lsp.agents.markdown import listed
from bug_lsp.agents.python_tests import (
    Failure,
    Plan,
    PythonProject,
    Reproduction,
    has_python,
    project_frames,
    reproduce,
)
from bug_lsp.agents.python_tests.shared import WHOLE_SECONDS
from bug_lsp.domain.errors import AgentFailure, FailureKind
from bug_lsp.domain.events import Activity, Error, Text
from bug_lsp.domain.report import Basis, Finding, Report, report_block

from .answer import (
    MOST_FINDINGS,
    failing_ids,
    failing_section,
    method_section,
    others_section,
    root_cause,
    suspects_section,
)
from .python_source import PythonSource
from .suspects import Evidence, Suspect, rank, sharpened

_SURE_OF_ORIGIN = 0.9
_ORIGIN_ONLY = 0.3
_MEASUREMENT = "tests"
"""What all findings rest on: those of other agents that rest on it are the same voice."""


class Spectrum:
    """Spectrum-based fault localisation over the project's own tests."""

    def __init__(self, *, test_seconds: float = 10.0, whole_seconds: float = WHOLE_SECONDS) -> None:
        self._plan = Plan(coverage=True, test_seconds=test_seconds, whole_seconds=whole_seconds)

    async def run(self, job: Job, emit: Emit) -> Answer:
        """Run the tests, rank the lines, answer in Markdown."""
        if not has_python(job.cwd):
            raise AgentFailure(
                FailureKind.NOT_APPLICABLE,
                "there is no Python here: spectrum runs the tests of Python projects"
                " (pytest or unittest)",
            )
        emit(Activity(text="looking for tests"))
        project = PythonProject.of(job)
        shown = await reproduce(job, project, emit, agent="spectrum", plan=self._plan)
        emit(Activity(text="ranking lines"))
        sources = _Sources(project)
        suspects = rank(shown.run, shown.failing, sources)
        if "repair" not in job.beside:  # it tries more of them, and says what came of it
            suspects = sharpened(suspects, await _edits_tried(shown, suspects, emit))
        answer = _answer(shown, suspects, sources)
        emit(Text(text=answer))
        return Answer(text=answer)


class _Sources:
    """The files of the copy, each parsed once."""

    def __init__(self, project: PythonProject) -> None:
        self._root = project.copy
        self._parsed: dict[str, PythonSource] = {}

    def __call__(self, path: str) -> PythonSource:
        if path not in self._parsed:
            file = self._root / path
            self._parsed[path] = PythonSource.parse(file.read_bytes() if file.is_file() else b"")
        return self._parsed[path]


async def _edits_tried(
    shown: Reproduction, suspects: list[Suspect], emit: Emit
) -> dict[tuple[str, int], Evidence]:
    """What small edits say about the suspects; nothing where they cannot be tried."""
    # Imported here because `repair` itself begins with our ranking.
    from bug_lsp.agents.repair.evidence import evidence

    try:
        return await evidence(shown.project, shown, suspects, emit)
    except AgentFailure as failure:
        emit(Error(message=f"lines that stand out equally stay so: {failure.message}"))
        return {}


def _answer(shown: Reproduction, suspects: list[Suspect], sources: _Sources) -> str:
    findings = [*_uncollected(shown, sources), *map(_finding, suspects)]
    if not suspects:
        findings += _origins(shown, sources)
    if not findings:
        raise AgentFailure(
            FailureKind.NOT_APPLICABLE,
            "the failing tests execute no line of the project outside of the tests:"
            f" {listed(failing_ids(shown), 3)}",
        )
    report = Report(
        root_cause=root_cause(shown, suspects, findings[0]),
        findings=tuple(findings[:MOST_FINDINGS]),
        verification=f"The project's own tests were run once: {shown.run.counted()}.",
    )
    parts = [
        failing_section(shown),
        others_section(shown),
        suspects_section(suspects),
        method_section(shown, with_edits=any(one.evidence.tried for one in suspects)),
    ]
    return "\n\n".join([*filter(None, parts), report_block(report)])


def _finding(suspect: Suspect) -> Finding:
    return Finding(
        claim=suspect.claim,
        path=suspect.path,
        line=suspect.line,
        quote=suspect.quote,
        confidence=suspect.confidence,
        basis=suspect.basis,
        measurement=_MEASUREMENT,
    )


def _at_origin(failure: Failure, claim: str, confidence: float, sources: _Sources) -> list[Finding]:
    """The innermost place of the project in a traceback, as a finding."""
    return [
        Finding(
            claim=claim,
            path=frame.path,
            line=frame.line,
            quote=sources(frame.path).quote(frame.line),
            confidence=confidence,
            basis=Basis.TRACE,
            measurement=_MEASUREMENT,
        )
        for frame in failure.frames[-1:]
    ]


def _uncollected(shown: Reproduction, sources: _Sources) -> list[Finding]:
    """What keeps tests from being collected: the exception says where."""
    found: list[Finding] = []
    for error in shown.errors:
        claim = f"{error.failure.summary}: the tests in {error.where} cannot be collected"
        found += _at_origin(error.failure, claim, _SURE_OF_ORIGIN, sources)
    places = {(finding.path, finding.line): finding for finding in reversed(found)}
    return [finding for finding in found if places[finding.path, finding.line] is finding]


def _origins(shown: Reproduction, sources: _Sources) -> list[Finding]:
    """Where tests that ended their process were: no executed lines came back from them."""
    found: list[Finding] = []
    for index in shown.failing:
        test = shown.run.tests[index]
        if test.failure is not None and project_frames(test):
            inner = test.failure.model_copy(update={"frames": tuple(project_frames(test))})
            claim = f"{test.failure.summary}: the innermost line of the project in {test.id}"
            found += _at_origin(inner, claim, _ORIGIN_ONLY, sources)
    return found
