"""On which line of a TOML file a model, a key or a text stands. `tomllib` does not tell."""

from __future__ import annotations

import re

_MODEL = re.compile(r"\s*\[\[\s*tool\s*\.\s*costlab\s*\.\s*model\s*\]\]")
_TABLE = re.compile(r"\s*\[\s*tool\s*\.\s*costlab\s*[\].]")


class Places:
    """Lines of a file with `[tool.costlab]`, from 1.

    A place that is not found, as in an inline table over several lines, is the closest one around
    it that is: the key, the model's table, `[tool.costlab]`, line 1."""

    def __init__(self, text: str, models: int):
        self._lines = text.splitlines()
        self._tool = self._first(_TABLE, 1, 1)
        headers = [i for i, line in enumerate(self._lines, 1) if _MODEL.match(line)]
        self._headers = headers if len(headers) == models else []

    def model(self, index: int) -> int:
        """The line that begins the table of a model, by its index from 0."""
        return self._headers[index] if self._headers else self._tool

    def key(self, name: str, index: int | None = None) -> int:
        """The line of a key of a model, or of `[tool.costlab]`."""
        start = self._tool if index is None else self.model(index)
        return self._first(_key(name), start, start, self._end(index))

    def text(self, value: str, key: str, index: int) -> int:
        """The line of a text that stands in the value of a model's key."""
        start, end = self.key(key, index), self._end(index)
        quoted = re.compile(rf"""[^#]*(["']){re.escape(value)}\1""")
        return self._first(quoted, start, start, end)

    def _end(self, index: int | None) -> int:
        """The last line of a model's table, or of the whole file."""
        following = 0 if index is None else index + 1
        if self._headers and following < len(self._headers) and index is not None:
            return self._headers[following] - 1
        return len(self._lines)

    def _first(self, pattern: re.Pattern[str], start: int, default: int, end: int = 0) -> int:
        """The first line from `start` to `end` that matches from its beginning."""
        for number in range(start, (end or len(self._lines)) + 1):
            if pattern.match(self._lines[number - 1]):
                return number
        return default


def _key(name: str) -> re.Pattern[str]:
    """A key with its equals sign, at the start of a line or in an inline table."""
    word = re.escape(name)
    return re.compile(rf"""(?:[^#]*[{{,]\s*|\s*)(?:{word}|"{word}"|'{word}')\s*[=.]""")
