"""Ledgers read from TOML and YAML, and validated entry by entry."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from ... import _documents, reference
from ..._text import brief
from ..._narrow import is_list, json_object
from ..._spelling import suggestion
from .errors import LARGEST, LedgerError

_WORDS = ("says", "topic", "finding", "paper", "assumption", "source")
_ENTRY_KEYS = {"id", *_WORDS, "checks", "readings", "published"}
_CHECK_OPTIONS = ("said", "tolerance", "about", "note")
TOLERANCE = 0.005  # share by which a number may be off and still be reproduced
ABOUT = 0.1  # share by which it may be off and still be approximately so


@dataclass(frozen=True)
class CheckEntry:
    """An expression of a ledger and what it should give.

    `said`: a number, text, a list, or None where the expression itself should be true; numbers
    hold within `tolerance` and approximately within `about`, both shares."""

    expr: str
    said: Any = None
    tolerance: float = TOLERANCE
    about: float = ABOUT
    note: str = ""


@dataclass(frozen=True)
class Entry:
    """A claim as a ledger has it.

    `says` and `paper` are quotes of what is checked and of what was printed; `finding`, what was
    found, in a line, and `assumption` are prose with computed figures; `topic` heads claims that
    belong together. `readings`: checks that are rival ways to count one number; `published`: the
    figure is published only, whatever the checks give."""

    id: str
    says: str
    topic: str = ""
    finding: str = ""
    paper: str = ""
    assumption: str = ""
    source: str = ""
    checks: tuple[CheckEntry, ...] = ()
    readings: tuple[CheckEntry, ...] = ()
    published: bool = False


def validate(
    entries: Sequence[Mapping[str, Any]], only: Sequence[str] | None = None
) -> list[Entry]:
    """The entries of a ledger, or those with the ids `only`, in upper or lower case, in order.

    Raises LedgerError, naming the entry, for one that is not as documented; for an id that stands
    twice or is unknown."""
    idents = [_own_id(entry, i) for i, entry in enumerate(entries, 1)]
    twice = next((ident for ident, n in Counter(idents).items() if n > 1), None)
    if twice:
        raise LedgerError(f"claim {twice}: two claims have this id")
    chosen = {_id(wanted, idents) for wanted in only or ()}
    pairs = zip(idents, entries, strict=True)
    return [_entry(ident, e) for ident, e in pairs if not only or ident in chosen]


def _own_id(entry: Mapping[str, Any], place: int) -> str:
    """The id of an entry, or its place. Raises LedgerError for an id that is no word or number."""
    found = entry.get("id", place)
    if isinstance(found, bool) or not isinstance(found, (str, int)):
        raise LedgerError(f"claim {place}: id is text, not {brief(found)}")
    return str(found)


def _id(wanted: str, idents: Sequence[str]) -> str:
    """The id that is meant, in upper or lower case. Raises LedgerError where there is none."""
    if wanted in idents:
        return wanted
    folded = {ident.casefold(): ident for ident in reversed(idents)}
    found = folded.get(wanted.casefold())
    if found is None:
        in_order = sorted(idents, key=lambda ident: (len(ident), ident))
        hint = suggestion(wanted, idents) or f"; there are {in_order[0]} to {in_order[-1]}"
        raise LedgerError(f"no claim {wanted!r}{hint}")
    return found


def _entry(ident: str, entry: Mapping[str, Any]) -> Entry:
    for key in entry:
        if key not in _ENTRY_KEYS:
            raise LedgerError(f"claim {ident}: unknown key {brief(key)}")
    if "says" not in entry:
        raise LedgerError(f"claim {ident}: it says nothing (no key 'says')")
    published = entry.get("published", False)
    if not isinstance(published, bool):
        raise LedgerError(f"claim {ident}: published must be true or false, not {brief(published)}")
    words = {key: entry[key] for key in _WORDS if key in entry}
    wrong = next((key for key, value in words.items() if not isinstance(value, str)), None)
    if wrong:
        raise LedgerError(f"claim {ident}: {wrong} is text, not {brief(words[wrong])}")
    return Entry(
        ident,
        **words,
        checks=_checks(ident, entry, "checks"),
        readings=_checks(ident, entry, "readings"),
        published=published,
    )


def _checks(ident: str, entry: Mapping[str, Any], key: str) -> tuple[CheckEntry, ...]:
    checks = entry.get(key, [])
    if not is_list(checks):
        raise LedgerError(f"claim {ident}: {key} is a list of tables, each with an 'expr'")
    return tuple(_check(ident, check) for check in checks)


def _check(ident: str, entry: object) -> CheckEntry:
    check = json_object(entry) or {}
    if not isinstance(check.get("expr"), str):
        raise LedgerError(f"claim {ident}: a check is a table with an 'expr'")
    for key in check:
        if key not in ("expr", *_CHECK_OPTIONS):
            hint = suggestion(str(key), _CHECK_OPTIONS, 1)
            raise LedgerError(f"claim {ident}: unknown key {brief(key)} in a check{hint}")
    _require_values(ident, check)
    # a tolerance of the ledger's own is the last word: nothing beyond it is approximately right
    options: dict[str, Any] = {"about": 0 if "tolerance" in check else ABOUT, **check}
    return CheckEntry(**options)


def _require_values(ident: str, check: Mapping[str, Any]) -> None:
    """Raise LedgerError where an option of a check has a value of another type."""
    for key in ("tolerance", "about"):
        if not _is_share(check.get(key, 0)):
            raise LedgerError(
                f"claim {ident}: {key} is a share such as 0.01, not {brief(check[key])}"
            )
    said = check.get("said")
    if not all(map(_is_plain, said if is_list(said) else [said])):
        raise LedgerError(
            f"claim {ident}: said is a number, a text or a list of these, not {brief(said)}"
        )
    if not isinstance(check.get("note", ""), str):
        raise LedgerError(f"claim {ident}: note is text, not {brief(check['note'])}")


def _is_plain(value: Any) -> bool:
    """Whether a value is a text, a number that an expression may give, true, false or None."""
    if isinstance(value, (int, float)):
        return abs(value) <= LARGEST
    return value is None or isinstance(value, str)


def _is_share(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value < math.inf


def read(path: str) -> list[dict[str, Any]]:
    """The entries of a TOML or YAML ledger, not validated.

    Raises LedgerError naming the file (and line) that cannot be read, ModuleNotFoundError for
    YAML without pyyaml."""
    text = _documents.read_text(path, LedgerError)
    parse = _documents.yaml if path.endswith((".yaml", ".yml")) else _documents.toml
    doc = parse(path, text, LedgerError)
    table = json_object(doc)
    entries = doc if table is None else table.get("claim")
    tables = is_list(entries) and all(isinstance(e, dict) for e in entries)
    if not entries or not tables:
        raise LedgerError(f"{path} has no claims; write [[claim]] tables with id, says and checks")
    return cast("list[dict[str, Any]]", entries)


def note_ledger() -> list[dict[str, Any]]:
    """The study note's claims."""
    return read(str(reference.path("claims.toml")))
