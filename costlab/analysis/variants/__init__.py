"""Several variants of a network against one base: what each changes, in counts and in measured
time."""

from .result import Condition, Lead, Variant, Variants
from .run import variants

__all__ = ["Condition", "Lead", "Variant", "Variants", "variants"]
