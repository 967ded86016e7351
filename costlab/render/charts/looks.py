"""How a chart looks: its width, its theme and its title."""

from __future__ import annotations

import re
from dataclasses import dataclass

from .lettering import POINTS
from .themes import LIGHT, THEMES, Theme

ONE_COLUMN, TWO_COLUMNS = 3.3, 6.7  # inches, of a paper of two columns
_NARROWEST, _WIDEST = 3.0, 40.0
_UNITS = {"in": 1.0, "cm": 1 / 2.54, "pt": 1 / POINTS}


@dataclass(frozen=True)
class Look:
    """How a chart is drawn.

    Attributes:
        width: of the picture, in inches.
        theme: its colours.
        title: instead of the chart's own; "" for none.
    """

    width: float = TWO_COLUMNS
    theme: Theme = LIGHT
    title: str | None = None

    @property
    def narrow(self) -> bool:
        """Whether panels stand above each other, because two would be too small."""
        return self.width < 5

    def room(self, share: float) -> float:
        """Points of a share of the width."""
        return share * self.width * POINTS


PLAIN = Look()


def look(
    width: str | float | None = None, theme: str | None = None, title: str | None = None
) -> Look:
    """A look by names: a width as "3.3in", "8.5cm", "240pt" or in inches; a theme of `THEMES`.

    Raises ValueError for a width that cannot be read or is out of bounds, and for another theme."""
    if theme is not None and theme not in THEMES:
        raise ValueError(f"unknown theme {theme!r}; choose {', '.join(THEMES)}")
    inches = TWO_COLUMNS if width is None else _inches(width)
    return Look(inches, THEMES[theme or LIGHT.name], title)


def _inches(width: str | float) -> float:
    """Raises ValueError for what is not a width, or one that no chart fits."""
    if isinstance(width, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(in|cm|pt)\s*", width)
        if found is None:
            raise ValueError(f"cannot read the width {width!r}; write it as 3.3in, 8.5cm or 240pt")
        inches = float(found[1]) * _UNITS[found[2]]
    else:
        inches = float(width)
    if not _NARROWEST <= inches <= _WIDEST:
        raise ValueError(f"a chart is {_NARROWEST:g} to {_WIDEST:g} inches wide, not {inches:.3g}")
    return inches
