"""The rewrites that are wanted, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..._spelling import suggestion
from .candidates import Candidate
from .obstacles import Obstacle


def choose(
    found: Sequence[Candidate], wanted: Sequence[str], refused: Mapping[str, Obstacle] | None = None
) -> list[Candidate]:
    """Candidates by name: PATH (its best rewrite), PATH:REWRITE, or "best" (the best saving rewrite
    of every convolution). `refused`: convolutions that cannot be replaced, each with its obstacle.

    Raises ValueError for a name that is not a candidate."""
    refused = refused or {}
    chosen: list[Candidate] = []
    for name in wanted:
        chosen += _best(found, refused) if name == "best" else [_named(name, found, refused)]
    return chosen


def _best(found: Sequence[Candidate], refused: Mapping[str, Obstacle]) -> list[Candidate]:
    best: dict[str, Candidate] = {}
    for c in found:
        if c.is_better:
            best.setdefault(c.path, c)
    if best:
        return list(best.values())
    if found:
        what = "MACs" if found[0].time_saved is None else "predicted time"
        raise ValueError(f"no rewrite saves {what} at this middle width; try --mid in")
    if refused:
        path, why = next(iter(refused.items()))
        raise ValueError(f"no convolution here can be replaced; {path}: {why}")
    raise ValueError(
        "there is no convolution that can be factorized: 2-d, dense and larger than 1x1"
    )


def _named(name: str, found: Sequence[Candidate], refused: Mapping[str, Obstacle]) -> Candidate:
    paths = {c.path for c in found}
    path, rewrite = name, ""
    if name not in paths and name not in refused and ":" in name:
        path, _, rewrite = name.rpartition(":")
    if path in refused:
        raise ValueError(f"{path} cannot be replaced: {refused[path]}")
    for c in found:
        if c.path == path and rewrite in ("", c.rewrite):
            return c
    near = "" if path in paths else suggestion(path, paths, 1)
    raise ValueError(f"no rewrite {name!r}{near or '; run without --apply to see them'}")
