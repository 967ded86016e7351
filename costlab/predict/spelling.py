"""How predicted times and their sources are said."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import floor, log10

from .estimate import Estimate
from .prediction import Prediction
from .saving import saving_of

_MOST_DIGITS = 5  # behind the point
_LEAST = 10.0**-_MOST_DIGITS


def significant(value: float) -> str:
    """Three digits of a number: 1.23, 0.0123, 123."""
    if not value:
        return "0"
    if 0 < abs(value) < _LEAST:
        return f"{'-' * (value < 0)}<{_LEAST:.5f}"
    digits = min(_MOST_DIGITS, max(0, 2 - floor(log10(abs(value)))))
    return f"{value:,.{digits}f}"


def milliseconds(seconds: float) -> str:
    """Three digits of milliseconds."""
    return significant(1e3 * seconds)


def spell_estimate(estimate: Estimate) -> str:
    """In milliseconds: 1.23 (1.10 to 1.38), or of a bound 0.912."""
    if estimate.seconds is None or estimate.high is None:
        return milliseconds(estimate.low)
    low, high = milliseconds(estimate.low), milliseconds(estimate.high)
    return f"{milliseconds(estimate.seconds)} ({low} to {high})"


def spell_time(prediction: Prediction, estimate: Estimate) -> str:
    """A time where there is no room for its interval: 1.23 ms (predicted), 0.912 ms (at least)."""
    seconds = estimate.low if estimate.seconds is None else estimate.seconds
    return f"{milliseconds(seconds)} {column_name(prediction)}"


def time_name(prediction: Prediction) -> str:
    """What its times are in a caption: a prediction or a bound."""
    return "least time" if prediction.facts.kind == "datasheet" else "predicted time"


def column_name(prediction: Prediction) -> str:
    """What its times are called: a prediction or a bound."""
    return "ms (at least)" if prediction.facts.kind == "datasheet" else "ms (predicted)"


def times_on(prediction: Prediction | None, *, intervals: bool = False) -> str:
    """What the times in a picture are, and of which device: ms (predicted) on NVIDIA L4, bf16; ""
    of none. `intervals`: whether those of predictions are drawn."""
    if prediction is None:
        return ""
    facts = prediction.facts
    drawn = ", with 90% intervals" * (intervals and facts.kind != "datasheet")
    return f"{column_name(prediction)} on {facts.name}, {facts.dtype}{drawn}"


def prediction_source(prediction: Prediction) -> str:
    """What its times are, and where they are from."""
    facts = prediction.facts
    on = f"{facts.name}, {facts.dtype}, {facts.layout}"
    if facts.kind == "datasheet":
        return (
            f"{column_name(prediction)}: a bound, not a prediction, by the published peaks and "
            f"bandwidth of {on} ({facts.source}, read {facts.date})"
        )
    without = ", without the host's work" * facts.replayed
    return (
        f"{column_name(prediction)}: not measured, but predicted from measurements of {facts.date} "
        f"on {on} ({facts.source}), with 90% intervals{without}"
    )


def prediction_notes(prediction: Prediction, model: str = "the whole model") -> tuple[str, ...]:
    """Where predicted times are from, what the model takes by them, and what a reader must know."""
    whole = prediction.total
    said = (
        f"{model} takes at least {milliseconds(whole.low)} ms, and most networks take several "
        "times as long"
        if whole.is_bound
        else f"{model}: {spell_estimate(whole)} ms"
    )
    return (f"{prediction_source(prediction)}; {said}", *prediction.warnings)


def comparison_of_predictions(of: Sequence[tuple[str, Prediction]]) -> tuple[str, ...]:
    """Where the predicted times of several models are from, what each takes, and for each after the
    first what it saves."""
    if not of:
        return ()
    (first, before), *others = of
    notes = [prediction_notes(before, first)[0]]
    for name, after in others:
        if after.facts != before.facts:
            notes.append(prediction_notes(after, name)[0])
        if words := saved_time(saving_of(before, after).saved, name, first):
            notes.append(words)
    return (*notes, *_warnings(of))


def _warnings(of: Sequence[tuple[str, Prediction]]) -> Iterator[str]:
    """The warnings of several models, each once: with the names of the models that it is of, where
    that is not all of them."""
    found: dict[str, list[str]] = {}
    for name, prediction in of:
        for warning in prediction.warnings:
            found.setdefault(warning, []).append(name)
    for warning, names in found.items():
        yield warning if len(names) == len(of) else f"{', '.join(names)}: {warning}"


def saved_time(saved: Estimate | None, subject: str = "it", base: str = "") -> str:
    """What `subject` saves by prediction against a `base`; "" of bounds, which say nothing of a
    difference."""
    if saved is None or saved.seconds is None or saved.high is None:
        return ""
    if not saved.low and not saved.high:
        return f"{subject} takes as long{f' as {base}' * bool(base)}: it runs the same kernels"
    low, high = (milliseconds(s) for s in (saved.low, saved.high))
    than = f" than {base}" * bool(base)
    if saved.low <= 0 <= saved.high:
        return f"whether {subject} is faster{than} is not decided: it saves {low} to {high} ms"
    if saved.seconds < 0:
        low, high = milliseconds(-saved.high), milliseconds(-saved.low)
        return f"{subject} takes {milliseconds(-saved.seconds)} ms more{than} ({low} to {high})"
    against = f" against {base}" * bool(base)
    return f"{subject} saves {milliseconds(saved.seconds)} ms{against} ({low} to {high})"
