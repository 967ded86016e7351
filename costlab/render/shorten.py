"""Names and texts without their middle or their end."""

from __future__ import annotations

import re
from bisect import bisect
from collections.abc import Callable, Sequence
from itertools import chain

_MARK = "..."
_ASIDE = re.compile(r" \([^()]*\)(?=.)")  # such as that of "inception (3a) 1x1"
_ASIDE_OF_TOPIC = re.compile(r" \([^()]*\)(?=: )")  # the grids in "stride 8 (28x28 | 56x56): MACs"
_FIRST = 1 / 3  # of what is kept of a name, the share before the gap: its end says most
_WAYS = (None, _FIRST, 2 / 3, 0.1)
_LONGEST = 1000  # characters; no line of a picture has room for as many


_LIST = re.compile(r"([\[{])(.*)([\]}](?:x\d+)?)(, no shortcut)?")
_BLANKS = re.compile(r"(?<=[,;]) (?!no )| (?=\|)|(?<=\|) |(?<=[\]}]) (?=x \d)|(?<=[\]}] x) (?=\d)")
_WORDS = {
    " depthwise": "dw",
    "groups ": "g",
    "squeeze-excite": "SE",
    "linear": "fc",
    "attention": "attn",
}


def is_list(text: str) -> bool:
    """Whether a text is a list of layers in brackets."""
    return text.startswith(("[", "{"))


def compact(text: str) -> str:
    """A list of layers without blanks, with short words: [1x1,64;3x3dw,64;1x1,256]x3."""
    text = _BLANKS.sub("", text)
    for word, brief in _WORDS.items():
        text = text.replace(word, brief)
    return text


def shorten_list(text: str, width: int) -> str:
    """A list of layers in `width` characters: compact, without layers in its middle where it has
    to be; any other text as `shorten` does."""
    if not is_list(text):
        return shorten(text, width)
    text = compact(text)
    found = _LIST.fullmatch(text)
    if len(text) <= width or found is None:
        return shorten(text, width)
    opened, layers, closed, _ = found.groups()
    parts = layers.split(";")
    for kept in range(len(parts), 0, -1):
        first, last = parts[: (kept + 1) // 2], parts[len(parts) - kept // 2 :]
        cut = [_MARK] if kept < len(parts) else []
        brief = f"{opened}{';'.join([*first, *cut, *last])}{closed}"
        if len(brief) <= width:
            return brief
    return shorten(text, width)


def shorten(text: str, width: int, part: float | None = None) -> str:
    """A text in `width` characters. What stands in the middle in brackets goes first; otherwise
    prose loses its end, a name its middle. With `part`, any text loses its middle, and this share
    of what is kept stands before the gap."""
    if len(text) <= width:
        return text
    aside = _ASIDE.sub(_MARK, text)
    if part is None and len(aside) <= width:
        return aside
    if width <= 2 * len(_MARK):
        return text[: max(width, 0)]
    kept = width - len(_MARK)
    if part is None and _is_prose(text):
        return text[:kept].rstrip() + _MARK
    first = round((part or _FIRST) * kept)
    return text[:first] + _MARK + text[len(text) - kept + first :]


def shorten_alike(texts: Sequence[str], width: int, *, names: bool = True) -> tuple[str, ...]:
    """Texts in `width` characters each, which still differ where they did if there is a way; prose
    and lists of layers that `names` nothing may become the same. Of lists all are compact where one
    has to be, and all are without the aside before their colon."""
    texts = _without_asides(texts, width)
    if any(map(is_list, texts)):
        return tuple(shorten_list(text, width) for text in texts)
    if not names and any(map(_is_prose, texts)):
        return tuple(shorten(text, width) for text in texts)
    return _distinct(texts, lambda text, part: shorten(text, width, part))


def _without_asides(texts: Sequence[str], width: int) -> Sequence[str]:
    """Texts without what stands in brackets before a colon, where one of them is too long with it
    and they differ as much without it."""
    if all(len(text) <= width for text in texts):
        return texts
    brief = tuple(_ASIDE_OF_TOPIC.sub("", text) for text in texts)
    return brief if len(set(brief)) == len(set(texts)) else texts


def shorten_to(texts: Sequence[str], fits: Callable[[str], bool]) -> tuple[str, ...]:
    """The same for texts whose room is not counted in characters: each as long as it `fits`. Paths
    of modules lose their first names where what is left still differs."""
    ends = tuple(end for text in texts if (end := _end_of_path(text, fits)))
    if len(ends) == len(texts) and len(set(ends)) == len(set(texts)):
        return ends

    def one(text: str, part: float | None) -> str:
        widths = range(2 * len(_MARK), min(len(text), _LONGEST))
        if not widths or (len(text) <= _LONGEST and fits(text)):
            return text
        too_wide = bisect(widths, False, key=lambda width: not fits(shorten(text, width, part)))
        return shorten(text, widths[max(too_wide - 1, 0)], part)

    return _distinct(texts, one)


def _end_of_path(text: str, fits: Callable[[str], bool]) -> str | None:
    """A text that fits; otherwise as many of the last names of a path as fit: "...denseblock1";
    None where no end of it fits."""
    if len(text) > _LONGEST:
        return None
    if fits(text):
        return text
    first = text.split(" ")[0]
    ends = (_MARK + text[found.end() :] for found in re.finditer(r"[.:/](?=\w)", first))
    return next(filter(fits, ends), None)


def _distinct(texts: Sequence[str], one: Callable[[str, float | None], str]) -> tuple[str, ...]:
    """The first way of shortening that keeps different texts apart, otherwise the first."""
    ways = (tuple(one(text, part) for text in texts) for part in _WAYS)
    first = next(ways)
    apart = len(set(texts))
    return next((w for w in chain((first,), ways) if len(set(w)) == apart), first)


def _is_prose(text: str) -> bool:
    """Whether a text has many words, and is not a list of layers in brackets."""
    return text.count(" ") >= 4 and "[" not in text
