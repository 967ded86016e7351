"""What is said of a sweep."""

from __future__ import annotations

from collections.abc import Sequence

from ...cost import counted
from ..polynomial import Polynomial


def configurations(count: int, failed: int) -> str:
    """How many there were, and how many of them failed."""
    return counted(count, "configuration") + (f", {failed} failed" if failed else "")


def outside(shares: Sequence[float], of: int) -> str:
    """`shares` of the predicted times of some configurations that lie outside what was measured of
    the device, `of` all that ran."""
    return (
        f"outside what was measured: up to {max(shares):.1%} of the time, in {len(shares)} of "
        f"{counted(of, 'configuration')}; calibrate for longer"
    )


def rate(price: float) -> str:
    """What the prices are; `price` of an hour."""
    return (
        f"price: of a million inputs, at {price:,g} an hour, on a device that is busy all the time"
    )


def of_another_version(count: int) -> str:
    """Outcomes in a journal that were not used."""
    verbs = ("is", "was") if count == 1 else ("are", "were")
    return (
        f"{counted(count, 'outcome')} in the journal {verbs[0]} from another version of the model "
        f"or costlab, or another machine, and {verbs[1]} ignored"
    )


def of_the_input(size: str, model: str) -> str:
    """A size of the input that an argument of the factory has the name of."""
    return f"{size} is that of the input; for the argument of {model}, write arg.{size}"


def polynomial(model: str, found: Polynomial | None) -> str:
    """The exact MACs of a model over its sizes."""
    if found is None:
        return f"{model}: no polynomial of degree 4 or less gives its MACs over these sizes"
    return f"{model}: {found}"


def of_the_batch_alone(model: str, found: Polynomial | None, why: str) -> str:
    """The exact MACs of a model that cannot run on other sizes."""
    return f"{polynomial(model, found)}; it takes one resolution only: {why}"


def no_polynomial(model: str, why: str) -> str:
    """A model whose sizes cannot be changed."""
    return f"{model}: no polynomial: {why}"
