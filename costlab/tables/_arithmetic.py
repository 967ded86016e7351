"""What a reader must know of the arithmetic behind a table's totals."""

from __future__ import annotations

from ..cost import DATA_DEPENDENT, constant_operands, total
from ..trace.record import Trace


def arithmetic_notes(trace: Trace) -> tuple[str, ...]:
    """A line each where integer products were counted, where the amount of work depends on the
    values of the input, and where products take weights that are no parameters."""
    notes = []
    if total(trace).integer_macs:
        notes.append(
            "integer ops: multiply-adds of quantized products, counted apart from floating-point "
            "ones"
        )
    depends = dict.fromkeys(op.name for op in trace.forward if op.name in DATA_DEPENDENT)
    if depends:
        names = ", ".join(name.partition(".")[2] for name in depends)
        notes.append(
            f"totals depend on the proposals of this run ({names}): another image, or trained "
            "weights, give other counts"
        )
    constants = constant_operands(trace)
    if constants and not trace.params:
        notes.append(
            f"{constants:,} elements of weights are constants of the model and no parameters (it "
            "is frozen): they are in no row"
        )
    return tuple(notes)
