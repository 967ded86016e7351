"""The kernels of known networks: those that benchmarks/collect_shapes.py collected, and those of
traces."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ...trace import Trace
from ..device_rows import kernel_of
from ..kernels import Kernel, kernels_of

FILE = Path(__file__).with_name("shapes.json")  # by family, rows of sizes and a count


def collected() -> Counter[Kernel]:
    """The kernels of networks of libraries and papers for one image or sequence, and how often they
    have them."""
    found: Counter[Kernel] = Counter()
    for family, table in json.loads(FILE.read_text()).items():
        for *sizes, times in table["rows"]:
            found[kernel_of(family, sizes)] += times
    return found


def of_traces(traces: Iterable[Trace]) -> Counter[Kernel]:
    """The kernels of traces, and how often they have them."""
    return Counter(k.kernel for trace in traces for k in kernels_of(trace) if k.kernel and k.known)
