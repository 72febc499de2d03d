"""What the log of an ACP agent tells; its lines are as the real agents write them."""

from __future__ import annotations

import pytest

from bug_lsp.agents.acp.log import Log
from bug_lsp.agents.acp.presets import PRESETS
from bug_lsp.domain.errors import FailureKind
from bug_lsp.domain.events import Error
from tests.agents.recorder import Recorder

GEMINI = (
    "[2026-11-22T11:32:52.047Z] [WARN] Attempt {n} failed with status {status}. Retrying with "
    'backoff... _ApiError: {{"error":{{"code":{status},"message":"no"}}}}\n'
    "    at async retryWithBackoff (file:///gemini-cli/bundle/chunk.js:308039:23) {{\n"
    "  status: {status}\n"
    "}}\n"
)
OPENCODE = (
    'timestamp=2026-11-22T11:32:58.088Z level=ERROR run=8d80a3dc message="stream error" '
    "providerID=scripted modelID=scripted session.id=ses_1 small={small} agent=build mode=primary "
    'error.error="AI_APICallError: {why}"\n'
)
UNKNOWN = "Reconnecting: 401 Unauthorized\n"
DEBUG = "[2026-11-22T11:32:51.881Z] [DEBUG] Experiments loaded {\n  flags: []\n}\n"


def log_of(name: str, text: str = "") -> tuple[Log, Recorder]:
    said = Recorder()
    log = Log(PRESETS[name], said)
    log.feed(text.encode())
    return log, said


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("gemini", "".join(GEMINI.format(n=n, status=429) for n in (1, 2, 3)), "rateLimit"),
        ("gemini", "".join(GEMINI.format(n=n, status=401) for n in (1, 2, 3)), "auth"),
        ("opencode", OPENCODE.format(small="false", why="Rate limit reached") * 3, "rateLimit"),
        ("opencode", OPENCODE.format(small="false", why="exceeded your quota") * 3, "quota"),
        ("qwen", UNKNOWN * 3, "auth"),
    ],
)
def test_the_third_request_in_a_row_that_is_refused_is_the_last(
    name: str, text: str, kind: str
) -> None:
    log, _ = log_of(name, text)
    assert log.hopeless is not None
    assert log.hopeless.kind is FailureKind(kind)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gemini", GEMINI.format(n=1, status=500) * 20),  # that may be over at any moment
        ("gemini", GEMINI.format(n=1, status=429) * 2),
        ("opencode", OPENCODE.format(small="true", why="Rate limit reached") * 20),
        ("opencode", "the test got a 429, retry\n" * 20),
        ("qwen", "the test got a 401\n" * 20),
        ("qwen", "attempt 7\n" * 20),
    ],
)
def test_nothing_else_is_hopeless(name: str, text: str) -> None:
    assert log_of(name, text)[0].hopeless is None


def test_what_the_agent_does_in_between_starts_the_count_again() -> None:
    log, _ = log_of("gemini", GEMINI.format(n=1, status=429) * 2)
    log.answered()
    log.feed(GEMINI.format(n=1, status=429).encode() * 2)
    assert log.hopeless is None


def test_each_request_that_is_made_again_is_told_of() -> None:
    _, said = log_of("gemini", GEMINI.format(n=2, status=500) + DEBUG)
    [told] = said.of(Error)
    assert told.message.startswith("Attempt 2 failed with status 500. Retrying with backoff...")
    _, said = log_of("opencode", OPENCODE.format(small="false", why="no luck"))
    assert said.of(Error) == [Error(message="AI_APICallError: no luck")]


def test_it_does_not_matter_in_which_pieces_the_log_comes() -> None:
    log, said = log_of("gemini")
    for byte in GEMINI.format(n=1, status=401).encode() * 3:
        log.feed(bytes([byte]))
    assert len(said.of(Error)) == 3
    assert log.hopeless is not None


def test_debugging_is_not_among_the_last_words_and_they_are_bounded() -> None:
    log, _ = log_of("gemini", "y" * 100_000 + f"\nIt broke\n{DEBUG}")
    assert log.tail.endswith("y\nIt broke\n")
    assert len(log.tail) < 5_000
    log.feed(b"for good" + b"z" * 100_000)
    assert len(log.tail) < 25_000
