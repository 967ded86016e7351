"""Hold the intervals of single kernels to account, on the measurements of a device file alone.

    python benchmarks/cross_validation.py reports/devices/h100.device fp32 contiguous

A fifth of the kernels of each family is left out, the model fitted to the others and asked for the
fifth, five times. Prints the median error, the coverage of the 90% intervals, and their median
half-width in the logarithm of the time. Needs numpy alone beside what reads the file.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, median

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from costlab.predict.device_file import read_device  # noqa: E402 costlab need not be installed
from costlab.predict.device_record import Point  # noqa: E402
from costlab.predict.fitting.ceilings import DeviceCeilings, device_ceilings  # noqa: E402
from costlab.predict.fitting.family import FEWEST, family_times  # noqa: E402
from costlab.predict.kernels import FAMILIES  # noqa: E402

FOLDS = 5
MOST = 800  # kernels of a family, for a run of a minute


@dataclass(frozen=True)
class LeftOut:
    """A kernel that the model did not know: by how much the logarithm of its time was off, and the
    half-width of the interval."""

    error: float
    width: float


def left_out(points: Sequence[Point], ceilings: DeviceCeilings) -> list[LeftOut]:
    """All kernels of one family, each predicted from those of other folds."""
    found: list[LeftOut] = []
    for fold in range(FOLDS):
        known = [p for i, p in enumerate(points) if i % FOLDS != fold]
        asked = points[fold::FOLDS]
        times = family_times(known, ceilings).predict([p.kernel for p in asked], [0.0] * len(asked))
        found += [
            LeftOut(abs(math.log(p.warm.median) - t.middle), t.width)
            for p, t in zip(asked, times, strict=True)
        ]
    return found


def line(name: str, found: Sequence[LeftOut]) -> str:
    """One family, or all."""
    covered = fmean(k.error <= k.width for k in found)
    error = math.expm1(median(k.error for k in found))
    return (
        f"{name:24} {len(found):5} kernels, median error {error:6.1%}, "
        f"coverage {covered:4.0%}, median half-width {median(k.width for k in found):.3f}"
    )


def main() -> None:
    """Each family with enough kernels, and all of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("profile", help="a .device file")
    parser.add_argument("dtype", help="such as fp32")
    parser.add_argument("layout", choices=("contiguous", "channels-last"))
    args = parser.parse_args()
    calibration = read_device(args.profile).calibration
    ceilings = device_ceilings(calibration.points, args.dtype, args.layout, calibration.facts)
    every: list[LeftOut] = []
    for name, family in FAMILIES.items():
        layout = args.layout if family.layouts else "contiguous"
        wanted = name, args.dtype, layout
        points = [p for p in calibration.points if (p.kernel.family, p.dtype, p.layout) == wanted][
            :MOST
        ]
        if len(points) * (FOLDS - 1) >= FEWEST * FOLDS:
            found = left_out(points, ceilings)
            print(line(name, found), flush=True)
            every += found
    if not every:
        parser.error(f"{args.profile} has too few kernels of {args.dtype} and {args.layout}")
    print(line("all", every))


if __name__ == "__main__":
    main()
