"""Named counting conventions: how exact integers become the numbers that a table prints."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Convention:
    """`bias`: count biases (and norm scales) as params; `kilo`: what one K of params is; `mega`: what one M of ops is;
    `note`: the line that every output states."""

    name: str
    bias: bool
    kilo: int
    mega: int
    note: str


CONVENTIONS = {
    c.name: c
    for c in (
        Convention(
            "macs",
            True,
            1000,
            10**6,
            "convention macs: params with biases and norm scales, K = 1000, M = 1e6, one op = one multiply-add (MAC)",
        ),
        Convention(
            "paper",
            False,
            1024,
            10**6,
            "convention paper: weights only, K = 1024, M = 1e6, one op = one multiply-add (MAC)",
        ),
    )
}
