"""Sections of `reports/note.toml`, the study note that costlab began with, a file a topic.

Each topic has the words of `costlab.reference.note`, its pictures and numbers, which are here, and
the note's statements about it with verdicts from the ledger of claims."""

from collections.abc import Callable, Sequence

from ....reference.note import Topic
from ...context import Context
from ...pieces import Block
from .architecture import architecture
from .inception_modules import inception_modules
from .inception_v2 import inception_v2
from .network_in_network import network_in_network
from .paper_modules import paper_modules
from .pointwise import pointwise
from .small_kernels import small_kernels
from .smaller_grids import smaller_grids
from .statements import corrections, statements
from .supervision import supervision
from .to_scale import to_scale
from .words import words

_SHOWN: dict[str, Callable[[Context], Sequence[Block]]] = {
    "network-in-network": network_in_network,
    "pointwise": pointwise,
    "inception-modules": inception_modules,
    "architecture": architecture,
    "to-scale": to_scale,
    "supervision": supervision,
    "small-kernels": small_kernels,
    "smaller-grids": smaller_grids,
    "inception-v2": inception_v2,
}


def shown(topic: Topic, c: Context) -> list[Block]:
    """What is shown of a topic, and the verdict on each statement."""
    blocks = _SHOWN[topic.section](c) if topic.section in _SHOWN else ()
    return [*blocks, statements(c, topic)]


__all__ = ["corrections", "paper_modules", "shown", "words"]
