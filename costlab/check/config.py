"""`[tool.costlab]` of a pyproject.toml: parsed, checked, then made into a `Config`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .. import _documents
from .._narrow import StrPath, is_list, json_object
from ..analysis.limits import Limit, LimitError, parse
from ..predict import Profile, ProfileError, Rate, as_rate, beside, load_profile
from .errors import CheckError
from .places import Places
from .table import Table, known

LOCK = "costlab.lock"
_DTYPES = ("fp32", "tf32", "bf16", "fp16")
_PHASES = ("prefill", "decode")


@dataclass(frozen=True)
class Budget:
    """A limit on a model.

    Attributes:
        tolerance: the share of the bound by which a value may be beyond it.
        line: where it stands in the file.
    """

    limit: Limit
    tolerance: float
    line: int


@dataclass(frozen=True)
class Timing:
    """How a model is timed, and on what.

    Attributes:
        device: part of the device's name ("h100"), "cpu" or "cuda"; "" for any.
        dtype: fp32, tf32, bf16 or fp16.
        channels_last: 4-d tensors as NHWC.
    """

    device: str = ""
    dtype: str = "fp32"
    channels_last: bool = False


@dataclass(frozen=True)
class ModelBudget:
    """A model with its limits.

    Attributes:
        name: of the model in results and in the lock file.
        model: as it is written, for people; `spec` the same from any folder.
        inputs: as `costlab.load` takes them; empty for the source's own.
        arguments: of the factory.
        train: whether a training step is counted.
        use: phase, context and batch of a language model in use; empty otherwise.
        profile: of the device whose times are predicted; None where the file names none.
        dtype, layout: that times are predicted in, as `Profile.predict` takes them.
        line: where its table begins.
        rate: price of an hour of the device; None where the file names none.
    """

    name: str
    model: str
    spec: str
    inputs: tuple[str, ...]
    arguments: Mapping[str, Any]
    train: bool
    use: Mapping[str, Any]
    timing: Timing
    limits: tuple[Budget, ...]
    line: int
    profile: Profile | None = None
    dtype: str | None = None
    layout: str | None = None
    rate: Rate | None = None


@dataclass(frozen=True)
class Config:
    """The budgets of a repository.

    Attributes:
        path: of the file, as it was given.
        lock: path of the lock file.
    """

    path: str
    lock: str
    models: tuple[ModelBudget, ...]


def read(path: StrPath) -> Config:
    """Read the budgets of a pyproject.toml. Raises CheckError for anything it cannot use."""
    path = os.fspath(path)
    text, doc = _parse(path)
    table = json_object((json_object(doc.get("tool")) or {}).get("costlab"))
    if table is None:
        raise CheckError(f"{path}: there is no table [tool.costlab], which `costlab check` reads")
    models = table.get("model", [])
    tables = [json_object(m) for m in models] if is_list(models) else []
    places = Places(text, len(tables))
    whole = Table(path, table, "[tool.costlab]", places)
    whole.require_keys(
        {"lock": str, "model": list, "defaults": dict, "profile": str, "rate": float}
    )
    if not tables or None in tables:
        raise whole.error("model", "models are tables [[tool.costlab.model]], and there is none")
    profile = _profile(whole)
    found = [_model(path, places, i, t) for i, t in enumerate(tables) if t is not None]
    _require_names(path, found)
    rate = _rate(whole)
    found = [
        replace(model, profile=model.profile or profile, rate=model.rate or rate) for model in found
    ]
    lock = table.get("lock", LOCK)
    return Config(path, os.path.join(os.path.dirname(path), lock), tuple(found))


def _parse(path: str) -> tuple[str, dict[str, Any]]:
    if not os.path.exists(path):
        raise CheckError(f"there is no file {path}; name the pyproject.toml with budgets")
    text = _documents.read_text(path, CheckError)
    return text, _documents.toml(path, text, CheckError)


_MODEL_KEYS = {
    "name": str,
    "model": str,
    "inputs": list,
    "arguments": dict,
    "limits": list,
    "tolerance": str,
    "mode": str,
    "device": str,
    "dtype": str,
    "channels-last": bool,
    "profile": str,
    "rate": float,
    "phase": str,
    "context": int,
    "batch": int,
}
_LIMIT_KEYS = {"limit": str, "tolerance": str}


def _model(path: str, places: Places, index: int, doc: Mapping[str, Any]) -> ModelBudget:
    """One `[[tool.costlab.model]]`. Raises CheckError for anything it cannot use."""
    called = doc.get("name", doc.get("model", index + 1))
    table = Table(path, doc, f"[[tool.costlab.model]] {called!r}", places, index)
    table.require_keys(_MODEL_KEYS)
    if not doc.get("model"):
        missing = "the key model is missing; it names the model"
        raise table.error("model", missing, places.model(index))
    name = doc.get("name", doc["model"])
    if not name or not name.isprintable():
        raise table.error("name", "a name is one line of printable characters")
    timing = Timing(
        doc.get("device", ""),
        table.one_of("dtype", _DTYPES, "fp32"),
        doc.get("channels-last", False),
    )
    return ModelBudget(
        name,
        doc["model"],
        _spec(os.path.dirname(path), doc["model"]),
        table.texts("inputs"),
        doc.get("arguments", {}),
        table.one_of("mode", ("eval", "train"), "eval") == "train",
        _use(table),
        timing,
        tuple(_budget(table, given) for given in doc.get("limits", [])),
        places.model(index),
        _profile(table),
        doc.get("dtype"),
        "channels-last" if timing.channels_last else None,
        _rate(table),
    )


def _profile(table: Table) -> Profile | None:
    """The profile that a table names, by its path from the file. Raises CheckError for one that
    cannot be read."""
    if "profile" not in table.doc:
        return None
    try:
        return load_profile(beside(os.path.dirname(table.path), table.doc["profile"]))
    except ProfileError as e:
        raise table.error("profile", str(e)) from None


def _rate(table: Table) -> Rate | None:
    """The price of an hour that a table names. Raises CheckError for one that is not above 0."""
    try:
        return as_rate(table.doc.get("rate"))
    except ValueError as e:
        raise table.error("rate", str(e)) from None


def _use(table: Table) -> dict[str, Any]:
    """Phase, context and batch of a language model in use; nothing without a phase."""
    phase = table.one_of("phase", _PHASES, "")
    given = {key: table.doc[key] for key in ("context", "batch") if key in table.doc}
    if given and not phase:
        key = next(iter(given))
        raise table.error(key, f'{key} needs a phase; add phase = "prefill" or "decode"')
    for key, value in given.items():
        if value < 1:
            raise table.error(key, f"{key} is at least 1")
    return {"phase": phase, **given} if phase else {}


def _budget(table: Table, given: object) -> Budget:
    """A limit: a text, or a table with the limit and a tolerance of its own."""
    doc = {"limit": given} if isinstance(given, str) else json_object(given)
    if doc is None or not isinstance(doc.get("limit"), str):
        raise table.error("limits", 'a limit is a string, or {limit = "...", tolerance = "..."}')
    line = table.places.text(doc["limit"], "limits", table.index or 0)
    for key, value in doc.items():
        if key not in _LIMIT_KEYS:
            message = f"unknown key {key!r} of a limit{known(key, _LIMIT_KEYS)}"
            raise table.error("limits", message, line)
        if not isinstance(value, str):
            raise table.error("limits", f"{key} of a limit is a string", line)
    own = doc.get("tolerance")
    text, at = (own, line) if own is not None else (table.doc.get("tolerance", "0%"), 0)
    try:
        return Budget(parse(doc["limit"]), table.share(text, at), line)
    except LimitError as e:
        raise table.error("limits", str(e), line) from None


def _spec(folder: str, spec: str) -> str:
    """What names a model from any folder: files are those beside the pyproject.toml."""
    name, colon, factory = spec.rpartition(":") if ".py:" in spec else (spec, "", "")
    beside = os.path.join(folder, name)
    return beside + colon + factory if os.path.isfile(beside) else spec


def _require_names(path: str, models: Iterable[ModelBudget]) -> None:
    """Raise CheckError for two models of one name."""
    lines: dict[str, int] = {}
    for model in models:
        if model.name in lines:
            raise CheckError(
                f"{path}:{model.line}: [[tool.costlab.model]] {model.name!r}: another model has "
                f"this name (line {lines[model.name]}); give each a name of its own"
            )
        lines[model.name] = model.line
