"""The TOML file in which a team keeps its report: parsed, checked, then made into a `Config`."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .. import _documents
from .._narrow import is_list
from .._spelling import choice
from ..predict import LAYOUTS, ProfileError, beside, load_profile
from ..predict.dtypes import WIDTHS
from .errors import ReportError

__all__ = ["Config", "ReportError", "line", "read"]


@dataclass(frozen=True)
class Config:
    """`models` as on the command line, `title`, `subtitle`, `sections` in order (empty: all that
    apply), `notes` Markdown by section, `inputs` specs, `logo` a path, `paper` a4 or us-letter,
    `base` and `head` for a review, `measured` a folder of traces: a model whose name has one there
    is shown with its time, `measured_on` the device, dtype or layout that are wanted: "h200",
    "h100 fp32". `probe`: what `costlab aux --probe --record` kept. `computed`: figures of the notes
    are expressions in braces, computed when the report is built, as in a ledger of claims.
    `profile`: of the device whose times are predicted, as `load_profile` takes it, in the dtype
    `profile_dtype` and the layout `profile_layout` ("": as `Profile.predict` chooses them). `rate`:
    price of an hour of the device."""

    models: tuple[str, ...] = ()
    title: str = ""
    subtitle: str = ""
    sections: tuple[str, ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    inputs: tuple[str, ...] = ()
    logo: str = ""
    paper: str = "a4"
    base: str = ""
    head: str = ""
    measured: str = ""
    measured_on: str = ""
    probe: str = ""
    computed: bool = False
    profile: str = ""
    profile_dtype: str = ""
    profile_layout: str = ""
    rate: float | None = None


_KEYS = {
    "title": str,
    "subtitle": str,
    "models": list,
    "sections": list,
    "inputs": list,
    "notes": dict,
    "logo": str,
    "paper": str,
    "base": str,
    "head": str,
    "measured": str,
    "measured_on": str,
    "probe": str,
    "computed": bool,
    "profile": str,
    "profile_dtype": str,
    "profile_layout": str,
    "rate": float,
}
_KINDS = {
    str: "text",
    list: "a list of strings",
    dict: "a table of strings",
    bool: "true or false",
    float: "a number",
}
_PAPERS = ("a4", "us-letter")
_NOTES = r"\[notes\]"  # the pattern of the line that begins the notes


def line(path: str, word: str, after: str = "", text: str | None = None) -> str:
    """Where a word (or a path from the file's folder) stands in a file, as "FILE, line N"; in the
    lines from one that begins with `after` (a pattern). Comments are passed over."""
    word = word.removeprefix(os.path.join(os.path.dirname(path), ""))
    if text is None:
        with open(path, encoding="utf-8", errors="replace") as f:
            text = f.read()
    whole_word = re.compile(rf"(?<![\w-]){re.escape(word)}(?![\w-])")
    begun = not after
    for i, row in enumerate(text.splitlines(), 1):
        begun = begun or re.match(rf"\s*{after}", row) is not None
        comment = row.lstrip().startswith("#")
        if begun and not comment and whole_word.search(row.split(" #")[0]):
            return f"{path}, line {i}"
    return path


def read(path: str, sections: Iterable[str]) -> Config:
    """Read a report's TOML. `sections`: the names that exist. Raises ReportError for anything it
    cannot use."""
    text, doc = _parse(path)
    _check(_File(path, text, doc), tuple(sections))
    return _config(doc, os.path.dirname(path))


def _parse(path: str) -> tuple[str, dict[str, Any]]:
    text = _documents.read_text(path, ReportError)
    return text, _documents.toml(path, text, ReportError)


@dataclass(frozen=True)
class _File:
    """A configuration as it was written."""

    path: str
    text: str
    doc: dict[str, Any]

    def error(self, word: str, message: str, after: str = "") -> ReportError:
        """An error that says where the word stands."""
        return ReportError(f"{line(self.path, word, after, self.text)}: {message}")


def _check(file: _File, sections: tuple[str, ...]) -> None:
    """Raise ReportError for the first thing that cannot be used."""
    _check_keys(file)
    _check_sections(file, sections)
    _check_notes(file)
    _check_values(file)


def _check_keys(file: _File) -> None:
    for key, value in file.doc.items():
        if key not in _KEYS:
            raise file.error(key, f"unknown key {key!r}{choice(key, _KEYS)}")
        texts = not is_list(value) or all(isinstance(v, str) for v in value)
        if not _is(_KEYS[key], value) or not texts:
            raise file.error(key, f"{key} is {_KINDS[_KEYS[key]]}")


def _is(kind: type, value: object) -> bool:
    """Whether a value is of a kind; whole numbers are numbers too, and true and false are none."""
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    return isinstance(value, kind)


def _named(file: _File) -> Iterator[tuple[str, str]]:
    """Each section that is named, and the pattern of the line from which on it stands."""
    for name in file.doc.get("sections", []):
        yield name, "sections"
    for name in file.doc.get("notes", {}):
        yield name, _NOTES


def _check_sections(file: _File, sections: tuple[str, ...]) -> None:
    for name, after in _named(file):
        if name not in sections:
            raise file.error(name, f"unknown section {name!r}{choice(name, sections)}", after)
    chosen = file.doc.get("sections", [])
    for name in chosen:
        if chosen.count(name) > 1:
            raise file.error(name, f"section {name!r} is named twice", "sections")


def _check_notes(file: _File) -> None:
    chosen = file.doc.get("sections", [])
    for name, words in file.doc.get("notes", {}).items():
        if not isinstance(words, str):
            raise file.error(name, "the note is not a string", _NOTES)
        if chosen and name not in chosen:
            message = f"a note for section {name!r}, which is not among the sections"
            raise file.error(name, message, _NOTES)


def _check_values(file: _File) -> None:
    doc = file.doc
    if doc.get("paper", "a4") not in _PAPERS:
        message = f"unknown paper {doc['paper']!r}; choose {' or '.join(_PAPERS)}"
        raise file.error("paper", message)
    if "models" in doc and not doc["models"]:
        raise file.error("models", "no models are named")
    _check_path(file, "measured", os.path.isdir, "folder")
    _check_path(file, "logo", os.path.isfile, "file")
    _check_path(file, "probe", os.path.isfile, "file")
    _check_profile(file)


def _check_profile(file: _File) -> None:
    doc = file.doc
    for key, known in (("profile_dtype", WIDTHS), ("profile_layout", LAYOUTS)):
        if key in doc and "profile" not in doc:
            raise file.error(key, f"{key} is of predicted times; add profile")
        if doc.get(key, next(iter(known))) not in known:
            raise file.error(key, f"unknown {key} {doc[key]!r}; there are {', '.join(known)}")
    if "profile" in doc:
        try:
            load_profile(beside(os.path.dirname(file.path), doc["profile"]))
        except ProfileError as e:
            raise file.error("profile", str(e)) from None


def _check_path(file: _File, key: str, exists: Callable[[str], bool], kind: str) -> None:
    path = _beside(os.path.dirname(file.path), file.doc.get(key, ""))
    if path and not exists(path):
        there = os.path.exists(path)
        what = f"{path} is not a {kind}" if there else f"there is no {kind} {path}"
        raise file.error(key, what)


def _beside(folder: str, path: str) -> str:
    return os.path.join(folder, path) if path else ""


def _model(folder: str, spec: str) -> str:
    """A model's spec; a file beside the TOML is found from anywhere."""
    name, colon, factory = spec.rpartition(":") if ".py:" in spec else (spec, "", "")
    path = os.path.join(folder, name)
    return path + colon + factory if os.path.isfile(path) else spec


def _config(doc: dict[str, Any], folder: str) -> Config:
    """The configuration of a checked document; paths are from its folder."""
    return Config(
        models=tuple(_model(folder, spec) for spec in doc.get("models", ())),
        title=doc.get("title", ""),
        subtitle=doc.get("subtitle", ""),
        sections=tuple(doc.get("sections", ())),
        notes=tuple(doc.get("notes", {}).items()),
        inputs=tuple(doc.get("inputs", ())),
        logo=_beside(folder, doc.get("logo", "")),
        paper=doc.get("paper", "a4"),
        base=_model(folder, doc.get("base", "")),
        head=_model(folder, doc.get("head", "")),
        measured=_beside(folder, doc.get("measured", "")),
        measured_on=doc.get("measured_on", ""),
        probe=_beside(folder, doc.get("probe", "")),
        computed=doc.get("computed", False),
        profile=beside(folder, doc["profile"]) if "profile" in doc else "",
        profile_dtype=doc.get("profile_dtype", ""),
        profile_layout=doc.get("profile_layout", ""),
        rate=doc.get("rate"),
    )
