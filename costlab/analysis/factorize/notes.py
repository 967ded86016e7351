"""What is said of factorized convolutions, in English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from ...cost import Total, counted, training
from ...predict import (
    Prediction,
    comparison_of_predictions,
    milliseconds,
    prediction_notes,
    prediction_of,
)
from ...tables import measured_note
from ...trace import Timing
from ..roofline import time_change
from .rewrites import Curve, break_even

if TYPE_CHECKING:
    from .apply import Factorization
    from .candidates import Candidate
    from .obstacles import Obstacle
    from .rules import Rule, Setting

_NUMBERS = {2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven"}
_NAMED = 5  # rewrites that lose time, in a note
_NOTABLE = 0.05  # a difference between MACs and time saved that is worth a word


def rule_name(k: int, rewrite: str, known: Sequence[tuple[int, str, str]]) -> str:
    """What a rule is called: 9x9 -> four 3x3."""
    n = (k - 1) // 2
    after = {
        "stacked-3x3": f"{_NUMBERS.get(n, n)} 3x3",
        "1xn-nx1": f"1x{k} + {k}x1",
        "depthwise-separable": f"depthwise {k}x{k} + 1x1",
        "bottleneck": f"1x1 + {k}x{k} + 1x1",
    }[rewrite]
    names = {(n, r): name for n, r, name in known}
    return names.get((k, rewrite), f"{k}x{k} -> {after}")


def times(shape: Sequence[int]) -> str:
    """A shape as 3x28x28."""
    return "x".join(map(str, shape))


def field(before: int, after: int) -> str:
    """Two receptive fields."""
    return f"{before} = {after}" if before == after else f"{before}, then {after}"


def same_output(before: Sequence[int], after: Sequence[int]) -> str:
    """Whether two outputs have one shape, or which they have."""
    return "yes" if before == after else f"{times(before)}, then {times(after)}"


def setting(s: Setting, padding: str, rules: Sequence[Rule]) -> tuple[str, ...]:
    """Under a rule table: its widths, and where stacked 3x3 break even."""
    mid = s.c_mid or "c_out (bottleneck: a quarter)"
    stacked = sorted({r.field[0] for r in rules if r.rewrite == "stacked-3x3"})
    return (
        f"c_in {s.c_in}, c_mid {mid}, c_out {s.c_out}, {s.grid}x{s.grid} grid, {padding} padding, "
        "stride 1; counts by tracing both modules; one MAC = one multiply-add",
        *(
            f"{k}x{k} as stacked 3x3 saves while c_mid is below "
            f"{break_even(s.c_in, s.c_out, k):.2f} (break-even for these widths)"
            for k in stacked
        ),
    )


def curve(name: str, c: Curve) -> str:
    """Under a break-even curve."""
    return f"{name}, {c.c_in} to {c.c_out} channels: break-even at middle width {c.even:.2f}"


def rewritten(f: Factorization) -> tuple[str, ...]:
    """Under a model that was rewritten: whether it is as predicted, and what the time says."""
    verdict = "equal the prediction exactly" if f.agrees else "DIFFER from the prediction"
    outputs = "unchanged" if f.outputs[0] == f.outputs[1] else "CHANGED"
    fields = "unchanged" if all(e.before == e.after for e in f.fields) else "CHANGED"
    before, after = f.traces
    said = [
        f"the rewritten model was traced again: its params and MACs {verdict}",
        f"output shapes {outputs}; receptive fields {fields}",
        "a ReLU stands between the new convolutions; one MAC = one multiply-add; params with "
        "biases and norm scales",
    ]
    if before.trained:
        said += [f"before, {training(before).note}", f"after, {training(after).note}"]
    change = time_change(before, after)
    time = in_turns(f.ratio, f.macs_saved) if f.ratio else change and str(change)
    if time and after.measured:
        said.append(f"{time}; {measured_note(after.measured)}")
    both = [(name, prediction_of(t)) for name, t in zip(("before", "after"), f.traces, strict=True)]
    said += comparison_of_predictions([(name, p) for name, p in both if p])
    return (*said, *f.caveats)


def times_of_rules(rules: Sequence[Rule]) -> tuple[str, ...]:
    """Where the predicted times of a rule table are from; nothing without a profile."""
    first = rules[0]
    prediction = prediction_of(first.traces[0])
    return prediction_notes(prediction, f"{first.name}, before") if prediction else ()


def times_of_rewrites(found: Sequence[Candidate], prediction: Prediction) -> tuple[str, ...]:
    """Under a ranking with predicted times: which rewrites save MACs and lose time, for how many it
    is not decided, and where the times are from."""
    said: list[str] = []
    outcomes = [(c, c.time.outcome) for c in found if c.time and c.saved > 0]
    slower = [c for c, outcome in outcomes if outcome == "slower"]
    if slower:
        said.append(_slower(slower, len(outcomes)))
    open_ = sum(outcome == "not decided" for _, outcome in outcomes)
    if open_:
        said.append(
            f"for {open_} of {counted(len(outcomes), 'rewrite')} that save MACs it is not decided "
            "whether they save time: the 90% interval has zero in it"
        )
    return (*said, *prediction_notes(prediction, "the model"))


def _slower(slower: Sequence[Candidate], saving: int) -> str:
    """Rewrites that save MACs and lose time, by name, those that lose most first."""
    first = sorted(slower, key=lambda c: c.time_saved or 0.0)[:_NAMED]
    more = f", and {len(slower) - _NAMED} more" if len(slower) > _NAMED else ""
    return (
        f"{len(slower)} of {counted(saving, 'rewrite')} that save MACs would take longer: "
        f"{', '.join(map(_lost, first))}{more}"
    )


def _lost(c: Candidate) -> str:
    """A rewrite, the MACs that it saves, and the time that it loses."""
    fewer = f"{100 * c.saved / c.macs[0]:.0f}% fewer MACs"
    return f"{c.path} as {c.rewrite} ({fewer}, {milliseconds(-(c.time_saved or 0.0))} ms more)"


def in_turns(ratio: Timing, macs_saved: float) -> str:
    """What a paired measurement says of the time."""
    interval = f"95% interval {ratio.low:.3f} to {ratio.high:.3f} times as long, run in turns"
    if ratio.low <= 1 <= ratio.high:
        return f"no difference in time is shown ({interval})"
    saved = 1 - ratio.median
    text = (
        f"the rewritten model takes {100 * abs(saved):.1f}% {'less' if saved > 0 else 'more'} "
        f"time ({interval})"
    )
    if abs(macs_saved - saved) <= _NOTABLE:
        return text
    share = f"{100 * abs(macs_saved):.0f}%"
    return (
        f"{text}: the change of {share} {'fewer' if macs_saved > 0 else 'more'} operations is not "
        f"one of {share} in time"
    )


def obstacle(o: Obstacle) -> str:
    """Why a convolution cannot be replaced."""
    return {
        "no module": "it is not a module",
        "type": f"it is a {o.detail}, not an nn.Conv2d",
        "hooks": "it has hooks or a weight norm, which would be lost",
        "padding mode": f"its padding is {o.detail}",
        "uneven padding": "it pads its sides unevenly",
        "tied": "its weight is tied to another module's",
        "read": "its weight is read elsewhere",
    }[o.kind]


def ranking(
    found: Sequence[Candidate], shown: int, whole: Total, refused: Mapping[str, Obstacle]
) -> tuple[str, ...]:
    """Under a ranking of rewrites: how many there are, and what cannot be replaced."""
    costlier = sum(c.saved < 0 for c in found)
    timed = any(c.time_saved is not None for c in found)
    order = "predicted time saved" if timed else "MACs saved"
    first = f", of which the first {shown} are shown" if shown < len(found) else ""
    places = counted(len({c.path for c in found}), "convolution")
    said = [
        f"{counted(len(found), 'rewrite')} of {places}, "
        f"ranked by {order}{first}; {costlier or 'none'} of them would cost more{' MACs' * timed}",
        f"the model has {whole.macs:,} MACs and {whole.params:,} params; apply some with --apply "
        "PATH, PATH:REWRITE or `best`",
    ]
    if refused:
        path, why = next(iter(refused.items()))
        said.append(
            f"not listed: {counted(len(refused), 'convolution')} that cannot be replaced, such as "
            f"{path}: {why}"
        )
    return tuple(said)
