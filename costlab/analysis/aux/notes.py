"""What the tables of heads and of the probe say in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .probe import Probe
    from .training import Protocol


def costs() -> tuple[str, ...]:
    """Of the costs of auxiliary classifiers."""
    return (
        "for one image: half of a batch of two, traced in training mode with the backward pass",
        "the heads are dropped after training: at inference they have no MACs, and their params "
        "need not be kept",
        "params with biases and norm scales; one MAC = one multiply-add",
    )


def flow(result: Probe) -> tuple[str, ...]:
    """Of one network in one setting, layer by layer."""
    return (
        placed(result),
        lowest(result),
        *_published(result),
        *_helped(result),
        protocol(result.protocol),
    )


def settings(result: Probe) -> tuple[str, ...]:
    """Of one network in several settings."""
    return (
        placed(result),
        lowest(result),
        *_published(result),
        *_helped(result),
        protocol(result.protocol),
        "twice as deep: one more 3x3 convolution after each; each other setting changes what its "
        "name says",
    )


def placed(result: Probe) -> str:
    """Where the rule puts a head."""
    place = result.place
    if place is None:
        return (
            f"no convolution's mean gradient is under {result.threshold:g} in these iterations: "
            "the rule places no head"
        )
    return (
        f"the rule places a head after {place.name}, the first convolution from the loss back "
        f"whose mean gradient is under {result.threshold:g}"
    )


def lowest(result: Probe) -> str:
    """Where the gradient is smallest."""
    found, seeds = result.without, len(result.protocol.seeds)
    return (
        f"the smallest mean gradient is at {found.lowest.name}, "
        f"{ordinal(found.layers.index(found.lowest) + 1)} of {len(found.layers)} convolutions, in "
        f"{result.agreeing} of {seeds} seed{'s' * (seeds != 1)}: {found.fall:.1f} times smaller "
        f"than at {found.last.name}, next to the loss"
    )


def _published(result: Probe) -> tuple[str, ...]:
    """How that is to the published head; nothing where none is known."""
    if not result.head_after:
        return ()
    same = result.without.lowest.name == result.head_after
    said = "the same place" if same else "another place"
    size = (
        ""
        if result.place
        else "; the size of a gradient also depends on images, labels, batch and loss, which are "
        "not the authors' here"
    )
    return (f"the published network has its head after {result.head_after}: {said}{size}",)


def _helped(result: Probe) -> tuple[str, ...]:
    """What the heads add to the gradients; nothing where they were not run."""
    if result.with_heads is None:
        return ()
    pairs = zip(result.with_heads.layers, result.without.layers, strict=True)
    most, layer = max((a.mean / b.mean, b.name) for a, b in pairs if b.mean)
    return (
        f"with heads, from the same weights, on the same images, with the same dropout: at most "
        f"{most:.3g} times the gradient without, at {layer}",
    )


def protocol(run: Protocol) -> str:
    """What was trained, and where."""
    seeds = ", ".join(map(str, run.seeds))
    return (
        f"{run.iterations} iterations of SGD on {run.data}, batch {run.batch}, learning rate "
        f"{run.rate:.3g} (0.01 for 256 images), seed{'s' * (len(run.seeds) != 1)} {seeds}, on "
        f"{run.device}; the rule is Wang et al., arXiv 1505.02496"
    )


def ordinal(number: int) -> str:
    """1st, 2nd, 3rd, 4th, 11th."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"
