"""Factorized convolutions: the rules, a model's rewrites by what they save, applying some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from .._result import Result
from ..predict import AnyProfile, ChosenProfile, Prediction, as_profile, predicted, prediction_of
from ..sources import Loaded
from ..trace import Trace
from ._arguments import public
from ._models import load, trace

if TYPE_CHECKING:
    from ..analysis.factorize import Candidate, Factorization, Obstacle, RuleTable
    from ..cost import Total
    from ..tables import Sheet


@dataclass(frozen=True)
class Ranking(Result):
    """The rewrites of a model's convolutions, the largest saving first.

    `left`: convolutions that cannot be replaced, path to obstacle; `whole`: the total of the model;
    `top`: how many rows are shown (None: all); `subject`: what `apply` rewrites, None for a trace;
    `caveats`: notes on how the model was built and traced; `profile`: of the device whose times
    were predicted, and `prediction` of the model there."""

    model: str
    candidates: tuple[Candidate, ...]
    left: Mapping[str, Obstacle]
    whole: Total
    top: int | None = 20
    subject: Loaded | None = field(default=None, repr=False)
    caveats: tuple[str, ...] = ()
    profile: ChosenProfile | None = field(default=None, repr=False)
    prediction: Prediction | None = field(default=None, repr=False)

    @property
    def sheet(self) -> Sheet:
        """A row a rewrite."""
        from ..analysis.factorize import candidate_sheet

        sheet = candidate_sheet(
            self.model, self.candidates, self.whole, self.left, self.top, self.prediction
        )
        return replace(sheet, notes=(*sheet.notes, *self.caveats))

    def apply(
        self,
        *names: str,
        device: str = "auto",
        train: bool = False,
        measure: bool = False,
        **measuring: Any,
    ) -> Factorization:
        """Rewrite convolutions on a copy of the model, trace again and compare with the prediction.

        Args:
            names: "PATH", which takes its best rewrite, "PATH:REWRITE", or "best" for the best
                saving rewrite of every convolution.
            device: where both are traced, or measured.
            train: count the backward pass too.
            measure: time both for real, with random weights where the model was named.
            measuring: options of `costlab.measure`: dtype, channels_last, compile, progress.

        Raises ValueError for a name that is not a candidate, TraceError when the model fails."""
        from ..analysis import factorize as rewriting
        from ..trace.tracer import trace

        if self.subject is None:
            raise ValueError(
                f"{self.model} is a saved trace, and rewriting needs the model itself; "
                "name the model"
            )
        if measuring and not measure:
            raise ValueError(f"{', '.join(measuring)}: applies to a measurement; add measure=True")
        tracer, pair = partial(trace, backward=train), None
        if measure:
            from ..measure.protocol import measure as run
            from ..measure.protocol import paired

            tracer = partial(run, **measuring)
            same = {k: v for k, v in measuring.items() if k in ("dtype", "channels_last")}
            pair = partial(paired, **same)
        chosen = rewriting.choose(self.candidates, names, self.left)
        s = self.subject.on("cpu") if measure else self.subject
        result = rewriting.factorize(
            s.model, s.inputs, s.kwargs, chosen, self.model, device, tracer=tracer, pair=pair
        )
        before, after = (predicted(t, self.profile) for t in result.traces)
        return replace(result, caveats=self.caveats, traces=(before, after))


@public
def factorize(
    model: Any,
    inputs: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    rewrites: Iterable[str] | None = None,
    mid: int | str = "default",
    kernels: Iterable[int] = (),
    device: str = "auto",
    top: int | None = 20,
    profile: AnyProfile | None = None,
) -> Ranking:
    """Every rewrite of every convolution that can be factorized; `.apply("best")` does it.

    Args:
        model: a module with the `inputs` and `kwargs` to call it with, a `costlab.load` result, a
            name, or a trace, which can be ranked and not rewritten.
        rewrites: only these: "stacked-3x3", "1xn-nx1", "depthwise-separable", "bottleneck".
        mid: middle width: "in", "out", "sqrt", a number, or each rule's "default".
        kernels: only convolutions of these kernel sizes.
        device: where the model is traced.
        top: how many rows to show; None for all.
        profile: of a device, as `costlab.table` takes it: what each rewrite saves of the time
            there. Those that save most come first, where it is predicted and not only bounded.

    Raises ValueError for an unknown rewrite or middle width, ProfileError for a profile that cannot
    be read."""
    from ..analysis.factorize import candidates, replaceable, with_times
    from ..cost import total
    from ..tables import caveats

    subject = _subject(model, inputs, kwargs)
    chosen = None if profile is None else as_profile(profile)
    traced = trace(subject, device=device, profile=chosen)
    wanted = set(kernels)
    found = candidates(traced, list(rewrites) if rewrites else None, mid)
    found = [c for c in found if not wanted or set(c.conv.kernel) <= wanted]
    left: dict[str, Obstacle] = {}
    if isinstance(subject, Loaded):
        found, left = replaceable(subject.model, traced, found)
    return Ranking(
        traced.provenance["model"],
        tuple(with_times(traced, found)),
        left,
        total(traced),
        top,
        None if isinstance(subject, Trace) else subject,
        caveats(traced),
        chosen,
        prediction_of(traced),
    )


def _subject(model: Any, inputs: Any, kwargs: Any) -> Loaded | Trace:
    if isinstance(model, (Loaded, Trace)):
        return model
    return load(model, inputs, kwargs)


@public
def rules(
    *,
    c_in: int = 64,
    c_out: int = 64,
    mid: int | str = "default",
    grid: int = 28,
    padding: str = "same",
    kernels: Iterable[int] | None = None,
    rewrites: Iterable[str] | None = None,
    train: bool = False,
    profile: AnyProfile | None = None,
) -> RuleTable:
    """The rules of factorized convolutions, each counted by tracing both modules.

    Args:
        c_in, c_out: channels; `mid` between two convolutions: "in", "out", "sqrt", a number, or
            each rule's "default".
        grid: side of the input grid.
        padding: "same" or "valid".
        kernels, rewrites: only rules of these.
        train: count the backward pass too.
        profile: of a device, as `costlab.table` takes it: what each rule saves of the time there.

    Raises ProfileError for a profile that cannot be read, ValueError for a case that does not
    exist."""
    from ..analysis import factorize as rewriting

    width = _middle(mid, c_in, c_out)
    return rewriting.rules(
        c_in,
        c_out,
        width,
        grid,
        padding,
        kernels=list(kernels) if kernels else None,
        rewrites=list(rewrites) if rewrites else None,
        train=train,
        profile=None if profile is None else as_profile(profile),
    )


def _middle(mid: int | str, c_in: int, c_out: int) -> int | None:
    from ..analysis import factorize as rewriting

    if mid in ("in", "out", "sqrt"):
        return rewriting.middle_width(rewriting.Conv(c_in, c_out, (3, 3)), "1xn-nx1", mid)
    if mid == "default":
        return None
    if not isinstance(mid, int):
        raise ValueError(
            f"unknown middle width {mid!r}; choose in, out, sqrt, default or a number from 1"
        )
    return mid
