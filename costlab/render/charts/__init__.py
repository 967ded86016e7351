"""Charts (matplotlib): a result in, a figure out, one file a chart. No arithmetic on costs but
units and shares."""

from .aux import aux
from .bottleneck import bottleneck
from .cumulative import cumulative
from .fields import fields
from .gradients import gradients
from .grid import grid
from .head import head
from .memory import memory
from .mixing import mixing
from .mlpconv import mlpconv
from .pareto import pareto
from .roofline import roofline
from .savings import savings
from .stages import stages
from .sweep import sweep
from .time_savings import time_savings
from .towers import towers
from .waterfall import waterfall
from .style import BLUE, GREY, ORANGE, milliseconds, render

__all__ = [
    "BLUE",
    "GREY",
    "ORANGE",
    "aux",
    "bottleneck",
    "cumulative",
    "fields",
    "gradients",
    "grid",
    "head",
    "memory",
    "milliseconds",
    "mixing",
    "mlpconv",
    "pareto",
    "render",
    "roofline",
    "savings",
    "stages",
    "sweep",
    "time_savings",
    "towers",
    "waterfall",
]
