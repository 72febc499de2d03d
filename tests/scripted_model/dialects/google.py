"""Google's protocol: generateContent (gemini)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tests.scripted_model.script import Call, Step

from .frames import CUT, ERROR_TEXT, Frames, new_id, sse


class Gemini:
    """Gemini API: POST .../v1beta/models/MODEL:streamGenerateContent (gemini)."""

    @staticmethod
    def offered(body: dict[str, Any]) -> dict[str, str]:
        return {
            f["name"]: "function"
            for t in body.get("tools") or []
            for f in t.get("functionDeclarations") or []
        }

    @staticmethod
    def _chunk(
        step: Step, parts: list[dict[str, Any]], finish: str | None, model: str
    ) -> dict[str, Any]:
        candidate: dict[str, Any] = {"index": 0, "content": {"role": "model", "parts": parts}}
        if finish:
            candidate["finishReason"] = finish
        return {
            "candidates": [candidate],
            "modelVersion": model,
            "usageMetadata": {
                "promptTokenCount": step.usage[0],
                "candidatesTokenCount": step.usage[1],
                "totalTokenCount": sum(step.usage),
            },
        }

    @staticmethod
    def _calls(calls: Sequence[Call]) -> list[dict[str, Any]]:
        return [
            {
                "functionCall": {"id": new_id("call"), "name": c.name, "args": c.arguments},
                "thoughtSignature": "c2ln",
            }
            for c in calls
        ]

    @classmethod
    def events(cls, step: Step, calls: Sequence[Call], model: str) -> Frames:
        if step.thinking:
            yield sse(cls._chunk(step, [{"text": step.thinking, "thought": True}], None, model))
        for delta in step.texts():
            yield sse(cls._chunk(step, [{"text": delta}], None, model))
        yield CUT
        if calls:
            yield sse(cls._chunk(step, cls._calls(calls), None, model))
        yield sse(cls._chunk(step, [{"text": ""}], "STOP", model))

    @classmethod
    def whole(cls, step: Step, calls: Sequence[Call], model: str) -> dict[str, Any]:
        parts = [{"text": "".join(step.texts())}, *cls._calls(calls)]
        return cls._chunk(step, parts, "STOP", model)

    @staticmethod
    def error(status: int) -> dict[str, Any]:
        name = {
            400: "INVALID_ARGUMENT",
            401: "UNAUTHENTICATED",
            403: "PERMISSION_DENIED",
            404: "NOT_FOUND",
            429: "RESOURCE_EXHAUSTED",
        }.get(status, "INTERNAL")
        return {
            "error": {
                "code": status,
                "message": ERROR_TEXT.get(status, "Scripted error"),
                "status": name,
            }
        }
