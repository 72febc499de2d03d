"""The scripted model says what its script says, in each protocol, from here or from a process."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scripted_model import ScriptedModel, scripted_model

TOOL = {"name": "Bash", "type": "function", "function": {"name": "Bash"}}
PATHS = {
    "responses": ("v1/responses", {"tools": [TOOL]}),
    "chat": ("v1/chat/completions", {"tools": [TOOL]}),
    "messages": ("v1/messages", {"tools": [TOOL]}),
    "gemini": (
        "v1beta/models/m:streamGenerateContent",
        {"tools": [{"functionDeclarations": [{"name": "Bash"}]}]},
    ),
}
each_protocol = pytest.mark.parametrize(("path", "body"), PATHS.values(), ids=PATHS)


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with scripted_model() as model:
        yield model


def send(url: str, body: dict[str, Any], method: str = "POST") -> str:
    request = urllib.request.Request(
        url, json.dumps(body).encode(), {"content-type": "application/json"}, method=method
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return response.read().decode()


def frames(stream: str) -> list[Any]:
    lines = [line.removeprefix("data: ") for line in stream.splitlines() if "data: " in line]
    return [json.loads(line) for line in lines if line != "[DONE]"]


@each_protocol
def test_text_is_streamed_in_pieces(model: ScriptedModel, path: str, body: dict[str, Any]) -> None:
    model.load("lane", {"steps": [{"text": "abcdef", "chunk": 2}]})
    pieces = [
        json.dumps(f) for f in frames(send(f"{model.url('lane')}/{path}", body | {"stream": True}))
    ]
    for piece in ('"ab"', '"cd"', '"ef"'):
        assert sum(piece in frame for frame in pieces) == 1


@each_protocol
def test_a_tool_is_called_by_the_name_that_was_offered(
    model: ScriptedModel, path: str, body: dict[str, Any]
) -> None:
    model.load("lane", {"steps": [{"tools": [{"kind": "shell", "command": "ls"}]}]})
    answer = send(f"{model.url('lane')}/{path}", body | {"stream": True})
    assert '"name": "Bash"' in answer
    assert model.requests("lane")[0]["calls"] == ["Bash"]


@each_protocol
def test_an_error_comes_as_often_as_scripted(
    model: ScriptedModel, path: str, body: dict[str, Any]
) -> None:
    model.load("lane", {"steps": [{"http": 429, "times": 2}, {"text": "Fine."}]})
    url = f"{model.url('lane')}/{path}"
    for _ in range(2):
        with pytest.raises(urllib.error.HTTPError) as raised:
            send(url, body)
        with raised.value as error:
            assert error.code == 429
            assert b"rate limit" in error.read()
    assert "Fine." in send(url, body)
    assert [request["step"] for request in model.requests("lane")] == [0, 1, 2]


def test_a_request_without_tools_uses_up_no_step(model: ScriptedModel) -> None:
    model.load("lane", {"steps": [{"text": "Main."}], "side_text": "A title"})
    assert "A title" in send(f"{model.url('lane')}/v1/messages", {})
    assert "Main." in send(f"{model.url('lane')}/v1/messages", {"tools": [TOOL]})


def test_it_runs_as_a_process_scripted_over_http() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tests.scripted_model"],
        cwd=Path(__file__).parents[2],
        stdout=subprocess.PIPE,
    ) as process:
        try:
            assert process.stdout is not None
            base = f"http://127.0.0.1:{json.loads(process.stdout.readline())['port']}"
            loaded = send(f"{base}/_lane/x", {"steps": [{"text": "Hello."}]}, method="PUT")
            url = json.loads(loaded)["url"]
            assert "Hello." in send(f"{url}/v1/responses", {"tools": [TOOL]})
            with urllib.request.urlopen(f"{base}/_lane/x/requests", timeout=10) as log:
                assert len(json.load(log)) == 1
        finally:
            process.terminate()
