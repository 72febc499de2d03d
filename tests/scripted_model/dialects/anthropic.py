"""Anthropic's protocol: Messages (claude)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tests.scripted_model.script import Call, Step

from .frames import CUT, ERROR_TEXT, Frames, new_id, sse


class Messages:
    """Anthropic Messages API: POST .../v1/messages (claude)."""

    @staticmethod
    def offered(body: dict[str, Any]) -> dict[str, str]:
        return {t["name"]: "function" for t in body.get("tools") or [] if "name" in t}

    @staticmethod
    def _blocks(step: Step, calls: Sequence[Call]) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = []
        if step.thinking:
            blocks.append({"type": "thinking", "thinking": step.thinking, "signature": "c2ln"})
        text = "".join(step.texts())
        if text:
            blocks.append({"type": "text", "text": text})
        blocks += [
            {"type": "tool_use", "id": new_id("toolu"), "name": c.name, "input": c.arguments}
            for c in calls
        ]
        return blocks

    @classmethod
    def whole(cls, step: Step, calls: Sequence[Call], model: str) -> dict[str, Any]:
        return {
            "id": new_id("msg"),
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": cls._blocks(step, calls),
            "stop_reason": "tool_use" if calls else "end_turn",
            "stop_sequence": None,
            "usage": {
                "input_tokens": step.usage[0],
                "output_tokens": step.usage[1],
                "cache_creation_input_tokens": 0,
                "cache_read_input_tokens": 0,
            },
        }

    @classmethod
    def events(cls, step: Step, calls: Sequence[Call], model: str) -> Frames:
        def out(kind: str, **data: Any) -> bytes:
            return sse({"type": kind, **data}, kind)

        message = cls.whole(step, calls, model)
        blocks = message["content"]
        yield out(
            "message_start",
            message={
                **message,
                "content": [],
                "stop_reason": None,
                "usage": {**message["usage"], "output_tokens": 1},
            },
        )
        for index, block in enumerate(blocks):
            kind = block["type"]
            if kind == "text":
                yield out(
                    "content_block_start", index=index, content_block={"type": "text", "text": ""}
                )
                for delta in step.texts():
                    yield out(
                        "content_block_delta",
                        index=index,
                        delta={"type": "text_delta", "text": delta},
                    )
                yield CUT
            elif kind == "thinking":
                yield out(
                    "content_block_start",
                    index=index,
                    content_block={"type": "thinking", "thinking": "", "signature": ""},
                )
                yield out(
                    "content_block_delta",
                    index=index,
                    delta={"type": "thinking_delta", "thinking": block["thinking"]},
                )
                yield out(
                    "content_block_delta",
                    index=index,
                    delta={"type": "signature_delta", "signature": block["signature"]},
                )
            else:
                yield out("content_block_start", index=index, content_block={**block, "input": {}})
                yield out(
                    "content_block_delta",
                    index=index,
                    delta={"type": "input_json_delta", "partial_json": json.dumps(block["input"])},
                )
            yield out("content_block_stop", index=index)
        yield CUT
        yield out(
            "message_delta",
            delta={"stop_reason": message["stop_reason"], "stop_sequence": None},
            usage={"output_tokens": step.usage[1]},
        )
        yield out("message_stop")

    @staticmethod
    def error(status: int) -> dict[str, Any]:
        kind = {
            400: "invalid_request_error",
            401: "authentication_error",
            403: "permission_error",
            404: "not_found_error",
            429: "rate_limit_error",
            529: "overloaded_error",
        }.get(status, "api_error")
        return {
            "type": "error",
            "request_id": new_id("req"),
            "error": {"type": kind, "message": ERROR_TEXT.get(status, "Scripted error")},
        }
