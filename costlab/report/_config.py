"""The TOML file in which a team keeps its report."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass


class ReportError(ValueError):
    """A report that cannot be made; one line naming the file, and the line where it is known."""


@dataclass(frozen=True)
class Config:
    """`models` as on the command line, `title`, `subtitle`, `sections` in order (empty: all that apply), `notes` Markdown by section,
    `inputs` specs, `logo` a path, `paper` a4 or us-letter, `base` and `head` for a review, `measured` a folder of traces: a model whose
    name has one there is shown with its time, `measured_on` the device, dtype or layout that are wanted: "h200", "h100 fp32"."""

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
}


def line(path: str, word: str, after: str = "", text: str | None = None) -> str:
    """Where a word (or a path from the file's folder) stands in a file, as "FILE, line N"; in the lines from one that begins with `after` (a
    pattern). Comments are passed over."""
    word = word.removeprefix(os.path.join(os.path.dirname(path), ""))
    if text is None:
        with open(path, encoding="utf-8", errors="replace") as f:
            text = f.read()
    begun = not after
    for i, row in enumerate(text.splitlines(), 1):
        begun = begun or re.match(rf"\s*{after}", row) is not None
        if (
            begun
            and re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", row.split(" #")[0])
            and not row.lstrip().startswith("#")
        ):
            return f"{path}, line {i}"
    return path


def read(path: str, sections) -> Config:
    """Read a report's TOML. `sections`: the names that exist. Raises ReportError for anything it cannot use."""
    import tomllib

    try:
        with open(path, "rb") as f:
            text = f.read().decode("utf-8", "replace")
        doc = tomllib.loads(text)
    except OSError as e:
        raise ReportError(f"cannot read {path}: {e.strerror}") from None
    except tomllib.TOMLDecodeError as e:
        end = f"at line {len(text.splitlines())}, the end"
        raise ReportError(f"{path}: {str(e).replace('at end of document', end)}") from None

    at = lambda word, after="": line(path, word, after, text)  # noqa: E731
    for key, value in doc.items():
        if key not in _KEYS:
            raise ReportError(f"{at(key)}: unknown key {key!r}; there are {', '.join(_KEYS)}")
        if (
            not isinstance(value, _KEYS[key])
            or isinstance(value, list)
            and not all(isinstance(v, str) for v in value)
        ):
            raise ReportError(
                f"{at(key)}: {key} is {'text' if _KEYS[key] is str else 'a list of texts' if _KEYS[key] is list else 'a table of texts'}"
            )
    noted = r"\[notes\]"
    chosen, notes = doc.get("sections", []), doc.get("notes", {})
    for name, after in (*((n, "sections") for n in chosen), *((n, noted) for n in notes)):
        if name not in sections:
            raise ReportError(
                f"{at(name, after)}: unknown section {name!r}; there are {', '.join(sections)}"
            )
    for name in chosen:
        if chosen.count(name) > 1:
            raise ReportError(f"{at(name, 'sections')}: section {name!r} is named twice")
    for name, words in notes.items():
        if not isinstance(words, str):
            raise ReportError(f"{at(name, noted)}: the note is no text")
        if chosen and name not in chosen:
            raise ReportError(
                f"{at(name, noted)}: a note for section {name!r}, which is not among the sections"
            )
    if doc.get("paper", "a4") not in ("a4", "us-letter"):
        raise ReportError(f"{at('paper')}: unknown paper {doc['paper']!r}; choose a4 or us-letter")
    if "models" in doc and not doc["models"]:
        raise ReportError(f"{at('models')}: no models are named")
    home = os.path.dirname(path)
    for key, there in (("measured", os.path.isdir), ("logo", os.path.isfile)):
        if doc.get(key) and not there(os.path.join(home, doc[key])):
            raise ReportError(
                f"{at(key)}: there is no {'folder' if key == 'measured' else 'file'} {os.path.join(home, doc[key])}"
            )

    def near(spec):
        """A file beside the TOML is found from anywhere."""
        name, colon, factory = spec.rpartition(":") if ".py:" in spec else (spec, "", "")
        return (
            os.path.join(home, name) + colon + factory
            if os.path.isfile(os.path.join(home, name))
            else spec
        )

    logo = os.path.join(home, doc["logo"]) if doc.get("logo") else ""
    return Config(
        tuple(map(near, doc.get("models", ()))),
        doc.get("title", ""),
        doc.get("subtitle", ""),
        tuple(doc.get("sections", ())),
        tuple(doc.get("notes", {}).items()),
        tuple(doc.get("inputs", ())),
        logo,
        doc.get("paper", "a4"),
        near(doc.get("base", "")),
        near(doc.get("head", "")),
        os.path.join(home, doc["measured"]) if doc.get("measured") else "",
        doc.get("measured_on", ""),
    )
