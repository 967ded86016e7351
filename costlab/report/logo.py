"""The logo on a report's first page."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from .errors import ReportError

_STARTS = {
    ".png": b"\x89PNG\r\n\x1a\n",
    ".jpg": b"\xff\xd8\xff",
    ".jpeg": b"\xff\xd8\xff",
}


_MOST_BYTES = 4 * 2**20
_MOST_POINTS = 64 * 10**6
_MOST_USES = 16  # of one another they draw 2 to this power of shapes
_DEEPEST = 100  # elements in one another
# what runs, takes in other files, moves, or is computed for each point
_ACTIVE = ("script", "foreignObject", "image", "animate", "set", "filter", "iframe", "a")
# an escape of CSS may spell any of it
_ELSEWHERE = re.compile(r"@import|url\(\s*['\"]?(?!\s*#)|\\[0-9a-z]", re.IGNORECASE)


def read_logo(path: str) -> tuple[bytes, str] | None:
    """The bytes of an SVG, PNG or JPEG and its suffix; None for no path. Raises ReportError for
    another suffix, for a file that cannot be read or is not what its suffix says, and for a picture
    that is more than one: it runs something, takes in other files, or is too large to draw."""
    if not path:
        return None
    suffix = Path(path).suffix.lower()
    if suffix != ".svg" and suffix not in _STARTS:
        raise ReportError(f"the logo {path} is not an .svg, .png or .jpg file")
    try:
        with open(path, "rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as e:
        raise ReportError(f"cannot read the logo {path}: {e.strerror}") from None
    if len(data) > _MOST_BYTES:
        raise ReportError(f"the logo {path} has more than {_MOST_BYTES >> 20} MiB")
    sound = _is_svg(data) if suffix == ".svg" else data.startswith(_STARTS[suffix])
    if not sound:
        raise ReportError(f"the logo {path} is damaged: not what {suffix} says")
    (_require_still if suffix == ".svg" else _require_small)(path, data)
    return data, suffix


def _is_svg(data: bytes) -> bool:
    try:
        return ElementTree.fromstring(data).tag.rpartition("}")[2] == "svg"
    except ElementTree.ParseError:
        return False


def _require_still(path: str, data: bytes) -> None:
    """Raise ReportError for an SVG that is more than a picture: it declares entities, runs a
    script, takes in another file, or has what can take hours to draw."""
    if re.search(rb"<!(DOCTYPE|ENTITY)|<\?xml-stylesheet", data, re.IGNORECASE):
        raise ReportError(f"the logo {path} has a document type or a style sheet; save it plain")
    if _depth(data) > _DEEPEST:
        raise ReportError(f"the logo {path} is nested more than {_DEEPEST} deep")
    uses = 0
    for element in ElementTree.fromstring(data).iter():
        name = element.tag.rpartition("}")[2]
        uses += name == "use"
        if name in _ACTIVE or name.startswith("fe"):
            raise ReportError(
                f"the logo {path} has <{name}>; a logo has shapes, text and gradients"
            )
        texts = [element.text or ""] if name == "style" else []
        for key, value in element.attrib.items():
            attribute = key.rpartition("}")[2]
            if attribute.startswith("on"):
                raise ReportError(f"the logo {path} has {attribute}=; it may run nothing")
            texts.append(f"url({value})" if attribute in ("href", "src") else value)
        if any(_ELSEWHERE.search(text) for text in texts):
            raise ReportError(f"the logo {path} refers to another file; put everything in it")
    if uses > _MOST_USES:
        raise ReportError(f"the logo {path} has more than {_MOST_USES} elements <use>")


def _depth(data: bytes) -> int:
    """How deep the elements of an SVG are nested."""
    depth, level = 0, [ElementTree.fromstring(data)]
    while level:
        depth, level = depth + 1, [child for element in level for child in element]
    return depth


def _require_small(path: str, data: bytes) -> None:
    """Raise ReportError for a picture of more points than one that is printed has."""
    width, height = _png_size(data) if data.startswith(_STARTS[".png"]) else _jpeg_size(data)
    if not 0 < width * height <= _MOST_POINTS:
        raise ReportError(
            f"the logo {path} is damaged, or has more than {_MOST_POINTS // 10**6} million points"
        )


def _png_size(data: bytes) -> tuple[int, int]:
    """Width and height, in the first chunk."""
    return int.from_bytes(data[16:20], "big"), int.from_bytes(data[20:24], "big")


def _jpeg_size(data: bytes) -> tuple[int, int]:
    """Width and height, in the segment that starts the frame; (0, 0) where there is none."""
    place = 2
    while place + 9 <= len(data) and data[place] == 0xFF:
        kind = data[place + 1]
        if 0xC0 <= kind <= 0xCF and kind not in (0xC4, 0xC8, 0xCC):
            sides = data[place + 5 : place + 7], data[place + 7 : place + 9]
            return int.from_bytes(sides[1], "big"), int.from_bytes(sides[0], "big")
        place += 2 + int.from_bytes(data[place + 2 : place + 4], "big")
    return 0, 0
