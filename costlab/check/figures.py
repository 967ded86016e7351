"""What a lock file keeps of a trace."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ..analysis.limits import PREDICTED, Figures, Limit, TraceFigures

# of the whole model; a receptive field takes longer than the others and is kept where it is limited
_WHOLE = ("params", "macs", "flops", "activations", "bytes", "peak")
OF_BLOCKS = ("activations", "macs", "params")


@dataclass(frozen=True)
class Timed:
    """The figures of a model that was traced, with times of a measured run of it, where there is
    one."""

    counted: TraceFigures
    timed: TraceFigures | None = None

    @property
    def blocks(self) -> tuple[str, ...]:
        """The modules that a limit may name."""
        return self.counted.blocks

    def figure(self, quantity: str, block: str = "") -> float | None:
        """A quantity of a block."""
        source = self.timed if quantity == "time" and self.timed else self.counted
        return source.figure(quantity, block)


def recorded(
    figures: Figures, parts: Iterable[str], limits: Iterable[Limit]
) -> dict[str, dict[str, float]]:
    """What a lock file keeps, by block and quantity: the usual figures of the model and of its
    parts, and what is limited. Blocks without any of these, such as pooling, are left out."""
    wanted: dict[str, dict[str, None]] = {"": dict.fromkeys((*_WHOLE, "time"))}
    wanted |= {block: dict.fromkeys(OF_BLOCKS) for block in parts}
    known = {"", *figures.blocks}
    limited = [limit for limit in limits if limit.block in known]
    for limit in limited:
        wanted.setdefault(limit.block, dict.fromkeys(OF_BLOCKS))[limit.quantity] = None
    named = {"", *(limit.block for limit in limited)}
    found = {block: _known(figures, block, names) for block, names in wanted.items()}
    return {b: values for b, values in found.items() if b in named or any(values.values())}


def _known(figures: Figures, block: str, names: Iterable[str]) -> dict[str, float]:
    """The quantities of a block that are known; times by a profile are of no lock file."""
    values = {name: figures.figure(name, block) for name in names if name not in PREDICTED}
    return {name: value for name, value in values.items() if value is not None}


def parts_of(figures: Figures) -> tuple[str, ...]:
    """The modules that a model consists of: one level of them, `layer1.0` where `layer1` is a list
    or a sequence. A module with most of the MACs or params is opened, so that a change in it is
    found in a smaller place."""
    names = tuple(figures.blocks)
    parts = _inside("", names)
    while (largest := _opened(figures, parts, names)) is not None:
        at = parts.index(largest)
        parts[at : at + 1] = _inside(largest, names)
    return tuple(parts)


def _opened(figures: Figures, parts: Iterable[str], names: Iterable[str]) -> str | None:
    """The part that has most of the model and modules inside; None where there is none."""
    for quantity in ("macs", "params"):
        half = (figures.figure(quantity) or 0) / 2
        for part in parts:
            large = (figures.figure(quantity, part) or 0) > half
            if large and any(name.startswith(f"{part}.") for name in names):
                return part
    return None


def _inside(around: str, names: Iterable[str]) -> list[str]:
    """The next modules in a module, "" for the model; with the numbers that follow their names."""
    depth = around.count(".") + 2 if around else 1
    prefix = f"{around}." if around else ""
    cut = dict.fromkeys(_cut(name, depth) for name in names if name.startswith(prefix))
    return leaves(cut)


def leaves(names: Iterable[str]) -> list[str]:
    """The names that no other lies in."""
    names = list(names)
    around = {".".join(n.split(".")[:i]) for n in names for i in range(1, n.count(".") + 1)}
    return [name for name in names if name not in around]


def _cut(name: str, depth: int) -> str:
    """The first names of a module path, and the numbers that follow."""
    parts = name.split(".")
    end = depth
    while end < len(parts) and parts[end].isdecimal():
        end += 1
    return ".".join(parts[:end])
