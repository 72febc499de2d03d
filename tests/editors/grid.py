"""What stands on Neovim's screen, from what it tells its user interface to draw (`:help ui`)."""

from __future__ import annotations

from typing import Any

from .picture import Cell

_INK, _PAPER = 0xE0E2EA, 0x14161B


class Grid:
    """The one grid of a screen."""

    def __init__(self, width: int, height: int) -> None:
        self._looks: dict[int, dict[str, Any]] = {}
        self._ink, self._paper = _INK, _PAPER
        self._rows = [self._blank(width) for _ in range(height)]

    @staticmethod
    def _blank(width: int) -> list[tuple[str, int]]:
        return [(" ", 0)] * width

    def hear(self, events: list[Any]) -> None:
        """Draw what a batch of events says; what is not about cells is left out."""
        for name, *calls in events:
            draw = getattr(self, f"_{name}", None)
            for call in calls if draw else ():
                draw(*call)

    def _default_colors_set(self, ink: int, paper: int, *_: Any) -> None:
        self._ink = _INK if ink < 0 else ink
        self._paper = _PAPER if paper < 0 else paper

    def _hl_attr_define(self, number: int, look: dict[str, Any], *_: Any) -> None:
        self._looks[number] = look

    def _grid_clear(self, _grid: int) -> None:
        self._rows = [self._blank(len(row)) for row in self._rows]

    def _grid_line(self, _grid: int, row: int, column: int, cells: list[Any], *_: Any) -> None:
        look = 0
        for text, *more in cells:
            look = more[0] if more else look
            for _ in range(more[1] if len(more) > 1 else 1):
                self._rows[row][column] = (text, look)
                column += 1

    def _grid_scroll(
        self, _grid: int, top: int, bottom: int, left: int, right: int, by: int, *_: Any
    ) -> None:
        kept = [list(row) for row in self._rows]
        for row in range(max(top, top - by), min(bottom, bottom - by)):
            self._rows[row][left:right] = kept[row + by][left:right]

    def cells(self) -> list[list[Cell]]:
        """What can be seen now."""
        return [
            [self._cell(text, self._looks.get(look, {})) for text, look in row]
            for row in self._rows
        ]

    def _cell(self, text: str, look: dict[str, Any]) -> Cell:
        ink, paper = look.get("foreground", self._ink), look.get("background", self._paper)
        if look.get("reverse"):
            ink, paper = paper, ink
        underlined = bool(look.get("underline") or look.get("undercurl"))
        return Cell(
            text, f"#{ink:06x}", f"#{paper:06x}", bold=bool(look.get("bold")), underlined=underlined
        )
