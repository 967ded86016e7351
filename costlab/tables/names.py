"""What models are called where there is little room: paths without the folders that they share."""

from __future__ import annotations

from collections.abc import Sequence

from ..trace.record import Trace


def version_name(trace: Trace) -> str:
    """What tells versions of one model apart: the git revision that was traced, "main (3f2c1ab)",
    otherwise the model's name."""
    return trace.provenance.get("revision") or trace.provenance["model"]


def display_name(model: str) -> str:
    """A model's name without its folders: "net.py:build" for "/home/me/nets/net.py:build"."""
    return display_names([model])[0]


def display_names(models: Sequence[str]) -> list[str]:
    """Names without their folders, but with as many as tell them apart: "old/net.py:build" beside
    "new/net.py:build"."""
    names = [_from_end(model, 0) for model in models]
    parts = max((model.count("/") + model.count("\\") for model in models), default=0)
    for folders in range(1, parts + 1):
        same = {
            n for n in names if len({m for m, k in zip(models, names, strict=True) if k == n}) > 1
        }
        names = [
            _from_end(model, folders) if name in same else name
            for model, name in zip(models, names, strict=True)
        ]
    return names


def _from_end(model: str, folders: int) -> str:
    """The last part of a path with so many folders before it; the colon and what follows stay."""
    path, colon, factory = (
        model.rpartition(":") if _is_path(model.rpartition(":")[0]) else (model, "", "")
    )
    if not _is_path(path):
        return model
    parts = path.replace("\\", "/").split("/")
    return "/".join(parts[-1 - folders :]) + colon + factory


def _is_path(text: str) -> bool:
    return "/" in text or "\\" in text


def others(rows: int, *, brief: bool = False) -> str:
    """What the rows are called that a table shows as one; `brief`: where there is little room."""
    if brief:
        return f"{rows} other{'' if rows == 1 else 's'}"
    return "the other row" if rows == 1 else f"the other {rows} rows"
