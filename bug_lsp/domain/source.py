"""A file's text as it is compared with quotes: its lines as editors count them, and what of a line
counts when somebody copies it.
"""

from __future__ import annotations

import codecs
import hashlib
import re
import unicodedata
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate

_BLANKS = re.compile(r"[ \t]+")
_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BINARY_LOOK = 8_000
"""Bytes in which git looks for a NUL to tell a binary file."""
_LOST = re.compile("\ufffd+")
_UNDECODED = re.compile("[\udc80-\udcff]")
_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\ufff9-\ufffb]+"
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_FEW = 8
_ALIKE = str.maketrans(
    {
        "\u2018": "'",
        "\u2019": "'",
        "\u201c": '"',
        "\u201d": '"',
        "\u2010": "-",
        "\u2011": "-",
        "\u2012": "-",
        "\u2013": "-",
        "\u2014": "-",
        "\u2212": "-",
    }
)


def decode(data: bytes) -> str | None:
    """A file's text, None for a binary one. Bytes that are no text of its encoding stay as lone
    surrogates (`surrogateescape`).
    """
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16")):
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                return None
    if b"\0" in data[:_BINARY_LOOK]:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return _declared(data) or data.decode("utf-8-sig", "surrogateescape")


def _declared(data: bytes) -> str | None:
    """The text in the encoding that its first two lines name, as Python reads it."""
    for line in data.split(b"\n", 2)[:2]:
        match = _COOKIE.match(line)
        if match is None:
            continue
        try:
            return data.decode(match[1].decode("ascii"))
        except (LookupError, UnicodeError, TypeError, ValueError):
            return None
    return None


def split_lines(text: str) -> list[str]:
    r"""The lines without their ends. Not `str.splitlines`: it also splits at form feeds and at
    U+2028, where no editor counts a line.
    """
    return _with_line_feeds(text).split("\n")


def digest(text: str) -> str:
    """Equal for two texts means that all their lines are equal, whichever way these end."""
    lines = _with_line_feeds(text).encode("utf-8", "surrogatepass")
    return hashlib.sha256(lines).hexdigest()


def _with_line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def key(line: str) -> str:
    """What counts of a line: blanks at its ends and how wide blanks are do not, nor in which of
    two equivalent ways its characters are encoded.
    """
    if not line.isascii():
        line = _LOST.sub("\ufffd", unicodedata.normalize("NFC", line.replace("\ufeff", "")))
    if "  " in line or "\t" in line:
        line = _BLANKS.sub(" ", line)
    return line.strip()


def squeeze(text: str) -> str:
    """What is left of a text without blanks, invisible characters and differences that only a font
    shows. Equal here does not mean equal; different here does mean different.
    """
    if not text.isascii():
        text = _INVISIBLE.sub("", unicodedata.normalize("NFKC", text.translate(_ALIKE)))
    return "".join(text.split())


def readings(text: str) -> list[Source]:
    """The ways in which the text can have been read: one, or for bytes that are no UTF-8 what
    programs commonly make of them. Their lines are the same lines.
    """
    if text.isascii() or not _UNDECODED.search(text):
        return [Source(split_lines(text))]
    lost = _UNDECODED.sub("\ufffd", text)
    western = _UNDECODED.sub(lambda match: chr(ord(match[0]) - 0xDC00), text)
    windows = _UNDECODED.sub(_windows, text)
    return [Source(split_lines(one), lossy=True) for one in dict.fromkeys((lost, windows, western))]


def _windows(match: re.Match[str]) -> str:
    return bytes([ord(match[0]) - 0xDC00]).decode("cp1252", "replace")


class Source:
    """The lines of a file, ready to be searched. Indexes are counted from 0."""

    def __init__(self, lines: Sequence[str], *, lossy: bool = False) -> None:
        self.lines = lines
        self.lossy = lossy

    @cached_property
    def keys(self) -> list[str]:
        """What counts of each line."""
        return [key(line) for line in self.lines]

    def __len__(self) -> int:
        """How many lines an editor shows, without the empty one behind the last line end."""
        return len(self.lines) - (not self.lines[-1])

    def line(self, number: int) -> str | None:
        """The text of a line, counted from 1; None beyond the end."""
        return self.lines[number - 1] if 0 < number <= len(self) else None

    @cached_property
    def by_key(self) -> dict[str, list[int]]:
        """Which lines have this key."""
        found: dict[str, list[int]] = defaultdict(list)
        for index, one in enumerate(self.keys):
            found[one].append(index)
        return dict(found)

    @cached_property
    def _joined(self) -> tuple[str, list[int]]:
        return "\n".join(self.keys), [0, *accumulate(len(one) + 1 for one in self.keys)]

    @cached_property
    def _squeezed(self) -> tuple[str, list[int]]:
        parts = [squeeze(one) for one in self.keys]
        return "".join(parts), [0, *accumulate(map(len, parts))]

    @cached_property
    def _ascii(self) -> str:
        return _NOT_ASCII.sub("", self._squeezed[0])

    def holding(self, piece: str, most: int = 500) -> Iterator[int]:
        """The lines whose key holds this, at most so many."""
        text, starts = self._joined
        at = text.find(piece)
        while at >= 0 and most:
            index = bisect_right(starts, at) - 1
            yield index
            most -= 1
            at = text.find(piece, starts[index + 1])

    def squeezed_at(self, squeezed: str, after: int = 0) -> tuple[int, int, int] | None:
        """Where this stands if neither blanks nor line ends count: (first line, last line, offset
        behind it), from that offset on.
        """
        text, starts = self._squeezed
        at = text.find(squeezed, after)
        if at < 0:
            return None
        end = at + len(squeezed)
        return bisect_right(starts, at) - 1, bisect_right(starts, end - 1) - 1, end

    def squeezed_ascii(self, quote: str) -> bool:
        """Whether it stands here if only its ASCII characters count, and there are enough."""
        wanted = _NOT_ASCII.sub("", squeeze(quote))
        return len(wanted) >= _FEW and wanted in self._ascii

    def squeezed_in(self, squeezed: str, index: int) -> bool:
        """Whether it stands in that line, if blanks do not count."""
        return 0 <= index < len(self.keys) and squeezed in squeeze(self.keys[index])
