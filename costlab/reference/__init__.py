"""Published figures as data: printed tables and facts as CSV files, each row with its source. Needs
no torch.

`K` in the papers' params is 1024, `M` in ops is 1e6, one op is one multiply-add, except where
`costlab audit` finds otherwise.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

_HOME = Path(__file__).parent
# networks of the zoo whose paper prints a table of their layers, and the file that holds it; the
# separable stem is the reading of Table 1 that explains its first row
LAYER_TABLES = {
    "googlenet": "googlenet_table1",
    "googlenet_separable": "googlenet_table1",
    "bn_inception": "bn_inception_table",
    "inception_v2": "inception_v2_table1",
}


def names() -> tuple[str, ...]:
    """What `load` knows; layer tables of architectures are "architectures/NAME"."""
    return tuple(sorted(str(p.relative_to(_HOME).with_suffix("")) for p in _HOME.rglob("*.csv")))


@cache
def load(name: str) -> tuple[dict[str, str], ...]:
    """The rows of one file, cells as printed (text). Raises ValueError for an unknown name."""
    if name not in names():
        raise ValueError(
            f"no reference {name!r}; there are {', '.join(n for n in names() if '/' not in n)}"
        )
    with open(_HOME / f"{name}.csv", newline="", encoding="utf-8") as f:
        return tuple(csv.DictReader(f))


def path(name: str) -> Path:
    """The path of a data file of this package."""
    return _HOME / name
