"""OpenAI's two protocols: Responses (codex) and chat completions (opencode, qwen)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.scripted_model.script import Call, Step

from .frames import CUT, ERROR_TEXT, Frames, new_id, sse


class Responses:
    """OpenAI Responses API: POST .../responses (codex)."""

    @staticmethod
    def offered(body: dict[str, Any]) -> dict[str, str]:
        found = {}
        for tool in body.get("tools") or []:
            if tool.get("type") in ("function", "custom") and "name" in tool:
                found[tool["name"]] = tool["type"]
            elif tool.get("type") == "namespace":
                for inner in tool.get("tools", []):
                    found[inner.get("name", "?")] = inner.get("type", "function")
        return found

    @staticmethod
    def _items(step: Step, calls: Sequence[Call]) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        if step.thinking:
            items.append(
                {
                    "type": "reasoning",
                    "id": new_id("rs"),
                    "encrypted_content": None,
                    "summary": [{"type": "summary_text", "text": step.thinking}],
                }
            )
        text = "".join(step.texts())
        if text:
            items.append(
                {
                    "type": "message",
                    "id": new_id("msg"),
                    "role": "assistant",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": text, "annotations": []}],
                }
            )
        for call in calls:
            if call.freeform is not None:
                items.append(
                    {
                        "type": "custom_tool_call",
                        "id": new_id("ctc"),
                        "call_id": new_id("call"),
                        "name": call.name,
                        "input": call.freeform,
                        "status": "completed",
                    }
                )
            else:
                items.append(
                    {
                        "type": "function_call",
                        "id": new_id("fc"),
                        "call_id": new_id("call"),
                        "name": call.name,
                        "arguments": call.json,
                        "status": "completed",
                    }
                )
        return items

    @staticmethod
    def _response(step: Step, output: list[dict[str, Any]], status: str) -> dict[str, Any]:
        tokens_in, tokens_out = step.usage
        return {
            "id": new_id("resp"),
            "object": "response",
            "status": status,
            "output": output,
            "usage": {
                "input_tokens": tokens_in,
                "input_tokens_details": {"cached_tokens": 0},
                "output_tokens": tokens_out,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": tokens_in + tokens_out,
            },
        }

    @classmethod
    def events(cls, step: Step, calls: Sequence[Call], model: str) -> Frames:
        def out(kind: str, **data: Any) -> bytes:
            return sse({"type": kind, **data}, kind)

        opened = {"id": new_id("resp"), "object": "response", "status": "in_progress", "output": []}
        yield out("response.created", response=opened)
        items = cls._items(step, calls)
        for index, item in enumerate(items):
            if item["type"] == "message":
                yield out(
                    "response.output_item.added",
                    output_index=index,
                    item={**item, "content": [], "status": "in_progress"},
                )
                for delta in step.texts():
                    yield out(
                        "response.output_text.delta",
                        item_id=item["id"],
                        output_index=index,
                        content_index=0,
                        delta=delta,
                    )
                yield CUT
            elif item["type"] == "reasoning":
                yield out(
                    "response.output_item.added", output_index=index, item={**item, "summary": []}
                )
                yield out(
                    "response.reasoning_summary_part.added",
                    item_id=item["id"],
                    output_index=index,
                    summary_index=0,
                    part={"type": "summary_text", "text": ""},
                )
                yield out(
                    "response.reasoning_summary_text.delta",
                    item_id=item["id"],
                    output_index=index,
                    summary_index=0,
                    delta=step.thinking,
                )
            else:
                yield out(
                    "response.output_item.added",
                    output_index=index,
                    item={**item, "status": "in_progress"},
                )
            yield out("response.output_item.done", output_index=index, item=item)
        yield CUT
        final = {**cls._response(step, items, "completed"), "id": opened["id"]}
        yield out("response.completed", response=final)

    @classmethod
    def whole(cls, step: Step, calls: Sequence[Call], model: str) -> dict[str, Any]:
        return cls._response(step, cls._items(step, calls), "completed")

    @staticmethod
    def error(status: int) -> dict[str, Any]:
        kind = "server_error" if status >= 500 else "invalid_request_error"
        if status == 429:
            kind = "rate_limit_exceeded"
        code = {401: "invalid_api_key", 429: "rate_limit_exceeded"}.get(status)
        return {
            "error": {
                "message": ERROR_TEXT.get(status, "Scripted error"),
                "type": kind,
                "param": None,
                "code": code,
            }
        }


class Chat:
    """OpenAI chat completions: POST .../chat/completions (opencode, qwen)."""

    @staticmethod
    def offered(body: dict[str, Any]) -> dict[str, str]:
        return {
            t["function"]["name"]: "function"
            for t in body.get("tools") or []
            if t.get("type") == "function"
        }

    @staticmethod
    def _usage(step: Step) -> dict[str, int]:
        return {
            "prompt_tokens": step.usage[0],
            "completion_tokens": step.usage[1],
            "total_tokens": sum(step.usage),
        }

    @staticmethod
    def _calls(calls: Sequence[Call]) -> list[dict[str, Any]]:
        return [
            {
                "index": i,
                "id": new_id("call"),
                "type": "function",
                "function": {"name": c.name, "arguments": c.json},
            }
            for i, c in enumerate(calls)
        ]

    @classmethod
    def events(cls, step: Step, calls: Sequence[Call], model: str) -> Frames:
        ident = new_id("chatcmpl")

        def out(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
            return sse(
                {
                    "id": ident,
                    "object": "chat.completion.chunk",
                    "created": 0,
                    "model": model,
                    **more,
                    "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
                }
            )

        yield out({"role": "assistant", "content": ""})
        if step.thinking:
            yield out({"reasoning_content": step.thinking})
        for delta in step.texts():
            yield out({"content": delta})
        yield CUT
        for call in cls._calls(calls):
            yield out({"tool_calls": [call]})
        yield out({}, "tool_calls" if calls else "stop")
        yield sse(
            {
                "id": ident,
                "object": "chat.completion.chunk",
                "created": 0,
                "model": model,
                "choices": [],
                "usage": cls._usage(step),
            }
        )
        yield b"data: [DONE]\n\n"

    @classmethod
    def whole(cls, step: Step, calls: Sequence[Call], model: str) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": "".join(step.texts())}
        if calls:
            message["tool_calls"] = cls._calls(calls)
        return {
            "id": new_id("chatcmpl"),
            "object": "chat.completion",
            "created": 0,
            "model": model,
            "usage": cls._usage(step),
            "choices": [
                {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
            ],
        }

    error = Responses.error
