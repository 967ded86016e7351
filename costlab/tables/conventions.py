"""Which counting convention a table takes when the user names none, and why."""

from __future__ import annotations

from .. import reference
from .._spelling import choice
from ..cost import CONVENTIONS, Convention
from ..trace.record import Trace


def default_convention(trace: Trace) -> Convention:
    """The convention that readers of a model's figures expect.

    "paper" for a network whose paper prints a table of its layers, which costlab's table is then
    compared with; "macs", as PyTorch, timm and the papers of today count, for every other model.
    A network is known by its provenance: its name, and the source that costlab's zoo recorded.
    """
    return CONVENTIONS["paper" if has_printed_table(trace) else "macs"]


def choose_convention(
    trace: Trace, asked: str | Convention | None = None
) -> tuple[Convention, str]:
    """The convention `asked` for, or the default, and the line that states it with its reason.

    Raises ValueError for a name that is not in `CONVENTIONS`."""
    if asked is None:
        chosen = default_convention(trace)
        why = (
            "the default where a paper prints this table"
            if chosen.name == "paper"
            else "the default, as PyTorch and timm count"
        )
        return chosen, f"{chosen.note}; {why}"
    if isinstance(asked, Convention):
        return asked, asked.note
    if asked not in CONVENTIONS:
        raise ValueError(f"unknown convention {asked!r}{choice(asked, CONVENTIONS)}")
    return CONVENTIONS[asked], f"{CONVENTIONS[asked].note}; as asked for"


def has_printed_table(trace: Trace) -> bool:
    """Whether a paper prints the table of this network, which costlab's is compared with."""
    # only a source of models records where a model is from; a user's own code has no such line
    provenance = trace.provenance
    return provenance["model"] in reference.LAYER_TABLES and "source" in provenance
