"""What is said of a change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..notes import COUNTED

_COUNTED_APART = ("params", "ops", "time", "backward")  # cells that have columns of their own
_SHOWN = 3  # differences of one block


def changes(equal: int) -> tuple[str, ...]:
    """`equal`: blocks that are the same in base and head."""
    return (f"{equal} blocks are equal and not listed; {COUNTED}",)


def cells(base: Mapping[str, object], head: Mapping[str, object]) -> list[str]:
    """The cells of a row that differ."""
    return [
        f"{key}: {base.get(key, '') or 'none'} -> {head.get(key, '') or 'none'}"
        for key in dict.fromkeys([*base, *head])
        if key not in _COUNTED_APART and base.get(key) != head.get(key)
    ]


def first_few(differences: Sequence[str]) -> list[str]:
    """As many as are shown, and how many more there are."""
    more = len(differences) - _SHOWN
    return [*differences[:_SHOWN], *([f"and {more} more"] if more > 0 else [])]


def replaced(base: object, head: object) -> str:
    """An operation in the place of another; None for none."""
    return f"{base or 'none'} -> {head or 'none'}"


def argument(module_type: str, name: str, base: object, head: object) -> str:
    """Another argument of the same operation."""
    return f"{module_type} {name}: {_spell(base)} -> {_spell(head)}"


def shape(module_type: str, base: tuple[int, ...], head: tuple[int, ...]) -> str:
    """Another output shape of the same operation."""
    return f"{module_type}: {_spell(base)} -> {_spell(head)}"


def _spell(value: object) -> str:
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
