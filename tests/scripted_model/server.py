"""The HTTP side: lanes, request log, pacing and failures. Listens on 127.0.0.1 only.

A lane is one scripted conversation with its own base address, so that several agents run
at once against one server without mixing:

    http://127.0.0.1:PORT/LANE/v1/responses             OpenAI Responses      (codex)
    http://127.0.0.1:PORT/LANE/v1/chat/completions      OpenAI chat           (opencode, qwen)
    http://127.0.0.1:PORT/LANE/v1/messages              Anthropic Messages    (claude)
    http://127.0.0.1:PORT/LANE/v1beta/models/M:streamGenerateContent   Gemini (gemini)

In a test:

    async with ScriptedModel() as model:
        model.load("codex", {"cwd": repo, "steps": [{"text": "Done."}]})
        ... run the agent with the base address model.url("codex") + "/v1" ...
        assert model.requests("codex")[0]["tools"]

From another process: PUT /_lane/NAME with a script, GET /_lane/NAME/requests for the log.
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
from dataclasses import dataclass
from typing import Any, Self

from aiohttp import web

from . import dialects
from .script import Call, Script, Step, native_call

SECRET_HEADERS = {"authorization", "x-api-key", "x-goog-api-key", "api-key", "cookie"}
MAX_BODY = 256 * 1024 * 1024


@dataclass
class _Asked:
    """One request to the model, and what the script says to it."""

    request: web.Request
    entry: dict[str, Any]
    dialect: Any
    step: Step
    model: str


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _dialect(rest: str) -> Any:
    """The protocol of a path, None where nothing is scripted."""
    if "enerateContent" in rest:
        return dialects.Gemini
    endings = {
        "/responses": dialects.Responses,
        "/chat/completions": dialects.Chat,
        "/messages": dialects.Messages,
    }
    return next((dialect for end, dialect in endings.items() if rest.endswith(end)), None)


def _model(rest: str, body: dict[str, Any]) -> str:
    if "enerateContent" in rest:
        return rest.rsplit("/", 1)[-1].partition(":")[0]
    return str(body.get("model", "scripted"))


class ScriptedModel:
    """The service. One instance has one port and any number of lanes."""

    def __init__(self, port: int = 0, keep_bodies: bool = False) -> None:
        self.port = port
        self.keep_bodies = keep_bodies
        self._lanes: dict[str, Script] = {}
        self._log: dict[str, list[dict[str, Any]]] = {}
        self._runner: web.AppRunner | None = None
        self._asked = threading.Condition()

    # -- for the test ------------------------------------------------------------------
    def load(self, lane: str, script: dict[str, Any]) -> None:
        """Give a lane its script, and start its cursor and its log afresh."""
        self._lanes[lane] = Script(script)
        self._log[lane] = []

    def url(self, lane: str) -> str:
        return f"http://127.0.0.1:{self.port}/{lane}"

    def requests(self, lane: str) -> list[dict[str, Any]]:
        return self._log.get(lane, [])

    def wait_until_asked(self, lane: str, seconds: float = 60) -> None:
        """Block until the lane has a request. Not on the loop of the model itself."""
        with self._asked:
            assert self._asked.wait_for(lambda: self.requests(lane), seconds), "nobody asked"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=MAX_BODY)
        app.router.add_put("/_lane/{lane}", self._put_lane)
        app.router.add_get("/_lane/{lane}/requests", self._get_requests)
        app.router.add_route("*", "/{lane}/{rest:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        return self

    async def __aexit__(self, *exc: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    # -- control -----------------------------------------------------------------------
    async def _put_lane(self, request: web.Request) -> web.Response:
        self.load(request.match_info["lane"], await request.json())
        return web.json_response({"url": self.url(request.match_info["lane"])})

    async def _get_requests(self, request: web.Request) -> web.Response:
        return web.json_response(self.requests(request.match_info["lane"]))

    # -- the model ---------------------------------------------------------------------
    async def _answer(self, request: web.Request) -> web.StreamResponse:
        lane, rest = request.match_info["lane"], request.match_info["rest"]
        raw = await request.read()
        body = _json_object(raw)
        # Agents that share their settings, and so an address, are told apart by their model.
        own = f"{lane}/{_model(rest, body)}"
        lane = own if own in self._lanes else lane
        entry = self._note(lane, request, body, len(raw))
        script = self._lanes.get(lane)
        if script is None:
            return web.json_response({"error": {"message": f"no lane {lane}"}}, status=404)
        if request.method != "POST":
            return self._get(rest)
        if rest.endswith(("count_tokens", ":countTokens")):
            return web.json_response({"input_tokens": 1000, "totalTokens": 1000})
        dialect = _dialect(rest)
        if dialect is None:
            return web.json_response({"error": {"message": "not scripted"}}, status=404)

        offered = dialect.offered(body)
        main = script.all_main or bool(offered)
        step = script.next() if main else Step(text=script.side_text)
        asked = _Asked(request, entry, dialect, step, _model(rest, body))
        stream = "streamGenerateContent" in rest or bool(body.get("stream"))
        entry.update(
            dialect=dialect.__name__,
            model=asked.model,
            stream=stream,
            main=main,
            tools=sorted(offered),
            step=script.cursor - 1 if main else None,
        )
        if step.http or step.garbage:
            return self._refuse(asked)
        calls = [native_call(tool, offered, script) for tool in step.tools]
        entry["calls"] = [call.name for call in calls]
        return await (self._stream(asked, calls) if stream else self._whole(asked, calls))

    def _note(
        self, lane: str, request: web.Request, body: dict[str, Any], size: int
    ) -> dict[str, Any]:
        """Write a request into the lane's log; what comes of it is added later."""
        entry: dict[str, Any] = {
            "time": time.time(),
            "method": request.method,
            "path": "/" + request.match_info["rest"],
            "query": request.query_string,
            "bytes": size,
            "headers": {
                key: "(hidden)" if key.lower() in SECRET_HEADERS else value
                for key, value in request.headers.items()
            },
        }
        if self.keep_bodies:
            entry["body"] = body
        with self._asked:
            self._log.setdefault(lane, []).append(entry)
            self._asked.notify_all()
        return entry

    @staticmethod
    def _refuse(asked: _Asked) -> web.Response:
        step = asked.step
        if step.garbage:
            return web.Response(text="<html>a proxy's login page</html>", content_type="text/html")
        body = step.body or asked.dialect.error(step.http)
        return web.json_response(body, status=step.http, headers=step.headers)

    async def _whole(self, asked: _Asked, calls: list[Call]) -> web.Response:
        if asked.step.hang:
            await asyncio.sleep(asked.step.hang)
        if asked.step.cut:
            self._drop(asked.request)
        return web.json_response(asked.dialect.whole(asked.step, calls, asked.model))

    async def _stream(self, asked: _Asked, calls: list[Call]) -> web.StreamResponse:
        step, entry = asked.step, asked.entry
        response = web.StreamResponse(
            headers={"content-type": "text/event-stream", "cache-control": "no-cache"}
        )
        if step.hang and not (step.text or step.big or step.thinking):
            await asyncio.sleep(step.hang)
        await response.prepare(asked.request)
        try:
            await self._frames(asked, calls, response)
        except ConnectionError:  # some clients hang up as soon as they have the last event
            entry.setdefault("ended", "client went away")
        except asyncio.CancelledError:
            entry["ended"] = "client went away"
            raise
        return response

    async def _frames(self, asked: _Asked, calls: list[Call], response: web.StreamResponse) -> None:
        step = asked.step
        for frame in asked.dialect.events(step, calls, asked.model):
            if isinstance(frame, bytes):
                await response.write(frame)
                if step.delay:
                    await asyncio.sleep(step.delay)
                continue
            if step.hang:
                await asyncio.sleep(step.hang)
            if step.cut:
                asked.entry["ended"] = "cut"
                self._drop(asked.request)
                return
        asked.entry["ended"] = "complete"
        await response.write_eof()

    @staticmethod
    def _drop(request: web.Request) -> None:
        """Close the TCP connection without ending the HTTP body."""
        if request.transport is not None:
            request.transport.abort()

    @staticmethod
    def _get(rest: str) -> web.Response:
        if rest.endswith("/models"):
            return web.json_response({"object": "list", "data": [], "models": []})
        return web.json_response({"error": {"message": "not scripted"}}, status=404)
