"""What diagrams say in words below their boxes."""

from __future__ import annotations

from collections.abc import Sequence

from ...cost import Convention
from ...predict import Prediction, spell_estimate, times_on

LEVELS_ON_PAGES = "the inner levels of the U are on the pages that follow"
PAGES_BELOW = "pages of A4 below each other; as PDF each is a page of its own"
_NAMED = 3  # blocks in a note


def network_totals(
    params: int, macs: int, convention: Convention, *, inputs: Sequence[str], coverage: str
) -> str:
    """Of a whole network. `inputs`: their shapes; `coverage`: what of the operations is counted."""
    counted = _counted(params, macs, convention)
    return f"{counted} for input {', '.join(inputs)}, {coverage}"


def module_totals(params: int, macs: int, convention: Convention, *, share: float) -> str:
    """Of a module. `share`: of the network's multiply-adds, 0 to 1."""
    return f"{_counted(params, macs, convention)}, {100 * share:.1f}% of the network's"


def _counted(params: int, macs: int, convention: Convention) -> str:
    weights = f"params (weights only, K = {convention.kilo:,})"
    kind = "params" if convention.bias else weights
    return f"{params:,} {kind}, {macs:,} MACs (multiply-adds)"


def brief_totals(params: int, macs: int, convention: Convention) -> tuple[str, str]:
    """Params and multiply-adds in the units of a table's cells."""
    return (
        f"{convention.spell_params(params)} params",
        f"{convention.spell_ops(macs)} MACs",
    )


def times(prediction: Prediction, *, whole: bool) -> str:
    """Of which device the times in the boxes are; of a `whole` network also its own."""
    total = f"{spell_estimate(prediction.total)} " * whole
    return f"{total}{times_on(prediction)}"


def reduced(depth: int) -> str:
    """Where a diagram is drawn at this depth instead of the one that was asked for."""
    return f"drawn at depth {depth}; open a part with --module PATH"


def too_many_boxes(limit: int) -> str:
    """Why a diagram is reduced."""
    return f"has more than {limit:,} boxes"


def condensed(limit: int) -> str:
    """Where blocks in a row that are in one module are one box."""
    return (
        f"{too_many_boxes(limit)}: what follows one another in a module is one box; open a part "
        "with --module PATH"
    )


def closed(names: Sequence[str], depth: int, instead: int) -> str:
    """Blocks that are drawn at the depth `instead`, because at `depth` no page holds them."""
    more = [f"{len(names) - _NAMED} more"] if len(names) > _NAMED else []
    said = ", ".join([*names[:_NAMED], *more])
    verb = "is" if len(names) == 1 else "are"
    return f"{said} {verb} larger than a page at depth {depth}: {reduced(instead)}"


def most_expensive(shown: int, left: int) -> str:
    """Where only some of the rewritten layers are drawn; "" where none is left out."""
    return f"the {shown} most expensive; {left} more are not drawn" if left else ""


def inner_layers(count: int) -> str:
    """What is inside a closed block."""
    return f"{count} layers"


def alt(title: str, names: Sequence[str], edges: int) -> str:
    """Alternative text. `names`: of all boxes, in order."""
    more = ", ..." if len(names) > 40 else ""
    boxes = ", ".join(names[:40])
    return f"Block diagram of {title}: {len(names)} boxes and {edges} edges: {boxes}{more}"
