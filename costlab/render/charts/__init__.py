"""Charts (matplotlib): a result in, a figure out, one file a chart. No arithmetic on costs but
units and shares."""

from .aux import aux
from .bottleneck import bottleneck
from .comparison import comparison
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
from .saturation import saturation
from .savings import savings
from .stages import stages
from .lettering import milliseconds
from .looks import Look, look
from .style import render, styled
from .themes import THEMES
from .sweep import sweep
from .time_savings import time_savings
from .towers import towers
from .times import times
from .waterfall import waterfall

__all__ = [
    "THEMES",
    "Look",
    "aux",
    "bottleneck",
    "comparison",
    "cumulative",
    "fields",
    "gradients",
    "grid",
    "head",
    "look",
    "memory",
    "milliseconds",
    "mixing",
    "mlpconv",
    "pareto",
    "render",
    "roofline",
    "saturation",
    "savings",
    "stages",
    "styled",
    "sweep",
    "time_savings",
    "towers",
    "times",
    "waterfall",
]
