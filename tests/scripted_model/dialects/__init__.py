"""The four wire protocols, as generators of server-sent events.

Each dialect is a class with:
  offered(body)          the tools the request offers: {name: "function" | "custom"}
  events(step, calls)    the SSE frames of one successful answer, as bytes
  whole(step, calls)     the same answer as one JSON object (non-streaming)
  error(status)          the service's JSON error body for an HTTP status

`events` puts `CUT` in the place where a `cut` or `hang` step should take effect: after the
text, before anything that closes the answer.
"""

from .anthropic import Messages
from .google import Gemini
from .openai import Chat, Responses

__all__ = ["Chat", "Gemini", "Messages", "Responses"]
