"""Colours of the charts, safe for colour-blind readers (Okabe and Ito); in grey, marks and hatches
tell them apart."""

from __future__ import annotations

from dataclasses import dataclass


def _lightness(color: str) -> float:
    """About how light a colour looks, 0 to 255."""
    red, green, blue = (int(color[i : i + 2], 16) for i in (1, 3, 5))
    return 0.3 * red + 0.59 * green + 0.11 * blue


@dataclass(frozen=True)
class Theme:
    """Colours by what they stand for."""

    name: str
    paper: str
    ink: str
    muted: str  # what is beside the point, and labels of it
    faint: str  # lines that guide the eye
    macs: str
    params: str
    activations: str
    time: str
    better: str
    worse: str

    @property
    def series(self) -> tuple[str, ...]:
        """Colours of networks or lines side by side."""
        return self.macs, self.params, self.activations, self.time, self.muted

    def on(self, color: str) -> str:
        """The colour of text on another one: whichever of ink and paper differs more."""
        return max(self.ink, self.paper, key=lambda c: abs(_lightness(c) - _lightness(color)))


LIGHT = Theme(
    name="light",
    paper="#ffffff",
    ink="#1a1a1a",
    muted="#6b6b6b",
    faint="#cccccc",
    macs="#0072b2",
    params="#e69f00",
    activations="#009e73",
    time="#cc79a7",
    better="#0072b2",
    worse="#d55e00",
)
DARK = Theme(
    name="dark",
    paper="#15181c",
    ink="#e8e8e8",
    muted="#a0a6ad",
    faint="#454b52",
    macs="#56b4e9",
    params="#f0b93a",
    activations="#2fc59b",
    time="#e39bc6",
    better="#56b4e9",
    worse="#ff8a4c",
)
GREYSCALE = Theme(
    name="grey",
    paper="#ffffff",
    ink="#000000",
    muted="#666666",
    faint="#cccccc",
    macs="#333333",
    params="#a6a6a6",
    activations="#6e6e6e",
    time="#000000",
    better="#a6a6a6",
    worse="#4d4d4d",
)
THEMES = {theme.name: theme for theme in (LIGHT, DARK, GREYSCALE)}
