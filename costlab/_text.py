"""Texts from a model or a file, as they are shown: nothing in them acts on what shows them."""

from __future__ import annotations

import re
import reprlib

# what a terminal, an editor or a browser acts on instead of showing it: control characters, marks
# that turn the direction of text, line ends of Unicode, surrogates without their other half
_ACTING = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)

LONGEST_BRIEF = 80  # characters
_BRIEF = reprlib.Repr()
_BRIEF.maxlevel = 2
_BRIEF.maxstring = _BRIEF.maxother = _BRIEF.maxlong = 60  # characters


def shown(text: str) -> str:
    r"""A text in one line, with each character that acts escaped as Python does (`\x1b`)."""
    return _ACTING.sub(_escaped, text) if _acts(text) else text


def brief(value: object) -> str:
    """A value of a file in a message: in one line, and at most `LONGEST_BRIEF` characters."""
    text = shown(_BRIEF.repr(value))  # first cut to a size: a file's value may hold millions
    return text if len(text) <= LONGEST_BRIEF else text[: LONGEST_BRIEF - 3] + "..."


def shown_lines(text: str) -> str:
    """As `shown`, with line ends and tabs as they are."""
    if not _acts(text):
        return text
    return _ACTING.sub(lambda found: found[0] if found[0] in "\n\t" else _escaped(found), text)


def _acts(text: str) -> bool:
    return not text.isascii() or not text.isprintable()


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def json_shown(text: str) -> str:
    """JSON with the same characters escaped as JSON does, so that it reads back the same."""
    return _ACTING.sub(lambda found: found[0] if found[0] == "\n" else json_escaped(found[0]), text)


def json_escaped(character: str) -> str:
    r"""A character as JSON escapes it: `\u202e`, two of these beyond 16 bits."""
    units = character.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4))
