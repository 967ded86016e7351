"""What is shown of each topic of the study note: a table and a picture, by section."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._result import Result
from ._counting import compare, diagram, profile, table
from ._design import aux, bottleneck, grid, head
from ._factorize import rules
from ._illustrations import fields, mixing, mlpconv, saturation, towers

if TYPE_CHECKING:
    from .._pictures import Picture


@dataclass(frozen=True)
class Shown:
    """The table and the picture of a topic: what makes each, and the command that does the same.
    No `table_command`: that of the picture writes the table beside it, as CSV."""

    table_command: str
    table: Callable[[], Result]
    picture_command: str
    picture: Callable[[], Picture]


SHOWN = {
    "googlenet": Shown(
        "costlab table googlenet --by operator",
        lambda: table("googlenet", by="operator"),
        "costlab diagram googlenet -o googlenet.svg",
        lambda: diagram("googlenet"),
    ),
    "network-in-network": Shown(
        "costlab head",
        lambda: head(),
        "costlab chart mlpconv -o mlpconv.svg",
        lambda: mlpconv().chart(),
    ),
    "pointwise": Shown(
        "",
        lambda: mixing(),
        "costlab chart mixing -o mixing.svg",
        lambda: mixing().chart(),
    ),
    "inception-modules": Shown(
        "costlab bottleneck",
        lambda: bottleneck(),
        "costlab bottleneck --diagram modules.svg",
        lambda: bottleneck().diagram(),
    ),
    "architecture": Shown(
        "costlab table googlenet",
        lambda: table("googlenet"),
        "costlab chart stages googlenet -o stages.svg",
        lambda: profile("googlenet").chart("stages"),
    ),
    "to-scale": Shown(
        "costlab compare googlenet vgg16 alexnet",
        lambda: compare("googlenet", "vgg16", "alexnet"),
        "costlab chart towers -o towers.svg",
        lambda: towers().chart(),
    ),
    "supervision": Shown(
        "costlab aux",
        lambda: aux(),
        "costlab chart saturation -o saturation.svg",
        lambda: saturation().chart(),
    ),
    "small-kernels": Shown(
        "costlab factorize",
        lambda: rules(),
        "costlab chart fields -o fields.svg",
        lambda: fields().chart(),
    ),
    "smaller-grids": Shown(
        "costlab grid",
        lambda: grid(),
        "costlab grid --diagram grids.svg",
        lambda: grid().diagram(),
    ),
    "inception-v2": Shown(
        "costlab table inception_v2",
        lambda: table("inception_v2"),
        "costlab diagram inception_v2 -o inception_v2.svg",
        lambda: diagram("inception_v2"),
    ),
}
