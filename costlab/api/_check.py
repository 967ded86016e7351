"""Budgets of a repository."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from ..predict import AnyProfile, AnyRate
from ._arguments import public

if TYPE_CHECKING:
    from ..check import Check


@public
def check(
    path: str | os.PathLike[str] = "pyproject.toml",
    *,
    update: bool = False,
    measure: bool = False,
    device: str = "auto",
    profile: AnyProfile | None = None,
    rate: AnyRate | None = None,
    progress: Callable[[int, int, str], None] | None = None,
) -> Check:
    """Judge the limits on the models of a pyproject.toml, in the table `[tool.costlab]`.

    Args:
        path: of the file; models and the lock file are found from its folder.
        update: write the lock file, `costlab.lock`, with what the models cost now; relative limits
            are judged against it.
        measure: time the models that have a limit on time, on `device` ("auto", "cuda" or "cpu").
        profile: of a device, as `costlab.table` takes it, for limits such as "predicted_ms <= 3",
            in place of those that the file names; without any they are skipped.
        rate: price of an hour of the device, as `costlab.table` takes it, for limits such as
            "predicted_price <= 2", in place of those that the file names.
        progress: called with (done, of, name) before each model.

    Returns a `Check`: `passed`, `failed`, the `models` with their verdicts, and
    `report("junit")`, `report("github")` and `report("sarif")` as text. A model that cannot be
    built or traced is an error in it, and the others are still checked.

    Raises CheckError, a ValueError: a configuration or a lock file that cannot be used;
    ProfileError: a profile that cannot be read; ValueError: a rate that is not above 0."""
    from ..check import Measuring
    from ..check import check as run

    measuring = Measuring(device) if measure else None
    return run(
        path, update=update, measuring=measuring, profile=profile, rate=rate, progress=progress
    )
