"""Standard output that is not UTF-8, such as a pipe on Windows or a terminal in the C locale."""

from __future__ import annotations

import codecs
import io
import sys

from .._text import json_escaped

_NAME = "costlab.ascii"
_PLAIN = {
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{MINUS SIGN}": "-",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{ALMOST EQUAL TO}": "~",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
    "\N{MICRO SIGN}": "u",
    **dict.fromkeys("\u2018\u2019", "'"),
    **dict.fromkeys("\u258f\u258e\u258d\u258c\u258b\u258a\u2589\u2588", "#"),
}


def print_anywhere() -> None:
    """Let what standard output and error cannot show be written in ASCII, from here on."""
    codecs.register_error(_NAME, _in_ascii)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_NAME)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    """What stands for the characters that an encoding lacks: others that look alike, or an escape
    that JSON reads as the character."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    characters = error.object[error.start : error.end]
    return "".join(_PLAIN.get(c) or json_escaped(c) for c in characters), error.end
