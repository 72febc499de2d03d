"""The base of every value that is kept on disk or sent over the wire.

Values are frozen; their JSON names are camelCase, the same in files, on the wire and in the docs.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class Value(BaseModel):
    """A frozen value. Unknown keys are refused: a typing mistake must not pass in silence."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True
    )

    def to_json(self) -> bytes:
        """The value as indented UTF-8 JSON with camelCase names, ending in a newline."""
        return self.model_dump_json(by_alias=True, indent=1).encode() + b"\n"


class StoredValue(Value):
    """A value read back from disk. Unknown keys are ignored, so that an older bug-lsp can read
    what a newer one has written.
    """

    model_config = ConfigDict(
        frozen=True, extra="ignore", alias_generator=to_camel, populate_by_name=True
    )
