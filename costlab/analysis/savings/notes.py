"""What is said of multiply-adds saved against time saved; the numbers are in `record`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .record import Saving, Savings, Side

NOTABLE = 0.1  # a share of the time below this is no reason
# times the ceiling from which a kernel must multiply less than is counted: the arithmetic peak of a
# data sheet is up to 1.4 times what matrix products reach (67 against 48 TFLOP/s, H100 in fp32)
ABOVE = 1.5


def change_in_time(rule: Saving) -> str:
    """Faster, slower or not to be told."""
    if not rule.apart:
        return "no difference shown"
    word = "faster" if rule.time_saved > 0 else "SLOWER"
    return f"{word}, may be drift" if rule.may_be_drift else word


def reason(rule: Saving) -> str:
    """One sentence: what each side reaches of the ceiling, and why the second reaches no more."""
    before, after = rule.before, rule.after
    fast = " (its kernel multiplies less than is counted)" if before.reached > ABOVE else ""
    quick = " (which also multiplies less than is counted)" if after.reached > ABOVE else ""
    text = (
        f"before, it reaches {before.reached:.0%} of the ceiling for matrix products{fast}; "
        f"after, {after.reached:.0%}{quick}"
    )
    found = cause(rule)
    return f"{text}: {found}" if found else text


def cause(rule: Saving) -> str:
    """What holds the second side back, or that nothing does; empty where none stands out."""
    before, after = rule.before, rule.after
    if after.reached >= before.reached:
        return "it reaches as much of the ceiling as before, so the time follows the multiply-adds"
    causes = _limits(after)
    if not causes and before.memory_bound < before.counted / 2:
        causes.append("by intensity both are compute-bound, so the choice of kernels decides")
    return "; ".join(causes)


def _limits(after: Side) -> list[str]:
    """What takes a large part of its time, or limits it."""
    whole = after.time.median
    causes: list[str] = []
    if after.uncounted / whole >= NOTABLE:
        causes.append(
            f"{after.uncounted / whole:.0%} of its time is in operations without multiply-adds"
        )
    if after.memory_bound >= after.counted / 2:
        causes.append(
            f"most of its multiply-adds are memory-bound ({after.intensity:.0f} FLOPs a byte, "
            f"the ridge is at {after.ridge:.0f})"
        )
    if after.outside / whole >= NOTABLE:
        causes.append(
            f"{after.outside / whole:.0%} of its time is launch and gaps between "
            f"{after.steps} operations"
        )
    return causes


def notes(savings: Savings) -> tuple[str, ...]:
    """What a reader of the table must know."""
    base = f"against {savings.base}; " if savings.base else ""
    return (
        f"{savings.conditions}; {base}whole modules, median of one run without the host's work",
        "interval of the time saved: the ends of both 95% intervals against each other; the two "
        "sides were measured in separate runs, and a difference below 3% may be drift",
        "ceiling: FLOPs counted, by time and by what matrix products of that dtype reached on the "
        f"device; above {ABOVE:.0%} a kernel must multiply less than is counted (Winograd, FFT)",
    )


def notes_of_further(found: Sequence[Savings]) -> tuple[str, ...]:
    """What a reader of the table with a column a set of conditions must know."""
    rules = [rule for savings in found for rule in savings.rules]
    widest = max(abs(end - rule.time_saved) for rule in rules for end in rule.interval)
    drift = [
        f"{r.name} on {s.short_conditions} {s.run.inputs}"
        for s in found
        for r in s.rules
        if r.may_be_drift
    ]
    unsure = (f"may be drift between two runs: {', '.join(drift)}",) if drift else ()
    return (
        "time saved, by device, dtype, layout and input; negative where it takes longer; the "
        f"intervals end at most {100 * widest:.1f} percentage points away",
        f"inputs: {', '.join(dict.fromkeys(s.run.inputs for s in found))}",
        *unsure,
    )
