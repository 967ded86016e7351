"""What changed from one version of a model to another."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._narrow import is_path
from ..predict import AnyProfile, AnyRate, ChosenProfile, as_profile, predicted, priced
from ..trace import Trace, TraceError
from ._arguments import public
from ._models import Model, as_trace, load, trace

if TYPE_CHECKING:
    from ..analysis.change import Change


@public
def diff(
    base: Model,
    head: Model,
    *,
    model: str | None = None,
    inputs: str | Sequence[str] | None = None,
    arguments: Mapping[str, Any] | None = None,
    train: bool = False,
    device: str = "auto",
    style: str = "auto",
    depth: int | None = None,
    fail_on: str | Sequence[str] = (),
    profile: AnyProfile | None = None,
    rate: AnyRate | None = None,
) -> Change:
    """What changed from one version of a model to the next, block by block.

    Args:
        base, head: traces, `costlab.load` results or names; with `model` revisions of the git
            repository that the working folder is in (branches, tags, commits; "." is the working
            tree as it is).
        model: a factory, path/file.py:factory or package.module:factory, which is traced in both
            revisions, each in a temporary worktree and a process of its own.
        inputs, arguments: of models that are named, as `costlab.load` takes them.
        train: count the backward pass too.
        device: where to run, as `costlab.trace` takes it.
        style, depth: of the tables whose rows are compared, as `costlab.table` takes them; "auto"
            is the style of the base.
        fail_on: limits such as "macs > +1%" or "stages.2: params > +10K"; `Change.failed` are those
            that hold.
        profile: of a device, as `costlab.table` takes it; adds the predicted time of each block,
            and limits such as "predicted_ms > +5%" can be on it.
        rate: price of an hour of the device, as `costlab.table` takes it; adds the price of both,
            and limits such as "predicted_price > +5%" can be on it.

    Raises LimitError, a ValueError, for text that is not a limit, SourceError for a model or a
    revision that cannot be loaded, ProfileError for a profile that cannot be read, TraceError for a
    model that does not run on the inputs, and ValueError for an unknown style."""
    from ..analysis.change import change
    from ..analysis.limits import parse

    limits = [parse(text) for text in ([fail_on] if isinstance(fail_on, str) else fail_on)]
    texts = [inputs] if isinstance(inputs, str) else inputs
    chosen = None if profile is None else as_profile(profile)
    how = _Building(texts, arguments, train, device, chosen, rate)
    before, after = (
        how.revisions(model, base, head) if model else (how.trace(base), how.trace(head))
    )
    return change(before, after, style, depth, limits)


@dataclass(frozen=True)
class _Building:
    """How both sides are built and traced; see `diff`."""

    inputs: str | Sequence[str] | None
    arguments: Mapping[str, Any] | None
    train: bool
    device: str
    profile: ChosenProfile | None
    rate: AnyRate | None

    def trace(self, model: Model) -> Trace:
        """The trace of one side. Raises SourceError and TraceError."""
        if not is_path(model):
            return as_trace(model, "diff", self.profile, self.rate)
        named = load(model, self.inputs, arguments=self.arguments)
        try:
            return self._on_device(trace(named, device=self.device, backward=self.train))
        except TraceError as e:
            raise TraceError(f"{os.fspath(model)}: {e}") from None

    def revisions(self, model: str, *names: Model) -> list[Trace]:
        """The traces of a factory in revisions. Raises RevisionError."""
        from ..sources.revisions import trace_revisions

        traces = trace_revisions(
            [_revision(name) for name in names],
            model,
            inputs=self.inputs,
            arguments=self.arguments,
            device=self.device,
            train=self.train,
        )
        return [self._on_device(t) for t in traces]

    def _on_device(self, found: Trace) -> Trace:
        """The trace with predicted times and a price, where they are asked for."""
        return priced(predicted(found, self.profile), self.rate)


def _revision(name: Model) -> str:
    """The name of a revision. Raises TypeError for anything else."""
    if not isinstance(name, str):
        raise TypeError(
            "with model=, costlab.diff takes the names of two git revisions, "
            f"not {type(name).__name__}"
        )
    return name
