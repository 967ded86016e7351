"""What a verification says in English, from the causes of its differences."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .result import Count, Difference, Verification

_WHAT = {
    "NOT_A_PRODUCT": "{subject}",
    "ATTENTION": "attention products",
    "RECURRENT": "recurrent products",
    "NO_FORMULA": "{subject}",
    "CUSTOM_FUNCTION": "custom functions{where}",
    "EINSUM": "einsum{where}",
    "CHOSEN_KERNEL": "{subject} x{calls}",
    "GROUPED_GRADIENT": "gradients of grouped weights",
    "COMPLEX": "complex products",
    "UNKNOWN": "the rest",
}
_REASONS = {
    "NOT_A_PRODUCT": "fvcore counts {subject}, which is not a matrix product, in the same sum",
    "ATTENTION": "fvcore has no formula for aten::scaled_dot_product_attention",
    "RECURRENT": "fvcore has no formula for {subject}",
    "NO_FORMULA": "fvcore has no formula for {subject}",
    "CUSTOM_FUNCTION": "fvcore does not look into torch.autograd.Function",
    "EINSUM": (
        "fvcore counts an einsum of three or more operands in its own order; torch "
        "multiplies them pair by pair, and elementwise where nothing is summed"
    ),
    "CHOSEN_KERNEL": ("FlopCounterMode has no formula for {subject}, which torch chose on the CPU"),
    "GROUPED_GRADIENT": (
        "FlopCounterMode counts the weight's gradient of a grouped convolution as if it had no "
        "groups"
    ),
    "COMPLEX": "a complex multiply-add is four real ones; this counter counts it as one",
}


def what(difference: Difference) -> str:
    """What is counted differently."""
    where = f" in {difference.subject}" if difference.subject else ""
    return _WHAT[difference.cause.name].format(
        subject=difference.subject, calls=difference.calls, where=where
    )


def reason(difference: Difference) -> str:
    """Why it is counted differently, "" where nothing explains it."""
    if not difference.explained:
        return ""
    return _REASONS[difference.cause.name].format(subject=difference.subject)


def verdict(count: Count) -> str:
    """How a peer's count compares."""
    if count.total is None:
        return f"failed: {count.failed}"
    if not count.differences:
        return "equal"
    return "every difference explained" if count.agrees else "NOT EXPLAINED"


def notes(result: Verification) -> tuple[str, ...]:
    """What was counted and in which unit."""
    unit = "one MAC = one multiply-add; FlopCounterMode's FLOPs are halved"
    scope = "forward and backward; " if result.train else ""
    return (f"{scope}{unit}", f"coverage: {result.coverage}", *result.caveats)
