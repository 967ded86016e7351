"""What the tables of heads, bottlenecks, profiles, results, phases and polynomials say in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from ..cost import counted, scaled, short
from ..predict import significant
from ..tables import Note, others, version_name
from ..trace import Trace
from .price import Energy, Price, energy_of, prices, spell_price

if TYPE_CHECKING:
    from .pareto import Point
    from .polynomial import Polynomial
    from .results import Protocol

COUNTED = "params with biases; one MAC = one multiply-add"
PEAKS = (
    "peak memory: the most bytes alive while the row runs, beyond params, buffers and inputs; the "
    "total is the peak of the whole run"
)


def money(trace: Trace) -> list[str]:
    """The energy of a call where NVML gave it, and with a rate the price of a million inputs."""
    found = energy_of(trace)
    return [*([energy(found)] if found else []), *map(price, prices(trace))]


def prices_of(traces: Iterable[Trace]) -> list[str]:
    """The prices of several models, with their names; nothing without a rate."""
    return [f"{version_name(t)}: {price(p)}" for t in traces for p in prices(t)]


def price(found: Price) -> str:
    """What a million inputs cost."""
    amount = f"{'at least ' * (found.by == 'at least')}{spell_price(found)}"
    time = "the least time possible" if found.by == "at least" else f"the {found.by} time"
    return (
        f"price of a million inputs: {amount}, at {found.rate:,g} an hour, by {time} of calls with "
        f"{counted(found.items, 'input')} each, on a device that is busy all the time"
    )


def energy(found: Energy) -> str:
    """What a call takes of energy."""
    how = (
        "by the energy counter of NVML"
        if found.watts is None
        else f"by its time and the {found.watts:,g} W that NVML read while it ran"
    )
    return (
        f"energy: {significant(found.joules / found.items)} J an input, {how}; of the whole GPU, "
        "idle power included"
    )


def order(words: str, rest: int) -> str:
    """How the rows of a table are sorted; `rest`: those that are one row at the end."""
    as_one = " together" if rest > 1 else ""
    end = f"; {others(rest)}{as_one} at the end" if rest else ""
    return f"rows by {words}, most expensive first{end}"


def heads(difference: float) -> tuple[str, ...]:
    """`difference`: the largest one between a 1x1 convolution and a linear layer."""
    return (
        f"a 1x1 convolution and a linear layer with the same weights differ by at most "
        f"{difference:.1e} (float64, random data): they are one",
        "fully connected layers hold most params of AlexNet and VGG, and few of their MACs: "
        "pooling saves memory more than compute",
        f"counts by tracing each; {COUNTED}",
    )


def one_bottleneck() -> tuple[str, ...]:
    """Of a module of the user's own."""
    return (f"counts by tracing both; {COUNTED}",)


def bottlenecks() -> tuple[str, ...]:
    """Of GoogLeNet's modules and the network chained."""
    return (
        "naive: 1x1, 3x3 and 5x5 straight on the input, and a pool that passes all its channels on "
        "(Figure 2(a)); reduced: Figure 2(b)",
        "each module on the reduced network's input; chained, the naive network's channels grow "
        "with every pool",
        *one_bottleneck(),
    )


def profile(notes: Sequence[str]) -> tuple[str, ...]:
    """`notes`: of the table that the profile is made from, its convention first."""
    convention, *others = notes
    return (convention, "activations: outputs of convolutions and products", *others)


def other_rows(count: int) -> str:
    """The name of a profile's last step, which is `count` rows together."""
    return f"{count} other rows, each cheaper"


def pareto(protocol: Protocol) -> tuple[str, ...]:
    """Of the chart of cost against error; `protocol`: of the points that are compared."""
    return (
        f"compared: {_crops(protocol)} of one network, ILSVRC-2012 {protocol.data}; the "
        "others say why they are not compared",
        "MACs of one forward pass, and params, from traces, or MACs as printed where the traced "
        "network differs; errors as published, not measured",
    )


def not_compared(point: Point) -> tuple[str, ...]:
    """Why a point is not compared with others, the main reason first; empty where it is."""
    protocol = _another_protocol(point.result.protocol, point.protocol)
    if point.traced_macs is None:
        return protocol
    return (
        "cost as printed",
        f"the traced network differs, {short(point.traced_macs)}",
        *protocol,
    )


def _another_protocol(protocol: Protocol, wanted: Protocol) -> tuple[str, ...]:
    """How the protocol of an error differs from the `wanted` one."""
    if not protocol.known:
        return ("crops not known",)
    reasons: list[str] = []
    if protocol.models != wanted.models:
        reasons.append(f"{protocol.models} networks")
    if protocol.crops != wanted.crops:
        reasons.append(_crops(protocol))
    if protocol.data != wanted.data:
        reasons.append(f"images: {protocol.data}")
    return tuple(reasons)


def _crops(protocol: Protocol) -> str:
    if not protocol.crops.isdecimal():
        return f"{protocol.crops} evaluation"
    return "1 crop" if protocol.crops == "1" else f"{protocol.crops} crops"


def results() -> tuple[str, ...]:
    """Of the printed tables of results."""
    return (
        "as published: nothing here was measured or recomputed; empty: not printed",
        Note(
            "top-1, top-5: errors in percent; cost: 1e9 multiply-adds, where the table has it",
            "top-1",
            "top-5",
            "cost",
        ),
        Note("val, test: of ILSVRC-2012; val, 48,238: val without the blacklisted images", "data"),
    )


def phases(params: int, said: Sequence[str]) -> tuple[str, ...]:
    """Of prefill and decoding. `params`: elements; `said`: the notes of the traces."""
    return (
        *said,
        f"params: {scaled(params)} ({params:,}); one MAC = one multiply-add; bytes are summed over "
        "the operations, each input of an operation once",
    )


def times() -> tuple[str, ...]:
    """What the numbers of measured runs are."""
    return (
        "time: the median of the whole model without the host's work, low and high the ends of its "
        "95% interval; one MAC = one multiply-add",
    )


def polynomial(p: Polynomial) -> str:
    """A polynomial, the sizes that it holds for, and what it was checked on."""
    terms = sorted(p.terms.items(), reverse=True)
    words = " ".join(_term(p.names, *term) for term in terms).removeprefix("+ ") or "0"
    where = ", ".join(
        f"{n} = {b} + {s} k" if s > 1 else f"any {n}"
        for n, b, s in zip(p.names, p.base, p.step, strict=True)
    )
    return f"{p.what} = {words}, exact for {where} (checked on {p.checked} other sizes)"


def _term(names: Sequence[str], exponents: Sequence[int], coefficient: tuple[int, int]) -> str:
    """A signed term, such as "- 3/4 H^2 W"."""
    p, q = coefficient
    powers = zip(names, exponents, strict=True)
    factors = [f"{name}^{e}" if e > 1 else name for name, e in powers if e]
    number = f"{abs(p):,}" + (f"/{q:,}" if q > 1 else "")
    if number != "1" or not factors:
        factors.insert(0, number)
    return " ".join(("-" if p < 0 else "+", *factors))
