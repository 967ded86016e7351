"""Ledgers read from TOML and YAML, and validated entry by entry."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ... import reference
from ..._spelling import suggestion
from .errors import LedgerError

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
    idents = [str(entry.get("id", i)) for i, entry in enumerate(entries, 1)]
    twice = next((ident for ident in idents if idents.count(ident) > 1), None)
    if twice:
        raise LedgerError(f"claim {twice}: two claims have this id")
    chosen = {_id(wanted, idents) for wanted in only or ()}
    pairs = zip(idents, entries, strict=True)
    return [_entry(ident, e) for ident, e in pairs if not only or ident in chosen]


def _id(wanted: str, idents: Sequence[str]) -> str:
    """The id that is meant, in upper or lower case. Raises LedgerError where there is none."""
    if wanted in idents:
        return wanted
    folded = {ident.casefold(): ident for ident in reversed(idents)}
    found = folded.get(wanted.casefold())
    if found is None:
        hint = suggestion(wanted, idents) or f"; there are {idents[0]} to {idents[-1]}"
        raise LedgerError(f"no claim {wanted!r}{hint}")
    return found


def _entry(ident: str, entry: Mapping[str, Any]) -> Entry:
    unknown = sorted(set(entry) - _ENTRY_KEYS)
    if unknown:
        raise LedgerError(f"claim {ident}: unknown key {unknown[0]!r}")
    if "says" not in entry:
        raise LedgerError(f"claim {ident}: it says nothing (no key 'says')")
    published = entry.get("published", False)
    if not isinstance(published, bool):
        raise LedgerError(f"claim {ident}: published must be true or false, not {published!r}")
    words = {key: entry[key] for key in _WORDS if key in entry}
    wrong = next((key for key, value in words.items() if not isinstance(value, str)), None)
    if wrong:
        raise LedgerError(f"claim {ident}: {wrong} is text, not {words[wrong]!r}")
    return Entry(
        ident,
        **words,
        checks=_checks(ident, entry, "checks"),
        readings=_checks(ident, entry, "readings"),
        published=published,
    )


def _checks(ident: str, entry: Mapping[str, Any], key: str) -> tuple[CheckEntry, ...]:
    checks = entry.get(key, [])
    if not isinstance(checks, list):
        raise LedgerError(f"claim {ident}: {key} is a list of tables, each with an 'expr'")
    return tuple(_check(ident, check) for check in checks)


def _check(ident: str, check: Any) -> CheckEntry:
    if not isinstance(check, dict) or not isinstance(check.get("expr"), str):
        raise LedgerError(f"claim {ident}: a check is a table with an 'expr'")
    unknown = next((k for k in check if k not in ("expr", *_CHECK_OPTIONS)), None)
    if unknown:
        hint = suggestion(unknown, _CHECK_OPTIONS, 1)
        raise LedgerError(f"claim {ident}: unknown key {unknown!r} in a check{hint}")
    for key in ("tolerance", "about"):
        if not _is_share(check.get(key, 0)):
            raise LedgerError(f"claim {ident}: {key} is a share such as 0.01, not {check[key]!r}")
    # a tolerance of the ledger's own is the last word: nothing beyond it is approximately right
    about = 0 if "tolerance" in check else ABOUT
    return CheckEntry(**{"about": about, **check})


def _is_share(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 <= value < math.inf


def read(path: str) -> list[dict[str, Any]]:
    """The entries of a TOML or YAML ledger, not validated.

    Raises LedgerError naming the file (and line) that cannot be read, ModuleNotFoundError for
    YAML without pyyaml."""
    try:
        with open(path, "rb") as f:
            data = f.read()
    except OSError as e:
        raise LedgerError(f"cannot read {path}: {e.strerror}") from None
    parse = _yaml if path.endswith((".yaml", ".yml")) else _toml
    doc = parse(path, data)
    entries = doc.get("claim") if isinstance(doc, dict) else doc
    tables = isinstance(entries, list) and all(isinstance(e, dict) for e in entries)
    if not entries or not tables:
        raise LedgerError(f"{path} has no claims; write [[claim]] tables with id, says and checks")
    return entries


def _yaml(path: str, data: bytes) -> Any:
    import yaml

    try:
        return yaml.safe_load(data)
    except yaml.YAMLError as e:
        mark = getattr(e, "problem_mark", None)
        line = f", line {mark.line + 1}" if mark else ""
        problem = getattr(e, "problem", None) or "not YAML"
        raise LedgerError(f"{path}{line}: {problem}") from None
    except RecursionError:
        raise LedgerError(f"{path}: values are nested too deep") from None
    except ValueError as e:  # a date that is none, a number of thousands of digits
        raise LedgerError(f"{path}: {e}") from None


def _toml(path: str, data: bytes) -> Any:
    """The document in a TOML file. Raises LedgerError for one that cannot be read."""
    import tomllib

    try:
        return tomllib.loads(data.decode("utf-8", "replace"))
    except RecursionError:
        raise LedgerError(f"{path}: values are nested too deep") from None
    except ValueError as e:  # no TOML, or a number of thousands of digits
        raise LedgerError(f"{path}: {e}") from None


def note_ledger() -> list[dict[str, Any]]:
    """The study note's claims."""
    return read(str(reference.path("claims.toml")))
