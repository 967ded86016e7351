"""Forward-mode derivatives (`torch.func.jvp`, `torch.autograd.forward_ad`).

What has no tangent of its own (a weight, for the derivative by the input) gets one of zeros. torch
spells such zeros out before a product, which then is work that the derivative does not need. A
product with known zeros is recorded as the zeros that it gives.
"""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any, cast

import torch

from .canonical import Form

_ZEROS = frozenset(("aten._efficientzerotensor", "aten.zeros"))
_SAME_VALUES = frozenset(
    f"aten.{n}" for n in ("expand", "t", "transpose", "view", "_unsafe_view", "permute", "_to_copy")
)
_PRODUCTS = frozenset(f"aten.{n}" for n in ("mm", "bmm", "mv", "dot", "convolution"))


def in_progress() -> bool:
    """Whether a forward-mode derivative is being worked out."""
    functorch = sys.modules.get("torch._functorch.eager_transforms")
    if functorch is not None and functorch.JVP_NESTING > 0:
        return True
    forward_mode = cast("Any", torch.autograd.forward_ad)  # the level is private
    return forward_mode._current_level >= 0


class KnownZeros:
    """The tensors of forward-mode derivatives that are zeros, by index."""

    def __init__(self):
        self._indices: set[int] = set()

    def follow(self, form: Form) -> Form:
        """Learn what an operation makes of zeros; the form that it is recorded in."""
        if form.name in _ZEROS:
            # torch spells them out as one number that is expanded
            if (form.name != "aten.zeros" or form.attrs.get("size") == ()) and in_progress():
                self._indices.update(form.outputs)
            return form
        if not self._indices or self._indices.isdisjoint(form.inputs):
            return form
        if form.name in _SAME_VALUES:
            self._indices.update(form.outputs)
        elif form.name in _PRODUCTS and self._gives_zeros(form):
            self._indices.update(form.outputs)
            return replace(form, name="aten.zeros", inputs=(), attrs={})
        return form

    def _gives_zeros(self, product: Form) -> bool:
        """A factor is zeros, and so is the bias that a convolution adds."""
        factors, bias = product.inputs[:2], product.inputs[2:]
        return not self._indices.isdisjoint(factors) and self._indices.issuperset(bias)
