"""What a misspelt name may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def suggestion(name: str, known: Iterable[str], most: int = 3) -> str:
    """ "; did you mean A or B?" with up to `most` known names that are like `name`, in capitals or
    not; nothing where none is."""
    spelt = {one.lower(): one for one in known}
    near = [spelt[one] for one in difflib.get_close_matches(name.lower(), spelt, most)]
    return f"; did you mean {' or '.join(near)}?" if near else ""


def choice(name: str, known: Iterable[str]) -> str:
    """What to say after an unknown name: those of `known` that are like it, otherwise all."""
    there = list(known)
    return suggestion(name, there) or f"; choose {', '.join(there)}"
