"""A causal language model in use: prefill beside one decoding step with a KV cache."""

from __future__ import annotations

from dataclasses import dataclass

from .._result import Result
from ..cost import total
from ..tables import Column, Sheet
from ..trace import Trace
from . import notes


@dataclass(frozen=True)
class PhaseCost:
    """What one phase costs, over all sequences.

    Attributes:
        phase: "prefill" or "decode".
        tokens: that the model reads in this phase, of all sequences.
        macs, flops: as in `costlab.Total`.
        read, written: bytes over all operations, each input of an operation once.
    """

    phase: str
    tokens: int
    macs: int
    flops: int
    read: int
    written: int

    @property
    def intensity(self) -> float:
        """FLOPs a byte that is read or written (Williams et al. 2009, "Roofline", section 3)."""
        moved = self.read + self.written
        return self.flops / moved if moved else 0.0


@dataclass(frozen=True)
class Phases(Result):
    """Prefill and decoding of one model.

    Attributes:
        context: tokens of a sequence: read by prefill, and in the cache when decoding starts.
        batch: number of sequences.
        cache_bytes: bytes of the KV cache after prefill, of all sequences.
        params: elements of all params.
        active_params: elements that one token uses; fewer than `params` in a mixture of experts.
        said: what the traces' own notes state: the cache, active params, how the model was built.
    """

    model: str
    context: int
    batch: int
    prefill: PhaseCost
    decode: PhaseCost
    cache_bytes: int
    params: int
    active_params: int
    said: tuple[str, ...] = ()

    @property
    def sheet(self) -> Sheet:
        """A row a phase; the cache and the params are in the notes, and in the facts of JSON."""
        return Sheet(
            f"{self.model}: prefill and decode",
            (
                Column("phase"),
                Column("tokens", "count"),
                Column("MACs", "MACs", scaled=True),
                Column("MACs a token", "MACs", scaled=True),
                Column("bytes read", "bytes", scaled=True),
                Column("bytes written", "bytes", scaled=True),
                Column("FLOPs a byte", "count", format=".2f"),
            ),
            tuple(_row(cost) for cost in (self.prefill, self.decode)),
            notes.phases(self.params, self.said),
            facts={
                "context": self.context,
                "batch": self.batch,
                "cache_bytes": self.cache_bytes,
                "params": self.params,
                "active_params": self.active_params,
            },
        )


def _row(cost: PhaseCost) -> dict[str, object]:
    return {
        "phase": cost.phase,
        "tokens": cost.tokens,
        "MACs": cost.macs,
        "MACs a token": cost.macs // cost.tokens,
        "bytes read": cost.read,
        "bytes written": cost.written,
        "FLOPs a byte": cost.intensity,
    }


def phases(prefill: Trace, decode: Trace) -> Phases:
    """Put the traces of the two phases of one model together.

    Raises ValueError for traces that are not of the two phases of one use."""
    before, after = (trace.provenance.get("use") for trace in (prefill, decode))
    if not before or not after or {**before, "phase": "decode"} != after:
        raise ValueError(
            "phases needs a trace of prefill and one of decode, of one model with the same context "
            "and batch; make them with --phase prefill and --phase decode"
        )
    return Phases(
        model=decode.provenance["model"],
        context=after["context"],
        batch=after["batch"],
        prefill=_cost("prefill", prefill, after["batch"] * after["context"]),
        decode=_cost("decode", decode, after["batch"]),
        cache_bytes=after["cache_bytes"],
        params=after["params"],
        active_params=after["active_params"],
        said=tuple(dict.fromkeys((*prefill.notes, *decode.notes))),
    )


def _cost(phase: str, trace: Trace, tokens: int) -> PhaseCost:
    whole = total(trace)
    return PhaseCost(
        phase=phase,
        tokens=tokens,
        macs=whole.macs,
        flops=whole.flops,
        read=whole.read,
        written=whole.written,
    )
