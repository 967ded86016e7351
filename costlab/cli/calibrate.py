"""`costlab calibrate -o FILE`: measure a device once, predict models on it anywhere."""

from __future__ import annotations

import argparse
import os

import costlab

from ._errors import UserError, errors
from ._files import DEVICE
from ._progress import progress_line, wrote
from ._types import Commands


def add(sub: Commands) -> None:
    """Register the command."""
    p = sub.add_parser(
        "calibrate",
        help="measure a device, so that models can be predicted on it anywhere",
        example="costlab calibrate --device cuda -o h200.device",
    )
    p.add_argument(
        "--device",
        choices=("auto", "cuda", "cpu"),
        default="auto",
        help="the device to measure (default: auto)",
    )
    p.add_argument(
        "--minutes",
        type=float,
        default=5,
        metavar="N",
        help="how long to measure; more of them make intervals narrower (default: 5)",
    )
    p.add_argument(
        "--dtypes",
        metavar="LIST",
        help="of fp32, tf32, bf16 and fp16, with commas between (default: fp32, on CUDA fp32,bf16)",
    )
    p.add_argument(
        "--layouts",
        metavar="LIST",
        default="contiguous,channels-last",
        help="of contiguous and channels-last (default: both)",
    )
    p.add_argument(
        "--resume",
        action="store_true",
        help="continue with what the file has, or with the journal of a run that was cut off",
    )
    p.add_argument("-o", "--output", metavar="FILE", required=True, help="the .device file")
    p.set_defaults(run=run, writes=DEVICE)


def run(args: argparse.Namespace) -> int | None:
    """Measure and save."""
    try:
        with errors():
            profile = costlab.calibrate(
                args.output,
                device=args.device,
                minutes=args.minutes,
                dtypes=_listed(args.dtypes),
                layouts=_listed(args.layouts) or (),
                resume=args.resume,
                progress=lambda step: progress_line(str(step)),
            )
    except OSError as e:
        raise UserError(f"cannot write {args.output}: {e.strerror}") from None
    except KeyboardInterrupt:
        progress_line("")
        if os.path.exists(args.output):
            wrote(f"{args.output} has what was measured; --resume continues it")
        raise
    size = os.path.getsize(args.output) / 1e3
    wrote(f"{args.output}: {profile.summary} ({size:,.0f} kB)")


def _listed(text: str | None) -> list[str] | None:
    """Names with commas between."""
    return [name.strip() for name in text.split(",") if name.strip()] if text else None
