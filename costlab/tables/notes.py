"""What a table's notes say, built from its facts."""

from __future__ import annotations

from collections import Counter

from ..cost import (
    DATA_DEPENDENT,
    constant_operands,
    effort,
    partial_work,
    scaled,
    total,
    training,
)
from ..predict import prediction_notes, prediction_of
from ..trace.record import Measured, Trace
from .names import version_name
from .partitions import PARTITIONS
from .predicted import KEYS as PREDICTED_KEYS
from .sheet import Note

# weights that are not parameters are named from this share of the params on: the frequencies of
# rotary embeddings and the like are not worth a line
NEGLIGIBLE = 0.001
_FEW_INPUTS = 4  # that are named one by one


def table_notes(
    trace: Trace,
    *,
    convention: str,
    coverage: str,
    rows: str,
    merged: bool,
    unused_params: int,
    lines_asked_for: bool = False,
) -> tuple[str, ...]:
    """The lines that every output of a table states.

    Args:
        convention: the line that states it, with its reason.
        coverage: how many operations have a formula.
        rows: what they are, by `rows_note`.
        merged: whether a row stands for several alike modules.
        unused_params: elements that are in no row.
        lines_asked_for: whether a column shows lines of code.
    """
    return (
        convention,
        f"coverage: {coverage}",
        *(("nothing to count: the model runs no operation",) * (not trace.ops)),
        f"{rows}; {_run_note(trace)}",
        *(("equal modules share a row; --depth N lists each",) * merged),
        *_provenance_notes(trace),
        *_unused_note(unused_params),
        *frozen_note(trace),
        *executed_note(trace),
        *(_lines_note(trace) if lines_asked_for else ()),
        *arithmetic_notes(trace),
        *((training(trace).note,) if trace.trained else ()),
        *((Note(measured_note(trace.measured), "time"),) if trace.measured else ()),
        *(Note(line, *PREDICTED_KEYS) for line in predicted_note(trace)),
    )


def predicted_note(trace: Trace, model: str = "the whole model") -> tuple[str, ...]:
    """Where the predicted times of a trace are from, and that of the `model`; nothing where none
    were asked for."""
    prediction = prediction_of(trace)
    return prediction_notes(prediction, model) if prediction else ()


def rows_note(style: str, *, chosen_by_auto: bool) -> str:
    """What the rows of a table are; `chosen_by_auto`: not by the user."""
    partition = PARTITIONS.get(style.removeprefix("by "))
    if partition:
        return partition.means
    return f"style {style}{' (chosen by auto)' if chosen_by_auto else ''}"


def _run_note(trace: Trace) -> str:
    where = trace.provenance
    inputs = ", ".join(input_words(trace))
    return f"traced on {where['device']} with torch {where['torch']}, input {inputs}"


def input_words(trace: Trace, *, dtypes: bool = True) -> tuple[str, ...]:
    """The shape of each input, and its dtype. Of many, such as the tensors of a KV cache, equal
    ones are said once, with their number."""
    given = trace.provenance["inputs"]
    words = [f"{shape} {dtype}" if dtypes else shape for shape, dtype in given]
    if len(words) <= _FEW_INPUTS:
        return tuple(words)
    return tuple(f"{word} x {n}" if n > 1 else word for word, n in Counter(words).items())


def _provenance_notes(trace: Trace) -> tuple[str, ...]:
    """Where the model is from, and what building or tracing it had to say."""
    source = trace.provenance.get("source")
    return trace.notes if source is None else (f"model: {source}", *trace.notes)


def caveats(*traces: Trace) -> tuple[str, ...]:
    """What a reader of any number of these traces must know: what building and tracing the model
    had to say, operations without a formula, and what `arithmetic_notes` states. Each line of
    several traces starts with the model's name, where it is not said of all."""
    said = [_caveats(trace) for trace in traces]
    lines: dict[str, None] = {}
    for trace, notes in zip(traces, said, strict=True):
        for note in notes:
            shared = all(note in other for other in said)
            lines[note if shared else f"{version_name(trace)}: {note}"] = None
    return tuple(lines)


def _caveats(trace: Trace) -> tuple[str, ...]:
    whole = total(trace)
    coverage = (f"coverage: {whole.coverage}",) if whole.unknown else ()
    return (*coverage, *trace.notes, *arithmetic_notes(trace))


def _unused_note(elements: int) -> tuple[str, ...]:
    if not elements:
        return ()
    return (f"{elements:,} params were not used in this run and are in no row",)


def frozen_note(trace: Trace) -> tuple[str, ...]:
    """How many params are trained, where some are frozen; exact in CSV and JSON too."""
    whole = total(trace)
    if whole.trainable is None or whole.trainable == whole.params:
        return ()
    return (
        f"{scaled(whole.params)} params, {scaled(whole.trainable) or 0} trainable "
        f"({whole.trainable:,} of {whole.params:,})",
    )


def executed_note(trace: Trace) -> tuple[str, ...]:
    """Dense against executed work, where masks or routing leave less than all."""
    parts = partial_work(trace).values()
    if not parts:
        return ()
    found = effort(trace)
    scores = [p for p in parts if not p.routed]
    words: list[str] = []
    if scores:
        share = sum(p.some for p in scores) / sum(p.whole for p in scores)
        words.append(f"masks leave {100 * share:.1f}% of the attention scores")
    chosen = dict.fromkeys((p.some, p.whole) for p in parts if p.routed)
    words += [f"a token takes {some} of {whole} experts" for some, whole in chosen]
    return (
        f"dense {scaled(found.dense)} MACs, executed {scaled(found.executed)}: {'; '.join(words)}; "
        f"ops are what ran, {scaled(total(trace).macs)} MACs",
    )


def _lines_note(trace: Trace) -> tuple[str, ...]:
    if any(op.source for op in trace.ops):
        return ()
    line = "source: the trace has no lines of code; trace the model again from its Python code"
    return (Note(line, "source"),)


def arithmetic_notes(trace: Trace) -> tuple[str, ...]:
    """What a reader must know of the arithmetic behind the totals: a line each where integer
    products were counted, where the amount of work depends on the values of the input, where ONNX
    control flow does, and where products take weights that are not parameters."""
    notes: list[str] = []
    if total(trace).integer_macs:
        line = "multiply-adds of quantized products, counted apart from floating-point ones"
        notes.append(Note(f"integer ops: {line}", "integer ops"))
    depends = dict.fromkeys(op.name for op in trace.forward if op.name in DATA_DEPENDENT)
    if depends:
        names = ", ".join(name.partition(".")[2] for name in depends)
        notes.append(
            f"totals depend on the proposals of this run ({names}): another image, or trained "
            "weights, give other counts"
        )
    control = (op.attrs for op in trace.forward if op.name == "onnx.data_dependent")
    notes += dict.fromkeys(_control_note(**attrs) for attrs in control)
    constants = constant_operands(trace)
    if constants > NEGLIGIBLE * total(trace).params:
        notes.append(
            f"{constants:,} elements of weights are buffers or constants, not parameters: they are "
            "in no row (a frozen TorchScript module has its weights as constants)"
        )
    return tuple(notes)


def _control_note(operator: str, steps: int, followed: bool) -> str:
    """What was counted of an ONNX `Loop` or `If` whose course depends on data; `followed`: the data
    were there."""
    if operator == "If":
        taken = "the branch that these inputs take" if followed else "its then branch"
        return f"the condition of If depends on data; {taken} is counted"
    times = f"{steps:,} time{'s' * (steps != 1)}"
    if followed:
        return f"the number of steps of {operator} depends on data; these inputs run it {times}"
    once = "once" if steps == 1 else times
    return (
        f"a lower bound: the number of steps of {operator} depends on data, so its body is counted "
        f"{once}"
    )


def measured_note(measured: Measured) -> str:
    """One line: the whole model's time, where and how it was measured, and what its operations add
    up to."""
    whole, where = measured.total, measured.conditions
    median, low, high = (f"{1e3 * t:,.3f}" for t in (whole.median, whole.low, whole.high))
    parts = sum(op.seconds for op in measured.ops) + measured.other
    return (
        f"time of kernels in place on {where['device']}, {where['dtype']}, {where['layout']}; "
        f"the whole model {median} ms (95% interval {low} to {high}, {where['method']}), "
        f"its operations add up to {100 * parts / whole.median:.0f}% of it"
    )
