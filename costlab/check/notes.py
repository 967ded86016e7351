"""What is said of budgets and of the lock file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from ..analysis.limits import Limit
from ..cost.units import counted

if TYPE_CHECKING:
    from .lock import Entry

_UPDATE = "`costlab check --update`"


def title(path: str, outcomes: Sequence[Sequence[str]]) -> str:
    """`pyproject.toml, 2 models: 4 passed, 1 failed, 1 skipped`, from the outcomes of each."""
    found = Counter(outcome for each in outcomes for outcome in each)
    said = [f"{found[o]} {o}" for o in ("passed", "failed", "skipped") if found[o]]
    if found["error"]:
        said.append(counted(found["error"], "error"))
    return f"{path}, {counted(len(outcomes), 'model')}: {', '.join(said) or 'no limits'}"


def tolerance(share: float) -> str:
    """The tolerance of a limit; nothing where there is none."""
    return f"tolerance {100 * share:g}%" if share else ""


def renamed(limit: Limit, now: str) -> str:
    """A limit on a block that has another name by now."""
    return f"the model has no module {limit.block!r} that runs; it is {now} now"


def no_lock(lock: str) -> str:
    """A relative limit without a lock file."""
    return f"it is relative to {lock}, which does not exist; {_UPDATE} writes it"


def not_in_lock(lock: str, limit: Limit) -> str:
    """A relative limit on what the lock file does not have."""
    of = f" of {limit.block}" if limit.block else ""
    return f"{lock} has no {limit.quantity}{of} of this model; {_UPDATE} records it"


def new_model(lock: str, name: str) -> str:
    """A model that the lock file does not have."""
    return f"{name} is not in {lock}; {_UPDATE} adds it"


def gone_model(lock: str, name: str) -> str:
    """A model of the lock file that is no longer configured."""
    return f"{name} is in {lock} and is no longer checked; {_UPDATE} removes it"


def other_setup(lock: str, name: str, was: Entry, now: Entry) -> Iterator[str]:
    """A model whose figures in the lock file are of other inputs or arguments."""
    pairs = {
        "the model": (was.model, now.model),
        "inputs": (", ".join(was.inputs), ", ".join(now.inputs)),
        "arguments": (was.arguments or "none", now.arguments or "none"),
    }
    for what, (before, after) in pairs.items():
        if before != after:
            yield f"{name}: {what} in {lock}: {before}; now: {after}; {_UPDATE} records it"


NOT_PREDICTED = (
    "no profile; `costlab check --profile PROFILE` predicts it, and so does a key profile in the "
    "file"
)
NOT_PRICED = "no rate; `costlab check --rate PRICE` gives it, and so does a key rate in the file"
PREDICTED_RELATIVE = (
    "predicted times are not in the lock file, nor are prices; write an absolute limit, or compare "
    "two versions with `costlab diff --profile PROFILE`"
)


def not_measured(recorded: bool) -> str:
    """A limit on time where nothing was measured."""
    if recorded:
        return "the saved trace was not measured; make it with `costlab trace MODEL --measure`"
    return "not measured; `costlab check --measure` measures it"


def other_device(wanted: str, device: str) -> str:
    """A limit on time that is for another device."""
    return f"for {wanted}, and this is {device}"


def other_conditions(lock: str, was: str, now: str) -> str:
    """A relative limit on time against a time on another device."""
    return f"{lock} has the time on {was or 'no device'}, and this is {now}"


def measured_otherwise(wanted: str, was: str) -> str:
    """A saved trace that was measured in another dtype or layout."""
    return f"for {wanted}, and the saved trace was measured in {was}"


def updated(
    lock: str, written: bool, before: Mapping[str, Entry], after: Mapping[str, Entry]
) -> str:
    """What `--update` did."""
    if not written:
        return f"{lock} is up to date"
    added = len(after.keys() - before.keys())
    removed = len(before.keys() - after.keys())
    changed = sum(before[name] != after[name] for name in before.keys() & after.keys())
    done = {"added": added, "changed": changed, "removed": removed}
    said = ", ".join(f"{n} {word}" for word, n in done.items() if n)
    return f"{lock} is written: {said or 'the same figures'}"


def replaced(message: str) -> str:
    """A lock file that could not be read and was written anew."""
    return f"{message.split('; run ')[0]}; it is rewritten"
