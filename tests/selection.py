"""Which cases of a long table run by default; the others are slow and run in CI."""

import os
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

MEASURED = Path(__file__).parents[1] / "reports" / "measurements"


def slow_but(quick, cases):
    """The cases as parameters, slow but for those in `quick`. A case of several values is named by
    its first."""
    cases = [case if isinstance(case, tuple) else (case,) for case in cases]
    unknown = {*quick} - {case[0] for case in cases}
    assert not unknown, f"no cases: {unknown}"
    return [
        pytest.param(*case, marks=[pytest.mark.slow] * (case[0] not in quick)) for case in cases
    ]


def slow_but_every(nth, cases):
    """The cases as parameters, slow but for each nth."""
    return [
        pytest.param(case, marks=[pytest.mark.slow] * (i % nth > 0)) for i, case in enumerate(cases)
    ]


@cache
def measured(pattern):
    """A folder, as long as the process runs, of the committed traces whose names are like this:
    "*.h100.fp32.nchw.*" is a quarter of them."""
    folder = TemporaryDirectory()
    for file in MEASURED.glob(f"{pattern}.trace"):
        os.symlink(file, Path(folder.name) / file.name)
    return folder
