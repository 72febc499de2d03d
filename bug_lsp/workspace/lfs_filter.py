"""A filter for files of Git LFS that needs neither git-lfs nor a network: it takes their contents
from folders on this machine, and writes nothing.

git runs it as `filter.lfs.process` (gitattributes(5), "Long Running Filter Process"), with the
folders as arguments. It uses the standard library alone, so that it starts fast.
"""

from __future__ import annotations

import hashlib
import io
import re
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, BinaryIO

MOST_POINTER_BYTES = 1024
_POINTER = re.compile(
    rb"version https://(?:git-lfs\.github\.com|hawser\.github\.com)/spec/v1\n"
    rb"oid sha256:(?P<oid>[0-9a-f]{64})\nsize (?P<size>\d+)\n?"
)
_MOST_IN_PACKET = 65516
_MOST_IN_MEMORY = 16_000_000
_CHUNK = 1 << 20


def read_pointer(data: bytes) -> tuple[str, int] | None:
    """Return the hash and the size that a pointer names, None if it is no pointer."""
    found = _POINTER.fullmatch(data)
    return (found["oid"].decode(), int(found["size"])) if found is not None else None


def find_content(oid: str, stores: Iterable[Path]) -> Path | None:
    """Return the file that holds the content, None if no store has it."""
    paths = (store / oid[:2] / oid[2:4] / oid for store in stores)
    return next((path for path in paths if path.is_file()), None)


def hash_of(file: IO[bytes]) -> tuple[str, int]:
    """Return the hash and the size of what is left of a file."""
    digest, size = hashlib.sha256(), 0
    while chunk := file.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
    return digest.hexdigest(), size


def _smudged(content: IO[bytes], stores: Sequence[Path]) -> IO[bytes]:
    pointer = read_pointer(content.read(MOST_POINTER_BYTES + 1))
    path = find_content(pointer[0], stores) if pointer is not None else None
    if path is not None:
        return path.open("rb")
    content.seek(0)
    return content


def _cleaned(content: IO[bytes], stores: Sequence[Path]) -> IO[bytes]:
    """The pointer to what is in a store. Anything else stays as it is: it would be lost."""
    oid, size = hash_of(content)
    content.seek(0)
    if size == 0 or find_content(oid, stores) is None:
        return content
    text = f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {size}\n"
    return io.BytesIO(text.encode())


class _Pipe:
    """Packets: four hexadecimal digits of length, then the data; "0000" ends a list."""

    def __init__(self, source: BinaryIO, sink: BinaryIO) -> None:
        self._source = source
        self._sink = sink

    def packets(self) -> Iterator[bytes]:
        """Read up to the end of a list. Raises `EOFError` if git has gone."""
        while True:
            length = self._source.read(4)
            if len(length) < 4:  # noqa: PLR2004 - the digits
                raise EOFError
            if length == b"0000":
                return
            yield self._source.read(int(length, 16) - 4)

    def lines(self) -> list[str]:
        """Read a list of words."""
        return [packet.rstrip(b"\n").decode(errors="surrogateescape") for packet in self.packets()]

    def write(self, packets: Iterable[bytes]) -> None:
        """Write a list."""
        for packet in packets:
            self._sink.write(b"%04x" % (len(packet) + 4))
            self._sink.write(packet)
        self._sink.write(b"0000")
        self._sink.flush()


def _chunks(file: IO[bytes]) -> Iterator[bytes]:
    while chunk := file.read(_MOST_IN_PACKET):
        yield chunk


def serve(pipe: _Pipe, stores: Sequence[Path]) -> None:
    """Answer git until it has gone."""
    pipe.lines()
    pipe.write([b"git-filter-server\n", b"version=2\n"])
    pipe.lines()
    pipe.write([b"capability=clean\n", b"capability=smudge\n"])
    while True:
        asked = dict(line.partition("=")[::2] for line in pipe.lines())
        with tempfile.SpooledTemporaryFile(_MOST_IN_MEMORY) as content:
            content.writelines(pipe.packets())
            content.seek(0)
            turn = _smudged if asked.get("command") == "smudge" else _cleaned
            with turn(content, stores) as answer:
                pipe.write([b"status=success\n"])
                pipe.write(_chunks(answer))
                pipe.write([])


def main() -> None:
    """Serve standard input and output."""
    try:
        serve(_Pipe(sys.stdin.buffer, sys.stdout.buffer), [Path(word) for word in sys.argv[1:]])
    except (EOFError, BrokenPipeError):
        return


if __name__ == "__main__":
    main()
