"""Sections of `reports/note.toml`, the study note that costlab began with, a file a topic.

Each has the pictures and numbers of its topic, and the note's statements about it with verdicts
from the ledger of claims. The words between them are the note of the section in the TOML."""

from .architecture import architecture
from .inception_modules import inception_modules
from .inception_v2 import inception_v2
from .network_in_network import network_in_network
from .paper_modules import paper_modules
from .pointwise import pointwise
from .small_kernels import small_kernels
from .smaller_grids import smaller_grids
from .statements import corrections
from .supervision import supervision
from .to_scale import to_scale

__all__ = [
    "architecture",
    "corrections",
    "inception_modules",
    "inception_v2",
    "network_in_network",
    "paper_modules",
    "pointwise",
    "small_kernels",
    "smaller_grids",
    "supervision",
    "to_scale",
]
