"""Traces for the tools that a reviewer already has: one file a tool, in `EXPORTS`."""

from __future__ import annotations

from collections.abc import Callable

from ...trace.record import Trace
from .model_explorer import model_explorer
from .model_explorer_graph import model_explorer_graph
from .netron import netron
from .perfetto import perfetto
from .values import VALUES

# the text or bytes of a file; a value of `VALUES` is what Model Explorer colours nodes by
EXPORTS: dict[str, Callable[[Trace, str], str | bytes]] = {
    "perfetto": perfetto,
    "model-explorer": model_explorer,
    "model-explorer-graph": model_explorer_graph,
    "netron": netron,
}

__all__ = ["EXPORTS", "VALUES"]
