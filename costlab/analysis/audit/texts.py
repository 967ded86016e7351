"""Printed cells that are not counts, as text: whether one says what the trace says."""

from __future__ import annotations

import re

STRIDE, OUTPUT, INPUT = "patch size stride", "output size", "input size"


def same_text(key: str, printed: str, traced: str) -> bool:
    """Whether a printed cell of the column `key` says what the traced one says, as far as it goes:
    a patch may lack its stride, and a grid its channels."""
    if key == "type":
        return pool_of(printed) == pool_of(traced)
    text, have = spelled(printed), spelled(traced)
    if key == STRIDE and "/" not in text:
        have = have.split("/")[0]
    if key in (OUTPUT, INPUT) and text.count("x") < have.count("x"):
        have = grid_of(have)
    return text == have or (text == "0" and not have)


def spelled(text: str) -> str:
    """56 × 56 is 56x56."""
    return re.sub(r"\s*[x×]\s*", "x", text.strip())


def pool_of(type_: str) -> str:
    """Of a pool, which: max or avg; "" for another row."""
    found = re.search(r"(max|avg|average)\w*[ -]?pool", type_.lower())
    return found[1][:3].replace("ave", "avg") if found else ""


def grid_of(size: str) -> str:
    """28x28x256 -> 28x28."""
    return size.rsplit("x", 1)[0] if "x" in size else ""
