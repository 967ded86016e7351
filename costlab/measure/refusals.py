"""What torch refuses while a model is measured, in one line for the user."""

from __future__ import annotations

import contextlib
from collections.abc import Generator

import torch

from ..trace import TraceError
from .device import Device, MeasureError
from .progress import Reporter


@contextlib.contextmanager
def refusals_as_errors(device: Device, report: Reporter | None = None) -> Generator[None]:
    """What torch refuses is a MeasureError of one line; the random state is put back."""
    state = torch.get_rng_state()
    try:
        yield
    except (RuntimeError, NotImplementedError) as e:
        if _ran_out_of_memory(e):
            raise MeasureError(_does_not_fit(device, report.stage if report else "")) from None
        if isinstance(e, TraceError):
            raise
        raise MeasureError(f"measuring failed: {in_one_line(e)}") from e
    finally:
        torch.set_rng_state(state)


def _ran_out_of_memory(error: BaseException | None) -> bool:
    """Whether an error is, or comes from, memory that was not to be had."""
    while error:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _does_not_fit(device: Device, stage: str) -> str:
    """What to do about a model that takes more memory than the device has."""
    where = f" while measuring {stage}" if stage else ""
    return (
        f"the model does not fit: {device.describe()['device']} ran out of memory{where}; try a "
        "smaller batch or dtype, or another device"
    )


def in_one_line(error: BaseException) -> str:
    """The type of an error and the first line of what it says."""
    text = (str(error).strip().splitlines() or [""])[0]
    return f"{type(error).__name__}: {text}"
