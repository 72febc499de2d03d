"""What a reader of Markdown would load, or start at a click: told by a parser that is not ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

_SCHEME = re.compile(r"[\s\x00-\x20]*([a-zA-Z][a-zA-Z0-9+.\-]*):")
_WEB = {"http", "https"}


def active(text: str, *also: str) -> list[str]:
    """All images, all HTML, and the links that lead neither to the web nor beside the file; for a
    reader that knows these rules also.
    """
    parser = MarkdownIt("commonmark").enable([*also])
    # It leaves out some schemes by itself; here nothing is to be left to a reader's kindness.
    parser.validateLink = lambda _url: True  # type: ignore[method-assign]
    return list(_found(parser.parse(text)))


def _found(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "image":
            yield f"image {token.attrs.get('src')}"
        elif token.type == "link_open":
            target = unquote(str(token.attrs.get("href")))
            scheme = _SCHEME.match(target)
            if scheme is not None and scheme[1].lower() not in _WEB:
                yield f"link {target}"
        elif token.type in {"html_inline", "html_block"}:
            yield from _Tags().of(token.content)
        yield from _found(token.children or [])


class _Tags(HTMLParser):
    """The tags and comments in HTML, as forgiving as a browser."""

    def of(self, text: str) -> list[str]:
        self.seen: list[str] = []
        self.feed(text)
        self.close()
        return self.seen

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.seen.append(f"tag {tag} {attrs}")

    def handle_endtag(self, tag: str) -> None:
        self.seen.append(f"end of tag {tag}")

    def handle_comment(self, data: str) -> None:
        self.seen.append(f"comment {data}")
