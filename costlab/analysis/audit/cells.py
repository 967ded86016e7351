"""Printed numbers and rows, read as papers write them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from math import ceil, floor


def _rounded(value: float) -> int:
    return floor(value + 0.5)


ROUNDINGS: dict[str, Callable[[float], int]] = {
    "rounded": _rounded,
    "truncated": floor,
    "rounded up": ceil,
}
POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "B": 3, "T": 4}
_WORDS = {"thousand": "K", "million": "M", "mil": "M", "billion": "G", "bn": "G", "trillion": "T"}

_NUMBER = re.compile(
    r"~?\s*(?P<digits>(?:\d{1,3}(?:,\d{3}){1,5}|\d{1,19})(?:\.(?P<fraction>\d{1,9}))?)\s*"
    r"(?:(?P<word>thousand|million|mil|billion|bn|trillion)|(?P<letter>[KMGBT])"
    r"|(?:e\+?|(?:x|×|\*)\s*10\s*(?:\^|\*\*)\s*)(?P<exponent>\d{1,2}))?"
    r"\s*-?(?:(?:FL)?OPs?|FLOPS|MACs?|MAdds?|mult-adds|multiply-adds|params?|parameters|weights)?"
    r"(?:\s*\((?P<significant>\d{1,2}) digits?\))?",
    re.IGNORECASE,
)
_LARGEST_EXPONENT = 14
_ROUNDED_OFF = 0.34  # one digit rounded is off by a third at most: 0.6G is not "1G"
CUT_OFF = 0.1  # a number cut off or rounded up may be off by this share: 1.9G is not "1G"


@dataclass(frozen=True)
class Printed:
    """A printed number: `value` times base^`power`, with `decimals` after the point.

    Negative `decimals`: so many digits before the point are zeros that are not significant.
    `digits`: how many are, where the text has more (None: all that it has); `open_zeros`: at how
    many zeros nothing says whether they are."""

    text: str
    value: float
    power: int
    decimals: int
    digits: int | None = None
    open_zeros: int = 0

    @classmethod
    def parse(cls, text: str) -> Printed | None:
        """Read 159K, 2.7K, 1,024, 3.8e9, 1.5 billion or 4.1 GFLOPs; None where the cell is empty.

        "15300M (3 digits)" says how many digits are significant.

        Raises ValueError for anything else."""
        text = str(text).strip()
        if not text or text in ("-", "–", "—"):
            return None
        found = _NUMBER.fullmatch(text)
        if not found or int(found["exponent"] or 0) > _LARGEST_EXPONENT:
            raise ValueError(
                f"cannot read the number {text[:40]!r}; write it as 159K, 34M, 1.5G or 1024"
            )
        exponent = int(found["exponent"] or 0)
        places = exponent % 3  # 1.3e8 is 130 million: its last printed digit is ten million
        letter = _WORDS[found["word"].lower()] if found["word"] else (found["letter"] or "").upper()
        power = exponent // 3 if found["exponent"] else POWERS[letter]
        digits = found["digits"].replace(",", "")
        value, decimals = float(digits) * 10**places, len(found["fraction"] or "") - places
        number = cls(text, value, power, decimals)
        if found["significant"]:
            text = text[: text.rindex("(")].rstrip()
            return replace(number._with_digits(int(found["significant"])), text=text)
        if found["fraction"] or found["exponent"] or not value:
            return number
        return replace(number, open_zeros=len(digits) - len(digits.rstrip("0")))

    @property
    def readings(self) -> tuple[Printed, ...]:
        """The number itself, then the number whose last zeros are not significant, where nothing
        says that they are."""
        if not self.open_zeros:
            return (self,)
        return self, self._with_digits(len(str(self.last_digits)) - self.open_zeros)

    def _with_digits(self, digits: int) -> Printed:
        """The number with so many significant digits, at most those that it has."""
        cut = len(str(self.last_digits)) - digits
        if cut <= 0:
            return replace(self, open_zeros=0)
        return replace(self, decimals=self.decimals - cut, digits=digits, open_zeros=0)

    def amount(self, base: int) -> float:
        """The number in units of one, where K is `base`."""
        return self.value * base**self.power

    @property
    def last_digits(self) -> int:
        """The number in units of its last printed digit: 27 for 2.7K."""
        return round(self.value * 10.0**self.decimals)

    def prints(self, exact: float, base: int, rounding: str) -> int:
        """What `exact` is in units of the last printed digit, where K is `base`; `rounding` of
        `ROUNDINGS`."""
        scaled = exact / base**self.power * 10.0**self.decimals
        return ROUNDINGS[rounding](round(scaled, 9))

    def fits(self, exact: float, base: int, rounding: str) -> bool:
        """Whether `exact` prints as this number, and is not far from it.

        One that is cut off or rounded up may differ by `CUT_OFF`, a share of itself."""
        scaled = exact / base**self.power
        allowed = _ROUNDED_OFF if rounding == "rounded" else CUT_OFF
        near = abs(self.value - scaled) <= allowed * scaled
        return near and self.last_digits == self.prints(exact, base, rounding)


@dataclass(frozen=True)
class PrintedRow:
    """A printed row: cells as text by column key, see `column_key`; counts are params and ops."""

    cells: Mapping[str, str]

    @property
    def label(self) -> str:
        """The layer name, module path or type that is printed."""
        return row_label(self.cells)

    @property
    def type(self) -> str:
        """The type cell; the label where there is none."""
        return self.cells.get("type") or self.label

    def get(self, key: str) -> str:
        """The text of a cell, "" where there is none."""
        return self.cells.get(key, "")


_MODEL = ("model", "network")
LABELS = ("layer name", "name", "type", "layer", *_MODEL)


def row_label(cells: Mapping[str, str]) -> str:
    """What a row is called: its layer name or module path where it has one, otherwise its type."""
    return next((cells[key] for key in LABELS if cells.get(key)), "")


_KINDS = (
    ("pool", "pool"),
    ("inception", "module"),
    ("reduction", "module"),
    ("fire", "module"),
    ("fork", "module"),
    ("conv", "conv"),
    ("linear", "linear"),
    ("fc", "linear"),
    ("fully", "linear"),
    ("dense layer", "linear"),
    ("softmax", "softmax"),
    ("dropout", "dropout"),
)


def row_kind(label: str) -> str:
    """The kind of layer that a printed label names: pool, module, conv, linear, softmax, dropout;
    "" where it names none of these."""
    label = label.lower()
    return next((kind for word, kind in _KINDS if word in label), "")


_TOTAL = re.compile(r"(sub)?total|sum|overall|all( layers)?|whole( (network|model))?|network|model")


def is_total(row: PrintedRow) -> bool:
    """Whether a row prints a total: its label says so, or it has counts and nothing else but the
    name of a model."""
    filled = {key for key, text in row.cells.items() if text}
    if _TOTAL.fullmatch(row.label.lower().rstrip(":")):
        return True
    return bool(filled & {*TOTALS}) and filled <= {*TOTALS, *_MODEL, "input"}


def column_key(header: str) -> str:
    """A header without its spelling: "#3x3 reduce", "n3x3_reduce" and "3x3 Reduce" are one."""
    words = header.lower().replace("_", " ")
    words = re.sub(r"(?<![a-z])n(?=\d)", "", words)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", words).split())


TOTALS = ("params", "ops", "neurons")  # columns of counts
_COUNT_HEADERS = {
    "params": ("params", "param", "parameters", "weights"),
    "ops": ("ops", "macs", "mult adds", "multiply adds", "madds", "operations", "flops", "mults"),
    "neurons": ("neurons",),
}
_UNITS = {"k": "K", "m": "M", "g": "G", "b": "B", "thousand": "K", "million": "M", "billion": "B"}
_FILLERS = ("elements", "macs", "params", "of", "in", "number")


def _words_after(key: str, spellings: Iterable[str]) -> list[str] | None:
    """What follows the longest spelling that `key` starts with; None where it starts with none."""
    for spelling in sorted(spellings, key=len, reverse=True):
        if key == spelling or key.startswith(spelling + " "):
            return key[len(spelling) :].split()
    return None


def _count_column(key: str) -> tuple[str, str] | None:
    """(params or ops, unit) of a header that names a count, as "params (M)", "M params" or
    "GFLOPs"; None for another header."""
    unit, name = key[:1], key[1:].strip()
    if unit in ("k", "m", "g") and any(name in spellings for spellings in _COUNT_HEADERS.values()):
        key = f"{name} {unit}"
    for name, spellings in _COUNT_HEADERS.items():
        words = _words_after(key, spellings)
        if words is not None and all(w in _UNITS or w in _FILLERS for w in words):
            return name, next((_UNITS[w] for w in words if w in _UNITS), "")
    return None


def _read_row(row: Mapping[str, str | None]) -> dict[str, str]:
    """A row by column key; the unit of a header moves to its cells. "quantity, printed" is a column
    of that quantity."""
    found: dict[str, str] = {}
    if set(row) >= {"quantity", "printed"}:
        row = {str(row["quantity"]): row["printed"]}
    for header, content in row.items():
        key = column_key(header) if header and header != "notes" else ""
        if not key:
            continue
        text = str(content or "").strip()
        if counts := _count_column(key):
            key, unit = counts
            text += unit if text and text[-1].isdigit() else ""
        found.setdefault(key, text)
    return found


def _repeated(row: dict[str, str]) -> Iterator[dict[str, str]]:
    """ "3xInception" is three rows; the printed cells belong to the first."""
    found = re.match(r"(?P<count>\d{1,3})\s*x\s*(?P<type>[A-Za-z].*)", row.get("type", ""))
    if not found:
        yield row
        return
    for i in range(int(found["count"])):
        cells = {k: v for k, v in row.items() if k != "type"} if i == 0 else {}
        yield {"type": f"{found['type']} {i + 1} of {found['count']}", **cells}


def read_rows(printed: Iterable[Mapping[str, str | None]]) -> list[PrintedRow]:
    """Printed rows by the column keys that the audit uses, each repeated row written out."""
    return [PrintedRow(cells) for row in printed for cells in _repeated(_read_row(row))]
