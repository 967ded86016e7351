"""Second counts, independent of costlab's: fvcore's and torch's own, each difference explained.

Both peers run the model for real on the CPU: fvcore over a TorchScript graph (`fvcore_count`),
FlopCounterMode over the dispatched operations as they come, fused kernels included
(`flop_counter`), each with its own formulas. `shapes` counts what a peer misses, `notes` says it
in English.
"""

from .result import Cause, Count, Difference, Verification
from .run import verify

__all__ = ["Cause", "Count", "Difference", "Verification", "verify"]
