"""What the words mean, how it was counted, and how to do it again."""

from __future__ import annotations

from ...cost import total
from ...render.document import Points, Text
from ...tables import arithmetic_notes, input_words
from ...trace import Trace
from ..context import Context
from ..pieces import Block, listed

_WORDS = (
    "MAC: one multiply-add of a convolution or matrix product; two FLOPs. Elementwise work has "
    "FLOPs and no MACs.",
    "params: elements of all parameters, each counted once, also when shared or tied; the paper "
    "convention counts weights only, and is taken for a network whose paper prints such a table.",
    "activations: output elements of convolutions and matrix products. depth: layers with "
    "weights on the longest path.",
    "K, M and G are 1,000, 1e6 and 1e9, but for params in the paper convention, where K is 1,024; "
    "each table states its own.",
)


def conventions(c: Context) -> list[Block]:
    """Definitions, provenance and the command."""
    return [
        Points(tuple(map(Text, _WORDS))),
        Text(
            "What was traced, and its coverage. An operation without a formula would be named, and "
            "totals called a lower bound."
        ),
        Points(tuple(dict.fromkeys(map(_provenance, c.traced)))),
        *_not_measured(c),
        Text(f"To reproduce: {c.command}"),
    ]


def _not_measured(c: Context) -> list[Block]:
    compared = len(c.traces) > 1 and c.runs and c.variants.conditions
    if compared or any(t.measured for t in c.everything):
        return []
    return [
        Text(
            "Not measured: counts say what must be done, not how long it takes. "
            "costlab trace MODEL --measure makes a trace that has both."
        )
    ]


def _provenance(trace: Trace) -> Text:
    p = trace.provenance
    mode = ", in training mode with the backward pass" if trace.trained else ""
    inputs = listed(input_words(trace))
    source = f" Model: {p['source']}." if "source" in p else ""
    said = "".join(f" {note[:1].upper()}{note[1:]}." for note in _notes(trace))
    return Text(
        f"{p['model']}: {total(trace).coverage}; traced on {p['device']} with torch {p['torch']} "
        f"and costlab {p['costlab']}{mode}, input {inputs}.{source}{said}"
    )


def _notes(trace: Trace) -> tuple[str, ...]:
    """What building and tracing the model had to say, and what its arithmetic depends on."""
    return (*trace.notes, *arithmetic_notes(trace))
