"""Typesetting by typst, with fonts that come with the packages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from .._text import shown_lines

_PPI = 150.0  # pixels an inch of a PNG


def font_paths() -> list[str]:
    """matplotlib's DejaVu Sans: typst has none without serifs."""
    import matplotlib

    return [matplotlib.get_data_path() + "/fonts/ttf"]


def _beyond(*texts: str) -> bool:
    """Whether a text has letters that DejaVu Sans lacks."""
    from matplotlib.font_manager import findfont
    from matplotlib.ft2font import FT2Font

    letters = {ord(c) for text in texts for c in text if ord(c) > 127} - {0x200B, 0xFEFF}
    return bool(letters) and not letters <= {*FT2Font(findfont("DejaVu Sans")).get_charmap()}


def compile(
    source: str,
    files: dict[str, bytes],
    standard: Literal["ua-1"] | None = None,
    ppi: float | None = None,
) -> list[bytes]:
    """A typst document and its files to the bytes of a PDF, or of a PNG a page at `ppi` pixels an
    inch; the same for the same input. The machine's fonts are asked only for letters that the
    packages' own lack.

    Raises ValueError, in one line, for what typst cannot set (a picture that is damaged)."""
    import os
    import tempfile

    import typst

    own = not _beyond(
        source,
        *(data.decode("utf-8", "ignore") for name, data in files.items() if name.endswith(".svg")),
    )
    with tempfile.TemporaryDirectory() as home:
        for name, data in {**files, "main.typ": source.encode()}.items():
            with open(os.path.join(home, name), "wb") as f:
                f.write(data)
        try:
            made = typst.compile(
                os.path.join(home, "main.typ"),
                root=home,
                font_paths=font_paths(),
                ignore_system_fonts=own,
                pdf_standards=standard,
                format="png" if ppi else "pdf",
                ppi=ppi,
            )
            return made if isinstance(made, list) else [made]
        except typst.TypstError as e:
            raise ValueError(f"typst cannot set this: {str(e).strip().splitlines()[0]}") from None


def quote(text: str) -> str:
    """A typst string literal: nothing in it is markup."""
    text = shown_lines(str(text))
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def pages(svgs: Sequence[str], alt: str) -> bytes:
    """Pictures as PDF, each on a page of its size."""
    return compile(_alone(len(svgs), alt), _files(svgs))[0]


def raster(svg: str, alt: str) -> bytes:
    """One picture as PNG."""
    return compile(_alone(1, alt), _files([svg]), ppi=_PPI)[0]


def _files(svgs: Sequence[str]) -> dict[str, bytes]:
    return {f"picture{i}.svg": svg.encode() for i, svg in enumerate(svgs)}


def _alone(count: int, alt: str) -> str:
    images = (f'#image("picture{i}.svg", alt: {quote(alt)})' for i in range(count))
    return (
        '#set document(title: "costlab", date: none)\n'
        "#set page(width: auto, height: auto, margin: 4pt)\n" + "\n#pagebreak()\n".join(images)
    )


def set_text(words: str) -> str:
    """Words as typst content: nothing in them is markup."""
    return "#" + quote(words) + ";"
