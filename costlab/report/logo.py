"""The logo on a report's first page."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

from .errors import ReportError

_STARTS = {
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
}


def read_logo(path: str) -> tuple[bytes, str] | None:
    """The bytes of an SVG, PNG or JPEG and its suffix; None for no path. Raises ReportError for
    another suffix, and for a file that cannot be read or is not what its suffix says."""
    if not path:
        return None
    suffix = Path(path).suffix.lower()
    if suffix != ".svg" and suffix not in _STARTS:
        raise ReportError(f"the logo {path} is not an .svg, .png or .jpg file")
    try:
        data = Path(path).read_bytes()
    except OSError as e:
        raise ReportError(f"cannot read the logo {path}: {e.strerror}") from None
    sound = _is_svg(data) if suffix == ".svg" else data.startswith(_STARTS[suffix])
    if not sound:
        raise ReportError(f"the logo {path} is damaged: not what {suffix} says")
    return data, suffix


def _is_svg(data: bytes) -> bool:
    try:
        return ElementTree.fromstring(data).tag.rpartition("}")[2] == "svg"
    except ElementTree.ParseError:
        return False
