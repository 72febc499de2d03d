"""Pictures of what stands on a screen, for the docs: made where `BUG_LSP_TEST_PICTURES` names a
folder for them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

_FONTS = "DejaVuSansMono.ttf", "DejaVuSansMono-Bold.ttf"
_SIZE = 16
_COLOURS = 64


@dataclass(frozen=True)
class Cell:
    """One character on the screen, in colours as `#rrggbb`."""

    text: str
    ink: str
    paper: str
    bold: bool = False
    underlined: bool = False


def wanted() -> bool:
    """Whether pictures are to be made."""
    return bool(os.environ.get("BUG_LSP_TEST_PICTURES"))


def save(name: str, rows: Sequence[Sequence[Cell]]) -> None:
    """Draw a screen into the folder for pictures."""
    try:
        fonts = [ImageFont.truetype(font, _SIZE) for font in _FONTS]
    except OSError as error:
        raise AssertionError(
            "pictures need the font DejaVu Sans Mono: install fonts-dejavu-core"
        ) from error
    width, height = round(fonts[0].getlength("M")), int(_SIZE * 1.3)
    image = Image.new("RGB", (len(rows[0]) * width, len(rows) * height))
    pen = ImageDraw.Draw(image)
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            left, top = x * width, y * height
            pen.rectangle([left, top, left + width - 1, top + height - 1], fill=cell.paper)
            if cell.text.strip():
                pen.text((left, top + 1), cell.text, font=fonts[cell.bold], fill=cell.ink)
            if cell.underlined:
                pen.line([left, top + height - 2, left + width, top + height - 2], fill=cell.ink)
    image.quantize(_COLOURS).save(Path(os.environ["BUG_LSP_TEST_PICTURES"], name), optimize=True)
